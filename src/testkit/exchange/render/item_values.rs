//! The values of item properties, for restrictions, sorting and extended properties.

use super::address::display;
use super::item::ItemView;
use crate::testkit::exchange::request::property::{ExtendedPath, PropertyPath};
use crate::testkit::exchange::request::value::{Properties, Value};
use crate::testkit::exchange::store::facts::{MailAddress, Sensitivity};

impl Properties for ItemView<'_> {
    fn value(&self, path: &PropertyPath) -> Option<Value> {
        match path {
            PropertyPath::Field(uri) => field_value(self, uri),
            PropertyPath::Indexed { .. } => None,
            PropertyPath::Extended(path) => extended_value(self, path),
        }
    }
}

/// The values of an extended property; more than one only for a type that is an array.
pub(crate) fn extended_values(view: &ItemView<'_>, path: &ExtendedPath) -> Option<Vec<String>> {
    let stored = view.item.extended.get(path).cloned();
    stored.or_else(|| known(view, path).map(|value| vec![value.text()]))
}

fn field_value(view: &ItemView<'_>, uri: &str) -> Option<Value> {
    let (item, facts) = (view.item, &view.item.facts);
    Some(match uri {
        "item:ItemId" => Value::Text(item.id.clone()),
        "item:ItemClass" => Value::Text(item.item_class.clone()),
        "item:Subject" | "message:ConversationTopic" => Value::Text(item.subject.to_string()),
        "item:Sensitivity" => Value::Text(item.sensitivity.name().to_owned()),
        "item:Importance" => Value::Text(facts.importance.to_owned()),
        "item:DateTimeReceived" => Value::Time(item.received),
        "item:DateTimeSent" => Value::Time(facts.sent.unwrap_or(item.received)),
        "item:DateTimeCreated" => Value::Time(item.created),
        "item:LastModifiedTime" => Value::Time(item.modified),
        "item:Size" => number(item.size()),
        "item:HasAttachments" => Value::Boolean(facts.has_attachments),
        "item:InReplyTo" => Value::Text(facts.in_reply_to.clone()?),
        "item:DisplayTo" => Value::Text(display(&facts.to)),
        "item:DisplayCc" => Value::Text(display(&facts.cc)),
        "item:IsDraft" | "item:IsAssociated" => Value::Boolean(false),
        "message:From" => address(facts.from.as_ref())?,
        "message:Sender" => address(facts.sender.as_ref())?,
        "message:InternetMessageId" => Value::Text(facts.message_id.clone()?),
        "message:References" => Value::Text(facts.references.clone()?),
        "message:IsRead" => Value::Boolean(item.is_read),
        _ => return None,
    })
}

fn extended_value(view: &ItemView<'_>, path: &ExtendedPath) -> Option<Value> {
    let stored = view
        .item
        .extended
        .get(path)
        .and_then(|values| values.first());
    match stored {
        Some(text) => typed(path, text),
        None => known(view, path),
    }
}

fn typed(path: &ExtendedPath, text: &str) -> Option<Value> {
    let like = match path.kind.as_str() {
        "Binary" => Value::Binary(Vec::new()),
        "Boolean" => Value::Boolean(false),
        "Integer" | "Long" | "Short" => Value::Number(0),
        "SystemTime" => Value::Time(jiff::Timestamp::UNIX_EPOCH),
        _ => Value::Text(String::new()),
    };
    like.read_like(text)
}

/// Properties that every item has without being set (tags: MS-OXPROPS).
fn known(view: &ItemView<'_>, path: &ExtendedPath) -> Option<Value> {
    let Some(tag) = path.tag else {
        return internet_header(view, path);
    };
    let (item, facts) = (view.item, &view.item.facts);
    Some(match (tag, path.kind.as_str()) {
        (0x300b, "Binary") => Value::Binary(item.search_key?.to_vec()),
        (0x001a, "String") => Value::Text(item.item_class.clone()),
        (0x0037 | 0x0e1d | 0x0070, "String") => Value::Text(item.subject.to_string()),
        (0x0036, "Integer") => Value::Number(sensitivity_number(item.sensitivity)),
        (0x007d, "String") => Value::Text(transport_headers(view)),
        (0x0e06, "SystemTime") => Value::Time(item.received),
        (0x0e08, "Integer") => number(item.size()),
        (0x1035, "String") => Value::Text(facts.message_id.clone()?),
        (0x1039, "String") => Value::Text(facts.references.clone()?),
        (0x1042, "String") => Value::Text(facts.in_reply_to.clone()?),
        (0x5d01, "String") => smtp(facts.sender.as_ref())?,
        (0x5d02, "String") => smtp(facts.from.as_ref())?,
        _ => return None,
    })
}

fn internet_header(view: &ItemView<'_>, path: &ExtendedPath) -> Option<Value> {
    let is_header = path.distinguished_set.as_deref() == Some("InternetHeaders");
    let name = path.name.as_deref().filter(|_| is_header)?;
    view.content().header(name).map(Value::Text)
}

fn transport_headers(view: &ItemView<'_>) -> String {
    let headers = view.content().headers();
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"));
    lines.collect::<Vec<_>>().concat()
}

fn sensitivity_number(sensitivity: Sensitivity) -> i64 {
    match sensitivity {
        Sensitivity::Normal => 0,
        Sensitivity::Personal => 1,
        Sensitivity::Private => 2,
        Sensitivity::Confidential => 3,
    }
}

fn number(value: u64) -> Value {
    Value::Number(i64::try_from(value).unwrap_or(i64::MAX))
}

fn address(one: Option<&MailAddress>) -> Option<Value> {
    one.map(|one| Value::Text(one.address.clone()))
}

fn smtp(one: Option<&MailAddress>) -> Option<Value> {
    one.map(|one| Value::Text(one.smtp.clone()))
}
