//! Text of strangers on a terminal: nothing that moves the cursor, changes the colours or turns the line around.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// Marks on one character; more are left out, so that a line does not run over its neighbours.
const MARKS: usize = 4;

/// The text with everything escaped that is not plainly visible.
///
/// Escaped are control characters, the controls of bidirectional text, invisible characters, line separators and tags.
/// The joiners that scripts and emoji need stay.
pub(crate) fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut marks = 0;
    for c in text.chars() {
        if c == '\n' || c == '\t' || c == '\r' {
            safe.extend(c.escape_default());
        } else if hidden(c) {
            // Writing to a string cannot fail.
            let _ = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else if c.width() == Some(0) {
            marks += 1;
            if marks <= MARKS {
                safe.push(c);
            }
            continue;
        } else {
            safe.push(c);
        }
        marks = 0;
    }
    safe
}

/// JSON in which nothing steers a terminal either: what is hidden is written as `\uXXXX`, which means the same.
pub(crate) fn json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if hidden(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(c);
        }
    }
    safe
}

fn hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Safe text that is at most this many columns wide; what is cut off is shown by `…`.
pub(crate) fn fit(long: &str, columns: usize) -> String {
    let safe = text(long.trim());
    if safe.width() <= columns {
        return safe;
    }
    let mut cut = String::new();
    let mut width = 0;
    for c in safe.chars() {
        width += c.width().unwrap_or(0);
        if width >= columns {
            break;
        }
        cut.push(c);
    }
    cut.truncate(cut.trim_end().len());
    cut.push('…');
    cut
}

/// The columns that a text takes.
pub(crate) fn width(text: &str) -> usize {
    text.width()
}

/// Breaks a text into lines of at most this many columns, at spaces where there are any.
pub(crate) fn lines(long: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text(long).split_whitespace() {
        let last = lines.last_mut().map(|line| {
            let fits = line.is_empty() || line.width() + 1 + word.width() <= columns;
            if fits {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(word);
            }
            fits
        });
        if last == Some(false) {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_shown_and_not_sent() {
        assert_eq!(text("a\u{1b}[31mb"), "a\\u{1b}[31mb");
        assert_eq!(text("a\u{9b}b\u{7f}\0"), "a\\u{9b}b\\u{7f}\\u{0}");
        assert_eq!(text("abc\u{202e}gpj.exe"), "abc\\u{202e}gpj.exe");
        assert_eq!(text("one\r\ntwo\tthree"), "one\\r\\ntwo\\tthree");
        assert_eq!(
            text("\u{2066}a\u{2069}\u{feff}"),
            "\\u{2066}a\\u{2069}\\u{feff}"
        );
    }

    #[test]
    fn scripts_and_emoji_stay_as_they_are() {
        for plain in [
            "Grüße aus Köln",
            "佐藤 遥",
            "سلمى رحال",
            "👩\u{200d}🔧",
            "e\u{301}",
        ] {
            assert_eq!(text(plain), plain);
        }
    }

    #[test]
    fn json_means_the_same_and_steers_nothing() {
        let value = serde_json::json!({ "a\u{9b}": "b\u{202e}\u{1b}[31m\u{e0041}é漢" });
        let safe = json(&value.to_string());
        assert!(!safe.chars().any(hidden), "{safe}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&safe).unwrap(),
            value
        );
    }

    #[test]
    fn marks_beyond_a_few_are_left_out() {
        assert_eq!(
            text(&format!("a{}b", "\u{301}".repeat(50))),
            format!("a{}b", "\u{301}".repeat(4))
        );
    }

    #[test]
    fn a_cut_counts_columns_and_not_characters() {
        assert_eq!(fit("Angebot 17", 10), "Angebot 17");
        assert_eq!(fit("Angebot 17 neu", 10), "Angebot 1…");
        assert_eq!(fit("漢字漢字漢字", 6), "漢字…");
        assert_eq!(width("漢字…"), 5);
    }

    #[test]
    fn a_line_breaks_at_spaces() {
        assert_eq!(lines("one two three", 8), ["one two", "three"]);
        assert_eq!(lines("", 8), [""]);
    }
}
