//! The records of a directory in memory, as a file of settings holds them.

use std::collections::BTreeSet;

use crate::ids::{ContactNo, SalespersonCode};
use crate::parties::ContactKind;

/// One salesperson of a [`MemoryDirectory`](super::MemoryDirectory).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct SalespersonRecord {
    /// The code.
    pub code: SalespersonCode,
    /// The name.
    pub name: String,
    /// The e-mail; several are separated by `;`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub email: String,
    /// Further addresses.
    #[cfg_attr(feature = "serde", serde(default))]
    pub aliases: Vec<String>,
    /// Whether the salesperson is active; default true.
    #[cfg_attr(feature = "serde", serde(default = "yes"))]
    pub active: bool,
}

impl SalespersonRecord {
    /// An active salesperson with one e-mail.
    pub fn new(
        code: impl Into<SalespersonCode>,
        name: impl Into<String>,
        email: impl Into<String>,
    ) -> Self {
        Self {
            code: code.into(),
            name: name.into(),
            email: email.into(),
            aliases: Vec::new(),
            active: true,
        }
    }

    /// Adds a further address.
    #[must_use]
    pub fn with_alias(mut self, address: impl Into<String>) -> Self {
        self.aliases.push(address.into());
        self
    }

    /// Says whether the salesperson is active.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.active = active;
        self
    }
}

/// One contact of a [`MemoryDirectory`](super::MemoryDirectory).
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ContactRecord {
    /// The number.
    pub no: ContactNo,
    /// The name.
    pub name: String,
    /// Person or company.
    pub kind: ContactKind,
    /// The company that a person belongs to.
    #[cfg_attr(feature = "serde", serde(default))]
    pub company: Option<ContactNo>,
    /// The e-mail; several are separated by `;`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub email: String,
    /// Whether the e-mail is the company's. Where the field is empty, the company's is taken.
    #[cfg_attr(feature = "serde", serde(default))]
    pub inherited: bool,
    /// The second e-mail; several are separated by `;`.
    #[cfg_attr(feature = "serde", serde(default))]
    pub email2: Option<String>,
    /// The alternative addresses.
    #[cfg_attr(feature = "serde", serde(default, rename = "alternative"))]
    pub alternatives: Vec<AlternativeAddress>,
    /// The language code.
    #[cfg_attr(feature = "serde", serde(default))]
    pub language: Option<String>,
    /// Whether the contact asked not to be processed.
    #[cfg_attr(feature = "serde", serde(default))]
    pub privacy_blocked: bool,
}

impl ContactRecord {
    /// A contact without addresses.
    pub fn new(no: impl Into<ContactNo>, name: impl Into<String>, kind: ContactKind) -> Self {
        Self {
            no: no.into(),
            name: name.into(),
            kind,
            company: None,
            email: String::new(),
            inherited: false,
            email2: None,
            alternatives: Vec::new(),
            language: None,
            privacy_blocked: false,
        }
    }

    /// Sets the e-mail; several addresses are separated by `;`.
    #[must_use]
    pub fn with_email(mut self, email: impl Into<String>) -> Self {
        self.email = email.into();
        self
    }

    /// Sets the second e-mail.
    #[must_use]
    pub fn with_email2(mut self, email: impl Into<String>) -> Self {
        self.email2 = Some(email.into());
        self
    }

    /// Says which company the person belongs to.
    #[must_use]
    pub fn with_company(mut self, company: impl Into<ContactNo>) -> Self {
        self.company = Some(company.into());
        self
    }

    /// Says whether the e-mail is the company's.
    #[must_use]
    pub fn with_inherited(mut self, inherited: bool) -> Self {
        self.inherited = inherited;
        self
    }

    /// Adds an alternative address.
    #[must_use]
    pub fn with_alternative(mut self, code: impl Into<String>, email: impl Into<String>) -> Self {
        self.alternatives.push(AlternativeAddress {
            code: code.into(),
            email: email.into(),
        });
        self
    }

    /// Says which language the contact reads.
    #[must_use]
    pub fn with_language(mut self, code: impl Into<String>) -> Self {
        self.language = Some(code.into());
        self
    }

    /// Says whether the contact asked not to be processed.
    #[must_use]
    pub fn with_privacy_blocked(mut self, blocked: bool) -> Self {
        self.privacy_blocked = blocked;
        self
    }

    /// The company that the contact belongs to; a company names itself.
    pub(super) fn company_no(&self) -> Option<ContactNo> {
        match self.kind {
            ContactKind::Company => Some(self.no.clone()),
            ContactKind::Person => self.company.clone(),
        }
    }
}

/// An alternative address of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct AlternativeAddress {
    /// The code, such as `HOME`.
    pub code: String,
    /// The e-mail.
    pub email: String,
}

/// Everything that a directory in memory is made of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct DirectoryRecords {
    /// The company's own domains.
    pub own_domains: BTreeSet<String>,
    /// The salespeople.
    pub salesperson: Vec<SalespersonRecord>,
    /// The contacts.
    pub contact: Vec<ContactRecord>,
}

#[cfg(feature = "serde")]
fn yes() -> bool {
    true
}
