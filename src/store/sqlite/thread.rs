//! Who runs the core: a named thread that owns one connection and does one job after the other, or the caller.
//!
//! A caller that stops waiting does not stop a job: it ends as a whole, written or rolled back. A job that another process
//! hinders is done again as a whole.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::core::Core;
use super::fault::Done;
use super::options::QUEUE;
use crate::error::{Error, Result, codes};

type Job = Box<dyn FnOnce(&mut Core) + Send>;

/// How often a job is begun while another process is in its way.
const ROUNDS: u32 = 4;

/// The longest pause before the next round.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a statement waits, so that all rounds together wait for the whole time at most.
pub(super) fn wait_of_a_statement(busy_timeout: Duration) -> Duration {
    busy_timeout / (ROUNDS + 1)
}

/// The pause between two rounds: together they are shorter than one statement's wait.
fn pause(busy_timeout: Duration) -> Duration {
    PAUSE.min(wait_of_a_statement(busy_timeout) / ROUNDS)
}

/// Does a job whole, a few times if another process is in the way. SQLite waits at the beginning of a transaction; inside
/// one it does not always, and what was done is rolled back.
fn whole<T>(
    core: &mut Core,
    pause: Duration,
    mut job: impl FnMut(&mut Core) -> Done<T>,
) -> Done<T> {
    for _ in 1..ROUNDS {
        match job(core) {
            Err(fault) if fault.is_busy() => std::thread::sleep(pause),
            done => return done,
        }
    }
    job(core)
}

/// A core and the way to it.
#[derive(Debug)]
pub(super) struct Worker {
    kind: Kind,
    pause: Duration,
}

#[derive(Debug)]
enum Kind {
    /// Its own thread.
    Thread(Mutex<Option<Running>>),
    /// No thread: whoever calls does the work.
    Inline(Mutex<Option<Core>>),
}

/// A thread that runs.
#[derive(Debug)]
struct Running {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts a thread that owns the core.
    pub(super) fn start(name: &str, mut core: Core, busy_timeout: Duration) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut core);
                }
            })?;
        let kind = Kind::Thread(Mutex::new(Some(Running { jobs, thread })));
        let pause = pause(busy_timeout);
        Ok(Self { kind, pause })
    }

    /// Keeps the core for the callers.
    pub(super) fn inline(core: Core, busy_timeout: Duration) -> Self {
        let kind = Kind::Inline(Mutex::new(Some(core)));
        let pause = pause(busy_timeout);
        Self { kind, pause }
    }

    /// Has a job done, and waits for its answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnMut(&mut Core) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        let pause = self.pause;
        let job = move |core: &mut Core| whole(core, pause, job);
        let done = match &self.kind {
            Kind::Thread(running) => {
                let jobs = lock(running).as_ref().map(|running| running.jobs.clone());
                send(jobs, job).await
            }
            Kind::Inline(core) => lock(core).as_mut().map(job),
        };
        let done = done.ok_or_else(|| Error::new(&codes::STORE_CLOSED, operation))?;
        done.map_err(|fault| fault.into_error(operation))
    }

    /// Lets the thread end what is queued, waits for it, and closes the connection.
    pub(super) fn close(&self) {
        match &self.kind {
            Kind::Thread(running) => {
                let running = lock(running).take();
                if let Some(Running { jobs, thread }) = running {
                    drop(jobs);
                    // A thread that panicked has ended as well.
                    let _ = thread.join();
                }
            }
            Kind::Inline(core) => drop(lock(core).take()),
        }
    }
}

/// Hands a job to the thread; `None` where it has ended.
async fn send<T: Send + 'static>(
    jobs: Option<mpsc::Sender<Job>>,
    job: impl FnOnce(&mut Core) -> Done<T> + Send + 'static,
) -> Option<Done<T>> {
    let (reply, answer) = oneshot::channel();
    let job: Job = Box::new(move |core| {
        // Nobody may be waiting any more; what was done stays done.
        let _ = reply.send(job(core));
    });
    jobs?.send(job).await.ok()?;
    answer.await.ok()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use rusqlite::{Connection, ffi};

    use super::super::fault::Fault;
    use super::*;
    use crate::clock::{SystemClock, SystemEntropy};

    fn core() -> Core {
        let conn = Connection::open_in_memory().unwrap();
        Core::new(conn, Arc::new(SystemClock), Arc::new(SystemEntropy))
    }

    fn failure(code: i32) -> Fault {
        Fault::Sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
    }

    /// How often a job is begun that fails this often, and how it ends.
    fn begun(failures: u32, code: i32) -> (u32, bool) {
        let mut begun = 0;
        let done = whole(&mut core(), Duration::ZERO, |_| {
            begun += 1;
            if begun > failures {
                Ok(())
            } else {
                Err(failure(code))
            }
        });
        (begun, done.is_ok())
    }

    #[test]
    fn a_job_is_done_again_while_another_process_is_in_its_way_and_only_then() {
        let cases = [
            (0, ffi::SQLITE_BUSY, (1, true)),
            (3, ffi::SQLITE_BUSY, (4, true)),
            (3, ffi::SQLITE_BUSY_SNAPSHOT, (4, true)),
            (3, ffi::SQLITE_BUSY_RECOVERY, (4, true)),
            (4, ffi::SQLITE_BUSY, (4, false)),
            (1, ffi::SQLITE_FULL, (1, false)),
            (1, ffi::SQLITE_CONSTRAINT, (1, false)),
        ];
        for (failures, code, expected) in cases {
            assert_eq!(begun(failures, code), expected, "{failures} of {code}");
        }
    }

    #[test]
    fn all_rounds_wait_no_longer_than_the_whole_time() {
        for millis in [0, 1, 20, 5_000, 3_600_000] {
            let timeout = Duration::from_millis(millis);
            let waits = wait_of_a_statement(timeout) * ROUNDS + pause(timeout) * (ROUNDS - 1);
            assert!(waits <= timeout, "{waits:?} of {timeout:?}");
        }
    }
}
