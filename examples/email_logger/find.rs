//! Which mail an id means: the number of an entry, an id, or the beginning of one.

use std::path::Path;
use std::sync::Arc;

use email_logging::directory::MemoryDirectory;
use email_logging::error::{Error, codes};
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::store::{
    Cursor, DecisionFilter, DecisionRecord, InteractionLog as _, LogFilter, SqliteStore,
};
use email_logging::{EntryId, MessageUid, Scope};

use crate::cli::reports::Filters;
use crate::cli::{Direction, Settings, Which};
use crate::config::Config;
use crate::connect;
use crate::exit::Failure;

/// Decisions of a page while the beginning of an id is looked for.
const PAGE: u32 = 500;

/// Characters of an id that are shown, where they are enough.
const SHOWN: usize = 8;

/// The log that is read.
pub(crate) struct Reader {
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) scope: Scope,
    config: Config,
}

/// A mail that was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// The message, where that is kept.
    pub(crate) message: Option<MessageUid>,
    /// The entry, if one was meant.
    pub(crate) entry: Option<EntryId>,
    /// Every decision about it, newest first.
    pub(crate) decisions: Vec<DecisionRecord>,
}

impl Reader {
    /// The log of the configuration, which must be there. An older one is brought up to date.
    pub(crate) async fn open(file: Option<&Path>, store: Option<&Path>) -> Result<Self, Failure> {
        let settings = Settings {
            store: store.map(Path::to_owned),
            ..Settings::default()
        };
        let config = Config::load(file, &settings)?;
        let store = connect::existing_store(&config)?;
        store.migrate().await?;
        Ok(Self {
            store,
            scope: config.scope()?,
            config,
        })
    }

    /// Whether the configuration names a directory.
    pub(crate) fn has_directory(&self) -> bool {
        self.config.directory.file.is_some()
    }

    /// The directory of the configuration, which must be named.
    pub(crate) fn directory(&self) -> Result<MemoryDirectory, Failure> {
        connect::directory(&self.config)
    }

    /// The filter of these words of the command line.
    pub(crate) async fn filter(&self, asked: &Filters) -> Result<LogFilter, Failure> {
        let mut filter = LogFilter::default();
        filter.contact = asked.contact.as_deref().map(Into::into);
        filter.company = asked.company.as_deref().map(Into::into);
        filter.salesperson = asked.salesperson.as_deref().map(Into::into);
        filter.flow = asked.direction.map(|direction| match direction {
            Direction::Outbound => InformationFlow::Outbound,
            Direction::Inbound => InformationFlow::Inbound,
        });
        filter.since = asked.since;
        filter.until = asked.until;
        filter.text.clone_from(&asked.text);
        filter.flag.clone_from(&asked.flag);
        filter.opportunity.clone_from(&asked.opportunity);
        filter.evaluation = asked.evaluation;
        filter.canceled = asked.canceled;
        if let Some(which) = &asked.conversation {
            let message = self.find(which).await?.message;
            filter.conversation = Some(message.ok_or_else(|| {
                let what = format!("of `{which}` too little is kept to know its conversation");
                Failure::unknown(what, "Name a mail that `log` lists.")
            })?);
        }
        Ok(filter)
    }

    /// The mail that is meant.
    pub(crate) async fn find(&self, which: &Which) -> Result<Found, Failure> {
        match which {
            Which::No(no, text) => match self.numbered(*no).await? {
                Some(entry) => self.of_entry(&entry).await,
                None if text.len() >= SHOWN => self.beginning(text).await,
                None => Err(no_entry(*no)),
            },
            Which::Id(id) => match self.store.entry(&self.scope, id).await {
                Ok(entry) => self.of_entry(&entry).await,
                Err(error) if error.code() == codes::STORE_NOT_FOUND.code => {
                    self.of_message(MessageUid::from_bytes(*id.as_bytes()))
                        .await
                }
                Err(error) => Err(error.into()),
            },
            Which::Beginning(text) => self.beginning(text).await,
        }
    }

    async fn numbered(&self, no: u64) -> Result<Option<InteractionLogEntry>, Failure> {
        let mut filter = LogFilter::default();
        (filter.entry_no, filter.canceled) = (Some(no), true);
        let page = self.store.entries(&self.scope, &filter, None, 1).await?;
        Ok(page.rows.into_iter().next())
    }

    async fn of_entry(&self, entry: &InteractionLogEntry) -> Result<Found, Failure> {
        let found = self.of_message(entry.entry.message).await?;
        Ok(Found {
            entry: Some(entry.entry.id),
            ..found
        })
    }

    async fn of_message(&self, message: MessageUid) -> Result<Found, Failure> {
        let mut filter = DecisionFilter::default();
        filter.message = Some(message);
        Ok(Found {
            message: Some(message),
            entry: None,
            decisions: self.decisions(&filter).await?,
        })
    }

    /// The one mail whose id or key begins so.
    async fn beginning(&self, text: &str) -> Result<Found, Failure> {
        let all = self.decisions(&DecisionFilter::default()).await?;
        let fitting: Vec<DecisionRecord> = all
            .into_iter()
            .filter(|record| fits(record, text))
            .collect();
        let Some(first) = fitting.first() else {
            let what = format!("no mail has an id that begins with `{text}`");
            return Err(Failure::unknown(
                what,
                "See `log --not-logged` and `log` for what there is.",
            ));
        };
        if fitting.iter().any(|record| target(record) != target(first)) {
            let what = format!("several mails have an id that begins with `{text}`");
            return Err(Failure::usage(what, "Give more characters of the id."));
        }
        match first.message {
            Some(message) => self.of_message(message).await,
            None => Ok(Found {
                decisions: fitting,
                ..Found::default()
            }),
        }
    }

    async fn decisions(&self, filter: &DecisionFilter) -> Result<Vec<DecisionRecord>, Failure> {
        let mut all = Vec::new();
        let mut after: Option<Cursor> = None;
        loop {
            let page = self
                .store
                .decisions(&self.scope, filter, after.as_ref(), PAGE);
            let page = page.await?;
            all.extend(page.rows);
            after = page.next;
            if after.is_none() {
                return Ok(all);
            }
        }
    }
}

fn no_entry(no: u64) -> Failure {
    let error = Error::new(&codes::STORE_NOT_FOUND, "show");
    error.with_detail(format!("there is no entry {no}")).into()
}

/// What a decision is about: the message, or the sighting of a mail of which nothing else is kept.
fn target(record: &DecisionRecord) -> String {
    let message = record.message.map(|message| message.to_string());
    message.unwrap_or_else(|| without_kind(&record.sighting.to_string()).to_owned())
}

/// A key without the kind of key that it is.
fn without_kind(key: &str) -> &str {
    key.split_once(':').map_or(key, |(_, key)| key)
}

fn fits(record: &DecisionRecord, beginning: &str) -> bool {
    let key = record.sighting.to_string();
    let lower = beginning.to_lowercase();
    target(record).starts_with(&lower)
        || [key.as_str(), without_kind(&key)]
            .iter()
            .any(|key| key.starts_with(beginning) || key.starts_with(&lower))
}

/// For each decision the shortest id that `show` takes and that no other one of the list shares. It is no number, which
/// would mean an entry.
pub(crate) fn short_ids(records: &[DecisionRecord]) -> Vec<String> {
    let targets: Vec<String> = records.iter().map(target).collect();
    let short = |target: &String| {
        let ends = target.char_indices().map(|(at, _)| at).skip(SHOWN);
        let mut beginnings = ends.filter_map(|end| target.get(..end));
        let alone = |beginning: &&str| {
            let others = targets.iter().filter(|other| *other != target);
            beginning.parse::<u64>().is_err()
                && !others.into_iter().any(|other| other.starts_with(beginning))
        };
        beginnings.find(alone).unwrap_or(target).to_owned()
    };
    targets.iter().map(short).collect()
}
