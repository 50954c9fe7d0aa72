//! The thread that does the reading and moving, so that a host's runtime never waits for a disk.
//!
//! It knows nothing of mail. A caller that stops waiting does not stop a job.

use std::io;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::error::{Error, Result, codes};

type Job = Box<dyn FnOnce() + Send>;

/// A thread with its queue. It ends with this value.
#[derive(Debug)]
pub(super) struct Desk(Mutex<Option<Running>>);

#[derive(Debug)]
struct Running {
    jobs: mpsc::Sender<Job>,
    thread: JoinHandle<()>,
}

impl Desk {
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let thread = std::thread::Builder::new()
            .name("email-logging-files".into())
            .spawn(move || {
                for job in queue {
                    job();
                }
            })?;
        Ok(Self(Mutex::new(Some(Running { jobs, thread }))))
    }

    /// Has a job done, and waits for its answer.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move || {
            // Nobody may be waiting any more.
            let _ = reply.send(job());
        });
        let lost = || Error::new(&codes::FILES_IO, operation).with_detail("its thread has ended");
        {
            let running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = running.as_ref().map(|running| running.jobs.send(job));
            sent.and_then(std::result::Result::ok).ok_or_else(lost)?;
        }
        answer.await.map_err(|_| lost())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let running = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(Running { jobs, thread }) = running.take() {
            drop(jobs);
            // A thread that panicked has ended as well.
            let _ = thread.join();
        }
    }
}
