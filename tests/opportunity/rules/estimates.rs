//! Estimates: what is typed, what is taken over, and what is calculated.

use email_logging::opportunity::{Percent, ProbabilityCalculation, StageAction};

use crate::opportunity::bench::{
    Bench, active, amount, cycle, first, may, refused, rules, update, with,
};

rules! {
    probability_multiplies_chance_and_completed,
    probability_adds_to_the_mean_of_both,
    probability_is_the_chance_alone,
    probability_is_what_is_completed_alone,
    chance_comes_from_the_stage,
    a_typed_chance_wins_over_the_stage,
    skip_and_jump_override_the_chance,
    update_reverts_the_chance,
    an_estimated_value_is_above_zero,
    a_chance_is_above_zero,
    a_close_date_is_not_before_the_change,
    the_close_date_comes_from_the_formula_of_the_stage,
    the_close_date_is_taken_over,
    the_value_is_taken_over,
}

/// Chance 20 %, completed 10 %, worth 1000.
async fn probability(
    bench: &Bench,
    calculation: ProbabilityCalculation,
    percent: &str,
    value: u32,
) {
    bench.create().await;
    let cycle = with(calculation);
    let one = bench
        .change(|one| one.update(&cycle, &first()).map(drop))
        .await
        .unwrap();
    let entry = active(&one);
    assert_eq!(entry.completed, Percent::whole(10));
    assert_eq!(entry.probability.to_string(), percent);
    assert_eq!(entry.calculated_value, amount(value));
}

async fn probability_multiplies_chance_and_completed(bench: &Bench) {
    probability(bench, ProbabilityCalculation::Multiply, "2", 20).await;
}

async fn probability_adds_to_the_mean_of_both(bench: &Bench) {
    probability(bench, ProbabilityCalculation::Add, "15", 150).await;
}

async fn probability_is_the_chance_alone(bench: &Bench) {
    probability(bench, ProbabilityCalculation::Chances, "20", 200).await;
}

async fn probability_is_what_is_completed_alone(bench: &Bench) {
    probability(bench, ProbabilityCalculation::Completed, "10", 100).await;
}

async fn chance_comes_from_the_stage(bench: &Bench) {
    assert_eq!(active(&bench.started().await).chance, Percent::whole(20));
    let one = bench.update(&update(StageAction::Next, 3)).await.unwrap();
    assert_eq!(active(&one).chance, Percent::whole(50));
    let mut silent = cycle();
    silent.stages[2].chance = Percent::ZERO;
    let next = update(StageAction::Next, 4);
    let one = bench
        .change(|one| one.update(&silent, &next).map(drop))
        .await
        .unwrap();
    assert_eq!(active(&one).chance, Percent::whole(50));
}

async fn a_typed_chance_wins_over_the_stage(bench: &Bench) {
    bench.started().await;
    let next = update(StageAction::Next, 3).with_chance(Percent::whole(33));
    let one = bench.update(&next).await.unwrap();
    assert_eq!(active(&one).chance, Percent::whole(33));
}

async fn skip_and_jump_override_the_chance(bench: &Bench) {
    bench.started().await;
    let typed = update(StageAction::Update, 3).with_chance(Percent::whole(33));
    bench.update(&typed).await.unwrap();
    let one = bench
        .update(&update(StageAction::Skip(3), 4))
        .await
        .unwrap();
    assert_eq!(active(&one).chance, Percent::whole(70));
    let one = bench
        .update(&update(StageAction::Jump(1), 5))
        .await
        .unwrap();
    assert_eq!(active(&one).chance, Percent::whole(20));
}

async fn update_reverts_the_chance(bench: &Bench) {
    bench.started().await;
    let typed = update(StageAction::Update, 3).with_chance(Percent::whole(33));
    bench.update(&typed).await.unwrap();
    let one = bench.update(&update(StageAction::Update, 4)).await.unwrap();
    assert_eq!(active(&one).chance, Percent::whole(33));
}

async fn an_estimated_value_is_above_zero(bench: &Bench) {
    bench.create().await;
    let without = update(StageAction::First, 2);
    refused(bench.update(&without).await, "opportunity.value");
    for value in ["0", "-1"] {
        let typed = without.clone().with_estimated_value(value.parse().unwrap());
        refused(bench.update(&typed).await, "opportunity.value");
    }
}

async fn a_chance_is_above_zero(bench: &Bench) {
    bench.create().await;
    let none = first().with_chance(Percent::ZERO);
    refused(bench.update(&none).await, "opportunity.chance");
}

async fn a_close_date_is_not_before_the_change(bench: &Bench) {
    bench.create().await;
    refused(
        bench.update(&first().with_close_date(may(1))).await,
        "opportunity.close_date",
    );
    let one = bench
        .update(&first().with_close_date(may(2)))
        .await
        .unwrap();
    assert_eq!(active(&one).estimated_close_date, may(2));
}

async fn the_close_date_comes_from_the_formula_of_the_stage(bench: &Bench) {
    let one = bench.started().await;
    assert_eq!(active(&one).estimated_close_date.to_string(), "2026-06-30");
}

async fn the_close_date_is_taken_over(bench: &Bench) {
    bench.started().await;
    let typed = update(StageAction::Update, 3).with_close_date(may(20));
    bench.update(&typed).await.unwrap();
    let one = bench.update(&update(StageAction::Next, 4)).await.unwrap();
    assert_eq!(active(&one).estimated_close_date, may(20));
    let late = bench.update(&update(StageAction::Next, 21)).await;
    refused(late, "opportunity.close_date");
}

async fn the_value_is_taken_over(bench: &Bench) {
    bench.started().await;
    let one = bench.update(&update(StageAction::Next, 4)).await.unwrap();
    let entry = active(&one);
    assert_eq!(entry.estimated_value, amount(1_000));
    assert_eq!(entry.calculated_value, amount(200));
}
