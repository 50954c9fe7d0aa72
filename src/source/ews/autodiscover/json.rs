//! JSON autodiscover (version 2): one question without credentials, one address as the answer.

use reqwest::Url;

use super::OPERATION;
use crate::error::{Error, Result, codes};

/// Where to ask a host about a mailbox.
pub(super) fn question(host: &str, mailbox: &str) -> Result<Url> {
    let text = format!("https://{host}/autodiscover/autodiscover.json");
    let mut url =
        Url::parse(&text).map_err(|_| Error::new(&codes::AUTODISCOVER_DOMAIN, OPERATION))?;
    url.query_pairs_mut()
        .append_pair("Email", mailbox)
        .append_pair("Protocol", "Ews");
    Ok(url)
}

/// The address of the service in an answer, if it holds one.
pub(in crate::source::ews) fn service_url(answer: &[u8]) -> Option<String> {
    let value: serde_json::Value = serde_json::from_slice(answer).ok()?;
    let protocol = value.get("Protocol")?.as_str()?;
    let url = value.get("Url")?.as_str()?;
    protocol.eq_ignore_ascii_case("ews").then(|| url.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_mailbox_is_escaped_and_only_an_answer_about_ews_counts() {
        let url = question("autodiscover.example.com", "a+b&c@example.com").unwrap();
        assert_eq!(
            url.as_str(),
            "https://autodiscover.example.com/autodiscover/autodiscover.json?\
             Email=a%2Bb%26c%40example.com&Protocol=Ews"
        );
        let found = service_url(br#"{"Protocol":"Ews","Url":"https://x/EWS/Exchange.asmx"}"#);
        assert_eq!(found.as_deref(), Some("https://x/EWS/Exchange.asmx"));
        for answer in [
            &br#"{"Protocol":"ActiveSync","Url":"https://x/"}"#[..],
            br#"{"ErrorCode":"ProtocolNotSupported","ErrorMessage":"no"}"#,
            b"<html></html>",
            b"",
        ] {
            assert_eq!(service_url(answer), None);
        }
    }
}
