//! Which way the mail went: a salesperson's is outbound, else a contact's is inbound.

use super::party::Party;
use super::ranking::{Chosen, choose_contact, choose_salesperson};
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{NotMatched, Stage, Verdict};
use crate::parties::{ContactMatch, SalespersonMatch};

/// The direction, with the side that the author gives.
#[derive(Debug)]
pub(in crate::decision) enum Direction {
    /// A salesperson wrote.
    Outbound(Chosen<SalespersonMatch>),
    /// A contact wrote; whether the author was a salesperson who was not believed.
    Inbound(Chosen<ContactMatch>, bool),
    /// Neither.
    Unknown(NotMatched),
}

/// Finds the direction. A salesperson who is also a contact counts as the salesperson.
pub(in crate::decision) fn check(
    case: &Case<'_>,
    sender: &Party<'_>,
    trusted: bool,
    trace: &mut Trace,
) -> Direction {
    let disbelieved = !trusted && !sender.salespeople.is_empty();
    let salesperson = choose_salesperson(case.policy, &sender.salespeople).filter(|_| trusted);
    let contact = choose_contact(case.policy, &sender.contacts);
    let (rule, detail, direction) = match (salesperson, contact) {
        (Some(chosen), _) => (
            "direction.outbound",
            format!(
                "Outbound: salesperson {} wrote it{}.",
                chosen.found.code,
                chosen.among()
            ),
            Direction::Outbound(chosen),
        ),
        (None, Some(chosen)) => (
            "direction.inbound",
            format!(
                "Inbound: contact {} wrote it{}.",
                chosen.found.no,
                chosen.among()
            ),
            Direction::Inbound(chosen, disbelieved),
        ),
        (None, None) if disbelieved => (
            "direction.not-authentic",
            "Neither way: the salesperson's address was forged.".to_owned(),
            Direction::Unknown(NotMatched::SenderNotAuthentic),
        ),
        (None, None) => (
            "direction.unknown-sender",
            "Neither way: the author is no salesperson and no contact.".to_owned(),
            Direction::Unknown(NotMatched::UnknownSender),
        ),
    };
    let verdict = match direction {
        Direction::Unknown(_) => Verdict::Note,
        _ => Verdict::Pass,
    };
    trace.naming(Stage::Direction, rule, verdict, detail);
    direction
}
