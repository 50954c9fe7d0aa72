//! The fields of items and messages in the order of types.xsd.

use super::address::{display, recipients, single, single_name};
use super::item::{IN_ALL, IN_DEFAULT, ItemRenderer, ItemView, item_id};
use super::item_values::extended_values;
use crate::testkit::exchange::request::property::ExtendedPath;
use crate::testkit::exchange::request::shape::{BaseShape, BodyType};
use crate::testkit::exchange::store::clock::text;
use crate::testkit::exchange::store::content::Attachment;
use crate::testkit::exchange::store::facts::MailAddress;
use crate::testkit::exchange::writer::XmlWriter;

type Write = fn(&mut XmlWriter, &ItemView<'_>, &ItemRenderer<'_>);

/// A field: its name, the base shape from which it is given, and how it is written.
pub(crate) struct Field {
    pub(crate) uri: &'static str,
    pub(crate) since: Option<BaseShape>,
    /// FindItem cannot give it.
    pub(crate) get_only: bool,
    pub(crate) write: Write,
}

const fn field(uri: &'static str, since: Option<BaseShape>, write: Write) -> Field {
    Field {
        uri,
        since,
        get_only: false,
        write,
    }
}

const fn get_only(uri: &'static str, since: Option<BaseShape>, write: Write) -> Field {
    Field {
        uri,
        since,
        get_only: true,
        write,
    }
}

/// Fields by the order of ItemType and MessageType. The entry without a name stands for the
/// extended properties, which have their place in the middle.
pub(crate) const FIELDS: &[Field] = &[
    field("item:ItemId", Some(BaseShape::IdOnly), |w, v, _| {
        item_id(w, v.item);
    }),
    field("item:ParentFolderId", IN_ALL, |w, v, _| {
        let change_key = v.folder.change_key.as_str();
        w.empty(
            "t:ParentFolderId",
            &[("Id", &v.folder.id), ("ChangeKey", change_key)],
        );
    }),
    field("item:ItemClass", IN_ALL, |w, v, _| {
        w.text("t:ItemClass", &v.item.item_class);
    }),
    field("item:Subject", IN_DEFAULT, |w, v, r| {
        w.text("t:Subject", &cut(&v.item.subject, r));
    }),
    field("item:Sensitivity", IN_DEFAULT, |w, v, _| {
        w.text("t:Sensitivity", v.item.sensitivity.name());
    }),
    get_only("item:Body", IN_DEFAULT, body),
    get_only("item:Attachments", IN_DEFAULT, attachments),
    field("item:DateTimeReceived", IN_ALL, |w, v, _| {
        w.text("t:DateTimeReceived", &text(v.item.received));
    }),
    field("item:Size", IN_DEFAULT, |w, v, _| {
        w.number("t:Size", v.item.size());
    }),
    field("item:Importance", IN_ALL, |w, v, _| {
        w.text("t:Importance", v.item.facts.importance);
    }),
    field("item:InReplyTo", IN_ALL, |w, v, _| {
        optional(w, "t:InReplyTo", v.item.facts.in_reply_to.as_deref());
    }),
    field("item:IsSubmitted", IN_ALL, |w, _, _| {
        w.boolean("t:IsSubmitted", false);
    }),
    field("item:IsDraft", IN_ALL, |w, _, _| {
        w.boolean("t:IsDraft", false);
    }),
    field("item:IsFromMe", IN_ALL, |w, _, _| {
        w.boolean("t:IsFromMe", false);
    }),
    field("item:IsResend", IN_ALL, |w, _, _| {
        w.boolean("t:IsResend", false);
    }),
    field("item:IsUnmodified", IN_ALL, |w, _, _| {
        w.boolean("t:IsUnmodified", true);
    }),
    get_only("item:InternetMessageHeaders", IN_ALL, internet_headers),
    field("item:DateTimeSent", IN_DEFAULT, |w, v, _| {
        w.text(
            "t:DateTimeSent",
            &text(v.item.facts.sent.unwrap_or(v.item.received)),
        );
    }),
    field("item:DateTimeCreated", IN_DEFAULT, |w, v, _| {
        w.text("t:DateTimeCreated", &text(v.item.created));
    }),
    field("item:DisplayCc", IN_ALL, |w, v, r| {
        names(w, "t:DisplayCc", &v.item.facts.cc, r);
    }),
    field("item:DisplayTo", IN_ALL, |w, v, r| {
        names(w, "t:DisplayTo", &v.item.facts.to, r);
    }),
    field("item:HasAttachments", IN_DEFAULT, |w, v, _| {
        w.boolean("t:HasAttachments", v.item.facts.has_attachments);
    }),
    field("", Some(BaseShape::IdOnly), extended_properties),
    field("item:EffectiveRights", IN_ALL, |w, v, _| {
        super::effective_rights(w, v.folder.rights);
    }),
    field("item:LastModifiedTime", IN_ALL, |w, v, _| {
        w.text("t:LastModifiedTime", &text(v.item.modified));
    }),
    field("item:IsAssociated", IN_DEFAULT, |w, _, _| {
        w.boolean("t:IsAssociated", false);
    }),
    get_only("item:TextBody", None, |w, v, _| {
        w.text_with(
            "t:TextBody",
            &[("BodyType", "Text")],
            &v.content().text_body(),
        );
    }),
    field("message:Sender", IN_ALL, |w, v, r| {
        one(w, "t:Sender", v.item.facts.sender.as_ref(), r);
    }),
    get_only("message:ToRecipients", IN_DEFAULT, |w, v, _| {
        recipients(w, "t:ToRecipients", &v.item.facts.to);
    }),
    get_only("message:CcRecipients", IN_DEFAULT, |w, v, _| {
        recipients(w, "t:CcRecipients", &v.item.facts.cc);
    }),
    get_only("message:BccRecipients", IN_DEFAULT, |w, v, _| {
        recipients(w, "t:BccRecipients", &v.item.facts.bcc);
    }),
    field("message:IsReadReceiptRequested", IN_DEFAULT, |w, _, _| {
        w.boolean("t:IsReadReceiptRequested", false);
    }),
    field(
        "message:IsDeliveryReceiptRequested",
        IN_DEFAULT,
        |w, _, _| {
            w.boolean("t:IsDeliveryReceiptRequested", false);
        },
    ),
    field("message:ConversationTopic", IN_ALL, |w, v, _| {
        w.text("t:ConversationTopic", &v.item.subject);
    }),
    field("message:From", IN_DEFAULT, |w, v, r| {
        one(w, "t:From", v.item.facts.from.as_ref(), r);
    }),
    field("message:InternetMessageId", IN_ALL, |w, v, _| {
        optional(w, "t:InternetMessageId", v.item.facts.message_id.as_deref());
    }),
    field("message:IsRead", IN_DEFAULT, |w, v, _| {
        w.boolean("t:IsRead", v.item.is_read);
    }),
    field("message:References", IN_ALL, |w, v, _| {
        optional(w, "t:References", v.item.facts.references.as_deref());
    }),
    get_only("message:ReplyTo", IN_ALL, |w, v, _| {
        recipients(w, "t:ReplyTo", &v.item.facts.reply_to);
    }),
];

/// Texts of FindItem end after this many characters (Microsoft, "FindItem operation").
const FIND_CHARACTERS: usize = 255;

fn cut(text: &str, renderer: &ItemRenderer<'_>) -> String {
    let limit = if renderer.is_find() {
        FIND_CHARACTERS
    } else {
        usize::MAX
    };
    text.chars().take(limit).collect()
}

fn names(w: &mut XmlWriter, name: &str, all: &[MailAddress], renderer: &ItemRenderer<'_>) {
    w.text(name, &cut(&display(all), renderer));
}

fn one(w: &mut XmlWriter, name: &str, one: Option<&MailAddress>, renderer: &ItemRenderer<'_>) {
    if renderer.is_find() {
        single_name(w, name, one);
    } else {
        single(w, name, one);
    }
}

fn optional(w: &mut XmlWriter, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        w.text(name, value);
    }
}

fn body(w: &mut XmlWriter, view: &ItemView<'_>, renderer: &ItemRenderer<'_>) {
    let (kind, body) = match renderer.shape().body_type {
        BodyType::Best => view.content().best_body(),
        BodyType::Html => ("HTML", view.content().html_body()),
        BodyType::Text => ("Text", view.content().text_body()),
    };
    w.text_with("t:Body", &[("BodyType", kind)], &body);
}

fn internet_headers(w: &mut XmlWriter, view: &ItemView<'_>, _: &ItemRenderer<'_>) {
    let headers = view.content().headers();
    if headers.is_empty() {
        return;
    }
    w.nest("t:InternetMessageHeaders", &[], |w| {
        for (name, value) in &headers {
            w.text_with("t:InternetMessageHeader", &[("HeaderName", name)], value);
        }
    });
}

fn attachments(w: &mut XmlWriter, view: &ItemView<'_>, _: &ItemRenderer<'_>) {
    let all = view.content().attachments();
    if all.is_empty() {
        return;
    }
    w.nest("t:Attachments", &[], |w| {
        for (index, one) in all.iter().enumerate() {
            attachment(w, &format!("{}{index:04}", view.item.id), one);
        }
    });
}

fn attachment(w: &mut XmlWriter, id: &str, one: &Attachment) {
    let name = if one.is_message {
        "t:ItemAttachment"
    } else {
        "t:FileAttachment"
    };
    w.nest(name, &[], |w| {
        w.empty("t:AttachmentId", &[("Id", id)]);
        w.text("t:Name", &one.name);
        w.text("t:ContentType", &one.content_type);
        optional(w, "t:ContentId", one.content_id.as_deref());
        w.number("t:Size", one.size);
        w.boolean("t:IsInline", one.is_inline);
    });
}

fn extended_properties(w: &mut XmlWriter, view: &ItemView<'_>, renderer: &ItemRenderer<'_>) {
    for path in &renderer.shape().extended {
        if let Some(values) = extended_values(view, path) {
            extended_property(w, path, &values);
        }
    }
}

/// Writes one ExtendedProperty.
pub(crate) fn extended_property(w: &mut XmlWriter, path: &ExtendedPath, values: &[String]) {
    w.nest("t:ExtendedProperty", &[], |w| {
        path.write(w);
        if path.is_array() {
            w.nest("t:Values", &[], |w| {
                for value in values {
                    w.text("t:Value", value);
                }
            });
        } else {
            w.text("t:Value", values.first().map_or("", String::as_str));
        }
    });
}
