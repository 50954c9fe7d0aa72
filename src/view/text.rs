//! The text view: which parts are read, and as what.

use std::collections::BTreeSet;

use super::limits::ViewLimits;
use super::safe_text::plain_lines;
use crate::message::{Disposition, Original, OriginalPart, PartShape};

/// The readable text of a mail: plain text, not escaped for HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct TextView {
    /// The text with LF; empty where the mail has none.
    pub text: String,
    /// Whether it was made from HTML.
    pub from_html: bool,
    /// Whether it goes on beyond the limit.
    pub cut: bool,
}

/// Whether a part is read rather than saved.
pub(super) fn is_body(part: &OriginalPart) -> bool {
    part.shape == PartShape::Leaf
        && !part.embedded
        && part.disposition != Disposition::Attachment
        && part.name.is_none()
        && matches!(&*part.media_type, "text/plain" | "text/html")
}

/// The parts that are read, of alternatives only those of the preferred type where there are some.
pub(super) fn bodies<'o>(original: &'o Original<'_>, preferred: &str) -> Vec<&'o OriginalPart> {
    let bodies = original.parts.iter().filter(|part| is_body(part));
    let has_preferred = |part: &&&OriginalPart| {
        part.media_type == preferred && !original.text(part).trim().is_empty()
    };
    let bodies: Vec<_> = bodies.collect();
    let settled: BTreeSet<usize> = bodies
        .iter()
        .filter(has_preferred)
        .filter_map(|part| part.alternative)
        .collect();
    let is_read = |part: &&OriginalPart| {
        part.media_type == preferred || !part.alternative.is_some_and(|a| settled.contains(&a))
    };
    bodies.into_iter().filter(is_read).collect()
}

pub(super) fn view(original: &Original<'_>, limits: &ViewLimits) -> TextView {
    let mut view = TextView::default();
    for part in bodies(original, "text/plain") {
        if view.text.len() > limits.text_bytes {
            break;
        }
        let text = original.text(part);
        let text = if part.media_type == "text/html" {
            view.from_html = true;
            from_html(cut(&text, limits.html_bytes), limits)
        } else {
            text
        };
        let text = plain_lines(text.trim_end());
        if !view.text.is_empty() && !text.is_empty() {
            view.text.push('\n');
        }
        view.text.push_str(&text);
    }
    let kept = cut(&view.text, limits.text_bytes).len();
    view.cut = kept < view.text.len();
    view.text.truncate(kept);
    view
}

/// HTML as text, by way of the sanitiser where there is one.
fn from_html(html: &str, limits: &ViewLimits) -> String {
    #[cfg(feature = "html")]
    if let Some(text) = super::html::to_text(html, limits) {
        return text;
    }
    let _ = limits;
    crate::message::markup_to_text(html)
}

/// At most this many bytes, never inside a character.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}
