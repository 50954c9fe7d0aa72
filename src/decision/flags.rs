//! The codes of what the decision notes about a mail or a pair, besides signals and message flags.

/// Several contacts have the address; the ranking chose one.
pub const AMBIGUOUS_CONTACT: &str = "ambiguous-contact";
/// Several salespeople have the address; the ranking chose one.
pub const AMBIGUOUS_SALESPERSON: &str = "ambiguous-salesperson";
/// The address is the company's, which the contact inherited.
pub const INHERITED_ADDRESS: &str = "inherited-address";
/// The salesperson is no longer active.
pub const INACTIVE_SALESPERSON: &str = "inactive-salesperson";
/// The contact asked not to be processed.
pub const PRIVACY_BLOCKED: &str = "privacy-blocked";
/// Nobody was found; the policy's default contact stands in.
pub const DEFAULT_CONTACT: &str = "default-contact";
/// Nobody was found; the policy's default salesperson stands in.
pub const DEFAULT_SALESPERSON: &str = "default-salesperson";
/// No boundary said whether the sender is genuine.
pub const AUTHENTICITY_UNKNOWN: &str = "authenticity-unknown";
/// The boundary found the sender forged.
pub const AUTHENTICITY_FAILED: &str = "authenticity-failed";

/// A person linked the mail to the contact.
pub const ASSIGNED: &str = "assigned";
/// A later match linked the mail to the contact.
pub const REMATCHED: &str = "rematched";
/// The mail was logged from its record, as its original was gone.
pub const ORIGINAL_MISSING: &str = "original-missing";

/// Whether a note about a pair is also noted about the mail, so that views of mails can filter it. The others tell how a
/// pair was found and stay with their entry.
pub(super) fn is_of_the_mail(flag: &str) -> bool {
    [
        AMBIGUOUS_CONTACT,
        AMBIGUOUS_SALESPERSON,
        INACTIVE_SALESPERSON,
        DEFAULT_CONTACT,
        DEFAULT_SALESPERSON,
        AUTHENTICITY_FAILED,
    ]
    .contains(&flag)
}
