//! Making an opportunity of an interaction log entry.

use futures_util::future::join_all;

use super::{OpportunityBackend, cycle, day, refused, sample};
use crate::error::ErrorKind;
use crate::ids::EntryId;
use crate::opportunity::{Creation, OpportunityStatus, PrivacyBlock};
use crate::store::{Annotation, OpportunityFilter, OpportunitySetup};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) async fn an_opportunity_is_made_of_an_entry_with_a_number_and_a_link(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let (log, scope) = (&backend.log, &backend.log.scope);
    let sample = sample::logged(1, &["C1", "C2"]);
    log.put_all(std::slice::from_ref(&sample)).await?;
    let [one, other] = [&sample.row.entries[0], &sample.row.entries[1]];
    let said = Annotation::Comment {
        author: "AH".into(),
        text: "worth a try".into(),
    };
    log.store.annotate(scope, &one.id, said).await?;
    let made = backend.create(&sample).await?;
    let entry = log.store.entry(scope, &one.id).await?;
    let found = &made.opportunity;
    equal("the version", made.version, 1)?;
    equal("the number", found.no.as_str(), "OP009")?;
    equal("the link", entry.opportunity_no.as_deref(), Some("OP009"))?;
    equal("the description", &found.description, &one.description)?;
    equal("the date", found.creation_date, day(1))?;
    equal("the status", found.status, OpportunityStatus::NotStarted)?;
    equal("the contact", &found.contact_no, &one.contact_no)?;
    equal(
        "the company",
        &found.contact_company_no,
        &one.contact_company_no,
    )?;
    equal(
        "the salesperson",
        found.salesperson_code.as_ref(),
        Some(&one.salesperson_code),
    )?;
    equal("the campaign", &found.campaign_no, &one.campaign_no)?;
    equal("the cycle", found.sales_cycle_code.as_deref(), Some("FIRM"))?;
    equal("the comments", &found.comments, &entry.comments)?;
    check!(found.entries.is_empty(), "a stage is activated");
    let read = backend.load(found).await?;
    equal("what is stored", &read, &made)?;
    // The other entry of the same mail may have one of its own.
    let creation = Creation::on(day(1), PrivacyBlock::NotBlocked);
    let second = backend
        .store
        .create_opportunity(scope, &other.id, &creation)
        .await?;
    equal("the next number", second.opportunity.no.as_str(), "OP010")
}

pub(super) async fn what_cannot_be_made_takes_no_number_and_links_nothing(
    backend: &OpportunityBackend,
) -> Checked {
    let (log, scope) = (&backend.log, &backend.log.scope);
    let sample = sample::logged(1, &["C1"]);
    log.put_all(std::slice::from_ref(&sample)).await?;
    let id = sample.row.entries[0].id;
    let without = backend.create(&sample).await;
    refused("no series", without, "opportunity.no_series")?;
    let cycle = backend.set_up().await?;
    let unknown = EntryId::from_bytes([9; 16]);
    let creation = Creation::on(day(1), PrivacyBlock::NotBlocked);
    let nobody = backend
        .store
        .create_opportunity(scope, &unknown, &creation)
        .await;
    fails("an unknown entry", nobody, ErrorKind::NotFound)?;
    let blocked = Creation::on(day(1), PrivacyBlock::Blocked);
    let answer = backend.store.create_opportunity(scope, &id, &blocked).await;
    refused("a blocked contact", answer, "opportunity.contact_blocked")?;
    log.store.cancel(scope, &id, true).await?;
    let answer = backend.create(&sample).await;
    refused("a cancelled entry", answer, "opportunity.entry_canceled")?;
    log.store.cancel(scope, &id, false).await?;
    let entry = log.store.entry(scope, &id).await?;
    equal("the link", entry.opportunity_no, None)?;
    let made = backend.create(&sample).await?;
    equal("the first number", made.opportunity.no.as_str(), "OP009")?;
    let again = backend.create(&sample).await;
    refused("a linked entry", again, "opportunity.entry_linked")?;
    let all = OpportunityFilter::default();
    let page = backend.store.opportunities(scope, &all, None, 10).await?;
    equal("what is there", page.rows.len(), 1)?;
    let known = backend.store.sales_cycles(scope).await?;
    equal("the cycles", known, vec![cycle])
}

pub(super) async fn the_default_cycle_is_left_out_where_it_is_missing_or_blocked(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let scope = &backend.log.scope;
    let blocked = cycle("FIRM").with_blocked(true);
    backend.store.put_sales_cycle(scope, &blocked).await?;
    let made = backend.made(&sample::logged(1, &["C1"])).await?;
    equal("blocked", made.opportunity.sales_cycle_code, None)?;
    let setup = backend.store.opportunity_setup(scope).await?;
    let series = setup.number_series.ok_or_else(|| missing("the series"))?;
    equal("the next number", series.next.as_str(), "OP010")?;
    for code in [Some("NONE"), None] {
        let mut setup = OpportunitySetup::default().with_number_series(series.clone());
        setup.default_sales_cycle = code.map(str::to_owned);
        backend.store.put_opportunity_setup(scope, &setup).await?;
        let number = if code.is_some() { 2 } else { 3 };
        let sample = sample::logged(number, &["C1"]);
        if code.is_none() {
            // The series was set back, so the number is taken.
            let answer = backend.made(&sample).await;
            check!(answer.is_err(), "a number came twice");
            continue;
        }
        let made = backend.made(&sample).await?;
        equal("missing", made.opportunity.sales_cycle_code, None)?;
    }
    Ok(())
}

fn missing(what: &str) -> crate::testkit::conformance::harness::Stop {
    crate::testkit::conformance::harness::Stop::Failed(format!("{what} is gone"))
}

pub(super) async fn of_many_who_make_one_of_the_same_entry_one_does(
    backend: &OpportunityBackend,
) -> Checked {
    backend.set_up().await?;
    let sample = sample::logged(1, &["C1"]);
    backend.log.put_all(std::slice::from_ref(&sample)).await?;
    let mut made = 0;
    for answer in join_all((0..8).map(|_| backend.create(&sample))).await {
        match answer {
            Ok(_) => made += 1,
            late => refused("who was late", late, "opportunity.entry_linked")?,
        }
    }
    equal("how many did", made, 1)
}

pub(super) async fn many_at_once_get_numbers_of_their_own(backend: &OpportunityBackend) -> Checked {
    backend.set_up().await?;
    let samples: Vec<_> = (1..=8)
        .map(|number| sample::logged(number, &["C1"]))
        .collect();
    backend.log.put_all(&samples).await?;
    let mut numbers = Vec::new();
    for answer in join_all(samples.iter().map(|sample| backend.create(sample))).await {
        numbers.push(answer?.opportunity.no.to_string());
    }
    numbers.sort();
    let expected: Vec<_> = (9..17).map(|number| format!("OP{number:03}")).collect();
    equal("the numbers", numbers, expected)
}
