//! Reading messages (Microsoft, "List messages", "Get message").

use serde_json::{Value, json};

use super::answer::Answer;
use super::mailbox::{Desk, Outcome};
use super::problem::Problem;
use super::query::{Allowed, Options};
use super::render::{MESSAGE, MessageView};
use crate::testkit::exchange::store::folder::Folder;

pub(super) const LIST: Allowed = Allowed {
    kind: "Message",
    properties: MESSAGE,
    filterable: &[
        "receivedDateTime",
        "createdDateTime",
        "lastModifiedDateTime",
        "sentDateTime",
        "isRead",
        "hasAttachments",
        "subject",
        "internetMessageId",
        "from/emailAddress/address",
    ],
    sortable: &[
        "receivedDateTime",
        "sentDateTime",
        "createdDateTime",
        "subject",
    ],
    options: &[
        "$top",
        "$skip",
        "$skiptoken",
        "$count",
        "$select",
        "$filter",
        "$orderby",
        "$expand",
    ],
};
const ONE: Allowed = Allowed {
    options: &["$select", "$expand"],
    ..LIST
};

/// The messages of a folder, or of the whole mailbox.
pub(super) fn list(desk: &Desk<'_>, folder: Option<&str>) -> Outcome {
    let mut options = Options::of(desk.request, &LIST)?;
    if let Some(token) = &options.skip_token {
        options.skip = skip_of(token)?;
    }
    let folders = match folder {
        Some(named) => vec![desk.folder_with(named, |rights| rights.read)?],
        None => all_folders(desk)?,
    };
    let immutable = desk.immutable();
    let mut views: Vec<_> = folders
        .into_iter()
        .flat_map(|folder| desk.world.items_in(folder).map(move |item| (item, folder)))
        .map(|(item, folder)| MessageView::new(item, folder, immutable))
        .filter(|view| {
            options
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(view))
        })
        .collect();
    sort(&mut views, &options);
    let total = views.len();
    let page = views.iter().skip(options.skip).take(options.page());
    let mut value: Vec<_> = page.map(|view| view.json(&options)).collect();
    if desk.effects.duplicate_items {
        value = value
            .iter()
            .flat_map(|one| [one.clone(), one.clone()])
            .collect();
    }
    let mut body = json!({
        "@odata.context": desk.links().context("users('id')/mailFolders('id')/messages"),
        "value": value,
    });
    if options.count {
        body["@odata.count"] = json!(total);
    }
    if let Some(link) = next_link(desk, &options, total) {
        body["@odata.nextLink"] = json!(link);
    }
    Ok(Answer::json(200, body))
}

fn next_link(desk: &Desk<'_>, options: &Options, total: usize) -> Option<String> {
    if let Some(link) = &desk.effects.next_link {
        return Some(link.clone());
    }
    let next = if desk.effects.endless_paging {
        options.skip
    } else {
        options.skip + options.page()
    };
    if next >= total && !desk.effects.endless_paging {
        return None;
    }
    if desk.settings.skip_tokens {
        let token = skip_token(next);
        return Some(desk.links().again(&[("$skiptoken", &token)]));
    }
    Some(desk.links().again(&[("$skip", &next.to_string())]))
}

fn skip_token(skip: usize) -> String {
    base64_simd::URL_SAFE_NO_PAD.encode_to_string(format!("skip {skip}"))
}

fn skip_of(token: &str) -> Result<usize, Problem> {
    let bytes = base64_simd::URL_SAFE_NO_PAD.decode_to_vec(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let skip = text.and_then(|text| text.strip_prefix("skip ")?.parse().ok());
    skip.ok_or_else(|| Problem::bad_request("The skip token is invalid."))
}

fn all_folders<'d>(desk: &'d Desk<'_>) -> Result<Vec<&'d Folder>, Problem> {
    let top = desk.top()?;
    let below = desk.world.descendants(top.key).into_iter();
    let folders = below.filter_map(|key| desk.world.folder(key));
    Ok(folders.filter(|folder| folder.rights.read).collect())
}

/// The newest first, unless another order is wished.
fn sort(views: &mut [MessageView<'_>], options: &Options) {
    let newest = [("receivedDateTime".to_owned(), true)];
    let keys = if options.order_by.is_empty() {
        &newest[..]
    } else {
        &options.order_by[..]
    };
    views.sort_by(|a, b| {
        let (a, b) = (a.view.item, b.view.item);
        let orders = keys.iter().map(|(name, descending)| {
            let order = match name.as_str() {
                "subject" => a.subject.to_lowercase().cmp(&b.subject.to_lowercase()),
                "sentDateTime" => a.facts.sent.cmp(&b.facts.sent),
                "createdDateTime" => a.created.cmp(&b.created),
                _ => a.received.cmp(&b.received),
            };
            if *descending { order.reverse() } else { order }
        });
        orders
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or_else(|| a.key.cmp(&b.key))
    });
}

/// One message.
pub(super) fn one(desk: &Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let options = Options::of(desk.request, &ONE)?;
    let (item, folder) = desk.message(id, folder, |rights| rights.read)?;
    let view = MessageView::new(item, folder, desk.immutable());
    Ok(Answer::json(200, entity(desk, &view, &options)))
}

/// A message with the context of an entity.
pub(super) fn entity(desk: &Desk<'_>, view: &MessageView<'_>, options: &Options) -> Value {
    let mut body = view.json(options);
    body["@odata.context"] = json!(desk.links().context("users('id')/messages/$entity"));
    body
}

/// The MIME content.
pub(super) fn mime(desk: &Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    Options::of(
        desk.request,
        &Allowed {
            options: &[],
            ..ONE
        },
    )?;
    let (item, _) = desk.message(id, folder, |rights| rights.read)?;
    if let Some(code) = &item.mime_failure {
        return Err(Problem::of_store(code));
    }
    let bytes = desk.settings.rendering.render(&item.mime);
    Ok(Answer::mime(&desk.settings.mime_type, bytes))
}

/// The attachments.
pub(super) fn attachments(desk: &Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let (item, folder) = desk.message(id, folder, |rights| rights.read)?;
    let view = MessageView::new(item, folder, desk.immutable());
    let context = desk
        .links()
        .context("users('id')/messages('id')/attachments");
    Ok(Answer::json(
        200,
        json!({"@odata.context": context, "value": view.attachments()}),
    ))
}
