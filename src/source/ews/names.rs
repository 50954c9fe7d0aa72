//! From Exchange addresses to SMTP addresses, each looked up once.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::EwsSource;
use super::answer::{resolved_address, unresolved};
use super::codes::Class;
use super::folders::refusal;
use super::request::ResolveNames;
use super::soap::Tree;
use crate::error::Result;
use crate::message::MailFacts;

/// Addresses that are remembered.
const REMEMBERED: usize = 10_000;

/// What was found, and what was not.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<BTreeMap<String, Known>>);

/// What the address book said about one Exchange address.
#[derive(Debug, Clone)]
enum Known {
    /// Its SMTP address.
    As(String),
    /// Nobody has it.
    Nobody,
}

impl Names {
    fn known(&self, exchange: &str) -> Option<Known> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(exchange)
            .cloned()
    }

    fn remember(&self, exchange: String, found: Known) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(exchange, found);
    }
}

impl EwsSource {
    /// Puts SMTP addresses in the place of Exchange addresses. One that nobody knows stays what it is.
    ///
    /// # Errors
    ///
    /// An outage of the address book: it is never taken for "not known".
    pub(super) async fn resolve_names(&self, facts: &mut MailFacts) -> Result<()> {
        for address in unresolved(facts) {
            let Some(exchange) = &address.address else {
                continue;
            };
            let key = exchange.to_ascii_lowercase();
            let found = match self.inner.names.known(&key) {
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
        let mut tree = Tree::default();
        let request = ResolveNames { entry: exchange };
        let message = self.session().ask(&request, &mut tree).await?;
        let smtp = match message.class() {
            Class::Fine | Class::SeveralNames => resolved_address(&tree),
            Class::NoName => None,
            class => return Err(refusal(class, "ResolveNames", &message)),
        };
        let found = smtp.map_or(Known::Nobody, Known::As);
        self.inner.names.remember(key, found.clone());
        Ok(found)
    }
}
