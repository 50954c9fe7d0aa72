//! What a refusal of the identity service means for this crate: the one table.
//!
//! The service's own description may name people and applications, so that only its number is kept.

use oauth2::RequestTokenError;
use oauth2::basic::BasicErrorResponse;

use crate::error::{Code, Error, codes};

/// Microsoft's numbers (Microsoft, "Microsoft Entra authentication and authorization error codes"). A number that does not
/// stand here is taken by the name of its error.
const NUMBERS: &[(u32, &Code)] = &[
    (7_000_215, &codes::OAUTH_SECRET_WRONG),
    (7_000_216, &codes::CREDENTIAL_MISSING),
    (7_000_218, &codes::CREDENTIAL_MISSING),
    (7_000_222, &codes::OAUTH_SECRET_EXPIRED),
    (700_027, &codes::OAUTH_CERTIFICATE_REFUSED),
    (7_000_214, &codes::OAUTH_CERTIFICATE_REFUSED),
    (50_013, &codes::OAUTH_CERTIFICATE_REFUSED),
    (700_024, &codes::OAUTH_CLOCK),
    (700_016, &codes::OAUTH_APP_UNKNOWN),
    (700_038, &codes::OAUTH_APP_UNKNOWN),
    (7_000_112, &codes::OAUTH_APP_DISABLED),
    (65_001, &codes::OAUTH_CONSENT_MISSING),
    (65_005, &codes::OAUTH_CONSENT_MISSING),
    (650_056, &codes::OAUTH_CONSENT_MISSING),
    (7_000_229, &codes::OAUTH_CONSENT_MISSING),
    (65_004, &codes::OAUTH_CONSENT_DECLINED),
    (90_093, &codes::OAUTH_NOT_ADMINISTRATOR),
    (90_094, &codes::OAUTH_NOT_ADMINISTRATOR),
    (90_095, &codes::OAUTH_NOT_ADMINISTRATOR),
    (90_002, &codes::OAUTH_TENANT_UNKNOWN),
    (900_023, &codes::OAUTH_TENANT_UNKNOWN),
    (50_059, &codes::OAUTH_TENANT_UNKNOWN),
    (50_020, &codes::OAUTH_TENANT_MISMATCH),
    (50_072, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_074, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_076, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_079, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_097, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_158, &codes::OAUTH_CONDITIONAL_ACCESS),
    (53_000, &codes::OAUTH_CONDITIONAL_ACCESS),
    (53_001, &codes::OAUTH_CONDITIONAL_ACCESS),
    (53_002, &codes::OAUTH_CONDITIONAL_ACCESS),
    (53_003, &codes::OAUTH_CONDITIONAL_ACCESS),
    (53_004, &codes::OAUTH_CONDITIONAL_ACCESS),
    (50_078, &codes::OAUTH_REAUTH),
    (50_089, &codes::OAUTH_REAUTH),
    (50_132, &codes::OAUTH_REAUTH),
    (50_133, &codes::OAUTH_REAUTH),
    (50_173, &codes::OAUTH_REAUTH),
    (54_005, &codes::OAUTH_REAUTH),
    (70_008, &codes::OAUTH_REAUTH),
    (70_043, &codes::OAUTH_REAUTH),
    (700_082, &codes::OAUTH_REAUTH),
    (700_084, &codes::OAUTH_REAUTH),
    (50_034, &codes::OAUTH_ACCOUNT),
    (50_053, &codes::OAUTH_ACCOUNT),
    (50_055, &codes::OAUTH_ACCOUNT),
    (50_057, &codes::OAUTH_ACCOUNT),
    (50_105, &codes::OAUTH_ACCOUNT),
    (50_011, &codes::OAUTH_REDIRECT),
    (70_011, &codes::OAUTH_SCOPE),
    (500_011, &codes::OAUTH_SCOPE),
    (500_014, &codes::OAUTH_SCOPE),
    (1_002_012, &codes::OAUTH_SCOPE),
    (50_196, &codes::HTTP_THROTTLED),
    (90_033, &codes::HTTP_UNAVAILABLE),
];

/// Names of errors (RFC 6749, 4.1.2.1 and 5.2; OpenID Connect Core, 3.1.2.6).
const NAMES: &[(&str, &Code)] = &[
    ("access_denied", &codes::OAUTH_CONSENT_DECLINED),
    ("consent_required", &codes::OAUTH_CONSENT_MISSING),
    ("interaction_required", &codes::OAUTH_REAUTH),
    ("login_required", &codes::OAUTH_REAUTH),
    ("invalid_scope", &codes::OAUTH_SCOPE),
    ("invalid_target", &codes::OAUTH_SCOPE),
    ("invalid_resource", &codes::OAUTH_SCOPE),
    ("temporarily_unavailable", &codes::HTTP_UNAVAILABLE),
    ("server_error", &codes::HTTP_UNAVAILABLE),
];

/// What was asked for when the refusal came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// A token for the application itself.
    Application,
    /// A person's grant: a code or a refresh token, of which `invalid_grant` says that it is used up.
    Person,
}

/// The error of a refusal: name and number, never the description.
pub(super) fn refusal(
    operation: &'static str,
    stage: Stage,
    name: &str,
    description: Option<&str>,
) -> Error {
    let mut detail = name.to_owned();
    detail.retain(|c| c.is_ascii_alphanumeric() || c == '_');
    detail.truncate(60);
    let number = description.and_then(number_of);
    let by_number = number.and_then(code_of);
    let code = by_number.unwrap_or_else(|| by_name(stage, name));
    let detail = match number {
        Some(number) => format!("{detail} AADSTS{number}"),
        None => detail,
    };
    Error::new(code, operation).with_detail(detail)
}

/// The error of a request for a token.
pub(super) fn token_error(
    operation: &'static str,
    stage: Stage,
    error: RequestTokenError<Error, BasicErrorResponse>,
) -> Error {
    match error {
        RequestTokenError::ServerResponse(answer) => {
            let description = answer.error_description().map(String::as_str);
            refusal(operation, stage, answer.error().as_ref(), description)
        }
        RequestTokenError::Request(error) => error,
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            Error::new(&codes::OAUTH_TOKEN_INVALID, operation)
        }
    }
}

fn code_of(number: u32) -> Option<&'static Code> {
    let known = NUMBERS.iter().find(|(known, _)| *known == number);
    known.map(|(_, code)| *code)
}

fn by_name(stage: Stage, name: &str) -> &'static Code {
    if name == "invalid_grant" && stage == Stage::Person {
        return &codes::OAUTH_REAUTH;
    }
    let known = NAMES.iter().find(|(known, _)| *known == name);
    known.map_or(&codes::OAUTH_TOKEN_REFUSED, |(_, code)| *code)
}

/// Microsoft's number of the refusal: the digits after `AADSTS`.
fn number_of(description: &str) -> Option<u32> {
    let (_, rest) = description.split_once("AADSTS")?;
    let length = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest.get(..length)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_number_stands_once() {
        let distinct: BTreeSet<_> = NUMBERS.iter().map(|(number, _)| number).collect();
        assert_eq!(distinct.len(), NUMBERS.len());
    }

    #[test]
    fn a_number_decides_then_the_name_and_no_description_is_kept() {
        for (stage, name, description, code, detail) in [
            (
                Stage::Application,
                "invalid_client",
                Some("AADSTS7000222: canary"),
                "oauth.secret_expired",
                "invalid_client AADSTS7000222",
            ),
            (
                Stage::Application,
                "invalid_client",
                Some("canary"),
                "oauth.token_refused",
                "invalid_client",
            ),
            (
                Stage::Application,
                "invalid_grant",
                None,
                "oauth.token_refused",
                "invalid_grant",
            ),
            (
                Stage::Person,
                "invalid_grant",
                None,
                "oauth.reauth",
                "invalid_grant",
            ),
            (
                Stage::Person,
                "invalid_grant",
                Some("AADSTS50076: canary"),
                "oauth.conditional_access",
                "invalid_grant AADSTS50076",
            ),
            (
                Stage::Person,
                "ca\u{1b}[nary@x",
                Some("AADSTS99999999999999"),
                "oauth.token_refused",
                "canaryx",
            ),
        ] {
            let error = refusal("AppSignIn", stage, name, description);
            assert_eq!((error.code(), error.detail()), (code, Some(detail)));
        }
    }
}
