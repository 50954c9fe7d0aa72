//! Parts of the host that panic: one mail has failed, and all others go on.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::decision::{Decision, HookAnswer, HookError, LoggingHooks, PartyRole};
use email_logging::directory::ContactEditor;
use email_logging::interaction::{InteractionLogEntry, NewEntry};
use email_logging::logger::{Progress, ProgressEvent, RunSettings};
use email_logging::message::{Address, Message};
use email_logging::parties::{AddressParties, NewContact, Parties};
use email_logging::store::{
    DecisionFilter, DecisionRecord, HostReference, InteractionLog as _, InteractionSink,
    SinkDelivery,
};
use email_logging::{ContactNo, Result, Scope};

use crate::bench::{Bench, mail, subject};

const SECRET: &str = "what the mail holds";

/// Where a hook panics over the second mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    BeforeDecision,
    Identify,
    AfterDecision,
    BeforeEntry,
    AfterEntry,
}

#[derive(Debug)]
struct Panics(At);

impl Panics {
    fn meets(&self, at: At, message: &Message) {
        assert!(self.0 != at || message.subject != subject(1), "{SECRET}");
    }
}

impl LoggingHooks for Panics {
    fn before_decision(
        &self,
        message: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        self.meets(At::BeforeDecision, message);
        Ok(HookAnswer::Continue)
    }

    fn identify(
        &self,
        _: PartyRole,
        address: &Address,
        _: &AddressParties,
    ) -> Result<HookAnswer<AddressParties>, HookError> {
        let panics = self.0 == At::Identify && address.to_string() == "bob@contacts.example";
        assert!(!panics, "{SECRET}");
        Ok(HookAnswer::Continue)
    }

    fn after_decision(&self, message: &Message, decision: &mut Decision) -> Result<(), HookError> {
        decision.flags.push("seen".into());
        self.meets(At::AfterDecision, message);
        Ok(())
    }

    fn before_entry(&self, message: &Message, _: &mut NewEntry) -> Result<(), HookError> {
        self.meets(At::BeforeEntry, message);
        Ok(())
    }

    fn after_entry(&self, message: &Message, _: &InteractionLogEntry) {
        self.meets(At::AfterEntry, message);
    }
}

/// Three mails, of which the second is Bob's.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.deliver_numbers(0..1);
    let (from, to) = ("bob@contacts.example", "ah@ours.example");
    bench.deliver(mail(from, to, &subject(1), "n1@x.example"));
    bench.deliver_numbers(2..3);
    bench
}

async fn decisions(bench: &Bench) -> Vec<DecisionRecord> {
    let (scope, filter) = (Scope::default(), DecisionFilter::default());
    let page = bench.store.decisions(&scope, &filter, None, 100).await;
    page.unwrap().rows
}

#[tokio::test]
async fn a_hook_that_panics_sets_its_mail_aside_as_one_that_fails_and_the_others_are_logged() {
    let places = [
        At::BeforeDecision,
        At::Identify,
        At::AfterDecision,
        At::BeforeEntry,
    ];
    for at in places {
        let bench = bench();
        let logger = bench.builder().with_hooks(Arc::new(Panics(at)));
        let logger = logger.build().unwrap();
        let report = logger.run_once().await.unwrap();
        let counts = (report.logged, report.quarantined, bench.stored());
        assert_eq!(counts, (2, 1, 2), "{at:?}: {report:?}");
        assert_eq!(report.reasons["quarantined/hook-failed"], 1, "{report:?}");
        let rows = decisions(&bench).await;
        assert!(!format!("{rows:?}").contains(SECRET), "{at:?}");
        // It is met no more: the queue behind it is read.
        bench.deliver_numbers(3..4);
        let report = logger.run_once().await.unwrap();
        assert_eq!((report.logged, report.fetched), (1, 1), "{report:?}");
    }
}

#[tokio::test]
async fn news_that_nobody_can_take_leave_the_mail_logged() {
    #[derive(Debug)]
    struct Deaf;
    impl Progress for Deaf {
        fn on(&self, _: &ProgressEvent<'_>) {
            panic!("{SECRET}");
        }
    }
    let bench = bench();
    let logger = bench.builder().with_hooks(Arc::new(Panics(At::AfterEntry)));
    let logger = logger.with_progress(Arc::new(Deaf)).build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (3, 3), "{report:?}");
}

/// A host's log that panics over the second mail.
#[derive(Debug)]
struct Brittle;

#[async_trait]
impl InteractionSink for Brittle {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        assert!(delivery.record.subject != subject(1), "{SECRET}");
        Ok(Vec::new())
    }
}

#[tokio::test]
async fn a_log_of_the_host_that_panics_over_one_mail_holds_up_no_other() {
    let bench = bench();
    let logger = bench.builder().with_sink(Arc::new(Brittle));
    let logger = logger.build().unwrap();
    for _ in 0..2 {
        let failed = logger.run_once().await.unwrap_err();
        assert_eq!(failed.error.code(), "sink.failed");
        assert!(!format!("{failed:?}").contains(SECRET));
        assert_eq!(bench.stored(), 2, "the others are delivered and moved");
    }
}

/// Creates no contact.
#[derive(Debug)]
struct Clumsy;

#[async_trait]
impl ContactEditor for Clumsy {
    async fn create_contact(&self, _: &Scope, _: &NewContact) -> Result<ContactNo> {
        panic!("{SECRET}");
    }
}

#[tokio::test]
async fn an_editor_that_panics_costs_the_mail_its_attempts() {
    let bench = Bench::new();
    let (from, to) = ("new@contacts.example", "ah@ours.example");
    bench.deliver(mail(from, to, "Who is it?", "new@x.example"));
    bench.deliver_numbers(0..2);
    let mut policy = email_logging::decision::LoggingPolicy::default();
    policy.unmatched = email_logging::decision::Unmatched::CreateContact;
    let mut settings = RunSettings::default();
    settings.attempts = 2;
    let logger = bench.builder().with_policy(policy).with_settings(settings);
    let logger = logger.with_contact_editor(Arc::new(Clumsy));
    let logger = logger.build().unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.pending), (2, 1), "{report:?}");
    bench.clock.advance(Duration::from_hours(1));
    let report = logger.run_once().await.unwrap();
    assert_eq!(
        report.reasons["quarantined/attempts-exhausted"], 1,
        "{report:?}"
    );
}
