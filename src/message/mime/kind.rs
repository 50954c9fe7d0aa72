//! What a Content-Type says about the whole item: its class, and whether its content is closed to
//! us.

use mail_parser::ContentType;

use crate::message::{ItemClass, MessageFlag};

/// `type/subtype` in lower case; `text/plain` where nothing usable is said (RFC 2045 5.2).
pub(super) fn media_type(content_type: Option<&ContentType<'_>>) -> String {
    match content_type {
        Some(found) if !found.ctype().is_empty() => match found.subtype() {
            Some(subtype) => format!("{}/{subtype}", found.ctype()).to_ascii_lowercase(),
            None if found.ctype().eq_ignore_ascii_case("text") => "text/plain".to_owned(),
            None => "application/octet-stream".to_owned(),
        },
        _ => "text/plain".to_owned(),
    }
}

/// The class that MIME gives an item (RFC 3464, RFC 8098, RFC 8551, RFC 6047).
pub(super) fn class(media_type: &str, content_type: Option<&ContentType<'_>>) -> ItemClass {
    let parameter = |name| {
        let value = content_type.and_then(|found| found.attribute(name));
        value.unwrap_or_default().trim().to_ascii_lowercase()
    };
    match media_type {
        "multipart/report" => match parameter("report-type").as_str() {
            "delivery-status" => ItemClass::DeliveryReport,
            "disposition-notification" => ItemClass::ReadReceipt,
            _ => ItemClass::Mail,
        },
        "multipart/signed" => ItemClass::SmimeSigned,
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => ItemClass::SmimeOpaque,
        "text/calendar" => match parameter("method").as_str() {
            "request" => ItemClass::MeetingRequest,
            "reply" | "counter" => ItemClass::MeetingResponse,
            "cancel" => ItemClass::MeetingCancellation,
            _ => ItemClass::Mail,
        },
        _ => ItemClass::Mail,
    }
}

/// The flag of content that is kept and not opened.
pub(super) fn closed(media_type: &str) -> Option<MessageFlag> {
    match media_type {
        "application/pkcs7-mime"
        | "application/x-pkcs7-mime"
        | "application/ms-tnef"
        | "application/vnd.ms-tnef"
        | "multipart/encrypted" => Some(MessageFlag::OpaqueContent),
        "message/partial" | "message/external-body" => Some(MessageFlag::IncompleteByDesign),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::mime::decode;
    use crate::message::mime::fields::Field;

    #[test]
    fn content_types_have_their_class_and_flag() {
        let opaque = Some(MessageFlag::OpaqueContent);
        let incomplete = Some(MessageFlag::IncompleteByDesign);
        let table = [
            ("text/plain", ItemClass::Mail, None),
            (
                "multipart/report; report-type=delivery-status",
                ItemClass::DeliveryReport,
                None,
            ),
            (
                "Multipart/Report;\r\n Report-Type=\"Disposition-Notification\"",
                ItemClass::ReadReceipt,
                None,
            ),
            ("multipart/report", ItemClass::Mail, None),
            (
                "multipart/signed; protocol=\"x\"",
                ItemClass::SmimeSigned,
                None,
            ),
            (
                "application/x-pkcs7-mime; name=a",
                ItemClass::SmimeOpaque,
                opaque,
            ),
            ("multipart/encrypted", ItemClass::Mail, opaque),
            ("application/ms-tnef", ItemClass::Mail, opaque),
            (
                "text/calendar; method=REQUEST",
                ItemClass::MeetingRequest,
                None,
            ),
            (
                "text/calendar; method=reply",
                ItemClass::MeetingResponse,
                None,
            ),
            (
                "text/calendar; method=CANCEL",
                ItemClass::MeetingCancellation,
                None,
            ),
            ("text/calendar; method=PUBLISH", ItemClass::Mail, None),
            ("message/partial; id=x", ItemClass::Mail, incomplete),
            ("message/external-body", ItemClass::Mail, incomplete),
            ("", ItemClass::Mail, None),
        ];
        for (value, class_expected, flag) in table {
            let field = Field {
                name: b"Content-Type",
                value: value.as_bytes(),
            };
            let parsed = decode::content_type(&field);
            let media = media_type(parsed.as_ref());
            assert_eq!(class(&media, parsed.as_ref()), class_expected, "{value}");
            assert_eq!(closed(&media), flag, "{value}");
        }
    }
}
