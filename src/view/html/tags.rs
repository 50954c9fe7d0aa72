//! The tags of markup that the sanitiser wrote: well-formed, values in double quotes.
//!
//! Not a parser of HTML: of a stranger's markup it would be wrong.

/// A tag and where it lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tag<'h> {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) name: &'h str,
    pub(super) closes: bool,
    attributes: &'h str,
}

impl<'h> Tag<'h> {
    /// The attributes in order, values as they are written.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'h str, &'h str)> + use<'h> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let (name, behind) = rest.trim_start().split_once("=\"")?;
            let (value, behind) = behind.split_once('"')?;
            rest = behind;
            Some((name, value))
        })
    }

    pub(super) fn attribute(&self, name: &str) -> Option<&'h str> {
        self.attributes()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// Whether it opens an element that something can be in.
    pub(super) fn opens(&self) -> bool {
        !self.closes && !matches!(self.name, "br" | "col" | "hr" | "img" | "wbr")
    }
}

/// All tags, in order.
pub(super) fn tags(html: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at + html.get(at..)?.find('<')?;
        let inside = html.get(start + 1..)?;
        let mut quoted = false;
        let length = inside.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        })?;
        at = start + 1 + length + 1;
        let inside = inside.get(..length)?;
        let closes = inside.starts_with('/');
        let inside = inside.trim_start_matches('/');
        let (name, attributes) = inside.split_once(' ').unwrap_or((inside, ""));
        Some(Tag {
            start,
            end: at,
            name,
            closes,
            attributes,
        })
    })
}
