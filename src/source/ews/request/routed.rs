//! A request with the routing of its own folder.

use reqwest::header::HeaderMap;

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::Request;

/// A request that is routed otherwise than the connection's other requests, if a way is given.
pub(in crate::source::ews) struct Routed<'a> {
    pub(in crate::source::ews) request: &'a dyn Request,
    pub(in crate::source::ews) way: Option<&'a HeaderMap>,
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

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        self.request.write(xml, version);
    }
}
