//! The log as people read and mark it.

use std::collections::BTreeSet;

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::error::ErrorKind;
use crate::ids::{ContactNo, EntryId, SalespersonCode};
use crate::interaction::InformationFlow;
use crate::store::{Annotation, LogFilter};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) async fn every_field_of_an_entry_is_read_back(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    let bare = sample::logged(2, &["C2"]).change_entries(|entry| {
        entry.contact_company_no = None;
        entry.contact_alt_address_code = None;
        entry.interaction_language_code = None;
        entry.campaign_no = None;
        entry.information_flow = InformationFlow::Inbound;
        entry.initiated_by = entry.information_flow.initiated_by();
        entry.occurrence = 3;
        entry.flags.clear();
        entry.fields.clear();
    });
    bench.put_all(&[sample.clone(), bare.clone()]).await?;
    for sample in [&sample, &bare] {
        let written = &sample.row.entries[0];
        let found = bench.store.entry(&bench.scope, &written.id).await?;
        equal("the entry", &found.entry, written)?;
        let untouched = !found.canceled
            && found.evaluation.is_none()
            && found.opportunity_no.is_none()
            && found.host_reference.is_none()
            && found.comments.is_empty();
        check!(untouched, "a new entry is marked: {found:?}");
        let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
        equal(
            "the record",
            Some(&mail.record),
            sample.row.record.as_deref(),
        )?;
        equal("the mail's entries", mail.entries, vec![found])?;
    }
    Ok(())
}

/// Entries `A` to `D`, each with another party.
fn parties() -> [Sample; 4] {
    let company = |no: &str| Some(ContactNo::new(no));
    let mut number = 0;
    ["C1", "C2", "C1", "COMP"].map(|contact| {
        number += 1;
        sample::logged(number, &[contact]).change_entries(|entry| {
            let even = number % 2 == 0;
            entry.contact_company_no = if number < 3 { company("COMP") } else { None };
            entry.salesperson_code = SalespersonCode::new(if even { "AH" } else { "BD" });
            entry.information_flow = if number == 4 {
                InformationFlow::Inbound
            } else {
                InformationFlow::Outbound
            };
        })
    })
}

/// Checks filters: each must answer the entries at these places, whatever the order.
async fn filtered(
    bench: &Bench,
    samples: &[Sample],
    filters: Vec<(&str, LogFilter, &[usize])>,
) -> Checked {
    for (what, filter, expected) in filters {
        let found: BTreeSet<EntryId> = bench.entry_ids(&filter).await?.into_iter().collect();
        let at = |place: &usize| found.contains(&samples[*place].row.entries[0].id);
        let places: Vec<usize> = (0..samples.len()).filter(at).collect();
        equal(what, places.as_slice(), expected)?;
        equal(what, found.len(), expected.len())?;
    }
    Ok(())
}

fn filter(change: impl FnOnce(&mut LogFilter)) -> LogFilter {
    let mut filter = LogFilter::default();
    change(&mut filter);
    filter
}

pub(super) async fn entries_are_filtered_by_party_and_direction(bench: &Bench) -> Checked {
    let samples = parties();
    bench.put_all(&samples).await?;
    let filters: Vec<(&str, LogFilter, &[usize])> = vec![
        ("all", LogFilter::default(), &[0, 1, 2, 3]),
        (
            "contact",
            filter(|f| f.contact = Some("C1".into())),
            &[0, 2],
        ),
        (
            "company and its persons",
            filter(|f| f.company = Some("COMP".into())),
            &[0, 1, 3],
        ),
        (
            "salesperson",
            filter(|f| f.salesperson = Some("AH".into())),
            &[1, 3],
        ),
        (
            "inbound",
            filter(|f| f.flow = Some(InformationFlow::Inbound)),
            &[3],
        ),
        (
            "outbound",
            filter(|f| f.flow = Some(InformationFlow::Outbound)),
            &[0, 1, 2],
        ),
        ("nobody", filter(|f| f.contact = Some("c1".into())), &[]),
        (
            "contact and salesperson",
            filter(|f| {
                f.contact = Some("C1".into());
                f.salesperson = Some("BD".into());
                f.company = Some("COMP".into());
            }),
            &[0],
        ),
    ];
    filtered(bench, &samples, filters).await
}

pub(super) async fn entries_are_filtered_by_time(bench: &Bench) -> Checked {
    let samples = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let filters: Vec<(&str, LogFilter, &[usize])> = vec![
        ("not before", filter(|f| f.since = Some(minute(2))), &[1, 2]),
        ("before", filter(|f| f.until = Some(minute(2))), &[0]),
        (
            "from to",
            filter(|f| {
                f.since = Some(minute(2));
                f.until = Some(minute(3));
            }),
            &[1],
        ),
    ];
    filtered(bench, &samples, filters).await
}

pub(super) async fn entries_are_filtered_by_flag(bench: &Bench) -> Checked {
    let of_entry = sample::logged(1, &["C1"]).change_entries(|entry| {
        entry.flags = vec!["alias".into(), "ambiguous".into()];
    });
    let of_message = sample::logged(2, &["C1"]).change_record(|record| {
        record.flags = vec!["automatic-reply".into(), "x".into()];
    });
    let samples = [of_entry, of_message];
    bench.put_all(&samples).await?;
    let flag = |flag: &str| filter(|filter| filter.flag = Some(flag.to_owned()));
    let filters: Vec<(&str, LogFilter, &[usize])> = vec![
        ("a flag of the entry", flag("ambiguous"), &[0]),
        ("a flag of the message", flag("automatic-reply"), &[1]),
        ("a part of a flag", flag("ambig"), &[]),
    ];
    filtered(bench, &samples, filters).await
}

pub(super) async fn a_cancelled_entry_is_hidden_until_it_is_asked_for(bench: &Bench) -> Checked {
    let samples = [1, 2].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    let id = samples[0].row.entries[0].id;
    for canceled in [true, true, false] {
        bench.store.cancel(&bench.scope, &id, canceled).await?;
        let entry = bench.store.entry(&bench.scope, &id).await?;
        equal("cancelled", entry.canceled, canceled)?;
        let shown: &[usize] = if canceled { &[1] } else { &[0, 1] };
        let filters = vec![
            ("what is shown", LogFilter::default(), shown),
            (
                "with cancelled ones",
                filter(|f| f.canceled = true),
                &[0, 1],
            ),
        ];
        filtered(bench, &samples, filters).await?;
    }
    Ok(())
}

pub(super) async fn what_people_say_about_an_entry_is_kept(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1", "C2"]);
    bench.put(sample.row()).await?;
    let ids = sample.entry_ids();
    let comment = |text: &str| Annotation::Comment {
        author: "Anna".into(),
        text: text.into(),
    };
    let annotations = [
        comment("first"),
        Annotation::Evaluation(Some(4)),
        Annotation::Opportunity(Some("OP1".into())),
        comment("second"),
    ];
    for annotation in annotations {
        bench
            .store
            .annotate(&bench.scope, &ids[0], annotation)
            .await?;
    }
    let entry = bench.store.entry(&bench.scope, &ids[0]).await?;
    let comments: Vec<_> = entry
        .comments
        .iter()
        .map(|row| (&*row.author, &*row.text))
        .collect();
    equal(
        "comments",
        comments,
        [("Anna", "first"), ("Anna", "second")],
    )?;
    equal("the grade", entry.evaluation, Some(4))?;
    equal(
        "the opportunity",
        entry.opportunity_no.as_deref(),
        Some("OP1"),
    )?;
    for annotation in [Annotation::Evaluation(None), Annotation::Opportunity(None)] {
        bench
            .store
            .annotate(&bench.scope, &ids[0], annotation)
            .await?;
    }
    let entry = bench.store.entry(&bench.scope, &ids[0]).await?;
    equal("the grade taken back", entry.evaluation, None)?;
    equal(
        "the opportunity taken back",
        entry.opportunity_no,
        None::<String>,
    )?;
    let other = bench.store.entry(&bench.scope, &ids[1]).await?;
    check!(other.comments.is_empty(), "another entry has the comments");
    Ok(())
}

pub(super) async fn a_mail_is_listed_once_with_all_its_entries(bench: &Bench) -> Checked {
    let first = sample::logged(1, &["C1", "C2", "C3"]);
    let second = sample::logged(2, &["C2"]);
    bench
        .put_all(&[first.clone(), second.clone(), sample::not_matched(3)])
        .await?;
    let store = &bench.store;
    for (contact, expected) in [(None, vec![&second, &first]), (Some("C3"), vec![&first])] {
        let filter = filter(|f| f.contact = contact.map(ContactNo::new));
        let page = store.mails(&bench.scope, &filter, None, 9).await?;
        let found: Vec<_> = page
            .rows
            .iter()
            .map(|mail| {
                let entries = mail.entries.iter();
                (mail.message, entries.map(|row| row.entry.id).collect())
            })
            .collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|sample| (sample.uid(), sample.entry_ids()))
            .collect();
        equal("the mails", found, expected)?;
    }
    Ok(())
}

pub(super) async fn what_is_not_there_is_not_found(bench: &Bench) -> Checked {
    bench.put(sample::logged(1, &["C1"]).row()).await?;
    let absent = sample::logged(2, &["C1"]);
    let (store, scope) = (&bench.store, &bench.scope);
    let (uid, id) = (absent.uid(), absent.entry_ids()[0]);
    fails(
        "an entry",
        store.entry(scope, &id).await,
        ErrorKind::NotFound,
    )?;
    fails("a mail", store.mail(scope, &uid).await, ErrorKind::NotFound)?;
    fails(
        "to cancel",
        store.cancel(scope, &id, true).await,
        ErrorKind::NotFound,
    )?;
    let grade = Annotation::Evaluation(Some(1));
    fails(
        "to annotate",
        store.annotate(scope, &id, grade).await,
        ErrorKind::NotFound,
    )?;
    Ok(())
}

pub(super) async fn an_entry_is_found_by_its_number(bench: &Bench) -> Checked {
    bench
        .put_all(&[1, 2, 3].map(|number| sample::logged(number, &["C1", "C2"])))
        .await?;
    for entry in bench.all_entries().await? {
        let by_number = filter(|f| f.entry_no = Some(entry.entry_no));
        let found = bench.entries(&by_number).await?;
        equal("the entry of a number", found, vec![entry])?;
    }
    for number in [0, 7, u64::MAX] {
        let by_number = filter(|f| f.entry_no = Some(number));
        equal("no entry", bench.entries(&by_number).await?.len(), 0)?;
    }
    Ok(())
}

pub(super) async fn a_grade_is_from_1_to_5(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    let (store, scope, id) = (&bench.store, &bench.scope, sample.entry_ids()[0]);
    for grade in [1, 5] {
        let grade = Annotation::Evaluation(Some(grade));
        store.annotate(scope, &id, grade).await?;
    }
    for grade in [0, 6, u8::MAX] {
        let refused = Annotation::Evaluation(Some(grade));
        let refused = store.annotate(scope, &id, refused).await;
        fails("another grade", refused, ErrorKind::Conflict)?;
    }
    let entry = store.entry(scope, &id).await?;
    equal("the grade", entry.evaluation, Some(5))
}
