//! Where every call of every worker waits until it is let go on: before its effect, and after it.
//!
//! Owns the virtual time and the points that wait. Knows nothing of mail and stores.

use std::future::Future;
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
    Known,
    Fetch,
    Resolve,
    WithMessageIds,
    Stage,
    Staged,
    Commit,
    Move,
    Locate,
    Remove,
    Put,
    Unindexed,
    Index,
    LoadSetup,
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
    /// The other side asks to wait.
    Busy,
    /// The credentials are refused, once.
    Unauthorized,
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
    entropy: Rng,
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
    pub(crate) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            now: Timestamp::constant(1_767_225_600, 0),
            next_id: 0,
            waiting: Vec::new(),
            granted: None,
            entropy: Rng::new(seed ^ 0x5eed),
        })))
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
    }

    /// What may go on: calls, and sleeps that are over. `(id, worker, point)`, in the order in which they began to wait.
    pub(crate) fn ready(&self) -> Vec<(u64, usize, Point)> {
        let state = self.state();
        let now = state.now;
        let over = |point: Point| !matches!(point, Point::Sleep(until) if until > now);
        let ready = state.waiting.iter().filter(|it| over(it.point));
        ready.map(|it| (it.id, it.worker, it.point)).collect()
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
        self.state().now = now;
    }

    /// Lets a point go on, with what happens to it.
    pub(crate) fn grant(&self, id: u64, fault: Option<Fault>) {
        let mut state = self.state();
        state.granted = Some((id, fault));
        let waker = state.waiting.iter().find(|it| it.id == id);
        let waker = waker.map(|it| it.waker.clone());
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
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

impl Entropy for Stage {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.state();
        for chunk in bytes.chunks_mut(8) {
            let number = state.entropy.next().to_le_bytes();
            chunk.copy_from_slice(&number[..chunk.len()]);
        }
    }
}
