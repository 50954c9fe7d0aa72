//! The rules, in their order.

use std::ops::ControlFlow;

use super::case::Case;
use super::rules::{self, Ruling};
use super::trace::Trace;
use super::{Decision, LoggingHooks, LoggingPolicy, NeverLog, Outcome, flags};
use crate::message::{Message, MessageFlag};
use crate::parties::Parties;

/// Decides what becomes of a mail.
///
/// Pure: the same message, parties, policy and hooks give the same decision, whatever the batch or the time, and the
/// order of candidates and recipients changes at most the order of the entries.
pub fn decide(
    message: &Message,
    parties: &Parties,
    policy: &LoggingPolicy,
    hooks: &[&dyn LoggingHooks],
) -> Decision {
    let never_log = &policy.never_log;
    decide_as(
        message,
        parties,
        policy,
        (never_log, &policy.stamp()),
        hooks,
    )
}

/// Decides with never-log lists in place of the policy's, and a stamp that was made before: it costs more than the rules
/// themselves.
pub(crate) fn decide_as(
    message: &Message,
    parties: &Parties,
    policy: &LoggingPolicy,
    (never_log, stamp): (&NeverLog, &str),
    hooks: &[&dyn LoggingHooks],
) -> Decision {
    let case = Case {
        message,
        parties,
        policy,
        never_log,
        stamp,
        hooks,
    };
    let mut trace = Trace::default();
    let ruling = match rules::hook::before(&case, &mut trace) {
        ControlFlow::Break(rules::hook::Taken::Decided(decision)) => {
            return rules::hook::accept(&case, *decision, trace);
        }
        ControlFlow::Break(rules::hook::Taken::Failed(outcome)) => Ruling::ended(outcome),
        ControlFlow::Continue(()) => apply(&case, &mut trace),
    };
    rules::hook::after(&case, conclude(&case, ruling, trace))
}

/// Runs the rules until one ends it.
fn apply(case: &Case<'_>, trace: &mut Trace) -> Ruling {
    match run(case, trace) {
        ControlFlow::Break(outcome) => Ruling::ended(outcome),
        ControlFlow::Continue(ruling) => ruling,
    }
}

fn run(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome, Ruling> {
    rules::class::check(case, trace)?;
    rules::sensitivity::check(case, trace)?;
    rules::readable::check(case, trace)?;
    let sender = rules::sender::check(case, trace)?;
    let recipients = rules::recipients::check(case, trace)?;
    rules::internal::check(case, &sender, &recipients, trace)?;
    let trusted = rules::authenticity::check(case, &sender, trace);
    let direction = rules::direction::check(case, &sender, trusted, trace);
    let matched = rules::matching::check(case, direction, &recipients, trace)?;
    rules::signals::check(case, trace)?;
    let people = rules::unmatched::People {
        sender: &sender,
        recipients: &recipients,
    };
    ControlFlow::Continue(rules::unmatched::check(case, people, matched, trace))
}

/// Makes the decision of what the rules said.
fn conclude(case: &Case<'_>, ruling: Ruling, mut trace: Trace) -> Decision {
    let keep = case.keep(&ruling.outcome);
    let disposition = rules::disposition::check(case, &ruling.outcome, &mut trace);
    let mut decision = Decision {
        outcome: ruling.outcome,
        entries: ruling.entries,
        steps: trace.into_steps(keep),
        flags: Vec::new(),
        disposition,
        keep,
        create_contacts: ruling.create_contacts,
        policy: case.stamp.to_owned(),
    };
    if keep != super::Keep::Reason {
        decision.flags = noted(case, &decision);
    }
    decision
}

/// What a view of mails can filter: signals, oddities of the input, and what is worth it of the pairs.
fn noted(case: &Case<'_>, decision: &Decision) -> Vec<String> {
    let oddities = case
        .message
        .flags
        .iter()
        .copied()
        .filter(|flag| worth_a_view(*flag));
    let of_mail = rules::class::flag(case)
        .into_iter()
        .chain(rules::signals::flags(case))
        .chain(oddities.map(MessageFlag::code));
    let of_pairs = decision.entries.iter().flat_map(|entry| &entry.flags);
    let of_pairs = of_pairs.filter(|flag| flags::is_of_the_mail(flag)).cloned();
    let mut noted: Vec<String> = of_mail.map(str::to_owned).chain(of_pairs).collect();
    noted.sort_unstable();
    noted.dedup();
    noted
}

/// Two flags tell how a mail was read, not what a person should look at: they stay with the message.
fn worth_a_view(flag: MessageFlag) -> bool {
    !matches!(
        flag,
        MessageFlag::JournalUnwrapped | MessageFlag::HeaderCharset
    )
}
