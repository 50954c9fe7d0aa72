//! From Exchange addresses to SMTP addresses, each looked up once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use super::EwsSource;
use super::answer::{resolved_address, unresolved};
use super::codes::Class;
use super::folders::refusal;
use super::request::ResolveNames;
use super::soap::Tree;
use crate::error::{Result, codes};
use crate::message::MailFacts;

/// Addresses that are remembered.
const REMEMBERED: usize = 10_000;

/// How long an address counts; people get new ones seldom.
const FOUND: SignedDuration = SignedDuration::from_hours(6);
/// How long nobody counts: an address book may lag behind.
const NOT_FOUND: SignedDuration = SignedDuration::from_hours(1);

/// Codes of an address book that may not be asked.
const REFUSALS: [&str; 3] = [
    codes::EWS_ACCESS_DENIED.code,
    codes::EWS_REQUEST.code,
    codes::EWS_SCHEMA.code,
];

/// What was found, and what was not.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<BTreeMap<String, (Known, Timestamp)>>);

/// What the address book said about one Exchange address.
#[derive(Debug, Clone)]
enum Known {
    /// Its SMTP address.
    As(String),
    /// Nobody has it.
    Nobody,
}

/// How one look-up ended.
enum Looked {
    /// With one address.
    Smtp(String),
    /// With several addresses, or with none of SMTP.
    Unclear,
    /// Nobody has this name.
    NoName,
    /// The address book may not be asked.
    Refused,
}

impl Names {
    fn known(&self, exchange: &str, now: Timestamp) -> Option<Known> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, until) = known.get(exchange)?;
        (now < *until).then(|| found.clone())
    }

    fn remember(&self, exchange: String, found: Known, until: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(exchange, (found, until));
    }
}

impl EwsSource {
    /// Puts SMTP addresses in the place of Exchange addresses. One that nobody knows stays what it is.
    ///
    /// # Errors
    ///
    /// An outage of the address book or of the sign-in: it is never taken for "not known". Where the account may not look
    /// into the address book, addresses stay what they are.
    pub(super) async fn resolve_names(&self, facts: &mut MailFacts) -> Result<()> {
        for address in unresolved(facts) {
            let Some(exchange) = &address.address else {
                continue;
            };
            let key = exchange.to_ascii_lowercase();
            let found = match self.inner.names.known(&key, self.now()) {
                Some(known) => known,
                None => self.look_up(exchange, key).await?,
            };
            if let Known::As(smtp) = found {
                address.address = Some(smtp);
                address.exchange = false;
            }
        }
        Ok(())
    }

    async fn look_up(&self, exchange: &str, key: String) -> Result<Known> {
        let _beside = self.beside().await?;
        let mut entry = exchange.to_owned();
        let mut looked = self.look(&entry).await?;
        if matches!(looked, Looked::NoName) {
            // Some servers take an address of this kind with its type only.
            entry.insert_str(0, "EX:");
            looked = self.look(&entry).await?;
        }
        let (found, time) = match looked {
            Looked::Smtp(smtp) => (Known::As(smtp), FOUND),
            Looked::NoName | Looked::Unclear => (Known::Nobody, NOT_FOUND),
            Looked::Refused => return Ok(Known::Nobody),
        };
        let until = self.now().saturating_add(time).unwrap_or(Timestamp::MAX);
        self.inner.names.remember(key, found.clone(), until);
        Ok(found)
    }

    fn now(&self) -> Timestamp {
        self.session().clock.now()
    }

    async fn look(&self, entry: &str) -> Result<Looked> {
        let mut tree = Tree::default();
        let request = ResolveNames { entry };
        let message = match self.session().ask(&request, &mut tree).await {
            Ok(message) => message,
            Err(error) if REFUSALS.contains(&error.code()) => return Ok(Looked::Refused),
            Err(error) => return Err(error),
        };
        match message.class() {
            Class::Fine | Class::SeveralNames => {
                Ok(resolved_address(&tree).map_or(Looked::Unclear, Looked::Smtp))
            }
            Class::NoName => Ok(Looked::NoName),
            class @ (Class::Impersonation | Class::Blocked) => {
                Err(refusal(class, "ResolveNames", &message))
            }
            _ => Ok(Looked::Refused),
        }
    }
}
