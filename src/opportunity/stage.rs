//! Moving an opportunity through the stages of its sales cycle.

use jiff::civil::Date;

use super::{
    ActionTaken, Amount, Opportunity, OpportunityEntry, OpportunityStatus, Percent, SalesCycle,
    SalesCycleStage, Task,
};
use crate::error::{Code, Error, Result, codes};

/// Where an update takes an opportunity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum StageAction {
    /// To the first stage; of an opportunity that has not started.
    First,
    /// To the next stage.
    Next,
    /// To the stage before.
    Previous,
    /// To a later stage, past stages that allow it.
    Skip(u32),
    /// Back to any earlier stage.
    Jump(u32),
    /// Nowhere: new estimates in the same stage.
    Update,
}

impl StageAction {
    fn taken(self) -> ActionTaken {
        match self {
            Self::First => ActionTaken::First,
            Self::Next => ActionTaken::Next,
            Self::Previous => ActionTaken::Previous,
            Self::Skip(_) => ActionTaken::Skipped,
            Self::Jump(_) => ActionTaken::Jumped,
            Self::Update => ActionTaken::Updated,
        }
    }
}

/// An update: the action, its day, and the estimates that a person typed.
///
/// What is not typed is taken over: the value and the close date from the entry before, the chance from the stage that is
/// entered if that has one and else from the entry before. An [`Update`](StageAction::Update) without a chance keeps the
/// one before.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageUpdate {
    /// Where to.
    pub action: StageAction,
    /// The day of the change.
    pub date: Date,
    /// What the sale may bring.
    pub estimated_value: Option<Amount>,
    /// The chance of success.
    pub chance: Option<Percent>,
    /// When it may be decided.
    pub close_date: Option<Date>,
    /// Whether the open tasks are cancelled.
    pub cancel_open_tasks: bool,
}

/// What a change leaves to the host: whoever drops it drops tasks to plan and a customer to make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
#[must_use = "the host makes the contact a customer and tells people of their tasks"]
pub struct Changed {
    /// The tasks that the change made. They stand in the opportunity as well.
    pub new_tasks: Vec<Task>,
    /// The numbers of the tasks that it cancelled.
    pub canceled_tasks: Vec<u32>,
    /// Whether the contact is to become a customer, if it is none.
    pub contact_becomes_customer: bool,
}

impl StageUpdate {
    /// An update on this day without typed estimates.
    pub fn new(action: StageAction, date: Date) -> Self {
        Self {
            action,
            date,
            estimated_value: None,
            chance: None,
            close_date: None,
            cancel_open_tasks: false,
        }
    }

    /// With this estimated value.
    #[must_use]
    pub fn with_estimated_value(mut self, value: Amount) -> Self {
        self.estimated_value = Some(value);
        self
    }

    /// With this chance of success.
    #[must_use]
    pub fn with_chance(mut self, chance: Percent) -> Self {
        self.chance = Some(chance);
        self
    }

    /// With this estimated close date.
    #[must_use]
    pub fn with_close_date(mut self, date: Date) -> Self {
        self.close_date = Some(date);
        self
    }

    /// Cancels the open tasks, or not.
    #[must_use]
    pub fn with_cancel_open_tasks(mut self, cancel: bool) -> Self {
        self.cancel_open_tasks = cancel;
        self
    }
}

impl Opportunity {
    /// Activates the first stage without an estimated value (Business Central: Activate the First Stage).
    ///
    /// # Errors
    ///
    /// `Conflict` (`opportunity.status`) once it has started; `Config`: `opportunity.no_cycle`, `opportunity.no_stage`.
    pub fn activate_first_stage(&mut self, cycle: &SalesCycle, date: Date) -> Result<Changed> {
        let update = StageUpdate::new(StageAction::First, date);
        let stage = self.target(cycle, &update)?;
        let entry = self.estimated(cycle, stage, &update)?;
        self.enter(stage, entry, &update)
    }

    /// Moves the opportunity, or stays with new estimates. Nothing is changed where it fails.
    ///
    /// # Errors
    ///
    /// `Conflict`: `opportunity.status`, `.action`, `.skip`, `.quote_required`, `.date`, `.value`, `.chance`, `.close_date`.
    /// `Config`: `opportunity.no_cycle`, `.no_stage`, `.date_formula`.
    pub fn update(&mut self, cycle: &SalesCycle, update: &StageUpdate) -> Result<Changed> {
        let stage = self.target(cycle, update)?;
        self.check_date(update.date, "update")?;
        let entry = self.estimated(cycle, stage, update)?;
        check_estimates(&entry)?;
        self.enter(stage, entry, update)
    }

    /// The stages that an opportunity may skip to from where it stands.
    pub fn skippable<'a>(&self, cycle: &'a SalesCycle) -> Vec<&'a SalesCycleStage> {
        let Some(active) = self.active() else {
            return Vec::new();
        };
        let later = cycle.stages.iter().filter(|one| one.stage > active.stage);
        let may = |one: &&SalesCycleStage| skip(cycle, active.stage, one.stage).is_ok();
        later.filter(may).collect()
    }

    /// The stage that the action leads to, if the rules let it.
    fn target<'a>(
        &self,
        cycle: &'a SalesCycle,
        update: &StageUpdate,
    ) -> Result<&'a SalesCycleStage> {
        if self.sales_cycle_code.as_ref() != Some(&cycle.code) {
            return Err(refused(&codes::OPPORTUNITY_NO_CYCLE));
        }
        if update.action == StageAction::First {
            self.require(OpportunityStatus::NotStarted, "first stage")?;
            let first = cycle.first();
            return first.ok_or_else(|| refused(&codes::OPPORTUNITY_NO_STAGE));
        }
        self.require(OpportunityStatus::InProgress, "update")?;
        let now = self.active().map_or(0, |active| active.stage);
        let found = match update.action {
            StageAction::First | StageAction::Update => cycle.stage(now),
            StageAction::Next => cycle.next(now),
            StageAction::Previous => cycle.previous(now),
            StageAction::Skip(to) => Some(skip(cycle, now, to)?),
            StageAction::Jump(to) => cycle.stage(to).filter(|stage| stage.stage < now),
        };
        let stage = found.ok_or_else(|| refused(&codes::OPPORTUNITY_ACTION))?;
        let forward = matches!(update.action, StageAction::Next | StageAction::Skip(_));
        if forward && stage.quote_required && self.quote.is_none() {
            return Err(refused(&codes::OPPORTUNITY_QUOTE_REQUIRED));
        }
        Ok(stage)
    }

    /// The entry of a stage with its estimates: what is typed, and what is taken over.
    fn estimated(
        &self,
        cycle: &SalesCycle,
        stage: &SalesCycleStage,
        update: &StageUpdate,
    ) -> Result<OpportunityEntry> {
        let action = update.action.taken();
        let mut entry = self.successor(action, &cycle.code, stage.stage, update.date);
        let before = self.active();
        let kept = before.map_or(Percent::ZERO, |before| before.chance);
        let moves = update.action != StageAction::Update;
        let usual = if stage.chance.is_positive() && (moves || !kept.is_positive()) {
            stage.chance
        } else {
            kept
        };
        entry.chance = update.chance.unwrap_or(usual);
        entry.completed = stage.completed;
        entry.estimated_value = update
            .estimated_value
            .or(before.map(|before| before.estimated_value))
            .unwrap_or_default();
        entry.probability = cycle.probability.of(entry.chance, entry.completed);
        entry.calculated_value = entry.estimated_value.part(entry.probability);
        // A date that was never more than the day of its own change counts as not given.
        let given = before
            .filter(|before| before.estimated_close_date != before.date_of_change)
            .map(|before| before.estimated_close_date);
        entry.estimated_close_date = match update.close_date.or(given) {
            Some(date) => date,
            None => stage.close_date_from(update.date)?,
        };
        Ok(entry)
    }

    /// Makes the entry the active one, with the tasks of its stage.
    fn enter(
        &mut self,
        stage: &SalesCycleStage,
        entry: OpportunityEntry,
        update: &StageUpdate,
    ) -> Result<Changed> {
        let new_tasks = match update.action {
            StageAction::Update => Vec::new(),
            _ => self.tasks_of(stage, update.date)?,
        };
        let canceled_tasks = if update.cancel_open_tasks {
            self.cancel_open_tasks()
        } else {
            Vec::new()
        };
        self.push(entry);
        self.status = OpportunityStatus::InProgress;
        self.tasks.extend(new_tasks.iter().cloned());
        Ok(Changed {
            new_tasks,
            canceled_tasks,
            contact_becomes_customer: false,
        })
    }
}

/// The later stage, if every stage on the way allows it to be passed by.
fn skip(cycle: &SalesCycle, now: u32, to: u32) -> Result<&SalesCycleStage> {
    let stage = cycle.stage(to).filter(|stage| stage.stage > now);
    let stage = stage.ok_or_else(|| refused(&codes::OPPORTUNITY_ACTION))?;
    let mut between = cycle.between(now, to).peekable();
    if between.peek().is_none() {
        return Err(refused(&codes::OPPORTUNITY_ACTION));
    }
    if between.any(|stage| !stage.allow_skip) {
        return Err(refused(&codes::OPPORTUNITY_SKIP));
    }
    Ok(stage)
}

fn check_estimates(entry: &OpportunityEntry) -> Result<()> {
    let code = if !entry.estimated_value.is_positive() {
        &codes::OPPORTUNITY_VALUE
    } else if !entry.chance.is_positive() {
        &codes::OPPORTUNITY_CHANCE
    } else if entry.estimated_close_date < entry.date_of_change {
        &codes::OPPORTUNITY_CLOSE_DATE
    } else {
        return Ok(());
    };
    Err(refused(code))
}

fn refused(code: &'static Code) -> Error {
    Error::new(code, "update")
}
