//! How much of an original is shown.

use crate::message::MessageLimits;

/// The limits of a view. What lies beyond them stays in the original.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ViewLimits {
    /// The limits of taking a mail apart.
    pub message: MessageLimits,
    /// Bytes of the text view; default 1 MiB.
    pub text_bytes: usize,
    /// Bytes of HTML that are looked at; default 2 MiB.
    pub html_bytes: usize,
    /// Bytes of one picture that is shown inside the HTML; default 4 MiB.
    pub picture_bytes: usize,
    /// Bytes of all pictures inside the HTML, each as often as it is shown; default 12 MiB.
    pub pictures_bytes: usize,
    /// Number of attachments that are listed; default 1,000.
    pub attachments: usize,
    /// Characters of one header that are shown; default 4,096.
    pub header_characters: usize,
    /// People of one header that are shown; default 1,000.
    pub people: usize,
}

impl Default for ViewLimits {
    fn default() -> Self {
        Self {
            message: MessageLimits::default(),
            text_bytes: 1 << 20,
            html_bytes: 2 << 20,
            picture_bytes: 4 << 20,
            pictures_bytes: 12 << 20,
            attachments: 1_000,
            header_characters: 4_096,
            people: 1_000,
        }
    }
}
