//! Every flag that the log can be asked for.

use std::collections::BTreeSet;

use email_logging::decision::flags;
use email_logging::message::{ItemClass, MessageFlag, Signal};
use email_logging::parties::MatchedBy;
use email_logging::privacy::MARKED_PRIVATE;
use email_logging::store::MESSAGE_ID_CONFLICT;

/// What the decision and the store note.
const NOTED: [&str; 13] = [
    flags::AMBIGUOUS_CONTACT,
    flags::AMBIGUOUS_SALESPERSON,
    flags::INHERITED_ADDRESS,
    flags::INACTIVE_SALESPERSON,
    flags::PRIVACY_BLOCKED,
    flags::DEFAULT_CONTACT,
    flags::DEFAULT_SALESPERSON,
    flags::AUTHENTICITY_UNKNOWN,
    flags::AUTHENTICITY_FAILED,
    flags::ASSIGNED,
    flags::REMATCHED,
    MESSAGE_ID_CONFLICT,
    MARKED_PRIVATE,
];

/// Their codes.
fn all() -> BTreeSet<String> {
    let found = MatchedBy::ALL.iter().flat_map(|by| {
        let code = by.code();
        [
            format!("contact-by-{code}"),
            format!("salesperson-by-{code}"),
        ]
    });
    let signals = Signal::ALL.iter().map(|signal| signal.code());
    let of_mails = MessageFlag::ALL.iter().map(|flag| flag.code());
    let classes = ItemClass::ALL.iter().map(|class| class.code());
    let codes = signals.chain(of_mails).chain(classes).chain(NOTED);
    codes.map(str::to_owned).chain(found).collect()
}

/// A flag that there is.
pub(crate) fn known(text: &str) -> Result<String, String> {
    let all = all();
    if all.contains(text) {
        return Ok(text.to_owned());
    }
    let list: Vec<String> = all.into_iter().collect();
    Err(format!(
        "there is no such flag; the flags are {}",
        list.join(", ")
    ))
}
