//! Ctrl-C and the request to terminate: the first one drains, the second one ends the program at once.

use tokio::sync::watch;

use crate::exit::Exit;

/// What was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Interrupt,
    Terminate,
}

/// Listens for signals as long as the program runs.
#[derive(Debug)]
pub(crate) struct Signals(watch::Receiver<Option<Signal>>);

impl Signals {
    /// Begins to listen. From now on Ctrl-C no longer ends the program by itself.
    pub(crate) fn listen() -> Self {
        let (sender, receiver) = watch::channel(None);
        tokio::spawn(async move {
            loop {
                let signal = next().await;
                if sender.borrow().is_some() {
                    // What is committed is safe; the next run finishes what is open.
                    std::process::exit(i32::from(Exit::Interrupted as u8));
                }
                sender.send_replace(Some(signal));
            }
        });
        Self(receiver)
    }

    /// Ready once a signal came.
    pub(crate) async fn received(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The exit code: 130 after Ctrl-C. A request to terminate that was followed is no failure.
    pub(crate) fn exit(&self, otherwise: Exit) -> Exit {
        match *self.0.borrow() {
            Some(Signal::Interrupt) => Exit::Interrupted,
            Some(Signal::Terminate) | None => otherwise,
        }
    }
}

#[cfg(unix)]
async fn next() -> Signal {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return interrupt().await;
    };
    tokio::select! {
        signal = interrupt() => signal,
        _ = terminate.recv() => Signal::Terminate,
    }
}

#[cfg(not(unix))]
async fn next() -> Signal {
    interrupt().await
}

async fn interrupt() -> Signal {
    match tokio::signal::ctrl_c().await {
        Ok(()) => Signal::Interrupt,
        Err(_) => std::future::pending().await,
    }
}
