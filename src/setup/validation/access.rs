//! What the account may do: enough for the job, and no more.

use super::checks::Check;
use super::context::{Context, Judged, ended, not_checked};
use super::findings::{self, Finding};
use super::result::{CheckResult, NotChecked};
use crate::setup::{MailService, SignedIn};

/// The application permission of Office 365 Exchange Online, and the delegated one.
const APPLICATION: &[&str] = &["full_access_as_app"];
const DELEGATED: &[&str] = &["EWS.AccessAsUser.All"];
/// Those of Microsoft Graph: a person needs the second one for a mailbox of somebody else.
const GRAPH_APPLICATION: &[&str] = &["Mail.ReadWrite"];
const GRAPH_DELEGATED: &[&str] = &["Mail.ReadWrite", "Mail.ReadWrite.Shared"];
/// What every sign-in of a person may ask for besides (OpenID Connect Core 1.0, 5.4 and 11).
const IDENTITY: &[&str] = &["openid", "profile", "email", "offline_access"];

impl Context {
    /// Rights that Exchange itself assigns (RBAC for Applications) do not stand in the token, and an identity service on premises
    /// may name permissions as it likes: a missing one only warns, when the service answers all the same.
    pub(super) fn token_permissions(&self) -> Judged {
        let check = Check::TokenPermissions;
        let signed_in = self.signed_in(check)?;
        let held = signed_in.permissions.as_deref();
        let held = held.ok_or_else(|| not_checked(check, NotChecked::NotTold))?;
        let service = self.setup.mail_service;
        let needed = needed(service, signed_in);
        let is_needed = |permission: &str| needed.iter().any(|one| is(permission, one));
        if !held.iter().any(|permission| is_needed(permission)) {
            let (not_told, missing) = findings_of(service);
            let result = if self.facts(check).is_ok() {
                CheckResult::warning(check, not_told)
            } else {
                CheckResult::failed(check, missing)
            };
            return Ok(result.and(needed.join(" or ")));
        }
        let mut extra: Vec<&str> = held.iter().map(String::as_str).collect();
        extra.retain(|one| !is_needed(one) && !IDENTITY.contains(one));
        extra.sort_unstable();
        Ok(match extra.as_slice() {
            [] => CheckResult::passed(check),
            extra => {
                let result = CheckResult::warning(check, &findings::PERMISSION_EXTRA);
                result.and(extra.join(", "))
            }
        })
    }

    pub(super) async fn least_access(&self) -> Judged {
        let check = Check::LeastAccess;
        let other = self.validator.other_mailbox.as_deref();
        let other = other.ok_or_else(|| not_checked(check, NotChecked::NoRole))?;
        let probe = &self.connection(check)?.probe;
        let reads = probe.reads_mailbox(other).await.map_err(ended(check))?;
        match reads {
            Some(true) => Ok(CheckResult::warning(check, &findings::OTHER_MAILBOX)),
            Some(false) => Ok(CheckResult::passed(check)),
            None => Err(not_checked(check, NotChecked::NotTold)),
        }
    }
}

/// The permissions of which one has to be held.
fn needed(service: MailService, signed_in: &SignedIn) -> &'static [&'static str] {
    match (service, signed_in.application) {
        (MailService::Ews, true) => APPLICATION,
        (MailService::Ews, false) => DELEGATED,
        (MailService::Graph, true) => GRAPH_APPLICATION,
        (MailService::Graph, false) => GRAPH_DELEGATED,
    }
}

/// What a missing permission is, where the service answers all the same and where it does not.
fn findings_of(service: MailService) -> (&'static Finding, &'static Finding) {
    match service {
        MailService::Ews => (
            &findings::PERMISSION_NOT_TOLD,
            &findings::PERMISSION_MISSING,
        ),
        MailService::Graph => (
            &findings::GRAPH_PERMISSION_NOT_TOLD,
            &findings::GRAPH_PERMISSION_MISSING,
        ),
    }
}

/// A scope may stand behind its resource, as `https://outlook.office365.com/EWS.AccessAsUser.All`.
fn is(permission: &str, needed: &str) -> bool {
    let name = permission.rsplit('/').next().unwrap_or(permission);
    name.eq_ignore_ascii_case(needed)
}
