//! Which recipients stand on the other side, and the pairs they make with the author.

use std::ops::ControlFlow;

use super::direction::Direction;
use super::never_log::Listed;
use super::pairs;
use super::party::Party;
use super::ranking::{Chosen, choose_contact, choose_salesperson};
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{DecidedEntry, Exclusion, NotMatched, Outcome, Stage, Verdict};
use crate::parties::{ContactMatch, MatchedBy, SalespersonMatch};

/// Found pairs are named one by one up to this many; a mail to thousands must not make thousands of steps.
const NAMED_PAIRS: usize = 50;

/// What the match found.
#[derive(Debug)]
pub(in crate::decision) enum Matched {
    /// At least one pair.
    Pairs(Vec<DecidedEntry>),
    /// None, why, and what is known of the author.
    Nobody(NotMatched, Direction),
}

/// Makes a pair of the author with every recipient on the other side.
pub(in crate::decision) fn check(
    case: &Case<'_>,
    direction: Direction,
    recipients: &[Party<'_>],
    trace: &mut Trace,
) -> ControlFlow<Outcome, Matched> {
    let mut listed = Listed::new(case);
    let found = match &direction {
        Direction::Outbound(by) => outbound(case, by, recipients, &mut listed, trace),
        Direction::Inbound(contact, _) => inbound(case, contact, recipients, &mut listed, trace),
        Direction::Unknown(_) => Vec::new(),
    };
    if found.is_empty() && listed.left_nothing(case, &direction, recipients, trace) {
        return ControlFlow::Break(Outcome::Excluded(Exclusion::NeverListed));
    }
    if let Direction::Unknown(reason) = &direction {
        return ControlFlow::Continue(Matched::Nobody(*reason, direction));
    }
    let any = !found.is_empty();
    let allowed = without_blocked(case, found, trace);
    if any && allowed.is_empty() {
        return ControlFlow::Break(Outcome::Excluded(Exclusion::PrivacyBlocked));
    }
    ControlFlow::Continue(if any {
        Matched::Pairs(pairs::settle(case.policy.repeated_recipients, allowed))
    } else {
        let reason = nobody(&direction);
        trace.plain(Stage::Match, "match.nobody", Verdict::Note, words(reason));
        Matched::Nobody(reason, direction)
    })
}

fn outbound(
    case: &Case<'_>,
    salesperson: &Chosen<SalespersonMatch>,
    recipients: &[Party<'_>],
    listed: &mut Listed<'_>,
    trace: &mut Trace,
) -> Vec<DecidedEntry> {
    let code = &salesperson.found.code;
    let own_copy = |to: &Party<'_>| to.salespeople.iter().any(|found| found.code == *code);
    let mut found = Vec::new();
    for to in recipients {
        let Some(contact) = choose_contact(case.policy, &to.contacts) else {
            continue;
        };
        if own_copy(to) && !case.policy.own_copies {
            let detail = format!(
                "{} is the author's own copy and no mail to a contact.",
                to.words()
            );
            trace.naming(Stage::Match, "match.own-copy", Verdict::Note, detail);
            continue;
        }
        if listed.leaves_out(to.address(), code, trace) {
            continue;
        }
        if found.len() < NAMED_PAIRS {
            trace.naming(
                Stage::Match,
                "match.contact",
                Verdict::Match,
                contact_words(to, &contact),
            );
        }
        found.push(pairs::outbound(case, &contact, salesperson));
    }
    beyond(found.len(), trace);
    found
}

fn inbound(
    case: &Case<'_>,
    contact: &Chosen<ContactMatch>,
    recipients: &[Party<'_>],
    listed: &mut Listed<'_>,
    trace: &mut Trace,
) -> Vec<DecidedEntry> {
    let author = case.message.from.first();
    let author = author.and_then(|author| author.address.smtp());
    let mut found = Vec::new();
    for to in recipients {
        let Some(salesperson) = choose_salesperson(case.policy, &to.salespeople) else {
            continue;
        };
        if listed.leaves_out(author, &salesperson.found.code, trace) {
            continue;
        }
        if found.len() < NAMED_PAIRS {
            let detail = salesperson_words(to, &salesperson);
            trace.naming(Stage::Match, "match.salesperson", Verdict::Match, detail);
        }
        found.push(pairs::inbound(case, contact, &salesperson));
    }
    beyond(found.len(), trace);
    found
}

fn beyond(found: usize, trace: &mut Trace) {
    if found > NAMED_PAIRS {
        let detail = format!("{} more matches are not named here.", found - NAMED_PAIRS);
        trace.plain(Stage::Match, "match.more", Verdict::Match, detail);
    }
}

/// Leaves out the contacts who asked not to be processed, where the policy honours that.
fn without_blocked(
    case: &Case<'_>,
    mut found: Vec<DecidedEntry>,
    trace: &mut Trace,
) -> Vec<DecidedEntry> {
    let before = found.len();
    found.retain(|entry| case.policy.privacy_blocked_contacts || !entry.contact.privacy_blocked);
    if found.len() < before {
        let verdict = if found.is_empty() {
            Verdict::Stop
        } else {
            Verdict::Note
        };
        let detail = "A contact asked not to be processed and is left out.";
        trace.plain(Stage::Match, "match.privacy-blocked", verdict, detail);
    }
    found
}

fn nobody(direction: &Direction) -> NotMatched {
    match direction {
        Direction::Outbound(_) => NotMatched::NoContact,
        Direction::Inbound(_, true) => NotMatched::SenderNotAuthentic,
        Direction::Inbound(_, false) => NotMatched::NoSalesperson,
        Direction::Unknown(reason) => *reason,
    }
}

fn words(reason: NotMatched) -> &'static str {
    match reason {
        NotMatched::NoContact => "No recipient is a contact.",
        NotMatched::NoSalesperson => "No recipient is a salesperson.",
        NotMatched::SenderNotAuthentic => {
            "The salesperson's address was forged, and no recipient is a salesperson."
        }
        _ => "Nobody was found.",
    }
}

fn contact_words(to: &Party<'_>, contact: &Chosen<ContactMatch>) -> String {
    let found = &contact.found;
    let how = field_words(found.matched_by);
    let among = contact.among();
    format!(
        "{} is contact {} ({}), found by {how}{among}.",
        to.words(),
        found.no,
        found.name
    )
}

fn salesperson_words(to: &Party<'_>, salesperson: &Chosen<SalespersonMatch>) -> String {
    let found = &salesperson.found;
    let how = field_words(found.matched_by);
    let among = salesperson.among();
    format!(
        "{} is salesperson {} ({}), found by {how}{among}.",
        to.words(),
        found.code,
        found.name
    )
}

fn field_words(matched_by: MatchedBy) -> &'static str {
    match matched_by {
        MatchedBy::Email => "e-mail",
        MatchedBy::EmailList => "one of several addresses in the e-mail field",
        MatchedBy::Email2 => "second e-mail",
        MatchedBy::AlternativeAddress => "alternative address",
        MatchedBy::Alias => "alias",
        MatchedBy::Inherited => "the company's address",
    }
}
