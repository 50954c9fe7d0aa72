//! Listing a folder.

use std::collections::BTreeSet;

use super::bench::{Bench, key_of, mail};
use crate::source::ListRequest;
use crate::testkit::conformance::harness::{Checked, check, equal};

pub(super) async fn an_empty_folder_has_a_complete_listing(bench: &Bench) -> Checked {
    let queue = bench.queue().await?;
    let listing = bench.source.list(&queue, ListRequest::new(0, 10)).await?;
    equal("items", listing.items.len(), 0)?;
    check!(listing.complete, "an empty folder is not complete");
    check!(
        listing.total.is_none_or(|total| total == 0),
        "a total of {:?}",
        listing.total
    );
    Ok(())
}

pub(super) async fn items_are_listed_oldest_first(bench: &Bench) -> Checked {
    let numbers = [5, 1, 4, 2, 3];
    let (queue, items) = bench.delivered(&numbers).await?;
    let fetched = bench.fetch(&queue, &items).await?;
    for (number, fetched) in numbers.iter().zip(&fetched) {
        check!(
            fetched.is(&mail(*number)),
            "mail {number} is not at its place"
        );
    }
    let received: Vec<_> = items.iter().filter_map(|item| item.received).collect();
    check!(received.is_sorted(), "the times do not rise");
    Ok(())
}

pub(super) async fn pages_are_bounded_and_the_last_is_complete(bench: &Bench) -> Checked {
    let (queue, all) = bench.delivered(&[1, 2, 3, 4, 5]).await?;
    let mut paged = Vec::new();
    for (offset, count, complete) in [(0, 2, false), (2, 2, false), (4, 1, true)] {
        let request = ListRequest::new(offset, 2);
        let listing = bench.source.list(&queue, request).await?;
        equal("items of a page", listing.items.len(), count)?;
        equal("whether it is the last", listing.complete, complete)?;
        check!(
            listing.total.is_none_or(|total| total == 5),
            "a total of {:?}",
            listing.total
        );
        paged.extend(listing.items.into_iter().map(|item| item.item));
    }
    let all: Vec<_> = all.into_iter().map(|item| item.item).collect();
    equal("page by page", &paged, &all)?;
    let beyond = bench.source.list(&queue, ListRequest::new(9, 2)).await?;
    equal(
        "beyond the end",
        (beyond.items.len(), beyond.complete),
        (0, true),
    )?;
    let exact = bench.source.list(&queue, ListRequest::new(0, 5)).await?;
    equal(
        "a page that just holds all",
        (exact.items.len(), exact.complete),
        (5, true),
    )
}

pub(super) async fn every_item_has_a_key_of_its_own(bench: &Bench) -> Checked {
    let (_, items) = bench.delivered(&[1, 2, 2, 3]).await?;
    let ids: BTreeSet<_> = items.iter().map(|item| &item.item.id).collect();
    equal("distinct ids", ids.len(), 4)?;
    let capabilities = bench.source.capabilities();
    // A source that gives stamps has items that wait for one.
    let stable = capabilities.stable_keys && !capabilities.stamps;
    let with_key = items.iter().filter(|item| item.key.is_some()).count();
    check!(!stable || with_key == 4, "{with_key} of 4 items have a key");
    let keys: Checked<BTreeSet<_>> = items.iter().map(key_of).collect();
    equal("distinct keys", keys?.len(), 4)
}

pub(super) async fn a_size_that_is_told_is_not_0(bench: &Bench) -> Checked {
    let (_, items) = bench.delivered(&[1]).await?;
    let size = items[0].size;
    check!(size.is_none_or(|size| size > 0), "a size of {size:?}");
    Ok(())
}
