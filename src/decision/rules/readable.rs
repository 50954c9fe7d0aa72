//! Mail that was not read whole is for a person: what was not read may say that it is private.

use std::ops::ControlFlow;

use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{Outcome, Quarantine, Stage, Verdict};
use crate::message::MessageFlag;

/// Sets aside what has no header, or more of it than the limits allow.
pub(in crate::decision) fn check(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome> {
    let has = |flag| case.message.flags.contains(&flag);
    let (reason, detail) = if has(MessageFlag::HeaderMissing) {
        (
            Quarantine::Unreadable,
            "It has no header that could be read.",
        )
    } else if has(MessageFlag::HeaderLimit) {
        (
            Quarantine::LimitExceeded,
            "Its headers are beyond the limit.",
        )
    } else if has(MessageFlag::TooManyAddresses) {
        (
            Quarantine::LimitExceeded,
            "It names more addresses than the limit allows.",
        )
    } else {
        return ControlFlow::Continue(());
    };
    trace.plain(Stage::Class, "readable.no", Verdict::Stop, detail);
    ControlFlow::Break(Outcome::Quarantined(reason))
}
