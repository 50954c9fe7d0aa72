//! What a client wants to subscribe to, and until when.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::SimulatedSubscription;
use crate::testkit::graph::problem::Problem;

/// Under seven days for messages (Microsoft, "subscription resource type").
const LONGEST: SignedDuration = SignedDuration::from_mins(10_080);
const LONGEST_CLIENT_STATE: usize = 128;

const KNOWN: [&str; 7] = [
    "changeType",
    "notificationUrl",
    "lifecycleNotificationUrl",
    "resource",
    "expirationDateTime",
    "clientState",
    "latestSupportedTlsVersion",
];

/// A subscription that is not made yet.
pub(super) struct Wanted {
    pub(super) facts: SimulatedSubscription,
}

impl Wanted {
    pub(super) fn parse(body: &Value, now: Timestamp) -> Result<Self, Problem> {
        for (name, _) in body.as_object().into_iter().flatten() {
            if !KNOWN.contains(&name.as_str()) {
                return Err(invalid(format!("The property '{name}' does not exist.")));
            }
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let needed = |name: &str| {
            let value = text(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| invalid(format!("The property '{name}' is needed.")))
        };
        let change_type = needed("changeType")?;
        let kinds = ["created", "updated", "deleted"];
        if !change_type
            .split(',')
            .all(|kind| kinds.contains(&kind.trim()))
        {
            return Err(invalid("The change type is unknown.".to_owned()));
        }
        let client_state = text("clientState");
        let too_long = |state: &String| state.len() > LONGEST_CLIENT_STATE;
        if client_state.as_ref().is_some_and(too_long) {
            return Err(invalid("The client state is too long.".to_owned()));
        }
        Ok(Self {
            facts: SimulatedSubscription {
                id: String::new(),
                resource: needed("resource")?,
                change_type,
                notification_url: needed("notificationUrl")?,
                lifecycle_notification_url: text("lifecycleNotificationUrl"),
                client_state,
                expires: until(&needed("expirationDateTime")?, now)?,
                renewals: 0,
            },
        })
    }

    /// The owner of the mailbox, none for the caller's own, and the folder, none for all.
    pub(super) fn place(&self) -> Result<(Option<String>, Option<String>), Problem> {
        let plain = self.facts.resource.replace("('", "/").replace("')", "");
        let parts: Vec<_> = plain.split('/').filter(|part| !part.is_empty()).collect();
        let is = |part: &str, word: &str| part.eq_ignore_ascii_case(word);
        let (owner, rest) = match parts.as_slice() {
            [me, rest @ ..] if is(me, "me") => (None, rest),
            [users, owner, rest @ ..] if is(users, "users") => (Some((*owner).to_owned()), rest),
            _ => return Err(invalid("The resource is not supported.".to_owned())),
        };
        match rest {
            [messages] if is(messages, "messages") => Ok((owner, None)),
            [folders, folder, messages]
                if is(folders, "mailFolders") && is(messages, "messages") =>
            {
                Ok((owner, Some((*folder).to_owned())))
            }
            _ => Err(invalid("The resource is not supported.".to_owned())),
        }
    }
}

/// When a renewed subscription ends.
pub(super) fn renewal(body: &Value, now: Timestamp) -> Result<Timestamp, Problem> {
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members {
        if name != "expirationDateTime" {
            return Err(invalid(format!("The property '{name}' cannot be changed.")));
        }
    }
    let text = body.get("expirationDateTime").and_then(Value::as_str);
    until(text.unwrap_or_default(), now)
}

fn until(text: &str, now: Timestamp) -> Result<Timestamp, Problem> {
    let until: Timestamp = text
        .parse()
        .map_err(|_| invalid("The expiration is no date.".to_owned()))?;
    let left = until.duration_since(now);
    if left <= SignedDuration::ZERO {
        return Err(invalid("The expiration is in the past.".to_owned()));
    }
    if left > LONGEST {
        let text = "Subscription expiration can only be 10080 minutes in the future.";
        return Err(Problem::new(400, "ExtensionError", text));
    }
    Ok(until)
}

fn invalid(text: String) -> Problem {
    Problem::new(400, "InvalidRequest", text)
}
