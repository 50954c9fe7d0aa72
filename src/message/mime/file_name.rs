//! File names of attachments that are safe to show and to save under.

use mail_parser::ContentType;

use super::decode;

const MAX_BYTES: usize = 255;

/// The file name that a part gives, as it is written.
pub(super) fn raw<'p>(
    content_type: Option<&'p ContentType<'static>>,
    disposition: Option<&'p ContentType<'static>>,
) -> Option<&'p str> {
    let named = disposition.and_then(|header| header.attribute("filename"));
    named.or_else(|| content_type.and_then(|header| header.attribute("name")))
}

/// The file name that a part gives, decoded and clean; empty when nothing is left of it.
pub(super) fn given(
    content_type: Option<&ContentType<'static>>,
    disposition: Option<&ContentType<'static>>,
) -> Option<String> {
    raw(content_type, disposition).map(|raw| clean(&decode::words(raw)))
}

/// A clean file name: the last part of a path, without control, direction and invisible characters,
/// without what Windows does not allow, never a device name, at most 255 bytes. Empty when nothing
/// is left.
pub(super) fn clean(name: &str) -> String {
    let last = name
        .rsplit(['/', '\\', '\0'])
        .find(|part| !part.trim().is_empty());
    let kept: String = last
        .unwrap_or_default()
        .chars()
        .filter(|c| !is_hidden(*c))
        .map(|c| if "<>:\"|?*".contains(c) { '_' } else { c })
        .collect();
    let trimmed = trim(&kept);
    let safe = if is_device(trimmed) {
        format!("_{trimmed}")
    } else {
        trimmed.to_owned()
    };
    shorten(&safe)
}

fn trim(name: &str) -> &str {
    name.trim()
        .trim_end_matches(|c: char| c == '.' || c.is_whitespace())
}

fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{61c}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
        )
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The device names of Windows count with any extension (Microsoft, "Naming Files, Paths, and
/// Namespaces").
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    let stem = stem.to_ascii_uppercase();
    if matches!(&*stem, "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$") {
        return true;
    }
    let port = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    port.is_some_and(|number| {
        let mut digits = number.chars();
        matches!(
            (digits.next(), digits.next()),
            (Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'), None)
        )
    })
}

/// Cuts the stem, so that the extension stays.
fn shorten(name: &str) -> String {
    if name.len() <= MAX_BYTES {
        return name.to_owned();
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.len() <= 32 => (stem, extension),
        _ => (name, ""),
    };
    let room = MAX_BYTES - extension.len() - 1;
    let stem = trim(&stem[..stem.floor_char_boundary(room)]);
    if extension.is_empty() {
        stem.to_owned()
    } else {
        format!("{stem}.{extension}")
    }
}

#[cfg(test)]
mod tests {
    use super::clean;
    use proptest::prelude::*;

    #[test]
    fn names_are_cleaned() {
        let table = [
            ("offer.pdf", "offer.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\b.doc", "b.doc"),
            ("C:con", "C_con"),
            ("con", "_con"),
            ("CON .txt", "_CON .txt"),
            ("com1.log", "_com1.log"),
            ("COM\u{b9}", "_COM\u{b9}"),
            ("com10.log", "com10.log"),
            ("nul\0l", "l"),
            ("exe.\u{202e}fdp.exe", "exe.fdp.exe"),
            ("a\r\nb\t.txt", "ab.txt"),
            ("name. . ", "name"),
            ("..", ""),
            ("///", ""),
            ("a<b>|c?.txt", "a_b__c_.txt"),
            ("\u{fc}ber\u{200b}sicht.xls", "\u{fc}bersicht.xls"),
        ];
        for (name, cleaned) in table {
            assert_eq!(clean(name), cleaned, "{name:?}");
        }
    }

    #[test]
    fn long_names_keep_their_extension() {
        let name = clean(&format!("{}.pdf", "\u{fc}".repeat(5_000)));
        assert_eq!(name.len(), 254);
        assert!(name.ends_with("\u{fc}.pdf"));
        assert_eq!(clean(&"x".repeat(10_000)).len(), 254);
    }

    proptest! {
        #[test]
        fn any_name_becomes_a_safe_one(name in "[\\PC\\\\/.:\0-\u{1f}\u{202e} ]{0,300}") {
            let cleaned = clean(&name);
            prop_assert!(cleaned.len() <= 255);
            let unsafe_one = ['/', '\\', '\0', '\u{202e}', ':'];
            prop_assert!(!cleaned.contains(unsafe_one));
            prop_assert!(!cleaned.ends_with(['.', ' ']));
            prop_assert_eq!(clean(&cleaned), cleaned);
        }
    }
}
