//! Page after page of a folder in which people move and delete meanwhile.
//!
//! Each page begins with the last item of the one before. Where it begins with none that was met, something before it has
//! gone: the walk steps back page by page to where it knows its way, so that nothing is passed over. However many leave, they
//! only bring nearer what was not met: until it is, the walk can stray only before the place where it strayed last.
//!
//! Servers may repeat a page, name an item twice or leave one out as well: what was met is dropped, and the walk ends where
//! nothing new comes. Where it strays no nearer than before, pages do not fit together, and are taken as they come from there
//! on. After either nobody can tell whether something was passed over.

use std::collections::BTreeSet;

use crate::logger::listing::{IdHash, hash};
use crate::source::{ListRequest, ListedItem, Listing};

/// What the next page begins with, unless something has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beginning {
    /// Whatever comes.
    Anything,
    /// The last item that was met.
    Last,
    /// An item that was met: the walk is on its way back.
    Met,
}

#[derive(Debug)]
pub(super) struct Pages {
    limit: u32,
    /// Where the next page begins.
    offset: u32,
    beginning: Beginning,
    met: BTreeSet<IdHash>,
    /// Where the last way back began; behind every place once there was a new item.
    strayed_at: u32,
    /// Rows since there was a new item or a way back.
    repeated: usize,
    /// Whether the pages fit together, as far as they were seen.
    in_order: bool,
    complete: bool,
}

impl Pages {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1),
            offset: 0,
            beginning: Beginning::Anything,
            met: BTreeSet::new(),
            strayed_at: u32::MAX,
            repeated: 0,
            in_order: true,
            complete: false,
        }
    }

    pub(super) fn next_request(&self) -> Option<ListRequest> {
        (!self.complete).then(|| ListRequest::new(self.offset, self.limit))
    }

    /// Whether the pages fit together, so that nothing that stays was passed over.
    pub(super) fn are_in_order(&self) -> bool {
        self.in_order
    }

    /// The items of a page that were not listed before.
    pub(super) fn admit(&mut self, listing: Listing) -> Vec<ListedItem> {
        let mut items = listing.items;
        if self.is_astray(items.first()) && self.steps_back() {
            return Vec::new();
        }
        let listed = items.len();
        items.retain(|listed| self.met.insert(hash(&listed.item.id)));
        // A page of one item has no room for the item before it.
        let overlaps = listed > 1;
        self.beginning = if overlaps {
            Beginning::Last
        } else {
            Beginning::Anything
        };
        let rows = listed - usize::from(overlaps);
        if items.is_empty() {
            self.repeated += rows;
        } else {
            (self.repeated, self.strayed_at) = (0, u32::MAX);
        }
        self.offset = self
            .offset
            .saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
        // More known rows than items are known can only be a server that repeats itself.
        let repeats_itself = self.repeated > self.met.len();
        let is_last = listing.complete || listed == 0;
        self.in_order &= is_last || !repeats_itself;
        self.complete = is_last || repeats_itself;
        items
    }

    /// Whether something may lie between what was met and a page that begins so.
    fn is_astray(&self, first: Option<&ListedItem>) -> bool {
        let is_met = first.is_some_and(|first| self.met.contains(&hash(&first.item.id)));
        self.beginning != Beginning::Anything && self.offset > 0 && !is_met
    }

    /// Goes a page back, unless the pages do not fit together.
    fn steps_back(&mut self) -> bool {
        if self.beginning != Beginning::Met {
            self.in_order &= self.offset < self.strayed_at;
            self.strayed_at = self.offset;
        }
        if self.in_order {
            self.beginning = Beginning::Met;
            self.repeated = 0;
            self.offset = self.offset.saturating_sub(self.limit);
        }
        self.in_order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ItemRef;

    fn listing(ids: &[u32], complete: bool) -> Listing {
        let items = ids
            .iter()
            .map(|id| ListedItem::new(ItemRef::new(id.to_string())));
        Listing::new(items.collect(), None, complete)
    }

    /// A page of a folder with these rows.
    fn page(rows: &[u32], request: ListRequest) -> Listing {
        let (from, limit) = (request.offset as usize, request.limit as usize);
        let page: Vec<_> = rows.iter().copied().skip(from).take(limit).collect();
        listing(&page, from + page.len() >= rows.len())
    }

    /// As servers were seen that name one item once per category: each id of a page once, and an end that counts the rows.
    fn page_of_ids(rows: &[u32], request: ListRequest) -> Listing {
        let mut ids: Vec<u32> = Vec::new();
        for item in page(rows, request).items {
            let id = item.item.id.parse().unwrap_or(u32::MAX);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        let reached = request.offset as usize + ids.len();
        listing(&ids, reached >= rows.len())
    }

    /// What a walk meets, in order, and the pages that it asks for, of which it can tell that they fit together.
    fn walk(limit: u32, server: impl FnMut(ListRequest) -> Listing) -> (Vec<u32>, u32) {
        let (seen, requests, in_order) = walk_anywhere(limit, server);
        assert!(in_order, "pages of {limit} do not fit together: {seen:?}");
        (seen, requests)
    }

    /// The same, of which it can not.
    fn walk_astray(limit: u32, server: impl FnMut(ListRequest) -> Listing) -> (Vec<u32>, u32) {
        let (seen, requests, in_order) = walk_anywhere(limit, server);
        assert!(!in_order, "pages of {limit} fit together: {seen:?}");
        (seen, requests)
    }

    fn walk_anywhere(
        limit: u32,
        mut server: impl FnMut(ListRequest) -> Listing,
    ) -> (Vec<u32>, u32, bool) {
        let mut pages = Pages::new(limit);
        let (mut seen, mut requests) = (Vec::new(), 0);
        while let Some(request) = pages.next_request() {
            requests += 1;
            assert!(requests < 1_000, "it has no end: {seen:?}");
            for item in pages.admit(server(request)) {
                seen.push(item.item.id.parse().unwrap_or(u32::MAX));
            }
        }
        (seen, requests, pages.are_in_order())
    }

    fn sorted(mut seen: Vec<u32>) -> Vec<u32> {
        seen.sort_unstable();
        seen
    }

    #[test]
    fn every_item_is_met_once_and_each_page_asked_for_once() {
        let cases = [
            (0, 10),
            (1, 10),
            (2, 9),
            (3, 5),
            (4, 3),
            (9, 2),
            (10, 1),
            (50, 1),
        ];
        for (limit, expected) in cases {
            let all: Vec<u32> = (0..10).collect();
            let (seen, requests) = walk(limit, |request| page(&all, request));
            assert_eq!((seen, requests), (all, expected), "pages of {limit}");
        }
        assert_eq!(walk(10, |request| page(&[], request)), (Vec::new(), 1));
    }

    #[test]
    fn every_item_that_stays_is_met_once_whatever_leaves_the_folder() {
        let all: Vec<u32> = (0..12).collect();
        for limit in 2..7 {
            let leaves = (0..12).flat_map(|from| (from..=12).map(move |to| from..to));
            let cases = leaves.flat_map(|leave| (1..12).map(move |when| (leave.clone(), when)));
            for (leave, when) in cases {
                let (mut folder, mut requests) = (all.clone(), 0);
                let (seen, _) = walk(limit, |request| {
                    requests += 1;
                    if requests > when {
                        folder.retain(|id| !leave.contains(id));
                    }
                    page(&folder, request)
                });
                let case = format!("pages of {limit}, {leave:?} leaves after {when}: {seen:?}");
                let stays = |id: &u32| !leave.contains(id);
                assert!(
                    all.iter()
                        .filter(|id| stays(id))
                        .all(|id| seen.contains(id)),
                    "{case}"
                );
                let distinct: BTreeSet<_> = seen.iter().collect();
                assert_eq!(distinct.len(), seen.len(), "{case}");
            }
        }
    }

    /// A walk over so many items, of which some leave at the front before each page.
    fn walk_after_leaves(limit: u32, count: u32, leaves: &[usize]) -> (Vec<u32>, Vec<u32>, u32) {
        let mut folder: Vec<u32> = (0..count).collect();
        let mut leaves = leaves.iter();
        let (seen, requests) = walk(limit, |request| {
            folder.drain(..leaves.next().copied().unwrap_or_default());
            page(&folder, request)
        });
        (folder, seen, requests)
    }

    #[test]
    fn every_item_that_stays_is_met_while_more_and_more_leave() {
        let mut cases: Vec<_> = (1..4).map(|each| (90, vec![each; 20])).collect();
        cases.extend((0..4_usize.pow(6)).map(|case| {
            let leaves = (0..6).map(|at| case / 4_usize.pow(at) % 4);
            (24, [0, 0].into_iter().chain(leaves).collect())
        }));
        for (limit, (count, leaves)) in
            (2..6).flat_map(|limit| cases.iter().map(move |it| (limit, it)))
        {
            let (stayed, seen, _) = walk_after_leaves(limit, *count, leaves);
            let all = stayed.iter().all(|id| seen.contains(id));
            assert!(all, "pages of {limit}, {leaves:?} leave: {seen:?}");
        }
    }

    #[test]
    fn a_walk_that_strays_again_and_again_passes_over_nothing() {
        for limit in [5, 10] {
            let leaves = [0, 0, 1, 0, 1, 0, 1, 0, 2];
            let (stayed, seen, _) = walk_after_leaves(limit, 100, &leaves);
            let missed: Vec<_> = stayed.iter().filter(|id| !seen.contains(id)).collect();
            assert!(missed.is_empty(), "pages of {limit}: {missed:?} are missed");
        }
    }

    #[test]
    fn every_item_that_stays_is_met_whichever_leave_before_each_page() {
        for seed in 0..2_000_u64 {
            let mut state = seed;
            // Knuth's generator for MMIX.
            let mut below = |end: usize| {
                state = state.wrapping_mul(6_364_136_223_846_793_005);
                state = state.wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as usize % end
            };
            let mut folder: Vec<u32> = (0..200).collect();
            let (seen, _) = walk(10, |request| {
                for _ in 0..[0, 0, 0, 1, 1, 2][below(6)] {
                    folder.remove(below(folder.len()));
                }
                page(&folder, request)
            });
            let missed: Vec<_> = folder.iter().filter(|id| !seen.contains(id)).collect();
            assert!(missed.is_empty(), "seed {seed}: {missed:?} are missed");
        }
    }

    #[test]
    fn a_walk_steps_back_no_further_than_it_has_to() {
        let requests = |leaves: &[usize]| walk_after_leaves(10, 91, leaves).2;
        assert_eq!(requests(&[]), 10);
        assert_eq!(requests(&[0, 0, 0, 0, 0, 1]), 12, "a page back");
        assert_eq!(requests(&[0, 0, 0, 0, 0, 40]), 14, "four pages back");
    }

    #[test]
    fn a_server_that_repeats_its_page_comes_to_an_end() {
        for (count, expected) in [(1, 3), (2, 4), (3, 3), (10, 3)] {
            let ids: Vec<u32> = (0..count).collect();
            let (seen, requests) = walk_astray(10, |_| listing(&ids, false));
            assert_eq!((seen, requests), (ids, expected));
        }
    }

    #[test]
    fn an_item_that_is_named_twice_hides_none_and_is_met_once() {
        for limit in 1..8 {
            // What fills more than a page by itself is taken for a server that repeats itself.
            let times = 2..=limit + 1;
            for (twice, times) in times.flat_map(|times| (0..7).map(move |id| (id, times))) {
                let repeat = |id| if id == twice { times } else { 1 };
                let rows: Vec<u32> = (0..7)
                    .flat_map(|id| std::iter::repeat_n(id, repeat(id) as usize))
                    .collect();
                let (seen, _) = walk(limit, |request| page_of_ids(&rows, request));
                let all: Vec<u32> = (0..7).collect();
                assert_eq!(seen, all, "pages of {limit}, {rows:?}");
            }
        }
    }

    #[test]
    fn items_that_are_all_named_more_than_once_are_all_met() {
        let rows: Vec<u32> = (0..20).map(|row| (row + 1) / 3).collect();
        for limit in 1..9 {
            let (seen, _) = walk(limit, |request| page_of_ids(&rows, request));
            assert_eq!(seen, (0..7).collect::<Vec<_>>(), "pages of {limit}");
        }
    }

    #[test]
    fn a_row_without_an_id_hides_none() {
        for limit in 2..8 {
            for without in 0..7 {
                let rows: Vec<u32> = (0..7).collect();
                let (seen, _) = walk(limit, |request| {
                    let mut listing = page(&rows, request);
                    listing.items.retain(|it| it.item.id != without.to_string());
                    let reached = request.offset as usize + listing.items.len();
                    listing.complete = reached >= rows.len();
                    listing
                });
                let others: Vec<u32> = (0..7).filter(|id| *id != without).collect();
                assert_eq!(seen, others, "pages of {limit}");
            }
        }
    }

    #[test]
    fn pages_that_do_not_fit_together_are_taken_as_they_come() {
        // A server that counts its pages, and knows of no place between them.
        let (seen, requests) = walk_astray(4, |request| {
            let first = request.offset.div_ceil(4) * 4;
            let ids: Vec<u32> = (first..400.min(first + 4)).collect();
            listing(&ids, first >= 396)
        });
        assert_eq!(sorted(seen), (0..400).collect::<Vec<_>>());
        assert!(requests < 140, "{requests}");
        // One whose pages have nothing to do with each other.
        let ids = |place: u32| (0..4).map(move |at| place * 100 + at);
        let (seen, requests) = walk_astray(4, |request| match request.offset {
            place @ 0..15 => listing(&ids(place).collect::<Vec<_>>(), false),
            _ => listing(&[], false),
        });
        let expected: Vec<u32> = [0, 3, 6, 9, 12].into_iter().flat_map(ids).collect();
        assert_eq!((seen, requests), (expected, 8));
    }

    #[test]
    fn an_empty_page_is_the_last_whatever_the_source_says() {
        let mut pages = Pages::new(5);
        assert!(pages.next_request().is_some());
        assert!(pages.admit(listing(&[], false)).is_empty());
        assert_eq!(pages.next_request(), None);
    }
}
