//! The log of 100,000 entries in a SQLite file, as people read it: pages, searches, counts, statistics, conversations.
//!
//! `cargo bench --bench log`. What to hold: a page of a contact under 50 ms, a search under 200 ms, that of the widest
//! beginning as well. Medians and the 95th of 100 are printed, and the worst search; nothing is compared with an earlier run.
//! The same pages are asked for over HTTP, of the web ERP of the examples, if it is built:
//! `cargo build --release --example erp_host`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::future_not_send,
    missing_docs
)]

#[path = "log/pages.rs"]
mod pages;
#[path = "../tests/support/store_rows.rs"]
mod store_rows;

use std::time::{Duration, Instant};

use email_logging::Scope;
use email_logging::interaction::{InformationFlow, Period, StatisticsOptions};
use email_logging::message::MessageContent;
use email_logging::store::{
    CommitBatch, CommitRow, ContentIndex, Conversations, InteractionLog, InteractionReports,
    LogFilter, MailLedger, RowContent, SqliteStore,
};
use store_rows::{lease, logged, uid};

/// Entries of the log; each mail has one.
const ENTRIES: u64 = 100_000;

/// Mails of one transaction.
const BATCH: u64 = 500;

/// The contact, company and salesperson that are asked for have this many of the entries: one of 100, 20 and 10.
const CONTACTS: u64 = 100;

const PAGE: u32 = 50;

/// Times that a question is asked after the first.
const TIMES: usize = 100;

/// A mail of a conversation of ten, with a contact, a company and a salesperson.
fn row(scope: &Scope, n: u64) -> CommitRow {
    let mut row = logged(scope, n, 300);
    let RowContent::Decided(decided) = &mut row.content else {
        return row;
    };
    let decided = std::sync::Arc::get_mut(decided).unwrap();
    if let Some(record) = &mut decided.record {
        record.message_id = Some(format!("mail-{n}@example.com"));
        let first = n - n % 10;
        record.references = (first..n)
            .map(|n| format!("mail-{n}@example.com"))
            .collect();
    }
    for entry in &mut decided.entries {
        let contact = n / 10 % CONTACTS;
        entry.contact_no = format!("C{contact}").as_str().into();
        entry.contact_company_no = Some(format!("COMPANY{}", contact % 20).as_str().into());
        entry.salesperson_code = format!("S{}", contact % 10).as_str().into();
        if n % 2 == 1 {
            entry.information_flow = InformationFlow::Inbound;
            entry.initiated_by = entry.information_flow.initiated_by();
        }
    }
    row
}

/// 100 words out of 5,000, the frequent ones more often; one mail in 1,000 has a rare one.
fn content(n: u64) -> MessageContent {
    let mut content = MessageContent::default();
    let words = (0..100_u64).map(|at| {
        let spread = (n * 450 + at).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        format!("word{}", (spread % 5_000) * (spread / 5_000 % 100) / 100)
    });
    let rare = n.is_multiple_of(1_000).then(|| "quotation".to_owned());
    content.text = Some(words.chain(rare).collect::<Vec<_>>().join(" "));
    content
}

async fn fill(store: &SqliteStore, scope: &Scope) -> Duration {
    let lease = lease(store, scope).await;
    let begun = Instant::now();
    let mut next = 0;
    while next < ENTRIES {
        let numbers = next..next + BATCH;
        let rows = numbers.clone().map(|n| row(scope, n)).collect();
        let batch = CommitBatch::of_rows(rows);
        store.commit(scope, &lease, batch).await.unwrap();
        let contents = numbers.map(|n| (uid(scope, n), content(n))).collect();
        store.put_content(scope, contents).await.unwrap();
        next += BATCH;
    }
    begun.elapsed()
}

/// Runs a question some times and prints the median; the first time fills the caches and is told apart.
async fn measure<T, F: Future<Output = T>>(
    name: &str,
    ask: impl Fn() -> F,
    told: impl Fn(&T) -> u64,
) -> Duration {
    let begun = Instant::now();
    let found = told(&ask().await);
    let first = begun.elapsed();
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let begun = Instant::now();
        std::hint::black_box(ask().await);
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let median = times[TIMES / 2];
    let p95 = times[TIMES * 95 / 100];
    println!(
        "{name:<36} {found:>7} rows  median {median:>9.2?}  p95 {p95:>9.2?}  first {first:>9.2?}"
    );
    p95.max(first)
}

fn filter(change: impl FnOnce(&mut LogFilter)) -> LogFilter {
    let mut filter = LogFilter::default();
    change(&mut filter);
    filter
}

fn lists(scope: &Scope) -> Vec<(&'static str, LogFilter)> {
    vec![
        ("page: all", LogFilter::default()),
        ("page: contact", filter(|f| f.contact = Some("C7".into()))),
        (
            "page: company",
            filter(|f| f.company = Some("COMPANY7".into())),
        ),
        (
            "page: salesperson",
            filter(|f| f.salesperson = Some("S7".into())),
        ),
        (
            "page: inbound",
            filter(|f| f.flow = Some(InformationFlow::Inbound)),
        ),
        (
            "page: flag that nobody has",
            filter(|f| f.flag = Some("bounce".into())),
        ),
        (
            "page: conversation",
            filter(|f| f.conversation = Some(uid(scope, 50_005))),
        ),
        (
            "page: opportunity that is not",
            filter(|f| f.opportunity = Some("OP1".into())),
        ),
        (
            "page: grade that nobody gave",
            filter(|f| f.evaluation = Some(1)),
        ),
    ]
}

fn searches() -> Vec<(&'static str, LogFilter)> {
    let text = |text: &str| filter(|filter| filter.text = Some(text.to_owned()));
    vec![
        ("search: rare word", text("quotation")),
        ("search: frequent word", text("word0")),
        ("search: two words", text("word1 word2")),
        ("search: beginning", text("word12")),
        ("search: beginning of all words", text("w")),
        ("search: beginning of all words, 2", text("wo")),
        ("search: beginning of all words, 4", text("word")),
        ("search: beginning of a fifth", text("word1")),
        ("search: beginning of few words", text("qu")),
        ("search: beginning of no word", text("zq")),
        ("search: rare word and beginning", text("quotation w")),
        ("search: frequent and rare beginning", text("word0 q")),
        ("search: word that is not", text("absent")),
        (
            "search: rare word of a contact",
            filter(|f| {
                f.text = Some("quotation".into());
                f.contact = Some("C0".into());
            }),
        ),
        (
            "search: frequent word, nobody's",
            filter(|f| {
                f.text = Some("word0".into());
                f.contact = Some("nobody".into());
            }),
        ),
    ]
}

async fn ask(store: &SqliteStore, scope: &Scope) {
    let mut worst = (Duration::ZERO, "");
    for (name, filter) in lists(scope).iter().chain(&searches()) {
        let page = || async { store.mails(scope, filter, None, PAGE).await.unwrap() };
        let took = measure(name, page, |page| page.rows.len() as u64).await;
        if name.starts_with("search") {
            worst = worst.max((took, *name));
        }
    }
    println!("the worst search: {:.2?}, {}", worst.0, worst.1);
    let contact = filter(|f| f.contact = Some("C7".into()));
    for (name, filter) in [("all", LogFilter::default()), ("contact", contact)] {
        let count = || async { store.count(scope, &filter).await.unwrap() };
        measure(&format!("count: {name}"), count, |count| count.entries).await;
        let options = StatisticsOptions::default().with_period(Period::Week);
        let all = || async { store.statistics(scope, &filter, &options).await.unwrap() };
        measure(&format!("statistics: {name}"), all, |all| all.total.entries).await;
    }
    let start = uid(scope, 50_005);
    let of = || async { store.conversation(scope, &start).await.unwrap() };
    measure("conversation", of, |found| found.mails.len() as u64).await;
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.sqlite");
    runtime.block_on(async {
        let store = store_rows::open(&file).await;
        let scope = Scope::default();
        let took = fill(&store, &scope).await;
        println!("{ENTRIES} entries committed and indexed in {took:.1?}");
        ask(&store, &scope).await;
        store.close();
        pages::ask(directory.path(), &file).await;
    });
}
