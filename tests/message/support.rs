//! What the tests of this file group share.

use email_logging::message::{
    MailAddress, MailFacts, Mailbox, Message, MessageContent, MessageLimits, MessageReader,
};

/// Reads a mail in chunks of this size.
pub(crate) fn read_in_chunks(mail: &[u8], size: usize) -> Result<Message, &'static str> {
    let mut reader = MessageReader::new(MessageLimits::default());
    for chunk in mail.chunks(size) {
        reader.push(chunk).map_err(|error| error.code())?;
    }
    Ok(reader.finish(&MailFacts::default()))
}

/// Reads a mail without facts.
pub(crate) fn read(mail: impl AsRef<[u8]>) -> Message {
    Message::read(
        mail.as_ref(),
        &MailFacts::default(),
        &MessageLimits::default(),
    )
    .unwrap()
}

pub(crate) fn content(mail: impl AsRef<[u8]>) -> MessageContent {
    MessageContent::read(mail.as_ref(), &MessageLimits::default())
}

/// The addresses of a list, each in a word: an unusable one as `!Reason`, an Exchange one as
/// `EX:name`.
pub(crate) fn addresses(list: &[Mailbox]) -> String {
    let shown = list.iter().map(|mailbox| match &mailbox.address {
        MailAddress::Smtp(address) => address.to_string(),
        MailAddress::Exchange(name) => format!("EX:{name}"),
        MailAddress::Unusable(reason) => format!("!{reason:?}"),
        _ => unreachable!("three kinds of address"),
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// The display names of a list.
pub(crate) fn names(list: &[Mailbox]) -> Vec<&str> {
    list.iter()
        .map(|mailbox| mailbox.name.as_deref().unwrap_or_default())
        .collect()
}

/// The codes of signals or flags.
macro_rules! codes {
    ($list:expr) => {
        $list
            .iter()
            .map(|value| value.code())
            .collect::<Vec<_>>()
            .join(" ")
    };
}
pub(crate) use codes;
