//! The answers, as the services write them.

use super::AutodiscoverFault;
use super::question::Question;
use crate::testkit::exchange::routing::Routing;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::{ADDRESSING, AUTODISCOVER, SOAP};

const RESPONSE_ACTION: &str =
    "http://schemas.microsoft.com/exchange/2010/Autodiscover/Autodiscover/GetUserSettingsResponse";
const INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";

/// A JSON answer with the address of the service.
pub(super) fn json(url: &str) -> String {
    format!("{{\"Protocol\":\"Ews\",\"Url\":\"{url}\"}}")
}

/// A JSON refusal.
pub(super) fn json_error(code: &str) -> String {
    format!("{{\"ErrorCode\":\"{code}\",\"ErrorMessage\":\"\"}}")
}

/// A SOAP fault, as for a request that breaks the schema.
pub(super) fn fault() -> String {
    envelope(|w| {
        w.nest("s:Fault", &[], |w| {
            w.text("faultcode", "a:DeserializationFailed");
            w.text("faultstring", "The formatter could not read the request.");
        });
    })
}

/// An envelope that answers something else.
pub(super) fn other_envelope() -> String {
    envelope(|w| {
        w.empty(
            "GetDomainSettingsResponseMessage",
            &[("xmlns", AUTODISCOVER)],
        );
    })
}

/// The answer to GetUserSettings.
pub(super) fn settings(
    question: &Question,
    ews_url: &str,
    (world, routing): (&World, &Routing),
    fault: Option<&AutodiscoverFault>,
) -> String {
    let found = match fault {
        Some(AutodiscoverFault::RedirectUrl(target)) => Found::Redirect("RedirectUrl", target),
        // Followed once: the mailbox to which it leads is known.
        Some(AutodiscoverFault::RedirectAddress(target)) if *target != question.mailbox => {
            Found::Redirect("RedirectAddress", target)
        }
        Some(AutodiscoverFault::ContentMailboxesUnknown) => {
            of_user(&question.mailbox, ews_url, world, routing)
        }
        _ => match routing.smtp_of_guid(&question.mailbox) {
            Some(smtp) => Found::Settings(vec![("AutoDiscoverSMTPAddress", smtp)]),
            None => of_user(&question.mailbox, ews_url, world, routing),
        },
    };
    envelope(|w| {
        w.nest(
            "GetUserSettingsResponseMessage",
            &[("xmlns", AUTODISCOVER)],
            |w| {
                w.nest("Response", &[("xmlns:i", INSTANCE)], |w| {
                    w.text("ErrorCode", "NoError");
                    w.empty("ErrorMessage", &[]);
                    w.nest("UserResponses", &[], |w| {
                        w.nest("UserResponse", &[], |w| write_user(w, question, found));
                    });
                });
            },
        );
    })
}

enum Found<'a> {
    Settings(Vec<(&'static str, String)>),
    Redirect(&'static str, &'a str),
    Nobody,
}

fn of_user(mailbox: &str, ews_url: &str, world: &World, routing: &Routing) -> Found<'static> {
    if world.mailbox(mailbox).is_none() {
        return Found::Nobody;
    }
    let mut settings = vec![
        ("ExternalEwsUrl", ews_url.to_owned()),
        ("InternalEwsUrl", ews_url.to_owned()),
        ("AutoDiscoverSMTPAddress", mailbox.to_owned()),
    ];
    if world.public_root().is_some() {
        settings.push(("PublicFolderInformation", routing.information_address()));
        settings.push(("InternalRpcClientServer", routing.hierarchy_address()));
    }
    Found::Settings(settings)
}

fn write_user(w: &mut XmlWriter, question: &Question, found: Found<'_>) {
    let (code, target, settings) = match found {
        Found::Settings(settings) => ("NoError", None, settings),
        Found::Redirect(code, target) => (code, Some(target), Vec::new()),
        Found::Nobody => ("InvalidUser", None, Vec::new()),
    };
    w.text("ErrorCode", code);
    w.empty("ErrorMessage", &[]);
    match target {
        Some(target) => w.text("RedirectTarget", target),
        None => w.empty("RedirectTarget", &[("i:nil", "true")]),
    }
    w.empty("UserSettingErrors", &[]);
    w.nest("UserSettings", &[], |w| {
        for (name, value) in settings {
            if question.settings.iter().any(|asked| asked == name) {
                w.nest("UserSetting", &[("i:type", "StringSetting")], |w| {
                    w.text("Name", name);
                    w.text("Value", &value);
                });
            }
        }
    });
}

fn envelope(body: impl FnOnce(&mut XmlWriter)) -> String {
    let mut w = XmlWriter::default();
    w.raw("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    let namespaces = [
        ("xmlns:s", SOAP),
        ("xmlns:w", ADDRESSING),
        ("xmlns:a", AUTODISCOVER),
    ];
    w.nest("s:Envelope", &namespaces, |w| {
        w.nest("s:Header", &[], |w| {
            w.text_with("w:Action", &[("s:mustUnderstand", "1")], RESPONSE_ACTION);
        });
        w.nest("s:Body", &[], body);
    });
    w.finish()
}
