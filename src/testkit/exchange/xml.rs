//! Requests as a small XML tree with resolved namespaces.
//!
//! Owns what a well-formed request is: no DOCTYPE, bounded depth. It knows nothing of operations.

use quick_xml::XmlVersion;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::reader::NsReader;

/// The namespace of SOAP 1.1 envelopes (W3C note SOAP 1.1, section 4).
pub(crate) const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
/// The namespace of EWS operations (messages.xsd).
pub(crate) const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
/// The namespace of EWS data types (types.xsd).
pub(crate) const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";
/// The namespace of the autodiscover service (MS-OXWSADISC).
pub(crate) const AUTODISCOVER: &str = "http://schemas.microsoft.com/exchange/2010/Autodiscover";
/// The namespace of WS-Addressing.
pub(crate) const ADDRESSING: &str = "http://www.w3.org/2005/08/addressing";

const MAX_DEPTH: usize = 64;

/// A namespace that the server tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ns {
    Soap,
    Messages,
    Types,
    Autodiscover,
    Addressing,
    Other,
}

/// One element of a request.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    pub(crate) ns: Ns,
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Self>,
    pub(crate) text: String,
}

impl Element {
    /// The first child with this name.
    pub(crate) fn child(&self, ns: Ns, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.is(ns, name))
    }

    /// The first child with this name in the messages namespace.
    pub(crate) fn message(&self, name: &str) -> Option<&Self> {
        self.child(Ns::Messages, name)
    }

    /// The first child with this name in the types namespace.
    pub(crate) fn types(&self, name: &str) -> Option<&Self> {
        self.child(Ns::Types, name)
    }

    /// The trimmed text of a child in the types namespace.
    pub(crate) fn types_text(&self, name: &str) -> Option<&str> {
        self.types(name).map(|child| child.text.trim())
    }

    pub(crate) fn is(&self, ns: Ns, name: &str) -> bool {
        self.ns == ns && self.name == name
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Whether the tree holds an element of this local name whose `Id` is `id`.
    pub(crate) fn mentions(&self, name: &str, id: &str) -> bool {
        (self.name == name && self.attribute("Id") == Some(id))
            || self.children.iter().any(|child| child.mentions(name, id))
    }
}

/// Reads a document into its root element.
///
/// The error says in a few words what is wrong.
pub(crate) fn parse(document: &str) -> Result<Element, String> {
    let mut reader = NsReader::from_str(document.trim_start_matches('\u{feff}'));
    let mut tree = TreeBuilder::default();
    loop {
        let (resolved, event) = reader.read_resolved_event().map_err(|e| e.to_string())?;
        let ns = namespace(&resolved);
        match event {
            Event::Eof => return tree.finish(),
            event => tree.accept(ns, event)?,
        }
    }
}

fn namespace(resolved: &ResolveResult<'_>) -> Ns {
    match resolved {
        ResolveResult::Bound(Namespace(SOAP)) => Ns::Soap,
        ResolveResult::Bound(Namespace(MESSAGES)) => Ns::Messages,
        ResolveResult::Bound(Namespace(TYPES)) => Ns::Types,
        ResolveResult::Bound(Namespace(AUTODISCOVER)) => Ns::Autodiscover,
        ResolveResult::Bound(Namespace(ADDRESSING)) => Ns::Addressing,
        _ => Ns::Other,
    }
}

#[derive(Default)]
struct TreeBuilder {
    open: Vec<Element>,
    root: Option<Element>,
}

impl TreeBuilder {
    fn accept(&mut self, ns: Ns, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Start(start) => self.start(ns, &start)?,
            Event::Empty(start) => {
                self.start(ns, &start)?;
                self.end()?;
            }
            Event::End(_) => self.end()?,
            Event::Text(text) => self.text(&text.xml10_content())?,
            Event::CData(text) => self.text(&text.xml10_content())?,
            Event::GeneralRef(reference) => self.text(&resolve(&reference)?)?,
            Event::DocType(_) => return Err("DTD is prohibited in this XML document.".into()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => {}
        }
        Ok(())
    }

    fn start(&mut self, ns: Ns, start: &BytesStart<'_>) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err("The request is nested too deeply.".into());
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err("There are multiple root elements.".into());
        }
        self.open.push(Element {
            ns,
            name: start.local_name().as_ref().to_owned(),
            attributes: attributes(start)?,
            children: Vec::new(),
            text: String::new(),
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), String> {
        let element = self.open.pop().ok_or("An end tag has no start tag.")?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            None if text.trim().is_empty() => {}
            None => return Err("Data at the root level is invalid.".into()),
        }
        Ok(())
    }

    fn finish(self) -> Result<Element, String> {
        match self.root {
            Some(root) if self.open.is_empty() => Ok(root),
            _ => Err("The document ends too early.".into()),
        }
    }
}

fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|e| e.to_string())?;
        let name = attribute.key.local_name().as_ref().to_owned();
        found.push((name, value.into_owned()));
    }
    Ok(found)
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, String> {
    if let Some(character) = reference.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(character.to_string());
    }
    let text = match reference.xml10_content().as_ref() {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return Err("Reference to an undeclared entity.".into()),
    };
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn elements_are_known_by_namespace_and_not_by_prefix() {
        let document =
            format!("<q:A xmlns:q='{TYPES}'><B xmlns='{MESSAGES}' Id='1&amp;2'>x&lt;y</B></q:A>");
        let root = parse(&document).unwrap();
        assert!(root.is(Ns::Types, "A"));
        let child = root.message("B").unwrap();
        assert_eq!(
            (child.attribute("Id"), child.text.as_str()),
            (Some("1&2"), "x<y")
        );
    }

    #[test]
    fn bad_documents_are_refused() {
        let deep = format!("{}{}", "<a>".repeat(65), "</a>".repeat(65));
        for bad in [
            "",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "x<a/>",
            "<!DOCTYPE a><a/>",
            "<a>&x;</a>",
            &deep,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
