//! What `run` and `watch` note beside the log for `status`: the last run of each mailbox, and how it ended.
//!
//! It is a note for people: nothing depends on it, and a file that cannot be read or written is passed over. It holds no
//! address, no subject and no secret.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the runs of one mailbox went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Runs {
    pub(crate) last_run: Option<Timestamp>,
    pub(crate) last_success: Option<Timestamp>,
    /// The code of the error that stopped the last run, if one did.
    pub(crate) failure: Option<String>,
    pub(crate) failed_in_a_row: u32,
    /// Until when `watch` leaves the mailbox alone after a failure.
    pub(crate) backs_off_until: Option<Timestamp>,
    /// When the oldest mail was received that waited when the last run ended.
    pub(crate) oldest_mail: Option<Timestamp>,
    /// Since when the oldest move waits.
    pub(crate) oldest_move: Option<Timestamp>,
}

/// The notes beside one log, by mailbox.
#[derive(Debug)]
pub(crate) struct RunBook(PathBuf);

impl RunBook {
    /// The notes beside this log.
    pub(crate) fn beside(store: &Path) -> Self {
        let mut name = store.as_os_str().to_owned();
        name.push(".runs.json");
        Self(name.into())
    }

    /// All that is noted.
    pub(crate) fn read(&self) -> BTreeMap<String, Runs> {
        let text = std::fs::read_to_string(&self.0).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Notes one run.
    pub(crate) fn note(&self, mailbox: &str, change: impl FnOnce(&mut Runs)) {
        let mut all = self.read();
        change(all.entry(mailbox.to_owned()).or_default());
        let Ok(text) = serde_json::to_string_pretty(&all) else {
            return;
        };
        let mut fresh = self.0.as_os_str().to_owned();
        fresh.push(".new");
        if std::fs::write(&fresh, text).is_ok() {
            let _ = std::fs::rename(&fresh, &self.0);
        }
    }
}

impl Runs {
    /// A run ended: well, or with the error of this code.
    pub(crate) fn ended(&mut self, failure: Option<&str>) {
        let now = Timestamp::now();
        self.last_run = Some(now);
        self.backs_off_until = None;
        self.failure = failure.map(str::to_owned);
        if failure.is_some() {
            self.failed_in_a_row += 1;
        } else {
            (self.last_success, self.failed_in_a_row) = (Some(now), 0);
        }
    }
}
