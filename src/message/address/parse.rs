//! From the text of one addr-spec to its normal form (RFC 5322 3.4.1 and 4.4, RFC 6531, UTS 46).
//!
//! Works through the text once, without recursion. Must not know who calls it: headers, facts and
//! directories share it.

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use super::UnusableAddress;
use UnusableAddress::{Domain, EncodedWord, Invisible, Malformed, TooLong};

/// RFC 5321 4.5.3.1: 64 bytes of local part, the `@` and 255 bytes of domain.
const MAX_BYTES: usize = 320;
/// With comments and folding a text may be longer than what is left of it.
const MAX_RAW_BYTES: usize = 4_096;
const MAX_COMMENT_DEPTH: usize = 100;

/// The normal form of an addr-spec.
pub(super) fn normalize(text: &str) -> Result<String, UnusableAddress> {
    if let Some(normal) = plain(text) {
        return Ok(normal);
    }
    if text.len() > MAX_RAW_BYTES {
        return Err(TooLong);
    }
    if text.chars().any(is_invisible) {
        return Err(Invisible);
    }
    // Bytes that nobody could decode: what stood there is not known.
    if text.contains('\u{fffd}') {
        return Err(Malformed);
    }
    refuse_encoded_word(text)?;
    let mut scanner = Scanner { rest: text };
    let mut normal = scanner.local_part()?;
    normal.push('@');
    normal.push_str(&scanner.domain()?);
    if normal.len() > MAX_BYTES {
        return Err(TooLong);
    }
    refuse_encoded_word(&normal)?;
    Ok(normal)
}

/// The way of nearly all addresses: ASCII, no quotes, no comments, nothing for IDNA to do.
fn plain(text: &str) -> Option<String> {
    let (local, domain) = text.split_once('@')?;
    let simple = text.len() <= MAX_BYTES
        && !text.contains("=?")
        && is_dot_atom(local)
        && local.is_ascii()
        && is_ascii_domain(domain)
        && !text.contains("--");
    simple.then(|| text.to_ascii_lowercase())
}

fn refuse_encoded_word(text: &str) -> Result<(), UnusableAddress> {
    match text.split_once("=?") {
        Some((_, rest)) if rest.contains("?=") => Err(EncodedWord),
        _ => Ok(()),
    }
}

struct Scanner<'a> {
    rest: &'a str,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Leaves out comments and folding white space (RFC 5322 3.2.2).
    fn skip_cfws(&mut self) -> Result<(), UnusableAddress> {
        while let Some(next) = self.peek() {
            match next {
                ' ' | '\t' | '\r' | '\n' => drop(self.next()),
                '(' => self.skip_comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn skip_comment(&mut self) -> Result<(), UnusableAddress> {
        let mut depth = 0;
        while let Some(next) = self.next() {
            match next {
                '(' => depth += 1,
                ')' => depth -= 1,
                '\\' => drop(self.next()),
                _ => {}
            }
            if depth == 0 {
                return Ok(());
            }
            if depth > MAX_COMMENT_DEPTH {
                break;
            }
        }
        Err(Malformed)
    }

    /// Words with dots between them, up to and with the `@`; quotes only where the result needs
    /// them.
    fn local_part(&mut self) -> Result<String, UnusableAddress> {
        let mut content = String::new();
        let mut word_before = false;
        loop {
            self.skip_cfws()?;
            match self.peek().ok_or(Malformed)? {
                '@' => break,
                '.' => {
                    content.push('.');
                    word_before = false;
                    self.next();
                    continue;
                }
                _ if word_before => return Err(Malformed),
                '"' => self.quoted(&mut content)?,
                _ => self.atom(&mut content)?,
            }
            word_before = true;
        }
        self.next();
        if content.is_empty() {
            return Err(Malformed);
        }
        Ok(if is_dot_atom(&content) {
            content
        } else {
            quote(&content)
        })
    }

    fn quoted(&mut self, content: &mut String) -> Result<(), UnusableAddress> {
        self.next();
        while let Some(next) = self.next() {
            match next {
                '"' => return Ok(()),
                '\\' => lower(self.next().ok_or(Malformed)?, content),
                '\t' => content.push(' '),
                '\r' | '\n' => {}
                _ => lower(next, content),
            }
        }
        Err(Malformed)
    }

    fn atom(&mut self, content: &mut String) -> Result<(), UnusableAddress> {
        let end = self.rest.find(|c| !is_atext(c)).unwrap_or(self.rest.len());
        let (atom, rest) = self.rest.split_at(end);
        self.rest = rest;
        if atom.is_empty() {
            return Err(Malformed);
        }
        atom.chars().for_each(|c| lower(c, content));
        Ok(())
    }

    fn domain(&mut self) -> Result<String, UnusableAddress> {
        self.skip_cfws()?;
        if self.peek() == Some('[') {
            return self.literal();
        }
        let mut domain = String::new();
        let mut label_before = false;
        while let Some(next) = self.peek() {
            match next {
                '.' => {
                    domain.push('.');
                    label_before = false;
                    self.next();
                }
                _ if label_before => return Err(Malformed),
                _ => {
                    self.atom(&mut domain)?;
                    label_before = true;
                }
            }
            self.skip_cfws()?;
        }
        ascii_domain(&domain)
    }

    /// A domain literal such as `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 4.1.3).
    fn literal(&mut self) -> Result<String, UnusableAddress> {
        self.next();
        let (inside, rest) = self.rest.split_once(']').ok_or(Malformed)?;
        self.rest = rest;
        self.skip_cfws()?;
        let known = |c: char| c.is_ascii_alphanumeric() || ".:-".contains(c);
        if !self.rest.is_empty() || inside.is_empty() || !inside.chars().all(known) {
            return Err(Malformed);
        }
        Ok(format!("[{}]", inside.to_ascii_lowercase()))
    }
}

/// The domain as IDNA compares it; a dot for the root at its end is no part of it.
fn ascii_domain(domain: &str) -> Result<String, UnusableAddress> {
    if domain.is_empty() {
        return Err(Malformed);
    }
    let ascii = Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::URL,
            Hyphens::Allow,
            DnsLength::VerifyAllowRootDot,
        )
        .map_err(|_| {
            if domain.is_ascii() && !domain.contains("xn--") && domain.len() <= 253 {
                Malformed
            } else {
                Domain
            }
        })?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    if is_ascii_domain(ascii) {
        Ok(ascii.to_owned())
    } else {
        Err(Malformed)
    }
}

fn is_ascii_domain(domain: &str) -> bool {
    domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

fn is_dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

/// `atext` of RFC 5322 3.2.3, and everything outside ASCII as RFC 6532 3.2 adds it.
fn is_atext(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_whitespace()
    }
}

fn quote(content: &str) -> String {
    let mut quoted = String::with_capacity(content.len() + 2);
    quoted.push('"');
    for c in content.chars() {
        if c == '"' || c == '\\' {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// Character by character: the case of a letter must not depend on its neighbours.
fn lower(c: char, content: &mut String) {
    content.extend(c.to_lowercase());
}

/// Control characters but the white space of a folded header, and characters without a shape of
/// their own (Unicode `Default_Ignorable_Code_Point`, direction marks, tags).
fn is_invisible(c: char) -> bool {
    match c {
        '\t' | '\r' | '\n' => false,
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}'
        | '\u{115f}'..='\u{1160}'
        | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}'
        | '\u{fff0}'..='\u{fffb}'
        | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}' => true,
        _ => c.is_control(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::message::Address;
    use proptest::prelude::*;

    #[test]
    fn usable_addresses_have_one_normal_form() {
        let long_local = "a".repeat(64);
        let table = [
            ("ada.holm@tidewheel.example", "ada.holm@tidewheel.example"),
            ("ADA.Holm@TideWheel.Example", "ada.holm@tidewheel.example"),
            (" ada @ example.org ", "ada@example.org"),
            ("ada\r\n .holm@example.org", "ada.holm@example.org"),
            ("ada.holm(sales)@example.org", "ada.holm@example.org"),
            (
                "(a (nested \\) one)) ada@(x)example.org(y)",
                "ada@example.org",
            ),
            ("\"ada.holm\"@example.org", "ada.holm@example.org"),
            ("\"ada\".holm@example.org", "ada.holm@example.org"),
            ("\"odd jensen\"@example.org", "\"odd jensen\"@example.org"),
            ("\"Odd\\ Jensen\"@example.org", "\"odd jensen\"@example.org"),
            ("\"a@b\"@example.org", "\"a@b\"@example.org"),
            ("\"a\\\"b\\\\c\"@example.org", "\"a\\\"b\\\\c\"@example.org"),
            ("a..b@example.org", "\"a..b\"@example.org"),
            ("ada+news@example.org", "ada+news@example.org"),
            ("o'neil=x@example.org", "o'neil=x@example.org"),
            ("lucia@B\u{fc}cher.example", "lucia@xn--bcher-kva.example"),
            ("lucia@xn--bcher-kva.example", "lucia@xn--bcher-kva.example"),
            ("LUC\u{cd}A@example.org", "luc\u{ed}a@example.org"),
            ("ada@example.org.", "ada@example.org"),
            ("ada@localhost", "ada@localhost"),
            ("ada@my_host.example", "ada@my_host.example"),
            ("ada@[192.0.2.1]", "ada@[192.0.2.1]"),
            ("ada@[IPv6:2001:DB8::1]", "ada@[ipv6:2001:db8::1]"),
        ];
        for (text, normal) in table {
            assert_eq!(Address::parse(text).unwrap().as_str(), normal, "{text:?}");
        }
        assert!(Address::parse(&format!("{long_local}@example.org")).is_ok());
    }

    #[test]
    fn unusable_addresses_say_why() {
        let long = format!("{}@example.org", "a".repeat(310));
        let folded = format!("({})ada@example.org", "x".repeat(5_000));
        let label = format!("ada@{}.\u{fc}.example", "b".repeat(64));
        let deep = format!("{}{}a@b.example", "(".repeat(101), ")".repeat(101));
        let table = [
            ("", Malformed),
            ("ada", Malformed),
            ("@example.org", Malformed),
            ("\"\"@example.org", Malformed),
            ("ada@", Malformed),
            ("ada@.example", Malformed),
            ("ada@example..org", Malformed),
            ("ada@example.org, b@example.org", Malformed),
            ("ada@example.org@example.net", Malformed),
            ("ada holm@example.org", Malformed),
            ("Ada <ada@example.org>", Malformed),
            ("ada@exa mple.org", Malformed),
            ("ada@exa(x)mple.org", Malformed),
            ("\"ada@example.org", Malformed),
            ("(ada@example.org", Malformed),
            ("ada@[192.0.2.1", Malformed),
            ("ada@[a@b]", Malformed),
            ("ada\u{a0}holm@example.org", Malformed),
            ("=?utf-8?q?penny=2Emarsh?=@example.org", EncodedWord),
            ("penny@=?utf-8?q?example.org?=", EncodedWord),
            ("\"=?utf-8?q?a?=\"@example.org", EncodedWord),
            ("\"=?a\".\"?=\"@example.org", EncodedWord),
            ("ad\u{fffd}@example.org", Malformed),
            ("\"ad\u{fffd}\"@example.org", Malformed),
            ("ada\u{200b}@example.org", Invisible),
            ("ada@exam\u{202e}ple.org", Invisible),
            ("ada@exam\u{ad}ple.org", Invisible),
            ("ada\0@example.org", Invisible),
            ("ada\u{1b}[2J@example.org", Invisible),
            ("ada@xn--a-ecp.example", Domain),
            ("ada@xn--\u{fc}.example", Domain),
            (label.as_str(), Domain),
            (long.as_str(), TooLong),
            (folded.as_str(), TooLong),
            (deep.as_str(), Malformed),
        ];
        for (text, why) in table {
            assert_eq!(Address::parse(text).unwrap_err(), why, "{text:?}");
        }
    }

    #[test]
    fn letters_that_look_alike_stay_different() {
        let latin = Address::parse("compras@acequia.example").unwrap();
        let cyrillic = Address::parse("compras@\u{430}cequia.example").unwrap();
        assert_eq!(cyrillic.domain(), "xn--cequia-2nf.example");
        assert_ne!(latin, cyrillic);
    }

    #[test]
    fn the_domain_is_behind_the_last_at() {
        let address = Address::parse("\"a@evil.example\"@Example.ORG").unwrap();
        assert_eq!(address.domain(), "example.org");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic_and_normal_forms_are_stable(text in "\\PC{0,40}") {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address));
            }
        }

        #[test]
        fn awkward_addresses_are_stable(
            text in "[ab.\"\\\\ ()=?@A\u{130}\u{df}\u{fc}\u{3a3}\u{ff21}\u{3002}-]{1,12}@[ab.\u{fc}xn\\-\u{df}\u{ff21}\u{3002}]{1,12}"
        ) {
            if let Ok(address) = Address::parse(&text) {
                prop_assert_eq!(Address::parse(address.as_str()), Ok(address));
            }
        }
    }
}
