//! From the fields to a service that answers: address, credentials, certificate, clock.

use jiff::SignedDuration;

use super::checks::Check;
use super::context::{Context, Judged, depends_on, not_checked};
use super::findings;
use super::result::{CheckResult, NotChecked};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::exchange_online::EWS_ENDS;
use crate::setup::{AuthenticationType, EwsRetirement, MailService, SetupField};

/// What Microsoft's identity service tolerates between two clocks.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(5);
/// How early the end of a credential is told.
const CREDENTIAL_WARNING: SignedDuration = SignedDuration::from_hours(30 * 24);

impl Context {
    pub(super) fn autodiscovery_address(&self) -> CheckResult {
        let check = Check::AutodiscoveryAddress;
        let address = self.setup.autodiscovery_email_address.as_deref();
        if address.is_none_or(|text| text.trim().is_empty()) {
            return CheckResult::failed(check, &findings::ADDRESS_MISSING);
        }
        match self.setup.check(SetupField::AutodiscoveryEmailAddress) {
            Ok(()) => CheckResult::passed(check),
            Err(error) => CheckResult::error(check, &error),
        }
    }

    pub(super) fn fields(&self) -> CheckResult {
        let violations = self.setup.violations();
        let Some((first, others)) = violations.split_first() else {
            return CheckResult::passed(Check::Fields);
        };
        let result = CheckResult::error(Check::Fields, first);
        others.iter().fold(result, CheckResult::and)
    }

    pub(super) async fn find_service(&mut self) -> CheckResult {
        let connector = &self.validator.connector;
        let service = connector.connect(&self.scope, &self.setup).await;
        let check = Check::Service;
        let result = match &service {
            // The fields lack something: it is told where it belongs.
            Err(error) if is_incomplete(error) => {
                depends_on(check, self.incomplete()).into_result()
            }
            service => of(check, service),
        };
        self.service = Some(service);
        result
    }

    /// The check of what the fields lack where nothing can be connected to: the mailbox, or a sign-in that nobody has made.
    fn incomplete(&self) -> Check {
        let address = self.setup.autodiscovery_email_address.as_deref();
        if address.is_none_or(|text| text.trim().is_empty()) {
            Check::AutodiscoveryAddress
        } else {
            Check::Credentials
        }
    }

    pub(super) async fn credentials(&mut self) -> Judged {
        let check = Check::Credentials;
        if let Some(Err(error)) = &self.service
            && is_incomplete(error)
            && self.incomplete() == check
        {
            return Ok(CheckResult::error(check, error));
        }
        let signed_in = self.service(check)?.probe.sign_in().await;
        let result = of(check, &signed_in);
        self.signed_in = Some(signed_in);
        Ok(result)
    }

    pub(super) fn credential_expiry(&self) -> Judged {
        let check = Check::CredentialExpiry;
        let ends = self.signed_in(check)?.credential_ends;
        let ends = ends.ok_or_else(|| not_checked(check, NotChecked::NotTold))?;
        let left = ends.duration_since(self.began);
        let date = ends.strftime("%Y-%m-%d").to_string();
        Ok(if left.is_negative() || left.is_zero() {
            CheckResult::failed(check, &findings::CREDENTIAL_ENDED).and(date)
        } else if left < CREDENTIAL_WARNING {
            CheckResult::warning(check, &findings::CREDENTIAL_ENDS).and(date)
        } else {
            CheckResult::passed(check).telling(format!("until {date}"))
        })
    }

    pub(super) async fn connect(&mut self) -> Judged {
        let check = Check::Connection;
        self.signed_in(check)?;
        let facts = self.service(check)?.probe.reach().await;
        let mut result = of(check, &facts);
        if let Ok(facts) = &facts {
            result.found.clone_from(&facts.version);
        }
        self.facts = Some(facts);
        Ok(result)
    }

    /// The first certificate that was refused on the way, the identity service's included.
    pub(super) fn tls(&self) -> CheckResult {
        let check = Check::Tls;
        let errors = self.errors();
        let refused = |error: &&&Error| error.code().starts_with(codes::HTTP_TLS.code);
        if let Some(error) = errors.iter().find(refused) {
            return CheckResult::error(check, error);
        }
        let answered =
            |error: &&Error| error.server().is_some_and(|server| server.status.is_some());
        match &self.facts {
            Some(Ok(_)) => CheckResult::passed(check),
            Some(Err(error)) if answered(&error) => CheckResult::passed(check),
            _ => depends_on(check, Check::Connection).into_result(),
        }
    }

    pub(super) fn ews_allowed(&self) -> CheckResult {
        let check = Check::EwsAllowed;
        if self.setup.mail_service == MailService::Graph {
            return CheckResult::not_checked(check, NotChecked::NotApplicable);
        }
        let locked = codes::HTTP_ACCOUNT_LOCKED.code;
        let blocked =
            |error: &&&Error| error.kind() == ErrorKind::Blocked && error.code() != locked;
        let errors = self.errors();
        match errors.iter().find(blocked) {
            Some(error) => CheckResult::error(check, error),
            None if matches!(self.facts, Some(Ok(_))) => CheckResult::passed(check),
            None => depends_on(check, Check::Connection).into_result(),
        }
    }

    pub(super) fn ews_end(&self) -> Judged {
        let check = Check::EwsEnd;
        if !self.facts(check)?.online || self.setup.mail_service == MailService::Graph {
            return Ok(CheckResult::passed(check));
        }
        let days = EWS_ENDS
            .duration_since(self.began)
            .as_hours()
            .div_euclid(24);
        let finding = match EwsRetirement::at(self.began) {
            EwsRetirement::Announced => &findings::EWS_BLOCKED_SOON,
            EwsRetirement::BlockedByDefault | EwsRetirement::Ended => &findings::EWS_ENDS,
        };
        let result = CheckResult::warning(check, finding);
        Ok(if days >= 0 {
            result.and(format!("{days} days are left"))
        } else {
            result.and("it has ended")
        })
    }

    /// OAuth2 tokens of a wrong clock are refused or used too long; Basic works all the same.
    pub(super) fn clock_skew(&self) -> Judged {
        let check = Check::ClockSkew;
        let facts = self.facts(check)?;
        let (Some(theirs), Some(ours)) = (facts.clock, facts.asked_at) else {
            return Err(not_checked(check, NotChecked::NotTold));
        };
        let ahead = ours.duration_since(theirs);
        if ahead.abs() <= CLOCK_SKEW {
            return Ok(CheckResult::passed(check));
        }
        let finding = &findings::CLOCK_SKEW;
        let result = if self.setup.authentication_type == AuthenticationType::Basic {
            CheckResult::warning(check, finding)
        } else {
            CheckResult::failed(check, finding)
        };
        let side = if ahead.is_positive() {
            "ahead"
        } else {
            "behind"
        };
        let seconds = ahead.abs().as_secs();
        Ok(result.and(format!("this machine is {seconds} seconds {side}")))
    }

    /// What went wrong on the way to the service.
    fn errors(&self) -> Vec<&Error> {
        let service = self.service.as_ref().and_then(|found| found.as_ref().err());
        let signed_in = self
            .signed_in
            .as_ref()
            .and_then(|found| found.as_ref().err());
        let facts = self.facts.as_ref().and_then(|found| found.as_ref().err());
        service.into_iter().chain(signed_in).chain(facts).collect()
    }
}

fn is_incomplete(error: &Error) -> bool {
    error.code() == codes::SETUP_INCOMPLETE.code
}

fn of<T>(check: Check, found: &Result<T>) -> CheckResult {
    match found {
        Ok(_) => CheckResult::passed(check),
        Err(error) => CheckResult::error(check, error),
    }
}
