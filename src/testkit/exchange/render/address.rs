//! Mail addresses as Mailbox elements.

use crate::testkit::exchange::store::facts::MailAddress;
use crate::testkit::exchange::writer::XmlWriter;

/// Writes a recipient list; an empty one is left out, as Exchange does.
pub(crate) fn recipients(w: &mut XmlWriter, name: &str, all: &[MailAddress]) {
    if !all.is_empty() {
        w.nest(name, &[], |w| all.iter().for_each(|one| mailbox(w, one)));
    }
}

/// Writes a single recipient with all that is known.
pub(crate) fn single(w: &mut XmlWriter, name: &str, one: Option<&MailAddress>) {
    if let Some(one) = one {
        w.nest(name, &[], |w| mailbox(w, one));
    }
}

/// Writes a single recipient as FindItem does: the name alone.
pub(crate) fn single_name(w: &mut XmlWriter, name: &str, one: Option<&MailAddress>) {
    if let Some(one) = one {
        w.nest(name, &[], |w| {
            w.nest("t:Mailbox", &[], |w| w.text("t:Name", &one.name));
        });
    }
}

fn mailbox(w: &mut XmlWriter, one: &MailAddress) {
    w.nest("t:Mailbox", &[], |w| {
        w.text("t:Name", &one.name);
        if !one.address.is_empty() {
            w.text("t:EmailAddress", &one.address);
            w.text("t:RoutingType", one.routing);
        }
        w.text(
            "t:MailboxType",
            if one.routing == "EX" {
                "Mailbox"
            } else {
                "OneOff"
            },
        );
    });
}

/// The names of recipients as in DisplayTo.
pub(crate) fn display(all: &[MailAddress]) -> String {
    all.iter()
        .map(|one| one.name.as_str())
        .collect::<Vec<_>>()
        .join("; ")
}
