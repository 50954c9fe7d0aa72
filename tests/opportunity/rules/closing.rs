//! The end: won, lost, quotes, deletion.

use email_logging::Error;
use email_logging::opportunity::{
    Amount, CloseCode, CloseKind, Closing, Opportunity, OpportunityStatus, Percent, Quote,
    StageAction, TaskStatus,
};

use crate::opportunity::bench::{
    Bench, active, amount, cycle_with_tasks, first, may, refused, rules, update,
};

rules! {
    won_is_100_per_cent_with_the_sales_value,
    won_needs_a_sales_value,
    won_takes_the_value_of_the_quote,
    won_makes_the_contact_a_customer,
    won_converts_a_person_without_a_company,
    lost_has_no_value_and_no_chance,
    closing_needs_a_close_code_of_its_kind,
    closing_is_not_before_the_last_change,
    closing_needs_an_opportunity_in_progress,
    closing_sets_the_close_date_to_the_day_of_change,
    closing_cancels_the_open_tasks_if_that_is_wanted,
    nothing_moves_after_closing,
    a_quote_is_only_for_an_opportunity_in_progress,
    an_opportunity_has_one_quote,
    a_quote_has_one_opportunity,
    a_quote_for_a_person_needs_a_company,
    an_order_from_the_quote_closes_as_won,
    an_open_opportunity_cannot_be_deleted,
    a_closed_opportunity_can_be_deleted,
    an_opportunity_that_has_not_started_can_be_deleted,
}

fn won() -> CloseCode {
    CloseCode::new("WON", CloseKind::Won)
}

fn lost() -> CloseCode {
    CloseCode::new("LOST", CloseKind::Lost)
}

async fn close(bench: &Bench, closing: &Closing, code: &CloseCode) -> Result<Opportunity, Error> {
    bench
        .change(|one| one.close(closing, Some(code)).map(drop))
        .await
}

fn sold(date: i8) -> Closing {
    Closing::won(may(date), Some(amount(800)))
}

async fn won_is_100_per_cent_with_the_sales_value(bench: &Bench) {
    bench.started().await;
    let one = close(bench, &sold(9), &won()).await.unwrap();
    assert_eq!(
        (one.status, one.date_closed),
        (OpportunityStatus::Won, Some(may(9)))
    );
    let entry = active(&one);
    let all = Percent::HUNDRED;
    assert_eq!(
        (entry.chance, entry.completed, entry.probability),
        (all, all, all)
    );
    assert_eq!(entry.calculated_value, amount(800));
    assert_eq!(entry.close_code.as_deref(), Some("WON"));
}

async fn won_needs_a_sales_value(bench: &Bench) {
    bench.started().await;
    for value in [None, Some(Amount::ZERO)] {
        let answer = close(bench, &Closing::won(may(9), value), &won()).await;
        refused(answer, "opportunity.sales_value");
    }
}

async fn won_takes_the_value_of_the_quote(bench: &Bench) {
    bench.started().await;
    let quote = Quote::new("Q1", amount(950));
    bench
        .change(|one| one.assign_quote(quote, false))
        .await
        .unwrap();
    let one = close(bench, &sold(9), &won()).await.unwrap();
    assert_eq!(active(&one).calculated_value, amount(950));
}

async fn won_makes_the_contact_a_customer(bench: &Bench) {
    bench.started().await;
    let mut one = bench.load().await.opportunity;
    let changed = one.close(&sold(9), Some(&won())).unwrap();
    assert!(changed.contact_becomes_customer);
    let mut one = bench.load().await.opportunity;
    let changed = one.close(&Closing::lost(may(9)), Some(&lost())).unwrap();
    assert!(!changed.contact_becomes_customer);
}

async fn won_converts_a_person_without_a_company(bench: &Bench) {
    let one = bench.started().await;
    let mut alone = one.clone();
    alone.contact_company_no = None;
    let changed = alone.close(&sold(9), Some(&won())).unwrap();
    assert!(changed.contact_becomes_customer);
}

async fn lost_has_no_value_and_no_chance(bench: &Bench) {
    bench.started().await;
    let one = close(bench, &Closing::lost(may(9)), &lost()).await.unwrap();
    assert_eq!(
        (one.status, one.date_closed),
        (OpportunityStatus::Lost, Some(may(9)))
    );
    let entry = active(&one);
    assert_eq!(
        (entry.chance, entry.completed),
        (Percent::ZERO, Percent::HUNDRED)
    );
    assert_eq!(
        (entry.probability, entry.calculated_value),
        (Percent::ZERO, Amount::ZERO)
    );
}

async fn closing_needs_a_close_code_of_its_kind(bench: &Bench) {
    bench.started().await;
    let answer = bench
        .change(|one| one.close(&sold(9), None).map(drop))
        .await;
    refused(answer, "opportunity.close_code");
    refused(
        close(bench, &sold(9), &lost()).await,
        "opportunity.close_code",
    );
    let answer = close(bench, &Closing::lost(may(9)), &won()).await;
    refused(answer, "opportunity.close_code");
}

async fn closing_is_not_before_the_last_change(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 8)).await.unwrap();
    refused(close(bench, &sold(7), &won()).await, "opportunity.date");
}

async fn closing_needs_an_opportunity_in_progress(bench: &Bench) {
    bench.create().await;
    refused(close(bench, &sold(9), &won()).await, "opportunity.status");
}

async fn closing_sets_the_close_date_to_the_day_of_change(bench: &Bench) {
    bench.started().await;
    let one = close(bench, &sold(9), &won()).await.unwrap();
    assert_eq!(active(&one).estimated_close_date, may(9));
}

async fn closing_cancels_the_open_tasks_if_that_is_wanted(bench: &Bench) {
    bench.create().await;
    let cycle = cycle_with_tasks();
    bench
        .change(|one| one.update(&cycle, &first()).map(drop))
        .await
        .unwrap();
    let one = close(bench, &sold(9).with_cancel_open_tasks(true), &won())
        .await
        .unwrap();
    assert!(
        one.tasks
            .iter()
            .all(|task| task.status == TaskStatus::Canceled)
    );
}

async fn nothing_moves_after_closing(bench: &Bench) {
    bench.started().await;
    close(bench, &Closing::lost(may(9)), &lost()).await.unwrap();
    refused(close(bench, &sold(10), &won()).await, "opportunity.status");
    for action in [StageAction::First, StageAction::Next, StageAction::Update] {
        refused(
            bench.update(&update(action, 10)).await,
            "opportunity.status",
        );
    }
    let answer = bench
        .change(|one| one.set_salesperson("BD".into(), true))
        .await;
    refused(answer, "opportunity.status");
}

async fn a_quote_is_only_for_an_opportunity_in_progress(bench: &Bench) {
    bench.create().await;
    let quote = Quote::new("Q1", amount(5));
    let answer = bench
        .change(|one| one.assign_quote(quote.clone(), false))
        .await;
    refused(answer, "opportunity.status");
    bench.update(&first()).await.unwrap();
    close(bench, &Closing::lost(may(9)), &lost()).await.unwrap();
    let answer = bench.change(|one| one.assign_quote(quote, false)).await;
    refused(answer, "opportunity.status");
}

async fn an_opportunity_has_one_quote(bench: &Bench) {
    bench.started().await;
    let quote = |no, value| Quote::new(no, amount(value));
    bench
        .change(|one| one.assign_quote(quote("Q1", 5), false))
        .await
        .unwrap();
    let answer = bench
        .change(|one| one.assign_quote(quote("Q2", 5), false))
        .await;
    refused(answer, "opportunity.quote_assigned");
    let one = bench
        .change(|one| one.assign_quote(quote("Q1", 6), false))
        .await
        .unwrap();
    assert_eq!(one.quote, Some(quote("Q1", 6)));
    bench
        .change(|one| one.remove_quote().map(drop))
        .await
        .unwrap();
    let answer = bench.change(|one| one.remove_quote().map(drop)).await;
    refused(answer, "opportunity.no_quote");
}

async fn a_quote_has_one_opportunity(bench: &Bench) {
    bench.started().await;
    let quote = Quote::new("Q1", amount(5));
    bench
        .change(|one| one.assign_quote(quote.clone(), false))
        .await
        .unwrap();
    let mut other = bench.load().await.opportunity;
    other.no = "OP-OTHER".into();
    let answer = bench.store.save_opportunity(&bench.scope, &other, 0).await;
    refused(answer, "opportunity.quote_assigned");
}

async fn a_quote_for_a_person_needs_a_company(bench: &Bench) {
    let mut one = bench.started().await;
    let quote = Quote::new("Q1", amount(5));
    one.assign_quote(quote.clone(), true).unwrap();
    one.remove_quote().unwrap();
    one.contact_company_no = None;
    refused(one.assign_quote(quote, true), "opportunity.no_company");
}

async fn an_order_from_the_quote_closes_as_won(bench: &Bench) {
    bench.started().await;
    let answer = bench
        .change(|one| one.order_from_quote(may(9), &won()).map(drop))
        .await;
    refused(answer, "opportunity.no_quote");
    let quote = Quote::new("Q1", amount(950));
    bench
        .change(|one| one.assign_quote(quote, false))
        .await
        .unwrap();
    let one = bench
        .change(|one| one.order_from_quote(may(9), &won()).map(drop))
        .await
        .unwrap();
    assert_eq!(one.status, OpportunityStatus::Won);
    assert_eq!(active(&one).calculated_value, amount(950));
}

async fn delete(bench: &Bench) -> Result<(), Error> {
    let stored = bench.load().await;
    let (scope, no) = (&bench.scope, &stored.opportunity.no);
    bench
        .store
        .delete_opportunity(scope, no, stored.version)
        .await
}

async fn an_open_opportunity_cannot_be_deleted(bench: &Bench) {
    bench.started().await;
    refused(delete(bench).await, "opportunity.in_progress");
}

async fn a_closed_opportunity_can_be_deleted(bench: &Bench) {
    bench.started().await;
    close(bench, &Closing::lost(may(9)), &lost()).await.unwrap();
    delete(bench).await.unwrap();
    let gone = bench
        .store
        .load_opportunity(&bench.scope, &"OP000001".into())
        .await;
    assert_eq!(gone.unwrap_err().code(), "store.not_found");
    let statistics = bench
        .store
        .stage_statistics(&bench.scope, None)
        .await
        .unwrap();
    assert_eq!(statistics, []);
    let entry = bench
        .store
        .entry(&bench.scope, &bench.entries[0])
        .await
        .unwrap();
    assert_eq!(entry.opportunity_no, None);
}

async fn an_opportunity_that_has_not_started_can_be_deleted(bench: &Bench) {
    bench.create().await;
    delete(bench).await.unwrap();
}
