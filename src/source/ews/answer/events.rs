//! The answers to Subscribe and GetEvents.

use super::super::soap::{Node, Ns, Tree};

/// A subscription as the server knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::ews) struct Subscription {
    pub(in crate::source::ews) id: String,
    /// Up to where its events were read.
    pub(in crate::source::ews) watermark: String,
}

/// What was read of a subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source::ews) struct Events {
    /// Up to where; none where the server said nothing of it.
    pub(in crate::source::ews) watermark: Option<String>,
    /// Whether anything happened in the folder.
    pub(in crate::source::ews) any: bool,
}

/// Reads the message of a Subscribe; none where it names no subscription.
pub(in crate::source::ews) fn read_subscription(tree: &Tree) -> Option<Subscription> {
    let root = tree.root()?;
    let text = |name| root.child_text(Ns::Messages, name).map(str::to_owned);
    Some(Subscription {
        id: text("SubscriptionId")?,
        watermark: text("Watermark")?,
    })
}

/// Reads the message of a GetEvents. An event of a kind that this crate does not know counts: it is a hint like another.
pub(in crate::source::ews) fn read_events(tree: &Tree) -> Events {
    let notification = tree
        .root()
        .and_then(|root| root.child(Ns::Messages, "Notification"));
    let children = || notification.into_iter().flat_map(Node::children);
    let events = || children().filter(|node| is_event(*node));
    let last = events().filter_map(|event| event.child_text(Ns::Types, "Watermark"));
    let more = children().any(|node| node.is(Ns::Types, "MoreEvents") && is_true(node.text()));
    Events {
        watermark: last.last().map(str::to_owned),
        any: more || events().any(|event| event.name() != "StatusEvent"),
    }
}

fn is_event(node: Node<'_>) -> bool {
    node.ns() == Ns::Types && node.name().ends_with("Event")
}

fn is_true(text: &str) -> bool {
    matches!(text, "true" | "1")
}
