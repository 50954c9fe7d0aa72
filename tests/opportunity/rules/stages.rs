//! Moving through the stages.

use email_logging::opportunity::{
    ActionTaken, OpportunityStatus, Quote, SalesCycle, StageAction, TaskStatus,
};

use crate::opportunity::bench::{
    Bench, active, amount, cycle, cycle_with_tasks, first, may, refused, rules, update,
};

rules! {
    first_stage_is_activated_without_an_estimate,
    first_stage_makes_a_task_per_activity_step,
    first_stage_needs_a_sales_cycle,
    first_stage_needs_a_cycle_with_a_stage,
    first_stage_needs_an_opportunity_that_has_not_started,
    next_goes_to_the_next_stage,
    next_after_the_last_stage_is_refused,
    previous_goes_back_one_stage,
    previous_of_the_first_stage_is_refused,
    skip_passes_only_stages_that_allow_it,
    skip_to_the_next_or_an_earlier_stage_is_refused,
    jump_goes_back_to_any_earlier_stage,
    jump_to_a_later_stage_is_refused,
    update_stays_in_the_stage,
    an_update_twice_makes_two_entries,
    an_update_needs_an_opportunity_in_progress,
    a_stage_that_requires_a_quote_is_not_entered_without_one,
    going_back_needs_no_quote,
    a_new_entry_closes_the_one_before_with_its_days,
    a_change_before_the_last_one_is_refused,
    a_change_cancels_the_open_tasks_if_that_is_wanted,
    the_next_task_is_shown_and_ticked,
}

async fn first_stage_is_activated_without_an_estimate(bench: &Bench) {
    bench.create().await;
    let activate = bench.change(|one| one.activate_first_stage(&cycle(), may(2)).map(drop));
    let one = activate.await.unwrap();
    assert_eq!(one.status, OpportunityStatus::InProgress);
    let entry = active(&one);
    assert_eq!((entry.stage, entry.action_taken), (1, ActionTaken::First));
    assert_eq!(entry.estimated_value, amount(0));
    assert_eq!(entry.date_of_change, may(2));
}

async fn first_stage_makes_a_task_per_activity_step(bench: &Bench) {
    bench.create().await;
    let mut made = Vec::new();
    let one = bench.change(|one| {
        made = one
            .activate_first_stage(&cycle_with_tasks(), may(2))?
            .new_tasks;
        Ok(())
    });
    let one = one.await.unwrap();
    assert_eq!(one.tasks, made);
    let tasks: Vec<_> = one
        .tasks
        .iter()
        .map(|task| (task.description.as_str(), task.date))
        .collect();
    assert_eq!(tasks, [("Call", may(4)), ("Meet", may(9))]);
    assert!(one.tasks.iter().all(|task| task.status == TaskStatus::Open));
}

async fn first_stage_needs_a_sales_cycle(bench: &Bench) {
    bench.create().await;
    let other = SalesCycle::new("OTHER");
    let answer = bench.change(|one| one.activate_first_stage(&other, may(2)).map(drop));
    refused(answer.await, "opportunity.no_cycle");
    let chosen = bench.change(|one| one.set_sales_cycle(&other.clone().with_blocked(true)));
    refused(chosen.await, "opportunity.cycle_blocked");
}

async fn first_stage_needs_a_cycle_with_a_stage(bench: &Bench) {
    bench.create().await;
    let empty = SalesCycle::new("FIRM");
    let answer = bench.change(|one| one.activate_first_stage(&empty, may(2)).map(drop));
    refused(answer.await, "opportunity.no_stage");
}

async fn first_stage_needs_an_opportunity_that_has_not_started(bench: &Bench) {
    bench.started().await;
    refused(bench.update(&first()).await, "opportunity.status");
    let answer = bench.change(|one| one.activate_first_stage(&cycle(), may(3)).map(drop));
    refused(answer.await, "opportunity.status");
    let answer = bench.change(|one| one.set_sales_cycle(&cycle()));
    refused(answer.await, "opportunity.status");
}

async fn next_goes_to_the_next_stage(bench: &Bench) {
    bench.started().await;
    let one = bench.update(&update(StageAction::Next, 3)).await.unwrap();
    let entry = active(&one);
    assert_eq!((entry.stage, entry.previous_stage), (2, Some(1)));
    assert_eq!(entry.action_taken, ActionTaken::Next);
}

async fn next_after_the_last_stage_is_refused(bench: &Bench) {
    bench.started().await;
    let quote = Quote::new("Q1", amount(5));
    bench
        .change(|one| one.assign_quote(quote, false))
        .await
        .unwrap();
    for _ in 0..3 {
        bench.update(&update(StageAction::Next, 3)).await.unwrap();
    }
    refused(
        bench.update(&update(StageAction::Next, 3)).await,
        "opportunity.action",
    );
}

async fn previous_goes_back_one_stage(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 3)).await.unwrap();
    let one = bench
        .update(&update(StageAction::Previous, 4))
        .await
        .unwrap();
    let entry = active(&one);
    assert_eq!(
        (entry.stage, entry.action_taken),
        (1, ActionTaken::Previous)
    );
}

async fn previous_of_the_first_stage_is_refused(bench: &Bench) {
    bench.started().await;
    refused(
        bench.update(&update(StageAction::Previous, 3)).await,
        "opportunity.action",
    );
}

async fn skip_passes_only_stages_that_allow_it(bench: &Bench) {
    let one = bench.started().await;
    let may_skip: Vec<_> = one
        .skippable(&cycle())
        .iter()
        .map(|stage| stage.stage)
        .collect();
    assert_eq!(may_skip, [3]);
    refused(
        bench.update(&update(StageAction::Skip(4), 3)).await,
        "opportunity.skip",
    );
    let one = bench
        .update(&update(StageAction::Skip(3), 3))
        .await
        .unwrap();
    let entry = active(&one);
    assert_eq!((entry.stage, entry.action_taken), (3, ActionTaken::Skipped));
}

async fn skip_to_the_next_or_an_earlier_stage_is_refused(bench: &Bench) {
    bench.started().await;
    for stage in [0, 1, 2, 9] {
        let answer = bench.update(&update(StageAction::Skip(stage), 3)).await;
        refused(answer, "opportunity.action");
    }
}

async fn jump_goes_back_to_any_earlier_stage(bench: &Bench) {
    bench.started().await;
    bench
        .update(&update(StageAction::Skip(3), 3))
        .await
        .unwrap();
    let one = bench
        .update(&update(StageAction::Jump(1), 4))
        .await
        .unwrap();
    let entry = active(&one);
    assert_eq!((entry.stage, entry.action_taken), (1, ActionTaken::Jumped));
}

async fn jump_to_a_later_stage_is_refused(bench: &Bench) {
    bench.started().await;
    for stage in [0, 1, 2, 3, 9] {
        let answer = bench.update(&update(StageAction::Jump(stage), 3)).await;
        refused(answer, "opportunity.action");
    }
}

async fn update_stays_in_the_stage(bench: &Bench) {
    bench.started().await;
    let worth = update(StageAction::Update, 3).with_estimated_value(amount(2_000));
    let one = bench.update(&worth).await.unwrap();
    let entry = active(&one);
    assert_eq!((entry.stage, entry.action_taken), (1, ActionTaken::Updated));
    assert_eq!(entry.estimated_value, amount(2_000));
    assert_eq!(one.tasks, []);
}

async fn an_update_twice_makes_two_entries(bench: &Bench) {
    bench.started().await;
    for date in [3, 3] {
        bench
            .update(&update(StageAction::Update, date))
            .await
            .unwrap();
    }
    let one = bench.load().await.opportunity;
    let numbers: Vec<_> = one
        .entries
        .iter()
        .map(|entry| (entry.no, entry.active))
        .collect();
    assert_eq!(numbers, [(1, false), (2, false), (3, true)]);
}

async fn an_update_needs_an_opportunity_in_progress(bench: &Bench) {
    bench.create().await;
    for action in [
        StageAction::Next,
        StageAction::Previous,
        StageAction::Update,
    ] {
        refused(bench.update(&update(action, 3)).await, "opportunity.status");
    }
}

async fn a_stage_that_requires_a_quote_is_not_entered_without_one(bench: &Bench) {
    bench.started().await;
    bench
        .update(&update(StageAction::Skip(3), 3))
        .await
        .unwrap();
    let next = update(StageAction::Next, 4);
    refused(bench.update(&next).await, "opportunity.quote_required");
    let quote = Quote::new("Q1", amount(5));
    bench
        .change(|one| one.assign_quote(quote, false))
        .await
        .unwrap();
    assert_eq!(active(&bench.update(&next).await.unwrap()).stage, 4);
}

async fn going_back_needs_no_quote(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 3)).await.unwrap();
    let mut strict = cycle();
    strict.stages[0].quote_required = true;
    let back = update(StageAction::Previous, 4);
    let one = bench.change(|one| one.update(&strict, &back).map(drop));
    assert_eq!(active(&one.await.unwrap()).stage, 1);
}

async fn a_new_entry_closes_the_one_before_with_its_days(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 12)).await.unwrap();
    let one = bench
        .update(&update(StageAction::Update, 13))
        .await
        .unwrap();
    let days: Vec<_> = one
        .entries
        .iter()
        .map(|e| (e.days_open, e.active))
        .collect();
    assert_eq!(days, [(10, false), (1, false), (0, true)]);
}

async fn a_change_before_the_last_one_is_refused(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Update, 9)).await.unwrap();
    refused(
        bench.update(&update(StageAction::Next, 8)).await,
        "opportunity.date",
    );
    bench.update(&update(StageAction::Next, 9)).await.unwrap();
}

async fn a_change_cancels_the_open_tasks_if_that_is_wanted(bench: &Bench) {
    bench.create().await;
    let cycle = cycle_with_tasks();
    bench
        .change(|one| one.update(&cycle, &first()).map(drop))
        .await
        .unwrap();
    bench.change(|one| one.complete_task(1)).await.unwrap();
    let next = update(StageAction::Next, 3).with_cancel_open_tasks(true);
    let mut canceled = Vec::new();
    let one = bench.change(|one| {
        canceled = one.update(&cycle, &next)?.canceled_tasks;
        Ok(())
    });
    let status: Vec<_> = one
        .await
        .unwrap()
        .tasks
        .iter()
        .map(|task| task.status)
        .collect();
    assert_eq!(
        status,
        [TaskStatus::Done, TaskStatus::Canceled, TaskStatus::Open]
    );
    assert_eq!(canceled, [2]);
}

async fn the_next_task_is_shown_and_ticked(bench: &Bench) {
    bench.create().await;
    let cycle = cycle_with_tasks();
    let one = bench
        .change(|one| one.update(&cycle, &first()).map(drop))
        .await
        .unwrap();
    assert_eq!(one.next_task().unwrap().description, "Call");
    let one = bench.change(|one| one.complete_task(1)).await.unwrap();
    assert_eq!(one.next_task().unwrap().description, "Meet");
    for no in [0, 1, 3] {
        refused(
            bench.change(|one| one.complete_task(no)).await,
            "opportunity.task",
        );
    }
    let one = bench.change(|one| one.complete_task(2)).await.unwrap();
    assert_eq!(one.next_task(), None);
}
