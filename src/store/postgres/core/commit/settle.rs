//! Results of earlier moves, moves that are planned, and what the host's own log confirmed.

use super::super::sightings::Planned;
use super::changes::Changes;
use super::trail::Landmark;
use crate::decision::Disposition;
use crate::source::ItemRef;
use crate::store::postgres::fault::Done;
use crate::store::rows::{key_bytes, maybe_text, micros, text};
use crate::store::{Delivered, EventKind, MoveOutcome, MoveResult};

impl<'a> Changes<'a> {
    pub(super) fn deliver(&mut self, delivered: &'a Delivered) {
        self.delivered.push(delivered);
    }

    /// Writes the result of a move.
    pub(super) fn close_move(&mut self, result: &MoveResult) -> Done<()> {
        let (event, place) = match &result.outcome {
            MoveOutcome::Retry { code, next_try } => {
                self.retry(result, code, micros(*next_try));
                return Ok(());
            }
            MoveOutcome::Done(place) => (None, place.as_ref()),
            MoveOutcome::Deleted => (None, None),
            MoveOutcome::Vanished => (Some(EventKind::Vanished), None),
            MoveOutcome::DuplicateCopy(place) => (Some(EventKind::DuplicateCopy), place.as_ref()),
        };
        let Some(found) = self.state.sightings.get_mut(&key_bytes(&result.key)) else {
            return Ok(());
        };
        // A result that is repeated finds no plan, so it makes no second event.
        if found.moves.remove(&*text(&result.item.id)).is_none() {
            return Ok(());
        }
        if let Some(place) = place {
            found.item_id = text(&place.id).into_owned();
            found.change_key = maybe_text(place.change_key.as_deref()).map(Into::into);
        }
        let message_no = found.message_no;
        match event {
            Some(kind) => self.event(kind, message_no, &[], ""),
            None => Ok(()),
        }
    }

    fn retry(&mut self, result: &MoveResult, code: &str, next_try: i64) {
        let item_id = text(&result.item.id).into_owned();
        let found = self.state.sightings.get_mut(&key_bytes(&result.key));
        let Some(found) = found else {
            return;
        };
        let Some(planned) = found.moves.get_mut(&item_id) else {
            return;
        };
        planned.attempts += 1;
        planned.next_try = Some(next_try);
        planned.code = Some(text(code).into_owned());
        let landmark = Landmark::Moves {
            sighting_no: found.no,
            item_id,
            attempts: planned.attempts,
        };
        self.note_move_attempts(landmark);
    }

    /// Plans a move, unless the mail stays where it is or its move is planned already.
    pub(super) fn plan(&mut self, key: &[u8], item: &ItemRef, target: Disposition) {
        let planned_at = self.fenced.now;
        let Some(found) = self.state.sightings.get_mut(key) else {
            return;
        };
        if target == Disposition::Leave {
            return;
        }
        let planned = || Planned {
            change_key: maybe_text(item.change_key.as_deref()).map(Into::into),
            target: target.code().to_owned(),
            attempts: 0,
            next_try: None,
            code: None,
            planned_at,
        };
        let item_id = text(&item.id).into_owned();
        found.moves.entry(item_id).or_insert_with(planned);
    }

    /// Sends the items of a sighting whose move is still to do where its new decision says.
    pub(super) fn redirect(&mut self, key: &[u8], target: Disposition) {
        let Some(found) = self.state.sightings.get_mut(key) else {
            return;
        };
        if target == Disposition::Leave {
            found.moves.clear();
        }
        for planned in found.moves.values_mut() {
            target.code().clone_into(&mut planned.target);
        }
    }
}
