//! Each rule of privacy after logging, on the store in memory, on SQLite and on PostgreSQL.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use email_logging::decision::NeverLog;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::RunReport;
use email_logging::message::MailFacts;
use email_logging::opportunity::{Creation, NumberSeries, PrivacyBlock};
use email_logging::parties::ContactKind;
use email_logging::privacy::{
    MARKED_PRIVATE, Person, RetentionRule, Selection, Viewer, Visibility,
};
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::{
    AffectedMail, Annotation, Conversations as _, Cursor, DecisionFilter, DecisionRecord, Deletion,
    Erasure, EventFeed as _, Forgotten, InteractionLog as _, InteractionStore, LinkChange,
    LogFilter, LoggedMail, Mark, MarkKind, MemoryStore, OpportunityFilter, OpportunitySetup,
    OpportunityStore, Page, PrivacyDesk, PrivacyStore, Removal, RemovedMails, ReportingStore,
    Resolution, ReviewFilter, ReviewState, ReviewStore, SqliteStore, SubjectExport, VisibleLog,
    VisibleOpportunities, VisibleReview,
};
use email_logging::{EmailLogger, Error, ErrorKind, MessageUid, Scope};
use jiff::Timestamp;

/// Every role that the rules need.
trait Store: InteractionStore + ReportingStore + ReviewStore + OpportunityStore + PrivacyStore {}

impl<T: InteractionStore + ReportingStore + ReviewStore + OpportunityStore + PrivacyStore> Store
    for T
{
}

/// A word that stands in all that is known of one person.
const WORD: &str = "qzkanari";
const ADDRESS: &str = "qzkanari@qz.example";
const CONTACT: &str = "CT-QZKANARI";
/// An address of two contacts.
const SHARED: &str = "office@qz.example";

/// A company that logs mail into a store.
struct House<S> {
    store: Arc<S>,
    source: MemorySource,
    directory: MemoryDirectory,
    logger: EmailLogger,
    queue: FolderPath,
    storage: FolderPath,
    not_logged: FolderPath,
}

fn scope() -> Scope {
    Scope::default()
}

fn mail(number: u32, from: &str, to: &str, subject: &str, year: u32) -> String {
    format!(
        "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nMessage-ID: <{subject}.{number}@x.example>\r\n\
         References: <{subject}.0@x.example>\r\nDate: Mon, 4 May {year} 08:00:0{number} +0000\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
         Content-Type: text/plain\r\n\r\nDear {subject}, here it is.\r\n--b\r\n\
         Content-Type: application/pdf; name={subject}.pdf\r\n\
         Content-Disposition: attachment; filename={subject}.pdf\r\n\r\nabc\r\n--b--\r\n"
    )
}

const ANNA: &str = "Anna Berg <anna@corp.example>";
const BOB: &str = "Bob Holm <bob@customer.example>";

impl<S: Store> House<S> {
    fn new(store: S) -> Self {
        let folder = |text: &str| text.parse::<FolderPath>().unwrap();
        let (queue, storage) = (folder(r"\Q\"), folder(r"\S\"));
        let not_logged = folder(r"\N\");
        let source = MemorySource::new()
            .with_folder(&queue)
            .with_folder(&storage)
            .with_folder(&not_logged);
        let contact = |no: &str, name: &str, email: &str| {
            ContactRecord::new(no, name, ContactKind::Person).with_email(email)
        };
        let directory = MemoryDirectory::new()
            .with_salesperson(SalespersonRecord::new(
                "AB",
                "Anna Berg",
                "anna@corp.example",
            ))
            .with_contact(contact(CONTACT, "Qzkanari Lund", ADDRESS).with_email2(SHARED))
            .with_contact(contact("CT-TWIN", "Tim Lund", SHARED))
            .with_contact(contact("CT-BOB", "Bob Holm", "bob@customer.example"));
        let store = Arc::new(store);
        let logger = EmailLogger::builder()
            .with_source(Arc::new(source.clone()))
            .with_directory(Arc::new(directory.clone()))
            .with_store(Arc::clone(&store))
            .with_queue_folder(queue.clone())
            .with_storage_folder(storage.clone())
            .with_not_logged_folder(not_logged.clone())
            .build()
            .unwrap();
        Self {
            store,
            source,
            directory,
            logger,
            queue,
            storage,
            not_logged,
        }
    }

    fn desk<'a>(&'a self, scope: &'a Scope) -> PrivacyDesk<'a> {
        PrivacyDesk::new(&*self.store, scope, "AB")
    }

    async fn receive(&self, mails: &[&str]) -> RunReport {
        for mail in mails {
            self.source
                .deliver(&self.queue, *mail, MailFacts::default());
        }
        let report = self.logger.run_once().await.unwrap();
        self.logger.index(100).await.unwrap();
        report
    }

    /// A mail to the person, one to Bob, and one of the person that matches nobody.
    async fn filled(store: S) -> Self {
        let house = Self::new(store);
        let to = format!("Qzkanari Lund <{ADDRESS}>");
        let stranger = "nobody@elsewhere.example";
        house
            .receive(&[
                &mail(1, ANNA, &to, WORD, 2026),
                &mail(2, ANNA, BOB, "plain", 2026),
                &mail(3, &to, stranger, WORD, 2026),
            ])
            .await;
        house
    }

    async fn logged(&self, contact: &str) -> LoggedMail {
        let mut filter = LogFilter::default();
        filter.contact = Some(contact.into());
        filter.canceled = true;
        let mut page = self.store.mails(&scope(), &filter, None, 1).await.unwrap();
        page.rows.pop().unwrap()
    }

    async fn entries(&self) -> usize {
        let all = LogFilter::default();
        let page = self.store.entries(&scope(), &all, None, 100).await.unwrap();
        page.rows.len()
    }

    async fn opportunity(&self, mail: &LoggedMail) -> email_logging::OpportunityNo {
        let setup =
            OpportunitySetup::default().with_number_series(NumberSeries::new("OPP", "OP01"));
        let store = &self.store;
        store.put_opportunity_setup(&scope(), &setup).await.unwrap();
        let creation = Creation::on("2026-05-04".parse().unwrap(), PrivacyBlock::NotBlocked);
        let entry = &mail.entries[0].entry.id;
        let made = store.create_opportunity(&scope(), entry, &creation).await;
        made.unwrap().opportunity.no
    }

    /// Puts the word wherever a person can write it.
    async fn written_everywhere(&self) {
        let store = &self.store;
        let theirs = self.logged(CONTACT).await;
        let comment = |text: &str| Annotation::Comment {
            author: "AB".into(),
            text: text.into(),
        };
        let said = comment("qzkanari is a good customer");
        let id = theirs.entries[0].entry.id;
        store.annotate(&scope(), &id, said).await.unwrap();
        self.opportunity(&theirs).await;
        let said = comment("as I wrote to QZKANARI@qz.example");
        let id = self.logged("CT-BOB").await.entries[0].entry.id;
        store.annotate(&scope(), &id, said).await.unwrap();
        let mark = Mark::new("AB", "qzkanari asked for it");
        for kind in [MarkKind::Private, MarkKind::Hold] {
            store
                .mark_mail(&scope(), &theirs.message, kind, &mark)
                .await
                .unwrap();
        }
        let items = store
            .review_items(&scope(), &ReviewFilter::default(), None, 9)
            .await
            .unwrap();
        let decision = &items.rows[0].decision;
        let note = Resolution::ignore("AB").with_note("qzkanari wrote to a stranger");
        store
            .resolve(&scope(), &decision.mailbox, &decision.sighting, &note, 0)
            .await
            .unwrap();
        let mut lists = NeverLog::default();
        lists.add(None, ADDRESS.parse().unwrap());
        store.save_never_log(&scope(), &lists, 0).await.unwrap();
    }
}

fn person() -> Person {
    Person::at(ADDRESS).unwrap().with_contact(CONTACT)
}

/// One test per rule and store.
macro_rules! rules {
    ($($rule:ident,)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $rule() {
                super::$rule(super::House::filled(super::MemoryStore::new()).await).await;
            })*
        }
        mod on_sqlite {
            $(#[tokio::test]
            async fn $rule() {
                let store = super::SqliteStore::in_memory().unwrap();
                store.migrate().await.unwrap();
                super::$rule(super::House::filled(store).await).await;
            })*
        }
        #[cfg(feature = "postgres")]
        mod on_postgres {
            $(#[tokio::test]
            async fn $rule() {
                let Some(server) = crate::cluster::server() else { return };
                super::$rule(super::House::filled(server.store().await).await).await;
            })*
        }
    };
}

rules! {
    a_mail_marked_private_is_shown_to_its_own_salespeople_alone,
    a_private_mark_can_be_taken_back,
    a_removed_mail_is_gone_for_everybody,
    a_removed_mail_is_not_logged_again_and_not_lost,
    a_mail_on_hold_is_not_removed_before_the_hold_is_taken_back,
    deleting_cancelled_entries_keeps_what_is_held_open_or_withdrawn,
    retention_removes_what_is_older_and_nothing_else,
    retention_keeps_what_an_open_opportunity_or_a_hold_refers_to,
    a_dry_run_of_retention_says_all_and_changes_nothing,
    an_erased_person_is_gone_and_the_others_stay,
    an_erased_mail_is_not_logged_again,
    an_erased_person_is_logged_again_unless_that_is_unwanted,
    an_opportunity_outlives_the_person_without_a_name,
    an_open_opportunity_can_forbid_the_erasure,
    a_dry_run_of_erasure_says_all_and_changes_nothing,
    nobody_is_not_erased,
    an_address_within_a_longer_one_erases_nothing_of_that_person,
    a_contact_in_another_case_is_another_contact,
    a_contact_is_barred_under_the_addresses_that_the_directory_knows,
    nobody_is_barred_without_an_address,
    a_mail_that_is_logged_during_an_erasure_goes_as_well,
    copied_comments_go_with_the_mail,
    who_loaded_an_opportunity_before_an_erasure_brings_nothing_back,
    an_opportunity_shows_no_subject_of_a_hidden_mail,
    only_who_sees_a_mail_makes_an_opportunity_of_it,
    the_review_queue_shows_a_person_what_names_the_person,
    a_subject_export_has_all_that_is_kept,
    a_subject_export_of_nobody_is_refused,
    a_stranger_who_copies_an_id_to_the_same_salesperson_is_not_joined,
}

async fn a_mail_marked_private_is_shown_to_its_own_salespeople_alone(house: House<impl Store>) {
    let theirs = house.logged(CONTACT).await.message;
    let scope = scope();
    house
        .desk(&scope)
        .mark_private(&theirs, "health")
        .await
        .unwrap();
    let boss = Viewer::at(Visibility::Full);
    let own = Viewer::at(Visibility::Nothing).with_salesperson("AB".into());
    let auditor = Viewer::at(Visibility::Full).with_private_mail(Visibility::Metadata);
    for (viewer, seen, subject) in [
        (boss, 1, None),
        (own, 2, Some(WORD)),
        (auditor, 2, Some("")),
    ] {
        let log = VisibleLog::new(Arc::clone(&house.store), viewer);
        let all = LogFilter::default();
        let page = log.entries(&scope, &all, None, 9).await.unwrap();
        assert_eq!(page.rows.len(), seen);
        let mail = log.mail(&scope, &theirs).await.ok();
        assert_eq!(mail.map(|m| m.record.subject).as_deref(), subject);
    }
    let mut found = LogFilter::default();
    found.flag = Some(MARKED_PRIVATE.into());
    let page = house.store.entries(&scope, &found, None, 9).await.unwrap();
    assert_eq!(page.rows[0].entry.message, theirs);
    let marks = house.store.marks(&scope, &theirs).await.unwrap();
    assert_eq!(
        (marks[0].1.by.as_str(), marks[0].1.reason.as_str()),
        ("AB", "health")
    );
}

async fn a_private_mark_can_be_taken_back(house: House<impl Store>) {
    let theirs = house.logged(CONTACT).await.message;
    let scope = scope();
    house.desk(&scope).mark_private(&theirs, "").await.unwrap();
    let kind = MarkKind::Private;
    assert!(
        house
            .store
            .unmark_mail(&scope, &theirs, kind)
            .await
            .unwrap()
    );
    let log = VisibleLog::new(Arc::clone(&house.store), Viewer::at(Visibility::Full));
    assert!(log.mail(&scope, &theirs).await.is_ok());
    assert_eq!(house.store.marks(&scope, &theirs).await.unwrap(), []);
}

async fn a_removed_mail_is_gone_for_everybody(house: House<impl Store>) {
    let theirs = house.logged(CONTACT).await;
    let scope = scope();
    let told = house.desk(&scope).remove(&theirs.message).await.unwrap();
    assert_eq!((told.mails, told.entries, told.originals), (1, 1, 1));
    let store = &house.store;
    let errors = [
        store.mail(&scope, &theirs.message).await.err(),
        store.original(&scope, &theirs.message, 0..9).await.err(),
        store.entry(&scope, &theirs.entries[0].entry.id).await.err(),
        house.desk(&scope).remove(&theirs.message).await.err(),
    ];
    let kinds = errors.map(|error| error.map(|error| error.kind()));
    assert_eq!(kinds, [Some(ErrorKind::NotFound); 4]);
    let mut words = LogFilter::default();
    words.text = Some(WORD.into());
    let found = store.entries(&scope, &words, None, 9).await.unwrap();
    assert_eq!(found.rows.len(), 0);
    let events = store.read_events(&scope, "host", 100).await.unwrap();
    assert!(
        events
            .iter()
            .all(|event| event.message != Some(theirs.message))
    );
    assert_eq!(house.entries().await, 1);
}

async fn a_removed_mail_is_not_logged_again_and_not_lost(house: House<impl Store>) {
    let theirs = house.logged(CONTACT).await.message;
    let scope = scope();
    house.desk(&scope).remove(&theirs).await.unwrap();
    assert_eq!(house.source.items(&house.storage).len(), 2);
    let before = house.source.items(&house.not_logged).len();
    // The same mail, then the same with another footer: a copy that came by another way.
    let to = format!("Qzkanari Lund <{ADDRESS}>");
    let again = mail(1, ANNA, &to, WORD, 2026);
    let other = again.replace("here it is.", "here it is. Sent by a gateway.");
    let report = house.receive(&[&again, &other]).await;
    assert_eq!((report.logged, report.excluded, report.moved), (0, 2, 2));
    assert_eq!(house.source.items(&house.not_logged).len(), before + 2);
    assert_eq!(house.entries().await, 1);
    let mut excluded = email_logging::store::DecisionFilter::default();
    excluded.outcome = Some("excluded".into());
    let decisions = house
        .store
        .decisions(&scope, &excluded, None, 9)
        .await
        .unwrap();
    let reasons: Vec<_> = decisions
        .rows
        .iter()
        .map(|d| (d.reason.as_str(), d.message))
        .collect();
    assert_eq!(reasons, [("erased", None); 3]);
    // A run that finds nothing new does nothing.
    let report = house.receive(&[]).await;
    assert_eq!((report.fetched, report.moved), (0, 0));
}

async fn a_mail_on_hold_is_not_removed_before_the_hold_is_taken_back(house: House<impl Store>) {
    let theirs = house.logged(CONTACT).await.message;
    let scope = scope();
    let mark = Mark::new("administration", "a law suit");
    let (store, hold) = (&house.store, MarkKind::Hold);
    store.mark_mail(&scope, &theirs, hold, &mark).await.unwrap();
    let desk = house.desk(&scope);
    let refused = desk.remove(&theirs).await.unwrap_err();
    assert_eq!(
        (refused.kind(), refused.code()),
        (ErrorKind::Conflict, "privacy.held")
    );
    assert!(store.original(&scope, &theirs, 0..9).await.is_ok());
    assert_eq!(store.marks(&scope, &theirs).await.unwrap().len(), 1);
    store.unmark_mail(&scope, &theirs, hold).await.unwrap();
    assert_eq!(desk.remove(&theirs).await.unwrap().mails, 1);
}

impl<S: Store> House<S> {
    /// What deleting the cancelled entries comes to: what goes, and what stays for an opportunity, a hold, a match.
    async fn delete_canceled(&self, how: Deletion) -> [u64; 4] {
        let all = LogFilter::default();
        let told = self.store.delete_canceled(&scope(), &all, how).await;
        let told = told.unwrap();
        [
            told.entries,
            told.kept_for_opportunity,
            told.kept_on_hold,
            told.kept_withdrawn,
        ]
    }
}

async fn deleting_cancelled_entries_keeps_what_is_held_open_or_withdrawn(house: House<impl Store>) {
    let scope = scope();
    let to_twin = "Tim Lund <tim@twin.example>";
    let twin = ContactRecord::new("CT-TIM", "Tim Lund", ContactKind::Person);
    house
        .directory
        .upsert_contact(twin.with_email("tim@twin.example"));
    house
        .receive(&[&mail(5, ANNA, to_twin, "third", 2026)])
        .await;
    let (deal, held, gone) = (
        house.logged(CONTACT).await,
        house.logged("CT-BOB").await,
        house.logged("CT-TIM").await,
    );
    let store = &house.store;
    let id = |mail: &LoggedMail| mail.entries[0].entry.id;
    let no = house.opportunity(&deal).await;
    store.cancel(&scope, &id(&deal), true).await.unwrap();
    store.cancel(&scope, &id(&held), true).await.unwrap();
    let (kind, mark) = (MarkKind::Hold, Mark::new("administration", "a law suit"));
    store
        .mark_mail(&scope, &held.message, kind, &mark)
        .await
        .unwrap();
    let lease = crate::store_rows::lease(&**store, &scope).await;
    let mut change = LinkChange::new(gone.message, "contact-changed");
    change.withdraw = vec![id(&gone)];
    let done = store.relink(&scope, &lease, &change).await.unwrap();
    assert_eq!(done.withdrawn, [id(&gone)]);

    for how in [Deletion::Preview, Deletion::Delete, Deletion::Preview] {
        assert_eq!(house.delete_canceled(how).await, [0, 1, 1, 1]);
    }
    for mail in [&deal, &held, &gone] {
        let original = store.original(&scope, &mail.message, 0..9).await;
        assert!(original.is_ok(), "an original is gone");
    }
    // The address is the contact's again: its history comes back.
    change.add = vec![gone.entries[0].entry.clone()];
    change.withdraw.clear();
    let back = store.relink(&scope, &lease, &change).await.unwrap();
    assert_eq!(back.restored, [id(&gone)]);

    store.cancel(&scope, &id(&gone), true).await.unwrap();
    assert_eq!(house.delete_canceled(Deletion::Delete).await, [1, 1, 1, 0]);
    store
        .unmark_mail(&scope, &held.message, kind)
        .await
        .unwrap();
    assert_eq!(house.delete_canceled(Deletion::Delete).await, [1, 1, 0, 0]);
    let deal_now = store.load_opportunity(&scope, &no).await.unwrap();
    assert!(!deal_now.opportunity.status.is_closed());
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn retention_removes_what_is_older_and_nothing_else(house: House<impl Store>) {
    house.receive(&[&mail(4, ANNA, BOB, "ancient", 2020)]).await;
    let scope = scope();
    let rule = RetentionRule::before(at("2021-01-01T00:00:00Z"));
    let desk = house.desk(&scope);
    let told = desk.retain(&rule, Deletion::Delete).await.unwrap();
    assert_eq!((told.removed.mails, told.removed.entries), (1, 1));
    assert_eq!(house.entries().await, 2);
    let again = desk.retain(&rule, Deletion::Delete).await.unwrap();
    assert_eq!(again.removed.mails, 0);
    let report = house.receive(&[&mail(4, ANNA, BOB, "ancient", 2020)]).await;
    assert_eq!((report.logged, report.excluded), (0, 1));
}

async fn retention_keeps_what_an_open_opportunity_or_a_hold_refers_to(house: House<impl Store>) {
    let scope = scope();
    let theirs = house.logged(CONTACT).await;
    house.opportunity(&theirs).await;
    let bobs = house.logged("CT-BOB").await.message;
    let mark = Mark::new("AB", "a law suit");
    let store = &house.store;
    store
        .mark_mail(&scope, &bobs, MarkKind::Hold, &mark)
        .await
        .unwrap();
    let rule = RetentionRule::before(Timestamp::MAX);
    let told = house
        .desk(&scope)
        .retain(&rule, Deletion::Delete)
        .await
        .unwrap();
    let kept = (
        told.kept_for_opportunity,
        told.kept_on_hold,
        told.kept_waiting,
    );
    assert_eq!((told.removed.mails, kept), (1, (1, 1, 0)));
    assert_eq!(house.entries().await, 2);
}

async fn a_dry_run_of_retention_says_all_and_changes_nothing(house: House<impl Store>) {
    let scope = scope();
    let rule = RetentionRule::before(Timestamp::MAX);
    let desk = house.desk(&scope);
    let dry = desk.retain(&rule, Deletion::Preview).await.unwrap();
    assert_eq!((dry.removed.mails, dry.removed.messages.len()), (3, 3));
    assert_eq!(house.entries().await, 2);
    let done = desk.retain(&rule, Deletion::Delete).await.unwrap();
    assert_eq!(done, dry);
    assert_eq!(house.entries().await, 0);
}

async fn an_erased_person_is_gone_and_the_others_stay(house: House<impl Store>) {
    let scope = scope();
    let desk = house.desk(&scope);
    let told = desk
        .erase(&person(), Erasure::default(), Deletion::Delete)
        .await
        .unwrap();
    // The mail that matched nobody is removed as well.
    assert_eq!((told.removed.mails, told.removed.entries), (2, 1));
    assert_eq!(house.entries().await, 1);
    assert_eq!(house.logged("CT-BOB").await.record.subject, "plain");
    let items = house
        .store
        .review_items(&scope, &ReviewFilter::default(), None, 9)
        .await
        .unwrap();
    assert_eq!(items.rows.len(), 0);
}

async fn an_erased_mail_is_not_logged_again(house: House<impl Store>) {
    let scope = scope();
    let erasure = Erasure::default();
    let desk = house.desk(&scope);
    desk.erase(&person(), erasure, Deletion::Delete)
        .await
        .unwrap();
    let to = format!("Qzkanari Lund <{ADDRESS}>");
    let report = house.receive(&[&mail(1, ANNA, &to, WORD, 2026)]).await;
    assert_eq!((report.logged, report.excluded), (0, 1));
}

async fn an_erased_person_is_logged_again_unless_that_is_unwanted(house: House<impl Store>) {
    let scope = scope();
    let desk = house.desk(&scope);
    let to = format!("Qzkanari Lund <{ADDRESS}>");
    for (never_again, number, expected) in [(false, 5, (1, 0)), (true, 6, (0, 1))] {
        let erasure = Erasure::default().with_never_again(never_again);
        desk.erase(&person(), erasure, Deletion::Delete)
            .await
            .unwrap();
        let report = house
            .receive(&[&mail(number, ANNA, &to, "new", 2026)])
            .await;
        assert_eq!((report.logged, report.excluded), expected, "{never_again}");
    }
}

async fn an_opportunity_outlives_the_person_without_a_name(house: House<impl Store>) {
    let scope = scope();
    let no = house.opportunity(&house.logged(CONTACT).await).await;
    let desk = house.desk(&scope);
    let person = person();
    let erased = desk.erase(&person, Erasure::default(), Deletion::Delete);
    let told = erased.await.unwrap();
    assert_eq!(
        (told.open_opportunities, told.forgotten.open_opportunities),
        (1, 1)
    );
    let stored = house.store.load_opportunity(&scope, &no).await.unwrap();
    let deal = stored.opportunity;
    assert_eq!(
        (deal.description.as_str(), deal.contact_no.as_str()),
        ("OP01", "ERASED")
    );
    assert!(
        !format!("{deal:?}").to_lowercase().contains(WORD),
        "{deal:?}"
    );
    assert_eq!(
        house.store.count_interactions(&scope, &no).await.unwrap(),
        0
    );
}

async fn an_open_opportunity_can_forbid_the_erasure(house: House<impl Store>) {
    let scope = scope();
    house.opportunity(&house.logged(CONTACT).await).await;
    let erasure = Erasure::default().with_refuse_open_opportunities(true);
    let desk = house.desk(&scope);
    for person in [
        person(),
        Person::at(ADDRESS).unwrap(),
        Person::contact(CONTACT),
    ] {
        let refused = desk.erase(&person, erasure, Deletion::Delete).await;
        let error = refused.unwrap_err();
        let said = (error.kind(), error.code());
        assert_eq!(said, (ErrorKind::Conflict, "privacy.open_opportunity"));
    }
    assert_eq!(house.entries().await, 2);
}

async fn a_dry_run_of_erasure_says_all_and_changes_nothing(house: House<impl Store>) {
    house.written_everywhere().await;
    let scope = scope();
    let desk = house.desk(&scope);
    let erasure = Erasure::default().with_never_again(true);
    let dry = desk
        .erase(&person(), erasure, Deletion::Preview)
        .await
        .unwrap();
    assert_eq!((dry.removed.mails, dry.forgotten.never_log_rules), (2, 1));
    assert_eq!(house.entries().await, 2);
    let again = desk
        .erase(&person(), erasure, Deletion::Preview)
        .await
        .unwrap();
    assert_eq!(again, dry);
    let done = desk
        .erase(&person(), erasure, Deletion::Delete)
        .await
        .unwrap();
    assert_eq!(done.removed, dry.removed);
}

async fn nobody_is_not_erased(house: House<impl Store>) {
    let scope = scope();
    let desk = house.desk(&scope);
    let nobody = Person::default();
    let refused = desk
        .erase(&nobody, Erasure::default(), Deletion::Delete)
        .await;
    assert_eq!(refused.unwrap_err().code(), "config.invalid");
    assert_eq!(house.entries().await, 2);
}

fn comment(text: &str) -> Annotation {
    Annotation::Comment {
        author: "AB".into(),
        text: text.into(),
    }
}

impl<S: Store> House<S> {
    async fn comment(&self, contact: &str, text: &str) {
        let id = self.logged(contact).await.entries[0].entry.id;
        self.store
            .annotate(&scope(), &id, comment(text))
            .await
            .unwrap();
    }

    async fn decision_of(&self, sender: &str) -> DecisionRecord {
        let all = DecisionFilter::default();
        let page = self.store.decisions(&scope(), &all, None, 100).await;
        let mut rows = page.unwrap().rows.into_iter();
        rows.find(|row| row.sender.as_deref() == Some(sender))
            .unwrap()
    }

    async fn erase(&self, person: &Person, erasure: Erasure) -> email_logging::store::Erased {
        let scope = scope();
        let desk = self.desk(&scope);
        desk.erase(person, erasure, Deletion::Delete).await.unwrap()
    }
}

async fn an_address_within_a_longer_one_erases_nothing_of_that_person(house: House<impl Store>) {
    let others = [
        "joqzkanari@qz.example",
        "jo.qzkanari@qz.example",
        "qzkanari@qz.example.org",
        "qzkanari@qz.example-gmbh.org",
        "qzkanari@qz.examples",
    ];
    for (number, other) in (5..).zip(others) {
        let from = format!("Other <{other}>");
        let to = "nobody@elsewhere.example";
        house
            .receive(&[&mail(number, &from, to, "plain", 2026)])
            .await;
        house.comment("CT-BOB", &format!("ask {other}.")).await;
        let seen = house.decision_of(other).await;
        let note = Resolution::ignore("AB").with_note(format!("{other} writes\nto a stranger"));
        house
            .store
            .resolve(&scope(), &seen.mailbox, &seen.sighting, &note, 0)
            .await
            .unwrap();
    }
    for named in [ADDRESS, "QZKANARI@qz.EXAMPLE"] {
        house.comment("CT-BOB", &format!("ask\n{named}.")).await;
    }
    house.opportunity(&house.logged("CT-BOB").await).await;
    let before = house.decision_of(others[0]).await;
    let address = Person::at(ADDRESS).unwrap();
    let told = house.erase(&address, Erasure::default()).await;
    // The two on the entry and their copies on the opportunity.
    assert_eq!(told.forgotten.comments, 4);
    let left = house.logged("CT-BOB").await.entries[0].comments.len();
    assert_eq!(left, others.len());
    let deals = OpportunityFilter::default();
    let deals = house.store.opportunities(&scope(), &deals, None, 9).await;
    let deal = &deals.unwrap().rows[0];
    assert_eq!((deal.opportunity.comments.len(), deal.version), (5, 2));
    let mut ignored = ReviewFilter::default();
    ignored.state = ReviewState::Ignored;
    let items = house.store.review_items(&scope(), &ignored, None, 99).await;
    assert_eq!(items.unwrap().rows.len(), others.len());
    assert_eq!(house.decision_of(others[0]).await, before);
    assert!(before.steps.iter().any(|step| !step.detail.is_empty()));
}

async fn a_contact_in_another_case_is_another_contact(house: House<impl Store>) {
    let seen = house.decision_of(ADDRESS).await;
    let flow = email_logging::interaction::InformationFlow::Inbound;
    let link = email_logging::store::Assignment::new("ct-qzkanari", "AB", flow);
    let said = Resolution::assign("AB", link);
    house
        .store
        .resolve(&scope(), &seen.mailbox, &seen.sighting, &said, 0)
        .await
        .unwrap();
    let scope = scope();
    let told = house
        .desk(&scope)
        .erase(
            &Person::contact(CONTACT),
            Erasure::default(),
            Deletion::Preview,
        )
        .await
        .unwrap();
    assert_eq!(told.forgotten.reviews, 0);
}

async fn a_contact_is_barred_under_the_addresses_that_the_directory_knows(
    house: House<impl Store>,
) {
    let scope = scope();
    let to = format!("Qzkanari Lund <{ADDRESS}>, Office <{SHARED}>");
    house.receive(&[&mail(4, ANNA, &to, "both", 2026)]).await;
    let desk = house
        .desk(&scope)
        .with_directory(&*house.store, &house.directory);
    let erasure = Erasure::default().with_never_again(true);
    let told = desk
        .erase(&Person::contact(CONTACT), erasure, Deletion::Delete)
        .await
        .unwrap();
    assert_eq!(told.addresses, [ADDRESS]);
    assert_eq!(told.shared_addresses, [SHARED]);
    // The mail that no entry names goes by its address.
    assert_eq!(told.removed.mails, 3);
    let to = format!("Qzkanari Lund <{ADDRESS}>");
    let twin = format!("Office <{SHARED}>");
    let report = house
        .receive(&[
            &mail(5, ANNA, &to, "new", 2026),
            &mail(6, ANNA, &twin, "twin", 2026),
        ])
        .await;
    assert_eq!((report.logged, report.excluded), (1, 1));
}

async fn nobody_is_barred_without_an_address(house: House<impl Store>) {
    let scope = scope();
    let erasure = Erasure::default().with_never_again(true);
    let plain = house.desk(&scope);
    let knows_nobody = MemoryDirectory::new();
    let asking = house
        .desk(&scope)
        .with_directory(&*house.store, &knows_nobody);
    for desk in [plain, asking] {
        let person = Person::contact(CONTACT);
        let refused = desk.erase(&person, erasure, Deletion::Delete).await;
        assert_eq!(refused.unwrap_err().code(), "config.invalid");
    }
    assert_eq!(house.entries().await, 2);
}

/// A store to which a mail comes after the first page of an erasure was read.
struct Late<S> {
    house: House<S>,
    store: Arc<S>,
    came: AtomicBool,
}

impl<S> std::fmt::Debug for Late<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Late")
    }
}

#[async_trait]
impl<S: Store> PrivacyStore for Late<S> {
    async fn affected(
        &self,
        scope: &Scope,
        selection: &Selection,
        after: Option<&Cursor>,
        limit: u32,
    ) -> Result<Page<AffectedMail>, Error> {
        let page = self.store.affected(scope, selection, after, limit).await?;
        if !self.came.swap(true, Ordering::Relaxed) {
            let to = format!("Qzkanari Lund <{ADDRESS}>");
            let late = mail(7, ANNA, &to, "late", 2026);
            assert_eq!(self.house.receive(&[&late]).await.logged, 1);
        }
        Ok(page)
    }

    async fn remove_mails(
        &self,
        scope: &Scope,
        messages: &[MessageUid],
        removal: &Removal,
    ) -> Result<RemovedMails, Error> {
        self.store.remove_mails(scope, messages, removal).await
    }

    async fn forget_person(
        &self,
        scope: &Scope,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten, Error> {
        self.store
            .forget_person(scope, person, erasure, deletion)
            .await
    }

    async fn mark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
        mark: &Mark,
    ) -> Result<(), Error> {
        self.store.mark_mail(scope, message, kind, mark).await
    }

    async fn unmark_mail(
        &self,
        scope: &Scope,
        message: &MessageUid,
        kind: MarkKind,
    ) -> Result<bool, Error> {
        self.store.unmark_mail(scope, message, kind).await
    }

    async fn marks(
        &self,
        scope: &Scope,
        message: &MessageUid,
    ) -> Result<Vec<(MarkKind, Mark)>, Error> {
        self.store.marks(scope, message).await
    }

    async fn shred(&self) -> Result<(), Error> {
        self.store.shred().await
    }
}

async fn a_mail_that_is_logged_during_an_erasure_goes_as_well(house: House<impl Store>) {
    let late = Late {
        store: Arc::clone(&house.store),
        house,
        came: AtomicBool::new(false),
    };
    let scope = scope();
    let told = PrivacyDesk::new(&late, &scope, "AB")
        .erase(&person(), Erasure::default(), Deletion::Delete)
        .await
        .unwrap();
    assert_eq!(told.removed.mails, 3);
    assert_eq!(late.house.entries().await, 1);
}

async fn copied_comments_go_with_the_mail(house: House<impl Store>) {
    house.comment(CONTACT, "a note about the call").await;
    let theirs = house.logged(CONTACT).await;
    let no = house.opportunity(&theirs).await;
    let scope = scope();
    let mut stored = house.store.load_opportunity(&scope, &no).await.unwrap();
    assert_eq!(stored.opportunity.comments.len(), 1);
    let own = email_logging::interaction::Comment::new(at("2026-05-05T08:00:00Z"), "AB", "mine");
    stored.opportunity.comment(own.clone());
    let (one, version) = (&stored.opportunity, stored.version);
    house
        .store
        .save_opportunity(&scope, one, version)
        .await
        .unwrap();
    house.desk(&scope).remove(&theirs.message).await.unwrap();
    let left = house.store.load_opportunity(&scope, &no).await.unwrap();
    assert_eq!(left.opportunity.comments, [own]);
    assert_eq!(left.opportunity.description, "OP01");
}

async fn who_loaded_an_opportunity_before_an_erasure_brings_nothing_back(house: House<impl Store>) {
    house.comment("CT-BOB", &format!("ask {ADDRESS}")).await;
    let no = house.opportunity(&house.logged("CT-BOB").await).await;
    let scope = scope();
    let before = house.store.load_opportunity(&scope, &no).await.unwrap();
    let address = Person::at(ADDRESS).unwrap();
    house.erase(&address, Erasure::default()).await;
    let (one, version) = (&before.opportunity, before.version);
    let refused = house.store.save_opportunity(&scope, one, version).await;
    assert_eq!(refused.unwrap_err().code(), "opportunity.version");
    let left = house.store.load_opportunity(&scope, &no).await.unwrap();
    assert_eq!(left.opportunity.comments, []);
}

async fn an_opportunity_shows_no_subject_of_a_hidden_mail(house: House<impl Store>) {
    house.comment(CONTACT, "a note about the call").await;
    let theirs = house.logged(CONTACT).await;
    let no = house.opportunity(&theirs).await;
    let scope = scope();
    house
        .desk(&scope)
        .mark_private(&theirs.message, "health")
        .await
        .unwrap();
    let own = Viewer::at(Visibility::Nothing).with_salesperson("AB".into());
    let subject = Viewer::at(Visibility::Full).with_private_mail(Visibility::Subject);
    let metadata = Viewer::at(Visibility::Full).with_private_mail(Visibility::Metadata);
    for (viewer, description, comments, hidden) in [
        (own, WORD, 1, false),
        (subject, WORD, 0, true),
        (metadata, "OP01", 0, true),
        (Viewer::at(Visibility::Full), "OP01", 0, true),
    ] {
        let view = VisibleOpportunities::new(Arc::clone(&house.store), viewer);
        let one = view.opportunity(&scope, &no).await.unwrap();
        let all = OpportunityFilter::default();
        let page = view.opportunities(&scope, &all, None, 9).await.unwrap();
        assert_eq!(page.rows, std::slice::from_ref(&one));
        assert_eq!(one.opportunity.description, description);
        assert_eq!(
            (one.opportunity.comments.len(), one.has_hidden),
            (comments, hidden)
        );
    }
}

async fn only_who_sees_a_mail_makes_an_opportunity_of_it(house: House<impl Store>) {
    let entry = house.logged(CONTACT).await.entries[0].entry.id;
    let scope = scope();
    let setup = OpportunitySetup::default().with_number_series(NumberSeries::new("OPP", "OP01"));
    let put = house.store.put_opportunity_setup(&scope, &setup);
    put.await.unwrap();
    let creation = Creation::on("2026-05-04".parse().unwrap(), PrivacyBlock::NotBlocked);
    for level in [
        Visibility::Nothing,
        Visibility::Metadata,
        Visibility::Subject,
    ] {
        let view = VisibleOpportunities::new(Arc::clone(&house.store), Viewer::at(level));
        let refused = view.create(&scope, &entry, &creation).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::NotFound, "{level:?}");
    }
    let view = VisibleOpportunities::new(Arc::clone(&house.store), Viewer::at(Visibility::Full));
    let made = view.create(&scope, &entry, &creation).await.unwrap();
    assert_eq!(made.opportunity.description, WORD);
}

async fn the_review_queue_shows_a_person_what_names_the_person(house: House<impl Store>) {
    // Two that match nobody: the one of the person, and one of a stranger to a stranger.
    let stranger = mail(5, "x@one.example", "y@two.example", "strange", 2026);
    house.receive(&[&stranger]).await;
    let scope = scope();
    let all = ReviewFilter::default();
    let theirs = house.decision_of(ADDRESS).await;
    let note = Resolution::reopen("AB").with_note("a note");
    let (mailbox, key) = (&theirs.mailbox, &theirs.sighting);
    let review = |viewer| VisibleReview::new(Arc::clone(&house.store), viewer);
    let nobody = Viewer::at(Visibility::Full);
    let person = nobody.clone().with_address("QZKANARI@qz.example");
    let metadata = nobody.clone().with_review(|_| Visibility::Metadata);
    let whole = nobody.clone().with_review(|_| Visibility::Full);
    for viewer in [&nobody, &metadata] {
        let review = review(viewer.clone());
        let refused = review.resolve(&scope, mailbox, key, &note, 0).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NotFound);
    }
    let own = review(person.clone());
    let resolved = own.resolve(&scope, mailbox, key, &note, 0).await;
    assert_eq!(resolved.unwrap(), 1);
    for (viewer, seen) in [
        (nobody, vec![]),
        (person, vec![(Some(WORD), true, true)]),
        (metadata, vec![(None, false, false), (None, false, false)]),
        (
            whole,
            vec![(Some("strange"), true, false), (Some(WORD), true, true)],
        ),
    ] {
        let review = review(viewer);
        let page = review.items(&scope, &all, None, 9).await.unwrap();
        let found: Vec<_> = page
            .rows
            .iter()
            .map(|item| {
                let decision = &item.decision;
                let words = decision.steps.iter().any(|step| !step.detail.is_empty());
                (
                    decision.subject.as_deref(),
                    words,
                    item.resolution.is_some(),
                )
            })
            .collect();
        assert_eq!(found, seen);
        let counted = review.counts(&scope).await.unwrap();
        let counted: u64 = counted.iter().map(|count| count.items).sum();
        assert_eq!(counted, seen.len() as u64);
        let one = review.item(&scope, mailbox, key).await;
        assert_eq!(one.is_ok(), !seen.is_empty());
        let first = review.items(&scope, &all, None, 1).await.unwrap();
        assert_eq!(first.next.is_some(), seen.len() > 1);
    }
}

async fn a_subject_export_has_all_that_is_kept(house: House<impl Store>) {
    house.written_everywhere().await;
    // An opportunity of another, in whose comment the address stands, and a decision of which no mail is kept.
    let scope = scope();
    let export = SubjectExport::new(&*house.store, &scope, person()).unwrap();
    let first = export.mails(None, 1).await.unwrap();
    let second = export.mails(first.next.as_ref(), 1).await.unwrap();
    assert_eq!((second.rows.len(), second.next), (1, None));
    let (unmatched, theirs) = (&first.rows[0], &second.rows[0]);
    assert_eq!(
        (unmatched.mail.entries.len(), theirs.mail.entries.len()),
        (0, 1)
    );
    assert_eq!((unmatched.decisions.len(), theirs.decisions.len()), (1, 1));
    assert_eq!(theirs.mail.entries[0].comments.len(), 1);
    let marks: Vec<_> = theirs.marks.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(marks, [MarkKind::Private, MarkKind::Hold]);
    assert_eq!((unmatched.is_private(), theirs.is_private()), (false, true));
    assert!(theirs.original.is_some());
    let records = export.records().await.unwrap();
    let deal = &records.opportunities[0];
    assert_eq!((deal.no.as_str(), deal.comments.len()), ("OP01", 1));
    assert_eq!(records.entry_comments.len(), 1);
    assert!(records.entry_comments[0].1.text.contains("QZKANARI"));
    let notes = records
        .review
        .iter()
        .filter_map(|item| item.resolution.as_ref());
    let notes: Vec<_> = notes.map(|(_, said)| said.note.as_str()).collect();
    assert_eq!(notes, ["qzkanari wrote to a stranger"]);
    assert_eq!(records.never_log, [(None, ADDRESS.to_owned())]);
    assert_eq!(
        (records.decisions.len(), records.opportunity_comments.len()),
        (0, 0)
    );
    // What is exported is what is erased.
    house.erase(&person(), Erasure::default()).await;
    let after = export.records().await.unwrap();
    assert_eq!(after, email_logging::store::SubjectRecords::default());
    assert_eq!(export.mails(None, 9).await.unwrap().rows.len(), 0);
}

async fn a_subject_export_of_nobody_is_refused(house: House<impl Store>) {
    let scope = scope();
    let refused = SubjectExport::new(&*house.store, &scope, Person::default());
    assert_eq!(refused.unwrap_err().code(), "config.invalid");
}

async fn a_stranger_who_copies_an_id_to_the_same_salesperson_is_not_joined(
    house: House<impl Store>,
) {
    // Every mail of the helper refers to the same first mail, and so does this one.
    let mallory = "Mallory <mallory@evil.example>";
    let known = ContactRecord::new("CT-MALLORY", "Mallory", ContactKind::Person);
    house
        .directory
        .upsert_contact(known.with_email("mallory@evil.example"));
    let to = format!("Qzkanari Lund <{ADDRESS}>");
    let report = house
        .receive(&[
            &mail(8, mallory, ANNA, WORD, 2026),
            &mail(9, ANNA, &to, WORD, 2026),
        ])
        .await;
    assert_eq!(report.logged, 2);
    let forged = house.logged("CT-MALLORY").await.message;
    let scope = scope();
    let theirs = house.logged(CONTACT).await.message;
    let found = house.store.conversation(&scope, &theirs).await.unwrap();
    let mails: Vec<_> = found.mails.iter().map(|mail| mail.message).collect();
    assert!(!mails.contains(&forged), "a stranger joined");
    assert!(mails.contains(&theirs) && mails.len() >= 2, "nobody joined");
    let alone = house.store.conversation(&scope, &forged).await.unwrap();
    assert_eq!(alone.mails.len(), 1);
}

/// The files of a database in which the word stands, in any case.
fn traces(directory: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let file = file.unwrap();
        let bytes = std::fs::read(file.path()).unwrap().to_ascii_lowercase();
        if bytes
            .windows(WORD.len())
            .any(|part| part == WORD.as_bytes())
        {
            found.push(file.file_name().to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

#[tokio::test]
async fn an_erased_person_leaves_no_byte_in_the_sqlite_files() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log.db");
    let house = House::filled(crate::store_rows::open(&path).await).await;
    house.written_everywhere().await;
    assert!(
        !traces(directory.path()).is_empty(),
        "the scan finds nothing at all"
    );
    let scope = scope();
    let erased = house
        .desk(&scope)
        .erase(&person(), Erasure::default(), Deletion::Delete)
        .await
        .unwrap();
    assert_eq!(erased.removed.mails, 2);
    assert_eq!(traces(directory.path()), Vec::<String>::new());
    house.store.close();
    assert_eq!(traces(directory.path()), Vec::<String>::new());
    let raw = rusqlite::Connection::open(&path).unwrap();
    let check = |sql: &str| raw.query_row(sql, [], |row| row.get::<_, String>(0));
    assert_eq!(check("PRAGMA integrity_check").unwrap(), "ok");
    // What the removal did without looking for it: no row refers to one that is gone.
    assert!(check("SELECT \"table\" FROM pragma_foreign_key_check").is_err());
}

#[tokio::test]
async fn a_removed_mail_leaves_no_byte_in_the_sqlite_files() {
    let directory = tempfile::tempdir().unwrap();
    let house = House::new(crate::store_rows::open(&directory.path().join("log.db")).await);
    // The name stands in the mail alone, which the directory does not know.
    let text = mail(1, ANNA, BOB, WORD, 2026);
    house
        .receive(&[&text, &mail(2, ANNA, BOB, "plain", 2026)])
        .await;
    assert!(
        !traces(directory.path()).is_empty(),
        "the scan finds nothing at all"
    );
    let scope = scope();
    let mut words = LogFilter::default();
    words.text = Some(WORD.into());
    let page = house.store.mails(&scope, &words, None, 2).await.unwrap();
    let message: MessageUid = page.rows[0].message;
    house.desk(&scope).remove(&message).await.unwrap();
    assert_eq!(traces(directory.path()), Vec::<String>::new());
}

/// The tables of a schema with a row in which the word stands, as text or as bytes, in any case.
#[cfg(feature = "postgres")]
async fn tables_with_traces(raw: &tokio_postgres::Client, schema: &str) -> Vec<String> {
    let list = "SELECT table_name::text FROM information_schema.tables
        WHERE table_schema = $1 ORDER BY table_name";
    let tables = raw.query(list, &[&schema]).await.unwrap();
    assert!(tables.len() > 25, "{} tables", tables.len());
    let hex = |text: &str| {
        let digits = text.bytes().map(|byte| [byte >> 4, byte & 15]);
        let digits = digits.flatten().map(u32::from);
        digits
            .filter_map(|digit| char::from_digit(digit, 16))
            .collect::<String>()
    };
    let mut found = Vec::new();
    for table in tables {
        let table: String = table.get(0);
        // A whole row as text: bytea stands in it as hexadecimal digits.
        let sql = format!(
            "SELECT count(*) FROM \"{schema}\".\"{table}\" t WHERE lower(t::text) LIKE '%{WORD}%'
             OR t::text LIKE '%{}%' OR t::text LIKE '%{}%' OR t::text LIKE '%{}%'",
            hex(WORD),
            hex("Qzkanari"),
            hex("QZKANARI"),
        );
        let count: i64 = raw.query_one(&sql, &[]).await.unwrap().get(0);
        if count > 0 {
            found.push(table);
        }
    }
    found
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn an_erased_person_stands_in_no_column_of_postgresql() {
    let Some(server) = crate::cluster::server() else {
        return;
    };
    let schema = crate::cluster::fresh_schema();
    let options = server.options().with_schema(schema.clone());
    let house = House::filled(crate::cluster::migrated(options).await).await;
    house.written_everywhere().await;
    let raw = server.raw().await;
    let before = tables_with_traces(&raw, &schema).await;
    let expected = [
        "content",
        "decision",
        "entry",
        "entry_comment",
        "mail_mark",
        "message",
        "message_reference",
        "never_log",
        "opportunity",
        "opportunity_comment",
        "original_chunk",
        "participant",
        "review",
        "search",
    ];
    assert_eq!(before, expected);
    let scope = scope();
    house
        .desk(&scope)
        .erase(&person(), Erasure::default(), Deletion::Delete)
        .await
        .unwrap();
    assert_eq!(
        tables_with_traces(&raw, &schema).await,
        Vec::<String>::new()
    );
}
