//! `[[mailbox]]`: several mailboxes in one configuration, each laid over what all have in common.

use super::{Config, ConfigError};
use crate::cli::Settings;

/// Sections that a mailbox may have of its own. The log, its key and the schedule are common to all.
const OWN: [&str; 5] = ["scope", "exchange", "folders", "directory", "policy"];

/// A mailbox with its name and everything that a command needs for it.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pub(crate) name: String,
    pub(crate) config: Config,
}

/// Takes the mailboxes out of a table and reads each over the rest of it.
pub(super) fn take(table: &mut toml::Table, flags: &Settings) -> Result<Vec<Mailbox>, ConfigError> {
    let Some(value) = table.remove("mailbox") else {
        return Ok(Vec::new());
    };
    let remedy = "Write each mailbox as [[mailbox]] with a `name`, and its sections as [mailbox.exchange] and the like.";
    let invalid = |what: String| ConfigError::invalid(what, remedy);
    let all: Vec<toml::Table> = value
        .try_into()
        .map_err(|_| invalid("`mailbox` is no list of mailboxes".into()))?;
    let mut mailboxes: Vec<Mailbox> = Vec::with_capacity(all.len());
    for mut own in all {
        let name = own.remove("name");
        let name = name.as_ref().and_then(toml::Value::as_str).map(str::trim);
        let name = name.filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| invalid("a [[mailbox]] has no `name`".into()))?;
        if mailboxes.iter().any(|known| known.name == name) {
            return Err(invalid(format!("two mailboxes have the name `{name}`")));
        }
        let mut merged = table.clone();
        lay_over(&mut merged, own, name)?;
        let mut config = Config::from_table(merged)?;
        config.apply(flags)?;
        let name = name.to_owned();
        mailboxes.push(Mailbox { name, config });
    }
    Ok(mailboxes)
}

fn lay_over(table: &mut toml::Table, own: toml::Table, name: &str) -> Result<(), ConfigError> {
    for (section, values) in own {
        let known = OWN.contains(&section.as_str());
        let (true, toml::Value::Table(values)) = (known, values) else {
            return Err(ConfigError::invalid(
                format!("[[mailbox]] {name}: `{section}` is no section of a mailbox"),
                format!("The sections of a mailbox are {}.", OWN.join(", ")),
            ));
        };
        let common = table
            .entry(section.as_str())
            .or_insert_with(|| toml::Table::new().into());
        if let Some(common) = common.as_table_mut() {
            common.extend(values);
        }
    }
    Ok(())
}
