//! Counts and statistics.

use super::bench::Bench;
use super::sample::{self, minute};
use crate::interaction::{InformationFlow, Period, StatisticsOptions};
use crate::store::{Annotation, LogCount, LogFilter};
use crate::testkit::conformance::harness::{Checked, equal};

pub(super) async fn entries_are_filtered_by_opportunity_and_grade(bench: &Bench) -> Checked {
    let samples = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let ids: Vec<_> = samples.iter().flat_map(sample::Sample::entry_ids).collect();
    let said = [
        (0, Annotation::Opportunity(Some("OP1".into()))),
        (1, Annotation::Opportunity(Some("OP10".into()))),
        (1, Annotation::Evaluation(Some(4))),
        (2, Annotation::Evaluation(Some(5))),
    ];
    for (at, annotation) in said {
        let id: &crate::ids::EntryId = &ids[at];
        bench.store.annotate(&bench.scope, id, annotation).await?;
    }
    let of_opportunity = LogFilter {
        opportunity: Some("OP1".into()),
        ..LogFilter::default()
    };
    equal(
        "by opportunity",
        bench.entry_ids(&of_opportunity).await?,
        vec![ids[0]],
    )?;
    let good = LogFilter {
        evaluation: Some(4),
        ..LogFilter::default()
    };
    equal("by grade", bench.entry_ids(&good).await?, vec![ids[1]])
}

pub(super) async fn entries_and_mails_are_counted(bench: &Bench) -> Checked {
    let reports = bench.reports()?;
    let samples = [
        sample::logged(1, &["C1", "C2"]),
        sample::logged(2, &["C1"]),
        sample::not_matched(3),
    ];
    bench.put_all(&samples).await?;
    let id = samples[1].row.entries[0].id;
    bench.store.cancel(&bench.scope, &id, true).await?;
    let mut filter = LogFilter::default();
    let found = reports.count(&bench.scope, &filter).await?;
    equal("all that is not cancelled", found, LogCount::new(2, 1))?;
    filter.canceled = true;
    let found = reports.count(&bench.scope, &filter).await?;
    equal("all", found, LogCount::new(3, 2))?;
    filter.contact = Some("C1".into());
    let found = reports.count(&bench.scope, &filter).await?;
    equal("of a contact", found, LogCount::new(2, 2))?;
    filter.text = Some("offer".into());
    let found = reports.count(&bench.scope, &filter).await?;
    equal("with a word", found, LogCount::new(2, 2))?;
    filter.text = Some("pumps".into());
    let found = reports.count(&bench.scope, &filter).await?;
    equal("with another word", found, LogCount::default())
}

pub(super) async fn statistics_add_up_what_fits(bench: &Bench) -> Checked {
    let reports = bench.reports()?;
    let inbound = sample::logged(1, &["C1"]).change_entries(|entry| {
        entry.information_flow = InformationFlow::Inbound;
        entry.initiated_by = entry.information_flow.initiated_by();
    });
    let answer = sample::logged(4, &["C1", "C2"]);
    // Committed in the wrong order on purpose.
    bench.put_all(&[answer, inbound]).await?;
    let options = StatisticsOptions::default().with_period(Period::Day);
    let all = LogFilter::default();
    let found = reports.statistics(&bench.scope, &all, &options).await?;
    equal("entries", found.total.entries, 3)?;
    equal("mails", found.mails, 2)?;
    equal("first", found.total.first, Some(minute(1)))?;
    equal("last", found.total.last, Some(minute(4)))?;
    let contacts: Vec<_> = found
        .contacts
        .iter()
        .map(|c| (&*c.no, c.totals.entries))
        .collect();
    equal("contacts", contacts, vec![("C1", 2), ("C2", 1)])?;
    let people = found.salespeople.iter();
    let people: Vec<_> = people
        .map(|p| (&*p.no, &*p.name, p.answers, p.median_answer_s))
        .collect();
    equal(
        "salespeople",
        people,
        vec![("AH", "Anna Hall", 1, Some(180))],
    )?;
    let activity: Vec<_> = found
        .activity
        .iter()
        .map(|a| (a.outbound, a.inbound))
        .collect();
    equal("activity", activity, vec![(2, 1)])?;
    let only = LogFilter {
        contact: Some("C2".into()),
        ..LogFilter::default()
    };
    let found = reports.statistics(&bench.scope, &only, &options).await?;
    equal(
        "of one contact",
        (found.total.entries, found.contact_count),
        (1, 1),
    )
}
