//! The whole way of an administrator through the example binary, on a machine without network: set-up, sign-in, checks,
//! the switch, a run over OAuth2, and the end of every secret; and what is said where a step fails.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "support/canary.rs"]
mod canary;
#[path = "whole_way_cli/machine.rs"]
mod machine;
#[path = "email_logger/program.rs"]
mod program;
#[path = "support/skipped.rs"]
mod skipped;

use canary::Canary;
use machine::{Machine, SECRET};
use program::{code, errors, json, text};
use serde_json::Value;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

/// The error that a command with `--json` ended with.
fn error(output: &std::process::Output) -> Value {
    json(output).pop().unwrap()["error"].take()
}

#[test]
fn an_administrator_goes_the_whole_way_and_no_secret_is_left() {
    whole_way(&[]);
}

#[test]
fn the_same_way_leads_through_autodiscovery_and_between_content_mailboxes() {
    whole_way(&["--autodiscover"]);
}

fn whole_way(arguments: &[&str]) {
    let Some(mut machine) = Machine::start(arguments) else {
        return;
    };
    set_up_and_sign_in(&mut machine);
    every_check_is_green(&mut machine);
    off_logs_nothing_and_on_logs_all(&mut machine);
    switch_off_and_clear(&mut machine);
    let canary = Canary::new(SECRET);
    canary.assert_absent("what was said", machine.said());
    assert!(canary.assert_folder(machine.own_folder()) >= 2);
}

fn set_up_and_sign_in(machine: &mut Machine) {
    let set_up = machine.set_up();
    assert_eq!(code(&set_up), 0, "{}", errors(&set_up));
    for said in [
        "The client secret is stored, sealed.",
        "the consent of an administrator",
    ] {
        assert!(text(&set_up).contains(said), "{}", text(&set_up));
    }
    let early = machine.run(&["enable", "--json"]);
    assert_eq!(
        (code(&early), &error(&early)["code"]),
        (4, &"setup.incomplete".into())
    );
    let (signed_in, page) = machine.sign_in(&[]);
    assert_eq!(code(&signed_in), 0, "{}", errors(&signed_in));
    assert!(page.contains("You are signed in"), "{page}");
    assert!(text(&signed_in).contains(TENANT), "{}", text(&signed_in));
    let folders = machine.run(&["folders", "--create-default"]);
    assert_eq!(code(&folders), 0, "{}", errors(&folders));
}

fn every_check_is_green(machine: &mut Machine) {
    let checked = machine.run(&[
        "validate",
        "--json",
        "--other-mailbox",
        "board@tidewheel.example",
    ]);
    assert_eq!(code(&checked), 0, "{}", text(&checked));
    let mut checks = json(&checked);
    let end = checks.pop().unwrap();
    assert_eq!(end["validation"]["green"], true);
    let verdicts = |verdict: &str| -> Vec<String> {
        let checks = checks.iter().map(|line| &line["check"]);
        let those = checks.filter(|check| check["verdict"]["is"] == verdict);
        those
            .map(|check| check["check"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(verdicts("failed"), [""; 0]);
    assert_eq!(verdicts("warning"), [""; 0]);
    assert_eq!(verdicts("passed").len(), 22);
    assert_eq!(verdicts("not-checked"), ["credential-expiry", "job"]);
}

fn off_logs_nothing_and_on_logs_all(machine: &mut Machine) {
    let off = machine.run(&["run", "--json"]);
    assert_eq!(code(&off), 4, "{}", errors(&off));
    assert_eq!(json(&off)[0]["report"]["skipped"], "logging-disabled");
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 0, "{}", text(&enabled));
    assert!(
        text(&enabled).contains("Email logging is on."),
        "{}",
        text(&enabled)
    );
    let refused = machine.run(&["setup", "email-batch-size=7", "--json"]);
    assert_eq!(
        (code(&refused), &error(&refused)["code"]),
        (4, &"setup.enabled".into())
    );
    let ran = machine.run(&["run", "--json"]);
    assert_eq!(code(&ran), 3, "{}", errors(&ran));
    let report = &json(&ran)[0]["report"];
    assert_eq!(
        (&report["fetched"], &report["logged"]),
        (&91.into(), &61.into())
    );
    let again = machine.run(&["run"]);
    assert!(
        text(&again).contains("Nothing new in the queue folder"),
        "{}",
        text(&again)
    );
}

fn switch_off_and_clear(machine: &mut Machine) {
    let refused = machine.run(&["clear", "--yes", "--json"]);
    assert_eq!(
        (code(&refused), &error(&refused)["code"]),
        (4, &"setup.enabled".into())
    );
    assert_eq!(code(&machine.run(&["disable"])), 0);
    let off = machine.run(&["run"]);
    assert_eq!(code(&off), 4);
    assert!(errors(&off).contains(" enable"), "{}", errors(&off));
    let unasked = machine.run(&["clear"]);
    assert_eq!(code(&unasked), 2, "{}", errors(&unasked));
    let cleared = machine.run(&["clear", "--yes"]);
    assert_eq!(code(&cleared), 0, "{}", errors(&cleared));
    assert!(
        text(&cleared).contains("The client secret is erased."),
        "{}",
        text(&cleared)
    );
    let shown = machine.run(&["setup", "--json"]);
    let shown = &json(&shown)[0]["setup"];
    assert_eq!(shown["secrets-stored"], serde_json::json!([]));
    assert_eq!(shown["fields"]["exchange-tenant-id"], Value::Null);
}

#[test]
fn a_delegated_sign_in_keeps_its_refresh_token_sealed_and_logs_with_it() {
    let Some(mut machine) = Machine::start(&[]) else {
        return;
    };
    machine.set_up();
    let chosen = machine.run(&["setup", "authentication-type=oauth2-delegated"]);
    assert_eq!(code(&chosen), 0, "{}", errors(&chosen));
    let (signed_in, _) = machine.sign_in(&[]);
    assert_eq!(code(&signed_in), 0, "{}", errors(&signed_in));
    machine.run(&["folders", "--create-default"]);
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 0, "{}", text(&enabled));
    assert_eq!(code(&machine.run(&["run"])), 3);
    machine.run(&["disable"]);
    let basic = machine.run(&["setup", "authentication-type=basic"]);
    for secret in ["client secret", "refresh token"] {
        assert!(
            text(&basic).contains(&format!("The {secret} is erased.")),
            "{}",
            text(&basic)
        );
    }
    let shown = machine.run(&["setup", "--json"]);
    assert_eq!(
        json(&shown)[0]["setup"]["secrets-stored"],
        serde_json::json!([])
    );
}

#[test]
fn a_sign_in_that_fails_says_why_at_both_ends_and_changes_nothing() {
    for (deed, expected, words) in [
        ("declines", "oauth.consent_declined", "declined"),
        ("unprivileged", "oauth.not_administrator", "may not consent"),
        ("wrong-state", "oauth.state_mismatch", "another sign-in"),
    ] {
        let Some(mut machine) = Machine::start(&["--administrator", deed]) else {
            return;
        };
        machine.set_up();
        let (output, page) = machine.sign_in(&["--json"]);
        assert_eq!(code(&output), 4, "{deed}: {}", errors(&output));
        let error = error(&output);
        assert_eq!(error["code"], expected);
        let remedy = error["remedy"].as_str().unwrap();
        assert!(remedy.contains("`sign-in` again"), "{deed}: {remedy}");
        assert!(
            page.contains("The sign-in did not work") && page.contains(words),
            "{deed}: {page}"
        );
        let shown = machine.run(&["setup", "--json"]);
        assert_eq!(
            json(&shown)[0]["setup"]["fields"]["exchange-tenant-id"],
            Value::Null
        );
        Canary::new(SECRET).assert_absent(deed, machine.said());
    }
}

#[test]
fn a_browser_that_never_comes_back_ends_the_sign_in_after_its_time() {
    let Some(mut machine) = Machine::start(&["--administrator", "leaves"]) else {
        return;
    };
    machine.set_up();
    let (output, page) = machine.sign_in(&["--json", "--time-limit", "2s"]);
    assert_eq!(
        (code(&output), &error(&output)["code"]),
        (4, &"oauth.callback_missing".into())
    );
    assert!(!page.contains("signed in"), "{page}");
}

#[test]
fn the_address_that_the_browser_ended_at_can_be_pasted() {
    let Some(mut machine) = Machine::start(&[]) else {
        return;
    };
    machine.set_up();
    let output = machine.sign_in_elsewhere();
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(text(&output).contains(TENANT), "{}", text(&output));
}

#[test]
fn a_wrong_secret_is_named_and_not_shown() {
    let Some(mut machine) = Machine::start(&[]) else {
        return;
    };
    machine.set_up();
    let wrong = "not~the~secret~of~this~application";
    let stored = machine.run_with_input(&["setup", "--client-secret-stdin"], wrong);
    assert_eq!(code(&stored), 0, "{}", errors(&stored));
    let (output, _) = machine.sign_in(&["--json"]);
    assert_eq!(
        (code(&output), &error(&output)["code"]),
        (4, &"oauth.secret_wrong".into())
    );
    let canary = Canary::new(wrong);
    canary.assert_absent("what was said", machine.said());
    assert!(canary.assert_folder(machine.own_folder()) >= 2);
}

#[test]
fn a_secret_is_refused_as_an_argument_and_its_value_is_not_repeated() {
    let Some(mut machine) = Machine::start(&[]) else {
        return;
    };
    for argument in [
        format!("exchange-client-secret={SECRET}"),
        format!("password={SECRET}"),
        format!("--client-secret={SECRET}"),
        format!("--password={SECRET}"),
        SECRET.to_owned(),
        format!("{SECRET}="),
    ] {
        let output = machine.run(&["setup", &argument]);
        assert_eq!(code(&output), 2, "{}", errors(&output));
    }
    Canary::new(SECRET).assert_absent("what was said", machine.said());
}

#[test]
fn a_tenant_that_blocks_ews_is_recognised_and_said() {
    let Some(mut machine) = Machine::start(&["--block-ews"]) else {
        return;
    };
    machine.set_up();
    machine.run(&[
        "setup",
        "--queue",
        r"\Email Logging\Queue\",
        "--storage",
        r"\Email Logging\Storage\",
    ]);
    machine.sign_in(&[]);
    let checked = machine.run(&["validate", "--json"]);
    assert_eq!(code(&checked), 4, "{}", text(&checked));
    let checks = json(&checked);
    let checks: Vec<_> = checks.iter().map(|line| &line["check"]).collect();
    let allowed = checks
        .iter()
        .find(|check| check["check"] == "ews-allowed")
        .unwrap();
    assert_eq!(allowed["verdict"]["is"], "failed");
    assert_eq!(allowed["code"], "ews.blocked");
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 4);
    assert!(
        text(&enabled).contains("Email logging stays off."),
        "{}",
        text(&enabled)
    );
}

#[test]
fn both_folders_can_be_picked_by_number() {
    let Some(mut machine) = Machine::start(&["--autodiscover"]) else {
        return;
    };
    machine.set_up();
    machine.sign_in(&[]);
    let left = machine.run_with_input(&["folders", "--pick"], "1\nx\n");
    assert_eq!(code(&left), 1, "{}", errors(&left));
    let picked = machine.run_with_input(&["folders", "--pick"], "2\nu\n1\n1\n9\nq 1\ns 3\n");
    assert_eq!(code(&picked), 0, "{}", errors(&picked));
    let shown = machine.run(&["setup", "--json"]);
    let fields = json(&shown).remove(0)["setup"]["fields"].take();
    let chosen = (&fields["queue-folder"], &fields["storage-folder"]);
    let expected = (
        r"\Email Logging\Queue\".into(),
        r"\Email Logging\Storage\".into(),
    );
    assert_eq!(chosen, (&expected.0, &expected.1), "{}", errors(&picked));
    let below = machine.run(&["folders", r"\Email Logging\", "--json"]);
    let paths: Vec<_> = json(&below)
        .iter()
        .map(|line| line["path"].clone())
        .collect();
    let expected =
        ["Queue", "Quarantine", "Storage"].map(|name| format!(r"\Email Logging\{name}\"));
    assert_eq!(paths, expected);
}

#[test]
fn a_deployment_supplies_id_and_secret_and_both_fields_stay_blank() {
    let Some(mut machine) = Machine::start(&[]) else {
        return;
    };
    machine.environment = vec![
        (
            "EMAIL_LOGGER__EXCHANGE__CLIENT_ID",
            machine.fact("client-id").unwrap(),
        ),
        ("EMAIL_LOGGER__EXCHANGE__CLIENT_SECRET", SECRET.to_owned()),
    ];
    let url = format!("exchange-service-url={}", machine.fact("url").unwrap());
    let address = format!(
        "autodiscovery-email-address={}",
        machine.fact("mailbox").unwrap()
    );
    machine.run(&["setup", &url, &address, "interaction-template-code=EMAIL"]);
    let (signed_in, _) = machine.sign_in(&[]);
    assert_eq!(code(&signed_in), 0, "{}", errors(&signed_in));
    machine.run(&["folders", "--create-default"]);
    let shown = json(&machine.run(&["setup", "--json"])).remove(0);
    assert_eq!(shown["setup"]["missing"], serde_json::json!([]));
    assert_eq!(shown["setup"]["fields"]["exchange-client-id"], Value::Null);
    let enabled = machine.run(&["enable"]);
    assert_eq!(code(&enabled), 0, "{}", text(&enabled));
    assert_eq!(code(&machine.run(&["run"])), 3);
    let canary = Canary::new(SECRET);
    canary.assert_absent("what was said", machine.said());
    assert_eq!(
        canary.assert_folder(machine.own_folder()),
        2,
        "the log and its book of runs: no key is needed"
    );
}
