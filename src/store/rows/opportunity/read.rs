//! Rows back into values.

use std::collections::BTreeMap;

use super::Fields;
use crate::ids::{ContactNo, OpportunityNo, SalespersonCode};
use crate::interaction::Comment;
use crate::opportunity::{
    ActionTaken, CloseCode, CloseKind, NumberSeries, Opportunity, OpportunityEntry,
    OpportunityStatus, ProbabilityCalculation, Quote, SalesCycle, StagePart, StageStatistics, Task,
    TaskKind, TaskStatus,
};
use crate::store::rows::{Fit, from_json, timestamp, unsigned};
use crate::store::{OpportunitySetup, StoredOpportunity};

/// An opportunity of its row and of its rows in the other tables.
pub(crate) fn opportunity(head: &Fields, children: &[Vec<Fields>; 3]) -> Fit<StoredOpportunity> {
    let [entries, comments, tasks] = children;
    let no = OpportunityNo::new(head.text("no")?);
    let contact = ContactNo::new(head.text("contact_no")?);
    let mut one = Opportunity::new(no, contact, head.date("creation_date")?);
    one.description = head.text("description")?;
    one.status = head.code("status", OpportunityStatus::from_code)?;
    one.date_closed = head.maybe_date("date_closed")?;
    one.salesperson_code = salesperson(head)?;
    one.contact_company_no = company(head)?;
    one.campaign_no = head.maybe_text("campaign_no")?;
    one.sales_cycle_code = head.maybe_text("sales_cycle_code")?;
    if let Some(no) = head.maybe_text("quote_no")? {
        one.quote = Some(Quote::new(no, head.amount("quote_value")?));
    }
    one.entries = entries.iter().map(entry).collect::<Fit<_>>()?;
    one.comments = comments.iter().map(comment).collect::<Fit<_>>()?;
    one.tasks = tasks.iter().map(task).collect::<Fit<_>>()?;
    let version = unsigned(head.number("version")?)?;
    Ok(StoredOpportunity::new(one, version))
}

fn salesperson(row: &Fields) -> Fit<Option<SalespersonCode>> {
    let code = row.maybe_text("salesperson_code")?;
    Ok(code.map(SalespersonCode::new))
}

fn company(row: &Fields) -> Fit<Option<ContactNo>> {
    Ok(row.maybe_text("contact_company_no")?.map(ContactNo::new))
}

fn entry(row: &Fields) -> Fit<OpportunityEntry> {
    let mut one = OpportunityEntry::new(
        row.small("no")?,
        row.code("action_taken", ActionTaken::from_code)?,
        row.text("sales_cycle_code")?,
        row.small("stage")?,
        row.date("date_of_change")?,
        ContactNo::new(row.text("contact_no")?),
    );
    let previous = row.maybe_number("previous_stage")?;
    one.previous_stage = match previous {
        Some(_) => Some(row.small("previous_stage")?),
        None => None,
    };
    one.active = row.flag("active")?;
    one.days_open = row.small("days_open")?;
    one.estimated_value = row.amount("estimated_value")?;
    one.estimated_close_date = row.date("estimated_close_date")?;
    one.chance = row.percent("chance")?;
    one.completed = row.percent("completed")?;
    one.probability = row.percent("probability")?;
    one.calculated_value = row.amount("calculated_value")?;
    one.close_code = row.maybe_text("close_code")?;
    one.salesperson_code = salesperson(row)?;
    one.contact_company_no = company(row)?;
    one.campaign_no = row.maybe_text("campaign_no")?;
    Ok(one)
}

fn comment(row: &Fields) -> Fit<Comment> {
    let at = timestamp(row.number("at")?)?;
    Ok(Comment::new(at, row.text("author")?, row.text("text")?))
}

fn task(row: &Fields) -> Fit<Task> {
    let (no, stage) = (row.small("no")?, row.small("stage")?);
    Ok(Task {
        kind: row.code("kind", TaskKind::from_code)?,
        status: row.code("status", TaskStatus::from_code)?,
        salesperson_code: salesperson(row)?,
        contact_no: ContactNo::new(row.text("contact_no")?),
        ..Task::new(no, stage, row.text("description")?, row.date("date")?)
    })
}

/// A sales cycle of its row.
pub(crate) fn sales_cycle(row: &Fields) -> Fit<SalesCycle> {
    let mut cycle = SalesCycle::new(row.text("code")?);
    cycle.description = row.text("description")?;
    cycle.probability = row.code("probability", ProbabilityCalculation::from_code)?;
    cycle.blocked = row.flag("blocked")?;
    cycle.stages = from_json(&row.text("stages")?)?;
    Ok(cycle)
}

/// A close code of its row.
pub(crate) fn close_code(row: &Fields) -> Fit<CloseCode> {
    let kind = row.code("kind", CloseKind::from_code)?;
    Ok(CloseCode::new(row.text("code")?, kind).with_description(row.text("description")?))
}

/// The set-up of its row; an empty one where there is none.
pub(crate) fn setup(row: Option<&Fields>) -> Fit<OpportunitySetup> {
    let mut setup = OpportunitySetup::default();
    let Some(row) = row else {
        return Ok(setup);
    };
    if let Some(next) = row.maybe_text("series_next")? {
        let code = row.maybe_text("series_code")?.unwrap_or_default();
        setup.number_series = Some(NumberSeries::new(code, next));
    }
    setup.default_sales_cycle = row.maybe_text("default_sales_cycle")?;
    Ok(setup)
}

/// The figures of the stages, of entries that were counted by action and state.
pub(crate) fn statistics(rows: &[Fields]) -> Fit<Vec<StageStatistics>> {
    let mut stages = BTreeMap::new();
    for row in rows {
        let (code, stage) = (row.text("sales_cycle_code")?, row.small("stage")?);
        let part = StagePart {
            action: row.code("action_taken", ActionTaken::from_code)?,
            active: row.flag("active")?,
            count: unsigned(row.number("entries")?)?,
            estimated_value: row.amount("estimated_value")?,
            calculated_value: row.amount("calculated_value")?,
            days: unsigned(row.number("days")?)?,
        };
        let fresh = StageStatistics::new(&code, stage);
        let one = stages.entry((code, stage)).or_insert(fresh);
        one.add(&part);
    }
    Ok(stages.into_values().collect())
}
