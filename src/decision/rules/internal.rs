//! Mail between addresses of the company alone.

use std::ops::ControlFlow;

use super::party::Party;
use super::recipients::named;
use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{Exclusion, InternalMail, Outcome, Stage, Verdict};

/// Ends the decision for internal mail, unless a recipient other than the author is a contact.
pub(in crate::decision) fn check(
    case: &Case<'_>,
    sender: &Party<'_>,
    recipients: &[Party<'_>],
    trace: &mut Trace,
) -> ControlFlow<Outcome> {
    let (rule, verdict, detail) = if !is_internal(case, sender) {
        (
            "internal.no",
            Verdict::Pass,
            "Not everybody is in the company's own domains.",
        )
    } else if case.policy.internal == InternalMail::Match {
        (
            "internal.matched",
            Verdict::Note,
            "It is internal; the policy matches internal mail.",
        )
    } else if recipients.iter().any(|to| reaches_contact(sender, to)) {
        (
            "internal.contact",
            Verdict::Note,
            "It is internal, but a recipient is a contact.",
        )
    } else {
        (
            "internal.excluded",
            Verdict::Stop,
            "It is internal, and no recipient is a contact.",
        )
    };
    trace.plain(Stage::Internal, rule, verdict, detail);
    match verdict {
        Verdict::Stop => ControlFlow::Break(Outcome::Excluded(Exclusion::Internal)),
        _ => ControlFlow::Continue(()),
    }
}

/// Every recipient that is named is looked at, so that mail with an outsider in Cc is not called internal only because
/// the policy does not count Cc.
fn is_internal(case: &Case<'_>, sender: &Party<'_>) -> bool {
    let own = |mailbox: &crate::message::Mailbox| {
        let address = mailbox.address.smtp();
        address.is_some_and(|address| case.is_own(address.domain()))
    };
    sender.is_own(case) && named(case.message).all(own)
}

fn reaches_contact(sender: &Party<'_>, to: &Party<'_>) -> bool {
    !to.contacts.is_empty() && to.address() != sender.address()
}
