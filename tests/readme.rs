//! The README says what is there: its tables equal the code's, its links lead somewhere, its commands exist.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use email_logging::decision::LoggingPolicy;
use email_logging::error::codes;
use email_logging::message::{ItemClass, MessageFlag, Signal};
use email_logging::parties::MatchedBy;
use email_logging::privacy::MARKED_PRIVATE;
use email_logging::setup::{CHECKS, CheckInfo, FINDINGS, Finding};
use email_logging::store::{EventKind, MESSAGE_ID_CONFLICT};

const README: &str = include_str!("../README.md");

/// The text between two headings of the second level.
fn section(heading: &str) -> &'static str {
    let start = README.find(&format!("\n## {heading}\n")).expect(heading);
    let rest = &README[start + 4..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// The cells of every table row in a text, heads and rules left out.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for block in text.split("\n\n") {
        let lines = block.lines().filter(|line| line.starts_with('|'));
        rows.extend(lines.skip(2).map(|line| {
            let cells = line.trim_matches('|').split('|');
            cells.map(|cell| cell.trim().replace('`', "")).collect()
        }));
    }
    rows
}

/// A table that is written by this test, between two marks of its name. `UPDATE_README=1` writes it.
fn is_generated(name: &str, head: &str, rows: impl IntoIterator<Item = String>) {
    let rule = "|---".repeat(head.matches(" | ").count() + 1);
    let mut expected = format!("{head}\n{rule}|\n");
    for row in rows {
        writeln!(expected, "{row}").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    // Read anew: another table may have been written meanwhile.
    let readme = std::fs::read_to_string(path).unwrap();
    let (begin, end) = (
        format!("<!-- {name}: begin -->\n"),
        format!("<!-- {name}: end -->"),
    );
    let (before, rest) = readme.split_once(&begin).unwrap();
    let (table, after) = rest.split_once(&end).unwrap();
    if table != expected && std::env::var_os("UPDATE_README").is_some() {
        std::fs::write(path, format!("{before}{begin}{expected}{end}{after}")).unwrap();
        return;
    }
    assert!(
        table == expected,
        "run this test with UPDATE_README=1; expected is\n{expected}"
    );
}

#[test]
fn the_generated_tables_are_those_of_the_code() {
    let row = |code: &&codes::Code| {
        let (name, kind) = (code.code, code.kind);
        format!(
            "| `{name}` | {kind:?} | {} | {} |",
            code.message, code.remedy
        )
    };
    let head = "| code | kind | meaning | what to do |";
    is_generated("error codes", head, codes::ALL.iter().map(row));

    let row = |info: &CheckInfo| format!("| `{}` | {} |", info.code, info.meaning);
    let head = "| check | what must hold |";
    is_generated("checks", head, CHECKS.iter().map(row));

    let row = |found: &&Finding| {
        format!(
            "| `{}` | {} | {} |",
            found.code, found.message, found.remedy
        )
    };
    let head = "| code | found | what to do |";
    is_generated("findings", head, FINDINGS.iter().map(row));
}

/// The codes of a match or a macro call in `src/decision.rs`, from its opening line to the end of its block.
fn reasons(source: &str, opening: &str) -> BTreeSet<String> {
    let start = source.find(opening).expect(opening);
    let block = source[start..].split("\n}").next().unwrap();
    let quoted = block.split("=> \"").skip(1);
    quoted
        .map(|rest| rest.split('"').next().unwrap().to_owned())
        .collect()
}

#[test]
fn the_table_of_reasons_has_every_reason_once() {
    let source = include_str!("../src/decision.rs");
    let mut expected = BTreeSet::from([("logged".to_owned(), String::new())]);
    for (outcome, opening) in [
        ("not-matched", "codes!(NotMatched {"),
        ("excluded", "impl Exclusion {"),
        ("quarantined", "impl Quarantine {"),
    ] {
        let reasons = reasons(source, opening).into_iter();
        expected.extend(reasons.map(|reason| (outcome.to_owned(), reason)));
    }
    let rows = rows(section("Outcomes and reasons"));
    let table: Vec<_> = rows.iter().filter(|row| row.len() == 3).collect();
    let found = table.iter().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
    assert_eq!(table.len(), expected.len());
}

/// The codes of constants: `pub const NAME: &str = "code";`.
fn constants(source: &str) -> impl Iterator<Item = String> {
    let lines = source.lines().filter(|line| line.starts_with("pub const "));
    lines.filter_map(|line| line.split('"').nth(1).map(str::to_owned))
}

/// Every flag of the library.
fn flags() -> BTreeSet<String> {
    let signals = Signal::ALL.iter().map(|signal| signal.code());
    let of_mails = MessageFlag::ALL.iter().map(|flag| flag.code());
    let classes = ItemClass::ALL.iter().map(|class| class.code());
    let codes = signals.chain(of_mails).chain(classes);
    let mut all: BTreeSet<_> = codes
        .chain([MESSAGE_ID_CONFLICT, MARKED_PRIVATE])
        .map(str::to_owned)
        .collect();
    all.extend(constants(include_str!("../src/decision/flags.rs")));
    for by in MatchedBy::ALL {
        all.insert(format!("contact-by-{}", by.code()));
        all.insert(format!("salesperson-by-{}", by.code()));
    }
    all
}

#[test]
fn the_table_of_flags_has_every_flag_once_and_the_program_knows_them() {
    let rows = rows(section("Flags"));
    let found: Vec<_> = rows.iter().flat_map(|row| row[0].split(", ")).collect();
    let expected = flags();
    assert_eq!(found.len(), expected.len());
    let found: BTreeSet<_> = found.into_iter().map(str::to_owned).collect();
    assert_eq!(found, expected);
    let Some(program) = built_example("email_logger") else {
        return;
    };
    let refused = Command::new(program)
        .args(["log", "--flag", "none-such"])
        .output()
        .unwrap();
    let told = String::from_utf8(refused.stderr).unwrap();
    let list = told
        .split("the flags are ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let list: BTreeSet<_> = list.split(", ").map(str::to_owned).collect();
    assert_eq!(list, expected);
}

#[test]
fn the_table_of_exit_codes_is_that_of_the_help() {
    let Some(program) = built_example("email_logger") else {
        return;
    };
    let help = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let codes = rows(section("Point it at Exchange"));
    let codes = codes
        .iter()
        .filter(|row| row.len() == 2 && row[0].parse::<u8>().is_ok());
    let codes: Vec<_> = codes.map(|row| row[0].as_str()).collect();
    assert_eq!(codes, ["0", "1", "2", "3", "4", "130"]);
    let told = help
        .split("Exit codes: ")
        .nth(1)
        .unwrap()
        .replace('\n', " ");
    for code in codes {
        assert!(
            format!(", {told}").contains(&format!(", {code} ")),
            "{code}: {told}"
        );
    }
}

#[test]
fn the_dependencies_of_a_host_are_those_of_the_manifest() {
    let manifest: toml::Table = toml::from_str(include_str!("../Cargo.toml")).unwrap();
    let toml = section("Embed it").split("```toml\n").nth(1).unwrap();
    let hosts: toml::Table = toml::from_str(toml.split("```").next().unwrap()).unwrap();
    let version = |value: &toml::Value| {
        let text = value.as_str().or_else(|| value.get("version")?.as_str());
        text.map(str::to_owned)
    };
    for (name, wanted) in hosts["dependencies"].as_table().unwrap() {
        if name == manifest["package"]["name"].as_str().unwrap() {
            continue;
        }
        let ours = version(&manifest["dependencies"][name]).unwrap();
        assert!(ours.starts_with(&version(wanted).unwrap()), "{name} {ours}");
    }
}

#[test]
fn the_table_of_events_has_every_kind_once() {
    let rows = rows(section("Outcomes and reasons"));
    let events = rows.iter().filter(|row| row.len() == 2);
    let found: Vec<_> = events.map(|row| row[0].as_str()).collect();
    let expected: Vec<_> = EventKind::ALL.iter().map(|kind| kind.code()).collect();
    assert_eq!(found, expected);
}

/// A value as the README writes it; `None` for lists and tables, which it writes in words.
fn in_words(value: &serde_json::Value) -> Option<String> {
    match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => None,
        scalar => Some(scalar.to_string()),
    }
}

#[test]
fn the_table_of_the_policy_has_every_field_with_both_values() {
    let default = serde_json::to_value(LoggingPolicy::default()).unwrap();
    let original = serde_json::to_value(LoggingPolicy::business_central()).unwrap();
    let rows = rows(section("What is logged"));
    let mut fields = default.as_object().unwrap().clone();
    fields.remove("name");
    let found: BTreeSet<_> = rows.iter().map(|row| row[0].replace('_', "-")).collect();
    assert_eq!(found, fields.keys().cloned().collect());
    for row in &rows {
        let name = row[0].replace('_', "-");
        for (cell, policy) in [(&row[1], &default), (&row[2], &original)] {
            if let Some(value) = in_words(&policy[&name]) {
                assert_eq!(*cell, value, "{name}");
            }
        }
    }
}

/// Whether a feature brings another one, directly or through others.
fn brings(features: &toml::Table, on: &str, name: &str) -> bool {
    let Some(parts) = features.get(on).and_then(|parts| parts.as_array()) else {
        return false;
    };
    let mut parts = parts.iter().filter_map(|part| part.as_str());
    parts.any(|part| part == name || brings(features, part, name))
}

#[test]
fn the_table_of_features_is_that_of_the_manifest() {
    let manifest: toml::Table = toml::from_str(include_str!("../Cargo.toml")).unwrap();
    let features = manifest["features"].as_table().unwrap();
    let default = features["default"].as_array().unwrap();
    let mut expected = BTreeSet::new();
    for name in features.keys().filter(|name| *name != "default") {
        let is_default = default.iter().any(|on| on.as_str() == Some(name));
        let brought_by = default
            .iter()
            .find(|on| brings(features, on.as_str().unwrap(), name));
        let cell = match brought_by {
            _ if is_default => "yes".to_owned(),
            Some(on) => format!("with {}", on.as_str().unwrap()),
            None => String::new(),
        };
        expected.insert((name.clone(), cell));
    }
    let rows = rows(section("Features"));
    let found = rows.iter().map(|row| (row[0].clone(), row[1].clone()));
    assert_eq!(found.collect::<BTreeSet<_>>(), expected);
}

/// The targets of all links.
fn links() -> impl Iterator<Item = &'static str> {
    let starts = README.split("](").skip(1);
    starts.map(|rest| rest.split(')').next().unwrap())
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = 0;
    for link in links().filter(|link| !link.contains("://") && !link.starts_with('#')) {
        assert!(root.join(link).is_file(), "{link}");
        files += 1;
    }
    assert!(files > 5, "{files} links were found");
}

#[test]
fn every_anchor_is_a_heading() {
    let levels = ["## ", "### ", "#### "];
    let heading = |line: &'static str| levels.iter().find_map(|level| line.strip_prefix(level));
    // GitHub leaves out everything but letters, digits, hyphens and underscores.
    let kept = |c: &char| c.is_alphanumeric() || matches!(c, '-' | '_');
    let anchor = |heading: &str| -> String {
        let words = heading.to_lowercase().replace(' ', "-");
        words.chars().filter(kept).collect()
    };
    let anchors: BTreeSet<_> = README.lines().filter_map(heading).map(anchor).collect();
    for anchor in links().filter_map(|link| link.strip_prefix('#')) {
        assert!(anchors.contains(anchor), "#{anchor}");
    }
}

#[test]
fn the_embedded_code_is_that_of_the_example() {
    let example = include_str!("../examples/embed.rs");
    let code = section("Embed it").split("```rust\n").nth(1).unwrap();
    let code = code.split("```").next().unwrap();
    assert!(
        example.contains(code.trim_end()),
        "the README differs from the example"
    );
}

#[test]
fn the_configuration_is_one_that_the_program_takes() {
    let Some(program) = built_example("email_logger") else {
        return;
    };
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/email_logger/samples");
    let directory = tempfile::tempdir().unwrap();
    let toml = section("Point it at Exchange")
        .split("```toml\n")
        .nth(1)
        .unwrap();
    let toml = toml.split("```").next().unwrap();
    let config = directory.path().join("logger.toml");
    std::fs::write(&config, toml).unwrap();
    let contacts = directory.path().join("directory.toml");
    std::fs::copy(samples.join("directory.toml"), contacts).unwrap();
    let output = Command::new(program)
        .arg("--config")
        .arg(&config)
        .arg("explain")
        .arg(samples.join("01-outbound-one-contact.eml"))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{errors}");
}

/// The words after `email_logger` in code of the README, up to the first option.
fn commands() -> BTreeSet<String> {
    let mut commands = BTreeSet::new();
    for start in [
        "email_logger -- ",
        "`email_logger ",
        "--config logger.toml ",
    ] {
        let found = README.split(start).skip(1);
        commands.extend(found.map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-');
            rest[..end.unwrap_or(rest.len())].to_owned()
        }));
    }
    commands
}

/// An example that `cargo test` built beside this test.
fn built_example(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let program = test.ancestors().nth(2).unwrap().join("examples").join(name);
    if !program.is_file() {
        skipped::skipped(&format!(
            "{name} is not built; `cargo test` without further words builds it"
        ));
        return None;
    }
    Some(program)
}

#[test]
fn every_command_is_one_of_the_program() {
    let Some(program) = built_example("email_logger") else {
        return;
    };
    let help = Command::new(program).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known = help
        .lines()
        .filter_map(|line| line.split_whitespace().next());
    let known: BTreeSet<_> = known.map(str::to_owned).collect();
    let commands = commands();
    assert!(commands.len() > 3, "{commands:?}");
    assert!(commands.is_subset(&known), "{commands:?} of {known:?}");
}

/// Every file of Rust under a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn every_skip_is_told_past_the_capture_of_the_harness() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let captured = ["eprintln!(\"", "println!(\""];
    for file in sources(&tests) {
        let text = std::fs::read_to_string(&file).unwrap().to_lowercase();
        for begin in captured {
            let told = text.split(begin).skip(1);
            let told = told.filter(|rest| rest.starts_with("skip"));
            assert_eq!(
                told.count(),
                0,
                "use support/skipped.rs in {}",
                file.display()
            );
        }
    }
}
