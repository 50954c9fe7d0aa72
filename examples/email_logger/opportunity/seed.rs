//! What opportunities are made with, out of a file.

use std::path::Path;

use email_logging::opportunity::{CloseCode, NumberSeries, SalesCycle};
use email_logging::store::OpportunityStore as _;
use serde::Deserialize;

use super::args::CyclesArgs;
use crate::exit::Failure;
use crate::find::Reader;

const SAMPLE: &str = include_str!("sample.toml");

/// The file.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Seed {
    default_sales_cycle: Option<String>,
    number_series: Option<NumberSeries>,
    #[serde(default, rename = "sales-cycle")]
    cycles: Vec<SalesCycle>,
    #[serde(default, rename = "close-code")]
    codes: Vec<CloseCode>,
}

impl Seed {
    fn read(text: &str, name: &str) -> Result<Self, Failure> {
        toml::from_str(text).map_err(|error| {
            let what = format!("{name}: {}", error.message());
            Failure::usage(
                what,
                "See `opportunity cycles --help` for what the file may hold.",
            )
        })
    }
}

/// Stores what the command line names, if it names something.
pub(super) async fn seed(reader: &Reader, args: &CyclesArgs) -> Result<(), Failure> {
    let seed = match &args.put {
        Some(path) => of_file(path)?,
        None if args.sample => Seed::read(SAMPLE, "the sample")?,
        None => return Ok(()),
    };
    let (store, scope) = (&reader.store, &reader.scope);
    for cycle in &seed.cycles {
        cycle.check()?;
    }
    for cycle in &seed.cycles {
        store.put_sales_cycle(scope, cycle).await?;
    }
    for code in &seed.codes {
        store.put_close_code(scope, code).await?;
    }
    let mut setup = store.opportunity_setup(scope).await?;
    // A series that is in use goes on where it is.
    let same = |series: &NumberSeries| {
        let stored = setup.number_series.as_ref();
        stored.is_some_and(|stored| stored.code == series.code)
    };
    if let Some(series) = seed.number_series.filter(|series| !same(series)) {
        setup.number_series = Some(series);
    }
    if seed.default_sales_cycle.is_some() {
        setup.default_sales_cycle = seed.default_sales_cycle;
    }
    Ok(store.put_opportunity_setup(scope, &setup).await?)
}

fn of_file(path: &Path) -> Result<Seed, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failure::input(format!("{name} cannot be read"), &error))?;
    Seed::read(&text, &name)
}
