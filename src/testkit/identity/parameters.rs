//! The parameters of a request, from its query or its form.

use std::collections::BTreeMap;

use super::failure::Failure;

/// Parameters by name; a name may come only once (RFC 6749, 3.1 and 3.2).
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters(BTreeMap<String, String>);

impl Parameters {
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let mut all = BTreeMap::new();
        for (name, value) in form_urlencoded::parse(text) {
            if all.insert(name.to_string(), value.to_string()).is_some() {
                let text = format!("The parameter '{name}' is duplicated.");
                return Err(Failure::invalid_request(9_000_411, text));
            }
        }
        Ok(Self(all))
    }

    /// A parameter; one without a value counts as absent.
    pub(super) fn find(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    pub(super) fn need(&self, name: &str) -> Result<&str, Failure> {
        self.find(name).ok_or_else(|| Failure::missing(name))
    }

    pub(super) fn into_map(self) -> BTreeMap<String, String> {
        self.0
    }
}

/// A URL with more parameters in its query.
pub(super) fn with_query(url: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{}", query.finish())
}
