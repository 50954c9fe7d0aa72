//! One part of an answer as a flat tree: three growing buffers that are used again for the next part.

use std::ops::Range;

use super::namespace::Ns;

/// Elements in document order.
#[derive(Debug, Default)]
pub(in crate::source::ews) struct Tree {
    nodes: Vec<Entry>,
    attributes: Vec<(Range<usize>, Range<usize>)>,
    text: String,
    open: Vec<usize>,
}

#[derive(Debug)]
struct Entry {
    ns: Ns,
    name: Range<usize>,
    attributes: Range<usize>,
    text: Range<usize>,
    /// The index after the last node below this one; its own index plus one while it is open.
    end: usize,
    has_children: bool,
}

/// Elements of one part.
const NODES: usize = 200_000;
/// Bytes of one part.
const BYTES: usize = 16 << 20;

impl Tree {
    /// Whether the part is larger than any that Exchange sends.
    pub(super) fn is_full(&self) -> bool {
        self.nodes.len() > NODES || self.text.len() > BYTES
    }

    /// Forgets everything and keeps the memory.
    pub(in crate::source::ews) fn clear(&mut self) {
        self.nodes.clear();
        self.attributes.clear();
        self.text.clear();
        self.open.clear();
    }

    /// Opens an element.
    pub(super) fn open(&mut self, ns: Ns, name: &str) {
        if let Some(parent) = self
            .open
            .last()
            .and_then(|parent| self.nodes.get_mut(*parent))
        {
            parent.has_children = true;
        }
        let name = self.store(name);
        let (attributes, text) = (self.attributes.len(), self.text.len());
        self.open.push(self.nodes.len());
        self.nodes.push(Entry {
            ns,
            name,
            attributes: attributes..attributes,
            text: text..text,
            end: self.nodes.len() + 1,
            has_children: false,
        });
    }

    /// Adds an attribute to the element that was opened last.
    pub(super) fn attribute(&mut self, name: &str, value: &str) {
        let pair = (self.store(name), self.store(value));
        self.attributes.push(pair);
        let (attributes, text) = (self.attributes.len(), self.text.len());
        if let Some(entry) = self.nodes.last_mut() {
            entry.attributes.end = attributes;
            entry.text = text..text;
        }
    }

    /// Adds text to the open element; text between child elements carries nothing in these schemas and is left out.
    /// Characters that XML 1.0 does not allow become U+FFFD.
    pub(super) fn push_text(&mut self, text: &str) {
        let Some(entry) = self.open.last().and_then(|open| self.nodes.get_mut(*open)) else {
            return;
        };
        if entry.has_children {
            return;
        }
        if text
            .bytes()
            .all(|byte| byte >= 0x20 || matches!(byte, b'\t' | b'\n' | b'\r'))
        {
            self.text.push_str(text);
        } else {
            self.text.extend(text.chars().map(allowed));
        }
        entry.text.end = self.text.len();
    }

    /// Closes the open element.
    pub(super) fn close(&mut self) {
        let end = self.nodes.len();
        if let Some(entry) = self.open.pop().and_then(|open| self.nodes.get_mut(open)) {
            entry.end = end;
        }
    }

    /// The first element.
    pub(in crate::source::ews) fn root(&self) -> Option<Node<'_>> {
        self.node(0)
    }

    /// The element that was opened last.
    pub(in crate::source::ews) fn latest(&self) -> Option<Node<'_>> {
        self.node(self.nodes.len().checked_sub(1)?)
    }

    /// The open element at this depth below the first.
    pub(in crate::source::ews) fn ancestor(&self, depth: usize) -> Option<Node<'_>> {
        self.node(*self.open.get(depth)?)
    }

    fn node(&self, index: usize) -> Option<Node<'_>> {
        self.nodes.get(index).map(|entry| Node {
            tree: self,
            index,
            entry,
        })
    }

    fn store(&mut self, text: &str) -> Range<usize> {
        let start = self.text.len();
        self.text.push_str(text);
        start..self.text.len()
    }

    fn slice(&self, range: &Range<usize>) -> &str {
        self.text.get(range.clone()).unwrap_or_default()
    }
}

fn allowed(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' => c,
        '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
        c => c,
    }
}

/// One element.
#[derive(Clone, Copy)]
pub(in crate::source::ews) struct Node<'a> {
    tree: &'a Tree,
    index: usize,
    entry: &'a Entry,
}

impl<'a> Node<'a> {
    /// Whether it is this element of this namespace.
    pub(in crate::source::ews) fn is(self, ns: Ns, name: &str) -> bool {
        self.entry.ns == ns && self.name() == name
    }

    /// Its namespace.
    pub(in crate::source::ews) fn ns(self) -> Ns {
        self.entry.ns
    }

    /// Its local name.
    pub(in crate::source::ews) fn name(self) -> &'a str {
        self.tree.slice(&self.entry.name)
    }

    /// Its own text, without white space at the ends.
    pub(in crate::source::ews) fn text(self) -> &'a str {
        self.tree.slice(&self.entry.text).trim()
    }

    /// An attribute without a namespace.
    pub(in crate::source::ews) fn attribute(self, name: &str) -> Option<&'a str> {
        let pairs = self.tree.attributes.get(self.entry.attributes.clone())?;
        let pair = pairs.iter().find(|pair| self.tree.slice(&pair.0) == name)?;
        Some(self.tree.slice(&pair.1))
    }

    /// The elements right below.
    pub(in crate::source::ews) fn children(self) -> impl Iterator<Item = Self> {
        let (tree, end) = (self.tree, self.entry.end);
        let first = tree.node(self.index + 1).filter(|node| node.index < end);
        std::iter::successors(first, move |node| {
            tree.node(node.entry.end).filter(|next| next.index < end)
        })
    }

    /// All elements below, in document order.
    pub(in crate::source::ews) fn descendants(self) -> impl Iterator<Item = Self> {
        let tree = self.tree;
        (self.index + 1..self.entry.end).filter_map(move |index| tree.node(index))
    }

    /// The first element right below with this name.
    pub(in crate::source::ews) fn child(self, ns: Ns, name: &str) -> Option<Self> {
        self.children().find(|node| node.is(ns, name))
    }

    /// The text of the first element right below with this name, if it is not empty.
    pub(in crate::source::ews) fn child_text(self, ns: Ns, name: &str) -> Option<&'a str> {
        self.child(ns, name)
            .map(Node::text)
            .filter(|text| !text.is_empty())
    }
}
