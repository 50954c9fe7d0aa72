//! Operations on folders (Microsoft, "List mailFolders", "Create child folder").

use serde_json::{Value, json};

use super::answer::Answer;
use super::mailbox::{Desk, Outcome};
use super::problem::Problem;
use super::query::{Allowed, Options};
use super::render::{FOLDER, FolderView};
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::tree::NewFolder;

const LIST: Allowed = Allowed {
    kind: "MailFolder",
    properties: FOLDER,
    filterable: &["displayName", "isHidden"],
    sortable: &["displayName"],
    options: &[
        "$top",
        "$skip",
        "$skiptoken",
        "$count",
        "$select",
        "$filter",
        "$orderby",
        "includeHiddenFolders",
    ],
};
const ONE: Allowed = Allowed {
    options: &["$select"],
    ..LIST
};

/// The folders below a folder, or below the top.
pub(super) fn list(desk: &Desk<'_>, parent: Option<&str>) -> Outcome {
    let options = Options::of(desk.request, &LIST)?;
    let parent = match parent {
        Some(named) => desk.folder(named)?,
        None => desk.top()?,
    };
    let children = parent.children.iter();
    let mut views: Vec<_> = children
        .filter_map(|key| {
            let world = &*desk.world;
            world
                .folder(*key)
                .map(|folder| FolderView { folder, world })
        })
        .filter(|view| options.include_hidden || !view.folder.hidden)
        .filter(|view| {
            options
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(view))
        })
        .collect();
    if let Some((_, descending)) = options.order_by.first() {
        views.sort_by_key(|view| view.folder.name.to_lowercase());
        if *descending {
            views.reverse();
        }
    }
    let total = views.len();
    let page = views.iter().skip(options.skip).take(options.page());
    let value: Vec<_> = page.map(|view| view.json(&options)).collect();
    let mut body = json!({
        "@odata.context": desk.links().context("users('id')/mailFolders"),
        "value": value,
    });
    if options.count {
        body["@odata.count"] = json!(total);
    }
    let next = options.skip + options.page();
    if next < total {
        let skip = next.to_string();
        body["@odata.nextLink"] = json!(desk.links().again(&[("$skip", &skip)]));
    }
    Ok(Answer::json(200, body))
}

/// One folder.
pub(super) fn one(desk: &Desk<'_>, named: &str) -> Outcome {
    let options = Options::of(desk.request, &ONE)?;
    let folder = desk.folder(named)?;
    Ok(Answer::json(200, render(desk, folder.key, &options)?))
}

/// A new folder; a name that is there already is HTTP 409.
pub(super) fn create(desk: &mut Desk<'_>, parent: Option<&str>) -> Outcome {
    let options = Options::of(
        desk.request,
        &Allowed {
            options: &[],
            ..ONE
        },
    )?;
    let body = desk.request.json()?;
    let (name, hidden) = wishes(&body)?;
    let parent = parent.unwrap_or("msgfolderroot");
    let parent = desk.folder_with(parent, |rights| rights.create_hierarchy)?;
    let (parent, home) = (parent.key, parent.home);
    let taken = desk
        .world
        .folder(parent)
        .into_iter()
        .flat_map(|one| &one.children);
    let taken = taken.filter_map(|key| desk.world.folder(*key));
    if taken
        .into_iter()
        .any(|one| one.name.to_lowercase() == name.to_lowercase())
    {
        let text = "A folder with the specified name already exists.";
        return Err(Problem::new(409, "ErrorFolderExists", text));
    }
    let key = desk.world.add_folder(NewFolder {
        parent: Some(parent),
        name: &name,
        class: "IPF.Note",
        distinguished: None,
        home,
    });
    if let Some(folder) = desk.world.folder_mut(key) {
        folder.hidden = hidden;
    }
    Ok(Answer::json(201, render(desk, key, &options)?))
}

/// What a new folder shall be; anything else in the body is refused.
fn wishes(body: &Value) -> Result<(String, bool), Problem> {
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members {
        let settable = ["displayName", "isHidden", "@odata.type"].contains(&name.as_str());
        if !settable {
            return Err(Problem::unknown_property(name, "MailFolder"));
        }
    }
    let name = body.get("displayName").and_then(Value::as_str);
    let name = name.filter(|name| !name.trim().is_empty());
    let name = name
        .ok_or_else(|| Problem::new(400, "ErrorInvalidFolderName", "A display name is needed."))?;
    let hidden = body.get("isHidden").map_or(Some(false), Value::as_bool);
    let hidden = hidden.ok_or_else(|| Problem::bad_request("isHidden is a Boolean."))?;
    Ok((name.to_owned(), hidden))
}

fn render(desk: &Desk<'_>, key: FolderKey, options: &Options) -> Result<Value, Problem> {
    let world = &*desk.world;
    let folder = world.folder(key).ok_or_else(Problem::not_found)?;
    let mut body = FolderView { folder, world }.json(options);
    body["@odata.context"] = json!(desk.links().context("users('id')/mailFolders/$entity"));
    Ok(body)
}
