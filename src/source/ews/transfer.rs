//! Moving and deleting: never blindly again, one answer per item.

use reqwest::header::HeaderMap;

use super::EwsSource;
use super::answer::{ResponseMessage, item_ref};
use super::codes::Class;
use super::failure::{Failure, Remedy};
use super::folders::folder_ref;
use super::request::{CopyItem, DeleteItem, DeleteType, FolderRef, MoveItem, Request, Routed};
use super::routes::{DETOURS, Place, may_be_misrouted};
use super::soap::{Ns, Tree};
use crate::error::{Error, Result, ServerContext};
use crate::source::{Disposal, Folder, ItemRef, Moved, Removed};

/// The answer for one item.
struct Answered {
    message: ResponseMessage,
    new_id: Option<ItemRef>,
    server: ServerContext,
}

impl Answered {
    /// Whether the item was not seen, which the wrong mailbox says of every item.
    fn is_lost(&self) -> bool {
        self.message.misrouted || self.message.class() == Class::Gone
    }

    fn error(&self, operation: &'static str) -> Error {
        let class = self.message.class();
        class.error(operation, self.message.decisive_code(), self.server.clone())
    }
}

/// Which of the three it is.
#[derive(Clone, Copy)]
enum Transfer<'a> {
    Move(&'a FolderRef),
    Copy(&'a FolderRef),
    Delete(DeleteType),
}

impl EwsSource {
    pub(super) async fn move_items(
        &self,
        from: &Folder,
        items: &[ItemRef],
        to: &Folder,
    ) -> Result<Vec<Moved>> {
        let target = folder_ref(to);
        let answers = self.transfer(from, items, Transfer::Move(&target)).await?;
        let mut moved = Vec::with_capacity(items.len());
        for (item, answer) in items.iter().zip(answers) {
            moved.push(match answer.message.class() {
                Class::Fine => Moved::Done(answer.new_id),
                Class::Gone => Moved::Gone,
                Class::MoveRefused => self.copy_and_delete(from, item, to).await?,
                _ => Moved::Failed(answer.error("MoveItem").with_item(&*item.id)),
            });
        }
        Ok(moved)
    }

    pub(super) async fn remove_items(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        let how = match disposal {
            Disposal::DeletedItems if !from.public => DeleteType::MoveToDeletedItems,
            _ => DeleteType::SoftDelete,
        };
        let answers = self.transfer(from, items, Transfer::Delete(how)).await?;
        let answered = items.iter().zip(&answers);
        let removed = answered.map(|(item, answer)| match answer.message.class() {
            Class::Fine => Removed::Done,
            Class::Gone => Removed::Gone,
            _ => Removed::Failed(answer.error("DeleteItem").with_item(&*item.id)),
        });
        Ok(removed.collect())
    }

    /// Where Exchange does not move between two places: copies, and deletes only what was copied for certain.
    ///
    /// Where the original stays for certain, the copy is taken back, so that copies do not multiply with each attempt.
    async fn copy_and_delete(&self, from: &Folder, item: &ItemRef, to: &Folder) -> Result<Moved> {
        let (one, target) = (std::slice::from_ref(item), folder_ref(to));
        let copy = Transfer::Copy(&target);
        let Some(copied) = self.transfer(from, one, copy).await?.pop() else {
            return Ok(Moved::Gone);
        };
        match copied.message.class() {
            Class::Fine => {}
            Class::Gone => return Ok(Moved::Gone),
            _ => return Ok(Moved::Failed(copied.error("CopyItem"))),
        }
        let delete = Transfer::Delete(DeleteType::SoftDelete);
        let Some(deleted) = self.transfer(from, one, delete).await?.pop() else {
            return Ok(Moved::Done(copied.new_id));
        };
        let class = deleted.message.class();
        if matches!(class, Class::Fine | Class::Gone) {
            return Ok(Moved::Done(copied.new_id));
        }
        if let (true, Some(copy)) = (stays(class), &copied.new_id) {
            let undone = self.transfer(to, std::slice::from_ref(copy), delete).await;
            undone?;
        }
        Ok(Moved::Failed(
            deleted.error("DeleteItem").with_item(&*item.id),
        ))
    }

    async fn transfer(
        &self,
        from: &Folder,
        items: &[ItemRef],
        what: Transfer<'_>,
    ) -> Result<Vec<Answered>> {
        let mut answers = Vec::with_capacity(items.len());
        for batch in items.chunks(batch_size(self.inner.capabilities.move_batch)) {
            answers.extend(self.transfer_from(from, batch, what).await?);
        }
        Ok(answers)
    }

    /// One batch on the way to the folder that holds the items. Where all of them are lost nothing was done, and another
    /// way may see them.
    async fn transfer_from(
        &self,
        from: &Folder,
        items: &[ItemRef],
        what: Transfer<'_>,
    ) -> Result<Vec<Answered>> {
        let place = Place::Content(from);
        let mut first = None;
        for _ in 0..=DETOURS {
            let way = self.way(place).await;
            let answers = self.transfer_batch(items, what, way.as_ref()).await;
            let lost = match &answers {
                Ok(answers) => answers.iter().all(Answered::is_lost),
                Err(error) => may_be_misrouted(error),
            };
            if !lost {
                let fine = |answer: &Answered| answer.message.class() == Class::Fine;
                let shows = answers.as_ref().is_ok_and(|all| all.iter().any(fine));
                self.inner.routes.note_answer(place, way.as_ref(), shows);
                return answers;
            }
            first.get_or_insert(answers);
            if !self.reroute(place, way.as_ref()).await {
                break;
            }
        }
        first.unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Asks for one batch, and again for those of it that the server says it did not touch.
    async fn transfer_batch(
        &self,
        items: &[ItemRef],
        what: Transfer<'_>,
        way: Option<&HeaderMap>,
    ) -> Result<Vec<Answered>> {
        let mut waits = self.session().waits();
        let mut answers = self.transfer_once(items, what, way).await?;
        loop {
            let untouched: Vec<usize> = positions(&answers);
            let Some(worst) = untouched
                .iter()
                .filter_map(|at| answers.get(*at))
                .max_by_key(|answer| wait_of(answer))
            else {
                return Ok(answers);
            };
            let failure = Failure {
                error: worst.error("transfer"),
                remedy: Remedy::Wait(worst.message.back_off.filter(|wait| !wait.is_zero())),
            };
            let request = what.request(&[]);
            let version = self.session().version.current();
            if self
                .session()
                .recover(&*request, version, failure, &mut waits)
                .is_err()
            {
                return Ok(answers);
            }
            let again: Vec<_> = untouched
                .iter()
                .filter_map(|at| items.get(*at))
                .cloned()
                .collect();
            let second = self.transfer_once(&again, what, way).await?;
            for (at, answer) in untouched.into_iter().zip(second) {
                if let Some(slot) = answers.get_mut(at) {
                    *slot = answer;
                }
            }
        }
    }

    async fn transfer_once(
        &self,
        items: &[ItemRef],
        what: Transfer<'_>,
        way: Option<&HeaderMap>,
    ) -> Result<Vec<Answered>> {
        let request = what.request(items);
        let routed = Routed::new(&*request, way);
        let mut answer = self.session().call(&routed).await?;
        let mut tree = Tree::default();
        let mut answers = Vec::with_capacity(items.len());
        while let Some(message) = answer.next(&mut tree, None).await? {
            self.session().heed(&message);
            let server = answer.server().clone();
            answers.push(Answered {
                message,
                new_id: new_id(&tree),
                server,
            });
        }
        if answers.len() != items.len() {
            return Err(answer.miscounted());
        }
        answer.drain().await;
        Ok(answers)
    }
}

impl Transfer<'_> {
    fn request<'a>(&'a self, items: &'a [ItemRef]) -> Box<dyn Request + Send + 'a> {
        match *self {
            Self::Move(to) => Box::new(MoveItem { items, to }),
            Self::Copy(to) => Box::new(CopyItem { items, to }),
            Self::Delete(how) => Box::new(DeleteItem { items, how }),
        }
    }
}

/// Whether an item that was not deleted for this reason is where it was, for certain. After an outage it may be gone, and
/// its copy the only one.
fn stays(class: Class) -> bool {
    matches!(
        class,
        Class::Denied
            | Class::Refused
            | Class::Quota
            | Class::Busy
            | Class::Crowded
            | Class::Untouched
    )
}

fn batch_size(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX).max(1)
}

fn wait_of(answer: &Answered) -> std::time::Duration {
    answer.message.back_off.unwrap_or_default()
}

/// Items that the server says it did not touch.
fn positions(answers: &[Answered]) -> Vec<usize> {
    let untouched = |answer: &Answered| {
        matches!(
            answer.message.class(),
            Class::Busy | Class::Crowded | Class::Untouched
        )
    };
    let all = answers.iter().enumerate();
    all.filter(|(_, answer)| untouched(answer))
        .map(|(at, _)| at)
        .collect()
}

/// The new id of a moved or copied item, which Exchange tells within one mailbox only.
fn new_id(tree: &Tree) -> Option<ItemRef> {
    let items = tree.root()?.child(Ns::Messages, "Items")?;
    let item = items.children().next()?;
    item_ref(item)
}
