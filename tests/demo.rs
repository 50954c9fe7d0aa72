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

#[path = "email_logger/program.rs"]
mod program;
#[path = "../examples/email_logger/samples.rs"]
mod samples;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use program::{code, errors, json, program, run, text};
use rusqlite::Connection;
use samples::SAMPLES;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
struct Table {
    mail: Vec<Expected>,
}

#[derive(Debug, Deserialize)]
struct Expected {
    file: String,
    outcome: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    flags: BTreeSet<String>,
    #[serde(default)]
    entry: Vec<Pair>,
    why: String,
}

#[derive(Debug, Clone, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Pair {
    direction: String,
    contact: String,
    salesperson: String,
}

/// The flags that the table knows; others are about how a pair was found, or about the authentication of the sender.
const FLAGS: [&str; 10] = [
    "automatic-message",
    "automatic-reply",
    "ambiguous-contact",
    "bulk",
    "date-implausible",
    "date-missing",
    "mailing-list",
    "message-id-conflict",
    "message-id-missing",
    "opaque-content",
];

/// What became of one mail.
#[derive(Debug, PartialEq, Eq)]
struct Result {
    outcome: String,
    reason: String,
    flags: BTreeSet<String>,
    entries: Vec<Pair>,
}

fn table() -> Vec<Expected> {
    let text = include_str!("../examples/email_logger/samples/expected.toml");
    let table: Table = toml::from_str(text).unwrap();
    table.mail
}

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

/// What the file says of every mail, by the time of its receipt, which no two samples share.
fn results(file: &Path) -> BTreeMap<i64, Result> {
    let database = Connection::open(file).unwrap();
    let sql = "SELECT s.received, d.outcome, d.reason, coalesce(m.flags, '[]'), coalesce(s.message_no, 0)
               FROM sighting s JOIN decision d ON d.sighting_no = s.no LEFT JOIN message m ON m.no = s.message_no";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok((
            row.get(0)?,
            row.get(1)?,
            row.get(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, i64>(4)?,
        ))
    });
    let mut results = BTreeMap::new();
    for row in rows.unwrap() {
        let (received, outcome, reason, flags, message): (i64, String, String, _, _) = row.unwrap();
        let logged = outcome == "logged";
        let (entries, mut flags) = (
            if logged {
                entries(&database, message)
            } else {
                Vec::new()
            },
            if logged {
                listed(&flags)
            } else {
                BTreeSet::new()
            },
        );
        flags.retain(|flag| FLAGS.contains(&flag.as_str()));
        let result = Result {
            outcome,
            reason,
            flags,
            entries,
        };
        assert!(
            results.insert(received, result).is_none(),
            "two sightings of one sample"
        );
    }
    results
}

fn listed(flags: &str) -> BTreeSet<String> {
    serde_json::from_str(flags).unwrap()
}

fn entries(database: &Connection, message: i64) -> Vec<Pair> {
    let sql =
        "SELECT information_flow, contact_no, salesperson_code FROM entry WHERE message_no = ?1";
    let mut statement = database.prepare(sql).unwrap();
    let rows = statement.query_map([message], |row| {
        Ok(Pair {
            direction: row.get(0)?,
            contact: row.get(1)?,
            salesperson: row.get(2)?,
        })
    });
    let mut entries: Vec<Pair> = rows.unwrap().map(std::result::Result::unwrap).collect();
    entries.sort();
    entries
}

fn number(file: &Path, sql: &str) -> i64 {
    Connection::open(file)
        .unwrap()
        .query_row(sql, [], |row| row.get(0))
        .unwrap()
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
    let json = json(&run(&[
        "log",
        "--text",
        "HYPERLINK",
        "--store",
        &store,
        "--json",
    ]));
    let subject = json[0]["subject"].as_str().unwrap();
    assert!(
        steering(subject).is_some(),
        "the sample is hostile: {subject:?}"
    );
    let no = json[0]["entries"][0]["entry-no"].to_string();
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
        let arguments: Vec<&str> = command.split_whitespace().collect();
        let mut program = program();
        let output = program
            .args(&arguments)
            .env("EMAIL_LOGGER__STORE__PATH", demo.file())
            .output()
            .unwrap();
        assert_eq!(code(&output), 0, "{command}: {}", errors(&output));
        assert!(!output.stdout.is_empty(), "{command}");
        typed += 1;
    }
    assert_eq!(typed, 7);
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
    assert!(text(&shown).contains("was written by neither a salesperson nor a contact"));
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
        let found = json(&run(&["log", "--text", words, "--store", &store, "--json"]));
        let no = found[0]["entries"][0]["entry-no"].to_string();
        let output = run(&["show", &no, "--store", &store, "--original"]);
        let sample = SAMPLES
            .iter()
            .find(|sample| sample.name.starts_with(file))
            .unwrap();
        assert_eq!(output.stdout, sample.original, "{}", sample.name);
        let copy = demo.directory.path().join(format!("{file}copy.eml"));
        let copy_name = copy.to_str().unwrap();
        let arguments = [
            "show",
            &no,
            "--store",
            &store,
            "--original",
            "--output",
            copy_name,
        ];
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

/// A simulated Exchange that serves a directory of mails; it is stopped when the value goes.
struct Served {
    child: Child,
    facts: Value,
}

impl Served {
    fn new(mails: &Path, ca: &Path) -> Self {
        let mut command = program();
        command
            .args(["simulate", "--json", "--ca-file"])
            .arg(ca)
            .arg(mails);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let facts = serde_json::from_str(&line).unwrap();
        Self { child, facts }
    }

    fn fact(&self, name: &str) -> String {
        self.facts[name].as_str().unwrap().to_owned()
    }

    /// `run` against it.
    fn run(&self, store: &Path, arguments: &[&str]) -> std::process::Output {
        self.run_as(&self.fact("password"), store, arguments)
    }

    fn run_as(&self, password: &str, store: &Path, arguments: &[&str]) -> std::process::Output {
        let directory = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/examples/email_logger/samples/directory.toml"
        );
        let mut command = program();
        command.env("EMAIL_LOGGER__EXCHANGE__PASSWORD", password);
        for (section, key, name) in [
            ("EXCHANGE", "URL", "url"),
            ("EXCHANGE", "USER_NAME", "user-name"),
            ("EXCHANGE", "CA_FILE", "ca-file"),
            ("FOLDERS", "QUEUE", "queue"),
            ("FOLDERS", "STORAGE", "storage"),
        ] {
            command.env(format!("EMAIL_LOGGER__{section}__{key}"), self.fact(name));
        }
        command.env("EMAIL_LOGGER__DIRECTORY__FILE", directory);
        command
            .arg("run")
            .arg("--store")
            .arg(store)
            .args(arguments)
            .output()
            .unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A directory with these samples, and with room for an authority and a store.
fn directory_of(samples: &[&str]) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    let mails = directory.path().join("mails");
    std::fs::create_dir(&mails).unwrap();
    for sample in SAMPLES
        .iter()
        .filter(|sample| samples.contains(&&sample.name[..2]))
    {
        std::fs::write(mails.join(sample.name), sample.original).unwrap();
    }
    directory
}

#[test]
fn a_private_mail_leaves_no_byte_in_the_files() {
    let directory = directory_of(&["54", "55", "56"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("private.sqlite");
    let output = served.run(&store, &["--json"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(json(&output)[0]["report"]["excluded"], 3);
    let mut bytes = Vec::new();
    for suffix in ["", "-wal", "-shm"] {
        let file = PathBuf::from(format!("{}{suffix}", store.display()));
        bytes.extend(std::fs::read(file).unwrap_or_default());
    }
    assert!(find(&bytes, b"confidential"), "the reason is kept");
    for needle in [
        "My health",
        "hospital",
        "43ce86691528e201",
        "penny.marsh",
        "Penny",
        "ada.holm",
        "Conditions",
        "confidentiel",
        "entre nous",
        "4662b54072f28573",
        "margaux",
        "Delorme",
        "benoit.kessler",
        "Tillykke",
        "Kirsten",
        "08e53acc8d304b24",
        "familien.bay",
        "daniel.sorensen",
        "tidewheel",
    ] {
        assert!(!find(&bytes, needle.as_bytes()), "{needle}");
    }
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

fn find(bytes: &[u8], needle: &[u8]) -> bool {
    bytes
        .windows(needle.len())
        .any(|window| window.eq_ignore_ascii_case(needle))
}

#[test]
fn run_logs_once_and_tells_what_was_set_aside_by_its_exit_code() {
    let directory = directory_of(&["01", "02", "35", "41"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("log.sqlite");

    let dry = served.run(&store, &["--dry-run", "--json"]);
    assert_eq!(code(&dry), 0, "{}", errors(&dry));
    assert_eq!(json(&dry).pop().unwrap()["report"]["entries"], 4);
    assert!(!store.exists(), "a dry run makes no file");

    let first = served.run(&store, &["--json"]);
    assert_eq!(code(&first), 3, "{}", errors(&first));
    let report = &json(&first)[0]["report"];
    let counts = [
        "listed",
        "logged",
        "entries",
        "not-matched",
        "quarantined",
        "moved",
    ]
    .map(|key| report[key].as_u64().unwrap());
    assert_eq!(counts, [4, 2, 4, 1, 1, 3]);

    let second = served.run(&store, &["--json"]);
    assert_eq!(code(&second), 0, "{}", errors(&second));
    assert_eq!(json(&second)[0]["report"]["entries"], 0);
    assert_eq!(number(&store, "SELECT count(*) FROM entry"), 4);
}

#[test]
fn a_wrong_password_ends_with_4_and_the_schemes_that_the_server_offers() {
    let directory = directory_of(&["01"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("log.sqlite");
    let output = served.run_as("planted-and-wrong", &store, &["--json"]);
    assert_eq!(code(&output), 4);
    let error = &json(&output)[0]["error"];
    assert_eq!(error["code"], "http.unauthorized");
    assert_eq!(error["server"]["offered-schemes"][0], "Basic");
    assert!(
        errors(&output).contains("request-id"),
        "{}",
        errors(&output)
    );
    for stream in [text(&output), errors(&output)] {
        assert!(!stream.contains("planted-and-wrong"), "{stream}");
    }
}
