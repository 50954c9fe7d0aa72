//! The job that runs email logging: what the host's own scheduler is asked for, and what it tells.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use crate::error::Result;
use crate::forward::forward;
use crate::scope::Scope;

/// The host's scheduler (Business Central's job queue). Optional: a host may run the logger's own schedule instead.
#[async_trait]
pub trait JobQueue: Debug + Send + Sync + 'static {
    /// Schedules the job of this scope, in the place of one that is scheduled already.
    ///
    /// # Errors
    ///
    /// What the host's scheduler raises; logging is then not enabled.
    async fn enqueue(&self, scope: &Scope, job: &JobDescriptor) -> Result<()>;

    /// Takes the job of this scope away, if there is one. A run that is under way may finish.
    ///
    /// # Errors
    ///
    /// What the host's scheduler raises.
    async fn remove(&self, scope: &Scope) -> Result<()>;

    /// The job of this scope; `None` where none is scheduled.
    ///
    /// # Errors
    ///
    /// What the host's scheduler raises.
    async fn state(&self, scope: &Scope) -> Result<Option<JobState>>;
}

forward! {
    JobQueue {
        async fn enqueue(&self, scope: &Scope, job: &JobDescriptor) -> Result<()>;
        async fn remove(&self, scope: &Scope) -> Result<()>;
        async fn state(&self, scope: &Scope) -> Result<Option<JobState>>;
    }
}

/// The job as the original enqueues it: every 10 minutes on all days, 3 attempts, from 60 seconds after now.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub struct JobDescriptor {
    /// From one run to the next.
    pub every: Duration,
    /// Runs in a row that may fail before a person has to look.
    pub maximum_attempts: u32,
    /// When the first run may start.
    pub earliest_start: Timestamp,
}

impl JobDescriptor {
    /// The job of a set-up that is enabled now.
    pub fn enabled_at(now: Timestamp) -> Self {
        let minute = SignedDuration::from_mins(1);
        Self {
            every: Duration::from_mins(10),
            maximum_attempts: 3,
            earliest_start: now.checked_add(minute).unwrap_or(Timestamp::MAX),
        }
    }
}

/// What a scheduler tells about a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub struct JobState {
    /// The job.
    pub job: JobDescriptor,
    /// When it last ended well.
    pub last_success: Option<Timestamp>,
    /// When it last failed.
    pub last_failure: Option<JobFailure>,
}

impl JobState {
    /// The state of a job that has not run.
    pub fn new(job: JobDescriptor) -> Self {
        Self {
            job,
            last_success: None,
            last_failure: None,
        }
    }

    /// Says when it last ended well.
    #[must_use]
    pub fn with_success(mut self, at: Timestamp) -> Self {
        self.last_success = Some(at);
        self
    }

    /// Says when it last failed, and with which error code.
    #[must_use]
    pub fn with_failure(mut self, at: Timestamp, code: impl Into<String>) -> Self {
        let code = code.into();
        self.last_failure = Some(JobFailure { at, code });
        self
    }

    /// Whether the last run failed.
    pub fn is_failing(&self) -> bool {
        let failed = self.last_failure.as_ref().map(|failure| failure.at);
        failed > self.last_success
    }

    /// Whether it should have ended well by now: three intervals have passed without.
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        let since = self.last_success.unwrap_or(self.job.earliest_start);
        let since = since.max(self.job.earliest_start);
        let intervals = SignedDuration::try_from(self.job.every * 3);
        now.duration_since(since) > intervals.unwrap_or(SignedDuration::MAX)
    }
}

/// A run that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct JobFailure {
    /// When.
    pub at: Timestamp,
    /// The code of its error.
    pub code: String,
}

/// Jobs in memory: for a process that runs the logger's own schedule and tells it how each run ended, and for tests.
#[derive(Default)]
pub struct MemoryJobQueue(Mutex<BTreeMap<Scope, JobState>>);

impl MemoryJobQueue {
    /// A queue without jobs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes down that a run ended well. A job that is not scheduled is passed over.
    pub fn succeeded(&self, scope: &Scope, at: Timestamp) {
        if let Some(state) = self.lock().get_mut(scope) {
            state.last_success = Some(at);
        }
    }

    /// Takes down that a run failed, with the code of its error. A job that is not scheduled is passed over.
    pub fn failed(&self, scope: &Scope, at: Timestamp, code: &str) {
        if let Some(state) = self.lock().get_mut(scope) {
            let code = code.to_owned();
            state.last_failure = Some(JobFailure { at, code });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Scope, JobState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for MemoryJobQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = self.lock().len();
        f.debug_struct("MemoryJobQueue")
            .field("jobs", &jobs)
            .finish()
    }
}

#[async_trait]
impl JobQueue for MemoryJobQueue {
    async fn enqueue(&self, scope: &Scope, job: &JobDescriptor) -> Result<()> {
        self.lock()
            .insert(scope.clone(), JobState::new(job.clone()));
        Ok(())
    }

    async fn remove(&self, scope: &Scope) -> Result<()> {
        self.lock().remove(scope);
        Ok(())
    }

    async fn state(&self, scope: &Scope) -> Result<Option<JobState>> {
        Ok(self.lock().get(scope).cloned())
    }
}
