//! Moves: planned by a commit, settled by a later one.

use std::time::Duration;

use jiff::Timestamp;

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::decision::Disposition;
use crate::ids::{EntryId, MailboxKey};
use crate::source::ItemRef;
use crate::store::{CommitBatch, Delivered, EventKind, MoveOutcome, MoveResult};
use crate::testkit::conformance::harness::{Checked, equal};

async fn settle(bench: &Bench, results: Vec<MoveResult>) -> Checked {
    let lease = bench.lease().await?;
    let batch = CommitBatch {
        moves: results,
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    Ok(())
}

async fn deliver(bench: &Bench, deliveries: Vec<Delivered>) -> Checked {
    let lease = bench.lease().await?;
    let batch = CommitBatch {
        deliveries,
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    Ok(())
}

async fn planned(bench: &Bench) -> Checked<Vec<String>> {
    let moves = bench.moves().await?;
    Ok(moves.into_iter().map(|planned| planned.item.id).collect())
}

pub(super) async fn a_commit_plans_a_move_unless_the_mail_stays(bench: &Bench) -> Checked {
    let samples: Vec<Sample> = (1..)
        .zip(Disposition::ALL)
        .map(|(number, target)| sample::logged(number, &["C1"]).going_to(*target))
        .collect();
    bench.put_all(&samples).await?;
    let leaves = |sample: &&Sample| sample.row.decision.disposition != Disposition::Leave;
    let expected: Vec<_> = samples
        .iter()
        .filter(leaves)
        .map(|sample| {
            (
                sample.key.clone(),
                sample.item.clone(),
                sample.row.decision.disposition,
            )
        })
        .collect();
    let moves = bench.moves().await?;
    for planned in &moves {
        equal("attempts", (planned.attempts, planned.next_try), (0, None))?;
    }
    let moves = moves.into_iter();
    let found: Vec<_> = moves.map(|row| (row.key, row.item, row.target)).collect();
    equal("the moves", found, expected)
}

pub(super) async fn planned_moves_come_oldest_first_then_by_item(bench: &Bench) -> Checked {
    let mut samples = [3, 1, 2].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let by_item = ["item-0001", "item-0002", "item-0003"];
    equal("one batch", planned(bench).await?, by_item)?;
    let store = &bench.store;
    let two = store
        .pending_moves(&bench.scope, &bench.mailbox, Timestamp::MAX, 2)
        .await?;
    equal("at most two", two.len(), 2)?;
    let other = store
        .pending_moves(&bench.scope, &"other".into(), Timestamp::MAX, 9)
        .await?;
    equal("moves of another mailbox", other.len(), 0)?;
    bench.wait(Duration::from_secs(1))?;
    samples[0] = sample::logged(4, &["C1"]);
    samples[0].item = ItemRef::new("item-0000");
    bench.put_all(&samples[..1]).await?;
    let found = planned(bench).await?;
    equal(
        "a later batch",
        found.last().map(String::as_str),
        Some("item-0000"),
    )
}

pub(super) async fn a_done_move_is_settled_and_its_place_known(bench: &Bench) -> Checked {
    let [first, second] = [1, 2].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&[first.clone(), second.clone()]).await?;
    let place = ItemRef::new("stored-1").with_change_key("change-2");
    let done = first.moved(MoveOutcome::Done(Some(place.clone())));
    settle(bench, vec![done.clone()]).await?;
    settle(bench, vec![done, second.moved(MoveOutcome::Done(None))]).await?;
    equal("pending moves", planned(bench).await?, Vec::<String>::new())?;
    equal(
        "the new place",
        bench.known_item(&first.key).await?.item,
        place,
    )?;
    let rows = bench.counts().await?;
    equal("rows", rows, [2, 2, 2, 0])
}

pub(super) async fn a_move_that_failed_waits_and_stays_planned(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    for attempts in 1..=2 {
        let retry = MoveOutcome::Retry {
            code: "ews.move_failed".into(),
            next_try: minute(attempts),
        };
        settle(bench, vec![sample.moved(retry)]).await?;
        let moves = bench.moves().await?;
        let found: Vec<_> = moves
            .iter()
            .map(|row| (row.attempts, row.next_try))
            .collect();
        equal(
            "attempts and next try",
            found,
            [(attempts, Some(minute(attempts)))],
        )?;
    }
    settle(bench, vec![sample.moved(MoveOutcome::Done(None))]).await?;
    equal("pending moves", bench.moves().await?.len(), 0)
}

pub(super) async fn only_moves_that_are_due_are_pending(bench: &Bench) -> Checked {
    let samples = [1, 2].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let retry = MoveOutcome::Retry {
        code: "ews.move_failed".into(),
        next_try: minute(5),
    };
    settle(bench, vec![samples[0].moved(retry)]).await?;
    let store = &bench.store;
    let before = |number| minute(number) - Duration::from_hours(48);
    let cases: [(Timestamp, &[&str]); 5] = [
        (minute(4), &["item-0002"]),
        (minute(5), &["item-0001", "item-0002"]),
        (minute(6), &["item-0001", "item-0002"]),
        (before(5), &["item-0002"]),
        // More than two days ahead: the clock was set back.
        (before(4), &["item-0001", "item-0002"]),
    ];
    for (due, expected) in cases {
        let moves = store
            .pending_moves(&bench.scope, &bench.mailbox, due, 9)
            .await?;
        let found: Vec<_> = moves.iter().map(|row| row.item.id.as_str()).collect();
        equal("moves that are due", found, expected)?;
    }
    Ok(())
}

pub(super) async fn a_vanished_mail_keeps_its_entries_and_is_told(bench: &Bench) -> Checked {
    told(bench, MoveOutcome::Vanished, Some(EventKind::Vanished)).await
}

pub(super) async fn a_duplicate_copy_is_settled_and_told(bench: &Bench) -> Checked {
    let place = Some(ItemRef::new("stored-1"));
    let outcome = MoveOutcome::DuplicateCopy(place);
    told(bench, outcome, Some(EventKind::DuplicateCopy)).await?;
    let known = bench.known_item(&sample::logged(1, &[]).key).await?;
    equal("the place", known.item.id.as_str(), "stored-1")
}

pub(super) async fn a_deleted_mail_is_settled(bench: &Bench) -> Checked {
    told(bench, MoveOutcome::Deleted, None).await
}

/// Settles the move of one mail twice; the event comes once.
async fn told(bench: &Bench, outcome: MoveOutcome, event: Option<EventKind>) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    settle(bench, vec![sample.moved(outcome.clone())]).await?;
    settle(bench, vec![sample.moved(outcome)]).await?;
    equal("pending moves", bench.moves().await?.len(), 0)?;
    equal("entries", bench.all_entries().await?.len(), 1)?;
    let events = bench.events().await?;
    let found: Vec<_> = events
        .iter()
        .skip(1)
        .map(|row| (row.kind, row.message))
        .collect();
    let expected: Vec<_> = event
        .into_iter()
        .map(|kind| (kind, Some(sample.uid())))
        .collect();
    equal("events of the move", found, expected)
}

pub(super) async fn the_result_of_an_unknown_move_changes_nothing(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    let before = bench.counts().await?;
    let item = ItemRef::new("never-planned");
    let results = [MoveOutcome::Done(None), MoveOutcome::Vanished];
    let results = results.map(|outcome| MoveResult::new(sample.key.clone(), item.clone(), outcome));
    settle(bench, results.into()).await?;
    equal("rows", bench.counts().await?, before)
}

pub(super) async fn another_item_of_a_decided_sighting_gets_its_own_move(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    let again = bench
        .put(sample.again("item-0002", Disposition::Storage))
        .await?;
    super::commit::added_nothing(&again)?;
    equal(
        "both moves",
        planned(bench).await?,
        ["item-0001", "item-0002"],
    )?;
    settle(bench, vec![sample.moved(MoveOutcome::Done(None))]).await?;
    equal("the other move", planned(bench).await?, ["item-0002"])?;
    bench
        .put(sample.again("item-0003", Disposition::Storage))
        .await?;
    bench
        .put(sample.again("item-0003", Disposition::Storage))
        .await?;
    equal(
        "a third item",
        planned(bench).await?,
        ["item-0002", "item-0003"],
    )?;
    let back = bench
        .put(sample.again("item-0001", Disposition::Storage))
        .await?;
    super::commit::added_nothing(&back)?;
    let all = ["item-0001", "item-0002", "item-0003"];
    let mut found = planned(bench).await?;
    found.sort();
    equal("an item that was put back under its old id", found, all)?;
    equal("rows", bench.counts().await?, [1, 1, 1, 3])
}

fn delivering(number: u32) -> Sample {
    let mut sample = sample::logged(number, &["C1", "C2"]);
    sample.row.deliver = true;
    sample
}

async fn waiting(bench: &Bench) -> Checked<Vec<Vec<EntryId>>> {
    let store = &bench.store;
    let mails = store.undelivered(&bench.scope, &bench.mailbox, 9).await?;
    let ids = |entries: Vec<crate::interaction::InteractionLogEntry>| {
        entries.into_iter().map(|row| row.entry.id).collect()
    };
    Ok(mails.into_iter().map(|mail| ids(mail.entries)).collect())
}

pub(super) async fn a_mail_waits_until_the_hosts_log_has_all_its_entries(bench: &Bench) -> Checked {
    let [first, second] = [1, 2].map(delivering);
    bench.put_all(&[first.clone(), second.clone()]).await?;
    equal(
        "undelivered",
        waiting(bench).await?,
        [first.entry_ids(), second.entry_ids()],
    )?;
    equal(
        "moves before delivery",
        planned(bench).await?,
        Vec::<String>::new(),
    )?;
    deliver(bench, first.delivered(0)).await?;
    let rest = first.entry_ids()[1..].to_vec();
    equal(
        "half delivered",
        waiting(bench).await?,
        [rest, second.entry_ids()],
    )?;
    equal(
        "moves before all is delivered",
        bench.moves().await?.len(),
        0,
    )?;
    deliver(bench, first.delivered(1)).await?;
    equal(
        "the other mail",
        waiting(bench).await?,
        [second.entry_ids()],
    )?;
    equal("moves after delivery", planned(bench).await?, ["item-0001"])?;
    let entry = bench
        .store
        .entry(&bench.scope, &first.entry_ids()[1])
        .await?;
    equal(
        "the host's reference",
        entry.host_reference.as_deref(),
        Some("host-1"),
    )
}

pub(super) async fn a_second_copy_waits_for_the_hosts_log_as_well(bench: &Bench) -> Checked {
    let first = delivering(1);
    bench.put(first.row()).await?;
    bench.put(first.other_copy(1).row()).await?;
    bench
        .put(first.again("item-0009", Disposition::Storage))
        .await?;
    equal(
        "moves before delivery",
        planned(bench).await?,
        Vec::<String>::new(),
    )?;
    equal("undelivered", waiting(bench).await?, [first.entry_ids()])?;
    deliver(bench, [first.delivered(0), first.delivered(1)].concat()).await?;
    let mut found = planned(bench).await?;
    found.sort();
    equal(
        "moves after",
        found,
        ["copy-0001", "item-0001", "item-0009"],
    )
}

pub(super) async fn a_mail_is_undelivered_in_every_mailbox_that_saw_it(bench: &Bench) -> Checked {
    let (first, other) = (delivering(1), MailboxKey::new("other"));
    bench.put(first.row()).await?;
    let store = &bench.store;
    let before = store.undelivered(&bench.scope, &other, 9).await?.len();
    equal("of a mailbox that did not see it", before, 0)?;
    let lease = bench.lease_of(&other, "other").await?;
    let copy = first.other_copy(1).row();
    bench.commit(&lease, vec![copy]).await?;
    for mailbox in [&bench.mailbox, &other] {
        let mails = store.undelivered(&bench.scope, mailbox, 9).await?;
        let mails: Vec<_> = mails.into_iter().map(|mail| mail.message).collect();
        equal("undelivered", mails, [first.uid()])?;
    }
    Ok(())
}
