//! What a logger is made of, shared by every stage of a run.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::clock::{Clock, Entropy};
use crate::decision::{Decision, LoggingHooks, LoggingPolicy, decide_as};
use crate::directory::{ContactDirectory, ContactEditor};
use crate::ids::{MailboxKey, StageId, WorkerId};
use crate::interaction::InteractionTemplate;
use crate::message::Message;
use crate::parties::Parties;
use crate::scope::Scope;
use crate::source::MailSource;
use crate::store::{ContentIndex, InteractionLog, InteractionSink, MailLedger, SetupStore};

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
    /// The folders of the last run, with the plan they were opened by.
    pub(super) opened: Mutex<Option<(FolderPlan, Folders)>>,
}

impl Parts {
    pub(super) fn tell(&self, event: &ProgressEvent<'_>) {
        super::telemetry::progress(event);
        if let Some(progress) = &self.progress {
            progress.on(event);
        }
    }

    /// Decides by the rules of this logger, or by others under its stamp.
    pub(super) fn decide(
        &self,
        message: &Message,
        parties: &Parties,
        policy: &LoggingPolicy,
    ) -> Decision {
        decide_as(message, parties, policy, &self.stamp, &self.hooks())
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

    /// The time that lies `wait` ahead, or the last there is.
    pub(super) fn after(&self, wait: Duration) -> Timestamp {
        let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
        self.clock.now().checked_add(wait).unwrap_or(Timestamp::MAX)
    }
}
