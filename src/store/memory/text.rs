//! U+0000 in text: a database may not be able to hold it, so every store replaces it with U+FFFD.

use std::borrow::Cow;

use crate::interaction::NewEntry;
use crate::store::{Annotation, DecidedRow, MessageRecord};

/// Replaces it in every text that people wrote.
pub(super) fn without_nul(row: &mut DecidedRow) {
    if let Some(record) = &mut row.record {
        clean_record(record);
    }
    row.entries.iter_mut().for_each(clean_entry);
    for step in &mut row.decision.steps {
        clean(&mut step.detail);
        if step.rule.contains('\0') {
            step.rule = Cow::Owned(step.rule.replace('\0', "\u{fffd}"));
        }
    }
    row.decision.flags.iter_mut().for_each(clean);
}

pub(super) fn clean_annotation(annotation: &mut Annotation) {
    match annotation {
        Annotation::Comment { author, text } => {
            clean(author);
            clean(text);
        }
        Annotation::Opportunity(number) => clean_option(number),
        Annotation::Evaluation(_) => {}
    }
}

fn clean_record(record: &mut MessageRecord) {
    clean(&mut record.subject);
    clean_option(&mut record.message_id);
    clean_option(&mut record.web_link);
    record.references.iter_mut().for_each(clean);
    record.flags.iter_mut().for_each(clean);
    for named in &mut record.participants {
        clean(&mut named.address);
        clean_option(&mut named.name);
    }
}

pub(super) fn clean_entry(entry: &mut NewEntry) {
    clean(&mut entry.contact_name);
    clean(&mut entry.salesperson_name);
    clean(&mut entry.description);
    entry.flags.iter_mut().for_each(clean);
    if entry
        .fields
        .iter()
        .any(|(key, value)| key.contains('\0') || value.contains('\0'))
    {
        let fields = std::mem::take(&mut entry.fields).into_iter();
        entry.fields = fields
            .map(|(mut key, mut value)| {
                clean(&mut key);
                clean(&mut value);
                (key, value)
            })
            .collect();
    }
}

fn clean_option(text: &mut Option<String>) {
    if let Some(text) = text {
        clean(text);
    }
}

fn clean(text: &mut String) {
    if text.contains('\0') {
        *text = text.replace('\0', "\u{fffd}");
    }
}
