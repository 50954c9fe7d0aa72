//! Where every call of every worker waits until it is let go on: before its effect, and after it.
//!
//! Owns the virtual time and the points that wait. Knows nothing of mail and stores.

use std::fmt::{Debug, Write};
use std::future::Future;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::{Clock, Entropy};
use jiff::{SignedDuration, Timestamp};

use crate::rng::Rng;

/// What a worker calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Op {
    Acquire,
    Renew,
    Release,
    Undelivered,
    PendingMoves,
    OpenFolder,
    List,
    Stamp,
    Known,
    Fetch,
    Resolve,
    WithMessageIds,
    Stage,
    Staged,
    Commit,
    Move,
    Remove,
    Locate,
    Refresh,
    Put,
    Unindexed,
    Index,
    LoadSetup,
    ReadMail,
    ReadOriginal,
    Requeue,
}

/// Whether a call has had its effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Phase {
    Before,
    After,
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// No answer came; before the effect, or after it: the reply is lost.
    Timeout,
    /// No answer came, and the effect comes at a later step.
    Late,
    /// The other side asks to wait.
    Busy,
    /// The credentials are refused, once.
    Unauthorized,
    /// The disk of the store is full.
    Full,
    /// Some items of a batch go wrong, each in a way that the number chooses; a list repeats or leaves out.
    Partial(u8),
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Point {
    Call(Op, Phase),
    Sleep(Timestamp),
}

struct Waiting {
    id: u64,
    worker: usize,
    point: Point,
    waker: Waker,
}

struct State {
    now: Timestamp,
    next_id: u64,
    waiting: Vec<Waiting>,
    granted: Option<(u64, Option<Fault>)>,
    /// The latest time that there was, whatever the clock does.
    latest: Timestamp,
    watch: Option<Watch>,
}

/// What tells states apart: all that each worker has seen since it began to live, and all that was written.
#[derive(Debug, Default, Hash)]
struct Watch {
    seen: Vec<u64>,
    written: u64,
}

struct Into64(DefaultHasher);

impl Write for Into64 {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// A link of a chain of digests.
pub(crate) fn link(before: u64, what: &dyn Debug) -> u64 {
    let mut hasher = Into64(DefaultHasher::new());
    hasher.0.write_u64(before);
    let _ = write!(hasher, "{what:?}");
    hasher.0.finish()
}

/// The stage of one schedule. Clones share it.
#[derive(Clone)]
pub(crate) struct Stage(Arc<Mutex<State>>);

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stage")
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        let now = Timestamp::constant(1_767_225_600, 0);
        Self(Arc::new(Mutex::new(State {
            now,
            next_id: 0,
            waiting: Vec::new(),
            granted: None,
            latest: now,
            watch: None,
        })))
    }

    /// Begins to tell states apart.
    pub(crate) fn watch(&self, workers: usize) {
        let seen = vec![0; workers];
        self.state().watch = Some(Watch { seen, written: 0 });
    }

    /// A worker saw an answer.
    pub(crate) fn sees(&self, worker: usize, what: &dyn Debug) {
        if let Some(watch) = &mut self.state().watch {
            watch.seen[worker] = link(watch.seen[worker], what);
        }
    }

    /// Something was written for good.
    pub(crate) fn writes(&self, what: &dyn Debug) {
        if let Some(watch) = &mut self.state().watch {
            watch.written = link(watch.written, what);
        }
    }

    /// A worker knows nothing any more.
    pub(crate) fn forgets(&self, worker: usize) {
        if let Some(watch) = &mut self.state().watch {
            watch.seen[worker] = 0;
        }
    }

    /// The part of the state that is kept here.
    pub(crate) fn digest(&self, hasher: &mut impl Hasher) {
        let state = self.state();
        (state.now, state.latest, &state.watch).hash(hasher);
    }

    /// The latest time that there was.
    pub(crate) fn latest(&self) -> Timestamp {
        self.state().latest
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.state().now
    }

    pub(crate) fn step_clock(&self, seconds: i64) {
        let mut state = self.state();
        let moved = state.now.checked_add(SignedDuration::from_secs(seconds));
        state.now = moved.unwrap_or(state.now);
        state.latest = state.latest.max(state.now);
    }

    /// What may go on: calls, and sleeps that are over. `(id, worker, point)`, in the order in which they began to wait.
    pub(crate) fn ready(&self) -> Vec<(u64, usize, Point)> {
        let state = self.state();
        let now = state.now;
        let over = |point: Point| !matches!(point, Point::Sleep(until) if until > now);
        let ready = state.waiting.iter().filter(|it| over(it.point));
        ready.map(|it| (it.id, it.worker, it.point)).collect()
    }

    /// The first of what may go on.
    pub(crate) fn first_ready(&self) -> Option<(u64, usize, Point)> {
        let state = self.state();
        let now = state.now;
        let over = |point: Point| !matches!(point, Point::Sleep(until) if until > now);
        let first = state.waiting.iter().find(|it| over(it.point));
        first.map(|it| (it.id, it.worker, it.point))
    }

    /// The point at which a worker waits for something else than time.
    pub(crate) fn calls_of(&self, worker: usize) -> Vec<(Op, Phase)> {
        let state = self.state();
        let of_worker = state.waiting.iter().filter(|it| it.worker == worker);
        of_worker
            .filter_map(|it| match it.point {
                Point::Call(op, phase) => Some((op, phase)),
                Point::Sleep(_) => None,
            })
            .collect()
    }

    /// The end of the shortest sleep.
    pub(crate) fn next_wake(&self) -> Option<Timestamp> {
        let state = self.state();
        let sleeps = state.waiting.iter().filter_map(|it| match it.point {
            Point::Sleep(until) => Some(until),
            Point::Call(..) => None,
        });
        sleeps.min()
    }

    pub(crate) fn set_clock(&self, now: Timestamp) {
        let mut state = self.state();
        state.now = now;
        state.latest = state.latest.max(now);
    }

    /// Lets a point go on, with what happens to it.
    pub(crate) fn grant(&self, id: u64, fault: Option<Fault>) {
        let mut state = self.state();
        state.granted = Some((id, fault));
        let waiting = state.waiting.iter().find(|it| it.id == id);
        let Some((worker, waker)) = waiting.map(|it| (it.worker, it.waker.clone())) else {
            return;
        };
        if state.watch.is_some() {
            let of_worker = state.waiting.iter().filter(|it| it.worker == worker);
            let place = of_worker.take_while(|it| it.id != id).count();
            let what = (place, fault, state.now);
            drop(state);
            self.sees(worker, &what);
        } else {
            drop(state);
        }
        waker.wake();
    }

    /// Whether what was granted last was taken. A call that is dropped meanwhile, since its lease is short, goes nowhere.
    pub(crate) fn was_taken(&self) -> bool {
        self.state().granted.take().is_none()
    }

    /// Waits here until the point is let go on.
    pub(crate) fn wait(&self, worker: usize, op: Op, phase: Phase) -> AtPoint<'_> {
        self.at(worker, Point::Call(op, phase))
    }

    fn at(&self, worker: usize, point: Point) -> AtPoint<'_> {
        AtPoint {
            stage: self,
            worker,
            point,
            id: None,
        }
    }
}

/// A point that waits; dropped, it waits no more.
pub(crate) struct AtPoint<'a> {
    stage: &'a Stage,
    worker: usize,
    point: Point,
    id: Option<u64>,
}

impl Future for AtPoint<'_> {
    type Output = Option<Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Fault>> {
        let mut state = self.stage.state();
        let Some(id) = self.id else {
            let id = state.next_id;
            state.next_id += 1;
            state.waiting.push(Waiting {
                id,
                worker: self.worker,
                point: self.point,
                waker: context.waker().clone(),
            });
            drop(state);
            self.id = Some(id);
            return Poll::Pending;
        };
        match state.granted {
            Some((granted, fault)) if granted == id => {
                state.granted = None;
                state.waiting.retain(|it| it.id != id);
                drop(state);
                self.id = None;
                Poll::Ready(fault)
            }
            _ => {
                if let Some(it) = state.waiting.iter_mut().find(|it| it.id == id) {
                    it.waker.clone_from(context.waker());
                }
                Poll::Pending
            }
        }
    }
}

impl Drop for AtPoint<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.stage.state().waiting.retain(|it| it.id != id);
        }
    }
}

/// The clock of one worker.
#[derive(Debug)]
pub(crate) struct StageClock {
    pub(crate) stage: Stage,
    pub(crate) worker: usize,
}

#[async_trait]
impl Clock for StageClock {
    fn now(&self) -> Timestamp {
        self.stage.now()
    }

    async fn sleep(&self, wait: Duration) {
        if wait.is_zero() {
            return;
        }
        let until = self.stage.now().checked_add(wait).unwrap_or(Timestamp::MAX);
        self.stage.at(self.worker, Point::Sleep(until)).await;
    }
}

/// Random bytes that repeat, of one life of a worker or of a store.
#[derive(Debug)]
pub(crate) struct Dice(Mutex<Rng>);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Rng::new(seed)))
    }
}

impl Entropy for Dice {
    fn fill(&self, bytes: &mut [u8]) {
        let mut rng = self.0.lock().unwrap();
        for chunk in bytes.chunks_mut(8) {
            let number = rng.next().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}
