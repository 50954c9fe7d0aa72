//! The HTTP room: one client per source, with limits, that follows nothing and keeps nothing.
//!
//! Owns time-outs, the size limit of answers, sign-in headers and the back-off gate. Knows nothing of SOAP.

mod auth;
mod body;
mod client;
mod context;
mod failure;
mod gate;
mod guard;
mod guid;
#[cfg(feature = "ntlm")]
mod ntlm;
mod options;
mod policy;
mod reach;
mod retry_after;
mod url;

pub(crate) use auth::{
    Account, AccountClient, AccountOptions, Authenticator, Basic, Bearer, ProvidedToken, SignedIn,
    TokenSource,
};
pub(crate) use body::Body;
pub(crate) use client::{HttpClient, Outgoing, Reply};
pub(crate) use failure::{http_date, is_tls, never_sent};
pub(crate) use gate::{Gate, OpenPlace};
pub use gate::{ThrottlingGate, ThrottlingGates};
pub use guard::NameResolver;
#[cfg_attr(not(feature = "ntlm"), allow(unused_imports))]
pub(crate) use guard::{AddressGuard, Port};
pub(crate) use guid::new_guid;
#[cfg(all(feature = "ntlm", feature = "testkit"))]
pub(crate) use ntlm::ntlm_target_info;
pub(crate) use options::HttpOptions;
pub use policy::AddressPolicy;
pub(crate) use retry_after::retry_after;
pub(crate) use url::ServiceUrl;
