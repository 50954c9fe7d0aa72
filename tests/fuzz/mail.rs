//! Originals: headers, encoded words, parts, and the digests that identify them.

use email_logging::message::{
    CanonicalDigest, MailFacts, Message, MessageContent, MessageFlag, MessageLimits, MessageReader,
};

use super::engine::{Target, run};

const WORDS: &[&str] = &[
    "\r\n",
    "\n",
    "\r",
    "\r\n\r\n",
    "\n\n",
    " ",
    "\t",
    ":",
    "From: ",
    "To: a@b.example\r\n",
    "Cc: ",
    "Sender: ",
    "Subject: ",
    "Message-ID: <",
    "Date: ",
    "Content-Type: multipart/mixed; boundary=b\r\n",
    "Content-Type: message/rfc822\r\n",
    "Content-Type: text/html; charset=utf-7\r\n",
    "Content-Transfer-Encoding: base64\r\n",
    "Content-Transfer-Encoding: quoted-printable\r\n",
    "--b\r\n",
    "--b--\r\n",
    "--",
    "=?utf-8?b?",
    "=?utf-8?q?",
    "=?iso-2022-jp?b?GyRC",
    "?=",
    "=\r\n",
    "=0D=0A",
    "begin 644 x\r\n",
    "boundary=\"\"",
    "charset=gb18030",
    "name*0*=utf-8''a",
    "name*1=b",
    "filename=\"../../x\"",
    "(((",
    ")))",
    "\0",
    "\u{85}",
    "\u{2028}",
    "Received: from x\r\n",
    "X-MS-Journal-Report:\r\n",
    "Sender: <x@b.example>\r\n",
    "Auto-Submitted: auto-replied\r\n",
    "Sensitivity: private\r\n",
    "Authentication-Results: mx.own.example; dmarc=fail\r\n",
    "Authentication-Results: ",
    "X-MS-Exchange-Organization-AuthAs: Internal\r\n",
    "X-MS-Exchange-Organization-AuthSource: a.prod.outlook.com\r\n",
    "; dmarc=pass",
    "; compauth=fail (",
];

/// The addresses that a match may use, each as often as it stands.
pub(super) fn smtp_of(message: &Message) -> Vec<String> {
    let lists = [&message.from, &message.to, &message.cc, &message.bcc];
    let boxes = lists.into_iter().flatten().chain(&message.sender);
    let smtp = boxes.filter_map(|mailbox| mailbox.address.smtp());
    smtp.map(|address| address.as_str().to_owned()).collect()
}

/// Asserts that the words of an address stand in the bytes. A domain that is written in Unicode is not looked for.
pub(super) fn assert_written(address: &str, bytes: &[u8]) {
    let bytes = String::from_utf8_lossy(bytes).to_lowercase();
    let (local, domain) = address.rsplit_once('@').unwrap();
    let plain = |label: &&str| !label.starts_with("xn--") && bytes.is_ascii();
    let words = local.split(|c: char| !c.is_alphanumeric());
    for word in words.chain(domain.split('.').filter(plain)) {
        assert!(
            bytes.contains(&word.to_lowercase()),
            "{word:?} of {address} is not in the bytes"
        );
    }
}

fn limits() -> MessageLimits {
    MessageLimits::default()
}

fn read_in_pieces(input: &[u8], size: usize) -> Option<Message> {
    let mut reader = MessageReader::new(limits());
    for piece in input.chunks(size) {
        reader.push(piece).ok()?;
    }
    Some(reader.finish(&MailFacts::default()))
}

/// One message however it arrives; its addresses stand in it; its texts are no longer than it.
fn check_mail(input: &[u8]) {
    let whole = Message::read(input, &MailFacts::default(), &limits()).ok();
    for size in [1, 13] {
        assert_eq!(read_in_pieces(input, size), whole, "cut every {size} bytes");
    }
    let Some(message) = whole else { return };
    let inner = [
        MessageFlag::JournalUnwrapped,
        MessageFlag::JournalUnreadable,
    ];
    if !inner.iter().any(|flag| message.flags.contains(flag)) {
        for address in smtp_of(&message) {
            assert_written(&address, input);
        }
    }
    let ids = message
        .references
        .iter()
        .chain(&message.in_reply_to)
        .chain(&message.message_id);
    let texts: usize = ids.map(String::len).sum();
    assert!(
        texts + message.subject.len() <= 4 * input.len(),
        "more text than bytes"
    );
    assert!(message.message_id.is_none_or(|id| id.len() <= 998));
    let stamps = &message.stamps;
    assert!(stamps.len() <= 64, "{} stamps", stamps.len());
    assert!(stamps.is_sorted_by(|above, below| above.field < below.field));
}

#[test]
fn mail() {
    run(Target {
        name: "mail",
        words: WORDS,
        made: Vec::new,
        check: check_mail,
    });
}

/// Text and attachments are bounded by the mail and by the limits; a name is one that a file may have.
fn check_content(input: &[u8]) {
    let limits = MessageLimits::default();
    let content = MessageContent::read(input, &limits);
    assert_eq!(MessageContent::read(input, &limits), content);
    let text = content.text.as_ref().map_or(0, String::len);
    assert!(
        text <= limits.indexed_text_bytes && text <= 4 * input.len(),
        "{text}"
    );
    assert!(content.attachments.len() <= limits.parts.min(input.len() + 1));
    for attachment in &content.attachments {
        let name = &attachment.name;
        let bad = |c: char| c.is_control() || "/\\".contains(c);
        assert!(
            !name.contains(bad) && name != ".." && name.len() <= 4 * input.len(),
            "{name:?}"
        );
        assert!(attachment.size <= input.len() as u64);
    }
}

#[test]
fn content() {
    run(Target {
        name: "content",
        words: WORDS,
        made: Vec::new,
        check: check_content,
    });
}

/// Whether the mail begins with a header, so that one before it stays one of its own.
fn begins_with_header(input: &[u8]) -> bool {
    let name = input.split(|byte| *byte == b':').next().unwrap_or_default();
    input.contains(&b':') && !name.is_empty() && name.iter().all(u8::is_ascii_alphanumeric)
}

/// The digest of a mail is one for all its ways: a server that adds a trace on the way changes neither digest nor fast key.
fn check_digest(input: &[u8]) {
    let digest = CanonicalDigest::of(input, &limits());
    assert_eq!(CanonicalDigest::of(input, &limits()), digest);
    if !begins_with_header(input) {
        return;
    }
    let traced = [&b"X-Trace: by mx.example.com\r\n"[..], input].concat();
    assert_eq!(
        CanonicalDigest::of(&traced, &limits()),
        digest,
        "a trace changes the digest"
    );
    let read = |mail: &[u8]| Message::read(mail, &MailFacts::default(), &limits()).ok();
    let (Some(before), Some(after)) = (read(input), read(&traced)) else {
        return;
    };
    assert_eq!(
        after.identity.fast_key, before.identity.fast_key,
        "a trace changes the fast key"
    );
    assert_eq!(
        (after.from, after.to, after.subject),
        (before.from, before.to, before.subject)
    );
}

#[test]
fn digests() {
    run(Target {
        name: "digests",
        words: WORDS,
        made: Vec::new,
        check: check_digest,
    });
}

/// A decoded header is bounded by what was written, and whatever it says, no address comes of it. It may hold line ends,
/// which whoever shows it escapes.
fn check_decoding(input: &[u8]) {
    let folded = input
        .split(|byte| b"\r\n".contains(byte))
        .collect::<Vec<_>>()
        .join(&b"\r\n "[..]);
    let mail = [b"Subject: ", &folded[..], b"\r\nFrom: a@b.example\r\n\r\nx"].concat();
    let Ok(message) = Message::read(&mail, &MailFacts::default(), &limits()) else {
        return;
    };
    let subject = &message.subject;
    assert!(
        subject.len() <= 4 * input.len(),
        "{} out of {}",
        subject.len(),
        input.len()
    );
    assert_eq!(
        smtp_of(&message),
        ["a@b.example"],
        "a subject became an address"
    );
    // A name that is decoded is shown, and never matched.
    let mail = [b"From: ", &folded[..], b" <a@b.example>\r\n\r\nx"].concat();
    let Ok(message) = Message::read(&mail, &MailFacts::default(), &limits()) else {
        return;
    };
    for address in smtp_of(&message) {
        assert_written(&address, &mail);
    }
}

#[test]
fn header_decoding() {
    run(Target {
        name: "header_decoding",
        words: &[
            "=?utf-8?q?",
            "=?utf-8?b?",
            "=?iso-8859-1?q?",
            "=?utf-7?q?+AGE-",
            "=?gb18030?b?",
            "=?iso-2022-jp?b?GyRCJDM",
            "=?x?q?",
            "=?utf-8*de?q?a?=",
            "?=",
            "=40",
            "=00",
            "=0A",
            "=E2=80=AE",
            "_",
            "YUBi",
            "====",
            " ",
            "\t",
            "\r\n",
            "\"",
            "<x@y.example>",
            "\u{fc}",
            "\u{80}",
        ],
        made: Vec::new,
        check: check_decoding,
    });
}
