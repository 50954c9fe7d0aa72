//! A host that embeds the crate: its contacts, its Exchange, one SQLite file. Here the Exchange is the simulated one.
//!
//! `cargo run --example embed`
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::credential::CredentialProvider;
use email_logging::directory::ContactDirectory;
use email_logging::logger::{RunError, RunReport, Schedule};
use email_logging::message::Address;
use email_logging::parties::{AddressParties, ContactKind, ContactMatch, SalespersonMatch};
use email_logging::source::FolderPath;
use email_logging::source::ews::{AddressPolicy, EwsSource};
use email_logging::store::{InteractionLog, LogFilter, SqliteStore};
use email_logging::{EmailLogger, Result, Scope};

/// The host's contacts and salespeople: who has which address.
#[derive(Debug, Default)]
struct Crm(BTreeMap<Address, AddressParties>);

#[async_trait]
impl ContactDirectory for Crm {
    // One call for all addresses of a batch, one answer for each. An outage is an error, never "nobody".
    async fn resolve(&self, _: &Scope, addresses: &[Address]) -> Result<Vec<AddressParties>> {
        let answers = addresses.iter().map(|address| self.0.get(address).cloned());
        Ok(answers.map(Option::unwrap_or_default).collect())
    }
}

fn crm() -> Result<Crm> {
    let anna = SalespersonMatch::new("AB", "Anna Berg");
    let tim = ContactMatch::new("CT000012", "Tim Lund", ContactKind::Person);
    Ok(Crm(BTreeMap::from([
        (
            "anna@corp.example".parse()?,
            AddressParties::nobody().with_salesperson(anna),
        ),
        (
            "tim@customer.example".parse()?,
            AddressParties::nobody().with_contact(tim),
        ),
    ])))
}

/// Where the host's own servers stand; without it only public addresses are connected to.
const OWN_NETWORKS: [&str; 2] = ["10.0.0.0/8", "127.0.0.0/8"];

/// Describes the connection. `private_root` is for a server whose certificate the platform does not trust.
fn connect(
    service_url: &str, // https://mail.corp.example/EWS/Exchange.asmx
    private_root: Option<&str>,
    account: Arc<dyn CredentialProvider>,
) -> Result<EwsSource> {
    let mut builder = EwsSource::builder(service_url)
        .with_basic(account)
        .with_address_policy(AddressPolicy::on_premises(OWN_NETWORKS)?);
    if let Some(pem) = private_root {
        builder = builder.with_trusted_roots(pem);
    }
    builder.build()
}

fn logger(exchange: EwsSource, store: &Arc<SqliteStore>) -> Result<EmailLogger> {
    EmailLogger::builder()
        .with_source(Arc::new(exchange))
        .with_directory(Arc::new(crm()?))
        .with_store(Arc::clone(store))
        .with_queue_folder(r"\Email Logging\Queue\".parse::<FolderPath>()?)
        .with_storage_folder(r"\Email Logging\Storage\".parse::<FolderPath>()?)
        .build()
}

/// Logs what lies in the queue folder, and prints the newest entries.
async fn log_mail(
    logger: &EmailLogger,
    store: &SqliteStore,
) -> Result<(), Box<dyn std::error::Error>> {
    let report = logger.run_once().await?;
    println!(
        "{} entries of {} mails, {} moved",
        report.entries, report.fetched, report.moved
    );

    let filter = LogFilter::default(); // all contacts; a contact card sets `filter.contact`
    let page = store.entries(&Scope::default(), &filter, None, 20).await?;
    for logged in page.rows {
        let entry = logged.entry;
        let (flow, contact) = (entry.information_flow.code(), entry.contact_name);
        println!("{}  {flow}  {contact}  {}", entry.date, entry.description);
    }
    Ok(())
}

/// Logs every ten minutes until `shutdown` is ready. A run that failed is told, and the next one goes on.
async fn keep_logging(
    logger: &EmailLogger,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), RunError> {
    let schedule = Schedule::default();
    let on_run = |run: &Result<RunReport, RunError>| match run {
        Ok(report) => println!("{} logged", report.logged),
        Err(error) => println!("failed: {error}"),
    };
    logger.run(&schedule, shutdown, on_run).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    use email_logging::credential::StaticCredentials;
    use email_logging::testkit::exchange::{SimulatedExchange, TlsCertificate};

    let server = SimulatedExchange::builder()
        .with_user("logger@corp.example", "s3cret")
        .with_public_folder(r"\Email Logging\Queue\")
        .with_public_folder(r"\Email Logging\Storage\")
        .with_tls(TlsCertificate::Trusted)
        .start()
        .await?;
    for (from, to, subject) in [
        ("anna@corp.example", "tim@customer.example", "Our offer"),
        ("tim@customer.example", "anna@corp.example", "Re: Our offer"),
        ("stranger@elsewhere.example", "anna@corp.example", "Hello"),
    ] {
        let mail = format!(
            "From: {from}\r\nTo: {to}\r\nSubject: {subject}\r\nDate: Mon, 5 Jan 2026 09:00:00 +0100\r\n\
             \r\nDear reader.\r\n"
        );
        server.deliver(r"\Email Logging\Queue\", mail)?;
    }
    let account = StaticCredentials::new().with_password("logger@corp.example", "s3cret");
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("log.sqlite");
    let exchange = connect(&server.url(), server.ca_pem(), Arc::new(account))?;
    let store = Arc::new(SqliteStore::open(&database)?);
    store.migrate().await?;
    let logger = logger(exchange, &store)?;
    log_mail(&logger, &store).await?;
    // A host hands over what its own shutdown waits for; here it is time to stop at once.
    keep_logging(&logger, std::future::ready(())).await?;
    Ok(())
}
