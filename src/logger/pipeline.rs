//! The stages of a run, overlapped: while one batch moves, the next commits and another is fetched.
//!
//! Free of a runtime: every stage is a future in one set, polled by whoever polls the run. Batches are fetched side by
//! side and committed in the order of the queue, so that the older of two copies is the one that is logged.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

use futures_util::StreamExt as _;
use futures_util::future::{AbortHandle, abortable};
use futures_util::stream::FuturesUnordered;

use crate::decision::Disposition;
use crate::error::{Error, ErrorKind};
use crate::store::{CommitBatch, Delivered, Lease, MoveResult, RowContent};

use super::commit::{Committed, commit};
use super::counts::Counts;
use super::fetch::fetch;
use super::folders::Folders;
use super::lanes::{LaneOf, Lanes};
use super::lease::{HeldLease, while_long};
use super::listing::{Fate, LookAhead, PageOfWork, WorkItem, list, stamp_new};
use super::moves::move_batch;
use super::parts::Parts;
use super::prepare::{self, Prepared, PreparedBatch, again, prepare};
use super::progress::ProgressEvent;
use super::report::RunStep;
use super::shutdown::Shutdown;

/// Mails that one commit takes at most, in whole batches. Each commit writes a page of every index that it touches: where
/// fetching is ahead, fewer and larger ones write less.
const COMMIT_MAILS: usize = 200;

/// Mails that wait for their commit without being read, and for their moves, before no more are listed.
const MOST_WAITING: usize = 1_000;

pub(super) type StepError = (RunStep, Error);
type Task<'a> = Pin<Box<dyn Future<Output = (u64, Done)> + Send + 'a>>;

/// What a stage ends with.
enum Done {
    Listed(Result<PageOfWork, Error>),
    Stamped(Result<PageOfWork, Error>),
    Fetched(u64, FetchedBatch),
    Committed {
        committed: Box<Committed>,
        /// Whether logging was disabled meanwhile.
        disabled: bool,
    },
    Moved(Result<Vec<MoveResult>, Error>),
    Renewed(Result<HeldLease, Error>),
    /// A fetch that was dropped in its middle; it is counted already.
    Dropped,
}

/// How far a run still goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Working,
    /// Nothing new is begun; what is durable is still moved.
    Draining,
    /// The store or the lease is gone: nothing more is written or moved, and no call to the mail system goes on.
    Dead,
}

/// A run between its lease and its report.
pub(super) struct Pipeline<'a> {
    parts: &'a Parts,
    folders: &'a Folders,
    lease: HeldLease,
    tasks: FuturesUnordered<Task<'a>>,
    /// The number of the next task.
    next_task: u64,
    /// The tasks that fetch, by number.
    fetches: BTreeMap<u64, AbortHandle>,
    /// What lists, or stamps a page after it. A list goes out at once: a page is asked for behind what lay in the queue when
    /// the list was begun.
    lists: FuturesUnordered<Task<'a>>,
    /// What moves.
    moves: FuturesUnordered<Task<'a>>,
    /// The renewal of the lease, while one is under way.
    renewal: FuturesUnordered<Task<'a>>,
    /// Mails that are being fetched.
    fetching: u64,
    look: LookAhead,
    counts: Counts,
    error: Option<StepError>,
    refused: Option<StepError>,
    mode: Mode,
    /// Whether a sign-in was refused: each further call would be one more wrong password.
    signed_out: bool,
    /// How many mails the run takes at most; 0 is no limit.
    batch_size: u32,
    taken: usize,
    calls: u32,
    /// Batches that the running commit writes; 0 while none runs.
    committing: usize,
    next_fetch: u64,
    next_commit: u64,
    prepared: BTreeMap<u64, PreparedBatch>,
    /// Bytes of the batches that are fetched, wait or are written, by the server's sizes.
    held: BTreeMap<u64, u64>,
    again: Vec<Prepared>,
    to_move: Lanes,
    results: Vec<MoveResult>,
    deliveries: Vec<Delivered>,
}

impl<'a> Pipeline<'a> {
    pub(super) fn new(
        parts: &'a Parts,
        folders: &'a Folders,
        lease: HeldLease,
        batch_size: u32,
        counts: Counts,
    ) -> Self {
        Self {
            parts,
            folders,
            lease,
            tasks: FuturesUnordered::new(),
            next_task: 0,
            fetches: BTreeMap::new(),
            lists: FuturesUnordered::new(),
            moves: FuturesUnordered::new(),
            renewal: FuturesUnordered::new(),
            fetching: 0,
            look: LookAhead::default(),
            counts,
            error: None,
            refused: None,
            mode: Mode::Working,
            signed_out: false,
            batch_size,
            taken: 0,
            calls: 0,
            committing: 0,
            next_fetch: 0,
            next_commit: 0,
            prepared: BTreeMap::new(),
            held: BTreeMap::new(),
            again: Vec::new(),
            to_move: Lanes::default(),
            results: Vec::new(),
            deliveries: Vec::new(),
        }
    }

    /// Runs until the queue is empty, the batch size is reached, an error ends it, logging is disabled, or `shutdown`
    /// comes; then drains. The lease is renewed meanwhile, also while every call waits for the server. Moves that are under
    /// way when it is lost, or is too short for them, are dropped.
    pub(super) async fn drive(&mut self, shutdown: &mut Shutdown<'_>) {
        if shutdown.has_come().await {
            self.stop();
        }
        loop {
            self.start_stages();
            if self.is_idle() {
                return;
            }
            let renewal = self.lease.until_due(self.parts);
            let moving = !self.moves.is_empty();
            tokio::select! {
                biased;
                () = shutdown.wait() => self.stop(),
                Some((task, done)) = self.renewal.next() => self.take(task, done),
                Some((task, done)) = self.lists.next() => self.take(task, done),
                moved = while_long(&self.lease, self.parts, self.moves.next()), if moving => {
                    match moved.flatten() {
                        Some((task, done)) => self.take(task, done),
                        None => self.drop_moves(),
                    }
                }
                Some((task, done)) = self.tasks.next() => self.take(task, done),
                () = self.parts.clock.sleep(renewal), if self.may_renew() => {}
            }
        }
    }

    fn is_idle(&self) -> bool {
        let sets = [&self.tasks, &self.lists, &self.moves, &self.renewal];
        sets.iter().all(|set| set.is_empty())
    }

    fn stop(&mut self) {
        if self.mode != Mode::Working {
            return;
        }
        self.mode = Mode::Draining;
        self.counts.report.deferred += self.look.ready.len() as u64;
        self.look.ready.clear();
    }

    fn fail(&mut self, error: StepError) {
        self.stop();
        let kind = error.1.kind();
        // A commit that is a matter of configuration met a store that a newer version has changed.
        let refused = kind == ErrorKind::Config && error.0 == RunStep::LoggingMessages;
        if refused || matches!(kind, ErrorKind::StoreUnavailable | ErrorKind::LeaseLost) {
            self.die();
        }
        self.signed_out |= error.1.is_signed_out();
        self.error.get_or_insert(error);
    }

    /// Nothing more is written or moved. What the calls to the mail system have not sent yet, they never send.
    fn die(&mut self) {
        self.mode = Mode::Dead;
        self.drop_moves();
        self.lists.clear();
        let fetches = std::mem::take(&mut self.fetches);
        for fetch in fetches.into_values() {
            fetch.abort();
        }
        self.counts.report.deferred += std::mem::take(&mut self.fetching);
    }

    /// Ends the moves that are under way. Their effect is unknown: the plans stay, and the next run looks before it moves.
    fn drop_moves(&mut self) {
        self.calls -= u32::try_from(self.moves.len()).unwrap_or(self.calls);
        self.moves.clear();
        self.to_move.lose_all();
    }

    fn start_stages(&mut self) {
        if self.mode == Mode::Dead {
            return;
        }
        self.renew_if_due();
        self.start_commit();
        self.start_moves();
        // Before the fetches: while there is something to fetch they would leave it no call.
        self.start_list();
        self.start_fetches();
    }

    fn is_stopping(&self) -> bool {
        self.mode != Mode::Working
    }

    fn task(&mut self, task: impl Future<Output = Done> + Send + 'a) -> (u64, Task<'a>) {
        let number = self.next_task;
        self.next_task += 1;
        (number, Box::pin(async move { (number, task.await) }))
    }

    fn may_call(&self) -> bool {
        self.calls < self.parts.settings.connections.max(1)
    }

    /// How many more mails the run may take up.
    fn room(&self) -> usize {
        match self.batch_size {
            0 => usize::MAX,
            limit => (limit as usize).saturating_sub(self.taken),
        }
    }

    /// Batches that wait for their commit count as calls, and so do those that are written, but for one and two more for each
    /// eight connections. Together they have half of `fetch_bytes` for each connection: memory is bounded by both.
    fn may_fetch(&self) -> bool {
        let settings = &self.parts.settings;
        let connections = settings.connections.max(1) as usize;
        let held = self.prepared.len() + self.committing.saturating_sub(1);
        let bytes: u64 = self.held.values().sum();
        let budget = settings.fetch_bytes / 2 * connections as u64;
        let fits = bytes < budget.max(settings.fetch_bytes) || self.calls == 0 && held == 0;
        self.may_call() && self.calls as usize + held < connections + connections / 8 * 2 && fits
    }

    fn start_list(&mut self) {
        if self.is_stopping() || !self.may_call() || self.room() == 0 {
            return;
        }
        // A page that is being stamped counts for nothing yet.
        if !self.lists.is_empty() {
            return;
        }
        if self.again.len() + self.to_move.waiting() >= MOST_WAITING {
            return;
        }
        let page = self.parts.source.capabilities().list_page.max(1);
        let settled = !self.may_plan_moves();
        let Some(request) = self.look.next_request(page, settled) else {
            return;
        };
        self.calls += 1;
        let (parts, queue) = (self.parts, &self.folders.queue);
        let list = async move { Done::Listed(list(parts, queue, request).await) };
        let (_, task) = self.task(list);
        self.lists.push(task);
    }

    /// New items without a key of their own get one before they are read.
    fn start_stamps(&mut self, page: PageOfWork) {
        self.calls += 1;
        let (parts, queue) = (self.parts, &self.folders.queue);
        let stamp = async move { Done::Stamped(stamp_new(parts, queue, page).await) };
        let (_, task) = self.task(stamp);
        self.lists.push(task);
    }

    fn start_fetches(&mut self) {
        let settings = &self.parts.settings;
        while !self.is_stopping() && self.may_fetch() && !self.look.ready.is_empty() {
            let limit = self
                .parts
                .source
                .capabilities()
                .fetch_batch
                .min(settings.fetch_batch);
            let batch = self
                .look
                .take_batch(limit.max(1) as usize, settings.fetch_bytes);
            let sequence = self.next_fetch;
            self.next_fetch += 1;
            let bytes = batch.iter().map(WorkItem::bytes).sum();
            self.held.insert(sequence, bytes);
            self.calls += 1;
            self.fetching += batch.len() as u64;
            let (parts, folders) = (self.parts, self.folders);
            let lease = self.lease.lease.clone();
            let (fetch, handle) = abortable(async move {
                Done::Fetched(
                    sequence,
                    fetch_and_prepare(parts, folders, &lease, batch).await,
                )
            });
            let (number, task) = self.task(async move { fetch.await.unwrap_or(Done::Dropped) });
            self.fetches.insert(number, handle);
            self.tasks.push(task);
        }
    }

    fn start_commit(&mut self) {
        if self.committing > 0 {
            return;
        }
        let (rows, batches) = self.take_prepared();
        let idle = self.calls == 0 && !self.has_moves();
        let last_results = idle && !(self.results.is_empty() && self.deliveries.is_empty());
        if rows.is_empty() && !last_results {
            self.forget_written();
            return;
        }
        self.committing = batches.max(1);
        let with = CommitBatch {
            rows: Vec::new(),
            moves: std::mem::take(&mut self.results),
            deliveries: std::mem::take(&mut self.deliveries),
            quiet: !self.parts.settings.events,
        };
        let (parts, folders) = (self.parts, self.folders);
        let lease = self.lease.lease.clone();
        let (_, task) = self.task(async move {
            let committed = Box::new(commit(parts, folders, &lease, rows, with).await);
            let disabled = parts.is_disabled().await;
            Done::Committed {
                committed,
                disabled,
            }
        });
        self.tasks.push(task);
    }

    /// What the next commit writes, and how many batches that are: whole ones in the order of the queue, as many as are
    /// ready and a commit takes. A batch that has a Message-ID of them waits for the next one, so that of two renderings of a
    /// mail the older is logged: within one commit a store takes messages in an order of its own.
    ///
    /// Of two items under one key the second may be decided otherwise, where it or the directory changed meanwhile. It stays
    /// for the next run, which knows of the first: else what is about to move would go against the newer decision.
    fn take_prepared(&mut self) -> (Vec<Prepared>, usize) {
        let of_again = self.again.len().min(COMMIT_MAILS);
        let mut rows: Vec<Prepared> = self.again.drain(..of_again).collect();
        let (mut batches, mut bytes) = (0, 0_u64);
        let mut lanes = None;
        while let Some(batch) = self.prepared.get(&self.next_commit) {
            bytes = bytes.saturating_add(batch.bytes());
            let fits = rows.len() + batch.rows.len() <= COMMIT_MAILS
                && bytes <= self.parts.settings.fetch_bytes
                && !share_message_id(&rows, &batch.rows);
            if !rows.is_empty() && !fits {
                break;
            }
            let Some(batch) = self.prepared.remove(&self.next_commit) else {
                break;
            };
            self.next_commit += 1;
            self.counts.report.gone += batch.gone.len() as u64;
            for work in &batch.gone {
                self.look.leaves(&work.listed.item.id);
            }
            let lanes = lanes.get_or_insert_with(|| self.to_move.lanes());
            for row in batch.rows {
                if goes_elsewhere(&row, lanes, self.folders) {
                    self.counts.report.deferred += 1;
                } else {
                    rows.push(row);
                }
            }
            batches += 1;
        }
        (rows, batches)
    }

    fn start_moves(&mut self) {
        let size = self.parts.move_batch();
        // A move cannot be fenced: the lease must outlast it.
        while self.may_call() && self.has_moves() && !self.lease.is_short(self.parts) {
            let flush = !self.may_plan_moves();
            let Some(batch) = self.to_move.begin(self.next_task, size, flush) else {
                return;
            };
            self.calls += 1;
            let (parts, folders) = (self.parts, self.folders);
            let (_, task) =
                self.task(async move { Done::Moved(move_batch(parts, folders, &batch).await) });
            self.moves.push(task);
        }
    }

    /// Whether mail is on its way that will be moved too: a batch of moves that is not full waits for it.
    fn may_plan_moves(&self) -> bool {
        let ready = !self.look.ready.is_empty() && !self.is_stopping();
        let read = !(self.lists.is_empty() && self.fetches.is_empty() && self.prepared.is_empty());
        ready || read || self.committing > 0
    }

    /// Whether there are moves that may still be begun.
    fn has_moves(&self) -> bool {
        !self.signed_out && !self.to_move.is_empty()
    }

    fn may_renew(&self) -> bool {
        self.renewal.is_empty() && self.mode != Mode::Dead
    }

    fn renew_if_due(&mut self) {
        let idle = self.is_idle() && !self.has_moves();
        if !self.may_renew() || idle || !self.lease.until_due(self.parts).is_zero() {
            return;
        }
        let (parts, lease) = (self.parts, self.lease.clone());
        let (_, task) = self.task(async move { Done::Renewed(lease.renew(parts).await) });
        self.renewal.push(task);
    }

    fn take(&mut self, task: u64, done: Done) {
        self.fetches.remove(&task);
        match done {
            Done::Dropped => {}
            Done::Listed(page) => self.take_listed(page),
            Done::Stamped(page) => self.take_stamped(page),
            Done::Fetched(sequence, batch) => self.take_fetched(sequence, batch),
            Done::Committed {
                committed,
                disabled,
            } => {
                self.take_committed(*committed);
                if disabled {
                    self.stop();
                }
            }
            Done::Moved(result) => self.take_moved(task, result),
            Done::Renewed(result) => self.take_lease(result),
        }
    }

    fn take_listed(&mut self, page: Result<PageOfWork, Error>) {
        self.calls -= 1;
        let mut page = match page {
            Ok(page) => self.look.admit(page),
            Err(error) => return self.fail((RunStep::ListingQueue, error)),
        };
        let stamps = self.parts.source.capabilities().stamps && !self.is_stopping();
        if stamps && page.unkeyed().next().is_some() {
            self.start_stamps(page);
        } else {
            self.take_page(page);
        }
    }

    fn take_stamped(&mut self, page: Result<PageOfWork, Error>) {
        self.calls -= 1;
        match page {
            Ok(page) => self.take_page(page),
            Err(error) => self.fail((RunStep::ListingQueue, error)),
        }
    }

    fn take_page(&mut self, page: PageOfWork) {
        self.parts.tell(&ProgressEvent::Listed {
            items: page.items.len(),
            total: page.total,
        });
        for (work, fate) in page.items {
            self.take_item(work, fate);
        }
    }

    fn take_item(&mut self, work: WorkItem, fate: Fate) {
        if fate == Fate::Passed || (fate == Fate::Again && stays(self.folders, &work)) {
            self.counts.report.listed += 1;
            self.counts.report.deferred += 1;
            return;
        }
        if self.room() == 0 {
            return;
        }
        self.taken += 1;
        self.counts.report.listed += 1;
        match fate {
            _ if self.is_stopping() => self.counts.report.deferred += 1,
            Fate::Again => self.again.push(again(self.folders, work)),
            Fate::Ready | Fate::Passed => self.look.ready.push_back(work),
        }
    }

    fn take_fetched(&mut self, sequence: u64, fetched: FetchedBatch) {
        self.calls -= 1;
        self.fetching -= fetched.asked as u64;
        self.counts.report.deferred += fetched.open as u64;
        self.parts.tell(&ProgressEvent::Fetched {
            mails: fetched.batch.rows.len(),
        });
        self.prepared.insert(sequence, fetched.batch);
        if let Some(error) = fetched.error {
            self.fail(error);
        }
    }

    /// Nothing is being written: what came before the next commit is not held any more.
    fn forget_written(&mut self) {
        self.held = self.held.split_off(&self.next_commit);
    }

    fn take_committed(&mut self, committed: Committed) {
        self.committing = 0;
        self.forget_written();
        committed.count(&mut self.counts.report);
        self.parts.tell(&ProgressEvent::Committed {
            mails: committed.rows,
        });
        self.deliveries.extend(committed.deliveries);
        self.refused = self.refused.take().or(committed.refused);
        for planned in committed.moves {
            self.look.leaves(&planned.item.id);
            self.counts.plan_move(&planned.item.id);
            let lane = self.folders.lane(planned.target);
            self.to_move.push(lane, planned);
        }
        if let Some(error) = committed.error {
            self.fail(error);
        }
    }

    fn take_moved(&mut self, task: u64, result: Result<Vec<MoveResult>, Error>) {
        self.calls -= 1;
        match result {
            Ok(results) => {
                self.to_move.end(task);
                self.counts.take_moves(&results);
                self.parts.tell(&ProgressEvent::Moved {
                    mails: results.len(),
                });
                self.results.extend(results);
            }
            // The effect is unknown: the plans stay, and the next run looks before it moves.
            Err(error) => {
                self.to_move.lose(task);
                self.fail((RunStep::MovingMessages, error));
            }
        }
    }

    fn take_lease(&mut self, result: Result<HeldLease, Error>) {
        match result {
            Ok(lease) => self.lease = lease,
            // Whatever keeps it from being renewed: without the lease nothing may be written or moved.
            Err(error) => {
                self.fail((RunStep::TakingMailbox, error));
                self.die();
            }
        }
    }

    /// What was begun and not written when the store or the lease went away.
    pub(super) fn close(mut self) -> Closed {
        let open = self
            .prepared
            .values()
            .map(|batch| batch.rows.len() + batch.gone.len());
        self.counts.report.deferred += (open.sum::<usize>() + self.again.len()) as u64;
        let Self {
            counts,
            error,
            lease,
            refused,
            ..
        } = self;
        Closed {
            counts,
            error,
            lease,
            refused,
        }
    }
}

/// What is left of a pipeline.
pub(super) struct Closed {
    pub(super) counts: Counts,
    pub(super) error: Option<StepError>,
    pub(super) lease: HeldLease,
    /// What was refused of single mails.
    pub(super) refused: Option<StepError>,
}

/// A batch between its fetch and its commit.
struct FetchedBatch {
    /// Mails that were asked for.
    asked: usize,
    batch: PreparedBatch,
    /// Mails that stay for a later run.
    open: usize,
    error: Option<StepError>,
}

async fn fetch_and_prepare(
    parts: &Parts,
    folders: &Folders,
    lease: &Lease,
    batch: Vec<WorkItem>,
) -> FetchedBatch {
    let asked = batch.len();
    let (done, open, error) = fetch(parts, Some(lease), &folders.queue, batch).await;
    let error = error.map(|error| (RunStep::ReadingMessages, error));
    let fetched = done.len();
    match prepare(parts, folders, prepare::Mode::ForReal, done).await {
        Ok(batch) => FetchedBatch {
            asked,
            batch,
            open: open.len(),
            error,
        },
        Err(failed) => FetchedBatch {
            asked,
            batch: PreparedBatch::default(),
            open: open.len() + fetched,
            error: Some(failed),
        },
    }
}

/// Whether the item's like was to go to a folder that is not configured any more.
fn stays(folders: &Folders, work: &WorkItem) -> bool {
    let target = work.known.as_ref().and_then(|known| known.disposition);
    target.is_some_and(|target| folders.effective(target) == Disposition::Leave)
}

/// Whether a mail of the one list has the Message-ID of a mail of the other.
fn share_message_id(some: &[Prepared], others: &[Prepared]) -> bool {
    let ids: BTreeSet<&str> = some.iter().filter_map(Prepared::message_id).collect();
    let mut theirs = others.iter().filter_map(Prepared::message_id);
    theirs.any(|id| ids.contains(id))
}

/// Whether a row sends its item by another lane than those of its key leave by, and notes by which it leaves.
fn goes_elsewhere(row: &Prepared, lanes: &mut LaneOf, folders: &Folders) -> bool {
    let RowContent::Decided(decided) = &row.row.content else {
        return false;
    };
    let (key, target) = (&row.row.sighting.key, decided.decision.disposition);
    let lane = folders.lane(target);
    if let Some(leaves_by) = lanes.get(key) {
        return *leaves_by != lane;
    }
    if target != Disposition::Leave {
        lanes.insert(key.clone(), lane);
    }
    false
}
