//! The HTTP room: one client per source, with limits, that follows nothing and keeps nothing.
//!
//! Owns TLS, time-outs, the size limit of answers, sign-in headers and the back-off gate. Knows nothing of SOAP.

mod auth;
mod body;
mod client;
mod context;
mod failure;
mod gate;
mod guid;
#[cfg(feature = "ntlm")]
mod ntlm;
mod options;
mod tls;
mod url;

pub(crate) use auth::{
    Account, AccountClient, AccountOptions, Authenticator, Basic, Bearer, ProvidedToken, SignedIn,
    TokenSource,
};
#[cfg(feature = "ews")]
pub(crate) use body::Body;
pub(crate) use client::{HttpClient, Outgoing, Reply};
pub(crate) use failure::{never_sent, retry_after};
pub(crate) use gate::Gate;
pub(crate) use guid::new_guid;
pub(crate) use options::HttpOptions;
pub(crate) use url::ServiceUrl;
