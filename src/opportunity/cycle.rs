//! Sales cycles, their stages, and the codes that an opportunity is closed with. Pure data with its checks.

use jiff::civil::Date;

use super::{Amount, DateFormula, Percent, TaskKind};
use crate::error::{Error, Result, codes};
use crate::message::codes;

/// The way from the first talk to the sale, as stages.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct SalesCycle {
    /// The code, such as `EX-LARGE`.
    pub code: String,
    /// What it is for.
    #[cfg_attr(feature = "serde", serde(default))]
    pub description: String,
    /// How the probability is calculated.
    #[cfg_attr(feature = "serde", serde(default))]
    pub probability: ProbabilityCalculation,
    /// Whether new opportunities may not use it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub blocked: bool,
    /// The stages by rising number.
    #[cfg_attr(feature = "serde", serde(default, rename = "stage"))]
    pub stages: Vec<SalesCycleStage>,
}

/// One stage of a sales cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct SalesCycleStage {
    /// The number, unique in the cycle and above 0.
    pub stage: u32,
    /// What happens in it.
    #[cfg_attr(feature = "serde", serde(default))]
    pub description: String,
    /// How much of the work is done once an opportunity is here.
    #[cfg_attr(feature = "serde", serde(default))]
    pub completed: Percent,
    /// The chance of success that an opportunity here has as a rule; 0 for no rule.
    #[cfg_attr(feature = "serde", serde(default))]
    pub chance: Percent,
    /// Whether an opportunity may pass it by.
    #[cfg_attr(feature = "serde", serde(default))]
    pub allow_skip: bool,
    /// Whether an opportunity needs a sales quote to come here by Next or Skip.
    #[cfg_attr(feature = "serde", serde(default))]
    pub quote_required: bool,
    /// The estimated close date, from the date of change.
    #[cfg_attr(feature = "serde", serde(default))]
    pub close_date: DateFormula,
    /// The tasks that coming here makes.
    #[cfg_attr(feature = "serde", serde(default))]
    pub activity: Vec<ActivityStep>,
}

/// One task of a stage's activity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct ActivityStep {
    /// What kind of task.
    #[cfg_attr(feature = "serde", serde(default))]
    pub kind: TaskKind,
    /// What is to be done.
    pub description: String,
    /// When, from the date of change.
    #[cfg_attr(feature = "serde", serde(default))]
    pub date: DateFormula,
}

/// How the probability of an opportunity is calculated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum ProbabilityCalculation {
    /// Chance of success times completed.
    #[default]
    Multiply,
    /// The mean of both.
    Add,
    /// The chance of success alone.
    Chances,
    /// What is completed alone.
    Completed,
}

/// Why an opportunity was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct CloseCode {
    /// The code, such as `PRICE`.
    pub code: String,
    /// What it means.
    #[cfg_attr(feature = "serde", serde(default))]
    pub description: String,
    /// Which way to close it is for.
    pub kind: CloseKind,
}

/// The two ways to close an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
pub enum CloseKind {
    /// With a sale.
    Won,
    /// Without one.
    Lost,
}

codes!(ProbabilityCalculation {
    Multiply => "multiply",
    Add => "add",
    Chances => "chances",
    Completed => "completed",
});
codes!(CloseKind { Won => "won", Lost => "lost", });

impl ProbabilityCalculation {
    /// The probability.
    pub fn of(self, chance: Percent, completed: Percent) -> Percent {
        match self {
            Self::Multiply => chance.times(completed),
            Self::Add => chance.mean(completed),
            Self::Chances => chance,
            Self::Completed => completed,
        }
    }

    /// The part of an estimated value that counts.
    pub fn value(self, estimated: Amount, chance: Percent, completed: Percent) -> Amount {
        estimated.part(self.of(chance, completed))
    }
}

impl SalesCycle {
    /// A cycle without stages that multiplies.
    pub fn new(code: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            description: String::new(),
            probability: ProbabilityCalculation::default(),
            blocked: false,
            stages: Vec::new(),
        }
    }

    /// With this description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// With this way to calculate the probability.
    #[must_use]
    pub fn with_probability(mut self, probability: ProbabilityCalculation) -> Self {
        self.probability = probability;
        self
    }

    /// With one more stage, at the end.
    #[must_use]
    pub fn with_stage(mut self, stage: SalesCycleStage) -> Self {
        self.stages.push(stage);
        self
    }

    /// Blocked for new opportunities, or not.
    #[must_use]
    pub fn with_blocked(mut self, blocked: bool) -> Self {
        self.blocked = blocked;
        self
    }

    /// Checks that the cycle has a code and that its stages rise from 1 on.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.cycle_invalid`).
    pub fn check(&self) -> Result<()> {
        let numbers = std::iter::once(0).chain(self.stages.iter().map(|stage| stage.stage));
        if self.code.trim().is_empty() || !numbers.is_sorted_by(|a, b| a < b) {
            return Err(Error::new(&codes::OPPORTUNITY_CYCLE_INVALID, "sales cycle"));
        }
        Ok(())
    }

    /// The stage with this number.
    pub fn stage(&self, stage: u32) -> Option<&SalesCycleStage> {
        self.stages.iter().find(|one| one.stage == stage)
    }

    /// The first stage.
    pub fn first(&self) -> Option<&SalesCycleStage> {
        self.stages.first()
    }

    /// The stage after this one.
    pub fn next(&self, stage: u32) -> Option<&SalesCycleStage> {
        self.stages.iter().find(|one| one.stage > stage)
    }

    /// The stage before this one.
    pub fn previous(&self, stage: u32) -> Option<&SalesCycleStage> {
        self.stages.iter().rev().find(|one| one.stage < stage)
    }

    /// The stages that lie between two of them.
    pub fn between(&self, from: u32, to: u32) -> impl Iterator<Item = &SalesCycleStage> {
        let stages = self.stages.iter();
        stages.filter(move |one| one.stage > from && one.stage < to)
    }
}

impl SalesCycleStage {
    /// A stage that is completed to this part and has this chance of success.
    pub fn new(stage: u32, completed: Percent, chance: Percent) -> Self {
        Self {
            stage,
            description: String::new(),
            completed,
            chance,
            allow_skip: false,
            quote_required: false,
            close_date: DateFormula::default(),
            activity: Vec::new(),
        }
    }

    /// With this description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// An opportunity may pass it by, or not.
    #[must_use]
    pub fn with_allow_skip(mut self, allow: bool) -> Self {
        self.allow_skip = allow;
        self
    }

    /// It needs a sales quote, or not.
    #[must_use]
    pub fn with_quote_required(mut self, required: bool) -> Self {
        self.quote_required = required;
        self
    }

    /// With this formula for the estimated close date.
    #[must_use]
    pub fn with_close_date(mut self, formula: DateFormula) -> Self {
        self.close_date = formula;
        self
    }

    /// With one more task that coming here makes.
    #[must_use]
    pub fn with_task(mut self, step: ActivityStep) -> Self {
        self.activity.push(step);
        self
    }

    /// The estimated close date of an opportunity that comes here on this day.
    ///
    /// # Errors
    ///
    /// `Config` (`opportunity.date_formula`) where it leaves the calendar.
    pub fn close_date_from(&self, date: Date) -> Result<Date> {
        self.close_date.apply(date)
    }
}

impl ActivityStep {
    /// A step of this kind.
    pub fn new(kind: TaskKind, description: impl Into<String>, date: DateFormula) -> Self {
        Self {
            kind,
            description: description.into(),
            date,
        }
    }
}

impl CloseCode {
    /// A code for one of the two ways to close.
    pub fn new(code: impl Into<String>, kind: CloseKind) -> Self {
        Self {
            code: code.into(),
            description: String::new(),
            kind,
        }
    }

    /// With this description.
    #[must_use]
    pub fn with_description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }
}
