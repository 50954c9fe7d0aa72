//! What was asked: counters, and every request for tests that look at them.

use std::collections::BTreeMap;

use super::endpoint::Endpoint;

/// What the provider has counted since it started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityStatistics {
    /// TCP connections that were accepted.
    pub connections: u64,
    /// Requests by endpoint, those that met a fault included.
    pub requests: BTreeMap<Endpoint, u64>,
    /// Requests to the token endpoint by `grant_type`, those that were refused included.
    pub grants: BTreeMap<String, u64>,
    /// Access tokens that were issued.
    pub tokens: u64,
    /// Refusals by AADSTS number.
    pub refusals: BTreeMap<u32, u64>,
}

impl IdentityStatistics {
    /// The number of requests to one endpoint.
    pub fn requests_to(&self, endpoint: Endpoint) -> u64 {
        self.requests.get(&endpoint).copied().unwrap_or_default()
    }

    /// The number of token requests of one `grant_type`.
    pub fn grants_of(&self, grant_type: &str) -> u64 {
        self.grants.get(grant_type).copied().unwrap_or_default()
    }
}

/// One request.
///
/// Its debug form shows the names of the parameters and never their values, but for `grant_type`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RecordedRequest {
    /// What was asked.
    pub endpoint: Endpoint,
    /// The tenant as the path names it; empty where it names none.
    pub tenant: String,
    /// The scheme of the Authorization header, such as `Basic`.
    pub authorization: Option<String>,
    /// The status of the answer; 0 when there was none.
    pub status: u16,
    parameters: BTreeMap<String, String>,
}

impl RecordedRequest {
    pub(super) fn new(
        endpoint: Endpoint,
        tenant: &str,
        authorization: Option<String>,
        parameters: BTreeMap<String, String>,
    ) -> Self {
        Self {
            endpoint,
            tenant: tenant.to_owned(),
            authorization,
            status: 0,
            parameters,
        }
    }

    /// The value of a parameter as it was sent: of `client_secret` and `refresh_token` too.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.get(name).map(String::as_str)
    }

    /// The names of the parameters, in order.
    pub fn parameter_names(&self) -> impl Iterator<Item = &str> {
        self.parameters.keys().map(String::as_str)
    }
}

impl std::fmt::Debug for RecordedRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<_> = self.parameter_names().collect();
        f.debug_struct("RecordedRequest")
            .field("endpoint", &self.endpoint)
            .field("authorization", &self.authorization)
            .field("status", &self.status)
            .field("grant_type", &self.parameter("grant_type"))
            .field("parameters", &names)
            .finish_non_exhaustive()
    }
}
