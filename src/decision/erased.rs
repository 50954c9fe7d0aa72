//! The decision about a mail that was removed before.

use super::rules::disposition;
use super::{Decision, Exclusion, Keep, Outcome, Stage, Step, Verdict};

impl Decision {
    /// A mail that the store's tombstones bar: not logged, and nothing kept but the reason.
    pub(crate) fn erased(stamp: &str, delete_not_logged: bool) -> Self {
        let outcome = Outcome::Excluded(Exclusion::Erased);
        let words = "It was removed before, or names somebody who is never logged again.";
        let step = Step::new(Stage::Disposition, "privacy.erased", Verdict::Stop, words);
        Self {
            disposition: disposition::of(&outcome, delete_not_logged),
            steps: vec![step],
            keep: Keep::Reason,
            policy: stamp.to_owned(),
            ..Self::ended(outcome)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision::Disposition;

    #[test]
    fn of_a_mail_that_is_barred_only_the_reason_is_kept() {
        let places = [(false, Disposition::NotLogged), (true, Disposition::Delete)];
        for (delete, place) in places {
            let decision = Decision::erased("ours@1", delete);
            let outcome = (decision.outcome.code(), decision.outcome.reason());
            assert_eq!(outcome, ("excluded", "erased"));
            assert_eq!((decision.disposition, decision.keep), (place, Keep::Reason));
            assert_eq!(decision.policy, "ours@1");
            let steps = decision.steps.iter();
            let steps: Vec<_> = steps.map(|it| (&*it.rule, it.verdict)).collect();
            assert_eq!(steps, [("privacy.erased", Verdict::Stop)]);
        }
    }
}
