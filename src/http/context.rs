//! What an answer's headers say about the servers and the refusal.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::error::ServerContext;

const SERVERS: &[&str] = &[
    "x-feserver",
    "x-beserver",
    "x-targetbeserver",
    "x-calculatedbetarget",
];

/// Reads the server's own words out of the headers of an answer.
pub(crate) fn server_context(status: u16, sent_id: &str, headers: &HeaderMap) -> ServerContext {
    ServerContext {
        status: Some(status),
        response_code: diagnostics(headers),
        client_request_id: Some(sent_id.to_owned()),
        request_id: header(headers, "request-id"),
        servers: SERVERS
            .iter()
            .filter_map(|name| header(headers, name))
            .collect(),
        offered_schemes: offered_schemes(headers),
    }
}

/// The text of a header, printable ASCII only and at most 200 characters. The tabs that a header may hold are left out.
pub(crate) fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    let text = headers.get(name)?.to_str().ok()?;
    Some(printable(text, 200))
}

fn printable(text: &str, most: usize) -> String {
    let printable = text.chars().filter(|c| !c.is_control());
    printable.take(most).collect()
}

/// The reason may be long: it is read whole, and what is kept of it is short.
fn diagnostics(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("x-ms-diagnostics")?.to_str().ok()?;
    Some(printable(&reason(text), 200))
}

/// The number and category of `x-ms-diagnostics` (`2000002;reason="…";error_category="token_expired"`); the reason may
/// name a person and is left out.
fn reason(text: &str) -> String {
    let id: String = text.chars().take_while(char::is_ascii_digit).collect();
    let category = text.split_once("error_category=\"").map(|(_, rest)| rest);
    match category.and_then(|rest| rest.split_once('"')) {
        Some((category, _)) => format!("{id} {category}"),
        None => id,
    }
}

/// The schemes of all challenges; one line may hold several, separated as parameters are (RFC 9110, 11.6.1).
fn offered_schemes(headers: &HeaderMap) -> Vec<String> {
    let values = headers
        .get_all(WWW_AUTHENTICATE)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let schemes = values.flat_map(challenges).filter_map(scheme);
    schemes.map(|scheme| printable(scheme, 40)).collect()
}

/// The parts of a line between commas that stand in no quoted text.
fn challenges(line: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in line.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.extend(line.get(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.extend(line.get(start..));
    parts
}

/// The scheme at the start of a part; none where the part is one more parameter of the challenge before.
fn scheme(part: &str) -> Option<&str> {
    let part = part.trim();
    let word = part.split(' ').next().filter(|word| !word.is_empty())?;
    let after = part.get(word.len()..).unwrap_or_default().trim_start();
    let is_parameter = word.contains('=') || after.starts_with('=');
    (!is_parameter).then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_text_is_left_out_and_the_category_kept() {
        let text = "2000002;reason=\"The token of x@example.com\";error_category=\"token_expired\"";
        assert_eq!(reason(text), "2000002 token_expired");
        assert_eq!(reason("2000003;reason=\"x\""), "2000003");
    }

    #[test]
    fn a_long_reason_does_not_hide_the_category() {
        let text = format!(
            "2000002;reason=\"{}\";error_category=\"token_expired\"",
            "x".repeat(500)
        );
        let mut headers = HeaderMap::new();
        headers.extend(text.parse().ok().map(|value| {
            (
                reqwest::header::HeaderName::from_static("x-ms-diagnostics"),
                value,
            )
        }));
        let said = server_context(401, "id", &headers).response_code;
        assert_eq!(said.as_deref(), Some("2000002 token_expired"));
    }

    #[test]
    fn every_scheme_of_a_combined_line_is_found() {
        let lines = [
            "Negotiate, NTLM, Basic realm=\"a, b \\\"c, Digest\"",
            "Bearer client_id=\"x\", trusted_issuers=\"y@*\", error = \"z\", PoP nonce=\"n\"",
            "Negotiate oXQ==",
            "",
        ];
        let mut headers = HeaderMap::new();
        for line in lines {
            if let Ok(value) = line.parse() {
                headers.append(WWW_AUTHENTICATE, value);
            }
        }
        let expected = ["Negotiate", "NTLM", "Basic", "Bearer", "PoP", "Negotiate"];
        assert_eq!(offered_schemes(&headers), expected);
    }
}
