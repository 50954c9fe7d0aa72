//! Plots of activity: per month, per salesperson, per contact.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use email_logging::interaction::InformationFlow;
use email_logging::store::{Cursor, InteractionLog as _, LogFilter};

use super::page::{Failed, Frame, render};
use super::session::Session;
use crate::erp::Erp;

/// Entries that are counted, and bars of a plot.
const PAGE: u32 = 1000;
const MOST: usize = 100_000;
const BARS: usize = 12;

/// One bar: received and sent, in entries and in per cent of the longest.
struct Bar {
    name: String,
    link: Option<String>,
    inbound: u32,
    outbound: u32,
    inbound_width: u32,
    outbound_width: u32,
}

type Counts = BTreeMap<(String, Option<String>), [u32; 2]>;

#[derive(Template)]
#[template(path = "activity.html", config = "examples/erp_host/askama.toml")]
struct Activity {
    f: Frame,
    plots: Vec<(&'static str, Vec<Bar>)>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "activity", "/activity");
    let (mut months, mut salespeople, mut contacts) = (Counts::new(), Counts::new(), Counts::new());
    let (mut after, mut seen): (Option<Cursor>, usize) = (None, 0);
    loop {
        let filter = LogFilter::default();
        let page = erp
            .store
            .entries(&erp.scope, &filter, after.as_ref(), PAGE)
            .await?;
        seen += page.rows.len();
        for logged in page.rows {
            let entry = logged.entry;
            let way = usize::from(entry.information_flow == InformationFlow::Outbound);
            let link = format!("/contacts/{}", entry.contact_no);
            let month = entry.date.strftime("%Y-%m").to_string();
            count(&mut months, (month, None), way);
            count(&mut salespeople, (entry.salesperson_name, None), way);
            count(&mut contacts, (entry.contact_name, Some(link)), way);
        }
        after = page.next;
        if after.is_none() || seen >= MOST {
            break;
        }
    }
    let plots = vec![
        (f.w.per_month, bars(months, false)),
        (f.w.per_salesperson, bars(salespeople, true)),
        (f.w.per_contact, bars(contacts, true)),
    ];
    Ok(render(&Activity { f, plots }))
}

fn count(counts: &mut Counts, key: (String, Option<String>), way: usize) {
    let counted = counts.entry(key).or_default();
    if let Some(count) = counted.get_mut(way) {
        *count += 1;
    }
}

/// The longest bars first, or the newest months in their order.
fn bars(counts: Counts, by_length: bool) -> Vec<Bar> {
    let mut all: Vec<_> = counts.into_iter().collect();
    if by_length {
        all.sort_by_key(|(_, [inbound, outbound])| std::cmp::Reverse(inbound + outbound));
        all.truncate(BARS);
    } else if all.len() > BARS {
        all.drain(..all.len() - BARS);
    }
    let sums = all
        .iter()
        .map(|(_, [inbound, outbound])| inbound + outbound);
    let longest = sums.max().unwrap_or(1).max(1);
    let bars = all
        .into_iter()
        .map(|((name, link), [inbound, outbound])| Bar {
            name,
            link,
            inbound,
            outbound,
            inbound_width: inbound * 100 / longest,
            outbound_width: outbound * 100 / longest,
        });
    bars.collect()
}
