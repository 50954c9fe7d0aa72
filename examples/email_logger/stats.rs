//! `stats`: what the log adds up to.

use std::path::Path;

use email_logging::interaction::{
    Activity, InteractionStatistics, PartyStatistics, Period, StatisticsOptions,
};
use email_logging::store::InteractionReports as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::cli::reports::{By, StatsArgs};
use crate::exit::{Exit, Failure};
use crate::find::Reader;
use crate::output::{Output, safe};
use crate::words;

/// The widest bar.
const BAR: u64 = 30;

/// `stats`.
pub(crate) async fn stats(
    args: &StatsArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.store.as_deref()).await?;
    let filter = reader.filter(&args.filters).await?;
    let options = StatisticsOptions::default()
        .with_period(match args.by {
            By::Day => Period::Day,
            By::Week => Period::Week,
            By::Month => Period::Month,
        })
        .with_parties(args.limit);
    let statistics = reader.store.statistics(&reader.scope, &filter, &options);
    let statistics = statistics.await?;
    if output.json() {
        output.value(&json!({ "statistics": statistics }))?;
    } else if statistics.total.entries == 0 {
        output.note("Nothing in the log fits.");
    } else {
        tell(&statistics, args.by, output)?;
    }
    Ok(Exit::Done)
}

fn tell(all: &InteractionStatistics, by: By, output: &Output) -> Result<(), Failure> {
    let total = &all.total;
    output.line(format!(
        "{} of {}: {} out, {} in, from {} to {}",
        words::count(total.entries, "entry", "entries"),
        words::count(all.mails, "mail", "mails"),
        total.outbound,
        total.inbound,
        day(total.first),
        day(total.last),
    ))?;
    tell_parties("Contacts", all.contact_count, &all.contacts, output)?;
    let people = &all.salespeople;
    tell_parties("Salespeople", all.salesperson_count, people, output)?;
    output.line("")?;
    output.line(output.style().strong("Over time"))?;
    let most = all.activity.iter().map(sum).max().unwrap_or(1).max(1);
    for bucket in &all.activity {
        tell_bucket(bucket, most, by, output)?;
    }
    Ok(())
}

fn tell_parties(
    title: &str,
    count: u64,
    parties: &[PartyStatistics],
    output: &Output,
) -> Result<(), Failure> {
    output.line("")?;
    output.line(output.style().strong(&format!("{title} ({count})")))?;
    for party in parties {
        let who = format!("{} {}", party.no, party.name);
        let answer = party.median_answer_s.map_or_else(String::new, |seconds| {
            format!(", answers in {}", duration(seconds))
        });
        let totals = &party.totals;
        output.line(format!(
            "  {:>5}  {} out, {} in, last {}{answer}  {}",
            totals.entries,
            totals.outbound,
            totals.inbound,
            day(totals.last),
            safe::fit(&who, 40),
        ))?;
    }
    let more = count.saturating_sub(parties.len() as u64);
    if more > 0 {
        output.line(output.style().dim(&format!("         and {more} more")))?;
    }
    Ok(())
}

fn tell_bucket(bucket: &Activity, most: u64, by: By, output: &Output) -> Result<(), Failure> {
    let from = day(Some(bucket.from));
    let label = match by {
        By::Month => from.get(..7).unwrap_or(&from),
        By::Day | By::Week => &from,
    };
    let width = sum(bucket).saturating_mul(BAR).div_ceil(most);
    let bar = "█".repeat(usize::try_from(width).unwrap_or_default());
    output.line(format!(
        "  {label:<10}  {:>5} out {:>5} in  {bar}",
        bucket.outbound, bucket.inbound
    ))
}

fn sum(bucket: &Activity) -> u64 {
    bucket.outbound + bucket.inbound
}

fn day(time: Option<Timestamp>) -> String {
    let day = |time: Timestamp| time.to_zoned(TimeZone::UTC).date().to_string();
    time.map_or_else(|| "-".to_owned(), day)
}

/// A time in its largest unit.
fn duration(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}
