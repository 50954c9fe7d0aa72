//! Where the host's hooks are called, and what keeps a decision sound whatever they answer.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::disposition;
use crate::caught::caught;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{
    Decision, Disposition, HookAnswer, HookError, Keep, Outcome, PartyRole, Quarantine, Stage,
    Step, Verdict,
};
use crate::message::Address;
use crate::parties::AddressParties;

/// How a hook ended the decision before the rules.
#[derive(Debug)]
pub(in crate::decision) enum Taken {
    /// It decided.
    Decided(Box<Decision>),
    /// It failed.
    Failed(Outcome),
}

/// Asks each hook whether it decides the mail itself; the first that does is heard.
pub(in crate::decision) fn before(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Taken> {
    for hook in case.hooks {
        match call(|| hook.before_decision(case.message, case.parties)) {
            Ok(HookAnswer::Continue) => {}
            Ok(HookAnswer::Handled(decision)) => {
                let detail = "A hook of the host decided.";
                trace.plain(Stage::Hook, "hook.decided", Verdict::Stop, detail);
                return ControlFlow::Break(Taken::Decided(Box::new(decision)));
            }
            Err(error) => return ControlFlow::Break(Taken::Failed(failed(&error, trace))),
        }
    }
    ControlFlow::Continue(())
}

/// Asks each hook who an address is; the first that knows is heard.
pub(super) fn identify(
    case: &Case<'_>,
    role: PartyRole,
    address: &Address,
    parties: &AddressParties,
    trace: &mut Trace,
) -> ControlFlow<Outcome, HookAnswer<AddressParties>> {
    for hook in case.hooks {
        match call(|| hook.identify(role, address, parties)) {
            Ok(HookAnswer::Continue) => {}
            Ok(handled) => {
                let detail = format!("A hook of the host said who {address} is.");
                trace.naming(Stage::Hook, "hook.identified", Verdict::Note, detail);
                return ControlFlow::Continue(handled);
            }
            Err(error) => return ControlFlow::Break(failed(&error, trace)),
        }
    }
    ControlFlow::Continue(HookAnswer::Continue)
}

/// Calls a hook. One that panics has failed, and whatever it changed is dropped as of one that fails.
fn call<T>(hook: impl FnOnce() -> Result<T, HookError>) -> Result<T, HookError> {
    caught(hook).unwrap_or_else(|| Err(HookError("it panicked".to_owned())))
}

/// Takes over what a hook decided. Its disposition and what it keeps are the host's word, but a private mail that is
/// not logged keeps only its reason, without the hook's own steps.
pub(in crate::decision) fn accept(
    case: &Case<'_>,
    mut decision: Decision,
    trace: Trace,
) -> Decision {
    if case.is_private() && decision.outcome != Outcome::Logged {
        decision.keep = Keep::Reason;
    }
    if decision.policy.is_empty() {
        case.stamp.clone_into(&mut decision.policy);
    }
    let mut steps = trace.into_steps(decision.keep);
    if decision.keep != Keep::Reason {
        steps.append(&mut decision.steps);
    }
    decision.steps = steps;
    sound(decision)
}

/// Lets each hook change what the rules decided.
pub(in crate::decision) fn after(case: &Case<'_>, mut decision: Decision) -> Decision {
    for hook in case.hooks {
        let before = decision.clone();
        if let Err(error) = call(|| hook.after_decision(case.message, &mut decision)) {
            return quarantine(case, before, &error);
        }
        if before.keep == Keep::Reason && decision.keep == Keep::Reason {
            decision.steps = before.steps;
        }
    }
    if case.hooks.is_empty() {
        return decision;
    }
    let decision = sound(decision);
    if case.is_private() && decision.outcome != Outcome::Logged {
        private(decision)
    } else {
        decision
    }
}

/// Whatever a hook wished: of private mail that is not logged only the reason is kept.
fn private(mut decision: Decision) -> Decision {
    decision.keep = Keep::Reason;
    decision.flags.clear();
    decision.steps.retain(|step| step.stage < Stage::Sender);
    decision
}

fn quarantine(case: &Case<'_>, mut decision: Decision, error: &HookError) -> Decision {
    let mut trace = Trace::default();
    decision.outcome = failed(error, &mut trace);
    if decision.keep != Keep::Reason {
        decision.keep = case.keep(&decision.outcome);
    }
    decision.disposition = disposition::check(case, &decision.outcome, &mut trace);
    decision.steps.extend(trace.into_steps(decision.keep));
    sound(decision)
}

/// A hook's words are promised to hold no mail content; where only the reason is kept, they are withheld all the same.
fn failed(error: &HookError, trace: &mut Trace) -> Outcome {
    let detail = format!("A hook of the host failed: {error}.");
    trace.naming(Stage::Hook, "hook.failed", Verdict::Stop, detail);
    Outcome::Quarantined(Quarantine::HookFailed)
}

/// Restores what every decision promises: entries exactly where it is logged, each pair once, notes sorted.
fn sound(mut decision: Decision) -> Decision {
    if decision.outcome == Outcome::Logged && decision.entries.is_empty() {
        decision.outcome = Outcome::Quarantined(Quarantine::HookFailed);
        decision.disposition = disposition::of(&decision.outcome, false);
        decision.keep = decision.keep.min(Keep::Metadata);
        let detail = "A hook of the host called the mail logged, without an entry.";
        let step = Step::new(Stage::Hook, "hook.no-entry", Verdict::Stop, detail);
        decision.steps.push(step);
    }
    if decision.outcome == Outcome::Logged {
        // What is logged is kept with its original, and leaves the queue for the storage folder.
        decision.keep = Keep::Everything;
        if decision.disposition != Disposition::Leave {
            decision.disposition = Disposition::Storage;
        }
    } else {
        decision.entries.clear();
    }
    if decision.keep == Keep::Reason || decision.outcome == Outcome::Logged {
        decision.create_contacts.clear();
    }
    each_once(&mut decision);
    decision
}

fn each_once(decision: &mut Decision) {
    let mut seen = BTreeSet::new();
    decision.entries.retain(|entry| {
        let (contact, salesperson) = entry.pair();
        seen.insert((
            contact.clone(),
            salesperson.clone(),
            entry.flow,
            entry.occurrence,
        ))
    });
    let notes = decision.entries.iter_mut().map(|entry| &mut entry.flags);
    for flags in notes.chain([&mut decision.flags]) {
        flags.sort_unstable();
        flags.dedup();
    }
}
