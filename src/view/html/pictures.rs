//! The pictures that a mail brings along, as `data:` addresses.
//!
//! What a picture is, its first bytes say, not its media type; only raster formats are shown.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64_simd::STANDARD;

use crate::message::{Original, PartShape};
use crate::view::limits::ViewLimits;

/// Pictures by their Content-ID.
#[derive(Debug)]
pub(super) struct Pictures {
    by_id: BTreeMap<String, String>,
    one: usize,
    room: AtomicUsize,
    shown: AtomicUsize,
}

impl Pictures {
    pub(super) fn of(original: &Original<'_>, limits: &ViewLimits) -> Self {
        let mut pictures = Self {
            one: limits.picture_bytes,
            room: AtomicUsize::new(limits.pictures_bytes),
            ..Self::none()
        };
        let mut kept = 0;
        for part in original.parts.iter().filter(|part| !part.embedded) {
            let (Some(id), PartShape::Leaf) = (&part.content_id, part.shape) else {
                continue;
            };
            let bytes = original.bytes(part);
            if kept + bytes.len() > limits.pictures_bytes {
                continue;
            }
            if let Some(address) = address(&bytes, limits.picture_bytes) {
                kept += bytes.len();
                pictures.by_id.entry(id.clone()).or_insert(address);
            }
        }
        pictures
    }

    pub(super) fn none() -> Self {
        Self {
            by_id: BTreeMap::new(),
            one: 0,
            room: AtomicUsize::new(0),
            shown: AtomicUsize::new(0),
        }
    }

    pub(super) fn shown(&self) -> usize {
        self.shown.load(Ordering::Relaxed)
    }

    /// The address that shows what a `cid:` address names (RFC 2392).
    pub(super) fn of_id(&self, id: &str) -> Option<String> {
        let id = percent_decoded(id);
        let id = id.trim_matches(['<', '>', ' ']);
        let address = self.by_id.get(id)?;
        self.spend(address.clone())
    }

    /// A `data:` address made anew from the picture in it.
    pub(super) fn of_data(&self, data: &str) -> Option<String> {
        let (kind, data) = data.split_once(',')?;
        if data.len() / 4 * 3 > self.one || !kind.to_ascii_lowercase().ends_with(";base64") {
            return None;
        }
        let data = percent_decoded(data);
        let data: Vec<u8> = data.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
        let bytes = STANDARD.decode_to_vec(&data).ok()?;
        self.spend(address(&bytes, self.one)?)
    }

    fn spend(&self, address: String) -> Option<String> {
        let less = |room: usize| room.checked_sub(address.len() / 4 * 3);
        let spent = self
            .room
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        spent.ok()?;
        self.shown.fetch_add(1, Ordering::Relaxed);
        Some(address)
    }
}

fn address(bytes: &[u8], limit: usize) -> Option<String> {
    let kind = kind(bytes).filter(|_| bytes.len() <= limit)?;
    Some(format!(
        "data:{kind};base64,{}",
        STANDARD.encode_to_string(bytes)
    ))
}

fn kind(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok());
        let byte = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let byte = byte.filter(|_| *first == b'%');
        decoded.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            behind.get(2..).unwrap_or_default()
        } else {
            behind
        };
    }
    Cow::Owned(String::from_utf8_lossy(&decoded).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_raster_pictures_within_the_limit_are_shown() {
        let png = b"\x89PNG\r\n\x1a\nrest";
        assert_eq!(
            address(png, 100),
            Some("data:image/png;base64,iVBORw0KGgpyZXN0".into())
        );
        assert_eq!(address(png, 5), None);
        assert_eq!(address(b"<svg onload=alert(1)>", 100), None);
        assert_eq!(kind(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        assert_eq!(percent_decoded("a%40b%zz%"), "a@b%zz%");
    }
}
