//! Exchange (X.500) addresses where MIME has an addr-spec.

/// The X.500 text of an address that is one: written as it is, or encapsulated as `IMCEAEX-`
/// (MS-OXCMAIL, IMCEA encapsulation: `/` as `_`, anything else but letters, digits, `=` and `-` as
/// `+` and two hexadecimal digits).
pub(super) fn read(spec: &str) -> Option<String> {
    if starts_with(spec, "/o=") {
        return Some(spec.to_owned());
    }
    let encapsulated = spec.get("IMCEAEX-".len()..)?;
    if !starts_with(spec, "IMCEAEX-") {
        return None;
    }
    let (local, _domain) = encapsulated.rsplit_once('@')?;
    Some(decoded(local))
}

fn starts_with(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

fn decoded(local: &str) -> String {
    let mut bytes = Vec::with_capacity(local.len());
    let mut rest = local.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match (byte, after) {
            (b'_', _) => bytes.push(b'/'),
            (b'+', [high, low, ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                bytes.push(hex(*high) << 4 | hex(*low));
                rest = &after[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}")
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn encapsulated_names_are_taken_apart() {
        let table = [
            (
                "IMCEAEX-_O=A_OU=FIRST+20ADMIN+20GROUP_CN=x+2Ey@b.example",
                Some("/O=A/OU=FIRST ADMIN GROUP/CN=x.y"),
            ),
            ("imceaex-_o=a@b.example", Some("/o=a")),
            ("IMCEAEX-_O=A+2@b.example", Some("/O=A+2")),
            ("/O=A/CN=b", Some("/O=A/CN=b")),
            ("IMCEAEX-_O=A", None),
            ("ada@b.example", None),
            ("\u{fc}\u{fc}\u{fc}\u{fc}\u{fc}@b.example", None),
        ];
        for (spec, name) in table {
            assert_eq!(read(spec).as_deref(), name, "{spec}");
        }
    }
}
