//! What one response message says about its item.

use super::super::answer::{Answer, ResponseMessage, item_facts, item_ref};
use super::super::codes::Class;
use super::super::failure::Failure;
use super::super::soap::{MimeEnd, Node, Ns, Tree};
use crate::error::{Error, codes};
use crate::message::MailFacts;
use crate::source::{Fetched, ItemRef};

/// What became of the item that was answered.
pub(super) enum Verdict {
    /// It ended.
    Ended(Fetched),
    /// It was not reached, or the server is busy: the rest of the batch is asked again.
    Again(Failure),
    /// Its original cannot be rendered: its facts are asked for alone.
    FactsOnly(Error),
    /// It has no facts of a message: it is asked for alone, without them.
    ItemShape,
    /// The answer is about another item.
    MixedUp(Error),
    /// A right is missing, for this item or for all.
    Denied(Error),
    /// No item can be fetched this way.
    Everything(Error),
}

/// Judges the answer for the item at this place of the question.
pub(super) fn judge(
    message: &ResponseMessage,
    answer: &Answer,
    tree: &Tree,
    asked: &[ItemRef],
    at: usize,
) -> Verdict {
    let class = message.class();
    let error = || {
        let error = class.error("GetItem", message.decisive_code(), answer.server().clone());
        error.with_item(asked.get(at).map_or("", |item| &item.id))
    };
    match class {
        Class::Fine if !is_about(tree, asked, at) => Verdict::MixedUp(answer.miscounted()),
        Class::Fine => Verdict::Ended(complete(tree, answer.mime(), answer)),
        Class::Busy | Class::Crowded | Class::Untouched | Class::Version => {
            Verdict::Again(Failure::of_class(class, error(), message.back_off))
        }
        Class::Gone => Verdict::Ended(Fetched::Gone),
        Class::NoOriginal => Verdict::FactsOnly(error()),
        Class::Property => Verdict::ItemShape,
        Class::Denied => Verdict::Denied(error()),
        Class::Mailbox
        | Class::Unlicensed
        | Class::Impersonation
        | Class::SignIn
        | Class::Administrator
        | Class::FolderGone
        | Class::Blocked
        | Class::Schema
        | Class::Refused => Verdict::Everything(error()),
        _ => Verdict::Ended(Fetched::Failed(error())),
    }
}

/// Whether the answer holds the item that was asked for. An answer without an id counts where it is the only one.
fn is_about(tree: &Tree, asked: &[ItemRef], at: usize) -> bool {
    match item_of(tree).and_then(item_ref) {
        Some(found) => asked.get(at).is_some_and(|item| item.id == found.id),
        None => asked.len() == 1,
    }
}

fn complete(tree: &Tree, mime: Option<MimeEnd>, answer: &Answer) -> Fetched {
    let mut facts = Box::new(facts_of(tree).unwrap_or_default());
    let damaged = |detail: &'static str| {
        Error::new(&codes::EWS_ITEM_DAMAGED, "GetItem")
            .with_detail(detail)
            .with_server(answer.server().clone())
    };
    if answer.is_contradictory() || items_of(tree) > 1 {
        return Fetched::Failed(damaged("the answer holds several items or originals"));
    }
    match mime {
        Some(end) if end.bytes > 0 => {
            facts.damaged = end.damaged;
            Fetched::Complete(facts)
        }
        Some(end) if end.damaged => {
            Fetched::WithoutOriginal(facts, damaged("the original is no base64"))
        }
        _ => Fetched::WithoutOriginal(facts, damaged("the answer holds no original")),
    }
}

/// The facts of the item in the answer.
pub(super) fn facts_of(tree: &Tree) -> Option<MailFacts> {
    item_of(tree).map(item_facts)
}

fn item_of(tree: &Tree) -> Option<Node<'_>> {
    tree.root()?.child(Ns::Messages, "Items")?.children().next()
}

fn items_of(tree: &Tree) -> usize {
    let lists = tree.root().into_iter().flat_map(Node::children);
    let lists = lists.filter(|node| node.is(Ns::Messages, "Items"));
    lists.map(|list| list.children().count()).sum()
}
