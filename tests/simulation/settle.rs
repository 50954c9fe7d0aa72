//! The faults stop: all that goes on ends, what was lost is brought back, and runs go on until nothing is left to do.

use std::sync::atomic::Ordering;

use crate::mailbox::Place;
use crate::world::{Ended, Task, Worker, World};

impl World {
    /// Lets every run end without faults, then runs until nothing is left to do.
    pub(crate) fn settle(&mut self) -> Result<usize, String> {
        self.let_all_end()?;
        while self.come(0).is_some() {}
        self.book.verdict()?;
        self.mailbox.lock().unwrap().renamed.clear();
        self.enabled.store(true, Ordering::Relaxed);
        if self.restored {
            self.bring_back()?;
        }
        if self.plan.requeues && !self.undisturbed && self.asks_again {
            self.try_again()?;
        }
        let bound = self.most_runs();
        for runs in 1..=bound {
            self.run_to_its_end(Task::Run)?;
            if self.is_settled() {
                return Ok(runs);
            }
        }
        let left = self.mailbox.lock().unwrap().list(Place::Queue).len();
        Err(format!(
            "I8: {left} mails are left in the queue after {bound} runs without a fault"
        ))
    }

    /// One task, past every back-off and every lease.
    fn run_to_its_end(&mut self, task: Task) -> Result<(), String> {
        self.stage.set_clock(self.stage.latest());
        self.stage.step_clock(3 * 86_400);
        self.begin(0, task);
        self.let_all_end()
    }

    /// What a store has lost that was put back: entries, originals and decisions of all that lies in the folders.
    fn bring_back(&mut self) -> Result<(), String> {
        self.run_to_its_end(Task::Reconcile)?;
        match &self.ended {
            Some(Ended::Reconcile(Ok(report))) if report.complete && report.skipped.is_none() => {
                Ok(())
            }
            ended => Err(format!("I1: a walk without a fault ended with {ended:?}")),
        }
    }

    /// All that was set aside is given another try.
    fn try_again(&mut self) -> Result<(), String> {
        let asked = self.set_aside().len();
        self.run_to_its_end(Task::Requeue)?;
        let mailbox = self.mailbox.lock().unwrap();
        let taken = mailbox.items.values();
        let taken = taken.filter(|item| mailbox.is_undetermined(item.key));
        let taken = taken.count() as u64;
        match &self.ended {
            Some(Ended::Requeue(Ok(report))) if report.failed == 0 && report.not_found <= taken => {
                Ok(())
            }
            ended => Err(format!(
                "I8: {asked} are requeued without a fault: {ended:?}"
            )),
        }
    }

    /// I8: the runs without a fault after which the queue is empty.
    fn most_runs(&self) -> usize {
        let size = self.plan.run_size as usize;
        let mailbox = self.mailbox.lock().unwrap();
        let left = mailbox.list(Place::Queue).len();
        let takes = if size == 0 {
            left.min(1)
        } else {
            left.div_ceil(size)
        };
        // What fails in passing has all its attempts, each in a run of its own.
        let flaky = left.min(self.plan.flaky.len());
        1 + takes + 8 * flaky
    }

    fn let_all_end(&mut self) -> Result<(), String> {
        for _ in 0..100_000 {
            if let Some((id, worker, point)) = self.stage.first_ready() {
                if self.trace {
                    println!("settling, worker {worker}: {point:?}");
                }
                self.grant(id, worker, None);
            } else if let Some(wake) = self.stage.next_wake() {
                self.stage.set_clock(wake);
            } else {
                break;
            }
        }
        self.book.verdict()?;
        if self.workers.iter().any(Worker::is_running) {
            let waits = (self.stage.ready(), self.stage.next_wake(), self.stage.now());
            return Err(format!("I8: a run neither goes on nor ends: {waits:?}"));
        }
        Ok(())
    }
}
