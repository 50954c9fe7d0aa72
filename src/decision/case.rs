//! What every rule is given.

use super::{Keep, LoggingHooks, LoggingPolicy, NeverLog, Outcome};
use crate::decision::{Exclusion, Quarantine};
use crate::message::{Authenticity, Message, Sensitivity};
use crate::parties::Parties;

/// One mail before the rules.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case<'a> {
    /// The mail.
    pub(super) message: &'a Message,
    /// The directory's answers.
    pub(super) parties: &'a Parties,
    /// The rules' settings.
    pub(super) policy: &'a LoggingPolicy,
    /// Who is never logged.
    pub(super) never_log: &'a NeverLog,
    /// The policy's name and fingerprint.
    pub(super) stamp: &'a str,
    /// The host's part.
    pub(super) hooks: &'a [&'a dyn LoggingHooks],
}

impl Case<'_> {
    /// Whether the policy leaves mail of this sensitivity out.
    pub(super) fn is_private(&self) -> bool {
        let sensitivity = self.message.sensitivity;
        sensitivity != Sensitivity::Normal
            && self.policy.excluded_sensitivities.contains(&sensitivity)
    }

    /// What the policy makes of the sender.
    pub(super) fn authenticity(&self) -> Authenticity {
        self.policy.trust_verdict(self.message).authenticity
    }

    /// Whether a domain is the company's.
    pub(super) fn is_own(&self, domain: &str) -> bool {
        self.policy.own_domains.contains(domain)
    }

    /// How much may be kept. A private mail that another rule stopped is still a private mail.
    pub(super) fn keep(&self, outcome: &Outcome) -> Keep {
        match outcome {
            Outcome::Logged => Keep::Everything,
            _ if self.is_private() => Keep::Reason,
            Outcome::Excluded(
                Exclusion::Private
                | Exclusion::Confidential
                | Exclusion::PrivacyBlocked
                | Exclusion::NeverListed
                | Exclusion::Erased,
            ) => Keep::Reason,
            // Nobody could read whether it is private.
            Outcome::Quarantined(Quarantine::Unreadable | Quarantine::LimitExceeded) => {
                Keep::Reason
            }
            Outcome::NotMatched(_) if self.policy.keep_unmatched_original => Keep::Everything,
            _ => Keep::Metadata,
        }
    }
}
