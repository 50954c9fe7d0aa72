//! A named thread that owns one connection and does one job after the other.
//!
//! A caller that stops waiting does not stop a job: it ends as a whole, written or rolled back.

use std::io;
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};

use super::core::Core;
use super::fault::Done;
use super::options::QUEUE;
use crate::error::{Error, Result, codes};

type Job = Box<dyn FnOnce(&mut Core) + Send>;

/// The thread and the way to it.
#[derive(Debug)]
pub(super) struct Worker {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
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
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has a job done, and waits for its answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnOnce(&mut Core) -> Done<T> + Send + 'static,
    ) -> Result<T> {
        let closed = || Error::new(&codes::STORE_CLOSED, operation);
        let jobs = lock(&self.jobs).clone().ok_or_else(closed)?;
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |core| {
            // Nobody may be waiting any more; what was done stays done.
            let _ = reply.send(job(core));
        });
        jobs.send(job).await.map_err(|_| closed())?;
        let done = answer.await.map_err(|_| closed())?;
        done.map_err(|fault| fault.into_error(operation))
    }

    /// Lets the thread end what is queued, and waits for it.
    pub(super) fn close(&self) {
        drop(lock(&self.jobs).take());
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.close();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
