//! The mailbox as a worker sees it: every call waits before and after its effect, and may fail at either.

use std::collections::BTreeSet;
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
use crate::mailbox::{Item, Label, Mailbox, Place, Service, key_of};
use crate::mails::{Kind, Mails};
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

fn failed(service: Service, fault: Fault, operation: &'static str) -> Error {
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
fn throttled(operation: &'static str) -> Error {
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

    fn moves(
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
            if !stopped {
                self.check_move(mailbox, route, id);
            }
            if !stopped && self.is_refused(mailbox, route, id, how == 1) {
                answers.push(Moved::Failed(too_large(Service::Ews)));
                continue;
            }
            if !stopped {
                self.explain(mailbox, id, how == 2);
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
            if part.is_done() && self.is_refused(mailbox, route, id, false) {
                self.check_move(mailbox, route, id);
                answers.push(Moved::Failed(too_large(Service::Graph)));
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

    /// Whether an item in the queue is refused for good, as it is by itself or as is said now; under a policy that deletes
    /// such mail.
    fn is_refused(
        &self,
        mailbox: &mut Mailbox,
        route: (Place, Place),
        id: u64,
        said: bool,
    ) -> bool {
        let stuck = |item: &Item| said || mailbox.stuck.contains(&item.key);
        let is_refused = self.plan.deletes
            && route.1 == Place::Storage
            && mailbox.find(route.0, id).is_some_and(stuck);
        if is_refused {
            mailbox.refused.insert(id);
        }
        is_refused
    }

    fn remove_effect(
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
        let is_touched = key.is_some_and(|key| mailbox.touched.contains(&key));
        match key {
            Some(key) if self.is_stale() => _ = mailbox.unseen.insert(key),
            _ if is_touched || lay == from || lay == Place::Deleted => {}
            _ => self
                .book
                .broken(format!("I1: item {id} is deleted from {lay:?}")),
        }
        true
    }

    fn stamp_effect(
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
            }
            answers.push(match (how, key) {
                (0, Some(key)) => Stamped::Done(key, item_ref(id).with_change_key("stamped")),
                (0, None) => Stamped::Gone,
                _ => Stamped::Failed(unknown(self.service, "stamp")),
            });
        }
        answers
    }

    /// Whether the worker has lost its lease, known or not: its clock may have stood while the others' moved on. What comes
    /// late knows of no lease.
    fn is_stale(&self) -> bool {
        self.is_late || self.book.pages().holder != Some(self.worker)
    }

    fn explain(&self, mailbox: &mut Mailbox, id: u64, is_half: bool) {
        let is_stale = self.is_stale();
        let key = mailbox.meant(id).map(|item| item.key);
        if let (Some(key), true) = (key, is_half || is_stale) {
            *mailbox.explained.entry(key).or_default() += 1;
        }
        if let (Some(key), true) = (key, is_stale) {
            mailbox.unseen.insert(key);
        }
    }

    /// I1, I2, I8: a mail moves or is deleted only after its commit, to where it belongs, and not during its back-off.
    fn check_move(&self, mailbox: &Mailbox, (from, to): (Place, Place), id: u64) {
        let Some(item) = mailbox.find(from, id) else {
            return;
        };
        if self.is_stale() {
            self.book.stale_effect();
        }
        let pages = self.book.pages();
        let committed = pages.committed.contains(&id);
        // Without keys a sighting is known again only when its mail was read: the commit finds it and its move goes on.
        let early = mailbox.server.stable_keys
            && !mailbox.loose.contains(&item.key)
            && pages.holder == Some(self.worker)
            && !self.is_late
            && pages
                .move_after
                .get(&id)
                .is_some_and(|it| *it > self.stage.latest());
        let read = pages.read.get(&id).cloned().unwrap_or_default();
        drop(pages);
        if !committed {
            self.book
                .broken(format!("I2: item {id} moves before its commit"));
        }
        if early {
            self.book
                .broken(format!("I8: item {id} moves during its back-off"));
        }
        let places = read.iter().map(|mail| self.belongs(*mail));
        let is_last = to == Place::Deleted && self.may_be_deleted(mailbox, id, &read);
        if !mailbox.touched.contains(&item.key)
            && !read.is_empty()
            && !places.clone().any(|it| it == to)
            && !is_last
        {
            let belongs: Vec<_> = places.collect();
            self.book.broken(format!(
                "I2: item {id} moves to {to:?}, it belongs in {belongs:?}"
            ));
        }
        if self.plan.sink
            && !mailbox.touched.contains(&item.key)
            && !read.iter().any(|mail| self.is_delivered(*mail))
            && !read.is_empty()
        {
            self.book
                .broken(format!("I2: item {id} moves before the host's log has it"));
        }
    }

    /// Where a mail belongs in the end.
    fn belongs(&self, mail: usize) -> Place {
        match self.mails.0[mail].kind {
            Kind::Poison => Place::Quarantine,
            Kind::Stranger | Kind::Private if self.plan.deletes => Place::Deleted,
            Kind::Stranger | Kind::Private if self.plan.not_logged_folder => Place::NotLogged,
            _ => Place::Storage,
        }
    }

    /// I1: what is logged is deleted only if its move was refused for good, and entries and original were found in the store
    /// when they were committed.
    fn may_be_deleted(&self, mailbox: &Mailbox, id: u64, read: &BTreeSet<usize>) -> bool {
        let pages = self.book.pages();
        let kept = |mail: &usize| pages.entries.contains_key(&self.mails.base(*mail));
        self.plan.deletes && mailbox.refused.contains(&id) && read.iter().all(kept)
    }

    fn is_delivered(&self, mail: usize) -> bool {
        let base = self.mails.base(mail);
        let pages = self.book.pages();
        let there = pages.entries.get(&base).cloned().unwrap_or_default();
        let wanted = self.mails.0[base].entries.len();
        there
            .iter()
            .filter(|id| pages.host.contains_key(*id))
            .count()
            >= wanted
    }

    /// I8: what failed is not read again during its back-off, by the worker that may know of it.
    fn check_read(&self, id: u64, item: &Item, may_be_early: bool) {
        let mut pages = self.book.pages();
        pages.read.entry(id).or_default().insert(item.mail);
        let early = pages.holder == Some(self.worker)
            && pages
                .read_after
                .get(&id)
                .is_some_and(|it| *it > self.stage.latest());
        drop(pages);
        // Of several copies that a person made one may be decided meanwhile.
        if early && !may_be_early {
            self.book
                .broken(format!("I8: item {id} is read during its back-off"));
        }
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
        capabilities.stamps = self.plan.stamps;
        capabilities.list_page = self.plan.page;
        capabilities.fetch_batch = self.plan.batch;
        capabilities.move_batch = self.plan.batch;
        capabilities.connections = 4;
        capabilities
    }

    fn asked_to_wait(&self) -> Option<Duration> {
        self.book.told(self.worker, self.stage.now())
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
                let may_be_early = mailbox.touched.contains(key) || mailbox.loose.contains(key);
                self.check_read(id, found, may_be_early);
                Some((found.mail, Arc::clone(&found.original)))
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
        self.call_or_late(
            Op::Stamp,
            "stamp",
            |mailbox, partial| Ok(self.stamp_effect(mailbox, place, items, partial)),
            || {
                self.send(Op::Stamp, items, move |it, mailbox, items| {
                    it.stamp_effect(mailbox, place, items, None);
                });
            },
        )
        .await
    }
}
