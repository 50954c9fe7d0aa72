//! Which path and method is which operation.

use hyper::Method;

use super::problem::Problem;
use super::request::GraphRequest;

/// An operation of the simulated Graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GraphOperation {
    /// GET `mailFolders`.
    ListFolders,
    /// POST `mailFolders`.
    CreateFolder,
    /// GET `mailFolders/{id}`.
    GetFolder,
    /// GET `mailFolders/{id}/childFolders`.
    ListChildFolders,
    /// POST `mailFolders/{id}/childFolders`.
    CreateChildFolder,
    /// GET `mailFolders/{id}/messages` or `messages`.
    ListMessages,
    /// GET `mailFolders/{id}/messages/delta`.
    MessagesDelta,
    /// GET `messages/{id}`.
    GetMessage,
    /// PATCH `messages/{id}`.
    UpdateMessage,
    /// GET `messages/{id}/$value`.
    GetMime,
    /// GET `messages/{id}/attachments`.
    ListAttachments,
    /// POST `messages/{id}/move`.
    MoveMessage,
    /// POST `messages/{id}/copy`.
    CopyMessage,
    /// DELETE `messages/{id}`.
    DeleteMessage,
    /// POST `messages/{id}/permanentDelete`.
    PermanentDelete,
    /// POST `$batch`.
    Batch,
    /// POST `subscriptions`.
    CreateSubscription,
    /// GET `subscriptions` or `subscriptions/{id}`.
    GetSubscription,
    /// PATCH `subscriptions/{id}`.
    RenewSubscription,
    /// DELETE `subscriptions/{id}`.
    DeleteSubscription,
}

/// An operation and what its path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) operation: GraphOperation,
    /// The address or id behind `users`; `None` for `me`.
    pub(super) owner: Option<String>,
    pub(super) folder: Option<String>,
    /// A message, or a subscription.
    pub(super) item: Option<String>,
}

impl Route {
    pub(super) fn of(request: &GraphRequest) -> Result<Self, Problem> {
        let segments: Vec<_> = request.segments.iter().map(String::as_str).collect();
        let (owner, rest) = match segments.as_slice() {
            ["me", rest @ ..] => (None, rest),
            ["users", owner, rest @ ..] => (Some((*owner).to_owned()), rest),
            ["$batch"] => return Self::service(request, GraphOperation::Batch, None),
            ["subscriptions"] => return Self::subscriptions(request, None),
            ["subscriptions", id] => return Self::subscriptions(request, Some(*id)),
            other => return Err(unknown(other.first().copied())),
        };
        let (folder, item, action) = place(rest)?;
        let operation = operation(&request.method, folder.is_some(), item.is_some(), action)?;
        Ok(Self {
            operation,
            owner,
            folder: folder.map(str::to_owned),
            item: item.map(str::to_owned),
        })
    }

    fn service(
        request: &GraphRequest,
        operation: GraphOperation,
        item: Option<&str>,
    ) -> Result<Self, Problem> {
        if operation == GraphOperation::Batch && request.method != Method::POST {
            return Err(not_allowed());
        }
        Ok(Self {
            operation,
            owner: None,
            folder: None,
            item: item.map(str::to_owned),
        })
    }

    fn subscriptions(request: &GraphRequest, id: Option<&str>) -> Result<Self, Problem> {
        let operation = match (&request.method, id) {
            (&Method::POST, None) => GraphOperation::CreateSubscription,
            (&Method::GET, _) => GraphOperation::GetSubscription,
            (&Method::PATCH, Some(_)) => GraphOperation::RenewSubscription,
            (&Method::DELETE, Some(_)) => GraphOperation::DeleteSubscription,
            _ => return Err(not_allowed()),
        };
        Self::service(request, operation, id)
    }
}

/// What stands behind the owner: a folder, a message, and the last word of the path.
type Place<'a> = (Option<&'a str>, Option<&'a str>, &'a str);

fn place<'a>(rest: &[&'a str]) -> Result<Place<'a>, Problem> {
    Ok(match rest {
        ["mailFolders"] => (None, None, "mailFolders"),
        ["mailFolders", folder] => (Some(folder), None, ""),
        ["mailFolders", folder, "childFolders"] => (Some(folder), None, "childFolders"),
        ["mailFolders", folder, "messages"] => (Some(folder), None, "messages"),
        ["mailFolders", folder, "messages", "delta" | "delta()"] => (Some(folder), None, "delta"),
        ["mailFolders", folder, "messages", item] => (Some(folder), Some(item), ""),
        ["mailFolders", folder, "messages", item, action] => (Some(folder), Some(item), action),
        ["messages"] => (None, None, "messages"),
        ["messages", item] => (None, Some(item), ""),
        ["messages", item, action] => (None, Some(item), action),
        other => return Err(unknown(other.last().copied())),
    })
}

fn operation(
    method: &Method,
    in_folder: bool,
    of_item: bool,
    action: &str,
) -> Result<GraphOperation, Problem> {
    use GraphOperation as O;
    let known: &[(&Method, O)] = match (in_folder, of_item, action) {
        (false, false, "mailFolders") => &[
            (&Method::GET, O::ListFolders),
            (&Method::POST, O::CreateFolder),
        ],
        (true, false, "") => &[(&Method::GET, O::GetFolder)],
        (true, false, "childFolders") => &[
            (&Method::GET, O::ListChildFolders),
            (&Method::POST, O::CreateChildFolder),
        ],
        (_, false, "messages") => &[(&Method::GET, O::ListMessages)],
        (true, false, "delta") => &[(&Method::GET, O::MessagesDelta)],
        (_, true, "") => &[
            (&Method::GET, O::GetMessage),
            (&Method::PATCH, O::UpdateMessage),
            (&Method::DELETE, O::DeleteMessage),
        ],
        (_, true, "$value") => &[(&Method::GET, O::GetMime)],
        (_, true, "attachments") => &[(&Method::GET, O::ListAttachments)],
        (_, true, "move") => &[(&Method::POST, O::MoveMessage)],
        (_, true, "copy") => &[(&Method::POST, O::CopyMessage)],
        (_, true, "permanentDelete") => &[(&Method::POST, O::PermanentDelete)],
        _ => return Err(unknown(Some(action))),
    };
    let found = known.iter().find(|(one, _)| *one == method);
    found
        .map(|(_, operation)| *operation)
        .ok_or_else(not_allowed)
}

fn unknown(segment: Option<&str>) -> Problem {
    let segment = segment.unwrap_or_default();
    Problem::bad_request(format!("Resource not found for the segment '{segment}'."))
}

fn not_allowed() -> Problem {
    Problem::new(
        405,
        "ErrorInvalidRequest",
        "The OData request is not supported.",
    )
}
