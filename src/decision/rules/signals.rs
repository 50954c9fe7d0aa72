//! Signs of a machine or a list: noted for views, or a reason to leave the mail out.

use std::ops::ControlFlow;

use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{ClassAction, Exclusion, Outcome, Stage, Verdict};
use crate::message::Signal;

/// Ends the decision where the policy leaves such mail out.
pub(in crate::decision) fn check(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome> {
    let signals = &case.message.signals;
    if signals.is_empty() {
        let detail = "Nothing says that a machine or a list sent it.";
        trace.plain(Stage::Signals, "signals.none", Verdict::Pass, detail);
    }
    for signal in signals {
        let (seen, action) = (words(*signal), action(case, *signal));
        if action == ClassAction::Exclude {
            let detail = format!("{seen} The policy leaves those out.");
            trace.plain(Stage::Signals, "signals.excluded", Verdict::Stop, detail);
            return ControlFlow::Break(Outcome::Excluded(exclusion(*signal)));
        }
        let verdict = if action == ClassAction::Flag {
            Verdict::Note
        } else {
            Verdict::Pass
        };
        trace.plain(
            Stage::Signals,
            format!("signals.{}", signal.code()),
            verdict,
            seen,
        );
    }
    ControlFlow::Continue(())
}

/// The codes of the signals that the policy wants flagged.
pub(in crate::decision) fn flags(case: &Case<'_>) -> impl Iterator<Item = &'static str> {
    let signals = case.message.signals.iter().copied();
    let flagged = signals.filter(|signal| action(case, *signal) == ClassAction::Flag);
    flagged.map(Signal::code)
}

fn action(case: &Case<'_>, signal: Signal) -> ClassAction {
    match signal {
        Signal::AutomaticReply | Signal::AutomaticMessage => case.policy.automatic,
        Signal::Bulk | Signal::MailingList => case.policy.bulk,
    }
}

fn exclusion(signal: Signal) -> Exclusion {
    match signal {
        Signal::AutomaticReply | Signal::AutomaticMessage => Exclusion::Automatic,
        Signal::Bulk | Signal::MailingList => Exclusion::Bulk,
    }
}

fn words(signal: Signal) -> &'static str {
    match signal {
        Signal::AutomaticReply => "It is an automatic reply.",
        Signal::AutomaticMessage => "A machine wrote it.",
        Signal::Bulk => "It is bulk mail.",
        Signal::MailingList => "It came through a mailing list.",
    }
}
