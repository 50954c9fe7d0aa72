//! What people made of entries and said about their mails, as conditions that every engine asks alike.

use crate::store::DeletedEntries;

/// Whether nobody made anything of a row of `entry`: no opportunity, no grade, no comment.
pub(crate) const UNTOUCHED: &str = "entry.opportunity_no IS NULL AND entry.evaluation IS NULL
    AND NOT EXISTS (SELECT 1 FROM entry_comment c
        WHERE c.scope = entry.scope AND c.entry_id = entry.id)";

/// Why a cancelled entry `e` stays; null where it can go. A later match cancelled it where no person did.
pub(crate) const KEPT: &str = "CASE
    WHEN EXISTS (SELECT 1 FROM opportunity o WHERE o.scope = e.scope AND o.no = e.opportunity_no
        AND o.status IN ('not-started', 'in-progress')) THEN 'opportunity'
    WHEN EXISTS (SELECT 1 FROM mail_mark k WHERE k.message_no = e.message_no AND k.kind = 'hold')
        THEN 'hold'
    WHEN e.delivery = 'waiting' THEN 'waiting'
    WHEN EXISTS (SELECT 1 FROM entry_link l WHERE l.scope = e.scope AND l.entry_id = e.id
        AND l.withdrawn IS NOT NULL AND NOT l.held) THEN 'withdrawn'
    END";

/// Counts an entry that stays, by the reason that [`KEPT`] gave.
pub(crate) fn count_kept(told: &mut DeletedEntries, why: &str) {
    let counted = match why {
        "opportunity" => &mut told.kept_for_opportunity,
        "hold" => &mut told.kept_on_hold,
        "waiting" => &mut told.kept_waiting,
        _ => &mut told.kept_withdrawn,
    };
    *counted += 1;
}
