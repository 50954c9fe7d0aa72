//! Privacy after logging at the command line of the example binary, on the demo's log.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "email_logger/program.rs"]
mod program;

use std::path::PathBuf;
use std::process::Output;

use program::{code, errors, json, run, text};
use serde_json::Value;

/// The log of the demo.
struct Log(tempfile::TempDir);

impl Log {
    fn new() -> Self {
        let log = Self(tempfile::tempdir().unwrap());
        assert_eq!(code(&run(&["demo", "--store", &log.path()])), 0);
        log
    }

    fn path(&self) -> String {
        self.0.path().join("log.db").to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        run(&[arguments, &["--store", &self.path()]].concat())
    }

    fn done(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", errors(&output));
        json(&output)
    }

    fn one(&self, arguments: &[&str], name: &str) -> Value {
        let mut values = self.done(arguments);
        assert_eq!(values.len(), 1, "{values:?}");
        values[0][name].take()
    }

    /// How many mails are listed with these filters.
    fn mails(&self, filters: &[&str]) -> usize {
        let listed = self.done(&[&["log", "--limit", "1000"], filters].concat());
        let mails = listed.iter().filter(|value| !value["mail"].is_null());
        mails.count()
    }

    /// An address that some mails name, from a mail that is logged inbound.
    fn correspondent(&self) -> String {
        let listed = self.done(&["log", "--direction", "inbound", "--limit", "1"]);
        let people = listed[0]["mail"]["participants"].as_array().unwrap();
        let from = people.iter().find(|named| named["role"] == "from").unwrap();
        from["address"].as_str().unwrap().to_owned()
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], exit: i32) {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code(&output), exit, "{arguments:?}: {}", text(&output));
    }

    fn holds_bytes(&self, word: &str) -> bool {
        let files = std::fs::read_dir(self.0.path()).unwrap();
        let files: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
        files.iter().any(|file| {
            let bytes = std::fs::read(file).unwrap().to_ascii_lowercase();
            bytes
                .windows(word.len())
                .any(|part| part == word.as_bytes())
        })
    }
}

#[test]
fn a_mail_is_marked_private_and_the_mark_taken_back() {
    let log = Log::new();
    let marked = log.one(
        &["private", "1", "--reason", "health", "--by", "AH"],
        "private",
    );
    assert_eq!(
        (&marked["marked"], &marked["changed"]),
        (&true.into(), &true.into())
    );
    assert_eq!(log.mails(&["--flag", "marked-private"]), 1);
    let back = log.one(&["private", "1", "--undo"], "private");
    assert_eq!(
        (&back["marked"], &back["changed"]),
        (&false.into(), &true.into())
    );
    assert_eq!(log.mails(&["--flag", "marked-private"]), 0);
    let told = log.run(&["private", "1", "--undo"]);
    assert_eq!(text(&told), "The mail has no such mark.\n");
}

#[test]
fn a_removed_mail_is_gone_from_the_log_and_its_file() {
    let log = Log::new();
    let all = log.mails(&[]);
    let shown = log.one(&["show", "1"], "mail");
    let id = shown["record"]["message-id"]
        .as_str()
        .or(shown["message-id"].as_str());
    let id = id.map(str::to_lowercase);
    log.one(&["hold", "1", "--reason", "a law suit"], "hold");
    log.refused(&["remove", "1", "--dry-run"], 1);
    log.refused(&["remove", "1"], 1);
    log.one(&["hold", "1", "--undo"], "hold");
    assert_eq!(log.mails(&[]), all, "what is on hold stays");
    let dry = log.one(&["remove", "1", "--dry-run"], "remove");
    assert_eq!((&dry["done"], &dry["mails"]), (&false.into(), &1.into()));
    assert_eq!(log.mails(&[]), all);
    let done = log.one(&["remove", "1"], "remove");
    assert_eq!(done["messages"], dry["messages"]);
    assert_eq!(
        (&done["entries"], &done["originals"]),
        (&dry["entries"], &dry["originals"])
    );
    assert_eq!(log.mails(&[]), all - 1);
    log.refused(&["remove", "1"], 1);
    if let Some(id) = id {
        assert!(!log.holds_bytes(&id), "{id}");
    }
}

#[test]
fn retention_says_first_what_it_would_remove() {
    let log = Log::new();
    let all = log.mails(&[]);
    log.done(&["hold", "1", "--reason", "a law suit"]);
    let dry = log.one(
        &["retention", "--older-than", "1d", "--dry-run"],
        "retention",
    );
    assert_eq!(dry["kept"]["on-hold"], 1);
    assert!(dry["mails"].as_u64().unwrap() > 0, "{dry}");
    assert_eq!(log.mails(&[]), all);
    let none = log.one(&["retention", "--older-than", "90y"], "retention");
    assert_eq!(none["mails"], 0);
    let done = log.one(&["retention", "--older-than", "1d"], "retention");
    assert_eq!(
        (&done["done"], &done["mails"]),
        (&true.into(), &dry["mails"])
    );
    log.one(&["show", "1"], "mail");
    for age in ["3", "-1d", "soon", "0d"] {
        log.refused(&["retention", &format!("--older-than={age}")], 2);
    }
}

#[test]
fn a_person_is_exported_and_then_erased() {
    let log = Log::new();
    let all = log.mails(&[]);
    let address = log.correspondent();
    let out = log.0.path().join("subject");
    let out = out.to_str().unwrap();
    let told = log.one(
        &["export-subject", &address, "--out", out],
        "export-subject",
    );
    let mails = told["mails"].as_u64().unwrap();
    assert!(mails > 0);
    let lines = std::fs::read_to_string(format!("{out}/mails.jsonl")).unwrap();
    assert_eq!(lines.lines().count() as u64, mails);
    for line in lines.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["mail"].to_string().contains(&address), "{line}");
        assert!(!line["decisions"].as_array().unwrap().is_empty());
    }
    let originals = std::fs::read_dir(out).unwrap().count() as u64 - 2;
    assert_eq!(told["originals"], originals);
    let records = std::fs::read_to_string(format!("{out}/records.json")).unwrap();
    let records: Value = serde_json::from_str(&records).unwrap();
    let kinds = records.as_object().unwrap();
    let kinds: Vec<&str> = kinds.keys().map(String::as_str).collect();
    let expected = [
        "decisions",
        "entry-comments",
        "never-log",
        "opportunities",
        "opportunity-comments",
        "review",
    ];
    assert_eq!(kinds, expected);
    // What is there is never written over.
    log.refused(&["export-subject", &address, "--out", out], 1);
    std::fs::remove_dir_all(out).unwrap();

    let dry = log.one(&["erase", "--address", &address, "--dry-run"], "erase");
    assert_eq!(
        (&dry["done"], &dry["mails"]),
        (&false.into(), &mails.into())
    );
    assert_eq!(log.mails(&[]), all);
    assert!(log.holds_bytes(&address));
    let done = log.one(&["erase", "--address", &address, "--never-again"], "erase");
    assert_eq!(
        (&done["done"], &done["mails"]),
        (&true.into(), &mails.into())
    );
    assert!(log.mails(&[]) < all);
    assert!(!log.holds_bytes(&address));
    let again = log.one(&["erase", "--address", &address], "erase");
    assert_eq!(again["mails"], 0);
}

#[test]
fn never_again_wants_an_address() {
    let log = Log::new();
    let output = log.run(&["erase", "--contact", "CT-NONE", "--never-again", "--json"]);
    let error = json(&output).pop().unwrap()["error"].take();
    assert_ne!(code(&output), 0);
    assert_eq!(error["code"], "config.invalid");
}

#[test]
fn an_export_has_the_opportunities_of_the_contact() {
    let log = Log::new();
    for arguments in [
        &["cycles", "--sample"][..],
        &["create", "1", "--date", "2026-05-01"],
    ] {
        log.done(&[&["opportunity"], arguments].concat());
    }
    let shown = log.one(&["show", "1"], "mail");
    let contact = shown["entries"][0]["contact-no"]
        .as_str()
        .unwrap()
        .to_owned();
    let out = log.0.path().join("subject");
    let out = out.to_str().unwrap();
    let address = log.correspondent();
    let export = [
        "export-subject",
        &address,
        "--contact",
        &contact,
        "--out",
        out,
    ];
    let told = log.one(&export, "export-subject");
    assert_eq!(told["opportunities"], 1);
    let records = std::fs::read_to_string(format!("{out}/records.json")).unwrap();
    let records: Value = serde_json::from_str(&records).unwrap();
    assert_eq!(records["opportunities"][0]["contact-no"], contact.as_str());
}

#[test]
fn erase_wants_a_person() {
    let log = Log::new();
    log.refused(&["erase"], 2);
    log.refused(&["erase", "--address", "nobody"], 2);
    let none = log.one(&["erase", "--contact", "CT-NONE"], "erase");
    assert_eq!(none["mails"], 0);
}

#[test]
fn an_open_opportunity_can_forbid_the_erasure() {
    let log = Log::new();
    for arguments in [
        &["cycles", "--sample"][..],
        &["create", "1", "--date", "2026-05-01"],
    ] {
        log.done(&[&["opportunity"], arguments].concat());
    }
    let shown = log.one(&["show", "1"], "mail");
    let contact = shown["entries"][0]["contact-no"]
        .as_str()
        .unwrap()
        .to_owned();
    let erase = ["erase", "--contact", &contact];
    let output = log.run(&[&erase[..], &["--refuse-open-opportunities", "--json"]].concat());
    let error = json(&output).pop().unwrap()["error"].take();
    assert_eq!(
        (code(&output), &error["code"]),
        (1, &"privacy.open_opportunity".into())
    );
    let done = log.one(&erase, "erase");
    assert_eq!(done["forgotten"]["open-opportunities"], 1);
    let deal = log.done(&["opportunity", "show", "OP000001"]).remove(0);
    assert_eq!(deal["opportunity"]["contact-no"], "ERASED");
}
