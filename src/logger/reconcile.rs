//! Making the ledger fit the folders again: after a restored backup, or with an empty store.
//!
//! It walks the folders that runs move mail to, decides what the ledger does not know, and writes what is missing. It
//! moves nothing. What it has written is known from then on, so that a walk that was stopped goes on where it was.

mod pages;
mod report;
mod verdict;

use crate::decision::{Disposition, Outcome, Quarantine};
use crate::error::ErrorKind;
use crate::source::{Folder, ItemRef, ListedItem, SightingKey};
use crate::store::{CommitBatch, Delivered, KnownSighting, MoveOutcome, MoveResult, RowContent};

use super::commit::commit;
use super::explain::count;
use super::fetch::fetch;
use super::folders::Folders;
use super::lease::HeldLease;
use super::listing::{LookAhead, WorkItem, lookup_key, name_known};
use super::moves::result;
use super::parts::{Parts, check_count};
use super::pipeline::StepError;
use super::prepare::{Mode, Prepared, PreparedBatch, outcome_of, prepare, set_aside};
use super::progress::ProgressEvent;
use super::report::{RunError, RunReport, RunStep, Skipped};
use super::run::{Plan, RunGuard, give_back, open_folders, plan, take_mailbox};
use super::shutdown::Shutdown;

use pages::Pages;
use verdict::{Verdict, judge};

pub use report::{ReconcileOptions, ReconcileReport};

/// Walks storage, not-logged and quarantine folder.
pub(super) async fn reconcile(
    parts: &Parts,
    options: &ReconcileOptions,
    shutdown: &mut Shutdown<'_>,
) -> Result<ReconcileReport, RunError> {
    let mut report = ReconcileReport::new(*options);
    let Some(_guard) = RunGuard::take(parts) else {
        return Ok(report.skipped(Skipped::MailboxBusy));
    };
    let early = |(step, error)| RunError::new(step, error, RunReport::default());
    let folders = match plan(parts).await.map_err(early)? {
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
    parts.tell(&ProgressEvent::Started);
    let folders = open_folders(parts, &folders).await;
    let mut walk = Walk::new(parts, options, lease, &mut report);
    let result = match folders {
        Ok(folders) => walk.all(&folders, shutdown).await,
        Err(error) => Err(error),
    };
    let result = give_back(parts, walk.lease.take().as_ref(), result).await;
    parts.tell(&ProgressEvent::Ended {
        report: &report.decided,
    });
    match result {
        Ok(()) => Ok(report),
        Err((step, error)) => {
            if error.kind() == ErrorKind::NotFound {
                parts.forget_folders();
            }
            Err(RunError::new(step, error, report.decided))
        }
    }
}

/// A walk over the folders, with what the next commit writes beside its rows.
struct Walk<'a> {
    parts: &'a Parts,
    options: &'a ReconcileOptions,
    /// The mailbox, unless nothing is to be written.
    lease: Option<HeldLease>,
    report: &'a mut ReconcileReport,
    settled: Vec<MoveResult>,
    deliveries: Vec<Delivered>,
    refused: Option<StepError>,
}

/// The folder that is walked, with the disposition that leads there.
#[derive(Clone, Copy)]
struct Place<'a> {
    folders: &'a Folders,
    folder: &'a Folder,
    at: Disposition,
}

impl<'a> Walk<'a> {
    fn new(
        parts: &'a Parts,
        options: &'a ReconcileOptions,
        lease: Option<HeldLease>,
        report: &'a mut ReconcileReport,
    ) -> Self {
        Self {
            parts,
            options,
            lease,
            report,
            settled: Vec::new(),
            deliveries: Vec::new(),
            refused: None,
        }
    }

    async fn all(
        &mut self,
        folders: &Folders,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        for (at, folder) in folders.targets() {
            let place = Place {
                folders,
                folder,
                at,
            };
            let result = self.folder(place, shutdown).await;
            let flushed = self.flush(place).await;
            result.and(flushed)?;
        }
        self.refused.take().map_or(Ok(()), Err)
    }

    async fn folder(
        &mut self,
        place: Place<'_>,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        let mut pages = Pages::new(self.parts.source.capabilities().list_page);
        while let Some(request) = pages.next_request() {
            if shutdown.has_come().await || self.room() == 0 {
                self.report.complete = false;
                break;
            }
            // What is known is passed without a write.
            self.keep_lease().await?;
            let listing = self.parts.source.list(place.folder, request).await;
            let listing = listing.map_err(reconciling)?;
            let total = listing.total;
            let items = pages.admit(listing);
            self.parts.tell(&ProgressEvent::Listed {
                items: items.len(),
                total,
            });
            self.page(place, items, shutdown).await?;
        }
        self.report.complete &= pages.are_in_order();
        Ok(())
    }

    /// How many more mails may be decided.
    fn room(&self) -> usize {
        match self.options.most {
            0 => usize::MAX,
            most => {
                let taken = self.report.decided.listed;
                usize::try_from(u64::from(most).saturating_sub(taken)).unwrap_or(usize::MAX)
            }
        }
    }

    async fn page(
        &mut self,
        place: Place<'_>,
        items: Vec<ListedItem>,
        shutdown: &mut Shutdown<'_>,
    ) -> Result<(), StepError> {
        let mut look = LookAhead::default();
        for (work, verdict) in self.judged(place, items).await? {
            match verdict {
                Verdict::Decide if look.ready.len() >= self.room() => {
                    self.report.complete = false;
                }
                Verdict::Decide => look.ready.push_back(work),
                Verdict::Settle(waiting) => {
                    self.report.listed += 1;
                    self.settle(&lookup_key(&work.listed), waiting, work.listed.item);
                }
                Verdict::Known => {
                    self.report.listed += 1;
                    self.report.known += 1;
                }
            }
        }
        let settings = &self.parts.settings;
        let count = settings.fetch_batch;
        let count = count.min(self.parts.source.capabilities().fetch_batch);
        loop {
            let batch = look.take_batch(count.max(1) as usize, settings.fetch_bytes);
            if batch.is_empty() {
                return self.flush(place).await;
            }
            if shutdown.has_come().await {
                self.report.complete = false;
                return Ok(());
            }
            self.batch(place, batch).await?;
        }
    }

    /// What the ledger knows of the items, and what follows.
    async fn judged(
        &self,
        place: Place<'_>,
        mut items: Vec<ListedItem>,
    ) -> Result<Vec<(WorkItem, Verdict)>, StepError> {
        let named = name_known(self.parts, &mut items).await;
        named.map_err(reconciling)?;
        let keys: Vec<_> = items.iter().map(lookup_key).collect();
        let known = self.known(&keys).await?;
        let works: Vec<_> = items
            .into_iter()
            .zip(known)
            .map(|(listed, known)| WorkItem { listed, known })
            .collect();
        judge(self.parts, place.folder, works)
            .await
            .map_err(reconciling)
    }

    async fn known(&self, keys: &[SightingKey]) -> Result<Vec<Option<KnownSighting>>, StepError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let (scope, mailbox) = (&self.parts.scope, &self.parts.mailbox);
        let known = self.parts.ledger.known(scope, mailbox, keys).await;
        let known = known.map_err(reconciling)?;
        check_count("known", keys.len(), known.len()).map_err(reconciling)?;
        Ok(known)
    }

    /// A move that the ledger waits for has happened: the item lies in the folder.
    fn settle(&mut self, key: &SightingKey, waiting: ItemRef, place: ItemRef) {
        self.report.settled += 1;
        let outcome = MoveOutcome::Done(Some(place));
        self.settled
            .push(MoveResult::new(key.clone(), waiting, outcome));
    }

    /// Fetches, decides and writes a batch.
    async fn batch(&mut self, place: Place<'_>, batch: Vec<WorkItem>) -> Result<(), StepError> {
        self.keep_lease().await?;
        let lease = self.lease.as_ref().map(|held| held.lease.clone());
        let taken = batch.len() as u64;
        let (done, open, error) = fetch(self.parts, lease.as_ref(), place.folder, batch).await;
        let mode = Mode::Walk {
            dry_run: self.options.dry_run,
        };
        let decided = &mut self.report.decided;
        let fetched = done.len() as u64;
        let PreparedBatch { rows, gone } = prepare(self.parts, place.folders, mode, done)
            .await
            .inspect_err(|_| {
                decided.listed += taken;
                decided.deferred += taken;
            })?;
        self.parts.tell(&ProgressEvent::Fetched {
            mails: usize::try_from(fetched).unwrap_or(usize::MAX),
        });
        self.report.listed += taken;
        let decided = &mut self.report.decided;
        decided.listed += taken;
        decided.gone += gone.len() as u64;
        decided.deferred += open.len() as u64;
        let rows = self.missing(place, rows).await?;
        self.write(place, rows).await?;
        error.map_or(Ok(()), |error| Err(reconciling(error)))
    }

    /// Keeps the rows that are to be written. A mail without a stable key is recognised by its digest, once it was read.
    async fn missing(
        &mut self,
        place: Place<'_>,
        rows: Vec<Prepared>,
    ) -> Result<Vec<Prepared>, StepError> {
        let keys: Vec<_> = rows
            .iter()
            .map(|prepared| prepared.row.sighting.key.clone())
            .collect();
        let known = self.known(&keys).await.inspect_err(|_| {
            self.report.decided.deferred += rows.len() as u64;
        })?;
        let mut missing = Vec::with_capacity(rows.len());
        for (prepared, known) in rows.into_iter().zip(known) {
            let listed = &prepared.work.listed;
            let by_digest = known.filter(|_| listed.key.is_none());
            let verdict = by_digest.map(|known| verdict::of(&known, &listed.item));
            match verdict {
                None | Some(Verdict::Decide) => {
                    let prepared = fit(self.parts, place, prepared);
                    missing.extend(self.unless_failed(prepared));
                }
                Some(Verdict::Known) => {
                    self.report.decided.listed -= 1;
                    self.report.known += 1;
                }
                Some(Verdict::Settle(waiting)) => {
                    self.report.decided.listed -= 1;
                    let item = listed.item.clone();
                    self.settle(&prepared.row.sighting.key, waiting, item);
                }
            }
        }
        Ok(missing)
    }

    /// A mail that could not be read is counted, and no attempt of it is: the next walk reads it again.
    fn unless_failed(&mut self, prepared: Prepared) -> Option<Prepared> {
        let failed = matches!(prepared.row.content, RowContent::Failed(_));
        if failed {
            self.report.decided.fetched += 1;
            self.report.decided.pending += 1;
            self.report.decided.count_reason("pending", "");
        }
        (!failed).then_some(prepared)
    }

    async fn write(&mut self, place: Place<'_>, rows: Vec<Prepared>) -> Result<(), StepError> {
        if self.lease.is_none() {
            for outcome in rows.iter().filter_map(|prepared| outcome_of(&prepared.row)) {
                self.report.decided.fetched += 1;
                count(&mut self.report.decided, outcome);
            }
            return Ok(());
        }
        self.commit(place, rows).await
    }

    /// Writes rows and the moves that need no doing. The plan of a row is closed by the commit after it: until then it
    /// names the folder where the item lies, which a run's recovery finds at a look.
    async fn commit(&mut self, place: Place<'_>, rows: Vec<Prepared>) -> Result<(), StepError> {
        let Some(held) = &self.lease else {
            return Ok(());
        };
        let with = CommitBatch {
            rows: Vec::new(),
            moves: std::mem::take(&mut self.settled),
            deliveries: std::mem::take(&mut self.deliveries),
            quiet: !self.parts.settings.events,
        };
        let committed = commit(self.parts, place.folders, &held.lease, rows, with).await;
        committed.count(&mut self.report.decided);
        self.parts.tell(&ProgressEvent::Committed {
            mails: committed.rows,
        });
        for planned in committed.moves {
            let outcome = MoveOutcome::Done(Some(planned.item.clone()));
            self.settled.push(result(&planned, outcome));
        }
        self.deliveries.extend(committed.deliveries);
        if let Some(refused) = committed.refused {
            self.refused.get_or_insert(refused);
        }
        committed.error.map_or(Ok(()), Err)
    }

    /// Writes what waits for a commit.
    async fn flush(&mut self, place: Place<'_>) -> Result<(), StepError> {
        if self.lease.is_none() {
            self.settled.clear();
        }
        if self.settled.is_empty() && self.deliveries.is_empty() {
            return Ok(());
        }
        self.keep_lease().await?;
        self.commit(place, Vec::new()).await
    }

    async fn keep_lease(&mut self) -> Result<(), StepError> {
        if let Some(held) = self.lease.clone() {
            let kept = held.keep(self.parts).await;
            self.lease = Some(kept.map_err(|error| (RunStep::TakingMailbox, error))?);
        }
        Ok(())
    }
}

fn reconciling(error: crate::error::Error) -> StepError {
    (RunStep::Reconciling, error)
}

/// Makes a decision fit the place where the mail lies: nothing is moved, and what lies in the quarantine folder waits for a
/// person, whatever the rules would say by now.
fn fit(parts: &Parts, place: Place<'_>, prepared: Prepared) -> Prepared {
    let aside = place.at == Disposition::Quarantine;
    let decided = outcome_of(&prepared.row);
    let released = !matches!(decided, Some(Outcome::Quarantined(_)) | None);
    let mut prepared = if aside && released {
        set_aside(
            parts,
            place.folders,
            prepared.work,
            Quarantine::FoundSetAside,
        )
    } else {
        prepared
    };
    if let RowContent::Decided(row) = &mut prepared.row.content {
        let leads_to = place.folders.target(row.decision.disposition);
        if leads_to.is_none_or(|folder| folder.id != place.folder.id) {
            std::sync::Arc::make_mut(row).decision.disposition = place.at;
        }
    }
    prepared
}
