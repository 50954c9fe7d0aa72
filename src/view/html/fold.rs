//! Quotes in HTML folded away: each in a closed `details` element, nothing removed.

use super::clean::{QUOTE, QUOTE_BEGINS};
use super::tags::{Tag, tags};

const OPEN: &str = "<details class=\"email-quoted\"><summary>\u{2026}</summary>";
const CLOSE: &str = "</details>";

/// Folds what the marks of mail programs call quoted: an element of its own, or all from a mark to
/// the end of its parent. Quotes in quotes are folded with the outer one.
pub(super) fn fold(html: &str) -> String {
    let mut folded = String::with_capacity(html.len() + 256);
    let mut depth = 0_usize;
    // The depth of the element whose end ends the fold; 0 is the end of all.
    let mut until: Option<usize> = None;
    let mut from = 0;
    for tag in tags(html) {
        if tag.closes {
            // A fold to the end of the parent ends in front of the parent's end.
            if until == Some(depth) {
                copy(&mut folded, html, &mut from, tag.start);
                folded.push_str(CLOSE);
                until = None;
            }
            depth = depth.saturating_sub(1);
            if until == Some(depth + WHOLE) {
                copy(&mut folded, html, &mut from, tag.end);
                folded.push_str(CLOSE);
                until = None;
            }
            continue;
        }
        if until.is_none()
            && let Some(mark) = mark(&tag)
        {
            copy(&mut folded, html, &mut from, tag.start);
            folded.push_str(OPEN);
            until = Some(match mark {
                Mark::Whole => depth + WHOLE,
                Mark::Begins => depth,
            });
        }
        depth += usize::from(tag.opens());
    }
    copy(&mut folded, html, &mut from, html.len());
    if until.is_some() {
        folded.push_str(CLOSE);
    }
    folded
}

/// Keeps the two kinds of ends apart: no document is so deep.
const WHOLE: usize = usize::MAX / 2;

enum Mark {
    Whole,
    Begins,
}

fn mark(tag: &Tag<'_>) -> Option<Mark> {
    let is = |name, value| tag.attribute(name) == Some(value);
    if is("id", QUOTE_BEGINS) {
        return Some(Mark::Begins);
    }
    let is_quote = is("class", QUOTE) || (tag.name == "blockquote" && is("type", "cite"));
    is_quote.then_some(Mark::Whole)
}

fn copy(folded: &mut String, html: &str, from: &mut usize, to: usize) {
    folded.push_str(html.get(*from..to).unwrap_or_default());
    *from = to;
}

#[cfg(test)]
mod tests {
    use super::fold;

    #[test]
    fn quotes_are_folded_where_they_stand() {
        let table = [
            (
                "a<div class=\"email-quote\">b<div>c</div></div>d",
                "a[<div class=\"email-quote\">b<div>c</div></div>]d",
            ),
            (
                "<div>a<hr id=\"email-quote-begins\">b<br><div>c</div></div><p>d</p>",
                "<div>a[<hr id=\"email-quote-begins\">b<br><div>c</div>]</div><p>d</p>",
            ),
            (
                "<blockquote type=\"cite\">a<blockquote type=\"cite\">b</blockquote></blockquote>c\
                 <blockquote type=\"cite\">d</blockquote>",
                "[<blockquote type=\"cite\">a<blockquote type=\"cite\">b</blockquote></blockquote>]c\
                 [<blockquote type=\"cite\">d</blockquote>]",
            ),
            (
                "a<div id=\"email-quote-begins\"></div>b",
                "a[<div id=\"email-quote-begins\"></div>b]",
            ),
            ("<p title=\"a>b\">c</p>", "<p title=\"a>b\">c</p>"),
        ];
        for (html, folded) in table {
            let open = "<details class=\"email-quoted\"><summary>\u{2026}</summary>";
            let folded = folded.replace('[', open).replace(']', "</details>");
            assert_eq!(fold(html), folded, "{html}");
        }
    }
}
