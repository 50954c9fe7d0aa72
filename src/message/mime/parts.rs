//! The tree of parts of a mail (RFC 2046 5), found in one pass over its lines.
//!
//! Our own walk, because the MIME parser has no limits: depth, number and boundary length are
//! bounded here, nothing recurses, and a missing end of a part costs no second look. Leaves are
//! found, not decoded.

use std::ops::Range;

use mail_parser::ContentType;

use super::fields::{Field, fields};
use super::split::split;
use super::{decode, ids, kind};
use crate::message::MessageLimits;

/// RFC 2046 allows 70 bytes; mail servers take up to 2,048. A longer one separates nothing.
const MAX_BOUNDARY_BYTES: usize = 2_048;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Leaf,
    Multipart,
    /// An embedded mail, whose own parts follow.
    Message,
}

pub(super) struct Part<'a> {
    pub(super) shape: Shape,
    pub(super) media_type: String,
    pub(super) content_type: Option<ContentType<'static>>,
    pub(super) disposition: Option<ContentType<'static>>,
    pub(super) encoding: String,
    pub(super) content_id: Option<String>,
    /// As they stand in the mail, transfer encoding and all.
    pub(super) body: &'a [u8],
    /// Fields of the header block; of an embedded mail those of the part around it.
    pub(super) fields: Vec<Field<'a>>,
    /// Whether it is part of an embedded mail.
    pub(super) embedded: bool,
    /// The innermost `multipart/alternative` around it.
    pub(super) alternative: Option<usize>,
    /// Whether its parent is a `multipart/related`.
    pub(super) related: bool,
    body_at: usize,
}

impl Part<'_> {
    /// Where the body lies in the mail that was walked.
    pub(super) fn body_range(&self) -> Range<usize> {
        self.body_at..self.body_at + self.body.len()
    }
}

pub(super) struct Parts<'a> {
    /// In the order of the mail, a container before what it holds.
    pub(super) list: Vec<Part<'a>>,
    /// Depth or number met its limit; what lies beyond was not taken apart.
    pub(super) limited: bool,
    /// A multipart did not end, or never began.
    pub(super) damaged: bool,
}

struct Frame<'a> {
    part: usize,
    boundary: Option<&'a [u8]>,
    children: usize,
    alternative: Option<usize>,
    embedded: bool,
}

enum State {
    Header {
        at: usize,
    },
    Body {
        part: usize,
    },
    /// Preamble or epilogue.
    Between,
}

struct Walker<'a, 'l> {
    mail: &'a [u8],
    limits: &'l MessageLimits,
    stack: Vec<Frame<'a>>,
    state: State,
    parts: Parts<'a>,
}

/// Takes a mail apart.
pub(super) fn walk<'a>(mail: &'a [u8], limits: &MessageLimits) -> Parts<'a> {
    let mut walker = Walker {
        mail,
        limits,
        stack: Vec::new(),
        state: State::Between,
        parts: Parts {
            list: Vec::new(),
            limited: false,
            damaged: false,
        },
    };
    let (header, body) = split(mail);
    walker.open(0, header.len());
    let mut at = header.len();
    for line in body.split_inclusive(|b| *b == b'\n') {
        if !walker.line(line, at) {
            break;
        }
        at += line.len();
    }
    let open = walker.stack.iter().any(|frame| frame.boundary.is_some());
    walker.parts.damaged |= open && at == mail.len();
    walker.close(0, mail.len(), at);
    walker.parts
}

impl<'a> Walker<'a, '_> {
    /// Takes one line; false when no more parts may be opened.
    fn line(&mut self, line: &'a [u8], at: usize) -> bool {
        if let Some((level, last)) = self.delimiter(line) {
            let end = self.before_line_end(at);
            self.close(level + 1, end, at);
            if last {
                self.parts_end(level, end);
                return true;
            }
            self.state = State::Header {
                at: at + line.len(),
            };
            if self.parts.list.len() >= self.limits.parts {
                self.parts.limited = true;
                self.state = State::Between;
                return false;
            }
        } else if let State::Header { at: start } = self.state
            && matches!(line, b"\n" | b"\r\n")
        {
            self.open(start, at + line.len());
        }
        true
    }

    fn parts_end(&mut self, level: usize, end: usize) {
        if let Some(frame) = self.stack.get(level) {
            let part = frame.part;
            self.end_part(part, end);
        }
        self.stack.truncate(level);
        self.state = State::Between;
    }

    /// Which open multipart a line delimits, and whether it ends it.
    fn delimiter(&self, line: &[u8]) -> Option<(usize, bool)> {
        let line = line.strip_prefix(b"--")?.trim_ascii_end();
        let mut levels = self.stack.iter().enumerate().rev();
        levels.find_map(|(level, frame)| {
            let behind = line.strip_prefix(frame.boundary?)?;
            match behind {
                b"" => Some((level, false)),
                b"--" => Some((level, true)),
                _ => None,
            }
        })
    }

    /// The line end in front of a delimiter belongs to the delimiter.
    fn before_line_end(&self, at: usize) -> usize {
        match self.mail.get(..at) {
            Some([.., b'\r', b'\n']) => at - 2,
            Some([.., b'\n']) => at - 1,
            _ => at,
        }
    }

    /// Ends what is open inside the frame below `level`.
    fn close(&mut self, level: usize, end: usize, header_end: usize) {
        if let State::Header { at } = self.state
            && self.parts.list.len() < self.limits.parts
        {
            self.open(at, header_end.max(at));
        }
        if let State::Body { part } = self.state {
            self.end_part(part, end);
        }
        while self.stack.len() > level {
            if let Some(frame) = self.stack.pop() {
                self.end_part(frame.part, end);
                if frame.children == 0 && frame.boundary.is_some() {
                    self.become_leaf(frame.part);
                }
            }
        }
        self.state = State::Between;
    }

    /// A multipart whose boundary never comes is shown as the text that it is.
    fn become_leaf(&mut self, part: usize) {
        self.parts.damaged = true;
        if let Some(part) = self.parts.list.get_mut(part) {
            part.shape = Shape::Leaf;
            "text/plain".clone_into(&mut part.media_type);
        }
    }

    fn end_part(&mut self, part: usize, end: usize) {
        if let Some(part) = self.parts.list.get_mut(part) {
            let end = end.max(part.body_at);
            part.body = self.mail.get(part.body_at..end).unwrap_or_default();
        }
    }

    /// Begins the part whose header block lies between these places.
    fn open(&mut self, header_at: usize, body_at: usize) {
        let index = self.parts.list.len();
        let header = self.mail.get(header_at..body_at).unwrap_or_default();
        let mut part = self.part(header, body_at);
        if let Some(frame) = self.stack.last_mut() {
            frame.children += 1;
        }
        let boundary = boundary(&part, header);
        let is_message = matches!(&*part.media_type, "message/rfc822" | "message/global")
            && !matches!(&*part.encoding, "base64" | "quoted-printable");
        let is_container = is_message || boundary.is_some();
        let is_deep = self.stack.len() >= self.limits.part_depth;
        let is_last = is_message && index + 1 >= self.limits.parts;
        self.parts.limited |= is_container && (is_deep || is_last);
        self.state = State::Body { part: index };
        if is_container && !is_deep {
            part.shape = if is_message {
                Shape::Message
            } else {
                Shape::Multipart
            };
            let is_alternative = part.media_type == "multipart/alternative";
            self.stack.push(Frame {
                part: index,
                boundary,
                children: 0,
                alternative: is_alternative.then_some(index).or(part.alternative),
                embedded: part.embedded || is_message,
            });
            match (is_message, is_last) {
                (true, true) => {}
                (true, false) => self.state = State::Header { at: body_at },
                (false, _) => self.state = State::Between,
            }
        }
        self.parts.list.push(part);
    }

    fn part(&self, header: &'a [u8], body_at: usize) -> Part<'a> {
        let fields = fields(header);
        let find = |name: &str| fields.iter().find(|field| field.is(name));
        let content_type = find("Content-Type").and_then(decode::content_type);
        let parent = self.stack.last();
        let parent = parent.and_then(|frame| self.parts.list.get(frame.part));
        let is_in = |media_type: &str| parent.is_some_and(|p| p.media_type == media_type);
        let media_type = match &content_type {
            None if is_in("multipart/digest") => "message/rfc822".to_owned(),
            found => kind::media_type(found.as_ref()),
        };
        Part {
            shape: Shape::Leaf,
            media_type,
            disposition: find("Content-Disposition").and_then(decode::content_type),
            encoding: find("Content-Transfer-Encoding").map_or_else(String::new, Field::keyword),
            content_id: find("Content-ID").and_then(|field| ids::read_one(field.value)),
            content_type,
            body: &[],
            embedded: self.stack.last().is_some_and(|frame| frame.embedded),
            alternative: self.stack.last().and_then(|frame| frame.alternative),
            related: is_in("multipart/related"),
            fields,
            body_at,
        }
    }
}

/// The boundary of a multipart, as a slice of its header block so that it needs no copy per line.
fn boundary<'a>(part: &Part<'a>, header: &'a [u8]) -> Option<&'a [u8]> {
    if !part.media_type.starts_with("multipart/") {
        return None;
    }
    let boundary = part.content_type.as_ref()?.attribute("boundary")?;
    let boundary = boundary.trim_end().as_bytes();
    if boundary.is_empty() || boundary.len() > MAX_BOUNDARY_BYTES {
        return None;
    }
    let at = header
        .windows(boundary.len())
        .position(|window| window == boundary)?;
    header.get(at..at + boundary.len())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(mail: &str, limits: &MessageLimits) -> (Vec<String>, bool, bool) {
        let parts = walk(mail.as_bytes(), limits);
        let list = parts
            .list
            .iter()
            .map(|part| {
                let body = String::from_utf8_lossy(part.body);
                format!("{:?} {} {:?}", part.shape, part.media_type, body)
            })
            .collect();
        (list, parts.limited, parts.damaged)
    }

    #[test]
    fn a_plain_mail_is_one_leaf() {
        let (list, limited, damaged) = shown("A: b\n\nbody\n", &MessageLimits::default());
        assert_eq!(list, ["Leaf text/plain \"body\\n\""]);
        assert!(!limited && !damaged);
    }

    #[test]
    fn parts_end_before_the_line_end_of_their_delimiter() {
        let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\none\r\n\
            --b \r\nContent-Type: text/html\r\n\r\n\r\ntwo\r\n\r\n--b--\r\nepilogue";
        let (list, limited, damaged) = shown(mail, &MessageLimits::default());
        assert_eq!(
            list[1..],
            [
                "Leaf text/plain \"one\"",
                "Leaf text/html \"\\r\\ntwo\\r\\n\""
            ]
        );
        assert!(!limited && !damaged);
    }

    #[test]
    fn an_outer_delimiter_ends_what_is_open_inside() {
        let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\
            Content-Type: multipart/alternative; boundary=bb\n\n--bb\n\nin\n--b\n\
            Content-Type: message/rfc822\n\nSubject: x\nContent-Type: text/html\n\ninner\n--b\nX: y\n--b--\n";
        let (list, _, damaged) = shown(mail, &MessageLimits::default());
        assert_eq!(
            list[1..],
            [
                "Multipart multipart/alternative \"--bb\\n\\nin\"",
                "Leaf text/plain \"in\"",
                "Message message/rfc822 \"Subject: x\\nContent-Type: text/html\\n\\ninner\"",
                "Leaf text/html \"inner\"",
                "Leaf text/plain \"\"",
            ]
        );
        assert!(!damaged);
    }

    #[test]
    fn a_multipart_without_its_boundary_is_text() {
        let mail = "Content-Type: multipart/mixed; boundary=b\n\nno parts here";
        let (list, _, damaged) = shown(mail, &MessageLimits::default());
        assert_eq!(list, ["Leaf text/plain \"no parts here\""]);
        assert!(damaged);
    }

    #[test]
    fn a_cut_mail_keeps_what_came() {
        let mail = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n\ntw";
        let (list, _, damaged) = shown(mail, &MessageLimits::default());
        assert_eq!(
            list[1..],
            ["Leaf text/plain \"one\"", "Leaf text/plain \"tw\""]
        );
        assert!(damaged);
    }

    #[test]
    fn depth_and_number_are_limited() {
        let mut deep = String::from("A: b\n");
        for level in 0..100_000 {
            deep.push_str("Content-Type: multipart/mixed; boundary=b");
            deep.push_str(&level.to_string());
            deep.push_str("\n\n--b");
            deep.push_str(&level.to_string());
            deep.push('\n');
        }
        let parts = walk(deep.as_bytes(), &MessageLimits::default());
        assert!(parts.limited);
        assert_eq!(parts.list.len(), 101);

        let embedded = "Content-Type: message/rfc822\n\n".repeat(100_000);
        let parts = walk(embedded.as_bytes(), &MessageLimits::default());
        assert!(parts.limited);
        assert_eq!(parts.list.len(), 101);

        let wide = "--b\n\nx\n".repeat(100_000);
        let wide = format!("Content-Type: multipart/mixed; boundary=b\n\n{wide}");
        let parts = walk(wide.as_bytes(), &MessageLimits::default());
        assert!(parts.limited);
        assert_eq!(parts.list.len(), 10_000);
        assert_eq!(parts.list.last().unwrap().body, b"x");
    }

    #[test]
    fn a_boundary_that_is_too_long_separates_nothing() {
        let boundary = "b".repeat(2_049);
        let mail = format!(
            "Content-Type: multipart/mixed; boundary={boundary}\n\n--{boundary}\n\none\n--{boundary}--\n"
        );
        assert_eq!(
            walk(mail.as_bytes(), &MessageLimits::default()).list.len(),
            1
        );
    }

    proptest! {
        #[test]
        fn any_lines_are_walked_without_panic(
            lines in prop::collection::vec(prop_oneof![
                Just("--b"), Just("--b--"), Just("--c"), Just("--c--"), Just(""), Just("x"),
                Just("Content-Type: multipart/mixed; boundary=b"),
                Just("Content-Type: multipart/digest; boundary=c"),
                Just("Content-Type: message/rfc822"),
                Just("Content-Transfer-Encoding: base64"),
            ], 0..40),
            parts in 1usize..6, depth in 1usize..4,
        ) {
            let limits = MessageLimits { parts, part_depth: depth, ..MessageLimits::default() };
            let mail = lines.join("\r\n");
            let walked = walk(mail.as_bytes(), &limits);
            prop_assert!(walked.list.len() <= parts);
        }
    }
}
