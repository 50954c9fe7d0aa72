//! `[policy]`: a preset and whatever of it is to be different.

use std::collections::BTreeSet;

use email_logging::decision::LoggingPolicy;
use serde_json::Value;

use super::{Config, ConfigError, first_line};

impl Config {
    /// The policy. Where the file does not name the own domains, those of the directory count.
    pub(crate) fn policy(
        &self,
        own_domains: &BTreeSet<String>,
    ) -> Result<LoggingPolicy, ConfigError> {
        let mut changes = self.policy.clone();
        let preset = match changes.remove("preset") {
            None => "default".to_owned(),
            Some(toml::Value::String(name)) => name,
            Some(_) => return Err(invalid("`preset` is not a text")),
        };
        let mut base = match preset.as_str() {
            "default" => LoggingPolicy::default(),
            "business-central" => LoggingPolicy::business_central(),
            other => return Err(invalid(&format!("there is no preset `{other}`"))),
        };
        base.own_domains.clone_from(own_domains);
        let broken = |error: serde_json::Error| invalid(first_line(&error.to_string()));
        let mut merged = serde_json::to_value(&base).map_err(broken)?;
        lay_over(&mut merged, serde_json::to_value(&changes).map_err(broken)?);
        serde_json::from_value(merged).map_err(broken)
    }
}

fn invalid(what: &str) -> ConfigError {
    let remedy = "The presets are `default` and `business-central`; the other keys are the fields of LoggingPolicy in \
                  kebab-case.";
    ConfigError::invalid(format!("[policy]: {what}"), remedy)
}

/// Tables are merged key by key, so that one item class can be changed alone.
fn lay_over(base: &mut Value, changes: Value) {
    match (base, changes) {
        (Value::Object(base), Value::Object(changes)) => {
            for (key, change) in changes {
                match base.get_mut(&key) {
                    Some(slot) if slot.is_object() => lay_over(slot, change),
                    _ => {
                        base.insert(key, change);
                    }
                }
            }
        }
        (base, changes) => *base = changes,
    }
}
