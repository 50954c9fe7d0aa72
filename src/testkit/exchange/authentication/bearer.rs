//! Bearer tokens, judged and refused as Exchange Online does.
//!
//! Numbers and categories of `x-ms-diagnostics` from Exchange Online's 401 answers; HTTP 403 for a tenant that has
//! switched EWS off from Microsoft's announcements of `EWSEnabled`.

use std::sync::Mutex;

use hyper::HeaderMap;
use hyper::header::{HeaderName, WWW_AUTHENTICATE};

use super::super::lock;
use super::super::reply::Reply;
use super::Verdict;
use crate::testkit::identity::{Caller, TokenAuthority, TokenRefusal};

const DIAGNOSTICS: HeaderName = HeaderName::from_static("x-ms-diagnostics");
const ANCHOR: &str = "x-anchormailbox";
const CHALLENGE: &str = "Bearer client_id=\"00000002-0000-0ff1-ce00-000000000000\", \
                         trusted_issuers=\"00000001-0000-0000-c000-000000000000@*\", \
                         token_types=\"app_asserted_user_v1 service_asserted_app_v1\"";

const BLOCKED: &str = "2000008;reason=\"EWS is disabled: EWSEnabled or EwsAllowedAppIDs does not allow the \
                       application.\";error_category=\"invalid_grant\"";

/// How a tenant answers that has switched EWS off, or that does not allow the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EwsBlock {
    /// HTTP 403 with an empty body.
    Forbidden,
    /// HTTP 403 whose `x-ms-diagnostics` names EWSEnabled and EwsAllowedAppIDs; the wording is not Microsoft's, which
    /// no source shows.
    ForbiddenWithReason,
    /// HTTP 401 without diagnostics, however good the token is.
    Unauthorized,
}

/// Judges bearer tokens.
pub(crate) struct Bearer {
    authority: TokenAuthority,
    /// The only mailboxes that an application may impersonate; `None` for all.
    app_mailboxes: Option<Vec<String>>,
    block: Mutex<Option<EwsBlock>>,
}

/// Why a call with a token is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    Token(TokenRefusal),
    Block(EwsBlock),
}

impl Bearer {
    pub(crate) fn new(authority: TokenAuthority, app_mailboxes: Option<Vec<String>>) -> Self {
        Self {
            authority,
            app_mailboxes,
            block: Mutex::new(None),
        }
    }

    pub(crate) fn set_block(&self, block: Option<EwsBlock>) {
        *lock(&self.block) = block;
    }

    /// Judges a token; an application must say in `X-AnchorMailbox` where to go.
    pub(super) fn check(&self, token: &str, headers: &HeaderMap) -> Verdict {
        let caller = match self.authority.judge(token) {
            Ok(caller) => caller,
            Err(refusal) => return Verdict::Denied(Denial::Token(refusal)),
        };
        if let Some(block) = *lock(&self.block) {
            return Verdict::Denied(Denial::Block(block));
        }
        match caller {
            Caller::User(user) => Verdict::Accepted { user },
            Caller::Application if headers.contains_key(ANCHOR) => Verdict::AcceptedApplication,
            Caller::Application => Verdict::Denied(Denial::Token(TokenRefusal::InvalidUser)),
        }
    }

    /// Whether an application may act in the name of this mailbox.
    pub(crate) fn may_impersonate(&self, smtp: &str) -> bool {
        let mailboxes = self.app_mailboxes.as_ref();
        mailboxes.is_none_or(|all| all.iter().any(|one| one.eq_ignore_ascii_case(smtp)))
    }
}

impl Denial {
    pub(crate) fn reply(self) -> Reply {
        match self {
            Self::Block(EwsBlock::Forbidden) => Reply::new(403),
            Self::Block(EwsBlock::ForbiddenWithReason) => {
                Reply::new(403).with_header(DIAGNOSTICS, BLOCKED)
            }
            Self::Block(EwsBlock::Unauthorized) => {
                Reply::new(401).with_header(WWW_AUTHENTICATE, CHALLENGE)
            }
            Self::Token(refusal) => {
                let (number, category, reason) = diagnosis(refusal);
                let text = format!("{number};reason=\"{reason}\";error_category=\"{category}\"");
                Reply::new(401)
                    .with_header(
                        WWW_AUTHENTICATE,
                        format!("{CHALLENGE}, error=\"invalid_token\""),
                    )
                    .with_header(DIAGNOSTICS, text)
            }
        }
    }
}

fn diagnosis(refusal: TokenRefusal) -> (u32, &'static str, &'static str) {
    match refusal {
        TokenRefusal::InvalidSignature => (
            2_000_000,
            "invalid_signature",
            "The token has an invalid signature.",
        ),
        TokenRefusal::InvalidToken => (2_000_001, "invalid_token", "The token is invalid."),
        TokenRefusal::TokenExpired => (2_000_002, "token_expired", "The access token has expired."),
        TokenRefusal::InvalidResource => (
            2_000_003,
            "invalid_resource",
            "The audience claim value is invalid.",
        ),
        TokenRefusal::InvalidTenant => (
            2_000_004,
            "invalid_tenant",
            "The tenant of the token is unknown.",
        ),
        TokenRefusal::InvalidUser => (
            2_000_005,
            "invalid_user",
            "The user specified by the user-context in the token does not exist.",
        ),
        TokenRefusal::InvalidGrant => (
            2_000_008,
            "invalid_grant",
            "The token contains no permissions, or permissions can not be understood.",
        ),
    }
}
