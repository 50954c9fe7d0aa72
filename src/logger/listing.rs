//! The look-ahead over the queue folder: what is ready, what is under way, what is passed over.
//!
//! The folder shrinks while it is listed. A page is therefore asked for behind the items that certainly still lie there,
//! never behind those that may have been moved; what is listed twice is dropped. Where a move began before a page was
//! answered, the server may have skipped as many items: then the folder is looked at once more when no further mail
//! can leave before the answer.

use std::collections::{BTreeMap, VecDeque};

use jiff::Timestamp;

use crate::decision::Disposition;
use crate::error::{Error, Result, codes};
use crate::source::{Folder, ItemRef, ListRequest, ListedItem, Listing, SightingKey, Stamped};
use crate::store::{KnownSighting, SightingState};
use crate::wish::is_due;

use super::parts::{Parts, check_count};
use super::recovery::may_be_one_items;

/// A listed item with what the ledger knows of it.
#[derive(Debug, Clone)]
pub(super) struct WorkItem {
    pub(super) listed: ListedItem,
    pub(super) known: Option<KnownSighting>,
}

/// Bytes that an item without a size counts as.
const UNSIZED: u64 = 64 << 10;

impl WorkItem {
    /// Its size, as the server tells it.
    pub(super) fn bytes(&self) -> u64 {
        self.listed.size.unwrap_or(UNSIZED)
    }
}

/// What a page brought.
#[derive(Debug, Default)]
pub(super) struct PageOfWork {
    pub(super) items: Vec<(WorkItem, Fate)>,
    pub(super) total: Option<u64>,
    complete: bool,
}

impl PageOfWork {
    /// Whether nothing comes after it.
    pub(super) fn is_last(&self) -> bool {
        self.complete || self.items.is_empty()
    }

    /// Items without a key of their own that the ledger has not met.
    pub(super) fn unkeyed(&mut self) -> impl Iterator<Item = &mut WorkItem> {
        let works = self.items.iter_mut().map(|(work, _)| work);
        works.filter(|work| work.listed.key.is_none() && work.known.is_none())
    }
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
    /// The ids that this run has met and that may still be listed.
    met: BTreeMap<IdHash, Met>,
    /// How many of them certainly still lie in the folder, before all that was not met.
    staying: usize,
    /// Ids that have left, oldest first: forgotten when no listing that began before can name them.
    left: VecDeque<IdHash>,
    complete: bool,
    listing: bool,
    /// How far beyond what stays the last listing looked, as whole pages were known.
    beyond: usize,
    looked_again: bool,
    gap: Gap,
}

/// What is known of an id that was met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Met {
    Stays,
    /// It was there before the folder was looked at from its beginning once more, and was not listed since.
    Unseen,
    /// Its move has begun.
    Left,
}

/// What moves may have hidden from the pages.
#[derive(Debug, Default)]
struct Gap {
    /// Whether an item left while the page that is awaited was asked for: what lies behind it may have moved up.
    left_meanwhile: bool,
    /// Whether such a page was answered: items may have been skipped.
    may_have_skipped: bool,
    /// Whether the folder came to its end with items that may have been skipped.
    looks_back: bool,
}

/// An id as it is remembered while a folder is listed: a million ids of Exchange would be hundreds of megabytes.
pub(super) type IdHash = [u8; 16];

pub(super) fn hash(id: &str) -> IdHash {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&blake3::hash(id.as_bytes()).as_bytes()[..16]);
    bytes
}

/// Ids that have left are remembered for this many pages.
const PAGES_REMEMBERED: usize = 4;

impl LookAhead {
    /// The next page to ask for, if more is worth asking for now. `settled` says that no further mail
    /// will leave what stays before its answer.
    pub(super) fn next_request(&mut self, page: u32, settled: bool) -> Option<ListRequest> {
        let enough = self.ready.len() >= (page / 2).max(1) as usize;
        let early = self.gap.looks_back && !settled;
        if self.listing || self.complete || enough || early {
            return None;
        }
        self.listing = true;
        self.gap.left_meanwhile = false;
        self.forget(page as usize * PAGES_REMEMBERED);
        let offset = u32::try_from(self.staying + self.beyond).unwrap_or(u32::MAX);
        Some(ListRequest::new(offset, page))
    }

    /// Takes the ids of a page up and drops those that were met before.
    pub(super) fn admit(&mut self, mut page: PageOfWork) -> PageOfWork {
        let (listed, before) = (page.items.len(), self.staying);
        let looked_back = std::mem::take(&mut self.gap.looks_back);
        let stays = |(work, _): &(WorkItem, Fate)| self.stays(&work.listed.item.id);
        let is_behind = looked_back && page.items.iter().any(stays);
        page.items
            .retain(|(work, _)| self.meets(&work.listed.item.id));
        self.listing = false;
        self.gap.may_have_skipped |= self.gap.left_meanwhile;
        if is_behind {
            self.begin_anew();
        } else if page.complete || listed == 0 {
            self.end();
        } else if self.staying == before {
            // A whole page of known items would be asked for again and again: look behind it.
            self.beyond += listed;
            // More known items than are known can only be a server that repeats itself.
            if self.beyond > self.met.len() {
                self.end();
            }
        } else {
            self.beyond = 0;
        }
        page
    }

    /// The end of the folder. What was looked beyond may have moved up meanwhile, and so may what lay behind a page: then it
    /// is looked at once more.
    fn end(&mut self) {
        if std::mem::take(&mut self.gap.may_have_skipped) {
            self.gap.looks_back = true;
        } else {
            self.complete = self.beyond == 0 || self.looked_again;
            self.looked_again = true;
        }
        self.beyond = 0;
    }

    /// What stays was met behind so many items as stay: something that was skipped lies before it.
    fn begin_anew(&mut self) {
        let met = self.met.values_mut();
        met.filter(|met| **met == Met::Stays)
            .for_each(|met| *met = Met::Unseen);
        (self.staying, self.beyond) = (0, 0);
        self.gap.may_have_skipped = false;
    }

    fn stays(&self, id: &str) -> bool {
        self.met.get(&hash(id)) == Some(&Met::Stays)
    }

    /// Answers whether the id is new.
    fn meets(&mut self, id: &str) -> bool {
        let id = hash(id);
        let before = self.met.get(&id).copied();
        if before.is_none_or(|met| met == Met::Unseen) {
            self.met.insert(id, Met::Stays);
            self.staying += 1;
        }
        before.is_none()
    }

    /// Stops asking for more.
    pub(super) fn stop(&mut self) {
        self.complete = true;
        self.listing = false;
    }

    /// The item's move begins, or it is gone: it may not be in the folder any more.
    pub(super) fn leaves(&mut self, id: &str) {
        let id = hash(id);
        let before = self.met.insert(id, Met::Left);
        if let Some(Met::Stays | Met::Unseen) = before {
            self.gap.left_meanwhile = true;
            self.staying -= usize::from(before == Some(Met::Stays));
            self.left.push_back(id);
        }
    }

    fn forget(&mut self, remembered: usize) {
        while self.left.len() > remembered {
            if let Some(id) = self.left.pop_front() {
                self.met.remove(&id);
            }
        }
    }

    /// Takes the next batch: bounded by count and by bytes, a large mail alone.
    pub(super) fn take_batch(&mut self, count: usize, bytes: u64) -> Vec<WorkItem> {
        let mut batch = Vec::new();
        let mut sum = 0_u64;
        while let Some(next) = self.ready.front() {
            let size = next.bytes();
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
    let mut listing = parts.source.list(queue, request).await?;
    name_known(parts, &mut listing.items).await?;
    let keys: Vec<_> = listing.items.iter().map(lookup_key).collect();
    let known = if keys.is_empty() {
        Vec::new()
    } else {
        let ledger = &parts.ledger;
        ledger.known(&parts.scope, &parts.mailbox, &keys).await?
    };
    check_count("known", keys.len(), known.len())?;
    Ok(sort(listing, known, parts.clock.now()))
}

/// Gives items without a key of their own the key under which the ledger met them before. What was read is known by its
/// content, of which a list tells nothing: without this an item that stays in the folder would be new to every list.
pub(super) async fn name_known(parts: &Parts, items: &mut [ListedItem]) -> Result<()> {
    let mut unkeyed: Vec<&mut ListedItem> =
        items.iter_mut().filter(|item| item.key.is_none()).collect();
    if unkeyed.is_empty() {
        return Ok(());
    }
    let asked: Vec<ItemRef> = unkeyed.iter().map(|item| item.item.clone()).collect();
    let keys = parts.ledger.keys_of(&parts.scope, &parts.mailbox, &asked);
    let keys = keys.await?;
    check_count("keys_of", asked.len(), keys.len())?;
    for (item, key) in unkeyed.iter_mut().zip(keys) {
        item.key = key;
    }
    Ok(())
}

/// Gives new items without a key of their own one, where the source can. For a run that writes, and only for what it met on
/// this page: an item that is listed once more may be under way already, under the key by which it was read.
///
/// What cannot be stamped is known by its content, as where no source stamps; only an outage and a refused sign-in are errors.
/// An item that makes the whole call fail is without a key alone.
pub(super) async fn stamp_new(
    parts: &Parts,
    queue: &Folder,
    mut page: PageOfWork,
) -> Result<PageOfWork> {
    let mut unkeyed: Vec<&mut WorkItem> = page.unkeyed().collect();
    let items: Vec<ItemRef> = unkeyed
        .iter()
        .map(|work| work.listed.item.clone())
        .collect();
    let stamped = match stamp(parts, queue, &items).await {
        Err(error) if may_be_one_items(&error) => stamp_singly(parts, queue, &items, error).await,
        stamped => stamped,
    };
    let stamped = match stamped {
        Ok(stamped) => stamped,
        Err(error) if error.is_transient() || error.is_signed_out() => return Err(error),
        // Not the items: a source that cannot be trusted with any of them.
        Err(error) if error.code() == codes::CONTRACT_COUNT.code => return Err(error),
        Err(_) => return Ok(page),
    };
    for (work, stamped) in unkeyed.iter_mut().zip(stamped) {
        if let Stamped::Done(key, item) = stamped {
            work.listed.key = Some(key);
            work.listed.item = item;
        }
    }
    Ok(page)
}

async fn stamp(parts: &Parts, queue: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
    let stamped = parts.source.stamp(queue, items).await?;
    check_count("stamp", items.len(), stamped.len())?;
    Ok(stamped)
}

/// Stamps item by item what could not be stamped together. Where some can be, those that fail are without a key alone;
/// where none can be, it is no single item's trouble, and `failed` says what it is. The first few tell.
async fn stamp_singly(
    parts: &Parts,
    queue: &Folder,
    items: &[ItemRef],
    failed: Error,
) -> Result<Vec<Stamped>> {
    let mut all = Vec::with_capacity(items.len());
    let mut is_there = false;
    for item in items {
        match stamp(parts, queue, std::slice::from_ref(item)).await {
            Ok(stamped) => {
                is_there = true;
                all.extend(stamped);
            }
            Err(error) if !may_be_one_items(&error) => return Err(error),
            Err(error) => all.push(Stamped::Failed(error)),
        }
        if !is_there && all.len() == items.len().min(UNSTAMPED) {
            return Err(failed);
        }
    }
    Ok(all)
}

/// Items in a row that cannot be stamped, before it is an outage.
const UNSTAMPED: usize = 8;

/// The key that an item is remembered by before it was read: its own, or a digest of its id.
pub(super) fn lookup_key(listed: &ListedItem) -> SightingKey {
    listed
        .key
        .clone()
        .unwrap_or_else(|| SightingKey::Digest(*blake3::hash(listed.item.id.as_bytes()).as_bytes()))
}

fn sort(listing: Listing, known: Vec<Option<KnownSighting>>, now: Timestamp) -> PageOfWork {
    let items = listing.items.into_iter().zip(known).map(|(listed, known)| {
        let work = WorkItem { listed, known };
        let fate = fate(&work, now);
        (work, fate)
    });
    PageOfWork {
        items: items.collect(),
        total: listing.total,
        complete: listing.complete,
    }
}

fn fate(work: &WorkItem, now: Timestamp) -> Fate {
    let Some(known) = &work.known else {
        return Fate::Ready;
    };
    // Whoever reads or flags the item changes its version, not its id.
    let waits_for_its_move = known.waiting.iter().any(|it| it.id == work.listed.item.id);
    let waits_for_its_try = !is_due(known.next_try, now);
    let passed = match known.state {
        SightingState::Pending => waits_for_its_try,
        // A copy of a mail that went to the quarantine folder follows it.
        SightingState::Quarantined => known.disposition != Some(Disposition::Quarantine),
        SightingState::Decided => {
            known.disposition == Some(Disposition::Leave)
                || (waits_for_its_try && !is_logged(known))
        }
    };
    if passed || waits_for_its_move {
        Fate::Passed
    } else if known.state == SightingState::Quarantined || is_settled(known) {
        Fate::Again
    } else {
        // New attempts, and mail without entries that was put back: the directory may know more by now.
        Fate::Ready
    }
}

fn is_settled(known: &KnownSighting) -> bool {
    known.state == SightingState::Decided && is_logged(known)
}

pub(super) fn is_logged(known: &KnownSighting) -> bool {
    matches!(known.outcome.as_deref(), Some("logged" | "already-logged"))
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
        let admitted = look.admit(sort(listing, vec![None; 20], Timestamp::UNIX_EPOCH));
        let count = admitted.items.len();
        look.ready
            .extend(admitted.items.into_iter().map(|(work, _)| work));
        count
    }

    #[test]
    fn the_next_page_starts_behind_what_certainly_stays() {
        let mut look = LookAhead::default();
        assert_eq!(look.next_request(10, true), Some(ListRequest::new(0, 10)));
        assert_eq!(look.next_request(10, true), None, "one listing at a time");
        assert_eq!(
            ready(&mut look, Listing::new(items(0..10, 1), None, false)),
            10
        );
        assert_eq!(look.next_request(10, true), None, "enough is ready");
        let batch = look.take_batch(6, 1_000);
        assert_eq!(look.next_request(10, true), Some(ListRequest::new(10, 10)));
        ready(&mut look, Listing::new(items(10..14, 1), None, false));
        for work in &batch {
            look.leaves(&work.listed.item.id);
        }
        look.take_batch(6, 1_000);
        assert_eq!(look.next_request(10, true), Some(ListRequest::new(8, 10)));
    }

    #[test]
    fn a_page_of_known_items_is_looked_behind_and_an_empty_one_ends() {
        let mut look = LookAhead::default();
        look.next_request(2, true);
        ready(&mut look, Listing::new(items(0..2, 1), None, false));
        look.take_batch(2, 10);
        for id in ["0", "1"] {
            look.leaves(id);
        }
        assert_eq!(look.next_request(2, true), Some(ListRequest::new(0, 2)));
        assert_eq!(
            ready(&mut look, Listing::new(items(0..2, 1), None, false)),
            0
        );
        assert_eq!(look.next_request(2, true), Some(ListRequest::new(2, 2)));
        ready(&mut look, Listing::new(Vec::new(), None, false));
        assert_eq!(
            look.next_request(2, true),
            Some(ListRequest::new(0, 2)),
            "it looks once more"
        );
        ready(&mut look, Listing::new(Vec::new(), None, false));
        assert_eq!(look.next_request(2, true), None);
    }

    #[test]
    fn what_a_move_may_have_hidden_is_looked_for_when_nothing_more_leaves() {
        let mut look = LookAhead::default();
        look.next_request(4, false);
        ready(&mut look, Listing::new(items(0..4, 1), None, false));
        let batch = look.take_batch(4, 10);
        assert_eq!(look.next_request(4, false), Some(ListRequest::new(4, 4)));
        look.leaves(&batch[0].listed.item.id);
        // The server moved 0 first, so that 4 lay at the third place.
        ready(&mut look, Listing::new(items(5..6, 1), None, true));
        look.take_batch(4, 10);
        assert_eq!(look.next_request(4, false), None, "moves may begin");
        assert_eq!(look.next_request(4, true), Some(ListRequest::new(4, 4)));
        assert_eq!(
            ready(&mut look, Listing::new(items(4..5, 1), None, true)),
            1
        );
        assert_eq!(look.next_request(4, true), None, "nothing began to move");
    }

    #[test]
    fn what_has_left_is_forgotten_some_pages_later() {
        let mut look = LookAhead::default();
        for first in (0..100).step_by(2) {
            look.next_request(2, true);
            ready(
                &mut look,
                Listing::new(items(first..first + 2, 1), None, false),
            );
            for work in look.take_batch(2, 10) {
                look.leaves(&work.listed.item.id);
            }
        }
        assert!(
            look.met.len() <= 2 * PAGES_REMEMBERED + 2,
            "{} ids",
            look.met.len()
        );
        assert_eq!(look.staying, 0);
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

    #[test]
    fn an_item_without_a_size_counts_as_64_kib() {
        let mut look = LookAhead::default();
        let mut listed = items(0..5, 1);
        for item in &mut listed {
            item.size = None;
        }
        ready(&mut look, Listing::new(listed, None, true));
        let sizes = std::iter::from_fn(|| Some(look.take_batch(9, 128 << 10).len()));
        assert_eq!(sizes.take(4).collect::<Vec<_>>(), [2, 2, 1, 0]);
    }

    #[test]
    fn an_item_waits_for_its_move_whatever_its_version() {
        let item = ItemRef::new("1").with_change_key("new");
        let mut known = KnownSighting::new(SightingState::Decided, item.clone());
        known.outcome = Some("logged".into());
        let listed = ListedItem::new(item);
        let now = Timestamp::UNIX_EPOCH;
        let mut work = WorkItem {
            listed,
            known: Some(known.clone()),
        };
        assert_eq!(fate(&work, now), Fate::Again);
        known.waiting = vec![ItemRef::new("1").with_change_key("old")];
        work.known = Some(known);
        assert_eq!(fate(&work, now), Fate::Passed);
    }

    #[test]
    fn what_is_to_be_read_is_not_read_before_its_next_try() {
        let due = Timestamp::UNIX_EPOCH;
        let early = due - jiff::SignedDuration::from_secs(1);
        let fates = |state, outcome: Option<&str>| {
            let item = ItemRef::new("1");
            let mut known = KnownSighting::new(state, item.clone());
            (known.outcome, known.next_try) = (outcome.map(str::to_owned), Some(due));
            let known = Some(known);
            let listed = ListedItem::new(item);
            let work = WorkItem { listed, known };
            [fate(&work, early), fate(&work, due)]
        };
        let waits = [Fate::Passed, Fate::Ready];
        assert_eq!(fates(SightingState::Pending, None), waits);
        assert_eq!(fates(SightingState::Decided, Some("not-matched")), waits);
        assert_eq!(fates(SightingState::Decided, Some("excluded")), waits);
        let logged = fates(SightingState::Decided, Some("logged"));
        assert_eq!(logged, [Fate::Again; 2], "it is not read any more");
    }

    #[test]
    fn a_server_that_repeats_its_page_comes_to_an_end() {
        let mut look = LookAhead::default();
        let mut requests = 0;
        while look.next_request(10, true).is_some() {
            ready(&mut look, Listing::new(items(0..3, 1), None, false));
            look.take_batch(10, 100);
            requests += 1;
        }
        assert_eq!(
            requests, 5,
            "one look behind all that is known, and once more"
        );
    }

    #[test]
    fn a_page_is_the_last_if_the_source_says_so_or_it_is_empty() {
        let page = |count, complete| {
            let listing = Listing::new(items(0..count, 1), None, complete);
            sort(listing, vec![None; 20], Timestamp::UNIX_EPOCH)
        };
        let last = [(1, false), (1, true), (0, false), (0, true)].map(|(n, it)| page(n, it));
        assert_eq!(last.map(|page| page.is_last()), [false, true, true, true]);
    }

    #[test]
    fn half_a_page_is_enough_to_go_on_with() {
        for (ready_items, asks) in [(4, true), (5, false), (6, false)] {
            let mut look = LookAhead::default();
            look.next_request(10, true);
            let listing = Listing::new(items(0..ready_items, 1), None, false);
            ready(&mut look, listing);
            let request = look.next_request(10, true);
            assert_eq!(request.is_some(), asks, "{ready_items} ready");
        }
        let mut look = LookAhead::default();
        assert!(look.next_request(1, true).is_some(), "pages of one");
        ready(&mut look, Listing::new(items(0..1, 1), None, false));
        assert_eq!(look.next_request(1, true), None, "one is enough");
    }

    #[test]
    fn what_a_move_hid_before_what_stays_is_looked_for_from_the_beginning() {
        let mut look = LookAhead::default();
        look.next_request(2, false);
        ready(&mut look, Listing::new(items(0..2, 1), None, false));
        let batch = look.take_batch(2, 10);
        assert_eq!(look.next_request(2, false), Some(ListRequest::new(2, 2)));
        for work in &batch {
            look.leaves(&work.listed.item.id);
        }
        // The server moved both first, so that 2 and 3 lay before the page; 4 and 5 stay.
        ready(&mut look, Listing::new(items(4..6, 1), None, true));
        look.take_batch(2, 10);
        assert_eq!(look.next_request(2, true), Some(ListRequest::new(2, 2)));
        let behind = Listing::new(items(4..6, 1), None, true);
        assert_eq!(ready(&mut look, behind), 0);
        assert_eq!(look.next_request(2, true), Some(ListRequest::new(0, 2)));
        let hidden = Listing::new(items(2..4, 1), None, false);
        assert_eq!(ready(&mut look, hidden), 2);
        look.take_batch(2, 10);
        assert_eq!(look.next_request(2, true), Some(ListRequest::new(2, 2)));
        // What was met before counts again, so that the pages go on behind it.
        for (first, new) in [(4, 0), (6, 2)] {
            let page = Listing::new(items(first..first + 2, 1), None, false);
            assert_eq!(ready(&mut look, page), new);
            look.take_batch(2, 10);
            let next = Some(ListRequest::new(first, 2));
            assert_eq!(look.next_request(2, true), next);
        }
        ready(&mut look, Listing::new(Vec::new(), None, true));
        assert_eq!(look.next_request(2, true), None);
    }

    #[test]
    fn what_has_left_is_remembered_for_four_pages_exactly() {
        for (left, met) in [(11, 11), (12, 12), (13, 12), (14, 12)] {
            let mut look = LookAhead::default();
            for id in 0..left {
                assert!(look.meets(&id.to_string()));
                look.leaves(&id.to_string());
            }
            look.next_request(3, true);
            assert_eq!((look.met.len(), look.left.len()), (met, met));
        }
    }

    #[test]
    fn bytes_are_counted_up_to_the_limit_and_a_batch_may_fill_it_exactly() {
        let sizes = |limit| {
            let mut look = LookAhead::default();
            ready(&mut look, Listing::new(items(0..6, 30), None, true));
            std::iter::from_fn(|| Some(look.take_batch(4, limit).len()))
                .take_while(|size| *size > 0)
                .collect::<Vec<_>>()
        };
        assert_eq!(sizes(89), [2, 2, 2]);
        assert_eq!(sizes(90), [3, 3]);
        assert_eq!(sizes(91), [3, 3]);
        assert_eq!(sizes(1_000), [4, 2]);
    }
}
