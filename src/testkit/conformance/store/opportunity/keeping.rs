//! Keeping opportunities: versions, quotes, deletion, scopes.

use futures_util::future::join_all;

use super::{OpportunityBackend, cycle, day, next, refused, sample};
use crate::error::ErrorKind;
use crate::ids::{OpportunityNo, SalespersonCode};
use crate::interaction::Comment;
use crate::opportunity::{Amount, CloseCode, CloseKind, Closing, Opportunity, Quote};
use crate::scope::Scope;
use crate::store::OpportunityFilter;
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) async fn every_field_is_read_back(backend: &OpportunityBackend) -> Checked {
    let cycle = backend.set_up().await?;
    let mut stored = backend.started(1).await?;
    let one = &mut stored.opportunity;
    drop(one.update(&cycle, &next(4))?);
    one.assign_quote(Quote::new("Q-1", Amount::from(900)), false)?;
    one.complete_task(1)?;
    one.comment(Comment::new(
        sample::minute(3),
        "B\u{f6}hm",
        "ja \u{2714}\nzweite Zeile",
    ));
    one.set_salesperson(SalespersonCode::new("BD"), true)?;
    stored.version = backend.save(&stored).await?;
    equal(
        "in progress",
        &backend.load(&stored.opportunity).await?,
        &stored,
    )?;
    let code = CloseCode::new("PRICE", CloseKind::Won);
    let closing = Closing::won(day(9), None).with_cancel_open_tasks(true);
    drop(stored.opportunity.close(&closing, Some(&code))?);
    stored.version = backend.save(&stored).await?;
    equal("won", &backend.load(&stored.opportunity).await?, &stored)?;
    let no = OpportunityNo::new("none");
    let scope = &backend.log.scope;
    let nobody = backend.store.load_opportunity(scope, &no).await;
    fails("an unknown number", nobody, ErrorKind::NotFound)?;
    Ok(())
}

pub(super) async fn an_opportunity_is_saved_only_over_the_version_that_was_read(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let mut stored = backend.started(1).await?;
    equal("the version", stored.version, 2)?;
    for version in [0, 1, 3] {
        stored.version = version;
        let answer = backend.save(&stored).await;
        refused("another version", answer, "opportunity.version")?;
    }
    let no = OpportunityNo::new("OWN-1");
    let own = Opportunity::new(no, "C9".into(), day(1));
    let scope = &backend.log.scope;
    let answer = backend.store.save_opportunity(scope, &own, 1).await;
    refused("one that is not there", answer, "opportunity.version")?;
    let version = backend.store.save_opportunity(scope, &own, 0).await?;
    equal("a new one", version, 1)?;
    let again = backend.store.save_opportunity(scope, &own, 0).await;
    refused("a new one again", again, "opportunity.version")
}

pub(super) async fn one_of_many_who_save_at_once_wins(backend: &OpportunityBackend) -> Checked {
    let cycle = backend.set_up().await?;
    let stored = backend.started(1).await?;
    let mut changed = Vec::new();
    for date in 3..11 {
        let mut one = stored.clone();
        drop(one.opportunity.update(&cycle, &next(date))?);
        changed.push(one);
    }
    let answers = join_all(changed.iter().map(|one| backend.save(one))).await;
    let mut winner = None;
    for (one, answer) in changed.iter().zip(answers) {
        match answer {
            Ok(_) => {
                check!(winner.is_none(), "two saved over one version");
                winner = Some(&one.opportunity);
            }
            late => refused("who was late", late, "opportunity.version")?,
        }
    }
    let read = backend.load(&stored.opportunity).await?;
    equal("what is stored", Some(&read.opportunity), winner)
}

pub(super) async fn a_history_that_does_not_add_up_is_refused(
    backend: &OpportunityBackend,
) -> Checked {
    let cycle = backend.set_up().await?;
    let mut stored = backend.started(1).await?;
    drop(stored.opportunity.update(&cycle, &next(4))?);
    stored.version = backend.save(&stored).await?;
    let mut broken = [stored.clone(), stored.clone(), stored.clone()];
    broken[0].opportunity.entries.clear();
    for entry in &mut broken[1].opportunity.entries {
        entry.active = true;
    }
    broken[2].opportunity.entries.reverse();
    for one in &broken {
        refused("a broken history", backend.save(one).await, "store.data")?;
    }
    equal(
        "what is stored",
        &backend.load(&stored.opportunity).await?,
        &stored,
    )
}

pub(super) async fn a_quote_belongs_to_one_opportunity(backend: &OpportunityBackend) -> Checked {
    backend.set_up().await?;
    let quote = |no: &str| Quote::new(no, Amount::from(100));
    let mut one = backend.started(1).await?;
    one.opportunity.assign_quote(quote("Q-1"), false)?;
    one.version = backend.save(&one).await?;
    let mut other = backend.started(2).await?;
    other.opportunity.assign_quote(quote("Q-1"), false)?;
    let answer = backend.save(&other).await;
    refused("the quote of another", answer, "opportunity.quote_assigned")?;
    one.opportunity.remove_quote()?;
    one.version = backend.save(&one).await?;
    other.version = backend.save(&other).await?;
    // Its own quote stands in nobody's way.
    backend.save(&other).await?;
    Ok(())
}

pub(super) async fn what_is_deleted_is_gone_and_its_entries_are_free(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let (log, scope) = (&backend.log, &backend.log.scope);
    let mut stored = backend.started(1).await?;
    let no = stored.opportunity.no.clone();
    let delete = |version| backend.store.delete_opportunity(scope, &no, version);
    let answer = delete(stored.version).await;
    refused("in progress", answer, "opportunity.in_progress")?;
    let code = CloseCode::new("LOST", CloseKind::Lost);
    drop(
        stored
            .opportunity
            .close(&Closing::lost(day(9)), Some(&code))?,
    );
    stored.version = backend.save(&stored).await?;
    refused("another version", delete(1).await, "opportunity.version")?;
    delete(stored.version).await?;
    let gone = backend.load(&stored.opportunity).await;
    fails("after the deletion", gone, ErrorKind::NotFound)?;
    fails("again", delete(stored.version).await, ErrorKind::NotFound)?;
    let entry = sample::logged(1, &["C1"]).row.entries[0].id;
    let entry = log.store.entry(scope, &entry).await?;
    equal("the link", entry.opportunity_no, None)?;
    let statistics = backend.store.stage_statistics(scope, None).await?;
    equal("the statistics", statistics, vec![])?;
    let again = backend.create(&sample::logged(1, &["C1"])).await?;
    equal("the number", again.opportunity.no.as_str(), "OP010")
}

pub(super) async fn another_scope_sees_and_changes_nothing(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let stored = backend.started(1).await?;
    let (store, one) = (&backend.store, &stored.opportunity);
    let other = Scope::new("default", "other")?;
    let read = store.load_opportunity(&other, &one.no).await;
    fails("read", read, ErrorKind::NotFound)?;
    let answer = store.save_opportunity(&other, one, stored.version).await;
    refused("save", answer, "opportunity.version")?;
    let answer = store
        .delete_opportunity(&other, &one.no, stored.version)
        .await;
    fails("delete", answer, ErrorKind::NotFound)?;
    let all = OpportunityFilter::default();
    let page = store.opportunities(&other, &all, None, 10).await?;
    equal("list", page.rows, vec![])?;
    equal("count", store.count_interactions(&other, &one.no).await?, 0)?;
    equal(
        "figures",
        store.stage_statistics(&other, None).await?,
        vec![],
    )?;
    equal("cycles", store.sales_cycles(&other).await?, vec![])?;
    let setup = store.opportunity_setup(&other).await?;
    check!(setup.number_series.is_none(), "the set-up of another scope");
    store
        .put_sales_cycle(&other, &cycle("FIRM").with_blocked(true))
        .await?;
    store.put_opportunity_setup(&other, &setup).await?;
    store.save_opportunity(&other, one, 0).await?;
    equal("after the other", &backend.load(one).await?, &stored)?;
    let cycles = store.sales_cycles(&backend.log.scope).await?;
    equal("the cycles", cycles, vec![cycle("FIRM")])
}
