//! Answers that nobody here wrote, read by this crate and by an independent XML tool.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use email_logging::source::ews::testing::{AnswerSummary, read_answer};
use serde_json::{Value, json};

const FOLDER: &str = "../shared/vectors/ews/responses";

fn shared() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let python = Command::new("python3").arg("--version").output().is_ok();
    if folder.is_dir() && python {
        return Some(folder);
    }
    skipped::skipped(&format!("python3 or {FOLDER} is missing"));
    None
}

/// What Python's ElementTree finds in every file that is well-formed.
fn expected(folder: &Path) -> BTreeMap<String, Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ews/extract.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(folder)
        .output()
        .expect("python3 runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the script prints JSON")
}

fn as_json(summary: &AnswerSummary) -> Value {
    let messages = summary.messages.iter().map(|message| {
        json!({
            "code": message.code,
            "items": message.items,
            "folders": message.folders,
            "folder_names": message.folder_names,
            "mime": message.mime.as_ref().map(|mime| hex(mime)),
        })
    });
    json!({
        "kind": summary.kind,
        "fault": summary.fault,
        "messages": messages.collect::<Vec<_>>(),
    })
}

fn hex(bytes: &[u8]) -> String {
    let digits: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

async fn read(bytes: &[u8], size: usize) -> Value {
    let pieces = bytes.chunks(size).map(<[u8]>::to_vec).collect();
    match read_answer(pieces).await {
        Ok(summary) => as_json(&summary),
        Err(error) => json!({ "error": error.code() }),
    }
}

#[tokio::test]
async fn every_well_formed_answer_is_read_as_an_independent_tool_reads_it() {
    let Some(folder) = shared() else { return };
    let expected = expected(&folder);
    let mut wrong = Vec::new();
    for (name, expected) in &expected {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let found = read(&bytes, bytes.len().max(1)).await;
        if found != *expected {
            wrong.push(format!("{name}\n  found    {found}\n  expected {expected}"));
        }
        for size in [1, 7, 1000] {
            assert_eq!(
                read(&bytes, size).await,
                found,
                "{name} in pieces of {size}"
            );
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        expected.len(),
        wrong.join("\n")
    );
    assert!(expected.len() >= 250, "only {} files", expected.len());
    eprintln!("{} answers read alike", expected.len());
}

#[tokio::test]
async fn no_answer_panics_however_it_is_broken() {
    let Some(folder) = shared() else { return };
    let mut count = 0;
    for set in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(set.unwrap().path()).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            for cut in (0..bytes.len()).step_by(97) {
                let _ = read(&bytes[..cut], 512).await;
            }
            count += 1;
        }
    }
    assert!(count >= 300, "only {count} files");
}
