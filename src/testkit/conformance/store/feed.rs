//! Events and the set-up.

use std::collections::BTreeSet;

use super::bench::Bench;
use super::sample;
use crate::error::ErrorKind;
use crate::setup::EmailLoggingSetup;
use crate::source::{FolderId, FolderPath, FolderRoot};
use crate::store::{CommitBatch, EventKind, StoredSetup};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) async fn events_tell_of_commits_with_rising_numbers(bench: &Bench) -> Checked {
    let logged = sample::logged(1, &["C1", "C2"]);
    bench
        .put_all(&[logged.clone(), sample::not_matched(2)])
        .await?;
    bench
        .put_all(&[sample::private(3), sample::quarantined(4)])
        .await?;
    let events = bench.events().await?;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let expected = [
        EventKind::Logged,
        EventKind::NotMatched,
        EventKind::Excluded,
        EventKind::Quarantined,
    ];
    equal("the kinds", kinds, expected)?;
    let rising = events
        .windows(2)
        .all(|pair| pair[0].number < pair[1].number);
    check!(
        rising && events[0].number > 0,
        "the numbers do not rise from above 0"
    );
    let ids: BTreeSet<_> = events.iter().map(|event| event.id).collect();
    equal("distinct ids", ids.len(), 4)?;
    equal("the entries", &events[0].entries, &logged.entry_ids())?;
    equal("the message", events[0].message, Some(logged.uid()))?;
    equal("no reason", events[0].reason.as_str(), "")?;
    check!(
        events.iter().all(|event| event.mailbox == bench.mailbox),
        "another mailbox"
    );
    Ok(())
}

pub(super) async fn a_quiet_commit_tells_nothing(bench: &Bench) -> Checked {
    let (quiet, loud) = (sample::logged(1, &["C1"]), sample::logged(2, &["C1"]));
    let lease = bench.lease().await?;
    let batch = CommitBatch::of_rows(vec![quiet.row(), sample::not_matched(3).row()]);
    bench.commit_batch(&lease, batch.with_quiet(true)).await?;
    equal("events of a quiet commit", bench.events().await?.len(), 0)?;
    let written = bench.store.mail(&bench.scope, &quiet.uid()).await?;
    equal("its entries", written.entries.len(), 1)?;
    bench.commit(&lease, vec![loud.row()]).await?;
    let events = bench.events().await?;
    let told: Vec<_> = events.iter().map(|event| event.message).collect();
    equal("events of the next commit", told, vec![Some(loud.uid())])
}

pub(super) async fn each_consumer_has_its_own_place(bench: &Bench) -> Checked {
    bench
        .put_all(&[1, 2, 3].map(|number| sample::logged(number, &["C1"])))
        .await?;
    let (store, scope) = (&bench.store, &bench.scope);
    let numbers = async |consumer: &'static str, limit| -> Checked<Vec<u64>> {
        let events = store.read_events(scope, consumer, limit).await?;
        Ok(events.into_iter().map(|event| event.number).collect())
    };
    let all = numbers("one", 9).await?;
    equal("events", all.len(), 3)?;
    equal("read again", numbers("one", 9).await?, all.clone())?;
    equal("at most two", numbers("one", 2).await?, all[..2].to_vec())?;
    store.acknowledge(scope, "one", all[1]).await?;
    equal(
        "after the second",
        numbers("one", 9).await?,
        all[2..].to_vec(),
    )?;
    equal("another consumer", numbers("two", 9).await?, all.clone())?;
    store.acknowledge(scope, "one", all[0]).await?;
    equal(
        "a smaller number",
        numbers("one", 9).await?,
        all[2..].to_vec(),
    )?;
    store.acknowledge(scope, "one", all[2]).await?;
    equal("all read", numbers("one", 9).await?, Vec::<u64>::new())?;
    bench.put(sample::logged(4, &["C1"]).row()).await?;
    equal("the next", numbers("one", 9).await?.len(), 1)
}

pub(super) async fn a_setup_is_stored_only_over_the_version_that_was_read(
    bench: &Bench,
) -> Checked {
    let (store, scope) = (&bench.store, &bench.scope);
    equal("no set-up", store.load_setup(scope).await?, None)?;
    let mut setup = EmailLoggingSetup {
        enabled: true,
        queue_folder: Some(FolderPath::new(FolderRoot::PublicFolders, ["Log", "Queue"])),
        queue_folder_id: Some(FolderId::new("AAA=")),
        storage_folder: Some(FolderPath::new(FolderRoot::Inbox, ["a\\b"])),
        email_batch_size: 50,
        exchange_service_url: Some("https://mail.example/EWS/Exchange.asmx".into()),
        ..EmailLoggingSetup::default()
    };
    let early = store.save_setup(scope, &setup, 1).await;
    fails(
        "over a version that is not there",
        early,
        ErrorKind::Conflict,
    )?;
    let first = store.save_setup(scope, &setup, 0).await?;
    equal("the first version", first, 1)?;
    let stored = store.load_setup(scope).await?;
    equal(
        "the set-up",
        stored,
        Some(StoredSetup::new(setup.clone(), 1)),
    )?;
    setup.enabled = false;
    for version in [0, 2] {
        let answer = store.save_setup(scope, &setup, version).await;
        let error = fails("over another version", answer, ErrorKind::Conflict)?;
        equal("the code", error.code(), "setup.version")?;
    }
    let second = store.save_setup(scope, &setup, 1).await?;
    check!(second > 1, "the version does not rise");
    let stored = store.load_setup(scope).await?;
    equal("the second", stored, Some(StoredSetup::new(setup, second)))
}
