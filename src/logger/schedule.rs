//! Running every ten minutes, as the original's job queue entry does, and stopping gently.

use std::future::Future;

use super::parts::Parts;
use super::report::{RunError, RunReport};
use super::run;
use super::settings::Schedule;

/// Runs until `shutdown` is ready or only a person can help.
pub(super) async fn run(
    parts: &Parts,
    schedule: &Schedule,
    mut shutdown: impl Future<Output = ()> + Unpin + Send,
    mut on_run: impl FnMut(&Result<RunReport, RunError>) + Send,
) -> Result<(), RunError> {
    let mut wait = schedule.first_after;
    let mut failed = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut shutdown => return Ok(()),
            () = parts.clock.sleep(wait) => {}
        }
        let mut stopped = false;
        let result = run::run(parts, watch(&mut shutdown, &mut stopped)).await;
        on_run(&result);
        failed = match &result {
            Err(error) if !error.error.is_transient() => failed + 1,
            Ok(_) | Err(_) => 0,
        };
        match result {
            Err(error) if failed >= schedule.attempts.max(1) => return Err(error),
            _ if stopped => return Ok(()),
            _ => wait = schedule.every,
        }
    }
}

/// Passes the shutdown on and remembers that it came: a future that was ready must not be polled again.
fn watch<'a>(
    shutdown: &'a mut (impl Future<Output = ()> + Unpin + Send),
    stopped: &'a mut bool,
) -> impl Future<Output = ()> + Unpin + Send + 'a {
    Box::pin(async move {
        shutdown.await;
        *stopped = true;
    })
}
