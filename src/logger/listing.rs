//! The look-ahead over the queue folder: what is ready, what is under way, what is passed over.
//!
//! The folder shrinks while it is listed. A page is therefore asked for behind the items that certainly still lie there,
//! never behind those that may have been moved: nothing new can be skipped, and what is listed twice is dropped.

use std::collections::{BTreeSet, VecDeque};

use jiff::Timestamp;

use crate::decision::Disposition;
use crate::error::Result;
use crate::source::{Folder, ListRequest, ListedItem, Listing};
use crate::store::{KnownSighting, SightingState};

use super::parts::Parts;

/// A listed item with what the ledger knows of it.
#[derive(Debug, Clone)]
pub(super) struct WorkItem {
    pub(super) listed: ListedItem,
    pub(super) known: Option<KnownSighting>,
}

/// What a page brought.
#[derive(Debug, Default)]
pub(super) struct PageOfWork {
    pub(super) items: Vec<(WorkItem, Fate)>,
    pub(super) total: Option<u64>,
    complete: bool,
}

/// What is to be done with a listed item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// To be fetched.
    Ready,
    /// Under a key that is decided: to be moved only.
    Again,
    /// Not due, or set aside for a person.
    Passed,
}

/// The state of the look-ahead.
#[derive(Debug, Default)]
pub(super) struct LookAhead {
    pub(super) ready: VecDeque<WorkItem>,
    /// Every id that this run has met.
    met: BTreeSet<String>,
    /// Ids whose move has begun: they may be gone from the folder.
    leaving: BTreeSet<String>,
    complete: bool,
    listing: bool,
    stuck_offset: usize,
}

impl LookAhead {
    /// The next page to ask for, if more is worth asking for now.
    pub(super) fn next_request(&mut self, page: u32) -> Option<ListRequest> {
        let enough = self.ready.len() >= (page / 2) as usize;
        if self.listing || self.complete || enough {
            return None;
        }
        self.listing = true;
        let staying = self.met.len() - self.leaving.len() + self.stuck_offset;
        Some(ListRequest::new(
            u32::try_from(staying).unwrap_or(u32::MAX),
            page,
        ))
    }

    /// Takes the ids of a page up and drops those that were met before.
    pub(super) fn admit(&mut self, mut page: PageOfWork) -> PageOfWork {
        let listed = page.items.len();
        page.items
            .retain(|(work, _)| self.met.insert(work.listed.item.id.clone()));
        self.listing = false;
        self.complete = page.complete || listed == 0;
        // A whole page of known items would be asked for again and again: look behind it.
        self.stuck_offset = if page.items.is_empty() && listed > 0 {
            self.stuck_offset + listed
        } else {
            0
        };
        page
    }

    /// Passes over items that wait for their move.
    pub(super) fn pass_over(&mut self, ids: BTreeSet<String>) {
        self.met.extend(ids);
    }

    /// Stops asking for more.
    pub(super) fn stop(&mut self) {
        self.complete = true;
        self.listing = false;
    }

    pub(super) fn leaves(&mut self, id: &str) {
        self.leaving.insert(id.to_owned());
    }

    /// Takes the next batch: bounded by count and by bytes, a large mail alone.
    pub(super) fn take_batch(&mut self, count: usize, bytes: u64) -> Vec<WorkItem> {
        let mut batch = Vec::new();
        let mut sum = 0_u64;
        while let Some(next) = self.ready.front() {
            let size = next.listed.size.unwrap_or(0);
            if batch.len() >= count || (!batch.is_empty() && sum.saturating_add(size) > bytes) {
                break;
            }
            sum = sum.saturating_add(size);
            batch.extend(self.ready.pop_front());
        }
        batch
    }
}

/// Lists a part of the queue and sorts it by what the ledger knows of its items.
pub(super) async fn list(
    parts: &Parts,
    queue: &Folder,
    request: ListRequest,
) -> Result<PageOfWork> {
    let listing = parts.source.list(queue, request).await?;
    let keys: Vec<_> = listing
        .items
        .iter()
        .filter_map(|item| item.key.clone())
        .collect();
    let known = if keys.is_empty() {
        Vec::new()
    } else {
        let ledger = &parts.ledger;
        ledger.known(&parts.scope, &parts.mailbox, &keys).await?
    };
    Ok(sort(listing, known, parts.clock.now()))
}

fn sort(listing: Listing, known: Vec<Option<KnownSighting>>, now: Timestamp) -> PageOfWork {
    let mut known = known.into_iter();
    let items = listing.items.into_iter().map(|listed| {
        let known = if listed.key.is_some() {
            known.next().flatten()
        } else {
            None
        };
        let fate = fate(known.as_ref(), now);
        (WorkItem { listed, known }, fate)
    });
    PageOfWork {
        items: items.collect(),
        total: listing.total,
        complete: listing.complete,
    }
}

fn fate(known: Option<&KnownSighting>, now: Timestamp) -> Fate {
    match known {
        None => Fate::Ready,
        Some(known) => match known.state {
            SightingState::Pending if known.next_try.is_some_and(|due| due > now) => Fate::Passed,
            SightingState::Pending => Fate::Ready,
            SightingState::Quarantined => Fate::Passed,
            SightingState::Decided if known.disposition == Some(Disposition::Leave) => Fate::Passed,
            SightingState::Decided => Fate::Again,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ItemRef;

    fn items(ids: std::ops::Range<u32>, size: u64) -> Vec<ListedItem> {
        ids.map(|id| {
            let mut item = ListedItem::new(ItemRef::new(id.to_string()));
            item.size = Some(size);
            item
        })
        .collect()
    }

    fn ready(look: &mut LookAhead, listing: Listing) -> usize {
        let admitted = look.admit(sort(listing, Vec::new(), Timestamp::UNIX_EPOCH));
        let count = admitted.items.len();
        look.ready
            .extend(admitted.items.into_iter().map(|(work, _)| work));
        count
    }

    #[test]
    fn the_next_page_starts_behind_what_certainly_stays() {
        let mut look = LookAhead::default();
        assert_eq!(look.next_request(10), Some(ListRequest::new(0, 10)));
        assert_eq!(look.next_request(10), None, "one listing at a time");
        assert_eq!(
            ready(&mut look, Listing::new(items(0..10, 1), None, false)),
            10
        );
        assert_eq!(look.next_request(10), None, "enough is ready");
        let batch = look.take_batch(6, 1_000);
        assert_eq!(look.next_request(10), Some(ListRequest::new(10, 10)));
        ready(&mut look, Listing::new(items(10..14, 1), None, false));
        for work in &batch {
            look.leaves(&work.listed.item.id);
        }
        look.take_batch(6, 1_000);
        assert_eq!(look.next_request(10), Some(ListRequest::new(8, 10)));
    }

    #[test]
    fn a_page_of_known_items_is_looked_behind_and_an_empty_one_ends() {
        let mut look = LookAhead::default();
        look.next_request(2);
        ready(&mut look, Listing::new(items(0..2, 1), None, false));
        look.take_batch(2, 10);
        for id in ["0", "1"] {
            look.leaves(id);
        }
        assert_eq!(look.next_request(2), Some(ListRequest::new(0, 2)));
        assert_eq!(
            ready(&mut look, Listing::new(items(0..2, 1), None, false)),
            0
        );
        assert_eq!(look.next_request(2), Some(ListRequest::new(2, 2)));
        ready(&mut look, Listing::new(Vec::new(), None, false));
        assert_eq!(look.next_request(2), None);
    }

    #[test]
    fn a_batch_is_bounded_by_count_and_bytes_and_a_large_mail_travels_alone() {
        let mut look = LookAhead::default();
        let mut listed = items(0..5, 30);
        listed[2].size = Some(500);
        ready(&mut look, Listing::new(listed, None, true));
        let sizes: Vec<usize> = std::iter::from_fn(|| Some(look.take_batch(2, 100).len()))
            .take(4)
            .collect();
        assert_eq!(sizes, [2, 1, 2, 0]);
    }
}
