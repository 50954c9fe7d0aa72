//! A database that was restored, or lost: the log is made again from the folders, and nothing moves.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::Scope;
use email_logging::error::codes;
use email_logging::logger::{ReconcileOptions, ReconcileReport, Skipped};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{MemorySource, SourceCapabilities};
use email_logging::store::{
    Acquired, DecisionFilter, EventFeed as _, InteractionLog as _, MailLedger as _, MemoryStore,
    StoreOperation,
};
use email_logging::testkit::clock::SeededEntropy;

use crate::office::{
    Office, error, everything, folder, mail, quarantine, queue, small_batches, storage,
};

fn deliver_all_kinds(office: &Office, round: u32) {
    office.deliver_numbers(round * 4..round * 4 + 4);
    let id = |kind: &str| format!("{kind}{round}@x.example");
    office.deliver(mail("no@else.example", "Unknown", &id("u"), ""));
    let private = "Sensitivity: Private\r\n";
    office.deliver(mail("ada@contacts.example", "Secret", &id("p"), private));
    office.deliver(format!("unreadable {round}"));
}

fn folders_of(source: &MemorySource) -> Vec<String> {
    let mut items = Vec::new();
    for path in [queue(), storage(), quarantine()] {
        items.extend(
            source
                .items(&path)
                .into_iter()
                .map(|it| format!("{path:?} {:?}", it.item)),
        );
    }
    items
}

async fn reconcile(office: &Office) -> ReconcileReport {
    let before = (
        folders_of(&office.source),
        office.source.count(SourceOperation::MoveTo),
    );
    let report = office
        .logger()
        .reconcile(&ReconcileOptions::default())
        .await;
    let report = report.unwrap();
    assert!(report.closes(), "{report:?}");
    let after = (
        folders_of(&office.source),
        office.source.count(SourceOperation::MoveTo),
    );
    assert_eq!(before, after, "nothing is moved");
    report
}

async fn events(office: &Office) -> usize {
    let scope = Scope::default();
    let events = office.store.read_events(&scope, "test", 10_000).await;
    events.unwrap().len()
}

/// Yesterday's backup has pending moves and lacks a day of mail.
#[tokio::test]
async fn a_restored_backup_is_completed_from_the_folders() {
    let mut office = Office::new().await;
    deliver_all_kinds(&office, 0);
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    office.source.fail_next(SourceOperation::MoveTo, lost);
    office.run().await.unwrap_err();
    let backup = office.back_up("yesterday.sqlite");
    office.clock.advance(Duration::from_hours(24));
    office.run().await.unwrap();
    deliver_all_kinds(&office, 1);
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    assert_eq!(office.places(), [0, 12, 2]);

    office.restore(&backup).await;
    assert_ne!(everything(office.store.as_ref()).await, full);
    let report = reconcile(&office).await;
    assert!(report.complete && report.settled > 0, "{report:?}");
    let restored = everything(office.store.as_ref()).await;
    // Why it was set aside is not read from the mail a second time.
    assert_eq!(restored, full);

    let told = events(&office).await;
    let again = reconcile(&office).await;
    assert!(again.nothing_missing(), "{again:?}");
    assert_eq!(everything(office.store.as_ref()).await, full);
    assert_eq!(events(&office).await, told, "the second walk tells nothing");
    let run = office.run().await.unwrap();
    assert_eq!(
        (run.fetched, run.recovered, run.moved),
        (0, 0, 0),
        "{run:?}"
    );
    office.deliver_numbers(8..9);
    assert_eq!(office.run().await.unwrap().logged, 1);
}

#[tokio::test]
async fn an_empty_store_is_filled_from_the_folders() {
    let mut office = Office::new().await;
    deliver_all_kinds(&office, 0);
    deliver_all_kinds(&office, 1);
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    let empty = office.path("new.sqlite");
    office.restore(&empty).await;
    let report = reconcile(&office).await;
    assert_eq!((report.listed, report.known), (14, 0), "{report:?}");
    assert_eq!((report.decided.logged, report.decided.excluded), (8, 2));
    assert_eq!(everything(office.store.as_ref()).await, full);
    assert!(reconcile(&office).await.nothing_missing());
}

/// Mail that the backup knows as set aside or not matched, and that was logged since.
#[tokio::test]
async fn mail_that_was_put_back_and_logged_since_the_backup_is_logged_again() {
    let mut office = Office::new().await;
    office.deliver(mail("new@contacts.example", "Late", "l@x.example", ""));
    office.run().await.unwrap();
    let backup = office.back_up("yesterday.sqlite");
    office.directory.add_late_contact();
    let item = office.source.items(&storage()).remove(0);
    office.source.move_by_hand(&item.item, &queue()).unwrap();
    assert_eq!(office.run().await.unwrap().logged, 1);
    let full = everything(office.store.as_ref()).await;
    office.restore(&backup).await;
    reconcile(&office).await;
    assert_eq!(everything(office.store.as_ref()).await, full);
    assert!(reconcile(&office).await.nothing_missing());
}

trait LateContact {
    fn add_late_contact(&self);
}

impl LateContact for email_logging::directory::MemoryDirectory {
    fn add_late_contact(&self) {
        use email_logging::directory::ContactRecord;
        use email_logging::parties::ContactKind;
        let contact = ContactRecord::new("C9", "Late", ContactKind::Person);
        let contact = contact.with_email("new@contacts.example");
        let _ = self.clone().with_contact(contact);
    }
}

#[tokio::test]
async fn copies_under_one_key_are_settled_each_once() {
    let mut office = Office::new().await;
    office.deliver_numbers(0..1);
    let item = office.source.items(&queue()).remove(0);
    office.source.copy_by_hand(&item.item, &queue()).unwrap();
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    office.source.fail_next(SourceOperation::MoveTo, lost);
    office.run().await.unwrap_err();
    let backup = office.back_up("yesterday.sqlite");
    office.run().await.unwrap();
    office.restore(&backup).await;
    let report = reconcile(&office).await;
    assert_eq!((report.listed, report.settled), (2, 2), "{report:?}");
    assert!(reconcile(&office).await.nothing_missing());
    office.assert_offers(1).await;
}

#[tokio::test]
async fn a_dry_run_counts_and_writes_nothing() {
    let mut office = Office::new().await;
    deliver_all_kinds(&office, 0);
    office.run().await.unwrap();
    let empty = office.path("new.sqlite");
    office.restore(&empty).await;
    let options = ReconcileOptions::default().with_dry_run();
    let dry = office.logger().reconcile(&options).await.unwrap();
    assert!(dry.closes() && dry.dry_run, "{dry:?}");
    assert!(everything(office.store.as_ref()).await.is_empty());
    let real = reconcile(&office).await;
    assert_eq!(dry.decided.reasons, real.decided.reasons);
    assert_eq!(dry.listed, real.listed);
}

#[tokio::test]
async fn a_walk_in_small_steps_goes_on_where_it_ended() {
    let mut office = Office::new().await;
    deliver_all_kinds(&office, 0);
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    let empty = office.path("new.sqlite");
    office.restore(&empty).await;
    let logger = office.logger();
    let options = ReconcileOptions::default().with_most(2);
    let mut steps = 0;
    loop {
        let report = logger.reconcile(&options).await.unwrap();
        assert!(report.closes(), "{report:?}");
        assert!(report.decided.listed <= 2);
        steps += 1;
        if report.complete {
            break;
        }
    }
    assert!((4..=5).contains(&steps), "{steps} steps");
    assert_eq!(everything(office.store.as_ref()).await, full);
}

/// Every call to the source and to the store fails once, before or after its effect.
#[tokio::test]
async fn a_walk_that_fails_anywhere_is_finished_by_the_next() {
    let office = Office::new().await;
    deliver_all_kinds(&office, 0);
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    let store = || {
        let store = MemoryStore::new().with_clock(Arc::new(office.clock.clone()));
        Arc::new(store.with_entropy(Arc::new(SeededEntropy::new(7))))
    };
    let operations = [
        StoreOperation::Acquire,
        StoreOperation::Known,
        StoreOperation::Commit,
        StoreOperation::Release,
    ];
    let mut failed = 0;
    for operation in operations {
        for nth in 1..=8 {
            let store = store();
            let logger = office.builder_on(Arc::clone(&store)).build().unwrap();
            store.fail_call(operation, nth, error(&codes::STORE_UNAVAILABLE));
            if nth == 1 {
                store.lose_next_reply(operation, error(&codes::STORE_UNAVAILABLE));
            }
            let options = ReconcileOptions::default();
            for _ in 0..9 {
                match logger.reconcile(&options).await {
                    Ok(_) => {}
                    Err(stopped) => {
                        assert_eq!(stopped.error.kind(), ErrorKind::StoreUnavailable);
                        assert!(stopped.report.closes(), "{operation:?} {nth} {stopped:?}");
                        failed += 1;
                    }
                }
            }
            assert_eq!(
                everything(store.as_ref()).await,
                full,
                "{operation:?} {nth}"
            );
            let again = logger.reconcile(&options).await.unwrap();
            assert!(again.nothing_missing(), "{operation:?} {nth} {again:?}");
        }
    }
    assert!(failed >= 12, "{failed} walks failed");
}

#[tokio::test]
async fn a_source_that_fails_stops_the_walk_and_one_bad_mail_does_not() {
    let mut office = Office::new().await;
    deliver_all_kinds(&office, 0);
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    let faults: [fn() -> SourceFault; 4] = [
        || SourceFault::Error(error(&codes::HTTP_CONNECT)),
        || SourceFault::LostReply(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::ItemFailed(0, error(&codes::EWS_UNAVAILABLE)),
        || SourceFault::CutOff(1, error(&codes::HTTP_CLOSED)),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let file = office.path(&format!("new-{number}.sqlite"));
        office.restore(&file).await;
        office.source.fail_next(SourceOperation::Fetch, fault());
        match office
            .logger()
            .reconcile(&ReconcileOptions::default())
            .await
        {
            Ok(report) => assert!(report.closes() && report.decided.pending == 1),
            Err(failed) => assert!(failed.report.closes(), "{failed:?}"),
        }
        reconcile(&office).await;
        assert_eq!(
            everything(office.store.as_ref()).await,
            full,
            "fault {number}"
        );
    }
}

#[tokio::test]
async fn without_stable_keys_the_originals_tell_what_is_known() {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.locate) = (false, false);
    let office = Office::new().await;
    let mut office = office.with_source(|source| source.with_capabilities(capabilities));
    office.deliver_numbers(0..4);
    office.deliver(mail("no@else.example", "Unknown", "u@x.example", ""));
    office.run().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    // What lies where a move put it is known by that, and what is found there by its content.
    let nothing_is_read = async |office: &Office| {
        let read = office.source.count(SourceOperation::Fetch);
        assert!(reconcile(office).await.nothing_missing());
        assert_eq!(office.source.count(SourceOperation::Fetch), read);
    };
    nothing_is_read(&office).await;
    let empty = office.path("new.sqlite");
    office.restore(&empty).await;
    reconcile(&office).await;
    assert_eq!(everything(office.store.as_ref()).await, full);
    nothing_is_read(&office).await;
}

#[tokio::test]
async fn a_folder_for_what_is_not_logged_is_walked_too() {
    let mut office = Office::new().await;
    let unlogged = folder("Not Logged");
    office.source = office.source.clone().with_folder(&unlogged);
    let logger = |office: &Office| {
        let builder = office.builder().with_not_logged_folder(unlogged.clone());
        builder.build().unwrap()
    };
    deliver_all_kinds(&office, 0);
    logger(&office).run_once().await.unwrap();
    let full = everything(office.store.as_ref()).await;
    let empty = office.path("new.sqlite");
    office.restore(&empty).await;
    let options = ReconcileOptions::default();
    let report = logger(&office).reconcile(&options).await.unwrap();
    assert_eq!((report.listed, report.decided.not_matched), (7, 1));
    assert_eq!(everything(office.store.as_ref()).await, full);
}

/// Readable mail in the quarantine folder waits for a person, whatever the rules say by now.
#[tokio::test]
async fn what_lies_in_the_quarantine_folder_is_set_aside_and_can_be_requeued() {
    let office = Office::new().await;
    office.deliver_numbers(0..1);
    let item = office.source.items(&queue()).remove(0);
    office
        .source
        .move_by_hand(&item.item, &quarantine())
        .unwrap();
    let report = reconcile(&office).await;
    let reasons: Vec<_> = report.decided.reasons.keys().cloned().collect();
    assert_eq!(reasons, ["quarantined/found-set-aside"]);
    assert!(reconcile(&office).await.nothing_missing());
    let (scope, filter) = (Scope::default(), DecisionFilter::default());
    let decisions = office.store.decisions(&scope, &filter, None, 10).await;
    let key = decisions.unwrap().rows.remove(0).sighting;
    let requeued = office.logger().requeue(&[key]).await.unwrap();
    assert_eq!((requeued.requeued, requeued.moved_back), (1, 1));
    assert_eq!(office.run().await.unwrap().logged, 1);
    office.assert_offers(1).await;
}

#[tokio::test]
async fn a_mailbox_that_is_held_or_disabled_is_left_alone() {
    let office = Office::new().await;
    let (scope, mailbox, other) = (Scope::default(), "queue".into(), "other".into());
    let ttl = small_batches().lease;
    let held = office.store.acquire(&scope, &mailbox, &other, ttl);
    assert!(matches!(held.await.unwrap(), Acquired::Held(_)));
    let options = ReconcileOptions::default();
    let report = office.logger().reconcile(&options).await.unwrap();
    assert_eq!(report.skipped, Some(Skipped::MailboxBusy));
    assert!(!report.complete && office.source.calls().is_empty());
}
