//! Bad answers, bad settings, bad servers: typed errors, and nothing lost.

use std::sync::Arc;
use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::logger::RunSettings;
use email_logging::source::FolderPath;
use email_logging::store::{SqliteOptions, SqliteStore};
use email_logging::testkit::exchange::{Fault, FaultKind, FolderRights, Operation};

use crate::setting::{STORAGE, Setting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_bad_answer_is_a_typed_error_or_healed_and_nothing_is_lost() {
    let kinds: Vec<(FaultKind, &[&str])> = vec![
        (
            FaultKind::TruncateBody(200),
            &["http.closed", "ews.xml_invalid"],
        ),
        (FaultKind::WrongNamespace, &["ews.not_soap"]),
        (FaultKind::DoctypeBody, &["ews.xml_forbidden"]),
        (
            FaultKind::NestedElements(100_000),
            &["ews.xml_limit", "ews.not_soap"],
        ),
        (FaultKind::HtmlPage, &["ews.not_soap"]),
        (FaultKind::DropBefore, &["http.closed", "http.connect"]),
        (FaultKind::LoseReply, &["http.closed"]),
    ];
    for (kind, codes) in kinds {
        for operation in [Operation::FindItem, Operation::GetItem, Operation::MoveItem] {
            let setting = Setting::new().await;
            setting.deliver_numbers(0..5, 500);
            let source = setting.source_builder().with_repeats(0).build().unwrap();
            let logger = setting.builder_on(source).build().unwrap();
            setting
                .exchange
                .inject(Fault::new(kind.clone()).on(operation));
            let first = logger.run_once().await;
            if let Err(failed) = &first {
                let code = failed.error.code();
                assert!(codes.contains(&code), "{kind:?} {operation:?}: {failed:?}");
                assert!(failed.report.closes(), "{failed:?}");
            } else {
                panic!("{kind:?} at {operation:?} went unnoticed");
            }
            let second = logger.run_once().await.unwrap();
            assert!(second.closes(), "{second:?}");
            assert_eq!(
                (setting.queued(), setting.stored()),
                (0, 5),
                "{kind:?} {operation:?}"
            );
            let sum = first.unwrap_err().report.logged + second.logged;
            assert_eq!(sum, 5, "{kind:?} {operation:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_server_holds_every_call_and_the_run_goes_on() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..30, 500);
    let back_off = Duration::from_millis(200);
    for operation in [Operation::FindItem, Operation::GetItem, Operation::MoveItem] {
        setting
            .exchange
            .inject(Fault::new(FaultKind::ServerBusy { back_off }).on(operation));
    }
    let report = setting.builder().build().unwrap().run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (30, 30), "{report:?}");
    assert_eq!(setting.exchange.faults_fired().len(), 3);
    assert_eq!(setting.exchange.statistics().back_off_violations, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_name_the_schemes_and_nothing_is_touched() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..2, 500);
    let wrong = email_logging::credential::StaticCredentials::new()
        .with_password(crate::setting::USER, "wrong");
    let source = setting
        .source_builder()
        .with_basic(std::sync::Arc::new(wrong))
        .build()
        .unwrap();
    let failed = setting
        .builder_on(source)
        .build()
        .unwrap()
        .run_once()
        .await
        .unwrap_err();
    assert_eq!(failed.error.kind(), ErrorKind::Unauthenticated);
    let server = failed.error.server().unwrap();
    assert_eq!(server.status, Some(401));
    assert!(
        server
            .offered_schemes
            .iter()
            .any(|scheme| scheme.starts_with("Basic")),
        "{server:?}"
    );
    let printed = format!("{failed} {failed:?}");
    assert!(
        !printed.contains("wrong") && !printed.contains("svc@"),
        "{printed}"
    );
    assert_eq!(setting.queued(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missing_folders_and_rights_are_named() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..2, 500);
    let missing: FolderPath = r"\Email Logging\Nowhere\".parse().unwrap();
    let logger = setting
        .builder()
        .with_queue_folder(missing)
        .build()
        .unwrap();
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(
        (failed.step.code(), failed.error.code()),
        ("opening-queue-folder", "ews.folder_not_found")
    );
    setting
        .exchange
        .set_rights(STORAGE, FolderRights::REVIEWER)
        .unwrap();
    let logger = setting.builder().build().unwrap();
    let result = logger.run_once().await;
    let told = match &result {
        Ok(report) => report.moves_pending == 2,
        Err(failed) => failed.error.kind() == ErrorKind::PermissionDenied,
    };
    assert!(told, "{result:?}");
    assert_eq!(
        (setting.queued(), setting.stored()),
        (2, 0),
        "what cannot move stays"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_untrusted_server_gets_no_credentials() {
    use email_logging::testkit::exchange::TlsCertificate;
    for (certificate, code) in [
        (TlsCertificate::WrongHost, "http.tls_host"),
        (TlsCertificate::Expired, "http.tls_expired"),
        (TlsCertificate::SelfSigned, "http.tls_untrusted"),
    ] {
        let setting = Setting::with(|builder| builder.with_tls(certificate)).await;
        setting.deliver_numbers(0..1, 500);
        let source = setting.source_builder().with_repeats(0).build().unwrap();
        let failed = setting
            .builder_on(source)
            .build()
            .unwrap()
            .run_once()
            .await
            .unwrap_err();
        assert_eq!(failed.error.code(), code, "{certificate:?}: {failed:?}");
        assert_eq!(setting.exchange.statistics().requests, 0, "{certificate:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_folder_is_found_by_its_id_while_the_logger_lives() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..1, 500);
    let logger = setting.builder().build().unwrap();
    assert_eq!(logger.run_once().await.unwrap().logged, 1);
    setting.exchange.rename_folder(STORAGE, "Kept").unwrap();
    setting.deliver_numbers(1..3, 500);
    assert_eq!(logger.run_once().await.unwrap().moved, 2);
    assert_eq!(setting.exchange.count(r"\Email Logging\Kept\").unwrap(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_beyond_the_limit_is_refused_and_nothing_is_lost() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..3, 500);
    let source = setting
        .source_builder()
        .with_answer_limit(1 << 20)
        .with_repeats(0);
    let logger = setting.builder_on(source.build().unwrap()).build().unwrap();
    setting
        .exchange
        .inject(Fault::new(FaultKind::OversizeBody(2 << 20)).on(Operation::GetItem));
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "http.response_too_large");
    assert!(failed.report.closes(), "{failed:?}");
    let second = logger.run_once().await.unwrap();
    assert_eq!(
        failed.report.logged + second.logged,
        3,
        "what came whole before it counts"
    );
    assert_eq!((setting.queued(), setting.stored()), (0, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storage_folder_that_is_the_queue_under_another_spelling_is_refused() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..1, 500);
    let same: FolderPath = r"\EMAIL LOGGING\queue\".parse().unwrap();
    let logger = setting.builder().with_storage_folder(same).build().unwrap();
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "setup.queue_equals_storage");
    assert_eq!(setting.queued(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_store_ends_the_run_and_nothing_moves_that_is_not_logged() {
    let setting = Setting::new().await;
    setting.deliver_numbers(0..40, 60_000);
    let file = setting.directory.path().join("small.sqlite");
    let options = SqliteOptions::default().with_max_bytes(2_500_000);
    let small = SqliteStore::open_with(&file, options).unwrap();
    small.migrate().await.unwrap();
    let small = Arc::new(small);
    let mut settings = RunSettings::default();
    settings.fetch_batch = 5;
    let builder = setting
        .builder()
        .with_store(Arc::clone(&small))
        .with_settings(settings);
    let failed = builder.build().unwrap().run_once().await.unwrap_err();
    assert_eq!(failed.error.code(), "store.full", "{failed:?}");
    assert!(failed.report.closes(), "{failed:?}");
    assert!(
        failed.report.logged > 0 && failed.report.logged < 40,
        "{failed:?}"
    );
    assert!(
        setting.stored() as u64 <= failed.report.logged,
        "log before move"
    );
    small.close();
    let roomy = SqliteStore::open(&file).unwrap();
    let builder = setting.builder().with_store(Arc::new(roomy));
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!(failed.report.logged + report.logged, 40, "{report:?}");
    assert_eq!((setting.queued(), setting.stored()), (0, 40));
}
