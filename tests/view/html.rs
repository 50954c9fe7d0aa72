//! What the HTML view keeps, blocks and folds.

use std::fmt::Write as _;

use email_logging::view::{HtmlView, OriginalView, ViewLimits};
use proptest::prelude::*;

use crate::{dom, html_mail, shown};

const PNG: &str = "iVBORw0KGgpyZXN0";

fn with_picture(html: &str, id: &str, kind: &str, base64: &str) -> Vec<u8> {
    format!(
        "Subject: x\r\nContent-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n{html}\r\n\
         --b\r\nContent-Type: {kind}\r\nContent-ID: <{id}>\r\nContent-Transfer-Encoding: base64\r\n\r\n{base64}\r\n--b--\r\n"
    )
    .into_bytes()
}

#[test]
fn pictures_of_the_mail_are_shown_inside() {
    let html = "<img src=\"cid:a%40b\" alt=logo><img src=\"CID:none\">";
    let mail = with_picture(html, "a@b", "image/svg+xml", PNG);
    let view = OriginalView::of(&mail, &ViewLimits::default())
        .html()
        .unwrap();
    let source = format!("<img src=\"data:image/png;base64,{PNG}\" alt=\"logo\"><img>");
    assert_eq!((view.body.trim(), view.pictures), (&*source, 1));
    assert!(view.remote.is_empty());
}

#[test]
fn pictures_that_are_none_or_too_large_are_not_shown() {
    let svg = "PHN2ZyBvbmxvYWQ9ImhpdCgxKSIvPg==";
    let mail = with_picture("<img src=cid:a>", "a", "image/png", svg);
    let view = OriginalView::of(&mail, &ViewLimits::default())
        .html()
        .unwrap();
    assert_eq!((view.body.trim(), view.pictures), ("<img>", 0));
    let mut limits = ViewLimits::default();
    limits.pictures_bytes = 30;
    let mail = with_picture(&"<img src=cid:a>".repeat(3), "a", "image/png", PNG);
    let view = OriginalView::of(&mail, &limits).html().unwrap();
    assert_eq!(view.pictures, 1, "{}", view.body);
}

#[test]
fn remote_content_is_blocked_counted_and_trackers_are_named() {
    let view = shown(
        "<style>@import url(x.css); p{background:url(http://a.example/b)}</style>\
         <img src=http://pictures.example/a.png width=200 alt=A><img src='https://t.example/o.gif?u=1' width=1 height=1>\
         <img src=//u.example/p style='display:none'><table background=http://b.example/c><tr>\
         <td style='background:url(http://c.example)'>x</td></tr></table><img src=relative.png>",
    );
    assert_eq!((view.remote.images, view.remote.other), (3, 5));
    assert_eq!(view.remote.trackers, ["t.example", "u.example"]);
    assert_eq!(
        view.remote.text(),
        "3 remote images were blocked. 5 other remote items were blocked. Tracking pictures: t.example, u.example."
    );
    assert!(
        view.body.starts_with("<img width=\"200\" alt=\"A\">"),
        "{}",
        view.body
    );
    assert!(!view.body.contains("example"), "{}", view.body);
}

#[test]
fn harmless_markup_stays_and_links_open_elsewhere() {
    let view = shown(
        "<p style=\"color:red;position:fixed\" onclick=x>A <a href=\"https://a.example/?b=1&c\">link</a>, \
         <a href=mailto:a@b.example>mail</a>, <a href=ftp://x>no</a></p>",
    );
    let link = "rel=\"noopener noreferrer nofollow\"";
    let expected = [
        "<p style=\"color:red\">A <a href=\"https://a.example/?b=1&amp;c\" target=\"_blank\" REL>link</a>, ",
        "<a href=\"mailto:a@b.example\" target=\"_blank\" REL>mail</a>, <a target=\"_blank\" REL>no</a></p>",
    ];
    assert_eq!(view.body, expected.concat().replace("REL", link));
}

#[test]
fn quotes_of_the_usual_programs_are_folded() {
    let table = [
        "own<div class=\"gmail_quote gmail_quote_container\">old</div>",
        "own<blockquote type=\"cite\">old</blockquote>",
        "<div>own<div id=\"appendonsend\"></div><hr>old</div>",
        "<div>own<div id=\"x_divRplyFwdMsg\" dir=ltr><b>From:</b> A</div>old</div>",
        "own<div class=\"moz-cite-prefix\">On 3 May, A wrote:</div><blockquote type=cite>old</blockquote>",
    ];
    for html in table {
        let view = shown(html);
        let folded = view.folded();
        let (own, old) = (folded.find("own").unwrap(), folded.find("old").unwrap());
        let fold = folded[..old]
            .find("<details class=\"email-quoted\">")
            .expect(html);
        assert!(own < fold, "{folded}");
        let unfolded = folded
            .replace(
                "<details class=\"email-quoted\"><summary>\u{2026}</summary>",
                "",
            )
            .replace("</details>", "");
        assert_eq!(unfolded, view.body);
    }
    let answers =
        shown("<blockquote type=cite>q1</blockquote>a1<blockquote type=cite>q2</blockquote>a2")
            .folded();
    assert_eq!(answers.matches("<details").count(), 2);
    assert!(
        answers.contains("</details>a1<details") && answers.ends_with("</details>a2"),
        "{answers}"
    );
}

#[test]
fn a_document_has_its_policy() {
    let document = shown("<p>x</p>").document();
    assert!(document.contains("content=\"default-src 'none'; img-src data:;"));
    assert!(HtmlView::CONTENT_SECURITY_POLICY.starts_with("sandbox allow-popups"));
    assert!(!HtmlView::SANDBOX.contains("allow-scripts"));
}

#[test]
fn html_becomes_text_without_addresses_of_scripts() {
    let mail = html_mail(
        "<p>Hello <a href='javascript:hit(1)'>you</a></p><script>hit(2)</script><ul><li>one</li></ul>",
    );
    let text = OriginalView::of(&mail, &ViewLimits::default()).text();
    assert!(
        text.from_html && text.text.contains("Hello you") && text.text.contains("* one"),
        "{text:?}"
    );
    assert!(!text.text.contains("hit("), "{text:?}");
}

#[test]
fn bombs_are_refused_or_shown_in_bounds() {
    let mut attributes = String::new();
    for n in 0..900 {
        write!(attributes, "<font x{n}=1>").unwrap();
    }
    let bombs = [
        "<div>".repeat(400_000),
        format!("{attributes}{}", "<p>x</p>".repeat(100_000)),
        "<table>".repeat(200_000),
        "<b><table><tr><td></b>".repeat(50_000),
        "<a href=x>".repeat(200_000),
        "<!--".repeat(400_000),
        "<p title=\"".repeat(200_000),
    ];
    for bomb in bombs {
        let mail = html_mail(&bomb);
        let view = OriginalView::of(&mail, &ViewLimits::default());
        let html = view.html().map(|html| html.body.len()).unwrap_or_default();
        assert!(html < 64 << 20, "{}", &bomb[..20]);
        let text = view.text();
        assert!(text.text.len() <= 1 << 20);
    }
}

#[test]
fn html_beyond_the_limit_is_cut_and_said_to_be() {
    let mut limits = ViewLimits::default();
    limits.html_bytes = 10;
    let mail = html_mail("<p>0123456789</p>");
    let view = OriginalView::of(&mail, &limits).html().unwrap();
    assert_eq!((&*view.body, view.cut), ("<p>0123456</p>", true));
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 200, max_shrink_time: 5_000, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_are_shown_without_panic(mail in prop::collection::vec(any::<u8>(), 0..400)) {
        let view = OriginalView::of(&mail, &ViewLimits::default());
        view.text();
        view.html();
    }

    #[test]
    fn any_soup_of_markup_is_harmless(pieces in prop::collection::vec(
        prop::sample::select(&[
            "<", ">", "\"", "'", "`", "=", "/", "<!--", "-->", "<svg>", "</svg>", "<math>", "<style>", "</style>", "<img src=",
            "onerror=hit(1)", " ", "x", "javascript:", "<a href=", "<table>", "<td>", "</td>", "<select>", "<template>",
            "<noscript>", "</noscript>", "<p title=\"", "<div class=gmail_quote>", "</div>", "<mglyph>", "<mtext>", "&lt;",
            "&#x3c;", "<blockquote type=cite>", "<title>", "<textarea>", "<form>", "style=\"color:", "url(http://x)", "\0",
        ][..]), 0..25)) {
        let html = pieces.concat();
        if let Some(view) = OriginalView::of(&html_mail(&html), &ViewLimits::default()).html() {
            dom::assert_harmless(&view.body, &html);
            dom::assert_harmless(&view.folded(), &html);
        }
    }
}
