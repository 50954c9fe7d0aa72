//! Entries of a commit as statements, and what the host's own log confirmed.

use std::borrow::Cow;

use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::super::changes::Changes;
use super::{all, each};
use crate::ids::ContactNo;
use crate::interaction::NewEntry;
use crate::store::postgres::core::lease::Fenced;
use crate::store::postgres::core::many::{Kind, Many};
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::{Value, Write};
use crate::store::postgres::values::uuid;
use crate::store::rows::{json, maybe_text, micros, text};

impl Changes<'_> {
    /// What the host's own log confirmed.
    pub(super) fn add_deliveries(&self, writes: &mut Vec<Write<'_>>) {
        if self.delivered.is_empty() {
            return;
        }
        let ids: Vec<Uuid> = self
            .delivered
            .iter()
            .map(|d| uuid(d.entry.as_bytes()))
            .collect();
        let said = self.delivered.iter().map(|d| d.reference.as_deref());
        let said: Vec<_> = said
            .map(|said| maybe_text(said).map(Cow::into_owned))
            .collect();
        let many = Many::default()
            .with(
                "owner",
                Kind::Number,
                each(&self.delivered, self.fenced.scope),
            )
            .with("entry_id", Kind::Id, Box::new(ids))
            .with("reference", Kind::Text, Box::new(said));
        let set = "entry SET delivery = 'done',
            host_reference = coalesce(r.reference, host_reference)";
        writes.push(many.update(set, "scope = r.owner AND id = r.entry_id"));
    }

    pub(super) fn add_entries_written<'w>(&'w self, writes: &mut Vec<Write<'w>>) -> Done<()> {
        let rows = &self.entries;
        if rows.is_empty() {
            return Ok(());
        }
        let many = Many::default()
            .with("scope", Kind::Number, each(rows, self.fenced.scope))
            .with("entry_no", Kind::Number, all(rows, |row| row.entry_no))
            .with("message_no", Kind::Number, all(rows, |row| row.message_no))
            .with("delivery", Kind::Text, all(rows, |row| row.delivery))
            .with("logged_at", Kind::Number, each(rows, self.fenced.now));
        let entries: Vec<_> = rows.iter().map(|row| row.entry).collect();
        let many = entry_parties(many, &entries);
        let many = entry_facts(many, &entries)?;
        writes.push(many.insert("entry", ""));
        Ok(())
    }
}

/// New entries of one message, with numbers from `first`, as one statement.
pub(in crate::store::postgres::core) fn entries_as_rows<'w>(
    (fenced, message_no, first, delivery): (Fenced, i64, i64, &'static str),
    entries: &[&'w NewEntry],
) -> Done<Write<'w>> {
    let numbers: Vec<i64> = (first..).take(entries.len()).collect();
    let many = Many::default()
        .with("scope", Kind::Number, each(entries, fenced.scope))
        .with("entry_no", Kind::Number, Box::new(numbers))
        .with("message_no", Kind::Number, each(entries, message_no))
        .with(
            "delivery",
            Kind::Text,
            Box::new(vec![delivery; entries.len()]),
        )
        .with("logged_at", Kind::Number, each(entries, fenced.now));
    let many = entry_facts(entry_parties(many, entries), entries)?;
    Ok(many.insert("entry", ""))
}

/// The values of one column of entries.
fn of<'w, T>(entries: &[&'w NewEntry], value: impl Fn(&'w NewEntry) -> T) -> Value<'w>
where
    T: ToSql + Sync + Send + 'w,
{
    Box::new(entries.iter().map(|entry| value(entry)).collect::<Vec<T>>())
}

fn entry_parties<'w>(many: Many<'w>, entries: &[&'w NewEntry]) -> Many<'w> {
    let company = |e: &'w NewEntry| e.contact_company_no.as_ref().map(ContactNo::as_str);
    many.with("id", Kind::Id, of(entries, |e| uuid(e.id.as_bytes())))
        .with(
            "contact_no",
            Kind::Text,
            of(entries, |e| text(e.contact_no.as_str())),
        )
        .with(
            "contact_company_no",
            Kind::Text,
            of(entries, |e| maybe_text(company(e))),
        )
        .with(
            "contact_alt_address_code",
            Kind::Text,
            of(entries, |e| {
                maybe_text(e.contact_alt_address_code.as_deref())
            }),
        )
        .with(
            "contact_name",
            Kind::Text,
            of(entries, |e| text(&e.contact_name)),
        )
        .with(
            "salesperson_code",
            Kind::Text,
            of(entries, |e| text(e.salesperson_code.as_str())),
        )
        .with(
            "salesperson_name",
            Kind::Text,
            of(entries, |e| text(&e.salesperson_name)),
        )
}

fn entry_facts<'w>(many: Many<'w>, entries: &[&'w NewEntry]) -> Done<Many<'w>> {
    let flags: Done<Vec<_>> = entries.iter().map(|e| Ok(json(&e.flags)?)).collect();
    let fields: Done<Vec<_>> = entries.iter().map(|e| Ok(json(&e.fields)?)).collect();
    Ok(many
        .with(
            "information_flow",
            Kind::Text,
            of(entries, |e| e.information_flow.code()),
        )
        .with(
            "initiated_by",
            Kind::Text,
            of(entries, |e| e.initiated_by.code()),
        )
        .with("date", Kind::Number, of(entries, |e| micros(e.date)))
        .with(
            "description",
            Kind::Text,
            of(entries, |e| text(&e.description)),
        )
        .with(
            "interaction_template_code",
            Kind::Text,
            of(entries, |e| text(&e.interaction_template_code)),
        )
        .with(
            "interaction_group_code",
            Kind::Text,
            of(entries, |e| text(&e.interaction_group_code)),
        )
        .with(
            "interaction_language_code",
            Kind::Text,
            of(entries, |e| {
                maybe_text(e.interaction_language_code.as_deref())
            }),
        )
        .with("cost", Kind::Float, of(entries, |e| e.cost))
        .with("duration_min", Kind::Float, of(entries, |e| e.duration_min))
        .with(
            "campaign_no",
            Kind::Text,
            of(entries, |e| maybe_text(e.campaign_no.as_deref())),
        )
        .with(
            "occurrence",
            Kind::Number,
            of(entries, |e| i64::from(e.occurrence)),
        )
        .with("flags", Kind::Json, Box::new(flags?))
        .with("fields", Kind::Json, Box::new(fields?)))
}
