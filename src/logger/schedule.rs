//! Running every ten minutes, as the original's job queue entry does, sooner after a hint, and stopping gently.

use std::time::Duration;

use crate::error::{Error, ErrorKind};

use super::hints::Hints;
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
    let mut hints = Hints::new(&parts.wakeups);
    let mut wait = schedule.first_after;
    let mut hastens = false;
    let mut failed = 0;
    loop {
        tokio::select! {
            biased;
            () = shutdown.wait() => return Ok(()),
            () = parts.clock.sleep(wait) => {}
            () = hint(parts, &mut hints, schedule.hint_pause, hastens) => {}
        }
        hints.begin();
        let result = hints.beside(run::run(parts, shutdown)).await;
        on_run(&result);
        // A hint says nothing about what failed: the schedule decides when it is tried again. What was refused of single mails
        // failed beside everything else.
        hastens = result
            .as_ref()
            .err()
            .is_none_or(|failed| failed.of_single_mails);
        failed = match &result {
            Err(failed_run) if !failed_run.of_single_mails && !is_outage(&failed_run.error) => {
                failed + 1
            }
            Ok(_) | Err(_) => 0,
        };
        match result {
            Err(error) if failed >= schedule.attempts.max(1) => return Err(error),
            _ if shutdown.came() => return Ok(()),
            _ => wait = schedule.every,
        }
    }
}

/// Returns when there is a hint and the last run is long enough ago; never where a hint may not hasten, but it is listened
/// for all the same, since whoever keeps a subscription up lives by that.
async fn hint(parts: &Parts, hints: &mut Hints, pause: Duration, hastens: bool) {
    tokio::join!(parts.clock.sleep(pause), hints.come());
    if !hastens {
        std::future::pending::<()>().await;
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
