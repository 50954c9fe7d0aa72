//! What it would cost to parse a piece of HTML.
//!
//! An HTML parser rebuilds the formatting elements that were left open at each new paragraph, and
//! looks through all open elements at many tags: a few kilobytes can become gigabytes. This looks
//! at the tags once and refuses what no mail program writes.

use std::collections::BTreeMap;

/// Elements that may be open at a time.
const MAX_OPEN: usize = 1_000;
/// Open formatting elements times tags: about so many elements the parser may make.
const MAX_MADE: usize = 1_500_000;

const FORMATTING: &[&str] = &[
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
const VOID: &[&str] = &[
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
    "track", "wbr",
];
/// Between these, closing a formatting element from outside does nothing.
const SCOPES: &[&str] = &[
    "td", "th", "caption", "applet", "object", "marquee", "template", "select",
];
const RAW: &[&str] = &[
    "script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes",
];

/// Whether the parser can take this HTML.
pub(super) fn is_bearable(html: &str) -> bool {
    let mut count = Count {
        scopes: vec![BTreeMap::new()],
        ..Count::default()
    };
    let mut at = 0;
    while let Some(found) = html.get(at..).and_then(|rest| rest.find('<')) {
        at += found + 1;
        at += count.tag(html.get(at..).unwrap_or_default());
        if count.open > MAX_OPEN {
            return false;
        }
    }
    count.peak.saturating_mul(count.tags) <= MAX_MADE
}

#[derive(Default)]
struct Count<'h> {
    tags: usize,
    open: usize,
    formatting: usize,
    peak: usize,
    /// Open formatting elements by name, per scope.
    scopes: Vec<BTreeMap<String, usize>>,
    /// The raw element whose end is awaited.
    raw: Option<&'h str>,
}

impl Count<'_> {
    /// Takes what follows a `<`; answers how far to go on.
    fn tag(&mut self, rest: &str) -> usize {
        let closes = rest.starts_with('/');
        let name = rest.get(usize::from(closes)..).unwrap_or_default();
        let end = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let name = name
            .get(..end.min(16))
            .unwrap_or_default()
            .to_ascii_lowercase();
        if let Some(raw) = self.raw {
            if closes && name == raw {
                self.raw = None;
            }
            return 0;
        }
        if let Some(comment) = rest.strip_prefix("!--") {
            return comment.find("-->").map_or(rest.len(), |end| end + 3);
        }
        if name.is_empty() {
            return 0;
        }
        self.tags += 1;
        if closes {
            self.close(&name);
        } else {
            self.open(&name);
        }
        0
    }

    fn open(&mut self, name: &str) {
        if VOID.contains(&name) {
            return;
        }
        if let Some(raw) = RAW.iter().find(|raw| **raw == name) {
            self.raw = Some(raw);
            return;
        }
        self.open += 1;
        if SCOPES.contains(&name) {
            self.scopes.push(BTreeMap::new());
        }
        if FORMATTING.contains(&name) {
            self.formatting += 1;
            self.peak = self.peak.max(self.formatting);
            if let Some(scope) = self.scopes.last_mut() {
                *scope.entry(name.to_owned()).or_default() += 1;
            }
        }
    }

    fn close(&mut self, name: &str) {
        self.open = self.open.saturating_sub(1);
        if SCOPES.contains(&name) && self.scopes.len() > 1 {
            // What was left open in there is counted on: it may be open still.
            let left = self.scopes.pop().unwrap_or_default();
            if let Some(scope) = self.scopes.last_mut() {
                for (name, count) in left {
                    *scope.entry(name).or_default() += count;
                }
            }
        }
        let open = self.scopes.last_mut().and_then(|scope| scope.get_mut(name));
        if let Some(open) = open.filter(|open| **open > 0) {
            *open -= 1;
            self.formatting = self.formatting.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_bearable;

    #[test]
    fn what_a_parser_would_choke_on_is_refused() {
        let table = [
            ("<p><b>x</b></p>".repeat(50_000), true),
            ("<td><font><b>x</b></font></td>".repeat(20_000), true),
            ("<div>".repeat(1_001), false),
            ("<i x=1>".repeat(900) + &"<p></p>".repeat(50_000), false),
            (
                "<i><td></i></td>".repeat(900) + &"<p></p>".repeat(50_000),
                false,
            ),
            ("<!--<div>-->".repeat(5_000), true),
            ("<br>".repeat(50_000), true),
        ];
        for (html, bearable) in table {
            let start = &html[..20];
            assert_eq!(is_bearable(&html), bearable, "{start}");
        }
    }
}
