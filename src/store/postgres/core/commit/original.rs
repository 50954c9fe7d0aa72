//! The original of a row: written with the message, or linked where it was staged.

use super::changes::{Changes, NewOriginal};
use super::identity::Identity;
use crate::ids::{MessageUid, StageId};
use crate::message::OriginalDigest;
use crate::store::postgres::core::original::PIECES;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::options::PIECE_BYTES;
use crate::store::{DecidedRow, Original};

impl<'a> Changes<'a> {
    /// Links the original and flags a conflict.
    pub(super) fn keep_message(&mut self, row: &'a DecidedRow, message: &Identity) -> Done<()> {
        let (Some(record), Some(no)) = (&row.record, message.message_no()) else {
            return Ok(());
        };
        let identity = &record.identity;
        let linked = self.link(&row.message, no, &row.original, &identity.original_digest)?;
        // A message that is new says already that it has one.
        if linked && matches!(message, Identity::Known(_)) {
            self.completed.push((no, identity));
        }
        if row.message_id_conflict
            && let Some(id) = record.message_id.as_deref()
        {
            self.conflicts.push(id);
        }
        Ok(())
    }

    /// Gives a message its original, unless it has one. Answers whether it got it now.
    fn link(
        &mut self,
        uid: &MessageUid,
        message_no: i64,
        original: &'a Original,
        digest: &'a OriginalDigest,
    ) -> Done<bool> {
        let stored = self.state.messages.get(uid);
        if stored.is_some_and(|stored| stored.has_original) {
            return Ok(false);
        }
        match original {
            Original::NotKept => return Ok(false),
            Original::Inline(bytes) => self.add_original(message_no, bytes, digest)?,
            Original::Staged(stage) => self.link_stage(message_no, *stage, digest)?,
        }
        if let Some(stored) = self.state.messages.get_mut(uid) {
            stored.has_original = true;
        }
        Ok(true)
    }

    fn add_original(
        &mut self,
        message_no: i64,
        bytes: &'a [u8],
        digest: &'a OriginalDigest,
    ) -> Done<()> {
        if bytes.len().div_ceil(PIECE_BYTES) as u64 > PIECES.unsigned_abs() {
            return Err(Fault::Data("an original in too many pieces"));
        }
        let no = self.state.next_original()?;
        self.originals.push(NewOriginal {
            no,
            message_no,
            bytes,
            digest,
        });
        Ok(())
    }

    fn link_stage(
        &mut self,
        message_no: i64,
        stage: StageId,
        digest: &'a OriginalDigest,
    ) -> Done<()> {
        if self.state.stages.remove(&stage).is_none() {
            return Err(Fault::Data("the staged original is not there"));
        }
        self.linked.push((stage, message_no, digest));
        Ok(())
    }
}
