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
