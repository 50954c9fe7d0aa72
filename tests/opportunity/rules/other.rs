//! Who works on it, with whom, in which campaign; and what it amounts to.

use email_logging::opportunity::{
    Campaign, CloseCode, CloseKind, Closing, NewContact, OpportunityStatistics, StageAction,
};
use email_logging::store::OpportunityFilter;

use crate::opportunity::bench::{
    Bench, active, amount, cycle_with_tasks, first, may, refused, rules, update,
};

rules! {
    another_salesperson_is_taken_over_by_the_active_entry,
    open_tasks_follow_the_salesperson_if_that_is_wanted,
    another_contact_is_taken_over_by_the_active_entry,
    a_contact_of_another_company_is_refused_once_started,
    a_contact_of_another_company_is_fine_before_the_start,
    another_campaign_is_taken_over_by_the_active_entry,
    the_dates_of_a_campaign_are_checked,
    statistics_of_one_opportunity,
    statistics_of_open_and_closed_ones_by_stage,
    open_and_closed_ones_are_told_apart,
}

async fn another_salesperson_is_taken_over_by_the_active_entry(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 3)).await.unwrap();
    let one = bench
        .change(|one| one.set_salesperson("BD".into(), false))
        .await
        .unwrap();
    let codes: Vec<_> = one
        .entries
        .iter()
        .map(|e| e.salesperson_code.as_ref())
        .collect();
    assert_eq!(codes, [Some(&"AH".into()), Some(&"BD".into())]);
    assert_eq!(one.salesperson_code, Some("BD".into()));
}

async fn open_tasks_follow_the_salesperson_if_that_is_wanted(bench: &Bench) {
    bench.create().await;
    let cycle = cycle_with_tasks();
    bench
        .change(|one| one.update(&cycle, &first()).map(drop))
        .await
        .unwrap();
    bench.change(|one| one.complete_task(1)).await.unwrap();
    let one = bench
        .change(|one| one.set_salesperson("BD".into(), false))
        .await
        .unwrap();
    assert!(
        one.tasks
            .iter()
            .all(|task| task.salesperson_code == Some("AH".into()))
    );
    let one = bench
        .change(|one| one.set_salesperson("BD".into(), true))
        .await
        .unwrap();
    let codes: Vec<_> = one
        .tasks
        .iter()
        .map(|t| t.salesperson_code.as_ref())
        .collect();
    assert_eq!(codes, [Some(&"AH".into()), Some(&"BD".into())]);
}

async fn another_contact_is_taken_over_by_the_active_entry(bench: &Bench) {
    let one = bench.started().await;
    let contact = NewContact::new("CT000099".into(), one.contact_company_no);
    let one = bench
        .change(|one| one.set_contact(contact, true))
        .await
        .unwrap();
    assert_eq!(one.contact_no, "CT000099".into());
    assert_eq!(active(&one).contact_no, "CT000099".into());
}

async fn a_contact_of_another_company_is_refused_once_started(bench: &Bench) {
    bench.started().await;
    for company in [None, Some("CO9999".into())] {
        let contact = NewContact::new("CT000099".into(), company);
        let answer = bench.change(|one| one.set_contact(contact, true)).await;
        refused(answer, "opportunity.other_company");
    }
}

async fn a_contact_of_another_company_is_fine_before_the_start(bench: &Bench) {
    bench.create().await;
    let contact = NewContact::new("CT000099".into(), Some("CO9999".into()));
    let one = bench
        .change(|one| one.set_contact(contact, true))
        .await
        .unwrap();
    assert_eq!(one.contact_company_no, Some("CO9999".into()));
}

async fn another_campaign_is_taken_over_by_the_active_entry(bench: &Bench) {
    bench.started().await;
    let campaign = Campaign::new("CP1", Some(may(1)), Some(may(1)));
    let one = bench
        .change(|one| one.set_campaign(Some(&campaign)))
        .await
        .unwrap();
    assert_eq!(one.campaign_no.as_deref(), Some("CP1"));
    assert_eq!(active(&one).campaign_no.as_deref(), Some("CP1"));
    let one = bench.change(|one| one.set_campaign(None)).await.unwrap();
    assert_eq!(active(&one).campaign_no, None);
}

async fn the_dates_of_a_campaign_are_checked(bench: &Bench) {
    bench.create().await;
    let before = Campaign::new("CP1", None, Some(may(1).yesterday().unwrap()));
    let after = Campaign::new("CP1", Some(may(2)), None);
    for campaign in [before, after] {
        let answer = bench.change(|one| one.set_campaign(Some(&campaign))).await;
        refused(answer, "opportunity.campaign_dates");
    }
}

async fn statistics_of_one_opportunity(bench: &Bench) {
    let fresh = bench.create().await;
    assert_eq!(fresh.statistics(1).stage, None);
    let one = bench.update(&first()).await.unwrap();
    let interactions = bench
        .store
        .count_interactions(&bench.scope, &one.no)
        .await
        .unwrap();
    let found = one.statistics(interactions);
    let OpportunityStatistics {
        interactions,
        stage,
        estimated_value,
        ..
    } = found;
    assert_eq!(
        (interactions, stage, estimated_value),
        (1, Some(1), amount(1_000))
    );
    let shown = [found.chance, found.completed, found.probability].map(|one| one.to_string());
    assert_eq!(shown, ["20", "10", "2"]);
    assert_eq!(found.calculated_value, amount(20));
    bench
        .store
        .cancel(&bench.scope, &bench.entries[0], true)
        .await
        .unwrap();
    let counted = bench
        .store
        .count_interactions(&bench.scope, &one.no)
        .await
        .unwrap();
    assert_eq!(counted, 0);
}

async fn statistics_of_open_and_closed_ones_by_stage(bench: &Bench) {
    bench.started().await;
    bench.update(&update(StageAction::Next, 6)).await.unwrap();
    let open = bench
        .store
        .stage_statistics(&bench.scope, Some("FIRM"))
        .await
        .unwrap();
    let stages: Vec<_> = open
        .iter()
        .map(|s| (s.stage, s.open, s.average_days()))
        .collect();
    assert_eq!(stages, [(1, 0, Some(4.0)), (2, 1, None)]);
    assert_eq!(
        (open[1].estimated_value, open[1].calculated_value),
        (amount(1_000), amount(200))
    );
    let code = CloseCode::new("WON", CloseKind::Won);
    let sold = Closing::won(may(8), Some(amount(700)));
    bench
        .change(|one| one.close(&sold, Some(&code)).map(drop))
        .await
        .unwrap();
    let closed = bench
        .store
        .stage_statistics(&bench.scope, None)
        .await
        .unwrap();
    let two = &closed[1];
    assert_eq!(
        (two.open, two.won, two.lost, two.sales_value),
        (0, 1, 0, amount(700))
    );
    assert_eq!(two.average_days(), Some(2.0));
}

async fn open_and_closed_ones_are_told_apart(bench: &Bench) {
    bench.started().await;
    let mut open = OpportunityFilter::default();
    open.open = true;
    let count = async || {
        let page = bench
            .store
            .opportunities(&bench.scope, &open, None, 10)
            .await;
        page.unwrap().rows.len()
    };
    assert_eq!(count().await, 1);
    let code = CloseCode::new("LOST", CloseKind::Lost);
    let lost = Closing::lost(may(9));
    bench
        .change(|one| one.close(&lost, Some(&code)).map(drop))
        .await
        .unwrap();
    assert_eq!(count().await, 0);
}
