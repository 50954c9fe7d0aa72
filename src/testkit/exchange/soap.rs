//! SOAP envelopes: reading the version and the operation of a request, writing answers and faults.

use super::failure::Failure;
use super::version::{RequestVersion, ServerVersion};
use super::writer::XmlWriter;
use super::xml::{Element, MESSAGES, Ns, SOAP, TYPES};

/// The namespace of the details of EWS faults.
const ERRORS: &str = "http://schemas.microsoft.com/exchange/services/2006/errors";

/// A request whose envelope was understood.
pub(crate) struct Envelope<'e> {
    pub(crate) version: Result<RequestVersion, Failure>,
    pub(crate) operation: &'e Element,
}

/// Opens the envelope of a request.
pub(crate) fn open(root: &Element) -> Result<Envelope<'_>, Failure> {
    if !root.is(Ns::Soap, "Envelope") {
        return Err(Failure::schema(
            "The root element is not a SOAP 1.1 envelope.",
        ));
    }
    let body = root.child(Ns::Soap, "Body");
    let body = body.ok_or_else(|| Failure::schema("The envelope has no body."))?;
    match body.children.as_slice() {
        [operation] if operation.ns == Ns::Messages => Ok(Envelope {
            version: version(root),
            operation,
        }),
        _ => Err(Failure::schema("The body does not hold one operation.")),
    }
}

fn version(root: &Element) -> Result<RequestVersion, Failure> {
    let header = root.child(Ns::Soap, "Header");
    let Some(stated) = header.and_then(|header| header.types("RequestServerVersion")) else {
        return Ok(RequestVersion::UNSTATED);
    };
    let name = stated.attribute("Version").unwrap_or_default();
    RequestVersion::by_name(name).ok_or_else(|| Failure::new("ErrorInvalidServerVersion"))
}

/// Writes an answer; `body` writes the response element.
pub(crate) fn answer(
    version: ServerVersion,
    body: impl FnOnce(&mut XmlWriter) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut outcome = Ok(());
    let envelope = envelope(Some(version), |w| outcome = body(w));
    outcome.map(|()| envelope)
}

/// Writes a SOAP fault as Exchange does: the code in the types namespace, details beside it.
pub(crate) fn fault(failure: &Failure) -> String {
    envelope(None, |w| {
        w.nest("s:Fault", &[], |w| {
            let code = format!("a:{}", failure.code);
            w.text_with("faultcode", &[("xmlns:a", TYPES)], &code);
            w.text_with("faultstring", &[("xml:lang", "en-US")], &failure.text);
            w.nest("detail", &[], |w| detail(w, failure));
        });
    })
}

fn detail(w: &mut XmlWriter, failure: &Failure) {
    w.text_with("e:ResponseCode", &[("xmlns:e", ERRORS)], &failure.code);
    w.text_with("e:Message", &[("xmlns:e", ERRORS)], &failure.text);
    if !failure.details.is_empty() {
        w.nest("t:MessageXml", &[], |w| {
            for (name, value) in &failure.details {
                w.text_with("t:Value", &[("Name", name)], value);
            }
        });
    }
}

fn envelope(version: Option<ServerVersion>, body: impl FnOnce(&mut XmlWriter)) -> String {
    let mut w = XmlWriter::default();
    w.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    let namespaces = [("xmlns:s", SOAP), ("xmlns:m", MESSAGES), ("xmlns:t", TYPES)];
    w.nest("s:Envelope", &namespaces, |w| {
        if let Some(version) = version {
            w.nest("s:Header", &[], |w| server_version_info(w, version));
        }
        w.nest("s:Body", &[], body);
    });
    w.finish()
}

fn server_version_info(w: &mut XmlWriter, version: ServerVersion) {
    let [major, minor, build, revision, name] = version.info();
    let attributes = [
        ("MajorVersion", major),
        ("MinorVersion", minor),
        ("MajorBuildNumber", build),
        ("MinorBuildNumber", revision),
        ("Version", name),
    ];
    w.empty("t:ServerVersionInfo", &attributes);
}
