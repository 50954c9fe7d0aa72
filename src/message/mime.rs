//! MIME to [`Message`], in one pass over the bytes as they arrive.
//!
//! The only file group that knows the MIME parser. Headers are parsed, the body is only hashed;
//! what needs the parts is left to the second look.

mod address_list;
mod body;
mod calendar;
mod canonical;
mod dates;
mod decode;
mod encoded_words;
mod fields;
mod file_name;
mod headers;
mod ids;
mod journal;
mod keys;
mod kind;
mod merge;
mod original;
mod parts;
mod reader;
mod signals;
mod split;

use super::{CanonicalDigest, MailFacts, Message, MessageContent, MessageLimits};
use crate::error::Result;

pub(super) use keys::update_prefixed;
pub(super) use merge::finish;
pub(crate) use original::{
    Disposition, Original, OriginalPart, PartShape, clean_file_name, markup_to_text,
};
pub use reader::MessageReader;

impl Message {
    /// Reads a whole original that is in memory.
    ///
    /// # Errors
    ///
    /// As [`MessageReader::push`].
    pub fn read(original: &[u8], facts: &MailFacts, limits: &MessageLimits) -> Result<Self> {
        let mut reader = MessageReader::new(limits.clone());
        reader.push(original)?;
        Ok(reader.finish(facts))
    }
}

impl MessageContent {
    /// Reads text and attachments of an original. Never fails: what cannot be read is flagged.
    ///
    /// The text is what a person reads first: plain text where there is some, else HTML without its
    /// markup, at most [`MessageLimits::indexed_text_bytes`]. A mail that is embedded is one
    /// attachment; nothing in it is listed.
    pub fn read(original: &[u8], limits: &MessageLimits) -> Self {
        body::read(original, limits)
    }
}

impl CanonicalDigest {
    /// The digest that two renderings of one mail share.
    ///
    /// It is made of the decoded From, To, Cc, Date, Subject and Message-ID, and of the types and
    /// decoded contents of all leaves: text as UTF-8 with LF and without white space at line ends,
    /// anything else as its bytes.
    pub fn of(original: &[u8], limits: &MessageLimits) -> Self {
        canonical::digest(original, limits)
    }
}
