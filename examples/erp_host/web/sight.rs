//! What the person in front of a browser may see. Every page reads mail, opportunities and the review queue through it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use email_logging::interaction::{InteractionLogEntry, InteractionStatistics, StatisticsOptions};
use email_logging::privacy::{MARKED_PRIVATE, Viewer, Visibility};
use email_logging::store::{
    InteractionLog as _, InteractionReports as _, LogCount, LogFilter, LoggedMail, ReviewCount,
    ReviewQueue as _, SqliteStore, VisibleLog, VisibleOpportunities, VisibleReview,
};

use super::page::Failed;
use super::session::{Person, Session};
use crate::erp::Erp;

/// For how long it is believed that no mail is private, and that some is: where that is wrong, sums are only less exact.
const KNOWN_FOR: Duration = Duration::from_secs(10);
const FOUND_FOR: Duration = Duration::from_mins(10);

/// The log as one person sees it.
pub(super) type Log = VisibleLog<Arc<SqliteStore>>;

/// How much of each mail a person sees.
fn viewer(erp: &Erp, session: &Session) -> Viewer {
    match &session.person {
        // Whoever answers for privacy has to know that a private mail is there, and not what it says.
        Some(Person::Administration) => Viewer::at(Visibility::Full)
            .with_private_mail(Visibility::Metadata)
            .with_review(|_| Visibility::Full),
        Some(Person::Salesperson(code, _)) => {
            let viewer = Viewer::at(erp.colleagues).with_salesperson(code.clone());
            let own = erp.people.addresses_of(code).iter();
            own.fold(viewer, |viewer, address| viewer.with_address(address))
        }
        None => Viewer::at(Visibility::Nothing),
    }
}

/// The log through the person's eyes.
pub(super) fn log(erp: &Erp, session: &Session) -> Log {
    VisibleLog::new(Arc::clone(&erp.store), viewer(erp, session))
}

/// The review queue: mail that was not logged is shown to whom it names, and to the administration.
pub(super) fn review(erp: &Erp, session: &Session) -> VisibleReview<Arc<SqliteStore>> {
    VisibleReview::new(Arc::clone(&erp.store), viewer(erp, session))
}

/// How many items of the queue the person sees, of each kind. The administration sees all, which the store counts itself.
pub(super) async fn review_counts(
    erp: &Erp,
    session: &Session,
) -> Result<Vec<ReviewCount>, Failed> {
    Ok(if session.is_administration() {
        erp.store.review_counts(&erp.scope).await?
    } else {
        review(erp, session).counts(&erp.scope).await?
    })
}

/// The opportunities, without what they took from mail that is hidden.
pub(super) fn opportunities(
    erp: &Erp,
    session: &Session,
) -> VisibleOpportunities<Arc<SqliteStore>> {
    VisibleOpportunities::new(Arc::clone(&erp.store), viewer(erp, session))
}

/// Whether the person is a salesperson of the mail. Such a person alone says that it is private no longer: whoever answers for
/// privacy may hide a mail, and not open it.
pub(super) fn wrote(session: &Session, entries: &[InteractionLogEntry]) -> bool {
    let code = session.person.as_ref().and_then(Person::salesperson);
    code.is_some_and(|code| {
        let mut all = entries.iter();
        all.any(|entry| entry.entry.salesperson_code == *code)
    })
}

/// Whether the person may say that a mail is private, or remove it: its own salespeople, and the administration.
pub(super) fn owns(session: &Session, entries: &[InteractionLogEntry]) -> bool {
    session.is_administration() || wrote(session, entries)
}

/// The level at which a mail is seen.
pub(super) fn level(erp: &Erp, session: &Session, mail: &LoggedMail) -> Visibility {
    viewer(erp, session).level_of_mail(mail)
}

/// Whether all mail that is not private is seen in full.
fn sees_others(erp: &Erp, session: &Session) -> bool {
    let others = match &session.person {
        Some(Person::Administration) => Visibility::Full,
        Some(Person::Salesperson(..)) => erp.colleagues,
        None => Visibility::Nothing,
    };
    others == Visibility::Full
}

/// The same filter, for private mail alone.
fn private(filter: &LogFilter) -> LogFilter {
    let mut private = filter.clone();
    private.flag = Some(MARKED_PRIVATE.to_owned());
    private
}

/// Whether everything that fits is seen, so that the store's own sums hold: a view has to read every entry for them.
async fn sees_all(erp: &Erp, session: &Session, filter: &LogFilter) -> Result<bool, Failed> {
    if !sees_others(erp, session) {
        return Ok(false);
    }
    Ok(!erp.private_mail.is_there(erp).await? || !fits(erp, &private(filter)).await?)
}

/// Whether an entry fits.
async fn fits(erp: &Erp, filter: &LogFilter) -> Result<bool, Failed> {
    let page = erp.store.entries(&erp.scope, filter, None, 1).await?;
    Ok(!page.rows.is_empty())
}

/// Whether some mail is private, as was seen a moment ago: to look for it, every entry has to be read. What a person marks
/// here is known at once; what another program marks, after that moment. Only sums depend on it: each mail that is shown is
/// looked at by itself.
#[derive(Debug, Default)]
pub(crate) struct PrivateMail(Mutex<Option<(Instant, bool)>>);

impl PrivateMail {
    async fn is_there(&self, erp: &Erp) -> Result<bool, Failed> {
        let before = *self.lock();
        let life = |known: bool| if known { FOUND_FOR } else { KNOWN_FOR };
        if let Some((_, known)) = before.filter(|(at, known)| at.elapsed() < life(*known)) {
            return Ok(known);
        }
        let mut every = LogFilter::default();
        every.canceled = true;
        let found = fits(erp, &private(&every)).await?;
        let mut kept = self.lock();
        // Somebody who marked a mail meanwhile knows better.
        if *kept == before {
            *kept = Some((Instant::now(), found));
        }
        Ok(found)
    }

    /// A mail was marked.
    pub(super) fn is_marked(&self) {
        *self.lock() = Some((Instant::now(), true));
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(Instant, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many mails fit, of those that the person sees; nothing where each entry of the log would have to be read for it. What
/// one contact or one opportunity has is always counted.
pub(super) async fn count(
    erp: &Erp,
    session: &Session,
    filter: &LogFilter,
) -> Result<Option<LogCount>, Failed> {
    let few = filter.contact.is_some() || filter.opportunity.is_some();
    if !sees_others(erp, session) {
        return Ok(if few {
            Some(log(erp, session).count(&erp.scope, filter).await?)
        } else {
            None
        });
    }
    let hides = erp.private_mail.is_there(erp).await?;
    if hides && !few {
        return Ok(None);
    }
    let all = erp.store.count(&erp.scope, filter).await?;
    if !hides {
        return Ok(Some(all));
    }
    // Of all that fits, private mail is looked at by itself: there is little of it.
    let private = private(filter);
    let hidden = erp.store.count(&erp.scope, &private).await?;
    if hidden.entries == 0 {
        return Ok(Some(all));
    }
    let seen = log(erp, session).count(&erp.scope, &private).await?;
    let without = |all: u64, hidden: u64, seen: u64| all.saturating_sub(hidden) + seen;
    Ok(Some(LogCount::new(
        without(all.entries, hidden.entries, seen.entries),
        without(all.mails, hidden.mails, seen.mails),
    )))
}

/// What the mail that the person sees adds up to, on the company's clocks.
pub(super) async fn statistics(
    erp: &Erp,
    session: &Session,
    filter: &LogFilter,
    options: StatisticsOptions,
) -> Result<InteractionStatistics, Failed> {
    let options = options.with_utc_offset_min(crate::zone::offset_min());
    Ok(if sees_all(erp, session, filter).await? {
        erp.store.statistics(&erp.scope, filter, &options).await?
    } else {
        let log = log(erp, session);
        log.statistics(&erp.scope, filter, &options).await?
    })
}
