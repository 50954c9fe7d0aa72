//! Where settings come from: the file and the environment, as one table.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::{ConfigError, first_line, secrets};

/// What the name of every variable begins with.
pub(super) const PREFIX: &str = "EMAIL_LOGGER__";

/// The variable of the password, which is read when it is needed and never becomes a setting.
pub(crate) const PASSWORD: &str = "EMAIL_LOGGER__EXCHANGE__PASSWORD";

/// The variable of the client secret, which is never a setting either.
pub(crate) const CLIENT_SECRET: &str = "EMAIL_LOGGER__EXCHANGE__CLIENT_SECRET";

/// The variable of the client id that goes with it.
pub(crate) const CLIENT_ID: &str = "EMAIL_LOGGER__EXCHANGE__CLIENT_ID";

/// Keys that name a file: a relative one is looked for beside the configuration file.
const PATHS: [(&str, &str); 5] = [
    ("exchange", "password-file"),
    ("exchange", "ca-file"),
    ("store", "path"),
    ("store", "key-file"),
    ("directory", "file"),
];

/// Reads the file.
pub(super) fn file(path: &Path) -> Result<toml::Table, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        let what = format!(
            "the configuration file {} cannot be read: {error}",
            path.display()
        );
        ConfigError::invalid(what, "Check the name and the rights of the file.")
    })?;
    let mut table = parse(&text, path)?;
    secrets::refuse(&table)?;
    let base = path.parent().unwrap_or(Path::new(""));
    resolve(&mut table, base);
    let mailboxes = table.get_mut("mailbox").and_then(toml::Value::as_array_mut);
    for mailbox in mailboxes.into_iter().flatten() {
        if let Some(own) = mailbox.as_table_mut() {
            secrets::refuse(own)?;
            resolve(own, base);
        }
    }
    Ok(table)
}

/// Looks for the files that a table names beside the configuration file.
fn resolve(table: &mut toml::Table, base: &Path) {
    for (section, key) in PATHS {
        let value = table
            .get_mut(section)
            .and_then(|section| section.get_mut(key));
        if let Some(toml::Value::String(text)) = value {
            *text = beside(base, text);
        }
    }
}

fn beside(base: &Path, text: &str) -> String {
    let joined: PathBuf = base.join(text);
    joined
        .to_str()
        .map_or_else(|| text.to_owned(), str::to_owned)
}

fn parse(text: &str, path: &Path) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        // The full text of the error would quote the line, which may hold a secret.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count() + 1);
        let what = format!(
            "{}, line {line}: {}",
            path.display(),
            first_line(error.message())
        );
        ConfigError::invalid(what, "Correct the line; the file is TOML.")
    })
}

/// Lays `EMAIL_LOGGER__SECTION__KEY` over the table.
pub(super) fn environment(
    table: &mut toml::Table,
    variables: &[(OsString, OsString)],
) -> Result<(), ConfigError> {
    let mut ours: Vec<_> = variables
        .iter()
        .filter(|(name, _)| {
            ![PASSWORD, CLIENT_SECRET, CLIENT_ID]
                .iter()
                .any(|own| name == own)
        })
        .filter_map(|(name, value)| Some((name.to_str()?.strip_prefix(PREFIX)?, value)))
        .collect();
    ours.sort();
    for (name, value) in ours {
        let key = name.to_lowercase().replace('_', "-");
        let Some((section, key)) = key.split_once("--") else {
            let what = format!("{PREFIX}{name} names no key");
            let remedy = format!("Name it {PREFIX}SECTION__KEY, as in {PREFIX}STORE__PATH.");
            return Err(ConfigError::invalid(what, remedy));
        };
        let Some(value) = value.to_str() else {
            let what = format!("{PREFIX}{name} is not UTF-8");
            return Err(ConfigError::invalid(what, "Set it to text."));
        };
        let entry = table
            .entry(section)
            .or_insert_with(|| toml::Table::new().into());
        let Some(entry) = entry.as_table_mut() else {
            let what = format!("`{section}` is not a section");
            return Err(ConfigError::invalid(
                what,
                "Write it as a table in the file.",
            ));
        };
        entry.insert(key.to_owned(), literal(section, value));
    }
    Ok(())
}

/// Numbers, yes and no, and lists, where a section has such; everything else is text.
fn literal(section: &str, text: &str) -> toml::Value {
    let typed = matches!(section, "run" | "policy");
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let looks =
        matches!(text, "true" | "false") || typed && (digits || text.starts_with(['[', '{']));
    let parsed = format!("value = {text}").parse::<toml::Table>();
    let value = parsed.ok().and_then(|mut table| table.remove("value"));
    value
        .filter(|_| looks)
        .unwrap_or_else(|| toml::Value::String(text.to_owned()))
}
