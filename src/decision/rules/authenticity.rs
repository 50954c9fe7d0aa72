//! Whether a salesperson's `From` may be believed.

use super::party::Party;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{Stage, Verdict};
use crate::message::Authenticity;

/// Answers whether the author may count as a salesperson. Only a failed verdict speaks against it: no verdict is no
/// evidence.
pub(in crate::decision) fn check(case: &Case<'_>, sender: &Party<'_>, trace: &mut Trace) -> bool {
    let trust = case.policy.trust_verdict(case.message);
    let (rule, verdict, detail) = match trust.authenticity {
        Authenticity::Internal => (
            "authenticity.internal",
            Verdict::Pass,
            "The mail system calls the sender internal.",
        ),
        Authenticity::Passed => (
            "authenticity.passed",
            Verdict::Pass,
            "The mail system verified the sender.",
        ),
        Authenticity::Unknown => (
            "authenticity.unknown",
            Verdict::Note,
            "Nothing is known about whether the sender is genuine.",
        ),
        Authenticity::Failed => failed(case, sender),
    };
    let detail = match trust.field {
        Some(field) => format!("{detail} Header field {field} says {}.", trust.says),
        None => detail.to_owned(),
    };
    trace.plain(Stage::Authenticity, rule, verdict, detail);
    trust.authenticity != Authenticity::Failed || case.policy.failed_senders_count
}

fn failed(case: &Case<'_>, sender: &Party<'_>) -> (&'static str, Verdict, &'static str) {
    let detail = if sender.salespeople.is_empty() || case.policy.failed_senders_count {
        "The mail system found the sender forged; that is noted."
    } else {
        "The mail system found the sender forged; the author does not count as a salesperson."
    };
    ("authenticity.failed", Verdict::Note, detail)
}
