//! How a decided pair becomes an entry: what the original's segment line does to it.

use jiff::Timestamp;

use super::{InformationFlow, InteractionTemplate, NewEntry};
use crate::decision::{DecidedEntry, flags};
use crate::ids::{EntryId, MessageUid};
use crate::message::Message;
use crate::scope::Scope;

/// The characters of a description.
const DESCRIPTION_LENGTH: usize = 100;

impl NewEntry {
    /// The entry that a pair makes.
    ///
    /// The description is the subject, cut to 100 characters. The date is the time of sending for outbound and the time of
    /// receipt for inbound mail; where that is not known the other, where neither is known `fallback_time`. The direction
    /// is the pair's, whatever the template says; group, cost, duration and campaign are the template's. The language is
    /// the contact's where the template has it. The flags are the pair's, with the fields that contact and salesperson
    /// were found by (`contact-by-email`, `salesperson-by-alias`).
    pub fn from_decided(
        scope: &Scope,
        message_uid: MessageUid,
        message: &Message,
        decided: &DecidedEntry,
        template: &InteractionTemplate,
        fallback_time: Timestamp,
    ) -> Self {
        let (contact, salesperson) = (&decided.contact, &decided.salesperson);
        Self {
            id: EntryId::derive(
                scope,
                &message_uid,
                &contact.no,
                &salesperson.code,
                decided.flow,
                decided.occurrence,
            ),
            message: message_uid,
            contact_no: contact.no.clone(),
            contact_company_no: contact.company_no.clone(),
            contact_alt_address_code: contact.alt_address_code.clone(),
            salesperson_code: salesperson.code.clone(),
            contact_name: contact.name.clone(),
            salesperson_name: salesperson.name.clone(),
            information_flow: decided.flow,
            initiated_by: decided.flow.initiated_by(),
            date: date(decided.flow, message, fallback_time),
            description: message.subject.chars().take(DESCRIPTION_LENGTH).collect(),
            interaction_template_code: template.code.clone(),
            interaction_group_code: template.group_code.clone(),
            interaction_language_code: language(contact.language_code.as_deref(), template),
            cost: template.unit_cost,
            duration_min: template.unit_duration_min,
            campaign_no: template.campaign_no.clone(),
            occurrence: decided.occurrence,
            flags: how_found(decided),
            fields: decided.fields.clone(),
        }
    }
}

fn date(flow: InformationFlow, message: &Message, fallback: Timestamp) -> Timestamp {
    let known = match flow {
        InformationFlow::Outbound => message.sent.or(message.received),
        InformationFlow::Inbound => message.received.or(message.sent),
    };
    known.unwrap_or(fallback)
}

/// Codes are compared without regard to case, as Business Central's Code fields are; the template's spelling is kept.
fn language(contact: Option<&str>, template: &InteractionTemplate) -> Option<String> {
    let spoken = contact?;
    let mut languages = template.languages.iter();
    languages
        .find(|language| language.eq_ignore_ascii_case(spoken))
        .cloned()
}

fn how_found(decided: &DecidedEntry) -> Vec<String> {
    let mut noted = decided.flags.clone();
    let stands_in = |flag: &str| decided.flags.iter().any(|noted| noted == flag);
    if !stands_in(flags::DEFAULT_CONTACT) {
        noted.push(format!("contact-by-{}", decided.contact.matched_by.code()));
    }
    if !stands_in(flags::DEFAULT_SALESPERSON) {
        noted.push(format!(
            "salesperson-by-{}",
            decided.salesperson.matched_by.code()
        ));
    }
    noted.sort_unstable();
    noted.dedup();
    noted
}
