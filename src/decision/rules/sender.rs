//! Who wrote the mail: `From` (RFC 5322, 3.6.2). `Sender` and `Reply-To` never count.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::party::{self, Party, identify};
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{NotMatched, Outcome, PartyRole, Quarantine, Stage, Verdict};
use crate::message::{Mailbox, MessageFlag};

/// Finds the author, or ends the decision where there is none or more than one.
pub(in crate::decision) fn check<'a>(
    case: &Case<'a>,
    trace: &mut Trace,
) -> ControlFlow<Outcome, Party<'a>> {
    several(case, trace)?;
    let Some(author) = case.message.from.first() else {
        trace.plain(
            Stage::Sender,
            "sender.none",
            Verdict::Stop,
            "The mail names no author.",
        );
        return ControlFlow::Break(Outcome::NotMatched(NotMatched::NoSender));
    };
    on_behalf(case, author, trace);
    let sender = identify(case, PartyRole::Sender, author, trace)?;
    describe(&sender, trace);
    ControlFlow::Continue(sender)
}

/// Several `From` headers or authors are an ambiguity, not a guess, unless the policy takes the first.
fn several(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome> {
    let headers = case
        .message
        .flags
        .contains(&MessageFlag::SeveralFromHeaders);
    if !headers && !differ(case, &case.message.from) {
        return ControlFlow::Continue(());
    }
    let seen = if headers {
        "The mail has several From headers"
    } else {
        "The mail names several authors"
    };
    if case.policy.ambiguous_sender_quarantined {
        let detail = format!("{seen}; a person must say who wrote it.");
        trace.plain(Stage::Sender, "sender.ambiguous", Verdict::Stop, detail);
        return ControlFlow::Break(Outcome::Quarantined(Quarantine::AmbiguousSender));
    }
    let detail = format!("{seen}; the first counts.");
    trace.plain(
        Stage::Sender,
        "sender.first-of-several",
        Verdict::Note,
        detail,
    );
    ControlFlow::Continue(())
}

/// Whether the authors are not one and the same party. Two addresses of one salesperson are one author.
fn differ(case: &Case<'_>, authors: &[Mailbox]) -> bool {
    let Some((first, others)) = authors.split_first() else {
        return false;
    };
    others.iter().any(|other| {
        other.address != first.address && {
            let who = numbers(case, first);
            who.is_empty() || who != numbers(case, other)
        }
    })
}

fn numbers(case: &Case<'_>, mailbox: &Mailbox) -> BTreeSet<(bool, String)> {
    let known = mailbox
        .address
        .smtp()
        .and_then(|address| case.parties.of(address));
    let Some(known) = known else {
        return BTreeSet::new();
    };
    let salespeople = known
        .salespeople
        .iter()
        .map(|found| (true, found.code.to_string()));
    let contacts = known
        .contacts
        .iter()
        .map(|found| (false, found.no.to_string()));
    salespeople.chain(contacts).collect()
}

fn on_behalf(case: &Case<'_>, author: &Mailbox, trace: &mut Trace) {
    let submitter = case.message.sender.as_ref();
    let Some(submitter) = submitter.filter(|by| by.address != author.address) else {
        return;
    };
    let detail = format!(
        "{} sent it on behalf of {}; the author counts, not who sent it.",
        party::words(submitter),
        party::words(author)
    );
    trace.naming(Stage::Sender, "sender.on-behalf", Verdict::Note, detail);
}

fn describe(sender: &Party<'_>, trace: &mut Trace) {
    let (rule, who) = match (sender.salespeople.is_empty(), sender.contacts.is_empty()) {
        (false, false) => (
            "sender.both",
            "belongs to a salesperson who is also a contact",
        ),
        (false, true) => ("sender.salesperson", "belongs to a salesperson"),
        (true, false) => ("sender.contact", "belongs to a contact"),
        (true, true) => ("sender.unknown", "belongs to no salesperson and no contact"),
    };
    let detail = format!("The author, {}, {who}.", sender.words());
    trace.naming(Stage::Sender, rule, Verdict::Pass, detail);
}
