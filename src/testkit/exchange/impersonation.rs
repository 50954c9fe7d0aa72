//! In whose name an application calls: the ExchangeImpersonation header of the envelope.
//!
//! Facts from Microsoft, "Authenticate an EWS application by using OAuth" and the ExchangeImpersonation element.

use super::authentication::Authentication;
use super::failure::Failure;
use super::store::World;
use super::xml::{Element, Ns};

/// Ways to name a mailbox that are understood here.
const NAMES: [&str; 3] = ["PrimarySmtpAddress", "SmtpAddress", "PrincipalName"];

/// The mailbox in whose name an application calls, which it must say and which must exist.
pub(crate) fn mailbox_of_application<'a>(
    root: &'a Element,
    world: &World,
    authentication: &Authentication,
) -> Result<&'a str, Failure> {
    let smtp = impersonated(root).ok_or_else(|| Failure::new("ErrorImpersonationRequired"))?;
    if world.mailbox(smtp).is_none() {
        return Err(Failure::new("ErrorNonExistentMailbox"));
    }
    if authentication.application_may_impersonate(smtp) {
        Ok(smtp)
    } else {
        Err(Failure::new("ErrorAccessDenied"))
    }
}

fn impersonated(root: &Element) -> Option<&str> {
    let header = root.child(Ns::Soap, "Header")?;
    let sid = header
        .types("ExchangeImpersonation")?
        .types("ConnectingSID")?;
    NAMES.iter().find_map(|name| sid.types_text(name))
}
