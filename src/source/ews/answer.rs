//! An answer: the envelope, the fault or the response messages in it, one at a time.

mod events;
mod facts;
mod fault;
mod folders;
mod items;
mod message;
mod names;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;

use bytes::Bytes;
use jiff::Timestamp;

use super::probe::Greeting;
use super::soap::{ItemSink, MimeEnd, Node, Ns, SoapInput, Step, Tree, XmlReader};
use crate::error::{Error, Result, ServerContext, codes};

pub(super) use events::{Subscription, read_events, read_subscription};
pub(super) use facts::{item_facts, unresolved};
pub(super) use fault::Fault;
pub(super) use folders::{FolderRow, read_folders, read_room};
pub(super) use items::{item_ref, read_listing};
pub(super) use message::ResponseMessage;
pub(super) use names::resolved_address;

/// Pieces and time that are spent on what follows an envelope.
const DRAINED_PIECES: usize = 16;
const DRAIN_TIME: Duration = Duration::from_secs(2);

/// What an answer turned out to be.
pub(super) enum Opened {
    /// A response, to be read message by message.
    Response(Box<Answer>),
    /// A SOAP fault.
    Fault(Box<Fault>),
    /// No SOAP envelope: an HTML page or something else.
    NotSoap,
    /// Nothing at all.
    Empty,
}

/// A response that is read while it arrives.
pub(super) struct Answer {
    xml: XmlReader,
    server: ServerContext,
    operation: &'static str,
    expected: Option<&'static str>,
    in_messages: bool,
    mime: Option<MimeEnd>,
    contradictory: bool,
    greeting: Greeting,
}

impl Answer {
    /// Reads up to the first response message.
    ///
    /// # Errors
    ///
    /// As the XML reader's; an error before the envelope is `NotSoap` instead.
    pub(super) async fn open(
        pieces: BoxStream<'static, Result<Bytes>>,
        operation: &'static str,
        server: ServerContext,
    ) -> Result<Opened> {
        Self::open_expecting(pieces, operation, server, Some(operation)).await
    }

    /// As [`open`](Self::open), with the operation whose answer it has to be; any operation's if none is given.
    pub(super) async fn open_expecting(
        pieces: BoxStream<'static, Result<Bytes>>,
        operation: &'static str,
        server: ServerContext,
        expected: Option<&'static str>,
    ) -> Result<Opened> {
        let mut xml = XmlReader::new(SoapInput::new(pieces, operation), operation);
        let mut tree = Tree::default();
        if let Some(other) = enter_envelope(&mut xml, &mut tree).await? {
            return Ok(other);
        }
        let version = enter_body(&mut xml, &mut tree).await?;
        tree.clear();
        if xml.step(&mut tree).await? != Step::Start {
            return Err(not_soap(operation, "the body of the envelope is empty"));
        }
        let found = tree.latest();
        if found.is_some_and(|node| node.is(Ns::Soap, "Fault")) {
            xml.finish_element(&mut tree).await?;
            return Ok(Opened::Fault(Box::new(Fault::read(&tree, server))));
        }
        if found.is_some_and(|node| is_named(node, expected, "Response")) {
            let answer = Self {
                xml,
                server,
                operation,
                expected,
                in_messages: false,
                mime: None,
                contradictory: false,
                greeting: Greeting {
                    version,
                    ..Greeting::default()
                },
            };
            return Ok(Opened::Response(Box::new(answer)));
        }
        Err(not_soap(
            operation,
            "the body holds neither a fault nor a response to this operation",
        ))
    }

    /// What to say about the server.
    pub(super) fn server(&self) -> &ServerContext {
        &self.server
    }

    /// What the server says of itself.
    pub(super) fn greeting(&self) -> &Greeting {
        &self.greeting
    }

    /// Takes down the server's clock.
    pub(super) fn dated(&mut self, date: Option<Timestamp>) {
        self.greeting.date = date;
    }

    /// Reads the next response message into the tree; its original goes to the sink, if one is given.
    ///
    /// `None` is the end: the envelope was closed. What stands after it is not looked at.
    pub(super) async fn next(
        &mut self,
        tree: &mut Tree,
        sink: Option<&mut ItemSink<'_>>,
    ) -> Result<Option<ResponseMessage>> {
        let next = self.next_message(tree, sink).await;
        next.map_err(|error| self.with_server(error))
    }

    /// Adds the server to an error of this answer. An error of the sink is left as it is.
    fn with_server(&self, error: Error) -> Error {
        if error.server().is_none() && error.operation() == self.operation {
            error.with_server(self.server.clone())
        } else {
            error
        }
    }

    async fn next_message(
        &mut self,
        tree: &mut Tree,
        mut sink: Option<&mut ItemSink<'_>>,
    ) -> Result<Option<ResponseMessage>> {
        self.mime = None;
        self.contradictory = false;
        loop {
            tree.clear();
            match self.xml.step(tree).await? {
                Step::Start if self.in_messages && is_of_exchange(tree) => {
                    if !is_message(tree, self.expected) {
                        let detail = "a response message is about another operation";
                        return Err(not_soap(self.operation, detail));
                    }
                    self.read_message(tree, sink.as_deref_mut()).await?;
                    return Ok(Some(ResponseMessage::read(tree)));
                }
                Step::Start if !self.in_messages && is_messages(tree) => self.in_messages = true,
                Step::Start => self.xml.finish_element(tree).await?,
                Step::End => {
                    self.in_messages = false;
                    if self.xml.depth() == 0 {
                        return Ok(None);
                    }
                }
                Step::Text => {}
                Step::Eof => return Err(self.xml.truncated()),
            }
        }
    }

    /// How the original of the message that was read last ended, if it had one.
    pub(super) fn mime(&self) -> Option<MimeEnd> {
        self.mime
    }

    /// Whether the message that was read last held a second original, which was not handed on.
    pub(super) fn is_contradictory(&self) -> bool {
        self.contradictory
    }

    async fn read_message(
        &mut self,
        tree: &mut Tree,
        mut sink: Option<&mut ItemSink<'_>>,
    ) -> Result<()> {
        let outside = self.xml.depth() - 1;
        while self.xml.depth() > outside {
            let step = self.xml.step(tree).await?;
            if step == Step::Eof {
                return Err(self.xml.truncated());
            }
            let starts = step == Step::Start && self.xml.depth() == outside + 4;
            if !starts || !is_original(tree) {
                continue;
            }
            match sink.as_deref_mut() {
                Some(_) if self.mime.is_some() => self.contradictory = true,
                Some(sink) => self.mime = Some(self.xml.read_mime(tree, sink).await?),
                None => {}
            }
        }
        Ok(())
    }

    /// The error of an answer whose messages are not as many as were asked for.
    pub(super) fn miscounted(&self) -> Error {
        Error::new(&codes::EWS_ANSWERS_MISSING, self.operation).with_server(self.server.clone())
    }

    /// Reads what follows the envelope, within bounds, so that the connection can be used again.
    pub(super) async fn drain(self: Box<Self>) {
        let rest = self
            .xml
            .into_pieces()
            .take(DRAINED_PIECES)
            .for_each(async |_| {});
        let _ = tokio::time::timeout(DRAIN_TIME, rest).await;
    }
}

const NO_XML: [&str; 2] = [codes::EWS_XML_INVALID.code, codes::EWS_NOT_SOAP.code];

/// Enters the envelope, or says what there is instead of one.
async fn enter_envelope(xml: &mut XmlReader, tree: &mut Tree) -> Result<Option<Opened>> {
    match xml.step(tree).await {
        Ok(Step::Start) => {
            let found = tree
                .latest()
                .is_some_and(|node| node.is(Ns::Soap, "Envelope"));
            Ok((!found).then_some(Opened::NotSoap))
        }
        Ok(Step::Eof) => Ok(Some(Opened::Empty)),
        Ok(_) => Ok(Some(Opened::NotSoap)),
        Err(error) if NO_XML.contains(&error.code()) => Ok(Some(Opened::NotSoap)),
        Err(error) => Err(error),
    }
}

/// Enters the body; answers the version that the header names before it.
async fn enter_body(xml: &mut XmlReader, tree: &mut Tree) -> Result<Option<String>> {
    let mut version = None;
    loop {
        match xml.step(tree).await? {
            Step::Start if tree.latest().is_some_and(|node| node.is(Ns::Soap, "Body")) => {
                return Ok(version);
            }
            Step::Start => {
                xml.finish_element(tree).await?;
                version = version.or_else(|| tree.root().and_then(server_version));
            }
            Step::Text => {}
            Step::End => return Err(not_soap(xml.operation(), "the envelope has no body")),
            Step::Eof => return Err(xml.truncated()),
        }
    }
}

/// The version in a header (Microsoft reference, `ServerVersionInfo`): major and minor version, major and minor build.
fn server_version(envelope: Node<'_>) -> Option<String> {
    let header = envelope.child(Ns::Soap, "Header")?;
    let info = header.child(Ns::Types, "ServerVersionInfo")?;
    let names = [
        "MajorVersion",
        "MinorVersion",
        "MajorBuildNumber",
        "MinorBuildNumber",
    ];
    let numbers = names.map(|name| {
        let number = info.attribute(name)?.parse::<u32>().ok()?;
        Some(number.to_string())
    });
    let numbers: Option<Vec<_>> = numbers.into_iter().collect();
    numbers.map(|numbers| numbers.join("."))
}

/// Whether an element has the name that belongs to the operation, or to any operation.
fn is_named(node: Node<'_>, expected: Option<&str>, ending: &str) -> bool {
    let fits = expected.is_none_or(|expected| node.name().strip_suffix(ending) == Some(expected));
    node.ns() == Ns::Messages && fits
}

fn is_message(tree: &Tree, expected: Option<&str>) -> bool {
    tree.latest()
        .is_some_and(|node| is_named(node, expected, "ResponseMessage"))
}

/// Whether the element that was opened last has a namespace of Exchange; others may stand anywhere.
fn is_of_exchange(tree: &Tree) -> bool {
    tree.latest()
        .is_some_and(|node| matches!(node.ns(), Ns::Messages | Ns::Types))
}

/// Whether the element that was opened last is the original of an item, and not something of that name elsewhere.
fn is_original(tree: &Tree) -> bool {
    let items = tree
        .ancestor(1)
        .filter(|node| node.is(Ns::Messages, "Items"));
    let original = tree
        .latest()
        .is_some_and(|node| node.is(Ns::Types, "MimeContent"));
    original && items.is_some()
}

fn is_messages(tree: &Tree) -> bool {
    tree.latest()
        .is_some_and(|node| node.is(Ns::Messages, "ResponseMessages"))
}

fn not_soap(operation: &'static str, detail: &'static str) -> Error {
    Error::new(&codes::EWS_NOT_SOAP, operation).with_detail(detail)
}
