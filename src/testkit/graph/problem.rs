//! What Graph answers when it cannot do what it was asked: the OData error (Microsoft, "Microsoft Graph error responses").

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Value, json};

use crate::testkit::identity::TokenRefusal;

/// An error: status, code, text, and how long the client must wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) code: Cow<'static, str>,
    pub(super) message: Cow<'static, str>,
    pub(super) retry_after: Option<Duration>,
    /// What WWW-Authenticate says beyond the scheme.
    pub(super) challenge: Option<String>,
}

const CHALLENGE: &str = "Bearer realm=\"\", \
    authorization_uri=\"https://login.microsoftonline.com/common/oauth2/authorize\", \
    client_id=\"00000003-0000-0000-c000-000000000000\"";
/// `{"access_token":{"nbf":{"essential":true,"value":"1704070800"}}}` in base64.
const CLAIMS: &str =
    "eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxNzA0MDcwODAwIn19fQ==";

impl Problem {
    pub(super) fn new(
        status: u16,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.retry_after = wait;
        self
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// A query option that cannot be understood.
    pub(super) fn uri(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "RequestBroker--ParseUri", message)
    }

    pub(super) fn unknown_property(name: &str, kind: &str) -> Self {
        Self::uri(format!(
            "Could not find a property named '{name}' on type 'Microsoft.OutlookServices.{kind}'."
        ))
    }

    pub(super) fn malformed_id() -> Self {
        Self::new(400, "ErrorInvalidIdMalformed", "Id is malformed.")
    }

    pub(super) fn not_found() -> Self {
        let text = "The specified object was not found in the store.";
        Self::new(404, "ErrorItemNotFound", text)
    }

    pub(super) fn access_denied() -> Self {
        let text = "Access is denied. Check credentials and try again.";
        Self::new(403, "ErrorAccessDenied", text)
    }

    pub(super) fn throttled(wait: Option<Duration>) -> Self {
        let text = "Application is over its MailboxConcurrency limit.";
        Self::new(429, "ApplicationThrottled", text).with_retry_after(wait)
    }

    /// HTTP 401 for a token that is missing or not good.
    pub(super) fn token(refusal: Option<TokenRefusal>) -> Self {
        let text = match refusal {
            None => "Access token is empty.",
            Some(TokenRefusal::TokenExpired) => "Lifetime validation failed, the token is expired.",
            Some(TokenRefusal::InvalidResource) => {
                "Access token validation failure. Invalid audience."
            }
            Some(TokenRefusal::InvalidSignature) => {
                "Access token validation failure. Signature is invalid."
            }
            Some(TokenRefusal::InvalidGrant) => return Self::access_denied(),
            Some(_) => "Access token validation failure.",
        };
        let mut problem = Self::new(401, "InvalidAuthenticationToken", text);
        problem.challenge = Some(CHALLENGE.to_owned());
        problem
    }

    /// HTTP 401 that asks for a token with more claims (Microsoft, "Claims challenges").
    pub(super) fn claims_challenge() -> Self {
        let text = "Continuous access evaluation resulted in challenge with result: InteractionRequired \
                    and code: TokenIssuedBeforeRevocationTimestamp";
        let mut problem = Self::new(401, "InvalidAuthenticationToken", text);
        problem.challenge = Some(format!(
            "{CHALLENGE}, error=\"insufficient_claims\", claims=\"{CLAIMS}\""
        ));
        problem
    }

    /// The status that Graph gives with a code of the store.
    pub(super) fn of_store(code: &str) -> Self {
        let status = match code {
            "ErrorItemNotFound" => 404,
            "ErrorAccessDenied" => 403,
            "ErrorFolderExists" => 409,
            "ErrorServerBusy" | "ErrorMailboxStoreUnavailable" => 503,
            "ErrorQuotaExceeded" => 507,
            _ => 500,
        };
        let text = "The request could not be completed.";
        Self::new(status, code.to_owned(), text)
    }

    /// The body of the answer.
    pub(super) fn body(&self, request_id: &str, date: &str) -> Value {
        json!({"error": {
            "code": self.code,
            "message": self.message,
            "innerError": {
                "date": date,
                "request-id": request_id,
                "client-request-id": request_id,
            },
        }})
    }
}
