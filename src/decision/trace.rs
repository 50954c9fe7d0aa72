//! Collects the steps, and knows which of them name people.

use std::borrow::Cow;

use super::{Keep, Stage, Step, Verdict};

/// Stands where a detail may not be kept.
const WITHHELD: &str = "What this rule saw may not be kept.";

/// The steps so far. A step that names anyone is marked, so that it can be withheld when only the reason may be kept.
#[derive(Debug, Default)]
pub(super) struct Trace(Vec<(Step, bool)>);

impl Trace {
    /// A step whose words hold nothing of the mail.
    pub(super) fn plain(
        &mut self,
        stage: Stage,
        rule: impl Into<Cow<'static, str>>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) {
        self.0
            .push((Step::new(stage, rule, verdict, detail), false));
    }

    /// A step whose words name an address, a person or anything else of the mail.
    pub(super) fn naming(
        &mut self,
        stage: Stage,
        rule: impl Into<Cow<'static, str>>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) {
        self.0.push((Step::new(stage, rule, verdict, detail), true));
    }

    /// The steps, without their words where those may not be kept.
    pub(super) fn into_steps(self, keep: Keep) -> Vec<Step> {
        let withhold = keep == Keep::Reason;
        let steps = self.0.into_iter().map(|(mut step, names)| {
            if names && withhold {
                WITHHELD.clone_into(&mut step.detail);
            }
            step
        });
        steps.collect()
    }
}
