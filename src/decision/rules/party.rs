//! Who stands behind one participant, as the policy and the host's hooks see it.

use std::ops::ControlFlow;

use super::hook;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{HookAnswer, Outcome, PartyRole};
use crate::message::{Address, MailAddress, Mailbox, UnusableAddress};
use crate::parties::{AddressParties, ContactMatch, SalespersonMatch};

/// A participant with the candidates that count.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Party<'a> {
    /// The participant as the mail names it.
    pub(in crate::decision) mailbox: &'a Mailbox,
    /// Who it may be as a salesperson.
    pub(in crate::decision) salespeople: Vec<SalespersonMatch>,
    /// Who it may be as a contact.
    pub(in crate::decision) contacts: Vec<ContactMatch>,
}

impl Party<'_> {
    /// The address that a match may use.
    pub(in crate::decision) fn address(&self) -> Option<&Address> {
        self.mailbox.address.smtp()
    }

    /// How a step names the participant.
    pub(in crate::decision) fn words(&self) -> String {
        words(self.mailbox)
    }

    /// Whether nobody has the address.
    pub(in crate::decision) fn is_unknown(&self) -> bool {
        self.salespeople.is_empty() && self.contacts.is_empty()
    }

    /// Whether the address is in one of the company's domains.
    pub(in crate::decision) fn is_own(&self, case: &Case<'_>) -> bool {
        self.address()
            .is_some_and(|address| case.is_own(address.domain()))
    }
}

/// Asks the hooks and then the directory's answers who a participant is.
pub(super) fn identify<'a>(
    case: &Case<'a>,
    role: PartyRole,
    mailbox: &'a Mailbox,
    trace: &mut Trace,
) -> ControlFlow<Outcome, Party<'a>> {
    let nobody = AddressParties::nobody();
    let known = mailbox
        .address
        .smtp()
        .and_then(|address| case.parties.of(address));
    let answer = known.unwrap_or(&nobody);
    let party = match mailbox.address.smtp() {
        None => counting(case, mailbox, answer),
        Some(address) => match hook::identify(case, role, address, answer, trace)? {
            HookAnswer::Continue => counting(case, mailbox, answer),
            // The host's own word is final: the policy's fields and lengths are about the directory's answers.
            HookAnswer::Handled(given) => Party {
                mailbox,
                salespeople: given.salespeople,
                contacts: given.contacts,
            },
        },
    };
    ControlFlow::Continue(party)
}

/// The candidates that the policy lets count.
fn counting<'a>(case: &Case<'_>, mailbox: &'a Mailbox, answer: &AddressParties) -> Party<'a> {
    let policy = case.policy;
    let address = mailbox.address.smtp();
    let usable =
        address.is_some_and(|address| address.as_str().chars().count() <= policy.longest_address);
    let salespeople = answer.salespeople.iter().filter(|found| {
        usable
            && policy.match_fields.contains(&found.matched_by)
            && (found.active || policy.inactive_salespeople)
    });
    let contacts = answer
        .contacts
        .iter()
        .filter(|found| usable && policy.match_fields.contains(&found.matched_by));
    Party {
        mailbox,
        salespeople: salespeople.cloned().collect(),
        contacts: contacts.cloned().collect(),
    }
}

/// How a step names a participant. Of an address that cannot be used, only why is said.
pub(super) fn words(mailbox: &Mailbox) -> String {
    match &mailbox.address {
        MailAddress::Smtp(address) => address.to_string(),
        MailAddress::Exchange(_) => "an Exchange address that could not be resolved".to_owned(),
        MailAddress::Unusable(reason) => {
            format!("an address that cannot be used ({})", why(*reason))
        }
    }
}

fn why(reason: UnusableAddress) -> &'static str {
    match reason {
        UnusableAddress::NameOnly => "only a name",
        UnusableAddress::Malformed => "not well formed",
        UnusableAddress::EncodedWord => "encoded where that is forbidden",
        UnusableAddress::Invisible => "with invisible characters",
        UnusableAddress::Domain => "with an impossible domain",
        UnusableAddress::TooLong => "too long",
    }
}
