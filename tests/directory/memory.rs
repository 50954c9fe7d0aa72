//! The directory in memory.

use std::sync::Arc;

use email_logging::Scope;
use email_logging::directory::{
    ContactDirectory, ContactEditor, ContactRecord, DirectoryAudit as _, DirectoryRecords,
    MemoryDirectory, ProblemKind, SalespersonRecord,
};
use email_logging::message::{Address, UnusableAddress};
use email_logging::parties::{ContactKind, MatchedBy, NewContact};

fn address(text: &str) -> Address {
    Address::parse(text).unwrap()
}

fn person(no: &str) -> ContactRecord {
    ContactRecord::new(no, format!("Name of {no}"), ContactKind::Person)
}

fn company(no: &str) -> ContactRecord {
    ContactRecord::new(no, format!("Name of {no}"), ContactKind::Company)
}

/// The contacts at an address, with the field.
fn contacts(directory: &MemoryDirectory, text: &str) -> Vec<(String, MatchedBy)> {
    let found = directory.parties(&address(text)).contacts.into_iter();
    found
        .map(|contact| (contact.no.to_string(), contact.matched_by))
        .collect()
}

fn one(no: &str, field: MatchedBy) -> Vec<(String, MatchedBy)> {
    vec![(no.to_owned(), field)]
}

#[test]
fn each_field_answers_with_how_it_matched() {
    let directory = MemoryDirectory::new()
        .with_contact(
            person("C1")
                .with_email("One@First.example")
                .with_email2("one@second.example"),
        )
        .with_contact(person("C2").with_email("a@list.example;b@list.example; c@list.example;"))
        .with_contact(person("C3").with_alternative("HOME", "three@home.example"));
    assert_eq!(
        contacts(&directory, "one@first.EXAMPLE"),
        one("C1", MatchedBy::Email)
    );
    assert_eq!(
        contacts(&directory, "one@second.example"),
        one("C1", MatchedBy::Email2)
    );
    for text in ["a@list.example", "b@list.example", "c@list.example"] {
        assert_eq!(contacts(&directory, text), one("C2", MatchedBy::EmailList));
    }
    assert_eq!(
        contacts(&directory, "three@home.example"),
        one("C3", MatchedBy::AlternativeAddress)
    );
    assert_eq!(contacts(&directory, "nobody@first.example"), []);
    let found = directory.parties(&address("three@home.example"));
    assert_eq!(found.contacts[0].alt_address_code.as_deref(), Some("HOME"));
}

#[test]
fn a_companys_address_answers_the_company_and_who_inherited_it() {
    let directory = MemoryDirectory::new()
        .with_contact(company("C1").with_email("info@firm.example"))
        .with_contact(
            person("C2")
                .with_company("C1")
                .with_email("info@firm.example")
                .with_inherited(true),
        )
        .with_contact(person("C3").with_company("C1").with_inherited(true))
        .with_contact(person("C4").with_company("C1"));
    let expected = [
        ("C1".to_owned(), MatchedBy::Email),
        ("C2".to_owned(), MatchedBy::Inherited),
        ("C3".to_owned(), MatchedBy::Inherited),
    ];
    assert_eq!(contacts(&directory, "info@firm.example"), expected);
    let found = directory.parties(&address("info@firm.example")).contacts;
    assert!(
        found
            .iter()
            .all(|contact| contact.company_no == Some("C1".into()))
    );
}

#[test]
fn a_record_answers_once_per_address_with_its_best_field() {
    let record = person("C1")
        .with_email("x@a.example")
        .with_email2("X@a.example")
        .with_alternative("ALT", "x@a.example");
    let directory = MemoryDirectory::new().with_contact(record);
    assert_eq!(
        contacts(&directory, "x@a.example"),
        one("C1", MatchedBy::Email)
    );
}

#[test]
fn salespeople_are_found_by_email_and_alias() {
    let record = SalespersonRecord::new("AH", "Ada", "ada@own.example")
        .with_alias("a.holm@own.example")
        .with_active(false);
    let directory = MemoryDirectory::new().with_salesperson(record);
    for (text, field) in [
        ("ada@own.example", MatchedBy::Email),
        ("a.holm@own.example", MatchedBy::Alias),
    ] {
        let found = directory.parties(&address(text)).salespeople;
        assert_eq!(
            (found[0].matched_by, found[0].active, found.len()),
            (field, false, 1)
        );
    }
}

#[test]
fn a_record_with_an_unusable_address_is_named_and_found_by_its_others() {
    let mut records = DirectoryRecords::default();
    records.contact.push(
        person("C2")
            .with_email("no address")
            .with_email2("two@a.example"),
    );
    records
        .contact
        .push(person("C1").with_email("one@a.example; "));
    records
        .contact
        .push(person("C1").with_email("again@a.example"));
    records
        .salesperson
        .push(SalespersonRecord::new("AH", "Ada", "ada").with_alias("@"));
    let directory = MemoryDirectory::from_records(records);
    let malformed = ProblemKind::UnusableAddress(UnusableAddress::Malformed);
    let problems: Vec<_> = directory
        .problems()
        .into_iter()
        .map(|problem| (problem.record, problem.field, problem.kind))
        .collect();
    let expected = [
        ("AH".to_owned(), "aliases", malformed),
        ("AH".to_owned(), "email", malformed),
        ("C1".to_owned(), "key", ProblemKind::DuplicateKey),
        ("C2".to_owned(), "email", malformed),
    ];
    assert_eq!(problems, expected);
    assert_eq!(
        contacts(&directory, "two@a.example"),
        one("C2", MatchedBy::Email2)
    );
    assert_eq!(
        contacts(&directory, "one@a.example"),
        one("C1", MatchedBy::Email)
    );
    assert_eq!(contacts(&directory, "again@a.example"), []);
}

#[test]
fn clones_share_changes() {
    let directory = MemoryDirectory::new().with_contact(person("C1").with_email("one@a.example"));
    let clone = directory.clone();
    assert_eq!(contacts(&directory, "one@a.example").len(), 1);
    clone.upsert_contact(person("C1").with_email("new@a.example"));
    assert_eq!(contacts(&directory, "one@a.example"), []);
    assert_eq!(
        contacts(&directory, "new@a.example"),
        one("C1", MatchedBy::Email)
    );
    assert_eq!(
        clone.remove_contact(&"C1".into()).map(|record| record.no),
        Some("C1".into())
    );
    assert_eq!(contacts(&directory, "new@a.example"), []);
    assert_eq!(directory.remove_contact(&"C1".into()), None);
}

#[test]
fn debug_shows_no_record() {
    let directory = MemoryDirectory::new().with_contact(person("C1").with_email("one@a.example"));
    assert_eq!(
        format!("{directory:?}"),
        "MemoryDirectory { salespeople: 0, contacts: 1, .. }"
    );
}

#[tokio::test]
async fn answers_come_one_per_address_in_the_order_of_the_question() {
    let directory = MemoryDirectory::new()
        .with_contact(person("C2").with_email("x@a.example"))
        .with_contact(person("C1").with_email("x@a.example"))
        .with_salesperson(SalespersonRecord::new("AH", "Ada", "ada@own.example"));
    let question = [
        "ada@own.example",
        "nobody@a.example",
        "x@a.example",
        "ada@own.example",
    ];
    let question = question.map(address);
    let shared: Arc<dyn ContactDirectory> = Arc::new(directory);
    let answers = shared.resolve(&Scope::default(), &question).await.unwrap();
    let sizes: Vec<_> = answers
        .iter()
        .map(|found| (found.salespeople.len(), found.contacts.len()))
        .collect();
    assert_eq!(sizes, [(1, 0), (0, 0), (0, 2), (1, 0)]);
    assert_eq!(answers[2].contacts[0].no, "C1".into());
}

#[tokio::test]
async fn a_contact_is_created_once_per_address_under_the_next_number() {
    let directory = MemoryDirectory::new()
        .with_contact(person("C1").with_email("known@a.example"))
        .with_contact(person("NEW00002").with_email("taken@a.example"));
    let scope = Scope::default();
    let create =
        |text: &str, name: Option<&str>| NewContact::new(address(text), name.map(Into::into));
    let rows = [
        ("zoe@a.example", "NEW00001"),
        ("adam@a.example", "NEW00003"),
        ("zoe@a.example", "NEW00001"),
        ("known@a.example", "C1"),
        ("taken@a.example", "NEW00002"),
    ];
    for (text, expected) in rows {
        let no = directory
            .create_contact(&scope, &create(text, Some("Zoe")))
            .await
            .unwrap();
        assert_eq!(no, expected.into(), "{text}");
    }
    assert_eq!(
        contacts(&directory, "zoe@a.example"),
        one("NEW00001", MatchedBy::Email)
    );
    assert_eq!(directory.contact(&"NEW00001".into()).unwrap().name, "Zoe");
    let no = directory
        .create_contact(&scope, &create("x@a.example", None))
        .await
        .unwrap();
    assert_eq!(directory.contact(&no).unwrap().name, "x@a.example");
}

#[test]
fn records_are_read_from_toml_and_unknown_fields_are_refused() {
    let text = r#"
        own-domains = ["Own.example"]
        [[salesperson]]
        code = "AH"
        name = "Ada"
        email = "ada@own.example"
        [[contact]]
        no = "C1"
        name = "One"
        kind = "person"
        privacy-blocked = true
        [[contact.alternative]]
        code = "HOME"
        email = "one@home.example"
    "#;
    let records: DirectoryRecords = toml::from_str(text).unwrap();
    let directory = MemoryDirectory::from_records(records);
    assert_eq!(directory.own_domains(), ["own.example".to_owned()].into());
    assert!(directory.parties(&address("ada@own.example")).salespeople[0].active);
    assert!(directory.parties(&address("one@home.example")).contacts[0].privacy_blocked);
    let unknown = text.replace("privacy-blocked", "privacy-blockd");
    assert!(toml::from_str::<DirectoryRecords>(&unknown).is_err());
}

#[tokio::test]
async fn an_audit_names_records_without_an_address_page_by_page() {
    let directory = MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AB", "Anna", " ; "))
        .with_salesperson(SalespersonRecord::new("CD", "Carl", "").with_alias("carl@x.example"))
        .with_salesperson(SalespersonRecord::new("EF", "Eva", "").with_active(false))
        .with_contact(ContactRecord::new("C1", "Tim", ContactKind::Person))
        .with_contact(
            ContactRecord::new("C2", "Ute", ContactKind::Person).with_email("no address"),
        );
    let scope = Scope::default();
    let all = directory.audit(&scope, 0, 10).await.unwrap();
    let listed: Vec<_> = all.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        listed,
        [
            "AB: email is missing",
            "C1: email is missing",
            "C2: email is malformed"
        ]
    );
    assert!(all.complete);
    let first = directory.audit(&scope, 0, 2).await.unwrap();
    let second = directory.audit(&scope, 2, 2).await.unwrap();
    assert!(!first.complete && second.complete);
    assert_eq!([first.problems, second.problems].concat(), all.problems);
}
