//! Copies of a mail, equal Message-IDs, and mail that comes back.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::logger::{Progress, ProgressEvent, RunSettings};
use email_logging::source::{ItemRef, MemorySource, SourceCapabilities};
use email_logging::store::{
    DecisionFilter, InteractionLog as _, LogFilter, SqliteStore, StoreOperation,
};
use email_logging::{Result, Scope};

use crate::bench::{Bench, mail_with, quarantine, queue, storage};
use crate::meddled::{Meddled, Meddling};

const FROM: &str = "ada@contacts.example";
const TO: &str = "ah@ours.example";

fn copy(received: &str, headers: &str, body: &str) -> Vec<u8> {
    let mut bytes =
        format!("Received: by {received}; Thu, 1 Jan 2026 10:00:05 +0000\r\n").into_bytes();
    bytes.extend(mail_with(FROM, TO, "Offer", "same@x", headers, body));
    bytes
}

#[tokio::test]
async fn two_rules_that_drop_the_same_mail_make_one_entry_and_two_moves() {
    let bench = Bench::new();
    bench.deliver(copy("a.example", "", "Text.\r\n"));
    bench.deliver(copy("b.example", "", "Text.\r\n"));
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.logged, report.already_logged, report.entries),
        (1, 1, 1)
    );
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    let filter = DecisionFilter::default();
    let decisions = bench
        .store
        .decisions(&Scope::default(), &filter, None, 10)
        .await
        .unwrap();
    let outcomes: Vec<_> = decisions
        .rows
        .iter()
        .map(|row| row.outcome.as_str())
        .collect();
    assert!(
        outcomes.contains(&"logged") && outcomes.contains(&"already-logged"),
        "{outcomes:?}"
    );
}

#[tokio::test]
async fn a_copy_that_comes_in_a_later_run_adds_nothing() {
    let bench = Bench::new();
    bench.deliver(copy("a.example", "", "Text.\r\n"));
    bench.run().await.unwrap();
    bench.deliver(copy("b.example", "", "Text.\r\n"));
    let report = bench.run().await.unwrap();
    assert_eq!((report.logged, report.already_logged), (0, 1));
    assert_eq!(bench.entries().await.len(), 1);
}

#[tokio::test]
async fn another_rendering_of_a_mail_is_the_same_mail() {
    for batches in [1, 2] {
        let bench = Bench::new();
        bench.deliver(copy("a.example", "", "Plain text, sent twice.\r\n"));
        if batches == 2 {
            bench.run().await.unwrap();
        }
        let base64 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                      Content-Transfer-Encoding: base64\r\n";
        bench.deliver(copy(
            "b.example",
            base64,
            "UGxhaW4gdGV4dCwgc2VudCB0d2ljZS4NCg==\r\n",
        ));
        bench.run().await.unwrap();
        assert_eq!(bench.entries().await.len(), 1, "in {batches} batches");
        assert_eq!(bench.stored(), 2);
        assert_eq!(bench.mails().await.len(), 1);
    }
}

/// A store takes the messages of one commit in an order of its own, and while it commits, more batches are ready.
#[tokio::test]
async fn of_two_renderings_in_different_batches_the_older_is_logged() {
    let base64 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: base64\r\n";
    let bench = Bench::new();
    let mut older = Vec::new();
    for pair in 0..16 {
        let id = format!("pair{pair}@x");
        let plain = mail_with(FROM, TO, "Offer", &id, "", "Plain text, sent twice.\r\n");
        let other = "UGxhaW4gdGV4dCwgc2VudCB0d2ljZS4NCg==\r\n";
        older.push(plain.len() as u64);
        bench.deliver(plain);
        bench.deliver(mail_with(FROM, TO, "Offer", &id, base64, other));
    }
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SqliteStore::open(dir.path().join("log.sqlite")).unwrap());
    store.migrate().await.unwrap();
    let mut settings = RunSettings::default();
    settings.fetch_batch = 1;
    let logger = bench
        .builder()
        .with_store(Arc::<SqliteStore>::clone(&store));
    let logger = logger.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.already_logged), (16, 16));
    let mut kept = Vec::new();
    let log = LogFilter::default();
    let page = store
        .entries(&Scope::default(), &log, None, 100)
        .await
        .unwrap();
    for entry in page.rows {
        let mail = store
            .mail(&Scope::default(), &entry.entry.message)
            .await
            .unwrap();
        kept.push(mail.record.identity.size);
    }
    kept.sort_unstable();
    older.sort_unstable();
    assert_eq!(kept, older);
}

#[tokio::test]
async fn an_equal_message_id_with_other_content_suppresses_nothing_and_is_flagged() {
    for batches in [1, 2] {
        let bench = Bench::new();
        bench.deliver(copy("a.example", "", "First.\r\n"));
        if batches == 2 {
            bench.run().await.unwrap();
        }
        bench.deliver(copy("a.example", "", "Something else.\r\n"));
        bench.run().await.unwrap();
        let mails = bench.mails().await;
        assert_eq!(mails.len(), 2, "in {batches} batches");
        let flag = "message-id-conflict".to_owned();
        assert!(mails.iter().all(|mail| mail.record.flags.contains(&flag)));
        assert_eq!(bench.entries().await.len(), 2);
    }
}

#[tokio::test]
async fn a_mail_that_comes_back_to_the_queue_is_moved_again_and_not_logged_again() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    bench.run().await.unwrap();
    let item = bench.source.items(&storage()).remove(0);
    bench.source.move_by_hand(&item.item, &queue()).unwrap();
    let report = bench.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(
        (report.already_logged, report.entries, report.moved),
        (1, 0, 1)
    );
    assert_eq!(report.duplicate_copies, 0);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[tokio::test]
async fn a_copy_made_by_hand_gets_a_move_of_its_own_and_a_note() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let item = bench.source.items(&queue()).remove(0);
    bench.source.copy_by_hand(&item.item, &queue()).unwrap();
    let report = bench.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(
        (report.logged, report.already_logged, report.entries),
        (1, 1, 1),
        "{report:?}"
    );
    assert_eq!((report.moved, report.duplicate_copies), (2, 1));
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    bench.assert_all_stored_and_logged_once(1).await;
}

/// Nobody has to read them, so that as many would be ready at once as the queue holds.
#[tokio::test]
async fn copies_that_only_move_are_committed_two_hundred_at_a_time() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    bench.run().await.unwrap();
    let item = bench.source.items(&storage()).remove(0);
    for _ in 0..500 {
        bench.source.copy_by_hand(&item.item, &queue()).unwrap();
    }
    let before = bench.store.calls(StoreOperation::Commit);
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.already_logged, report.moved),
        (500, 500),
        "{report:?}"
    );
    // Two hundred, two hundred, a hundred; results of moves come with them or follow.
    let commits = bench.store.calls(StoreOperation::Commit) - before;
    assert!(commits >= 3, "{commits}");
    assert_eq!((bench.queued(), bench.entries().await.len()), (0, 1));
}

/// A mail system whose moves take longer than all else of a run.
struct SlowMoves;

#[async_trait]
impl Meddling for SlowMoves {
    async fn before_move(&self, _: &MemorySource, _: &[ItemRef]) -> Result<()> {
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// Counts the items that are listed until the first were moved.
#[derive(Debug, Default)]
struct Listed(Mutex<(usize, bool)>);

impl Progress for Listed {
    fn on(&self, event: &ProgressEvent<'_>) {
        let mut listed = self.0.lock().unwrap();
        match event {
            ProgressEvent::Listed { items, .. } if !listed.1 => listed.0 += items,
            ProgressEvent::Moved { .. } => listed.1 = true,
            _ => {}
        }
    }
}

/// Each waits until the one before has moved, so that as many would wait as the queue holds.
#[tokio::test]
async fn of_copies_that_wait_for_their_moves_no_more_than_a_thousand_and_a_page_are_listed() {
    let mut capabilities = SourceCapabilities::default();
    capabilities.list_page = 100;
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..1);
    bench.run().await.unwrap();
    let item = bench.source.items(&storage()).remove(0);
    for _ in 0..1_500 {
        bench.source.copy_by_hand(&item.item, &queue()).unwrap();
    }
    let source = Meddled {
        source: bench.source.clone(),
        meddling: SlowMoves,
    };
    let listed = Arc::new(Listed::default());
    let builder = bench.builder().with_source(Arc::new(source));
    let builder = builder.with_progress(Arc::<Listed>::clone(&listed));
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!((report.moved, bench.stored()), (1_500, 1_501), "{report:?}");
    // Beside those that wait, those that are written and the first, which move.
    let (listed, _) = *listed.0.lock().unwrap();
    assert!((1_000..=1_400).contains(&listed), "{listed}");
}

#[tokio::test]
async fn copies_of_mail_that_matches_nobody_are_not_matched_each() {
    let bench = Bench::new();
    for received in ["a.example", "b.example"] {
        let mut bytes = format!("Received: by {received}\r\n").into_bytes();
        bytes.extend(mail_with(
            "no@else.example",
            TO,
            "S",
            "u@x",
            "",
            "Text.\r\n",
        ));
        bench.deliver(bytes);
    }
    let report = bench.run().await.unwrap();
    assert!(report.closes(), "{report:?}");
    assert_eq!(
        (report.not_matched, report.already_logged),
        (2, 0),
        "{report:?}"
    );
    let mut filter = DecisionFilter::default();
    filter.outcome = Some("not-matched".into());
    let decisions = bench
        .store
        .decisions(&Scope::default(), &filter, None, 10)
        .await
        .unwrap();
    assert_eq!(decisions.rows.len(), 2);
}

#[tokio::test]
async fn mail_whose_contact_is_found_later_is_logged_once_when_it_comes_again() {
    let bench = Bench::new();
    bench.deliver(mail_with(
        "new@contacts.example",
        TO,
        "S",
        "u@x",
        "",
        "Text.\r\n",
    ));
    assert_eq!(bench.run().await.unwrap().not_matched, 1);
    bench.company.add_contact("new@contacts.example", "C9");
    for expected in [(1, 0), (0, 1)] {
        let mut bytes = format!("Received: by {}\r\n", expected.0).into_bytes();
        bytes.extend(mail_with(
            "new@contacts.example",
            TO,
            "S",
            "u@x",
            "",
            "Text.\r\n",
        ));
        bench.deliver(bytes);
        let report = bench.run().await.unwrap();
        assert_eq!(
            (report.logged, report.already_logged),
            expected,
            "{report:?}"
        );
    }
    let mails = bench.mails().await;
    let part = bench
        .store
        .original(&Scope::default(), &mails[0].message, 0..u64::MAX)
        .await;
    assert!(
        part.unwrap().total > 0,
        "the original comes with the first entry"
    );
}

#[tokio::test]
async fn many_mails_with_one_message_id_are_all_logged() {
    let bench = Bench::new();
    for number in 0..12 {
        bench.deliver(copy("a.example", "", &format!("Text {number}.\r\n")));
    }
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.logged, report.deferred, bench.stored()),
        (12, 0, 12),
        "{report:?}"
    );
}

#[tokio::test]
async fn unmatched_mail_that_is_put_back_is_decided_again() {
    let bench = Bench::new();
    bench.deliver(mail_with(
        "new@contacts.example",
        TO,
        "S",
        "u@x",
        "",
        "Text.\r\n",
    ));
    assert_eq!(bench.run().await.unwrap().not_matched, 1);
    bench.company.add_contact("new@contacts.example", "C9");
    let item = bench.source.items(&storage()).remove(0);
    bench.source.move_by_hand(&item.item, &queue()).unwrap();
    let report = bench.run().await.unwrap();
    assert_eq!(
        (report.logged, report.entries, report.moved),
        (1, 1, 1),
        "{report:?}"
    );
    let filter = DecisionFilter::default();
    let decisions = bench
        .store
        .decisions(&Scope::default(), &filter, None, 10)
        .await
        .unwrap();
    let outcomes: Vec<_> = decisions
        .rows
        .iter()
        .map(|row| row.outcome.as_str())
        .collect();
    assert_eq!(
        outcomes,
        ["logged"],
        "the new decision takes the place of the old one"
    );
}

#[tokio::test]
async fn another_rendering_of_a_large_mail_is_the_same_mail() {
    let bench = Bench::new();
    let text = "A line of a large mail that is sent in two renderings.\r\n".repeat(400);
    let base64 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: base64\r\n";
    bench.deliver(copy("a.example", "", &text));
    bench.deliver(copy("b.example", base64, &encoded(text.as_bytes())));
    let mut settings = email_logging::logger::RunSettings::default();
    settings.inline_bytes = 1_000;
    let report = bench.run_with(settings).await.unwrap();
    assert_eq!((report.logged, report.already_logged), (1, 1), "{report:?}");
    assert_eq!(bench.mails().await.len(), 1);
}

/// Of a mail that matches nobody only the metadata are kept, and the digest of its content.
#[tokio::test]
async fn of_two_renderings_that_matched_nobody_one_is_logged_once_they_match() {
    let text = "A line of a mail that is sent in two renderings.\r\n".repeat(40);
    let base64 = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
                  Content-Transfer-Encoding: base64\r\n";
    // In the batch, and staged; in one run, and in two.
    for (inline_bytes, runs) in [(1 << 20, 1), (1 << 20, 2), (100, 1), (100, 2)] {
        let bench = Bench::new();
        let mut settings = RunSettings::default();
        settings.inline_bytes = inline_bytes;
        for (headers, body) in [("", text.clone()), (base64, encoded(text.as_bytes()))] {
            bench.deliver(mail_with(
                "new@contacts.example",
                TO,
                "Offer",
                "u@x",
                headers,
                &body,
            ));
            if runs == 2 {
                bench.run_with(settings.clone()).await.unwrap();
            }
        }
        bench.run_with(settings.clone()).await.unwrap();
        assert_eq!((bench.queued(), bench.entries().await.len()), (0, 0));
        bench.company.add_contact("new@contacts.example", "C9");
        for item in bench.source.items(&storage()) {
            bench.source.move_by_hand(&item.item, &queue()).unwrap();
        }
        let report = bench.run_with(settings).await.unwrap();
        let counts = (report.logged, report.already_logged, report.entries);
        assert_eq!(counts, (1, 1, 1), "{inline_bytes}, {runs}: {report:?}");
        let mails = bench.mails().await;
        assert_eq!(mails.len(), 1);
        assert!(mails[0].record.flags.is_empty(), "{:?}", mails[0].record);
    }
}

/// An original that is kept can be compared itself, and what has no Message-ID never is.
#[tokio::test]
async fn the_digest_of_a_content_is_kept_only_where_a_rendering_could_not_be_compared_otherwise() {
    let contact_and_id = [
        (FROM, "Message-ID: <1@x>\r\n", false),
        (FROM, "", false),
        ("no@else.example", "Message-ID: <3@x>\r\n", true),
        ("no@else.example", "", false),
    ];
    for inline_bytes in [1 << 20, 10] {
        let mut settings = RunSettings::default();
        settings.inline_bytes = inline_bytes;
        for (from, id, is_kept) in contact_and_id {
            let bench = Bench::new();
            let mail = format!("From: {from}\r\nTo: {TO}\r\nSubject: Offer\r\n{id}\r\nText.\r\n");
            bench.deliver(mail);
            let report = bench.run_with(settings.clone()).await.unwrap();
            assert_eq!(report.logged + report.not_matched, 1, "{report:?}");
            let (scope, filter) = (Scope::default(), DecisionFilter::default());
            let decisions = bench.store.decisions(&scope, &filter, None, 9).await;
            let message = decisions.unwrap().rows.remove(0).message;
            let kept = bench.store.mail(&scope, &message.unwrap()).await.unwrap();
            assert_eq!(kept.record.canonical.is_some(), is_kept, "{from} {id}");
        }
    }
}

/// Base64 in lines of 76 characters (RFC 2045).
fn encoded(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for (number, triple) in bytes.chunks(3).enumerate() {
        let value = |at: usize| u32::from(triple.get(at).copied().unwrap_or(0));
        let bits = value(0) << 16 | value(1) << 8 | value(2);
        for digit in 0..4_usize {
            let index = (bits >> (18 - 6 * digit)) & 63;
            let within = digit <= triple.len();
            text.push(if within {
                char::from(DIGITS[index as usize])
            } else {
                '='
            });
        }
        if number % 19 == 18 {
            text.push_str("\r\n");
        }
    }
    text
}

#[tokio::test]
async fn a_copy_of_what_was_set_aside_stays_while_no_quarantine_folder_is_configured() {
    let bench = Bench::new();
    bench.deliver("unreadable");
    let builder = bench.builder().with_quarantine_folder(quarantine());
    let aside = builder.build().unwrap();
    assert_eq!(aside.run_once().await.unwrap().moved, 1);
    let item = bench.source.items(&quarantine()).remove(0).item;
    bench.source.copy_by_hand(&item, &queue()).unwrap();
    let report = bench.run().await.unwrap();
    assert_eq!((report.listed, report.deferred), (1, 1), "{report:?}");
    assert_eq!((report.fetched, bench.queued()), (0, 1));
    let report = aside.run_once().await.unwrap();
    assert_eq!((report.quarantined, report.moved), (1, 1), "{report:?}");
    assert_eq!(bench.queued(), 0);
}
