//! The second look at a mail: its text and its attachments, for search and for people.

/// One attachment, described; its bytes stay in the original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Attachment {
    /// A clean file name: no path, no control characters, at most 255 bytes.
    pub name: String,
    /// The media type in lower case, such as `application/pdf`.
    pub media_type: String,
    /// Bytes after decoding.
    pub size: u64,
    /// The Content-ID without brackets, for pictures inside HTML.
    pub content_id: Option<String>,
    /// Whether it is meant to be shown inside the text.
    pub inline: bool,
}

/// The text and the attachments of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MessageContent {
    /// The readable text: the text part, else the HTML part without its markup.
    pub text: Option<String>,
    /// The attachments in the order of the original.
    pub attachments: Vec<Attachment>,
    /// What was odd, sorted, each once.
    pub flags: Vec<super::MessageFlag>,
}
