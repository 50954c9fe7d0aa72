//! Who may sign in as whom: a password of everybody, or one of each person. Never from the command line, which others can read.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

/// The shortest password.
const SHORTEST: usize = 12;

/// The code under which the administration signs in.
pub(crate) const ADMINISTRATION: &str = "ADMIN";

/// The passwords of this run.
#[derive(Debug, Default)]
pub(crate) struct Passwords {
    everybody: Option<SecretString>,
    own: BTreeMap<String, SecretString>,
}

impl Passwords {
    /// From the environment (`ERP_PASSWORD`) and a file. A line of the file is `CODE: password` of a person, or a password of
    /// all who have no line.
    pub(crate) fn read(file: Option<&Path>) -> Result<Self, String> {
        let mut read = Self::default();
        if let Some(text) = std::env::var("ERP_PASSWORD")
            .ok()
            .filter(|text| !text.is_empty())
        {
            read.everybody = Some(long_enough("ERP_PASSWORD", &text)?);
        }
        let Some(file) = file else {
            return Ok(read);
        };
        let text = std::fs::read_to_string(file);
        let text = text.map_err(|error| format!("--password-file cannot be read: {error}"))?;
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            match line.split_once(": ").filter(|(code, _)| is_code(code)) {
                Some((code, password)) => {
                    let password = long_enough(code, password.trim())?;
                    read.own.insert(code.to_owned(), password);
                }
                None => read.everybody = Some(long_enough("--password-file", line)?),
            }
        }
        Ok(read)
    }

    /// Whether somebody has to sign in at all.
    pub(crate) fn are_needed(&self) -> bool {
        self.everybody.is_some() || !self.own.is_empty()
    }

    /// Whether this is the password of the person with this code. Who has one of their own is not let in by everybody's.
    pub(crate) fn open(&self, code: &str, typed: &str) -> bool {
        // Digests are compared, so that the time tells nothing of the password.
        let digest = |text: &str| blake3::hash(text.as_bytes());
        let expected = self.own.get(code).or(self.everybody.as_ref());
        expected.is_some_and(|password| digest(password.expose_secret()) == digest(typed))
    }
}

fn is_code(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 20 && text.chars().all(fits)
}

fn long_enough(of: &str, password: &str) -> Result<SecretString, String> {
    if password.chars().count() < SHORTEST {
        return Err(format!(
            "the password of {of} is shorter than {SHORTEST} characters"
        ));
    }
    Ok(SecretString::from(password))
}
