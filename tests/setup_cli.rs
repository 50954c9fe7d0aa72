//! The set-up at the command line of the example binary, without a server: what is shown, changed, refused and told.

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

use std::path::{Path, PathBuf};
use std::process::Output;

use program::{code, errors, json, program, text};
use serde_json::{Value, json};

/// A folder with a log that may be made there.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = program();
        command
            .args(arguments)
            .env("EMAIL_LOGGER__STORE__PATH", self.file("log.sqlite"));
        command.output().unwrap()
    }

    fn written(&self, name: &str, contents: &str, mode: u32) -> String {
        let path = self.file(name);
        std::fs::write(&path, contents).unwrap();
        set_mode(&path, mode);
        path.to_str().unwrap().to_owned()
    }
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(not(unix))]
fn set_mode(_: &Path, _: u32) {}

fn error_code(output: &Output) -> String {
    let error = json(output).pop().unwrap()["error"].take();
    assert!(!error["remedy"].as_str().unwrap().is_empty(), "{error}");
    error["code"].as_str().unwrap().to_owned()
}

#[test]
fn without_a_log_every_command_says_how_to_begin_and_makes_none() {
    let place = Place::new();
    for command in [
        "setup", "sign-in", "validate", "enable", "disable", "clear", "status",
    ] {
        let output = place.run(&[command]);
        assert_eq!(code(&output), 4, "{command}: {}", errors(&output));
        assert!(
            errors(&output).contains("Begin with `setup FIELD=VALUE`"),
            "{}",
            errors(&output)
        );
    }
    assert!(!place.file("log.sqlite").exists());
}

#[test]
fn the_configuration_seeds_the_set_up_and_what_is_typed_wins() {
    let place = Place::new();
    let config = place.written(
        "seed.toml",
        "[exchange]\nurl = \"https://mail.corp.example/EWS/Exchange.asmx\"\nuser-name = \"logger@corp.example\"\n\
         [folders]\nqueue = '\\Queue\\'\nstorage = '\\Storage\\'\n[run]\nbatch-size = 50\n\
         [setup]\ninteraction-template-code = \"EMAIL\"\nemail-batch-size = 7\n",
        0o600,
    );
    let seeded = place.run(&[
        "setup",
        "--config",
        &config,
        "--from-config",
        "--queue",
        r"\Other\",
        "--json",
    ]);
    assert_eq!(code(&seeded), 0, "{}", errors(&seeded));
    assert_eq!(
        json(&seeded).pop().unwrap(),
        json!({ "version": 1, "missing": [{ "what": "the password of the account", "command": "setup --password" }] })
    );
    let shown = json(&place.run(&["setup", "--json"])).remove(0);
    let fields = &shown["setup"]["fields"];
    for (field, value) in [
        ("authentication-type", json!("basic")),
        ("autodiscovery-email-address", json!("logger@corp.example")),
        ("exchange-account-user-name", json!("logger@corp.example")),
        (
            "exchange-service-url",
            json!("https://mail.corp.example/EWS/Exchange.asmx"),
        ),
        ("queue-folder", json!(r"\Other\")),
        ("storage-folder", json!(r"\Storage\")),
        ("email-batch-size", json!(7)),
        ("exchange-client-id", Value::Null),
    ] {
        assert_eq!(fields[field], value, "{field}");
    }
}

#[test]
fn each_change_tells_what_follows() {
    let place = Place::new();
    place.run(&[
        "setup",
        "authentication-type=basic",
        "exchange-account-user-name=svc",
    ]);
    let password = place.written("password", "pass~word~of~nobody\n", 0o644);
    if cfg!(unix) {
        let open = place.run(&["setup", "--password-file", &password, "--json"]);
        assert_eq!(
            (code(&open), error_code(&open).as_str()),
            (4, "credential.file_mode")
        );
    }
    set_mode(Path::new(&password), 0o600);
    let stored = place.run(&["setup", "--password-file", &password]);
    assert_eq!(code(&stored), 0, "{}", errors(&stored));
    let key = place.file("log.sqlite.key");
    assert!(
        text(&stored).contains(key.to_str().unwrap()),
        "{}",
        text(&stored)
    );
    let foreign = place.run(&["setup", "--client-secret-file", &password, "--json"]);
    assert_eq!(
        (code(&foreign), error_code(&foreign).as_str()),
        (4, "setup.authentication_type")
    );
    let chosen = place.run(&["setup", "authentication-type=oauth2"]);
    let told = text(&chosen);
    for line in [
        "The authentication type was changed.\n",
        "The user name was cleared.\n",
        "The password of the account is erased.\n",
    ] {
        assert!(told.contains(line), "{told}");
    }
    let again = place.run(&["setup", "email-batch-size=0"]);
    assert!(
        text(&again).starts_with("Nothing changed; it is version"),
        "{}",
        text(&again)
    );
}

#[test]
fn what_breaks_a_rule_is_refused_with_its_code_and_changes_nothing() {
    let place = Place::new();
    place.run(&["setup", r"storage-folder=\Storage\"]);
    for (arguments, expected, exit) in [
        (&["colour=blue"][..], "cli.usage", 2),
        (&["word"], "cli.usage", 2),
        (
            &["email-batch-size=1", "email-batch-size=2"],
            "cli.usage",
            2,
        ),
        (&["email-batch-size=many"], "setup.batch_size", 4),
        (&["queue-folder=Queue"], "config.invalid", 2),
        (
            &[r"queue-folder=\STORAGE\"],
            "setup.queue_equals_storage",
            4,
        ),
        (&["autodiscovery-email-address=nobody"], "setup.address", 4),
        (
            &["exchange-service-url=http://mail.corp.example/"],
            "config.insecure",
            4,
        ),
        (
            &["exchange-account-user-name=svc"],
            "setup.authentication_type",
            4,
        ),
        (&["--client-secret"], "cli.usage", 2),
        (&["--from-config"], "config.invalid", 2),
    ] {
        let output = place.run(&[&["setup", "--json"], arguments].concat());
        assert_eq!(
            (code(&output), error_code(&output).as_str()),
            (exit, expected),
            "{arguments:?}"
        );
    }
    let shown = json(&place.run(&["setup", "--json"])).remove(0);
    assert_eq!(shown["setup"]["version"], 1);
}

#[test]
fn a_redirect_url_elsewhere_cannot_be_served_and_basic_needs_no_sign_in() {
    let place = Place::new();
    place.run(&[
        "setup",
        "exchange-client-id=a",
        "exchange-redirect-url=https://erp.example/OAuthLanding.htm",
    ]);
    let elsewhere = place.run(&["sign-in"]);
    assert_eq!(code(&elsewhere), 2);
    assert!(
        errors(&elsewhere).contains("--callback-url"),
        "{}",
        errors(&elsewhere)
    );
    place.run(&["setup", "authentication-type=basic"]);
    let basic = place.run(&["sign-in"]);
    assert_eq!(code(&basic), 2);
    assert!(
        errors(&basic).contains("needs no sign-in"),
        "{}",
        errors(&basic)
    );
}

#[test]
fn what_to_type_next_names_the_same_place() {
    let place = Place::new();
    let store = place.file("other log.sqlite");
    let output = program()
        .args(["setup", "exchange-client-id=a", "--store"])
        .arg(&store)
        .output()
        .unwrap();
    let expected = format!("setup --client-secret --store '{}'\n", store.display());
    assert!(text(&output).contains(&expected), "{}", text(&output));
}

#[test]
fn the_plan_is_printed_and_written_once() {
    let place = Place::new();
    let plan = place.run(&[
        "provision",
        "--shared-mailbox",
        "log@corp.example",
        "--json",
    ]);
    assert_eq!(code(&plan), 0, "{}", errors(&plan));
    let ids: Vec<_> = json(&plan)
        .iter()
        .map(|line| line["step"]["id"].clone())
        .collect();
    assert_eq!(
        ids,
        [
            "connect",
            "shared-mailbox",
            "rule-incoming",
            "rule-outgoing"
        ]
    );
    let script = place.file("do.ps1");
    let write = [
        "provision",
        "--shared-mailbox",
        "log@corp.example",
        "--script",
        script.to_str().unwrap(),
    ];
    assert_eq!(code(&place.run(&write)), 0);
    let written = std::fs::read(&script).unwrap();
    assert!(
        written.starts_with("\u{feff}".as_bytes()),
        "a mark for Windows PowerShell"
    );
    assert_eq!(
        code(&place.run(&write)),
        1,
        "what is there is not overwritten"
    );
    assert_eq!(std::fs::read(&script).unwrap(), written);
    assert!(!place.file("log.sqlite").exists(), "no log is made");
}

#[test]
fn the_registration_is_filled_with_the_values_of_the_set_up() {
    let place = Place::new();
    let id = "0b4f6d6e-2f0e-4c59-9d1b-7d0b6a5e31aa";
    place.run(&[
        "setup",
        &format!("exchange-client-id={id}"),
        "exchange-redirect-url=http://localhost/back",
    ]);
    let list = place.run(&["provision", "--app-registration"]);
    assert_eq!(code(&list), 0, "{}", errors(&list));
    for value in [
        id,
        "http://localhost/back",
        "full_access_as_app (application)",
    ] {
        assert!(text(&list).contains(value), "{}", text(&list));
    }
    let manifest = place.run(&["provision", "--manifest"]);
    let manifest: Value = serde_json::from_slice(&manifest.stdout).unwrap();
    assert_eq!(
        manifest["requiredResourceAccess"][0]["resourceAccess"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

#[test]
fn every_rule_of_a_field_ends_with_4_and_says_what_to_do() {
    let place = Place::new();
    let long = format!("exchange-tenant-id={}", "x".repeat(251));
    for (field, expected) in [
        (long.as_str(), "setup.too_long"),
        ("exchange-client-id=a\u{7}b", "setup.text"),
        ("email-batch-size=-1", "setup.batch_size"),
        ("autodiscovery-email-address=a b@c.example", "setup.address"),
        ("exchange-service-url=no domain", "setup.service_url"),
        (
            "exchange-redirect-url=http://erp.example/",
            "config.insecure",
        ),
        (
            "exchange-redirect-url=https://erp.example/#x",
            "setup.redirect_url",
        ),
    ] {
        let output = place.run(&["setup", "--json", field]);
        assert_eq!(
            (code(&output), error_code(&output).as_str()),
            (4, expected),
            "{field}"
        );
        let output = place.run(&["setup", field]);
        assert_eq!(code(&output), 4, "{field}");
        assert!(errors(&output).contains(expected), "{}", errors(&output));
        assert_eq!(text(&output), "", "{field}");
    }
}

/// The lines of a text without what is blank at their ends.
fn lines(output: &Output) -> Vec<&str> {
    text(output).lines().map(str::trim_end).collect()
}

#[test]
fn status_says_what_is_missing_with_the_command_for_each() {
    let place = Place::new();
    place.run(&["setup", "autodiscovery-email-address=log@corp.example"]);
    let store = place.file("log.sqlite").display().to_string();
    let status = place.run(&["status"]);
    assert_eq!(code(&status), 0, "{}", errors(&status));
    let version = format!("  set-up     version 1, in {store}");
    let told = lines(&status);
    assert_eq!(
        told[..4],
        [
            "Email logging is off.",
            version.as_str(),
            "  sign-in    oauth2: no administrator has consented yet",
            "  last run   never",
        ]
    );
    assert_eq!(told[4], "Still missing:");
    let missing: Vec<_> = told[5..]
        .iter()
        .step_by(2)
        .map(|line| line.trim())
        .collect();
    assert_eq!(
        missing,
        [
            "the queue folder",
            "the storage folder",
            "the interaction template for e-mail",
            "the client id of the app registration",
            "the client secret, or a certificate",
            "the consent of an administrator",
        ]
    );
    for (line, command) in told[6..].iter().step_by(2).zip([
        r"setup --queue '\Email Logging\Queue\'",
        r"setup --storage '\Email Logging\Storage\'",
        "setup interaction-template-code=EMAIL",
        "setup exchange-client-id=GUID",
        "setup --client-secret",
        "sign-in",
    ]) {
        assert!(line.ends_with(command), "{line}");
        assert!(line.starts_with("    "), "{line}");
    }
    let told = json(&place.run(&["status", "--json"])).remove(0);
    assert_eq!(told["missing"].as_array().unwrap().len(), 6);
    assert_eq!(told["runs"], json!({}));
}

#[test]
fn a_set_up_for_graph_is_told_of_folders_that_graph_has() {
    let place = Place::new();
    place.run(&["setup", "mail-service=graph"]);
    let status = place.run(&["status"]);
    for command in ["setup --queue inbox:", "setup --storage archive:"] {
        assert!(text(&status).contains(command), "{}", text(&status));
    }
    assert!(!text(&status).contains(r"\Email"), "{}", text(&status));
}

#[test]
fn status_names_the_next_step_where_nothing_is_missing() {
    let place = Place::new();
    let password = place.written("password", "pass~word~of~nobody\n", 0o600);
    place.run(&[
        "setup",
        "authentication-type=basic",
        "autodiscovery-email-address=log@corp.example",
        "exchange-account-user-name=svc",
        "interaction-template-code=EMAIL",
        "--queue",
        r"\Queue\",
        "--storage",
        r"\Storage\",
        "--password-file",
        &password,
    ]);
    let status = place.run(&["status"]);
    let told = lines(&status);
    assert!(
        told.contains(&"  sign-in    basic: user name and password are stored"),
        "{told:?}"
    );
    let [.., next, command] = told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(next, "Nothing is missing. Next:");
    assert!(command.ends_with("validate"), "{command}");
}

#[test]
fn validate_before_the_sign_in_says_so_with_the_credentials_and_names_the_next_step() {
    for service in ["ews", "graph"] {
        let place = Place::new();
        let secret = place.written("secret", "secret~of~nobody\n", 0o600);
        let queue = ["--queue", "inbox:", "--storage", "archive:"];
        let set_up = place.run(
            &[
                &[
                    "setup",
                    &format!("mail-service={service}"),
                    "autodiscovery-email-address=log@corp.example",
                    "exchange-client-id=11111111-2222-4333-8444-555555555555",
                    "interaction-template-code=EMAIL",
                    "--client-secret-file",
                    &secret,
                ][..],
                &queue,
            ]
            .concat(),
        );
        assert_eq!(code(&set_up), 0, "{}", errors(&set_up));
        let checked = place.run(&["validate"]);
        assert_eq!(code(&checked), 4, "{}", errors(&checked));
        let told = lines(&checked);
        let of = |title: &str| told.iter().position(|line| line.contains(title)).unwrap();
        assert!(
            told[of("Exchange service found")].starts_with('·'),
            "{told:?}"
        );
        let credentials = of("× credentials");
        let found = told[credentials + 1..credentials + 3].join(" ");
        assert!(found.contains("signing in: the set-up lacks"), "{told:?}");
        assert!(found.contains("no administrator"), "{told:?}");
        let last = told.last().unwrap();
        assert!(last.ends_with("sign-in"), "{told:?}");
        let failed = told.iter().filter(|line| line.starts_with('×'));
        assert_eq!(failed.count(), 1, "{told:?}");
    }
}
