//! OAuth2 against an identity provider that nobody here wrote: the npm package `oidc-provider`, over HTTPS.
//!
//! Only public settings are used. The mailbox behind it is the simulated Exchange, which believes nothing but the
//! provider's published keys.
#![cfg(feature = "oauth2")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "oidc_provider/application.rs"]
mod application;
#[path = "oidc_provider/browser.rs"]
mod browser;
#[path = "oidc_provider/certificate.rs"]
mod certificate;
#[path = "oidc_provider/consent.rs"]
mod consent;
#[path = "oidc_provider/mailbox.rs"]
mod mailbox;
#[path = "oidc_provider/provider.rs"]
mod provider;
