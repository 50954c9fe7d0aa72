//! Directories and providers that break one rule each fail their suites.

use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use email_logging::credential::CredentialProvider;
use email_logging::directory::{ContactDirectory, MemoryDirectory};
use email_logging::message::Address;
use email_logging::parties::AddressParties;
use email_logging::testkit::conformance::credential::{self, CredentialBackend};
use email_logging::testkit::conformance::directory;
use email_logging::{Result, Scope};
use secrecy::SecretString;

use crate::conformance::party::{Away, backend, records};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Breaks {
    Nothing,
    Order,
    Count,
    Limit,
    Stability,
    Candidates,
    Outage,
}

#[derive(Debug)]
struct Broken<D> {
    inner: D,
    breaks: Breaks,
    asked: AtomicU32,
}

impl<D> Broken<D> {
    fn new(inner: D, breaks: Breaks) -> Self {
        Self {
            inner,
            breaks,
            asked: AtomicU32::new(0),
        }
    }
}

#[async_trait]
impl<D: ContactDirectory> ContactDirectory for Broken<D> {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let answers = self.inner.resolve(scope, addresses).await;
        if self.breaks == Breaks::Outage {
            return Ok(answers.unwrap_or_else(|_| vec![AddressParties::nobody(); addresses.len()]));
        }
        let mut answers = answers?;
        match self.breaks {
            Breaks::Order => answers.reverse(),
            Breaks::Count => answers.retain(|answer| !answer.is_empty()),
            Breaks::Limit => {
                for answer in answers.iter_mut().skip(1000) {
                    *answer = AddressParties::nobody();
                }
            }
            Breaks::Stability if self.asked.fetch_add(1, Ordering::Relaxed) % 2 == 1 => {
                for answer in &mut answers {
                    answer.contacts.reverse();
                }
            }
            Breaks::Candidates => {
                for answer in &mut answers {
                    answer.contacts.truncate(1);
                }
            }
            _ => {}
        }
        Ok(answers)
    }
}

async fn failures(breaks: Breaks) -> Vec<&'static str> {
    let make = || async move {
        let directory: Broken<MemoryDirectory> = Broken::new(records(), breaks);
        backend(directory).with_outage(Broken::new(Away, breaks))
    };
    directory::run(make).await.failures()
}

#[tokio::test]
async fn a_directory_that_breaks_a_rule_fails() {
    let expected = [
        (Breaks::Order, "answers_come_in_the_order_of_the_question"),
        (Breaks::Count, "an_unknown_address_has_nobody"),
        (Breaks::Limit, "a_large_question_is_answered_whole"),
        (Breaks::Stability, "the_same_question_has_the_same_answer"),
        (Breaks::Candidates, "every_known_address_has_its_parties"),
        (Breaks::Outage, "an_outage_is_an_error"),
    ];
    assert_eq!(failures(Breaks::Nothing).await, Vec::<&str>::new());
    for (breaks, case) in expected {
        let failed = failures(breaks).await;
        assert!(failed.contains(&case), "{breaks:?}: {failed:?}");
    }
}

/// A provider whose debug output shows its secret, and that hides its failure.
struct Careless {
    secret: Option<&'static str>,
    client_id: Option<&'static str>,
}

impl fmt::Debug for Careless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Careless({:?})", self.secret)
    }
}

#[async_trait]
impl CredentialProvider for Careless {
    async fn client_id(&self, _: &Scope) -> Result<Option<String>> {
        Ok(self.client_id.map(Into::into))
    }

    async fn client_secret(&self, _: &Scope) -> Result<Option<SecretString>> {
        Ok(self.secret.map(Into::into))
    }
}

#[tokio::test]
async fn a_provider_that_breaks_the_rules_fails_without_telling_the_secret() {
    let report = credential::run(|| async {
        let careless = |secret, client_id| Careless { secret, client_id };
        CredentialBackend::new(careless(Some("s3cret"), Some("an id")))
            .with_other_scope(Scope::new("other", "default").unwrap())
            .with_client_secret("s3cret")
            .with_failing(careless(None, None))
    })
    .await;
    let expected = [
        "what_is_not_handled_is_none",
        "another_scope_is_not_handled",
        "a_failure_is_an_error_and_never_not_handled",
        "debug_output_shows_no_secret",
    ];
    assert_eq!(report.failures(), expected);
    assert!(!report.to_string().contains("s3cret"));
}
