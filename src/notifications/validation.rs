//! The token by which Graph tries an address.

use std::borrow::Cow;

/// Bytes of the longest token that is echoed; Graph's are some hundred.
const LONGEST: usize = 1024;

/// What a query says about a validation token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// There is none.
    None,
    /// It is to be echoed.
    Echo(Vec<u8>),
    /// It is none of Graph's, and is not echoed.
    Refused,
}

/// Looks for the token. What could be markup, or is no plain text, is refused: nobody gets a page by this address.
pub(super) fn token(query: &str) -> Token {
    let mut found = query.split('&').filter_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == "validationToken").then_some(value)
    });
    match (found.next(), found.next()) {
        (None, _) => Token::None,
        (Some(value), None) if value.len() <= 3 * LONGEST => decoded(value)
            .filter(|token| is_plain(token))
            .map_or(Token::Refused, Token::Echo),
        _ => Token::Refused,
    }
}

fn is_plain(token: &[u8]) -> bool {
    let plain = |byte: &u8| matches!(byte, b' '..=b'~') && !b"<>&\"'`".contains(byte);
    (1..=LONGEST).contains(&token.len()) && token.iter().all(plain)
}

/// Decodes a value of a query: percent signs with two hexadecimal digits, a plus for a blank.
fn decoded(value: &str) -> Option<Vec<u8>> {
    let value: Cow<'_, str> = if value.contains('+') {
        value.replace('+', " ").into()
    } else {
        value.into()
    };
    let mut pieces = value.as_bytes().split(|byte| *byte == b'%');
    let mut bytes = pieces.next()?.to_vec();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let digits = std::str::from_utf8(digits).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(rest);
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_decoded_and_what_could_be_markup_is_refused() {
        let echo = |text: &str| Token::Echo(text.as_bytes().to_vec());
        let long = "a".repeat(LONGEST);
        for (query, wanted) in [
            ("", Token::None),
            ("a=b&validationtoken=x", Token::None),
            ("validationToken=abc", echo("abc")),
            ("x=1&validationToken=a%3a+b%2F%2b&y", echo("a: b/+")),
            (&format!("validationToken={long}"), echo(&long)),
            (&format!("validationToken={long}a"), Token::Refused),
            ("validationToken=", Token::Refused),
            ("validationToken", Token::Refused),
            ("validationToken=a&validationToken=a", Token::Refused),
            ("validationToken=%3Cscript%3E", Token::Refused),
            ("validationToken=a%22b", Token::Refused),
            ("validationToken=a%0d%0ab", Token::Refused),
            ("validationToken=%C3%A4", Token::Refused),
            ("validationToken=%4", Token::Refused),
            ("validationToken=%+1", Token::Refused),
            ("validationToken=%zz", Token::Refused),
            ("validationToken=%", Token::Refused),
        ] {
            assert_eq!(token(query), wanted, "{query}");
        }
    }
}
