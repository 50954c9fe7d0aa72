//! `import` of the example binary: old mail out of files into a log.

#![cfg(all(feature = "files", feature = "sqlite"))]
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
#[path = "support/skipped.rs"]
mod skipped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use program::{code, errors, json, program, run, text};
use serde_json::Value;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/email_logger/samples");
const DIRECTORY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/email_logger/samples/directory.toml"
);

struct Desk {
    dir: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn import(&self, path: &Path, more: &[&str]) -> Output {
        let (path, store) = (path.to_str().unwrap(), self.at("log.sqlite"));
        let mut words = vec!["import", path, "--directory", DIRECTORY];
        words.extend(["--store", store.to_str().unwrap()]);
        words.extend(more);
        run(&words)
    }

    /// An import that goes on beside this test.
    fn begin(&self, path: &Path) -> Child {
        let mut command = program();
        command
            .arg("import")
            .arg(path)
            .args(["--json", "--directory", DIRECTORY, "--store"])
            .arg(self.at("log.sqlite"));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Bytes of the log's files.
    fn size(&self) -> u64 {
        let files = ["log.sqlite", "log.sqlite-wal"].map(|name| fs::metadata(self.at(name)));
        files.into_iter().flatten().map(|file| file.len()).sum()
    }

    /// The log, without what differs from one import to the other: the numbers and the times of writing.
    fn content(&self) -> Vec<String> {
        let mut rows = self.log(&[]);
        rows.iter_mut().for_each(forget);
        let mut rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        rows.sort();
        rows
    }

    fn log(&self, more: &[&str]) -> Vec<serde_json::Value> {
        let store = self.at("log.sqlite");
        let mut words = vec![
            "log",
            "--json",
            "--limit",
            "1000",
            "--store",
            store.to_str().unwrap(),
        ];
        words.extend(more);
        json(&run(&words))
    }
}

/// The one value that a program reads.
fn told(output: &Output) -> serde_json::Value {
    let mut values = json(output);
    assert_eq!(values.len(), 1, "{}{}", text(output), errors(output));
    values.remove(0)
}

/// Three of the samples, of which one is logged with one entry, and one is for nobody.
fn some(dir: &Path) {
    for name in ["01-outbound-one-contact.eml", "35-unknown-sender.eml"] {
        fs::create_dir_all(dir).unwrap();
        fs::copy(Path::new(SAMPLES).join(name), dir.join(name)).unwrap();
    }
}

#[test]
fn a_dry_run_says_the_reasons_and_writes_nothing() {
    let desk = Desk::new();
    let output = desk.import(Path::new(SAMPLES), &["--dry-run"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let said = text(&output);
    let names = fs::read_dir(SAMPLES).unwrap().map(|it| it.unwrap().path());
    let others = names
        .filter(|name| name.extension().is_none_or(|it| it != "eml"))
        .count();
    let passed_over = format!("{others} passed over: links, or no mail by their name");
    for words in [
        "90 mails in ",
        "logged, with ",
        "neither a salesperson nor a contact wrote it",
        &passed_over,
        "Nothing was written, and nothing was moved.",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(!desk.at("log.sqlite").exists());
    let dry = told(&desk.import(Path::new(SAMPLES), &["--dry-run", "--json"]));
    assert_eq!(
        (&dry["dry-run"], &dry["format"]),
        (&true.into(), &"eml".into())
    );
    let report = told(&desk.import(Path::new(SAMPLES), &["--json"]));
    for count in ["listed", "excluded", "quarantined"] {
        assert_eq!(dry["report"][count], report["report"][count], "{count}");
    }
}

#[test]
fn an_import_logs_once_with_old_dates_and_without_events() {
    let desk = Desk::new();
    let first = desk.import(Path::new(SAMPLES), &["--json"]);
    let told_first = told(&first);
    let report = &told_first["report"];
    assert_eq!(
        (&report["listed"], &report["moved"]),
        (&90.into(), &0.into())
    );
    // Of the samples some are set aside for a person.
    let exit = if report["quarantined"] == 0 { 0 } else { 3 };
    assert_eq!(code(&first), exit);
    let log = desk.log(&[]);
    assert_eq!(report["logged"], log.len(), "{report}");
    let store = desk.at("log.sqlite");
    let events = run(&["events", "--json", "--store", store.to_str().unwrap()]);
    assert_eq!(
        (code(&events), text(&events)),
        (0, ""),
        "{}",
        errors(&events)
    );
    let again = desk.import(Path::new(SAMPLES), &["--json"]);
    let again_report = &told(&again)["report"];
    assert_eq!(
        (&again_report["fetched"], &again_report["deferred"]),
        (&0.into(), &90.into())
    );
    assert_eq!((code(&again), desk.log(&[]).len()), (0, log.len()));
    let said = desk.import(Path::new(SAMPLES), &[]);
    assert!(
        text(&said).contains("90 known from an earlier import"),
        "{}",
        text(&said)
    );
}

#[test]
fn files_are_moved_only_where_it_is_asked_for() {
    let desk = Desk::new();
    some(&desk.at("in"));
    let done = desk.at("done");
    let report = told(&desk.import(
        &desk.at("in"),
        &["--json", "--move-to", done.to_str().unwrap()],
    ));
    assert_eq!(report["report"]["moved"], 2, "{report}");
    assert_eq!(fs::read_dir(desk.at("in")).unwrap().count(), 0);
    let name = "01-outbound-one-contact.eml";
    let moved = fs::read(done.join(name)).unwrap();
    assert_eq!(moved, fs::read(Path::new(SAMPLES).join(name)).unwrap());
    let empty = desk.import(&desk.at("in"), &["--move-to", done.to_str().unwrap()]);
    assert!(text(&empty).starts_with("0 mails in "), "{}", text(&empty));
}

#[test]
fn every_format_is_read_and_found_out() {
    let name = "01-outbound-one-contact.eml";
    let mail = fs::read(Path::new(SAMPLES).join(name)).unwrap();
    for format in ["eml", "mbox", "maildir"] {
        let desk = Desk::new();
        let place = desk.at("mail");
        match format {
            "eml" => fs::write(&place, &mail).unwrap(),
            "mbox" => {
                let separator = b"From a@b.example Mon Jan  5 10:00:00 2026\n".to_vec();
                fs::write(&place, [separator, mail.clone(), b"\n".to_vec()].concat()).unwrap();
            }
            _ => {
                for name in ["cur", "new"] {
                    fs::create_dir_all(place.join(name)).unwrap();
                }
                fs::write(place.join("cur/1790000000.M1P1.host:2,S"), &mail).unwrap();
            }
        }
        let report = told(&desk.import(&place, &["--json"]));
        assert_eq!(
            (&report["format"], &report["report"]["logged"]),
            (&format.into(), &1.into())
        );
        let named = told(&desk.import(&place, &["--json", "--format", format]));
        assert_eq!(named["report"]["deferred"], 1, "{named}");
    }
}

#[test]
fn what_cannot_be_imported_is_said_with_its_exit_code() {
    let desk = Desk::new();
    some(&desk.at("in"));
    let missing = desk.import(&desk.at("missing"), &["--json"]);
    assert_eq!(told(&missing)["error"]["code"], "source.folder_not_found");
    assert_eq!(code(&missing), 1);
    let wrong = desk.import(&desk.at("in"), &["--json", "--format", "maildir"]);
    assert_eq!(
        (code(&wrong), &told(&wrong)["error"]["code"]),
        (4, &"files.format".into())
    );
    let usage = desk.import(&desk.at("in"), &["--format", "pst"]);
    assert_eq!(code(&usage), 2);
    assert!(!desk.at("log.sqlite").exists());
    fs::write(desk.at("in/empty.eml"), "").unwrap();
    let aside = desk.import(&desk.at("in"), &[]);
    assert_eq!(code(&aside), 3, "{}", text(&aside));
    assert!(text(&aside).contains("1 not readable: a person must look at it"));
}

#[test]
fn a_place_to_move_to_that_cannot_be_one_is_refused_before_anything_is_read() {
    let desk = Desk::new();
    some(&desk.at("in"));
    fs::write(desk.at("file"), "").unwrap();
    let place = desk.at("in");
    for (place, expected) in [(desk.at("file"), 2), (place, 4)] {
        let place = place.to_str().unwrap();
        let refused = desk.import(&desk.at("in"), &["--json", "--move-to", place]);
        assert_eq!(code(&refused), expected, "{}", text(&refused));
    }
    assert_eq!(fs::read_dir(desk.at("in")).unwrap().count(), 2);
    assert!(!desk.at("log.sqlite").exists());
}

fn forget(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|name, _| !matches!(&*name.replace('_', "-"), "entry-no" | "logged-at"));
            fields.values_mut().for_each(forget);
        }
        Value::Array(all) => all.iter_mut().for_each(forget),
        _ => {}
    }
}

/// So many mails, each with a Message-ID of its own.
fn many(dir: &Path, numbers: std::ops::Range<usize>) {
    let mail = fs::read_to_string(Path::new(SAMPLES).join("01-outbound-one-contact.eml")).unwrap();
    fs::create_dir_all(dir).unwrap();
    for number in numbers {
        let lines = mail.split_inclusive('\n').map(|line| {
            if line.to_ascii_lowercase().starts_with("message-id:") {
                format!("Message-ID: <{number}@corp.example>\r\n")
            } else {
                line.to_owned()
            }
        });
        let mail: String = lines.collect();
        assert!(mail.contains("@corp.example>"), "{mail}");
        fs::write(dir.join(format!("{number:04}.eml")), mail).unwrap();
    }
}

#[test]
fn an_import_that_is_killed_again_and_again_leaves_the_log_of_one_that_is_not() {
    const MAILS: usize = 400;
    let (whole, pieces) = (Desk::new(), Desk::new());
    many(&whole.at("in"), 0..MAILS);
    let report = told(&whole.import(&whole.at("in"), &["--json"]));
    assert_eq!(report["report"]["logged"], MAILS, "{report}");
    let mut killed = 0;
    for _ in 0..4 {
        let before = pieces.size();
        let mut child = pieces.begin(&whole.at("in"));
        // Until it has written some of it.
        while child.try_wait().unwrap().is_none() {
            if pieces.size() > before + 300_000 {
                child.kill().unwrap();
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let output = child.wait_with_output().unwrap();
        killed += usize::from(output.status.code().is_none());
    }
    assert!(killed >= 2, "only {killed} were killed");
    let half = told(&pieces.import(&whole.at("in"), &["--json"]));
    assert_eq!(half["report"]["listed"], MAILS, "{half}");
    let logged = pieces.content();
    assert_eq!(logged.len(), MAILS);
    assert!(logged == whole.content(), "{}", logged[0]);
}

#[test]
fn two_imports_of_two_places_go_on_beside_each_other() {
    let desk = Desk::new();
    many(&desk.at("one"), 0..150);
    many(&desk.at("other"), 150..300);
    // The log is there: what is tried here is not who makes it.
    some(&desk.at("first"));
    told(&desk.import(&desk.at("first"), &["--json"]));
    let children = ["one", "other"].map(|name| desk.begin(&desk.at(name)));
    for child in children {
        let output = child.wait_with_output().unwrap();
        assert_eq!(code(&output), 0, "{}{}", text(&output), errors(&output));
        let report = &told(&output)["report"];
        assert_eq!(
            (&report["logged"], &report["skipped"]),
            (&150.into(), &Value::Null)
        );
    }
    assert_eq!(desk.log(&[]).len(), 301);
}

/// Runs an import in a terminal of its own (`script` of util-linux).
#[cfg(target_os = "linux")]
fn in_a_terminal(desk: &Desk, more: &str) -> Option<String> {
    let path = program().get_program().to_str().unwrap().to_owned();
    let command = format!(
        "stty cols 100; unset COLUMNS; '{path}' import '{SAMPLES}' --directory '{DIRECTORY}' --store '{}' {more}",
        desk.at("log.sqlite").display()
    );
    let mut script = Command::new("script");
    script
        .args(["-qec", &command, "/dev/null"])
        .env("TERM", "xterm")
        .stdin(Stdio::null());
    match script.output() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            skipped::skipped("`script` (of util-linux, package bsdutils) is not installed");
            None
        }
        output => Some(text(&output.unwrap()).to_owned()),
    }
}

#[cfg(target_os = "linux")]
#[test]
fn on_a_terminal_a_bar_follows_the_import_and_is_gone_at_its_end() {
    let desk = Desk::new();
    let Some(shown) = in_a_terminal(&desk, "") else {
        return;
    };
    let (bar, result) = shown.split_at(shown.find("90 mails in ").unwrap());
    assert!(bar.contains("/90 mails, "), "{bar:?}");
    assert!(bar.contains("logging"), "{bar:?}");
    let erased = bar.rfind("\u{1b}[2K").or(bar.rfind("\u{1b}[K"));
    let drawn = bar.rfind("mails, ").unwrap();
    assert!(
        erased.is_some_and(|at| at > drawn),
        "the bar stays: {bar:?}"
    );
    assert!(!result.contains("/90 mails"), "{result:?}");
    let quiet = in_a_terminal(&Desk::new(), "--quiet").unwrap();
    assert!(!quiet.contains("/90 mails"), "{quiet:?}");
    // Nothing moves where nobody looks.
    let piped = Desk::new().import(Path::new(SAMPLES), &[]);
    assert_eq!(errors(&piped), "");
}
