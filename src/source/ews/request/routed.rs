//! A request with the routing of its own folder.

use reqwest::header::HeaderMap;

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::Request;

/// A request that is routed otherwise than the connection's other requests, if a way is given.
pub(in crate::source::ews) struct Routed<'a> {
    request: &'a dyn Request,
    way: Option<&'a HeaderMap>,
    /// There is no other way: the server's trouble is waited for, as without routing.
    patient: bool,
}

impl<'a> Routed<'a> {
    /// A request on a way, beside which there may be others.
    pub(in crate::source::ews) fn new(
        request: &'a dyn Request,
        way: Option<&'a HeaderMap>,
    ) -> Self {
        Self {
            request,
            way,
            patient: false,
        }
    }

    /// A request on the one way that there is.
    pub(in crate::source::ews) fn patient(
        request: &'a dyn Request,
        way: Option<&'a HeaderMap>,
    ) -> Self {
        Self {
            request,
            way,
            patient: true,
        }
    }
}

impl Request for Routed<'_> {
    fn name(&self) -> &'static str {
        self.request.name()
    }

    fn changes(&self) -> bool {
        self.request.changes()
    }

    fn is_about_hierarchy(&self) -> bool {
        self.request.is_about_hierarchy()
    }

    fn routing(&self) -> Option<&HeaderMap> {
        self.way
    }

    fn has_other_ways(&self) -> bool {
        self.way.is_some() && !self.patient
    }

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        self.request.write(xml, version);
    }
}
