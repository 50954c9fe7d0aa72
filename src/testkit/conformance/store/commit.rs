//! One transaction per batch, and no entry twice.

use futures_util::future::join_all;

use super::bench::Bench;
use super::sample::{self, Sample};
use crate::error::ErrorKind;
use crate::ids::{EntryId, MailboxKey, StageId};
use crate::message::CanonicalDigest;
use crate::store::{
    CommitBatch, CommitRow, MESSAGE_ID_CONFLICT, Original, RowResult, SightingState,
};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

pub(super) async fn a_commit_is_read_back(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1", "C2"]);
    let written = new_entries(bench.put(sample.row()).await?)?;
    let ids: Vec<EntryId> = written.iter().map(|(id, _)| *id).collect();
    equal("the new entries", ids, sample.entry_ids())?;
    check!(written[0].1 < written[1].1, "entry numbers do not rise");
    for (id, number) in written {
        let found = bench.store.entry(&bench.scope, &id).await?;
        equal("an entry's number", found.entry_no, number)?;
    }
    let known = bench.known_item(&sample.key).await?;
    equal("the state", known.state, SightingState::Decided)?;
    equal("the message", known.message, Some(sample.uid()))?;
    equal("the item", known.item, sample.item.clone())?;
    let disposition = Some(sample.row.decision.disposition);
    equal("the disposition", known.disposition, disposition)?;
    equal("rows", bench.counts().await?, [2, 1, 1, 1])
}

pub(super) async fn a_repeated_commit_adds_nothing(bench: &Bench) -> Checked {
    let samples = [
        sample::logged(1, &["C1", "C2"]),
        sample::not_matched(2),
        sample::private(3),
    ];
    let rows = || samples.iter().map(Sample::row).collect::<Vec<CommitRow>>();
    let lease = bench.lease().await?;
    bench.commit(&lease, rows()).await?;
    let before = bench.counts().await?;
    equal("rows", before, [2, 3, 3, 3])?;
    let again = bench.commit(&lease, rows()).await?;
    already_logged("the repeated row", &again[0])?;
    for result in &again[1..] {
        added_nothing(result)?;
    }
    equal("rows after the repetition", bench.counts().await?, before)
}

pub(super) async fn a_commit_with_a_lost_reply_is_repeated_by_the_next_holder(
    bench: &Bench,
) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    let lost = bench.lease_of(&bench.mailbox, "first").await?;
    bench.commit(&lost, vec![sample.row()]).await?;
    bench.store.release(&bench.scope, &lost).await?;
    let next = bench.lease_of(&bench.mailbox, "second").await?;
    let results = bench.commit(&next, vec![sample.row()]).await?;
    already_logged("the repeated row", &results[0])?;
    equal("rows", bench.counts().await?, [1, 1, 1, 1])
}

pub(super) async fn a_second_sighting_adds_no_entry(bench: &Bench) -> Checked {
    let first = sample::logged(1, &["C1", "C2"]);
    let second = first.other_copy(1);
    let both = vec![first.row(), second.row()];
    let lease = bench.lease().await?;
    let results = bench.commit(&lease, both).await?;
    already_logged("the second copy", &results[1])?;
    let third = bench.put(first.other_copy(2).row()).await?;
    already_logged("the third copy", &third)?;
    equal("rows", bench.counts().await?, [2, 3, 1, 3])?;
    let known = bench.known_item(&second.key).await?;
    equal(
        "the second copy's message",
        known.message,
        Some(first.uid()),
    )?;
    let filter = super::outcomes::of_sighting(bench, &second);
    let decisions = bench.decisions(&filter).await?;
    let outcomes = decisions.iter().map(|row| (&*row.outcome, &*row.reason));
    let outcomes: Vec<_> = outcomes.collect();
    equal(
        "the second copy's outcome and reason",
        outcomes,
        [("already-logged", "same-message")],
    )
}

pub(super) async fn a_second_sighting_adds_only_what_is_new(bench: &Bench) -> Checked {
    bench.put(sample::logged(1, &["C1"]).row()).await?;
    let more = sample::logged(1, &["C1", "C2"]);
    let written = new_entries(bench.put(more.other_copy(1).row()).await?)?;
    let ids: Vec<EntryId> = written.into_iter().map(|(id, _)| id).collect();
    equal("the new entries", ids, more.entry_ids()[1..].to_vec())?;
    equal("entries", bench.all_entries().await?.len(), 2)
}

/// A person copied a mail and edited one of the two: one key, two contents.
pub(super) async fn an_edited_copy_in_the_same_commit_leaves_no_message(bench: &Bench) -> Checked {
    let first = sample::logged(2, &["C1"]);
    let mut edited = sample::logged(1, &["C2"]);
    edited.key = first.key.clone();
    let both = vec![first.row(), edited.row()];
    let lease = bench.lease().await?;
    let results = bench.commit(&lease, both).await?;
    already_logged("the edited copy", &results[1])?;
    equal("rows", bench.counts().await?, [1, 1, 1, 2])?;
    let there = bench.store.mail(&bench.scope, &edited.uid()).await;
    check!(there.is_err(), "the edited copy left a message");
    Ok(())
}

pub(super) async fn a_refused_row_leaves_no_trace_and_the_others_are_written(
    bench: &Bench,
) -> Checked {
    let samples = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    let mut refused = samples[1].clone();
    refused.row.original = Original::Staged(StageId::from_bytes([9; 16]));
    let rows = vec![samples[0].row(), refused.row(), samples[2].row()];
    let lease = bench.lease().await?;
    let results = bench.commit(&lease, rows).await?;
    let (first, middle, last) = (&results[0], &results[1], &results[2]);
    check!(
        matches!(first, RowResult::Written { .. }),
        "the first row: {first:?}"
    );
    check!(
        matches!(last, RowResult::Written { .. }),
        "the last row: {last:?}"
    );
    check!(
        matches!(middle, RowResult::Rejected(_)),
        "a row whose staged original is not there: {middle:?}"
    );
    equal("rows", bench.counts().await?, [2, 2, 2, 2])?;
    equal(
        "the refused sighting",
        bench.known(&refused.key).await?,
        None,
    )?;
    let mail = bench.store.mail(&bench.scope, &refused.uid()).await;
    fails("the refused message", mail, ErrorKind::NotFound)?;
    bench.put_all(&samples[1..2]).await
}

pub(super) async fn concurrent_commits_of_one_message_make_one_set_of_entries(
    bench: &Bench,
) -> Checked {
    let mut leases = Vec::new();
    for name in ["one", "two", "three", "four", "five"] {
        leases.push(bench.lease_of(&MailboxKey::new(name), name).await?);
    }
    let mail = sample::logged(1, &["C1", "C2"]);
    let commits = (1..).zip(&leases).map(|(number, lease)| {
        let rows = vec![mail.other_copy(number).row()];
        async move { bench.commit(lease, rows).await }
    });
    let mut written = 0;
    for results in join_all(commits).await {
        match &results?[0] {
            RowResult::Written { entries } => written += entries.len(),
            result => already_logged("a commit of the same message", result)?,
        }
    }
    equal("entries that were answered as new", written, 2)?;
    equal("entries", bench.all_entries().await?.len(), 2)?;
    equal("events", bench.events().await?.len(), 1)
}

pub(super) async fn an_unknown_message_with_the_same_message_id_is_to_be_compared(
    bench: &Bench,
) -> Checked {
    let [first, second, mut third] =
        [1, 2, 3].map(|number| sample::logged(number, &["C1"]).with_message_id("same@example"));
    bench.put(first.row()).await?;
    recheck(&bench.put(second.row()).await?, &first)?;
    equal("the sighting", bench.known(&second.key).await?, None)?;
    equal("rows", bench.counts().await?, [1, 1, 1, 1])?;
    let mail = bench.store.mail(&bench.scope, &second.uid()).await;
    fails("the message", mail, ErrorKind::NotFound)?;
    let mut compared = second.clone();
    compared.row.compared = vec![first.uid()];
    new_entries(bench.put(compared.row()).await?)?;
    third.row.compared = vec![first.uid()];
    recheck(&bench.put(third.row()).await?, &second)?;
    let known = bench.put(first.other_copy(1).row()).await?;
    already_logged("a copy of a message that is known", &known)
}

pub(super) async fn rows_of_one_batch_with_the_same_message_id_are_to_be_compared(
    bench: &Bench,
) -> Checked {
    let samples =
        [1, 2].map(|number| sample::logged(number, &["C1"]).with_message_id("same@example"));
    let lease = bench.lease().await?;
    let rows = samples.iter().map(Sample::row).collect();
    let results = bench.commit(&lease, rows).await?;
    let first = &results[0];
    check!(
        matches!(first, RowResult::Written { .. }),
        "the first row: {first:?}"
    );
    recheck(&results[1], &samples[0])?;
    equal("rows", bench.counts().await?, [1, 1, 1, 1])
}

pub(super) async fn a_conflict_of_message_ids_flags_both_messages(bench: &Bench) -> Checked {
    let [first, mut second, other] = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    let first = first.with_message_id("same@example");
    second = second.with_message_id("same@example");
    second.row.compared = vec![first.uid()];
    second.row.message_id_conflict = true;
    bench
        .put_all(&[first.clone(), other.clone(), second.clone()])
        .await?;
    for (sample, flagged) in [(&first, 1), (&second, 1), (&other, 0)] {
        let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
        let flags = mail.record.flags.iter();
        let flags = flags.filter(|flag| *flag == MESSAGE_ID_CONFLICT).count();
        equal("conflict flags of a message", flags, flagged)?;
        check!(mail.record.flags.is_sorted(), "the flags are not sorted");
    }
    equal("entries", bench.all_entries().await?.len(), 3)
}

pub(super) async fn sightings_are_known_in_the_order_of_the_question(bench: &Bench) -> Checked {
    let samples = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples[..2]).await?;
    let order = [1, 2, 0, 1].map(|place| samples[place].clone());
    let keys = order.clone().map(|sample| sample.key);
    let store = &bench.store;
    let known = store.known(&bench.scope, &bench.mailbox, &keys).await?;
    let found: Vec<_> = known
        .into_iter()
        .map(|known| known.and_then(|known| known.message))
        .collect();
    let expected = [
        Some(order[0].uid()),
        None,
        Some(order[2].uid()),
        Some(order[3].uid()),
    ];
    equal("the messages of the sightings", found, expected)
}

pub(super) async fn messages_are_found_by_message_id_in_the_order_of_the_question(
    bench: &Bench,
) -> Checked {
    let digest = CanonicalDigest::from_bytes([5; 32]);
    let kept = sample::logged(1, &["C1"]).change_record(|record| record.canonical = Some(digest));
    let bare = sample::not_matched(2);
    bench.put_all(&[kept.clone(), bare.clone()]).await?;
    let ids = [
        "mail-2@example.com",
        "nobody@example.com",
        "mail-1@example.com",
    ];
    let ids = ids.map(str::to_owned);
    let found = bench.store.with_message_ids(&bench.scope, &ids).await?;
    equal("answers", found.len(), 3)?;
    equal(
        "messages per id",
        found.iter().map(Vec::len).collect::<Vec<_>>(),
        [1, 0, 1],
    )?;
    for (known, sample, canonical, original) in [
        (&found[0][0], &bare, None, false),
        (&found[2][0], &kept, Some(digest), true),
    ] {
        equal("the message", known.uid, sample.uid())?;
        let identity = sample
            .row
            .record
            .as_ref()
            .map(|record| record.identity.fast_key);
        equal("its fast key", Some(known.fast_key), identity)?;
        equal("its canonical digest", known.canonical, canonical)?;
        equal("whether its original is kept", known.has_original, original)?;
    }
    let empty = CommitBatch::default();
    let lease = bench.lease().await?;
    equal(
        "results of an empty batch",
        bench.commit_batch(&lease, empty).await?.len(),
        0,
    )
}

fn new_entries(result: RowResult) -> Checked<Vec<(EntryId, u64)>> {
    match result {
        RowResult::Written { entries } if !entries.is_empty() => Ok(entries),
        result => Err(Stop::Failed(format!("no new entries: {result:?}"))),
    }
}

fn already_logged(what: &str, result: &RowResult) -> Checked {
    check!(
        matches!(result, RowResult::AlreadyLogged),
        "{what}: {result:?}"
    );
    Ok(())
}

/// A row without entries that is there already may say either.
pub(super) fn added_nothing(result: &RowResult) -> Checked {
    let nothing = match result {
        RowResult::AlreadyLogged => true,
        RowResult::Written { entries } => entries.is_empty(),
        _ => false,
    };
    check!(nothing, "a row that adds nothing: {result:?}");
    Ok(())
}

fn recheck(result: &RowResult, expected: &Sample) -> Checked {
    let compared = match result {
        RowResult::Recheck(messages) => *messages == [expected.uid()],
        _ => false,
    };
    check!(compared, "a message that was not compared: {result:?}");
    Ok(())
}
