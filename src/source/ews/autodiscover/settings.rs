//! GetUserSettings of the SOAP autodiscover service (MS-OXWSADISC): the request, and what an answer says.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use super::super::soap::{Node, Ns, SoapInput, Step, Tree, XmlReader, XmlWriter};
use crate::error::{Error, Result, codes};

/// Path of the SOAP service.
pub(in crate::source::ews) const PATH: &str = "/autodiscover/autodiscover.svc";
/// The name of the operation in errors.
pub(in crate::source::ews) const GET_USER_SETTINGS: &str = "GetUserSettings";

const ACTION: &str =
    "http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettings";

const NAMESPACES: &[(&str, &str)] = &[
    ("xmlns:s", "http://schemas.xmlsoap.org/soap/envelope/"),
    (
        "xmlns:a",
        "http://schemas.microsoft.com/exchange/2010/Autodiscover",
    ),
    ("xmlns:w", "http://www.w3.org/2005/08/addressing"),
];

/// The most settings that are read out of an answer.
const SETTINGS: usize = 100;

/// What an answer says.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::source::ews) enum Told {
    /// The settings that the server knows, by name.
    Settings(BTreeMap<String, String>),
    /// Another address has to be asked about.
    Address(String),
    /// Another server has to be asked.
    Url(String),
    /// No answer for this mailbox; Exchange's code.
    Refused(String),
}

/// Writes the request to a service about one mailbox.
pub(in crate::source::ews) fn request(to: &str, mailbox: &str, settings: &[&str]) -> String {
    let mut xml = XmlWriter::default();
    xml.within("s:Envelope", NAMESPACES, |xml| {
        xml.within("s:Header", &[], |xml| {
            xml.leaf("a:RequestedServerVersion", "Exchange2016");
            xml.leaf("w:Action", ACTION);
            xml.leaf("w:To", to);
        });
        xml.within("s:Body", &[], |xml| {
            xml.within("a:GetUserSettingsRequestMessage", &[], |xml| {
                xml.within("a:Request", &[], |xml| {
                    write_question(xml, mailbox, settings);
                });
            });
        });
    });
    format!("<?xml version=\"1.0\" encoding=\"utf-8\"?>{}", xml.finish())
}

fn write_question(xml: &mut XmlWriter, mailbox: &str, settings: &[&str]) {
    xml.within("a:Users", &[], |xml| {
        xml.within("a:User", &[], |xml| xml.leaf("a:Mailbox", mailbox));
    });
    xml.within("a:RequestedSettings", &[], |xml| {
        for setting in settings {
            xml.leaf("a:Setting", setting);
        }
    });
}

/// The header fields of the request, without sign-in.
pub(in crate::source::ews) fn headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    let kind = HeaderValue::from_static("text/xml; charset=utf-8");
    headers.insert(CONTENT_TYPE, kind);
    headers.insert(ACCEPT, HeaderValue::from_static("text/xml"));
    let action = HeaderValue::from_static(concat!(
        "\"http://schemas.microsoft.com/exchange/2010/Autodiscover/",
        "Autodiscover/GetUserSettings\""
    ));
    headers.insert(HeaderName::from_static("soapaction"), action);
    headers
}

/// Reads an answer.
///
/// # Errors
///
/// `Protocol` where it is no answer to this request, and the XML reader's own.
pub(in crate::source::ews) async fn read(answer: Vec<u8>) -> Result<Told> {
    let pieces = futures_util::stream::iter([Ok(Bytes::from(answer))]).boxed();
    let input = SoapInput::new(pieces, GET_USER_SETTINGS);
    let mut xml = XmlReader::new(input, GET_USER_SETTINGS);
    let mut tree = Tree::default();
    while xml.step(&mut tree).await? == Step::Text {}
    xml.finish_element(&mut tree).await?;
    told(&tree).ok_or_else(|| Error::new(&codes::EWS_NOT_SOAP, GET_USER_SETTINGS))
}

fn told(tree: &Tree) -> Option<Told> {
    let envelope = tree.root().filter(|root| root.is(Ns::Soap, "Envelope"))?;
    let body = envelope.child(Ns::Soap, "Body")?;
    if body.child(Ns::Soap, "Fault").is_some() {
        return Some(Told::Refused("Fault".to_owned()));
    }
    let message = body.child(Ns::Autodiscover, "GetUserSettingsResponseMessage")?;
    let response = message.child(Ns::Autodiscover, "Response")?;
    let code = code_of(response)?;
    if code != "NoError" {
        return Some(Told::Refused(code));
    }
    let users = response.child(Ns::Autodiscover, "UserResponses")?;
    let user = users.child(Ns::Autodiscover, "UserResponse")?;
    let target = user.child_text(Ns::Autodiscover, "RedirectTarget");
    Some(match (code_of(user)?.as_str(), target) {
        ("NoError", _) => Told::Settings(settings_of(user)),
        ("RedirectAddress", Some(target)) => Told::Address(target.to_owned()),
        ("RedirectUrl", Some(target)) => Told::Url(target.to_owned()),
        (code, _) => Told::Refused(code.to_owned()),
    })
}

/// A code of Exchange's, as far as it is a word.
fn code_of(node: Node<'_>) -> Option<String> {
    let code = node.child_text(Ns::Autodiscover, "ErrorCode")?;
    let word = code.chars().filter(char::is_ascii_alphanumeric);
    Some(word.take(60).collect())
}

fn settings_of(user: Node<'_>) -> BTreeMap<String, String> {
    let list = user.child(Ns::Autodiscover, "UserSettings");
    let settings = list.into_iter().flat_map(Node::children);
    let pairs = settings.filter_map(|setting| {
        let name = setting.child_text(Ns::Autodiscover, "Name")?;
        let value = setting.child_text(Ns::Autodiscover, "Value")?;
        Some((name.to_owned(), value.to_owned()))
    });
    pairs.take(SETTINGS).collect()
}
