//! Refusals with Microsoft's numbers, as JSON and as what is sent back through the browser.
//!
//! Numbers from Microsoft, "Microsoft Entra authentication & authorization error codes".

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reply::Reply;

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) status: u16,
    pub(super) error: String,
    pub(super) number: u32,
    text: String,
}

impl Failure {
    pub(super) fn new(error: &str, number: u32, text: impl Into<String>) -> Self {
        Self {
            status: if error == "invalid_client" { 401 } else { 400 },
            error: error.to_owned(),
            number,
            text: text.into(),
        }
    }

    pub(super) fn invalid_request(number: u32, text: impl Into<String>) -> Self {
        Self::new("invalid_request", number, text)
    }

    pub(super) fn invalid_grant(number: u32, text: impl Into<String>) -> Self {
        Self::new("invalid_grant", number, text)
    }

    pub(super) fn invalid_client(number: u32, text: impl Into<String>) -> Self {
        Self::new("invalid_client", number, text)
    }

    pub(super) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::invalid_request(900_144, text)
    }

    pub(super) fn unknown_tenant(tenant: &str) -> Self {
        let text =
            format!("Tenant '{tenant}' not found. Check to make sure you have the correct one.");
        Self::invalid_request(90_002, text)
    }

    pub(super) fn unknown_application(client_id: &str) -> Self {
        let text =
            format!("Application with identifier '{client_id}' was not found in the directory.");
        Self::new("unauthorized_client", 700_016, text)
    }

    /// The description with the number before it and the traces after it.
    pub(super) fn description(&self, trace: &Trace) -> String {
        let Trace {
            id, correlation, ..
        } = trace;
        let (number, text, at) = (self.number, &self.text, trace.time());
        format!(
            "AADSTS{number}: {text} Trace ID: {id} Correlation ID: {correlation} Timestamp: {at}"
        )
    }

    /// The answer of the token endpoint.
    pub(super) fn to_json(&self, trace: &Trace) -> Value {
        json!({
            "error": self.error,
            "error_description": self.description(trace),
            "error_codes": [self.number],
            "timestamp": trace.time(),
            "trace_id": trace.id,
            "correlation_id": trace.correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.number),
        })
    }

    pub(super) fn to_reply(&self, trace: &Trace) -> Reply {
        let body = self.to_json(trace).to_string();
        Reply::new(self.status).with_body(super::service::JSON, body)
    }
}

/// What makes one request findable.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) id: String,
    pub(super) correlation: String,
    pub(super) at: Timestamp,
}

impl Trace {
    pub(super) fn new(number: u64, correlation: Option<&str>, at: Timestamp) -> Self {
        let id = format!("00000000-0000-4000-a000-{number:012x}");
        let correlation = correlation.unwrap_or(&id).to_owned();
        Self {
            id,
            correlation,
            at,
        }
    }

    fn time(&self) -> String {
        self.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
    }
}
