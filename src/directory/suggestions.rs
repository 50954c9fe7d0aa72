//! Contacts that a person may have meant, for mail that matches nobody. For review; no decision depends on it.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::forward::forward;
use crate::ids::ContactNo;
use crate::message::codes;
use crate::parties::{ContactKind, NewContact};
use crate::scope::Scope;

/// A directory that can say who is near an unknown address. Optional.
#[async_trait]
pub trait ContactSuggestions: Debug + Send + Sync + 'static {
    /// Contacts near these people, best first, each once and at most `limit`. None is a good answer.
    ///
    /// # Errors
    ///
    /// `Unavailable` when the directory cannot answer.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn suggest(
        &self,
        scope: &Scope,
        people: &[NewContact],
        limit: u32,
    ) -> Result<Vec<Suggestion>>;
}

forward! {
    ContactSuggestions {
        async fn suggest(
            &self,
            scope: &Scope,
            people: &[NewContact],
            limit: u32,
        ) -> Result<Vec<Suggestion>>;
    }
}

/// A contact who may be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Suggestion {
    /// The number.
    pub contact: ContactNo,
    /// The name.
    pub name: String,
    /// Person or company.
    pub kind: ContactKind,
    /// The company that a person belongs to.
    pub company: Option<ContactNo>,
    /// Why it is near.
    pub because: SuggestedBecause,
}

impl Suggestion {
    /// A suggestion of a contact without a company.
    pub fn new(
        contact: impl Into<ContactNo>,
        name: impl Into<String>,
        kind: ContactKind,
        because: SuggestedBecause,
    ) -> Self {
        Self {
            contact: contact.into(),
            name: name.into(),
            kind,
            company: None,
            because,
        }
    }
}

/// Why a contact is suggested, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SuggestedBecause {
    /// It has the same name.
    SameName,
    /// It has an address in the same domain, which is no domain that strangers share.
    SameDomain,
}

codes!(SuggestedBecause { SameName => "same-name", SameDomain => "same-domain", });

/// Domains whose addresses belong to people who have nothing to do with each other.
const SHARED: &[&str] = &[
    "aol.com",
    "gmail.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "live.com",
    "me.com",
    "msn.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "t-online.de",
    "web.de",
    "yahoo.com",
];

/// Whether strangers share a domain.
pub(super) fn is_shared(domain: &str) -> bool {
    SHARED.contains(&domain)
}
