//! Order, pages, and cursors that stay valid.

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::error::ErrorKind;
use crate::ids::EntryId;
use crate::scope::Scope;
use crate::store::{Cursor, DecisionFilter, LogFilter};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

fn id(sample: &Sample) -> EntryId {
    sample.row.entries[0].id
}

/// Reads on from a cursor, a page at a time, until the end.
async fn read_on(bench: &Bench, mut after: Option<Cursor>, limit: u32) -> Checked<Vec<EntryId>> {
    let mut found = Vec::new();
    loop {
        let filter = LogFilter::default();
        let page = bench
            .store
            .entries(&bench.scope, &filter, after.as_ref(), limit)
            .await?;
        check!(
            page.rows.len() <= limit as usize,
            "a page of {} rows",
            page.rows.len()
        );
        found.extend(page.rows.into_iter().map(|row| row.entry.id));
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
        check!(found.len() < 100, "the pages do not end");
    }
}

pub(super) async fn entries_are_newest_first_then_by_falling_number(bench: &Bench) -> Checked {
    let samples = [2, 3, 1].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let same = [4, 5].map(|number| {
        sample::logged(number, &["C1", "C2"]).change_entries(|entry| entry.date = minute(2))
    });
    bench.put_all(&same).await?;
    let found = bench.all_entries().await?;
    let order: Vec<_> = found
        .iter()
        .map(|row| (row.entry.date, row.entry_no))
        .collect();
    let mut sorted = order.clone();
    sorted.sort_by(|a, b| b.cmp(a));
    equal("the order", &order, &sorted)?;
    equal("the newest", found[0].entry.id, id(&samples[1]))?;
    equal(
        "the last of the same date",
        found[5].entry.id,
        id(&samples[0]),
    )?;
    equal("the oldest", found[6].entry.id, id(&samples[2]))
}

pub(super) async fn pages_are_bounded_and_miss_nothing(bench: &Bench) -> Checked {
    let samples = [1, 2, 3, 4, 5, 6].map(|number| {
        sample::logged(number, &["C1"]).change_entries(|entry| entry.date = minute(number / 4))
    });
    bench.put_all(&samples).await?;
    let all = bench.entry_ids(&LogFilter::default()).await?;
    equal("entries", all.len(), 6)?;
    for limit in [1, 2, 4, 5, 6, 7] {
        let found = read_on(bench, None, limit).await?;
        equal(&format!("pages of {limit}"), &found, &all)?;
    }
    Ok(())
}

pub(super) async fn a_cursor_stays_valid_while_rows_are_added(bench: &Bench) -> Checked {
    let samples = [10, 20, 30, 40].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let filter = LogFilter::default();
    let page = bench.store.entries(&bench.scope, &filter, None, 2).await?;
    let first: Vec<_> = page.rows.iter().map(|row| row.entry.id).collect();
    equal("the first page", first, [id(&samples[3]), id(&samples[2])])?;
    check!(page.next.is_some(), "there is no next page");
    let added = [50, 35, 15].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&added).await?;
    let rest = read_on(bench, page.next, 2).await?;
    let expected = [id(&samples[1]), id(&added[2]), id(&samples[0])];
    equal("the pages after", rest, expected)
}

pub(super) async fn mails_and_decisions_are_paged(bench: &Bench) -> Checked {
    let samples = [1, 2, 3, 4, 5].map(|number| sample::logged(number, &["C1", "C2"]));
    for sample in &samples {
        bench.put(sample.row()).await?;
    }
    let (store, scope) = (&bench.store, &bench.scope);
    let newest_first: Vec<_> = samples.iter().rev().map(Sample::uid).collect();
    let (mut mails, mut decisions) = (Vec::new(), Vec::new());
    let mut after = None;
    for rows in [2, 2, 1] {
        let page = store
            .mails(scope, &LogFilter::default(), after.as_ref(), 2)
            .await?;
        equal("mails of a page", page.rows.len(), rows)?;
        mails.extend(page.rows.into_iter().map(|mail| mail.message));
        after = page.next;
    }
    equal("a cursor after the last mail", after, None)?;
    equal("the mails", &mails, &newest_first)?;
    let mut after = None;
    for rows in [2, 2, 1] {
        let page = store
            .decisions(scope, &DecisionFilter::default(), after.as_ref(), 2)
            .await?;
        equal("decisions of a page", page.rows.len(), rows)?;
        decisions.extend(page.rows.into_iter().filter_map(|row| row.message));
        after = page.next;
    }
    equal("a cursor after the last decision", after, None)?;
    equal("the decisions", &decisions, &newest_first)
}

pub(super) async fn a_cursor_of_something_else_is_refused(bench: &Bench) -> Checked {
    bench
        .put_all(&[1, 2].map(|number| sample::logged(number, &["C1"])))
        .await?;
    let (store, scope) = (&bench.store, &bench.scope);
    let decisions = store
        .decisions(scope, &DecisionFilter::default(), None, 1)
        .await?;
    let cursors = ["", "nonsense", "1", "entries:1:2:3", "\u{0}'; --"].map(Cursor::new);
    for cursor in decisions.next.iter().chain(&cursors) {
        let filter = LogFilter::default();
        let entries = store.entries(scope, &filter, Some(cursor), 1).await;
        let error = fails("entries", entries, ErrorKind::Protocol)?;
        equal("the code", error.code(), "store.cursor")?;
        let mails = store.mails(scope, &filter, Some(cursor), 1).await;
        fails("mails", mails, ErrorKind::Protocol)?;
    }
    let nonsense = store
        .decisions(scope, &DecisionFilter::default(), Some(&cursors[1]), 1)
        .await;
    fails("decisions", nonsense, ErrorKind::Protocol)?;
    Ok(())
}

pub(super) async fn a_cursor_of_another_question_is_refused(bench: &Bench) -> Checked {
    bench
        .put_all(&[1, 2].map(|number| sample::logged(number, &["C1"])))
        .await?;
    let (store, scope) = (&bench.store, &bench.scope);
    let (all, some) = (
        LogFilter::default(),
        LogFilter {
            contact: Some("C1".into()),
            ..LogFilter::default()
        },
    );
    let page = store.entries(scope, &all, None, 1).await?;
    let cursor = page.next.as_ref();
    check!(
        cursor.is_some(),
        "a page that is not the last has no cursor"
    );
    store.entries(scope, &all, cursor, 9).await?;
    let filtered = store.entries(scope, &some, cursor, 1).await;
    let mails = store.mails(scope, &all, cursor, 1).await;
    fails("another filter", filtered, ErrorKind::Protocol)?;
    fails("another kind", mails, ErrorKind::Protocol)?;
    let other = Scope::new("default", "other")?;
    let elsewhere = store.entries(&other, &all, cursor, 1).await;
    fails("another scope", elsewhere, ErrorKind::Protocol)?;
    let by = DecisionFilter {
        not_logged: true,
        ..DecisionFilter::default()
    };
    let every = DecisionFilter::default();
    let cursor = store.decisions(scope, &every, None, 1).await?.next;
    let filtered = store.decisions(scope, &by, cursor.as_ref(), 1).await;
    fails("another filter of decisions", filtered, ErrorKind::Protocol)?;
    Ok(())
}
