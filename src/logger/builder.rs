//! Putting a logger together, and refusing what cannot work.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::decision::{LoggingHooks, LoggingPolicy, Unmatched};
use crate::directory::{ContactDirectory, ContactEditor};
use crate::error::{Error, Result, codes};
use crate::ids::{MailboxKey, WorkerId};
use crate::interaction::InteractionTemplate;
use crate::scope::Scope;
use crate::source::{FolderSelector, MailSource, Wakeup};
use crate::store::{
    ContentIndex, EventFeed, InteractionLog, InteractionSink, InteractionStore, MailLedger,
    NeverLogStore, ReviewQueue, ReviewStore, SetupStore,
};

use super::EmailLogger;
use super::folders::FolderPlan;
use super::lease::is_long_enough;
use super::parts::{Listed, Parts};
use super::progress::Progress;
use super::settings::RunSettings;

/// Builds an [`EmailLogger`].
///
/// Needed are a source, a directory, a store, and the two folders, unless the stored set-up names them.
#[derive(Debug, Default)]
pub struct EmailLoggerBuilder {
    scope: Scope,
    mailbox: Option<MailboxKey>,
    worker: Option<WorkerId>,
    source: Option<Arc<dyn MailSource>>,
    directory: Option<Arc<dyn ContactDirectory>>,
    editor: Option<Arc<dyn ContactEditor>>,
    ledger: Option<Arc<dyn MailLedger>>,
    log: Option<Arc<dyn InteractionLog>>,
    index: Option<Arc<dyn ContentIndex>>,
    setup: Option<Arc<dyn SetupStore>>,
    review: Option<Arc<dyn ReviewQueue>>,
    never_log: Option<Arc<dyn NeverLogStore>>,
    events: Option<Arc<dyn EventFeed>>,
    sink: Option<Arc<dyn InteractionSink>>,
    hooks: Vec<Arc<dyn LoggingHooks>>,
    progress: Option<Arc<dyn Progress>>,
    wakeups: Vec<Arc<dyn Wakeup>>,
    policy: LoggingPolicy,
    template: InteractionTemplate,
    queue: Option<FolderSelector>,
    storage: Option<FolderSelector>,
    not_logged: Option<FolderSelector>,
    quarantine: Option<FolderSelector>,
    settings: RunSettings,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
}

impl EmailLoggerBuilder {
    /// Whose mail it is; default is the scope `default`/`default`.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The host's name for the mailbox; default `queue`. It must stay the same over the years: the ledger is kept by it.
    #[must_use]
    pub fn with_mailbox(mut self, mailbox: impl Into<MailboxKey>) -> Self {
        self.mailbox = Some(mailbox.into());
        self
    }

    /// The name of this worker, unique per process; default is random.
    #[must_use]
    pub fn with_worker(mut self, worker: impl Into<WorkerId>) -> Self {
        self.worker = Some(worker.into());
        self
    }

    /// Where mail comes from.
    #[must_use]
    pub fn with_source(mut self, source: Arc<dyn MailSource>) -> Self {
        self.source = Some(source);
        self
    }

    /// Who addresses belong to.
    #[must_use]
    pub fn with_directory(mut self, directory: Arc<dyn ContactDirectory>) -> Self {
        self.directory = Some(directory);
        self
    }

    /// Who creates contacts; needed for [`Unmatched::CreateContact`].
    #[must_use]
    pub fn with_contact_editor(mut self, editor: Arc<dyn ContactEditor>) -> Self {
        self.editor = Some(editor);
        self
    }

    /// A store that has every role. Each role can be replaced after it.
    #[must_use]
    pub fn with_store<S: InteractionStore>(mut self, store: Arc<S>) -> Self {
        self.ledger = Some(Arc::<S>::clone(&store));
        self.log = Some(Arc::<S>::clone(&store));
        self.index = Some(Arc::<S>::clone(&store));
        self.events = Some(Arc::<S>::clone(&store));
        self.setup = Some(store);
        self
    }

    /// The review queue with the never-log lists: lists are read by each run, and mail can be matched again.
    #[must_use]
    pub fn with_review_store<S: ReviewStore>(mut self, store: Arc<S>) -> Self {
        self.review = Some(Arc::<S>::clone(&store));
        self.never_log = Some(store);
        self
    }

    /// Replaces where changes of the mailbox's health are announced.
    #[must_use]
    pub fn with_event_feed(mut self, events: Arc<dyn EventFeed>) -> Self {
        self.events = Some(events);
        self
    }

    /// Replaces the ledger.
    #[must_use]
    pub fn with_ledger(mut self, ledger: Arc<dyn MailLedger>) -> Self {
        self.ledger = Some(ledger);
        self
    }

    /// Replaces the interaction log that is read.
    #[must_use]
    pub fn with_log(mut self, log: Arc<dyn InteractionLog>) -> Self {
        self.log = Some(log);
        self
    }

    /// Replaces the content index.
    #[must_use]
    pub fn with_content_index(mut self, index: Arc<dyn ContentIndex>) -> Self {
        self.index = Some(index);
        self
    }

    /// Replaces where the set-up is kept.
    #[must_use]
    pub fn with_setup_store(mut self, setup: Arc<dyn SetupStore>) -> Self {
        self.setup = Some(setup);
        self
    }

    /// The host's own log, which gets every entry before its mail is moved.
    ///
    /// Mail whose entries it has not confirmed waits for it in the queue folder. A logger without a sink on the same store
    /// logs everything else, and its runs end with `sink.missing` as long as such mail is there.
    #[must_use]
    pub fn with_sink(mut self, sink: Arc<dyn InteractionSink>) -> Self {
        self.sink = Some(sink);
        self
    }

    /// Adds a hook. Hooks are asked in the order they were added; the first that handles a question answers it.
    #[must_use]
    pub fn with_hooks(mut self, hooks: Arc<dyn LoggingHooks>) -> Self {
        self.hooks.push(hooks);
        self
    }

    /// Who listens to the progress.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Adds somebody who knows when mail may have arrived. A hint brings the next run of [`EmailLogger::run`] or of a
    /// [`LoggerPool`](super::LoggerPool) forward; one that is lost costs only the time until the schedule's next run.
    #[must_use]
    pub fn with_wakeup(mut self, wakeup: Arc<dyn Wakeup>) -> Self {
        self.wakeups.push(wakeup);
        self
    }

    /// The rules of logging; default [`LoggingPolicy::default`].
    #[must_use]
    pub fn with_policy(mut self, policy: LoggingPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// The interaction template for e-mail; default code `EMAIL`.
    #[must_use]
    pub fn with_template(mut self, template: InteractionTemplate) -> Self {
        self.template = template;
        self
    }

    /// The queue folder.
    #[must_use]
    pub fn with_queue_folder(mut self, folder: impl Into<FolderSelector>) -> Self {
        self.queue = Some(folder.into());
        self
    }

    /// The storage folder.
    #[must_use]
    pub fn with_storage_folder(mut self, folder: impl Into<FolderSelector>) -> Self {
        self.storage = Some(folder.into());
        self
    }

    /// The folder for mail that is not logged; default is the storage folder.
    #[must_use]
    pub fn with_not_logged_folder(mut self, folder: impl Into<FolderSelector>) -> Self {
        self.not_logged = Some(folder.into());
        self
    }

    /// The folder for mail that is set aside for a person; without one it stays in the queue and is passed over.
    #[must_use]
    pub fn with_quarantine_folder(mut self, folder: impl Into<FolderSelector>) -> Self {
        self.quarantine = Some(folder.into());
        self
    }

    /// Sizes, limits and times.
    #[must_use]
    pub fn with_settings(mut self, settings: RunSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Another source of randomness, for tests.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Builds the logger.
    ///
    /// # Errors
    ///
    /// `Config`: a part is missing (`config.missing`), two folders are the same (`setup.queue_equals_storage`), or a
    /// number or the policy cannot work (`config.invalid`): also a [`lease`](RunSettings::lease) that is not more than twice as
    /// long as a move may take ([`SourceCapabilities::longest_change`](crate::source::SourceCapabilities::longest_change)).
    pub fn build(self) -> Result<EmailLogger> {
        self.check_numbers()?;
        self.check_lease()?;
        let plan = self.folder_plan()?;
        if self.policy.unmatched == Unmatched::CreateContact && self.editor.is_none() {
            return Err(missing("a contact editor, which the policy needs"));
        }
        if let Some(mistake) = self.policy.trust.mistake() {
            return Err(Error::new(&codes::CONFIG_INVALID, "build").with_detail(mistake));
        }
        let entropy = self.entropy.unwrap_or_else(|| Arc::new(SystemEntropy));
        let worker = self
            .worker
            .unwrap_or_else(|| random_worker(entropy.as_ref()));
        let parts = Parts {
            scope: self.scope,
            mailbox: self.mailbox.unwrap_or_else(|| "queue".into()),
            worker,
            source: self.source.ok_or_else(|| missing("a mail source"))?,
            directory: self
                .directory
                .ok_or_else(|| missing("a contact directory"))?,
            editor: self.editor,
            ledger: self.ledger.ok_or_else(|| missing("a store"))?,
            log: self.log.ok_or_else(|| missing("an interaction log"))?,
            index: self.index,
            setup: self.setup,
            review: self.review,
            never_log: self.never_log,
            events: self.events,
            listed: Mutex::new(Arc::new(Listed::of(&self.policy))),
            sink: self.sink,
            hooks: self.hooks,
            progress: self.progress,
            wakeups: self.wakeups,
            stamp: self.policy.stamp(),
            policy: self.policy,
            template: self.template,
            plan,
            settings: self.settings,
            clock: self.clock.unwrap_or_else(|| Arc::new(SystemClock)),
            entropy,
            running: AtomicBool::new(false),
            answered: Mutex::new(None),
            opened: Mutex::new(None),
        };
        Ok(EmailLogger { parts })
    }

    fn check_numbers(&self) -> Result<()> {
        let settings = &self.settings;
        let positive = [
            ("fetch_batch", u64::from(settings.fetch_batch)),
            ("fetch_bytes", settings.fetch_bytes),
            ("move_batch", u64::from(settings.move_batch)),
            ("connections", u64::from(settings.connections)),
            ("attempts", u64::from(settings.attempts)),
            ("inline_bytes", settings.inline_bytes as u64),
            ("lease (seconds)", settings.lease.as_secs()),
            ("first_backoff (seconds)", settings.first_backoff.as_secs()),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(Error::new(&codes::CONFIG_INVALID, "build")
                .with_detail(format!("{name} must be at least 1"))),
            None => Ok(()),
        }
    }

    /// A move cannot be fenced: the lease has to outlast it, with time left to be renewed.
    fn check_lease(&self) -> Result<()> {
        let source = self.source.as_ref().map(MailSource::capabilities);
        let moves = source.filter(|source| source.moves);
        let Some(longest) = moves.and_then(|source| source.longest_change) else {
            return Ok(());
        };
        let lease = self.settings.lease;
        if is_long_enough(lease, longest) {
            return Ok(());
        }
        let detail = format!(
            "the lease of {} s must be more than twice as long as a move of the source may take, {} s: set a longer \
             RunSettings::lease, or a shorter with_change_timeout of the source",
            lease.as_secs(),
            longest.as_secs()
        );
        Err(Error::new(&codes::CONFIG_INVALID, "build").with_detail(detail))
    }

    fn folder_plan(&self) -> Result<Option<FolderPlan>> {
        let (queue, storage) = match (&self.queue, &self.storage) {
            (Some(queue), Some(storage)) => (queue.clone(), storage.clone()),
            (None, None) if self.setup.is_some() => return Ok(None),
            (None, _) => return Err(missing("a queue folder")),
            (_, None) => return Err(missing("a storage folder")),
        };
        let plan = FolderPlan {
            queue,
            storage,
            not_logged: self.not_logged.clone(),
            quarantine: self.quarantine.clone(),
        };
        let targets = [
            Some(&plan.storage),
            plan.not_logged.as_ref(),
            plan.quarantine.as_ref(),
        ];
        if targets.contains(&Some(&plan.queue)) {
            return Err(Error::new(&codes::SETUP_QUEUE_EQUALS_STORAGE, "build"));
        }
        Ok(Some(plan))
    }
}

fn missing(what: &'static str) -> Error {
    Error::new(&codes::CONFIG_MISSING, "build").with_detail(what)
}

fn random_worker(entropy: &dyn Entropy) -> WorkerId {
    let mut bytes = [0; 16];
    entropy.fill(&mut bytes);
    WorkerId::new(uuid::Uuid::from_bytes(bytes).simple().to_string())
}
