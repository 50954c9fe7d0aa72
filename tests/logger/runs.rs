//! Whole runs without faults.

use std::sync::Arc;

use email_logging::decision::LoggingPolicy;
use email_logging::logger::{RunSettings, Skipped};
use email_logging::message::MailFacts;
use email_logging::setup::EmailLoggingSetup;
use email_logging::source::memory::SourceOperation;
use email_logging::source::{FolderPath, MemorySource, SourceCapabilities};
use email_logging::store::{DecisionFilter, InteractionLog as _, SetupStore as _};
use email_logging::{EmailLogger, Scope};

use crate::bench::{Bench, mail, mail_with, queue, storage};

#[tokio::test]
async fn a_run_logs_everything_and_its_counts_close() {
    let bench = Bench::new();
    bench.deliver(mail(
        "ah@ours.example",
        "ada@contacts.example",
        "Out",
        "1@x",
    ));
    bench.deliver(mail(
        "ada@contacts.example",
        "ah@ours.example, bk@ours.example",
        "In",
        "2@x",
    ));
    bench.deliver(mail(
        "nobody@else.example",
        "ah@ours.example",
        "Stranger",
        "3@x",
    ));
    let private = "Sensitivity: Private\r\n";
    bench.deliver(mail_with(
        "ah@ours.example",
        "ada@contacts.example",
        "P",
        "4@x",
        private,
        "",
    ));
    bench.deliver("no mail at all");
    let report = bench.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!((report.listed, report.fetched, report.entries), (5, 5, 3));
    assert_eq!(
        (report.logged, report.not_matched, report.excluded),
        (2, 1, 1)
    );
    assert_eq!((report.quarantined, report.moved), (1, 4));
    let entries: Vec<_> = bench.entries().await;
    let expected = [
        ("In", "inbound", "C1", "AH"),
        ("In", "inbound", "C1", "BK"),
        ("Out", "outbound", "C1", "AH"),
    ];
    let expected = expected.map(|(a, b, c, d)| (a.to_owned(), b, c.to_owned(), d.to_owned()));
    assert_eq!(entries, expected);
    assert_eq!(
        (bench.queued(), bench.stored()),
        (1, 4),
        "the unreadable one waits for a person"
    );
    let again = bench.run().await.unwrap();
    assert_eq!(
        (again.listed, again.deferred, again.fetched),
        (1, 1, 0),
        "{again:?}"
    );
}

#[tokio::test]
async fn the_batch_size_is_exact() {
    let bench = Bench::new();
    bench.deliver_numbers(0..20);
    let mut settings = RunSettings::default();
    (settings.batch_size, settings.fetch_batch) = (7, 3);
    let report = bench.run_with(settings.clone()).await.unwrap();
    assert_eq!((report.listed, report.logged, report.moved), (7, 7, 7));
    assert!(report.closes());
    assert_eq!(bench.queued(), 13);
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!((report.logged, bench.queued()), (7, 6));
}

#[tokio::test]
async fn requests_are_counted() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1000);
    let logger = bench.builder().build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (1000, 1000));
    let count = |operation| bench.source.count(operation);
    assert_eq!(count(SourceOperation::List), 1);
    assert_eq!(count(SourceOperation::Fetch), 20);
    assert_eq!(count(SourceOperation::MoveTo), 20);
    let before = bench.source.calls().len();
    logger.run_once().await.unwrap();
    assert_eq!(
        bench.source.calls().len() - before,
        1,
        "an idle poll is one request"
    );
}

#[tokio::test]
async fn a_queue_of_many_pages_is_emptied_with_a_look_ahead() {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 100;
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..1030);
    let report = bench.run().await.unwrap();
    assert!(report.closes());
    bench.assert_all_stored_and_logged_once(1030).await;
    let lists = bench.source.count(SourceOperation::List);
    assert!(
        (11..=14).contains(&lists),
        "{lists} listings of 100 for 1030 mails"
    );
}

#[tokio::test]
async fn mails_that_stay_in_the_queue_do_not_hide_the_others() {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 5;
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    for _ in 0..17 {
        bench.deliver("unreadable");
    }
    bench.deliver_numbers(0..9);
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, report.quarantined), (9, 17), "{report:?}");
    assert_eq!(report.already_logged, 0);
    bench.deliver_numbers(9..12);
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, bench.stored()), (3, 12), "{report:?}");
}

#[tokio::test]
async fn while_logging_is_disabled_no_request_is_made() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let mut setup = EmailLoggingSetup::default();
    bench
        .store
        .save_setup(&Scope::default(), &setup, 0)
        .await
        .unwrap();
    let report = bench.run().await.unwrap();
    assert_eq!(report.skipped, Some(Skipped::LoggingDisabled));
    assert!(bench.source.calls().is_empty());
    setup.enabled = true;
    bench
        .store
        .save_setup(&Scope::default(), &setup, 1)
        .await
        .unwrap();
    assert_eq!(bench.run().await.unwrap().logged, 1);
}

#[tokio::test]
async fn the_stored_setup_names_the_folders_and_the_batch_size() {
    let bench = Bench::new();
    bench.deliver_numbers(0..5);
    let mut setup = EmailLoggingSetup::default();
    setup.enabled = true;
    setup.queue_folder = Some(queue());
    setup.storage_folder = Some(storage());
    setup.email_batch_size = 2;
    bench
        .store
        .save_setup(&Scope::default(), &setup, 0)
        .await
        .unwrap();
    let logger = EmailLogger::builder()
        .with_source(Arc::new(bench.source.clone()))
        .with_directory(bench.company.clone())
        .with_store(bench.store.clone())
        .build()
        .unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 2);
    setup.storage_folder = Some(queue());
    bench
        .store
        .save_setup(&Scope::default(), &setup, 1)
        .await
        .unwrap();
    let error = logger.run_once().await.unwrap_err();
    assert_eq!(error.error.code(), "setup.queue_equals_storage");
    assert_eq!(bench.stored(), 2);
}

#[tokio::test]
async fn what_cannot_work_is_refused_before_it_runs() {
    let bench = Bench::new();
    let code =
        |builder: email_logging::logger::EmailLoggerBuilder| builder.build().unwrap_err().code();
    assert_eq!(code(EmailLogger::builder()), "config.missing");
    assert_eq!(
        code(bench.builder().with_storage_folder(queue())),
        "setup.queue_equals_storage"
    );
    assert_eq!(
        code(bench.builder().with_quarantine_folder(queue())),
        "setup.queue_equals_storage"
    );
    let mut settings = RunSettings::default();
    settings.fetch_batch = 0;
    assert_eq!(
        code(bench.builder().with_settings(settings)),
        "config.invalid"
    );
    let mut policy = LoggingPolicy::default();
    policy.unmatched = email_logging::decision::Unmatched::CreateContact;
    assert_eq!(code(bench.builder().with_policy(policy)), "config.missing");
}

#[tokio::test]
async fn a_missing_folder_is_named_and_nothing_happens() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let missing: FolderPath = r"\Email Logging\Nowhere\".parse().unwrap();
    let logger = bench
        .builder()
        .with_storage_folder(missing)
        .build()
        .unwrap();
    let error = logger.run_once().await.unwrap_err();
    assert_eq!(error.step.code(), "opening-storage-folder");
    assert_eq!(error.error.kind(), email_logging::ErrorKind::NotFound);
    assert_eq!((bench.queued(), bench.mails().await.len()), (1, 0));
}

#[tokio::test]
async fn a_dry_run_decides_and_changes_nothing() {
    let bench = Bench::new();
    bench.deliver(mail(
        "ah@ours.example",
        "ada@contacts.example, bob@contacts.example",
        "A",
        "1@x",
    ));
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    let dry = bench.builder().build().unwrap().dry_run().await.unwrap();
    assert!(dry.report.closes());
    assert_eq!(
        (
            dry.report.logged,
            dry.report.entries,
            dry.report.not_matched
        ),
        (1, 2, 1)
    );
    let outcomes: Vec<_> = dry
        .mails
        .iter()
        .map(|mail| mail.decision.outcome.code())
        .collect();
    assert_eq!(outcomes, ["logged", "not-matched"]);
    assert_eq!(dry.mails[0].subject.as_deref(), Some("A"));
    assert_eq!(
        (bench.queued(), bench.stored(), bench.mails().await.len()),
        (2, 0, 0)
    );
    bench.run().await.unwrap();
    let known = bench.builder().build().unwrap().dry_run().await.unwrap();
    assert_eq!(known.report.listed, 0);
}

#[tokio::test]
async fn explain_needs_no_mail_source() {
    let bench = Bench::new();
    let logger = bench.builder().build().unwrap();
    let original = mail("ah@ours.example", "ada@contacts.example", "A", "1@x");
    let decision = logger
        .explain(&original, &MailFacts::default())
        .await
        .unwrap();
    assert_eq!(decision.outcome.code(), "logged");
    assert!(!decision.steps.is_empty());
    let decision = logger
        .explain(b"garbage", &MailFacts::default())
        .await
        .unwrap();
    assert_eq!(decision.outcome.reason(), "unreadable");
    assert!(bench.source.calls().is_empty());
}

#[tokio::test]
async fn business_central_deletes_what_it_does_not_log() {
    let bench = Bench::new();
    bench.deliver(mail("ah@ours.example", "ada@contacts.example", "A", "1@x"));
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    let policy = LoggingPolicy::business_central();
    let report = bench
        .builder()
        .with_policy(policy)
        .build()
        .unwrap()
        .run_once()
        .await
        .unwrap();
    assert_eq!(
        (report.logged, report.moved, report.deleted),
        (1, 1, 1),
        "{report:?}"
    );
    assert_eq!((bench.queued(), bench.stored()), (0, 1));
    assert_eq!(bench.source.removed().len(), 1);
}

#[tokio::test]
async fn the_default_policy_never_removes() {
    let bench = Bench::new();
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    bench.deliver("unreadable");
    bench.run().await.unwrap();
    assert_eq!(bench.source.count(SourceOperation::Remove), 0);
}

#[tokio::test]
async fn a_large_mail_is_staged_and_read_back_bit_for_bit() {
    let bench = Bench::new();
    let body: String = (0..200_000)
        .map(|line| format!("line {line} of a long mail\r\n"))
        .collect();
    let original = mail_with(
        "ada@contacts.example",
        "ah@ours.example",
        "Large",
        "1@x",
        "",
        &body,
    );
    assert!(original.len() > 4 << 20);
    bench.deliver(original.clone());
    bench.deliver_numbers(0..3);
    assert_eq!(bench.run().await.unwrap().logged, 4);
    let mails = bench.mails().await;
    let large = mails
        .iter()
        .find(|mail| mail.record.subject == "Large")
        .unwrap();
    let part = bench
        .store
        .original(&Scope::default(), &large.message, 0..u64::MAX)
        .await
        .unwrap();
    assert_eq!(part.total, original.len() as u64);
    assert!(part.bytes == original);
}

#[tokio::test]
async fn a_mail_beyond_the_limit_is_set_aside_and_stays_in_exchange() {
    let bench = Bench::new();
    let body = "x".repeat(20_000);
    bench.deliver(mail_with(
        "ada@contacts.example",
        "ah@ours.example",
        "L",
        "1@x",
        "",
        &body,
    ));
    bench.deliver_numbers(0..1);
    let mut settings = RunSettings::default();
    settings.limits.message_bytes = 10_000;
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!(report.reasons.get("quarantined/limit-exceeded"), Some(&1));
    assert_eq!((report.logged, bench.queued(), bench.stored()), (1, 1, 1));
}

#[tokio::test]
async fn a_damaged_mail_is_logged_from_the_servers_facts() {
    let bench = Bench::new();
    let mut facts = MailFacts::default();
    facts.from = Some(email_logging::message::FactAddress::smtp(
        "ada@contacts.example",
    ));
    facts.to = vec![email_logging::message::FactAddress::smtp("ah@ours.example")];
    facts.subject = Some("Damaged".into());
    let item = bench.source.deliver(&queue(), "?", facts);
    bench.source.damage(&item);
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, bench.stored()), (1, 1), "{report:?}");
    let mails = bench.mails().await;
    assert!(
        mails[0]
            .record
            .flags
            .contains(&"original-missing".to_owned())
    );
    let original = bench
        .store
        .original(&Scope::default(), &mails[0].message, 0..1)
        .await;
    assert_eq!(
        original.unwrap_err().kind(),
        email_logging::ErrorKind::NotFound
    );
}

#[tokio::test]
async fn every_mail_has_a_stored_decision() {
    let bench = Bench::new();
    bench.deliver(mail("ah@ours.example", "ada@contacts.example", "A", "1@x"));
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    bench.deliver("unreadable");
    bench.run().await.unwrap();
    let filter = DecisionFilter::default();
    let page = bench
        .store
        .decisions(&Scope::default(), &filter, None, 10)
        .await
        .unwrap();
    let mut outcomes: Vec<_> = page
        .rows
        .iter()
        .map(|row| {
            (
                row.outcome.as_str(),
                row.reason.as_str(),
                row.steps.is_empty(),
            )
        })
        .collect();
    outcomes.sort_unstable();
    let expected = [
        ("logged", "", false),
        ("not-matched", "unknown-sender", false),
        ("quarantined", "unreadable", false),
    ];
    assert_eq!(outcomes, expected);
}

#[tokio::test]
async fn mail_that_is_not_logged_goes_to_a_folder_of_its_own_where_configured() {
    let bench = Bench::new();
    let other: FolderPath = r"\Email Logging\Not logged\".parse().unwrap();
    let bench = bench.with_source(|source: MemorySource| source.with_folder(&other));
    bench.deliver(mail("ah@ours.example", "ada@contacts.example", "A", "1@x"));
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    bench.deliver("unreadable");
    let logger = bench
        .builder()
        .with_not_logged_folder(other.clone())
        .with_quarantine_folder(crate::bench::quarantine())
        .build()
        .unwrap();
    logger.run_once().await.unwrap();
    assert_eq!((bench.queued(), bench.stored()), (0, 1));
    assert_eq!(bench.source.items(&other).len(), 1);
    assert_eq!(bench.source.items(&crate::bench::quarantine()).len(), 1);
}

#[tokio::test]
async fn each_participant_is_kept_with_whether_it_is_the_companys_own() {
    let bench = Bench::new();
    let copied = "Cc: x@own.example, y@else.example\r\n";
    let (ada, ah) = ("ada@contacts.example", "ah@ours.example");
    bench.deliver(mail_with(ada, ah, "Own", "1@x", copied, ""));
    let mut policy = LoggingPolicy::default();
    policy.own_domains.insert("own.example".into());
    let logger = bench.builder().with_policy(policy).build().unwrap();
    logger.run_once().await.unwrap();
    let mail = bench.mails().await.remove(0);
    let own = mail.record.participants.iter();
    let own: Vec<_> = own.map(|it| (it.address.as_str(), it.own)).collect();
    let expected = [
        (ada, false),
        (ah, true),
        ("x@own.example", true),
        ("y@else.example", false),
    ];
    assert_eq!(own, expected);
}
