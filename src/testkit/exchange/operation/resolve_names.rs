//! ResolveNames (Microsoft reference, "ResolveNames operation").

use super::batch::Batch;
use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::request::{boolean, incomplete, required};
use crate::testkit::exchange::store::directory::DirectoryEntry;
use crate::testkit::exchange::writer::XmlWriter;
use crate::testkit::exchange::xml::Element;

/// The most entries in one answer (types.xsd, ArrayOfResolutionType).
const MOST: usize = 100;

struct ResolveNames {
    entry: String,
    full_contact: bool,
}

impl ResolveNames {
    fn parse(request: &Element) -> Result<Self, Failure> {
        let full = request.attribute("ReturnFullContactData");
        let full = full.ok_or_else(|| incomplete("ResolveNames", "ReturnFullContactData"))?;
        let entry = required(request, "UnresolvedEntry")?.text.trim().to_owned();
        if entry.is_empty() {
            return Err(Failure::schema("The 'UnresolvedEntry' element is invalid."));
        }
        Ok(Self {
            entry,
            full_contact: boolean(full)?,
        })
    }
}

/// Answers the people that the entry may mean.
///
/// Several people are a warning that carries them all; nobody is an error.
pub(crate) fn answer(
    context: &mut Context<'_>,
    request: &Element,
    w: &mut XmlWriter,
) -> Result<(), Failure> {
    let request = ResolveNames::parse(request)?;
    let found = context.world.directory.resolve(&request.entry);
    let found: Vec<_> = found.into_iter().cloned().collect();
    let batch = Batch::new("m:ResolveNames");
    if found.len() > 1 && context.effects.failure_at(0, None).is_none() {
        let warning = Failure::new("ErrorNameResolutionMultipleResults").into_warning();
        batch.warn(w, &warning, |w| {
            resolutions(w, &found, request.full_contact);
        });
        return Ok(());
    }
    batch.answer(
        context,
        w,
        &[request],
        |_| None,
        |_, request, w| {
            if found.is_empty() {
                return Err(Failure::new("ErrorNameResolutionNoResults"));
            }
            resolutions(w, &found, request.full_contact);
            Ok(())
        },
    );
    Ok(())
}

fn resolutions(w: &mut XmlWriter, found: &[DirectoryEntry], full_contact: bool) {
    let total = found.len().to_string();
    let last = if found.len() <= MOST { "true" } else { "false" };
    let attributes = [
        ("TotalItemsInView", total.as_str()),
        ("IncludesLastItemInRange", last),
    ];
    w.nest("m:ResolutionSet", &attributes, |w| {
        for entry in found.iter().take(MOST) {
            w.nest("t:Resolution", &[], |w| resolution(w, entry, full_contact));
        }
    });
}

fn resolution(w: &mut XmlWriter, entry: &DirectoryEntry, full_contact: bool) {
    w.nest("t:Mailbox", &[], |w| {
        w.text("t:Name", &entry.name);
        w.text("t:EmailAddress", &entry.smtp);
        w.text("t:RoutingType", "SMTP");
        w.text("t:MailboxType", "Mailbox");
    });
    if full_contact {
        w.nest("t:Contact", &[], |w| {
            w.text("t:DisplayName", &entry.name);
            w.nest("t:EmailAddresses", &[], |w| {
                let address = format!("SMTP:{}", entry.smtp);
                w.text_with("t:Entry", &[("Key", "EmailAddress1")], &address);
            });
            w.text("t:ContactSource", "ActiveDirectory");
        });
    }
}
