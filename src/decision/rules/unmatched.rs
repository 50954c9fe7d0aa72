//! What becomes of mail in which no salesperson met a contact.

use std::collections::BTreeMap;

use super::Ruling;
use super::direction::Direction;
use super::matching::Matched;
use super::pairs;
use super::party::Party;
use super::ranking::choose_salesperson;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{DecidedEntry, NotMatched, Outcome, Stage, Unmatched, Verdict, flags};
use crate::ids::{ContactNo, SalespersonCode};
use crate::interaction::InformationFlow;
use crate::message::{Address, Authenticity, ItemClass};
use crate::parties::{ContactKind, ContactMatch, NewContact, SalespersonMatch};

/// Everybody whom the mail names.
#[derive(Debug, Clone, Copy)]
pub(in crate::decision) struct People<'a> {
    /// The author.
    pub(in crate::decision) sender: &'a Party<'a>,
    /// The recipients that count.
    pub(in crate::decision) recipients: &'a [Party<'a>],
}

/// Passes pairs on, and treats mail without pairs as the policy says.
pub(in crate::decision) fn check(
    case: &Case<'_>,
    people: People<'_>,
    matched: Matched,
    trace: &mut Trace,
) -> Ruling {
    let (reason, direction) = match matched {
        Matched::Pairs(pairs) => return Ruling::logged(pairs),
        Matched::Nobody(reason, direction) => (reason, direction),
    };
    match &case.policy.unmatched {
        Unmatched::Keep => keep(reason, trace),
        Unmatched::LogAgainst {
            contact,
            salesperson,
        } => {
            let entries = stand_in(
                case,
                people,
                &direction,
                contact.as_ref(),
                salesperson.as_ref(),
            );
            log_against(case, reason, entries, trace)
        }
        Unmatched::CreateContact => create_contacts(case, people, reason, &direction, trace),
    }
}

fn keep(reason: NotMatched, trace: &mut Trace) -> Ruling {
    let detail = "It is recorded with its reason, and not logged.";
    trace.plain(Stage::Unmatched, "unmatched.keep", Verdict::Stop, detail);
    Ruling::ended(Outcome::NotMatched(reason))
}

fn log_against(
    case: &Case<'_>,
    reason: NotMatched,
    entries: Vec<DecidedEntry>,
    trace: &mut Trace,
) -> Ruling {
    if entries.is_empty() || reason == NotMatched::SenderNotAuthentic {
        return keep(reason, trace);
    }
    let detail = "Nobody was found; the policy's default party stands in.";
    trace.plain(
        Stage::Unmatched,
        "unmatched.log-against",
        Verdict::Match,
        detail,
    );
    Ruling::logged(pairs::settle(case.policy.repeated_recipients, entries))
}

/// The pairs that the defaults make with the side that is known.
fn stand_in(
    case: &Case<'_>,
    people: People<'_>,
    direction: &Direction,
    contact: Option<&ContactNo>,
    salesperson: Option<&SalespersonCode>,
) -> Vec<DecidedEntry> {
    match direction {
        Direction::Outbound(known) if any_outsider(case, people.recipients) => {
            let flags = noted(case, flags::DEFAULT_CONTACT, pairs::of_salesperson(known));
            let stand_in = contact.map(default_contact).into_iter();
            let known = &known.found;
            let pair = |contact| {
                pairs::entry(
                    InformationFlow::Outbound,
                    contact,
                    known.clone(),
                    flags.clone(),
                )
            };
            stand_in.map(pair).collect()
        }
        Direction::Inbound(known, _) => {
            let flags = noted(case, flags::DEFAULT_SALESPERSON, pairs::of_contact(known));
            let stand_in = salesperson.map(default_salesperson).into_iter();
            let known = &known.found;
            let pair =
                |by| pairs::entry(InformationFlow::Inbound, known.clone(), by, flags.clone());
            stand_in.map(pair).collect()
        }
        Direction::Unknown(NotMatched::UnknownSender) if !people.sender.is_own(case) => {
            let stand_in = contact.map(default_contact);
            stand_in.map_or_else(Vec::new, |contact| {
                from_stranger(case, people.recipients, &contact)
            })
        }
        _ => Vec::new(),
    }
}

fn from_stranger(
    case: &Case<'_>,
    recipients: &[Party<'_>],
    contact: &ContactMatch,
) -> Vec<DecidedEntry> {
    let known = recipients
        .iter()
        .filter_map(|to| choose_salesperson(case.policy, &to.salespeople));
    let pair = known.map(|known| {
        let flags = noted(case, flags::DEFAULT_CONTACT, pairs::of_salesperson(&known));
        pairs::entry(
            InformationFlow::Inbound,
            contact.clone(),
            known.found,
            flags,
        )
    });
    pair.collect()
}

fn noted(case: &Case<'_>, default: &'static str, of_known: Vec<&'static str>) -> Vec<String> {
    let all = of_known
        .into_iter()
        .chain([default])
        .chain(pairs::of_sender(case));
    all.map(str::to_owned).collect()
}

/// The directory does not say who the default is; its number stands for the name.
fn default_contact(no: &ContactNo) -> ContactMatch {
    ContactMatch::new(no.as_str(), no.as_str(), ContactKind::Company)
}

fn default_salesperson(code: &SalespersonCode) -> SalespersonMatch {
    SalespersonMatch::new(code.as_str(), code.as_str())
}

/// A colleague without a record is no unknown contact.
fn is_outsider(case: &Case<'_>, party: &Party<'_>) -> bool {
    party.is_unknown() && party.address().is_some() && !party.is_own(case)
}

fn any_outsider(case: &Case<'_>, recipients: &[Party<'_>]) -> bool {
    recipients.iter().any(|to| is_outsider(case, to))
}

fn create_contacts(
    case: &Case<'_>,
    people: People<'_>,
    reason: NotMatched,
    direction: &Direction,
    trace: &mut Trace,
) -> Ruling {
    if !is_written_by_a_person(case) {
        let detail = "No contact is created from a mail of a machine, a list or a forged sender.";
        trace.plain(
            Stage::Unmatched,
            "unmatched.no-contact-created",
            Verdict::Note,
            detail,
        );
        return keep(reason, trace);
    }
    let create_contacts = proposals(case, people, direction);
    if create_contacts.is_empty() {
        return keep(reason, trace);
    }
    let detail = format!("{} to be created as contacts first.", create_contacts.len());
    trace.plain(
        Stage::Unmatched,
        "unmatched.create-contact",
        Verdict::Stop,
        detail,
    );
    Ruling {
        create_contacts,
        ..Ruling::ended(Outcome::NotMatched(reason))
    }
}

fn is_written_by_a_person(case: &Case<'_>) -> bool {
    let report = matches!(
        case.message.class,
        ItemClass::DeliveryReport
            | ItemClass::ReadReceipt
            | ItemClass::RecallReport
            | ItemClass::OutOfOffice
    );
    let forged = case.authenticity() == Authenticity::Failed;
    case.message.signals.is_empty() && !report && !forged
}

/// The unknown side of a mail with a salesperson, sorted by address. Of several names the longest is taken, so that the
/// order of recipients decides nothing.
fn proposals(case: &Case<'_>, people: People<'_>, direction: &Direction) -> Vec<NewContact> {
    let reaches_salesperson = people
        .recipients
        .iter()
        .any(|to| !to.salespeople.is_empty());
    let unknown: Vec<&Party<'_>> = match direction {
        Direction::Outbound(_) => people.recipients.iter().collect(),
        Direction::Unknown(NotMatched::UnknownSender) if reaches_salesperson => vec![people.sender],
        _ => Vec::new(),
    };
    let mut named: BTreeMap<&Address, Option<&String>> = BTreeMap::new();
    for party in unknown.into_iter().filter(|party| is_outsider(case, party)) {
        if let Some(address) = party.address() {
            let name = named.entry(address).or_default();
            let both = [*name, party.mailbox.name.as_ref()];
            *name = both
                .into_iter()
                .flatten()
                .max_by_key(|name| (name.len(), *name));
        }
    }
    let contacts = named.into_iter();
    contacts
        .map(|(address, name)| NewContact::new(address.clone(), name.cloned()))
        .collect()
}
