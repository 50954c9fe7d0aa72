//! The mails of the story, each as EWS and as Graph render it.

use crate::kinds::Kind;

/// A contact's number with the subject of the mail that it is in.
pub(crate) type Entry = (String, &'static str);

/// What a mail is, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// From a contact.
    Plain,
    /// From a contact, with an attachment.
    WithAttachment,
    /// To two contacts.
    ToTwo,
    /// Of nobody who is known.
    Stranger,
    /// The same mail as another one, delivered once more.
    Again,
    /// With the Message-ID of another one, and with other contents.
    SameId,
    /// Without a Message-ID.
    WithoutId,
    /// What no server can render.
    Damaged,
}

pub(crate) fn class(number: u32) -> Class {
    match number % 20 {
        12 | 13 => Class::ToTwo,
        14 | 15 => Class::Stranger,
        16 => Class::Again,
        17 => Class::SameId,
        18 => Class::WithoutId,
        19 => Class::Damaged,
        odd if odd % 2 == 1 => Class::WithAttachment,
        _ => Class::Plain,
    }
}

/// The mail whose Message-ID a mail has: its own, or that of an earlier one; of the last fifth one from the beginning, so
/// that the two are read by different kinds.
fn origin(number: u32, count: u32) -> u32 {
    let late = count / 5 * 4;
    let late = if number >= late + 16 { late } else { 0 };
    match class(number) {
        Class::Again | Class::SameId => number - 16 - late,
        _ => number,
    }
}

pub(crate) fn subject(number: u32) -> String {
    format!("Angebot für Müller #{number:05}")
}

/// The entries that a mail has, if it is the first of its kind.
pub(crate) fn entries(number: u32) -> Vec<Entry> {
    match class(number) {
        Class::ToTwo => vec![(subject(number), "C1"), (subject(number), "C2")],
        Class::Stranger | Class::Again | Class::Damaged => Vec::new(),
        _ => vec![(subject(number), "C1")],
    }
}

/// The number in the trace header, which both kinds keep.
pub(crate) fn number_of(mime: &[u8]) -> u32 {
    let text = String::from_utf8_lossy(mime);
    let (_, rest) = text.split_once("X-Number: ").unwrap();
    rest[..5].parse().unwrap()
}

pub(crate) fn render(number: u32, kind: Kind, count: u32, with_id: bool) -> Vec<u8> {
    let origin = origin(number, count);
    let shown = if class(number) == Class::Again {
        origin
    } else {
        number
    };
    let id = (with_id || class(number) != Class::WithoutId).then_some(origin);
    match kind {
        Kind::Ews => as_ews(number, shown, id),
        Kind::Graph => as_graph(number, shown, id),
    }
    .replace('\n', "\r\n")
    .into_bytes()
}

fn people(shown: u32) -> (&'static str, &'static [&'static str]) {
    match class(shown) {
        Class::ToTwo => (
            "ah@ours.example",
            &["ada@contacts.example", "bob@contacts.example"],
        ),
        Class::Stranger => ("nobody@else.example", &["ah@ours.example"]),
        _ => ("ada@contacts.example", &["ah@ours.example"]),
    }
}

fn text(shown: u32) -> String {
    format!("Grüße, hier ist das Angebot {shown}.\nMit einer zweiten Zeile = zwei.\n")
}

fn attachment(shown: u32) -> String {
    format!("%PDF-1.7 {shown} {}", "x".repeat(90))
}

fn has_attachment(shown: u32) -> bool {
    class(shown) == Class::WithAttachment
}

/// Quoted-printable, encoded words, a boundary of its own.
fn as_ews(number: u32, shown: u32, id: Option<u32>) -> String {
    let (from, to) = people(shown);
    let mut out = format!("X-Number: {number:05}\nReceived: from a by b\n");
    out += &format!("From: Sender <{from}>\nTo: {}\n", to.join(", "));
    out += &format!("Subject: Angebot =?iso-8859-1?Q?f=FCr_M=FCller?= #{shown:05}\n");
    if let Some(id) = id {
        out += &format!("Message-ID: <m{id}@x.example>\n");
    }
    out += "Date: Thu, 1 Jan 2026 10:00:00 +0000\nMIME-Version: 1.0\n";
    let body = format!(
        "Content-Type: text/plain; charset=\"iso-8859-1\"\nContent-Transfer-Encoding: quoted-printable\n\n{}",
        text(shown)
            .replace('=', "=3D")
            .replace('ü', "=FC")
            .replace('ß', "=DF")
    );
    if !has_attachment(shown) {
        return out + &body;
    }
    let file = base64(attachment(shown).as_bytes(), 76);
    out + &format!(
        "Content-Type: multipart/mixed; boundary=\"_000_ews\"\n\n--_000_ews\n{body}\n--_000_ews\n\
         Content-Type: application/pdf; name=\"a.pdf\"\nContent-Transfer-Encoding: base64\n\n{file}\n--_000_ews--\n"
    )
}

/// Headers in another order and folded, base64, UTF-8, headers that only Graph adds.
fn as_graph(number: u32, shown: u32, id: Option<u32>) -> String {
    let (from, to) = people(shown);
    let mut out = String::from("MIME-Version: 1.0\nDate: Thu, 01 Jan 2026 11:00:00 +0100\n");
    if let Some(id) = id {
        out += &format!("Message-Id:\n\t<m{id}@x.example>\n");
    }
    out += &format!(
        "Subject: =?utf-8?B?{}?=\n",
        base64(subject(shown).as_bytes(), 900)
    );
    out += &format!(
        "To: <{}>\nFrom:\n \"The Sender\" <{from}>\n",
        to.join(">,\n\t<")
    );
    out += &format!("X-MS-Exchange-Organization-Graph: yes\nX-Number: {number:05}\n");
    let body = format!(
        "Content-Transfer-Encoding: base64\nContent-Type: text/plain;\n\tcharset=utf-8\n\n{}\n",
        base64(text(shown).replace('\n', "\r\n").as_bytes(), 60)
    );
    if !has_attachment(shown) {
        return out + &body;
    }
    let file = base64(attachment(shown).as_bytes(), 60);
    out + &format!(
        "Content-Type: multipart/mixed;\n\tboundary=\"=-graph\"\n\nThis is a mail.\n--=-graph\n{body}\n--=-graph\n\
         Content-Disposition: attachment; filename=\"b.pdf\"\nContent-Transfer-Encoding: base64\n\
         Content-Type: application/pdf\n\n{file}\n--=-graph--\n"
    )
}

fn base64(bytes: &[u8], line: usize) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let bits = u32::from_be_bytes([0, three[0], three[1], three[2]]);
        for at in 0..4 {
            let digit = (bits >> (18 - 6 * at)) & 63;
            let shown = at <= group.len();
            out.push(if shown {
                char::from(ALPHABET[digit as usize])
            } else {
                '='
            });
        }
    }
    let lines: Vec<_> = out.as_bytes().chunks(line).collect();
    let lines = lines.iter().map(|it| String::from_utf8_lossy(it));
    lines.collect::<Vec<_>>().join("\n")
}
