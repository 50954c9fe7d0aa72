//! Items without a key of their own: known by where they lie.

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::decision::Disposition;
use crate::ids::MailboxKey;
use crate::source::{ItemRef, SightingKey};
use crate::store::{CommitBatch, MoveOutcome};
use crate::testkit::conformance::harness::{Checked, equal};

fn digest(number: u8) -> SightingKey {
    SightingKey::Digest([number; 32])
}

fn unkeyed(number: u8) -> Sample {
    let mut sample = sample::logged(u32::from(number), &["C1"]);
    sample.key = digest(number);
    sample
}

async fn keys_of(
    bench: &Bench,
    mailbox: &MailboxKey,
    items: &[&str],
) -> Checked<Vec<Option<SightingKey>>> {
    let items: Vec<_> = items.iter().copied().map(ItemRef::new).collect();
    let keys = bench.store.keys_of(&bench.scope, mailbox, &items).await?;
    equal("one answer for each item", keys.len(), items.len())?;
    Ok(keys)
}

pub(super) async fn an_item_without_a_key_is_known_by_its_place(bench: &Bench) -> Checked {
    let (first, second, keyed) = (unkeyed(1), unkeyed(2), sample::logged(3, &["C1"]));
    bench.put_all(&[first.clone(), second, keyed]).await?;
    let asked = ["item-0003", "item-0002", "item-0009", "item-0001"];
    let found = keys_of(bench, &bench.mailbox, &asked).await?;
    let expected = [None, Some(digest(2)), None, Some(digest(1))];
    equal("in the order of the question", found, expected.to_vec())?;
    let elsewhere = keys_of(bench, &"other".into(), &["item-0001"]).await?;
    equal("in another mailbox", elsewhere, vec![None])?;
    equal(
        "nothing asked",
        keys_of(bench, &bench.mailbox, &[]).await?,
        Vec::new(),
    )?;
    let lease = bench.lease().await?;
    let stored = MoveOutcome::Done(Some(ItemRef::new("stored-1")));
    let batch = CommitBatch {
        moves: vec![first.moved(stored)],
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    let found = keys_of(bench, &bench.mailbox, &["item-0001", "stored-1"]).await?;
    equal("after its move", found, vec![None, Some(digest(1))])
}

pub(super) async fn every_item_that_waits_for_its_move_is_known_by_its_place(
    bench: &Bench,
) -> Checked {
    let sample = unkeyed(1);
    bench.put(sample.row()).await?;
    bench
        .put(sample.again("item-0008", Disposition::Storage))
        .await?;
    let found = keys_of(bench, &bench.mailbox, &["item-0001", "item-0008"]).await?;
    equal("both", found, vec![Some(digest(1)), Some(digest(1))])
}

pub(super) async fn what_has_a_key_of_its_own_is_not_known_by_its_place(bench: &Bench) -> Checked {
    let (mut samples, mut number) = (Vec::new(), 0);
    // Those that wait for their moves, and those that stay.
    for target in [Disposition::Storage, Disposition::Leave] {
        for kind in 0..4 {
            number += 1;
            let mut sample = sample::logged(u32::from(number), &["C1"]).going_to(target);
            sample.key = match kind {
                0 => SightingKey::SearchKey(vec![number]),
                1 => SightingKey::ImmutableId(number.to_string()),
                2 => SightingKey::Stamp([number; 16]),
                _ => SightingKey::Content([number; 32]),
            };
            samples.push(sample);
        }
    }
    bench.put_all(&samples).await?;
    let places: Vec<_> = samples.iter().map(|it| it.item.id.as_str()).collect();
    let found = keys_of(bench, &bench.mailbox, &places).await?;
    equal("none of them", found, vec![None; places.len()])
}

pub(super) async fn a_decision_at_a_place_comes_before_an_attempt(bench: &Bench) -> Checked {
    for failed_first in [true, false] {
        let number = if failed_first { 1 } else { 3 };
        let decided = unkeyed(number).going_to(Disposition::Leave);
        let mut attempt = unkeyed(number + 1);
        attempt.item = decided.item.clone();
        let mut rows = vec![attempt.failed("ews.unavailable", minute(1)), decided.row()];
        if !failed_first {
            rows.reverse();
        }
        for row in rows {
            bench.put(row).await?;
        }
        let found = keys_of(bench, &bench.mailbox, &[&decided.item.id]).await?;
        equal("the decided one", found, vec![Some(digest(number))])?;
    }
    let attempt = unkeyed(7);
    bench
        .put(attempt.failed("ews.unavailable", minute(1)))
        .await?;
    let found = keys_of(bench, &bench.mailbox, &["item-0007"]).await?;
    equal("an attempt alone", found, vec![Some(digest(7))])
}
