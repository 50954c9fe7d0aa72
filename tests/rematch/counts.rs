//! What matching again counts, count by count, and how it holds the mailbox.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use email_logging::decision::{HookAnswer, HookError, LoggingHooks, LoggingPolicy};
use email_logging::interaction::NewEntry;
use email_logging::logger::Skipped;
use email_logging::message::Message;
use email_logging::parties::Parties;
use email_logging::source::SightingKey;
use email_logging::store::{
    CanceledEntries as _, Cursor, Deletion, HostReference, InteractionLog as _, InteractionSink,
    Lease, LinkChange, LinkResult, LoggedMail, NeverLogStore, Page, ReviewCount, ReviewQueue,
    SinkDelivery, StoredNeverLog,
};
use email_logging::{MailboxKey, WorkerId};

use super::*;

type InMemory = Bench<MemoryStore>;

fn bench() -> InMemory {
    Bench::new(MemoryStore::new().with_clock(Arc::new(ManualClock::default())))
}

fn all() -> RematchOptions {
    RematchOptions::default()
}

/// With a policy that leaves mail among colleagues out.
fn with_colleagues(bench: &InMemory) -> EmailLogger {
    let mut policy = LoggingPolicy::default();
    policy.own_domains.insert("ours.example".into());
    bench.builder().with_policy(policy).build().unwrap()
}

#[tokio::test]
async fn only_the_mails_of_the_contact_are_looked_at() {
    let bench = bench();
    bench.company.contact("bob@contacts.example", "C2");
    for (number, from) in [(1, "ada@contacts.example"), (2, "bob@contacts.example")] {
        bench.deliver(number, from, "ah@ours.example");
    }
    bench.run().await;
    let of_contact = RematchOptions::of(RematchOf::Contact("C1".into()));
    let report = bench.rematch(&of_contact).await;
    assert_eq!(
        (report.looked_at, report.unchanged, report.matched),
        (1, 1, 0)
    );
    let report = bench.rematch(&all()).await;
    assert_eq!(
        (report.looked_at, report.unchanged, report.matched),
        (2, 2, 0)
    );
}

#[tokio::test]
async fn an_entry_that_was_withdrawn_comes_back_with_its_contact() {
    for of in [RematchOf::Contact("C1".into()), RematchOf::All] {
        let bench = bench();
        bench.deliver(1, "ada@contacts.example", "ah@ours.example");
        bench.run().await;
        bench.company.forget("ada@contacts.example");
        let report = bench.rematch(&all()).await;
        assert_eq!((report.matched, report.withdrawn), (1, 1));
        assert_eq!(bench.pairs().await, Vec::<String>::new());
        bench.company.contact("ada@contacts.example", "C1");
        let report = bench.rematch(&RematchOptions::of(of)).await;
        assert_eq!((report.looked_at, report.restored), (1, 1));
        assert_eq!(bench.pairs().await, ["C1-AH"]);
    }
}

#[tokio::test]
async fn mail_that_still_matches_nobody_and_mail_that_is_left_out_are_unchanged() {
    let bench = bench();
    let logger = with_colleagues(&bench);
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.deliver(2, "ah@ours.example", "bk@ours.example");
    logger.run_once().await.unwrap();
    let report = logger.rematch(&all()).await.unwrap();
    assert_eq!((report.looked_at, report.unchanged), (2, 2), "{report:?}");
    assert_eq!((report.matched, report.failed), (0, 0));
    let dry = logger.rematch(&all().with_dry_run(true)).await.unwrap();
    assert_eq!((dry.unchanged, dry.matched), (2, 0), "{dry:?}");
}

#[tokio::test]
async fn mail_of_another_mailbox_is_left_to_its_own_logger() {
    let bench = bench();
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let builder = bench.builder().with_mailbox("another");
    let report = builder.build().unwrap().rematch(&all()).await.unwrap();
    assert_eq!((report.looked_at, report.elsewhere), (1, 1), "{report:?}");
    assert_eq!(bench.pairs().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_mail_that_cannot_be_fetched_is_failed_and_the_others_are_logged() {
    let bench = bench();
    for number in 1..=2 {
        bench.deliver(number, "new@contacts.example", "ah@ours.example");
    }
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let refused = Error::new(&codes::EWS_ITEM_DAMAGED, "fetch");
    let fault = SourceFault::ItemFailed(0, refused);
    bench.source.fail_next(SourceOperation::Fetch, fault);
    let report = bench.rematch(&all()).await;
    assert_eq!((report.matched, report.failed), (1, 1), "{report:?}");
    assert_eq!(bench.pairs().await, ["C9-AH"]);
}

#[tokio::test]
async fn mail_that_a_rule_left_out_is_logged_once_a_person_assigns_it() {
    let bench = bench();
    let logger = with_colleagues(&bench);
    bench.deliver(1, "ah@ours.example", "bk@ours.example");
    logger.run_once().await.unwrap();
    let mut filter = ReviewFilter::default();
    filter.excluded = true;
    let items = bench
        .store
        .review_items(&bench.scope, &filter, None, 9)
        .await;
    let item = items.unwrap().rows.remove(0);
    let link = Assignment::new("C1", "AH", InformationFlow::Outbound);
    bench.say(&item, &Resolution::assign("Ines", link)).await;
    logger.run_once().await.unwrap();
    assert_eq!(bench.pairs().await, ["C1-AH"]);
}

#[tokio::test]
async fn an_original_that_the_store_kept_is_not_fetched_again() {
    let bench = bench();
    let mut policy = LoggingPolicy::default();
    policy.keep_unmatched_original = true;
    let logger = bench.builder().with_policy(policy).build().unwrap();
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    logger.run_once().await.unwrap();
    bench.company.contact("new@contacts.example", "C9");
    let before = bench.source.count(SourceOperation::Fetch);
    let outage = Error::new(&codes::STORE_UNAVAILABLE, "original");
    bench.store.fail_next(StoreOperation::Original, outage);
    let failed = logger.rematch(&all()).await.unwrap_err();
    assert_eq!(failed.error.code(), "store.unavailable");
    assert_eq!(logger.rematch(&all()).await.unwrap().matched, 1);
    assert_eq!(bench.source.count(SourceOperation::Fetch), before);
    assert_eq!(bench.pairs().await, ["C9-AH"]);
    assert!(bench.original().await.is_some());
}

#[tokio::test]
async fn of_two_sightings_of_one_mail_that_are_assigned_the_first_makes_the_entry() {
    let bench = bench();
    for server in ["a", "b"] {
        let mime = format!(
            "Received: by {server}.example\r\nFrom: new@contacts.example\r\n\
             To: ah@ours.example\r\nSubject: Twice\r\nMessage-ID: <twice@x.example>\r\n\
             Date: Mon, 5 Jan 2026 10:00:00 +0000\r\n\r\nBody\r\n"
        );
        let facts = MailFacts::default();
        bench.source.deliver(&path("Queue"), mime, facts);
    }
    bench.run().await;
    let items = bench.items(ReviewState::Open).await;
    assert_eq!(items.len(), 2);
    for item in &items {
        let link = Assignment::new("C1", "AH", InformationFlow::Inbound);
        bench.say(item, &Resolution::assign("Ines", link)).await;
    }
    let report = bench.rematch(&all()).await;
    assert_eq!((report.matched, report.entries_added), (2, 1), "{report:?}");
    assert_eq!(bench.pairs().await, ["C1-AH"]);
}

#[tokio::test]
async fn nothing_is_done_while_another_worker_has_the_mailbox() {
    let bench = bench();
    bench.deliver(1, "ada@contacts.example", "ah@ours.example");
    bench.run().await;
    let mailbox = bench.decisions().await[0].mailbox.clone();
    let (worker, ttl) = (WorkerId::new("worker-2"), Duration::from_mins(5));
    let taken = bench.store.acquire(&bench.scope, &mailbox, &worker, ttl);
    taken.await.unwrap();
    let report = bench.rematch(&all()).await;
    assert_eq!(report.skipped, Some(Skipped::MailboxBusy), "{report:?}");
    assert_eq!(report.looked_at, 0);
}

/// A hook that fails once it is told to.
#[derive(Debug, Default)]
struct Failing(AtomicBool);

impl LoggingHooks for Failing {
    fn before_entry(&self, _: &Message, _: &mut NewEntry) -> Result<(), HookError> {
        if self.0.load(Ordering::Relaxed) {
            return Err(HookError("the table is locked".into()));
        }
        Ok(())
    }
}

#[tokio::test]
async fn a_mail_whose_links_a_hook_cannot_make_is_failed_and_stays_as_it_was() {
    let bench = bench();
    let hooks = Arc::new(Failing::default());
    let builder = bench.builder().with_hooks(Arc::<Failing>::clone(&hooks));
    let logger = builder.build().unwrap();
    bench.deliver(1, "ada@contacts.example", "ah@ours.example");
    logger.run_once().await.unwrap();
    hooks.0.store(true, Ordering::Relaxed);
    bench.company.contact("ada@contacts.example", "C7");
    let report = logger.rematch(&all()).await.unwrap();
    assert_eq!((report.failed, report.matched), (1, 0), "{report:?}");
    assert_eq!(bench.pairs().await, ["C1-AH"]);
}

/// A host's own log: the contacts of each delivery.
#[derive(Debug, Default)]
struct Ledger(Mutex<Vec<Vec<String>>>);

#[async_trait]
impl InteractionSink for Ledger {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        let entries = delivery.entries.iter();
        let contacts = entries.map(|row| row.entry.contact_no.to_string());
        self.0.lock().unwrap().push(contacts.collect());
        Ok(Vec::new())
    }
}

impl Ledger {
    fn told(&self) -> Vec<Vec<String>> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test]
async fn the_hosts_log_gets_each_new_entry_once() {
    let bench = bench();
    let ledger = Arc::new(Ledger::default());
    let builder = bench.builder().with_sink(Arc::<Ledger>::clone(&ledger));
    let logger = builder.build().unwrap();
    bench.deliver(
        1,
        "ah@ours.example",
        "ada@contacts.example, bob@contacts.example",
    );
    bench.deliver(2, "new@contacts.example", "ah@ours.example");
    logger.run_once().await.unwrap();
    assert_eq!(ledger.told(), [["C1"]]);
    let before = bench.store.calls(StoreOperation::Commit);
    logger.rematch(&all()).await.unwrap();
    assert_eq!(ledger.told(), Vec::<Vec<String>>::new());
    assert_eq!(bench.store.calls(StoreOperation::Commit), before);
    bench.company.contact("bob@contacts.example", "C2");
    assert_eq!(logger.rematch(&all()).await.unwrap().entries_added, 1);
    assert_eq!(ledger.told(), [["C2"]], "and not the one it has");
    bench.company.contact("new@contacts.example", "C9");
    assert_eq!(logger.rematch(&all()).await.unwrap().entries_added, 1);
    assert_eq!(ledger.told(), [["C9"]]);
    logger.run_once().await.unwrap();
    assert_eq!(ledger.told(), Vec::<Vec<String>>::new());
}

/// Lets time pass with each decision.
#[derive(Debug)]
struct Slow(ManualClock, Duration);

impl LoggingHooks for Slow {
    fn before_decision(
        &self,
        _: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<email_logging::decision::Decision>, HookError> {
        self.0.advance(self.1);
        Ok(HookAnswer::Continue)
    }
}

#[tokio::test]
async fn the_mailbox_is_kept_while_it_lasts_and_given_back() {
    let clock = ManualClock::default();
    let store = MemoryStore::new().with_clock(Arc::new(clock.clone()));
    let bench = Bench::new(store);
    for number in 1..=4 {
        bench.deliver(number, "ada@contacts.example", "ah@ours.example");
    }
    let builder = bench.builder().with_clock(Arc::new(clock.clone()));
    builder.build().unwrap().run_once().await.unwrap();
    let before = bench.store.calls(StoreOperation::Renew);
    // A lease of five minutes, renewed at half of it.
    let slow = Slow(clock.clone(), Duration::from_secs(160));
    let builder = bench.builder().with_clock(Arc::new(clock.clone()));
    let logger = builder.with_hooks(Arc::new(slow)).build().unwrap();
    let report = logger.rematch(&all()).await.unwrap();
    assert_eq!((report.looked_at, report.unchanged), (4, 4), "{report:?}");
    assert_eq!(bench.store.calls(StoreOperation::Renew) - before, 3);
    let builder = bench.builder().with_clock(Arc::new(clock));
    let other = builder.with_worker("worker-2").build().unwrap();
    let skipped = other.run_once().await.unwrap().skipped;
    assert_ne!(skipped, Some(Skipped::MailboxBusy), "it is free at once");
}

#[tokio::test]
async fn a_logged_mail_whose_entries_were_deleted_gets_those_of_another_contact_only() {
    let bench = bench();
    bench.deliver(1, "ada@contacts.example", "ah@ours.example");
    bench.run().await;
    let id = bench.entries().await[0].entry.id;
    bench.store.cancel(&bench.scope, &id, true).await.unwrap();
    let filter = LogFilter::default();
    let deleted = bench
        .store
        .delete_canceled(&bench.scope, &filter, Deletion::Delete);
    assert_eq!(deleted.await.unwrap().entries, 1);
    let report = bench.rematch(&all()).await;
    assert_eq!((report.looked_at, report.unchanged), (1, 1), "{report:?}");
    assert_eq!(bench.pairs().await, Vec::<String>::new());
    bench.company.contact("ada@contacts.example", "C7");
    assert_eq!(bench.rematch(&all()).await.entries_added, 1);
    assert_eq!(bench.pairs().await, ["C7-AH"]);
}

/// A queue in which nobody finds an item, as in the moment in which another worker logged its mail.
#[derive(Debug)]
struct Emptied(Arc<MemoryStore>);

#[async_trait]
impl ReviewQueue for Emptied {
    async fn review_items(
        &self,
        _: &Scope,
        _: &ReviewFilter,
        _: Option<&Cursor>,
        _: u32,
    ) -> Result<Page<ReviewItem>> {
        Ok(Page::new(Vec::new(), None))
    }

    async fn review_counts(&self, scope: &Scope) -> Result<Vec<ReviewCount>> {
        self.0.review_counts(scope).await
    }

    async fn resolve(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        key: &SightingKey,
        said: &Resolution,
        version: u64,
    ) -> Result<u64> {
        self.0.resolve(scope, mailbox, key, said, version).await
    }

    async fn mails_naming(
        &self,
        scope: &Scope,
        addresses: Option<&[String]>,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<LoggedMail>> {
        self.0.mails_naming(scope, addresses, after, limit).await
    }

    async fn relink(&self, scope: &Scope, lease: &Lease, links: &LinkChange) -> Result<LinkResult> {
        self.0.relink(scope, lease, links).await
    }
}

#[async_trait]
impl NeverLogStore for Emptied {
    async fn load_never_log(&self, scope: &Scope) -> Result<StoredNeverLog> {
        self.0.load_never_log(scope).await
    }

    async fn save_never_log(&self, scope: &Scope, lists: &NeverLog, version: u64) -> Result<u64> {
        self.0.save_never_log(scope, lists, version).await
    }
}

#[tokio::test]
async fn a_mail_whose_item_is_gone_meanwhile_is_unchanged() {
    let bench = bench();
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let queue = Arc::new(Emptied(Arc::clone(&bench.store)));
    let logger = bench.builder().with_review_store(queue).build().unwrap();
    let report = logger.rematch(&all()).await.unwrap();
    assert_eq!((report.looked_at, report.unchanged), (1, 1), "{report:?}");
    assert_eq!(bench.pairs().await, Vec::<String>::new());
}
