//! ResolveNames: from an Exchange address to an SMTP address.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::Request;

/// Looks one name up in the address book. The protocol takes one name a request.
#[derive(Debug)]
pub(in crate::source::ews) struct ResolveNames<'a> {
    pub(in crate::source::ews) entry: &'a str,
}

impl Request for ResolveNames<'_> {
    fn name(&self) -> &'static str {
        "ResolveNames"
    }

    fn write(&self, xml: &mut XmlWriter, version: Version) {
        let mut attributes = vec![
            ("ReturnFullContactData", "true"),
            ("SearchScope", "ActiveDirectory"),
        ];
        if version <= Version::Exchange2010Sp2 {
            attributes.push(("ContactDataShape", "AllProperties"));
        }
        xml.within("m:ResolveNames", &attributes, |xml| {
            xml.leaf("m:UnresolvedEntry", self.entry);
        });
    }
}
