//! What the reports of all runs count together, beside what the mails tell.

use std::collections::{BTreeMap, BTreeSet};

use email_logging::ErrorKind;
use email_logging::logger::{RunError, RunReport};

use crate::mailbox::{Mailbox, Place};
use crate::world::{Ended, World};

/// The counts of runs.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    fn add(&mut self, what: &'static str, count: u64) {
        *self.0.entry(what).or_default() += count;
    }

    fn take_up(&mut self, report: &RunReport) {
        if report.skipped.is_some() {
            return;
        }
        self.add("runs", 1);
        for (what, count) in [
            ("logged", report.logged),
            ("already logged", report.already_logged),
            ("not matched", report.not_matched),
            ("excluded", report.excluded),
            ("quarantined", report.quarantined),
            ("pending", report.pending),
            ("gone", report.gone),
            ("deferred", report.deferred),
            ("entries", report.entries),
            ("moved", report.moved),
            ("deleted", report.deleted),
            ("moves pending", report.moves_pending),
            ("duplicate copies", report.duplicate_copies),
            ("vanished", report.vanished),
            ("recovered", report.recovered),
            ("delivered", report.delivered),
        ] {
            self.add(what, count);
        }
    }

    fn of(&self, what: &'static str) -> u64 {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl World {
    /// I14: the counts of a task close, and no task ends with what the code under test could not expect.
    pub(crate) fn look_at_end(&mut self, ended: &Ended) {
        let closes = match ended {
            Ended::Run(ended) => report_of(ended).closes(),
            Ended::Reconcile(Ok(report)) => report.closes(),
            Ended::Reconcile(Err(error)) => error.report.closes(),
            Ended::Requeue(_) => true,
        };
        if !closes {
            self.book
                .broken(format!("I14: the counts do not close: {ended:?}"));
        }
        let error = match ended {
            Ended::Run(ended) => ended.as_ref().err().map(|it| &it.error),
            Ended::Reconcile(ended) => ended.as_ref().err().map(|it| &it.error),
            Ended::Requeue(ended) => ended.as_ref().err(),
        };
        if error.is_some_and(|error| error.kind() == ErrorKind::Internal) {
            self.book.broken(format!("a task ended with {ended:?}"));
        }
        if error.is_some() && self.undisturbed {
            self.book
                .broken(format!("a task without a fault ended with {ended:?}"));
        }
        if let Ended::Run(ended) = ended {
            self.counted.take_up(report_of(ended));
        }
    }

    /// I14: without a fault the counts of all runs are what was done.
    pub(crate) fn check_counts(&self, entries: u64) -> Result<(), String> {
        let mailbox = self.mailbox.lock().unwrap();
        let wanted = self.wanted_counts(&mailbox, entries);
        let counted = &self.counted;
        match wanted
            .0
            .iter()
            .find(|(what, count)| counted.of(what) != **count)
        {
            Some((what, count)) => Err(format!(
                "I14: {} are counted as {what}, and {count} were: {counted:?}",
                counted.of(what)
            )),
            None => Ok(()),
        }
    }

    /// What the mails tell.
    fn wanted_counts(&self, mailbox: &Mailbox, entries: u64) -> Counts {
        let mut wanted = Counts::default();
        for what in ["gone", "duplicate copies", "vanished"] {
            wanted.add(what, 0);
        }
        // What can never be moved is tried again in each run.
        let mut items = mailbox.items.iter();
        let never_moved = items.any(|(id, item)| {
            let may_be_deleted = self.plan.deletes && mailbox.own_key(*id, item).is_some();
            mailbox.stuck.contains(&item.key) && !may_be_deleted
        });
        if !never_moved {
            wanted.add("moves pending", 0);
        }
        let (mut first, mut stays, mut copies) = (BTreeSet::new(), 0, 0);
        for item in mailbox.items.values() {
            match item.place {
                Place::Deleted => wanted.add("deleted", 1),
                Place::Queue => stays += 1,
                _ => wanted.add("moved", 1),
            }
            let is_unreadable = mailbox.is_unreadable(&self.mails, item);
            wanted.add(
                match self.mails.outcome(item.mail, false) {
                    _ if is_unreadable => "quarantined",
                    "excluded" => "excluded",
                    "not-matched" => "not matched",
                    _ if first.insert(self.mails.base(item.mail)) => "logged",
                    _ => {
                        copies += u64::from(item.place != Place::Queue);
                        "already logged"
                    }
                },
                1,
            );
            // It is set aside at the last of its attempts.
            let failed = if mailbox.flaky.contains(&item.key) {
                7
            } else {
                0
            };
            wanted.add("pending", failed);
        }
        wanted.add("entries", entries);
        // The host's log has all entries of a mail before it moves: a copy waits for the second look at the moves.
        let (delivered, recovered) = if self.plan.sink {
            (entries, copies)
        } else {
            (0, 0)
        };
        wanted.add("delivered", delivered);
        if !never_moved {
            wanted.add("recovered", recovered);
        }
        // What is set aside and stays is passed over by each run after the first, and so is what waits for the host's log.
        // What has left is remembered for four pages; then an item whose move is under way is met once more.
        let is_short = self.plan.queue.len() <= 4 * self.plan.page as usize;
        if stays == 0 && is_short && !never_moved && !self.plan.sink && self.plan.flaky.is_empty() {
            wanted.add("deferred", 0);
        }
        wanted
    }
}

fn report_of(ended: &Result<RunReport, RunError>) -> &RunReport {
    match ended {
        Ok(report) => report,
        Err(error) => &error.report,
    }
}
