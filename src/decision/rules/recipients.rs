//! Who the mail was sent to, as far as the policy lets it count.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::party::{Party, identify};
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{NotMatched, Outcome, PartyRole, Stage, Verdict};
use crate::message::{Address, Mailbox, Message};

/// Finds the recipients, repetitions kept, or ends the decision where none counts.
pub(in crate::decision) fn check<'a>(
    case: &Case<'a>,
    trace: &mut Trace,
) -> ControlFlow<Outcome, Vec<Party<'a>>> {
    let counted: Vec<&Mailbox> = counted(case).collect();
    if counted.is_empty() {
        let detail = format!("No recipient stands in {}.", fields(case));
        trace.plain(Stage::Recipients, "recipients.none", Verdict::Stop, detail);
        return ControlFlow::Break(Outcome::NotMatched(NotMatched::NoRecipients));
    }
    let detail = match counted.len() {
        1 => format!("One recipient counts, out of {}.", fields(case)),
        several => format!("{several} recipients count, out of {}.", fields(case)),
    };
    trace.plain(
        Stage::Recipients,
        "recipients.counted",
        Verdict::Pass,
        detail,
    );
    identify_all(case, counted, trace)
}

/// Every recipient that the mail names, whatever the policy counts.
pub(super) fn named(message: &Message) -> impl Iterator<Item = &Mailbox> {
    message.to.iter().chain(&message.cc).chain(&message.bcc)
}

fn counted<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a Mailbox> {
    let message = case.message;
    let cc = message.cc.iter().filter(|_| case.policy.cc);
    let bcc = message.bcc.iter().filter(|_| case.policy.bcc);
    message.to.iter().chain(cc).chain(bcc)
}

/// Asks once per address, so that a hook sees each recipient once.
fn identify_all<'a>(
    case: &Case<'a>,
    counted: Vec<&'a Mailbox>,
    trace: &mut Trace,
) -> ControlFlow<Outcome, Vec<Party<'a>>> {
    let mut found: Vec<Party<'a>> = Vec::with_capacity(counted.len());
    let mut seen: BTreeMap<&Address, Party<'a>> = BTreeMap::new();
    for mailbox in counted {
        let known = mailbox.address.smtp().and_then(|address| seen.get(address));
        let party = match known {
            Some(known) => Party {
                mailbox,
                ..known.clone()
            },
            None => identify(case, PartyRole::Recipient, mailbox, trace)?,
        };
        if let Some(address) = mailbox.address.smtp() {
            seen.entry(address).or_insert_with(|| party.clone());
        }
        found.push(party);
    }
    ControlFlow::Continue(found)
}

fn fields(case: &Case<'_>) -> &'static str {
    match (case.policy.cc, case.policy.bcc) {
        (true, true) => "To, Cc and Bcc",
        (true, false) => "To and Cc",
        (false, true) => "To and Bcc",
        (false, false) => "To",
    }
}
