//! The demo of the example binary, mail by mail against the table of what must come of it, and everything that a person
//! or a program sees of it.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "email_logger/log_file.rs"]
mod log_file;
#[path = "email_logger/program.rs"]
mod program;
#[path = "../examples/email_logger/samples.rs"]
mod samples;
#[path = "support/skipped.rs"]
mod skipped;

use std::path::{Path, PathBuf};
use std::process::Stdio;

use log_file::{Pair, Result, number, results, table};
use program::{code, errors, json, program, run, text};
use samples::SAMPLES;
use serde_json::Value;

/// A log of the demo in a directory of its own.
struct Demo {
    directory: tempfile::TempDir,
    output: std::process::Output,
}

impl Demo {
    fn new(arguments: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let output = demo(&directory.path().join("log.sqlite"), arguments);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        Self { directory, output }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("log.sqlite")
    }

    fn store(&self) -> String {
        self.file().to_str().unwrap().to_owned()
    }
}

fn demo(file: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = program();
    command
        .args(["demo", "--store", file.to_str().unwrap()])
        .args(arguments);
    command.output().unwrap()
}

/// The values under this name, of the lines that have it.
fn named(output: &std::process::Output, name: &str) -> Vec<Value> {
    let lines = json(output).into_iter();
    lines
        .filter_map(|mut line| line.get_mut(name).map(Value::take))
        .collect()
}

#[test]
fn every_sample_ends_as_the_table_says() {
    let demo = Demo::new(&["--quiet"]);
    let mut results = results(&demo.file());
    let table = table();
    assert_eq!(table.len(), SAMPLES.len());
    for (expected, sample) in table.iter().zip(SAMPLES) {
        assert_eq!(
            expected.file, sample.name,
            "the samples are in the order of the table"
        );
        let received = sample.received().unwrap().as_microsecond();
        let result = results
            .remove(&received)
            .unwrap_or_else(|| panic!("{} left no trace", sample.name));
        let mut entries = expected.entry.clone();
        entries.sort();
        let wanted = Result {
            outcome: expected.outcome.clone(),
            reason: expected.reason.clone(),
            flags: expected.flags.clone(),
            entries,
        };
        assert_eq!(result, wanted, "{}: {}", sample.name, expected.why);
    }
    assert!(results.is_empty(), "{results:?}");
}

#[test]
fn a_second_run_on_the_same_store_adds_nothing() {
    let first = Demo::new(&["--json"]);
    let counts = ["entry", "message", "original", "sighting", "decision"]
        .map(|table| number(&first.file(), &format!("SELECT count(*) FROM {table}")));
    let second = demo(&first.file(), &["--json"]);
    assert_eq!(code(&second), 0, "{}", errors(&second));
    let after = ["entry", "message", "original", "sighting", "decision"]
        .map(|table| number(&first.file(), &format!("SELECT count(*) FROM {table}")));
    assert_eq!(after, counts);
    let report = json(&second).pop().unwrap()["report"].clone();
    assert_eq!(
        (&report["entries"], &report["logged"]),
        (&0.into(), &0.into())
    );
}

#[test]
fn a_program_reads_everything_as_json_lines() {
    let demo = Demo::new(&["--json"]);
    let lines = json(&demo.output);
    let table = table();
    let logged = table.iter().filter(|mail| mail.outcome == "logged").count();
    let entries: usize = table.iter().map(|mail| mail.entry.len()).sum();
    let mails: Vec<&Value> = lines.iter().filter_map(|line| line.get("mail")).collect();
    assert_eq!(mails.len(), logged);
    let listed = mails
        .iter()
        .map(|mail| mail["entries"].as_array().unwrap().len());
    assert_eq!(listed.sum::<usize>(), entries);
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.get("decision").is_some())
            .count(),
        table.len()
    );
    let last = lines.last().unwrap();
    let total = table.len() as u64;
    assert_eq!(last["report"]["listed"], total);
    assert_eq!(last["report"]["fetched"], total);
    assert_eq!(last["report"]["entries"], entries as u64);
    assert_eq!(last["queue"], 0);
    assert_eq!(last["quarantine"], 2);
    assert_eq!(last["storage"], total - 2);
}

#[test]
fn a_mail_to_three_contacts_is_one_mail_with_three_names() {
    let demo = Demo::new(&["--quiet"]);
    let mut command = program();
    let arguments = ["log", "--text", "Catalogue", "--store", &demo.store()].map(str::to_owned);
    let wide = command
        .args(&arguments)
        .env("COLUMNS", "160")
        .output()
        .unwrap();
    let lines: Vec<&str> = text(&wide).lines().skip(2).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    for name in ["Margaux Delorme", "Lucía Fuertes", "Tomasz Wrona"] {
        assert!(lines[0].contains(name), "{}", lines[0]);
    }
    let narrow = run(&arguments);
    let shown = text(&narrow);
    for name in ["Margaux Delorme", "Lucía Fuertes", "Tomasz Wrona"] {
        assert_eq!(shown.matches(name).count(), 1, "{shown}");
    }
    assert_eq!(shown.matches("Catalogue").count(), 1, "{shown}");
}

/// Characters that steer a terminal or turn a line around.
fn steering(text: &str) -> Option<char> {
    text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    })
}

#[test]
fn hostile_text_is_shown_and_not_sent_to_the_terminal() {
    let demo = Demo::new(&[]);
    let store = demo.store();
    assert_eq!(steering(text(&demo.output)), None);
    let raw = run(&["log", "--text", "HYPERLINK", "--store", &store, "--json"]);
    let mails = named(&raw, "mail");
    assert_eq!(steering(text(&raw)), None, "not even JSON sends it");
    let subject = mails[0]["subject"].as_str().unwrap();
    assert!(
        steering(subject).is_some(),
        "the sample is hostile: {subject:?}"
    );
    let no = mails[0]["entries"][0]["entry-no"].to_string();
    for arguments in [
        &["show", &no, "--store", &store][..],
        &["explain", "sample:77"],
        &["log", "--text", "HYPERLINK", "--store", &store],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 0, "{}", errors(&output));
        assert!(text(&output).contains("=HYPERLINK"), "{arguments:?}");
        assert_eq!(steering(text(&output)), None, "{arguments:?}");
    }
    assert!(text(&run(&["show", &no, "--store", &store])).contains("\\u{1b}[31m"));
}

#[test]
fn the_demo_fits_a_terminal_of_80_columns() {
    let demo = Demo::new(&[]);
    let log: Vec<&str> = text(&demo.output).lines().collect();
    let end = log.iter().position(|line| *line == "This run").unwrap();
    for line in &log[..end] {
        assert!(unicode_width::UnicodeWidthStr::width(*line) <= 80, "{line}");
    }
}

#[test]
fn what_comes_next_can_be_typed() {
    let demo = Demo::new(&[]);
    let lines: Vec<&str> = text(&demo.output).lines().collect();
    let begin = lines
        .iter()
        .position(|line| *line == "What to type next")
        .unwrap();
    let path = program().get_program().to_str().unwrap().to_owned();
    let commands = lines[begin..]
        .iter()
        .filter_map(|line| line.trim().strip_prefix(&path));
    let mut typed = 0;
    for command in commands.filter(|command| !command.contains("simulate")) {
        // What a shell would make of it.
        let command = command.replace("$LOG", &demo.store());
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let mut program = program();
        let output = program.args(&arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{command}: {}", errors(&output));
        assert!(!output.stdout.is_empty(), "{command}");
        typed += 1;
    }
    assert_eq!(typed, 8);
}

#[test]
fn explain_says_of_each_sample_what_the_table_says() {
    let names: Vec<String> = SAMPLES
        .iter()
        .map(|sample| format!("sample:{}", sample.name))
        .collect();
    let mut arguments = vec!["explain".to_owned(), "--json".to_owned()];
    arguments.extend(names);
    let explained = json(&run(&arguments));
    assert_eq!(explained.len(), SAMPLES.len());
    for (expected, line) in table().iter().zip(&explained) {
        assert_eq!(line["file"], expected.file.as_str());
        let outcome = &line["decision"]["outcome"];
        // A copy is recognised by the log, which `explain` does not look into.
        if expected.outcome == "already-logged" {
            assert_eq!(outcome["is"], "logged", "{}", expected.file);
        } else {
            assert_eq!(
                outcome["is"],
                expected.outcome.as_str(),
                "{}",
                expected.file
            );
            assert_eq!(
                outcome["reason"].as_str().unwrap_or_default(),
                expected.reason,
                "{}",
                expected.file
            );
        }
        assert!(
            !line["decision"]["steps"].as_array().unwrap().is_empty(),
            "{}",
            expected.file
        );
    }
}

#[test]
fn explain_tells_in_words_and_keeps_private_mail_to_itself() {
    let shown = run(&["explain", "sample:44"]);
    assert!(text(&shown).contains("unknown-sender"), "{}", text(&shown));
    assert!(text(&shown).contains("neither a salesperson nor a contact wrote it"));
    for private in ["sample:54", "sample:55", "sample:56"] {
        let shown = run(&["explain", private]);
        let lower = text(&shown).to_lowercase();
        for needle in [
            "my health",
            "confidentiel",
            "tillykke",
            "penny",
            "margaux",
            "familien.bay",
            "@",
        ] {
            assert!(!lower.contains(needle), "{private}: {lower}");
        }
    }
}

#[test]
fn an_original_comes_back_bit_for_bit() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    for (words, file) in [
        ("Catalogue", "02-"),
        ("Wasserstrahls", "83-"),
        ("HYPERLINK", "77-"),
    ] {
        let log = run(&["log", "--text", words, "--store", &store, "--json"]);
        let found = named(&log, "mail");
        let no = found[0]["entries"][0]["entry-no"].to_string();
        let output = run(&["show", &no, "--store", &store, "--original"]);
        let sample = SAMPLES
            .iter()
            .find(|sample| sample.name.starts_with(file))
            .unwrap();
        assert_eq!(output.stdout, sample.original, "{}", sample.name);
        let copy = demo.directory.path().join(format!("{file}copy.eml"));
        let copy_name = copy.to_str().unwrap();
        let arguments = ["show", &no, "--store", &store, "--output", copy_name];
        assert_eq!(code(&run(&arguments)), 0);
        assert_eq!(
            std::fs::read(&copy).unwrap(),
            sample.original,
            "{}",
            sample.name
        );
        assert_eq!(
            code(&run(&arguments)),
            1,
            "a file that is there is not overwritten"
        );
    }
}

#[test]
fn an_original_is_shown_to_people() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    let log = run(&["log", "--text", "Catalogue", "--store", &store, "--json"]);
    let no = named(&log, "mail")[0]["entries"][0]["entry-no"].to_string();
    let shown = run(&["show", &no, "--store", &store, "--text", "--json"]);
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    assert!(shown["subject"].as_str().unwrap().contains("Catalogue"));
    let files = demo.directory.path().join("attachments");
    let html = demo.directory.path().join("mail.html");
    let arguments = [
        "show",
        &no,
        "--store",
        &store,
        "--text",
        "--attachments",
        files.to_str().unwrap(),
    ];
    let output = run(&arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let mut names: Vec<_> = std::fs::read_dir(&files)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let listed = shown["attachments"].as_array().unwrap();
    let mut listed: Vec<_> = listed
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    listed.sort();
    assert_eq!(names, listed);
    let arguments = [
        "show",
        &no,
        "--store",
        &store,
        "--html",
        html.to_str().unwrap(),
    ];
    let has_html = code(&run(&arguments)) == 0;
    assert_eq!(has_html, html.exists());
}

#[test]
fn pages_of_the_log_are_the_whole_log_once() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    let all: Vec<Value> = json(&run(&[
        "log", "--store", &store, "--limit", "1000", "--json",
    ]));
    let mut paged = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut arguments = vec!["log", "--store", &store, "--limit", "7", "--json"];
        if let Some(cursor) = &after {
            arguments.extend(["--after", cursor]);
        }
        let mut page = json(&run(&arguments));
        let next = page
            .last()
            .and_then(|line| line["next"].as_str())
            .map(str::to_owned);
        if next.is_some() {
            page.pop();
        }
        paged.extend(page);
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(
        paged.len(),
        table()
            .iter()
            .filter(|mail| mail.outcome == "logged")
            .count()
    );
    assert_eq!(paged, all);
}

#[test]
fn filters_of_the_log_narrow_it() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    let count = |arguments: &[&str]| {
        let mut all = vec!["log", "--store", &store, "--json", "--limit", "1000"];
        all.extend(arguments);
        json(&run(&all)).len()
    };
    let table = table();
    let with = |fits: &dyn Fn(&Pair) -> bool| {
        table
            .iter()
            .filter(|mail| mail.entry.iter().any(fits))
            .count()
    };
    assert_eq!(
        count(&["--contact", "C0101"]),
        with(&|entry| entry.contact == "C0101")
    );
    assert_eq!(
        count(&["--salesperson", "BK"]),
        with(&|entry| entry.salesperson == "BK")
    );
    assert_eq!(
        count(&["--direction", "inbound"]),
        with(&|entry| entry.direction == "inbound")
    );
    let valley = ["C0100", "C0101", "C0102", "C0103"];
    assert_eq!(
        count(&["--company", "C0100"]),
        with(&|entry| valley.contains(&entry.contact.as_str()))
    );
    assert_eq!(count(&["--until", "2026-03-03"]), 1);
    assert_eq!(count(&["--flag", "automatic-reply"]), 2);
    let not_logged = table
        .iter()
        .filter(|mail| !mail.outcome.ends_with("logged"));
    assert_eq!(count(&["--not-logged"]), not_logged.count());
}

#[test]
fn a_time_narrows_the_log_to_the_minute() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    let ids = |since: &str| -> Vec<String> {
        let output = run(&["log", "--store", &store, "--json", "--since", since]);
        assert_eq!(code(&output), 0, "{since}: {}", errors(&output));
        let mails = named(&output, "mail");
        mails
            .iter()
            .map(|mail| mail["message-id"].to_string())
            .collect()
    };
    let day = ids("2026-05-14");
    let utc = ids("2026-05-14T10:00");
    assert!(utc.len() < day.len(), "{utc:?} of {day:?}");
    for same in [
        "2026-05-14T10:00:00",
        "2026-05-14 10:00",
        "2026-05-14T10:00:00Z",
        "2026-05-14T12:00+02:00",
    ] {
        assert_eq!(ids(same), utc, "{same}");
    }
    assert_eq!(ids("2026-05-14T00:00"), day);
}

/// The lines of `log --not-logged` that have an id, as the id and what follows it.
fn not_logged(store: &str) -> Vec<(String, String)> {
    let output = run(&["log", "--store", store, "--not-logged", "--limit", "1000"]);
    assert!(errors(&output).contains("`show ID`"), "{}", errors(&output));
    let lines = text(&output).lines().filter(|line| !line.starts_with(' '));
    lines
        .map(|line| {
            let mut words = line.split("  ").skip(1);
            (
                words.next().unwrap().to_owned(),
                words.next().unwrap().to_owned(),
            )
        })
        .collect()
}

#[test]
fn what_is_not_logged_has_an_id_that_show_takes() {
    let demo = Demo::new(&["--quiet"]);
    let store = demo.store();
    let listed = not_logged(&store);
    let expected = table();
    let expected = expected
        .iter()
        .filter(|mail| !mail.outcome.ends_with("logged"));
    assert_eq!(listed.len(), expected.count());
    assert!(
        listed
            .iter()
            .any(|(_, sender)| sender == "penny.marsh@example.org")
    );
    for (id, _) in &listed {
        let output = run(&["show", id, "--store", &store]);
        assert_eq!(code(&output), 0, "{id}: {}", errors(&output));
        assert!(
            text(&output).contains("Decided "),
            "{id}: {}",
            text(&output)
        );
        assert!(text(&output).contains("  × "), "{id}: {}", text(&output));
    }
    let nothing_kept = listed
        .iter()
        .filter(|(_, sender)| sender == "(its sender is not kept)");
    for (id, _) in nothing_kept {
        let output = run(&["show", id, "--store", &store]);
        assert!(!text(&output).contains(".example"), "{}", text(&output));
        assert_eq!(
            code(&run(&["show", id, "--store", &store, "--original"])),
            1
        );
    }
    let unknown = run(&["show", "ffff-nothing", "--store", &store, "--json"]);
    assert_eq!(json(&unknown)[0]["error"]["code"], "cli.not_found");
}

#[test]
fn a_log_that_another_worker_holds_is_left_alone() {
    let demo_of = Demo::new(&["--quiet"]);
    let database = rusqlite::Connection::open(demo_of.file()).unwrap();
    let taken = "UPDATE lease SET holder = 'another', until = 9000000000000000";
    assert_eq!(database.execute(taken, []).unwrap(), 1);
    let output = demo(&demo_of.file(), &[]);
    assert_eq!(code(&output), 1, "{}", errors(&output));
    assert_eq!(
        text(&output),
        "Another worker holds the mailbox; nothing was done.\n"
    );
    let output = demo(&demo_of.file(), &["--json"]);
    assert_eq!(code(&output), 1);
    assert_eq!(
        json(&output).pop().unwrap()["report"]["skipped"],
        "mailbox-busy"
    );
}

#[test]
fn a_second_demo_moves_copies_of_quarantined_mail_to_the_quarantine_folder() {
    let first = Demo::new(&["--quiet"]);
    let second = demo(&first.file(), &[]);
    let shown = text(&second);
    assert!(
        shown.contains("  0 now in \\Email Logging\\Queue\\\n"),
        "{shown}"
    );
    assert!(
        shown.contains("  2 now in \\Email Logging\\Quarantine\\\n"),
        "{shown}"
    );
}

#[test]
fn a_narrow_terminal_gets_each_mail_in_lines_of_its_own() {
    let demo = Demo::new(&["--quiet"]);
    let mut command = program();
    command.args(["log", "--store", &demo.store(), "--limit", "1000"]);
    let output = command.env("COLUMNS", "40").output().unwrap();
    for line in text(&output).lines() {
        assert!(unicode_width::UnicodeWidthStr::width(line) <= 40, "{line}");
    }
    for name in [
        "Margaux Delorme",
        "Lucía Fuertes",
        "Tomasz Wrona",
        "Catalogue",
    ] {
        assert!(text(&output).contains(&format!("\n    {name}")), "{name}");
    }
}

fn find(bytes: &[u8], needle: &[u8]) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

#[test]
fn the_private_mails_of_the_demo_leave_neither_subject_nor_text() {
    let demo = Demo::new(&["--quiet"]);
    let mut bytes = Vec::new();
    for suffix in ["", "-wal", "-shm"] {
        bytes.extend(std::fs::read(format!("{}{suffix}", demo.store())).unwrap_or_default());
    }
    assert!(find(&bytes, b"Catalogue"), "other mails are kept");
    for needle in [
        "My health",
        "in hospital",
        "43ce86691528e201",
        "confidentiel",
        "entre nous",
        "4662b54072f28573",
        "Tillykke med",
        "dselsdagen",
        "08e53acc8d304b24",
    ] {
        assert!(!find(&bytes, needle.as_bytes()), "{needle}");
    }
}

/// Runs in a terminal of its own (`script` of util-linux), where colours and a progress bar are shown.
#[cfg(target_os = "linux")]
fn in_a_terminal(variables: &str, arguments: &str) -> Option<String> {
    let path = program().get_program().to_str().unwrap().to_owned();
    let command = format!("stty cols 90; unset COLUMNS; {variables} '{path}' {arguments}");
    let mut script = std::process::Command::new("script");
    script
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    let output = match script.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skipped::skipped("`script` (of util-linux, package bsdutils) is not installed");
            return None;
        }
        output => output.unwrap(),
    };
    assert_eq!(code(&output), 0, "{}", text(&output));
    Some(text(&output).to_owned())
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_there_is_colour_unless_it_is_refused() {
    let Some(colour) = in_a_terminal("env -u NO_COLOR", "explain sample:01") else {
        return;
    };
    assert!(
        colour.contains("\u{1b}[1m01-outbound-one-contact.eml\u{1b}[0m"),
        "{colour:?}"
    );
    for refused in ["NO_COLOR=1", "TERM=dumb"] {
        let plain = in_a_terminal(refused, "explain sample:01").unwrap();
        assert!(
            plain.contains("01-outbound-one-contact.eml") && !plain.contains('\u{1b}'),
            "{plain:?}"
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_the_demo_ends_as_well() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("log.sqlite");
    let Some(shown) = in_a_terminal("", &format!("demo --store '{}'", store.display())) else {
        return;
    };
    assert!(shown.contains("What to type next"), "{shown}");
    assert!(shown.contains(&"─".repeat(20)), "{shown}");
}

#[test]
fn output_that_nobody_reads_to_its_end_is_no_failure() {
    let demo = Demo::new(&["--quiet"]);
    let mut command = program();
    command.args(["log", "--store", &demo.store(), "--json", "--limit", "1000"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), errors(&output)), (0, ""));
}
