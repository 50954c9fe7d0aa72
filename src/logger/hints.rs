//! Hints that mail may have arrived, made one: any number of them, from any number of places, brings the next run forward
//! once.

use std::fmt;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::{Pin, pin};
use std::sync::Arc;

use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt as _, StreamExt as _};

use crate::source::Wakeup;

type Waiting = Pin<Box<dyn Future<Output = usize> + Send>>;

/// The wake-ups of one mailbox. After a hint none of them is asked until [`begin`](Self::begin), so that a flood costs
/// nothing.
pub(super) struct Hints {
    wakeups: Vec<Arc<dyn Wakeup>>,
    waiting: FuturesUnordered<Waiting>,
    /// The wake-up that gave the hint, which waits no more.
    came: Option<usize>,
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hints")
            .field("wakeups", &self.wakeups)
            .field("came", &self.came)
            .finish_non_exhaustive()
    }
}

impl Hints {
    pub(super) fn new(wakeups: &[Arc<dyn Wakeup>]) -> Self {
        let wakeups = wakeups.to_vec();
        let waiting = wakeups.iter().enumerate();
        Self {
            waiting: waiting
                .map(|(at, wakeup)| waiting_for(at, wakeup))
                .collect(),
            wakeups,
            came: None,
        }
    }

    /// Forgets every hint that came so far: whatever they were about, the run that begins now will find.
    pub(super) fn begin(&mut self) {
        if let Some(at) = self.came.take() {
            self.wait_for(at);
        }
        let mut used_up = Vec::new();
        while let Some(Some(at)) = self.waiting.next().now_or_never() {
            used_up.push(at);
        }
        // Each was asked once; one that is full of hints is heard again during the run.
        for at in used_up {
            self.wait_for(at);
        }
    }

    fn wait_for(&self, at: usize) {
        if let Some(wakeup) = self.wakeups.get(at) {
            self.waiting.push(waiting_for(at, wakeup));
        }
    }

    /// Returns once there is a hint; never where nobody gives any. Dropping it loses nothing.
    pub(super) async fn come(&mut self) {
        if self.came.is_some() {
            return;
        }
        match self.waiting.next().await {
            Some(at) => self.came = Some(at),
            None => std::future::pending().await,
        }
    }

    /// Listens while the work is done.
    pub(super) async fn beside<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = self.come() => {}
        }
        work.await
    }
}

fn waiting_for(at: usize, wakeup: &Arc<dyn Wakeup>) -> Waiting {
    let wakeup = Arc::clone(wakeup);
    Box::pin(async move {
        // One that panics gives no hint; the schedule finds the mail.
        if AssertUnwindSafe(wakeup.wait())
            .catch_unwind()
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
        at
    })
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::source::WakeupSignal;

    /// Hints without an end.
    #[derive(Debug, Default)]
    struct Flood(AtomicU32);

    #[async_trait]
    impl Wakeup for Flood {
        async fn wait(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn a_flood_is_asked_twice_for_each_run_at_most() {
        let flood = Arc::new(Flood::default());
        let dynamic: Arc<dyn Wakeup> = Arc::clone(&flood) as _;
        let mut hints = Hints::new(&[dynamic]);
        for run in 1..4 {
            for _ in 0..100 {
                assert_eq!(hints.come().now_or_never(), Some(()));
            }
            assert_eq!(flood.0.load(Ordering::Relaxed), 2 * run - 1);
            hints.begin();
        }
    }

    #[test]
    fn a_hint_beside_the_work_is_kept_for_after_it() {
        let signal = WakeupSignal::new();
        let mut hints = Hints::new(&[Arc::new(signal.clone())]);
        hints.begin();
        let work = async {
            signal.wake();
            tokio::task::yield_now().await;
            7
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let done = runtime.map(|runtime| runtime.block_on(hints.beside(work)));
        assert_eq!(done.ok(), Some(7));
        assert_eq!(hints.come().now_or_never(), Some(()));
        // What came on top of it is about nothing that the run does not find.
        signal.wake();
        hints.begin();
        assert_eq!(hints.come().now_or_never(), None);
    }

    #[test]
    fn without_a_wakeup_there_is_never_a_hint() {
        let mut hints = Hints::new(&[]);
        assert_eq!(hints.come().now_or_never(), None);
        assert_eq!(hints.beside(async { 1 }).now_or_never(), Some(1));
    }

    #[tokio::test]
    async fn hints_show_their_wake_ups_and_which_of_them_came() {
        let flood: Arc<dyn Wakeup> = Arc::new(Flood::default());
        let hints = Hints::new(&[flood]);
        assert_eq!(
            format!("{hints:?}"),
            "Hints { wakeups: [Flood(0)], came: None, .. }"
        );
    }

    #[derive(Debug)]
    struct Panics;

    #[async_trait]
    impl Wakeup for Panics {
        async fn wait(&self) {
            panic!("no hint");
        }
    }

    #[test]
    fn who_panics_gives_no_hint_and_silences_nobody() {
        let panics: Arc<dyn Wakeup> = Arc::new(Panics);
        let mut hints = Hints::new(std::slice::from_ref(&panics));
        assert_eq!(hints.come().now_or_never(), None);
        let mut hints = Hints::new(&[panics, Arc::new(Flood::default())]);
        assert_eq!(hints.come().now_or_never(), Some(()));
    }
}
