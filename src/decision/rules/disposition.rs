//! Where the mail goes. Deleting is only ever what the policy asks for.

use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{Disposition, Outcome, Stage, Verdict};

/// Finds the place for an outcome.
pub(in crate::decision) fn check(
    case: &Case<'_>,
    outcome: &Outcome,
    trace: &mut Trace,
) -> Disposition {
    let disposition = of(outcome, case.policy.delete_not_logged);
    let rule = match disposition {
        Disposition::Storage => "disposition.storage",
        Disposition::NotLogged => "disposition.not-logged",
        Disposition::Quarantine => "disposition.quarantine",
        Disposition::Leave => "disposition.leave",
        Disposition::Delete => "disposition.delete",
    };
    trace.plain(Stage::Disposition, rule, Verdict::Pass, words(disposition));
    disposition
}

/// The place for an outcome. What a person must look at is never deleted.
pub(in crate::decision) fn of(outcome: &Outcome, delete_not_logged: bool) -> Disposition {
    match outcome {
        Outcome::Logged => Disposition::Storage,
        Outcome::Quarantined(_) => Disposition::Quarantine,
        Outcome::NotMatched(_) | Outcome::Excluded(_) if delete_not_logged => Disposition::Delete,
        Outcome::NotMatched(_) | Outcome::Excluded(_) => Disposition::NotLogged,
    }
}

fn words(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Storage => "It goes to the storage folder.",
        Disposition::NotLogged => "It goes to the folder for mail that is not logged.",
        Disposition::Quarantine => "It is set aside for a person.",
        Disposition::Leave => "It stays in the queue.",
        Disposition::Delete => "The policy deletes mail that is not logged from the queue.",
    }
}
