//! Who calls, and which mailboxes he reaches (Microsoft, "Microsoft Graph permissions reference", "Role Based Access Control for
//! Applications in Exchange Online").

use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};

use super::problem::Problem;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::ids::mailbox_guid;
use crate::testkit::identity::{Caller, Permissions, TokenAuthority};

/// The scope that lets a user reach mailboxes of others.
const SHARED: &str = "Mail.ReadWrite.Shared";
/// The numbers of mailbox ids begin here, so that they differ from those of public folder mailboxes.
const FIRST_ID: u32 = 1_000_000;

/// The doors of the server.
#[derive(Default)]
pub(super) struct Access {
    pub(super) authority: Option<TokenAuthority>,
    /// Tokens that are let in as they are, with the user of each, or none for an application.
    pub(super) tokens: Vec<(SecretString, Option<String>)>,
    /// The only mailboxes that applications may reach; `None` for all.
    pub(super) app_mailboxes: Option<Vec<String>>,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Visitor {
    Application,
    User { name: String, shared: bool },
}

impl Access {
    /// Judges the bearer token of a request.
    pub(super) fn visitor(&self, headers: &HeaderMap) -> Result<Visitor, Problem> {
        let header = headers.get(AUTHORIZATION);
        let header = header.and_then(|value| value.to_str().ok());
        let (scheme, token) = header
            .and_then(|header| header.split_once(' '))
            .ok_or_else(|| Problem::token(None))?;
        if !scheme.eq_ignore_ascii_case("Bearer") {
            return Err(Problem::token(None));
        }
        let token = token.trim();
        let mut known = self.tokens.iter();
        if let Some((_, user)) = known.find(|(known, _)| known.expose_secret() == token) {
            return Ok(match user {
                None => Visitor::Application,
                Some(name) => Visitor::User {
                    name: name.clone(),
                    shared: true,
                },
            });
        }
        let authority = self.authority.as_ref();
        let authority = authority.ok_or_else(|| {
            Problem::token(Some(crate::testkit::identity::TokenRefusal::InvalidToken))
        })?;
        let bearing = authority
            .judge_for(token, Permissions::GRAPH_MAIL)
            .map_err(|refusal| Problem::token(Some(refusal)))?;
        Ok(match bearing.caller {
            Caller::Application => Visitor::Application,
            Caller::User(name) => Visitor::User {
                name,
                shared: bearing.scopes.iter().any(|scope| scope == SHARED),
            },
        })
    }

    /// The address of the mailbox that a path names, if the visitor reaches it.
    pub(super) fn mailbox(
        &self,
        visitor: &Visitor,
        owner: Option<&str>,
        world: &World,
    ) -> Result<String, Problem> {
        let own = match visitor {
            Visitor::Application => None,
            Visitor::User { name, .. } => world.mailbox(name).map(|one| one.smtp.clone()),
        };
        let Some(owner) = owner else {
            return match visitor {
                Visitor::User { .. } => own.ok_or_else(no_mailbox),
                Visitor::Application => Err(Problem::bad_request(
                    "/me request is only valid with delegated authentication flow.",
                )),
            };
        };
        let smtp = address(owner, world).ok_or_else(|| invalid_user(owner))?;
        match visitor {
            Visitor::Application if self.is_reserved(&smtp) => Err(Problem::access_denied()),
            Visitor::Application => Ok(smtp),
            Visitor::User { .. } if own.as_ref() == Some(&smtp) => Ok(smtp),
            Visitor::User { shared: false, .. } => Err(Problem::access_denied()),
            // A mailbox that was not shared with the user looks as if it had no folders.
            Visitor::User { .. } if world.private => Err(Problem::not_found()),
            Visitor::User { .. } => Ok(smtp),
        }
    }

    fn is_reserved(&self, smtp: &str) -> bool {
        let mailboxes = self.app_mailboxes.as_ref();
        mailboxes.is_some_and(|all| !all.iter().any(|one| one.eq_ignore_ascii_case(smtp)))
    }
}

/// The address of an address or an id.
fn address(owner: &str, world: &World) -> Option<String> {
    if let Some(mailbox) = world.mailbox(owner) {
        return Some(mailbox.smtp.clone());
    }
    let mut ids = world.mailboxes().iter().enumerate();
    let found = ids.find(|(index, _)| user_id(*index).eq_ignore_ascii_case(owner));
    found.map(|(_, mailbox)| mailbox.smtp.clone())
}

/// The object id of the owner of the mailbox of this number.
pub(super) fn user_id(index: usize) -> String {
    mailbox_guid(FIRST_ID.saturating_add(u32::try_from(index).unwrap_or(u32::MAX)))
}

fn invalid_user(owner: &str) -> Problem {
    let text = format!("The requested user '{owner}' is invalid.");
    Problem::new(404, "ErrorInvalidUser", text)
}

fn no_mailbox() -> Problem {
    let text = "The mailbox is either inactive, soft-deleted, or is hosted on-premise.";
    Problem::new(404, "MailboxNotEnabledForRESTAPI", text)
}
