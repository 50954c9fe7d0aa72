//! Participants who are never logged: left out, and the mail is logged for the others.

use super::direction::Direction;
use super::party::Party;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{NeverLog, NotMatched, Stage, Verdict};
use crate::ids::SalespersonCode;
use crate::message::Address;

/// The lists at work on one mail, with how many pairs they left out.
#[derive(Debug)]
pub(super) struct Listed<'a> {
    lists: &'a NeverLog,
    left_out: usize,
}

impl<'a> Listed<'a> {
    pub(super) fn new(case: &Case<'a>) -> Self {
        Self {
            lists: case.never_log,
            left_out: 0,
        }
    }

    /// Whether the entry of this salesperson with the party at this address is left out; if so, a step names the rule and
    /// not the address.
    pub(super) fn leaves_out(
        &mut self,
        address: Option<&Address>,
        salesperson: &SalespersonCode,
        trace: &mut Trace,
    ) -> bool {
        let Some(rule) = address.and_then(|address| self.rule(address, salesperson)) else {
            return false;
        };
        if self.left_out == 0 {
            let detail = "A participant is on a never-log list and is left out.";
            trace.plain(Stage::Match, rule, Verdict::Note, detail);
        }
        self.left_out += 1;
        true
    }

    /// Whether the lists are why no pair is left: they left one out, or nobody else was there.
    pub(super) fn left_nothing(
        &self,
        case: &Case<'_>,
        direction: &Direction,
        recipients: &[Party<'_>],
        trace: &mut Trace,
    ) -> bool {
        let nothing = self.left_out > 0
            || match direction {
                Direction::Outbound(_) => {
                    !recipients.is_empty() && recipients.iter().all(|to| self.is_of_all(to))
                }
                Direction::Unknown(NotMatched::UnknownSender) => {
                    let sender = case.message.from.first();
                    let sender = sender.and_then(|author| author.address.smtp());
                    sender.is_some_and(|author| self.lists.for_everybody(author).is_some())
                }
                _ => false,
            };
        if nothing {
            let detail = "Nobody is left who may be logged.";
            trace.plain(Stage::Match, "never-log.nobody-left", Verdict::Stop, detail);
        }
        nothing
    }

    fn is_of_all(&self, party: &Party<'_>) -> bool {
        let address = party.address();
        address.is_some_and(|address| self.lists.for_everybody(address).is_some())
    }

    fn rule(&self, address: &Address, salesperson: &SalespersonCode) -> Option<String> {
        if let Some(kind) = self.lists.for_everybody(address) {
            return Some(format!("never-log.organisation-{kind}"));
        }
        let kind = self.lists.for_salesperson(salesperson, address)?;
        Some(format!("never-log.salesperson-{kind}"))
    }
}
