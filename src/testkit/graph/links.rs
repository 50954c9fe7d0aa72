//! The links of an answer: context, next page, changes.

use form_urlencoded::byte_serialize;

use super::request::{GraphRequest, VERSION};

/// Where links begin, such as `https://127.0.0.1:4711`.
#[derive(Clone, Debug)]
pub(super) struct Links<'a> {
    pub(super) base: &'a str,
    pub(super) request: &'a GraphRequest,
}

impl Links<'_> {
    /// The request again, with other query options in the place of those that page.
    pub(super) fn again(&self, options: &[(&str, &str)]) -> String {
        const PAGING: [&str; 3] = ["$skip", "$skiptoken", "$deltatoken"];
        let kept = self.request.query.iter();
        let kept = kept
            .filter(|(name, _)| !PAGING.contains(&name.as_str()))
            .map(|(name, value)| (name.as_str(), value.as_str()));
        self.with(kept.chain(options.iter().copied()))
    }

    /// The path alone with these query options; tokens carry what was asked before.
    pub(super) fn only(&self, options: &[(&str, &str)]) -> String {
        self.with(options.iter().copied())
    }

    fn with<'o>(&self, options: impl Iterator<Item = (&'o str, &'o str)>) -> String {
        let pairs = options.map(|(name, value)| {
            let value: String = byte_serialize(value.as_bytes()).collect();
            format!("{}={value}", name.replace('$', "%24"))
        });
        let query = pairs.collect::<Vec<_>>().join("&");
        format!("{}{VERSION}{}?{query}", self.base, self.request.path)
    }

    pub(super) fn context(&self, what: &str) -> String {
        format!("{}{VERSION}/$metadata#{what}", self.base)
    }
}
