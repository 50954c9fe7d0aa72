//! The statements. Each names its parameters in the order in which they first appear, so that an engine may count or name
//! them.

use std::fmt::Write as _;

use super::{Cell, Cells};
use crate::store::OpportunityFilter;

/// The tables with the rows of an opportunity.
pub(crate) const CHILDREN: [&str; 3] = [
    "opportunity_entry",
    "opportunity_comment",
    "opportunity_task",
];

/// One opportunity of a scope.
pub(crate) const BY_NO: &str = "SELECT * FROM opportunity WHERE scope = $1 AND no = $2";

/// Whether another opportunity of a scope has a quote.
pub(crate) const QUOTE_ELSEWHERE: &str =
    "SELECT id FROM opportunity WHERE scope = $1 AND quote_no = $2 AND no <> $3";

/// Every sales cycle of a scope.
pub(crate) const ALL_CYCLES: &str = "SELECT * FROM sales_cycle WHERE scope = $1 ORDER BY code";

/// One sales cycle of a scope.
pub(crate) const CYCLE: &str = "SELECT * FROM sales_cycle WHERE scope = $1 AND code = $2";

/// Every close code of a scope.
pub(crate) const ALL_CLOSE_CODES: &str = "SELECT * FROM close_code WHERE scope = $1 ORDER BY code";

/// The set-up of a scope.
pub(crate) const SETUP: &str = "SELECT * FROM opportunity_setup WHERE scope = $1";

/// The rows of an opportunity in one of the tables.
pub(crate) fn children_sql(table: &str) -> String {
    format!("SELECT * FROM {table} WHERE opportunity = $1 ORDER BY no")
}

/// Deletes the rows of an opportunity in one of the tables.
pub(crate) fn delete_children_sql(table: &str) -> String {
    format!("DELETE FROM {table} WHERE opportunity = $1")
}

/// Inserts a row that belongs to a scope or an opportunity.
pub(crate) fn insert(table: &str, owner: (&'static str, i64), cells: Cells) -> (String, Vec<Cell>) {
    let mut names = vec![owner.0];
    let mut values = vec![Cell::from(owner.1)];
    for (name, cell) in cells {
        names.push(name);
        values.push(cell);
    }
    let places: Vec<_> = (1..=names.len()).map(|at| format!("${at}")).collect();
    let (names, places) = (names.join(", "), places.join(", "));
    (
        format!("INSERT INTO {table} ({names}) VALUES ({places})"),
        values,
    )
}

/// Inserts a row of a scope, or writes over the one with its key.
pub(crate) fn put(table: &str, key: &str, scope: i64, cells: Cells) -> (String, Vec<Cell>) {
    let names = cells.iter().map(|(name, _)| *name);
    let names = names.filter(|name| *name != key);
    let sets: Vec<_> = names
        .map(|name| format!("{name} = excluded.{name}"))
        .collect();
    let (insert, values) = insert(table, ("scope", scope), cells);
    let conflict = if key.is_empty() {
        "scope".to_owned()
    } else {
        format!("scope, {key}")
    };
    let sets = sets.join(", ");
    (
        format!("{insert} ON CONFLICT ({conflict}) DO UPDATE SET {sets}"),
        values,
    )
}

/// Writes over the row of an opportunity.
pub(crate) fn update_sql(id: i64, cells: Cells) -> (String, Vec<Cell>) {
    let mut values = Vec::new();
    let mut sets = Vec::new();
    for (name, cell) in cells {
        values.push(cell);
        sets.push(format!("{name} = ${}", values.len()));
    }
    values.push(id.into());
    let (sets, place) = (sets.join(", "), values.len());
    (
        format!("UPDATE opportunity SET {sets} WHERE id = ${place}"),
        values,
    )
}

/// The opportunities of a scope that fit a filter, below a number, the last one made first.
pub(crate) fn filtered(
    scope: i64,
    filter: &OpportunityFilter,
    below: i64,
    limit: u64,
) -> (String, Vec<Cell>) {
    let status = filter.status.map(|status| status.code().to_owned());
    let texts = [
        (
            "contact_no",
            filter.contact.as_ref().map(ToString::to_string),
        ),
        (
            "coalesce(contact_company_no, contact_no)",
            filter.company.as_ref().map(ToString::to_string),
        ),
        (
            "salesperson_code",
            filter.salesperson.as_ref().map(ToString::to_string),
        ),
        ("campaign_no", filter.campaign.clone()),
        ("sales_cycle_code", filter.sales_cycle.clone()),
        ("status", status),
    ];
    let mut values = vec![Cell::from(scope), Cell::from(below)];
    let mut sql = "SELECT * FROM opportunity WHERE scope = $1 AND id < $2".to_owned();
    for (column, wanted) in texts {
        if let Some(wanted) = wanted {
            values.push(wanted.as_str().into());
            // Writing to a string does not fail.
            let _ = write!(sql, " AND {column} = ${}", values.len());
        }
    }
    if filter.open {
        sql += " AND status NOT IN ('won', 'lost')";
    }
    (format!("{sql} ORDER BY id DESC LIMIT {limit}"), values)
}

/// The entries of a scope, counted by cycle, stage, action and state.
pub(crate) fn statistics_sql(scope: i64, sales_cycle: Option<&str>) -> (String, Vec<Cell>) {
    let mut values = vec![Cell::from(scope)];
    let mut only = "";
    if let Some(code) = sales_cycle {
        values.push(code.into());
        only = " AND e.sales_cycle_code = $2";
    }
    let sql = format!(
        "SELECT e.sales_cycle_code, e.stage, e.action_taken, e.active, count(*) AS entries,
            CAST(sum(e.estimated_value) AS bigint) AS estimated_value,
            CAST(sum(e.calculated_value) AS bigint) AS calculated_value,
            CAST(sum(e.days_open) AS bigint) AS days
        FROM opportunity o JOIN opportunity_entry e ON e.opportunity = o.id
        WHERE o.scope = $1{only}
        GROUP BY e.sales_cycle_code, e.stage, e.action_taken, e.active"
    );
    (sql, values)
}
