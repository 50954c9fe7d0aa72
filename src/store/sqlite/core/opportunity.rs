//! Opportunities as rows of this engine. The rows and the statements are the same in every engine.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params, params_from_iter};

use super::{Core, entries};
use crate::error::{Error, codes};
use crate::ids::{EntryId, OpportunityNo};
use crate::opportunity::{CloseCode, Creation, Opportunity, SalesCycle, StageStatistics};
use crate::scope::Scope;
use crate::store::rows::opportunity::{self as rows, Cell, Fields};
use crate::store::rows::{Place, Question};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::unsigned;
use crate::store::{Cursor, OpportunityFilter, OpportunitySetup, Page, StoredOpportunity};

impl Core {
    pub(crate) fn create_opportunity(
        &mut self,
        scope: &Scope,
        id: &EntryId,
        creation: &Creation,
    ) -> Done<StoredOpportunity> {
        let (tx, scope) = self.write(scope)?;
        let entry = {
            let sql = format!("{} WHERE e.scope = ?1 AND e.id = ?2", entries::SELECT);
            let mut find = tx.prepare_cached(&sql)?;
            let mut found = find.query(params![scope, id.as_bytes()])?;
            let row = found.next()?.ok_or(&codes::STORE_NOT_FOUND)?;
            entries::read(&tx, row)?
        };
        Opportunity::check_entry(&entry, creation).map_err(rule)?;
        let setup = setup_of(&tx, scope)?;
        let series = setup.number_series.as_ref();
        let series = series.ok_or(&codes::OPPORTUNITY_NO_SERIES)?;
        let (no, rest) = series.take().map_err(rule)?;
        let cycle = match &setup.default_sales_cycle {
            Some(code) => select(&tx, rows::CYCLE, [scope.into(), code.as_str().into()])?,
            None => Vec::new(),
        };
        let cycle = cycle.first().map(rows::sales_cycle).transpose()?;
        let made = Opportunity::from_entry(no, &entry, creation, cycle.as_ref()).map_err(rule)?;
        insert(&tx, scope, &made)?;
        tx.execute(
            "UPDATE entry SET opportunity_no = ?3 WHERE scope = ?1 AND id = ?2",
            params![scope, id.as_bytes(), made.no.as_str()],
        )?;
        let cells = rows::setup_cells(&setup.with_number_series(rest));
        run(&tx, rows::put("opportunity_setup", "", scope, cells))?;
        tx.commit()?;
        Ok(StoredOpportunity::new(made, 1))
    }

    pub(crate) fn load_opportunity(
        &self,
        scope: &Scope,
        no: &OpportunityNo,
    ) -> Done<StoredOpportunity> {
        let (tx, scope) = self.read(scope)?;
        let head = head(&tx, scope, no)?.ok_or(&codes::STORE_NOT_FOUND)?;
        whole(&tx, &head)
    }

    pub(crate) fn save_opportunity(
        &mut self,
        scope: &Scope,
        opportunity: &Opportunity,
        expected_version: u64,
    ) -> Done<u64> {
        opportunity.check().map_err(rule)?;
        let (tx, scope) = self.write(scope)?;
        let head = head(&tx, scope, &opportunity.no)?;
        if version(head.as_ref())? != expected_version {
            return Err((&codes::OPPORTUNITY_VERSION).into());
        }
        if let Some(quote) = &opportunity.quote {
            let (quote, no) = (quote.no.as_str(), opportunity.no.as_str());
            let values = [scope.into(), quote.into(), no.into()];
            if !select(&tx, rows::QUOTE_ELSEWHERE, values)?.is_empty() {
                return Err((&codes::OPPORTUNITY_QUOTE_ASSIGNED).into());
            }
        }
        match head {
            None => insert(&tx, scope, opportunity)?,
            Some(head) => {
                let id = head.number("id")?;
                let cells = rows::head(opportunity, expected_version + 1)?;
                run(&tx, rows::update_sql(id, cells))?;
                delete_children(&tx, id)?;
                insert_children(&tx, id, opportunity)?;
            }
        }
        tx.commit()?;
        Ok(expected_version + 1)
    }

    pub(crate) fn delete_opportunity(
        &mut self,
        scope: &Scope,
        no: &OpportunityNo,
        expected_version: u64,
    ) -> Done<()> {
        let (tx, scope) = self.write(scope)?;
        let head = head(&tx, scope, no)?.ok_or(&codes::STORE_NOT_FOUND)?;
        let stored = whole(&tx, &head)?;
        if stored.version != expected_version {
            return Err((&codes::OPPORTUNITY_VERSION).into());
        }
        stored.opportunity.check_delete().map_err(rule)?;
        let id = head.number("id")?;
        delete_children(&tx, id)?;
        tx.execute("DELETE FROM opportunity WHERE id = ?1", params![id])?;
        tx.execute(
            "UPDATE entry SET opportunity_no = NULL WHERE scope = ?1 AND opportunity_no = ?2",
            params![scope, no.as_str()],
        )?;
        Ok(tx.commit()?)
    }

    pub(crate) fn opportunities(
        &self,
        scope: &Scope,
        filter: &OpportunityFilter,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Done<Page<StoredOpportunity>> {
        let question = Question::new("opportunities", scope, filter);
        let place = question.place(after)?;
        let (tx, scope) = self.read(scope)?;
        let (sql, values) = rows::filtered(scope, filter, place.no, u64::from(limit) + 1);
        let heads = select(&tx, &sql, values)?;
        let page = heads.iter().map(|head| {
            let no = head.number("id")?;
            Ok((Place { at: 0, no }, whole(&tx, head)?))
        });
        Ok(question.page(page.collect::<Done<_>>()?, limit))
    }

    pub(crate) fn count_interactions(&self, scope: &Scope, no: &OpportunityNo) -> Done<u64> {
        let (tx, scope) = self.read(scope)?;
        let count = tx.query_row(
            "SELECT count(*) FROM entry WHERE scope = ?1 AND opportunity_no = ?2 AND NOT canceled",
            params![scope, no.as_str()],
            |row| row.get(0),
        )?;
        unsigned(count)
    }

    pub(crate) fn stage_statistics(
        &self,
        scope: &Scope,
        sales_cycle: Option<&str>,
    ) -> Done<Vec<StageStatistics>> {
        let (tx, scope) = self.read(scope)?;
        let (sql, values) = rows::statistics_sql(scope, sales_cycle);
        Ok(rows::statistics(&select(&tx, &sql, values)?)?)
    }

    pub(crate) fn sales_cycles(&self, scope: &Scope) -> Done<Vec<SalesCycle>> {
        let (tx, scope) = self.read(scope)?;
        let found = select(&tx, rows::ALL_CYCLES, [scope.into()])?;
        found
            .iter()
            .map(|row| Ok(rows::sales_cycle(row)?))
            .collect()
    }

    pub(crate) fn put_sales_cycle(&mut self, scope: &Scope, cycle: &SalesCycle) -> Done<()> {
        cycle.check().map_err(rule)?;
        let (tx, scope) = self.write(scope)?;
        let cells = rows::cycle_cells(cycle)?;
        run(&tx, rows::put("sales_cycle", "code", scope, cells))?;
        Ok(tx.commit()?)
    }

    pub(crate) fn close_codes(&self, scope: &Scope) -> Done<Vec<CloseCode>> {
        let (tx, scope) = self.read(scope)?;
        let found = select(&tx, rows::ALL_CLOSE_CODES, [scope.into()])?;
        found.iter().map(|row| Ok(rows::close_code(row)?)).collect()
    }

    pub(crate) fn put_close_code(&mut self, scope: &Scope, code: &CloseCode) -> Done<()> {
        let (tx, scope) = self.write(scope)?;
        let cells = rows::close_code_cells(code);
        run(&tx, rows::put("close_code", "code", scope, cells))?;
        Ok(tx.commit()?)
    }

    pub(crate) fn opportunity_setup(&self, scope: &Scope) -> Done<OpportunitySetup> {
        let (tx, scope) = self.read(scope)?;
        setup_of(&tx, scope)
    }

    pub(crate) fn put_opportunity_setup(
        &mut self,
        scope: &Scope,
        setup: &OpportunitySetup,
    ) -> Done<()> {
        let (tx, scope) = self.write(scope)?;
        let cells = rows::setup_cells(setup);
        run(&tx, rows::put("opportunity_setup", "", scope, cells))?;
        Ok(tx.commit()?)
    }
}

/// A rule that said no.
#[allow(clippy::needless_pass_by_value)] // for `map_err`
fn rule(error: Error) -> Fault {
    error.row().into()
}

fn setup_of(conn: &Connection, scope: i64) -> Done<OpportunitySetup> {
    let found = select(conn, rows::SETUP, [scope.into()])?;
    Ok(rows::setup(found.first())?)
}

fn head(conn: &Connection, scope: i64, no: &OpportunityNo) -> Done<Option<Fields>> {
    let found = select(conn, rows::BY_NO, [scope.into(), no.as_str().into()])?;
    Ok(found.into_iter().next())
}

fn version(head: Option<&Fields>) -> Done<u64> {
    head.map_or(Ok(0), |head| unsigned(head.number("version")?))
}

fn whole(conn: &Connection, head: &Fields) -> Done<StoredOpportunity> {
    let id = head.number("id")?;
    let mut children = [const { Vec::new() }; 3];
    for (table, found) in rows::CHILDREN.into_iter().zip(&mut children) {
        *found = select(conn, &rows::children_sql(table), [id.into()])?;
    }
    Ok(rows::opportunity(head, &children)?)
}

fn insert(conn: &Connection, scope: i64, one: &Opportunity) -> Done<()> {
    let cells = rows::head(one, 1)?;
    run(conn, rows::insert("opportunity", ("scope", scope), cells))?;
    insert_children(conn, conn.last_insert_rowid(), one)
}

fn insert_children(conn: &Connection, id: i64, one: &Opportunity) -> Done<()> {
    for (table, children) in rows::CHILDREN.into_iter().zip(rows::children(one)) {
        for cells in children {
            run(conn, rows::insert(table, ("opportunity", id), cells))?;
        }
    }
    Ok(())
}

fn delete_children(conn: &Connection, id: i64) -> Done<()> {
    for table in rows::CHILDREN {
        run(conn, (rows::delete_children_sql(table), vec![id.into()]))?;
    }
    Ok(())
}

fn run(conn: &Connection, (sql, values): (String, Vec<Cell>)) -> Done<()> {
    let values = values.into_iter().map(value);
    conn.prepare_cached(&sql)?
        .execute(params_from_iter(values))?;
    Ok(())
}

fn select(
    conn: &Connection,
    sql: &str,
    values: impl IntoIterator<Item = Cell>,
) -> Done<Vec<Fields>> {
    let mut list = conn.prepare_cached(sql)?;
    let names: Vec<_> = list.column_names().map(str::to_owned).collect();
    let values = values.into_iter().map(value);
    let mut found = list.query(params_from_iter(values))?;
    let mut all = Vec::new();
    while let Some(row) = found.next()? {
        let cells = names.iter().map(|name| {
            let cell = match row.get_ref(name.as_str())? {
                ValueRef::Integer(value) => Cell::Number(Some(value)),
                ValueRef::Null => Cell::Number(None),
                other => Cell::Text(Some(other.as_str().map_err(|_| NO_TEXT)?.to_owned())),
            };
            Ok((name.clone(), cell))
        });
        all.push(cells.collect::<Done<Fields>>()?);
    }
    Ok(all)
}

const NO_TEXT: Fault = Fault::Damaged("a text");

fn value(cell: Cell) -> Value {
    match cell {
        Cell::Number(Some(value)) => Value::Integer(value),
        Cell::Text(Some(value)) => Value::Text(value),
        Cell::Number(None) | Cell::Text(None) => Value::Null,
    }
}
