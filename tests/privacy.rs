//! Each rule of privacy, on the store in memory, on SQLite and on PostgreSQL.

#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "privacy/after_logging.rs"]
mod after_logging;
#[cfg(feature = "postgres")]
#[path = "support/postgres.rs"]
mod cluster;
#[path = "support/store_rows.rs"]
mod store_rows;

use std::sync::Arc;

use email_logging::interaction::{InteractionLogEntry, StatisticsOptions};
use email_logging::message::MessageContent;
use email_logging::privacy::{Viewer, Visibility};
use email_logging::store::{
    Annotation, Conversations, DecisionFilter, InteractionLog, InteractionReports,
    InteractionStore, LogFilter, MemoryStore, ReportingStore, RowContent, SqliteStore, VisibleLog,
};
use email_logging::{ErrorKind, Scope};
use store_rows::{commit, entry, lease, logged, uid};

const MAILS: u64 = 9;

fn scope() -> Scope {
    Scope::default()
}

async fn filled<S: InteractionStore>(store: S) -> Arc<S> {
    let lease = lease(&store, &scope()).await;
    let rows = (0..MAILS).map(|n| logged(&scope(), n, 100)).collect();
    commit(&store, &scope(), &lease, rows).await;
    for n in 0..MAILS {
        let annotation = Annotation::Comment {
            author: "a".into(),
            text: "about the price".into(),
        };
        let id = entry(&scope(), n).id;
        store.annotate(&scope(), &id, annotation).await.unwrap();
    }
    Arc::new(store)
}

/// Every third mail is hidden, every third is shown at the level.
fn some(level: Visibility) -> Viewer {
    Viewer::new(move |entry| match third(entry) {
        0 => Visibility::Nothing,
        1 => level,
        _ => Visibility::Full,
    })
}

fn third(entry: &InteractionLogEntry) -> u64 {
    let number: u64 = entry.entry.contact_no.as_str()[2..].parse().unwrap();
    number % 3
}

fn text(words: &str) -> LogFilter {
    let mut filter = LogFilter::default();
    filter.text = Some(words.into());
    filter
}

/// One test per rule and store.
macro_rules! rules {
    ($($rule:ident,)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(super::filled(super::MemoryStore::new()).await).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $rule() {
                let store = super::SqliteStore::in_memory().unwrap();
                store.migrate().await.unwrap();
                super::$rule(super::filled(store).await).await;
            })*
        }
        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test]
            async fn $rule() {
                let Some(server) = super::cluster::server() else { return };
                super::$rule(super::filled(server.store().await).await).await;
            })*
        }
    };
}

rules! {
    nothing_shows_not_even_that_there_is_a_mail,
    metadata_shows_no_word_of_the_mail,
    subject_shows_the_subject_and_no_more,
    full_shows_everything,
    a_salesperson_sees_the_own_mails_in_full,
    a_search_finds_only_what_is_shown_in_full,
    pages_do_not_tell_of_hidden_rows,
    only_who_sees_everything_changes_an_entry,
    decisions_are_shown_as_their_mail_is,
    pages_of_decisions_do_not_tell_of_hidden_rows,
    a_filter_by_opportunity_finds_only_what_is_shown_in_full,
    a_conversation_consists_of_what_is_shown_in_full,
    counts_and_statistics_are_those_of_what_is_seen,
}

async fn nothing_shows_not_even_that_there_is_a_mail(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(store, Viewer::at(Visibility::Nothing));
    let all = LogFilter::default();
    let entries = log.entries(&scope(), &all, None, 2).await.unwrap();
    assert_eq!((entries.rows.len(), entries.next), (0, None));
    let mails = log.mails(&scope(), &all, None, 2).await.unwrap();
    assert_eq!((mails.rows.len(), mails.next), (0, None));
    let message = uid(&scope(), 1);
    let id = entry(&scope(), 1).id;
    let errors = [
        log.entry(&scope(), &id).await.unwrap_err(),
        log.mail(&scope(), &message).await.unwrap_err(),
        log.original(&scope(), &message, 0..9).await.unwrap_err(),
    ];
    let unknown = log
        .entry(&scope(), &entry(&scope(), 99).id)
        .await
        .unwrap_err();
    for error in errors {
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::NotFound, unknown.code())
        );
    }
}

async fn metadata_shows_no_word_of_the_mail(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(store, Viewer::at(Visibility::Metadata));
    let mail = log.mail(&scope(), &uid(&scope(), 1)).await.unwrap();
    assert_eq!(mail.record.subject, "");
    assert_eq!(
        (mail.record.message_id, mail.record.references.len()),
        (None, 0)
    );
    assert_eq!(mail.record.participants.len(), 3);
    let seen = log.entry(&scope(), &entry(&scope(), 1).id).await.unwrap();
    assert_eq!(
        (seen.entry.description.as_str(), seen.comments.len()),
        ("", 0)
    );
    assert_eq!(seen.entry.contact_no.as_str(), "CT000001");
    let original = log.original(&scope(), &uid(&scope(), 1), 0..9).await;
    assert_eq!(original.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn subject_shows_the_subject_and_no_more(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(store, Viewer::at(Visibility::Subject));
    let mail = log.mail(&scope(), &uid(&scope(), 1)).await.unwrap();
    assert_eq!(mail.record.subject, "Offer 1 for the St\u{fc}hle");
    assert_eq!(
        mail.entries[0].entry.description,
        "Offer 1 for the St\u{fc}hle"
    );
    assert_eq!(mail.entries[0].comments, []);
    let original = log.original(&scope(), &uid(&scope(), 1), 0..9).await;
    assert_eq!(original.unwrap_err().kind(), ErrorKind::NotFound);
}

async fn full_shows_everything(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(Arc::clone(&store), Viewer::at(Visibility::Full));
    let message = uid(&scope(), 1);
    let mail = log.mail(&scope(), &message).await.unwrap();
    assert_eq!(mail, store.mail(&scope(), &message).await.unwrap());
    assert_eq!(mail.entries[0].comments.len(), 1);
    let original = log.original(&scope(), &message, 0..999).await.unwrap();
    assert_eq!(original.bytes.len(), 100);
}

async fn a_salesperson_sees_the_own_mails_in_full(store: Arc<impl InteractionStore>) {
    let all = LogFilter::default();
    for (code, expected) in [("AH", MAILS), ("OTHER", 0)] {
        let viewer = Viewer::at(Visibility::Nothing).with_salesperson(code.into());
        let log = VisibleLog::new(Arc::clone(&store), viewer);
        let page = log.entries(&scope(), &all, None, 100).await.unwrap();
        assert_eq!(page.rows.len() as u64, expected, "{code}");
    }
}

async fn a_search_finds_only_what_is_shown_in_full(store: Arc<impl InteractionStore>) {
    for level in [Visibility::Metadata, Visibility::Subject] {
        let log = VisibleLog::new(Arc::clone(&store), some(level));
        let page = log
            .entries(&scope(), &text("offer"), None, 100)
            .await
            .unwrap();
        let found: Vec<u64> = page.rows.iter().map(third).collect();
        assert_eq!(found, [2, 2, 2], "{level:?}");
        // A guess at a hidden subject has the answer of a word that is nowhere, the cursor included.
        for guess in ["offer 1", "offer 0", "elsewhere"] {
            let page = log.mails(&scope(), &text(guess), None, 1).await.unwrap();
            assert_eq!((page.rows.len(), page.next), (0, None), "{guess}");
        }
    }
}

async fn pages_do_not_tell_of_hidden_rows(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(store, some(Visibility::Nothing));
    let all = LogFilter::default();
    let mut numbers = Vec::new();
    let mut at = None;
    let mut sizes = Vec::new();
    loop {
        let page = log.entries(&scope(), &all, at.as_ref(), 2).await.unwrap();
        sizes.push(page.rows.len());
        numbers.extend(page.rows.iter().map(|entry| entry.entry_no));
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    assert_eq!((sizes, numbers), (vec![2, 1], vec![9, 6, 3]));
    let page = log.entries(&scope(), &all, None, 3).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (3, None));
}

async fn only_who_sees_everything_changes_an_entry(store: Arc<impl InteractionStore>) {
    let id = entry(&scope(), 1).id;
    let grade = || Annotation::Evaluation(Some(5));
    let log = VisibleLog::new(Arc::clone(&store), Viewer::at(Visibility::Subject));
    let refused = log.annotate(&scope(), &id, grade()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let refused = log.cancel(&scope(), &id, true).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    let before = store.entry(&scope(), &id).await.unwrap();
    assert_eq!((before.evaluation, before.canceled), (None, false));
    let log = VisibleLog::new(Arc::clone(&store), Viewer::at(Visibility::Full));
    log.annotate(&scope(), &id, grade()).await.unwrap();
    log.cancel(&scope(), &id, true).await.unwrap();
    let after = store.entry(&scope(), &id).await.unwrap();
    assert_eq!((after.evaluation, after.canceled), (Some(5), true));
}

async fn pages_of_decisions_do_not_tell_of_hidden_rows(store: Arc<impl InteractionStore>) {
    let log = VisibleLog::new(store, some(Visibility::Nothing));
    let all = DecisionFilter::default();
    let mut sizes = Vec::new();
    let mut at = None;
    loop {
        let page = log.decisions(&scope(), &all, at.as_ref(), 2).await.unwrap();
        sizes.push(page.rows.len());
        at = page.next;
        if at.is_none() {
            break;
        }
    }
    // Of nine, three are seen.
    assert_eq!(sizes, [2, 1]);
    let page = log.decisions(&scope(), &all, None, 3).await.unwrap();
    assert_eq!((page.rows.len(), page.next), (3, None));
}

async fn a_filter_by_opportunity_finds_only_what_is_shown_in_full(
    store: Arc<impl InteractionStore>,
) {
    for n in 0..MAILS {
        let made = Annotation::Opportunity(Some("OP7".into()));
        let id = entry(&scope(), n).id;
        store.annotate(&scope(), &id, made).await.unwrap();
    }
    let mut filter = LogFilter::default();
    filter.opportunity = Some("OP7".into());
    for level in [Visibility::Metadata, Visibility::Subject] {
        let log = VisibleLog::new(Arc::clone(&store), some(level));
        let page = log.entries(&scope(), &filter, None, 100).await.unwrap();
        let found: Vec<u64> = page.rows.iter().map(third).collect();
        assert_eq!(found, [2, 2, 2], "{level:?}");
        let mails = log.mails(&scope(), &filter, None, 100).await.unwrap();
        assert_eq!(mails.rows.len(), 3, "{level:?}");
    }
}

/// The mail in the middle is one of those that [`some`] hides.
const THREAD: [u64; 3] = [20, 21, 23];

/// Three mails of one conversation, the second below the first, the third below the second.
async fn conversation(store: &impl InteractionStore) {
    let lease = lease(store, &scope()).await;
    let rows = (0..3).map(|n| {
        let mut row = logged(&scope(), THREAD[n], 100);
        let RowContent::Decided(decided) = &mut row.content else {
            unreachable!("it is decided");
        };
        let decided = Arc::get_mut(decided).unwrap();
        let record = decided.record.as_mut().unwrap();
        record.message_id = Some(format!("thread-{n}@cronus.example"));
        record.references = (0..n)
            .map(|n| format!("thread-{n}@cronus.example"))
            .collect();
        row
    });
    commit(store, &scope(), &lease, rows.collect()).await;
    for n in THREAD {
        let contents = vec![(uid(&scope(), n), MessageContent::default())];
        store.put_content(&scope(), contents).await.unwrap();
    }
}

async fn a_conversation_consists_of_what_is_shown_in_full(
    store: Arc<impl InteractionStore + ReportingStore>,
) {
    conversation(&*store).await;
    let all = THREAD.map(|n| uid(&scope(), n));
    let known = store.conversation(&scope(), &all[2]).await.unwrap();
    assert_eq!(known.mails.len(), 3);
    for level in [Visibility::Nothing, Visibility::Metadata] {
        let log = VisibleLog::new(Arc::clone(&store), some(level));
        let found = log.conversation(&scope(), &all[2]).await.unwrap();
        let seen: Vec<_> = found
            .mails
            .iter()
            .map(|mail| (mail.message, mail.parent, mail.depth))
            .collect();
        assert_eq!(
            seen,
            [(all[0], None, 0), (all[2], Some(all[0]), 1)],
            "{level:?}"
        );
        let hidden = log.conversation(&scope(), &all[1]).await.unwrap_err();
        assert_eq!(hidden.kind(), ErrorKind::NotFound);
        let mut filter = LogFilter::default();
        for (of, expected) in [(all[0], 2), (all[1], 0)] {
            filter.conversation = Some(of);
            let page = log.entries(&scope(), &filter, None, 9).await.unwrap();
            assert_eq!((page.rows.len(), page.next), (expected, None), "{level:?}");
        }
    }
}

async fn counts_and_statistics_are_those_of_what_is_seen(
    store: Arc<impl InteractionStore + ReportingStore>,
) {
    let all = LogFilter::default();
    let options = StatisticsOptions::default();
    for (viewer, expected) in [
        (Viewer::at(Visibility::Full), 9),
        (some(Visibility::Metadata), 6),
        (some(Visibility::Nothing), 3),
        (Viewer::at(Visibility::Nothing), 0),
    ] {
        let log = VisibleLog::new(Arc::clone(&store), viewer);
        let count = log.count(&scope(), &all).await.unwrap();
        assert_eq!((count.entries, count.mails), (expected, expected));
        let told = log.statistics(&scope(), &all, &options).await.unwrap();
        assert_eq!((told.total.entries, told.mails), (expected, expected));
        assert_eq!(told.contacts.len() as u64, expected);
        if expected == 9 {
            let whole = store.statistics(&scope(), &all, &options).await.unwrap();
            assert_eq!(told, whole);
        }
    }
    let log = VisibleLog::new(store, some(Visibility::Metadata));
    let count = log.count(&scope(), &text("offer")).await.unwrap();
    assert_eq!(count.entries, 3);
}

async fn decisions_are_shown_as_their_mail_is(store: Arc<impl InteractionStore>) {
    let mut filter = DecisionFilter::default();
    filter.message = Some(uid(&scope(), 1));
    let rows = [
        (Visibility::Nothing, None),
        (Visibility::Metadata, Some((false, ""))),
        (Visibility::Subject, Some((true, ""))),
        (Visibility::Full, Some((true, "AH by email"))),
    ];
    for (level, expected) in rows {
        let log = VisibleLog::new(Arc::clone(&store), Viewer::at(level));
        let page = log.decisions(&scope(), &filter, None, 9).await.unwrap();
        let seen = page.rows.first();
        let seen = seen.map(|row| (row.subject.is_some(), row.steps[0].detail.as_str()));
        assert_eq!(seen, expected, "{level:?}");
    }
}
