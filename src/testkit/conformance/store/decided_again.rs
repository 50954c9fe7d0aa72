//! A sighting that gets another decision: a mail that was put back, or a directory that knows more.

use super::bench::Bench;
use super::commit::added_nothing;
use super::outcomes::of_sighting;
use super::sample::{self, Sample, minute};
use crate::decision::Disposition;
use crate::ids::EntryId;
use crate::source::ItemRef;
use crate::store::{CommitBatch, EventKind, KnownSighting, MoveOutcome, RowResult, SightingState};
use crate::testkit::conformance::harness::{Checked, check, equal};

/// Commits a mail, and settles its move.
async fn file(bench: &Bench, sample: &Sample) -> Checked {
    bench.put_all(std::slice::from_ref(sample)).await?;
    let lease = bench.lease().await?;
    let batch = CommitBatch {
        moves: vec![sample.moved(MoveOutcome::Done(None))],
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    Ok(())
}

/// The mail with this number, put back as another item and logged.
fn put_back(number: u32) -> Sample {
    let mut sample = sample::logged(number, &["C1"]);
    sample.item = ItemRef::new(format!("back-{number}"));
    sample
}

/// Outcome of the sighting's only decision.
async fn outcome(bench: &Bench, sample: &Sample) -> Checked<String> {
    let decisions = bench.decisions(&of_sighting(bench, sample)).await?;
    equal("decisions of a sighting", decisions.len(), 1)?;
    Ok(decisions[0].outcome.clone())
}

async fn kinds(bench: &Bench) -> Checked<Vec<EventKind>> {
    let events = bench.events().await?;
    Ok(events.into_iter().map(|event| event.kind).collect())
}

pub(super) async fn a_mail_without_entries_that_was_put_back_is_decided_again(
    bench: &Bench,
) -> Checked {
    let mails = [
        (sample::not_matched(1), EventKind::NotMatched),
        (sample::private(2), EventKind::Excluded),
        (sample::quarantined(3), EventKind::Quarantined),
    ];
    for (number, (sample, kind)) in (1..).zip(mails) {
        file(bench, &sample).await?;
        let back = put_back(number);
        let result = bench.put(back.row()).await?;
        let ids = |entries: &[(EntryId, u64)]| entries.iter().map(|(id, _)| *id).collect();
        let written: Vec<EntryId> = match &result {
            RowResult::Written { entries } => ids(entries),
            _ => Vec::new(),
        };
        equal("the new entries", written, back.entry_ids())?;
        let known = bench.known_item(&back.key).await?;
        equal("the state", known.state, SightingState::Decided)?;
        equal("the message", known.message, Some(back.uid()))?;
        equal("the item", &known.item, &back.item)?;
        equal(
            "where it goes",
            known.disposition,
            Some(Disposition::Storage),
        )?;
        equal("the outcome", known.outcome.as_deref(), Some("logged"))?;
        equal("the decision", outcome(bench, &back).await?, "logged")?;
        let told = kinds(bench).await?;
        let newest = &told[told.len().saturating_sub(2)..];
        equal("the events", newest, [kind, EventKind::Logged])?;
        let original = bench
            .store
            .original(&bench.scope, &back.uid(), 0..999)
            .await?;
        equal("its original", original.bytes, sample::original(number))?;
    }
    equal("rows", bench.counts().await?, [3, 3, 6, 3])
}

pub(super) async fn a_mail_that_was_put_back_in_vain_is_told_again(bench: &Bench) -> Checked {
    let sample = sample::not_matched(1);
    file(bench, &sample).await?;
    added_nothing(&bench.put(sample.row()).await?)?;
    equal(
        "the decision",
        outcome(bench, &sample).await?,
        "not-matched",
    )?;
    equal("rows", bench.counts().await?, [0, 1, 2, 1])
}

pub(super) async fn a_mail_that_was_put_back_and_fails_waits_and_keeps_its_outcome(
    bench: &Bench,
) -> Checked {
    for sample in [sample::not_matched(1), sample::private(2)] {
        file(bench, &sample).await?;
        let decided = bench.known_item(&sample.key).await?;
        for attempts in 1..=3 {
            fails(bench, &sample, attempts, attempts).await?;
            let mut waits: KnownSighting = decided.clone();
            (waits.attempts, waits.next_try) = (attempts, Some(minute(attempts)));
            let known = bench.known_item(&sample.key).await?;
            equal("what failed", known, waits)?;
        }
        bench.put(sample.row()).await?;
        let known = bench.known_item(&sample.key).await?;
        let count = (known.attempts, known.next_try);
        equal("attempts after a decision", count, (0, None))?;
        fails(bench, &sample, 1, 1).await?;
    }
    Ok(())
}

pub(super) async fn what_is_logged_or_set_aside_gets_no_attempts(bench: &Bench) -> Checked {
    for sample in [sample::logged(1, &["C1"]), sample::quarantined(2)] {
        file(bench, &sample).await?;
        let before = bench.known_item(&sample.key).await?;
        fails(bench, &sample, 1, 0).await?;
        let known = bench.known_item(&sample.key).await?;
        equal("what is known", known, before)?;
    }
    Ok(())
}

/// Commits an attempt that failed, to be repeated after so many minutes.
async fn fails(bench: &Bench, sample: &Sample, minutes: u32, counted: u32) -> Checked {
    let result = bench
        .put(sample.failed("http.timeout", minute(minutes)))
        .await?;
    let found = matches!(result, RowResult::Counted { attempts } if attempts == counted);
    check!(found, "{counted} attempts: {result:?}");
    Ok(())
}

pub(super) async fn a_logged_mail_keeps_its_decision(bench: &Bench) -> Checked {
    let logged = sample::logged(1, &["C1"]);
    file(bench, &logged).await?;
    let copy = logged.other_copy(1);
    file_copy(bench, &copy).await?;
    for sample in [&logged, &copy] {
        let before = outcome(bench, sample).await?;
        let mut other = sample::not_matched(1);
        other.key = sample.key.clone();
        other.item = ItemRef::new("back");
        let result = bench.put(other.row()).await?;
        let stays = matches!(result, RowResult::AlreadyLogged);
        check!(stays, "another decision of a logged mail: {result:?}");
        equal("the decision", outcome(bench, sample).await?, before)?;
        let target = bench.known_item(&sample.key).await?.disposition;
        equal("where it goes", target, Some(Disposition::Storage))?;
    }
    let targets: Vec<_> = bench.moves().await?;
    let targets: Vec<_> = targets.into_iter().map(|planned| planned.target).collect();
    equal("where they go", targets, [Disposition::Storage; 3])?;
    equal("events", kinds(bench).await?, [EventKind::Logged])
}

async fn file_copy(bench: &Bench, copy: &Sample) -> Checked {
    let result = bench.put(copy.row()).await?;
    let there = matches!(result, RowResult::AlreadyLogged);
    check!(there, "a copy of a logged mail: {result:?}");
    Ok(())
}

pub(super) async fn moves_that_are_still_to_do_follow_a_new_decision(bench: &Bench) -> Checked {
    let sample = sample::not_matched(1);
    bench.put(sample.row()).await?;
    bench
        .put(sample.again("item-0009", Disposition::NotLogged))
        .await?;
    bench.put(sample::logged(1, &["C1"]).row()).await?;
    let moves = bench.moves().await?.into_iter();
    let found: Vec<_> = moves.map(|row| (row.item.id, row.target)).collect();
    let expected = ["item-0001", "item-0009"].map(|item| (item.to_owned(), Disposition::Storage));
    equal("the moves", found, expected)?;
    let stays = sample::not_matched(2);
    bench.put(stays.row()).await?;
    bench
        .put(stays.clone().going_to(Disposition::Leave).row())
        .await?;
    equal("a mail that stays now", bench.moves().await?.len(), 2)
}

pub(super) async fn moves_of_what_got_another_try_follow_its_new_decision(
    bench: &Bench,
) -> Checked {
    for (number, target) in [(1, Disposition::Storage), (2, Disposition::Leave)] {
        let sample = sample::quarantined(number);
        bench.put(sample.row()).await?;
        let keys = [sample.key.clone()];
        let store = &bench.store;
        store.requeue(&bench.scope, &bench.mailbox, &keys).await?;
        // A run that had read what it was goes on, and takes a copy of it where it was to go.
        let copy = format!("copy-000{number}");
        bench
            .put(sample.again(&copy, Disposition::Quarantine))
            .await?;
        let logged = sample::logged(number, &["C1"]).going_to(target);
        bench.put(logged.row()).await?;
        let moves = bench.moves().await?.into_iter();
        let found: Vec<_> = moves.map(|row| (row.item.id, row.target)).collect();
        let expected = ["copy-0001", "item-0001"];
        let expected = expected.map(|item| (item.to_owned(), Disposition::Storage));
        equal("the moves", found, expected)?;
    }
    Ok(())
}

pub(super) async fn a_sighting_tells_its_outcome_and_the_items_that_wait(bench: &Bench) -> Checked {
    let sample = sample::quarantined(1);
    bench.put(sample.failed("http.timeout", minute(1))).await?;
    told(bench, &sample, None, &[]).await?;
    bench.put(sample.row()).await?;
    told(bench, &sample, Some("quarantined"), &["item-0001"]).await?;
    bench
        .put(sample.again("item-0000", Disposition::Quarantine))
        .await?;
    let both = ["item-0000", "item-0001"];
    told(bench, &sample, Some("quarantined"), &both).await?;
    let lease = bench.lease().await?;
    let batch = CommitBatch {
        moves: vec![sample.moved(MoveOutcome::Done(None))],
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    told(bench, &sample, Some("quarantined"), &["item-0000"]).await?;
    let keys = [sample.key.clone()];
    let store = &bench.store;
    store.requeue(&bench.scope, &bench.mailbox, &keys).await?;
    told(bench, &sample, None, &[]).await?;
    let logged = sample::logged(2, &["C1"]);
    bench.put(logged.row()).await?;
    told(bench, &logged, Some("logged"), &["item-0002"]).await?;
    let copy = logged.other_copy(3);
    bench.put(copy.row()).await?;
    told(bench, &copy, Some("already-logged"), &["copy-0003"]).await
}

async fn told(bench: &Bench, sample: &Sample, outcome: Option<&str>, items: &[&str]) -> Checked {
    let known = bench.known_item(&sample.key).await?;
    equal("the outcome", known.outcome.as_deref(), outcome)?;
    let waiting: Vec<_> = known.waiting.iter().map(|item| item.id.as_str()).collect();
    equal("the items that wait", waiting, items)
}
