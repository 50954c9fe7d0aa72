//! The contract of a credential provider: what it handles is answered, what it does not handle is `None`, and a failure
//! is an error.

use std::fmt;
use std::sync::Arc;

use secrecy::ExposeSecret;

use super::Report;
use super::harness::{self, Case, Checked, Stop, cases, check};
use crate::credential::CredentialProvider;
use crate::error::Result;
use crate::scope::Scope;

/// The resource that an access token is asked for.
pub const RESOURCE: &str = "https://outlook.office365.com";

/// A provider and what it must answer. What is not given must not be handled.
pub struct CredentialBackend {
    provider: Arc<dyn CredentialProvider>,
    failing: Option<Arc<dyn CredentialProvider>>,
    scope: Scope,
    other_scope: Option<Scope>,
    expected: Vec<(Question, Vec<String>)>,
}

/// What a provider can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    ClientId,
    ClientSecret,
    RedirectUrl,
    Certificate,
    Password,
    AccessToken,
}

const QUESTIONS: [Question; 6] = [
    Question::ClientId,
    Question::ClientSecret,
    Question::RedirectUrl,
    Question::Certificate,
    Question::Password,
    Question::AccessToken,
];

impl CredentialBackend {
    /// A provider that handles nothing but what follows.
    pub fn new(provider: impl CredentialProvider) -> Self {
        Self {
            provider: Arc::new(provider),
            failing: None,
            scope: Scope::default(),
            other_scope: None,
            expected: Vec::new(),
        }
    }

    /// The scope to ask for; the default one where none is given.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// A scope for which the provider handles nothing.
    #[must_use]
    pub fn with_other_scope(mut self, scope: Scope) -> Self {
        self.other_scope = Some(scope);
        self
    }

    /// A provider of the same kind that cannot reach what it reads from.
    #[must_use]
    pub fn with_failing(mut self, provider: impl CredentialProvider) -> Self {
        self.failing = Some(Arc::new(provider));
        self
    }

    /// The client id that it answers.
    #[must_use]
    pub fn with_client_id(self, id: &str) -> Self {
        self.expecting(Question::ClientId, &[id])
    }

    /// The client secret that it answers.
    #[must_use]
    pub fn with_client_secret(self, secret: &str) -> Self {
        self.expecting(Question::ClientSecret, &[secret])
    }

    /// The redirect URL that it answers.
    #[must_use]
    pub fn with_redirect_url(self, url: &str) -> Self {
        self.expecting(Question::RedirectUrl, &[url])
    }

    /// The certificate with its private key that it answers, both PEM.
    #[must_use]
    pub fn with_certificate(self, certificates: &str, private_key: &str) -> Self {
        self.expecting(Question::Certificate, &[certificates, private_key])
    }

    /// The user name and the password that it answers.
    #[must_use]
    pub fn with_password(self, user_name: &str, password: &str) -> Self {
        self.expecting(Question::Password, &[user_name, password])
    }

    /// The access token that it answers for [`RESOURCE`].
    #[must_use]
    pub fn with_access_token(self, token: &str) -> Self {
        self.expecting(Question::AccessToken, &[token])
    }

    fn expecting(mut self, question: Question, answer: &[&str]) -> Self {
        let answer = answer.iter().map(|&text| text.to_owned()).collect();
        self.expected.push((question, answer));
        self
    }

    fn expected(&self, question: Question) -> Option<&Vec<String>> {
        let mut expected = self.expected.iter();
        let found = expected.find(|(asked, _)| *asked == question);
        found.map(|(_, answer)| answer)
    }
}

impl fmt::Debug for CredentialBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialBackend").finish_non_exhaustive()
    }
}

/// Checks a provider. `make` answers a fresh one for every case. No report holds a secret.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = CredentialBackend>,
{
    harness::run("credential provider", list(), make).await
}

fn list() -> Vec<Case<CredentialBackend>> {
    cases! {
        self::{
            what_is_handled_is_answered_each_time,
            what_is_not_handled_is_none,
            another_scope_is_not_handled,
            a_failure_is_an_error_and_never_not_handled,
            debug_output_shows_no_secret,
        }
    }
}

/// The texts of an answer: the last one is the secret, where there is one.
async fn ask(
    provider: &dyn CredentialProvider,
    scope: &Scope,
    question: Question,
) -> Result<Option<Vec<String>>> {
    let secret = |secret: &secrecy::SecretString| secret.expose_secret().to_owned();
    Ok(match question {
        Question::ClientId => provider.client_id(scope).await?.map(|id| vec![id]),
        Question::ClientSecret => {
            let answer = provider.client_secret(scope).await?;
            answer.map(|answer| vec![secret(&answer)])
        }
        Question::RedirectUrl => provider.redirect_url(scope).await?.map(|url| vec![url]),
        Question::Certificate => {
            let answer = provider.certificate(scope).await?;
            answer.map(|answer| vec![answer.certificates, secret(&answer.private_key)])
        }
        Question::Password => {
            let answer = provider.password(scope).await?;
            answer.map(|answer| vec![answer.user_name, secret(&answer.password)])
        }
        Question::AccessToken => {
            let answer = provider.access_token(scope, RESOURCE).await?;
            answer.map(|answer| vec![secret(&answer.token)])
        }
    })
}

async fn what_is_handled_is_answered_each_time(backend: &CredentialBackend) -> Checked {
    for (question, expected) in &backend.expected {
        for time in 1..=3 {
            let answer = ask(backend.provider.as_ref(), &backend.scope, *question).await?;
            check!(answer.is_some(), "{question:?} is not handled");
            check!(
                answer.as_ref() == Some(expected),
                "the answer to {question:?} differs, time {time}"
            );
        }
    }
    Ok(())
}

async fn what_is_not_handled_is_none(backend: &CredentialBackend) -> Checked {
    for question in QUESTIONS {
        if backend.expected(question).is_none() {
            let answer = ask(backend.provider.as_ref(), &backend.scope, question).await?;
            check!(
                answer.is_none(),
                "{question:?} is answered though nothing was given"
            );
        }
    }
    Ok(())
}

async fn another_scope_is_not_handled(backend: &CredentialBackend) -> Checked {
    let skipped = || Stop::Skipped("no other scope was given".into());
    let scope = backend.other_scope.as_ref().ok_or_else(skipped)?;
    for question in QUESTIONS {
        let answer = ask(backend.provider.as_ref(), scope, question).await?;
        check!(
            answer.is_none(),
            "{question:?} is answered for another scope"
        );
    }
    Ok(())
}

async fn a_failure_is_an_error_and_never_not_handled(backend: &CredentialBackend) -> Checked {
    let skipped = || Stop::Skipped("no failing provider was given".into());
    let failing = backend.failing.as_ref().ok_or_else(skipped)?;
    for (question, _) in &backend.expected {
        match ask(failing.as_ref(), &backend.scope, *question).await {
            Err(_) => {}
            Ok(None) => check!(false, "{question:?} is not handled instead of an error"),
            Ok(Some(_)) => check!(false, "{question:?} is answered by a provider that fails"),
        }
    }
    Ok(())
}

async fn debug_output_shows_no_secret(backend: &CredentialBackend) -> Checked {
    let shown = format!("{:?} {:#?}", backend.provider, backend.provider);
    let secret = |question| !matches!(question, Question::ClientId | Question::RedirectUrl);
    let expected = backend.expected.iter();
    for (question, answer) in expected.filter(|(question, _)| secret(*question)) {
        let leaks = answer
            .last()
            .is_some_and(|secret| shown.contains(secret.as_str()));
        check!(!leaks, "the debug output shows the secret of {question:?}");
    }
    Ok(())
}
