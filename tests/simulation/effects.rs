//! What the calls of a worker do to the mailbox: moves, deletions and stamps, as a whole or in parts.

use email_logging::error::{Error, codes};
use email_logging::source::{ItemRef, Moved, Removed, Stamped};

use crate::book::{item_id, item_ref};
use crate::mailbox::{Label, Mailbox, Place, Service};
use crate::promises::Lying;
use crate::source::{SimSource, failed, throttled};
use crate::stage::Fault;

impl SimSource {
    pub(crate) fn moves(
        &self,
        mailbox: &mut Mailbox,
        route: (Place, Place),
        items: &[ItemRef],
        partial: Option<u8>,
    ) -> Vec<Moved> {
        match self.service {
            Service::Ews => self.move_effect(mailbox, route, items, partial),
            Service::Graph => self.move_parts(mailbox, route, items, partial),
        }
    }

    fn move_effect(
        &self,
        mailbox: &mut Mailbox,
        route: (Place, Place),
        items: &[ItemRef],
        partial: Option<u8>,
    ) -> Vec<Moved> {
        let mut answers = Vec::new();
        let mut stopped = false;
        for (index, item) in items.iter().enumerate() {
            let id = item_id(item);
            let how = partial.map_or(0, |how| (usize::from(how) + index) % 5);
            stopped |= how == 4;
            if stopped {
                answers.push(not_reached());
                continue;
            }
            self.check_move(mailbox, route, id);
            if let Some(refused) = self.refusal(mailbox, route, id, how == 1) {
                answers.push(refused);
                continue;
            }
            let before = Lying::of(mailbox, id);
            let moved = match how {
                1 => None,
                2 => {
                    mailbox.copy_item(route.0, id, route.1);
                    None
                }
                _ => mailbox.move_item(route.0, id, route.1),
            };
            self.explain(mailbox, before, moved.is_some());
            answers.push(match (how, moved) {
                (1 | 2, _) => not_moved(),
                (3, _) | (_, None) => Moved::Gone,
                (_, Some(new)) => Moved::Done(mailbox.server.new_ids.then(|| item_ref(new))),
            });
        }
        answers
    }

    /// A batch of Graph: each part has an answer of its own, whatever became of the others, and none makes a copy.
    fn move_parts(
        &self,
        mailbox: &mut Mailbox,
        route: (Place, Place),
        items: &[ItemRef],
        partial: Option<u8>,
    ) -> Vec<Moved> {
        let mut answers = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let id = item_id(item);
            let part = partial.map_or(Part::Fine, |how| Part::of(usize::from(how) + index));
            if part.is_done()
                && let Some(refused) = self.refusal(mailbox, route, id, false)
            {
                self.check_move(mailbox, route, id);
                answers.push(refused);
                continue;
            }
            let is_done = part.is_done().then(|| {
                self.check_move(mailbox, route, id);
                mailbox.move_item(route.0, id, route.1).is_some()
            });
            answers.push(match (part, is_done) {
                (Part::Throttled, _) => Moved::Failed(throttled("move_to")),
                (Part::Fine, Some(true)) => Moved::Done(Some(item.clone())),
                (Part::Unknown { .. }, _) => Moved::Failed(unknown(Service::Graph, "move_to")),
                _ => Moved::Gone,
            });
        }
        answers
    }

    /// Why an item in the queue is not moved: for good, as it is by itself or as is said now under a policy that deletes such
    /// mail, or each time anew.
    fn refusal(
        &self,
        mailbox: &mut Mailbox,
        route: (Place, Place),
        id: u64,
        said: bool,
    ) -> Option<Moved> {
        let item = mailbox.find(route.0, id)?;
        let is_stuck = mailbox.stuck.contains(&item.key);
        if route.1 != Place::Storage || !(is_stuck || said && self.plan.deletes) {
            return None;
        }
        if !self.plan.deletes {
            return Some(not_moved());
        }
        mailbox.refused.insert(id);
        Some(Moved::Failed(too_large(self.service)))
    }

    pub(crate) fn remove_effect(
        &self,
        mailbox: &mut Mailbox,
        from: Place,
        items: &[ItemRef],
        partial: Option<u8>,
    ) -> Vec<Removed> {
        let mut answers = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let id = item_id(item);
            // The whole batch of EWS goes as Graph's parts do: deleting makes no copies.
            let part = partial.map_or(Part::Fine, |how| Part::of(usize::from(how) + index));
            let is_done = part.is_done().then(|| self.remove_item(mailbox, from, id));
            answers.push(match (part, is_done) {
                (Part::Throttled, _) => {
                    Removed::Failed(failed(self.service, Fault::Busy, "remove"))
                }
                (Part::Unknown { .. }, _) => Removed::Failed(unknown(self.service, "remove")),
                (Part::Fine, Some(true)) => Removed::Done,
                _ => Removed::Gone,
            });
        }
        answers
    }

    /// I1: deletes an item, which has to be one that may be deleted. Answers whether it was there.
    fn remove_item(&self, mailbox: &mut Mailbox, from: Place, id: u64) -> bool {
        self.check_move(mailbox, (from, Place::Deleted), id);
        let Some(lay) = mailbox.delete_item(from, id) else {
            return false;
        };
        let key = mailbox.meant(id).map(|item| item.key);
        let is_taken = key.is_some_and(|key| mailbox.is_undetermined(key));
        match key {
            Some(key) if self.is_stale() => _ = mailbox.unseen.insert(key),
            _ if is_taken || lay == from || lay == Place::Deleted => {}
            _ => self
                .book
                .broken(format!("I1: item {id} is deleted from {lay:?}")),
        }
        true
    }

    pub(crate) fn stamp_effect(
        &self,
        mailbox: &mut Mailbox,
        place: Place,
        items: &[ItemRef],
        partial: Option<u8>,
    ) -> Vec<Stamped> {
        let mut answers = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let id = item_id(item);
            let how = partial.map_or(0, |how| (usize::from(how) + index) % 3);
            let label = mailbox.find(place, id).map(|item| item.label);
            if matches!(label, Some(Label::SearchKey | Label::Id)) {
                let told = format!("item {id} has a key, and is given another one");
                self.book.broken(told);
            }
            let key = (how != 1).then(|| mailbox.stamp_item(place, id)).flatten();
            if let (true, Some(item)) = (how == 2 || self.is_late, mailbox.find(place, id)) {
                let key = item.key;
                mailbox.loose.insert(key);
                mailbox.stamped_unasked.insert(id);
            }
            answers.push(match (how, key) {
                (0, Some(key)) => Stamped::Done(key, item_ref(id).with_change_key("stamped")),
                (0, None) => Stamped::Gone,
                _ => Stamped::Failed(unknown(self.service, "stamp")),
            });
        }
        answers
    }
}

/// How a part of a batch is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Fine,
    /// It was not begun.
    Throttled,
    /// The batch has no answer for it.
    Unknown {
        done: bool,
    },
    /// It was done, and the service itself did it once more.
    FoundGone,
}

impl Part {
    fn of(how: usize) -> Self {
        let all = [
            Self::Fine,
            Self::Throttled,
            Self::Unknown { done: true },
            Self::FoundGone,
            Self::Unknown { done: false },
        ];
        all[how % all.len()]
    }

    fn is_done(self) -> bool {
        !matches!(self, Self::Throttled | Self::Unknown { done: false })
    }
}

fn unknown(service: Service, operation: &'static str) -> Error {
    match service {
        Service::Ews => Error::new(&codes::EWS_UNKNOWN_CODE, operation),
        Service::Graph => Error::new(&codes::GRAPH_ANSWERS_MISSING, operation),
    }
}

/// Why an item is never moved.
fn too_large(service: Service) -> Error {
    match service {
        Service::Ews => Error::new(&codes::EWS_ITEM_TOO_LARGE, "move_to"),
        Service::Graph => Error::new(&codes::GRAPH_ITEM_TOO_LARGE, "move_to"),
    }
}

fn not_moved() -> Moved {
    Moved::Failed(Error::new(&codes::EWS_MOVE_FAILED, "move_to"))
}

fn not_reached() -> Moved {
    Moved::Failed(Error::new(&codes::EWS_UNAVAILABLE, "move_to"))
}
