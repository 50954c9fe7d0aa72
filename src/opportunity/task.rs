//! Tasks that the stages of an opportunity ask for. The host may show them in a calendar of its own.

use jiff::civil::Date;

use super::{Opportunity, SalesCycleStage};
use crate::error::{Error, Result, codes};
use crate::ids::{ContactNo, SalespersonCode};
use crate::message::codes;

/// What kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum TaskKind {
    /// Anything else.
    #[default]
    Other,
    /// A meeting.
    Meeting,
    /// A phone call.
    PhoneCall,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
pub enum TaskStatus {
    /// To be done.
    Open,
    /// Ticked.
    Done,
    /// Not to be done any more.
    Canceled,
}

codes!(TaskKind { Other => "other", Meeting => "meeting", PhoneCall => "phone-call", });
codes!(TaskStatus { Open => "open", Done => "done", Canceled => "canceled", });

/// A task of an opportunity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Task {
    /// Its number in the opportunity, from 1.
    pub no: u32,
    /// The stage that asked for it.
    pub stage: u32,
    /// What kind.
    pub kind: TaskKind,
    /// What is to be done.
    pub description: String,
    /// When.
    pub date: Date,
    /// Where it stands.
    pub status: TaskStatus,
    /// Who does it.
    pub salesperson_code: Option<SalespersonCode>,
    /// With whom.
    pub contact_no: ContactNo,
}

impl Task {
    /// An open task.
    pub fn new(no: u32, stage: u32, description: impl Into<String>, date: Date) -> Self {
        Self {
            no,
            stage,
            kind: TaskKind::default(),
            description: description.into(),
            date,
            status: TaskStatus::Open,
            salesperson_code: None,
            contact_no: ContactNo::new(""),
        }
    }
}

impl Opportunity {
    /// The open task that comes next: by date, then by number.
    pub fn next_task(&self) -> Option<&Task> {
        let open = self
            .tasks
            .iter()
            .filter(|task| task.status == TaskStatus::Open);
        open.min_by_key(|task| (task.date, task.no))
    }

    /// Ticks an open task.
    ///
    /// # Errors
    ///
    /// `Conflict` (`opportunity.task`) where there is no open task with this number.
    pub fn complete_task(&mut self, no: u32) -> Result<()> {
        let mut tasks = self.tasks.iter_mut();
        let task = tasks.find(|task| task.no == no && task.status == TaskStatus::Open);
        let refused = || Error::new(&codes::OPPORTUNITY_TASK, "complete_task");
        task.ok_or_else(refused)?.status = TaskStatus::Done;
        Ok(())
    }

    /// The tasks of a stage that is entered on this day; they are not added yet.
    pub(super) fn tasks_of(&self, stage: &SalesCycleStage, date: Date) -> Result<Vec<Task>> {
        let last = self.tasks.iter().map(|task| task.no).max().unwrap_or(0);
        let steps = (last + 1..).zip(&stage.activity);
        let task = |(no, step): (u32, &super::ActivityStep)| {
            Ok(Task {
                kind: step.kind,
                salesperson_code: self.salesperson_code.clone(),
                contact_no: self.contact_no.clone(),
                ..Task::new(no, stage.stage, &step.description, step.date.apply(date)?)
            })
        };
        steps.map(task).collect()
    }

    /// Cancels the open tasks. Answers their numbers.
    pub(super) fn cancel_open_tasks(&mut self) -> Vec<u32> {
        let mut canceled = Vec::new();
        for task in &mut self.tasks {
            if task.status == TaskStatus::Open {
                task.status = TaskStatus::Canceled;
                canceled.push(task.no);
            }
        }
        canceled
    }
}
