//! Moving and deleting: never blindly again, one answer per item.

use super::GraphSource;
use super::address::encoded;
use super::batch::{Answered, Asked, Held, PARTS};
use super::codes::Class;
use super::everybodys::everybodys;
use crate::error::Result;
use crate::source::{Disposal, Folder, ItemRef, Moved, Removed};

impl GraphSource {
    pub(super) async fn move_items(
        &self,
        from: &Folder,
        items: &[ItemRef],
        to: &Folder,
    ) -> Result<Vec<Moved>> {
        let mut moved = Vec::with_capacity(items.len());
        for some in items.chunks(PARTS) {
            let answers = self
                .transfer("move", from, some, Some(to.id.as_str()))
                .await?;
            if only_gone(&answers) {
                // Graph says of a folder that is gone what it says of an item that is.
                self.look_at("move", &to.id).await?;
            }
            let answers = some.iter().zip(answers);
            moved.extend(answers.map(|(item, answer)| match answer {
                Answered::Fine(held) => Moved::Done(new_id(held)),
                Answered::Refused(Class::Gone, _) => Moved::Gone,
                Answered::Refused(_, error) | Answered::Missing(error) => {
                    Moved::Failed(error.with_item(&*item.id))
                }
            }));
        }
        Ok(moved)
    }

    /// Into Deleted Items an item is moved; beyond it goes by DELETE, which leaves it among the recoverable items.
    pub(super) async fn remove_items(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        let to = match disposal {
            Disposal::DeletedItems => Some("deleteditems"),
            Disposal::Recoverable => None,
        };
        let mut removed = Vec::with_capacity(items.len());
        for some in items.chunks(PARTS) {
            let answers = self.transfer("remove", from, some, to).await?;
            let answers = some.iter().zip(answers);
            removed.extend(answers.map(|(item, answer)| match answer {
                Answered::Fine(_) => Removed::Done,
                Answered::Refused(Class::Gone, _) => Removed::Gone,
                Answered::Refused(_, error) | Answered::Missing(error) => {
                    Removed::Failed(error.with_item(&*item.id))
                }
            }));
        }
        Ok(removed)
    }

    /// One batch. What says something of every item, and of which none went well, is the answer of the whole call.
    async fn transfer(
        &self,
        operation: &'static str,
        from: &Folder,
        items: &[ItemRef],
        to: Option<&str>,
    ) -> Result<Vec<Answered>> {
        let parts = items.iter().map(|item| {
            let address = self.item_in_batch(from, &item.id);
            match to {
                Some(folder) => Asked::move_to(format!("{address}/move"), folder),
                None => Asked::delete(address),
            }
        });
        let answers = self.batch(operation, parts.collect(), true).await?;
        if answers
            .iter()
            .any(|answer| matches!(answer, Answered::Fine(_)))
        {
            return Ok(answers);
        }
        everybodys(answers, |class| class == Class::Denied)
    }

    /// The address of an item in its folder, as a batch names it. By the folder, as an immutable id would find the item
    /// wherever it is by now.
    pub(super) fn item_in_batch(&self, from: &Folder, id: &str) -> String {
        self.session().addresses.in_batch(&item_path(from, id))
    }
}

/// Whether items are gone, and nothing tells that the target is there.
fn only_gone(answers: &[Answered]) -> bool {
    let any = |wanted: fn(&Answered) -> bool| answers.iter().any(wanted);
    any(|answer| matches!(answer, Answered::Refused(Class::Gone, _)))
        && !any(|answer| matches!(answer, Answered::Fine(_)))
}

/// The path of an item below its mailbox.
pub(super) fn item_path(from: &Folder, id: &str) -> String {
    let folder = encoded(from.id.as_str());
    format!("/mailFolders/{folder}/messages/{}", encoded(id))
}

fn new_id(held: Held) -> Option<ItemRef> {
    match held {
        Held::Message(message) => message.id.map(ItemRef::new),
        _ => None,
    }
}
