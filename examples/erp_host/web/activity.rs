//! Plots of activity: per month, per salesperson, per contact. Drawn here; each has its numbers as a table.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use email_logging::interaction::{PartyStatistics, StatisticsOptions};
use email_logging::store::LogFilter;

use super::mails::encoded;
use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight;
use crate::erp::Erp;

/// Parties of a plot, and months.
const BARS: u32 = 12;
/// A plot's height.
const HEIGHT: u64 = 120;

/// One party: received and sent, in entries and in per cent of the longest.
struct Bar {
    name: String,
    link: String,
    inbound: u64,
    outbound: u64,
    inbound_width: u64,
    outbound_width: u64,
    answer: String,
    last: String,
}

/// One month: its columns in the plot, from the top.
struct Month {
    name: String,
    number: String,
    year: String,
    inbound: u64,
    outbound: u64,
    inbound_height: u64,
    outbound_height: u64,
    inbound_y: u64,
    outbound_y: u64,
}

#[derive(Template)]
#[template(path = "activity.html", config = "examples/erp_host/askama.toml")]
struct Activity {
    f: Frame,
    inbound: u64,
    outbound: u64,
    mails: u64,
    contacts: u64,
    months: Vec<Month>,
    plots: Vec<(&'static str, Vec<Bar>)>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "activity", "/activity");
    let options = StatisticsOptions::default().with_parties(BARS);
    let filter = LogFilter::default();
    let all = sight::statistics(&erp, &session, &filter, options).await?;
    let skipped = all.activity.len().saturating_sub(BARS as usize);
    let newest: Vec<_> = all.activity.iter().skip(skipped).collect();
    let sums = newest.iter().map(|one| one.inbound + one.outbound);
    let most = sums.max().unwrap_or(1).max(1);
    let months: Vec<Month> = newest
        .into_iter()
        .map(|one| {
            let (received, sent) = (one.inbound * HEIGHT / most, one.outbound * HEIGHT / most);
            Month {
                name: one.from.strftime("%m/%y").to_string(),
                number: one.from.strftime("%m").to_string(),
                year: one.from.strftime("%y").to_string(),
                inbound: one.inbound,
                outbound: one.outbound,
                inbound_height: received,
                outbound_height: sent,
                inbound_y: HEIGHT - received,
                outbound_y: HEIGHT - received - sent,
            }
        })
        .collect();
    let plots = vec![
        (f.w.per_salesperson, bars(&f, &all.salespeople, false)),
        (f.w.per_contact, bars(&f, &all.contacts, true)),
    ];
    Ok(render(&Activity {
        inbound: all.total.inbound,
        outbound: all.total.outbound,
        mails: all.mails,
        contacts: all.contact_count,
        months,
        plots,
        f,
    }))
}

fn bars(f: &Frame, parties: &[PartyStatistics], contacts: bool) -> Vec<Bar> {
    let sums = parties.iter().map(|one| one.totals.entries);
    let longest = sums.max().unwrap_or(1).max(1);
    let bars = parties.iter().map(|one| {
        let no = encoded(&one.no);
        Bar {
            name: one.name.clone(),
            link: if contacts {
                format!("/contacts/{no}")
            } else {
                format!("/mails?salesperson={no}")
            },
            inbound: one.totals.inbound,
            outbound: one.totals.outbound,
            inbound_width: one.totals.inbound * 100 / longest,
            outbound_width: one.totals.outbound * 100 / longest,
            answer: {
                let seconds = one.median_answer_s;
                seconds.map_or_else(|| "–".to_owned(), |seconds| duration(f.w.days, seconds))
            },
            last: one
                .totals
                .last
                .map_or_else(String::new, |at| f.day(crate::zone::at(at).date())),
        }
    });
    bars.collect()
}

/// A time in its largest unit.
fn duration(days: &str, seconds: u64) -> String {
    match seconds {
        0..7_200 => format!("{} min", seconds.div_ceil(60)),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} {days}", seconds / 86_400),
    }
}
