//! Microsoft Graph at the command line of the example binary: the demo, a try from the first set-up to a run, and the way
//! there from EWS.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "whole_way_cli/machine.rs"]
mod machine;
#[path = "email_logger/program.rs"]
mod program;
#[path = "support/skipped.rs"]
mod skipped;

use std::process::Output;

use machine::Machine;
use program::{code, errors, json, program, text};
use serde_json::Value;

const CLIENT: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const OBJECT: &str = "bbbbbbbb-0000-4000-8000-000000000002";

/// The subjects with the pairs that each was logged for, and what became of all mails.
fn outcome(arguments: &[&str]) -> (Vec<String>, Value) {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("log.sqlite");
    let mut command = program();
    command.args(["demo", "--json", "--store", store.to_str().unwrap()]);
    let output = command.args(arguments).output().unwrap();
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let lines = json(&output);
    let mut mails = Vec::new();
    for line in &lines {
        let Some(entries) = line["mail"]["entries"].as_array() else {
            continue;
        };
        for entry in entries {
            let field = |name: &str| entry[name].as_str().unwrap_or_default().to_owned();
            mails.push(format!("{} {entry}", field("id")));
        }
    }
    assert!(!mails.is_empty(), "{}", text(&output));
    let ids = mails.iter().map(|mail| mail[..36].to_owned());
    let mut ids: Vec<_> = ids.collect();
    ids.sort();
    (ids, lines.last().unwrap().clone())
}

#[test]
fn the_demo_tells_the_same_story_over_graph_as_over_ews() {
    let (ews, by_ews) = outcome(&[]);
    let (graph, by_graph) = outcome(&["--graph"]);
    assert_eq!(ews.len(), graph.len(), "as many entries");
    for field in [
        "logged",
        "entries",
        "not-matched",
        "excluded",
        "quarantined",
        "moved",
    ] {
        assert_eq!(
            by_ews["report"][field], by_graph["report"][field],
            "{field}"
        );
    }
    for place in ["queue", "storage", "quarantine"] {
        assert_eq!(by_ews[place], by_graph[place], "{place}");
    }
    assert_eq!(by_graph["queue"], 0);
}

#[test]
fn the_demo_over_graph_names_the_folders_of_the_mailbox() {
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("log.sqlite");
    let arguments = ["demo", "--graph", "--store", store.to_str().unwrap()];
    let output = program::run(&arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for said in ["inbox:", "archive:", "/v1.0"] {
        assert!(text(&output).contains(said), "{said}\n{}", text(&output));
    }
}

/// Stores the set-up as `simulate --graph` tells to type it, with these words more.
fn set_up(machine: &mut Machine, more: &[&str]) {
    let fact = |name: &str| machine.fact(name).unwrap();
    let fields = [
        format!("autodiscovery-email-address={}", fact("mailbox")),
        format!("exchange-service-url={}", fact("url")),
        format!("exchange-client-id={}", fact("client-id")),
        format!("--queue={}", fact("queue")),
        format!("--storage={}", fact("storage")),
        format!("--client-secret-file={}", fact("client-secret-file")),
    ];
    let fields = fields.each_ref().map(String::as_str);
    let first = [
        "setup",
        "mail-service=graph",
        "interaction-template-code=EMAIL",
    ];
    let output = machine.run(&[&first, &fields[..], more].concat());
    assert_eq!(code(&output), 0, "{}", errors(&output));
}

#[test]
fn a_person_consents_to_graph_and_the_shared_mailbox_is_logged_with_the_refresh_token() {
    let Some(mut machine) = Machine::start(&["--graph"]) else {
        return;
    };
    set_up(&mut machine, &["authentication-type=oauth2-delegated"]);
    let (signed_in, _) = machine.sign_in(&[]);
    assert_eq!(code(&signed_in), 0, "{}", errors(&signed_in));
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 0, "{}", text(&enabled));
    let ran = machine.run(&["run", "--json"]);
    assert_eq!(code(&ran), 3, "{}", errors(&ran));
    assert_eq!(json(&ran)[0]["report"]["logged"], 61);
}

#[test]
fn provision_speaks_of_graph_for_a_set_up_for_graph() {
    let client = format!("exchange-client-id={CLIENT}");
    let address = "autodiscovery-email-address=logging@corp.example";
    let place = Place::new(&["mail-service=graph", address, &client]);
    let script = place.0.path().join("plan.ps1");
    let plan = place.run(&[
        "provision",
        "--narrow",
        "application-role",
        "--object-id",
        OBJECT,
        "--script",
        script.to_str().unwrap(),
    ]);
    assert_eq!(code(&plan), 0, "{}", errors(&plan));
    let script = std::fs::read_to_string(script).unwrap();
    assert!(script.contains("'Application Mail.ReadWrite'"), "{script}");
    assert!(script.contains("'logging@corp.example'"), "{script}");
    let checklist = place.run(&["provision", "--app-registration"]);
    assert_eq!(code(&checklist), 0, "{}", errors(&checklist));
    assert!(
        text(&checklist).contains("Mail.ReadWrite"),
        "{}",
        text(&checklist)
    );
    assert!(
        !text(&checklist).contains("full_access_as_app"),
        "{}",
        text(&checklist)
    );
}

#[test]
fn an_administrator_goes_the_whole_way_with_graph() {
    let Some(mut machine) = Machine::start(&["--graph"]) else {
        return;
    };
    set_up(&mut machine, &[]);
    let (signed_in, page) = machine.sign_in(&[]);
    assert_eq!(code(&signed_in), 0, "{}", errors(&signed_in));
    assert!(page.contains("You are signed in"), "{page}");
    let folders = machine.run(&["folders"]);
    assert_eq!(code(&folders), 0, "{}", errors(&folders));
    assert!(
        !text(&folders).contains("Public folders"),
        "{}",
        text(&folders)
    );
    let arguments = ["validate", "--other-mailbox", "board@tidewheel.example"];
    let checked = machine.run(&arguments);
    assert_eq!(code(&checked), 0, "{}{}", text(&checked), errors(&checked));
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 0, "{}", text(&enabled));
    let ran = machine.run(&["run", "--json"]);
    assert_eq!(code(&ran), 3, "{}", errors(&ran));
    let report = &json(&ran)[0]["report"];
    assert_eq!(
        (&report["fetched"], &report["logged"]),
        (&91.into(), &61.into())
    );
    assert!(!errors(&ran).contains("EWS"), "{}", errors(&ran));
    let again = machine.run(&["run"]);
    assert!(text(&again).contains("Nothing new"), "{}", text(&again));
}

/// A log of its own, without a server.
struct Place(tempfile::TempDir);

impl Place {
    fn new(fields: &[&str]) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let set_up = place.run(&[&["setup"], fields].concat());
        assert_eq!(code(&set_up), 0, "{}", errors(&set_up));
        place
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program();
        let log = self.0.path().join("log.sqlite");
        command
            .args(arguments)
            .env("EMAIL_LOGGER__STORE__PATH", log);
        command.output().unwrap()
    }

    fn fields(&self) -> Value {
        let shown = self.run(&["setup", "--json"]);
        json(&shown).remove(0)["setup"]["fields"].take()
    }
}

fn online() -> Place {
    let client = format!("exchange-client-id={CLIENT}");
    Place::new(&[
        "autodiscovery-email-address=logging@corp.example",
        "exchange-service-url=https://outlook.office365.com/EWS/Exchange.asmx",
        &client,
        "exchange-tenant-id=11111111-2222-4333-8444-555555555555",
        r"queue-folder=\Email Logging\Queue\",
        r"storage-folder=\Email Logging\Storage\",
    ])
}

#[test]
fn migrate_says_what_to_do_and_changes_nothing() {
    let place = online();
    let before = place.fields();
    assert_eq!(before["mail-service"], "ews");
    let output = place.run(&["migrate", "--object-id", OBJECT]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for said in [
        "2027-04-01",
        r"\Email Logging\Queue\ → inbox:",
        "ews → graph",
        "The queue is a public folder",
        "New-ManagementRoleAssignment",
        "'logging@corp.example'",
        "Nothing was changed.",
    ] {
        assert!(text(&output).contains(said), "{said}\n{}", text(&output));
    }
    assert_eq!(place.fields(), before);
}

#[test]
fn migrate_writes_the_script_and_tells_programs_all_of_it() {
    let place = online();
    let script = place.0.path().join("graph.ps1");
    let script = script.to_str().unwrap();
    let arguments = [
        "migrate",
        "--json",
        "--object-id",
        OBJECT,
        "--script",
        script,
    ];
    let output = place.run(&arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let told = &json(&output)[0]["migration"];
    assert_eq!(
        (&told["possible"], &told["dry-run"]),
        (&true.into(), &true.into())
    );
    let issues = told["issues"].as_array().unwrap().iter();
    let codes: Vec<_> = issues
        .map(|issue| issue["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        ["migration.public_queue", "migration.public_storage"]
    );
    let written = std::fs::read_to_string(script).unwrap();
    assert!(written.contains("Application Mail.ReadWrite"), "{written}");
}

#[test]
fn migrate_apply_makes_the_set_up_one_for_graph() {
    let place = online();
    let output = place.run(&["migrate", "--apply", "--object-id", OBJECT]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    let fields = place.fields();
    for (field, value) in [
        ("mail-service", Value::from("graph")),
        ("queue-folder", "inbox:".into()),
        ("storage-folder", "archive:".into()),
        ("exchange-service-url", Value::Null),
        ("exchange-client-id", CLIENT.into()),
        (
            "exchange-tenant-id",
            "11111111-2222-4333-8444-555555555555".into(),
        ),
    ] {
        assert_eq!(fields[field], value, "{field}");
    }
    let again = place.run(&["migrate", "--apply"]);
    assert_eq!(code(&again), 4, "{}", errors(&again));
    assert!(text(&again).contains("already"), "{}", text(&again));
}

#[test]
fn migrate_stops_where_something_has_to_be_decided() {
    let place = Place::new(&[
        "authentication-type=basic",
        "exchange-account-user-name=logger@corp.example",
        "autodiscovery-email-address=logging@corp.example",
        "exchange-service-url=https://mail.corp.example/EWS/Exchange.asmx",
    ]);
    let output = place.run(&["migrate", "--apply"]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert!(text(&output).contains("× The job signs in with a password"));
    assert!(!text(&output).contains("2027-04-01"), "never on premises");
    assert_eq!(place.fields()["mail-service"], "ews");
}

#[test]
fn migrate_leaves_a_server_of_ones_own_unless_the_mailbox_is_said_to_be_online() {
    let client = format!("exchange-client-id={CLIENT}");
    let place = Place::new(&[
        "autodiscovery-email-address=logging@corp.example",
        "exchange-service-url=https://mail.corp.example/EWS/Exchange.asmx",
        &client,
    ]);
    let output = place.run(&["migrate", "--apply", "--object-id", OBJECT]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    for said in [
        "× The service URL names a server that is not Exchange Online's",
        "--mailbox-is-online",
        "Nothing was changed: what is marked with ×",
    ] {
        assert!(text(&output).contains(said), "{said}\n{}", text(&output));
    }
    assert_eq!(place.fields()["mail-service"], "ews");
    let told = place.run(&["migrate", "--json"]);
    assert_eq!(code(&told), 4);
    let told = &json(&told)[0]["migration"];
    let codes: Vec<_> = told["issues"].as_array().unwrap().iter().collect();
    assert_eq!(told["possible"], false);
    assert!(
        codes
            .iter()
            .any(|it| it["code"] == "migration.on_premises" && it["stops"] == true)
    );
    let output = place.run(&["migrate", "--apply", "--mailbox-is-online"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    for said in [
        "! The service URL names a server that is not Exchange Online's, and you say",
        "Mind 3 warnings, marked with !.",
        "The set-up is for Microsoft Graph now.",
    ] {
        assert!(text(&output).contains(said), "{said}\n{}", text(&output));
    }
    assert_eq!(place.fields()["mail-service"], "graph");
}

#[test]
fn a_public_folder_is_refused_with_graph_and_says_what_to_choose() {
    let place = Place::new(&["mail-service=graph"]);
    let output = place.run(&["setup", r"queue-folder=\Email Logging\Queue\", "--json"]);
    assert_eq!(code(&output), 1, "{}", errors(&output));
    let error = json(&output).pop().unwrap()["error"].take();
    assert_eq!(error["code"], "graph.public_folders");
    assert!(error["remedy"].as_str().unwrap().contains("inbox:"));
}

#[test]
fn the_configuration_alone_can_name_graph_and_says_what_is_missing() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("graph.toml");
    let run = |exit: i32, more: &str| {
        let text = format!("[exchange]\nservice = \"graph\"\n{more}");
        std::fs::write(&config, text).unwrap();
        let arguments = ["folders", "--json", "--config", config.to_str().unwrap()];
        let output = program::run(&arguments);
        assert_eq!(code(&output), exit, "{}", errors(&output));
        json(&output).pop().unwrap()["error"].to_string()
    };
    assert!(run(2, "").contains("`mailbox` is missing"));
    let mailbox = "mailbox = \"logging@corp.example\"\n";
    assert!(run(2, mailbox).contains("`tenant` is missing"));
    let tenant = "tenant = \"11111111-2222-4333-8444-555555555555\"\n";
    let error = run(4, &format!("{mailbox}{tenant}"));
    assert!(error.contains("credential.missing"), "{error}");
}
