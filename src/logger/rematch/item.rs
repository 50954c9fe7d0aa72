//! Logging a mail of the review queue: fetched again from where it lies, under the same message and sighting.

use std::sync::Arc;

use crate::decision::{DecidedEntry, Decision, Disposition, Outcome, Stage, Step, Verdict, flags};
use crate::error::ErrorKind;
use crate::ids::MessageUid;
use crate::interaction::NewEntry;
use crate::logger::commit::{Committed, commit};
use crate::logger::fetch::{FetchedContent, fetch};
use crate::logger::listing::WorkItem;
use crate::logger::moves::result;
use crate::logger::pipeline::StepError;
use crate::logger::prepare::{Prepared, entries};
use crate::logger::record;
use crate::logger::report::RunReport;
use crate::logger::resolve::resolve_addresses;
use crate::message::Message;
use crate::parties::{ContactKind, ContactMatch, Parties, SalespersonMatch};
use crate::source::{ItemRef, ListedItem};
use crate::store::{
    Assignment, CommitBatch, CommitRow, DecidedRow, LoggedMail, MoveOutcome, Original, ReviewItem,
    RowContent, Sighting,
};

use super::links::decide;
use super::places::{Place, Whereabouts};
use super::{Rematch, rematching};

/// What came of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Logged {
    /// So many entries were written.
    Entries(u64),
    /// It matches nobody.
    Nothing,
    /// It matches, and its original was not found.
    OriginalMissing,
    /// It could not be fetched or decided.
    Failed,
}

/// A mail with the place where it lies.
struct Found {
    message: Box<Message>,
    original: Original,
    item: ItemRef,
    at: Disposition,
    /// Whether its move is still to do: it lies in the queue folder.
    in_queue: bool,
    /// Whether it is only its record, as its original is gone.
    missing: bool,
}

impl Rematch<'_> {
    /// How many entries a mail that nobody assigned gets; `None` where it still matches nobody.
    pub(super) async fn matching(&self, mail: &LoggedMail) -> Result<Option<u64>, StepError> {
        let message = record::read_back(&mail.record);
        let (decision, _) = decide(self.parts, &message).await?;
        let matches = decision.outcome == Outcome::Logged;
        Ok(matches.then_some(decision.entries.len() as u64))
    }

    /// Logs an item that nobody assigned and that matches now.
    pub(super) async fn log_open(
        &mut self,
        mail: &LoggedMail,
        item: &ReviewItem,
        seen: Option<Whereabouts>,
    ) -> Result<Logged, StepError> {
        let message = record::read_back(&mail.record);
        let found = match self.found(item, seen, Some((mail, message))).await? {
            Ok(found) => found,
            Err(logged) => return Ok(logged),
        };
        // The whole mail may say more than its record.
        let (decision, _) = decide(self.parts, &found.message).await?;
        if decision.outcome != Outcome::Logged {
            return Ok(Logged::Nothing);
        }
        let flag = flags::REMATCHED;
        self.write(item, found, decision, (flag, "Matched again."))
            .await
    }

    /// Logs an item as a person assigned it.
    pub(super) async fn log_assignment(
        &mut self,
        item: &ReviewItem,
        seen: Option<Whereabouts>,
    ) -> Result<Logged, StepError> {
        let said = item.resolution.as_ref();
        let Some(assignment) = said.and_then(|(_, said)| said.assignment.as_ref()) else {
            return Ok(Logged::Nothing);
        };
        if self.lease.is_none() {
            return Ok(Logged::Entries(1));
        }
        let parts = self.parts;
        let stored = match &item.decision.message {
            Some(uid) => Some(
                parts
                    .log
                    .mail(&parts.scope, uid)
                    .await
                    .map_err(rematching)?,
            ),
            None => None,
        };
        let stored = stored.as_ref();
        let known = stored.map(|mail| (mail, record::read_back(&mail.record)));
        let found = match self.found(item, seen, known).await? {
            Ok(found) => found,
            Err(logged) => return Ok(logged),
        };
        let mut decision = Decision::logged(vec![assigned(assignment)]);
        decision.policy.clone_from(&parts.stamp);
        let flag = flags::ASSIGNED;
        self.write(item, found, decision, (flag, "A person assigned it."))
            .await
    }

    /// The mail with its original: the store's, or fetched from where it lies, or only its record where that is allowed.
    async fn found(
        &mut self,
        item: &ReviewItem,
        seen: Option<Whereabouts>,
        known: Option<(&LoggedMail, Message)>,
    ) -> Result<Result<Found, Logged>, StepError> {
        let Some(Whereabouts { last, place }) = seen else {
            return Ok(Err(Logged::Nothing));
        };
        let without = |message: Message, place: Option<Place>, missing| Found {
            message: Box::new(message),
            original: Original::NotKept,
            in_queue: place.as_ref().is_some_and(|place| place.in_queue),
            at: place.as_ref().map_or(Disposition::Leave, |place| place.at),
            item: place.map_or(last, |place| place.item),
            missing,
        };
        if let Some((mail, message)) = &known
            && self.has_original(&mail.message).await?
        {
            return Ok(Ok(without(message.clone(), place, false)));
        }
        if let Some(place) = place {
            let uid = known.as_ref().map(|(mail, _)| mail.message);
            let fetched = self.fetch(item, place, uid).await?;
            if !matches!(fetched, Err(Logged::OriginalMissing)) {
                return Ok(fetched);
            }
        }
        match known.filter(|_| self.options.without_original) {
            Some((_, message)) => Ok(Ok(without(message, None, true))),
            None => Ok(Err(Logged::OriginalMissing)),
        }
    }

    async fn has_original(&self, message: &MessageUid) -> Result<bool, StepError> {
        let (scope, log) = (&self.parts.scope, &self.parts.log);
        match log.original(scope, message, 0..1).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(rematching(error)),
        }
    }

    async fn fetch(
        &mut self,
        item: &ReviewItem,
        place: Place,
        uid: Option<MessageUid>,
    ) -> Result<Result<Found, Logged>, StepError> {
        let mut listed = ListedItem::new(place.item.clone());
        listed.key = Some(item.decision.sighting.clone());
        let work = WorkItem {
            listed,
            known: None,
        };
        let lease = self.lease.as_ref().map(|held| held.lease.clone());
        let (done, _, error) = fetch(self.parts, lease.as_ref(), &place.folder, vec![work]).await;
        if let Some(error) = error {
            return Err(rematching(error));
        }
        let content = done.into_iter().next().map(|mail| mail.content);
        Ok(match content {
            Some(FetchedContent::Read(message, original)) => {
                let scope = &self.parts.scope;
                let read = MessageUid::derive(scope, &message.identity.fast_key);
                // Somebody changed it: it is another mail by now.
                if uid.is_some_and(|uid| uid != read) {
                    Err(Logged::OriginalMissing)
                } else {
                    Ok(Found {
                        message,
                        original,
                        item: place.item,
                        at: place.at,
                        in_queue: place.in_queue,
                        missing: false,
                    })
                }
            }
            Some(FetchedContent::Gone) => Err(Logged::OriginalMissing),
            Some(FetchedContent::Unreadable(_) | FetchedContent::Failed(_)) | None => {
                Err(Logged::Failed)
            }
        })
    }

    /// Commits it, and closes the plan of a move that needs no doing.
    async fn write(
        &mut self,
        item: &ReviewItem,
        found: Found,
        decision: Decision,
        (flag, why): (&'static str, &'static str),
    ) -> Result<Logged, StepError> {
        let (parts, folders) = (self.parts, self.folders);
        let in_queue = found.in_queue;
        let parties = resolve_addresses(parts, &found.message.addresses()).await?;
        let Some(prepared) = self.prepared(item, (found, &parties), decision, (flag, why)) else {
            return Ok(Logged::Failed);
        };
        let Some(held) = &self.lease else {
            return Ok(Logged::Nothing);
        };
        let with = CommitBatch::default();
        let committed = commit(parts, folders, &held.lease, vec![prepared], with).await;
        let mut counted = RunReport::default();
        committed.count(&mut counted);
        let Committed {
            moves,
            deliveries,
            error,
            ..
        } = committed;
        if let Some(error) = error {
            return Err(error);
        }
        // What lies in the queue folder is moved by the next run.
        let settled = moves.into_iter().filter(|_| !in_queue).map(|planned| {
            let outcome = MoveOutcome::Done(Some(planned.item.clone()));
            result(&planned, outcome)
        });
        let batch = CommitBatch {
            moves: settled.collect(),
            deliveries,
            ..CommitBatch::default()
        };
        if !batch.is_empty() {
            let closed = parts.ledger.commit(&parts.scope, &held.lease, batch).await;
            closed.map_err(rematching)?;
        }
        Ok(match counted.logged + counted.already_logged {
            0 => Logged::Failed,
            _ => Logged::Entries(counted.entries),
        })
    }

    fn prepared(
        &self,
        item: &ReviewItem,
        (found, parties): (Found, &Parties),
        mut decision: Decision,
        (flag, why): (&'static str, &'static str),
    ) -> Option<Prepared> {
        let parts = self.parts;
        let uid = item.decision.message;
        let derived = MessageUid::derive(&parts.scope, &found.message.identity.fast_key);
        let uid = uid.unwrap_or(derived);
        let mut new = entries(parts, uid, &found.message, &decision).ok()?;
        for entry in &mut new {
            note(entry, flag);
            if found.missing {
                note(entry, flags::ORIGINAL_MISSING);
            }
        }
        decision.disposition = found.at;
        remember(&mut decision, item, why);
        let mut row = DecidedRow::new(uid, decision);
        row.deliver = parts.sink.is_some();
        row.entries = new;
        let mut record = record::of(&found.message, &parts.policy, parties);
        if found.in_queue {
            record.web_link = None;
        }
        row.record = Some(Box::new(record));
        row.original = found.original;
        let sighting = Sighting::new(item.decision.sighting.clone(), found.item.clone());
        let content = RowContent::Decided(Arc::new(row));
        Some(Prepared {
            work: WorkItem {
                listed: ListedItem::new(found.item),
                known: None,
            },
            row: CommitRow::new(sighting, content),
            message: Some(found.message),
            spare: Original::NotKept,
        })
    }
}

/// Adds a flag to an entry.
pub(super) fn note(entry: &mut NewEntry, flag: &str) {
    if !entry.flags.iter().any(|noted| noted == flag) {
        entry.flags.push(flag.to_owned());
        entry.flags.sort_unstable();
    }
}

/// Keeps the steps of the earlier decision behind those of the new one.
fn remember(decision: &mut Decision, item: &ReviewItem, why: &'static str) {
    let old = &item.decision;
    let first = Step::new(Stage::Match, "review.again", Verdict::Match, why);
    decision.steps.insert(0, first);
    let detail = format!(
        "Decided before at {} as {} {} by policy {}.",
        old.decided_at, old.outcome, old.reason, old.policy
    );
    let stage = Stage::Disposition;
    let earlier = Step::new(stage, "earlier.decision", Verdict::Note, detail);
    decision.steps.push(earlier);
    for step in &old.steps {
        let mut step = step.clone();
        if !step.rule.starts_with("earlier.") {
            step.rule = format!("earlier.{}", step.rule).into();
        }
        decision.steps.push(step);
    }
}

fn assigned(assignment: &Assignment) -> DecidedEntry {
    let (contact, name) = (&assignment.contact, &assignment.contact_name);
    let kind = match &assignment.company {
        Some(company) if company != contact => ContactKind::Person,
        _ => ContactKind::Company,
    };
    let mut contact = ContactMatch::new(contact.clone(), name, kind);
    contact.company_no.clone_from(&assignment.company);
    let (code, name) = (&assignment.salesperson, &assignment.salesperson_name);
    let salesperson = SalespersonMatch::new(code.clone(), name);
    DecidedEntry::new(assignment.flow, contact, salesperson)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::interaction::InformationFlow;

    #[test]
    fn who_belongs_to_another_contact_is_a_person_and_anybody_else_a_company() {
        for (company, kind) in [
            (None, ContactKind::Company),
            (Some("C1"), ContactKind::Company),
            (Some("C2"), ContactKind::Person),
        ] {
            let mut link = Assignment::new("C1", "AH", InformationFlow::Inbound);
            link.company = company.map(Into::into);
            let contact = assigned(&link).contact;
            assert_eq!((contact.kind, contact.company_no), (kind, link.company));
        }
    }
}
