//! What a logger is made of, shared by every stage of a run.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::caught::caught;
use crate::clock::{Clock, Entropy};
use crate::decision::{Decision, LoggingHooks, LoggingPolicy, NeverLog, decide_as};
use crate::directory::{ContactDirectory, ContactEditor};
use crate::error::{Error, Result, codes};
use crate::ids::{MailboxKey, StageId, WorkerId};
use crate::interaction::InteractionTemplate;
use crate::message::{Address, Message};
use crate::parties::Parties;
use crate::scope::Scope;
use crate::source::{MailSource, Wakeup};
use crate::store::{
    ContentIndex, EventFeed, InteractionLog, InteractionSink, MailLedger, NeverLogStore,
    ReviewQueue, SetupStore,
};
use crate::wish::Wish;

use super::folders::{FolderPlan, Folders};
use super::progress::{Progress, ProgressEvent};
use super::settings::RunSettings;

#[derive(Debug)]
pub(super) struct Parts {
    pub(super) scope: Scope,
    pub(super) mailbox: MailboxKey,
    pub(super) worker: WorkerId,
    pub(super) source: Arc<dyn MailSource>,
    pub(super) directory: Arc<dyn ContactDirectory>,
    pub(super) editor: Option<Arc<dyn ContactEditor>>,
    pub(super) ledger: Arc<dyn MailLedger>,
    pub(super) log: Arc<dyn InteractionLog>,
    pub(super) index: Option<Arc<dyn ContentIndex>>,
    pub(super) setup: Option<Arc<dyn SetupStore>>,
    pub(super) sink: Option<Arc<dyn InteractionSink>>,
    pub(super) hooks: Vec<Arc<dyn LoggingHooks>>,
    pub(super) progress: Option<Arc<dyn Progress>>,
    pub(super) policy: LoggingPolicy,
    /// The policy's name and fingerprint, for every decision.
    pub(super) stamp: String,
    pub(super) template: InteractionTemplate,
    pub(super) plan: Option<FolderPlan>,
    pub(super) settings: RunSettings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    /// The review queue, for matching again.
    pub(super) review: Option<Arc<dyn ReviewQueue>>,
    /// Who is never logged, where that is stored.
    pub(super) never_log: Option<Arc<dyn NeverLogStore>>,
    /// Where changes of the mailbox's health are announced.
    pub(super) events: Option<Arc<dyn EventFeed>>,
    /// The lists of the last look.
    pub(super) listed: Mutex<Arc<Listed>>,
    /// Who knows that mail may have arrived.
    pub(super) wakeups: Vec<Arc<dyn Wakeup>>,
    /// Whether a run of this logger is under way: a second one must not take its lease over.
    pub(super) running: AtomicBool,
    /// An address of the last question that the directory answered.
    pub(super) answered: Mutex<Option<Address>>,
    /// The folders of the last run, with the plan they were opened by.
    pub(super) opened: Mutex<Option<(FolderPlan, Folders)>>,
}

/// Who is never logged, with the stamp of the policy that has these lists.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) lists: NeverLog,
    pub(super) stamp: String,
}

impl Listed {
    /// The policy's own lists.
    pub(super) fn of(policy: &LoggingPolicy) -> Self {
        Self {
            lists: policy.never_log.clone(),
            stamp: policy.stamp(),
        }
    }
}

impl Parts {
    /// Reads the stored never-log lists, once per run. They add to those of the policy.
    pub(super) async fn load_never_log(&self) -> Result<()> {
        let Some(store) = &self.never_log else {
            return Ok(());
        };
        let stored = store.load_never_log(&self.scope).await?.lists;
        let mut policy = self.policy.clone();
        policy.never_log.organisation.extend(stored.organisation);
        for (code, rules) in stored.salespeople {
            let known = policy.never_log.salespeople.entry(code);
            known.or_default().extend(rules);
        }
        if self.listed().lists != policy.never_log {
            *self.lock_listed() = Arc::new(Listed::of(&policy));
        }
        Ok(())
    }

    fn listed(&self) -> Arc<Listed> {
        Arc::clone(&self.lock_listed())
    }

    fn lock_listed(&self) -> MutexGuard<'_, Arc<Listed>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, event: &ProgressEvent<'_>) {
        super::telemetry::progress(event);
        if let Some(progress) = &self.progress {
            let _ = caught(|| progress.on(event));
        }
    }

    /// Decides by the rules of this logger, or by others under its stamp.
    pub(super) fn decide(
        &self,
        message: &Message,
        parties: &Parties,
        policy: &LoggingPolicy,
    ) -> Decision {
        let listed = self.listed();
        let lists = (&listed.lists, listed.stamp.as_str());
        decide_as(message, parties, policy, lists, &self.hooks())
    }

    fn hooks(&self) -> Vec<&dyn LoggingHooks> {
        self.hooks.iter().map(AsRef::as_ref).collect()
    }

    pub(super) fn new_stage(&self) -> StageId {
        StageId::from_bytes(crate::ids::uuid_v7(
            self.clock.as_ref(),
            self.entropy.as_ref(),
        ))
    }

    /// Mails of one move: what is wanted, within what the source takes.
    pub(super) fn move_batch(&self) -> usize {
        let limit = self.source.capabilities().move_batch;
        limit.min(self.settings.move_batch).max(1) as usize
    }

    /// Whether the stored set-up says by now that logging is off. A store that does not answer does not say so.
    pub(super) async fn is_disabled(&self) -> bool {
        let Some(store) = &self.setup else {
            return false;
        };
        let stored = store.load_setup(&self.scope).await.ok().flatten();
        stored.is_some_and(|stored| !stored.setup.enabled)
    }

    /// The folders, where they were opened by this plan.
    pub(super) fn opened(&self, plan: &FolderPlan) -> Option<Folders> {
        let opened = self.lock_opened();
        opened
            .as_ref()
            .filter(|(by, _)| by == plan)
            .map(|(_, folders)| folders.clone())
    }

    /// Keeps the folders for the runs that follow.
    pub(super) fn keep_opened(&self, plan: &FolderPlan, folders: &Folders) {
        *self.lock_opened() = Some((plan.clone(), folders.clone()));
    }

    /// Forgets the folders, so that the next run opens them again.
    pub(super) fn forget_folders(&self) {
        *self.lock_opened() = None;
    }

    fn lock_opened(&self) -> MutexGuard<'_, Option<(FolderPlan, Folders)>> {
        // A panic of a host's hook in another run leaves a value that is still whole.
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When to try again what failed this often, now with this error: a day from now at the latest.
    pub(super) fn next_try(&self, failed_attempts: u32, error: &Error) -> Timestamp {
        let asked = error.retry_after().unwrap_or_default();
        let wait = self.settings.backoff(failed_attempts).max(asked);
        Wish::new(wait, self.clock.now()).until
    }
}

/// A part of the host that answers another number of items than it was asked cannot be trusted with any of them.
pub(super) fn check_count(operation: &'static str, asked: usize, answered: usize) -> Result<()> {
    if asked == answered {
        return Ok(());
    }
    let detail = format!("{answered} answers to {asked} items");
    Err(Error::new(&codes::CONTRACT_COUNT, operation).with_detail(detail))
}
