//! The policy of the original, for hosts that migrate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ClassAction, InternalMail, LoggingPolicy, MoveFallback, Ranking, RepeatedRecipients, Unmatched,
};
use crate::parties::MatchedBy;

impl LoggingPolicy {
    /// Reproduces the decisions of Business Central's email logging over Exchange Web Services.
    ///
    /// To alone counts; every mention of a recipient makes an entry; an address is looked for in the whole e-mail field
    /// and in alternative addresses, up to 80 characters; the lowest number wins; internal, automatic, bulk and report
    /// mail is matched like any other; the first author counts, forged or not; private, personal and confidential mail is
    /// left out. **Whatever is not logged is deleted from the queue**, and a mail that can be neither moved nor copied is
    /// deleted once its entries are durable. Mail that a failed hook set aside is not deleted.
    pub fn business_central() -> Self {
        Self {
            name: "business-central".into(),
            cc: false,
            bcc: false,
            repeated_recipients: RepeatedRecipients::EachTime,
            own_copies: true,
            // A person who inherited the company's address holds it in the own e-mail field there.
            match_fields: BTreeSet::from([
                MatchedBy::Email,
                MatchedBy::AlternativeAddress,
                MatchedBy::Inherited,
            ]),
            ranking: Ranking::LowestNumber,
            longest_address: 80,
            inactive_salespeople: true,
            privacy_blocked_contacts: true,
            internal: InternalMail::Match,
            classes: BTreeMap::new(),
            automatic: ClassAction::Log,
            bulk: ClassAction::Log,
            unmatched: Unmatched::Keep,
            keep_unmatched_original: false,
            ambiguous_sender_quarantined: false,
            failed_senders_count: true,
            move_fallback: MoveFallback::Delete,
            delete_not_logged: true,
            ..Self::default()
        }
    }
}
