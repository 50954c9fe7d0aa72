//! The attachments: what they are called, and where their bytes lie.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use super::limits::ViewLimits;
use super::{text, tnef, wrapper};
use crate::message::{Disposition, Original, OriginalPart, PartShape, clean_file_name};

/// Bytes of a file name, as most file systems allow.
const MAX_NAME_BYTES: usize = 255;

/// One attachment as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ViewAttachment {
    /// A clean file name: no path, no control or direction characters, no device name, at most 255
    /// bytes, and no other attachment of the mail has it, whatever the case. Not escaped for HTML.
    pub name: String,
    /// The media type by the mail's own word, in lower case; never a reason to open it.
    pub media_type: String,
    /// Bytes after decoding.
    pub size: u64,
    /// The Content-ID without brackets.
    pub content_id: Option<String>,
    /// Whether it is meant to be shown inside the text.
    pub inline: bool,
    /// Whether it was inside a `winmail.dat`.
    pub from_tnef: bool,
}

/// An attachment and where its bytes lie.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) shown: ViewAttachment,
    part: usize,
    /// Where in the decoded part; None for all of it.
    inside: Option<Range<usize>>,
}

pub(super) fn list(original: &Original<'_>, limits: &ViewLimits) -> Vec<Listed> {
    let mut listed = Vec::new();
    let mut names = BTreeSet::new();
    for (index, part) in original.parts.iter().enumerate() {
        if listed.len() >= limits.attachments {
            break;
        }
        let is_saved = part.shape != PartShape::Multipart && !text::is_body(part);
        if part.embedded || !is_saved {
            continue;
        }
        let bytes = original.bytes(part);
        let shown = of_part(part, bytes.len(), &mut names);
        listed.push(Listed {
            shown,
            part: index,
            inside: None,
        });
        if wrapper::is_tnef_name(part) || part.media_type.ends_with("ms-tnef") {
            let room = limits.attachments - listed.len();
            for file in tnef::files(&bytes, room) {
                listed.push(of_tnef(file, index, &mut names));
            }
        }
    }
    listed
}

pub(super) fn bytes<'o>(original: &'o Original<'_>, listed: &Listed) -> Cow<'o, [u8]> {
    let Some(part) = original.parts.get(listed.part) else {
        return Cow::Borrowed(&[]);
    };
    let bytes = original.bytes(part);
    match &listed.inside {
        None => bytes,
        Some(range) => Cow::Owned(bytes.get(range.clone()).unwrap_or_default().to_vec()),
    }
}

fn of_part(part: &OriginalPart, size: usize, names: &mut BTreeSet<String>) -> ViewAttachment {
    ViewAttachment {
        name: unique(&name(part), names),
        media_type: part.media_type.clone(),
        size: size as u64,
        content_id: part.content_id.clone(),
        inline: match part.disposition {
            Disposition::Inline => true,
            Disposition::Attachment => false,
            Disposition::Unsaid => part.related && part.content_id.is_some(),
        },
        from_tnef: false,
    }
}

fn of_tnef(file: tnef::File, part: usize, names: &mut BTreeSet<String>) -> Listed {
    let clean = clean_file_name(&file.name);
    let name = if clean.is_empty() {
        "attachment"
    } else {
        &clean
    };
    Listed {
        shown: ViewAttachment {
            name: unique(name, names),
            media_type: "application/octet-stream".to_owned(),
            size: file.data.len() as u64,
            content_id: None,
            inline: false,
            from_tnef: true,
        },
        part,
        inside: Some(file.data),
    }
}

/// The name that the mail gives, or one that says what it is. A mail is always an `.eml`.
fn name(part: &OriginalPart) -> String {
    let given = part.name.as_deref();
    match (&*part.media_type, given) {
        ("message/rfc822" | "message/global", Some(name)) if !has_extension(name, "eml") => {
            with_suffix(name, ".eml")
        }
        (_, Some(name)) => name.to_owned(),
        (media_type, None) => default_name(media_type).to_owned(),
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    let found = name.rsplit_once('.').map(|(_, found)| found);
    found.is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn default_name(media_type: &str) -> &'static str {
    match media_type {
        "message/rfc822" | "message/global" => "message.eml",
        "text/calendar" => "invite.ics",
        "text/plain" => "text.txt",
        "text/html" => "text.html",
        "image/png" => "image.png",
        "image/jpeg" => "image.jpg",
        "image/gif" => "image.gif",
        "application/pdf" => "document.pdf",
        "application/pkcs7-mime" | "application/x-pkcs7-mime" => "smime.p7m",
        "application/pkcs7-signature" | "application/x-pkcs7-signature" => "smime.p7s",
        "application/ms-tnef" | "application/vnd.ms-tnef" => "winmail.dat",
        "application/pgp-signature" => "signature.asc",
        "application/pgp-encrypted" => "encrypted.asc",
        _ => "attachment",
    }
}

/// A name that is not taken yet: `offer.pdf`, `offer (2).pdf`, and so on.
fn unique(name: &str, names: &mut BTreeSet<String>) -> String {
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name, String::new()),
    };
    let mut candidate = name.to_owned();
    let mut number = names.len().max(1);
    while !names.insert(candidate.to_lowercase()) {
        number += 1;
        candidate = with_suffix(stem, &format!(" ({number}){extension}"));
    }
    candidate
}

fn with_suffix(stem: &str, suffix: &str) -> String {
    let room = MAX_NAME_BYTES.saturating_sub(suffix.len());
    format!("{}{suffix}", text::cut(stem, room))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_whatever_the_case() {
        let mut names = BTreeSet::new();
        let given = ["a.pdf", "A.PDF", "a.pdf", "a", "a"];
        let made: Vec<_> = given.iter().map(|name| unique(name, &mut names)).collect();
        assert_eq!(made, ["a.pdf", "A (2).PDF", "a (3).pdf", "a", "a (5)"]);
        let long = format!("{}.pdf", "x".repeat(251));
        assert_eq!(unique(&long, &mut names), long);
        let second = unique(&long, &mut names);
        assert_eq!((second.len(), second.ends_with(" (7).pdf")), (255, true));
    }
}
