//! Text of strangers made fit for a page and for a header field.

use std::fmt::Write as _;

/// Text on one line without control, direction and invisible characters.
///
/// Line ends and tabs become spaces. What could turn the line around or hide something (U+202E and
/// its like) is shown as U+FFFD, other controls likewise. Not escaped for HTML.
pub fn plain_text(text: &str) -> String {
    text.chars().map(plain).collect()
}

/// As [`plain_text`], with line ends kept.
pub(super) fn plain_lines(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let keep = |c| {
        if matches!(c, '\n' | '\t') {
            c
        } else {
            plain(c)
        }
    };
    text.chars().map(keep).collect()
}

fn plain(c: char) -> char {
    match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        _ if c.is_control() || turns_or_hides(c) => '\u{fffd}',
        _ => c,
    }
}

/// Bidirectional controls (Unicode UAX 9) and characters without a glyph that can hide text. The
/// joiners stay: scripts and pictographs need them.
fn turns_or_hides(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{feff}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// [`plain_text`], escaped for HTML: safe between tags and inside a quoted attribute.
///
/// ```
/// use email_logging::view::safe_text;
///
/// assert_eq!(safe_text("<b>\u{202e}\"x\""), "&lt;b&gt;\u{fffd}&quot;x&quot;");
/// ```
pub fn safe_text(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars().map(plain) {
        push_escaped(&mut escaped, c);
    }
    escaped
}

/// Escapes text whose lines stay.
#[cfg(feature = "html")]
pub(super) fn escape_lines(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in plain_lines(text).chars() {
        push_escaped(&mut escaped, c);
    }
    escaped
}

fn push_escaped(escaped: &mut String, c: char) {
    match c {
        '&' => escaped.push_str("&amp;"),
        '<' => escaped.push_str("&lt;"),
        '>' => escaped.push_str("&gt;"),
        '"' => escaped.push_str("&quot;"),
        '\'' => escaped.push_str("&#39;"),
        '`' => escaped.push_str("&#96;"),
        _ => escaped.push(c),
    }
}

/// A `Content-Disposition` that has a browser save a file under this name (RFC 6266, RFC 8187).
///
/// The name is cleaned first. ASCII alone, no line end can get in.
///
/// ```
/// use email_logging::view::content_disposition;
///
/// assert_eq!(
///     content_disposition("\u{fc}bersicht.pdf"),
///     "attachment; filename=\"_bersicht.pdf\"; filename*=UTF-8''%C3%BCbersicht.pdf"
/// );
/// ```
pub fn content_disposition(name: &str) -> String {
    let name = crate::message::clean_file_name(name);
    let name = if name.is_empty() { "attachment" } else { &name };
    let ascii = |c: char| {
        let plain = c.is_ascii_graphic() || c == ' ';
        if plain && !matches!(c, '"' | '\\' | '%') {
            c
        } else {
            '_'
        }
    };
    let fallback: String = name.chars().map(ascii).collect();
    let mut value = format!("attachment; filename=\"{fallback}\"");
    if fallback != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a String cannot fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}
