//! Everything on the wire of whole runs fits Exchange's official schema.

use std::path::Path;
use std::process::Command;

use email_logging::decision::LoggingPolicy;
use email_logging::source::MailFolders as _;
use email_logging::testkit::exchange::{
    Delivery, Fault, FaultKind, Operation, ServerVersion, SimulatedExchangeBuilder,
};

use crate::corpus::vectors;
use crate::setting::{QUEUE, Setting, numbered};

/// Whether xmllint is there.
fn has_xmllint() -> bool {
    let found = Command::new("xmllint").arg("--version").output().is_ok();
    if !found {
        crate::skipped::skipped("xmllint is not installed");
    }
    found
}

fn validate(schema: &Path, folder: &Path) -> (usize, String) {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--huge", "--schema"])
        .arg(schema)
        .args(&files)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let complaints: Vec<_> = text
        .lines()
        .filter(|line| !line.ends_with(" validates"))
        .collect();
    (files.len(), complaints.join("\n"))
}

/// A run that meets what makes the source send everything it can.
async fn eventful_run(setting: &Setting) {
    setting.deliver_numbers(0..120, 800);
    let busy = FaultKind::ServerBusy {
        back_off: std::time::Duration::from_millis(20),
    };
    setting
        .exchange
        .inject(Fault::new(busy).on(Operation::GetItem));
    let logger = setting.builder().build().unwrap();
    logger.run_once().await.unwrap();
    // A lost reply makes the next run look for what was moved.
    setting.deliver_numbers(120..125, 800);
    setting
        .exchange
        .inject(Fault::new(FaultKind::LoseReply).on(Operation::MoveItem));
    logger.run_once().await.unwrap_err();
    logger.run_once().await.unwrap();
    let source = setting.source();
    source
        .create(&r"\Email Logging\New\Deep\".parse().unwrap())
        .await
        .unwrap();
    assert_eq!((setting.queued(), setting.stored()), (0, 125));
}

/// A run that meets what few runs meet: an address of Exchange, an original that cannot be rendered, a mail that can only
/// be copied, and a policy that deletes.
async fn rare_run(setting: &Setting) {
    let (dn, smtp) = ("/o=Ours/ou=People/cn=Recipients/cn=anna", "ah@ours.example");
    let exchange = &setting.exchange;
    exchange.add_directory_entry(Some(dn), smtp, "Anna Hill");
    let internal = Delivery::new(numbered(900, "By name.")).with_ex_address(smtp, dn);
    exchange.deliver_with(QUEUE, internal).unwrap();
    let damaged = Delivery::new(numbered(901, "Damaged."))
        .with_mime_failure("ErrorMimeContentConversionFailed");
    exchange.deliver_with(QUEUE, damaged).unwrap();
    exchange.deliver(QUEUE, numbered(902, "Copied.")).unwrap();
    let stranger = "From: no@else.example\r\nTo: ah@ours.example\r\nSubject: S\r\n\r\nText\r\n";
    exchange.deliver(QUEUE, stranger).unwrap();
    let code = "ErrorCrossMailboxMoveCopy".to_owned();
    let cross = Fault::new(FaultKind::ItemError { index: 2, code });
    exchange.inject(cross.on(Operation::MoveItem));
    let builder = setting
        .builder()
        .with_policy(LoggingPolicy::business_central());
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!(
        (report.logged, report.moved, report.deleted),
        (3, 3, 1),
        "{report:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whole_runs_fit_the_official_schema() {
    let Some(xsd) = vectors("ews/xsd/patched") else {
        return;
    };
    if !has_xmllint() {
        return;
    }
    let setting = Setting::with(|builder| builder.with_recording(true)).await;
    eventful_run(&setting).await;
    rare_run(&setting).await;
    let wanted = [
        Operation::FindFolder,
        Operation::CreateFolder,
        Operation::FindItem,
        Operation::GetItem,
        Operation::MoveItem,
        Operation::CopyItem,
        Operation::DeleteItem,
        Operation::ResolveNames,
    ];
    let statistics = setting.exchange.statistics();
    for operation in wanted {
        assert!(
            statistics.calls(operation) > 0,
            "{} was not sent",
            operation.name()
        );
    }
    let schema = xsd.join("soap-ews.xsd");
    assert_all_fit(&setting, &schema);
    let older = |builder: SimulatedExchangeBuilder| {
        builder
            .with_recording(true)
            .with_server_version(ServerVersion::Exchange2010Sp2)
    };
    let setting = Setting::with(older).await;
    eventful_run(&setting).await;
    assert_all_fit(&setting, &schema);
}

/// Every request and every answer that the server recorded.
fn assert_all_fit(setting: &Setting, schema: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let (requests, answers) = (
        folder.path().join("requests"),
        folder.path().join("answers"),
    );
    std::fs::create_dir_all(&requests).unwrap();
    std::fs::create_dir_all(&answers).unwrap();
    for (number, call) in setting.exchange.recorded().iter().enumerate() {
        let name = format!("{number:04}.xml");
        std::fs::write(requests.join(&name), &*call.request).unwrap();
        if !call.answer.is_empty() {
            std::fs::write(answers.join(&name), &*call.answer).unwrap();
        }
    }
    for folder in [requests, answers] {
        let (files, complaints) = validate(schema, &folder);
        println!("{files} files fit: {}", folder.display());
        assert!(files >= 15, "{files} files");
        assert_eq!(complaints, "");
    }
}
