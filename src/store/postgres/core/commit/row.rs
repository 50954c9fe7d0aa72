//! One row of a commit: what a decision, a further copy or a failed attempt changes.

use std::collections::BTreeSet;

use super::super::ALREADY_LOGGED;
use super::super::sightings::{Decided, Found};
use super::changes::{Changes, NewDecision};
use super::identity::Identity;
use crate::decision::{Decision, Disposition, Outcome};
use crate::ids::EntryId;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::rows::{
    from_json, json, key_bytes, maybe_micros, maybe_text, micros, signed, text,
};
use crate::store::{
    CommitRow, DecidedRow, EventKind, FailedAttempt, RowContent, RowResult, Sighting, SightingState,
};

/// The reason of a mail whose message and entries were there.
const SAME_MESSAGE: &str = "same-message";

impl<'a> Changes<'a> {
    /// Messages first, in the order of their ids, so that every engine takes them in the same order; then row by row. A
    /// further row under a key takes its message in its turn: the row before may have logged the sighting.
    pub(super) fn write_rows(&mut self, rows: &[&'a CommitRow]) -> Done<Vec<RowResult>> {
        let mut identities: Vec<Option<Identity>> = vec![None; rows.len()];
        let mut met = BTreeSet::new();
        let mut ordered: Vec<_> = rows.iter().zip(&mut identities).collect();
        ordered.retain(|(row, _)| met.insert(&row.sighting.key));
        ordered.sort_by_key(|(row, _)| match &row.content {
            RowContent::Decided(decided) => Some(decided.message),
            _ => None,
        });
        for (row, identity) in ordered {
            *identity = Some(self.identify(row)?);
        }
        let mut results = Vec::with_capacity(rows.len());
        for (row, identity) in rows.iter().zip(identities) {
            let identity = identity.map_or_else(|| self.identify(row), Ok)?;
            results.push(self.write_row(row, &identity)?);
        }
        Ok(results)
    }

    fn write_row(&mut self, row: &'a CommitRow, identity: &Identity) -> Done<RowResult> {
        let sighting = &row.sighting;
        match &row.content {
            RowContent::Decided(decided) => self.write_decided(sighting, decided, identity),
            RowContent::Again { target } => self.write_again(sighting, *target),
            RowContent::Failed(attempt) => self.count(sighting, attempt),
        }
    }

    fn write_again(&mut self, sighting: &Sighting, target: Disposition) -> Done<RowResult> {
        let key = key_bytes(&sighting.key);
        if !self.state.sightings.contains_key(&key) {
            return Err(Fault::Data("a copy of a mail that was not decided"));
        }
        self.plan(&key, &sighting.item, target);
        Ok(RowResult::AlreadyLogged)
    }

    /// Counts a failed attempt. An outcome that is there already stays; what is logged or set aside gets no attempts.
    fn count(&mut self, sighting: &Sighting, attempt: &FailedAttempt) -> Done<RowResult> {
        let key = key_bytes(&sighting.key);
        if !self.state.sightings.contains_key(&key) {
            self.add_sighting(&key, sighting, SightingState::Pending)?;
        }
        let Some(found) = self.state.sightings.get_mut(&key) else {
            return Err(Fault::Data("a sighting"));
        };
        if found.gets_attempts() {
            found.attempts += 1;
            found.next_try = Some(micros(attempt.next_try));
            found.code = Some(text(&attempt.code).into_owned());
        }
        if !found.is_settled() {
            place(found, sighting);
        }
        let attempts = u32::try_from(found.attempts).map_err(|_| Fault::Damaged("a number"))?;
        Ok(RowResult::Counted { attempts })
    }

    fn write_decided(
        &mut self,
        sighting: &Sighting,
        row: &'a DecidedRow,
        identity: &Identity,
    ) -> Done<RowResult> {
        let key = key_bytes(&sighting.key);
        if let Some(result) = self.repeated(&key, sighting, row)? {
            return Ok(result);
        }
        if *identity == Identity::Erased {
            return Ok(RowResult::Erased);
        }
        if let Identity::Recheck(strangers) = identity {
            return Ok(RowResult::Recheck(strangers.clone()));
        }
        validate(row)?;
        let message_no = identity.message_no();
        let deleted = &self.state.deleted;
        // A mail whose entries were deleted does not get its original back.
        if row.entries.is_empty() || !row.entries.iter().all(|e| deleted.contains(&e.id)) {
            self.keep_message(row, identity)?;
        }
        let entries = self.add_entries(row, message_no)?;
        self.write_outcome(&key, sighting, row, message_no, entries.is_empty())?;
        // Also what was given another try in the middle of a run may have a plan of that run.
        self.redirect(&key, row.decision.disposition);
        let outcome = &row.decision.outcome;
        if !entries.is_empty() || *outcome != Outcome::Logged {
            self.event(event_kind(outcome), message_no, &entries, outcome.reason())?;
        }
        Ok(answer(row, entries))
    }

    /// The answer to a row whose sighting has its outcome, if that stays: once it is logged, or if the row says nothing new.
    fn repeated(
        &mut self,
        key: &[u8],
        sighting: &Sighting,
        row: &DecidedRow,
    ) -> Done<Option<RowResult>> {
        let found = self.state.sightings.get(key);
        let Some(found) = found.filter(|found| found.is_settled()) else {
            return Ok(None);
        };
        if found.is_logged() {
            let target = found.disposition.unwrap_or(row.decision.disposition);
            self.plan(key, &sighting.item, target);
            return Ok(Some(RowResult::AlreadyLogged));
        }
        let same = is_same(found, sighting, &row.decision)?;
        Ok(same.then(|| answer(row, Vec::new())))
    }

    /// Writes sighting, decision and plan.
    fn write_outcome(
        &mut self,
        key: &[u8],
        sighting: &Sighting,
        row: &'a DecidedRow,
        message_no: Option<i64>,
        nothing_new: bool,
    ) -> Done<()> {
        let decision = &row.decision;
        let state = match decision.outcome {
            Outcome::Quarantined(_) => SightingState::Quarantined,
            _ => SightingState::Decided,
        };
        let (outcome, reason) = if nothing_new && decision.outcome == Outcome::Logged {
            (ALREADY_LOGGED, SAME_MESSAGE)
        } else {
            (decision.outcome.code(), decision.outcome.reason())
        };
        if !self.state.sightings.contains_key(key) {
            self.add_sighting(key, sighting, state)?;
        }
        let Some(found) = self.state.sightings.get_mut(key) else {
            return Err(Fault::Data("a sighting"));
        };
        place(found, sighting);
        found.state = state;
        found.received = maybe_micros(sighting.received);
        found.size = sighting.size.map(signed).transpose()?;
        found.message_no = message_no;
        found.message = message_no.map(|_| row.message);
        found.disposition = Some(decision.disposition);
        (found.attempts, found.next_try) = (0, None);
        found.decision = Some(decided(decision, outcome, reason)?);
        let no = found.no;
        let new = NewDecision {
            message_no,
            outcome,
            reason,
            decision,
        };
        self.decisions.insert(no, new);
        self.plan(key, &sighting.item, decision.disposition);
        Ok(())
    }

    fn add_sighting(&mut self, key: &[u8], sighting: &Sighting, state: SightingState) -> Done<()> {
        let found = Found {
            no: self.state.next_sighting()?,
            state,
            item_id: text(&sighting.item.id).into_owned(),
            change_key: None,
            received: maybe_micros(sighting.received),
            size: sighting.size.map(signed).transpose()?,
            message_no: None,
            message: None,
            disposition: None,
            attempts: 0,
            next_try: None,
            code: None,
            seen_at: self.fenced.now,
            decision: None,
            moves: std::collections::BTreeMap::new(),
        };
        self.state.sightings.insert(key.to_vec(), found);
        Ok(())
    }
}

/// The last known place of a sighting.
fn place(found: &mut Found, sighting: &Sighting) {
    found.item_id = text(&sighting.item.id).into_owned();
    found.change_key = maybe_text(sighting.item.change_key.as_deref()).map(Into::into);
}

/// Whether the sighting has exactly this decision, and the move that it planned for this item is still to do: the commit
/// of a decision is repeated. A mail that was put back has no such move.
fn is_same(found: &Found, sighting: &Sighting, decision: &Decision) -> Done<bool> {
    let outcome = &decision.outcome;
    let same = found.decision == Some(decided(decision, outcome.code(), outcome.reason())?);
    let planned = found.moves.contains_key(&*text(&sighting.item.id));
    Ok(same && (planned || decision.disposition == Disposition::Leave))
}

/// A decision as it is read back.
fn decided(decision: &Decision, outcome: &str, reason: &str) -> Done<Decided> {
    Ok(Decided {
        outcome: outcome.to_owned(),
        reason: text(reason).into_owned(),
        disposition: decision.disposition.code().to_owned(),
        steps: from_json(&json(&decision.steps)?)?,
        flags: from_json(&json(&decision.flags)?)?,
        policy: text(&decision.policy).into_owned(),
    })
}

fn answer(row: &DecidedRow, entries: Vec<(EntryId, u64)>) -> RowResult {
    if entries.is_empty() && row.decision.outcome == Outcome::Logged {
        RowResult::AlreadyLogged
    } else {
        RowResult::Written { entries }
    }
}

/// What no row may be, whatever is stored.
fn validate(row: &DecidedRow) -> Done<()> {
    if row.record.is_none() && !row.entries.is_empty() {
        return Err(Fault::Data("entries of a message that is not kept"));
    }
    if row.entries.iter().any(|entry| entry.message != row.message) {
        return Err(Fault::Data("an entry of another message"));
    }
    Ok(())
}

fn event_kind(outcome: &Outcome) -> EventKind {
    match outcome {
        Outcome::Logged => EventKind::Logged,
        Outcome::NotMatched(_) => EventKind::NotMatched,
        Outcome::Excluded(_) => EventKind::Excluded,
        Outcome::Quarantined(_) => EventKind::Quarantined,
    }
}
