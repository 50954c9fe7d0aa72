//! The command line of the example binary: wrong usage, configuration, precedence, exit codes.

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
#[path = "../examples/email_logger/output/safe.rs"]
mod safe;

use std::path::{Path, PathBuf};

use program::{code, errors, json, program, run, text};

/// A configuration file with this text in a directory of its own.
fn config(text: &str) -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("email-logger.toml");
    std::fs::write(&file, text).unwrap();
    (directory, file)
}

/// `log` with this configuration: it reads the configuration and then wants a log.
fn log_with(text: &str) -> std::process::Output {
    let (_directory, file) = config(text);
    run(&["log", "--config", file.to_str().unwrap()])
}

#[test]
fn wrong_usage_ends_with_2_and_help_with_0() {
    for arguments in [
        &[][..],
        &["nonsense"],
        &["run", "--nonsense"],
        &["explain"],
        &["log", "--limit", "0"],
        &["log", "--since", "yesterday"],
        &["log", "--not-logged", "--contact", "C1"],
        &["simulate", "--http", "--https"],
        &["show", "abc"],
        &["requeue"],
        &["explain", "sample:91"],
        &["log", "--text", "::"],
        &["log", "--flag", "nonsense"],
        &["log", "--since", "2026-05-14T10:00[Europe/Berlin]"],
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert_eq!(text(&output), "", "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["--version"], &["demo", "--help"]] {
        assert_eq!(code(&run(arguments)), 0, "{arguments:?}");
    }
}

#[test]
fn an_unknown_flag_is_answered_with_the_list() {
    let output = run(&["log", "--flag", "nonsense"]);
    for flag in ["automatic-reply", "message-id-conflict", "contact-by-alias"] {
        assert!(errors(&output).contains(flag), "{}", errors(&output));
    }
}

#[test]
fn the_programs_own_errors_have_codes_and_say_what_to_do() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("no/such.eml");
    let folder = directory.path().to_str().unwrap();
    for (arguments, expected, exit) in [
        (&["nonsense", "--json"][..], "cli.usage", 2),
        (&["explain", "sample:91", "--json"], "cli.usage", 2),
        (
            &["explain", missing.to_str().unwrap(), "--json"],
            "cli.not_found",
            1,
        ),
        (&["explain", folder, "--json"], "cli.file", 1),
        (
            &["simulate", missing.to_str().unwrap(), "--json"],
            "cli.not_found",
            1,
        ),
    ] {
        let output = run(arguments);
        assert_eq!(code(&output), exit, "{arguments:?}");
        let error = &json(&output)[0]["error"];
        assert_eq!(error["code"], expected, "{arguments:?}");
        assert_eq!(error["exit-code"], exit, "{arguments:?}");
        assert!(
            !error["remedy"].as_str().unwrap().is_empty(),
            "{arguments:?}"
        );
    }
}

/// `folders` for this address, with this password.
fn folders_of(url: &str, password: Option<&str>) -> std::process::Output {
    let mut command = program();
    command.args(["folders", "--user-name", "a", "--url", url]);
    command.args(["--on-premises-range", "127.0.0.0/8"]);
    if let Some(password) = password {
        command.env("EMAIL_LOGGER__EXCHANGE__PASSWORD", password);
    }
    command.output().unwrap()
}

#[test]
fn what_to_do_is_what_can_be_done_with_this_program() {
    let online = folders_of("https://outlook.office365.com/EWS/Exchange.asmx", Some("a"));
    assert_eq!(code(&online), 4);
    let told = errors(&online);
    assert!(told.contains("setup authentication-type=oauth2"), "{told}");
    assert!(!told.contains("::build"), "no name of a function: {told}");
    let nobody = folders_of("https://127.0.0.1:9/EWS/Exchange.asmx", None);
    assert_eq!(code(&nobody), 4);
    for way in ["EMAIL_LOGGER__EXCHANGE__PASSWORD", "--password-file"] {
        assert!(errors(&nobody).contains(way), "{}", errors(&nobody));
    }
    assert_eq!(
        errors(&nobody).matches("no provider").count(),
        1,
        "{}",
        errors(&nobody)
    );
}

#[test]
fn a_mail_is_explained_without_a_directory_of_ones_own() {
    let mail = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/email_logger/samples/01-outbound-one-contact.eml"
    );
    let output = run(&["explain", mail, "sample:02"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert!(
        text(&output).contains("Result   logged"),
        "{}",
        text(&output)
    );
    assert_eq!(
        errors(&output).matches("note:").count(),
        1,
        "{}",
        errors(&output)
    );
    assert!(errors(&output).contains("--directory FILE"));
    assert_eq!(
        errors(&run(&["explain", "sample:02"])),
        "",
        "a sample needs no note"
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    for line in [
        "[exchange]\npassword = \"hunter2-planted\"",
        "[exchange]\nclient_secret = \"hunter2-planted\"",
        "[oauth]\naccess-token = \"hunter2-planted\"",
        "password = \"hunter2-planted\"",
    ] {
        let output = log_with(line);
        assert_eq!(code(&output), 2, "{line}");
        let errors = errors(&output);
        assert!(errors.contains("password-file"), "{errors}");
        assert!(
            errors.contains("EMAIL_LOGGER__EXCHANGE__PASSWORD"),
            "{errors}"
        );
        assert!(!errors.contains("hunter2"), "{errors}");
    }
}

#[test]
fn a_line_that_is_no_toml_is_named_by_its_number_and_not_quoted() {
    let output = log_with("[exchange]\nurl = \"https://a.example\"\npassword = hunter2-planted\n");
    assert_eq!(code(&output), 2);
    assert!(errors(&output).contains("line 3"), "{}", errors(&output));
    assert!(!errors(&output).contains("hunter2"), "{}", errors(&output));
}

#[test]
fn an_unknown_key_is_named_with_its_section() {
    for (text, section, key) in [
        ("[folders]\nqeue = 'inbox:'", "[folders]", "qeue"),
        ("[run]\nbatch_size = 5", "[run]", "batch_size"),
        ("[exchange]\nusername = 'a'", "[exchange]", "username"),
        ("[storage]\npath = 'a'", "storage", "storage"),
    ] {
        let output = log_with(text);
        assert_eq!(code(&output), 2, "{text}");
        let errors = errors(&output);
        assert!(errors.contains(section) && errors.contains(key), "{errors}");
        assert!(errors.contains("code: config.invalid"), "{errors}");
    }
}

#[test]
fn a_value_that_cannot_work_is_named() {
    for (text, part) in [
        ("[run]\nevery = \"soon\"", "`soon` is no duration"),
        ("[run]\nevery = 10", "[run]"),
        ("[folders]\nqueue = 'Queue'", "`Queue` is no folder"),
        ("[run]\nbatch-size = -1", "[run]"),
    ] {
        let output = log_with(text);
        assert_eq!(code(&output), 2, "{text}");
        assert!(errors(&output).contains(part), "{}", errors(&output));
    }
}

#[test]
fn a_missing_setting_says_all_the_ways_to_set_it() {
    let output = run(&["log"]);
    assert_eq!(code(&output), 4);
    for way in ["`path` in [store]", "EMAIL_LOGGER__STORE__PATH", "--store"] {
        assert!(errors(&output).contains(way), "{}", errors(&output));
    }
    let output = run(&["log", "--json"]);
    assert_eq!(json(&output)[0]["error"]["code"], "config.missing");
    assert_eq!(json(&output)[0]["error"]["exit-code"], 4);
}

/// Where `log` looks for the log, as its error tells.
fn store_of(file: &Path, variable: Option<&str>, flag: Option<&str>) -> String {
    let mut command = program();
    command.args(["log", "--config", file.to_str().unwrap()]);
    if let Some(value) = variable {
        command.env("EMAIL_LOGGER__STORE__PATH", value);
    }
    if let Some(value) = flag {
        command.args(["--store", value]);
    }
    let output = command.output().unwrap();
    assert_eq!(code(&output), 4);
    let line = errors(&output).lines().next().unwrap().to_owned();
    line.strip_prefix("error: there is no log at ")
        .unwrap()
        .to_owned()
}

#[test]
fn the_environment_wins_over_the_file_and_a_flag_over_both() {
    let (directory, file) = config("[store]\npath = \"file.sqlite\"");
    let beside = directory.path().join("file.sqlite");
    assert_eq!(store_of(&file, None, None), beside.to_str().unwrap());
    assert_eq!(
        store_of(&file, Some("/none/env.sqlite"), None),
        "/none/env.sqlite"
    );
    let both = store_of(&file, Some("/none/env.sqlite"), Some("/none/flag.sqlite"));
    assert_eq!(both, "/none/flag.sqlite");
}

#[test]
fn a_variable_with_an_unknown_name_is_refused() {
    for (name, part) in [
        ("EMAIL_LOGGER__RUN__BATCHES", "batches"),
        ("EMAIL_LOGGER__NOWHERE__KEY", "nowhere"),
        ("EMAIL_LOGGER__RUN", "names no key"),
    ] {
        let output = program().arg("log").env(name, "1").output().unwrap();
        assert_eq!(code(&output), 2, "{name}");
        assert!(errors(&output).contains(part), "{}", errors(&output));
    }
}

#[test]
fn a_variable_may_hold_a_number_a_list_or_yes_and_no() {
    let sample = ["explain", "sample:05", "--json"];
    let plain = program().args(sample).output().unwrap();
    assert_eq!(
        json(&plain)[0]["decision"]["entries"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let without_cc = program()
        .args(sample)
        .env("EMAIL_LOGGER__POLICY__CC", "false")
        .output()
        .unwrap();
    assert_eq!(
        json(&without_cc)[0]["decision"]["entries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let sample = ["explain", "sample:52", "--json"];
    let own = program()
        .args(sample)
        .env("EMAIL_LOGGER__POLICY__OWN_DOMAINS", "[\"other.example\"]")
        .output()
        .unwrap();
    assert_eq!(json(&own)[0]["decision"]["outcome"]["is"], "not-matched");
}

#[test]
fn a_preset_is_changed_field_by_field() {
    let policy = |text: &str| {
        let (_directory, file) = config(text);
        run(&[
            "explain",
            "sample:32",
            "sample:61",
            "--json",
            "--config",
            file.to_str().unwrap(),
        ])
    };
    let changed =
        policy("[policy]\nbulk = \"exclude\"\n[policy.classes]\nmeeting-request = \"exclude\"");
    let reasons: Vec<_> = json(&changed)
        .iter()
        .map(|line| line["decision"]["outcome"]["reason"].clone())
        .collect();
    assert_eq!(reasons, ["bulk", "item-class"]);
    let original = policy("[policy]\npreset = \"business-central\"");
    assert!(
        json(&original)[0]["decision"]["policy"]
            .as_str()
            .unwrap()
            .starts_with("business-central")
    );
    for (text, part) in [
        ("[policy]\npreset = \"strict\"", "no preset `strict`"),
        ("[policy]\nbcc-too = true", "bcc-too"),
    ] {
        let output = policy(text);
        assert_eq!(code(&output), 2, "{text}");
        assert!(errors(&output).contains(part), "{}", errors(&output));
    }
}

#[test]
fn the_sample_configuration_is_complete_and_can_be_used() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/email_logger/email-logger.example.toml"
    );
    let output = run(&["explain", "sample:01", "--config", file, "--json"]);
    assert_eq!(code(&output), 0, "{}", errors(&output));
    assert_eq!(json(&output)[0]["decision"]["outcome"]["is"], "logged");
    // Every line that is commented out is a setting that works, too.
    let text = std::fs::read_to_string(file).unwrap();
    let settings = |line: &str| {
        let setting = line.strip_prefix("# ").unwrap_or(line);
        let key = setting.split(" = ").next().unwrap_or_default();
        let is_setting = setting.contains(" = ")
            && key
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte == b'-');
        let is_section = setting.starts_with('[');
        if is_setting || is_section {
            setting.to_owned()
        } else {
            line.to_owned()
        }
    };
    let all: Vec<String> = text
        .lines()
        .map(settings)
        .filter(|line| *line != "unmatched = \"keep\"")
        .collect();
    let directory = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/email_logger/samples/directory.toml"
    );
    let (_directory, all_file) = config(&all.join("\n"));
    let arguments = [
        "explain",
        "sample:01",
        "--directory",
        directory,
        "--config",
        all_file.to_str().unwrap(),
    ];
    let output = run(&arguments);
    assert_eq!(code(&output), 0, "{}", errors(&output));
}

#[cfg(unix)]
#[test]
fn a_password_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (directory, file) = config(
        "[exchange]\nurl = 'https://127.0.0.1:9/EWS/Exchange.asmx'\nuser-name = 'a'\n\
         password-file = 'secret.txt'\non-premises-ranges = ['127.0.0.0/8', '10.0.0.0/8']",
    );
    let secret = directory.path().join("secret.txt");
    std::fs::write(&secret, "hunter2-planted\n").unwrap();
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).unwrap();
    let output = run(&["folders", "--config", file.to_str().unwrap()]);
    assert_eq!(code(&output), 4, "{}", errors(&output));
    assert!(errors(&output).contains("0600"), "{}", errors(&output));
    assert!(!errors(&output).contains("hunter2"), "{}", errors(&output));
}

#[test]
fn a_password_does_not_travel_over_plain_http() {
    let mut command = program();
    command.args([
        "folders",
        "--url",
        "http://127.0.0.1:9/EWS/Exchange.asmx",
        "--user-name",
        "a",
    ]);
    let output = command
        .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "hunter2-planted")
        .output()
        .unwrap();
    assert_eq!(code(&output), 4);
    assert!(
        errors(&output).contains("code: config.insecure"),
        "{}",
        errors(&output)
    );
}

#[test]
fn a_server_that_is_not_there_is_a_failure_and_not_a_setting() {
    let mut command = program();
    command.args([
        "folders",
        "--on-premises-range",
        "127.0.0.0/8",
        "--url",
        "https://127.0.0.1:9/EWS/Exchange.asmx",
        "--user-name",
        "a",
    ]);
    let output = command
        .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "hunter2-planted")
        .output()
        .unwrap();
    assert_eq!(code(&output), 1);
    assert!(
        errors(&output).contains("client-request-id"),
        "{}",
        errors(&output)
    );
    assert!(!errors(&output).contains("hunter2"), "{}", errors(&output));
}

#[test]
fn an_address_in_an_own_network_is_refused_and_the_remedy_names_the_setting() {
    let folders = |range: Option<&str>, flag: &[&str]| {
        let mut command = program();
        command.args(["folders", "--user-name", "a", "--url"]);
        command
            .arg("https://127.0.0.1:9/EWS/Exchange.asmx")
            .args(flag);
        command.env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "hunter2-planted");
        if let Some(range) = range {
            command.env("EMAIL_LOGGER__EXCHANGE__ON_PREMISES_RANGES", range);
        }
        command.output().unwrap()
    };
    let refused = folders(None, &[]);
    assert_eq!(code(&refused), 4);
    for told in ["code: http.address_refused", "--on-premises-range"] {
        assert!(errors(&refused).contains(told), "{}", errors(&refused));
    }
    let elsewhere = folders(Some("10.0.0.0/8,::1"), &[]);
    assert!(errors(&elsewhere).contains("code: http.address_refused"));
    let open = folders(Some("10.0.0.0/8, 127.0.0.0/8"), &[]);
    assert!(
        errors(&open).contains("code: http.connect"),
        "{}",
        errors(&open)
    );
    let flag = ["--on-premises-range", "127.0.0.1"];
    let open = folders(Some("10.0.0.0/8"), &flag);
    assert!(
        errors(&open).contains("code: http.connect"),
        "{}",
        errors(&open)
    );
    let no_range = folders(Some("10.0.0.0/99"), &[]);
    assert!(
        errors(&no_range).contains("code: config.invalid"),
        "{}",
        errors(&no_range)
    );
}

#[test]
fn a_file_that_is_not_there_fails_with_its_name() {
    let directory = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples/email_logger/samples/directory.toml"
    );
    let output = run(&["explain", "no-such-file.eml", "--directory", directory]);
    assert_eq!(code(&output), 1);
    assert!(
        errors(&output).contains("no-such-file.eml"),
        "{}",
        errors(&output)
    );
}

#[test]
fn mailboxes_are_laid_over_what_they_have_in_common_and_bad_ones_are_named() {
    let north = "[[mailbox]]\nname = \"north\"\n";
    for (text, part) in [
        ("mailbox = 1".to_owned(), "no list of mailboxes"),
        ("[[mailbox]]\n".to_owned(), "has no `name`"),
        (
            format!("{north}{north}"),
            "two mailboxes have the name `north`",
        ),
        (
            format!("{north}[mailbox.store]\npath = \"a\""),
            "`store` is no section of a mailbox",
        ),
        (format!("{north}[mailbox.folders]\nqeue = 'inbox:'"), "qeue"),
    ] {
        let output = log_with(&text);
        assert_eq!(code(&output), 2, "{text}");
        assert!(errors(&output).contains(part), "{}", errors(&output));
    }
    let secret = log_with(&format!(
        "{north}[mailbox.exchange]\npassword = \"hunter2-planted\""
    ));
    assert_eq!(code(&secret), 2);
    assert!(!errors(&secret).contains("hunter2"), "{}", errors(&secret));
}

#[test]
fn an_address_that_is_none_is_named_by_its_flag_with_an_example() {
    for flag in ["--shared-mailbox", "--account"] {
        let output = run(&["provision", flag, "bad", "--store", "/none/log.sqlite"]);
        assert_eq!(code(&output), 2, "{}", errors(&output));
        let example = format!("{flag} queue@example.com");
        assert!(errors(&output).contains(&example), "{}", errors(&output));
    }
}
