//! One wait for a hint of a mailbox, beside its turns.

use std::sync::Arc;

use tokio::sync::watch as signal;

use super::Inner;
use super::mailbox::PoolMailbox;
use super::seat::Seat;
use crate::logger::hints::Hints;

/// Waits for one hint. After it the seat says when the next wait begins, so that a flood costs nothing.
pub(super) struct Ear {
    place: Place,
    hints: Hints,
    /// Whether a turn of the mailbox has just begun.
    begins: bool,
    leave: signal::Receiver<bool>,
}

/// The mailbox is listened to until the wait is over or dropped.
struct Place {
    inner: Arc<Inner>,
    mailbox: PoolMailbox,
    came: bool,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.hear(&self.mailbox, self.came);
    }
}

impl Ear {
    pub(super) fn new(inner: Arc<Inner>, mailbox: PoolMailbox, seat: &Seat) -> Self {
        Self {
            place: Place {
                inner,
                mailbox,
                came: false,
            },
            hints: Hints::new(&seat.logger.parts.wakeups),
            begins: seat.is_running(),
            leave: seat.leaving(),
        }
    }

    /// Forgets what the turn that begins now will find. To be called before the turn is polled.
    pub(super) fn begin(mut self) -> Self {
        if self.begins {
            self.hints.begin();
        }
        self
    }

    /// Ends with the hint, or when the mailbox leaves the pool.
    pub(super) async fn listen(mut self) {
        tokio::select! {
            biased;
            _ = self.leave.wait_for(|leaves| *leaves) => {}
            () = self.hints.come() => self.place.came = true,
        }
    }
}
