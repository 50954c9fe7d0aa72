//! Making an opportunity of an interaction log entry.

use email_logging::opportunity::{Creation, OpportunityStatus, PrivacyBlock};
use email_logging::store::{Annotation, OpportunitySetup};

use crate::opportunity::bench::{Bench, cycle, may, refused, rules};

rules! {
    creation_takes_over_the_entry,
    creation_links_the_entry,
    creation_date_is_the_work_date,
    creation_copies_the_comments_of_the_entry,
    creation_uses_the_default_cycle_unless_it_is_blocked,
    creation_without_a_number_series_is_an_error,
    creation_of_a_cancelled_entry_is_an_error,
    creation_of_a_linked_entry_is_an_error,
    creation_for_a_blocked_contact_is_an_error,
    creation_for_a_contact_of_a_blocked_company_is_an_error,
    creation_falls_back_to_the_salesperson_of_the_user,
    each_entry_of_a_mail_may_have_its_own_opportunity,
    a_new_opportunity_has_no_stage_and_no_estimates,
}

async fn creation_takes_over_the_entry(bench: &Bench) {
    let made = bench.create().await;
    let entry = bench
        .store
        .entry(&bench.scope, &bench.entries[0])
        .await
        .unwrap();
    assert_eq!(made.no.as_str(), "OP000001");
    assert_eq!(made.description, entry.entry.description);
    assert_eq!(made.contact_no, entry.entry.contact_no);
    assert_eq!(made.contact_company_no, entry.entry.contact_company_no);
    assert_eq!(made.salesperson_code, Some("AH".into()));
    assert_eq!(made.campaign_no, entry.entry.campaign_no);
}

async fn creation_links_the_entry(bench: &Bench) {
    bench.create().await;
    let entry = bench
        .store
        .entry(&bench.scope, &bench.entries[0])
        .await
        .unwrap();
    assert_eq!(entry.opportunity_no.as_deref(), Some("OP000001"));
}

async fn creation_date_is_the_work_date(bench: &Bench) {
    assert_eq!(bench.create().await.creation_date, may(1));
}

async fn creation_copies_the_comments_of_the_entry(bench: &Bench) {
    for text in ["one", "two"] {
        let (author, text) = ("AH".to_owned(), text.to_owned());
        let said = Annotation::Comment { author, text };
        bench
            .store
            .annotate(&bench.scope, &bench.entries[0], said)
            .await
            .unwrap();
    }
    let made = bench.create().await;
    let said: Vec<_> = made
        .comments
        .iter()
        .map(|said| said.text.as_str())
        .collect();
    assert_eq!(said, ["one", "two"]);
}

async fn creation_uses_the_default_cycle_unless_it_is_blocked(bench: &Bench) {
    assert_eq!(
        bench.create().await.sales_cycle_code.as_deref(),
        Some("FIRM")
    );
    let blocked = cycle().with_blocked(true);
    bench
        .store
        .put_sales_cycle(&bench.scope, &blocked)
        .await
        .unwrap();
    let creation = Creation::on(may(1), PrivacyBlock::NotBlocked);
    let made = bench
        .store
        .create_opportunity(&bench.scope, &bench.entries[1], &creation);
    assert_eq!(made.await.unwrap().opportunity.sales_cycle_code, None);
}

async fn creation_without_a_number_series_is_an_error(bench: &Bench) {
    let setup = OpportunitySetup::default().with_default_sales_cycle("FIRM");
    bench
        .store
        .put_opportunity_setup(&bench.scope, &setup)
        .await
        .unwrap();
    let answer = bench
        .create_with(&Creation::on(may(1), PrivacyBlock::NotBlocked))
        .await;
    refused(answer, "opportunity.no_series");
}

async fn creation_of_a_cancelled_entry_is_an_error(bench: &Bench) {
    bench
        .store
        .cancel(&bench.scope, &bench.entries[0], true)
        .await
        .unwrap();
    let answer = bench
        .create_with(&Creation::on(may(1), PrivacyBlock::NotBlocked))
        .await;
    refused(answer, "opportunity.entry_canceled");
}

async fn creation_of_a_linked_entry_is_an_error(bench: &Bench) {
    bench.create().await;
    let answer = bench
        .create_with(&Creation::on(may(1), PrivacyBlock::NotBlocked))
        .await;
    refused(answer, "opportunity.entry_linked");
}

async fn creation_for_a_blocked_contact_is_an_error(bench: &Bench) {
    let blocked = Creation::on(may(1), PrivacyBlock::Blocked);
    refused(
        bench.create_with(&blocked).await,
        "opportunity.contact_blocked",
    );
}

async fn creation_for_a_contact_of_a_blocked_company_is_an_error(bench: &Bench) {
    let create = |contact, company| Creation::on(may(1), PrivacyBlock::of(contact, company));
    for blocked in [create(false, true), create(true, false), create(true, true)] {
        let answer = bench.create_with(&blocked).await;
        refused(answer, "opportunity.contact_blocked");
    }
    bench.create_with(&create(false, false)).await.unwrap();
}

async fn creation_falls_back_to_the_salesperson_of_the_user(bench: &Bench) {
    let creation =
        Creation::on(may(1), PrivacyBlock::NotBlocked).with_fallback_salesperson("ME".into());
    let made = bench.create_with(&creation).await.unwrap();
    assert_eq!(made.salesperson_code, Some("AH".into()));
    let made = bench
        .store
        .create_opportunity(&bench.scope, &bench.entries[1], &creation);
    let made = made.await.unwrap().opportunity;
    assert_eq!(made.salesperson_code, Some("ME".into()));
}

async fn each_entry_of_a_mail_may_have_its_own_opportunity(bench: &Bench) {
    bench.create().await;
    let creation = Creation::on(may(1), PrivacyBlock::NotBlocked);
    let other = bench
        .store
        .create_opportunity(&bench.scope, &bench.entries[1], &creation);
    assert_eq!(other.await.unwrap().opportunity.no.as_str(), "OP000002");
}

async fn a_new_opportunity_has_no_stage_and_no_estimates(bench: &Bench) {
    let made = bench.create().await;
    assert_eq!(made.status, OpportunityStatus::NotStarted);
    assert_eq!((made.entries.len(), made.tasks.len()), (0, 0));
    assert_eq!((made.active(), made.date_closed), (None, None));
}
