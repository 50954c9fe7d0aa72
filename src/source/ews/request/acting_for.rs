//! A request about another mailbox than the connection's.

use reqwest::header::{HeaderMap, HeaderValue};

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::Request;
use crate::error::{Error, Result, codes};

/// A request that goes to the server of another mailbox, and acts as its owner where the account is an application.
pub(in crate::source::ews) struct ActingFor<'a> {
    request: &'a dyn Request,
    smtp: &'a str,
    as_owner: bool,
    routing: HeaderMap,
}

impl<'a> ActingFor<'a> {
    /// The request for the mailbox with this address.
    pub(in crate::source::ews) fn new(
        request: &'a dyn Request,
        smtp: &'a str,
        as_owner: bool,
    ) -> Result<Self> {
        let anchor = HeaderValue::from_str(smtp).map_err(|_| {
            Error::new(&codes::CONFIG_INVALID, request.name())
                .with_detail("an address is no header text")
        })?;
        let mut routing = HeaderMap::new();
        routing.insert("x-anchormailbox", anchor);
        Ok(Self {
            request,
            smtp,
            as_owner,
            routing,
        })
    }
}

impl Request for ActingFor<'_> {
    fn name(&self) -> &'static str {
        self.request.name()
    }

    fn routing(&self) -> Option<&HeaderMap> {
        Some(&self.routing)
    }

    fn acts_for(&self) -> Option<&str> {
        self.as_owner.then_some(self.smtp)
    }

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        self.request.write(xml, version);
    }
}
