//! A host's own log, hooks and contacts.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::{
    DecidedEntry, Decision, Exclusion, HookAnswer, HookError, Keep, LoggingHooks, LoggingPolicy,
    Outcome, Unmatched,
};
use email_logging::directory::ContactEditor;
use email_logging::error::codes;
use email_logging::interaction::{InformationFlow, InteractionLogEntry, NewEntry};
use email_logging::logger::{RunSettings, RunStep};
use email_logging::message::Message;
use email_logging::parties::{ContactKind, ContactMatch, NewContact, Parties, SalespersonMatch};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{ItemRef, MemorySource};
use email_logging::store::{
    Acquired, DecisionFilter, EventFeed as _, EventKind, HostReference, InteractionLog as _,
    InteractionSink, MailLedger as _, SinkDelivery, StoreOperation,
};
use email_logging::{ContactNo, EntryId, Error, MailboxKey, Result, Scope, WorkerId};

use crate::bench::{Bench, mail, mail_with, queue, storage};
use crate::meddled::{BeforeMove, Meddled};

/// A host's table with the entry's id as its key. It can fail before or after it wrote.
#[derive(Debug, Default)]
struct Table {
    rows: Mutex<BTreeMap<EntryId, String>>,
    puts: AtomicU32,
    fail_before: AtomicU32,
    fail_after: AtomicU32,
}

fn counts_down(counter: &AtomicU32) -> bool {
    counter
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1))
        .is_ok()
}

#[async_trait]
impl InteractionSink for Table {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        self.puts.fetch_add(1, Ordering::Relaxed);
        if counts_down(&self.fail_before) {
            return Err(Error::new(&codes::SINK_FAILED, "put"));
        }
        let mut rows = self.rows.lock().unwrap();
        let mut references = Vec::new();
        for entry in delivery.entries {
            let number = rows.len() + 1;
            let reference = rows
                .entry(entry.entry.id)
                .or_insert_with(|| format!("ROW{number}"));
            references.push(HostReference::new(entry.entry.id, reference.clone()));
        }
        if counts_down(&self.fail_after) {
            return Err(Error::new(&codes::SINK_FAILED, "put"));
        }
        Ok(references)
    }
}

async fn run(bench: &Bench, table: &Arc<Table>) -> Result<u64> {
    let logger = bench.builder().with_sink(table.clone()).build()?;
    let report = logger.run_once().await;
    report
        .map(|report| report.delivered)
        .map_err(|failed| failed.error)
}

#[tokio::test]
async fn the_hosts_log_gets_every_entry_before_its_mail_moves() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let table = Arc::new(Table::default());
    assert_eq!(run(&bench, &table).await.unwrap(), 3);
    assert_eq!((table.rows.lock().unwrap().len(), bench.stored()), (3, 3));
    let mails = bench.mails().await;
    let references: Vec<_> = mails
        .iter()
        .flat_map(|mail| &mail.entries)
        .map(|entry| &entry.host_reference)
        .collect();
    assert!(
        references.iter().all(|reference| reference.is_some()),
        "{references:?}"
    );
}

#[tokio::test]
async fn a_failing_sink_holds_the_mail_back_and_the_next_run_delivers_once() {
    for after in [false, true] {
        let bench = Bench::new();
        bench.deliver_numbers(0..3);
        let table = Arc::new(Table::default());
        let counter = if after {
            &table.fail_after
        } else {
            &table.fail_before
        };
        counter.store(1, Ordering::Relaxed);
        assert_eq!(run(&bench, &table).await.unwrap_err().code(), "sink.failed");
        let moved = bench.stored();
        assert!(
            moved < 3,
            "the mail whose entry the host does not have stays"
        );
        assert_eq!(run(&bench, &table).await.unwrap(), 1);
        assert_eq!((table.rows.lock().unwrap().len(), bench.stored()), (3, 3));
        bench.assert_all_stored_and_logged_once(3).await;
    }
}

#[tokio::test]
async fn a_copy_that_comes_later_leaves_the_queue_though_the_first_lies_in_storage() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let table = Arc::new(Table::default());
    run(&bench, &table).await.unwrap();
    let stored = bench.source.items(&storage()).remove(0);
    bench.source.copy_by_hand(&stored.item, &queue()).unwrap();
    run(&bench, &table).await.unwrap();
    assert_eq!((bench.queued(), bench.stored()), (0, 2));
    assert_eq!(bench.entries().await.len(), 1);
}

#[tokio::test]
async fn a_commit_whose_reply_was_lost_is_delivered_by_the_next_run() {
    let bench = Bench::new();
    bench.deliver_numbers(0..3);
    let table = Arc::new(Table::default());
    let lost = Error::new(&codes::STORE_UNAVAILABLE, "planned");
    bench.store.lose_next_reply(StoreOperation::Commit, lost);
    run(&bench, &table).await.unwrap_err();
    assert_eq!((bench.stored(), table.puts.load(Ordering::Relaxed)), (0, 0));
    run(&bench, &table).await.unwrap();
    assert_eq!((table.rows.lock().unwrap().len(), bench.stored()), (3, 3));
    bench.assert_all_stored_and_logged_once(3).await;
}

/// A logger of the company whose host keeps no log of its own any more, or another one runs on its store by mistake.
#[tokio::test]
async fn mail_that_waits_for_a_log_that_is_not_there_any_more_is_told_and_holds_up_no_other() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let table = Arc::new(Table::default());
    table.fail_before.store(1, Ordering::Relaxed);
    run(&bench, &table).await.unwrap_err();
    bench.deliver_numbers(1..2);
    for round in 0..4 {
        let failed = bench.run().await.unwrap_err();
        assert_eq!(
            (failed.step, failed.error.code()),
            (RunStep::DeliveringEntries, "sink.missing")
        );
        let logged = u64::from(round == 0);
        assert_eq!(
            (failed.report.logged, failed.report.moved),
            (logged, logged)
        );
        assert_eq!((bench.queued(), bench.stored()), (1, 1));
    }
    assert_eq!(run(&bench, &table).await.unwrap(), 1);
    assert_eq!((table.rows.lock().unwrap().len(), bench.stored()), (1, 2));
    assert_eq!(
        bench.run().await.unwrap().listed,
        0,
        "nothing waits any more"
    );
}

#[tokio::test]
async fn mail_that_was_taken_out_of_the_queue_waits_there_for_no_log() {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let table = Arc::new(Table::default());
    table.fail_before.store(1, Ordering::Relaxed);
    run(&bench, &table).await.unwrap_err();
    let item = bench.source.items(&queue()).remove(0).item;
    assert!(bench.source.take_away(&item));
    let report = bench.run().await.unwrap();
    assert_eq!((report.listed, report.deferred), (0, 0), "{report:?}");
    assert_eq!(run(&bench, &table).await.unwrap(), 1, "the host gets it");
}

/// The first move fails; by the time of the host's second turn its next attempt is due.
#[tokio::test]
async fn a_move_that_a_run_tries_twice_counts_once() {
    let bench = Bench::new();
    bench.deliver_numbers(0..2);
    let clock = bench.clock.clone();
    let tried = AtomicU32::new(0);
    let passing = move |source: &MemorySource, _: &[ItemRef]| {
        if tried.fetch_add(1, Ordering::Relaxed) == 0 {
            let error = Error::new(&codes::EWS_UNAVAILABLE, "planned");
            source.fail_next(SourceOperation::MoveTo, SourceFault::ItemFailed(0, error));
        } else {
            clock.advance(Duration::from_mins(2));
        }
        Ok(())
    };
    let source = Meddled {
        source: bench.source.clone(),
        meddling: BeforeMove(passing),
    };
    let mut settings = RunSettings::default();
    (settings.move_batch, settings.connections) = (1, 1);
    let builder = bench.builder().with_source(Arc::new(source));
    let builder = builder.with_sink(Arc::new(Table::default()));
    let logger = builder.with_settings(settings).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.moved, report.moves_pending), (2, 0), "{report:?}");
    assert_eq!(report.recovered, 0, "it is of this run: {report:?}");
    assert_eq!(bench.source.count(SourceOperation::MoveTo), 3);
    bench.assert_all_stored_and_logged_once(2).await;
}

#[derive(Debug, Default)]
struct Hooks {
    seen: Mutex<Vec<u64>>,
}

impl LoggingHooks for Hooks {
    fn before_decision(
        &self,
        message: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        if message.subject == "fail" {
            return Err(HookError("it fails".into()));
        }
        Ok(HookAnswer::Continue)
    }

    fn after_decision(&self, message: &Message, decision: &mut Decision) -> Result<(), HookError> {
        if message.subject == "not for the log" {
            decision.outcome = Outcome::Excluded(Exclusion::Host("our-rule".into()));
            decision.entries.clear();
        }
        Ok(())
    }

    fn before_entry(&self, _: &Message, entry: &mut NewEntry) -> Result<(), HookError> {
        entry.fields.insert("project".into(), "P1".into());
        Ok(())
    }

    fn after_entry(&self, _: &Message, entry: &InteractionLogEntry) {
        self.seen.lock().unwrap().push(entry.entry_no);
    }
}

#[tokio::test]
async fn hooks_decide_add_fields_and_see_what_was_written() {
    let bench = Bench::new();
    for (number, subject) in ["fail", "not for the log", "as usual"]
        .into_iter()
        .enumerate()
    {
        let id = format!("{number}@x");
        bench.deliver(mail(
            "ada@contacts.example",
            "ah@ours.example",
            subject,
            &id,
        ));
    }
    let hooks = Arc::new(Hooks::default());
    let logger = bench.builder().with_hooks(hooks.clone()).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        report.reasons.get("quarantined/hook-failed"),
        Some(&1),
        "{report:?}"
    );
    assert_eq!(report.reasons.get("excluded/our-rule"), Some(&1));
    assert_eq!(report.logged, 1);
    let mails = bench.mails().await;
    let entry = &mails[0].entries[0];
    assert_eq!(
        entry.entry.fields.get("project").map(String::as_str),
        Some("P1")
    );
    assert_eq!(*hooks.seen.lock().unwrap(), [entry.entry_no]);
}

#[tokio::test]
async fn the_event_feed_tells_of_every_outcome() {
    let bench = Bench::new();
    bench.deliver(mail("ada@contacts.example", "ah@ours.example", "A", "1@x"));
    bench.deliver(mail("no@else.example", "ah@ours.example", "B", "2@x"));
    bench.deliver("unreadable");
    bench.run().await.unwrap();
    let events = bench
        .store
        .read_events(&Scope::default(), "host", 10)
        .await
        .unwrap();
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds,
        [
            EventKind::Logged,
            EventKind::NotMatched,
            EventKind::Quarantined
        ]
    );
    let numbers: Vec<_> = events.iter().map(|event| event.number).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
}

/// Refuses the entries of one subject for good.
#[derive(Debug, Default)]
struct Picky(Mutex<Vec<String>>);

#[async_trait]
impl InteractionSink for Picky {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        if delivery.record.subject == "Offer 00001" {
            return Err(Error::new(&codes::SINK_FAILED, "put"));
        }
        self.0.lock().unwrap().push(delivery.record.subject.clone());
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_mail_that_the_host_refuses_for_good_holds_up_no_other() {
    let bench = Bench::new();
    let picky = Arc::new(Picky::default());
    let logger = bench.builder().with_sink(picky.clone()).build().unwrap();
    for round in 0..3_u32 {
        bench.deliver_numbers(round * 3..round * 3 + 3);
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.step, RunStep::DeliveringEntries);
        assert!(failed.report.closes(), "{failed:?}");
        assert_eq!(failed.report.logged, 3, "round {round}");
        assert_eq!(bench.queued(), 1, "only the refused one stays");
    }
    assert_eq!(picky.0.lock().unwrap().len(), 8, "each of the others once");
}

/// A host that creates contacts, or will not.
#[derive(Debug, Default)]
struct Office {
    created: Mutex<Vec<String>>,
    refuses: Option<&'static email_logging::error::Code>,
}

#[async_trait]
impl ContactEditor for Office {
    async fn create_contact(&self, _: &Scope, contact: &NewContact) -> Result<ContactNo> {
        self.created
            .lock()
            .unwrap()
            .push(contact.address.to_string());
        match self.refuses {
            Some(code) => Err(Error::new(code, "create_contact")),
            None => Ok(ContactNo::new("C9")),
        }
    }
}

fn creating(bench: &Bench, office: &Arc<Office>) -> email_logging::EmailLogger {
    let mut policy = LoggingPolicy::default();
    policy.unmatched = Unmatched::CreateContact;
    let editor: Arc<dyn ContactEditor> = office.clone();
    bench
        .builder()
        .with_policy(policy)
        .with_contact_editor(editor)
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_dry_run_creates_no_contact_and_a_run_does() {
    let bench = Bench::new();
    bench.deliver(mail("new@contacts.example", "ah@ours.example", "A", "1@x"));
    let office = Arc::new(Office::default());
    let logger = creating(&bench, &office);
    logger.dry_run().await.unwrap();
    assert!(office.created.lock().unwrap().is_empty());
    bench.company.add_contact("new@contacts.example", "C9");
    bench.company.forget("new@contacts.example");
    logger.run_once().await.unwrap();
    assert_eq!(*office.created.lock().unwrap(), ["new@contacts.example"]);
}

#[tokio::test]
async fn a_contact_that_is_created_and_not_found_leaves_the_mail_to_the_rules_without_one() {
    let bench = Bench::new();
    bench.deliver(mail("new@contacts.example", "ah@ours.example", "A", "1@x"));
    let office = Arc::new(Office::default());
    let report = creating(&bench, &office).run_once().await.unwrap();
    assert_eq!((report.not_matched, report.moved), (1, 1), "{report:?}");
    let filter = DecisionFilter::default();
    let scope = Scope::default();
    let decided = bench.store.decisions(&scope, &filter, None, 9).await;
    let rules: Vec<_> = decided.unwrap().rows.remove(0).steps;
    let rules: Vec<_> = rules.iter().map(|step| &*step.rule).collect();
    assert!(!rules.contains(&"unmatched.create-contact"), "{rules:?}");
}

#[tokio::test]
async fn a_contact_that_the_host_refuses_holds_up_no_other_mail() {
    for (code, pending) in [
        (&codes::CONFIG_INVALID, 0),
        (&codes::DIRECTORY_UNAVAILABLE, 1),
    ] {
        let bench = Bench::new();
        bench.deliver(mail("new@contacts.example", "ah@ours.example", "A", "1@x"));
        bench.deliver_numbers(0..2);
        let office = Arc::new(Office {
            refuses: Some(code),
            ..Office::default()
        });
        let report = creating(&bench, &office).run_once().await.unwrap();
        assert!(report.closes(), "{report:?}");
        assert_eq!((report.logged, report.pending), (2, pending), "{report:?}");
        assert_eq!(report.not_matched, 1 - pending);
    }
}

/// A hook that logs what the rules left out, and one that would keep what is private.
#[derive(Debug)]
struct Generous;

impl LoggingHooks for Generous {
    fn after_decision(&self, message: &Message, decision: &mut Decision) -> Result<(), HookError> {
        decision.keep = Keep::Everything;
        if message.subject == "wanted" {
            let contact = ContactMatch::new("C1", "Ada", ContactKind::Person);
            let salesperson = SalespersonMatch::new("AH", "Anna");
            decision.outcome = Outcome::Logged;
            let flow = InformationFlow::Inbound;
            decision
                .entries
                .push(DecidedEntry::new(flow, contact, salesperson));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_hooks_decision_is_made_sound() {
    let bench = Bench::new();
    bench.deliver(mail("no@else.example", "ah@ours.example", "wanted", "1@x"));
    let private = "Sensitivity: Private\r\n";
    bench.deliver(mail_with(
        "no@else.example",
        "ah@ours.example",
        "secret",
        "2@x",
        private,
        "",
    ));
    let policy = LoggingPolicy::business_central();
    let builder = bench
        .builder()
        .with_policy(policy)
        .with_hooks(Arc::new(Generous));
    let report = builder.build().unwrap().run_once().await.unwrap();
    assert_eq!(
        (report.logged, report.moved, bench.stored()),
        (1, 1, 1),
        "{report:?}"
    );
    let mails = bench.mails().await;
    assert_eq!(mails.len(), 1, "nothing of the private one is kept");
    let original = bench
        .store
        .original(&Scope::default(), &mails[0].message, 0..u64::MAX)
        .await;
    assert!(
        original.unwrap().total > 0,
        "what is logged has its original"
    );
}

/// Refuses everything while it is told to, and the first mails always.
#[derive(Debug)]
struct Moody {
    refuses_below: u32,
    out: AtomicU32,
}

#[async_trait]
impl InteractionSink for Moody {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        let subject = &delivery.record.subject;
        let number: u32 = subject.trim_start_matches("Offer ").parse().unwrap();
        if self.out.load(Ordering::Relaxed) > 0 || number < self.refuses_below {
            return Err(Error::new(&codes::SINK_FAILED, "put"));
        }
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn many_refused_mails_do_not_starve_those_behind_them() {
    let bench = Bench::new();
    bench.deliver_numbers(0..60);
    let moody = Arc::new(Moody {
        refuses_below: 45,
        out: AtomicU32::new(1),
    });
    let logger = bench.builder().with_sink(moody.clone()).build().unwrap();
    logger.run_once().await.unwrap_err();
    assert_eq!(bench.stored(), 0);
    moody.out.store(0, Ordering::Relaxed);
    let failed = logger.run_once().await.unwrap_err();
    assert_eq!(
        (failed.report.delivered, bench.stored()),
        (15, 15),
        "{failed:?}"
    );
    assert_eq!(bench.queued(), 45);
}

/// What the feed says beside the outcomes of mails.
async fn news(bench: &Bench) -> Vec<(EventKind, String)> {
    let scope = Scope::default();
    let events = bench.store.read_events(&scope, "host", 100).await.unwrap();
    let events = events.into_iter();
    let news = events.filter(|event| {
        matches!(
            event.kind,
            EventKind::SignInNeeded | EventKind::HealthChanged
        )
    });
    news.map(|event| (event.kind, event.reason)).collect()
}

#[tokio::test]
async fn the_feed_tells_what_keeps_a_mailbox_from_being_read_and_when_it_works_again() {
    let bench = Bench::new();
    let logger = bench.builder().build().unwrap();
    for code in [&codes::OAUTH_REAUTH, &codes::HTTP_CONNECT] {
        let fault = SourceFault::Error(Error::new(code, "list"));
        bench.source.fail_next(SourceOperation::List, fault);
        logger.run_once().await.unwrap_err();
    }
    logger.run_once().await.unwrap();
    let told = [
        (EventKind::SignInNeeded, codes::OAUTH_REAUTH.code),
        (EventKind::HealthChanged, codes::HTTP_CONNECT.code),
        (EventKind::HealthChanged, "working"),
    ];
    let told = told.map(|(kind, reason)| (kind, reason.to_owned()));
    assert_eq!(news(&bench).await, told);
}

#[tokio::test]
async fn a_run_that_found_the_mailbox_taken_says_nothing_of_its_health() {
    let bench = Bench::new();
    let logger = bench.builder().build().unwrap();
    let fault = SourceFault::Error(Error::new(&codes::HTTP_CONNECT, "list"));
    bench.source.fail_next(SourceOperation::List, fault);
    logger.run_once().await.unwrap_err();
    let before = news(&bench).await;
    let (scope, mailbox) = (Scope::default(), MailboxKey::from("queue"));
    let other = WorkerId::from("worker-2");
    let ttl = Duration::from_mins(1);
    let taken = bench.store.acquire(&scope, &mailbox, &other, ttl).await;
    assert!(matches!(taken.unwrap(), Acquired::Held(_)));
    let report = logger.run_once().await.unwrap();
    assert!(report.skipped.is_some(), "{report:?}");
    assert_eq!(news(&bench).await, before);
}
