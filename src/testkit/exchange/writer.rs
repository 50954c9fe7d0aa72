//! Answers as text: a writer that cannot leave an element open.
//!
//! Owns escaping. The prefixes `s`, `m` and `t` are declared once, on the envelope.

use base64_simd::STANDARD;

/// Appends XML to one string.
#[derive(Default)]
pub(crate) struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// Writes an element whose content `body` writes.
    pub(crate) fn nest(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        body: impl FnOnce(&mut Self),
    ) {
        self.start(name, attributes);
        self.out.push('>');
        body(self);
        self.end(name);
    }

    /// Writes an element without content.
    pub(crate) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.start(name, attributes);
        self.out.push_str("/>");
    }

    /// Writes an element that holds escaped text.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.nest(name, &[], |w| escape_into(&mut w.out, text));
    }

    /// Writes an element with attributes that holds escaped text.
    pub(crate) fn text_with(&mut self, name: &str, attributes: &[(&str, &str)], text: &str) {
        self.nest(name, attributes, |w| escape_into(&mut w.out, text));
    }

    /// Writes an element that holds a boolean.
    pub(crate) fn boolean(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// Writes an element that holds a number.
    pub(crate) fn number(&mut self, name: &str, value: impl TryInto<i64>) {
        let value = value.try_into().unwrap_or(i64::MAX);
        self.text(name, &value.to_string());
    }

    /// Writes an element that holds bytes as base64.
    pub(crate) fn base64(&mut self, name: &str, attributes: &[(&str, &str)], bytes: &[u8]) {
        self.nest(name, attributes, |w| {
            STANDARD.encode_append(bytes, &mut w.out);
        });
    }

    /// Appends text that is XML already.
    pub(crate) fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    /// The place to which [`rollback`](Self::rollback) can return.
    pub(crate) fn mark(&self) -> usize {
        self.out.len()
    }

    /// Forgets all that was written since the mark.
    pub(crate) fn rollback(&mut self, mark: usize) {
        self.out.truncate(mark);
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (key, value) in attributes {
            self.out.push(' ');
            self.out.push_str(key);
            self.out.push_str("=\"");
            escape_into(&mut self.out, value);
            self.out.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

/// Escapes markup and drops what XML 1.0 section 2.2 does not allow.
pub(crate) fn escape_into(out: &mut String, text: &str) {
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let replacement = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\r' => "&#xD;",
            '\t' | '\n' => continue,
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "",
            _ => continue,
        };
        out.push_str(text.get(plain..at).unwrap_or_default());
        out.push_str(replacement);
        plain = at + character.len_utf8();
    }
    out.push_str(text.get(plain..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_escaped_and_forbidden_characters_are_dropped() {
        let mut writer = XmlWriter::default();
        writer.text_with("a", &[("b", "\"<\u{1}")], "x&\u{0}y\r\n");
        assert_eq!(writer.finish(), "<a b=\"&quot;&lt;\">x&amp;y&#xD;\n</a>");
    }

    #[test]
    fn a_rollback_leaves_no_trace() {
        let mut writer = XmlWriter::default();
        writer.empty("a", &[]);
        let mark = writer.mark();
        writer.text("b", "c");
        writer.rollback(mark);
        assert_eq!(writer.finish(), "<a/>");
    }
}
