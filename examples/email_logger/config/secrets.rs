//! Secrets do not belong into a configuration file: it is copied, mailed and committed.

use super::{ConfigError, layers};

/// Words that make a key look like a secret.
const WORDS: [&str; 7] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "private-key",
    "api-key",
];

/// Refuses a table with a key that looks like a secret. Its value is not shown.
pub(super) fn refuse(table: &toml::Table) -> Result<(), ConfigError> {
    match find(table, "") {
        None => Ok(()),
        Some(key) => Err(ConfigError {
            code: "config.invalid",
            what: format!("the configuration file holds a secret under `{key}`"),
            remedy: format!(
                "Take it out and change it, because the file may have been copied. Put the password into a file that \
                 its owner alone can read and name that file with `password-file` in [exchange], or set {}.",
                layers::PASSWORD
            ),
        }),
    }
}

fn find(table: &toml::Table, path: &str) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        if is_secret(key) {
            return Some(path);
        }
        value.as_table().and_then(|table| find(table, &path))
    })
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('_', "-");
    let names_a_place = key.ends_with("-file") || key.ends_with("-endpoint");
    !names_a_place && WORDS.iter().any(|word| key.contains(word))
}
