//! What the simulation knows for sure: what was committed, who may write, and the first promise that was broken.

use std::collections::BTreeSet;
use std::sync::Mutex;

use email_logging::source::ItemRef;

/// The truth about one schedule, kept by the effects themselves.
#[derive(Debug, Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Debug, Default)]
struct Pages {
    /// Items that a durable commit decided about.
    committed: BTreeSet<u64>,
    /// The epoch of the last lease that was given.
    epoch: u64,
    broken: Option<String>,
}

impl Book {
    /// Notes that a promise was broken; the first one counts.
    pub(crate) fn broken(&self, what: impl Into<String>) {
        self.0.lock().unwrap().broken.get_or_insert(what.into());
    }

    pub(crate) fn verdict(&self) -> Result<(), String> {
        self.0.lock().unwrap().broken.clone().map_or(Ok(()), Err)
    }

    pub(crate) fn commit(&self, items: impl IntoIterator<Item = u64>) {
        self.0.lock().unwrap().committed.extend(items);
    }

    pub(crate) fn is_committed(&self, item: u64) -> bool {
        self.0.lock().unwrap().committed.contains(&item)
    }

    pub(crate) fn lease_given(&self, epoch: u64) {
        let mut pages = self.0.lock().unwrap();
        if epoch <= pages.epoch {
            let before = pages.epoch;
            pages
                .broken
                .get_or_insert(format!("I9: the epoch went from {before} to {epoch}"));
        }
        pages.epoch = epoch;
    }

    pub(crate) fn is_stale(&self, epoch: u64) -> bool {
        epoch < self.0.lock().unwrap().epoch
    }
}

pub(crate) fn item_ref(id: u64) -> ItemRef {
    ItemRef::new(format!("i{id}"))
}

pub(crate) fn item_id(item: &ItemRef) -> u64 {
    item.id.strip_prefix('i').unwrap().parse().unwrap()
}
