//! Changing, moving, copying and removing messages (Microsoft, "message: move", "message: copy", "Delete message").

use serde_json::Value;

use super::answer::Answer;
use super::mailbox::{Desk, Outcome};
use super::messages::entity;
use super::problem::Problem;
use super::query::Options;
use super::render::MessageView;
use crate::testkit::exchange::store::item::ItemKey;

/// Moves a message: the changing id becomes another, the immutable one stays.
pub(super) fn move_message(desk: &mut Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let destination = destination(desk)?;
    let (item, _) = desk.message(id, folder, |rights| rights.read && rights.delete)?;
    let key = item.key;
    let target = desk.target(&destination, item.size())?;
    let moved = if desk.effects.move_leaves_original {
        desk.world.copy_item(key, target)
    } else {
        desk.world.move_item(key, target)
    };
    made(desk, moved)
}

/// Copies a message; the copy has ids of its own and the same search key.
pub(super) fn copy_message(desk: &mut Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let destination = destination(desk)?;
    let (item, _) = desk.message(id, folder, |rights| rights.read)?;
    let key = item.key;
    let target = desk.target(&destination, item.size())?;
    let copied = desk.world.copy_item(key, target);
    made(desk, copied)
}

fn destination(desk: &Desk<'_>) -> Result<String, Problem> {
    let body = desk.request.json()?;
    let members = body.as_object().into_iter().flatten();
    for (name, _) in members {
        if !name.eq_ignore_ascii_case("destinationId") {
            let text =
                format!("The parameter '{name}' in the request payload is not a valid parameter.");
            return Err(Problem::bad_request(text));
        }
    }
    let wanted = body
        .get("destinationId")
        .or_else(|| body.get("DestinationId"));
    let wanted = wanted.and_then(Value::as_str).map(str::to_owned);
    wanted.ok_or_else(|| Problem::new(400, "ErrorInvalidRequest", "destinationId is needed."))
}

fn made(desk: &Desk<'_>, key: Option<ItemKey>) -> Outcome {
    let item = key.and_then(|key| desk.world.item(key));
    let item = item.ok_or_else(Problem::not_found)?;
    let folder = desk
        .world
        .folder(item.folder)
        .ok_or_else(Problem::not_found)?;
    let view = MessageView::new(item, folder, desk.immutable());
    Ok(Answer::json(201, entity(desk, &view, &Options::default())))
}

/// Sets `isRead`; nothing else can be changed here.
pub(super) fn update(desk: &mut Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let body = desk.request.json()?;
    let mut read = None;
    for (name, value) in body.as_object().into_iter().flatten() {
        match (name.as_str(), value.as_bool()) {
            ("isRead", Some(value)) => read = Some(value),
            ("isRead", None) => return Err(Problem::bad_request("isRead is a Boolean.")),
            _ => return Err(Problem::unknown_property(name, "Message")),
        }
    }
    let (item, _) = desk.message(id, folder, |rights| rights.modify)?;
    let key = item.key;
    if let Some(read) = read {
        desk.world.change(key, |item| item.is_read = read);
    }
    made(desk, Some(key)).map(|answer| Answer {
        status: 200,
        ..answer
    })
}

/// Moves a message to Deleted Items, from there out of sight.
pub(super) fn delete(desk: &mut Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let (item, _) = desk.message(id, folder, |rights| rights.delete)?;
    let (key, home) = (item.key, item.folder);
    let bin = desk.folder("deleteditems")?.key;
    if home == bin {
        desk.world.remove(key);
    } else {
        desk.world.move_item(key, bin);
    }
    Ok(Answer::empty(204))
}

/// Removes a message where its owner cannot see it again.
pub(super) fn purge(desk: &mut Desk<'_>, id: &str, folder: Option<&str>) -> Outcome {
    let (item, _) = desk.message(id, folder, |rights| rights.delete)?;
    let key = item.key;
    desk.world.remove(key);
    Ok(Answer::empty(204))
}
