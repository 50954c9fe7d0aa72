//! The decision about a mail that could not be decided by the rules.

use super::{Decision, Disposition, Keep, Outcome, Quarantine, Stage, Step, Verdict};

impl Decision {
    /// A mail that is set aside for a person, with nothing kept but the reason.
    pub(crate) fn quarantined(stamp: &str, reason: Quarantine) -> Self {
        let detail = match &reason {
            Quarantine::AmbiguousSender => {
                "several authors; which one counts is for a person to say"
            }
            Quarantine::LimitExceeded => "the mail is beyond a limit of reading",
            Quarantine::Unreadable => "the mail cannot be read",
            Quarantine::HookFailed => "a hook of the host failed",
            Quarantine::RowRefused => "the store refused the row",
            Quarantine::AttemptsExhausted => "every attempt failed",
            Quarantine::FoundSetAside => "it lay in the quarantine folder already",
            Quarantine::Host(_) => "a hook of the host set it aside",
        };
        Self {
            steps: vec![Step::new(
                Stage::Disposition,
                "quarantine",
                Verdict::Stop,
                detail,
            )],
            outcome: Outcome::Quarantined(reason),
            entries: Vec::new(),
            flags: Vec::new(),
            disposition: Disposition::Quarantine,
            keep: Keep::Reason,
            create_contacts: Vec::new(),
            policy: stamp.to_owned(),
        }
    }
}
