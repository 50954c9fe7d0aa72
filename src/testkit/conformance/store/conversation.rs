//! Conversations.

use super::bench::Bench;
use super::sample::{self, Sample};
use crate::error::ErrorKind;
use crate::ids::{ContactNo, MessageUid};
use crate::message::MessageContent;
use crate::scope::Scope;
use crate::store::LogFilter;
use crate::testkit::conformance::harness::{Checked, equal, fails};

/// A mail that refers to these ids, to this address, logged for a contact of that name.
fn mail(number: u32, references: &[&str], address: &str) -> Sample {
    sample::logged(number, &[address]).change_record(|record| {
        record.references = references.iter().map(|id| (*id).to_owned()).collect();
        record.subject = "Pumps".into();
        for participant in &mut record.participants {
            participant.address = format!("{address}-{}@example.com", participant.role.code());
        }
    })
}

async fn put(bench: &Bench, samples: &[&Sample]) -> Checked {
    for sample in samples {
        bench.put(sample.row()).await?;
        let contents = vec![(sample.uid(), MessageContent::default())];
        bench.store.put_content(&bench.scope, contents).await?;
    }
    Ok(())
}

/// Whom the conversation of a mail consists of, each with whom it answers.
async fn found(bench: &Bench, of: &Sample) -> Checked<Vec<(MessageUid, Option<MessageUid>)>> {
    let found = bench
        .reports()?
        .conversation(&bench.scope, &of.uid())
        .await?;
    let mails = found.mails.iter();
    Ok(mails.map(|mail| (mail.message, mail.parent)).collect())
}

pub(super) async fn a_conversation_is_the_same_in_either_order_of_arrival(
    bench: &Bench,
) -> Checked {
    let first = mail(1, &[], "anna");
    let answer = mail(2, &["mail-1@example.com"], "anna");
    let sibling = mail(3, &["mail-1@example.com"], "anna");
    let late = mail(4, &["mail-1@example.com", "mail-2@example.com"], "anna");
    let (of_unseen, other) = (mail(11, &["unseen"], "bob"), mail(12, &["unseen"], "bob"));
    put(
        bench,
        &[&late, &sibling, &answer, &first, &other, &of_unseen],
    )
    .await?;
    let expected = vec![
        (first.uid(), None),
        (answer.uid(), Some(first.uid())),
        (sibling.uid(), Some(first.uid())),
        (late.uid(), Some(answer.uid())),
    ];
    for of in [&first, &answer, &sibling, &late] {
        equal(
            "the conversation",
            found(bench, of).await?,
            expected.clone(),
        )?;
    }
    let expected = vec![(of_unseen.uid(), None), (other.uid(), None)];
    for of in [&of_unseen, &other] {
        equal("siblings", found(bench, of).await?, expected.clone())?;
    }
    Ok(())
}

pub(super) async fn a_stranger_who_reuses_ids_or_a_subject_is_not_joined(bench: &Bench) -> Checked {
    let mine = mail(1, &["root"], "anna");
    let same_ids = mail(2, &["root", "mail-1@example.com"], "mallory");
    let same_subject = mail(3, &[], "anna");
    put(bench, &[&mine, &same_ids, &same_subject]).await?;
    for of in [&mine, &same_ids, &same_subject] {
        equal("alone", found(bench, of).await?, vec![(of.uid(), None)])?;
    }
    Ok(())
}

/// The same mail by the salesperson who wrote Anna's.
fn by_annas_salesperson(sample: Sample) -> Sample {
    sample.change_record(|record| {
        for participant in record.participants.iter_mut().filter(|named| named.own) {
            "anna-from@example.com".clone_into(&mut participant.address);
        }
    })
}

pub(super) async fn a_common_salesperson_joins_nobody(bench: &Bench) -> Checked {
    let mine = mail(1, &["root"], "anna");
    let forged = by_annas_salesperson(mail(2, &["root", "mail-1@example.com"], "mallory"));
    put(bench, &[&mine, &forged]).await?;
    for of in [&mine, &forged] {
        equal("alone", found(bench, of).await?, vec![(of.uid(), None)])?;
    }
    Ok(())
}

pub(super) async fn a_colleague_of_the_contact_is_joined_until_the_link_is_cancelled(
    bench: &Bench,
) -> Checked {
    let mine = mail(1, &[], "anna");
    let colleague = mail(2, &["mail-1@example.com"], "carol").change_entries(|entry| {
        entry.contact_company_no = Some(ContactNo::new("anna-COMPANY"));
    });
    put(bench, &[&mine, &colleague]).await?;
    let both = vec![(mine.uid(), None), (colleague.uid(), Some(mine.uid()))];
    for of in [&mine, &colleague] {
        equal("joined", found(bench, of).await?, both.clone())?;
    }
    let entry = colleague.entry_ids()[0];
    bench.store.cancel(&bench.scope, &entry, true).await?;
    equal("alone", found(bench, &mine).await?.len(), 1)
}

pub(super) async fn entries_are_filtered_by_conversation(bench: &Bench) -> Checked {
    let first = mail(1, &[], "anna");
    let answer = mail(2, &["mail-1@example.com"], "anna");
    let other = mail(3, &[], "anna");
    put(bench, &[&answer, &first, &other]).await?;
    for of in [&first, &answer] {
        let filter = LogFilter {
            conversation: Some(of.uid()),
            ..LogFilter::default()
        };
        let expected = vec![answer.row.entries[0].id, first.row.entries[0].id];
        equal("its entries", bench.entry_ids(&filter).await?, expected)?;
        let page = bench.store.mails(&bench.scope, &filter, None, 9).await?;
        let mails: Vec<_> = page.rows.iter().map(|mail| mail.message).collect();
        equal("its mails", mails, vec![answer.uid(), first.uid()])?;
        if let Ok(reports) = bench.reports() {
            equal(
                "its count",
                reports.count(&bench.scope, &filter).await?.mails,
                2,
            )?;
        }
    }
    let unknown = LogFilter {
        conversation: Some(MessageUid::from_bytes([9; 16])),
        ..LogFilter::default()
    };
    equal("of nobody", bench.entry_ids(&unknown).await?.len(), 0)
}

pub(super) async fn a_conversation_of_another_scope_is_not_found(bench: &Bench) -> Checked {
    let first = mail(1, &[], "anna");
    put(bench, &[&first]).await?;
    let other = Scope::new("other", "default")?;
    let asked = bench.reports()?.conversation(&other, &first.uid()).await;
    fails("another scope", asked, ErrorKind::NotFound)?;
    Ok(())
}
