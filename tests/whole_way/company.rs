//! The host's people, and what happens in the middle of a run: between two batches, each of which asks for them.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::directory::{
    ContactDirectory, ContactRecord, MemoryDirectory, SalespersonRecord,
};
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind};
use email_logging::{Result, Scope};
use futures_util::future::BoxFuture;

pub(crate) fn people() -> MemoryDirectory {
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna Hill", "ah@corp.example"))
        .with_contact(
            ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@contacts.example"),
        )
}

pub(crate) fn mail(number: u32) -> String {
    format!(
        "From: ada@contacts.example\r\nTo: ah@corp.example\r\nSubject: Offer {number}\r\n\
         Message-ID: <n{number}@contacts.example>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\nHello\r\n"
    )
}

type Deed = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// The people, and one deed before each answer as long as there are any.
#[derive(Clone, Default)]
pub(crate) struct Company(Arc<Mutex<VecDeque<Deed>>>);

impl Company {
    pub(crate) fn then<F>(&self, deed: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let deed: Deed = Box::new(move || Box::pin(deed()));
        self.0.lock().unwrap().push_back(deed);
    }

    /// How many deeds have not been done.
    pub(crate) fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl fmt::Debug for Company {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Company").finish_non_exhaustive()
    }
}

#[async_trait]
impl ContactDirectory for Company {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let deed = self.0.lock().unwrap().pop_front();
        if let Some(deed) = deed {
            deed().await;
        }
        people().resolve(scope, addresses).await
    }
}
