//! Each rule of privacy after logging, on the store in memory, on SQLite and on PostgreSQL.

use std::sync::Arc;

use email_logging::decision::NeverLog;
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::logger::RunReport;
use email_logging::message::MailFacts;
use email_logging::opportunity::{Creation, NumberSeries};
use email_logging::parties::ContactKind;
use email_logging::privacy::{MARKED_PRIVATE, Person, RetentionRule, Viewer, Visibility};
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::{
    Annotation, Deletion, Erasure, EventFeed as _, InteractionLog as _, InteractionStore,
    LogFilter, LoggedMail, Mark, MarkKind, MemoryStore, OpportunitySetup, OpportunityStore,
    PrivacyDesk, PrivacyStore, Resolution, ReviewFilter, ReviewStore, SqliteStore, VisibleLog,
};
use email_logging::{EmailLogger, ErrorKind, MessageUid, Scope};
use jiff::Timestamp;

/// Every role that the rules need.
trait Store:
    InteractionStore + ReviewStore + OpportunityStore + PrivacyStore + Send + Sync + 'static
{
}

impl<T: InteractionStore + ReviewStore + OpportunityStore + PrivacyStore> Store for T {}

/// A word that stands in all that is known of one person.
const WORD: &str = "qzkanari";
const ADDRESS: &str = "qzkanari@qz.example";
const CONTACT: &str = "CT-QZKANARI";

/// A company that logs mail into a store.
struct House<S> {
    store: Arc<S>,
    source: MemorySource,
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
            .with_contact(contact(CONTACT, "Qzkanari Lund", ADDRESS))
            .with_contact(contact("CT-BOB", "Bob Holm", "bob@customer.example"));
        let store = Arc::new(store);
        let logger = EmailLogger::builder()
            .with_source(Arc::new(source.clone()))
            .with_directory(Arc::new(directory))
            .with_store(Arc::clone(&store))
            .with_queue_folder(queue.clone())
            .with_storage_folder(storage.clone())
            .with_not_logged_folder(not_logged.clone())
            .build()
            .unwrap();
        Self {
            store,
            source,
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
        let creation = Creation::on("2026-05-04".parse().unwrap());
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
