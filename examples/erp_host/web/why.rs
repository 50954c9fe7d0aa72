//! "Why is my mail not here?": the decisions, and every step that led to one.
//!
//! A mail that was logged is found as the person sees the log; one that was not, by whom it names.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Query, State};
use axum::response::Response;
use email_logging::decision::Step;
use email_logging::store::{
    Cursor, DecisionFilter, DecisionRecord, InteractionLog as _, LogFilter, LoggedMail,
    ReviewFilter, ReviewItem, ReviewState,
};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use super::page::{Failed, Frame, render};
use super::session::Session;
use super::sight::{self, Log};
use crate::erp::Erp;
use crate::zone::{at, midnight};

/// Mails that are shown of each kind, those that are read at once, and those of each state that are looked through at most.
const SHOWN: usize = 25;
const PAGE: u32 = 200;
const MOST: usize = 5_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    q: String,
    day: String,
}

/// One step of a decision, in words.
pub(super) struct Told {
    pub(super) class: &'static str,
    pub(super) verdict: String,
    pub(super) rule: String,
    pub(super) detail: String,
}

impl Told {
    pub(super) fn of(frame: &Frame, step: Step) -> Self {
        let verdict = step.verdict.code();
        Self {
            class: match verdict {
                "stop" => "warn",
                "match" => "good",
                "note" => "in",
                _ => "none",
            },
            verdict: frame.say(&format!("verdict.{verdict}")),
            rule: {
                let code = format!("rule.{}", step.rule);
                let words = frame.language.of_code(&code);
                words.map_or_else(|| step.rule.clone().into_owned(), str::to_owned)
            },
            detail: step.detail,
        }
    }
}

struct Shown {
    /// By which it stands in the list: when the mail was sent or received, or else decided.
    date: Timestamp,
    at: String,
    subject: Option<String>,
    sender: String,
    good: bool,
    outcome: String,
    reason: String,
    steps: Vec<Told>,
    /// Where a person can do something about it.
    review: Option<String>,
    /// Its entry, if it was logged.
    entry: Option<String>,
}

#[derive(Template)]
#[template(path = "why.html", config = "examples/erp_host/askama.toml")]
struct Why {
    f: Frame,
    q: String,
    day: String,
    searched: bool,
    rows: Vec<Shown>,
    /// More fit, or were not looked through: how many were.
    looked_at: Option<usize>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Failed> {
    let f = Frame::new(&session, "why", "/why");
    let log = sight::log(&erp, &session);
    let words = wanted.q.trim().to_lowercase();
    let day: Option<Date> = wanted.day.trim().parse().ok();
    let searched = !words.is_empty() || day.is_some();
    let (mut rows, mut looked_at) = (Vec::new(), None);
    if searched {
        let (found, more) = logged(&erp, &f, &log, &wanted.q, day).await?;
        rows = found;
        looked_at = more.then_some(SHOWN);
    }
    for state in [
        ReviewState::Open,
        ReviewState::Assigned,
        ReviewState::Ignored,
    ] {
        let search = Search {
            erp: &erp,
            session: &session,
            f: &f,
            words: &words,
            day,
        };
        let (found, seen) = search.not_logged(state).await?;
        rows.extend(found);
        looked_at = looked_at.max(seen);
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.date));
    Ok(render(&Why {
        f,
        q: wanted.q,
        day: wanted.day,
        searched,
        rows,
        looked_at,
    }))
}

/// Logged mail that fits, by the day of the mail; and whether there is more.
async fn logged(
    erp: &Erp,
    f: &Frame,
    log: &Log,
    words: &str,
    day: Option<Date>,
) -> Result<(Vec<Shown>, bool), Failed> {
    let mut filter = LogFilter::default();
    filter.text = Some(words.trim().to_owned()).filter(|text| !text.is_empty());
    filter.canceled = true;
    filter.since = day.and_then(midnight);
    let after = day.and_then(|day| day.checked_add(1.day()).ok());
    filter.until = after.and_then(midnight);
    let limit = u32::try_from(SHOWN).unwrap_or(u32::MAX);
    let page = log.mails(&erp.scope, &filter, None, limit).await?;
    let mut rows = Vec::new();
    for mail in page.rows {
        let mut of = DecisionFilter::default();
        of.message = Some(mail.message);
        let decisions = log.decisions(&erp.scope, &of, None, 10).await?.rows;
        let first = decisions.iter().position(|one| one.outcome == "logged");
        let decision = decisions.into_iter().nth(first.unwrap_or(0));
        let entry = mail.entries.first();
        let entry = entry.map(|entry| format!("/entries/{}", entry.entry.id));
        rows.extend(decision.map(|decision| Shown {
            entry,
            ..shown(f, decision, date_of(&mail))
        }));
    }
    Ok((rows, page.next.is_some()))
}

fn date_of(mail: &LoggedMail) -> Option<Timestamp> {
    let first = mail.entries.first().map(|entry| entry.entry.date);
    first.or(mail.record.sent).or(mail.record.received)
}

/// A search among what was not logged.
struct Search<'a> {
    erp: &'a Erp,
    session: &'a Session,
    f: &'a Frame,
    words: &'a str,
    day: Option<Date>,
}

impl Search<'_> {
    /// The newest that fit; and how many were looked at, if that were not all.
    async fn not_logged(&self, state: ReviewState) -> Result<(Vec<Shown>, Option<usize>), Failed> {
        let mut filter = ReviewFilter::default();
        filter.state = state;
        filter.excluded = true;
        let (mut rows, mut seen) = (Vec::new(), 0);
        let mut after: Option<Cursor> = None;
        loop {
            let page = sight::review(self.erp, self.session)
                .items(&self.erp.scope, &filter, after.as_ref(), PAGE)
                .await?;
            for item in page.rows {
                seen += 1;
                rows.extend(self.fitting(item).await?);
            }
            after = page.next;
            if after.is_none() {
                return Ok((rows, None));
            }
            if rows.len() >= SHOWN || seen >= MOST {
                return Ok((rows, Some(seen)));
            }
        }
    }

    async fn fitting(&self, item: ReviewItem) -> Result<Option<Shown>, Failed> {
        if !fits(&item, self.words) {
            return Ok(None);
        }
        let date = self.date(&item).await;
        if self.day.is_some_and(|day| at(date).date() != day) {
            return Ok(None);
        }
        Ok(Some(shown(self.f, item.decision, Some(date))))
    }

    /// When the mail was sent or received, where that is kept.
    async fn date(&self, item: &ReviewItem) -> Timestamp {
        let decided = item.decision.decided_at;
        let Some(message) = &item.decision.message else {
            return decided;
        };
        let mail = self.erp.store.mail(&self.erp.scope, message).await;
        mail.ok().as_ref().and_then(date_of).unwrap_or(decided)
    }
}

/// Whether all words stand in subject, sender, or whom it names.
fn fits(item: &ReviewItem, words: &str) -> bool {
    let decision = &item.decision;
    let mut text = [&decision.subject, &decision.sender]
        .map(|part| part.as_deref().unwrap_or_default())
        .join(" ");
    for one in &item.participants {
        text.push(' ');
        text.push_str(one.name.as_deref().unwrap_or_default());
        text.push(' ');
        text.push_str(&one.address);
    }
    let text = text.to_lowercase();
    words.split_whitespace().all(|word| text.contains(word))
}

fn shown(frame: &Frame, row: DecisionRecord, date: Option<Timestamp>) -> Shown {
    let good = row.outcome == "logged" || row.outcome == "already-logged";
    let steps = row.steps.into_iter();
    let date = date.unwrap_or(row.decided_at);
    Shown {
        date,
        at: frame.time(&date),
        good,
        // Where nothing is kept, there is nothing that a person could say.
        review: (!good && row.subject.is_some())
            .then(|| super::review::link(&row.mailbox, &row.sighting)),
        entry: None,
        subject: row.subject,
        sender: row.sender.unwrap_or_default(),
        outcome: frame.say(&row.outcome),
        reason: frame.say(&row.reason),
        steps: steps.map(|step| Told::of(frame, step)).collect(),
    }
}
