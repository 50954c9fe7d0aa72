//! Moving, locating and removing.

use super::bench::{Bench, key_of, mail, supported};
use crate::error::ErrorKind;
use crate::source::{Disposal, ItemRef, ListRequest, ListedItem, Moved, Removed, Sought};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

fn refs(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|item| item.item.clone()).collect()
}

pub(super) async fn a_moved_mail_is_in_the_target_and_nowhere_else(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2, 3]).await?;
    let storage = bench.storage().await?;
    for moved in bench.move_to(&queue, &refs(&items[..2]), &storage).await? {
        check!(matches!(moved, Moved::Done(_)), "a move: {moved:?}");
    }
    bench
        .holds("the queue", bench.fixture.queue(), &[3])
        .await?;
    bench
        .holds("the storage folder", bench.fixture.storage(), &[1, 2])
        .await?;
    let (_, left) = bench.listed().await?;
    equal("what is left in the queue", refs(&left), refs(&items[2..]))
}

pub(super) async fn a_moved_mail_is_found_by_its_key(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2]).await?;
    let storage = bench.storage().await?;
    let keys = [key_of(&items[0])?, key_of(&items[1])?];
    let moved = bench.move_to(&queue, &refs(&items[..1]), &storage).await?;
    let in_queue = bench.locate(&queue, &keys).await?;
    equal(
        "in the queue",
        in_queue,
        vec![vec![], vec![items[1].item.clone()]],
    )?;
    let in_storage = bench.locate(&storage, &keys).await?;
    let counts: Vec<_> = in_storage.iter().map(Vec::len).collect();
    equal("in the storage folder", counts, [1, 0])?;
    if let Moved::Done(Some(place)) = &moved[0] {
        equal("its new id", &in_storage[0][0].id, &place.id)?;
    }
    let listing = bench.source.list(&storage, ListRequest::new(0, 9)).await?;
    equal("its key", key_of(&listing.items[0])?, keys[0].clone())?;
    let found = ListedItem::new(in_storage[0][0].clone());
    let fetched = bench.fetch(&storage, &[found]).await?;
    check!(
        fetched[0].is(&mail(1)),
        "fetched from its new place: {:?}",
        fetched[0].ended
    );
    Ok(())
}

pub(super) async fn the_old_place_of_a_moved_mail_is_gone(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1]).await?;
    let storage = bench.storage().await?;
    let moved = bench.move_to(&queue, &refs(&items), &storage).await?;
    if let Moved::Done(Some(place)) = &moved[0]
        && place.id == items[0].item.id
    {
        return Err(Stop::Skipped("the id does not change on a move".into()));
    }
    let fetched = bench.fetch(&queue, &items).await?;
    check!(fetched[0].is_gone(), "fetched: {:?}", fetched[0].ended);
    let again = bench.move_to(&queue, &refs(&items), &storage).await?;
    check!(
        matches!(again[0], Moved::Gone),
        "moved again: {:?}",
        again[0]
    );
    bench
        .holds("the storage folder", bench.fixture.storage(), &[1])
        .await
}

pub(super) async fn the_move_of_a_missing_item_is_its_own_answer(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2, 3]).await?;
    let storage = bench.storage().await?;
    supported(bench.fixture.take_away(&items[1].item).await)?;
    let moved = bench.move_to(&queue, &refs(&items), &storage).await?;
    check!(
        matches!(moved[0], Moved::Done(_)),
        "the item before it: {:?}",
        moved[0]
    );
    check!(
        matches!(moved[1], Moved::Gone),
        "the missing item: {:?}",
        moved[1]
    );
    check!(
        matches!(moved[2], Moved::Done(_)),
        "the item after it: {:?}",
        moved[2]
    );
    bench.holds("the queue", bench.fixture.queue(), &[]).await?;
    bench
        .holds("the storage folder", bench.fixture.storage(), &[1, 3])
        .await
}

pub(super) async fn every_copy_is_located(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2]).await?;
    let storage = bench.storage().await?;
    let keys = [key_of(&items[1])?, key_of(&items[0])?];
    for _ in 0..2 {
        let copied = bench
            .fixture
            .copy(&items[0].item, &bench.fixture.storage())
            .await;
        supported(copied)?;
    }
    let in_storage = bench.locate(&storage, &keys).await?;
    let counts: Vec<_> = in_storage.iter().map(Vec::len).collect();
    equal("copies in the storage folder", counts, [0, 2])?;
    check!(
        in_storage[1][0] != in_storage[1][1],
        "one copy is answered twice"
    );
    let in_queue = bench.locate(&queue, &keys).await?;
    let expected = vec![vec![items[1].item.clone()], vec![items[0].item.clone()]];
    equal("in the queue", in_queue, expected)
}

pub(super) async fn a_mail_is_located_whatever_id_it_was_last_seen_under(bench: &Bench) -> Checked {
    let (queue, items) = bench.delivered(&[1, 2]).await?;
    let storage = bench.storage().await?;
    let key = key_of(&items[0])?;
    bench.move_to(&queue, &refs(&items[..1]), &storage).await?;
    let listing = bench.source.list(&storage, ListRequest::new(0, 9)).await?;
    let place = listing.items[0].item.clone();
    let strange = ItemRef::new("AAMkAGNvLWxvbmdlci1oZXJl").with_change_key("CQAAAA");
    for seen in [&items[0].item, &place, &strange] {
        let sought = [
            Sought::new(key_of(&items[1])?).with_item(items[1].item.clone()),
            Sought::new(key.clone()).with_item(seen.clone()),
        ];
        let in_storage = bench.locate_sought(&storage, &sought).await?;
        let expected = vec![vec![], vec![place.clone()]];
        equal("in the storage folder", in_storage, expected)?;
        let in_queue = bench.locate_sought(&queue, &sought).await?;
        let expected = vec![vec![items[1].item.clone()], vec![]];
        equal("in the queue", in_queue, expected)?;
    }
    Ok(())
}

pub(super) async fn removed_mail_is_in_no_folder(bench: &Bench) -> Checked {
    if !bench.source.capabilities().remove {
        return Err(Stop::Skipped("the source cannot remove".into()));
    }
    let (queue, items) = bench.delivered(&[1, 2, 3]).await?;
    let disposal = if queue.public {
        Disposal::Recoverable
    } else {
        Disposal::DeletedItems
    };
    supported(bench.fixture.take_away(&items[1].item).await)?;
    let asked = refs(&items[..2]);
    let removed = bench.source.remove(&queue, &asked, disposal).await?;
    equal("answers", removed.len(), 2)?;
    check!(
        matches!(removed[0], Removed::Done),
        "the first: {:?}",
        removed[0]
    );
    check!(
        matches!(removed[1], Removed::Gone),
        "the missing one: {:?}",
        removed[1]
    );
    bench
        .holds("the queue", bench.fixture.queue(), &[3])
        .await?;
    bench
        .holds("the storage folder", bench.fixture.storage(), &[])
        .await
}

pub(super) async fn what_a_source_cannot_do_it_says(bench: &Bench) -> Checked {
    let capabilities = bench.source.capabilities();
    let (queue, items) = bench.delivered(&[1]).await?;
    if !capabilities.remove {
        let disposal = Disposal::DeletedItems;
        let answer = bench.source.remove(&queue, &refs(&items), disposal).await;
        fails("to remove", answer, ErrorKind::Unsupported)?;
    }
    if !capabilities.moves {
        let storage = bench.storage().await?;
        let answer = bench.source.move_to(&queue, &refs(&items), &storage).await;
        fails("to move", answer, ErrorKind::Unsupported)?;
    }
    if !capabilities.locate {
        let keys = items.iter().filter_map(|item| item.key.clone());
        let sought: Vec<_> = keys.map(Sought::new).collect();
        let answer = bench.source.locate(&queue, &sought).await;
        fails("to locate", answer, ErrorKind::Unsupported)?;
    }
    let limits = [
        capabilities.list_page,
        capabilities.fetch_batch,
        capabilities.move_batch,
        capabilities.connections,
    ];
    check!(!limits.contains(&0), "a limit is 0: {capabilities:?}");
    bench.holds("the queue", bench.fixture.queue(), &[1]).await
}
