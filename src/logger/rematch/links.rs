//! The automatic links of a mail that is logged, against today's directory.

use std::collections::BTreeSet;

use crate::decision::{Decision, Outcome};
use crate::ids::ContactNo;
use crate::interaction::NewEntry;
use crate::logger::deliver::deliver;
use crate::logger::parts::Parts;
use crate::logger::pipeline::StepError;
use crate::logger::prepare::entries;
use crate::logger::record;
use crate::logger::resolve::resolve_addresses;
use crate::message::Message;
use crate::parties::Parties;
use crate::store::{CommitBatch, LinkChange, LinkResult, LoggedMail};

use super::{Rematch, is_assigned, rematching};

/// Why a link is withdrawn or added, by code.
const RULE: &str = "contact-changed";

impl Rematch<'_> {
    /// Adds, restores and withdraws.
    pub(super) async fn relink(&mut self, mail: &LoggedMail) -> Result<(), StepError> {
        let message = record::read_back(&mail.record);
        let (decision, parties) = decide(self.parts, &message).await?;
        let Some(change) = self.change(mail, &message, &decision, &parties) else {
            self.report.failed += 1;
            return Ok(());
        };
        let Some(held) = &self.lease else {
            let would = preview(mail, &change);
            self.count_links(&would);
            return Ok(());
        };
        let parts = self.parts;
        let lease = held.lease.clone();
        let changed = self.queue.relink(&parts.scope, &lease, &change).await;
        let changed = changed.map_err(rematching)?;
        self.count_links(&changed);
        if !changed.added.is_empty() && parts.sink.is_some() {
            self.hand_over(mail, &changed).await?;
        }
        Ok(())
    }

    /// What has to change; `None` where a hook of the host failed.
    fn change(
        &self,
        mail: &LoggedMail,
        message: &Message,
        decision: &Decision,
        parties: &Parties,
    ) -> Option<LinkChange> {
        let mut change = LinkChange::new(mail.message, RULE);
        change.deliver = self.parts.sink.is_some();
        if let Outcome::Logged = decision.outcome {
            change.add = entries(self.parts, mail.message, message, decision).ok()?;
        } else if matches!(decision.outcome, Outcome::Quarantined(_)) {
            return None;
        }
        for entry in &mut change.add {
            super::item::note(entry, crate::decision::flags::REMATCHED);
        }
        if self.options.withdraw {
            let known = contacts(message, parties);
            let gone = mail.entries.iter().filter(|row| {
                let entry = &row.entry;
                let holds = change.add.iter().any(|wanted| wanted.id == entry.id);
                let taken = !known.contains(&entry.contact_no);
                let kept = is_assigned(&entry.flags) || row.is_worked_with();
                taken && !holds && !row.canceled && !kept
            });
            change.withdraw = gone.map(|row| row.entry.id).collect();
        }
        Some(change)
    }

    /// Hands new entries to the host's own log; what it refuses waits for the next run.
    async fn hand_over(
        &mut self,
        mail: &LoggedMail,
        changed: &LinkResult,
    ) -> Result<(), StepError> {
        let parts = self.parts;
        let stored = parts.log.mail(&parts.scope, &mail.message).await;
        let mut stored = stored.map_err(rematching)?;
        let is_new = |id| changed.added.iter().any(|(added, _)| *added == id);
        stored.entries.retain(|row| is_new(row.entry.id));
        let delivered = deliver(parts, &mail.message, &stored.record, &stored.entries).await;
        let (Ok(deliveries), Some(held)) = (delivered, &self.lease) else {
            return Ok(());
        };
        let batch = CommitBatch {
            deliveries,
            ..CommitBatch::default()
        };
        let committed = parts.ledger.commit(&parts.scope, &held.lease, batch).await;
        committed.map_err(rematching)?;
        Ok(())
    }
}

/// Decides by today's directory and policy.
pub(super) async fn decide(
    parts: &Parts,
    message: &Message,
) -> Result<(Decision, Parties), StepError> {
    let parties = resolve_addresses(parts, &message.addresses()).await?;
    Ok((parts.decide(message, &parties, &parts.policy), parties))
}

/// Every contact who has an address that the mail names.
fn contacts(message: &Message, parties: &Parties) -> BTreeSet<ContactNo> {
    let addresses = message.addresses();
    let found = addresses.iter().filter_map(|address| parties.of(address));
    let contacts = found.flat_map(|found| &found.contacts);
    contacts.map(|contact| contact.no.clone()).collect()
}

/// What a change would do. That an entry was withdrawn by a match and not by a person, only the store knows, so that
/// nothing is said about what would be restored.
fn preview(mail: &LoggedMail, change: &LinkChange) -> LinkResult {
    let there = |wanted: &&NewEntry| mail.entries.iter().any(|row| row.entry.id == wanted.id);
    let new = change.add.iter().filter(|wanted| !there(wanted));
    LinkResult {
        added: new.map(|entry| (entry.id, 0)).collect(),
        restored: Vec::new(),
        withdrawn: change.withdraw.clone(),
    }
}
