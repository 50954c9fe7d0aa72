//! Hooks for this crate's own tests; no part of the public interface.

mod hosts;
mod wire;

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;

use super::answer::{Answer, Opened, ResponseMessage, item_facts, read_folders};
use super::autodiscover::settings::{self, Told};
use super::codes::classify;
use super::soap::{ItemSink, Ns, Tree};
use crate::error::{Result, ServerContext};
use crate::message::MailFacts;
use crate::source::{FetchSink, Fetched};

pub use hosts::{
    CheckedUrl, HostRules, autodiscover_json, autodiscover_rules, policy_allows,
    policy_allows_address, service_url,
};
#[cfg(feature = "ntlm")]
pub use wire::ntlm_answer;
pub use wire::{requests, retry_after};

/// What was read out of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AnswerSummary {
    /// `response`, `fault`, `not-soap` or `empty`.
    pub kind: &'static str,
    /// The code of a fault.
    pub fault: Option<String>,
    /// The response messages.
    pub messages: Vec<MessageSummary>,
}

/// What was read out of one response message.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MessageSummary {
    /// The code.
    pub code: String,
    /// Ids of items, in document order.
    pub items: Vec<String>,
    /// Ids of folders, in document order.
    pub folders: Vec<String>,
    /// Names of folders, in document order.
    pub folder_names: Vec<String>,
    /// The content mailboxes that the replica lists of public folders name.
    pub replicas: Vec<String>,
    /// The original, if there was one that is undamaged.
    pub mime: Option<Vec<u8>>,
    /// The facts of the first item.
    pub facts: MailFacts,
}

/// The class of a response code, by its name in the code.
pub fn class_of(code: &str) -> String {
    format!("{:?}", classify(code))
}

/// Reads an answer that arrives in these pieces.
///
/// # Errors
///
/// As the source would raise it.
///
/// # Cancel safety
///
/// Reads memory only.
pub async fn read_answer(pieces: Vec<Vec<u8>>) -> Result<AnswerSummary> {
    let pieces = pieces.into_iter().map(|piece| Ok(Bytes::from(piece)));
    let pieces = Box::pin(futures_util::stream::iter(pieces));
    let mut summary = AnswerSummary::default();
    match Answer::open_expecting(pieces, "test", ServerContext::default(), None).await? {
        Opened::NotSoap => summary.kind = "not-soap",
        Opened::Empty => summary.kind = "empty",
        Opened::Fault(fault) => {
            summary.kind = "fault";
            summary.fault = Some(fault.code);
        }
        Opened::Response(mut answer) => {
            summary.kind = "response";
            read_messages(&mut answer, &mut summary).await?;
        }
    }
    Ok(summary)
}

async fn read_messages(answer: &mut Answer, summary: &mut AnswerSummary) -> Result<()> {
    let mut tree = Tree::default();
    loop {
        let mut original = Original::default();
        let mut item = ItemSink::new(&mut original, 0, None);
        let Some(message) = answer.next(&mut tree, Some(&mut item)).await? else {
            return Ok(());
        };
        let mime = answer.mime().filter(|end| !end.damaged).map(|_| original.0);
        summary.messages.push(summarise(&message, &tree, mime));
    }
}

fn summarise(message: &ResponseMessage, tree: &Tree, mime: Option<Vec<u8>>) -> MessageSummary {
    let ids = |name: &'static str| {
        let nodes = tree
            .root()
            .into_iter()
            .flat_map(super::soap::Node::descendants);
        let found = nodes.filter(move |node| node.is(Ns::Types, name));
        found
            .filter_map(|node| node.attribute("Id"))
            .map(str::to_owned)
            .collect()
    };
    let names = tree
        .root()
        .into_iter()
        .flat_map(super::soap::Node::descendants);
    let names = names.filter(|node| node.is(Ns::Types, "DisplayName"));
    let items = tree
        .root()
        .and_then(|root| root.child(Ns::Messages, "Items"));
    let item = items.and_then(|items| items.children().next());
    MessageSummary {
        code: message.code.clone(),
        items: ids("ItemId"),
        folders: ids("FolderId"),
        replicas: read_folders(tree)
            .0
            .into_iter()
            .filter_map(|row| row.replica)
            .collect(),
        folder_names: names.map(|node| node.text().to_owned()).collect(),
        mime,
        facts: item.map(item_facts).unwrap_or_default(),
    }
}

#[derive(Default)]
struct Original(Vec<u8>);

#[async_trait]
impl FetchSink for Original {
    fn begin(&mut self, _: usize, _: Option<u64>) {}

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, _: Fetched) -> Result<()> {
        Ok(())
    }
}

/// Reads an answer to GetUserSettings: the settings, or what it says instead under `RedirectAddress`, `RedirectUrl` or
/// `ErrorCode`.
///
/// # Errors
///
/// As a look-up would take note of it.
///
/// # Cancel safety
///
/// Reads memory only.
pub async fn read_user_settings(answer: Vec<u8>) -> Result<BTreeMap<String, String>> {
    let one = |name: &str, value| BTreeMap::from([(name.to_owned(), value)]);
    Ok(match settings::read(answer).await? {
        Told::Settings(settings) => settings,
        Told::Address(target) => one("RedirectAddress", target),
        Told::Url(target) => one("RedirectUrl", target),
        Told::Refused(code) => one("ErrorCode", code),
    })
}

/// Writes a GetUserSettings request, as it is sent.
pub fn user_settings_request(to: &str, mailbox: &str, names: &[&str]) -> String {
    settings::request(to, mailbox, names)
}
