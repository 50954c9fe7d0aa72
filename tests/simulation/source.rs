//! The mailbox as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::error::{Error, Result, codes};
use email_logging::message::MailFacts;
use email_logging::source::{
    Disposal, FetchSink, Fetched, Folder, FolderId, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailSource, Moved, Removed, Sought, SourceCapabilities, Stamped,
};

use crate::book::{Book, WISH, item_id, item_ref};
use crate::late::{Effect, Late};
use crate::mailbox::{Mailbox, Place, Service, key_of};
use crate::mails::Mails;
use crate::stage::{Fault, Op, Phase, Stage};
use crate::world::Plan;

/// One worker's way to the mailbox.
#[derive(Debug, Clone)]
pub(crate) struct SimSource {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
    pub(crate) mailbox: Arc<Mutex<Mailbox>>,
    pub(crate) mails: Arc<Mails>,
    pub(crate) book: Arc<Book>,
    pub(crate) plan: Arc<Plan>,
    pub(crate) service: Service,
    /// What it sent that comes late.
    pub(crate) late: Late,
    /// Whether it is what comes late itself.
    pub(crate) is_late: bool,
}

/// How a call is let in.
enum LetIn {
    /// With the way in which its batch goes wrong.
    Now(Option<u8>),
    Late,
}

pub(crate) fn failed(service: Service, fault: Fault, operation: &'static str) -> Error {
    match fault {
        Fault::Busy if service == Service::Graph => throttled(operation),
        Fault::Timeout | Fault::Late | Fault::Partial(_) | Fault::Full => {
            Error::new(&codes::HTTP_TIMEOUT, operation)
        }
        Fault::Busy => Error::new(&codes::EWS_THROTTLED, operation).with_retry_after(WISH),
        Fault::Unauthorized => Error::new(&codes::HTTP_UNAUTHORIZED, operation),
    }
}

/// What a service of Graph says that has too much to do.
pub(crate) fn throttled(operation: &'static str) -> Error {
    Error::new(&codes::GRAPH_THROTTLED, operation).with_retry_after(WISH)
}

impl SimSource {
    async fn call<T: Debug>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl FnOnce(&mut Mailbox, Option<u8>) -> Result<T>,
    ) -> Result<T> {
        self.call_or_late(op, name, effect, || ()).await
    }

    /// As [`call`](Self::call) does, of a call whose effect may come late: it is `send` that keeps it for then.
    async fn call_or_late<T: Debug>(
        &self,
        op: Op,
        name: &'static str,
        effect: impl FnOnce(&mut Mailbox, Option<u8>) -> Result<T>,
        send: impl FnOnce(),
    ) -> Result<T> {
        self.book.request(self.worker);
        let partial = match self.let_in(op, name).await? {
            LetIn::Now(partial) => partial,
            LetIn::Late => {
                send();
                return Err(failed(self.service, Fault::Late, name));
            }
        };
        let answer = effect(&mut self.mailbox.lock().unwrap(), partial);
        self.stage.sees(self.worker, &answer);
        match self.stage.wait(self.worker, op, Phase::After).await {
            Some(fault) => Err(self.failed(fault, name)),
            None => answer,
        }
    }

    /// How the mail system answers a call that fails.
    fn failed(&self, fault: Fault, name: &'static str) -> Error {
        if fault == Fault::Busy {
            self.book.told_to_wait(self.worker, self.stage.now());
        }
        failed(self.service, fault, name)
    }

    /// The call reaches the mail system, and is let in: where its token has ended, with another one, for which it asks once.
    /// Answers how the batch goes wrong.
    async fn let_in(&self, op: Op, name: &'static str) -> Result<LetIn> {
        let mut asks = self.plan.refreshes;
        loop {
            match self.stage.wait(self.worker, op, Phase::Before).await {
                Some(Fault::Unauthorized) if asks => self.refresh().await?,
                Some(fault @ Fault::Unauthorized) => return Err(self.refused(fault, name)),
                Some(Fault::Partial(how)) => return Ok(LetIn::Now(Some(how))),
                Some(Fault::Late) => return Ok(LetIn::Late),
                Some(fault) => return Err(self.failed(fault, name)),
                None => return Ok(LetIn::Now(None)),
            }
            asks = false;
        }
    }

    /// Keeps an effect for when it comes. Nobody hears of what it does, and no lease holds any more.
    fn send(
        &self,
        op: Op,
        items: &[ItemRef],
        effect: impl FnOnce(&Self, &mut Mailbox, &[ItemRef]) + Send + 'static,
    ) {
        let mut source = self.clone();
        (source.late, source.is_late) = (Late::default(), true);
        let items = items.to_vec();
        let what = (self.worker, items.clone());
        let effect: Effect = Box::new(move || {
            let mailbox = Arc::clone(&source.mailbox);
            effect(&source, &mut mailbox.lock().unwrap(), &items);
        });
        self.late.put(op, &what, effect);
    }

    /// Asks the identity service for another token.
    async fn refresh(&self) -> Result<()> {
        for phase in [Phase::Before, Phase::After] {
            match self.stage.wait(self.worker, Op::Refresh, phase).await {
                Some(fault @ Fault::Unauthorized) => return Err(self.refused(fault, "refresh")),
                Some(fault) => return Err(failed(self.service, fault, "refresh")),
                None => {}
            }
        }
        Ok(())
    }

    fn refused(&self, fault: Fault, name: &'static str) -> Error {
        // Beside another call the answer to this one comes too late for it.
        if self.plan.connections == 1 {
            self.book.signs_out(self.worker);
        }
        failed(self.service, fault, name)
    }

    fn listed(mailbox: &Mailbox, id: u64) -> ListedItem {
        let item = &mailbox.items[&id];
        let mut listed = ListedItem::new(item_ref(id));
        listed.key = key_of(id, item).filter(|_| mailbox.server.stable_keys);
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
            request.limit.min(self.plan.page) as usize,
        );
        let short = usize::from(partial.is_some_and(|how| how % 3 == 2));
        let limit = limit.saturating_sub(short).max(1);
        let ids: Vec<_> = all.iter().skip(offset).take(limit).copied().collect();
        let complete = offset + ids.len() >= all.len();
        let items = ids.into_iter().map(|id| Self::listed(mailbox, id));
        Listing::new(items.collect(), Some(total), complete)
    }

    async fn hand_over(
        &self,
        at: usize,
        original: Option<(Reading, Arc<[u8]>)>,
        how: usize,
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let Some((reading, original)) = original else {
            sink.begin(at, None);
            return sink.end(Fetched::Gone).await;
        };
        sink.begin(at, Some(original.len() as u64));
        if reading == Reading::Damaged {
            return sink.end(Fetched::Failed(damaged())).await;
        }
        if how == 1 || reading == Reading::Fails {
            let error = Error::new(&codes::EWS_UNAVAILABLE, "fetch");
            return sink.end(Fetched::Failed(error)).await;
        }
        let half = original.len() / 2;
        if how == 2 || how == 3 {
            sink.chunk(&original[..half]).await?;
            if how == 2 {
                return Err(failed(self.service, Fault::Timeout, "fetch"));
            }
            sink.begin(at, Some(original.len() as u64));
        }
        sink.chunk(&original[..half]).await?;
        sink.chunk(&original[half..]).await?;
        let facts = Box::new(MailFacts::default());
        sink.end(Fetched::Complete(facts)).await
    }
}

/// How an item is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Fine,
    Damaged,
    /// Another time may do.
    Fails,
}

fn damaged() -> Error {
    Error::new(&codes::EWS_ITEM_DAMAGED, "fetch")
}

#[async_trait]
impl MailSource for SimSource {
    fn capabilities(&self) -> SourceCapabilities {
        let keys = self.mailbox.lock().unwrap().server.stable_keys;
        let mut capabilities = SourceCapabilities::default();
        capabilities.stable_keys = keys;
        capabilities.locate = keys;
        capabilities.stamps = self.plan.stamps;
        capabilities.list_page = self.plan.page;
        capabilities.fetch_batch = self.plan.batch;
        capabilities.move_batch = self.plan.batch;
        capabilities.connections = 4;
        capabilities
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.book.asks_what_is_left(self.worker, self.stage.now())
    }

    async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder> {
        let FolderSelector::Path(path) = folder else {
            panic!("folders are opened by path here")
        };
        let name = path.segments().last().unwrap().to_lowercase();
        let place = Place::of(&name);
        self.call(Op::OpenFolder, "open_folder", |mailbox, _| {
            if mailbox.renamed.contains(&place) {
                return Err(Error::new(&codes::EWS_FOLDER_NOT_FOUND, "open_folder"));
            }
            Ok(Folder::new(FolderId::new(place.id())))
        })
        .await
    }

    async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing> {
        let place = Place::of(folder.id.as_str());
        self.call(Op::List, "list", |mailbox, partial| {
            Ok(self.list_effect(mailbox, place, request, partial))
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
            let find = |item: &ListedItem| {
                let id = item_id(&item.item);
                let found = mailbox.find(place, id)?;
                let key = &found.key;
                let may_be_early = mailbox.is_touched(*key) || mailbox.loose.contains(key);
                self.check_read(id, found, may_be_early);
                let reading = if mailbox.flaky.contains(key) {
                    Reading::Fails
                } else if mailbox.is_unreadable(&self.mails, found) {
                    Reading::Damaged
                } else {
                    Reading::Fine
                };
                Some((reading, Arc::clone(&found.original)))
            };
            Ok((items.iter().map(find).collect::<Vec<_>>(), partial))
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
        self.call_or_late(
            Op::Move,
            "move_to",
            |mailbox, partial| Ok(self.moves(mailbox, route, items, partial)),
            || {
                self.send(Op::Move, items, move |it, mailbox, items| {
                    it.moves(mailbox, route, items, None);
                });
            },
        )
        .await
    }

    async fn locate(&self, folder: &Folder, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let place = Place::of(folder.id.as_str());
        let is_holder = !self.is_stale();
        self.call(Op::Locate, "locate", |mailbox, _| {
            let mut found = Vec::with_capacity(sought.len());
            for sought in sought {
                let ids = mailbox.locate(place, sought);
                if ids.len() > 1 && is_holder {
                    mailbox.unseen.remove(&mailbox.items[&ids[0]].key);
                }
                found.push(ids.into_iter().map(item_ref).collect());
            }
            Ok(found)
        })
        .await
    }

    async fn remove(
        &self,
        from: &Folder,
        items: &[ItemRef],
        disposal: Disposal,
    ) -> Result<Vec<Removed>> {
        let place = Place::of(from.id.as_str());
        if !self.plan.deletes || disposal != Disposal::DeletedItems {
            self.book
                .broken("I1: something was to be deleted under a policy that deletes nothing");
        }
        self.call_or_late(
            Op::Remove,
            "remove",
            |mailbox, partial| Ok(self.remove_effect(mailbox, place, items, partial)),
            || {
                self.send(Op::Remove, items, move |it, mailbox, items| {
                    it.remove_effect(mailbox, place, items, None);
                });
            },
        )
        .await
    }

    async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        let place = Place::of(from.id.as_str());
        if !self.plan.stamps {
            self.book.broken("mail is changed that must not be changed");
        }
        let stamped = self.call_or_late(
            Op::Stamp,
            "stamp",
            |mailbox, partial| Ok(self.stamp_effect(mailbox, place, items, partial)),
            || {
                self.send(Op::Stamp, items, move |it, mailbox, items| {
                    it.stamp_effect(mailbox, place, items, None);
                });
            },
        );
        let stamped = stamped.await;
        if stamped.is_err() {
            self.mailbox.lock().unwrap().keys_not_answered(items);
        }
        stamped
    }
}
