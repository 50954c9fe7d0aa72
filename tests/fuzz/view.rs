//! Originals shown to people: views that are bounded, harmless names, quotes that lose nothing.

use email_logging::view::{OriginalView, ViewLimits, split_quoted};

use super::engine::{Target, run};

const WORDS: &[&str] = &[
    "<",
    ">",
    "\"",
    "'",
    "=",
    "<!--",
    "-->",
    "<svg>",
    "<math>",
    "<style>",
    "</style>",
    "<table>",
    "<td>",
    "</td>",
    "<img src=",
    "cid:a",
    "data:image/png;base64,",
    "style=\"",
    "url(",
    "onerror=x",
    "javascript:",
    "<template>",
    "<blockquote type=cite>",
    "<div class=gmail_quote>",
    "<div id=divRplyFwdMsg>",
    "</div>",
    "<font x=1>",
    "<p>",
    "&#x3c;",
    "> ",
    "-- \r\n",
    "From: a\r\n",
    "Sent: b\r\n",
    "Subject: c\r\n",
    "On 1 a@b wrote:\r\n",
    "\x02\x10",
    "Content-Type: text/calendar\r\n",
    "BEGIN:VEVENT\r\n",
    "SUMMARY:\\",
    "\0",
    "\u{202e}",
];

fn check_view(input: &[u8]) {
    let view = OriginalView::of(input, &ViewLimits::default());
    let text = view.text().text;
    assert!(text.len() <= 1 << 20, "{}", text.len());
    let pieces = split_quoted(&text);
    let joined: String = pieces
        .iter()
        .flat_map(|piece| [piece.header, piece.text])
        .collect();
    assert_eq!(joined, text);
    for (index, attachment) in view.attachments().enumerate() {
        let bad = |c: char| c.is_control() || "/\\\u{202e}".contains(c);
        assert!(!attachment.name.contains(bad), "{:?}", attachment.name);
        let bytes = view.attachment(index).unwrap();
        assert_eq!(bytes.len() as u64, attachment.size);
        assert!(bytes.len() <= input.len());
    }
    view.invitation();
    if let Some(html) = view.html() {
        let lower = html.folded().to_ascii_lowercase();
        for bad in ["<script", "<svg", "<math", "<style", "<iframe", "<form "] {
            assert!(
                !tags(&lower).any(|tag| tag.starts_with(bad)),
                "{bad} in {lower}"
            );
        }
    }
}

/// What stands between a `<` and the next `>`.
fn tags(html: &str) -> impl Iterator<Item = String> {
    let inside = html.split('<').skip(1);
    inside.map(|tag| format!("<{}", tag.split('>').next().unwrap_or_default()))
}

#[test]
fn view() {
    run(Target {
        name: "view",
        words: WORDS,
        made: Vec::new,
        check: check_view,
    });
}
