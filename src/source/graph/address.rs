//! The addresses of one mailbox at Graph: what is asked for, and which links may be followed.
//!
//! Ids and names are other people's text; they are put into a path or a query by percent-encoding only.

use std::fmt;

use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;

/// Everything before what is asked for: the service, and the mailbox in it.
pub(super) struct Addresses {
    /// The service with its version, without a slash at the end.
    service: String,
    /// The mailbox as a path below the service: `/me` or `/users/…`.
    mailbox: String,
    plain_loopback: bool,
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Addresses").finish_non_exhaustive()
    }
}

impl Addresses {
    /// The addresses of a mailbox, or of the signed-in person's own.
    pub(super) fn new(
        url: &ServiceUrl,
        mailbox: Option<&str>,
        plain_loopback: bool,
    ) -> Result<Self> {
        if url.as_url().query().is_some() {
            return Err(Error::new(&codes::CONFIG_INVALID, "service URL")
                .with_detail("the address of Graph has no query"));
        }
        let path = url.as_url().path().trim_end_matches('/');
        let path = if path.is_empty() { "/v1.0" } else { path };
        Ok(Self {
            service: format!("{}{path}", url.origin()),
            mailbox: mailbox.map_or_else(
                || "/me".to_owned(),
                |smtp| format!("/users/{}", encoded(smtp)),
            ),
            plain_loopback,
        })
    }

    /// The address of something in the mailbox; `rest` starts with a slash and is encoded.
    pub(super) fn of(&self, rest: &str) -> Result<ServiceUrl> {
        self.parse(&format!("{}{}{rest}", self.service, self.mailbox))
    }

    /// The address of something in another mailbox of the same service.
    pub(super) fn elsewhere(&self, smtp: &str, rest: &str) -> Result<ServiceUrl> {
        self.parse(&format!("{}/users/{}{rest}", self.service, encoded(smtp)))
    }

    /// The address of something in the mailbox, as a part of a batch names it.
    pub(super) fn in_batch(&self, rest: &str) -> String {
        format!("{}{rest}", self.mailbox)
    }

    /// Where batches go.
    pub(super) fn batch(&self) -> Result<ServiceUrl> {
        self.parse(&format!("{}/$batch", self.service))
    }

    /// Where subscriptions are kept, or one of them.
    pub(super) fn subscriptions(&self, id: Option<&str>) -> Result<ServiceUrl> {
        let rest = id.map_or_else(String::new, |id| format!("/{}", encoded(id)));
        self.parse(&format!("{}/subscriptions{rest}", self.service))
    }

    /// The messages of a folder as a subscription names them: a path that is text and not part of an address.
    pub(super) fn messages_of(&self, folder: &str) -> String {
        let mailbox = self.mailbox.trim_start_matches('/').replace("%40", "@");
        format!("{mailbox}/mailFolders({})/messages", quoted(folder))
    }

    /// A link to a further page. Only below the same mailbox at the same service: a token goes nowhere else.
    pub(super) fn follow(&self, operation: &'static str, link: &str) -> Result<ServiceUrl> {
        let refused = || {
            Error::new(&codes::GRAPH_LINK_REFUSED, operation)
                .with_detail("a link to a further page leads elsewhere")
        };
        let url = self.parse(link).map_err(|_| refused())?;
        let service = self.parse(&self.service).map_err(|_| refused())?;
        let root = service.as_url().path().trim_end_matches('/');
        let below = url.as_url().path().strip_prefix(root);
        let is_ours = below.and_then(owner).is_some_and(|it| self.is_owner(&it));
        if url.origin() == service.origin() && is_ours {
            Ok(url)
        } else {
            Err(refused())
        }
    }

    /// Whether the mailbox is named so in a link. Graph writes it as it was asked for, or by its object id.
    fn is_owner(&self, named: &str) -> bool {
        let ours = owner(&format!("{}/", self.mailbox)).unwrap_or_default();
        named == ours || is_object_id(named)
    }

    /// A link to a further page of subscriptions.
    pub(super) fn follow_subscriptions(
        &self,
        operation: &'static str,
        link: &str,
    ) -> Result<ServiceUrl> {
        let first = self.subscriptions(None)?;
        let url = self.parse(link).ok();
        url.filter(|url| {
            url.origin() == first.origin() && url.as_url().path() == first.as_url().path()
        })
        .ok_or_else(|| {
            Error::new(&codes::GRAPH_LINK_REFUSED, operation)
                .with_detail("a link to a further page leads elsewhere")
        })
    }

    fn parse(&self, text: &str) -> Result<ServiceUrl> {
        ServiceUrl::parse(text, self.plain_loopback)
    }
}

/// Whose a path is: `me`, or the text behind `users` in small letters, which may stand in parentheses and quotation marks.
fn owner(path: &str) -> Option<String> {
    let path = decoded(path)?.to_lowercase();
    if path.starts_with("/me/") {
        return Some("me".to_owned());
    }
    if let Some(rest) = path.strip_prefix("/users('") {
        let (owner, rest) = rest.split_once("')")?;
        return rest.starts_with('/').then(|| owner.replace("''", "'"));
    }
    let (owner, _) = path.strip_prefix("/users/")?.split_once('/')?;
    Some(owner.to_owned())
}

/// A GUID, as Microsoft Entra gives each user.
fn is_object_id(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// A path without its percent-encoding (RFC 3986, 2.1).
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let value = digit(rest.next())? * 16 + digit(rest.next())?;
            bytes.push(u8::try_from(value).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// Text as one segment of a path or one value of a query: everything but letters, digits and `-._~` (RFC 3986, 2.3).
pub(super) fn encoded(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len() + 8);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = DIGITS.get(usize::from(digit)).copied();
                    out.push(char::from(digit.unwrap_or(b'0')));
                }
            }
        }
    }
    out
}

/// Text between the quotation marks of a filter (OData 4.01, URL conventions, 5.1.1.11.1: a quotation mark is doubled).
pub(super) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn addresses(mailbox: Option<&str>) -> Addresses {
        let url = ServiceUrl::parse("https://graph.example", false).unwrap();
        Addresses::new(&url, mailbox, false).unwrap()
    }

    #[test]
    fn a_link_leads_on_in_the_same_mailbox_only() {
        let shared = addresses(Some("Log@Corp.example"));
        let own = addresses(None);
        for (path, by_shared, by_own) in [
            ("/users/log@corp.example/messages", true, false),
            ("/users/LOG%40corp.example/messages", true, false),
            ("/users('log%40corp.example')/messages", true, false),
            (
                "/users/5a4b3c2d-0000-4000-8000-00000000abcd/messages",
                true,
                true,
            ),
            ("/users/boss@corp.example/messages", false, false),
            ("/users('boss@corp.example')/messages", false, false),
            ("/users/log@corp.example", false, false),
            (
                "/users/boss@corp.example%2Flog@corp.example/messages",
                false,
                false,
            ),
            ("/me/messages", false, true),
            ("/groups/log@corp.example/messages", false, false),
            ("/users/%ff/messages", false, false),
        ] {
            let link = format!("https://graph.example/v1.0{path}?$skip=1");
            assert_eq!(shared.follow("list", &link).is_ok(), by_shared, "{path}");
            assert_eq!(own.follow("list", &link).is_ok(), by_own, "{path}");
        }
        for link in [
            "https://elsewhere.example/v1.0/users/log@corp.example/messages",
            "https://graph.example/beta/users/log@corp.example/messages",
            "/v1.0/users/log@corp.example/messages",
        ] {
            let error = shared.follow("list", link).unwrap_err();
            assert_eq!(error.code(), "graph.link_refused", "{link}");
        }
    }

    #[test]
    fn addresses_show_no_mailbox() {
        let shown = format!("{:?}", addresses(Some("log@corp.example")));
        assert_eq!(shown, "Addresses { .. }");
    }
}
