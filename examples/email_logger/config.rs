//! The configuration: a TOML file, then the environment, then flags; the later wins.
//!
//! Owns the sections and their meaning. Holds no secret: a password comes from the environment or from a file of its own
//! when it is needed.

mod identity;
mod layers;
mod mailboxes;
mod policy;
mod secrets;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use email_logging::Scope;
use email_logging::logger::{RunSettings, Schedule};
use email_logging::source::FolderPath;
use email_logging::source::ews::ThrottlingGates;
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::cli::{Settings, WakeBy};
use crate::wake::Waker;

pub(crate) use identity::Identity;
pub(crate) use layers::{CLIENT_ID, CLIENT_SECRET, PASSWORD};
pub(crate) use mailboxes::Mailbox;

/// Everything that a command may need.
#[derive(Debug, Default)]
pub(crate) struct Config {
    pub(crate) scope: ScopeSection,
    pub(crate) exchange: Exchange,
    pub(crate) folders: Folders,
    pub(crate) store: Store,
    pub(crate) directory: Directory,
    pub(crate) run: Run,
    pub(crate) identity: Identity,
    /// `[setup]`: fields of the set-up by their names, which `setup --from-config` takes over.
    pub(crate) setup: BTreeMap<String, toml::Value>,
    /// `[[mailbox]]`: several mailboxes on one log; empty where the configuration is about one.
    pub(crate) mailboxes: Vec<Mailbox>,
    pub(crate) wake: Wake,
    /// What wakes its loggers, where they run on a schedule.
    pub(crate) waker: Option<Waker>,
    /// The throttling gates that its sources share with others of the process.
    pub(crate) gates: ThrottlingGates,
    /// The table `[policy]`, read once the directory is known.
    policy: toml::Table,
}

/// `[scope]`: whose mail it is.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct ScopeSection {
    tenant: Option<String>,
    company: Option<String>,
}

/// `[exchange]`: the server and the account.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Exchange {
    pub(crate) url: Option<String>,
    pub(crate) user_name: Option<String>,
    pub(crate) mailbox: Option<String>,
    pub(crate) impersonate: Option<String>,
    pub(crate) anchor_mailbox: Option<String>,
    pub(crate) public_folder_mailbox: Option<String>,
    pub(crate) public_folder_content_mailbox: Option<String>,
    pub(crate) proxy: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) ca_file: Option<PathBuf>,
    on_premises_ranges: Option<Ranges>,
    host_addresses: Option<Ranges>,
    pub(crate) allow_plain_http_on_loopback: Option<bool>,
    /// Gives mail without a search key a key of our own.
    pub(crate) stamps: Option<bool>,
    /// How the mailbox is reached; EWS if not given.
    pub(crate) service: Option<Service>,
    /// The tenant at which an application signs in for Graph.
    pub(crate) tenant: Option<String>,
}

/// How a mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Service {
    Ews,
    Graph,
}

impl Service {
    /// As the set-up has it.
    pub(crate) fn mail_service(self) -> email_logging::setup::MailService {
        match self {
            Self::Ews => email_logging::setup::MailService::Ews,
            Self::Graph => email_logging::setup::MailService::Graph,
        }
    }
}

impl Exchange {
    /// The networks of one's own in which the server may stand.
    pub(crate) fn ranges(&self) -> &[String] {
        let ranges = self.on_premises_ranges.as_ref();
        ranges.map_or(&[], |ranges| &ranges.0)
    }

    /// Hosts with the address to connect to instead of the one that names are resolved to, as `host=address:port`.
    pub(crate) fn host_addresses(&self) -> Result<Vec<(String, SocketAddr)>, ConfigError> {
        let texts = self
            .host_addresses
            .as_ref()
            .map_or(&[][..], |texts| &texts.0);
        let read = |text: &String| {
            let (host, address) = text.split_once('=')?;
            Some((host.trim().to_owned(), address.trim().parse().ok()?))
        };
        let refused = |text: &String| {
            let what =
                format!("[exchange]: `{text}` in `host-addresses` is no host with its address");
            ConfigError::invalid(what, "Write it as mail.corp.example=10.1.2.3:443.")
        };
        let each = texts.iter();
        each.map(|text| read(text).ok_or_else(|| refused(text)))
            .collect()
    }
}

/// `[folders]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Folders {
    pub(crate) queue: Option<Folder>,
    pub(crate) storage: Option<Folder>,
    pub(crate) not_logged: Option<Folder>,
    pub(crate) quarantine: Option<Folder>,
}

/// `[store]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Store {
    pub(crate) path: Option<PathBuf>,
    pub(crate) key_file: Option<PathBuf>,
}

/// `[directory]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Directory {
    pub(crate) file: Option<PathBuf>,
}

/// `[run]`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Run {
    pub(crate) batch_size: Option<u32>,
    fetch_batch: Option<u32>,
    move_batch: Option<u32>,
    connections: Option<u32>,
    message_attempts: Option<u32>,
    every: Option<Span>,
    first_after: Option<Span>,
    attempts: Option<u32>,
}

/// `[wake]`: what brings the runs of `watch` forward when mail arrives.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Wake {
    pub(crate) by: Option<WakeBy>,
    every: Option<Span>,
    pause: Option<Span>,
    /// Where Microsoft Graph reaches this program.
    pub(crate) url: Option<String>,
    /// Where this program listens for it.
    pub(crate) listen: Option<SocketAddr>,
}

impl Wake {
    /// How often the mail system is asked.
    pub(crate) fn every(&self) -> Duration {
        let every = self.every.map_or(Duration::from_secs(30), |span| span.0);
        every.max(Duration::from_secs(1))
    }
}

/// A folder's path, checked when it is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Folder(pub(crate) FolderPath);

/// Ranges of addresses, or hosts with theirs: a list, or one text with commas, as the environment has it.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "ListOrText")]
struct Ranges(Vec<String>);

#[derive(Deserialize)]
#[serde(untagged)]
enum ListOrText {
    List(Vec<String>),
    Text(String),
}

/// A duration such as `10m`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Span(Duration);

impl TryFrom<String> for Folder {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let path: Result<FolderPath, _> = text.parse();
        path.map(Self).map_err(|error| {
            let detail = error.detail().unwrap_or("not a folder path");
            format!("`{text}` is no folder: {detail}")
        })
    }
}

impl From<ListOrText> for Ranges {
    fn from(ranges: ListOrText) -> Self {
        Self(match ranges {
            ListOrText::List(ranges) => ranges,
            ListOrText::Text(text) => text.split(',').map(|range| range.trim().into()).collect(),
        })
    }
}

/// A time that was typed on the command line.
pub(crate) fn span(name: &str, text: &str) -> Result<Duration, ConfigError> {
    let refused = |what| ConfigError::invalid(what, format!("Correct {name}."));
    let span = Span::try_from(text.to_owned()).map_err(refused)?;
    Ok(span.0)
}

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let span: Result<SignedDuration, _> = text.parse();
        let span = span.ok().and_then(|span| Duration::try_from(span).ok());
        span.map(Self)
            .ok_or_else(|| format!("`{text}` is no duration such as `90s`, `10m` or `1h 30m`"))
    }
}

/// What is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConfigError {
    /// The stable code.
    pub(crate) code: &'static str,
    /// What is wrong, without any value that may be a secret.
    pub(crate) what: String,
    /// What to do.
    pub(crate) remedy: String,
}

impl ConfigError {
    /// A value or a key that cannot be used.
    pub(crate) fn invalid(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            code: "config.invalid",
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// A value that is needed: its section and key.
    pub(crate) fn missing(what: &str, section: &str, key: &str, flag: &str) -> Self {
        let variable = format!("{section}__{key}").replace('-', "_").to_uppercase();
        Self {
            code: "config.missing",
            what: format!("{what} is not set"),
            remedy: format!(
                "Set `{key}` in [{section}] of the configuration file, or {}{variable}, or {flag}.",
                layers::PREFIX
            ),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Config {
    /// Reads file and environment, and lets the flags win.
    pub(crate) fn load(file: Option<&Path>, flags: &Settings) -> Result<Self, ConfigError> {
        let environment: Vec<_> = std::env::vars_os().collect();
        Self::from_layers(file, &environment, flags)
    }

    fn from_layers(
        file: Option<&Path>,
        environment: &[(std::ffi::OsString, std::ffi::OsString)],
        flags: &Settings,
    ) -> Result<Self, ConfigError> {
        let mut table = match file {
            Some(file) => layers::file(file)?,
            None => toml::Table::new(),
        };
        layers::environment(&mut table, environment)?;
        let mailboxes = mailboxes::take(&mut table, flags)?;
        let mut config = Self::from_table(table)?;
        config.apply(flags)?;
        config.mailboxes = mailboxes;
        Ok(config)
    }

    fn from_table(mut table: toml::Table) -> Result<Self, ConfigError> {
        let config = Self {
            scope: section(&mut table, "scope")?,
            exchange: section(&mut table, "exchange")?,
            folders: section(&mut table, "folders")?,
            store: section(&mut table, "store")?,
            directory: section(&mut table, "directory")?,
            run: section(&mut table, "run")?,
            wake: section(&mut table, "wake")?,
            waker: None,
            identity: section(&mut table, "identity")?,
            setup: section(&mut table, "setup")?,
            policy: section(&mut table, "policy")?,
            mailboxes: Vec::new(),
            gates: ThrottlingGates::new(),
        };
        match table.keys().next() {
            None => Ok(config),
            Some(key) => Err(ConfigError::invalid(
                format!("`{key}` is no section of the configuration"),
                "The sections are [scope], [exchange], [identity], [setup], [folders], [store], [directory], [policy], [run] and [wake], and [[mailbox]] for several mailboxes.",
            )),
        }
    }

    fn apply(&mut self, flags: &Settings) -> Result<(), ConfigError> {
        fn set<T: Clone>(slot: &mut Option<T>, flag: Option<&T>) {
            if let Some(flag) = flag {
                *slot = Some(flag.clone());
            }
        }
        set(&mut self.exchange.url, flags.url.as_ref());
        set(&mut self.exchange.user_name, flags.user_name.as_ref());
        set(
            &mut self.exchange.password_file,
            flags.password_file.as_ref(),
        );
        set(&mut self.exchange.ca_file, flags.ca_file.as_ref());
        if !flags.on_premises_range.is_empty() {
            let ranges = Ranges(flags.on_premises_range.clone());
            self.exchange.on_premises_ranges = Some(ranges);
        }
        set(&mut self.store.path, flags.store.as_ref());
        set(&mut self.store.key_file, flags.key_file.as_ref());
        set(&mut self.directory.file, flags.directory.as_ref());
        set(&mut self.run.batch_size, flags.batch_size.as_ref());
        if flags.allow_plain_http_on_loopback {
            self.exchange.allow_plain_http_on_loopback = Some(true);
        }
        set(
            &mut self.folders.queue,
            folder("--queue", flags.queue.as_ref())?.as_ref(),
        );
        set(
            &mut self.folders.storage,
            folder("--storage", flags.storage.as_ref())?.as_ref(),
        );
        Ok(())
    }

    /// Lets the flags of the schedule win.
    pub(crate) fn apply_schedule(
        &mut self,
        every: Option<&String>,
        first_after: Option<&String>,
    ) -> Result<(), ConfigError> {
        if let Some(text) = every {
            self.run.every = Some(Span(span("--every", text)?));
        }
        if let Some(text) = first_after {
            self.run.first_after = Some(Span(span("--first-after", text)?));
        }
        Ok(())
    }

    /// Lets the flag of the hints win.
    pub(crate) fn apply_wake(&mut self, by: Option<WakeBy>) {
        self.wake.by = by.or(self.wake.by);
    }

    /// Whose mail it is.
    pub(crate) fn scope(&self) -> Result<Scope, ConfigError> {
        let part = |part: &Option<String>| part.clone().unwrap_or_else(|| "default".into());
        let scope = Scope::new(part(&self.scope.tenant), part(&self.scope.company));
        scope.map_err(|error| ConfigError::invalid(error.to_string(), error.remedy()))
    }

    /// The file of the log.
    pub(crate) fn store_path(&self) -> Result<&Path, ConfigError> {
        let path = self.store.path.as_deref();
        path.ok_or_else(|| ConfigError::missing("the file of the log", "store", "path", "--store"))
    }

    /// The file of the key that seals secrets: the one that is named, or one beside the log.
    pub(crate) fn key_path(&self) -> Result<PathBuf, ConfigError> {
        if let Some(file) = &self.store.key_file {
            return Ok(file.clone());
        }
        let mut name = self.store_path()?.as_os_str().to_owned();
        name.push(".key");
        Ok(name.into())
    }

    /// Sizes and limits of a run.
    pub(crate) fn run_settings(&self) -> RunSettings {
        let mut settings = RunSettings::default();
        let run = &self.run;
        let pairs = [
            (&mut settings.batch_size, run.batch_size),
            (&mut settings.fetch_batch, run.fetch_batch),
            (&mut settings.move_batch, run.move_batch),
            (&mut settings.connections, run.connections),
            (&mut settings.attempts, run.message_attempts),
        ];
        for (setting, value) in pairs {
            *setting = value.unwrap_or(*setting);
        }
        settings
    }

    /// When `watch` runs.
    pub(crate) fn schedule(&self) -> Schedule {
        let mut schedule = Schedule::default();
        let run = &self.run;
        schedule.every = run.every.map_or(schedule.every, |span| span.0);
        schedule.first_after = run.first_after.map_or(schedule.first_after, |span| span.0);
        schedule.attempts = run.attempts.unwrap_or(schedule.attempts);
        schedule.hint_pause = self.wake.pause.map_or(schedule.hint_pause, |span| span.0);
        schedule
    }
}

fn section<T: Default + DeserializeOwned>(
    table: &mut toml::Table,
    name: &str,
) -> Result<T, ConfigError> {
    let Some(value) = table.remove(name) else {
        return Ok(T::default());
    };
    value.try_into().map_err(|error: toml::de::Error| {
        // The message names the key; the full text would quote the line with its value.
        let what = format!("[{name}]: {}", first_line(error.message()));
        ConfigError::invalid(
            what,
            format!("Correct [{name}] in the file or the environment."),
        )
    })
}

fn folder(name: &str, text: Option<&String>) -> Result<Option<Folder>, ConfigError> {
    let folder = text.map(|text| Folder::try_from(text.clone())).transpose();
    folder.map_err(|what| ConfigError::invalid(what, format!("Correct {name}.")))
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or(text)
}
