//! What is asked: one mailbox, and in SOAP the settings of it.

use crate::testkit::exchange::xml::{self, Element, Ns};

const ACTION: &str =
    "http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings";

/// A question that was understood.
pub(super) struct Question {
    pub(super) mailbox: String,
    pub(super) settings: Vec<String>,
}

/// Reads `Email` and `Protocol` of a query.
pub(super) fn from_query(query: &str) -> Result<Question, String> {
    let pairs: Vec<_> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .collect();
    let value = |name: &str| {
        let found = pairs.iter().find(|(key, _)| *key == name);
        found.map(|(_, value)| decoded(value))
    };
    if value("Protocol").is_none_or(|protocol| !protocol.eq_ignore_ascii_case("ews")) {
        return Err("ProtocolNotSupported".to_owned());
    }
    Ok(Question {
        mailbox: value("Email").ok_or("MandatoryParameterMissing")?,
        settings: Vec::new(),
    })
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits = || -> Option<u8> {
            let mut ahead = rest.clone();
            let pair = [ahead.next()?, ahead.next()?];
            u8::from_str_radix(std::str::from_utf8(&pair).ok()?, 16).ok()
        };
        match (byte, digits()) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest.next();
                rest.next();
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads a GetUserSettings envelope; everything has to stand where the service's description puts it.
pub(super) fn from_soap(body: &[u8]) -> Result<Question, String> {
    let text = std::str::from_utf8(body).map_err(|_| "no UTF-8")?;
    let root = xml::parse(text)?;
    if !root.is(Ns::Soap, "Envelope") {
        return Err("no envelope".to_owned());
    }
    let [header, body] = root.children.as_slice() else {
        return Err("an envelope holds a header and a body".to_owned());
    };
    check_header(header)?;
    let request = body.child(Ns::Autodiscover, "GetUserSettingsRequestMessage");
    let request = request.and_then(|message| message.child(Ns::Autodiscover, "Request"));
    let request = request.ok_or("no request")?;
    let [users, settings] = named(request, ["Users", "RequestedSettings"])?;
    let [user] = named(users, ["User"])?;
    let [mailbox] = named(user, ["Mailbox"])?;
    let settings = settings.children.iter().map(|setting| setting.text.clone());
    Ok(Question {
        mailbox: mailbox.text.trim().to_owned(),
        settings: settings.collect(),
    })
}

fn check_header(header: &Element) -> Result<(), String> {
    let [version, action, to] = header.children.as_slice() else {
        return Err("a header holds version, action and address".to_owned());
    };
    let fits = version.is(Ns::Autodiscover, "RequestedServerVersion")
        && version.text == "Exchange2016"
        && action.is(Ns::Addressing, "Action")
        && action.text == ACTION
        && to.is(Ns::Addressing, "To")
        && to.text.ends_with(super::SOAP);
    fits.then_some(())
        .ok_or_else(|| "a header field is wrong".to_owned())
}

/// The children of an element, which have to be these in this order.
fn named<'e, const N: usize>(
    element: &'e Element,
    names: [&str; N],
) -> Result<[&'e Element; N], String> {
    let children: Vec<&Element> = element.children.iter().collect();
    let children: [&Element; N] = children
        .try_into()
        .map_err(|_| "another number of elements")?;
    let fits = children.iter().zip(names);
    if fits
        .into_iter()
        .all(|(child, name)| child.is(Ns::Autodiscover, name))
    {
        Ok(children)
    } else {
        Err("another element was expected".to_owned())
    }
}
