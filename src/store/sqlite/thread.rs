//! Who runs the core: a named thread that owns one connection and does one job after the other, or the caller.
//!
//! A caller that stops waiting does not stop a job: it ends as a whole, written or rolled back.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::core::Core;
use super::fault::Done;
use super::options::QUEUE;
use crate::error::{Error, Result, codes};

type Job = Box<dyn FnOnce(&mut Core) + Send>;

/// A core and the way to it.
#[derive(Debug)]
pub(super) enum Worker {
    /// Its own thread.
    Thread(Mutex<Option<Running>>),
    /// No thread: whoever calls does the work.
    Inline(Mutex<Option<Core>>),
}

/// A thread that runs.
#[derive(Debug)]
pub(super) struct Running {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// Starts a thread that owns the core.
    pub(super) fn start(name: &str, mut core: Core) -> io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job>(QUEUE);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut core);
                }
            })?;
        Ok(Self::Thread(Mutex::new(Some(Running { jobs, thread }))))
    }

    /// Keeps the core for the callers.
    pub(super) fn inline(core: Core) -> Self {
        Self::Inline(Mutex::new(Some(core)))
    }

    /// Has a job done, and waits for its answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnOnce(&mut Core) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        let done = match self {
            Self::Thread(running) => {
                let jobs = lock(running).as_ref().map(|running| running.jobs.clone());
                send(jobs, job).await
            }
            Self::Inline(core) => lock(core).as_mut().map(job),
        };
        let done = done.ok_or_else(|| Error::new(&codes::STORE_CLOSED, operation))?;
        done.map_err(|fault| fault.into_error(operation))
    }

    /// Lets the thread end what is queued, waits for it, and closes the connection.
    pub(super) fn close(&self) {
        match self {
            Self::Thread(running) => {
                let running = lock(running).take();
                if let Some(Running { jobs, thread }) = running {
                    drop(jobs);
                    // A thread that panicked has ended as well.
                    let _ = thread.join();
                }
            }
            Self::Inline(core) => drop(lock(core).take()),
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
