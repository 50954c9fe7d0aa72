//! Opportunities as rows, the same in every engine: each row is a list of named cells, each statement counts its parameters
//! as `$1`, `$2` in the order in which they first appear.
//!
//! Knows no engine and no driver.

mod fields;
mod read;
mod sql;

pub(crate) use self::fields::{Cell, Cells, Fields};
pub(crate) use self::read::{close_code, opportunity, sales_cycle, setup, statistics};
pub(crate) use self::sql::{
    ALL_CLOSE_CODES, ALL_CYCLES, BY_NO, CHILDREN, CYCLE, QUOTE_ELSEWHERE, SETUP, children_sql,
    delete_children_sql, filtered, insert, put, statistics_sql, update_sql,
};
use super::{json, micros, signed, text};
use crate::interaction::Comment;
use crate::opportunity::{
    CloseCode, Opportunity, OpportunityEntry, Percent, Quote, SalesCycle, Task,
};
use crate::store::OpportunitySetup;
use crate::store::rows::Fit;

/// The row of an opportunity, without its scope.
pub(crate) fn head(one: &Opportunity, version: u64) -> Fit<Cells> {
    let quote = one.quote.as_ref();
    Ok(vec![
        ("no", some(one.no.as_str())),
        ("version", Cell::Number(Some(signed(version)?))),
        ("description", some(&one.description)),
        ("creation_date", some(&one.creation_date.to_string())),
        ("status", some(one.status.code())),
        (
            "date_closed",
            maybe(one.date_closed.map(|day| day.to_string())),
        ),
        ("salesperson_code", maybe(one.salesperson_code.as_ref())),
        ("contact_no", some(one.contact_no.as_str())),
        ("contact_company_no", maybe(one.contact_company_no.as_ref())),
        ("campaign_no", maybe(one.campaign_no.as_ref())),
        ("sales_cycle_code", maybe(one.sales_cycle_code.as_ref())),
        ("quote_no", maybe(quote.map(|quote| &quote.no))),
        ("quote_value", Cell::Number(quote.map(value))),
    ])
}

/// The rows of an opportunity in the tables of [`CHILDREN`], without the opportunity.
pub(crate) fn children(one: &Opportunity) -> [Vec<Cells>; 3] {
    let comments = (1..).zip(&one.comments);
    [
        one.entries.iter().map(entry).collect(),
        comments.map(|(no, said)| comment(no, said)).collect(),
        one.tasks.iter().map(task).collect(),
    ]
}

fn entry(one: &OpportunityEntry) -> Cells {
    vec![
        ("no", number(one.no)),
        ("action_taken", some(one.action_taken.code())),
        ("sales_cycle_code", some(&one.sales_cycle_code)),
        ("stage", number(one.stage)),
        (
            "previous_stage",
            Cell::Number(one.previous_stage.map(i64::from)),
        ),
        ("date_of_change", some(&one.date_of_change.to_string())),
        ("active", number(u32::from(one.active))),
        ("days_open", number(one.days_open)),
        (
            "estimated_value",
            Cell::Number(Some(one.estimated_value.ten_thousandths())),
        ),
        (
            "estimated_close_date",
            some(&one.estimated_close_date.to_string()),
        ),
        ("chance", percent(one.chance)),
        ("completed", percent(one.completed)),
        ("probability", percent(one.probability)),
        (
            "calculated_value",
            Cell::Number(Some(one.calculated_value.ten_thousandths())),
        ),
        ("close_code", maybe(one.close_code.as_ref())),
        ("salesperson_code", maybe(one.salesperson_code.as_ref())),
        ("contact_no", some(one.contact_no.as_str())),
        ("contact_company_no", maybe(one.contact_company_no.as_ref())),
        ("campaign_no", maybe(one.campaign_no.as_ref())),
    ]
}

fn comment(no: u32, said: &Comment) -> Cells {
    vec![
        ("no", number(no)),
        ("at", Cell::Number(Some(micros(said.at)))),
        ("author", some(&said.author)),
        ("text", some(&said.text)),
    ]
}

fn task(one: &Task) -> Cells {
    vec![
        ("no", number(one.no)),
        ("stage", number(one.stage)),
        ("kind", some(one.kind.code())),
        ("description", some(&one.description)),
        ("date", some(&one.date.to_string())),
        ("status", some(one.status.code())),
        ("salesperson_code", maybe(one.salesperson_code.as_ref())),
        ("contact_no", some(one.contact_no.as_str())),
    ]
}

/// The row of a sales cycle, without its scope.
pub(crate) fn cycle_cells(cycle: &SalesCycle) -> Fit<Cells> {
    Ok(vec![
        ("code", some(&cycle.code)),
        ("description", some(&cycle.description)),
        ("probability", some(cycle.probability.code())),
        ("blocked", number(u32::from(cycle.blocked))),
        ("stages", Cell::Text(Some(json(&cycle.stages)?))),
    ])
}

/// The row of a close code, without its scope.
pub(crate) fn close_code_cells(code: &CloseCode) -> Cells {
    vec![
        ("code", some(&code.code)),
        ("description", some(&code.description)),
        ("kind", some(code.kind.code())),
    ]
}

/// The row of the set-up, without its scope.
pub(crate) fn setup_cells(setup: &OpportunitySetup) -> Cells {
    let series = setup.number_series.as_ref();
    vec![
        ("series_code", maybe(series.map(|series| &series.code))),
        ("series_next", maybe(series.map(|series| &series.next))),
        (
            "default_sales_cycle",
            maybe(setup.default_sales_cycle.as_ref()),
        ),
    ]
}

fn some(value: &str) -> Cell {
    Cell::Text(Some(text(value).into_owned()))
}

fn maybe(value: Option<impl ToString>) -> Cell {
    Cell::Text(value.map(|value| text(&value.to_string()).into_owned()))
}

fn number(value: u32) -> Cell {
    Cell::Number(Some(i64::from(value)))
}

fn percent(value: Percent) -> Cell {
    number(u32::from(value.hundredths()))
}

fn value(quote: &Quote) -> i64 {
    quote.value.ten_thousandths()
}
