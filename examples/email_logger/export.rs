//! `export`: the log, or the originals of its mails, in a new file.

use std::io::BufWriter;
use std::path::Path;

use email_logging::export::{self, Exported};
use serde_json::json;

use crate::cli::reports::{ExportArgs, Format};
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::Output;
use crate::show::create;
use crate::words;

/// `export`.
pub(crate) async fn export(
    args: &ExportArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let filter = reader.filter(&args.filters).await?;
    let (name, out) = create(&args.out)?;
    let mut out = BufWriter::new(out);
    let (log, scope) = (&*reader.store, &reader.scope);
    let exported = match args.format {
        Format::Jsonl => export::json_lines(log, scope, &filter, &mut out).await,
        Format::Csv => export::csv(log, scope, &filter, &mut out).await,
        Format::EmlZip => export::eml_zip(log, scope, &filter, &mut out).await,
    };
    drop(out);
    let exported = exported.inspect_err(|_| {
        // A part is no export. That it cannot be removed changes nothing about the failure.
        let _ = std::fs::remove_file(&args.out);
    })?;
    tell(&exported, &name, args.format, output)?;
    Ok(Exit::Done)
}

fn tell(exported: &Exported, name: &str, format: Format, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "export": exported }));
    }
    let what = match format {
        Format::EmlZip => words::count(exported.rows, "mail", "mails"),
        Format::Jsonl | Format::Csv => words::count(exported.rows, "entry", "entries"),
    };
    output.line(format!("{name}: {what}"))?;
    if exported.missing > 0 {
        let missing = words::count(exported.missing, "mail", "mails");
        output.line(format!("{missing} without an original that is kept."))?;
    }
    Ok(())
}
