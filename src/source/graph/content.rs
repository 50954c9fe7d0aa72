//! What an answer says that it holds. What stands between this machine and Graph may answer with a page of its own, with
//! status 200 and in the place of a mail: such a page is nobody's answer, and waiting may mend it.

use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::error::{Error, ServerContext, codes};

/// What an original comes as: Graph's reference shows `text/plain`, which its servers send, and its metadata say
/// `application/octet-stream` of every stream. Pages are none of these, and an answer of Graph's always names its kind.
const MIME: [&str; 3] = ["text/plain", "message/rfc822", "application/octet-stream"];

/// Whether an answer, or a part of one, with this status and these headers holds an original.
pub(super) fn is_original(status: u16, headers: &HeaderMap) -> bool {
    let is_mime = |found: &str| MIME.iter().any(|known| found.eq_ignore_ascii_case(known));
    status == 200 && media_type(headers).is_some_and(is_mime)
}

/// Whether an answer says that it is something else than JSON.
pub(super) fn is_no_json(headers: &HeaderMap) -> bool {
    let named = headers.contains_key(CONTENT_TYPE);
    let json = |found: &str| found.eq_ignore_ascii_case("application/json");
    named && !media_type(headers).is_some_and(json)
}

/// The error of an answer that is not Graph's.
pub(super) fn foreign(operation: &'static str, server: ServerContext) -> Error {
    Error::new(&codes::GRAPH_FOREIGN_ANSWER, operation).with_server(server)
}

/// Whether an error is of an answer that is not Graph's.
pub(super) fn is_foreign(error: &Error) -> bool {
    error.code() == codes::GRAPH_FOREIGN_ANSWER.code
}

/// The one media type, without its parameters.
fn media_type(headers: &HeaderMap) -> Option<&str> {
    let mut named = headers.get_all(CONTENT_TYPE).into_iter();
    let only = named.next().filter(|_| named.next().is_none())?;
    let text = only.to_str().ok()?;
    text.split(';').next().map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn headers(types: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in types {
            headers.append(CONTENT_TYPE, name.parse().unwrap());
        }
        headers
    }

    #[test]
    fn an_original_is_one_by_its_status_and_its_type() {
        for (types, is) in [
            (&["text/plain"][..], true),
            (&["Text/Plain; charset=utf-8"], true),
            (&["message/rfc822"], true),
            (&["application/octet-stream"], true),
            (&["text/html"], false),
            (&["text/html; charset=utf-8"], false),
            (&["application/json;odata.metadata=minimal"], false),
            (&["text/plainer"], false),
            (&["text/plain", "text/html"], false),
            (&[""], false),
            (&[], false),
        ] {
            assert_eq!(is_original(200, &headers(types)), is, "{types:?}");
            for status in [201, 203, 204, 206] {
                assert!(!is_original(status, &headers(types)), "{status} {types:?}");
            }
        }
    }

    #[test]
    fn what_is_no_json_says_so() {
        for (types, is) in [
            (&["application/json;odata.metadata=minimal"][..], false),
            (&["Application/JSON"], false),
            (&[], false),
            (&["text/html"], true),
            (&["application/json", "text/html"], true),
        ] {
            assert_eq!(is_no_json(&headers(types)), is, "{types:?}");
        }
    }
}
