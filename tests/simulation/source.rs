//! The mailbox as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, Result, codes};
use email_logging::message::MailFacts;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderId, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailSource, Moved, Removed, SightingKey, SourceCapabilities,
};

use crate::book::{Book, item_id, item_ref};
use crate::mailbox::{Mailbox, Place, key_bytes};
use crate::mails::Mails;
use crate::stage::{Fault, Op, Phase, Stage};

/// One worker's way to the mailbox.
#[derive(Debug, Clone)]
pub(crate) struct SimSource {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) book: Arc<Book>,
    pub(crate) page: u32,
    pub(crate) batch: u32,
}

fn failed(fault: Fault, operation: &'static str) -> Error {
    match fault {
        Fault::Timeout | Fault::Partial(_) => Error::new(&codes::HTTP_TIMEOUT, operation),
        Fault::Busy => {
            Error::new(&codes::EWS_THROTTLED, operation).with_retry_after(Duration::from_secs(30))
        }
        Fault::Unauthorized => Error::new(&codes::HTTP_UNAUTHORIZED, operation),
    }
}

impl SimSource {
    async fn call<T>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl FnOnce(&mut Mailbox, Option<u8>) -> T,
    ) -> Result<T> {
        let partial = match self.stage.wait(self.worker, op, Phase::Before).await {
            Some(Fault::Partial(how)) => Some(how),
            Some(fault) => return Err(failed(fault, name)),
            None => None,
        };
        let answer = effect(&mut self.mailbox.lock().unwrap(), partial);
        match self.stage.wait(self.worker, op, Phase::After).await {
            Some(fault) => Err(failed(fault, name)),
            None => Ok(answer),
        }
    }

    fn listed(&self, mailbox: &Mailbox, id: u64) -> ListedItem {
        let item = &mailbox.items[&id];
        let mut listed = ListedItem::new(item_ref(id));
        listed.key = mailbox.server.stable_keys.then(|| key_bytes(item.key));
        listed.size = Some(item.original.len() as u64);
        listed.received = Some(item.received);
        listed
    }

    fn list_effect(
        &self,
        mailbox: &Mailbox,
        place: Place,
        request: ListRequest,
        partial: Option<u8>,
    ) -> Listing {
        let mut all = mailbox.list(place);
        let total = all.len() as u64;
        match partial.map(|how| how % 3) {
            Some(0) if !all.is_empty() => {
                all.remove(0);
            }
            Some(1) if !all.is_empty() => all.insert(0, all[0]),
            _ => {}
        }
        let (offset, limit) = (
            request.offset as usize,
            request.limit.min(self.page) as usize,
        );
        let short = usize::from(partial.is_some_and(|how| how % 3 == 2));
        let limit = limit.saturating_sub(short).max(1);
        let ids: Vec<_> = all.iter().skip(offset).take(limit).copied().collect();
        let complete = offset + ids.len() >= all.len();
        let items = ids.into_iter().map(|id| self.listed(mailbox, id));
        Listing::new(items.collect(), Some(total), complete)
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
            if mailbox.find(route.0, id).is_some() && !self.book.is_committed(id) && !stopped {
                self.book
                    .broken(format!("I2: {item:?} moves before its commit"));
            }
            answers.push(match how {
                _ if stopped => not_reached(),
                1 => not_moved(),
                2 => {
                    mailbox.copy_item(route.0, id, route.1);
                    not_moved()
                }
                how => match mailbox.move_item(route.0, id, route.1) {
                    Some(_) if how == 3 => Moved::Gone,
                    Some(new) => Moved::Done(mailbox.server.new_ids.then(|| item_ref(new))),
                    None => Moved::Gone,
                },
            });
        }
        answers
    }

    async fn hand_over(
        &self,
        at: usize,
        original: Option<(usize, Arc<[u8]>)>,
        how: usize,
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let Some((mail, original)) = original else {
            sink.begin(at, None);
            return sink.end(Fetched::Gone).await;
        };
        sink.begin(at, Some(original.len() as u64));
        if self.mails.is_poison(mail) {
            return sink.end(Fetched::Failed(damaged())).await;
        }
        if how == 1 {
            let error = Error::new(&codes::EWS_UNAVAILABLE, "fetch");
            return sink.end(Fetched::Failed(error)).await;
        }
        let half = original.len() / 2;
        if how == 2 || how == 3 {
            sink.chunk(&original[..half]).await?;
            if how == 2 {
                return Err(failed(Fault::Timeout, "fetch"));
            }
            sink.begin(at, Some(original.len() as u64));
        }
        sink.chunk(&original[..half]).await?;
        sink.chunk(&original[half..]).await?;
        let facts = Box::new(MailFacts::default());
        sink.end(Fetched::Complete(facts)).await
    }
}

fn damaged() -> Error {
    Error::new(&codes::EWS_ITEM_DAMAGED, "fetch")
}

fn not_moved() -> Moved {
    Moved::Failed(Error::new(&codes::EWS_MOVE_FAILED, "move_to"))
}

fn not_reached() -> Moved {
    Moved::Failed(Error::new(&codes::EWS_UNAVAILABLE, "move_to"))
}

#[async_trait]
impl MailSource for SimSource {
    fn capabilities(&self) -> SourceCapabilities {
        let keys = self.mailbox.lock().unwrap().server.stable_keys;
        let mut capabilities = SourceCapabilities::default();
        capabilities.stable_keys = keys;
        capabilities.locate = keys;
        capabilities.list_page = self.page;
        capabilities.fetch_batch = self.batch;
        capabilities.move_batch = self.batch;
        capabilities.connections = 4;
        capabilities
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        let FolderSelector::Path(path) = folder else {
            panic!("folders are opened by path here")
        };
        let name = path.segments().last().unwrap().to_lowercase();
        self.call(Op::OpenFolder, "open_folder", |_, _| {
            Folder::new(FolderId::new(Place::of(&name).id()))
        })
        .await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let place = Place::of(folder.id.as_str());
        self.call(Op::List, "list", |mailbox, partial| {
            self.list_effect(mailbox, place, request, partial)
        })
        .await
    }

    async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let place = Place::of(from.id.as_str());
        let fetched = self.call(Op::Fetch, "fetch", |mailbox, partial| {
            let find = |item: &ListedItem| mailbox.find(place, item_id(&item.item));
            let found = items
                .iter()
                .map(|item| find(item).map(|it| (it.mail, Arc::clone(&it.original))));
            (found.collect::<Vec<_>>(), partial)
        });
        let (found, partial) = fetched.await?;
        for (at, original) in found.into_iter().enumerate() {
            let how = partial.map_or(0, |how| (usize::from(how) + at) % 4);
            self.hand_over(at, original, how, sink).await?;
        }
        Ok(())
    }

    async fn move_to(&self, from: &Folder, items: &[ItemRef], to: &Folder) -> Result<Vec<Moved>> {
        let route = (Place::of(from.id.as_str()), Place::of(to.id.as_str()));
        self.call(Op::Move, "move_to", |mailbox, partial| {
            self.move_effect(mailbox, route, items, partial)
        })
        .await
    }

    async fn locate(&self, folder: &Folder, keys: &[SightingKey]) -> Result<Vec<Vec<ItemRef>>> {
        let place = Place::of(folder.id.as_str());
        self.call(Op::Locate, "locate", |mailbox, _| {
            let find = |key| {
                mailbox
                    .locate(place, key)
                    .into_iter()
                    .map(item_ref)
                    .collect()
            };
            keys.iter().map(find).collect()
        })
        .await
    }

    async fn remove(&self, _: &Folder, _: &[ItemRef], _: Disposal) -> Result<Vec<Removed>> {
        self.book
            .broken("I1: something was to be deleted under a policy that deletes nothing");
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "remove"))
    }
}
