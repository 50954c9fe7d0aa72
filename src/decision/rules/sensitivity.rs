//! Mail that its author calls private stays private: nothing after this rule sees it.

use std::ops::ControlFlow;

use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{Exclusion, Outcome, Stage, Verdict};
use crate::message::Sensitivity;

/// Ends the decision for mail of a sensitivity that the policy leaves out.
pub(in crate::decision) fn check(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome> {
    let words = words(case.message.sensitivity);
    if case.is_private() {
        let detail = format!("{words} Only this reason is kept.");
        trace.plain(
            Stage::Sensitivity,
            "sensitivity.excluded",
            Verdict::Stop,
            detail,
        );
        return ControlFlow::Break(Outcome::Excluded(exclusion(case.message.sensitivity)));
    }
    let verdict = match case.message.sensitivity {
        Sensitivity::Normal => Verdict::Pass,
        _ => Verdict::Note,
    };
    trace.plain(Stage::Sensitivity, "sensitivity.logged", verdict, words);
    ControlFlow::Continue(())
}

fn exclusion(sensitivity: Sensitivity) -> Exclusion {
    match sensitivity {
        Sensitivity::Confidential => Exclusion::Confidential,
        Sensitivity::Normal | Sensitivity::Personal | Sensitivity::Private => Exclusion::Private,
    }
}

fn words(sensitivity: Sensitivity) -> &'static str {
    match sensitivity {
        Sensitivity::Normal => "Nobody called it private.",
        Sensitivity::Personal => "Its author marked it personal.",
        Sensitivity::Private => "Its author marked it private.",
        Sensitivity::Confidential => "Its author marked it confidential.",
    }
}
