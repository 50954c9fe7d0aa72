//! `Authentication-Results` (RFC 8601): what one field says, and whose word of several counts.

use email_logging::decision::{Boundary, TrustPolicy, TrustVerdict};
use email_logging::message::{
    AuthenticationResults, Authenticity, MailFacts, Message, MessageFlag, MessageLimits, StampSays,
};

use super::engine::{Target, run};

/// The authserv-id that the policy trusts.
const OWN: &str = "mx.own.example";
/// What a comment may say without anybody listening: it ends only with the last bracket.
const COMMENT: &str = "(; dmarc=fail (compauth=fail) \\) \" \\\\ mx.own.example;)";
/// A field of the trusted boundary, and what it makes of the sender.
const STAMPED: [(&str, Authenticity); 4] = [
    ("dmarc=pass header.from=a.example", Authenticity::Passed),
    (
        "dmarc=fail (p=none) header.from=a.example",
        Authenticity::Failed,
    ),
    ("dmarc=none; compauth=fail reason=001", Authenticity::Failed),
    (
        "spf=pass smtp.mailfrom=a.example; dmarc=none",
        Authenticity::Unknown,
    ),
];
/// A host of Exchange Online, so that its fields count.
const ONLINE: &str = "X-MS-Exchange-Organization-AuthSource: a.prod.outlook.com\r\n";

/// Where a character of a value stands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stands {
    Plain,
    Quoted,
    Comment,
}

/// The characters of a value with where they stand; brackets and quotation marks belong to what they enclose.
fn scan(value: &str) -> Vec<(char, Stands)> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut all = Vec::new();
    for c in value.chars() {
        let before = (depth, quoted);
        match c {
            _ if escaped => escaped = false,
            '\\' if depth > 0 || quoted => escaped = true,
            '"' if depth == 0 => quoted = !quoted,
            '(' if !quoted => depth += 1,
            ')' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        let stands = match before {
            (0, false) if depth > 0 => Stands::Comment,
            (0, false) if !quoted => Stands::Plain,
            (0, _) => Stands::Quoted,
            _ => Stands::Comment,
        };
        all.push((c, stands));
    }
    all
}

/// The value with each plain character, and each of a comment, written in another way.
fn retold(value: &str, plain: fn(char) -> String, comment: &str) -> String {
    let tell = |(c, stands)| match stands {
        Stands::Plain => plain(c),
        Stands::Quoted => String::from(c),
        Stands::Comment => comment.to_owned(),
    };
    scan(value).into_iter().map(tell).collect()
}

fn commented(c: char) -> String {
    if " \t;=".contains(c) {
        format!("{COMMENT}{c}")
    } else {
        c.into()
    }
}

fn folded(c: char) -> String {
    if c == ' ' { "\r\n\t".into() } else { c.into() }
}

/// One field says the same in capitals, with more comments, with none, and however it is folded.
fn check_retold(value: &str) {
    let read = AuthenticationResults::read;
    let said = read(value);
    assert_eq!(read(value), said);
    assert_eq!(read(&value.to_ascii_uppercase()), said, "in capitals");
    let bare = retold(value, String::from, " ");
    assert_eq!(read(&bare), said, "without comments: {bare}");
    let more = format!("{COMMENT}{}", retold(&bare, commented, " "));
    assert_eq!(read(&more), said, "with comments: {more}");
    let folded = retold(value, folded, " ");
    assert_eq!(read(&folded), said, "folded: {folded}");
    let id = said.authserv_id.as_deref().unwrap_or_default();
    assert!(id.len() <= value.len(), "{} of {}", id.len(), value.len());
    assert!(!id.contains(|c: char| c.is_ascii_uppercase()), "{id}");
    let written = value.replace(['\\', '"'], "").to_ascii_lowercase();
    for (method, result) in [("dmarc", said.dmarc), ("compauth", said.compauth)] {
        let Some(result) = result else { continue };
        let other = result.code() == "other";
        assert!(written.contains(method), "{method} is not written");
        assert!(other || written.contains(result.code()), "{result:?}");
    }
}

/// What a sender chooses (an address, a reason) stands in a quoted string or a comment, and says nothing there.
fn check_enclosed(text: &str) {
    let escaped = |signs: &[char]| -> String {
        let escape = |c| {
            if signs.contains(&c) {
                format!("\\{c}")
            } else {
                String::from(c)
            }
        };
        text.chars().map(escape).collect()
    };
    let (quoted, comment) = (escaped(&['\\', '"']), escaped(&['\\', '(', ')']));
    for (says, _) in STAMPED {
        let plain = AuthenticationResults::read(&format!("{OWN}; {says}"));
        for value in [
            format!("{OWN}; spf=fail smtp.mailfrom=\"{quoted}\"; {says}"),
            format!("{OWN} ({comment}) 1; {says} reason=\"{quoted}\" ({comment})"),
        ] {
            assert_eq!(AuthenticationResults::read(&value), plain, "{value}");
        }
    }
}

/// A value as one header field, whatever line ends are in it.
fn field(value: &[u8]) -> Vec<u8> {
    let lines = value.split(|byte| b"\r\n".contains(byte));
    let kept: Vec<_> = lines.filter(|line| !line.trim_ascii().is_empty()).collect();
    [
        b"Authentication-Results: ",
        &kept.join(&b"\r\n "[..])[..],
        b"\r\n",
    ]
    .concat()
}

/// A mail that begins with these fields; none where they are more than is read of a header block.
fn mail(fields: &[&[u8]]) -> Option<Message> {
    let own = &b"From: a@b.example\r\nSubject: s\r\n\r\nx"[..];
    let original = [&fields.concat()[..], own].concat();
    let read = Message::read(&original, &MailFacts::default(), &MessageLimits::default());
    read.ok()
        .filter(|message| !message.flags.contains(&MessageFlag::HeaderLimit))
}

fn judged(boundary: &Boundary, message: &Message) -> TrustVerdict {
    let mut policy = TrustPolicy::default();
    policy.boundary = Some(boundary.clone());
    policy.judge(&message.stamps)
}

/// Verdict and its words, without the place of the field.
fn words(boundary: &Boundary, message: &Message) -> (Authenticity, &'static str) {
    let verdict = judged(boundary, message);
    (verdict.authenticity, verdict.says)
}

/// Only the topmost field of the boundary counts, whatever stands above it in another's name and below it in any.
fn check_topmost(input: &[u8], boundary: &Boundary, prefix: &str, stranger: &str) {
    let any = field(input);
    let strange = field(&[stranger.as_bytes(), input].concat());
    let online = ONLINE.as_bytes();
    for (says, authenticity) in STAMPED {
        let own = field(format!("{prefix}{says}").as_bytes());
        let (Some(alone), Some(all)) = (
            mail(&[online, &own]),
            mail(&[online, &strange, &own, &any, &any]),
        ) else {
            return;
        };
        let expected = words(boundary, &alone);
        assert_eq!(expected.0, authenticity, "{says}");
        assert_eq!(words(boundary, &all), expected, "{says}");
        assert_eq!(judged(boundary, &all).field, Some(2), "{says}");
        check_above(boundary, &any, &own);
    }
}

/// A field above counts if it is the boundary's own, and is as if it were not there if it is not.
fn check_above(boundary: &Boundary, any: &[u8], own: &[u8]) {
    let online = ONLINE.as_bytes();
    let read = |fields: &[&[u8]]| mail(fields).unwrap();
    let (above, below) = (read(&[online, any]), read(&[online, own]));
    let [_, stamp] = &above.stamps[..] else {
        panic!("{} stamps", above.stamps.len());
    };
    let StampSays::Results(results) = &stamp.says else {
        panic!("{stamp:?}");
    };
    let counts = match boundary {
        Boundary::ExchangeOnline => results.authserv_id.is_none(),
        _ => results.authserv_id.as_deref() == Some(OWN),
    };
    let expected = words(boundary, if counts { &above } else { &below });
    assert_eq!(words(boundary, &read(&[online, any, own])), expected);
}

/// No verdict for a value that does not write the name of the boundary.
fn check_named(input: &[u8]) {
    let Some(message) = mail(&[&field(input)]) else {
        return;
    };
    let boundary = Boundary::AuthservId(OWN.to_owned());
    let text = String::from_utf8_lossy(input).replace(['\\', '"'], "");
    let named = text.to_ascii_lowercase().contains(OWN);
    let verdict = judged(&boundary, &message);
    assert!(named || verdict.field.is_none(), "{verdict:?}");
    assert_eq!(judged(&Boundary::ExchangeOnline, &message).field, None);
    assert_eq!(TrustPolicy::default().judge(&message.stamps).field, None);
}

fn check_results(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    check_retold(&text);
    check_enclosed(&text);
    check_named(input);
    let own = Boundary::AuthservId(OWN.to_owned());
    check_topmost(input, &own, "MX.own.example 1; ", "mx.evil.example; ");
    check_topmost(input, &Boundary::ExchangeOnline, "", "mx.own.example; ");
}

/// Fields that are longer than what is read of one.
fn huge() -> Vec<Vec<u8>> {
    let repeated = [
        "(",
        ")",
        "\"",
        "\\",
        "=",
        ";",
        "dmarc=fail;",
        "a ",
        "(\\",
        "\u{fc}",
    ];
    let many =
        repeated.map(|piece| format!("{OWN}; dmarc=pass; {}", piece.repeat(17_000 / piece.len())));
    let late = format!(
        "{OWN}; {}dmarc=fail",
        "spf=pass smtp.mailfrom=a; ".repeat(700)
    );
    let long_id = format!("{}; dmarc=fail", "a".repeat(20_000));
    let all = many.into_iter().chain([late, long_id]);
    all.map(String::into_bytes).collect()
}

#[test]
fn authentication_results() {
    run(Target {
        name: "authentication_results",
        words: &[
            "mx.own.example",
            "MX.OWN.EXAMPLE 1",
            "\"mx.own.example\"",
            "mx.own.example.evil.example",
            "; ",
            ";",
            "=",
            " = ",
            "/1",
            " ",
            "\t",
            "\r\n ",
            "\r\n",
            "(",
            ")",
            "\"",
            "\\",
            "(c)",
            "((a) b)",
            "\\\"",
            "none",
            "dmarc=pass",
            "dmarc=fail",
            "DMARC = Fail",
            "dmarc/1=pass",
            "dmarc=",
            "dmarc=\"fail\"",
            "dmarc=temperror",
            "compauth=pass",
            "compauth=softpass",
            "spf=fail smtp.mailfrom=a.example",
            "dkim=pass header.d=a.example",
            " reason=\"; dmarc=fail\"",
            " action=oreject",
            " policy.dmarc=none",
            "\0",
            "\u{a0}",
            "\u{fc}",
            "\u{2028}",
            "\u{212a}",
        ],
        made: huge,
        check: check_results,
    });
}
