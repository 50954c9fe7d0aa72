//! A host's own directory over its own table, checked against the contract of directories.
//!
//! `cargo run --example custom_directory`
//!
//! The ERP keeps people in one table. Email logging asks it for all addresses of a batch at once; the answer is one list
//! of candidates per address, in the order of the question. The suite that this crate checks its own directories with
//! runs here from outside, as it would in a host's tests, and so it tells whether mail will find its way.
#![allow(clippy::print_stdout, clippy::expect_used)]

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::directory::ContactDirectory;
use email_logging::error::{Error, Result, codes};
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind, ContactMatch, SalespersonMatch};
use email_logging::testkit::conformance::directory::{DirectoryBackend, run};
use email_logging::testkit::conformance::{CaseOutcome, Report};
use rusqlite::{Connection, params_from_iter};

const TABLE: &str = "
    CREATE TABLE people (tenant TEXT, no TEXT, name TEXT, kind TEXT, company_no TEXT, email TEXT);
    INSERT INTO people VALUES
        ('corp', 'AH', 'Annette Hill', 'salesperson', NULL, 'annette.hill@cronus.example'),
        ('corp', 'CT000001', 'Adatum', 'company', 'CT000001', 'office@adatum.example'),
        ('corp', 'CT000007', 'Robert Townes', 'person', 'CT000001', 'robert@adatum.example'),
        ('corp', 'CT000008', 'Helen Ray', 'person', 'CT000001', 'office@adatum.example');
    CREATE INDEX people_email ON people (tenant, email COLLATE NOCASE);";

/// The most addresses of one statement, below SQLite's limit of parameters.
const STATEMENT: usize = 500;

/// The table of people. SQLite stands for whatever the ERP has.
#[derive(Debug)]
struct PeopleTable(Mutex<Connection>);

#[async_trait]
impl ContactDirectory for PeopleTable {
    async fn resolve(&self, scope: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let found = self.look_up(scope, addresses).map_err(|cause| {
            // Never "nobody": the run ends, nothing moves, and the next run asks again.
            Error::new(&codes::DIRECTORY_UNAVAILABLE, "resolve").with_source(cause)
        })?;
        let answer = |address: &Address| found.get(address.as_str()).cloned();
        let answers = addresses
            .iter()
            .map(|address| answer(address).unwrap_or_default());
        Ok(answers.collect())
    }
}

impl PeopleTable {
    fn open(sql: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(sql)?;
        Ok(Self(Mutex::new(connection)))
    }

    /// Everybody who has one of the addresses, by address.
    fn look_up(
        &self,
        scope: &Scope,
        addresses: &[Address],
    ) -> rusqlite::Result<BTreeMap<String, AddressParties>> {
        let table = self
            .0
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut found: BTreeMap<String, AddressParties> = BTreeMap::new();
        for part in addresses.chunks(STATEMENT) {
            let places = vec!["?"; part.len()].join(", ");
            let mut query = table.prepare(&format!(
                "SELECT lower(email), kind, no, name, company_no FROM people
                 WHERE tenant = ? AND email COLLATE NOCASE IN ({places}) ORDER BY no"
            ))?;
            let texts = part.iter().map(Address::as_str);
            let mut rows =
                query.query(params_from_iter([scope.tenant()].into_iter().chain(texts)))?;
            while let Some(row) = rows.next()? {
                let parties = found.entry(row.get(0)?).or_default();
                add(parties, row)?;
            }
        }
        Ok(found)
    }
}

/// Adds the person of a row. An address of several is no mistake: the policy chooses, and says so in the trace.
fn add(parties: &mut AddressParties, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    let (kind, no, name): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    if kind == "salesperson" {
        parties
            .salespeople
            .push(SalespersonMatch::new(no.as_str(), name));
        return Ok(());
    }
    let kind = match kind.as_str() {
        "company" => ContactKind::Company,
        _ => ContactKind::Person,
    };
    let mut contact = ContactMatch::new(no.as_str(), name, kind);
    if let Some(company) = row.get::<_, Option<String>>(4)? {
        contact = contact.with_company(company.as_str());
    }
    parties.contacts.push(contact);
    Ok(())
}

/// A fresh table with what it must answer, and one whose table is missing.
async fn table() -> DirectoryBackend {
    let people = PeopleTable::open(TABLE).expect("the table of the example");
    let away = PeopleTable::open("").expect("an empty database");
    let scope = |tenant| Scope::new(tenant, "default").expect("a short name");
    let adatum = ContactMatch::new("CT000001", "Adatum", ContactKind::Company);
    let helen = ContactMatch::new("CT000008", "Helen Ray", ContactKind::Person);
    let office = AddressParties::nobody()
        .with_contact(adatum.with_company("CT000001"))
        .with_contact(helen.with_company("CT000001"));
    let annette = SalespersonMatch::new("AH", "Annette Hill");
    DirectoryBackend::new(people)
        .with_scope(scope("corp"))
        .with_other_scope(scope("another tenant"))
        .with_known(
            "annette.hill@cronus.example",
            AddressParties::nobody().with_salesperson(annette),
        )
        .with_known("office@adatum.example", office)
        .with_outage(away)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let report = run(table).await;
    println!("Does the table of people keep the promises of a contact directory?\n");
    for case in &report.cases {
        match &case.outcome {
            CaseOutcome::Passed => println!("  yes      {}", case.sentence()),
            CaseOutcome::Failed(seen) => {
                println!("  NO       {}\n           {seen}", case.sentence());
            }
            CaseOutcome::Skipped(why) => println!("  -        {} ({why})", case.sentence()),
            _ => {}
        }
    }
    println!("\n{}", verdict(&report));
    if report.failed() == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn verdict(report: &Report) -> String {
    let (passed, failed, skipped) = (report.passed(), report.failed(), report.skipped());
    if failed == 0 {
        format!(
            "It does: {passed} promises hold, {skipped} not asked. Mail can be matched with it."
        )
    } else {
        format!("It does not: {failed} promises are broken. Mail would be matched wrongly.")
    }
}
