//! Meeting mail whose header block names only a `multipart/alternative`: the method stands at its
//! calendar part.

use super::fields::Field;
use super::kind;
use super::parts::walk;
use crate::message::{ItemClass, MessageLimits};

/// Exchange marks meeting mail with this header.
pub(super) fn is_meeting(fields: &[Field<'_>]) -> bool {
    fields
        .iter()
        .any(|field| field.is("Content-Class") && field.keyword() == MEETING)
}

const MEETING: &str = "urn:content-classes:calendarmessage";

/// The class by the first calendar part; a meeting mail without a method is a request.
pub(super) fn class(beginning: &[u8], limits: &MessageLimits) -> ItemClass {
    let parts = walk(beginning, limits);
    parts
        .list
        .iter()
        .filter(|part| part.media_type == "text/calendar")
        .map(|part| kind::class(&part.media_type, part.content_type.as_ref()))
        .find(|class| *class != ItemClass::Mail)
        .unwrap_or(ItemClass::MeetingRequest)
}
