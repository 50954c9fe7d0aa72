//! Opportunities as rows of this engine. The rows and the statements are the same in every engine.

use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

use super::{entries, find_scope, make_scope, take_turn};
use crate::error::{Error, codes};
use crate::ids::{EntryId, OpportunityNo};
use crate::opportunity::{CloseCode, Creation, Opportunity, SalesCycle, StageStatistics};
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::pool::{Round, Tx};
use crate::store::postgres::values::{column, uuid};
use crate::store::rows::opportunity::{self as rows, Cell, Fields};
use crate::store::rows::{Place, Question, unsigned};
use crate::store::{Cursor, OpportunityFilter, OpportunitySetup, Page, StoredOpportunity};

/// It waits for the turn of its scope and holds the entry, so that a number is taken once and an entry is linked once.
pub(crate) async fn create_opportunity(
    tx: &Tx,
    scope: &Scope,
    id: &EntryId,
    creation: &Creation,
    round: Round,
) -> Done<StoredOpportunity> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let key = uuid(id.as_bytes());
    let lock = "SELECT entry_no FROM entry WHERE scope = $1 AND id = $2 FOR UPDATE";
    tx.rows(lock, &[&scope, &key]).await?;
    let find = format!("{} WHERE e.scope = $1 AND e.id = $2", entries::SELECT);
    let found = tx.rows(&find, &[&scope, &key]).await?;
    let entry = entries::read(tx, &found).await?.into_iter().next();
    let entry = entry.ok_or(&codes::STORE_NOT_FOUND)?;
    if let Some(no) = entry.opportunity_no.as_ref().filter(|_| round.unknown) {
        let no = OpportunityNo::new(no);
        let head = head(tx, scope, &no).await?;
        return whole(tx, &head.ok_or(&codes::OPPORTUNITY_ENTRY_LINKED)?).await;
    }
    Opportunity::check_entry(&entry, creation).map_err(rule)?;
    let setup = setup_of(tx, scope).await?;
    let series = setup.number_series.as_ref();
    let series = series.ok_or(&codes::OPPORTUNITY_NO_SERIES)?;
    let (no, rest) = series.take().map_err(rule)?;
    let cycle = default_cycle(tx, scope, &setup).await?;
    let made = Opportunity::from_entry(no, &entry, creation, cycle.as_ref()).map_err(rule)?;
    insert(tx, scope, &made).await?;
    let link = "UPDATE entry SET opportunity_no = $3 WHERE scope = $1 AND id = $2";
    tx.run(link, &[&scope, &key, &made.no.as_str()]).await?;
    let cells = rows::setup_cells(&setup.with_number_series(rest));
    run(tx, rows::put("opportunity_setup", "", scope, cells)).await?;
    Ok(StoredOpportunity::new(made, 1))
}

pub(crate) async fn load_opportunity(
    tx: &Tx,
    scope: &Scope,
    no: &OpportunityNo,
) -> Done<StoredOpportunity> {
    let scope = find_scope(tx, scope).await?;
    let head = head(tx, scope, no).await?;
    whole(tx, &head.ok_or(&codes::STORE_NOT_FOUND)?).await
}

pub(crate) async fn save_opportunity(
    tx: &Tx,
    scope: &Scope,
    opportunity: &Opportunity,
    expected_version: u64,
    round: Round,
) -> Done<u64> {
    opportunity.check().map_err(rule)?;
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let head = head(tx, scope, &opportunity.no).await?;
    if let Some(head) = head.as_ref().filter(|_| round.unknown) {
        let stored = whole(tx, head).await?;
        if stored.version == expected_version + 1 && stored.opportunity == *opportunity {
            return Ok(stored.version);
        }
    }
    if version(head.as_ref())? != expected_version {
        return Err((&codes::OPPORTUNITY_VERSION).into());
    }
    if let Some(quote) = &opportunity.quote {
        let (quote, no) = (quote.no.as_str(), opportunity.no.as_str());
        let values = vec![scope.into(), quote.into(), no.into()];
        if !select(tx, rows::QUOTE_ELSEWHERE, values).await?.is_empty() {
            return Err((&codes::OPPORTUNITY_QUOTE_ASSIGNED).into());
        }
    }
    match head {
        None => insert(tx, scope, opportunity).await?,
        Some(head) => {
            let id = head.number("id")?;
            let cells = rows::head(opportunity, expected_version + 1)?;
            run(tx, rows::update_sql(id, cells)).await?;
            delete_children(tx, id).await?;
            insert_children(tx, id, opportunity).await?;
        }
    }
    Ok(expected_version + 1)
}

pub(crate) async fn delete_opportunity(
    tx: &Tx,
    scope: &Scope,
    no: &OpportunityNo,
    expected_version: u64,
    round: Round,
) -> Done<()> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let head = match head(tx, scope, no).await? {
        Some(head) => head,
        None if round.unknown => return Ok(()),
        None => return Err((&codes::STORE_NOT_FOUND).into()),
    };
    let stored = whole(tx, &head).await?;
    if stored.version != expected_version {
        return Err((&codes::OPPORTUNITY_VERSION).into());
    }
    stored.opportunity.check_delete().map_err(rule)?;
    let id = head.number("id")?;
    delete_children(tx, id).await?;
    tx.run("DELETE FROM opportunity WHERE id = $1", &[&id])
        .await?;
    let unlink = "UPDATE entry SET opportunity_no = NULL WHERE scope = $1 AND opportunity_no = $2";
    tx.run(unlink, &[&scope, &no.as_str()]).await?;
    Ok(())
}

pub(crate) async fn opportunities(
    tx: &Tx,
    scope: &Scope,
    filter: &OpportunityFilter,
    after: Option<&Cursor>,
    limit: u32,
) -> Done<Page<StoredOpportunity>> {
    let question = Question::new("opportunities", scope, filter);
    let place = question.place(after)?;
    let scope = find_scope(tx, scope).await?;
    let (sql, values) = rows::filtered(scope, filter, place.no, u64::from(limit) + 1);
    let mut page = Vec::new();
    for head in select(tx, &sql, values).await? {
        let no = head.number("id")?;
        page.push((Place { at: 0, no }, whole(tx, &head).await?));
    }
    Ok(question.page(page, limit))
}

pub(crate) async fn count_interactions(tx: &Tx, scope: &Scope, no: &OpportunityNo) -> Done<u64> {
    let scope = find_scope(tx, scope).await?;
    let count = "SELECT count(*) AS entries FROM entry
        WHERE scope = $1 AND opportunity_no = $2 AND NOT canceled";
    let row = tx.row(count, &[&scope, &no.as_str()]).await?;
    let count = row.map_or(Ok(0), |row| column(&row, "entries"))?;
    Ok(unsigned(count)?)
}

pub(crate) async fn stage_statistics(
    tx: &Tx,
    scope: &Scope,
    sales_cycle: Option<&str>,
) -> Done<Vec<StageStatistics>> {
    let scope = find_scope(tx, scope).await?;
    let (sql, values) = rows::statistics_sql(scope, sales_cycle);
    Ok(rows::statistics(&select(tx, &sql, values).await?)?)
}

pub(crate) async fn sales_cycles(tx: &Tx, scope: &Scope) -> Done<Vec<SalesCycle>> {
    let scope = find_scope(tx, scope).await?;
    let found = select(tx, rows::ALL_CYCLES, vec![scope.into()]).await?;
    found
        .iter()
        .map(|row| Ok(rows::sales_cycle(row)?))
        .collect()
}

pub(crate) async fn put_sales_cycle(tx: &Tx, scope: &Scope, cycle: &SalesCycle) -> Done<()> {
    cycle.check().map_err(rule)?;
    let scope = make_scope(tx, scope).await?;
    let cells = rows::cycle_cells(cycle)?;
    run(tx, rows::put("sales_cycle", "code", scope, cells)).await
}

pub(crate) async fn close_codes(tx: &Tx, scope: &Scope) -> Done<Vec<CloseCode>> {
    let scope = find_scope(tx, scope).await?;
    let found = select(tx, rows::ALL_CLOSE_CODES, vec![scope.into()]).await?;
    found.iter().map(|row| Ok(rows::close_code(row)?)).collect()
}

pub(crate) async fn put_close_code(tx: &Tx, scope: &Scope, code: &CloseCode) -> Done<()> {
    let scope = make_scope(tx, scope).await?;
    let cells = rows::close_code_cells(code);
    run(tx, rows::put("close_code", "code", scope, cells)).await
}

pub(crate) async fn opportunity_setup(tx: &Tx, scope: &Scope) -> Done<OpportunitySetup> {
    let scope = find_scope(tx, scope).await?;
    setup_of(tx, scope).await
}

/// It waits for the turn of its scope, in which numbers are taken.
pub(crate) async fn put_opportunity_setup(
    tx: &Tx,
    scope: &Scope,
    setup: &OpportunitySetup,
) -> Done<()> {
    let scope = make_scope(tx, scope).await?;
    take_turn(tx, scope).await?;
    let cells = rows::setup_cells(setup);
    run(tx, rows::put("opportunity_setup", "", scope, cells)).await
}

/// A rule that said no.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn rule(error: Error) -> Fault {
    error.row().into()
}

async fn setup_of(tx: &Tx, scope: i64) -> Done<OpportunitySetup> {
    let found = select(tx, rows::SETUP, vec![scope.into()]).await?;
    Ok(rows::setup(found.first())?)
}

async fn default_cycle(tx: &Tx, scope: i64, setup: &OpportunitySetup) -> Done<Option<SalesCycle>> {
    let Some(code) = &setup.default_sales_cycle else {
        return Ok(None);
    };
    let found = select(tx, rows::CYCLE, vec![scope.into(), code.as_str().into()]).await?;
    Ok(found.first().map(rows::sales_cycle).transpose()?)
}

async fn head(tx: &Tx, scope: i64, no: &OpportunityNo) -> Done<Option<Fields>> {
    let values = vec![scope.into(), no.as_str().into()];
    Ok(select(tx, rows::BY_NO, values).await?.into_iter().next())
}

fn version(head: Option<&Fields>) -> Done<u64> {
    head.map_or(Ok(0), |head| Ok(unsigned(head.number("version")?)?))
}

async fn whole(tx: &Tx, head: &Fields) -> Done<StoredOpportunity> {
    let id = head.number("id")?;
    let mut children = [const { Vec::new() }; 3];
    for (table, found) in rows::CHILDREN.into_iter().zip(&mut children) {
        *found = select(tx, &rows::children_sql(table), vec![id.into()]).await?;
    }
    Ok(rows::opportunity(head, &children)?)
}

async fn insert(tx: &Tx, scope: i64, one: &Opportunity) -> Done<()> {
    let cells = rows::head(one, 1)?;
    run(tx, rows::insert("opportunity", ("scope", scope), cells)).await?;
    let made = head(tx, scope, &one.no).await?;
    let made = made.ok_or(Fault::Damaged("a row that was just made"))?;
    insert_children(tx, made.number("id")?, one).await
}

async fn insert_children(tx: &Tx, id: i64, one: &Opportunity) -> Done<()> {
    for (table, children) in rows::CHILDREN.into_iter().zip(rows::children(one)) {
        for cells in children {
            run(tx, rows::insert(table, ("opportunity", id), cells)).await?;
        }
    }
    Ok(())
}

async fn delete_children(tx: &Tx, id: i64) -> Done<()> {
    for table in rows::CHILDREN {
        run(tx, (rows::delete_children_sql(table), vec![id.into()])).await?;
    }
    Ok(())
}

async fn run(tx: &Tx, (sql, values): (String, Vec<Cell>)) -> Done<()> {
    let values: Vec<_> = values.iter().map(parameter).collect();
    tx.run(&sql, &values).await?;
    Ok(())
}

async fn select(tx: &Tx, sql: &str, values: Vec<Cell>) -> Done<Vec<Fields>> {
    let values: Vec<_> = values.iter().map(parameter).collect();
    let found = tx.rows(sql, &values).await?;
    found.iter().map(fields).collect()
}

fn parameter(cell: &Cell) -> &(dyn ToSql + Sync) {
    match cell {
        Cell::Number(value) => value,
        Cell::Text(value) => value,
    }
}

fn fields(row: &Row) -> Done<Fields> {
    let cells = row.columns().iter().map(|of| {
        let cell = if *of.type_() == Type::INT8 {
            Cell::Number(column(row, of.name())?)
        } else {
            Cell::Text(column(row, of.name())?)
        };
        Ok((of.name().to_owned(), cell))
    });
    cells.collect()
}
