//! One mail that always fails: it is tried, set aside and requeued, and changes nothing for any other mail.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::{HookError, LoggingHooks};
use email_logging::error::codes;
use email_logging::interaction::NewEntry;
use email_logging::logger::{EmailLoggerBuilder, RequeueReport, RunReport};
use email_logging::message::Message;
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{MemorySource, SightingKey};
use email_logging::store::{
    DecisionFilter, HostReference, InteractionLog as _, InteractionSink, MailLedger as _,
    SinkDelivery,
};
use email_logging::{EntryId, Error, MessageUid, Result, Scope};

use crate::office::{
    Office, error, everything, folder, mail, quarantine, queue, small_batches, storage,
};
use crate::poisoned::{Poison, Poisoned};

const MAILS: u32 = 7;

/// Fails at the poisoned mail, or makes a row that the store refuses.
#[derive(Debug)]
struct Hook {
    fails: bool,
}

impl LoggingHooks for Hook {
    fn before_entry(&self, message: &Message, entry: &mut NewEntry) -> Result<(), HookError> {
        if message.subject != "Poison" {
            return Ok(());
        }
        if self.fails {
            return Err(HookError("it fails".into()));
        }
        entry.message = MessageUid::from_bytes([7; 16]);
        Ok(())
    }
}

/// Refuses the poisoned mail for good.
#[derive(Debug)]
struct Picky;

#[async_trait]
impl InteractionSink for Picky {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        if delivery.record.subject == "Poison" {
            return Err(Error::new(&codes::SINK_FAILED, "put"));
        }
        Ok(Vec::new())
    }
}

/// The kinds of poison, with where the mail is in the end and by what reason.
const KINDS: [(&str, [usize; 3], &str); 10] = [
    ("no mail at all", [0, 7, 1], "unreadable"),
    ("a header without end", [0, 7, 1], "limit-exceeded"),
    ("a fetch that fails for good", [0, 7, 1], "unreadable"),
    ("a fetch that always fails", [0, 7, 1], "attempts-exhausted"),
    ("an unknown answer", [0, 7, 1], "attempts-exhausted"),
    ("a row that the store refuses", [0, 7, 1], "row-refused"),
    ("a hook that fails", [0, 7, 1], "hook-failed"),
    ("a move that always fails", [1, 7, 0], ""),
    ("a call of moves that always fails", [1, 7, 0], ""),
    ("a sink that refuses", [1, 7, 0], ""),
];

fn poison(kind: &str) -> Vec<u8> {
    match kind {
        "no mail at all" => vec![0xff; 100],
        "a header without end" => {
            let endless = format!("X-Long: {}\r\n", "x".repeat(2 << 20));
            mail("ada@contacts.example", "Poison", "poison@x", &endless)
        }
        _ => mail("ada@contacts.example", "Poison", "poison@x", ""),
    }
}

fn builder(office: &Office, kind: &str) -> EmailLoggerBuilder {
    let source = |poison| {
        let source = office.source.clone();
        office
            .builder()
            .with_source(Arc::new(Poisoned { source, poison }))
    };
    match kind {
        "a fetch that fails for good" => source(Poison::Fetch(&codes::EWS_ITEM_DAMAGED)),
        "a fetch that always fails" => source(Poison::Fetch(&codes::EWS_UNAVAILABLE)),
        "an unknown answer" => source(Poison::Fetch(&codes::EWS_UNKNOWN_CODE)),
        "a move that always fails" => source(Poison::Move(&codes::EWS_MOVE_FAILED)),
        "a call of moves that always fails" => source(Poison::WholeMove),
        "a row that the store refuses" => {
            office.builder().with_hooks(Arc::new(Hook { fails: false }))
        }
        "a hook that fails" => office.builder().with_hooks(Arc::new(Hook { fails: true })),
        "a sink that refuses" => office.builder().with_sink(Arc::new(Picky)),
        _ => office.builder(),
    }
}

/// Runs a day apart; each delivers a mail more. Answers the reports.
async fn runs(office: &Office, kind: &str) -> Vec<RunReport> {
    let logger = builder(office, kind).build().unwrap();
    let mut reports = Vec::new();
    for round in 0..10 {
        if round < MAILS - 3 {
            office.deliver_numbers(round + 3..round + 4);
        }
        let report = match logger.run_once().await {
            Ok(report) => report,
            Err(failed) => *failed.report,
        };
        assert!(report.closes(), "{kind} {report:?}");
        reports.push(report);
        office.clock.advance(Duration::from_hours(25));
    }
    reports
}

async fn of_the_others(office: &Office, poisoned: &SightingKey) -> Vec<String> {
    let lines = everything(office.store.as_ref()).await.into_iter();
    let poisoned = poisoned.to_string();
    let mut lines: Vec<_> = lines
        .filter(|line| !line.contains("Poison") && !line.starts_with(&poisoned))
        // The keys of later mails depend on how often something moved before.
        .map(|line| match line.strip_prefix("search-key:") {
            Some(decision) => decision.split_once(' ').unwrap().1.to_owned(),
            None => line,
        })
        .collect();
    lines.sort();
    lines
}

async fn reason(office: &Office, key: &SightingKey) -> String {
    let (scope, filter) = (Scope::default(), DecisionFilter::default());
    let decisions = office.store.decisions(&scope, &filter, None, 100).await;
    let mut decisions = decisions.unwrap().rows.into_iter();
    let decision = decisions.find(|it| it.sighting == *key);
    decision.map(|it| it.reason).unwrap_or_default()
}

#[tokio::test]
async fn a_mail_that_fails_in_any_way_changes_nothing_for_the_others() {
    for (kind, places, expected) in KINDS {
        let (with, without) = (Office::new().await, Office::new().await);
        for office in [&with, &without] {
            office.deliver(poison(kind));
            office.deliver_numbers(0..3);
        }
        let poisoned = with.source.items(&queue()).remove(0);
        let taken = without.source.items(&queue()).remove(0);
        assert!(without.source.take_away(&taken.item));
        let reports = runs(&with, kind).await;
        runs(&without, kind).await;
        let (left, right) = (
            of_the_others(&with, &poisoned.key).await,
            of_the_others(&without, &poisoned.key).await,
        );
        assert_eq!(left, right, "{kind}");
        assert_eq!(with.places(), places, "{kind}");
        assert_eq!(without.places(), [0, 7, 0]);
        assert_eq!(reason(&with, &poisoned.key).await, expected, "{kind}");
        let moved: u64 = reports.iter().map(|report| report.moved).sum();
        assert_eq!(moved, (places[1] + places[2]) as u64, "{kind}");
    }
}

#[tokio::test]
async fn a_mail_is_tried_eight_times_with_growing_waits_of_its_own() {
    let office = Office::new().await;
    office.deliver(poison("a fetch that always fails"));
    let logger = builder(&office, "a fetch that always fails")
        .build()
        .unwrap();
    let mut waits = Vec::new();
    for attempt in 1..=8_u32 {
        let report = logger.run_once().await.unwrap();
        let expected = if attempt < 8 { (1, 0) } else { (0, 1) };
        assert_eq!((report.pending, report.quarantined), expected, "{attempt}");
        if attempt == 8 {
            break;
        }
        let early = logger.run_once().await.unwrap();
        assert_eq!((early.deferred, early.fetched), (1, 0), "it waits");
        let mut minutes = 0;
        loop {
            office.clock.advance(Duration::from_mins(1));
            minutes += 1;
            let item = office.source.items(&queue()).remove(0);
            let (scope, mailbox) = (Scope::default(), "queue".into());
            let keys = [item.key];
            let known = office.store.known(&scope, &mailbox, &keys).await.unwrap();
            let due = known[0].as_ref().unwrap().next_try.unwrap();
            if due <= email_logging::clock::Clock::now(&office.clock) {
                break;
            }
        }
        waits.push(minutes);
    }
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64]);
    assert_eq!(office.places(), [0, 0, 1]);
}

fn key_in(source: &MemorySource, name: &str) -> SightingKey {
    source.items(&folder(name)).remove(0).key
}

#[tokio::test]
async fn a_mail_waits_for_a_missing_quarantine_folder_and_the_others_go_on() {
    let office = Office::new().await;
    let source = MemorySource::new();
    let source = source.with_folder(&queue()).with_folder(&storage());
    let mut office = office.with_source(|_| source);
    office.deliver("unreadable");
    office.deliver_numbers(0..3);
    let logger = office.logger();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.quarantined), (3, 1), "{report:?}");
    assert_eq!(office.places(), [1, 3, 0]);
    assert_eq!(report.moves_pending, 1);
    office.deliver_numbers(3..4);
    let early = logger.run_once().await.unwrap();
    assert_eq!((early.logged, early.moves_pending), (1, 0), "it waits");
    office.clock.advance(Duration::from_mins(2));
    let again = logger.run_once().await.unwrap();
    assert_eq!(again.moves_pending, 1, "{again:?}");
    office.source = office.source.clone().with_folder(&quarantine());
    office.clock.advance(Duration::from_hours(1));
    let found = logger.run_once().await.unwrap();
    assert_eq!((found.recovered, office.places()), (1, [0, 4, 1]));
}

#[tokio::test]
async fn a_quarantine_folder_that_is_gone_in_the_middle_stops_no_other_mail() {
    for later in [false, true] {
        let office = Office::new().await;
        office.deliver_numbers(0..3);
        let logger = office.logger();
        logger.run_once().await.unwrap();
        office.deliver("unreadable");
        office.deliver_numbers(3..5);
        if later {
            // Its move is planned, and the look of the recovery finds no folder.
            let lost = SourceFault::Error(error(&codes::HTTP_CONNECT));
            office.source.fail_next(SourceOperation::MoveTo, lost);
            logger.run_once().await.unwrap_err();
            let lost = SourceFault::Error(error(&codes::SOURCE_FOLDER_NOT_FOUND));
            office.source.fail_next(SourceOperation::Locate, lost);
        } else {
            let to_quarantine = office.source.count(SourceOperation::MoveTo) as u64 + 2;
            for nth in to_quarantine - 1..=to_quarantine {
                let lost = SourceFault::Error(error(&codes::SOURCE_FOLDER_NOT_FOUND));
                if nth == to_quarantine - 1 {
                    office.source.fail_call(SourceOperation::MoveTo, nth, lost);
                }
            }
        }
        let report = logger.run_once().await;
        let report = report.unwrap_or_else(|failed| panic!("{later} {failed:?}"));
        assert!(report.closes() && report.moves_pending == 1, "{report:?}");
        office.clock.advance(Duration::from_hours(1));
        logger.run_once().await.unwrap();
        assert_eq!(office.places(), [0, 5, 1], "{later}");
    }
}

#[tokio::test]
async fn a_quarantine_move_with_a_lost_reply_is_looked_for_and_not_repeated() {
    let office = Office::new().await;
    office.deliver("unreadable");
    let lost = SourceFault::LostReply(error(&codes::HTTP_TIMEOUT));
    office.source.fail_next(SourceOperation::MoveTo, lost);
    office.run().await.unwrap_err();
    let moves = office.source.count(SourceOperation::MoveTo);
    let report = office.run().await.unwrap();
    assert_eq!((report.recovered, report.duplicate_copies), (1, 0));
    assert_eq!(office.source.count(SourceOperation::MoveTo), moves);
    assert_eq!(office.places(), [0, 0, 1]);
}

#[tokio::test]
async fn a_busy_server_keeps_the_quarantine_move_planned() {
    let office = Office::new().await;
    office.deliver("unreadable");
    let busy = error(&codes::EWS_THROTTLED).with_retry_after(Duration::from_mins(30));
    let fault = SourceFault::ItemFailed(0, busy);
    office.source.fail_next(SourceOperation::MoveTo, fault);
    assert_eq!(office.run().await.unwrap().moves_pending, 1);
    office.clock.advance(Duration::from_mins(29));
    assert_eq!(office.run().await.unwrap().recovered, 0, "not before");
    office.clock.advance(Duration::from_mins(1));
    assert_eq!(office.run().await.unwrap().recovered, 1);
}

#[tokio::test]
async fn a_copy_of_a_mail_that_was_set_aside_follows_it() {
    let office = Office::new().await;
    office.deliver("unreadable");
    let item = office.source.items(&queue()).remove(0);
    office.source.copy_by_hand(&item.item, &queue()).unwrap();
    let report = office.run().await.unwrap();
    assert_eq!((report.quarantined, office.places()), (2, [0, 0, 2]));
    let item = office.source.items(&quarantine()).remove(0);
    office.source.copy_by_hand(&item.item, &queue()).unwrap();
    let report = office.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.quarantined, report.already_logged), (1, 0));
    assert_eq!(office.places(), [0, 0, 3]);
    let report = office.run().await.unwrap();
    assert_eq!((report.listed, report.moved), (0, 0), "{report:?}");
}

#[tokio::test]
async fn a_mail_that_is_requeued_comes_back_from_the_quarantine_folder() {
    let office = Office::new().await;
    office.deliver(poison("a hook that fails"));
    let failing = builder(&office, "a hook that fails").build().unwrap();
    failing.run_once().await.unwrap();
    assert_eq!(office.places(), [0, 0, 1]);
    let key = key_in(&office.source, "Quarantine");
    let report = office
        .logger()
        .requeue(std::slice::from_ref(&key))
        .await
        .unwrap();
    assert_eq!((report.requeued, report.moved_back), (1, 1), "{report:?}");
    assert_eq!(office.places(), [1, 0, 0]);
    let again = office
        .logger()
        .requeue(std::slice::from_ref(&key))
        .await
        .unwrap();
    assert_eq!((again.requeued, again.in_queue), (0, 1), "{again:?}");
    assert_eq!(office.run().await.unwrap().logged, 1);
    assert_eq!(office.places(), [0, 1, 0]);
    let logged = office.logger().requeue(&[key]).await.unwrap();
    assert_eq!(logged, RequeueReport::default(), "what is logged stays");
}

#[tokio::test]
async fn a_requeue_that_failed_halfway_is_finished_when_it_is_asked_again() {
    let faults: [fn() -> SourceFault; 3] = [
        || SourceFault::Error(error(&codes::HTTP_CONNECT)),
        || SourceFault::LostReply(error(&codes::HTTP_TIMEOUT)),
        || SourceFault::ItemFailed(0, error(&codes::EWS_MOVE_FAILED)),
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        let office = Office::new().await;
        office.deliver("unreadable");
        office.run().await.unwrap();
        let key = key_in(&office.source, "Quarantine");
        office.source.fail_next(SourceOperation::MoveTo, fault());
        match office.logger().requeue(std::slice::from_ref(&key)).await {
            Ok(report) => assert_eq!((report.failed, report.moved_back), (1, 0)),
            Err(failed) => assert!(failed.is_transient(), "{failed:?}"),
        }
        let again = office.logger().requeue(&[key]).await.unwrap();
        assert_eq!(again.moved_back + again.in_queue, 1, "{number} {again:?}");
        assert_eq!(office.places(), [1, 0, 0], "{number}");
    }
}

#[tokio::test]
async fn a_requeued_mail_that_a_person_moved_is_left_where_it_is() {
    let office = Office::new().await;
    office.deliver("unreadable");
    office.run().await.unwrap();
    let key = key_in(&office.source, "Quarantine");
    let item = office.source.items(&quarantine()).remove(0);
    let elsewhere = folder("Elsewhere");
    office.source.move_by_hand(&item.item, &elsewhere).unwrap();
    let report = office.logger().requeue(&[key]).await.unwrap();
    assert_eq!((report.requeued, report.not_found), (1, 1), "{report:?}");
    assert_eq!(office.count(&elsewhere), 1);
    assert!(office.source.removed().is_empty());
}

#[tokio::test]
async fn without_a_quarantine_folder_a_requeued_mail_is_in_the_queue() {
    let office = Office::new().await;
    office.deliver(poison("a hook that fails"));
    let logger = |hook: Option<Hook>| {
        let plain = email_logging::EmailLogger::builder()
            .with_source(Arc::new(office.source.clone()))
            .with_directory(Arc::new(office.directory.clone()))
            .with_store(Arc::clone(&office.store))
            .with_clock(Arc::new(office.clock.clone()))
            .with_settings(small_batches())
            .with_queue_folder(queue())
            .with_storage_folder(storage());
        let builder = match hook {
            Some(hook) => plain.with_hooks(Arc::new(hook)),
            None => plain,
        };
        builder.build().unwrap()
    };
    logger(Some(Hook { fails: true })).run_once().await.unwrap();
    let key = key_in(&office.source, "Queue");
    let report = logger(None).requeue(&[key]).await.unwrap();
    assert_eq!((report.requeued, report.in_queue), (1, 1), "{report:?}");
    assert_eq!(logger(None).run_once().await.unwrap().logged, 1);
}

/// The id of an entry does not depend on the round in which its mail was logged.
#[tokio::test]
async fn a_mail_that_is_logged_after_its_requeue_has_the_entry_it_would_have_had() {
    let ids = |office: &Office| {
        let store = Arc::clone(&office.store);
        async move {
            let lines = everything(store.as_ref()).await;
            let id = lines.iter().find(|line| line.contains("Poison")).unwrap();
            id.split(' ').next().unwrap().parse::<EntryId>().unwrap()
        }
    };
    let (late, at_once) = (Office::new().await, Office::new().await);
    for office in [&late, &at_once] {
        office.deliver(poison("a hook that fails"));
    }
    at_once.run().await.unwrap();
    let failing = builder(&late, "a hook that fails").build().unwrap();
    failing.run_once().await.unwrap();
    let key = key_in(&late.source, "Quarantine");
    late.logger().requeue(&[key]).await.unwrap();
    late.run().await.unwrap();
    assert_eq!(ids(&late).await, ids(&at_once).await);
}
