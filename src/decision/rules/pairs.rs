//! The entries that pairs make, with what is noted about each, and what a repetition makes.

use std::collections::BTreeMap;

use super::ranking::Chosen;
use crate::decision::case::Case;
use crate::decision::{DecidedEntry, RepeatedRecipients, flags};
use crate::ids::{ContactNo, SalespersonCode};
use crate::interaction::InformationFlow;
use crate::message::Authenticity;
use crate::parties::{ContactMatch, MatchedBy, SalespersonMatch};

/// A pair of mail that a salesperson wrote.
pub(super) fn outbound(
    case: &Case<'_>,
    contact: &Chosen<ContactMatch>,
    salesperson: &Chosen<SalespersonMatch>,
) -> DecidedEntry {
    pair(case, InformationFlow::Outbound, contact, salesperson)
}

/// A pair of mail that a contact wrote.
pub(super) fn inbound(
    case: &Case<'_>,
    contact: &Chosen<ContactMatch>,
    salesperson: &Chosen<SalespersonMatch>,
) -> DecidedEntry {
    pair(case, InformationFlow::Inbound, contact, salesperson)
}

fn pair(
    case: &Case<'_>,
    flow: InformationFlow,
    contact: &Chosen<ContactMatch>,
    salesperson: &Chosen<SalespersonMatch>,
) -> DecidedEntry {
    let noted = of_contact(contact)
        .into_iter()
        .chain(of_salesperson(salesperson))
        .chain(of_sender(case));
    let flags = noted.map(str::to_owned);
    entry(
        flow,
        contact.found.clone(),
        salesperson.found.clone(),
        flags,
    )
}

/// A pair in which one side stands in for somebody whom nobody knows.
pub(super) fn entry(
    flow: InformationFlow,
    contact: ContactMatch,
    salesperson: SalespersonMatch,
    flags: impl IntoIterator<Item = String>,
) -> DecidedEntry {
    let mut entry = DecidedEntry::new(flow, contact, salesperson);
    entry.flags = flags.into_iter().collect();
    entry.flags.sort_unstable();
    entry.flags.dedup();
    entry
}

/// What is noted about how a contact was found.
pub(super) fn of_contact(contact: &Chosen<ContactMatch>) -> Vec<&'static str> {
    let noted = [
        (contact.is_ambiguous(), flags::AMBIGUOUS_CONTACT),
        (
            contact.found.matched_by == MatchedBy::Inherited,
            flags::INHERITED_ADDRESS,
        ),
        (contact.found.privacy_blocked, flags::PRIVACY_BLOCKED),
    ];
    noted
        .into_iter()
        .filter_map(|(is, flag)| is.then_some(flag))
        .collect()
}

/// What is noted about how a salesperson was found.
pub(super) fn of_salesperson(salesperson: &Chosen<SalespersonMatch>) -> Vec<&'static str> {
    let noted = [
        (salesperson.is_ambiguous(), flags::AMBIGUOUS_SALESPERSON),
        (!salesperson.found.active, flags::INACTIVE_SALESPERSON),
    ];
    noted
        .into_iter()
        .filter_map(|(is, flag)| is.then_some(flag))
        .collect()
}

/// What is noted about whether the author is genuine.
pub(super) fn of_sender(case: &Case<'_>) -> Option<&'static str> {
    match case.authenticity() {
        Authenticity::Unknown => Some(flags::AUTHENTICITY_UNKNOWN),
        Authenticity::Failed => Some(flags::AUTHENTICITY_FAILED),
        Authenticity::Internal | Authenticity::Passed => None,
    }
}

/// Makes one entry per pair, or numbers the repetitions, in the order of first mention.
///
/// Within a pair the surest way of having found it comes first, so that the order of recipients decides nothing.
pub(super) fn settle(rule: RepeatedRecipients, found: Vec<DecidedEntry>) -> Vec<DecidedEntry> {
    let mut groups: Vec<Vec<DecidedEntry>> = Vec::new();
    let mut places: BTreeMap<(ContactNo, SalespersonCode), usize> = BTreeMap::new();
    for entry in found {
        let key = (entry.contact.no.clone(), entry.salesperson.code.clone());
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(entry),
            None => groups.push(vec![entry]),
        }
    }
    groups
        .into_iter()
        .flat_map(|group| number(rule, group))
        .collect()
}

fn number(rule: RepeatedRecipients, mut group: Vec<DecidedEntry>) -> Vec<DecidedEntry> {
    group.sort_by_key(surest_first);
    if rule == RepeatedRecipients::Once {
        group.truncate(1);
    }
    for (occurrence, entry) in (0..).zip(&mut group) {
        entry.occurrence = occurrence;
    }
    group
}

fn surest_first(entry: &DecidedEntry) -> impl Ord + use<> {
    let ambiguous =
        |flag: &String| flag == flags::AMBIGUOUS_CONTACT || flag == flags::AMBIGUOUS_SALESPERSON;
    (
        entry.flags.iter().filter(|flag| ambiguous(flag)).count(),
        entry.contact.matched_by,
        entry.salesperson.matched_by,
        entry.contact.alt_address_code.clone(),
    )
}
