//! Deleting cancelled entries.

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::error::ErrorKind;
use crate::ids::EntryId;
use crate::message::MessageContent;
use crate::scope::Scope;
use crate::store::{Annotation, DeletedEntries, Deletion, LogFilter, MoveOutcome, RowResult};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

async fn cancel(bench: &Bench, id: &EntryId) -> Checked {
    Ok(bench.store.cancel(&bench.scope, id, true).await?)
}

async fn delete(bench: &Bench, filter: &LogFilter, how: Deletion) -> Checked<DeletedEntries> {
    Ok(bench
        .reports()?
        .delete_canceled(&bench.scope, filter, how)
        .await?)
}

async fn delete_all(bench: &Bench) -> Checked<DeletedEntries> {
    delete(bench, &LogFilter::default(), Deletion::Delete).await
}

fn with_canceled() -> LogFilter {
    LogFilter {
        canceled: true,
        ..LogFilter::default()
    }
}

pub(super) async fn only_what_is_cancelled_and_fits_is_deleted(bench: &Bench) -> Checked {
    let samples = [
        sample::logged(1, &["C1"]),
        sample::logged(2, &["C2"]),
        sample::logged(3, &["C2"]),
        sample::logged(4, &["C2"]),
    ];
    bench.put_all(&samples).await?;
    for sample in &samples[..3] {
        cancel(bench, &sample.row.entries[0].id).await?;
    }
    let filter = LogFilter {
        contact: Some("C2".into()),
        since: Some(minute(2)),
        until: Some(minute(3)),
        ..LogFilter::default()
    };
    let other = Scope::new("other", "default")?;
    let elsewhere = bench
        .reports()?
        .delete_canceled(&other, &filter, Deletion::Delete);
    equal("another scope", elsewhere.await?, DeletedEntries::default())?;
    equal(
        "deleted",
        delete(bench, &filter, Deletion::Delete).await?.entries,
        1,
    )?;
    let left: Vec<_> = bench.entries(&with_canceled()).await?;
    let left: Vec<_> = left.iter().map(|row| row.entry.id).collect();
    let expected = [3, 2, 0].map(|at: usize| samples[at].row.entries[0].id);
    equal("left", left, expected.to_vec())?;
    let gone = bench
        .store
        .entry(&bench.scope, &samples[1].row.entries[0].id)
        .await;
    fails("a deleted entry", gone, ErrorKind::NotFound)?;
    Ok(())
}

pub(super) async fn a_preview_changes_nothing(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put_all(std::slice::from_ref(&sample)).await?;
    let id = sample.row.entries[0].id;
    let comment = Annotation::Comment {
        author: "Anna".into(),
        text: "no".into(),
    };
    bench.store.annotate(&bench.scope, &id, comment).await?;
    cancel(bench, &id).await?;
    let bytes = sample::original(1).len() as u64;
    for how in [Deletion::Preview, Deletion::Preview, Deletion::Delete] {
        let told = delete(bench, &LogFilter::default(), how).await?;
        let counts = [
            told.entries,
            told.comments,
            told.mails,
            told.originals,
            told.bytes,
        ];
        equal("told", counts, [1, 1, 1, 1, bytes])?;
        equal(
            "dates",
            (told.oldest, told.newest),
            (Some(minute(1)), Some(minute(1))),
        )?;
    }
    equal("once", delete_all(bench).await?, DeletedEntries::default())
}

pub(super) async fn an_original_goes_with_the_last_entry_that_uses_it(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1", "C2"]);
    bench.put_all(std::slice::from_ref(&sample)).await?;
    let ids = sample.entry_ids();
    let content = MessageContent {
        text: Some("secret words".into()),
        ..MessageContent::default()
    };
    let contents = vec![(sample.uid(), content)];
    bench.store.put_content(&bench.scope, contents).await?;
    cancel(bench, &ids[0]).await?;
    let told = delete_all(bench).await?;
    equal(
        "the first",
        [told.entries, told.mails, told.originals],
        [1, 0, 0],
    )?;
    let original = bench
        .store
        .original(&bench.scope, &sample.uid(), 0..999)
        .await?;
    equal("the original", original.bytes, sample::original(1))?;
    cancel(bench, &ids[1]).await?;
    let told = delete_all(bench).await?;
    equal(
        "the last",
        [told.entries, told.mails, told.originals],
        [1, 1, 1],
    )?;
    let gone = bench
        .store
        .original(&bench.scope, &sample.uid(), 0..9)
        .await;
    fails("the original", gone, ErrorKind::NotFound)?;
    let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
    check!(
        mail.entries.is_empty() && !mail.indexed,
        "something is left: {mail:?}"
    );
    check!(
        mail.attachments.is_empty(),
        "attachments are left: {mail:?}"
    );
    let known = bench.known_item(&sample.key).await?;
    equal("the sighting", known.message, Some(sample.uid()))
}

/// A mail whose only entry was deleted.
async fn deleted(bench: &Bench) -> Checked<Sample> {
    let sample = sample::logged(1, &["C1"]);
    bench.put_all(std::slice::from_ref(&sample)).await?;
    let lease = bench.lease().await?;
    let mut batch = crate::store::CommitBatch::of_rows(Vec::new());
    batch.moves = vec![sample.moved(MoveOutcome::Done(None))];
    bench.commit_batch(&lease, batch).await?;
    cancel(bench, &sample.row.entries[0].id).await?;
    equal("deleted", delete_all(bench).await?.entries, 1)?;
    Ok(sample)
}

pub(super) async fn a_deleted_entry_is_never_written_again(bench: &Bench) -> Checked {
    let sample = deleted(bench).await?;
    for again in [sample.clone(), sample.other_copy(2)] {
        let result = bench.put(again.row()).await?;
        check!(
            matches!(result, RowResult::AlreadyLogged),
            "logged again: {result:?}"
        );
    }
    equal("entries", bench.entries(&with_canceled()).await?.len(), 0)?;
    let gone = bench
        .store
        .original(&bench.scope, &sample.uid(), 0..9)
        .await;
    fails("the original", gone, ErrorKind::NotFound)?;
    Ok(())
}

pub(super) async fn another_contact_is_logged_after_a_deletion(bench: &Bench) -> Checked {
    let sample = deleted(bench).await?;
    let mut more = sample.other_copy(2);
    let new = sample::entry(sample.uid(), 1, "C2");
    more.row.entries.push(new.clone());
    let result = bench.put(more.row()).await?;
    let RowResult::Written { entries } = result else {
        check!(false, "not written: {result:?}");
        return Ok(());
    };
    // A number is given once.
    equal("the new one", entries, vec![(new.id, 2)])?;
    let original = bench
        .store
        .original(&bench.scope, &sample.uid(), 0..999)
        .await?;
    equal("the original", original.bytes, sample::original(1))
}

pub(super) async fn a_deleted_mail_is_not_indexed_again(bench: &Bench) -> Checked {
    let sample = deleted(bench).await?;
    equal(
        "to index",
        bench.store.unindexed(&bench.scope, 9).await?.len(),
        0,
    )?;
    let contents = vec![(sample.uid(), MessageContent::default())];
    bench.store.put_content(&bench.scope, contents).await?;
    let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
    check!(!mail.indexed, "its content came back");
    Ok(())
}

pub(super) async fn what_waits_for_the_hosts_log_is_not_deleted(bench: &Bench) -> Checked {
    let mut sample = sample::logged(1, &["C1"]);
    sample.row.deliver = true;
    bench.put_all(std::slice::from_ref(&sample)).await?;
    cancel(bench, &sample.row.entries[0].id).await?;
    let kept = DeletedEntries {
        kept_waiting: 1,
        ..DeletedEntries::default()
    };
    equal("deleted", delete_all(bench).await?, kept)
}
