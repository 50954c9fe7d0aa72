//! What Exchange's response codes mean for this crate: the one table.
//!
//! Owns the classes, which class a code is of, and what may help. Knows nothing of requests and of waiting.
//!
//! Exchange SE lists 521 codes, servers send others too. A code that is not in the table is an unknown one: it is taken for
//! transient, so that the item stays where it is and is tried again a few times. Of the 521 codes 297 are
//! [unexpected](Class::Unexpected): they belong to operations that this crate never asks for, and each is one row of the table
//! all the same, with one meaning for all of them: the answer is none to what was asked, and nothing is repeated. What an
//! HTTP status means stands in [`status`].

mod expected;
pub(super) mod status;
mod unexpected;

use crate::error::{Code, Error, ServerContext, codes as errors};
use expected::EXPECTED;
use unexpected::UNEXPECTED;

/// What a code means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// No error.
    Fine,
    /// The server wants to be left alone; nothing was done.
    Busy,
    /// As `Busy`, because more requests are open than the server allows.
    Crowded,
    /// The server could not do it now.
    Transient,
    /// The server does not speak the version that was asked for.
    Version,
    /// The item was not reached because the batch was stopped before.
    Untouched,
    /// The item is not there, or may not be seen.
    Gone,
    /// The folder is not there, or may not be seen.
    FolderGone,
    /// A right is missing.
    Denied,
    /// The server cannot render the original, but may know the facts.
    NoOriginal,
    /// The server cannot give the item at all.
    Damaged,
    /// Larger than the server allows.
    TooLarge,
    /// A property was asked for that this kind of item does not have.
    Property,
    /// There is no room.
    Quota,
    /// The mailbox cannot be used.
    Mailbox,
    /// The mailbox has no licence.
    Unlicensed,
    /// The account may not act for the mailbox.
    Impersonation,
    /// The account cannot sign in, whatever is sent along.
    SignIn,
    /// The server, the mailbox or the folder needs an administrator.
    Administrator,
    /// The item was not moved, for a reason that may pass.
    MoveFailed,
    /// The server does not move between these two places.
    MoveRefused,
    /// A folder of this name exists.
    Exists,
    /// The name could not be resolved.
    NoName,
    /// Several names match; the answer holds them.
    SeveralNames,
    /// The way of access is switched off.
    Blocked,
    /// The request breaks the schema.
    Schema,
    /// The request was refused as it stands.
    Refused,
    /// A code of the schema that answers nothing that this crate asks for.
    Unexpected,
    /// Not in the table.
    Unknown,
}

/// The numbers of `x-ms-diagnostics` in an answer to a token (MS-XOAUTH).
const DIAGNOSTICS: [(&str, &Code); 9] = [
    ("2000000", &errors::EWS_TOKEN_SIGNATURE),
    ("2000001", &errors::EWS_TOKEN_INVALID),
    ("2000002", &errors::EWS_TOKEN_EXPIRED),
    ("2000003", &errors::EWS_TOKEN_RESOURCE),
    ("2000004", &errors::EWS_TOKEN_TENANT),
    ("2000005", &errors::EWS_TOKEN_USER),
    ("2000006", &errors::EWS_TOKEN_CLIENT),
    ("2000007", &errors::EWS_TOKEN_SERVICE),
    ("2000008", &errors::EWS_TOKEN_GRANT),
];

/// What a number of `x-ms-diagnostics`, with or without its category, says about the token.
pub(super) fn token_code(diagnostics: &str) -> Option<&'static Code> {
    let number = diagnostics.split(' ').next();
    let mut known = DIAGNOSTICS.iter();
    let found = known.find(|(known, _)| Some(*known) == number);
    found.map(|(_, code)| *code)
}

/// Whether a server's words say that EWS is switched off for the tenant, the mailbox or the application. No code says so:
/// EWSEnabled, EwsAllowedAppIDs and EwsApplicationAccessPolicy are told in text.
pub(super) fn says_blocked(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let mut words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let about = words.any(|word| word == "ews") || has(&["exchange web services"]);
    let settings = [
        "ewsenabled",
        "ewsallowedappids",
        "ewsapplicationaccesspolicy",
    ];
    has(&settings) || about && has(&["disabled", "blocked", "not enabled", "not allowed"])
}

/// What this code means.
pub(super) fn classify(code: &str) -> Class {
    let mut expected = EXPECTED.iter();
    match expected.find(|(_, known)| known.contains(&code)) {
        Some((class, _)) => *class,
        None if UNEXPECTED.contains(&code) => Class::Unexpected,
        None => Class::Unknown,
    }
}

/// What may help after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chance {
    /// Nothing.
    None,
    /// An older schema version. Nothing was done.
    OlderVersion,
    /// Waiting. Nothing was done.
    Wait,
    /// Asking again, if the request changes nothing: what was done is not known.
    Repeat,
}

impl Class {
    /// What may help where the whole request was answered so.
    pub(super) fn chance(self) -> Chance {
        match self {
            Self::Busy | Self::Crowded => Chance::Wait,
            Self::Version => Chance::OlderVersion,
            Self::Transient | Self::Untouched | Self::Unknown => Chance::Repeat,
            _ => Chance::None,
        }
    }

    /// The line of the public table.
    pub(super) fn code(self) -> &'static Code {
        match self {
            Self::Busy | Self::Crowded => &errors::EWS_THROTTLED,
            Self::Transient | Self::Untouched => &errors::EWS_UNAVAILABLE,
            Self::Version => &errors::EWS_VERSION,
            Self::Gone => &errors::EWS_NOT_FOUND,
            Self::FolderGone => &errors::EWS_FOLDER_NOT_FOUND,
            Self::Denied => &errors::EWS_ACCESS_DENIED,
            Self::NoOriginal | Self::Damaged => &errors::EWS_ITEM_DAMAGED,
            Self::TooLarge => &errors::EWS_ITEM_TOO_LARGE,
            Self::Quota => &errors::EWS_QUOTA,
            Self::Mailbox => &errors::EWS_MAILBOX,
            Self::Unlicensed => &errors::EWS_MAILBOX_UNLICENSED,
            Self::Impersonation => &errors::EWS_IMPERSONATION,
            Self::SignIn => &errors::EWS_SIGN_IN,
            Self::Administrator => &errors::EWS_ADMINISTRATOR,
            Self::Unexpected => &errors::EWS_UNEXPECTED_CODE,
            Self::MoveFailed | Self::MoveRefused => &errors::EWS_MOVE_FAILED,
            Self::NoName | Self::SeveralNames => &errors::EWS_NAME_RESOLUTION,
            Self::Blocked => &errors::EWS_BLOCKED,
            Self::Schema => &errors::EWS_SCHEMA,
            Self::Refused | Self::Property | Self::Exists => &errors::EWS_REQUEST,
            Self::Fine | Self::Unknown => &errors::EWS_UNKNOWN_CODE,
        }
    }

    /// An error that names the server's own code.
    pub(super) fn error(
        self,
        operation: &'static str,
        code: &str,
        mut server: ServerContext,
    ) -> Error {
        let code: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .take(80)
            .collect();
        server.response_code = Some(code.clone());
        Error::new(self.code(), operation)
            .with_detail(code)
            .with_server(server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn a_block_of_ews_is_recognised_by_its_words() {
        for (text, blocked) in [
            ("EWS is disabled for this organization.", true),
            (
                "2000008;reason=\"Application is not in EwsAllowedAppIDs\"",
                true,
            ),
            (
                "Exchange Web Services are not enabled for the mailbox",
                true,
            ),
            ("EwsEnabled", true),
            ("Reviews are disabled", false),
            ("2000002;reason=\"The token has expired\"", false),
            ("", false),
        ] {
            assert_eq!(says_blocked(text), blocked, "{text}");
        }
    }

    #[test]
    fn every_code_stands_once_and_an_unknown_one_survives() {
        let expected = EXPECTED.iter().flat_map(|(_, codes)| *codes);
        let all: Vec<_> = expected.chain(UNEXPECTED).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        assert_eq!(distinct.len(), all.len());
        assert_eq!(classify("ErrorOfTomorrow"), Class::Unknown);
        let error = classify("ErrorOfTomorrow").error(
            "GetItem",
            "ErrorOfTomorrow",
            ServerContext::default(),
        );
        assert_eq!(
            (error.code(), error.is_transient()),
            ("ews.unknown_code", true)
        );
        assert_eq!(error.detail(), Some("ErrorOfTomorrow"));
    }
}
