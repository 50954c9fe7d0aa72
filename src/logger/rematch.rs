//! Matching again what was stored, once the directory knows more or less than it did.
//!
//! A mail that is logged gets and loses automatic links; what a person decided stays. A mail that was not logged and that
//! matches now is fetched again from the folder where it lies, and committed under the same message and sighting.

mod item;
mod links;
mod options;
mod places;

use crate::decision::flags;
use crate::error::{Error, Result, codes};
use crate::ids::MessageUid;
use crate::store::{
    Cursor, DecisionFilter, DecisionRecord, LinkResult, LogFilter, LoggedMail, Page, ReviewFilter,
    ReviewItem, ReviewQueue, ReviewState,
};

use super::folders::Folders;
use super::lease::HeldLease;
use super::parts::Parts;
use super::pipeline::StepError;
use super::report::{RunError, RunReport, RunStep, Skipped};
use super::run::{Plan, RunGuard, give_back, open_folders, plan, take_mailbox};
use super::shutdown::Shutdown;

use item::Logged;
pub use options::{RematchOf, RematchOptions, RematchReport};
use places::Places;

/// Mails of one page.
const PAGE: u32 = 50;

/// Matches again, page by page.
pub(super) async fn rematch(
    parts: &Parts,
    options: &RematchOptions,
    shutdown: &mut Shutdown<'_>,
) -> Result<RematchReport, RunError> {
    let mut report = RematchReport::default();
    let early = |(step, error)| RunError::new(step, error, RunReport::default());
    let queue = queue(parts).map_err(|error| early((RunStep::Rematching, error)))?;
    let Some(_guard) = RunGuard::take(parts) else {
        return Ok(report.skipped(Skipped::MailboxBusy));
    };
    let folder_plan = match plan(parts).await.map_err(early)? {
        Plan::Disabled => return Ok(report.skipped(Skipped::LoggingDisabled)),
        Plan::Enabled { folders, .. } => folders,
    };
    let lease = if options.dry_run {
        None
    } else {
        match take_mailbox(parts).await.map_err(early)? {
            None => return Ok(report.skipped(Skipped::MailboxBusy)),
            lease => lease,
        }
    };
    let (lease, result) = match open_folders(parts, &folder_plan).await {
        Ok(folders) => {
            let mut work = Rematch {
                parts,
                queue,
                folders: &folders,
                options,
                lease,
                report: &mut report,
            };
            let result = work.all(shutdown).await;
            (work.lease, result)
        }
        Err(error) => (lease, Err(error)),
    };
    match give_back(parts, lease.as_ref(), result).await {
        Ok(()) => Ok(report),
        Err((step, error)) => Err(RunError::new(step, error, RunReport::default())),
    }
}

/// Logs what people assigned and no run has logged yet. Called by a run, which holds the mailbox.
pub(super) async fn log_assigned(
    parts: &Parts,
    folders: &Folders,
    lease: HeldLease,
) -> Result<HeldLease, StepError> {
    let Some(queue) = parts.review.as_deref() else {
        return Ok(lease);
    };
    let mut report = RematchReport::default();
    let options = RematchOptions::default();
    let mut work = Rematch {
        parts,
        queue,
        folders,
        options: &options,
        lease: Some(lease.clone()),
        report: &mut report,
    };
    work.assigned().await?;
    Ok(work.lease.take().unwrap_or(lease))
}

fn queue(parts: &Parts) -> Result<&dyn ReviewQueue> {
    let missing = || Error::new(&codes::CONFIG_MISSING, "rematch").with_detail("a review store");
    parts.review.as_deref().ok_or_else(missing)
}

fn rematching(error: Error) -> StepError {
    (RunStep::Rematching, error)
}

/// One call, with the mailbox unless nothing is to be written.
struct Rematch<'a> {
    parts: &'a Parts,
    queue: &'a dyn ReviewQueue,
    folders: &'a Folders,
    options: &'a RematchOptions,
    lease: Option<HeldLease>,
    report: &'a mut RematchReport,
}

impl Rematch<'_> {
    async fn all(&mut self, shutdown: &mut Shutdown<'_>) -> Result<(), StepError> {
        self.assigned().await?;
        let mut after = self.options.after.clone();
        loop {
            let room = self.room();
            if room == 0 || shutdown.has_come().await {
                self.report.next = after;
                return Ok(());
            }
            let page = self.page(after.as_ref(), room.min(PAGE)).await?;
            let mut matching = Vec::new();
            for mail in &page.rows {
                self.keep_lease().await?;
                matching.extend(self.mail(mail).await?.map(|item| (mail, item)));
            }
            self.log_matching(&matching).await?;
            if page.next.is_none() {
                return Ok(());
            }
            after = page.next;
        }
    }

    /// How many more mails may be looked at.
    fn room(&self) -> u32 {
        match self.options.most {
            0 => PAGE,
            most => {
                let seen = u32::try_from(self.report.looked_at).unwrap_or(u32::MAX);
                most.saturating_sub(seen)
            }
        }
    }

    async fn page(
        &self,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>, StepError> {
        let scope = &self.parts.scope;
        let page = match &self.options.of {
            RematchOf::All => self.queue.mails_naming(scope, None, after, limit).await,
            RematchOf::Addresses(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                let named = Some(addresses.as_slice());
                self.queue.mails_naming(scope, named, after, limit).await
            }
            RematchOf::Contact(contact) => {
                let filter = LogFilter {
                    contact: Some(contact.clone()),
                    canceled: true,
                    ..LogFilter::default()
                };
                self.parts.log.mails(scope, &filter, after, limit).await
            }
        };
        page.map_err(rematching)
    }

    /// Logs the mails of a page that nobody assigned and that match now.
    async fn log_matching(
        &mut self,
        matching: &[(&LoggedMail, ReviewItem)],
    ) -> Result<(), StepError> {
        let items = matching.iter().map(|(_, item)| item);
        let mut places = self.places(items).await?;
        for (mail, item) in matching {
            self.keep_lease().await?;
            let logged = self.log_open(mail, item, places.take(item)).await?;
            self.count(logged);
        }
        Ok(())
    }

    /// Links a mail anew. Answers its item where it is to be logged.
    async fn mail(&mut self, mail: &LoggedMail) -> Result<Option<ReviewItem>, StepError> {
        self.report.looked_at += 1;
        let decisions = self.decisions(&mail.message).await?;
        let here = decisions
            .iter()
            .find(|decision| decision.mailbox == self.parts.mailbox);
        let Some(here) = here else {
            self.report.elsewhere += 1;
            return Ok(None);
        };
        let logged = decisions.iter().any(is_logged) || !mail.entries.is_empty();
        if logged {
            self.relink(mail).await?;
            return Ok(None);
        }
        let Some(item) = self.item(here).await? else {
            self.report.unchanged += 1;
            return Ok(None);
        };
        if item.state != ReviewState::Open || item.decision.outcome == "quarantined" {
            // What is set aside or assigned is a person's, and what was assigned was tried before.
            self.report.kept_by_person += 1;
            return Ok(None);
        }
        match self.matching(mail).await? {
            None => self.count(Logged::Nothing),
            Some(entries) if self.lease.is_none() => self.count(Logged::Entries(entries)),
            Some(_) => return Ok(Some(item)),
        }
        Ok(None)
    }

    async fn decisions(&self, message: &MessageUid) -> Result<Vec<DecisionRecord>, StepError> {
        let filter = DecisionFilter {
            message: Some(*message),
            ..DecisionFilter::default()
        };
        let (scope, log) = (&self.parts.scope, &self.parts.log);
        let page = log.decisions(scope, &filter, None, PAGE).await;
        Ok(page.map_err(rematching)?.rows)
    }

    async fn item(&self, decision: &DecisionRecord) -> Result<Option<ReviewItem>, StepError> {
        let filter = ReviewFilter {
            sighting: Some((decision.mailbox.clone(), decision.sighting.clone())),
            ..ReviewFilter::default()
        };
        let scope = &self.parts.scope;
        let page = self.queue.review_items(scope, &filter, None, 1).await;
        Ok(page.map_err(rematching)?.rows.pop())
    }

    /// Logs what people assigned. Each is tried once per call, and one that cannot be logged holds up no other.
    async fn assigned(&mut self) -> Result<(), StepError> {
        let filter = ReviewFilter {
            state: ReviewState::Assigned,
            excluded: true,
            ..ReviewFilter::default()
        };
        let mut after = None;
        loop {
            let scope = &self.parts.scope;
            let page = self
                .queue
                .review_items(scope, &filter, after.as_ref(), PAGE);
            let page = page.await.map_err(rematching)?;
            let here = page.rows.iter();
            let here = here.filter(|item| item.decision.mailbox == self.parts.mailbox);
            let here: Vec<&ReviewItem> = here.collect();
            // Nothing is looked for where nothing is to be written.
            let mut places = match &self.lease {
                Some(_) => self.places(here.iter().copied()).await?,
                None => Places::default(),
            };
            for item in here {
                self.keep_lease().await?;
                let logged = self.log_assignment(item, places.take(item)).await?;
                self.count(logged);
            }
            if page.next.is_none() {
                return Ok(());
            }
            after = page.next;
        }
    }

    fn count(&mut self, logged: Logged) {
        let report = &mut *self.report;
        match logged {
            Logged::Entries(entries) => {
                report.matched += 1;
                report.entries_added += entries;
            }
            Logged::Nothing => report.unchanged += 1,
            Logged::OriginalMissing => report.original_missing += 1,
            Logged::Failed => report.failed += 1,
        }
    }

    fn count_links(&mut self, changed: &LinkResult) {
        let report = &mut *self.report;
        if changed.is_empty() {
            report.unchanged += 1;
        } else {
            report.matched += 1;
        }
        report.entries_added += changed.added.len() as u64;
        report.restored += changed.restored.len() as u64;
        report.withdrawn += changed.withdrawn.len() as u64;
    }

    async fn keep_lease(&mut self) -> Result<(), StepError> {
        if let Some(held) = self.lease.clone() {
            let kept = held.keep(self.parts).await;
            self.lease = Some(kept.map_err(|error| (RunStep::TakingMailbox, error))?);
        }
        Ok(())
    }
}

fn is_logged(decision: &DecisionRecord) -> bool {
    matches!(decision.outcome.as_str(), "logged" | "already-logged")
}

/// Whether a person made this link.
fn is_assigned(flags: &[String]) -> bool {
    flags.iter().any(|flag| flag == flags::ASSIGNED)
}
