//! The second stage and the search by text.

use super::bench::Bench;
use super::sample::{self, Sample};
use crate::ids::MessageUid;
use crate::message::{Attachment, MessageContent};
use crate::store::LogFilter;
use crate::testkit::conformance::harness::{Checked, check, equal};

fn content(text: &str) -> MessageContent {
    MessageContent {
        text: Some(text.to_owned()),
        attachments: vec![Attachment {
            name: "offer.pdf".into(),
            media_type: "application/pdf".into(),
            size: 12,
            content_id: None,
            inline: false,
        }],
        flags: Vec::new(),
    }
}

async fn index(bench: &Bench, sample: &Sample, text: &str) -> Checked {
    let contents = vec![(sample.uid(), content(text))];
    Ok(bench.store.put_content(&bench.scope, contents).await?)
}

fn by_text(text: &str) -> LogFilter {
    LogFilter {
        text: Some(text.to_owned()),
        ..LogFilter::default()
    }
}

async fn found(bench: &Bench, text: &str) -> Checked<Vec<MessageUid>> {
    let entries = bench.entries(&by_text(text)).await?;
    let mut found: Vec<_> = entries.into_iter().map(|row| row.entry.message).collect();
    found.sort();
    Ok(found)
}

/// One mail about pumps and one about valves, both read by the second stage.
async fn two_mails(bench: &Bench) -> Checked<[Sample; 2]> {
    let pumps = sample::logged(1, &["C1"]).change_record(|record| {
        record.subject = "Pumpen f\u{fc}r \u{dc}bersee".into();
        record.participants[1].address = "carla@fabrikam.example".into();
        record.participants[1].name = Some("Carla M\u{fc}ller".into());
    });
    let valves = sample::logged(2, &["C1"]).change_record(|record| {
        record.subject = "Valves".into();
    });
    bench.put_all(&[pumps.clone(), valves.clone()]).await?;
    index(
        bench,
        &pumps,
        "Dear Carla, the quotation is attached. Regards",
    )
    .await?;
    index(bench, &valves, "Dear Bob, the invoice is attached.").await?;
    Ok([pumps, valves])
}

pub(super) async fn words_are_found_in_subject_participants_and_body(bench: &Bench) -> Checked {
    let [pumps, valves] = two_mails(bench).await?;
    for text in [
        "pumpen",
        "PUMPEN",
        "\u{fc}bersee",
        "\u{dc}BERSEE",
        "fabrikam",
        "m\u{fc}ller",
        "quotation",
    ] {
        equal(text, found(bench, text).await?, [pumps.uid()])?;
    }
    for text in ["valves", "invoice", "contoso"] {
        equal(text, found(bench, text).await?, [valves.uid()])?;
    }
    equal(
        "absent",
        found(bench, "compressor").await?,
        Vec::<MessageUid>::new(),
    )?;
    equal("in both", found(bench, "attached").await?.len(), 2)?;
    let page = bench
        .store
        .mails(&bench.scope, &by_text("quotation"), None, 9)
        .await?;
    let mails: Vec<_> = page.rows.iter().map(|mail| mail.message).collect();
    equal("mails", mails, [pumps.uid()])
}

pub(super) async fn every_word_must_occur_and_the_last_may_be_a_beginning(
    bench: &Bench,
) -> Checked {
    let [pumps, _] = two_mails(bench).await?;
    let cases = [
        ("quotation pumpen", true),
        ("pumpen carla regards", true),
        ("carla quot", true),
        ("pum", true),
        ("quot carla", false),
        ("pumpen invoice", false),
        ("umpen", false),
    ];
    for (text, expected) in cases {
        let hit = found(bench, text).await?.contains(&pumps.uid());
        equal(text, hit, expected)?;
    }
    Ok(())
}

pub(super) async fn no_text_breaks_a_search(bench: &Bench) -> Checked {
    let [pumps, valves] = two_mails(bench).await?;
    let hostile = [
        "\"unbalanced",
        "(",
        ")",
        "AND",
        "OR NOT",
        "NEAR(",
        "subject:",
        "*",
        "^",
        "-",
        "'; --",
        "\0",
        "a AND",
        "{x y}:",
        "\\",
        "%",
        "\u{1f4e7}",
        " ",
    ];
    for text in hostile {
        bench.entries(&by_text(text)).await?;
    }
    for text in [
        "\"pumpen\"",
        "pumpen)",
        "carla@fabrikam.example",
        "(quotation",
    ] {
        equal(text, found(bench, text).await?, [pumps.uid()])?;
    }
    equal(
        "an operator is a word",
        found(bench, "valves OR pumpen").await?.len(),
        0,
    )?;
    let mut both = vec![pumps.uid(), valves.uid()];
    both.sort();
    equal("another filter", found(bench, "dear").await?, both)
}

pub(super) async fn the_second_stage_reads_the_oldest_first_and_once(bench: &Bench) -> Checked {
    let samples = [3, 1, 2].map(|number| sample::logged(number, &["C1"]));
    for sample in &samples {
        bench.put(sample.row()).await?;
    }
    let order: Vec<_> = samples.iter().map(Sample::uid).collect();
    let (store, scope) = (&bench.store, &bench.scope);
    equal("to read", store.unindexed(scope, 9).await?, order.clone())?;
    equal(
        "at most two",
        store.unindexed(scope, 2).await?,
        order[..2].to_vec(),
    )?;
    index(bench, &samples[0], "alpha").await?;
    index(bench, &samples[0], "beta").await?;
    index(bench, &sample::logged(9, &[]), "of an unknown message").await?;
    equal(
        "left to read",
        store.unindexed(scope, 9).await?,
        order[1..].to_vec(),
    )?;
    equal(
        "the first content",
        found(bench, "alpha").await?,
        [order[0]],
    )?;
    equal("a second content", found(bench, "beta").await?.len(), 0)?;
    let mail = store.mail(scope, &order[0]).await?;
    check!(mail.indexed, "the mail does not say that it was read");
    equal("its attachments", mail.attachments, content("").attachments)?;
    let other = store.mail(scope, &order[1]).await?;
    check!(
        !other.indexed && other.attachments.is_empty(),
        "an unread mail says that it was read"
    );
    Ok(())
}

pub(super) async fn a_search_tells_how_much_it_does_not_cover(bench: &Bench) -> Checked {
    let samples = [1, 2, 3].map(|number| sample::logged(number, &["C1"]));
    bench.put_all(&samples).await?;
    index(bench, &samples[0], "alpha").await?;
    let (store, scope) = (&bench.store, &bench.scope);
    for (left, sample) in [(2, &samples[1]), (1, &samples[2])] {
        let entries = store.entries(scope, &by_text("alpha"), None, 9).await?;
        equal("not indexed, of entries", entries.not_indexed, left)?;
        let mails = store.mails(scope, &by_text("alpha"), None, 9).await?;
        equal("not indexed, of mails", mails.not_indexed, left)?;
        index(bench, sample, "gamma").await?;
    }
    let all = store.entries(scope, &by_text("alpha"), None, 9).await?;
    equal("not indexed at last", all.not_indexed, 0)
}

pub(super) async fn a_text_without_a_word_finds_nothing(bench: &Bench) -> Checked {
    two_mails(bench).await?;
    for text in ["", " ", "-", "\" * ", "\u{1f4e7}"] {
        equal(text, found(bench, text).await?.len(), 0)?;
        let store = &bench.store;
        let mails = store.mails(&bench.scope, &by_text(text), None, 9).await?;
        equal(text, mails.rows.len(), 0)?;
    }
    Ok(())
}

pub(super) async fn case_and_diacritics_make_no_difference(bench: &Bench) -> Checked {
    let [pumps, _] = two_mails(bench).await?;
    for text in [
        "ubersee",
        "UBERSEE",
        "U\u{308}bersee",
        "muller",
        "Carl\u{e1} QUOT\u{c4}TION",
    ] {
        equal(text, found(bench, text).await?, [pumps.uid()])?;
    }
    Ok(())
}
