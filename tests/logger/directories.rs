//! A directory that has no answer for one address, and one that has none for anybody.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::{LoggingPolicy, Unmatched};
use email_logging::directory::{ContactDirectory, ContactEditor};
use email_logging::error::{Code, codes};
use email_logging::logger::{RunSettings, RunStep};
use email_logging::message::Address;
use email_logging::parties::{AddressParties, NewContact};
use email_logging::source::{
    Folder, ItemRef, MailSource as _, MemorySource, SightingKey, SourceCapabilities, Stamped,
};
use email_logging::{ContactNo, EmailLogger, Error, Result, Scope};

use crate::bench::{Bench, Company, mail, storage};
use crate::meddled::{Meddled, Meddling};

/// How it fails.
#[derive(Debug, Clone, Copy)]
enum How {
    Error(&'static Code),
    Panic,
}

/// Fails whenever it is asked for Eve, and for anybody from a certain call on.
#[derive(Debug)]
struct Partly {
    company: Arc<Company>,
    how: How,
    /// The calls that it answers at all.
    answers: AtomicU32,
    asked: AtomicU32,
}

#[async_trait]
impl ContactDirectory for Partly {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let before = self.asked.fetch_add(1, Ordering::Relaxed);
        let is_eve = |address: &Address| address.to_string() == "eve@contacts.example";
        let is_out = before >= self.answers.load(Ordering::Relaxed);
        match self.how {
            _ if !is_out && !addresses.iter().any(is_eve) => {
                self.company.resolve(scope, addresses).await
            }
            How::Error(code) => Err(Error::new(code, "resolve")),
            How::Panic => panic!("nobody can say who that is"),
        }
    }
}

fn partly(bench: &Bench, how: How) -> Arc<Partly> {
    Arc::new(Partly {
        company: Arc::clone(&bench.company),
        how,
        answers: u32::MAX.into(),
        asked: AtomicU32::new(0),
    })
}

impl Partly {
    fn asked(&self) -> u32 {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

fn logger(bench: &Bench, directory: &Arc<Partly>) -> EmailLogger {
    let mut settings = RunSettings::default();
    (settings.attempts, settings.connections) = (2, 1);
    let logger = bench.builder().with_directory(directory.clone());
    logger.with_settings(settings).build().unwrap()
}

fn deliver_eve(bench: &Bench, number: u32) {
    let id = format!("eve{number}@x.example");
    bench.deliver(mail("eve@contacts.example", "ah@ours.example", "Eve", &id));
}

#[tokio::test]
async fn a_mail_whose_address_has_no_answer_holds_up_no_other_and_is_set_aside_at_last() {
    let ways = [
        How::Error(&codes::DIRECTORY_UNAVAILABLE),
        How::Error(&codes::HTTP_TIMEOUT),
        How::Error(&codes::EWS_ITEM_DAMAGED),
        How::Panic,
    ];
    for how in ways {
        let bench = Bench::new();
        bench.deliver_numbers(0..2);
        deliver_eve(&bench, 0);
        bench.deliver_numbers(2..4);
        let directory = partly(&bench, how);
        let logger = logger(&bench, &directory);
        let report = logger.run_once().await.unwrap();
        let counts = (report.logged, report.pending, report.moved);
        assert_eq!(counts, (4, 1, 4), "{how:?}: {report:?}");
        assert_eq!(directory.asked(), 6, "once for all, and once for each");
        let report = logger.run_once().await.unwrap();
        assert_eq!((report.fetched, report.deferred), (0, 1), "it waits");
        // Alone in the queue: the directory still answers for others.
        bench.clock.advance(Duration::from_hours(1));
        let report = logger.run_once().await.unwrap();
        let reason = "quarantined/attempts-exhausted";
        assert_eq!(report.reasons[reason], 1, "{how:?}: {report:?}");
        assert_eq!(directory.asked(), 3);
    }
}

#[tokio::test]
async fn many_such_mails_in_a_row_hold_up_nobody_behind_them() {
    let bench = Bench::new();
    let directory = partly(&bench, How::Error(&codes::DIRECTORY_UNAVAILABLE));
    let logger = logger(&bench, &directory);
    bench.deliver_numbers(0..1);
    logger.run_once().await.unwrap();
    (0..12).for_each(|number| deliver_eve(&bench, number));
    bench.deliver_numbers(1..3);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.pending), (2, 12), "{report:?}");
}

async fn is_out_of_order(logger: &EmailLogger, directory: &Partly, calls: u32) {
    // As often as a mail has attempts, and once more.
    for _ in 0..3 {
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.step, RunStep::ResolvingAddresses, "{failed:?}");
        let report = &failed.report;
        assert_eq!((report.fetched, report.deferred), (0, 30), "{report:?}");
        assert_eq!(directory.asked(), calls, "an outage costs few calls");
    }
}

#[tokio::test]
async fn a_directory_that_answers_nobody_is_out_of_order_and_no_mail_has_failed() {
    let bench = Bench::new();
    let directory = partly(&bench, How::Error(&codes::DIRECTORY_UNAVAILABLE));
    let logger = logger(&bench, &directory);
    directory.answers.store(0, Ordering::Relaxed);
    bench.deliver_numbers(0..30);
    is_out_of_order(&logger, &directory, 9).await;
    // It answers one question, and then nothing any more.
    directory.answers.store(1, Ordering::Relaxed);
    assert_eq!(logger.run_once().await.unwrap().logged, 30);
    directory.asked();
    directory.answers.store(0, Ordering::Relaxed);
    bench.deliver_numbers(30..60);
    is_out_of_order(&logger, &directory, 10).await;
    directory.answers.store(u32::MAX, Ordering::Relaxed);
    assert_eq!(logger.run_once().await.unwrap().logged, 30);
    bench.assert_all_stored_and_logged_once(60).await;
}

#[tokio::test]
async fn what_concerns_every_address_is_not_asked_again() {
    for code in [
        &codes::HTTP_UNAUTHORIZED,
        &codes::EWS_THROTTLED,
        &codes::CONFIG_MISSING,
    ] {
        let bench = Bench::new();
        let directory = partly(&bench, How::Error(code));
        bench.deliver_numbers(0..2);
        deliver_eve(&bench, 0);
        let failed = logger(&bench, &directory).run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), code.code);
        assert_eq!((directory.asked(), bench.stored()), (1, 0), "{}", code.code);
    }
}

#[tokio::test]
async fn a_mail_alone_before_a_directory_that_never_answered_waits_for_it() {
    let bench = Bench::new();
    let directory = partly(&bench, How::Error(&codes::DIRECTORY_UNAVAILABLE));
    let logger = logger(&bench, &directory);
    deliver_eve(&bench, 0);
    for _ in 0..3 {
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.step, RunStep::ResolvingAddresses, "{failed:?}");
    }
    bench.deliver_numbers(0..1);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.pending), (1, 1), "{report:?}");
}

#[tokio::test]
async fn a_directory_that_answers_a_mail_is_not_asked_whether_it_is_there() {
    let bench = Bench::new();
    let directory = partly(&bench, How::Error(&codes::DIRECTORY_UNAVAILABLE));
    bench.deliver_numbers(0..1);
    (0..9).for_each(|number| deliver_eve(&bench, number));
    let report = logger(&bench, &directory).run_once().await.unwrap();
    assert_eq!((report.logged, report.pending), (1, 9), "{report:?}");
    assert_eq!(directory.asked(), 11, "once for all, and once for each");
}

#[tokio::test]
async fn a_mail_of_which_nobody_is_asked_does_not_tell_that_the_directory_is_there() {
    let bench = Bench::new();
    let directory = partly(&bench, How::Error(&codes::DIRECTORY_UNAVAILABLE));
    directory.answers.store(0, Ordering::Relaxed);
    bench.deliver("unreadable");
    bench.deliver_numbers(0..9);
    let failed = logger(&bench, &directory).run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ResolvingAddresses, "{failed:?}");
    assert_eq!((failed.report.deferred, directory.asked()), (10, 9));
}

/// Fails at the calls of which it has a code, in their order; the rest it answers.
#[derive(Debug)]
struct Faulty {
    company: Arc<Company>,
    fails: Mutex<VecDeque<Option<&'static Code>>>,
    asked: AtomicU32,
}

fn faulty(bench: &Bench, fails: &[Option<&'static Code>]) -> Arc<Faulty> {
    Arc::new(Faulty {
        company: Arc::clone(&bench.company),
        fails: Mutex::new(fails.iter().copied().collect()),
        asked: AtomicU32::new(0),
    })
}

#[async_trait]
impl ContactDirectory for Faulty {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let fails = self.fails.lock().unwrap().pop_front().flatten();
        match fails {
            Some(code) => Err(Error::new(code, "resolve")),
            None => self.company.resolve(scope, addresses).await,
        }
    }
}

#[tokio::test]
async fn what_concerns_every_address_ends_the_questions_for_single_mails() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let fails = [&codes::HTTP_TIMEOUT, &codes::HTTP_UNAUTHORIZED].map(Some);
    let directory = faulty(&bench, &fails);
    let logger = bench.builder().with_directory(directory.clone());
    let failed = logger.build().unwrap().run_once().await.unwrap_err();
    let told = (failed.step, failed.error.code());
    assert_eq!(told, (RunStep::ResolvingAddresses, "http.unauthorized"));
    assert_eq!(directory.asked.load(Ordering::Relaxed), 2);
    assert_eq!((failed.report.deferred, bench.stored()), (3, 0));
}

/// Writes each contact into the directory.
#[derive(Debug)]
struct Clerk(Arc<Company>);

#[async_trait]
impl ContactEditor for Clerk {
    async fn create_contact(&self, _: &Scope, contact: &NewContact) -> Result<ContactNo> {
        self.0.add_contact(&contact.address.to_string(), "C9");
        Ok(ContactNo::new("C9"))
    }
}

/// A logger before a mail of somebody new and one of Ada's, and whom it asks.
fn creating(fails: &[Option<&'static Code>]) -> (Bench, Arc<Faulty>, EmailLogger) {
    let bench = Bench::new();
    let (from, to) = ("new@contacts.example", "ah@ours.example");
    bench.deliver(mail(from, to, "Who is it?", "new@x.example"));
    bench.deliver_numbers(0..1);
    let mut policy = LoggingPolicy::default();
    policy.unmatched = Unmatched::CreateContact;
    let directory = faulty(&bench, fails);
    let logger = bench.builder().with_policy(policy);
    let logger = logger.with_directory(directory.clone());
    let logger = logger.with_contact_editor(Arc::new(Clerk(Arc::clone(&bench.company))));
    let logger = logger.build().unwrap();
    (bench, directory, logger)
}

async fn logs_both(bench: &Bench, logger: &EmailLogger) {
    logger.run_once().await.unwrap();
    let contacts = bench.entries().await.into_iter().map(|entry| entry.2);
    assert_eq!(contacts.collect::<Vec<_>>(), ["C1", "C9"]);
}

#[tokio::test]
async fn a_mail_is_logged_with_the_contact_that_was_made_for_it() {
    let (bench, directory, logger) = creating(&[]);
    logs_both(&bench, &logger).await;
    assert_eq!(directory.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_made_contact_that_the_directory_has_no_answer_for_costs_its_mail_an_attempt() {
    let (bench, directory, logger) = creating(&[None, Some(&codes::HTTP_TIMEOUT)]);
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.pending), (1, 1), "{report:?}");
    assert_eq!(directory.asked.load(Ordering::Relaxed), 3);
    bench.clock.advance(Duration::from_hours(1));
    logs_both(&bench, &logger).await;
}

#[tokio::test]
async fn a_directory_that_is_out_of_order_once_a_contact_was_made_costs_no_attempt() {
    let (timeout, refusal) = (Some(&codes::HTTP_TIMEOUT), Some(&codes::HTTP_UNAUTHORIZED));
    let cases = [
        (&[None, timeout, timeout][..], "http.timeout", 3),
        (&[None, refusal][..], "http.unauthorized", 2),
    ];
    for (fails, code, asked) in cases {
        let (bench, directory, logger) = creating(fails);
        let failed = logger.run_once().await.unwrap_err();
        let told = (failed.step, failed.error.code());
        assert_eq!(told, (RunStep::ResolvingAddresses, code));
        assert_eq!((failed.report.fetched, failed.report.pending), (0, 0));
        assert_eq!(directory.asked.load(Ordering::Relaxed), asked, "{code}");
        logs_both(&bench, &logger).await;
    }
}

/// A call that stamps the item with this id fails as a whole.
struct Unstampable(String, AtomicU32);

#[async_trait]
impl Meddling for Unstampable {
    async fn stamp(
        &self,
        source: &MemorySource,
        from: &Folder,
        items: &[ItemRef],
    ) -> Result<Vec<Stamped>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        if self.0 == "all" || items.iter().any(|item| item.id == self.0) {
            return Err(Error::new(&codes::HTTP_TIMEOUT, "stamp"));
        }
        source.stamp(from, items).await
    }
}

fn stamping(mails: u32) -> Bench {
    let mut capabilities = SourceCapabilities::default();
    (capabilities.stable_keys, capabilities.stamps) = (false, true);
    let bench = Bench::new().with_source(|source| source.with_capabilities(capabilities));
    bench.deliver_numbers(0..mails);
    bench
}

#[tokio::test]
async fn an_item_that_breaks_every_stamp_is_without_a_key_alone() {
    let bench = stamping(4);
    let item = bench.source.items(&crate::bench::queue())[1]
        .item
        .id
        .clone();
    let source = Meddled {
        source: bench.source.clone(),
        meddling: Unstampable(item, AtomicU32::new(0)),
    };
    let logger = bench.builder().with_source(Arc::new(source));
    let report = logger.build().unwrap().run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (4, 4), "{report:?}");
    bench.assert_all_stored_and_logged_once(4).await;
    let stored = bench.source.items(&storage());
    let stamped = |key: &SightingKey| matches!(key, SightingKey::Stamp(_));
    assert_eq!(stored.iter().filter(|item| stamped(&item.key)).count(), 3);
}

#[tokio::test]
async fn where_nothing_can_be_stamped_the_run_ends_after_few_calls() {
    let bench = stamping(30);
    let source = Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: Unstampable("all".into(), AtomicU32::new(0)),
    });
    let logger = bench.builder().with_source(source.clone());
    let failed = logger.build().unwrap().run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ListingQueue, "{failed:?}");
    assert_eq!(failed.report.logged, 0);
    assert_eq!(source.meddling.1.load(Ordering::Relaxed), 9);
}

/// What a source says to a call that stamps.
#[derive(Debug, Clone, Copy)]
enum Stamping {
    Fails(&'static Code),
    /// An answer too few.
    Short,
}

/// What it says to the first calls; to those behind them it says the last.
struct Says(Mutex<VecDeque<Stamping>>, AtomicU32);

#[async_trait]
impl Meddling for Says {
    async fn stamp(
        &self,
        source: &MemorySource,
        from: &Folder,
        items: &[ItemRef],
    ) -> Result<Vec<Stamped>> {
        self.1.fetch_add(1, Ordering::Relaxed);
        let says = {
            let mut all = self.0.lock().unwrap();
            let last = all.len() == 1;
            if last {
                all[0]
            } else {
                all.pop_front().unwrap()
            }
        };
        match says {
            Stamping::Fails(code) => Err(Error::new(code, "stamp")),
            Stamping::Short => source.stamp(from, &items[1..]).await,
        }
    }
}

/// The code of the error that ends a run over twelve mails, and how often it asked for stamps.
async fn ends_with(says: &[Stamping]) -> (&'static str, u32) {
    let bench = stamping(12);
    let source = Arc::new(Meddled {
        source: bench.source.clone(),
        meddling: Says(Mutex::new(says.iter().copied().collect()), 0.into()),
    });
    let logger = bench.builder().with_source(source.clone());
    let failed = logger.build().unwrap().run_once().await.unwrap_err();
    assert_eq!(failed.step, RunStep::ListingQueue, "{failed:?}");
    assert_eq!((failed.report.logged, bench.stored()), (0, 0));
    let asked = source.meddling.1.load(Ordering::Relaxed);
    (failed.error.code(), asked)
}

#[tokio::test]
async fn a_source_that_answers_for_too_few_stamps_ends_the_run() {
    assert_eq!(ends_with(&[Stamping::Short]).await, ("contract.count", 9));
}

#[tokio::test]
async fn what_concerns_every_item_ends_the_stamping_of_single_ones() {
    let all = [&codes::HTTP_TIMEOUT, &codes::HTTP_UNAUTHORIZED];
    let ended = ends_with(&all.map(Stamping::Fails)).await;
    assert_eq!(ended, ("http.unauthorized", 2));
}

#[tokio::test]
async fn where_nothing_can_be_stamped_the_run_says_why_all_could_not() {
    let all = [&codes::HTTP_TIMEOUT, &codes::EWS_ITEM_DAMAGED];
    let ended = ends_with(&all.map(Stamping::Fails)).await;
    assert_eq!(ended, ("http.timeout", 9));
}
