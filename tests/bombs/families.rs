//! Inputs that are made to be slow, one family for each way, and what reading them comes to.

#![allow(dead_code, unreachable_pub)]

use email_logging::message::{CanonicalDigest, MailFacts, Message, MessageContent, MessageLimits};
use email_logging::source::ews::testing::read_answer;

/// One way to be slow.
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Makes an input of this size.
    pub make: fn(usize) -> Vec<u8>,
    /// Reads it, and says how that ended.
    pub read: fn(&[u8]) -> String,
    /// A size at which the limits are reached, where there are such.
    pub size: usize,
    /// How reading ends at that size and above.
    pub outcome: &'static str,
}

const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

fn soap(attributes: &str, content: &str) -> Vec<u8> {
    let text = format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <m:GetItemResponse xmlns:m=\"{MESSAGES}\" xmlns:t=\"{TYPES}\"><m:ResponseMessages>\
         <m:GetItemResponseMessage ResponseClass=\"Success\"{attributes}>\
         <m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message>{content}</t:Message></m:Items>\
         </m:GetItemResponseMessage></m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>"
    );
    text.into_bytes()
}

fn times(n: usize, piece: impl Fn(usize) -> String) -> String {
    (0..n).map(piece).collect()
}

fn answer(input: &[u8]) -> String {
    let pieces = input.chunks(64 << 10).map(<[u8]>::to_vec).collect();
    let read = futures_util::future::FutureExt::now_or_never(read_answer(pieces));
    match read.expect("nothing to wait for") {
        Ok(summary) => format!("{} {}", summary.kind, summary.messages.len()),
        Err(error) => error.code().to_owned(),
    }
}

fn mail(input: &[u8]) -> String {
    let limits = MessageLimits::default();
    match Message::read(input, &MailFacts::default(), &limits) {
        Ok(message) => {
            let flags = message.flags.iter().map(|flag| flag.code());
            let limits = flags.filter(|flag| flag.ends_with("limit"));
            limits.collect::<Vec<_>>().join(",")
        }
        Err(error) => error.code().to_owned(),
    }
}

fn content(input: &[u8]) -> String {
    let content = MessageContent::read(input, &MessageLimits::default());
    let flags = content.flags.iter().map(|flag| flag.code());
    let flags = flags.collect::<Vec<_>>().join(",");
    format!("{} {flags}", content.attachments.len())
}

fn digest(input: &[u8]) -> String {
    CanonicalDigest::of(input, &MessageLimits::default());
    "digest".to_owned()
}

fn with_to(to: &str) -> Vec<u8> {
    let rest = "Message-ID: <1@example.com>\r\nDate: Sun, 1 Nov 2026 10:00:00 +0000";
    format!("From: a@example.com\r\nTo: {to}\r\n{rest}\r\n\r\nx").into_bytes()
}

fn nested(n: usize) -> Vec<u8> {
    let open = |at| format!("Content-Type: multipart/mixed; boundary=b{at}\r\n\r\n--b{at}\r\n");
    let close = times(n, |at| format!("\r\n--b{}--\r\n", n - 1 - at));
    format!("From: a@example.com\r\n{}\r\nx{close}", times(n, open)).into_bytes()
}

fn embedded(n: usize) -> Vec<u8> {
    let open = |_| "Content-Type: message/rfc822\r\n\r\n".to_owned();
    format!("From: a@example.com\r\n{}\r\nx", times(n, open)).into_bytes()
}

fn parts(n: usize) -> Vec<u8> {
    let part = |_| "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".to_owned();
    let head = "From: a@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n";
    format!("{head}{}--b--\r\n", times(n, part)).into_bytes()
}

fn base64_part(n: usize) -> Vec<u8> {
    let line = format!("{}\r\n", "QUJD".repeat(19));
    let head = "From: a@example.com\r\nContent-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\n";
    format!("{head}{}", line.repeat(n)).into_bytes()
}

/// Every family, but for the one of encodings that no reader sees.
pub const FAMILIES: &[Family] = &[
    Family {
        name: "XML attributes",
        make: |n| soap(&times(n, |at| format!(" a{at:06}=\"x\"")), ""),
        read: answer,
        size: 20_000,
        outcome: "ews.xml_limit",
    },
    Family {
        name: "XML attributes, within the limit",
        make: |n| {
            soap(
                "",
                &format!("<t:X {}/>", times(200, |at| format!("a{at}=\"x\" "))).repeat(n),
            )
        },
        read: answer,
        size: 200,
        outcome: "response 1",
    },
    Family {
        name: "XML depth",
        make: |n| soap("", &format!("{}{}", "<t:X>".repeat(n), "</t:X>".repeat(n))),
        read: answer,
        size: 20_000,
        outcome: "ews.xml_limit",
    },
    Family {
        name: "XML namespaces",
        make: |n| soap(&times(n, |at| format!(" xmlns:n{at:06}=\"u{at:06}\"")), ""),
        read: answer,
        size: 20_000,
        outcome: "ews.xml_limit",
    },
    Family {
        name: "XML namespaces, within the limit",
        make: |n| {
            soap(
                "",
                &format!("<t:X {}/>", times(50, |at| format!("xmlns:n{at}=\"u\" "))).repeat(n),
            )
        },
        read: answer,
        size: 500,
        outcome: "response 1",
    },
    Family {
        name: "XML elements",
        make: |n| soap("", &"<t:X/>".repeat(n)),
        read: answer,
        size: 20_000,
        outcome: "response 1",
    },
    Family {
        name: "XML elements, beyond the limit",
        make: |n| soap("", &"<t:X/>".repeat(n)),
        read: answer,
        size: 250_000,
        outcome: "ews.xml_limit",
    },
    Family {
        name: "XML references",
        make: |n| {
            soap(
                "",
                &format!("<t:Subject>{}</t:Subject>", "&#65;&amp;".repeat(n)),
            )
        },
        read: answer,
        size: 20_000,
        outcome: "response 1",
    },
    Family {
        name: "base64 of an original",
        make: |n| {
            soap(
                "",
                &format!("<t:MimeContent>{}</t:MimeContent>", "QUJD".repeat(n)),
            )
        },
        read: answer,
        size: 200_000,
        outcome: "response 1",
    },
    Family {
        name: "base64 of a part",
        make: base64_part,
        read: content,
        size: 20_000,
        outcome: "1 ",
    },
    Family {
        name: "MIME depth",
        make: nested,
        read: content,
        size: 2000,
        outcome: "1 part-limit",
    },
    Family {
        name: "MIME depth of mails",
        make: embedded,
        read: digest,
        size: 2000,
        outcome: "digest",
    },
    Family {
        name: "MIME parts",
        make: parts,
        read: content,
        size: 12_000,
        outcome: "0 part-limit",
    },
    Family {
        name: "MIME parts, digest",
        make: parts,
        read: digest,
        size: 12_000,
        outcome: "digest",
    },
    Family {
        name: "headers",
        make: |n| {
            format!(
                "From: a@example.com\r\n{}\r\nx",
                times(n, |at| format!("X{at:06}: y\r\n"))
            )
            .into_bytes()
        },
        read: mail,
        size: 4000,
        outcome: "header-limit",
    },
    Family {
        name: "one header",
        make: |n| {
            format!(
                "From: a@example.com\r\nSubject: {}\r\n\r\nx",
                "y ".repeat(n)
            )
            .into_bytes()
        },
        read: mail,
        size: 60_000,
        outcome: "header-limit",
    },
    Family {
        name: "recipients",
        make: |n| with_to(&times(n, |at| format!("r{at:06}@example.com, "))),
        read: mail,
        size: 2000,
        outcome: "",
    },
    Family {
        name: "comments",
        make: |n| with_to(&format!("{}b@example.com{}", "(".repeat(n), ")".repeat(n))),
        read: mail,
        size: 20_000,
        outcome: "address-limit",
    },
    Family {
        name: "encoded words",
        make: |n| {
            format!(
                "From: a@example.com\r\nSubject: {}\r\n\r\nx",
                "=?utf-8?q?=41?= ".repeat(n)
            )
            .into_bytes()
        },
        read: mail,
        size: 2000,
        outcome: "",
    },
    Family {
        name: "references",
        make: |n| {
            format!(
                "From: a@example.com\r\nReferences: {}\r\n\r\nx",
                "<a@b> ".repeat(n)
            )
            .into_bytes()
        },
        read: mail,
        size: 6000,
        outcome: "",
    },
];
