//! Bad input, one fixture per kind: a typed error or a flag, and never a panic.

use super::support::{addresses, content, names, read};
use email_logging::message::{
    Address, MailFacts, Message, MessageContent, MessageFlag, MessageLimits, UnusableAddress,
};
use proptest::prelude::*;

fn error(mail: impl AsRef<[u8]>, limits: &MessageLimits) -> &'static str {
    Message::read(mail.as_ref(), &MailFacts::default(), limits)
        .unwrap_err()
        .code()
}

fn flags(mail: impl AsRef<[u8]>) -> Vec<MessageFlag> {
    read(mail).flags
}

fn multipart(parts: &[&str]) -> String {
    let parts = parts.join("\n--b\n");
    format!("From: a@b.example\nContent-Type: multipart/mixed; boundary=b\n\n--b\n{parts}\n--b--\n")
}

#[test]
fn mail_beyond_its_size_is_a_typed_error() {
    let mut small = MessageLimits::default();
    small.message_bytes = 20;
    assert_eq!(
        error("A: b\n\n0123456789012345678901234", &small),
        "mime.too_large"
    );
}

#[test]
fn headers_beyond_a_limit_are_flagged_and_what_came_before_is_read() {
    let long_header = format!(
        "Subject: s\nA: {}\nTo: a@b.example\n\n",
        "x".repeat(100 << 10)
    );
    let long_block = format!(
        "Subject: s\n{}\n",
        format!("A: {}\n", "x".repeat(99 << 10)).repeat(11)
    );
    let many_headers = format!("Subject: s\n{}\nbody", "A: b\n".repeat(2_000));
    let folded = format!("Subject: s\nA: b\n{}\n", " x\n".repeat(40_000));
    for mail in [long_header, long_block, many_headers, folded] {
        let message = read(&mail);
        assert!(
            message.flags.contains(&MessageFlag::HeaderLimit),
            "{:?}",
            message.flags
        );
        assert_eq!((message.subject.as_str(), message.to.len()), ("s", 0));
        assert_eq!(message.identity.size, mail.len() as u64);
    }
    let most = read("A: b\n".repeat(2_000));
    assert!(!most.flags.contains(&MessageFlag::HeaderLimit));
}

#[test]
fn what_has_no_header_is_flagged() {
    for mail in ["", "\r\n\r\nbody only", "no header here\nnor here\n"] {
        assert!(
            flags(mail).contains(&MessageFlag::HeaderMissing),
            "{mail:?}"
        );
    }
    assert!(!flags("A: b").contains(&MessageFlag::HeaderMissing));
}

#[test]
fn too_many_addresses_are_flagged_and_repeated_ones_are_not() {
    let mut limits = MessageLimits::default();
    limits.addresses = 100;
    let list = |count: usize| {
        let all: Vec<_> = (0..count).map(|n| format!("a{n}@b.example")).collect();
        all.join(",\n ")
    };
    let facts = MailFacts::default();
    let over = format!("To: {}\nCc: x@b.example\n\n", list(100));
    let message = Message::read(over.as_bytes(), &facts, &limits).unwrap();
    assert!(message.flags.contains(&MessageFlag::TooManyAddresses));
    assert_eq!((message.to.len(), message.cc.len()), (100, 0));
    let repeated = format!("To: {}\nCc: {}\n\n", list(99), list(99));
    let message = Message::read(repeated.as_bytes(), &facts, &limits).unwrap();
    assert!(!message.flags.contains(&MessageFlag::TooManyAddresses));
    assert_eq!(message.cc.len(), 99);
}

#[test]
fn nested_groups_and_comments_end_at_their_limit() {
    let groups = flags("To: a: b: c: d: x@y.example;;;;\n\n");
    assert!(groups.contains(&MessageFlag::AddressLimit));
    let comments = format!(
        "From: a@b.example\nTo: {} x@y.example\n\n",
        "(".repeat(90_000)
    );
    assert!(flags(comments).contains(&MessageFlag::AddressLimit));
    let recursive = format!("To: {}\n\n", "a:".repeat(40_000));
    assert_eq!(read(recursive).to.len(), 0);
}

#[test]
fn senders_that_are_odd_are_kept_as_they_are() {
    let none = read("To: a@b.example\nReturn-Path: <r@b.example>\n\n");
    assert!(none.from.is_empty());
    let several = read("From: a@b.example\nFrom: c@d.example\n\n");
    assert_eq!(addresses(&several.from), "a@b.example, c@d.example");
    assert!(several.flags.contains(&MessageFlag::SeveralFromHeaders));
    let name_only = read("From: Ada Holm\n\n");
    assert_eq!(addresses(&name_only.from), "!NameOnly");
    assert!(name_only.flags.contains(&MessageFlag::AddressUnusable));
    let invisible = read("From: <ad\u{200b}a@b.example>\n\n");
    assert_eq!(addresses(&invisible.from), "!Invisible");
}

#[test]
fn a_loop_is_suspected_behind_fifty_hops() {
    let mail = |hops: usize| format!("{}From: a@b.example\n\n", "Received: x\n".repeat(hops));
    assert!(!flags(mail(50)).contains(&MessageFlag::LoopSuspected));
    assert!(flags(mail(51)).contains(&MessageFlag::LoopSuspected));
}

#[test]
fn message_ids_are_bounded() {
    let id = |length: usize| format!("Message-ID: <{}@b>\n\n", "x".repeat(length - 2));
    assert_eq!(read(id(998)).message_id.unwrap().len(), 998);
    let long = read(id(999));
    assert_eq!(long.message_id, None);
    assert!(long.flags.contains(&MessageFlag::MessageIdUnusable));
    assert!(flags("A: b\n\n").contains(&MessageFlag::MessageIdMissing));
    let many = read("References: <a@b> x <c@d>\n\t<e@f\nReferences: <g@h>\nIn-Reply-To: <i@j>\n\n");
    assert_eq!(many.references, ["a@b", "c@d", "g@h"]);
    assert_eq!(many.in_reply_to, ["i@j"]);
}

#[test]
fn dates_that_cannot_be_are_flagged() {
    for date in ["0000", "9999"] {
        let mail = format!("Date: Fri, 1 Jan {date} 00:00:00 +0000\n\n");
        assert!(
            flags(mail).contains(&MessageFlag::DateImplausible),
            "{date}"
        );
    }
    let zone = flags("Date: Fri, 1 Jan 2026 00:00:00 +2400\n\n");
    assert!(zone.contains(&MessageFlag::DateImplausible));
    let comments = read("Date: (a (b (c))) Fri, 2 Jan 2026 00:00:00 +0000 (d)\n\n");
    assert_eq!(comments.sent.unwrap().to_string(), "2026-01-02T00:00:00Z");
    let open = format!("Date: {}2 Jan 2026 00:00:00 +0000\n\n", "(".repeat(50_000));
    assert!(flags(open).contains(&MessageFlag::DateMissing));
}

#[test]
fn raw_bytes_in_headers_are_kept_readable() {
    let utf8 = read("From: J\u{fc}rgen <j@b.example>\nSubject: H\u{f6}he\n\n");
    assert_eq!(names(&utf8.from), ["J\u{fc}rgen"]);
    assert!(!utf8.flags.contains(&MessageFlag::HeaderCharset));
    let latin = read(b"From: J\xfcrgen <j@b.example>\nSubject: a\0b\n\n");
    assert_eq!(addresses(&latin.from), "j@b.example");
    assert_eq!(names(&latin.from), ["J\u{fffd}rgen"]);
    assert_eq!(latin.subject, "a\u{fffd}b");
    assert!(latin.flags.contains(&MessageFlag::HeaderCharset));
}

#[test]
fn charsets_that_lie_or_are_unknown_are_read_as_far_as_they_go() {
    let body = |charset: &str, body: &[u8]| {
        let header = format!("A: b\nContent-Type: text/plain; charset={charset}\n\n");
        content([header.as_bytes(), body].concat())
    };
    let unknown = body("x-nonsense", b"h\xfcte");
    assert_eq!(unknown.text.as_deref(), Some("h\u{fffd}te"));
    assert_eq!(unknown.flags, [MessageFlag::DamagedContent]);
    assert_eq!(
        body("utf-7", b"h+APw-te").text.as_deref(),
        Some("h\u{fc}te")
    );
    assert_eq!(body("utf-8", b"a\0b").text.as_deref(), Some("a\u{fffd}b"));
    let lying = body("us-ascii", "h\u{fc}te".as_bytes());
    assert!(lying.text.unwrap().starts_with('h'));
    let lone = body("utf-8", b"a\rb\r\nc\nd");
    assert_eq!(lone.text.as_deref(), Some("a\rb\nc\nd"));
}

#[test]
fn damaged_transfer_encodings_are_flagged() {
    let part = |encoding: &str, body: &str| {
        content(format!(
            "A: b\nContent-Transfer-Encoding: {encoding}\n\n{body}"
        ))
    };
    let base64 = part("base64", "aGFs!!bG8=");
    assert_eq!(base64.text.as_deref(), Some("hallo"));
    assert_eq!(base64.flags, [MessageFlag::DamagedContent]);
    let quoted = part("Quoted-Printable", "a==b=zz=3D");
    assert_eq!(quoted.flags, [MessageFlag::DamagedContent]);
    assert!(quoted.text.is_some());
    assert_eq!(part("x-unknown", "abc").text.as_deref(), Some("abc"));
}

#[test]
fn parts_beyond_depth_and_number_are_left_to_the_original() {
    let nested = "Content-Type: message/rfc822\n\n".repeat(200);
    let nested = content(format!("A: b\n{nested}"));
    assert_eq!(nested.flags, [MessageFlag::PartLimit]);
    let many = vec!["Content-Disposition: attachment\n\nx"; 10_001];
    let many = content(multipart(&many));
    assert_eq!(many.flags, [MessageFlag::PartLimit]);
    assert_eq!(many.attachments.len(), 9_999);
    let boundary = "b".repeat(2_049);
    let long = content(format!(
        "A: b\nContent-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\nx\n"
    ));
    assert_eq!(long.attachments.len(), 1);
}

#[test]
fn closed_content_is_listed_and_flagged() {
    let table = [
        ("application/ms-tnef", MessageFlag::OpaqueContent),
        (
            "application/octet-stream; name=WinMail.dat",
            MessageFlag::OpaqueContent,
        ),
        ("application/pkcs7-mime", MessageFlag::OpaqueContent),
        ("message/partial; id=1", MessageFlag::IncompleteByDesign),
        (
            "message/external-body; access-type=url",
            MessageFlag::IncompleteByDesign,
        ),
    ];
    for (media_type, flag) in table {
        let mail = multipart(&["\nhello", &format!("Content-Type: {media_type}\n\nx")]);
        let content = content(mail);
        assert_eq!(content.flags, [flag], "{media_type}");
        assert_eq!(content.text.as_deref(), Some("hello"));
        assert_eq!(content.attachments.len(), 1);
    }
    let partial = flags("Content-Type: message/partial; id=1\n\nx");
    assert!(partial.contains(&MessageFlag::IncompleteByDesign));
    let encrypted = "Content-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n";
    assert!(flags(encrypted).contains(&MessageFlag::OpaqueContent));
}

#[test]
fn attachment_names_are_cleaned() {
    let table = [
        ("filename=\"../../x\"", "x"),
        ("filename=\"C:con\"", "C_con"),
        ("filename=\"con.txt\"", "_con.txt"),
        ("filename*=utf-8''a%E2%80%AEfdp.exe", "afdp.exe"),
        (
            "filename*0=\"long \"; filename*1=\"name.pdf\"",
            "long name.pdf",
        ),
        ("filename=\"=?utf-8?q?=C3=BC.pdf?=\"", "\u{fc}.pdf"),
        ("filename=\"a\0b\"", "b"),
        ("filename=\"\"", "attachment"),
        ("", "attachment"),
    ];
    for (parameter, name) in table {
        let part = format!(
            "Content-Type: application/pdf\nContent-Disposition: attachment; {parameter}\n\nx"
        );
        let content = content(multipart(&[&part]));
        assert_eq!(content.attachments[0].name, name, "{parameter}");
    }
    let long = format!(
        "Content-Disposition: attachment; filename=\"{}.pdf\"\n\nx",
        "y".repeat(10_240)
    );
    let name = content(multipart(&[&long])).attachments[0].name.clone();
    assert!(name.len() <= 255 && name.ends_with("y.pdf"));
}

#[test]
fn text_is_the_plain_one_else_html_and_bounded() {
    let alternative = "Content-Type: multipart/alternative; boundary=c\n\n--c\n\nplain\n--c\n\
        Content-Type: text/html\n\n<p>html</p>\n--c--";
    assert_eq!(
        content(multipart(&[alternative])).text.as_deref(),
        Some("plain")
    );
    let html =
        "Content-Type: text/html; charset=utf-8\n\n<style>a{}</style><p>h\u{fc}te &amp; mehr</p>";
    assert_eq!(
        content(multipart(&[html])).text.as_deref(),
        Some("h\u{fc}te & mehr")
    );
    let both = content(multipart(&[html, "\n-- \nlist footer"]));
    assert_eq!(
        both.text.as_deref(),
        Some("h\u{fc}te & mehr\n-- \nlist footer")
    );
    let mut limits = MessageLimits::default();
    limits.indexed_text_bytes = 4;
    let cut = MessageContent::read("A: b\n\nabc\u{fc}x".as_bytes(), &limits);
    assert_eq!(cut.text.as_deref(), Some("abc"));
    let inline = content(multipart(&[
        "Content-Type: multipart/related; boundary=r\n\n--r\nContent-Type: image/png\n\
         Content-ID: <pic@x>\n\nx\n--r--",
    ]));
    assert_eq!(inline.attachments[0].content_id.as_deref(), Some("pic@x"));
    assert!(inline.attachments[0].inline);
}

#[test]
fn subjects_keep_what_is_to_be_escaped_where_it_is_shown() {
    let subject = "Subject: =?utf-8?q?a=0D=0ABcc:_x@y=1B[2J=E2=80=AE?=\n\n";
    let message = read(subject);
    assert_eq!(message.subject, "a\r\nBcc: x@y\u{1b}[2J\u{202e}");
    assert!(message.bcc.is_empty());
}

#[test]
fn an_address_of_text_says_only_that_it_is_none() {
    let error = "secret name <x".parse::<Address>().unwrap_err();
    assert_eq!(error.code(), "address.invalid");
    assert!(!error.to_string().contains("secret"));
    assert_eq!(Address::parse("x"), Err(UnusableAddress::Malformed));
}

proptest! {
    #[test]
    fn any_bytes_are_a_mail_or_a_typed_error(mail in prop::collection::vec(any::<u8>(), 0..400)) {
        let limits = MessageLimits::default();
        let _ = Message::read(&mail, &MailFacts::default(), &limits);
        content(&mail);
    }

    #[test]
    fn any_header_block_is_read_the_same_by_any_chunks(
        lines in prop::collection::vec(prop_oneof![
            "(From|To|Cc|Bcc|Sender|Reply-To): [a-c@.<>\",;:() =?\u{fc}]{0,30}",
            "(Subject|Date|Message-ID|References|Content-Type|Sensitivity): [ -~]{0,40}",
            "[ \t][ -~]{0,10}",
            Just("X-MS-Journal-Report:".to_owned()),
            Just("Content-Type: multipart/mixed; boundary=b".to_owned()),
            Just("--b".to_owned()),
            Just(String::new()),
        ], 0..12),
        crlf: bool,
        size in 1usize..40,
    ) {
        let mail = lines.join(if crlf { "\r\n" } else { "\n" });
        let whole = super::support::read_in_chunks(mail.as_bytes(), mail.len().max(1));
        let cut = super::support::read_in_chunks(mail.as_bytes(), size);
        prop_assert_eq!(whole, cut);
    }
}
