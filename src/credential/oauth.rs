//! Signing in at an OAuth 2.0 identity service: a consent, an application's own tokens, and tokens for a refresh token.
//!
//! Owns the exchange with the identity service, the tokens that come of it, and what its refusals mean. It knows no mail
//! system: what a token is used for is not known here.

mod app;
mod cache;
mod certificate;
mod client;
mod consent;
mod delegated;
mod exchange;
mod facts;
mod pause;
mod refusal;
mod remembered;
mod service;
mod transport;

#[cfg(feature = "seal")]
pub(crate) use certificate::check_certificate;

pub use app::{AppSignIn, AppSignInBuilder};
pub(crate) use consent::UsedStates;
pub use consent::{AdminConsent, AdminConsentBuilder, Consented, PendingConsent};
pub use delegated::{DelegatedSignIn, DelegatedSignInBuilder};
pub use facts::TokenFacts;
pub use remembered::MemoryRefreshTokens;
pub use service::{IdentityService, MicrosoftCloud};
