//! Giving items a key of our own. Items that have a key already are none of these cases' business.

use std::collections::BTreeSet;

use super::bench::{Bench, mail, supported};
use crate::error::ErrorKind;
use crate::source::{Folder, ItemRef, ListRequest, ListedItem, SightingKey, Stamped};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

/// The queue with mails of these numbers, none of which has a key; or skips the case.
async fn keyless(bench: &Bench, numbers: &[u32]) -> Checked<(Folder, Vec<ListedItem>)> {
    if !bench.source.capabilities().stamps {
        return Err(Stop::Skipped("the source gives no stamps".into()));
    }
    let (queue, items) = bench.delivered(numbers).await?;
    if items.iter().any(|item| item.key.is_some()) {
        return Err(Stop::Skipped("the items have a key already".into()));
    }
    Ok((queue, items))
}

fn refs(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|item| item.item.clone()).collect()
}

async fn stamp(bench: &Bench, queue: &Folder, items: &[ItemRef]) -> Checked<Vec<Stamped>> {
    let answers = bench.source.stamp(queue, items).await?;
    equal("answers to a stamp", answers.len(), items.len())?;
    Ok(answers)
}

/// The stamps and the versions in which the server has the items now.
async fn done(
    bench: &Bench,
    queue: &Folder,
    items: &[ItemRef],
) -> Checked<Vec<(SightingKey, ItemRef)>> {
    let answers = stamp(bench, queue, items).await?.into_iter();
    let answers = answers.map(|answer| match answer {
        Stamped::Done(key, item) => Ok((key, item)),
        other => Err(Stop::Failed(format!("a stamp: {other:?}"))),
    });
    answers.collect()
}

fn ids(items: &[ItemRef]) -> Vec<&str> {
    items.iter().map(|item| &*item.id).collect()
}

fn keys_of(items: &[ListedItem]) -> Vec<Option<SightingKey>> {
    items.iter().map(|item| item.key.clone()).collect()
}

pub(super) async fn a_stamped_item_is_listed_under_its_stamp(bench: &Bench) -> Checked {
    let (queue, items) = keyless(bench, &[1, 2, 3]).await?;
    let before = refs(&items);
    let stamped = done(bench, &queue, &before[..2]).await?;
    let answered: Vec<_> = stamped.iter().map(|(_, item)| item.clone()).collect();
    equal("ids after a stamp", ids(&answered), ids(&before[..2]))?;
    let distinct: BTreeSet<_> = stamped.iter().map(|(key, _)| key).collect();
    equal("distinct stamps", distinct.len(), 2)?;
    let own = |key: &SightingKey| matches!(key, SightingKey::Stamp(_));
    check!(stamped.iter().all(|(key, _)| own(key)), "no stamps");
    let (_, after) = bench.listed().await?;
    equal("ids in the listing", ids(&refs(&after)), ids(&before))?;
    let mut expected: Vec<_> = stamped.into_iter().map(|(key, _)| Some(key)).collect();
    expected.push(None);
    equal("keys in the listing", keys_of(&after), expected)
}

pub(super) async fn a_stamp_survives_the_move_and_is_located(bench: &Bench) -> Checked {
    let (queue, items) = keyless(bench, &[1, 2]).await?;
    let stamped = done(bench, &queue, &refs(&items)).await?;
    let storage = bench.storage().await?;
    bench
        .move_to(&queue, &[stamped[0].1.clone()], &storage)
        .await?;
    let listing = bench.source.list(&storage, ListRequest::new(0, 9)).await?;
    let first = stamped[0].0.clone();
    equal(
        "the key after the move",
        keys_of(&listing.items),
        vec![Some(first)],
    )?;
    let keys: Vec<_> = stamped.iter().map(|(key, _)| key.clone()).collect();
    let found = bench.locate(&storage, &keys).await?;
    equal(
        "located",
        found.iter().map(Vec::len).collect::<Vec<_>>(),
        vec![1, 0],
    )?;
    equal("its place", &found[0][0].id, &listing.items[0].item.id)
}

pub(super) async fn a_stamp_leaves_the_original_and_its_place(bench: &Bench) -> Checked {
    let (queue, items) = keyless(bench, &[1, 2]).await?;
    let stamped = done(bench, &queue, &refs(&items)).await?;
    bench
        .holds("the queue", bench.fixture.queue(), &[1, 2])
        .await?;
    let rows: Vec<_> = stamped
        .into_iter()
        .map(|(_, item)| ListedItem::new(item))
        .collect();
    let fetched = bench.fetch(&queue, &rows).await?;
    for (number, fetched) in [1, 2].into_iter().zip(&fetched) {
        check!(
            fetched.is(&mail(number)),
            "mail {number}: {:?}",
            fetched.ended
        );
    }
    Ok(())
}

pub(super) async fn the_stamp_of_a_missing_item_is_its_own_answer(bench: &Bench) -> Checked {
    let (queue, items) = keyless(bench, &[1, 2, 3]).await?;
    supported(bench.fixture.take_away(&items[1].item).await)?;
    let answers = stamp(bench, &queue, &refs(&items)).await?;
    let shape = |answer: &Stamped| match answer {
        Stamped::Done(..) => "done",
        Stamped::Gone => "gone",
        Stamped::Failed(_) => "failed",
    };
    let shapes: Vec<_> = answers.iter().map(shape).collect();
    equal("the answers", shapes, vec!["done", "gone", "done"])
}

pub(super) async fn a_source_that_gives_no_stamps_says_so(bench: &Bench) -> Checked {
    let queue = bench.queue().await?;
    let asked = bench.source.stamp(&queue, &[]).await;
    if bench.source.capabilities().stamps {
        equal("answers to nothing", asked?.len(), 0)
    } else {
        fails("a stamp", asked, ErrorKind::Unsupported)?;
        Ok(())
    }
}
