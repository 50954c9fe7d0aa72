//! What the person in front of a browser may see. Every page reads the log through it.

use std::sync::Arc;

use email_logging::MessageUid;
use email_logging::interaction::{
    Conversation, InteractionLogEntry, InteractionStatistics, StatisticsOptions,
};
use email_logging::opportunity::Opportunity;
use email_logging::privacy::{Viewer, Visibility};
use email_logging::store::{
    Conversations as _, InteractionLog as _, InteractionReports as _, LogCount, LogFilter,
    LoggedMail, ReviewItem, SqliteStore, VisibleLog,
};

use super::page::Failed;
use super::session::{Person, Session};
use crate::erp::Erp;

/// The log as one person sees it.
pub(super) type Log = VisibleLog<Arc<SqliteStore>>;

/// How much of each mail a person sees.
pub(super) fn viewer(erp: &Erp, session: &Session) -> Viewer {
    match &session.person {
        // Whoever answers for privacy has to know that a private mail is there, and not what it says.
        Some(Person::Administration) => {
            Viewer::at(Visibility::Full).with_private_mail(Visibility::Metadata)
        }
        Some(Person::Salesperson(code, _)) => {
            Viewer::at(erp.colleagues).with_salesperson(code.clone())
        }
        None => Viewer::at(Visibility::Nothing),
    }
}

/// The log through the person's eyes.
pub(super) fn log(erp: &Erp, session: &Session) -> Log {
    VisibleLog::new(Arc::clone(&erp.store), viewer(erp, session))
}

/// Whether the person may say that a mail is private, or remove it: its own salespeople, and the administration.
pub(super) fn owns(session: &Session, entries: &[InteractionLogEntry]) -> bool {
    match &session.person {
        Some(Person::Administration) => true,
        Some(Person::Salesperson(code, _)) => entries
            .iter()
            .any(|entry| entry.entry.salesperson_code == *code),
        None => false,
    }
}

/// Whether a mail that was not logged is shown: to whom it names, and to the administration.
pub(super) fn sees_item(erp: &Erp, session: &Session, item: &ReviewItem) -> bool {
    match &session.person {
        Some(Person::Administration) => true,
        Some(Person::Salesperson(code, _)) => item
            .participants
            .iter()
            .any(|one| erp.people.is_of(&one.address, code)),
        None => false,
    }
}

/// The opportunity as the person sees it: what it took from mail that is hidden is left out.
pub(super) async fn opportunity(
    erp: &Erp,
    session: &Session,
    mut one: Opportunity,
) -> Result<Opportunity, Failed> {
    let own = session.person.as_ref().and_then(Person::salesperson);
    if own.is_some() && one.salesperson_code.as_ref() == own {
        return Ok(one);
    }
    let mut filter = LogFilter::default();
    filter.opportunity = Some(one.no.to_string());
    filter.canceled = true;
    let made_of = erp.store.entries(&erp.scope, &filter, None, 10).await?;
    let viewer = viewer(erp, session);
    let levels = made_of.rows.iter().map(|entry| viewer.level(entry));
    let level = levels.min().unwrap_or(Visibility::Full);
    if level < Visibility::Subject {
        one.description.clear();
    }
    if level < Visibility::Full {
        one.comments.clear();
    }
    Ok(one)
}

/// The level at which a mail is seen.
pub(super) fn level(erp: &Erp, session: &Session, mail: &LoggedMail) -> Visibility {
    viewer(erp, session).level_of_mail(mail)
}

/// How many mails fit, of those that the person sees.
pub(super) async fn count(
    erp: &Erp,
    _session: &Session,
    filter: &LogFilter,
) -> Result<LogCount, Failed> {
    Ok(erp.store.count(&erp.scope, filter).await?)
}

/// What the mail that the person sees adds up to, on the company's clocks.
pub(super) async fn statistics(
    erp: &Erp,
    _session: &Session,
    filter: &LogFilter,
    options: StatisticsOptions,
) -> Result<InteractionStatistics, Failed> {
    let options = options.with_utc_offset_min(crate::zone::offset_min());
    Ok(erp.store.statistics(&erp.scope, filter, &options).await?)
}

/// The conversation of a mail; what of it is hidden has yet to be left out.
pub(super) async fn conversation(erp: &Erp, message: &MessageUid) -> Result<Conversation, Failed> {
    Ok(erp.store.conversation(&erp.scope, message).await?)
}
