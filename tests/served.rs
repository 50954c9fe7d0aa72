//! The example binary against a simulated Exchange in another process: run, watch, folders, and what private mail leaves.

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
#[path = "email_logger/served.rs"]
mod served;

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use email_logging::store::{Acquired, MailLedger as _, SqliteStore};
use email_logging::testkit::exchange::{Fault, FaultKind, Operation, SimulatedExchange};
use email_logging::{Scope, WorkerId};
use log_file::number;
use program::{code, errors, json, program, run, text};
use serde_json::Value;
use served::{Served, directory_of};

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
fn mail_that_was_set_aside_gets_another_try() {
    let directory = directory_of(&["01", "41"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("log.sqlite");
    let name = store.to_str().unwrap();
    assert_eq!(code(&served.run(&store, &["--quiet"])), 3);
    let idle = served.run(&store, &[]);
    assert_eq!(code(&idle), 0, "3 is about what this run set aside");
    assert_eq!(
        text(&idle),
        "Nothing new in the queue folder; 1 mail passed over: set aside before, or not due yet.\n"
    );
    let listed = run(&["log", "--store", name, "--not-logged"]);
    let id = text(&listed).split_whitespace().nth(2).unwrap();
    let requeued = run(&["requeue", id, "--store", name]);
    assert_eq!(code(&requeued), 0, "{}", errors(&requeued));
    assert!(text(&requeued).starts_with("1 mail gets another try"));
    assert!(text(&requeued).contains("move it back"));
    let again = run(&["requeue", id, "--store", name, "--json"]);
    assert_eq!(code(&again), 1, "it is not set aside any more");
    assert_eq!(json(&again)[0]["requeue"]["mails"], 0);
    assert_eq!(json(&again)[1]["error"]["code"], "cli.not_found");
    let tried = served.run(&store, &["--json"]);
    assert_eq!(code(&tried), 3, "{}", errors(&tried));
    assert_eq!(json(&tried)[0]["report"]["quarantined"], 1);
}

#[test]
fn mail_in_the_quarantine_folder_is_moved_back_by_a_requeue() {
    let directory = directory_of(&["01", "41"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("log.sqlite");
    let command = |name: &str, arguments: &[&str]| {
        let mut command = served.command(name, &served.fact("password"), &store);
        let quarantine = r"\Email Logging\Quarantine\";
        command.env("EMAIL_LOGGER__FOLDERS__QUARANTINE", quarantine);
        command.args(arguments).output().unwrap()
    };
    let first = command("run", &["--json"]);
    assert_eq!(code(&first), 3, "{}", errors(&first));
    assert_eq!(json(&first)[0]["report"]["moved"], 2);
    let listed = run(&["log", "--store", store.to_str().unwrap(), "--not-logged"]);
    let id = text(&listed).split_whitespace().nth(2).unwrap();
    let requeued = command("requeue", &[id, "--json"]);
    assert_eq!(code(&requeued), 0, "{}", errors(&requeued));
    assert_eq!(json(&requeued)[0]["requeue"]["mails"], 1);
    assert_eq!(json(&requeued)[0]["requeue"]["moved-back"], 1);
    let tried = command("run", &["--json"]);
    assert_eq!(json(&tried)[0]["report"]["quarantined"], 1, "it was there");
}

/// A simulated Exchange in this process, whose queue holds what cannot be read, and a store.
struct Office {
    exchange: SimulatedExchange,
    home: tempfile::TempDir,
}

const QUEUE: &str = r"\Queue\";
const STORAGE: &str = r"\Storage\";
const QUARANTINE: &str = r"\Quarantine\";

impl Office {
    async fn new() -> Self {
        let mut builder = SimulatedExchange::builder().with_user("logger", "simulated");
        for folder in [QUEUE, STORAGE, QUARANTINE] {
            builder = builder.with_public_folder(folder);
        }
        let exchange = builder.start().await.unwrap();
        exchange.deliver(QUEUE, "no mail").unwrap();
        let home = tempfile::tempdir().unwrap();
        Self { exchange, home }
    }

    /// A command that knows the store alone.
    fn unconnected(&self, words: &[&str]) -> std::process::Command {
        let mut command = program();
        let store = self.home.path().join("log.sqlite");
        command.args(words).arg("--store").arg(store);
        command
    }

    /// Runs a command that knows the mail system as well.
    fn run(&self, words: &[&str]) -> std::process::Output {
        let mut command = self.unconnected(words);
        command
            .env("EMAIL_LOGGER__EXCHANGE__URL", self.exchange.url())
            .env("EMAIL_LOGGER__EXCHANGE__USER_NAME", "logger")
            .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "simulated")
            .env("EMAIL_LOGGER__EXCHANGE__ON_PREMISES_RANGES", "127.0.0.0/8")
            .env(
                "EMAIL_LOGGER__EXCHANGE__ALLOW_PLAIN_HTTP_ON_LOOPBACK",
                "true",
            )
            .env("EMAIL_LOGGER__FOLDERS__QUEUE", QUEUE)
            .env("EMAIL_LOGGER__FOLDERS__STORAGE", STORAGE)
            .env("EMAIL_LOGGER__FOLDERS__QUARANTINE", QUARANTINE)
            .env("EMAIL_LOGGER__DIRECTORY__FILE", served::SAMPLE_DIRECTORY);
        command.output().unwrap()
    }

    /// Has a run set the mail aside; answers its id.
    fn set_aside(&self) -> String {
        let first = self.run(&["run"]);
        assert_eq!(code(&first), 3, "{}", errors(&first));
        let mut listed = self.unconnected(&["log", "--not-logged"]);
        let listed = listed.output().unwrap();
        text(&listed).split_whitespace().nth(2).unwrap().to_owned()
    }

    /// How many items lie in the queue, and in the quarantine folder.
    fn counts(&self) -> [usize; 2] {
        [QUEUE, QUARANTINE].map(|folder| self.exchange.count(folder).unwrap())
    }
}

/// Exchange moves nothing, and says so.
fn refusal() -> Fault {
    let (index, code) = (0, "ErrorMoveCopyFailed".into());
    Fault::new(FaultKind::ItemError { index, code }).on(Operation::MoveItem)
}

/// What a requeue tells with `--json`: mails, what was moved back, what failed, and why.
fn told(requeued: &std::process::Output) -> Value {
    let told = &json(requeued)[0]["requeue"];
    let names = ["mails", "moved-back", "failed", "failure"];
    names.map(|name| told[name].clone()).to_vec().into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_requeue_cannot_move_back_is_told_and_stays_set_aside() {
    let office = Office::new().await;
    let id = office.set_aside();
    office.exchange.inject(refusal());
    let failed = office.run(&["requeue", &id]);
    assert_eq!(code(&failed), 1, "{}", errors(&failed));
    assert_eq!(
        text(&failed),
        "1 item could not be moved back (ews.move_failed), so that its mail stays set aside: ask again later.\n"
    );
    office.exchange.inject(refusal());
    let failed = office.run(&["requeue", &id, "--json"]);
    assert_eq!(code(&failed), 1, "{}", errors(&failed));
    assert_eq!(
        told(&failed),
        serde_json::json!([0, 0, 1, "ews.move_failed"])
    );
    let again = office.run(&["requeue", &id, "--json"]);
    assert_eq!(code(&again), 0, "{}", errors(&again));
    assert_eq!(told(&again), serde_json::json!([1, 1, 0, null]));
    assert_eq!(office.counts(), [1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_move_stays_set_aside_where_nobody_can_look_for_a_copy() {
    let office = Office::new().await;
    office.exchange.inject(refusal());
    let id = office.set_aside();
    assert_eq!(office.counts(), [1, 0], "the move is to be done");
    let requeue = |words: &[&str]| {
        let mut command = office.unconnected(&["requeue", &id]);
        command.args(words).output().unwrap()
    };
    let left = requeue(&[]);
    assert_eq!(code(&left), 1, "{}", errors(&left));
    assert_eq!(
        text(&left),
        "1 item could not be moved back (setup.incomplete), so that its mail stays set aside: \
         ask again with a configuration that names Exchange, its folders and the directory.\n"
    );
    let left = requeue(&["--json"]);
    assert_eq!(code(&left), 1, "{}", errors(&left));
    assert_eq!(
        told(&left),
        serde_json::json!([0, 0, 1, "setup.incomplete"])
    );
    let again = office.run(&["requeue", &id, "--json"]);
    assert_eq!(code(&again), 0, "{}", errors(&again));
    assert_eq!(told(&again), serde_json::json!([1, 0, 0, null]));
    assert_eq!(office.counts(), [1, 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_requeue_in_the_log_alone_takes_the_mailbox_and_gives_it_back() {
    let office = Office::new().await;
    let id = office.set_aside();
    let path = office.home.path().join("log.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    let (scope, worker) = (Scope::default(), WorkerId::from("run"));
    let take = async || {
        let ttl = Duration::from_mins(10);
        let taken = store.acquire(&scope, &"queue".into(), &worker, ttl).await;
        match taken.unwrap() {
            Acquired::Held(lease) => lease,
            other => panic!("{other:?}"),
        }
    };
    let requeue = || {
        let mut command = office.unconnected(&["requeue", &id, "--json"]);
        command.output().unwrap()
    };
    let lease = take().await;
    let busy = requeue();
    assert_eq!(code(&busy), 1, "{}", errors(&busy));
    assert_eq!(json(&busy)[0]["error"]["code"], "lease.busy");
    let wish = Duration::from_hours(1);
    store.release_quiet(&scope, &lease, wish).await.unwrap();
    let quiet = requeue();
    assert_eq!(code(&quiet), 1, "{}", errors(&quiet));
    assert_eq!(json(&quiet)[0]["error"]["code"], "lease.quiet");
    let aside = "SELECT count(*) FROM sighting WHERE state = 'quarantined'";
    assert_eq!(number(&path, aside), 1);
    let conn = rusqlite::Connection::open(&path).unwrap();
    conn.execute("UPDATE lease SET quiet_until = 0, quiet_length = 0", [])
        .unwrap();
    assert_eq!(told(&requeue()), serde_json::json!([1, 0, 0, null]));
    assert_eq!(number(&path, aside), 0);
    take().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_of_a_hosts_own_mailbox_is_left_to_that_host() {
    let office = Office::new().await;
    office.exchange.inject(refusal());
    let id = office.set_aside();
    let conn = rusqlite::Connection::open(office.home.path().join("log.sqlite")).unwrap();
    conn.execute("UPDATE mailbox SET key = 'sales'", [])
        .unwrap();
    let left = office.run(&["requeue", &id]);
    assert_eq!(code(&left), 1, "{}", errors(&left));
    assert_eq!(
        text(&left),
        "1 item could not be moved back (setup.incomplete), so that its mail stays set aside: \
         the host that logs this mailbox gives it another try.\n"
    );
}

#[test]
fn a_log_that_was_lost_is_made_again_and_nothing_moves() {
    let directory = directory_of(&["01", "02", "35"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let (lost, new) = (
        directory.path().join("lost.sqlite"),
        directory.path().join("new.sqlite"),
    );
    let reconcile = |store, arguments: &[&str]| {
        let mut command = served.command("reconcile", &served.fact("password"), store);
        let output = command.arg("--json").args(arguments).output().unwrap();
        assert_eq!(code(&output), 0, "{}", errors(&output));
        json(&output)[0]["reconcile"].clone()
    };
    let listed = |store: &std::path::Path| {
        let listed = run(&["log", "--store", store.to_str().unwrap(), "--json"]);
        let mails = json(&listed).into_iter();
        let subjects = mails.map(|mail| mail["subject"].to_string());
        let mut subjects: Vec<_> = subjects.collect();
        subjects.sort();
        subjects
    };
    served.run(&lost, &["--quiet"]);
    let whole = reconcile(&lost, &[]);
    assert_eq!((&whole["listed"], &whole["known"]), (&3.into(), &3.into()));
    let dry = reconcile(&new, &["--dry-run"]);
    assert_eq!(dry["decided"]["listed"], 3);
    assert_eq!(reconcile(&new, &["--most", "1"])["complete"], false);
    let rest = reconcile(&new, &[]);
    assert_eq!(
        (&rest["known"], &rest["complete"]),
        (&1.into(), &true.into())
    );
    assert_eq!(reconcile(&new, &[])["known"], 3);
    assert_eq!(listed(&new), listed(&lost));
    let idle = served.run(&new, &["--json"]);
    assert_eq!(json(&idle)[0]["report"]["moved"], 0);
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
    let message = error["message"].as_str().unwrap();
    assert!(
        message.starts_with("opening the queue folder: "),
        "{message}"
    );
    assert_eq!(error["operation"], "FindFolder");
    assert!(
        errors(&output).contains("request-id"),
        "{}",
        errors(&output)
    );
    for stream in [text(&output), errors(&output)] {
        assert!(!stream.contains("planted-and-wrong"), "{stream}");
    }
}

/// `kill -INT`, as a terminal sends it for Ctrl-C.
#[cfg(unix)]
fn interrupt(child: &Child) {
    let command = format!("kill -INT {}", child.id());
    let sent = std::process::Command::new("sh")
        .args(["-c", &command])
        .status();
    assert!(sent.unwrap().success());
}

#[cfg(unix)]
#[test]
fn watch_runs_on_its_schedule_and_ends_with_130_after_an_interrupt() {
    let directory = directory_of(&["01", "02", "41"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let store = directory.path().join("log.sqlite");
    let mut watch = served.command("watch", &served.fact("password"), &store);
    watch.args(["--first-after", "0s", "--every", "1h", "--json", "--quiet"]);
    let mut child = watch.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let report: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(report["report"]["entries"], 4);
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert_eq!(number(&store, "SELECT count(*) FROM entry"), 4);
}

#[cfg(unix)]
#[test]
fn simulate_ends_with_130_after_an_interrupt() {
    let directory = directory_of(&["01"]);
    let ca = directory.path().join("ca.pem");
    let mut served = Served::new(&directory.path().join("mails"), &ca);
    assert!(
        std::fs::read_to_string(&ca)
            .unwrap()
            .contains("BEGIN CERTIFICATE")
    );
    assert_eq!(served.facts["mails"], 1);
    interrupt(&served.child);
    assert_eq!(served.child.wait().unwrap().code(), Some(130));
}

#[test]
fn folders_are_a_tree_with_rights() {
    let directory = directory_of(&["01"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let mut command = served.connected("folders", &served.fact("password"));
    let shown = command.arg("--json").output().unwrap();
    assert_eq!(code(&shown), 0, "{}", errors(&shown));
    let folders = json(&shown);
    let queue = folders
        .iter()
        .find(|folder| folder["path"] == r"\Email Logging\Queue\")
        .unwrap();
    assert_eq!(queue["public"], true);
    assert_eq!(queue["rights"][0], "read");
    assert!(
        folders
            .iter()
            .any(|folder| folder["path"] == r"mailbox:\Inbox\"),
        "{folders:?}"
    );
    let mut command = served.connected("folders", &served.fact("password"));
    let shown = command.output().unwrap();
    let tree = text(&shown);
    assert!(
        tree.contains("\n  Email Logging ") && tree.contains("\n    Queue "),
        "{tree}"
    );
}

#[test]
fn several_mailboxes_run_on_one_log_and_one_that_fails_stops_no_other() {
    let directory = directory_of(&["01", "02"]);
    let served = Served::new(
        &directory.path().join("mails"),
        &directory.path().join("ca.pem"),
    );
    let file = directory.path().join("email-logger.toml");
    let broken = "[[mailbox]]\nname = \"broken\"\nscope = { company = \"Broken\" }\nfolders = { queue = '\\No\\Such\\' }\n";
    let works = "[[mailbox]]\nname = \"works\"\nscope = { company = \"Works\" }\n";
    std::fs::write(&file, format!("{broken}{works}")).unwrap();
    let store = directory.path().join("log.sqlite");
    let mut command = served.command("run", &served.fact("password"), &store);
    for name in ["QUEUE", "STORAGE"] {
        command.env_remove(format!("EMAIL_LOGGER__FOLDERS__{name}"));
    }
    let common = format!(
        "[folders]\nqueue = '{}'\nstorage = '{}'\n",
        served.fact("queue"),
        served.fact("storage")
    );
    std::fs::write(&file, format!("{common}{broken}{works}")).unwrap();
    let output = command.arg("--config").arg(&file).output().unwrap();
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert!(text(&output).contains("2 logged"), "{}", text(&output));
    let mut status = program::program();
    let status = status.args(["status", "--json", "--store"]).arg(&store);
    let status = status.output().unwrap();
    let runs = &json(&status)[0]["runs"];
    assert_eq!(runs["works"]["failed-in-a-row"], 0, "{runs}");
    assert!(runs["works"]["last-success"].is_string(), "{runs}");
    assert_eq!(runs["broken"]["failed-in-a-row"], 1, "{runs}");
    assert_eq!(runs["broken"]["failure"], "ews.folder_not_found", "{runs}");
}
