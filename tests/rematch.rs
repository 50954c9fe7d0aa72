//! Matching again and the review queue, from a mail that matches nobody to its entry, on every store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::clone_on_ref_ptr
)]

#[cfg(all(unix, feature = "postgres"))]
#[path = "support/postgres.rs"]
mod postgres_support;

#[path = "rematch/counts.rs"]
mod counts;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::decision::NeverLog;
use email_logging::directory::{
    ContactDirectory, ContactRecord, ContactSuggestions as _, MemoryDirectory, SalespersonRecord,
    SuggestedBecause,
};
use email_logging::error::codes;
use email_logging::interaction::{InformationFlow, InteractionLogEntry};
use email_logging::logger::{EmailLoggerBuilder, RematchOf, RematchOptions, RematchReport};
use email_logging::message::{Address, MailFacts};
use email_logging::parties::{
    AddressParties, ContactKind, ContactMatch, NewContact, SalespersonMatch,
};
use email_logging::source::memory::{SourceFault, SourceOperation};
use email_logging::source::{FolderPath, MailSource as _, MemorySource};
use email_logging::store::{
    Annotation, Assignment, DecisionFilter, DecisionRecord, Event, EventKind, InteractionStore,
    LogFilter, MailLedger as _, MemoryStore, Resolution, ReviewFilter, ReviewItem, ReviewState,
    ReviewStore, StoreOperation, TypedEvent,
};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{EmailLogger, Error, Result, Scope};

#[derive(Debug, Default)]
struct Company(Mutex<BTreeMap<Address, AddressParties>>);

impl Company {
    fn new() -> Self {
        let company = Self::default();
        let seller = SalespersonMatch::new("AH", "Anna Hall");
        company.set(
            "ah@ours.example",
            AddressParties::nobody().with_salesperson(seller),
        );
        company.contact("ada@contacts.example", "C1");
        company
    }

    fn set(&self, address: &str, found: AddressParties) {
        let address = address.parse().unwrap();
        self.0.lock().unwrap().insert(address, found);
    }

    fn contact(&self, address: &str, no: &str) {
        let found = ContactMatch::new(no, format!("Contact {no}"), ContactKind::Person);
        self.set(address, AddressParties::nobody().with_contact(found));
    }

    fn forget(&self, address: &str) {
        self.0.lock().unwrap().remove(&address.parse().unwrap());
    }
}

#[async_trait]
impl ContactDirectory for Company {
    async fn resolve(&self, _: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let people = self.0.lock().unwrap();
        let find = |address| people.get(address).cloned().unwrap_or_default();
        Ok(addresses.iter().map(find).collect())
    }
}

fn path(name: &str) -> FolderPath {
    format!(r"\Email Logging\{name}\").parse().unwrap()
}

struct Bench<S> {
    source: MemorySource,
    company: Arc<Company>,
    store: Arc<S>,
    scope: Scope,
}

impl<S: InteractionStore + ReviewStore> Bench<S> {
    fn new(store: S) -> Self {
        let source = MemorySource::new()
            .with_folder(&path("Queue"))
            .with_folder(&path("Storage"));
        Self {
            source,
            company: Arc::new(Company::new()),
            store: Arc::new(store),
            scope: Scope::default(),
        }
    }

    fn builder(&self) -> EmailLoggerBuilder {
        EmailLogger::builder()
            .with_source(Arc::new(self.source.clone()))
            .with_directory(self.company.clone())
            .with_store(Arc::clone(&self.store))
            .with_review_store(Arc::clone(&self.store))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_worker("worker-1")
            .with_queue_folder(path("Queue"))
            .with_storage_folder(path("Storage"))
    }

    fn logger(&self) -> EmailLogger {
        self.builder().build().unwrap()
    }

    fn deliver(&self, number: u32, from: &str, to: &str) {
        let mime = format!(
            "From: {from}\r\nTo: {to}\r\nSubject: Mail {number}\r\n\
             Date: Mon, 5 Jan 2026 10:{number:02}:00 +0000\r\n\
             Message-ID: <{number}@x.example>\r\n\r\nBody {number}\r\n"
        );
        self.source
            .deliver(&path("Queue"), mime, MailFacts::default());
    }

    async fn run(&self) {
        self.logger().run_once().await.unwrap();
    }

    async fn rematch(&self, options: &RematchOptions) -> RematchReport {
        self.logger().rematch(options).await.unwrap()
    }

    async fn entries(&self) -> Vec<InteractionLogEntry> {
        let filter = LogFilter::default();
        self.store
            .entries(&self.scope, &filter, None, 99)
            .await
            .unwrap()
            .rows
    }

    /// Contact and salesperson of each entry that stands.
    async fn pairs(&self) -> Vec<String> {
        let entries = self.entries().await;
        let pair = |row: &InteractionLogEntry| {
            format!("{}-{}", row.entry.contact_no, row.entry.salesperson_code)
        };
        let mut pairs: Vec<String> = entries.iter().map(pair).collect();
        pairs.sort();
        pairs
    }

    async fn item(&self) -> ReviewItem {
        self.items(ReviewState::Open).await.pop().expect("an item")
    }

    async fn items(&self, state: ReviewState) -> Vec<ReviewItem> {
        let mut filter = ReviewFilter::default();
        filter.state = state;
        self.store
            .review_items(&self.scope, &filter, None, 99)
            .await
            .unwrap()
            .rows
    }

    async fn say(&self, item: &ReviewItem, said: &Resolution) {
        let decision = &item.decision;
        let (mailbox, key) = (&decision.mailbox, &decision.sighting);
        let said = self
            .store
            .resolve(&self.scope, mailbox, key, said, item.version);
        said.await.unwrap();
    }

    async fn decisions(&self) -> Vec<DecisionRecord> {
        let filter = DecisionFilter::default();
        self.store
            .decisions(&self.scope, &filter, None, 99)
            .await
            .unwrap()
            .rows
    }

    async fn events(&self) -> Vec<Event> {
        self.store
            .read_events(&self.scope, "test", 99)
            .await
            .unwrap()
    }

    async fn original(&self) -> Option<Vec<u8>> {
        let entries = self.entries().await;
        let message = entries.first()?.entry.message;
        let part = self.store.original(&self.scope, &message, 0..9_999).await;
        part.ok().map(|part| part.bytes)
    }

    fn stored(&self) -> usize {
        self.source.items(&path("Storage")).len()
    }
}

fn addresses(text: &str) -> RematchOptions {
    RematchOptions::of(RematchOf::Addresses(vec![text.parse().unwrap()]))
}

/// Makes a test of a story for each store.
macro_rules! on_every_store {
    ($($story:ident),* $(,)?) => {
        mod memory {
            $(#[tokio::test]
            async fn $story() {
                let clock = super::ManualClock::default();
                let store = super::MemoryStore::new().with_clock(std::sync::Arc::new(clock));
                super::$story(super::Bench::new(store)).await;
            })*
        }
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $(#[tokio::test]
            async fn $story() {
                let store = email_logging::store::SqliteStore::in_memory().unwrap();
                store.migrate().await.unwrap();
                super::$story(super::Bench::new(store)).await;
            })*
        }
        #[cfg(all(unix, feature = "postgres"))]
        mod postgres {
            $(#[tokio::test]
            async fn $story() {
                let Some(server) = super::postgres_support::server() else { return };
                super::$story(super::Bench::new(server.store().await)).await;
            })*
        }
    };
}

on_every_store! {
    a_mail_that_matches_later_is_fetched_again_and_logged_once,
    a_crash_between_commit_and_settling_is_healed,
    an_original_that_is_gone_leaves_the_mail_in_the_queue_unless_the_host_says_otherwise,
    links_follow_the_contacts_address,
    what_a_person_decided_is_not_overwritten,
    what_a_person_worked_with_stays_when_the_address_is_anothers,
    a_link_to_the_mail_is_kept_only_of_mail_that_does_not_move,
    an_assigned_mail_is_logged_by_the_next_run_as_a_persons_link,
    a_dry_run_writes_nothing_and_pages_go_on_where_they_stopped,
    who_is_never_logged_is_left_out_and_the_others_are_logged,
    a_sign_in_that_is_needed_is_told_once,
    a_contact_is_suggested_and_created_and_its_mail_logged,
    a_failure_at_any_call_of_store_and_source_is_healed,
}

async fn a_mail_that_matches_later_is_fetched_again_and_logged_once<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    assert_eq!(bench.item().await.decision.reason, "unknown-sender");
    assert_eq!(bench.pairs().await, Vec::<String>::new());
    bench.company.contact("new@contacts.example", "C9");
    let options = addresses("new@contacts.example");
    let report = bench.rematch(&options).await;
    assert_eq!(
        (report.looked_at, report.matched, report.entries_added),
        (1, 1, 1)
    );
    assert_eq!(bench.pairs().await, ["C9-AH"]);
    let entries = bench.entries().await;
    assert!(entries[0].entry.flags.contains(&"rematched".to_owned()));
    let original = String::from_utf8(bench.original().await.expect("the original")).unwrap();
    assert!(original.ends_with("Body 1\r\n"), "{original}");
    assert_eq!(bench.stored(), 1, "it lies where it lay");
    assert!(bench.items(ReviewState::Open).await.is_empty());
    let decisions = bench.decisions().await;
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].outcome, "logged");
    let rules: Vec<_> = decisions[0].steps.iter().map(|step| &*step.rule).collect();
    assert!(rules.contains(&"review.again"), "{rules:?}");
    assert!(rules.contains(&"earlier.sender.unknown"), "{rules:?}");
    let kinds: Vec<_> = bench
        .events()
        .await
        .iter()
        .map(|event| event.kind)
        .collect();
    assert_eq!(kinds, [EventKind::NotMatched, EventKind::Logged]);
    let again = bench.rematch(&options).await;
    assert_eq!((again.matched, again.unchanged), (0, 1));
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C9-AH"]);
    assert_eq!(bench.stored(), 1);
}

async fn a_crash_between_commit_and_settling_is_healed<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let options = addresses("new@contacts.example");
    // Dropped at every point: what is polled so many times and no more is like a crash there.
    for polls in 0..40 {
        let logger = bench.logger();
        let mut work = Box::pin(logger.rematch(&options));
        for _ in 0..polls {
            if futures_util::poll!(work.as_mut()).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(work);
    }
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    bench.rematch(&options).await;
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C9-AH"]);
    assert_eq!(bench.stored(), 1);
    let due = jiff::Timestamp::MAX;
    let mailbox = bench.decisions().await[0].mailbox.clone();
    let open = bench
        .store
        .pending_moves(&bench.scope, &mailbox, due, 9)
        .await;
    assert!(open.unwrap().is_empty());
}

async fn an_original_that_is_gone_leaves_the_mail_in_the_queue_unless_the_host_says_otherwise<S>(
    bench: Bench<S>,
) where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    let lies = bench.source.items(&path("Storage")).pop().unwrap();
    assert!(bench.source.take_away(&lies.item));
    bench.company.contact("new@contacts.example", "C9");
    let report = bench.rematch(&RematchOptions::default()).await;
    assert_eq!((report.original_missing, report.matched), (1, 0));
    assert_eq!(bench.items(ReviewState::Open).await.len(), 1);
    let allowed = RematchOptions::default().with_without_original(true);
    let report = bench.rematch(&allowed).await;
    assert_eq!((report.original_missing, report.matched), (0, 1));
    let entries = bench.entries().await;
    assert!(
        entries[0]
            .entry
            .flags
            .contains(&"original-missing".to_owned())
    );
    assert_eq!(bench.original().await, None);
    assert_eq!(bench.rematch(&allowed).await.entries_added, 0);
}

async fn links_follow_the_contacts_address<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(
        1,
        "ah@ours.example",
        "ada@contacts.example, bob@contacts.example",
    );
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C1-AH"]);
    bench.company.contact("bob@contacts.example", "C2");
    let report = bench.rematch(&addresses("bob@contacts.example")).await;
    assert_eq!((report.entries_added, report.withdrawn), (1, 0));
    assert_eq!(bench.pairs().await, ["C1-AH", "C2-AH"]);
    // The address is another contact's by now.
    bench.company.contact("ada@contacts.example", "C7");
    let kept = addresses("ada@contacts.example").with_withdraw(false);
    assert_eq!(bench.rematch(&kept).await.withdrawn, 0);
    let of_contact = RematchOptions::of(RematchOf::Contact("C1".into()));
    let report = bench.rematch(&of_contact).await;
    assert_eq!((report.entries_added, report.withdrawn), (0, 1));
    assert_eq!(bench.pairs().await, ["C2-AH", "C7-AH"]);
    bench.company.contact("ada@contacts.example", "C1");
    let report = bench.rematch(&addresses("ada@contacts.example")).await;
    assert_eq!((report.restored, report.withdrawn), (1, 1));
    assert_eq!(bench.pairs().await, ["C1-AH", "C2-AH"]);
    let events = bench.events().await;
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    let again = EventKind::Rematched;
    assert_eq!(kinds, [EventKind::Logged, again, again, again, again]);
    // A salesperson who left takes no entry along.
    bench.company.forget("ah@ours.example");
    bench.rematch(&RematchOptions::default()).await;
    assert_eq!(bench.pairs().await, ["C1-AH", "C2-AH"]);
}

async fn what_a_person_decided_is_not_overwritten<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "ah@ours.example", "ada@contacts.example");
    bench.deliver(2, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    let entry = bench.entries().await.pop().unwrap().entry.id;
    bench
        .store
        .cancel(&bench.scope, &entry, true)
        .await
        .unwrap();
    bench
        .say(&bench.item().await, &Resolution::ignore("Ines"))
        .await;
    bench.company.contact("new@contacts.example", "C9");
    let report = bench.rematch(&RematchOptions::default()).await;
    assert_eq!((report.matched, report.kept_by_person), (0, 1));
    assert_eq!(bench.pairs().await, Vec::<String>::new());
    bench
        .store
        .cancel(&bench.scope, &entry, false)
        .await
        .unwrap();
    bench.company.forget("ada@contacts.example");
    assert_eq!(bench.rematch(&RematchOptions::default()).await.withdrawn, 0);
    assert_eq!(bench.pairs().await, ["C1-AH"]);
    let ignored = bench.items(ReviewState::Ignored).await.pop().unwrap();
    bench.say(&ignored, &Resolution::reopen("Otto")).await;
    assert_eq!(bench.rematch(&RematchOptions::default()).await.matched, 1);
    assert_eq!(bench.pairs().await, ["C1-AH", "C9-AH"]);
}

async fn what_a_person_worked_with_stays_when_the_address_is_anothers<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    for number in 1..=2 {
        bench.deliver(number, "ada@contacts.example", "ah@ours.example");
    }
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C1-AH", "C1-AH"]);
    let worked = bench.entries().await[0].entry.id;
    let deal = Annotation::Opportunity(Some("OP001".into()));
    let noted = bench.store.annotate(&bench.scope, &worked, deal).await;
    noted.unwrap();
    bench.company.contact("ada@contacts.example", "C2");
    let options = addresses("ada@contacts.example");
    for options in [options.clone().with_dry_run(true), options] {
        let report = bench.rematch(&options).await;
        assert_eq!((report.entries_added, report.withdrawn), (2, 1));
    }
    assert_eq!(bench.pairs().await, ["C1-AH", "C2-AH", "C2-AH"]);
    let kept = bench.store.entry(&bench.scope, &worked).await.unwrap();
    assert!(!kept.canceled, "what was made of it hangs on it");
}

async fn a_link_to_the_mail_is_kept_only_of_mail_that_does_not_move<S>(mut bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    let link = "https://mail.example/1";
    for (number, moves) in [(1, true), (2, false)] {
        let mut capabilities = bench.source.capabilities();
        capabilities.moves = moves;
        bench.source = bench.source.with_capabilities(capabilities);
        let mut facts = MailFacts::default();
        facts.web_link = Some(link.to_owned());
        let mime = format!(
            "From: ada@contacts.example\r\nTo: ah@ours.example\r\nSubject: Mail {number}\r\n\
             Message-ID: <{number}@x.example>\r\n\r\nBody {number}\r\n"
        );
        bench.source.deliver(&path("Queue"), mime, facts);
        bench.run().await;
        let entries = bench.entries().await;
        let subject = format!("Mail {number}");
        let found = entries.iter().find(|row| row.entry.description == subject);
        let message = found.expect("an entry").entry.message;
        let mail = bench.store.mail(&bench.scope, &message).await.unwrap();
        let kept = mail.record.web_link.as_deref();
        assert_eq!(kept, (!moves).then_some(link), "mail {number}");
    }
}

async fn an_assigned_mail_is_logged_by_the_next_run_as_a_persons_link<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "stranger@else.example", "ah@ours.example");
    bench.run().await;
    let link = Assignment::new("C1", "AH", InformationFlow::Inbound);
    bench
        .say(&bench.item().await, &Resolution::assign("Ines", link))
        .await;
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C1-AH"]);
    let entries = bench.entries().await;
    assert!(entries[0].entry.flags.contains(&"assigned".to_owned()));
    assert!(bench.original().await.is_some());
    assert!(bench.items(ReviewState::Assigned).await.is_empty());
    let kinds: Vec<_> = bench
        .events()
        .await
        .iter()
        .map(|event| event.kind)
        .collect();
    let expected = [
        EventKind::NotMatched,
        EventKind::Assigned,
        EventKind::Logged,
    ];
    assert_eq!(kinds, expected);
    // The directory knows the stranger as nobody; the link is a person's and stays.
    let report = bench.rematch(&RematchOptions::default()).await;
    assert_eq!((report.withdrawn, report.matched), (0, 0));
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C1-AH"]);
    assert_eq!(bench.stored(), 1);
}

async fn a_dry_run_writes_nothing_and_pages_go_on_where_they_stopped<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    for number in 1..=3 {
        bench.deliver(number, "new@contacts.example", "ah@ours.example");
    }
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let dry = RematchOptions::default().with_dry_run(true);
    let report = bench.rematch(&dry).await;
    assert_eq!((report.matched, report.entries_added), (3, 3));
    assert_eq!(bench.pairs().await.len(), 0);
    assert_eq!(bench.events().await.len(), 3);
    let bounded = RematchOptions::default().with_most(2);
    let first = bench.rematch(&bounded).await;
    assert_eq!((first.looked_at, first.matched), (2, 2));
    assert!(first.next.is_some());
    let rest = bench.rematch(&bounded.with_after(first.next)).await;
    assert_eq!((rest.looked_at, rest.matched, rest.next), (1, 1, None));
    assert_eq!(bench.pairs().await.len(), 3);
}

async fn who_is_never_logged_is_left_out_and_the_others_are_logged<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.company.contact("bob@sub.secret.example", "C2");
    bench.company.contact("mum@home.example", "C3");
    let mut lists = NeverLog::default();
    lists.add(None, "secret.example".parse().unwrap());
    lists.add(Some(&"AH".into()), "mum@home.example".parse().unwrap());
    lists.add(Some(&"BK".into()), "ada@contacts.example".parse().unwrap());
    bench
        .store
        .save_never_log(&bench.scope, &lists, 0)
        .await
        .unwrap();
    bench.deliver(
        1,
        "ah@ours.example",
        "ada@contacts.example, bob@sub.secret.example",
    );
    bench.deliver(2, "bob@sub.secret.example", "ah@ours.example");
    bench.deliver(3, "mum@home.example", "ah@ours.example");
    bench.deliver(4, "spam@secret.example", "ah@ours.example");
    bench.run().await;
    assert_eq!(bench.pairs().await, ["C1-AH"]);
    let decisions = bench.decisions().await;
    let listed = decisions.iter().filter(|one| one.reason == "never-listed");
    assert_eq!(listed.clone().count(), 3);
    for decision in listed {
        let told = format!("{:?}", decision.steps);
        assert!(
            !told.contains("secret.example") && !told.contains("mum"),
            "{told}"
        );
        assert_eq!((&decision.subject, &decision.sender), (&None, &None));
    }
    let rules = |rule: &str| {
        let steps = decisions.iter().flat_map(|decision| &decision.steps);
        steps.filter(|step| step.rule == rule).count()
    };
    assert_eq!(rules("never-log.organisation-domain"), 2);
    assert_eq!(rules("never-log.salesperson-address"), 1);
    assert_eq!(rules("never-log.nobody-left"), 3);
}

async fn a_sign_in_that_is_needed_is_told_once<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    let logger = bench.logger();
    for _ in 0..3 {
        let refused = Error::new(&codes::OAUTH_REAUTH, "list");
        bench
            .source
            .fail_next(SourceOperation::List, SourceFault::Error(refused));
        logger.run_once().await.unwrap_err();
    }
    logger.run_once().await.unwrap();
    logger.run_once().await.unwrap();
    let events = bench.events().await;
    let told: Vec<_> = events
        .iter()
        .map(|event| (event.kind, &*event.reason))
        .collect();
    let (sign_in, health) = (EventKind::SignInNeeded, EventKind::HealthChanged);
    assert_eq!(told, [(sign_in, "oauth.reauth"), (health, "working")]);
}

async fn a_contact_is_suggested_and_created_and_its_mail_logged<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    let records = [
        ContactRecord::new("C1", "Ada", ContactKind::Person).with_email("ada@firm.example"),
        ContactRecord::new("C2", "New Man", ContactKind::Person).with_email("n@home.example"),
        ContactRecord::new("C3", "Eve", ContactKind::Person).with_email("eve@gmail.com"),
    ];
    let directory = Arc::new(MemoryDirectory::new());
    directory.upsert_salesperson(SalespersonRecord::new("AH", "Anna", "ah@ours.example"));
    for record in records {
        directory.upsert_contact(record);
    }
    bench.deliver(1, "new@firm.example", "ah@ours.example");
    let builder = bench.builder().with_directory(directory.clone());
    let logger = builder
        .with_contact_editor(directory.clone())
        .build()
        .unwrap();
    logger.run_once().await.unwrap();
    let address: Address = bench.item().await.participants[0].address.parse().unwrap();
    let stranger = NewContact::new(address, Some("new man".into()));
    let free = NewContact::new("x@gmail.com".parse().unwrap(), None);
    let near = directory
        .suggest(&bench.scope, &[stranger.clone(), free], 9)
        .await
        .unwrap();
    let near: Vec<_> = near
        .iter()
        .map(|one| (one.contact.as_str(), one.because))
        .collect();
    let (name, domain) = (SuggestedBecause::SameName, SuggestedBecause::SameDomain);
    assert_eq!(near, [("C2", name), ("C1", domain)]);
    let (no, report) = logger.create_contact(&stranger).await.unwrap();
    assert_eq!((no.as_str(), report.entries_added), ("NEW00001", 1));
    assert_eq!(bench.pairs().await, ["NEW00001-AH"]);
    let typed: Vec<_> = bench.events().await.iter().map(Event::typed).collect();
    assert!(
        matches!(&typed[0], TypedEvent::ReviewNeeded { set_aside: false, reason, .. }
        if reason == "unknown-sender")
    );
    assert!(matches!(&typed[1], TypedEvent::Logged { entries, .. } if entries.len() == 1));
}

async fn a_failure_at_any_call_of_store_and_source_is_healed<S>(bench: Bench<S>)
where
    S: InteractionStore + ReviewStore,
{
    bench.deliver(1, "new@contacts.example", "ah@ours.example");
    bench.run().await;
    bench.company.contact("new@contacts.example", "C9");
    let broken = || Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, "test");
    for operation in [SourceOperation::Locate, SourceOperation::Fetch] {
        bench
            .source
            .fail_next(operation, SourceFault::Error(broken()));
        let logger = bench.logger();
        logger
            .rematch(&RematchOptions::default())
            .await
            .unwrap_err();
        assert_eq!(bench.pairs().await, Vec::<String>::new());
    }
    bench.rematch(&RematchOptions::default()).await;
    assert_eq!(bench.pairs().await, ["C9-AH"]);
}

/// A reply that is lost, or a call that fails, at every commit of matching again.
#[tokio::test]
async fn a_commit_that_fails_or_loses_its_reply_logs_once() {
    for lost in [false, true] {
        for nth in 1..=2_u64 {
            let bench = Bench::new(MemoryStore::new());
            bench.deliver(1, "new@contacts.example", "ah@ours.example");
            bench.run().await;
            bench.company.contact("new@contacts.example", "C9");
            let error = || Error::new(&codes::STORE_CLOSED, "commit");
            let before = bench.store.calls(StoreOperation::Commit);
            if lost && nth == 1 {
                bench.store.lose_next_reply(StoreOperation::Commit, error());
            } else {
                let call = before + nth;
                bench.store.fail_call(StoreOperation::Commit, call, error());
            }
            bench
                .logger()
                .rematch(&RematchOptions::default())
                .await
                .unwrap_err();
            bench.rematch(&RematchOptions::default()).await;
            bench.run().await;
            assert_eq!(bench.pairs().await, ["C9-AH"], "lost {lost}, commit {nth}");
            assert_eq!(bench.stored(), 1);
            let mailbox = bench.decisions().await[0].mailbox.clone();
            let due = jiff::Timestamp::MAX;
            let open = bench
                .store
                .pending_moves(&bench.scope, &mailbox, due, 9)
                .await;
            assert!(open.unwrap().is_empty(), "lost {lost}, commit {nth}");
        }
    }
}
