//! Running every ten minutes, as the original's job queue entry does, and stopping gently.

use crate::error::{Error, ErrorKind};

use super::parts::Parts;
use super::report::{RunError, RunReport};
use super::run;
use super::settings::Schedule;
use super::shutdown::Shutdown;

/// Runs until `shutdown` comes or only a person can help.
pub(super) async fn run(
    parts: &Parts,
    schedule: &Schedule,
    shutdown: &mut Shutdown<'_>,
    mut on_run: impl FnMut(&Result<RunReport, RunError>) + Send,
) -> Result<(), RunError> {
    let mut wait = schedule.first_after;
    let mut failed = 0;
    loop {
        tokio::select! {
            biased;
            () = shutdown.wait() => return Ok(()),
            () = parts.clock.sleep(wait) => {}
        }
        let result = run::run(parts, shutdown).await;
        on_run(&result);
        failed = match &result {
            Err(error) if !is_outage(&error.error) => failed + 1,
            Ok(_) | Err(_) => 0,
        };
        match result {
            Err(error) if failed >= schedule.attempts.max(1) => return Err(error),
            _ if shutdown.came() => return Ok(()),
            _ => wait = schedule.every,
        }
    }
}

/// What may end without a change by a person: a server, a network, a store or another worker.
fn is_outage(error: &Error) -> bool {
    error.is_transient()
        || matches!(
            error.kind(),
            ErrorKind::StoreUnavailable | ErrorKind::LeaseLost
        )
}
