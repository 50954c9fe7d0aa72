//! Which entries and decisions a filter fits.

use std::collections::BTreeSet;

use super::reports::conversation_of;
use super::tables::{DecisionRow, EntryRow, MessageRow, ScopeTables};
use crate::ids::{ContactNo, MessageUid, SalespersonCode};
use crate::store::words::words;
use crate::store::{DecisionFilter, LogFilter};

/// A filter with its words.
pub(super) struct Search<'a> {
    filter: &'a LogFilter,
    /// `None` where the filter has no text.
    words: Option<Vec<String>>,
    /// The mails of the conversation, where the filter names one.
    conversation: Option<BTreeSet<MessageUid>>,
}

impl<'a> Search<'a> {
    pub(super) fn new(filter: &'a LogFilter, tables: &ScopeTables) -> Self {
        let conversation = filter.conversation.as_ref();
        Self {
            filter,
            words: filter.text.as_deref().map(words),
            conversation: conversation.map(|of| conversation_of(tables, of)),
        }
    }

    /// The entries that fit, in no order.
    pub(super) fn entries<'t>(&self, tables: &'t ScopeTables) -> Vec<&'t EntryRow> {
        let messages = tables.messages.values();
        messages
            .flat_map(|message| {
                let mut found: Vec<&EntryRow> = message
                    .entries
                    .iter()
                    .filter_map(|id| tables.entries.get(id))
                    .filter(|row| self.fits(row, message))
                    .collect();
                if !found.is_empty() && !self.fits_text(message) {
                    found.clear();
                }
                found
            })
            .collect()
    }

    /// How many messages the search does not cover yet.
    pub(super) fn not_indexed(&self, tables: &ScopeTables) -> u64 {
        if self.filter.text.is_none() {
            return 0;
        }
        tables
            .messages
            .values()
            .filter(|row| row.is_unindexed())
            .count() as u64
    }

    fn fits(&self, row: &EntryRow, message: &MessageRow) -> bool {
        let filter = self.filter;
        let entry = &row.entry.entry;
        let of_contact = |contact: &ContactNo| entry.contact_no == *contact;
        let of_salesperson = |code: &SalespersonCode| entry.salesperson_code == *code;
        let of_company = |company: &ContactNo| {
            entry.contact_no == *company || entry.contact_company_no.as_ref() == Some(company)
        };
        let flagged = |flag| entry.flags.contains(flag) || message.record.flags.contains(flag);
        let conversation = self.conversation.as_ref();
        let of_conversation = conversation.is_none_or(|mails| mails.contains(&entry.message));
        filter.entry_no.is_none_or(|no| row.entry.entry_no == no)
            && filter.contact.as_ref().is_none_or(of_contact)
            && filter.company.as_ref().is_none_or(of_company)
            && filter.salesperson.as_ref().is_none_or(of_salesperson)
            && filter
                .flow
                .is_none_or(|flow| flow == entry.information_flow)
            && filter.since.is_none_or(|since| entry.date >= since)
            && filter.until.is_none_or(|until| entry.date < until)
            && filter.flag.as_ref().is_none_or(flagged)
            && (filter.opportunity.is_none() || filter.opportunity == row.entry.opportunity_no)
            && (filter.evaluation.is_none() || filter.evaluation == row.entry.evaluation)
            && of_conversation
            && (filter.canceled || !row.entry.canceled)
    }

    /// Every word must occur; the last may be the beginning of one. A text without words fits nothing.
    fn fits_text(&self, message: &MessageRow) -> bool {
        let Some(words) = &self.words else {
            return true;
        };
        let Some((last, whole)) = words.split_last() else {
            return false;
        };
        let found = message_words(message);
        whole.iter().all(|word| found.contains(word))
            && found.iter().any(|word| word.starts_with(last.as_str()))
    }
}

impl MessageRow {
    /// Whether the second stage has still to read its original.
    pub(super) fn is_unindexed(&self) -> bool {
        self.original.is_some() && self.content.is_none()
    }
}

fn message_words(message: &MessageRow) -> Vec<String> {
    let named = message.record.participants.iter();
    let named = named.flat_map(|named| [Some(named.address.as_str()), named.name.as_deref()]);
    let body = message
        .content
        .as_ref()
        .and_then(|content| content.text.as_deref());
    named
        .chain([Some(message.record.subject.as_str()), body])
        .flatten()
        .flat_map(words)
        .collect()
}

/// Whether a decision fits.
pub(super) fn fits_decision(filter: &DecisionFilter, row: &DecisionRow) -> bool {
    let record = &row.record;
    let of_sighting =
        |(mailbox, key): &(_, _)| *mailbox == record.mailbox && *key == record.sighting;
    let logged = matches!(record.outcome.as_str(), "logged" | "already-logged");
    filter.sighting.as_ref().is_none_or(of_sighting)
        && (filter.message.is_none() || filter.message == record.message)
        && filter
            .outcome
            .as_ref()
            .is_none_or(|outcome| *outcome == record.outcome)
        && !(filter.not_logged && logged)
}
