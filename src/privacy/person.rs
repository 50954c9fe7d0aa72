//! Of whom and of which mail a request of privacy speaks.

use jiff::Timestamp;

use crate::error::Result;
use crate::ids::ContactNo;
use crate::message::Address;

/// A person, by addresses, by the number of the contact, or by both.
///
/// A mail is the person's if it names one of the addresses in any role, or has an entry of the contact. A mail that speaks of
/// somebody in its text alone is nobody's: search for it by its words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Person {
    /// Addresses in their normalised form, sorted, each once.
    pub addresses: Vec<String>,
    /// The contact's number.
    pub contact: Option<ContactNo>,
}

impl Person {
    /// The person with this address.
    ///
    /// # Errors
    ///
    /// As parsing an [`Address`] fails: `address.invalid`.
    pub fn at(address: &str) -> Result<Self> {
        Self::default().with_address(address)
    }

    /// The person who is this contact.
    pub fn contact(no: impl Into<ContactNo>) -> Self {
        Self::default().with_contact(no)
    }

    /// The person has this address as well.
    ///
    /// # Errors
    ///
    /// As [`at`](Self::at).
    pub fn with_address(mut self, address: &str) -> Result<Self> {
        let text = address.parse::<Address>()?.as_str().to_owned();
        if let Err(at) = self.addresses.binary_search(&text) {
            self.addresses.insert(at, text);
        }
        Ok(self)
    }

    /// The person is this contact.
    #[must_use]
    pub fn with_contact(mut self, no: impl Into<ContactNo>) -> Self {
        self.contact = Some(no.into());
        self
    }

    /// Whether nobody is meant.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.contact.is_none()
    }
}

/// Which mail is old enough to go. Every field that is set must fit.
///
/// What an open opportunity was made of, what a person holds, and what waits for the host's own log stays, whatever its age.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetentionRule {
    /// Received, or sent, before this time, and every entry dated before it.
    pub before: Timestamp,
    /// Every entry of the mail is of one of these interaction templates. Empty: any, and mail without entries as well.
    pub templates: Vec<String>,
    /// Every entry of the mail is of this company or of a person in it.
    pub company: Option<ContactNo>,
}

impl RetentionRule {
    /// Everything older than this.
    pub fn before(time: Timestamp) -> Self {
        Self {
            before: time,
            templates: Vec::new(),
            company: None,
        }
    }

    /// Only mail that was logged under one of these templates.
    #[must_use]
    pub fn with_templates(mut self, codes: impl IntoIterator<Item = String>) -> Self {
        self.templates = codes.into_iter().collect();
        self
    }

    /// Only mail that was logged for this company.
    #[must_use]
    pub fn with_company(mut self, no: impl Into<ContactNo>) -> Self {
        self.company = Some(no.into());
        self
    }
}

/// Which mail a request of privacy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selection {
    /// All mail of a person.
    Person(Person),
    /// All mail that is old enough.
    Retention(RetentionRule),
}
