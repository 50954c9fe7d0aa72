//! The rules, in their order.

use super::{Decision, Disposition, Keep, LoggingHooks, LoggingPolicy, NotMatched, Outcome};
use crate::message::Message;
use crate::parties::Parties;

/// Decides what becomes of a mail.
///
/// Pure: the same message, parties, policy and hooks give the same decision, whatever the order, the batch or the time.
pub fn decide(
    message: &Message,
    parties: &Parties,
    policy: &LoggingPolicy,
    hooks: &[&dyn LoggingHooks],
) -> Decision {
    let _ = (message, parties, hooks);
    Decision {
        outcome: Outcome::NotMatched(NotMatched::NoSender),
        entries: Vec::new(),
        steps: Vec::new(),
        flags: Vec::new(),
        disposition: Disposition::NotLogged,
        keep: Keep::Metadata,
        create_contacts: Vec::new(),
        policy: policy.name.clone(),
    }
}
