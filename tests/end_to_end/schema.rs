//! Everything on the wire of whole runs fits Exchange's official schema.

use std::path::Path;
use std::process::Command;

use email_logging::source::MailFolders as _;
use email_logging::testkit::exchange::{Fault, FaultKind, Operation};

use crate::corpus::vectors;
use crate::setting::{STORAGE, Setting};

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
    let folder = tempfile::tempdir().unwrap();
    let calls = setting.exchange.recorded();
    let (requests, answers) = (
        folder.path().join("requests"),
        folder.path().join("answers"),
    );
    std::fs::create_dir_all(&requests).unwrap();
    std::fs::create_dir_all(&answers).unwrap();
    for (number, call) in calls.iter().enumerate() {
        let name = format!("{number:04}.xml");
        std::fs::write(requests.join(&name), &*call.request).unwrap();
        if !call.answer.is_empty() {
            std::fs::write(answers.join(&name), &*call.answer).unwrap();
        }
    }
    let schema = xsd.join("soap-ews.xsd");
    for folder in [requests, answers] {
        let (files, complaints) = validate(&schema, &folder);
        println!("{} files fit: {}", files, folder.display());
        assert!(files >= 15, "{files} files");
        assert_eq!(complaints, "");
    }
    assert_eq!(setting.exchange.count(STORAGE).unwrap(), 125);
}
