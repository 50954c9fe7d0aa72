//! Folders and messages as JSON, by the names of Graph's metadata.

use serde_json::{Map, Value, json};

use super::extended::{ExtendedId, expanded};
use super::filter::{Constant, Filterable};
use super::ids::{changing_id, folder_id, immutable_id};
use super::query::Options;
use crate::testkit::exchange::render::item::ItemView;
use crate::testkit::exchange::request::value::Value as StoredValue;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::clock::text;
use crate::testkit::exchange::store::facts::MailAddress;
use crate::testkit::exchange::store::folder::Folder;
use crate::testkit::exchange::store::item::Item;

/// All properties of a message.
pub(super) const MESSAGE: &[&str] = &[
    "id",
    "createdDateTime",
    "lastModifiedDateTime",
    "changeKey",
    "categories",
    "receivedDateTime",
    "sentDateTime",
    "hasAttachments",
    "internetMessageId",
    "subject",
    "bodyPreview",
    "importance",
    "parentFolderId",
    "conversationId",
    "isDeliveryReceiptRequested",
    "isReadReceiptRequested",
    "isRead",
    "isDraft",
    "webLink",
    "inferenceClassification",
    "body",
    "sender",
    "from",
    "toRecipients",
    "ccRecipients",
    "bccRecipients",
    "replyTo",
    "flag",
    "internetMessageHeaders",
    "uniqueBody",
    "conversationIndex",
];
/// Those that are given only when they are selected.
const ONLY_SELECTED: [&str; 3] = ["internetMessageHeaders", "uniqueBody", "conversationIndex"];

/// All properties of a folder.
pub(super) const FOLDER: &[&str] = &[
    "id",
    "displayName",
    "parentFolderId",
    "childFolderCount",
    "unreadItemCount",
    "totalItemCount",
    "sizeInBytes",
    "isHidden",
];

/// A message together with how its ids are shown.
pub(super) struct MessageView<'a> {
    pub(super) view: ItemView<'a>,
    pub(super) immutable: bool,
}

impl<'a> MessageView<'a> {
    pub(super) fn new(item: &'a Item, folder: &'a Folder, immutable: bool) -> Self {
        Self {
            view: ItemView::new(item, folder),
            immutable,
        }
    }

    /// The id as the client wants to see it.
    pub(super) fn id(&self) -> String {
        id_of(self.view.item, self.immutable)
    }

    /// The message with the properties that were asked for.
    pub(super) fn json(&self, options: &Options) -> Value {
        let mut object = Map::new();
        object.insert(
            "@odata.etag".to_owned(),
            json!(format!("W/\"{}\"", self.view.item.change_key)),
        );
        object.insert("id".to_owned(), json!(self.id()));
        for name in MESSAGE.iter().skip(1) {
            let wanted = match &options.select {
                Some(_) => options.selects(name),
                None => !ONLY_SELECTED.contains(name),
            };
            if let Some(value) = wanted.then(|| self.value(name)).flatten() {
                object.insert((*name).to_owned(), value);
            }
        }
        if let Some(values) = expanded(&self.view, &options.expand) {
            object.insert("singleValueExtendedProperties".to_owned(), values);
        }
        Value::Object(object)
    }

    fn value(&self, name: &str) -> Option<Value> {
        let (item, facts) = (self.view.item, &self.view.item.facts);
        Some(match name {
            "createdDateTime" => json!(text(item.created)),
            "lastModifiedDateTime" => json!(text(item.modified)),
            "changeKey" => json!(item.change_key),
            "categories" => json!([]),
            "receivedDateTime" => json!(text(item.received)),
            "sentDateTime" => json!(facts.sent.map(text)),
            "hasAttachments" => json!(facts.has_attachments),
            "internetMessageId" => json!(facts.message_id),
            "subject" => json!(&*item.subject),
            "bodyPreview" => json!(self.preview()),
            "importance" => json!(facts.importance.to_ascii_lowercase()),
            "parentFolderId" => json!(folder_id(item.folder)),
            "conversationId" | "conversationIndex" => {
                json!(blake3::hash(item.subject.as_bytes()).to_hex().as_str())
            }
            "isDeliveryReceiptRequested" | "isReadReceiptRequested" | "isDraft" => json!(false),
            "isRead" => json!(item.is_read),
            "webLink" => json!("https://outlook.office365.com/owa/"),
            "inferenceClassification" => json!("focused"),
            "body" | "uniqueBody" => self.body(),
            "sender" => recipient(facts.sender.as_ref()?),
            "from" => recipient(facts.from.as_ref()?),
            "toRecipients" => recipients(&facts.to),
            "ccRecipients" => recipients(&facts.cc),
            "bccRecipients" => recipients(&facts.bcc),
            "replyTo" => recipients(&facts.reply_to),
            "flag" => json!({"flagStatus": "notFlagged"}),
            "internetMessageHeaders" => self.headers(),
            _ => return None,
        })
    }

    fn preview(&self) -> String {
        self.view.content().text_body().chars().take(255).collect()
    }

    fn body(&self) -> Value {
        let (kind, content) = self.view.content().best_body();
        json!({"contentType": kind.to_ascii_lowercase(), "content": content})
    }

    fn headers(&self) -> Value {
        let headers = self.view.content().headers().into_iter();
        headers
            .map(|(name, value)| json!({"name": name, "value": value}))
            .collect()
    }

    /// The attachments as a collection lists them.
    pub(super) fn attachments(&self) -> Value {
        let all = self.view.content().attachments().into_iter().enumerate();
        all.map(|(index, one)| {
            let kind = if one.is_message { "item" } else { "file" };
            json!({
                "@odata.type": format!("#microsoft.graph.{kind}Attachment"),
                "id": format!("{}{index:04}", self.id().trim_end_matches('=')),
                "lastModifiedDateTime": text(self.view.item.modified),
                "name": one.name,
                "contentType": one.content_type,
                "size": one.size,
                "isInline": one.is_inline,
            })
        })
        .collect()
    }
}

/// The id of an item as it is shown.
pub(super) fn id_of(item: &Item, immutable: bool) -> String {
    if immutable {
        immutable_id(item.lineage)
    } else {
        changing_id(item.key)
    }
}

fn recipient(one: &MailAddress) -> Value {
    json!({"emailAddress": {"name": one.name, "address": one.smtp}})
}

fn recipients(all: &[MailAddress]) -> Value {
    all.iter().map(recipient).collect()
}

impl Filterable for MessageView<'_> {
    fn property(&self, name: &str) -> Constant {
        let (item, facts) = (self.view.item, &self.view.item.facts);
        match name {
            "receivedDateTime" => Constant::Time(item.received),
            "createdDateTime" => Constant::Time(item.created),
            "lastModifiedDateTime" => Constant::Time(item.modified),
            "sentDateTime" => facts.sent.map_or(Constant::Null, Constant::Time),
            "isRead" => Constant::Boolean(item.is_read),
            "hasAttachments" => Constant::Boolean(facts.has_attachments),
            "subject" => Constant::Text(item.subject.to_string()),
            "internetMessageId" => {
                let id = facts.message_id.clone();
                id.map_or(Constant::Null, Constant::Text)
            }
            "from/emailAddress/address" => {
                let from = facts.from.as_ref();
                from.map_or(Constant::Null, |one| Constant::Text(one.smtp.clone()))
            }
            _ => Constant::Null,
        }
    }

    fn extended(&self, id: &ExtendedId) -> Constant {
        match id.value(&self.view) {
            None => Constant::Null,
            Some(StoredValue::Number(number)) => Constant::Number(number),
            Some(StoredValue::Boolean(value)) => Constant::Boolean(value),
            Some(StoredValue::Time(at)) => Constant::Time(at),
            Some(other) => Constant::Text(other.text()),
        }
    }
}

/// A folder together with the world that it is in.
pub(super) struct FolderView<'a> {
    pub(super) folder: &'a Folder,
    pub(super) world: &'a World,
}

impl FolderView<'_> {
    pub(super) fn json(&self, options: &Options) -> Value {
        let mut object = Map::new();
        object.insert("id".to_owned(), json!(folder_id(self.folder.key)));
        for name in FOLDER.iter().skip(1) {
            if options.select.is_none() || options.selects(name) {
                object.insert((*name).to_owned(), self.value(name));
            }
        }
        Value::Object(object)
    }

    fn value(&self, name: &str) -> Value {
        let folder = self.folder;
        match name {
            "displayName" => json!(folder.name),
            "parentFolderId" => json!(folder.parent.map(folder_id)),
            "childFolderCount" => json!(folder.children.len()),
            "unreadItemCount" => {
                let unread = self.world.items_in(folder).filter(|item| !item.is_read);
                json!(unread.count())
            }
            "totalItemCount" => json!(folder.items.len()),
            "sizeInBytes" => json!(folder.bytes),
            "isHidden" => json!(folder.hidden),
            _ => Value::Null,
        }
    }
}

impl Filterable for FolderView<'_> {
    fn property(&self, name: &str) -> Constant {
        match name {
            "displayName" => Constant::Text(self.folder.name.clone()),
            "isHidden" => Constant::Boolean(self.folder.hidden),
            _ => Constant::Null,
        }
    }

    fn extended(&self, _id: &ExtendedId) -> Constant {
        Constant::Null
    }
}
