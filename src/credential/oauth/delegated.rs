//! Signing in for a person who consented once: a refresh token (RFC 6749, 6) that is stored anew before its answer is used.

mod builder;
mod rotation;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::ExposeSecret;

use super::cache::{Acquire, Acquired, TokenCache};
use super::client::{Asked, Client};
use super::exchange::{Grant, Granted, TokenEndpoint};
use super::service::IdentityService;
use crate::credential::{AccessToken, CredentialProvider, RefreshTokenStore, StoredRefreshToken};
use crate::error::{Code, Error, ErrorKind, Result, codes};
use crate::http::TokenSource;
use crate::setup::SignedIn;

pub use builder::DelegatedSignInBuilder;
use rotation::{Held, Rotation, Saved};

const OPERATION: &str = "DelegatedSignIn";

/// How often one acquisition meets another worker before it gives up.
const MEETINGS: usize = 16;

/// How long a refusal is believed that an administrator can lift without a new sign-in.
const BELIEVED: SignedDuration = SignedDuration::from_mins(15);

/// Signs in for a person, with a refresh token out of a store.
///
/// A new refresh token that comes with an access token is stored before that is used; where another worker stored one
/// meanwhile, that one is used. Of several workers on one store one refreshes at a time, where the store can
/// [hold](RefreshTokenStore::hold_refresh_token) a token; the others wait and go on with the new one. If the identity service does not accept the refresh token any more, the sign-in fails as
/// `ReauthRequired`, and the job asks nothing of the service until another refresh token is stored or the provider answers
/// differently; what an administrator can lift, such as a condition of access, is asked for again after 15 minutes.
/// [`sign_in`](Self::sign_in) always asks. Cloning is cheap and shares the token. `Debug` shows no secret.
#[derive(Clone)]
pub struct DelegatedSignIn {
    tokens: Arc<TokenCache>,
}

impl DelegatedSignIn {
    /// Starts to describe a sign-in.
    pub fn at(
        service: IdentityService,
        provider: Arc<dyn CredentialProvider>,
        store: Arc<dyn RefreshTokenStore>,
    ) -> DelegatedSignInBuilder {
        DelegatedSignInBuilder::new(service, provider, store)
    }

    /// Signs in anew and says what came of it: what validation shows. The token is kept for the job.
    ///
    /// # Errors
    ///
    /// `ReauthRequired` (`oauth.reauth`, `oauth.conditional_access`), `Config`, `Unauthenticated`, `PermissionDenied`,
    /// `Blocked`, what the store raises, and what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// A request under way is kept, and the next call goes on with it.
    pub async fn sign_in(&self) -> Result<SignedIn> {
        let acquired = self.tokens.renew().await?;
        Ok(acquired.signed_in())
    }
}

#[async_trait]
impl TokenSource for DelegatedSignIn {
    async fn token(&self) -> Result<AccessToken> {
        self.tokens.token().await
    }

    async fn invalidate(&self, refused: &str) {
        self.tokens.invalidate(refused).await;
    }
}

impl fmt::Debug for DelegatedSignIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DelegatedSignIn").finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct DelegatedGrant {
    endpoint: TokenEndpoint,
    asked: Asked,
    rotation: Rotation,
    refused: Mutex<Option<Refused>>,
}

/// A refresh token and an application that were refused together.
#[derive(Debug, Clone, Copy)]
struct Refused {
    mark: blake3::Hash,
    code: &'static Code,
    /// Until when it is believed, where an administrator of the tenant can lift it; else another token is needed.
    until: Option<Timestamp>,
}

#[async_trait]
impl Acquire for DelegatedGrant {
    async fn acquire(&self) -> Result<Acquired> {
        for _ in 0..MEETINGS {
            if let Some(acquired) = self.attempt().await? {
                return Ok(acquired);
            }
        }
        Err(Error::new(&codes::SECRET_VERSION, OPERATION))
    }

    fn forget_refusals(&self) {
        *self.refused() = None;
    }
}

impl DelegatedGrant {
    /// One attempt; none where another worker was met, whose refresh token is then to be used.
    async fn attempt(&self) -> Result<Option<Acquired>> {
        if self.rotation.save_what_is_left().await? == Saved::ByAnother {
            return Ok(None);
        }
        let stored = self.rotation.load_free().await?;
        let stored = stored.ok_or_else(|| {
            let error = Error::new(&codes::OAUTH_REAUTH, OPERATION);
            error.with_detail("no refresh token is stored")
        })?;
        let client = self.asked.client().await?;
        let mark = mark(&client, &stored);
        self.check_refused(mark)?;
        let Some(held) = self.rotation.hold(&stored).await? else {
            return Ok(None);
        };
        match self.refresh(&client, &held.token).await {
            Ok(granted) => self.accept(&client, &held, granted).await,
            Err(error) => {
                self.rotation.release(&held).await;
                if error.kind() == ErrorKind::ReauthRequired {
                    return self.refuse(&stored, mark, error).await;
                }
                Err(error)
            }
        }
    }

    /// Refreshes. Where the answer was lost, the service may or may not have taken the token back: it is asked once more.
    async fn refresh(&self, client: &Client, stored: &StoredRefreshToken) -> Result<Granted> {
        let grant = || Grant::Refresh(&stored.token);
        match self.endpoint.ask(client, grant()).await {
            Err(error) if is_lost(&error) => self.endpoint.ask(client, grant()).await,
            outcome => outcome,
        }
    }

    /// Stores what came before it is checked and used: the old refresh token may be of no use any more.
    async fn accept(
        &self,
        client: &Client,
        held: &Held,
        granted: Granted,
    ) -> Result<Option<Acquired>> {
        let old = held.token.token.expose_secret();
        let new = granted.refresh_token.as_ref();
        match new.filter(|new| new.expose_secret() != old) {
            Some(new) => {
                self.rotation.put(new.clone(), held);
                if self.rotation.save_what_is_left().await? == Saved::ByAnother {
                    return Ok(None);
                }
            }
            None => self.rotation.release(held).await,
        }
        self.endpoint.check(&granted)?;
        Ok(Some(granted.acquired(client.ends())))
    }

    /// Remembers a refusal, unless another worker has stored a newer token, which is then to be tried.
    async fn refuse(
        &self,
        stored: &StoredRefreshToken,
        mark: blake3::Hash,
        error: Error,
    ) -> Result<Option<Acquired>> {
        let now = self.rotation.load().await?;
        let is_other =
            |now: &StoredRefreshToken| now.token.expose_secret() != stored.token.expose_secret();
        if now.as_ref().is_some_and(is_other) {
            return Ok(None);
        }
        let mut codes = codes::ALL.iter().copied();
        let code = codes.find(|code| code.code == error.code());
        let code = code.unwrap_or(&codes::OAUTH_REAUTH);
        let lasts = code.code == codes::OAUTH_REAUTH.code;
        let now = self.endpoint.transport.clock.now();
        let until = (!lasts).then(|| now.saturating_add(BELIEVED).unwrap_or(Timestamp::MAX));
        *self.refused() = Some(Refused { mark, code, until });
        Err(error)
    }

    fn check_refused(&self, mark: blake3::Hash) -> Result<()> {
        let now = self.endpoint.transport.clock.now();
        let counts = |refused: &Refused| {
            refused.mark == mark && refused.until.is_none_or(|until| now < until)
        };
        match self.refused().filter(counts) {
            Some(refused) => {
                let error = Error::new(refused.code, OPERATION);
                Err(error.with_detail("refused before"))
            }
            None => Ok(()),
        }
    }

    fn refused(&self) -> MutexGuard<'_, Option<Refused>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn mark(client: &Client, stored: &StoredRefreshToken) -> blake3::Hash {
    client.mark(&[stored.token.expose_secret().as_bytes()])
}

fn is_lost(error: &Error) -> bool {
    error.code() == codes::HTTP_TIMEOUT.code || error.code() == codes::HTTP_CLOSED.code
}
