//! The envelope around every request.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::Request;

const NAMESPACES: &[(&str, &str)] = &[
    ("xmlns:s", "http://schemas.xmlsoap.org/soap/envelope/"),
    (
        "xmlns:m",
        "http://schemas.microsoft.com/exchange/services/2006/messages",
    ),
    (
        "xmlns:t",
        "http://schemas.microsoft.com/exchange/services/2006/types",
    ),
];

/// Writes a whole request; `impersonated` is the mailbox that the account acts for.
pub(in crate::source::ews) fn envelope(
    request: &dyn Request,
    version: Version,
    impersonated: Option<&str>,
) -> String {
    let mut xml = XmlWriter::default();
    xml.within("s:Envelope", NAMESPACES, |xml| {
        xml.within("s:Header", &[], |xml| {
            xml.empty("t:RequestServerVersion", &[("Version", version.name())]);
            if let Some(mailbox) = impersonated {
                write_impersonation(xml, mailbox);
            }
        });
        xml.within("s:Body", &[], |xml| request.write(xml, version));
    });
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", xml.finish())
}

fn write_impersonation(xml: &mut XmlWriter, mailbox: &str) {
    xml.within("t:ExchangeImpersonation", &[], |xml| {
        xml.within("t:ConnectingSID", &[], |xml| {
            xml.leaf("t:PrimarySmtpAddress", mailbox);
        });
    });
}
