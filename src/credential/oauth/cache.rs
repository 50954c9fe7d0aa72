//! The token that is kept: got once for all that wait, renewed shortly before its end, forgotten when it is refused.

use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use crate::clock::Clock;
use crate::credential::AccessToken;
use crate::error::{Error, Result, codes};
use crate::http::TokenSource;
use crate::setup::SignedIn;

/// How long before its end a token is renewed, at most; a token that lives shortly, after nine tenths of its life.
const EARLY: Duration = Duration::from_mins(5);

/// How long a token that is still valid serves after its renewal failed for a moment.
const NEXT_TRY: Duration = Duration::from_secs(30);

/// How long a token is taken for valid that does not say when it ends (RFC 6749, 5.1 leaves it open).
const UNKNOWN_LIFE: Duration = Duration::from_mins(5);

/// Gets a token.
#[async_trait]
pub(super) trait Acquire: fmt::Debug + Send + Sync + 'static {
    /// A new token.
    async fn acquire(&self) -> Result<Acquired>;

    /// Somebody wants to know how it is now: what was refused before is asked for anew.
    fn forget_refusals(&self) {}
}

/// A token with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Acquired {
    pub(super) token: AccessToken,
    pub(super) permissions: Option<Vec<String>>,
    pub(super) application: bool,
    pub(super) credential_ends: Option<Timestamp>,
}

impl Acquired {
    /// What validation wants to know.
    pub(super) fn signed_in(&self) -> SignedIn {
        SignedIn {
            permissions: self.permissions.clone(),
            application: self.application,
            credential_ends: self.credential_ends,
        }
    }
}

/// Keeps the token of one sign-in.
///
/// The acquisition under way is part of the flight, and whoever holds the flight drives it: a caller that is dropped leaves
/// it where it is, and the next one goes on with it. So no request is sent twice, and no answer is lost. The kept token has a
/// lock of its own: while it is renewed early, it serves everybody else.
pub(super) struct TokenCache {
    acquire: Arc<dyn Acquire>,
    clock: Arc<dyn Clock>,
    /// How many acquisitions have ended.
    ended: AtomicU64,
    kept: std::sync::Mutex<Option<Kept>>,
    flight: Mutex<Flight>,
}

#[derive(Default)]
struct Flight {
    under_way: Option<BoxFuture<'static, Result<Acquired>>>,
    failed: Option<Error>,
}

#[derive(Clone)]
struct Kept {
    acquired: Acquired,
    renew_at: Timestamp,
}

impl Kept {
    /// Whether it is not to be renewed yet.
    fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.renew_at
    }

    /// Whether it still serves, although it is to be renewed.
    fn is_valid(&self, now: Timestamp) -> bool {
        let end = self.acquired.token.expires_at;
        end.is_some_and(|end| now < end)
    }
}

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenCache").finish_non_exhaustive()
    }
}

impl TokenCache {
    /// A cache without a token.
    pub(super) fn new(acquire: Arc<dyn Acquire>, clock: Arc<dyn Clock>) -> Self {
        Self {
            acquire,
            clock,
            ended: AtomicU64::new(0),
            kept: std::sync::Mutex::default(),
            flight: Mutex::default(),
        }
    }

    /// Gets a new token whatever is kept, and keeps it. Where that fails for a moment, or is dropped, the job goes on with
    /// what was kept.
    pub(super) async fn renew(&self) -> Result<Acquired> {
        let mut flight = self.flight.lock().await;
        self.acquire.forget_refusals();
        let outcome = self.fly(&mut flight).await;
        if let Err(error) = &outcome {
            if !error.is_transient() {
                *self.kept() = None;
            }
            flight.failed = Some(again(error));
        }
        outcome
    }

    /// The token that is kept, or a new one.
    ///
    /// Whoever came while an acquisition was under way takes what it ended in, be it an error: many callers are one request.
    async fn current(&self) -> Result<Acquired> {
        let ended = self.ended.load(Ordering::SeqCst);
        let kept = self.kept().clone();
        let now = self.clock.now();
        let mut flight = match kept {
            Some(kept) if kept.is_fresh(now) => return Ok(kept.acquired),
            Some(kept) if kept.is_valid(now) => match self.flight.try_lock() {
                Ok(flight) => flight,
                // Another caller renews it.
                Err(_) => return Ok(kept.acquired),
            },
            _ => self.flight.lock().await,
        };
        let meanwhile = self.ended.load(Ordering::SeqCst) != ended;
        let now = self.clock.now();
        if let Some(kept) = self.kept().clone()
            && (meanwhile || kept.is_fresh(now))
        {
            return Ok(kept.acquired);
        }
        match &flight.failed {
            Some(failed) if meanwhile => Err(again(failed)),
            _ => match self.fly(&mut flight).await {
                Err(error) => self.make_do(&mut flight, error),
                acquired => acquired,
            },
        }
    }

    /// Drives the acquisition to its end, and keeps what it brings.
    async fn fly(&self, flight: &mut Flight) -> Result<Acquired> {
        let inherited = flight.under_way.is_some();
        let mut outcome = self.drive(flight).await;
        if inherited && outcome.as_ref().is_err_and(Error::is_transient) {
            // It lay still after its caller was dropped, so that its time may have run out meanwhile.
            outcome = self.drive(flight).await;
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        if let Ok(acquired) = &outcome {
            let renew_at = self.renew_at(&acquired.token);
            flight.failed = None;
            *self.kept() = Some(Kept {
                acquired: acquired.clone(),
                renew_at,
            });
        }
        outcome
    }

    fn drive<'a>(
        &self,
        flight: &'a mut Flight,
    ) -> impl Future<Output = Result<Acquired>> + Send + use<'a> {
        let acquire = Arc::clone(&self.acquire);
        async move {
            let under_way = flight
                .under_way
                .get_or_insert_with(|| Box::pin(async move { acquire.acquire().await }));
            let outcome = under_way.await;
            flight.under_way = None;
            outcome
        }
    }

    /// A token that is early to be renewed is still good where the identity service cannot answer for a moment. It is not
    /// asked again before the time that it named.
    fn make_do(&self, flight: &mut Flight, error: Error) -> Result<Acquired> {
        let now = self.clock.now();
        let mut kept = self.kept();
        if let Some(kept) = kept.as_mut().filter(|kept| kept.is_valid(now))
            && error.is_transient()
        {
            let wished = error.retry_after().unwrap_or_default();
            kept.renew_at = later(now, NEXT_TRY.max(wished));
            return Ok(kept.acquired.clone());
        }
        *kept = None;
        drop(kept);
        flight.failed = Some(again(&error));
        Err(error)
    }

    fn renew_at(&self, token: &AccessToken) -> Timestamp {
        let now = self.clock.now();
        let left = token.expires_at.map(|end| end.duration_since(now));
        let left = left.map_or(UNKNOWN_LIFE, |left| {
            Duration::try_from(left).unwrap_or_default()
        });
        later(now, left.saturating_sub(EARLY.min(left / 10)))
    }

    fn kept(&self) -> MutexGuard<'_, Option<Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenSource for TokenCache {
    async fn token(&self) -> Result<AccessToken> {
        self.current().await.map(|acquired| acquired.token)
    }

    async fn invalidate(&self, refused: &str) {
        let is_refused = |kept: &Kept| kept.acquired.token.token.expose_secret() == refused;
        self.kept().take_if(|kept| is_refused(kept));
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}

/// The same error once more, without its cause, for another caller.
fn again(error: &Error) -> Error {
    let mut codes = codes::ALL.iter().copied();
    let code = codes.find(|code| code.code == error.code());
    let mut copy = Error::new(code.unwrap_or(&codes::INTERNAL), error.operation());
    if let Some(detail) = error.detail() {
        copy = copy.with_detail(detail.to_owned());
    }
    if let Some(wait) = error.retry_after() {
        copy = copy.with_retry_after(wait);
    }
    match error.server() {
        Some(server) => copy.with_server(server.clone()),
        None => copy,
    }
}

#[cfg(test)]
mod tests;
