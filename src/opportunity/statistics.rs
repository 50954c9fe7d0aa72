//! What opportunities amount to: one of them, and all at a stage of a sales cycle.

use super::{ActionTaken, Amount, Opportunity, Percent};

/// The figures of one opportunity.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct OpportunityStatistics {
    /// How many interactions belong to it, without the cancelled ones.
    pub interactions: u64,
    /// The stage that it is at, or was closed in.
    pub stage: Option<u32>,
    /// What the sale may bring.
    pub estimated_value: Amount,
    /// The chance of success.
    pub chance: Percent,
    /// How much of the work is done.
    pub completed: Percent,
    /// The probability.
    pub probability: Percent,
    /// The estimated value times the probability; for a won one what was sold.
    pub calculated_value: Amount,
}

/// The figures of one stage of a sales cycle.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct StageStatistics {
    /// The sales cycle.
    pub sales_cycle_code: String,
    /// The stage.
    pub stage: u32,
    /// How many opportunities are at it.
    pub open: u64,
    /// What they may bring together.
    pub estimated_value: Amount,
    /// Their calculated values together.
    pub calculated_value: Amount,
    /// How many were won at it.
    pub won: u64,
    /// What was sold with those.
    pub sales_value: Amount,
    /// How many were lost at it.
    pub lost: u64,
    /// How many entries at this stage have ended.
    pub ended: u64,
    /// How many days those held together.
    pub days: u64,
}

impl StageStatistics {
    /// Nothing at this stage yet.
    pub fn new(sales_cycle_code: impl Into<String>, stage: u32) -> Self {
        Self {
            sales_cycle_code: sales_cycle_code.into(),
            stage,
            ..Self::default()
        }
    }

    /// How many days an entry at this stage holds on average; none before one has ended.
    #[allow(clippy::cast_precision_loss)] // days of people
    pub fn average_days(&self) -> Option<f64> {
        (self.ended > 0).then(|| self.days as f64 / self.ended as f64)
    }

    /// Adds so many entries with one action and one state together.
    pub(crate) fn add(&mut self, part: &StagePart) {
        if !part.active {
            self.ended += part.count;
            self.days += part.days;
            return;
        }
        match part.action {
            ActionTaken::Won => {
                self.won += part.count;
                self.sales_value = self.sales_value.saturating_add(part.calculated_value);
            }
            ActionTaken::Lost => self.lost += part.count,
            _ => {
                self.open += part.count;
                self.estimated_value = self.estimated_value.saturating_add(part.estimated_value);
                self.calculated_value = self.calculated_value.saturating_add(part.calculated_value);
            }
        }
    }
}

/// Entries of one stage that have the action and the state in common.
#[derive(Debug, Clone)]
pub(crate) struct StagePart {
    pub(crate) action: ActionTaken,
    pub(crate) active: bool,
    pub(crate) count: u64,
    pub(crate) estimated_value: Amount,
    pub(crate) calculated_value: Amount,
    pub(crate) days: u64,
}

impl Opportunity {
    /// Its figures, with the number of its interactions, which the log knows.
    pub fn statistics(&self, interactions: u64) -> OpportunityStatistics {
        let none = OpportunityStatistics {
            interactions,
            ..OpportunityStatistics::default()
        };
        self.active().map_or(none, |active| OpportunityStatistics {
            interactions,
            stage: Some(active.stage),
            estimated_value: active.estimated_value,
            chance: active.chance,
            completed: active.completed,
            probability: active.probability,
            calculated_value: active.calculated_value,
        })
    }
}
