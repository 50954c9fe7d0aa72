//! The fail points of a child: it counts them, and ends itself by SIGKILL at the one that it was told.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use email_logging::source::ItemRef;
use rustix::process::{Signal, getpid, kill_process};

/// Counts how often each point was passed.
#[derive(Debug, Default)]
pub(crate) struct Points {
    /// The point and how often it is passed before the end, from 1.
    deadly: Option<(String, u64)>,
    passed: Mutex<BTreeMap<String, u64>>,
    trace: Option<PathBuf>,
}

impl Points {
    pub(crate) fn new(deadly: Option<(String, u64)>, trace: Option<PathBuf>) -> Self {
        Self {
            deadly,
            passed: Mutex::default(),
            trace,
        }
    }

    /// Records that these items are about to leave the queue, in the order of what is done to the disk.
    pub(crate) fn leave(&self, items: &[ItemRef]) {
        let Some(trace) = &self.trace else { return };
        let ids: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        let ids = ids.join("\n");
        let record = format!("m disk 0 {}\n{ids}", ids.len());
        let mut options = std::fs::OpenOptions::new();
        let mut file = options.append(true).create(true).open(trace).unwrap();
        file.write_all(record.as_bytes()).unwrap();
    }

    /// Passes a point, which may be the end of this process.
    pub(crate) fn pass(&self, call: &str, moment: &str) {
        let point = format!("{call}.{moment}");
        let mut passed = self.passed.lock().unwrap();
        let count = passed.entry(point.clone()).or_default();
        *count += 1;
        if self.deadly.as_ref() == Some(&(point, *count)) {
            kill_process(getpid(), Signal::KILL).unwrap();
            // The signal ends every thread, this one at the latest when it sleeps.
            loop {
                std::thread::park();
            }
        }
    }

    /// Writes one line per point: its name and how often it was passed.
    pub(crate) fn write_to(&self, file: &Path) {
        let mut text = String::new();
        for (point, count) in self.passed.lock().unwrap().iter() {
            writeln!(text, "{point} {count}").unwrap();
        }
        std::fs::write(file, text).unwrap();
    }
}
