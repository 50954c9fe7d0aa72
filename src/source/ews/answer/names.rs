//! The SMTP address in a ResolveNames answer.

use std::collections::BTreeSet;

use super::super::soap::{Node, Ns, Tree};
use super::facts::fact_address;

/// The one SMTP address that the resolutions agree on; nothing where they differ.
pub(in crate::source::ews) fn resolved_address(tree: &Tree) -> Option<String> {
    let set = tree.root()?.child(Ns::Messages, "ResolutionSet")?;
    let resolutions = set
        .children()
        .filter(|node| node.is(Ns::Types, "Resolution"));
    let found: BTreeSet<String> = resolutions.filter_map(smtp_of).collect();
    let mut found = found.into_iter();
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

fn smtp_of(resolution: Node<'_>) -> Option<String> {
    let mailbox = resolution.child(Ns::Types, "Mailbox").map(fact_address);
    let direct = mailbox
        .filter(|mailbox| !mailbox.exchange)
        .and_then(|mailbox| mailbox.address);
    let direct = direct.filter(|address| address.contains('@'));
    direct
        .or_else(|| primary_of(resolution))
        .map(|address| address.to_ascii_lowercase())
}

/// The primary address of the contact: the entry that starts with `SMTP:` in capitals.
fn primary_of(resolution: Node<'_>) -> Option<String> {
    let contact = resolution.child(Ns::Types, "Contact")?;
    let entries = contact.child(Ns::Types, "EmailAddresses")?.children();
    entries
        .filter_map(|entry| entry.text().strip_prefix("SMTP:"))
        .map(str::to_owned)
        .next()
}
