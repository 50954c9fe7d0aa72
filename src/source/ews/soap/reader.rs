//! XML events to a tree, with the limits that keep a hostile answer cheap.

use bytes::Bytes;
use futures_util::stream::BoxStream;
use quick_xml::Reader;
use quick_xml::events::{BytesRef, BytesStart, Event};

use super::input::SoapInput;
use super::namespace::Namespaces;
use super::tree::Tree;
use crate::error::{Error, Result, codes};

const DEPTH: usize = 64;
const ATTRIBUTES: usize = 256;

/// What was read last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::source::ews) enum Step {
    /// An element opened.
    Start,
    /// An element closed.
    End,
    /// Text other than white space.
    Text,
    /// The answer ended.
    Eof,
}

/// Reads an answer step by step into whatever tree is handed over.
pub(in crate::source::ews) struct XmlReader {
    pub(super) reader: Reader<SoapInput>,
    pub(super) buffer: Vec<u8>,
    /// Where originals are decoded, kept from one to the next.
    pub(super) decoded: Vec<u8>,
    namespaces: Namespaces,
    depth: usize,
    pub(super) operation: &'static str,
}

impl XmlReader {
    /// A reader of this input.
    pub(in crate::source::ews) fn new(input: SoapInput, operation: &'static str) -> Self {
        let mut reader = Reader::from_reader(input);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        config.allow_dangling_amp = true;
        Self {
            reader,
            buffer: Vec::new(),
            decoded: Vec::new(),
            namespaces: Namespaces::default(),
            depth: 0,
            operation,
        }
    }

    /// The next step; what it brings is added to the tree.
    ///
    /// # Errors
    ///
    /// `Protocol` (`ews.xml_forbidden`, `ews.xml_invalid`), `LimitExceeded` (`ews.xml_limit`), and the transport's own.
    pub(in crate::source::ews) async fn step(&mut self, tree: &mut Tree) -> Result<Step> {
        loop {
            if tree.is_full() {
                let error = Error::new(&codes::EWS_XML_LIMIT, self.operation);
                return Err(error.with_detail("one part has more than 200,000 elements or 16 MiB"));
            }
            self.reader.get_mut().start_token();
            self.buffer.clear();
            let event = self.reader.read_event_into_async(&mut self.buffer).await;
            let event = match event {
                Ok(event) => event,
                Err(error) => return Err(read_error(&mut self.reader, self.operation, &error)),
            };
            match event {
                Event::Start(tag) | Event::Empty(tag) => {
                    self.depth += 1;
                    open(&mut self.namespaces, self.depth, &tag, tree, self.operation)?;
                    return Ok(Step::Start);
                }
                Event::End(_) => {
                    self.leave(tree);
                    return Ok(Step::End);
                }
                Event::Text(text) if push(tree, &text) => return Ok(Step::Text),
                Event::CData(text) if push(tree, &text) => return Ok(Step::Text),
                Event::GeneralRef(name) => {
                    push(tree, reference(&name).encode_utf8(&mut [0; 4]));
                    return Ok(Step::Text);
                }
                Event::DocType(text) => return Err(forbidden(&text.into_inner(), self.operation)),
                Event::Eof => return Ok(Step::Eof),
                _ => {}
            }
        }
    }

    /// Reads until the element that was opened last is closed.
    pub(in crate::source::ews) async fn finish_element(&mut self, tree: &mut Tree) -> Result<()> {
        let outside = self.depth.saturating_sub(1);
        while self.depth > outside {
            if self.step(tree).await? == Step::Eof {
                return Err(self.truncated());
            }
        }
        Ok(())
    }

    /// How many elements are open.
    pub(in crate::source::ews) fn depth(&self) -> usize {
        self.depth
    }

    /// The operation whose answer it is.
    pub(in crate::source::ews) fn operation(&self) -> &'static str {
        self.operation
    }

    /// The pieces that were not read.
    pub(in crate::source::ews) fn into_pieces(self) -> BoxStream<'static, Result<Bytes>> {
        self.reader.into_inner().into_pieces()
    }

    /// The error of an answer that ends too early.
    pub(in crate::source::ews) fn truncated(&self) -> Error {
        Error::new(&codes::HTTP_CLOSED, self.operation).with_detail("the envelope is not closed")
    }

    pub(super) fn leave(&mut self, tree: &mut Tree) {
        self.depth = self.depth.saturating_sub(1);
        self.namespaces.leave(self.depth);
        tree.close();
    }
}

fn push(tree: &mut Tree, text: &str) -> bool {
    tree.push_text(text);
    !text.trim_ascii().is_empty()
}

fn open(
    namespaces: &mut Namespaces,
    depth: usize,
    tag: &BytesStart<'_>,
    tree: &mut Tree,
    operation: &'static str,
) -> Result<()> {
    let limit = |detail| Error::new(&codes::EWS_XML_LIMIT, operation).with_detail(detail);
    if depth > DEPTH {
        return Err(limit("elements are nested deeper than 64"));
    }
    for (count, attribute) in tag.attributes().with_checks(false).enumerate() {
        let attribute = attribute.map_err(|_| invalid(operation))?;
        if count >= ATTRIBUTES {
            return Err(limit("a tag has more than 256 attributes"));
        }
        match attribute.key.into_inner() {
            "xmlns" => namespaces.declare(depth, "", &unescape(&attribute.value), operation)?,
            key => {
                if let Some(prefix) = key.strip_prefix("xmlns:") {
                    namespaces.declare(depth, prefix, &unescape(&attribute.value), operation)?;
                }
            }
        }
    }
    let (prefix, name) = split(tag);
    tree.open(namespaces.resolve(prefix), name);
    for attribute in tag.attributes().with_checks(false).flatten() {
        let key = attribute.key.into_inner();
        if key != "xmlns" && !key.contains(':') {
            tree.attribute(key, &unescape(&attribute.value));
        }
    }
    Ok(())
}

fn split<'a>(tag: &'a BytesStart<'_>) -> (&'a str, &'a str) {
    let name = tag.name().into_inner();
    name.split_once(':').unwrap_or(("", name))
}

/// An attribute's value with its references resolved; what cannot be resolved becomes U+FFFD.
fn unescape(value: &str) -> std::borrow::Cow<'_, str> {
    let Some((first, mut rest)) = value.split_once('&') else {
        return value.into();
    };
    let mut text = first.to_owned();
    loop {
        match rest.split_once(';') {
            Some((name, after)) if name.len() <= 12 && !name.contains('&') => {
                text.push(resolve(name));
                rest = after;
            }
            _ => text.push('&'),
        }
        let Some((plain, after)) = rest.split_once('&') else {
            text.push_str(rest);
            return text.into();
        };
        text.push_str(plain);
        rest = after;
    }
}

fn reference(name: &BytesRef<'_>) -> char {
    resolve(&name.xml10_content())
}

/// A predefined entity or a character reference; anything else, and characters that XML 1.0 does not allow, is U+FFFD.
fn resolve(name: &str) -> char {
    let number = name.strip_prefix('#');
    let number = number.map(|digits| match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16),
        None => digits.parse(),
    });
    match (name, number) {
        ("lt", _) => '<',
        ("gt", _) => '>',
        ("amp", _) => '&',
        ("quot", _) => '"',
        ("apos", _) => '\'',
        (_, Some(Ok(number))) => char::from_u32(number).map_or('\u{fffd}', permitted),
        _ => '\u{fffd}',
    }
}

fn permitted(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    }
}

fn invalid(operation: &'static str) -> Error {
    Error::new(&codes::EWS_XML_INVALID, operation)
}

/// An HTML page is no attack, only no answer.
fn forbidden(doctype: &str, operation: &'static str) -> Error {
    let is_html = doctype
        .trim_start()
        .get(..4)
        .is_some_and(|n| n.eq_ignore_ascii_case("html"));
    let code = if is_html {
        &codes::EWS_NOT_SOAP
    } else {
        &codes::EWS_XML_FORBIDDEN
    };
    Error::new(code, operation)
}

/// The typed error behind a reader's error. Its text may quote the answer, so it is not kept.
pub(super) fn read_error(
    reader: &mut Reader<SoapInput>,
    operation: &'static str,
    error: &quick_xml::Error,
) -> Error {
    if let Some(failure) = reader.get_mut().take_failure() {
        return failure;
    }
    match error {
        quick_xml::Error::Syntax(_) => {
            let error = Error::new(&codes::HTTP_CLOSED, operation);
            error.with_detail("the answer ends inside a tag")
        }
        _ => invalid(operation),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    #[test]
    fn references_in_an_attribute_are_resolved_and_a_lone_ampersand_stays() {
        for (value, expected) in [
            ("plain", "plain"),
            ("a&amp;b", "a&b"),
            ("&lt;&gt;&quot;&apos;", "<>\"'"),
            ("&#65;&#x42;&#X43;", "ABC"),
            ("&nbsp;", "\u{fffd}"),
            ("a & b", "a & b"),
            ("a&b&lt;c", "a&b<c"),
            ("&twelve_bytes;", "\u{fffd}"),
            ("&thirteen_byte;", "&thirteen_byte;"),
        ] {
            assert_eq!(unescape(value), expected, "{value}");
        }
    }

    #[tokio::test]
    async fn attributes_of_a_namespace_are_not_kept() {
        let xml = r#"<a xmlns="urn:a" xmlns:p="urn:p" p:id="other" id="&lt;own&gt;"/>"#;
        let pieces = futures_util::stream::iter([Ok(xml.into())]).boxed();
        let mut reader = XmlReader::new(SoapInput::new(pieces, "test"), "test");
        let mut tree = Tree::default();
        assert_eq!(reader.step(&mut tree).await.unwrap(), Step::Start);
        let kept = |name| tree.root().unwrap().attribute(name);
        assert_eq!(
            ["id", "p:id", "xmlns", "xmlns:p"].map(kept),
            [Some("<own>"), None, None, None]
        );
    }
}
