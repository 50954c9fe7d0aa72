//! Writes XML: elements in the caller's order, everything escaped.

/// Text under construction.
#[derive(Debug, Default)]
pub(in crate::source::ews) struct XmlWriter {
    out: String,
}

impl XmlWriter {
    /// Opens an element with attributes.
    pub(in crate::source::ews) fn open(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push('>');
    }

    /// Closes an element.
    pub(in crate::source::ews) fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    /// An element without content.
    pub(in crate::source::ews) fn empty(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.out.push_str("/>");
    }

    /// An element with text.
    pub(in crate::source::ews) fn leaf(&mut self, name: &str, text: &str) {
        self.open(name, &[]);
        self.escaped(text);
        self.close(name);
    }

    /// An element around what the closure writes.
    pub(in crate::source::ews) fn within(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self),
    ) {
        self.open(name, attributes);
        content(self);
        self.close(name);
    }

    /// The text.
    pub(in crate::source::ews) fn finish(self) -> String {
        self.out
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.escaped(value);
            self.out.push('"');
        }
    }

    fn escaped(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '&' => self.out.push_str("&amp;"),
                '"' => self.out.push_str("&quot;"),
                '\t' => self.out.push_str("&#9;"),
                '\n' => self.out.push_str("&#10;"),
                '\r' => self.out.push_str("&#13;"),
                '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
                c => self.out.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::XmlWriter;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut xml = XmlWriter::default();
        xml.within("a", &[("b", "\"<&>\n")], |xml| {
            xml.leaf("c", "]]> & \0 \u{1f600}");
        });
        assert_eq!(
            xml.finish(),
            "<a b=\"&quot;&lt;&amp;&gt;&#10;\"><c>]]&gt; &amp; \u{fffd} \u{1f600}</c></a>"
        );
    }
}
