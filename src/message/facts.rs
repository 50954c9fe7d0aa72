//! What a mail server says about a mail besides its MIME.

use jiff::Timestamp;

use super::{ItemClass, Sensitivity};

/// One address as the server names it, resolved to SMTP where the source could.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct FactAddress {
    /// The display name.
    pub name: Option<String>,
    /// The address: an addr-spec, or the X.500 text when `exchange` is set.
    pub address: Option<String>,
    /// Whether the address is an Exchange (X.500) address that could not be resolved.
    pub exchange: bool,
}

impl FactAddress {
    /// An SMTP address without a name.
    pub fn smtp(address: impl Into<String>) -> Self {
        Self {
            name: None,
            address: Some(address.into()),
            exchange: false,
        }
    }
}

/// The server's facts about one mail. Everything is optional: servers leave things out.
///
/// MIME is matched first, these second; a disagreement is flagged. Where MIME has no usable address
/// but an Exchange one, the resolved address is taken from here.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MailFacts {
    /// The author (`message:From`).
    pub from: Option<FactAddress>,
    /// Who submitted it (`message:Sender`).
    pub sender: Option<FactAddress>,
    /// The primary recipients.
    pub to: Vec<FactAddress>,
    /// The copied recipients.
    pub cc: Vec<FactAddress>,
    /// The blind recipients, which only the sender's own copy has.
    pub bcc: Vec<FactAddress>,
    /// The subject, which some servers cut at 255 characters.
    pub subject: Option<String>,
    /// The Message-ID as the server gives it, brackets or not.
    pub message_id: Option<String>,
    /// When it was sent.
    pub sent: Option<Timestamp>,
    /// When it was received.
    pub received: Option<Timestamp>,
    /// How private it is.
    pub sensitivity: Option<Sensitivity>,
    /// The kind of item, from the item class.
    pub class: Option<ItemClass>,
    /// A link that opens the mail in the mail system.
    pub web_link: Option<String>,
    /// The server's size of the item in bytes.
    pub size: Option<u64>,
    /// Whether the original came damaged: its bytes are what could be read of it.
    pub damaged: bool,
}
