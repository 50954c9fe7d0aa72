//! Finding, counting, and what opportunities are made with.

use super::{OpportunityBackend, cycle, day, first, next, refused, sample};
use crate::opportunity::{
    Amount, CloseCode, CloseKind, Closing, NumberSeries, OpportunityStatus, StageStatistics,
};
use crate::store::{Annotation, Cursor, OpportunityFilter, OpportunitySetup};
use crate::testkit::conformance::harness::{Checked, equal};

/// Opportunities `OP009` to `OP012`: of C1, C2, C1 and COMP; not started, in progress, won, lost.
async fn four(backend: &OpportunityBackend) -> Checked {
    let cycle = backend.set_up().await?;
    for (number, contact) in (1..).zip(["C1", "C2", "C1", "COMP"]) {
        let sample = sample::logged(number, &[contact]).change_entries(|entry| {
            let company = (number < 3).then(|| "COMP".into());
            entry.contact_company_no = company;
            entry.salesperson_code = if number % 2 == 0 { "AH" } else { "BD" }.into();
            entry.campaign_no = (number == 3).then(|| "CP2".to_owned());
        });
        let mut stored = backend.made(&sample).await?;
        if number == 1 {
            continue;
        }
        let one = &mut stored.opportunity;
        drop(one.update(&cycle, &first(2))?);
        if number > 2 {
            drop(one.update(&cycle, &next(6))?);
            let kind = if number == 3 {
                CloseKind::Won
            } else {
                CloseKind::Lost
            };
            let code = CloseCode::new("ANY", kind);
            let closing = match kind {
                CloseKind::Won => Closing::won(day(9), Some(Amount::from(700))),
                CloseKind::Lost => Closing::lost(day(7)),
            };
            drop(one.close(&closing, Some(&code))?);
        }
        backend.save(&stored).await?;
    }
    Ok(())
}

pub(super) async fn opportunities_are_found_by_every_filter(
    backend: &OpportunityBackend,
) -> Checked {
    four(backend).await?;
    let with = |change: &dyn Fn(&mut OpportunityFilter)| {
        let mut filter = OpportunityFilter::default();
        change(&mut filter);
        filter
    };
    let cases: [(OpportunityFilter, &[&str]); 12] = [
        (with(&|_| ()), &["OP012", "OP011", "OP010", "OP009"]),
        (
            with(&|f| f.contact = Some("C1".into())),
            &["OP011", "OP009"],
        ),
        (
            with(&|f| f.company = Some("COMP".into())),
            &["OP012", "OP010", "OP009"],
        ),
        (with(&|f| f.company = Some("C1".into())), &["OP011"]),
        (
            with(&|f| f.salesperson = Some("AH".into())),
            &["OP012", "OP010"],
        ),
        (with(&|f| f.campaign = Some("CP2".into())), &["OP011"]),
        (with(&|f| f.sales_cycle = Some("NONE".into())), &[]),
        (
            with(&|f| f.status = Some(OpportunityStatus::NotStarted)),
            &["OP009"],
        ),
        (
            with(&|f| f.status = Some(OpportunityStatus::InProgress)),
            &["OP010"],
        ),
        (
            with(&|f| f.status = Some(OpportunityStatus::Won)),
            &["OP011"],
        ),
        (with(&|f| f.open = true), &["OP010", "OP009"]),
        (
            with(&|f| {
                f.open = true;
                f.salesperson = Some("BD".into());
            }),
            &["OP009"],
        ),
    ];
    let scope = &backend.log.scope;
    for (filter, expected) in cases {
        let page = backend
            .store
            .opportunities(scope, &filter, None, 10)
            .await?;
        let found = page.rows.iter().map(|row| row.opportunity.no.as_str());
        let found: Vec<_> = found.collect();
        equal(&format!("{filter:?}"), found.as_slice(), expected)?;
    }
    Ok(())
}

pub(super) async fn pages_are_the_last_made_first_and_complete(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    for number in 1..=7 {
        backend.made(&sample::logged(number, &["C1"])).await?;
    }
    let (scope, all) = (&backend.log.scope, OpportunityFilter::default());
    for size in [1, 3, 7, 8] {
        let mut found = Vec::new();
        let mut cursor: Option<Cursor> = None;
        loop {
            let page = backend
                .store
                .opportunities(scope, &all, cursor.as_ref(), size);
            let page = page.await?;
            found.extend(
                page.rows
                    .into_iter()
                    .map(|row| row.opportunity.no.to_string()),
            );
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        let expected: Vec<_> = (9..16).rev().map(|no| format!("OP{no:03}")).collect();
        equal("all pages", found, expected)?;
    }
    let first = backend.store.opportunities(scope, &all, None, 1).await?;
    let other = OpportunityFilter {
        open: true,
        ..OpportunityFilter::default()
    };
    let cursor = first.next.as_ref();
    let answer = backend.store.opportunities(scope, &other, cursor, 1).await;
    refused("the cursor of another question", answer, "store.cursor")?;
    let odd = Cursor::new("odd");
    let answer = backend
        .store
        .opportunities(scope, &all, Some(&odd), 1)
        .await;
    refused("no cursor", answer, "store.cursor")
}

pub(super) async fn interactions_are_counted_without_the_cancelled_ones(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let (log, scope) = (&backend.log, &backend.log.scope);
    let no = backend
        .made(&sample::logged(1, &["C1"]))
        .await?
        .opportunity
        .no;
    let more = [2, 3].map(|number| sample::logged(number, &["C1"]));
    log.put_all(&more).await?;
    equal(
        "one",
        backend.store.count_interactions(scope, &no).await?,
        1,
    )?;
    for sample in &more {
        let link = Annotation::Opportunity(Some(no.to_string()));
        log.store
            .annotate(scope, &sample.row.entries[0].id, link)
            .await?;
    }
    equal(
        "three",
        backend.store.count_interactions(scope, &no).await?,
        3,
    )?;
    log.store
        .cancel(scope, &more[0].row.entries[0].id, true)
        .await?;
    equal(
        "two",
        backend.store.count_interactions(scope, &no).await?,
        2,
    )
}

pub(super) async fn the_stages_are_counted(backend: &OpportunityBackend) -> Checked {
    four(backend).await?;
    let scope = &backend.log.scope;
    let mut one = StageStatistics::new("FIRM", 1);
    (one.open, one.ended, one.days) = (1, 2, 8);
    one.estimated_value = Amount::from(1_000);
    one.calculated_value = Amount::from(50);
    let mut two = StageStatistics::new("FIRM", 2);
    (two.won, two.lost, two.ended, two.days) = (1, 1, 2, 4);
    two.sales_value = Amount::from(700);
    let expected = vec![one, two];
    for cycle in [None, Some("FIRM")] {
        let found = backend.store.stage_statistics(scope, cycle).await?;
        equal("the figures", &found, &expected)?;
        let days: Vec<_> = found.iter().map(StageStatistics::average_days).collect();
        equal("the average days", days, vec![Some(4.0), Some(2.0)])?;
    }
    let none = backend.store.stage_statistics(scope, Some("NONE")).await?;
    equal("another cycle", none, vec![])
}

pub(super) async fn cycles_codes_and_setup_are_kept(backend: &OpportunityBackend) -> Checked {
    let (store, scope) = (&backend.store, &backend.log.scope);
    let empty = OpportunitySetup::default();
    equal(
        "no set-up",
        store.opportunity_setup(scope).await?,
        empty.clone(),
    )?;
    for code in ["B", "A"] {
        store.put_sales_cycle(scope, &cycle(code)).await?;
        let close = CloseCode::new(code, CloseKind::Won).with_description("first");
        store.put_close_code(scope, &close).await?;
    }
    let other = cycle("B").with_blocked(true).with_description("other");
    store.put_sales_cycle(scope, &other).await?;
    let lost = CloseCode::new("A", CloseKind::Lost).with_description("other");
    store.put_close_code(scope, &lost).await?;
    let cycles = store.sales_cycles(scope).await?;
    equal("the cycles", cycles, vec![cycle("A"), other])?;
    let won = CloseCode::new("B", CloseKind::Won).with_description("first");
    equal(
        "the codes",
        store.close_codes(scope).await?,
        vec![lost, won],
    )?;
    let mut twice = cycle("C");
    twice.stages.reverse();
    let answer = store.put_sales_cycle(scope, &twice).await;
    refused("falling stages", answer, "opportunity.cycle_invalid")?;
    let setups = [
        empty
            .clone()
            .with_number_series(NumberSeries::new("S", "1")),
        empty.clone().with_default_sales_cycle("A"),
        empty,
    ];
    for setup in setups {
        store.put_opportunity_setup(scope, &setup).await?;
        equal("the set-up", store.opportunity_setup(scope).await?, setup)?;
    }
    Ok(())
}
