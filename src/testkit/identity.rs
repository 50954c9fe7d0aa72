//! A simulated identity provider: OAuth 2.0 on the loopback address, inside the process of a test.
//!
//! It has the paths, the tokens and the refusals of Microsoft's identity platform, and the user in front of the
//! browser is part of it: by itself an administrator who accepts at once. It owns applications, codes, tokens and
//! keys. It knows nothing of the rest of this crate's OAuth code, so that a test never agrees with itself.
//!
//! | Path below [`url`](SimulatedIdentity::url) | What it is |
//! |---|---|
//! | `/{tenant}/oauth2/v2.0/authorize`, `/authorize` | authorization code with PKCE (RFC 6749, RFC 7636) |
//! | `/{tenant}/oauth2/v2.0/token`, `/token` | authorization_code, client_credentials, refresh_token |
//! | `/{tenant}/discovery/v2.0/keys`, `/jwks` | the verifying keys (RFC 7517) |
//! | `/{tenant}/v2.0/.well-known/openid-configuration` | the description of all of them |
//!
//! `{tenant}` is the tenant's id or domain, `common` or `organizations`; `adfs` serves those who do not know tenants.
//! What differs from the real one: nobody types a password, and an application has whatever it was registered with.
//!
//! Protocol facts come from Microsoft, "Microsoft identity platform and OAuth 2.0 authorization code flow", "… client
//! credentials flow", "Access token claims reference" and "Microsoft Entra authentication & authorization error codes".
//!
//! ```
//! # async fn example() -> std::io::Result<()> {
//! use email_logging::testkit::identity::{Application, SimulatedIdentity};
//!
//! let application = Application::new("client-id")
//!     .with_secret("client secret")
//!     .with_redirect_url("http://127.0.0.1/OAuthLanding.htm")
//!     .with_role("full_access_as_app")
//!     .with_scope("EWS.AccessAsUser.All");
//! let identity = SimulatedIdentity::builder()
//!     .with_application(application)
//!     .start()
//!     .await?;
//! println!("a client can get tokens from {}", identity.token_url());
//! identity.shutdown().await;
//! # Ok(())
//! # }
//! # tokio::runtime::Runtime::new().unwrap().block_on(example()).unwrap();
//! ```

mod application;
mod authority;
mod authorize;
mod builder;
mod client;
mod client_certificate;
mod consent_page;
mod endpoint;
mod failure;
mod fault;
mod handle;
mod issue;
mod jwt;
mod metadata;
mod parameters;
mod recording;
mod service;
mod settings;
mod state;
mod token;
mod user;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use self::application::Application;
pub use self::authority::TokenAuthority;
pub(crate) use self::authority::{Caller, Permissions, TokenRefusal};
pub use self::builder::SimulatedIdentityBuilder;
pub use self::client_certificate::ClientCertificate;
pub use self::endpoint::Endpoint;
pub use self::fault::{IdentityFault, IdentityFaultKind};
pub use self::handle::SimulatedIdentity;
pub use self::recording::{IdentityStatistics, RecordedRequest};
pub use self::settings::{RefreshRotation, TokenVersion};
pub use self::state::TokenFlaw;
pub use self::user::UserBehaviour;
use super::loopback::{reply, server, tls};

/// Locks; a panic elsewhere does not make the data unusable for the tests that follow.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
