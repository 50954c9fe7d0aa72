//! Reading the log of a memory store, page by page.

use std::collections::BTreeSet;
use std::ops::Range;

use async_trait::async_trait;

use super::cursor::{Place, Question};
use super::search::{Search, fits_decision};
use super::tables::{EntryRow, ScopeTables, not_found};
use super::text::clean_annotation;
use super::{MemoryStore, StoreOperation};
use crate::error::{Error, Result, codes};
use crate::ids::{EntryId, MessageUid};
use crate::interaction::{Comment, InteractionLogEntry};
use crate::scope::Scope;
use crate::store::{
    Annotation, Cursor, DecisionFilter, DecisionRecord, InteractionLog, LogFilter, LoggedMail,
    OriginalPart, Page,
};

#[async_trait]
impl InteractionLog for MemoryStore {
    async fn entries(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<InteractionLogEntry>> {
        self.call(StoreOperation::Entries, scope, |tables, _| {
            let search = Search::new(filter, tables);
            let question = Question::new("entries", scope, filter);
            let rows = search.entries(tables).into_iter();
            let rows = rows.map(|row| (place(row), row)).collect();
            let mut page = question
                .page(rows, after, limit)?
                .map(|row| row.entry.clone());
            page.not_indexed = search.not_indexed(tables);
            Ok(page)
        })
    }

    async fn mails(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        self.call(StoreOperation::Mails, scope, |tables, _| {
            let search = Search::new(filter, tables);
            let question = Question::new("mails", scope, filter);
            let found = search.entries(tables).into_iter();
            let found: BTreeSet<_> = found.map(|row| row.entry.entry.message).collect();
            let newest = |uid| tables.entries_of(uid).map(place).max().unwrap_or_default();
            let rows = found.iter().map(|uid| (newest(uid), *uid)).collect();
            let page = question.page(rows, after, limit)?;
            let mut page = page.try_map(|uid| mail(tables, uid))?;
            page.not_indexed = search.not_indexed(tables);
            Ok(page)
        })
    }

    async fn entry(&self, scope: &Scope, id: &EntryId) -> Result<InteractionLogEntry> {
        self.call(StoreOperation::Entry, scope, |tables, _| {
            let row = tables.entries.get(id);
            row.map(|row| row.entry.clone())
                .ok_or_else(|| not_found("entry", id))
        })
    }

    async fn mail(&self, scope: &Scope, message: &MessageUid) -> Result<LoggedMail> {
        self.call(StoreOperation::Mail, scope, |tables, _| {
            mail(tables, message)
        })
    }

    async fn original(
        &self,
        scope: &Scope,
        message: &MessageUid,
        range: Range<u64>,
    ) -> Result<OriginalPart> {
        self.call(StoreOperation::Original, scope, |tables, _| {
            original(tables, message, &range).ok_or_else(|| not_found("original", message))
        })
    }

    async fn decisions(
        &self,
        scope: &Scope,
        filter: &DecisionFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<DecisionRecord>> {
        self.call(StoreOperation::Decisions, scope, |tables, _| {
            let question = Question::new("decisions", scope, filter);
            let rows = tables.decisions.values();
            let rows = rows
                .filter(|row| fits_decision(filter, row))
                .map(|row| ((row.record.decided_at.as_microsecond(), row.sequence), row))
                .collect();
            Ok(question
                .page(rows, after, limit)?
                .map(|row| row.record.clone()))
        })
    }

    async fn annotate(&self, scope: &Scope, id: &EntryId, annotation: Annotation) -> Result<()> {
        self.call(StoreOperation::Annotate, scope, |tables, stamp| {
            if let Annotation::Evaluation(Some(grade)) = annotation
                && !(1..=5).contains(&grade)
            {
                let refused = Error::new(&codes::STORE_DATA, "annotate");
                return Err(refused.with_detail("a grade is from 1 to 5"));
            }
            let row = tables.entries.get_mut(id);
            let row = row.ok_or_else(|| not_found("annotate", id))?;
            let mut annotation = annotation;
            clean_annotation(&mut annotation);
            match annotation {
                Annotation::Comment { author, text } => {
                    row.entry
                        .comments
                        .push(Comment::new(stamp.now(), author, text));
                }
                Annotation::Evaluation(grade) => row.entry.evaluation = grade,
                Annotation::Opportunity(number) => row.entry.opportunity_no = number,
            }
            Ok(())
        })
    }

    async fn cancel(&self, scope: &Scope, id: &EntryId, canceled: bool) -> Result<()> {
        self.call(StoreOperation::Cancel, scope, |tables, _| {
            let row = tables.entries.get_mut(id);
            row.ok_or_else(|| not_found("cancel", id))?.entry.canceled = canceled;
            tables.links.entry(*id).or_default().held = true;
            Ok(())
        })
    }
}

pub(super) fn mail(tables: &ScopeTables, message: &MessageUid) -> Result<LoggedMail> {
    let row = tables.messages.get(message);
    let row = row.ok_or_else(|| not_found("mail", message))?;
    let entries = tables.entries_of(message).map(|row| row.entry.clone());
    let mut mail = LoggedMail::new(*message, row.record.clone(), entries.collect());
    if let Some(content) = &row.content {
        mail.attachments.clone_from(&content.attachments);
        mail.indexed = true;
    }
    Ok(mail)
}

fn original(
    tables: &ScopeTables,
    message: &MessageUid,
    range: &Range<u64>,
) -> Option<OriginalPart> {
    let row = tables.messages.get(message)?;
    let bytes = row.original.as_ref()?;
    let at = |place: u64| usize::try_from(place).map_or(bytes.len(), |at| at.min(bytes.len()));
    let part = bytes.get(at(range.start)..at(range.end)).unwrap_or(&[]);
    Some(OriginalPart::new(
        part.to_vec(),
        bytes.len() as u64,
        row.record.identity.original_digest,
    ))
}

fn place(row: &EntryRow) -> Place {
    (row.entry.entry.date.as_microsecond(), row.entry.entry_no)
}

impl<T> Page<T> {
    fn map<U>(self, make: impl FnMut(T) -> U) -> Page<U> {
        Page {
            rows: self.rows.into_iter().map(make).collect(),
            next: self.next,
            not_indexed: self.not_indexed,
        }
    }

    fn try_map<U>(self, make: impl Fn(&T) -> Result<U>) -> Result<Page<U>> {
        let rows: Result<Vec<U>> = self.rows.iter().map(make).collect();
        Ok(Page {
            rows: rows?,
            next: self.next,
            not_indexed: self.not_indexed,
        })
    }
}
