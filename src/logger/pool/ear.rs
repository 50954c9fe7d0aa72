//! One wait for a hint of a mailbox, beside its turns.

use std::sync::Arc;

use tokio::sync::watch as signal;

use super::Inner;
use super::mailbox::PoolMailbox;
use super::seat::Seat;
use crate::logger::EmailLogger;
use crate::logger::hints::Hints;

/// Waits for one hint. After it the seat says when the next wait begins, so that a flood costs nothing.
pub(super) struct Ear {
    place: Place,
    logger: Arc<EmailLogger>,
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
            logger: Arc::clone(&seat.logger),
            leave: seat.leaving(),
        }
    }

    /// Ends with the hint, or when the mailbox leaves the pool.
    pub(super) async fn listen(mut self) {
        let mut hints = Hints::new(&self.logger.parts.wakeups);
        tokio::select! {
            biased;
            _ = self.leave.wait_for(|leaves| *leaves) => {}
            () = hints.come() => self.place.came = true,
        }
    }
}
