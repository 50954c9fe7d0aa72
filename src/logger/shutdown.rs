//! The wish to stop, which may be asked for many times and is never polled after it came.

use std::future::Future;
use std::pin::Pin;

use futures_util::poll;

pub(super) struct Shutdown<'a> {
    wish: Pin<&'a mut (dyn Future<Output = ()> + Send)>,
    came: bool,
}

impl<'a> Shutdown<'a> {
    pub(super) fn new(wish: Pin<&'a mut (dyn Future<Output = ()> + Send)>) -> Self {
        Self { wish, came: false }
    }

    /// Whether it came.
    pub(super) fn came(&self) -> bool {
        self.came
    }

    /// Whether it came by now.
    pub(super) async fn has_come(&mut self) -> bool {
        self.came = self.came || poll!(self.wish.as_mut()).is_ready();
        self.came
    }

    /// Waits for it; for ever, once it came.
    pub(super) async fn wait(&mut self) {
        if self.came {
            std::future::pending::<()>().await;
        }
        self.wish.as_mut().await;
        self.came = true;
    }
}
