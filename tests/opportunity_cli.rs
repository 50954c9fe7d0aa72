//! `opportunity` at the command line of the example binary: an entry of the demo's log becomes a sale.

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

    /// The same with the sample of a sales cycle and an opportunity of entry 1.
    fn with_opportunity() -> Self {
        let log = Self::new();
        log.done(&["cycles", "--sample"]);
        log.done(&["create", "1", "--date", "2026-05-01"]);
        log
    }

    fn path(&self) -> String {
        self.0.path().join("log.db").to_str().unwrap().to_owned()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let path = self.path();
        run(&[&["opportunity"], arguments, &["--store", &path]].concat())
    }

    fn done(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(&[arguments, &["--json"]].concat());
        assert_eq!(code(&output), 0, "{arguments:?}: {}", errors(&output));
        json(&output)
    }

    #[track_caller]
    fn refused(&self, arguments: &[&str], exit: i32, expected: &str) {
        let output = self.run(&[arguments, &["--json"]].concat());
        let error = json(&output).pop().unwrap()["error"].take();
        assert_eq!((code(&output), &error["code"]), (exit, &expected.into()));
        assert!(!error["remedy"].as_str().unwrap().is_empty());
    }
}

#[test]
fn an_entry_becomes_a_sale() {
    let log = Log::with_opportunity();
    let on = |action: &str, date: &str, more: &[&str]| {
        let arguments = [&[action, "OP000001", "--date", date], more].concat();
        log.done(&arguments)[0]["opportunity"].take()
    };
    let first = on("first", "2026-05-02", &["--value", "1250.50"]);
    assert_eq!(first["status"], "in-progress");
    assert_eq!(first["entries"][0]["estimated-close-date"], "2026-07-31");
    assert_eq!(first["next-task"]["no"], 1);
    on("next", "2026-05-05", &[]);
    on("previous", "2026-05-05", &[]);
    on("skip", "2026-05-06", &["3"]);
    on("jump", "2026-05-06", &["1"]);
    let update = on(
        "update",
        "2026-05-07",
        &["--chance", "33", "--cancel-tasks"],
    );
    assert_eq!(update["entries"][5]["chance"], 33.0);
    log.done(&["quote", "OP000001", "Q-1", "1300"]);
    let won = on("close", "2026-05-09", &["--won", "--code", "WON"]);
    assert_eq!(
        (&won["status"], &won["version"]),
        (&"won".into(), &9.into())
    );
    let shown = log.done(&["show", "OP000001"]).remove(0);
    assert_eq!(shown["opportunity"], won);
    assert_eq!(shown["statistics"]["calculated-value"], "1300.00");
    assert_eq!(shown["statistics"]["interactions"], 1);
    let actions: Vec<_> = won["entries"].as_array().unwrap().iter().collect();
    let actions: Vec<_> = actions
        .iter()
        .map(|e| e["action-taken"].as_str().unwrap())
        .collect();
    let expected = [
        "first", "next", "previous", "skipped", "jumped", "updated", "won",
    ];
    assert_eq!(actions, expected);
    let stages = log.done(&["statistics", "--cycle", "STANDARD"]);
    assert_eq!(
        (&stages[0]["stage"]["stage"], &stages[0]["stage"]["won"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn people_are_told_in_words() {
    let log = Log::with_opportunity();
    let first = log.run(&["first", "OP000001", "--date", "2026-05-02"]);
    let told = text(&first);
    assert!(
        told.contains("new task 1, 2026-05-04: Call the contact"),
        "{told}"
    );
    let list = log.run(&["list"]);
    assert!(
        text(&list).starts_with("OP000001 in-progress "),
        "{}",
        text(&list)
    );
    for arguments in [
        &["list"][..],
        &["show", "OP000001"],
        &["cycles"],
        &["close-codes"],
        &["statistics"],
    ] {
        let output = log.run(arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(!text(&output).is_empty(), "{arguments:?}");
        assert!(
            text(&output).lines().all(|line| !line.contains('{')),
            "{arguments:?}"
        );
    }
    let none = log.run(&["list", "--status", "won"]);
    assert_eq!((code(&none), text(&none)), (0, ""));
}

#[test]
fn the_rules_refuse_with_their_code() {
    let log = Log::new();
    log.refused(&["create", "1"], 4, "opportunity.no_series");
    log.done(&["cycles", "--sample"]);
    log.done(&["create", "1", "--date", "2026-05-01"]);
    log.refused(&["create", "1"], 1, "opportunity.entry_linked");
    log.refused(&["show", "OP999999"], 1, "store.not_found");
    log.refused(&["next", "OP000001"], 1, "opportunity.status");
    log.done(&["first", "OP000001", "--date", "2026-05-02", "--value", "10"]);
    log.refused(
        &["next", "OP000001", "--date", "2026-05-01"],
        1,
        "opportunity.date",
    );
    log.refused(
        &["skip", "OP000001", "4", "--date", "2026-05-03"],
        1,
        "opportunity.skip",
    );
    log.refused(&["delete", "OP000001"], 1, "opportunity.in_progress");
    let lost = [
        "close",
        "OP000001",
        "--lost",
        "--date",
        "2026-05-03",
        "--code",
    ];
    log.refused(&[&lost[..], &["WON"]].concat(), 1, "opportunity.close_code");
    log.refused(&["tasks", "OP000001", "--done", "7"], 1, "opportunity.task");
    log.done(&[&lost[..], &["PRICE"]].concat());
    assert_eq!(log.done(&["delete", "OP000001"])[0]["deleted"], "OP000001");
    assert_eq!(log.done(&["list"]), Vec::<Value>::new());
    // The entry is free again, and its number is not.
    assert_eq!(
        log.done(&["create", "1"])[0]["opportunity"]["no"],
        "OP000002"
    );
}

#[test]
fn pages_go_on_where_they_ended() {
    let log = Log::new();
    log.done(&["cycles", "--sample"]);
    for entry in ["1", "2", "3"] {
        log.done(&["create", entry]);
    }
    let page = log.done(&["list", "--limit", "2"]);
    let numbers: Vec<_> = page
        .iter()
        .map(|row| row["opportunity"]["no"].clone())
        .collect();
    assert_eq!(
        numbers,
        [Value::from("OP000003"), "OP000002".into(), Value::Null]
    );
    let after = page[2]["next"].as_str().unwrap();
    let rest = log.done(&["list", "--limit", "2", "--after", after]);
    assert_eq!(rest.len(), 1);
    assert_eq!(rest[0]["opportunity"]["no"], "OP000001");
}

#[test]
fn a_file_brings_cycles_codes_and_numbers_and_does_not_set_a_series_back() {
    let log = Log::new();
    let file = log.0.path().join("cycles.toml");
    let name = file.to_str().unwrap();
    let seed = "default-sales-cycle = \"OWN\"\n[number-series]\ncode = \"O\"\nnext = \"X9\"\n\
        [[sales-cycle]]\ncode = \"OWN\"\nprobability = \"chances\"\n\
        [[sales-cycle.stage]]\nstage = 10\ncompleted = 12.5\nchance = 30\nclose-date = \"CM\"\n\
        [[close-code]]\ncode = \"YES\"\nkind = \"won\"\n";
    std::fs::write(&file, seed).unwrap();
    for number in ["X9", "X10"] {
        let cycles = log.done(&["cycles", "--put", name]);
        assert_eq!(cycles[0]["sales-cycle"]["stage"][0]["completed"], 12.5);
        let entry = if number == "X9" { "1" } else { "2" };
        let made = log.done(&["create", entry])[0]["opportunity"].take();
        assert_eq!(
            (&made["no"], &made["sales-cycle-code"]),
            (&number.into(), &"OWN".into())
        );
    }
    for wrong in [
        "[[sales-cycle]]\ncode = \"A\"\nnonsense = 1\n",
        "close-code = 1\n",
    ] {
        std::fs::write(&file, wrong).unwrap();
        log.refused(&["cycles", "--put", name], 2, "cli.usage");
    }
    let twice = "[[sales-cycle]]\ncode = \"A\"\nstage = [{ stage = 2 }, { stage = 1 }]\n";
    std::fs::write(&file, twice).unwrap();
    log.refused(&["cycles", "--put", name], 4, "opportunity.cycle_invalid");
}

#[test]
fn wrong_usage_ends_with_2() {
    let log = Log::new();
    for arguments in [
        &[][..],
        &["create"],
        &["first", "OP000001", "--value", "1,5"],
        &["first", "OP000001", "--chance", "101"],
        &["first", "OP000001", "--date", "tomorrow"],
        &["skip", "OP000001"],
        &["close", "OP000001"],
        &["close", "OP000001", "--won", "--lost"],
        &["close", "OP000001", "--lost", "--value", "1"],
        &["quote", "OP000001"],
        &["quote", "OP000001", "Q-1"],
        &["list", "--status", "open"],
    ] {
        assert_eq!(code(&log.run(arguments)), 2, "{arguments:?}");
    }
}
