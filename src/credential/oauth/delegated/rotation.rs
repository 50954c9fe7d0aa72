//! The refresh token in the store, who may refresh it, and the newer one that is not stored yet.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::Clock;
use crate::credential::{RefreshTokenStore, StoredRefreshToken};
use crate::error::{ErrorKind, Result};
use crate::scope::Scope;

/// How long a worker that refreshes keeps the others off at most: longer than all its requests together may take.
const HOLD: Duration = Duration::from_mins(5);

/// How long a worker waits before it looks again whether another one has finished.
const LOOK: Duration = Duration::from_millis(500);

/// How often a token that was refreshed is stored over a mark that another worker set on the old one.
const ROUNDS: usize = 4;

/// Keeps a refresh token that the identity service handed out until the store has it: the old one may be of no use any more.
#[derive(Debug)]
pub(super) struct Rotation {
    store: Arc<dyn RefreshTokenStore>,
    scope: Scope,
    clock: Arc<dyn Clock>,
    left: Mutex<Option<Left>>,
}

#[derive(Debug, Clone)]
struct Left {
    token: SecretString,
    /// The one that was refreshed.
    replaces: SecretString,
    expected_version: u64,
}

/// Whose token is stored now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Saved {
    /// The newest that is known here.
    Own,
    /// That of another worker.
    ByAnother,
}

/// A token that this worker alone may refresh, with the version under which it is saved.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) token: StoredRefreshToken,
    /// Whether the store keeps marks.
    marked: bool,
}

/// What a save met.
enum Met {
    Saved(Saved),
    /// The old token, marked or released meanwhile; under this version now.
    Marked(u64),
}

impl Rotation {
    pub(super) fn new(
        store: Arc<dyn RefreshTokenStore>,
        scope: Scope,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            scope,
            clock,
            left: Mutex::default(),
        }
    }

    /// What is stored.
    pub(super) async fn load(&self) -> Result<Option<StoredRefreshToken>> {
        self.store.load_refresh_token(&self.scope).await
    }

    /// What is stored, once no other worker refreshes it any more. A mark that is never taken away counts for a limited
    /// time by the own clock, whatever the clock of the other says.
    pub(super) async fn load_free(&self) -> Result<Option<StoredRefreshToken>> {
        let mut waited = Duration::ZERO;
        loop {
            let stored = self.load().await?;
            let held = stored.as_ref().and_then(|stored| stored.held_until);
            if held.is_none_or(|until| until <= self.clock.now()) || waited >= HOLD {
                return Ok(stored);
            }
            self.clock.sleep(LOOK).await;
            waited += LOOK;
        }
    }

    /// Keeps other workers off this token; none where one of them was first.
    pub(super) async fn hold(&self, stored: &StoredRefreshToken) -> Result<Option<Held>> {
        let until = later(self.clock.now(), HOLD);
        let held = self
            .store
            .hold_refresh_token(&self.scope, stored.version, until)
            .await;
        match held {
            Ok(version) => Ok(Some(Held {
                marked: version != stored.version,
                token: StoredRefreshToken::new(stored.token.clone(), version),
            })),
            Err(error) if error.kind() == ErrorKind::Conflict => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Lets others use the token, which no new one takes the place of. Where that fails, they wait until the mark's time.
    pub(super) async fn release(&self, held: &Held) {
        if held.marked {
            let (token, version) = (&held.token.token, held.token.version);
            let _best_effort = self
                .store
                .save_refresh_token(&self.scope, token, version)
                .await;
        }
    }

    /// Takes a token that is to be stored over the one that was refreshed.
    pub(super) fn put(&self, token: SecretString, held: &Held) {
        *self.left() = Some(Left {
            token,
            replaces: held.token.token.clone(),
            expected_version: held.token.version,
        });
    }

    /// Stores what is not stored yet. After an error it is still left, and stored by the next call.
    pub(super) async fn save_what_is_left(&self) -> Result<Saved> {
        let Some(left) = self.left().clone() else {
            return Ok(Saved::Own);
        };
        let mut version = left.expected_version;
        let mut saved = Saved::ByAnother;
        for _ in 0..ROUNDS {
            let outcome = self
                .store
                .save_refresh_token(&self.scope, &left.token, version)
                .await;
            match outcome {
                Ok(_) => saved = Saved::Own,
                Err(error) if error.kind() == ErrorKind::Conflict => match self.met(&left).await? {
                    Met::Marked(now) => {
                        version = now;
                        continue;
                    }
                    Met::Saved(found) => saved = found,
                },
                Err(error) => return Err(error),
            }
            break;
        }
        *self.left() = None;
        Ok(saved)
    }

    /// A conflict is none where an earlier attempt had stored this token and only its answer was lost. Nor does a mark on the
    /// old token count: its worker came too late, and finds this one.
    async fn met(&self, left: &Left) -> Result<Met> {
        let stored = self.load().await?;
        let is = |token: &SecretString| {
            stored
                .as_ref()
                .filter(|stored| stored.token.expose_secret() == token.expose_secret())
        };
        Ok(match (is(&left.token), is(&left.replaces)) {
            (Some(_), _) => Met::Saved(Saved::Own),
            (None, Some(old)) => Met::Marked(old.version),
            (None, None) => Met::Saved(Saved::ByAnother),
        })
    }

    fn left(&self) -> std::sync::MutexGuard<'_, Option<Left>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn later(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.saturating_add(wait).unwrap_or(Timestamp::MAX)
}
