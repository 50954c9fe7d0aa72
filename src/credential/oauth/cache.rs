//! The token that is kept: got once for all that wait, renewed shortly before its end, forgotten when it is refused.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::facts::TokenFacts;
use crate::clock::Clock;
use crate::credential::AccessToken;
use crate::error::{Error, Result, codes};
use crate::http::TokenSource;
use crate::setup::SignedIn;

/// How long before its end a token is renewed, at most; a token that lives shortly, after nine tenths of its life.
const EARLY: Duration = Duration::from_mins(5);

/// How long a token that is still valid serves after its renewal failed for a moment.
const NEXT_TRY: Duration = Duration::from_secs(30);

/// Gets a token.
#[async_trait]
pub(super) trait Acquire: fmt::Debug + Send + Sync + 'static {
    /// A new token.
    async fn acquire(&self) -> Result<Acquired>;
}

/// A token with what is known of it.
#[derive(Debug, Clone)]
pub(super) struct Acquired {
    pub(super) token: AccessToken,
    pub(super) facts: Option<TokenFacts>,
    pub(super) credential_ends: Option<Timestamp>,
}

impl Acquired {
    /// What validation wants to know.
    pub(super) fn signed_in(&self) -> SignedIn {
        SignedIn {
            permissions: self.facts.as_ref().map(|facts| facts.permissions.clone()),
            application: self.facts.as_ref().is_some_and(|facts| facts.application),
            credential_ends: self.credential_ends,
        }
    }
}

/// Keeps the token of one sign-in.
///
/// The acquisition under way is part of the state, and whoever holds the state drives it: a caller that is dropped leaves it
/// where it is, and the next one goes on with it. So no request is sent twice, and no answer is lost.
pub(super) struct TokenCache {
    acquire: Arc<dyn Acquire>,
    clock: Arc<dyn Clock>,
    /// How many acquisitions have ended.
    ended: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    kept: Option<Kept>,
    under_way: Option<BoxFuture<'static, Result<Acquired>>>,
    failed: Option<Error>,
}

struct Kept {
    acquired: Acquired,
    renew_at: Timestamp,
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
            state: Mutex::default(),
        }
    }

    /// Gets a new token whatever is kept, and keeps it. Where that fails for a moment, the job goes on with what was kept.
    pub(super) async fn renew(&self) -> Result<Acquired> {
        let mut state = self.state.lock().await;
        let before = state.kept.take();
        let outcome = self.fly(&mut state).await;
        if outcome.as_ref().is_err_and(Error::is_transient) {
            state.kept = before;
        }
        outcome
    }

    /// The token that is kept, or a new one.
    ///
    /// Whoever came while an acquisition was under way takes what it ended in, be it an error: many callers are one request.
    async fn current(&self) -> Result<Acquired> {
        let ended = self.ended.load(Ordering::SeqCst);
        let mut state = self.state.lock().await;
        let meanwhile = self.ended.load(Ordering::SeqCst) != ended;
        let now = self.clock.now();
        if let Some(kept) = &state.kept
            && (meanwhile || now < kept.renew_at)
        {
            return Ok(kept.acquired.clone());
        }
        match &state.failed {
            Some(failed) if meanwhile => Err(again(failed)),
            _ => self.fly(&mut state).await,
        }
    }

    async fn fly(&self, state: &mut State) -> Result<Acquired> {
        let inherited = state.under_way.is_some();
        let mut outcome = self.drive(state).await;
        if inherited && outcome.as_ref().is_err_and(Error::is_transient) {
            // It lay still after its caller was dropped, so that its time may have run out meanwhile.
            outcome = self.drive(state).await;
        }
        self.ended.fetch_add(1, Ordering::SeqCst);
        match outcome {
            Ok(acquired) => {
                let renew_at = self.renew_at(&acquired.token);
                state.failed = None;
                state.kept = Some(Kept {
                    acquired: acquired.clone(),
                    renew_at,
                });
                Ok(acquired)
            }
            Err(error) => self.make_do(state, error),
        }
    }

    fn drive<'a>(
        &self,
        state: &'a mut State,
    ) -> impl Future<Output = Result<Acquired>> + Send + use<'a> {
        let acquire = Arc::clone(&self.acquire);
        async move {
            let under_way = state
                .under_way
                .get_or_insert_with(|| Box::pin(async move { acquire.acquire().await }));
            let outcome = under_way.await;
            state.under_way = None;
            outcome
        }
    }

    /// A token that is early to be renewed is still good where the identity service cannot answer for a moment.
    fn make_do(&self, state: &mut State, error: Error) -> Result<Acquired> {
        let now = self.clock.now();
        let valid = |kept: &&mut Kept| kept.acquired.token.expires_at.is_some_and(|end| now < end);
        if let Some(kept) = state.kept.as_mut().filter(valid)
            && error.is_transient()
        {
            kept.renew_at = later(now, NEXT_TRY);
            return Ok(kept.acquired.clone());
        }
        state.kept = None;
        state.failed = Some(again(&error));
        Err(error)
    }

    fn renew_at(&self, token: &AccessToken) -> Timestamp {
        let now = self.clock.now();
        let left = token.expires_at.map(|end| end.duration_since(now));
        let left = left.and_then(|left| Duration::try_from(left).ok());
        let left = left.unwrap_or_default();
        later(now, left.saturating_sub(EARLY.min(left / 10)))
    }
}

#[async_trait]
impl TokenSource for TokenCache {
    async fn token(&self) -> Result<AccessToken> {
        self.current().await.map(|acquired| acquired.token)
    }

    async fn invalidate(&self, refused: &str) {
        let mut state = self.state.lock().await;
        let is_refused = |kept: &Kept| kept.acquired.token.token.expose_secret() == refused;
        if state.kept.as_ref().is_some_and(is_refused) {
            state.kept = None;
        }
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
