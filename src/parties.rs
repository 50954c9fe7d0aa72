//! What a directory says about one address. Pure data that the decision reads.

use std::collections::BTreeMap;

use crate::ids::{ContactNo, SalespersonCode};
use crate::message::{Address, codes};

/// Everyone whom one address may belong to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct AddressParties {
    /// The salespeople with this address, in a stable order.
    pub salespeople: Vec<SalespersonMatch>,
    /// The contacts with this address, in a stable order.
    pub contacts: Vec<ContactMatch>,
}

impl AddressParties {
    /// Nobody.
    pub fn nobody() -> Self {
        Self::default()
    }

    /// Whether nobody has the address.
    pub fn is_empty(&self) -> bool {
        self.salespeople.is_empty() && self.contacts.is_empty()
    }

    /// Adds a salesperson.
    #[must_use]
    pub fn with_salesperson(mut self, found: SalespersonMatch) -> Self {
        self.salespeople.push(found);
        self
    }

    /// Adds a contact.
    #[must_use]
    pub fn with_contact(mut self, found: ContactMatch) -> Self {
        self.contacts.push(found);
        self
    }
}

/// A salesperson whom an address may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct SalespersonMatch {
    /// The code.
    pub code: SalespersonCode,
    /// The name, for views.
    pub name: String,
    /// Which field matched.
    pub matched_by: MatchedBy,
    /// Whether the salesperson is active (not blocked).
    pub active: bool,
}

impl SalespersonMatch {
    /// An active salesperson whose e-mail matched.
    pub fn new(code: impl Into<SalespersonCode>, name: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            name: name.into(),
            matched_by: MatchedBy::Email,
            active: true,
        }
    }

    /// Says which field matched.
    #[must_use]
    pub fn with_matched_by(mut self, matched_by: MatchedBy) -> Self {
        self.matched_by = matched_by;
        self
    }

    /// Says whether the salesperson is active.
    #[must_use]
    pub fn with_active(mut self, active: bool) -> Self {
        self.active = active;
        self
    }
}

/// A contact whom an address may belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct ContactMatch {
    /// The number.
    pub no: ContactNo,
    /// The name, for views.
    pub name: String,
    /// Person or company.
    pub kind: ContactKind,
    /// The company that the contact belongs to; a company names itself.
    pub company_no: Option<ContactNo>,
    /// Which field matched.
    pub matched_by: MatchedBy,
    /// The code of the alternative address that matched.
    pub alt_address_code: Option<String>,
    /// The language code.
    pub language_code: Option<String>,
    /// Whether the contact asked not to be processed.
    pub privacy_blocked: bool,
}

impl ContactMatch {
    /// A contact whose e-mail matched.
    pub fn new(no: impl Into<ContactNo>, name: impl Into<String>, kind: ContactKind) -> Self {
        Self {
            no: no.into(),
            name: name.into(),
            kind,
            company_no: None,
            matched_by: MatchedBy::Email,
            alt_address_code: None,
            language_code: None,
            privacy_blocked: false,
        }
    }

    /// Says which company the contact belongs to.
    #[must_use]
    pub fn with_company(mut self, company: impl Into<ContactNo>) -> Self {
        self.company_no = Some(company.into());
        self
    }

    /// Says which field matched.
    #[must_use]
    pub fn with_matched_by(mut self, matched_by: MatchedBy) -> Self {
        self.matched_by = matched_by;
        self
    }

    /// Says which alternative address matched.
    #[must_use]
    pub fn with_alt_address(mut self, code: impl Into<String>) -> Self {
        self.matched_by = MatchedBy::AlternativeAddress;
        self.alt_address_code = Some(code.into());
        self
    }

    /// Says which language the contact reads.
    #[must_use]
    pub fn with_language(mut self, code: impl Into<String>) -> Self {
        self.language_code = Some(code.into());
        self
    }

    /// Says whether the contact asked not to be processed.
    #[must_use]
    pub fn with_privacy_blocked(mut self, blocked: bool) -> Self {
        self.privacy_blocked = blocked;
        self
    }
}

/// Person or company.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum ContactKind {
    /// A person.
    Person,
    /// A company.
    Company,
}

/// Which field of a record an address was found in, best first: the order of the ranking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum MatchedBy {
    /// The e-mail field holds this address alone.
    Email,
    /// The e-mail field holds several addresses, separated by `;`, and this is one of them.
    EmailList,
    /// The second e-mail.
    Email2,
    /// An alternative address of a contact.
    AlternativeAddress,
    /// A further address of a salesperson.
    Alias,
    /// The company's address, which the contact inherited.
    Inherited,
}

/// A contact to be created from a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct NewContact {
    /// The address.
    pub address: Address,
    /// The display name, if the mail had one.
    pub name: Option<String>,
}

impl NewContact {
    /// A contact with this address and name.
    pub fn new(address: Address, name: Option<String>) -> Self {
        Self { address, name }
    }
}

codes!(ContactKind { Person => "person", Company => "company", });
codes!(MatchedBy {
    Email => "email",
    EmailList => "email-list",
    Email2 => "email-2",
    AlternativeAddress => "alternative-address",
    Alias => "alias",
    Inherited => "inherited",
});

/// The directory's answers for the addresses of a batch: a snapshot that the decision reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parties(BTreeMap<Address, AddressParties>);

impl Parties {
    /// The answers to a question, in its order.
    pub fn from_answers(addresses: &[Address], answers: Vec<AddressParties>) -> Self {
        Self(addresses.iter().cloned().zip(answers).collect())
    }

    /// Adds or replaces the answer for one address.
    #[must_use]
    pub fn with(mut self, address: Address, parties: AddressParties) -> Self {
        self.0.insert(address, parties);
        self
    }

    /// Who has this address.
    pub fn of(&self, address: &Address) -> Option<&AddressParties> {
        self.0.get(address)
    }
}
