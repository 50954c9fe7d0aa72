//! Page after page of a folder in which people move and delete meanwhile.
//!
//! Each page begins with the last item of the one before. Where that is not so, something before it has gone: the walk
//! steps back by a page, so that nothing is passed over.

use crate::source::{ListRequest, ListedItem, Listing};

#[derive(Debug)]
pub(super) struct Pages {
    limit: u32,
    offset: u32,
    /// The id of the last item, where the next page begins with it.
    last: Option<String>,
    complete: bool,
}

impl Pages {
    pub(super) fn new(limit: u32) -> Self {
        Self {
            limit: limit.max(1),
            offset: 0,
            last: None,
            complete: false,
        }
    }

    pub(super) fn next_request(&self) -> Option<ListRequest> {
        let overlap = u32::from(self.last.is_some());
        let offset = self.offset.saturating_sub(overlap);
        (!self.complete).then(|| ListRequest::new(offset, self.limit))
    }

    /// The items of a page that were not listed before.
    pub(super) fn admit(&mut self, listing: Listing) -> Vec<ListedItem> {
        let mut items = listing.items;
        if let Some(last) = self.last.take() {
            if items.first().is_none_or(|first| first.item.id != last) {
                self.offset = self.offset.saturating_sub(self.limit);
                return Vec::new();
            }
            items.remove(0);
        }
        let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
        self.offset = self.offset.saturating_add(count);
        self.complete = listing.complete || items.is_empty();
        // A page of one item has no room for the item before it.
        let overlaps = self.limit > 1;
        self.last = items
            .last()
            .filter(|_| overlaps)
            .map(|item| item.item.id.clone());
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::ItemRef;

    fn listing(folder: &[u32], request: ListRequest) -> Listing {
        let (from, limit) = (request.offset as usize, request.limit as usize);
        let page: Vec<_> = folder.iter().skip(from).take(limit).collect();
        let complete = from + page.len() >= folder.len();
        let items = page
            .into_iter()
            .map(|id| ListedItem::new(ItemRef::new(id.to_string())));
        Listing::new(items.collect(), None, complete)
    }

    /// Lists to the end; before the second page some items leave the folder.
    fn walk(limit: u32, mut folder: Vec<u32>, leave: &[u32]) -> Vec<u32> {
        let mut pages = Pages::new(limit);
        let mut seen = Vec::new();
        let mut requests = 0;
        while let Some(request) = pages.next_request() {
            for item in pages.admit(listing(&folder, request)) {
                seen.push(item.item.id.parse().unwrap_or(0));
            }
            requests += 1;
            if requests == 1 {
                folder.retain(|id| !leave.contains(id));
            }
            assert!(requests < 100);
        }
        seen.sort_unstable();
        seen.dedup();
        seen
    }

    #[test]
    fn every_item_is_met_whatever_leaves_the_folder() {
        for limit in [2, 3, 4, 50] {
            let all: Vec<u32> = (0..10).collect();
            assert_eq!(walk(limit, all.clone(), &[]), all, "pages of {limit}");
            for leave in [vec![0], vec![0, 1], vec![1], vec![9]] {
                let seen = walk(limit, all.clone(), &leave);
                let stay = all.iter().filter(|id| !leave.contains(id));
                assert!(stay.into_iter().all(|id| seen.contains(id)), "{leave:?}");
            }
        }
        assert_eq!(walk(1, vec![4, 5, 6], &[]), [4, 5, 6]);
        assert_eq!(walk(10, Vec::new(), &[]), [0; 0]);
    }
    #[test]
    fn an_empty_page_is_the_last_whatever_the_source_says() {
        let mut pages = Pages::new(5);
        assert!(pages.next_request().is_some());
        assert!(
            pages
                .admit(Listing::new(Vec::new(), None, false))
                .is_empty()
        );
        assert_eq!(pages.next_request(), None);
    }
}
