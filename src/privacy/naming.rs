//! Whether a text names an address: the whole address, not one that it is a part of.
//!
//! What is erased is gone for good, so that `ann@corp.example` is not found in `joann@corp.example`, in
//! `ann@corp.example.org` or in `ann@corp.example-gmbh.org`. It must not know where the text stands.

/// Whether a text names an address in its normalised form, in any case.
///
/// The characters of RFC 5322, section 3.2.3, that an address can go on with belong to a longer one, but for those that
/// people and programs write between addresses: `=`, `/`, `?`, `&`, `|`. A mark beside the address that has no letter or digit
/// behind it is punctuation: `'ann@corp.example'`, `ann@corp.example.`
pub(crate) fn names(text: &str, address: &str) -> bool {
    let (text, address) = (text.to_lowercase(), address.to_lowercase());
    if address.is_empty() {
        return false;
    }
    let mut at = 0;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find(&address)) {
        let start = at + found;
        let end = start + address.len();
        let (before, after) = (text.get(..start), text.get(end..));
        if !goes_on_before(before.unwrap_or_default(), &address)
            && !goes_on_after(after.unwrap_or_default(), &address)
        {
            return true;
        }
        at = start + address.chars().next().map_or(1, char::len_utf8);
    }
    false
}

/// Whether one of the strings of a JSON value names an address. What is no JSON is taken as a text.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn names_in_json(json: &str, address: &str) -> bool {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(value) => names_in(&value, address),
        Err(_) => names(json, address),
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres"))]
fn names_in(value: &serde_json::Value, address: &str) -> bool {
    match value {
        serde_json::Value::String(text) => names(text, address),
        serde_json::Value::Array(all) => all.iter().any(|one| names_in(one, address)),
        serde_json::Value::Object(all) => all
            .iter()
            .any(|(name, one)| names(name, address) || names_in(one, address)),
        _ => false,
    }
}

/// Whether the local part begins before the match.
fn goes_on_before(before: &str, address: &str) -> bool {
    let own = address.chars().next();
    for c in before.chars().rev() {
        if c.is_alphanumeric() {
            return !is_unspaced(c) || own.is_some_and(is_unspaced);
        }
        // Only a mark that can stand within a local part leaves it open.
        if !"!#$%'*+-^_`{}~.".contains(c) {
            return false;
        }
    }
    false
}

/// Whether the domain ends behind the match: with another label, or within a longer one.
fn goes_on_after(after: &str, address: &str) -> bool {
    let own = address.chars().next_back();
    let mut rest = after.chars();
    let mut next = rest.next();
    if next == Some('.') {
        next = rest.next();
    } else {
        while next == Some('-') {
            next = rest.next();
        }
    }
    next.is_some_and(|c| c.is_alphanumeric() && (!is_unspaced(c) || own.is_some_and(is_unspaced)))
}

/// Letters of scripts that put no space between words: Thai, Lao, Khmer, kana, Han, Hangul.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1780}'..='\u{17ff}' | '\u{3040}'..='\u{30ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}'
        | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: &str = "ann@corp.example";

    #[test]
    fn an_address_is_named_whatever_stands_around_it() {
        for text in [
            "ann@corp.example",
            "as I wrote to ANN@Corp.Example.",
            "<ann@corp.example>",
            "'ann@corp.example', \"ann@corp.example\"",
            "*ann@corp.example*",
            "_ann@corp.example_",
            "mailto:ann@corp.example?subject=x",
            "to=ann@corp.example&cc=x",
            "(ann@corp.example)",
            "-- ann@corp.example --",
            "joann@corp.example and ann@corp.example",
            "\u{5199}\u{7ed9}ann@corp.example\u{3002}",
            "\u{5199}\u{7ed9}ann@corp.example\u{7684}",
            "a line\nann@corp.example\nanother",
            "bob@corp.example/ann@corp.example",
        ] {
            assert!(names(text, ANN), "{text}");
        }
    }

    #[test]
    fn a_longer_address_is_another_ones() {
        for text in [
            "",
            "joann@corp.example",
            "jo.ann@corp.example",
            "jo-ann@corp.example",
            "jo+ann@corp.example",
            "jo_ann@corp.example",
            "o'ann@corp.example",
            "\u{e9}ann@corp.example",
            "ann@corp.example.org",
            "ann@corp.examples",
            "ann@corp.example-gmbh.org",
            "ann@corp.example2",
            "bob@ann@corp.example.org",
        ] {
            assert!(!names(text, ANN), "{text}");
        }
        assert!(!names("brien@corp.example", ""), "nobody");
    }

    #[cfg(any(feature = "sqlite", feature = "postgres"))]
    #[test]
    fn a_string_of_json_is_read_as_it_is_meant() {
        let line = serde_json::to_string("first\nann@corp.example\tlast").unwrap_or_default();
        assert!(names_in_json(&line, ANN), "{line}");
        assert!(names_in_json(r#"[{"a":["Ann@corp.example"]}]"#, ANN));
        assert!(!names_in_json(r#"[{"a":["joann@corp.example"]}]"#, ANN));
        assert!(names_in_json("no JSON: ann@corp.example", ANN));
    }
}
