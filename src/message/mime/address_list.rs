//! Address lists of header fields (RFC 5322 3.4 and 4.4): which mailboxes they name.
//!
//! The one parser of addresses that are matched. The MIME parser is not asked: it loses the quotes
//! of a local part and puts decoded words where an addr-spec belongs, and either makes another
//! address. Here the addr-spec is taken as it is written and only the display name is decoded.
//! Works through the text once, without recursion; what is ambiguous is unusable rather than
//! guessed.

use std::borrow::Cow;

use super::decode;
use super::fields::clean;
use crate::message::{MailAddress, Mailbox, UnusableAddress};

/// Groups inside groups are not allowed; some are read all the same.
const MAX_GROUP_DEPTH: usize = 3;
const MAX_COMMENT_DEPTH: usize = 100;

/// The mailboxes of one address header, groups taken apart.
pub(super) fn read(value: &[u8]) -> AddressList {
    let text = String::from_utf8_lossy(value);
    let mut reader = ListReader::new(&text);
    reader.run();
    AddressList {
        mailboxes: reader.mailboxes,
        beyond_limit: reader.beyond_limit,
    }
}

#[derive(Debug, Default, PartialEq)]
pub(super) struct AddressList {
    pub(super) mailboxes: Vec<Mailbox>,
    /// Groups or comments were nested too deep; what was in them is left out.
    pub(super) beyond_limit: bool,
}

struct ListReader<'a> {
    text: &'a str,
    at: usize,
    /// What stands outside angle brackets and comments.
    bare: String,
    /// Whether `bare` has an `@` outside quotes.
    has_at: bool,
    /// What stands in angle brackets.
    angle: Option<&'a str>,
    /// Two pairs of brackets, or text behind one.
    ambiguous: bool,
    comment: Option<&'a str>,
    group_depth: usize,
    beyond_limit: bool,
    mailboxes: Vec<Mailbox>,
}

impl<'a> ListReader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            bare: String::new(),
            has_at: false,
            angle: None,
            ambiguous: false,
            comment: None,
            group_depth: 0,
            beyond_limit: false,
            mailboxes: Vec::new(),
        }
    }

    fn run(&mut self) {
        while let Some(byte) = self.text.as_bytes().get(self.at).copied() {
            match byte {
                b'"' => self.copy_to(quoted_end),
                b'[' => self.copy_to(literal_end),
                b'(' => self.take_comment(),
                b'<' => self.take_angle(),
                b',' => self.end_mailbox(1),
                b';' => {
                    self.end_mailbox(1);
                    self.group_depth = self.group_depth.saturating_sub(1);
                }
                b':' if self.begins_group() => {
                    self.bare.clear();
                    self.comment = None;
                    self.group_depth += 1;
                    self.at += 1;
                }
                _ => self.copy_plain(),
            }
        }
        self.end_mailbox(0);
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Copies what the rest begins with, up to the end that `end` finds.
    fn copy_to(&mut self, end: fn(&str) -> usize) {
        let rest = self.rest();
        let piece = rest.get(..end(rest)).unwrap_or(rest);
        self.ambiguous |= self.angle.is_some() && !piece.trim().is_empty();
        self.bare.push_str(piece);
        self.at += piece.len();
    }

    fn copy_plain(&mut self) {
        let begin = self.at;
        self.copy_to(plain_end);
        let piece = self.text.get(begin..self.at);
        self.has_at |= piece.is_some_and(|piece| piece.contains('@'));
    }

    fn take_comment(&mut self) {
        let rest = self.rest();
        match comment_end(rest) {
            Ok(end) => {
                self.comment = self.comment.or(rest.get(1..end - 1));
                self.at += end;
            }
            Err(too_deep) => {
                self.beyond_limit |= too_deep;
                self.at = self.text.len();
            }
        }
        self.bare.push(' ');
    }

    fn take_angle(&mut self) {
        let inside = self.rest().get(1..).unwrap_or_default();
        let (length, closed) = angle_end(inside);
        self.ambiguous |= self.angle.is_some();
        self.angle = inside.get(..length);
        self.at += 1 + length + usize::from(closed);
    }

    /// A colon behind words names a group; behind something with an `@` it does not.
    fn begins_group(&self) -> bool {
        self.angle.is_none() && !self.has_at
    }

    fn end_mailbox(&mut self, separator: usize) {
        self.at += separator;
        let bare = std::mem::take(&mut self.bare);
        let angle = self.angle.take();
        let comment = self.comment.take();
        let ambiguous = std::mem::take(&mut self.ambiguous);
        let has_at = std::mem::take(&mut self.has_at);
        if self.group_depth > MAX_GROUP_DEPTH {
            self.beyond_limit |= !bare.trim().is_empty() || angle.is_some();
            return;
        }
        let bare = bare.trim();
        let (name, spec) = match angle {
            Some(inside) => (bare, without_route(inside.trim())),
            None if has_at || is_exchange(bare) => ("", bare),
            None => (bare, ""),
        };
        let name = if name.is_empty() {
            comment.and_then(display_name)
        } else {
            display_name(name)
        };
        if name.is_none() && spec.is_empty() {
            return;
        }
        let address = if ambiguous {
            MailAddress::Unusable(UnusableAddress::Malformed)
        } else {
            MailAddress::read(spec)
        };
        self.mailboxes.push(Mailbox { name, address });
    }
}

fn is_exchange(bare: &str) -> bool {
    matches!(MailAddress::read(bare), MailAddress::Exchange(_))
}

/// Leaves out an obsolete route (RFC 5322 4.4), `@hub.example,@relay.example:` in front of the
/// address.
fn without_route(inside: &str) -> &str {
    match inside.split_once(':') {
        Some((route, spec)) if route.starts_with('@') => spec.trim_start(),
        _ => inside,
    }
}

/// A display name for people: quotes taken off, encoded-words decoded.
pub(super) fn display_name(raw: &str) -> Option<String> {
    let plain = unquoted(raw);
    let decoded = decode::words(&plain);
    let name = clean(&decoded);
    (!name.is_empty()).then_some(name)
}

fn unquoted(raw: &str) -> Cow<'_, str> {
    if !raw.contains(['"', '\\', '\r', '\n', '\t']) {
        return Cow::Borrowed(raw);
    }
    let mut plain = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            '"' | '\r' | '\n' => {}
            '\t' => plain.push(' '),
            _ => plain.push(c),
        }
    }
    Cow::Owned(plain)
}

/// The bytes up to the next character with a meaning in a list.
fn plain_end(rest: &str) -> usize {
    let special = |b: &u8| b"\"[(<,;:".contains(b);
    let behind_first = rest.bytes().skip(1).position(|b| special(&b));
    behind_first.map_or(rest.len(), |at| at + 1)
}

fn literal_end(rest: &str) -> usize {
    rest.find([']', ',', ';', '<', '"'])
        .map_or(rest.len(), |end| {
            end + usize::from(rest[end..].starts_with(']'))
        })
}

/// The bytes of a quoted string with both quotes.
fn quoted_end(rest: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The bytes of a comment with both parentheses, or whether it is nested too deep rather than open.
fn comment_end(rest: &str) -> Result<usize, bool> {
    let mut depth = 0_usize;
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok(at + 1);
        }
        if depth > MAX_COMMENT_DEPTH {
            return Err(true);
        }
    }
    Err(false)
}

/// The bytes inside angle brackets, and whether they were closed. An open bracket ends at the next
/// comma.
fn angle_end(inside: &str) -> (usize, bool) {
    let route = inside.trim_start().starts_with('@');
    let mut at = 0;
    while let Some(byte) = inside.as_bytes().get(at) {
        at += match byte {
            b'>' => return (at, true),
            b',' | b'<' if !route => return (at, false),
            b'"' => quoted_end(&inside[at..]),
            _ => 1,
        };
    }
    (inside.len(), false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use UnusableAddress::{EncodedWord, Malformed, NameOnly};
    use proptest::prelude::*;

    /// One mailbox as `name|address`, an unusable one as `name|!reason`.
    fn shown(value: &str) -> Vec<String> {
        let list = read(value.as_bytes());
        list.mailboxes
            .iter()
            .map(|mailbox| {
                let address = match &mailbox.address {
                    MailAddress::Smtp(address) => address.to_string(),
                    MailAddress::Exchange(name) => format!("EX:{name}"),
                    MailAddress::Unusable(reason) => format!("!{reason:?}"),
                };
                format!("{}|{address}", mailbox.name.as_deref().unwrap_or(""))
            })
            .collect()
    }

    #[test]
    fn lists_name_their_mailboxes() {
        let table: &[(&str, &[&str])] = &[
            (" ada@example.org", &["|ada@example.org"]),
            (
                "Ada Holm <ada@example.org>, \"Kessler, B.\" <bk@example.org>",
                &["Ada Holm|ada@example.org", "Kessler, B.|bk@example.org"],
            ),
            (
                "=?utf-8?Q?Luc=C3=ADa?=\r\n =?utf-8?Q?_Fuertes?= <l@example.org>",
                &["Luc\u{ed}a Fuertes|l@example.org"],
            ),
            ("\"=?utf-8?q?A?=\" <a@b.example>", &["A|a@b.example"]),
            (
                "ada@example.org (Ada (2nd floor))",
                &["Ada (2nd floor)|ada@example.org"],
            ),
            (
                "Ada <ada.holm(sales)@example.org> (noon)",
                &["Ada|ada.holm@example.org"],
            ),
            (
                "Odd <\"odd jensen\"@b.example>",
                &["Odd|\"odd jensen\"@b.example"],
            ),
            ("\"odd jensen\"@b.example", &["|\"odd jensen\"@b.example"]),
            ("\"a>b,c;d\"@b.example", &["|\"a>b,c;d\"@b.example"]),
            (
                "<\"evil@x.example y\"@b.example>",
                &["|\"evil@x.example y\"@b.example"],
            ),
            ("<\"a>b\"@b.example>", &["|\"a>b\"@b.example"]),
            ("undisclosed-recipients:;", &[]),
            (
                "Workshop: a@b.example, C <c@d.example>;, e@f.example",
                &["|a@b.example", "C|c@d.example", "|e@f.example"],
            ),
            (
                "a@b.example; c@d.example",
                &["|a@b.example", "|c@d.example"],
            ),
            (", ,a@b.example,,", &["|a@b.example"]),
            ("<@hub.example,@b.example:c@d.example>", &["|c@d.example"]),
            ("ada@[IPv6:2001:db8::1]", &["|ada@[ipv6:2001:db8::1]"]),
            ("Ada <ada@b.example", &["Ada|ada@b.example"]),
            (
                "Ada <ada@b.example, C <c@d.example>",
                &["Ada|ada@b.example", "C|c@d.example"],
            ),
            ("<>", &[]),
            ("", &[]),
        ];
        for (value, mailboxes) in table {
            assert_eq!(shown(value), *mailboxes, "{value:?}");
        }
    }

    #[test]
    fn what_is_ambiguous_is_unusable() {
        let table: &[(&str, UnusableAddress)] = &[
            ("Ada Holm", NameOnly),
            ("\"ada@example.org\"", NameOnly),
            ("\"ada@example.org\" <>", NameOnly),
            ("=?utf-8?q?ada=40example.org?=", NameOnly),
            ("=?utf-8?q?ada=40example.org?= (x)", NameOnly),
            ("Ada <=?utf-8?q?penny=2Emarsh?=@example.org>", EncodedWord),
            ("=?utf-8?q?penny=2Emarsh?=@example.org", EncodedWord),
            ("<a@b.example> <c@d.example>", Malformed),
            ("Ada <a@b.example>@evil.example", Malformed),
            ("Ada a@b.example", Malformed),
            ("a@b.example c@d.example", Malformed),
            ("\"Ada <a@b.example>, c@d.example", NameOnly),
            ("<<a@b.example>>", Malformed),
            ("a@b.example:c", Malformed),
        ];
        for (value, reason) in table {
            let list = read(value.as_bytes());
            let addresses: Vec<_> = list.mailboxes.iter().map(|m| &m.address).collect();
            assert_eq!(addresses, [&MailAddress::Unusable(*reason)], "{value:?}");
        }
    }

    #[test]
    fn nesting_has_limits() {
        let groups = read(b"a: b: c: d: x@y.example;;;; z@y.example");
        assert!(groups.beyond_limit);
        assert_eq!(groups.mailboxes.len(), 1);
        let comments = format!("a@b.example, c@d.example {}", "(".repeat(100_000));
        let comments = read(comments.as_bytes());
        assert!(comments.beyond_limit);
        assert_eq!(comments.mailboxes.len(), 2);
    }

    #[test]
    fn exchange_addresses_are_told_apart() {
        assert_eq!(
            shown("Ada <IMCEAEX-_O=TIDE_OU=EX_CN=RECIPIENTS_CN=ada+20holm@tide.example>"),
            ["Ada|EX:/O=TIDE/OU=EX/CN=RECIPIENTS/CN=ada holm"]
        );
        assert_eq!(shown("/o=Tide/cn=Ada"), ["|EX:/o=Tide/cn=Ada"]);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(value in prop::collection::vec(any::<u8>(), 0..80)) {
            read(&value);
        }

        #[test]
        fn any_specials_are_read_without_panic(value in "[a@b.,;:<>()\\[\\]\"\\\\=? \r\n\u{fc}]{0,60}") {
            read(value.as_bytes());
        }
    }
}
