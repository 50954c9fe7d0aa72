//! The program's review queue, never-log lists and events, on the log that the demo makes.

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

use program::{code, errors, json, run, text};

/// The log of a demo, in a directory of its own.
fn demo() -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("log.db").to_str().unwrap().to_owned();
    let output = run(&["demo", "--store", &store, "--quiet"]);
    assert!(matches!(code(&output), 0 | 3), "{}", errors(&output));
    (directory, store)
}

fn items(store: &str, state: &str) -> Vec<serde_json::Value> {
    let output = run(&[
        "review", "list", "--state", state, "--json", "--store", store,
    ]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    json(&output)
        .into_iter()
        .map(|line| line["item"].clone())
        .collect()
}

#[test]
fn an_item_is_listed_ignored_opened_again_and_assigned() {
    let (_directory, store) = demo();
    let open = items(&store, "open");
    let reasons: Vec<_> = open
        .iter()
        .map(|item| item["decision"]["reason"].clone())
        .collect();
    assert!(reasons.contains(&"no-contact".into()), "{reasons:?}");
    let output = run(&["review", "--store", &store]);
    let listed = text(&output).lines().count();
    assert_eq!((code(&output), listed), (0, open.len() + 1));
    let item = open
        .iter()
        .find(|item| item["decision"]["reason"] == "no-contact");
    let id = item.unwrap()["decision"]["message"]
        .as_str()
        .unwrap()
        .to_owned();
    let show = run(&["review", "show", &id, "--store", &store]);
    assert!(
        text(&show).contains("No recipient is a contact."),
        "{}",
        text(&show)
    );
    for (words, state, version) in [
        (&["ignore"][..], "ignored", 1),
        (&["reopen"], "open", 2),
        (
            &[
                "assign",
                "--contact",
                "C1",
                "--salesperson",
                "AH",
                "--direction",
                "outbound",
            ],
            "assigned",
            3,
        ),
    ] {
        let (action, options) = words.split_first().unwrap();
        let arguments = [
            &["review", action, &id, "--store", &store, "--json"],
            options,
        ]
        .concat();
        let output = run(&arguments);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        let said = &json(&output)[0]["review"];
        assert_eq!(
            (&said["state"], &said["version"]),
            (&state.into(), &version.into())
        );
    }
    assert_eq!(items(&store, "open").len(), open.len() - 1);
    assert_eq!(items(&store, "assigned").len(), 1);
    let missing = run(&["review", "ignore", "ffffffff", "--store", &store]);
    assert_eq!(code(&missing), 1);
}

#[test]
fn never_log_rules_are_added_listed_and_taken_away() {
    let (_directory, store) = demo();
    let of = |words: &[&str]| run(&[&["never-log"], words, &["--store", &store]].concat());
    assert_eq!(code(&of(&["add", "Spam.Example"])), 0);
    assert_eq!(
        code(&of(&["add", "mum@home.example", "--salesperson", "AH"])),
        0
    );
    let listed = of(&["list"]);
    assert_eq!(
        text(&listed),
        "everybody  spam.example\nAH  mum@home.example\n"
    );
    assert_eq!(code(&of(&["add", "*@*"])), 2);
    assert_eq!(code(&of(&["remove", "spam.example"])), 0);
    assert_eq!(code(&of(&["remove", "spam.example"])), 1);
    let listed = of(&["list", "--json"]);
    let value = &json(&listed)[0];
    assert_eq!(value["version"], 3);
    assert_eq!(value["never-log"]["organisation"], serde_json::json!([]));
    assert_eq!(
        value["never-log"]["salespeople"]["AH"][0],
        "mum@home.example"
    );
}

#[test]
fn events_are_read_until_they_are_acknowledged() {
    let (_directory, store) = demo();
    let read = |words: &[&str]| {
        let output = run(&[&["events", "--json", "--store", &store], words].concat());
        assert_eq!(code(&output), 0, "{}", errors(&output));
        json(&output)
    };
    let all = read(&[]);
    assert!(all.len() > 2);
    assert_eq!(read(&[]), all);
    let second = all[1]["event"]["number"].to_string();
    assert_eq!(read(&["--ack", &second]), all[2..]);
    assert_eq!(read(&["--consumer", "other", "--limit", "1"]), all[..1]);
}
