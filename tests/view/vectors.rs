//! The vectors of cross-site scripting, each in the places where a stranger can put it.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use email_logging::view::{OriginalView, ViewLimits, content_disposition, safe_text};

use crate::xss::{Place, Vector, vectors};
use crate::{dom, shown};

const FIXTURE: &str = "tests/fixtures/xss/vectors.jsonl";

#[test]
fn there_are_more_than_500_distinct_vectors_and_the_fixture_holds_them() {
    let vectors = vectors();
    let distinct: BTreeSet<_> = vectors.iter().map(|vector| &vector.text).collect();
    assert!(distinct.len() >= 500, "{}", distinct.len());
    let mut lines = String::new();
    for Vector { name, place, text } in &vectors {
        let place = if *place == Place::Body {
            "body"
        } else {
            "text"
        };
        let line = serde_json::json!({ "name": name, "place": place, "text": text });
        writeln!(lines, "{line}").unwrap();
    }
    if std::env::var_os("UPDATE_XSS").is_some() {
        std::fs::write(FIXTURE, &lines).unwrap();
    }
    assert!(
        std::fs::read_to_string(FIXTURE).unwrap() == lines,
        "run with UPDATE_XSS=1"
    );
}

#[test]
fn no_vector_in_a_body_runs_or_loads() {
    for vector in vectors()
        .iter()
        .filter(|vector| vector.place == Place::Body)
    {
        for html in [
            vector.text.clone(),
            format!("<html><head>{}</head><body>y</body></html>", vector.text),
            format!(
                "<div class=gmail_quote><table><tr><td>{}</td></tr></table></div>z",
                vector.text
            ),
        ] {
            let view = shown(&html);
            dom::assert_harmless(&view.body, &vector.name);
            dom::assert_harmless(&view.folded(), &vector.name);
        }
    }
}

#[test]
fn vectors_as_plain_text_stay_text() {
    for vector in vectors() {
        let mail = format!(
            "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
             Content-Type: text/plain\r\n\r\n{}\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>y</p>\r\n--b--\r\n",
            vector.text
        );
        let view = OriginalView::of(mail.as_bytes(), &ViewLimits::default());
        let body = view.html().unwrap().body;
        let names: Vec<_> = dom::elements(&body)
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        assert_eq!(
            names,
            ["html", "head", "body", "div", "p"],
            "{}: {body}",
            vector.name
        );
    }
}

#[test]
fn no_vector_in_a_header_gets_out_of_its_place() {
    for vector in vectors() {
        let word = encoded_word(&vector.text);
        let mail = format!(
            "From: {word} <a@b.example>\r\nTo: \"{}\" <\"<b>\"@b.example>\r\nCc: <script>@b.example\r\nSubject: {word}\r\n\r\nx",
            vector.text.replace(['\r', '\n', '\\', '"'], " ")
        );
        let view = OriginalView::of(mail.as_bytes(), &ViewLimits::default());
        let headers = view.headers();
        for text in [
            &headers.subject,
            &headers.from[0],
            &headers.to[0],
            &headers.cc[0],
        ] {
            assert!(
                !text.contains(|c: char| c.is_control() || c == '\u{202e}'),
                "{}",
                vector.name
            );
            let safe = safe_text(text);
            let page = format!("<p title=\"{safe}\">{safe}</p><p title='{safe}'></p>");
            let elements = dom::elements(&page);
            let shown: Vec<_> = elements
                .iter()
                .map(|(name, attributes)| (&**name, attributes.len()))
                .collect();
            let expected = [("html", 0), ("head", 0), ("body", 0), ("p", 1), ("p", 1)];
            assert_eq!(shown, expected, "{}: {page}", vector.name);
            assert_eq!(&elements[3].1[0].1, text, "{}", vector.name);
        }
    }
}

#[test]
fn no_vector_in_a_file_name_gets_out_of_its_place() {
    for vector in vectors() {
        let word = encoded_word(&vector.text);
        let mail = format!(
            "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"{word}\"\r\n\r\nx"
        );
        let view = OriginalView::of(mail.as_bytes(), &ViewLimits::default());
        let names: Vec<_> = view.attachments().map(|one| one.name.clone()).collect();
        let [name] = &*names else {
            panic!("{}: {names:?}", vector.name)
        };
        let bad = |c: char| c.is_control() || "/\\<>:\"|?*\u{202e}".contains(c);
        assert!(
            !name.contains(bad) && name.len() <= 255 && !name.is_empty(),
            "{}: {name:?}",
            vector.name
        );
        let value = content_disposition(name);
        assert!(
            value.is_ascii() && !value.contains(['\r', '\n']),
            "{value:?}"
        );
        assert_eq!(value.matches('"').count(), 2, "{value:?}");
        assert_eq!(content_disposition(&vector.text).matches('"').count(), 2);
    }
}

fn encoded_word(text: &str) -> String {
    let hex: Vec<String> = text.bytes().map(|byte| format!("={byte:02X}")).collect();
    let words: Vec<String> = hex
        .chunks(15)
        .map(|some| format!("=?utf-8?q?{}?=", some.concat()))
        .collect();
    words.join(" ")
}
