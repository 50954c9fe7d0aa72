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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use futures_util::StreamExt;

    use super::*;
    use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
    use crate::credential::StaticCredentials;
    use crate::error::ServerContext;

    #[test]
    fn what_the_parts_of_a_client_show_is_no_account_and_no_query() {
        let options = HttpOptions::default();
        let text = "https://mail.example:444/EWS/Exchange.asmx?token=secret";
        let url = ServiceUrl::parse(text, false).unwrap();
        let shown = "https://mail.example:444/EWS/Exchange.asmx";
        assert_eq!(format!("{url:?}"), shown);
        let guard = AddressGuard::new(&options);
        let shown = "AddressGuard { policy: AddressPolicy { hosts: [], ranges: [] }, .. }";
        assert_eq!(format!("{guard:?}"), shown);
        let pieces = futures_util::stream::empty().boxed();
        let server = ServerContext::default();
        let body = Body::new(pieces, 7, Duration::from_secs(1), "test", server);
        assert_eq!(format!("{body:?}"), "Body { left: 7 }");

        let http = HttpClient::new(&options).unwrap();
        let shown = format!("HttpClient {{ body_limit: {}, .. }}", options.body_limit);
        assert_eq!(format!("{http:?}"), shown);
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        #[cfg(feature = "ntlm")]
        {
            let (clock, entropy) = (Arc::clone(&clock), Arc::clone(&entropy));
            let ntlm = ntlm::NtlmClient::new(&url, &options, 1, clock, entropy).unwrap();
            assert_eq!(format!("{ntlm:?}"), "NtlmClient { .. }");
        }
        let account = StaticCredentials::new().with_password("user", "secret");
        let account = Account::new(Arc::new(account), crate::Scope::default());
        let its = AccountOptions {
            url: &url,
            http: &options,
            connections: 1,
            clock: &clock,
            entropy: &entropy,
        };
        let client = AccountClient::new(account, http, &its).unwrap();
        assert_eq!(format!("{client:?}"), "AccountClient { .. }");
    }
}
