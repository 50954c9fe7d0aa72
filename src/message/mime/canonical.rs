//! The digest that two renderings of one mail share.

use blake3::Hasher;

use super::dates::{self, Date};
use super::fields::Field;
use super::keys::update_prefixed;
use super::parts::{Part, Parts, Shape, walk};
use super::{address_list, decode, ids, journal};
use crate::message::{CanonicalDigest, MailAddress, MessageLimits};

/// The canonical digest: BLAKE3 over the decoded From, To, Cc, Date, Subject and Message-ID of the
/// mail and of each mail embedded in it, and over type and decoded content of each leaf.
///
/// Of an address the normal form counts, not the display name. Text counts as UTF-8 without white
/// space at the ends of lines and without empty lines at its end, with LF; text that its charset
/// cannot decode, and all else, as its bytes. Boundaries, transfer encodings, charsets, preambles,
/// other headers and file names do not count. Where the limits left parts out, the whole body
/// counts as it is, so that no difference is lost. Of a journal report the mail inside counts.
pub(super) fn digest(original: &[u8], limits: &MessageLimits) -> CanonicalDigest {
    let mail = journal::mail_inside(original, limits);
    let parts = walk(&mail, limits);
    let mut hasher = Hasher::new();
    if let Some(mail) = parts.list.first() {
        update_fields(&mut hasher, &mail.fields);
    }
    update_parts(&mut hasher, &parts);
    if parts.limited {
        update_prefixed(&mut hasher, super::split::split(&mail).1);
    }
    CanonicalDigest::from_bytes(*hasher.finalize().as_bytes())
}

fn update_parts(hasher: &mut Hasher, parts: &Parts<'_>) {
    let mut before = Shape::Multipart;
    for part in &parts.list {
        // The part behind an embedded mail's own is the mail, with its fields.
        if before == Shape::Message {
            update_fields(hasher, &part.fields);
        }
        before = part.shape;
        if part.shape == Shape::Leaf {
            update_leaf(hasher, part);
        }
    }
}

fn update_leaf(hasher: &mut Hasher, part: &Part<'_>) {
    let (bytes, _) = decode::transfer(part.body, &part.encoding);
    if !part.media_type.starts_with("text/") {
        update_prefixed(hasher, part.media_type.as_bytes());
        update_prefixed(hasher, &bytes);
        return;
    }
    let charset = part
        .content_type
        .as_ref()
        .and_then(|t| t.attribute("charset"));
    let (text, lossy) = decode::charset(&bytes, charset);
    let text = if lossy {
        bytes.into_owned()
    } else {
        canonical_text(&text).into_bytes()
    };
    if !text.is_empty() {
        update_prefixed(hasher, part.media_type.as_bytes());
        update_prefixed(hasher, &text);
    }
}

fn canonical_text(text: &str) -> String {
    let mut canonical = String::with_capacity(text.len());
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        canonical.push_str(line.trim_end());
        canonical.push('\n');
    }
    canonical.truncate(canonical.trim_end_matches('\n').len());
    canonical
}

fn update_fields(hasher: &mut Hasher, fields: &[Field<'_>]) {
    for name in ["From", "To", "Cc"] {
        let found = fields.iter().filter(|field| field.is(name));
        let addresses: Vec<_> = found.flat_map(addresses).collect();
        hasher.update(&(addresses.len() as u64).to_le_bytes());
        for address in addresses {
            update_prefixed(hasher, address.as_bytes());
        }
    }
    let find = |name: &str| fields.iter().find(|field| field.is(name));
    let date = find("Date").map(|field| match dates::read(field) {
        Date::At(date) => date.to_string(),
        Date::Missing | Date::Implausible => String::new(),
    });
    let subject = find("Subject").map(decode::text);
    let subject = subject.map(|s| s.split_whitespace().collect::<Vec<_>>().join(" "));
    let message_id = find("Message-ID").and_then(|field| ids::read_one(field.value));
    for value in [date, subject, message_id] {
        update_prefixed(hasher, value.unwrap_or_default().as_bytes());
    }
}

fn addresses(field: &Field<'_>) -> Vec<String> {
    let list = address_list::read(field.value);
    let shown = list
        .mailboxes
        .into_iter()
        .map(|mailbox| match mailbox.address {
            MailAddress::Smtp(address) => address.as_str().to_owned(),
            MailAddress::Exchange(name) => name.to_ascii_lowercase(),
            MailAddress::Unusable(_) => mailbox.name.unwrap_or_default(),
        });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest_of(mail: &str) -> CanonicalDigest {
        digest(mail.as_bytes(), &MessageLimits::default())
    }

    const HEADER: &str = "From: Ada <ada@b.example>\nTo: c@d.example\nSubject: a b\n\
        Date: Mon, 27 Apr 2026 10:00:00 +0100\nMessage-ID: <x@y>\n";

    #[test]
    fn renderings_of_one_mail_agree() {
        let plain = format!("{HEADER}Content-Type: text/plain; charset=utf-8\n\nh\u{fc}te \nx\n\n");
        let quoted = format!(
            "Received: z\n{HEADER}Content-Type: text/plain; charset=iso-8859-1\n\
             Content-Transfer-Encoding: quoted-printable\n\nh=FCte\nx"
        )
        .replace("Ada <ADA", "<ada")
        .replace("10:00:00 +0100", "09:00:00 GMT")
        .replace("a b", "=?utf-8?q?a_b?=")
        .replace('\n', "\r\n");
        assert_eq!(digest_of(&plain), digest_of(&quoted));
    }

    #[test]
    fn boundaries_do_not_count_but_content_does() {
        let mail = |boundary: &str, content: &str| {
            format!(
                "{HEADER}Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\
                 Content-Type: application/pdf\n\n{content}\n--{boundary}--\n"
            )
        };
        assert_eq!(digest_of(&mail("a", "x")), digest_of(&mail("b", "x")));
        assert_ne!(digest_of(&mail("a", "x")), digest_of(&mail("a", "y")));
        assert_ne!(digest_of(&mail("a", "x")), digest_of(&mail("a", "x ")));
    }

    #[test]
    fn each_named_field_counts() {
        let base = format!("{HEADER}\nbody");
        for (old, new) in [
            ("ada@b", "bda@b"),
            ("c@d", "c@e"),
            ("a b", "a c"),
            ("10:00:00", "10:00:01"),
            ("x@y", "x@z"),
            ("body", "other"),
            ("To:", "Cc:"),
        ] {
            assert_ne!(
                digest_of(&base),
                digest_of(&base.replace(old, new)),
                "{old}"
            );
        }
        assert_eq!(digest_of(&base), digest_of(&base.replace("Ada ", "")));
    }

    #[test]
    fn parts_beyond_a_limit_still_count() {
        let limits = MessageLimits {
            parts: 2,
            ..MessageLimits::default()
        };
        let mail = |last: &str| {
            format!(
                "{HEADER}Content-Type: multipart/mixed; boundary=b\n\n--b\n\n1\n--b\n\n{last}\n--b--\n"
            )
        };
        let of = |mail: String| digest(mail.as_bytes(), &limits);
        assert_ne!(of(mail("2")), of(mail("3")));
    }

    #[test]
    fn bytes_that_cannot_be_decoded_count_as_they_are() {
        let mail = |byte: u8| [HEADER.as_bytes(), b"\nx", &[byte]].concat();
        let of = |mail: Vec<u8>| digest(&mail, &MessageLimits::default());
        assert_ne!(of(mail(0xe8)), of(mail(0xe9)));
    }
}
