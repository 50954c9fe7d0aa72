//! The files inside Outlook's `winmail.dat` (MS-OXTNEF 2.1.3), found in one pass.
//!
//! Reads the attributes of the attachments alone. Every length is held against what is left, and
//! nothing is copied but names; checksums are not asked for.

use std::ops::Range;

const SIGNATURE: u32 = 0x223e_9f78;
const ATTACH_REND_DATA: u32 = 0x0006_9002;
const ATTACH_TITLE: u32 = 0x0001_8010;
const ATTACH_DATA: u32 = 0x0006_800f;
const ATTACHMENT: u32 = 0x0006_9005;
/// PidTagAttachLongFilename and PidTagAttachDataBinary (MS-OXPROPS).
const LONG_FILE_NAME: u16 = 0x3707;
const DATA_BINARY: u16 = 0x3701;
const MAX_NAME_BYTES: usize = 1_024;
/// Properties of one attachment, and values of one property, that are looked at.
const MAX_PROPERTIES: u32 = 4_096;

/// One file.
#[derive(Debug, PartialEq)]
pub(super) struct File {
    /// As it is written there: not clean.
    pub(super) name: String,
    /// Where its bytes lie.
    pub(super) data: Range<usize>,
}

/// The files of a `winmail.dat`, at most `limit`. What is damaged ends the list.
pub(super) fn files(tnef: &[u8], limit: usize) -> Vec<File> {
    let mut files = Vec::new();
    let mut reader = Reader { bytes: tnef, at: 0 };
    if reader.u32() == Some(SIGNATURE) && reader.skip(2).is_some() {
        while let Some((id, data)) = attribute(&mut reader) {
            if id == ATTACH_REND_DATA {
                if files.len() >= limit {
                    break;
                }
                files.push(File {
                    name: String::new(),
                    data: 0..0,
                });
            } else if let Some(file) = files.last_mut() {
                apply(file, id, tnef, data);
            }
        }
    }
    files.retain(|file| !file.data.is_empty() || !file.name.is_empty());
    files
}

/// The next attribute: level, id, length, data, checksum.
fn attribute(reader: &mut Reader<'_>) -> Option<(u32, Range<usize>)> {
    reader.skip(1)?;
    let id = reader.u32()?;
    let length = reader.length()?;
    let data = reader.range(length)?;
    // The last checksum may be cut off.
    let _ = reader.skip(2);
    Some((id, data))
}

fn apply(file: &mut File, id: u32, tnef: &[u8], data: Range<usize>) {
    match id {
        ATTACH_TITLE if file.name.is_empty() => {
            file.name = narrow(tnef.get(data).unwrap_or_default());
        }
        ATTACH_DATA => file.data = data,
        ATTACHMENT => {
            let mut reader = Reader {
                bytes: tnef.get(..data.end).unwrap_or_default(),
                at: data.start,
            };
            let _ = properties(&mut reader, file);
        }
        _ => {}
    }
}

/// The property list of an attachment (MS-OXTNEF 2.1.3.4): its long name is the better one.
fn properties(reader: &mut Reader<'_>, file: &mut File) -> Option<()> {
    let count = reader.u32()?.min(MAX_PROPERTIES);
    for _ in 0..count {
        let kind = reader.u16()?;
        let id = reader.u16()?;
        if id >= 0x8000 {
            skip_name(reader)?;
        }
        let value = value(reader, kind)?;
        match (id, kind) {
            (LONG_FILE_NAME, 0x001f) => file.name = wide(reader.bytes.get(value)?),
            (LONG_FILE_NAME, 0x001e) => file.name = narrow(reader.bytes.get(value)?),
            (DATA_BINARY, 0x0102) if file.data.is_empty() => file.data = value,
            _ => {}
        }
    }
    Some(())
}

/// The GUID and the id or text that name a property of one's own.
fn skip_name(reader: &mut Reader<'_>) -> Option<()> {
    reader.skip(16)?;
    if reader.u32()? == 0 {
        return reader.skip(4);
    }
    let length = reader.length()?;
    reader.skip(padded(length)?)
}

/// The last value of a property; the places are padded to four bytes.
fn value(reader: &mut Reader<'_>, kind: u16) -> Option<Range<usize>> {
    let several = kind & 0x1000 != 0;
    let fixed = match kind & 0x0fff {
        0x0002 | 0x0003 | 0x0004 | 0x000a | 0x000b => Some(4),
        0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Some(8),
        0x0048 => Some(16),
        0x000d | 0x001e | 0x001f | 0x0102 => None,
        _ => return None,
    };
    let count = if several || fixed.is_none() {
        reader.u32()?
    } else {
        1
    };
    if count > MAX_PROPERTIES {
        return None;
    }
    let mut last = reader.at..reader.at;
    for _ in 0..count {
        let length = match fixed {
            Some(length) => length,
            None => reader.length()?,
        };
        last = reader.range(length)?;
        reader.skip(padded(length)? - length)?;
    }
    Some(last)
}

fn padded(length: usize) -> Option<usize> {
    length.checked_next_multiple_of(4)
}

fn narrow(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let name = bytes.get(..end.min(MAX_NAME_BYTES)).unwrap_or_default();
    // The code page is seldom named; names in UTF-8 and ASCII are right, others keep their shape.
    String::from_utf8_lossy(name).into_owned()
}

fn wide(bytes: &[u8]) -> String {
    let units = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair));
    let units: Vec<u16> = units
        .take_while(|unit| *unit != 0)
        .take(MAX_NAME_BYTES)
        .collect();
    String::from_utf16_lossy(&units)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn range(&mut self, length: usize) -> Option<Range<usize>> {
        let end = self.at.checked_add(length)?;
        self.bytes.get(self.at..end)?;
        let range = self.at..end;
        self.at = end;
        Some(range)
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.range(length).map(drop)
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let range = self.range(N)?;
        self.bytes.get(range)?.try_into().ok()
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.u32()?).ok()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn attribute(id: u32, data: &[u8]) -> Vec<u8> {
        let length = (data.len() as u32).to_le_bytes();
        [&[2], &id.to_le_bytes()[..], &length, data, &[0, 0]].concat()
    }

    fn long_name(name: &str) -> Vec<u8> {
        let mut wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        wide.extend([0, 0]);
        let length = (wide.len() as u32).to_le_bytes();
        wide.resize(wide.len().next_multiple_of(4), 0);
        let other = [0x0b, 0, 0x01, 0x0e, 1, 0, 0, 0];
        let head = [0x1f, 0, 0x07, 0x37, 1, 0, 0, 0];
        [&2_u32.to_le_bytes()[..], &other, &head, &length, &wide].concat()
    }

    fn winmail() -> Vec<u8> {
        [
            SIGNATURE.to_le_bytes().to_vec(),
            vec![1, 0],
            attribute(ATTACH_REND_DATA, &[0; 14]),
            attribute(ATTACH_TITLE, b"OFFER~1.PDF\0"),
            attribute(ATTACH_DATA, b"%PDF-1"),
            attribute(ATTACHMENT, &long_name("Offer f\u{fc}r Tim.pdf")),
            attribute(ATTACH_REND_DATA, &[0; 14]),
            attribute(ATTACH_TITLE, b"b.txt\0"),
            attribute(ATTACH_DATA, b"two"),
        ]
        .concat()
    }

    #[test]
    fn files_have_their_long_names_and_bytes() {
        let tnef = winmail();
        let found = files(&tnef, 10);
        let shown: Vec<_> = found
            .iter()
            .map(|file| (&*file.name, &tnef[file.data.clone()]))
            .collect();
        let expected = [
            ("Offer f\u{fc}r Tim.pdf", &b"%PDF-1"[..]),
            ("b.txt", b"two"),
        ];
        assert_eq!(shown, expected);
        assert_eq!(files(&tnef, 1).len(), 1);
        assert_eq!(files(b"MZ", 1), []);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(
            at in 0..200_usize, noise in prop::collection::vec(any::<u8>(), 0..60)
        ) {
            let mut tnef = winmail();
            let at = at.min(tnef.len());
            tnef.truncate(at);
            tnef.extend(noise);
            for file in files(&tnef, 10) {
                prop_assert!(tnef.get(file.data).is_some());
            }
        }
    }
}
