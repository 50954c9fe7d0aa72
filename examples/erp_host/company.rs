//! The company of the demo: a simulated Exchange with sample mails, and the identity service that its administrator uses.

use std::io;
use std::path::Path;

use email_logging::setup::MailService;
use email_logging::testkit::exchange::{Delivery, SimulatedExchange, TlsCertificate};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::testkit::identity::{Application, SimulatedIdentity};
use jiff::Timestamp;

use crate::samples;

/// The mailbox that the job reads as.
pub(crate) const MAILBOX: &str = "logger@tidewheel.example";
/// The queue folder.
pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
/// The storage folder.
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
/// The application that is registered at the identity service.
pub(crate) const CLIENT: &str = "8a4f2a70-52a4-4f86-9a0e-0d1f6f3f2b11";
/// The one that is registered for Microsoft Graph, with the same secret.
pub(crate) const GRAPH_CLIENT: &str = "5d0e9f0c-7c41-4a39-9d52-66a1f1d0a7c3";
/// The host of the worldwide Microsoft Graph.
pub(crate) const GRAPH: &str = "graph.microsoft.com";
/// The company's mail gateway, as it signs what it found out about a sender.
pub(crate) const GATEWAY: &str = "mx.tidewheel.example";
/// The server at which the company's own people sign in.
pub(crate) const SERVER: &str = "ex01.tidewheel.example";
/// Its secret. It protects nothing.
pub(crate) const SECRET: &str = "simulated-secret";

/// The servers of the company, as long as the program runs.
#[derive(Debug)]
pub(crate) struct Company {
    pub(crate) exchange: SimulatedExchange,
    /// The same mailboxes, as Microsoft Graph shows them.
    pub(crate) graph: SimulatedGraph,
    pub(crate) identity: SimulatedIdentity,
}

impl Company {
    /// Starts the servers and fills the queue. `landing` is where the administrator's browser comes back to.
    pub(crate) async fn start(landing: &str, mails: Option<&Path>) -> io::Result<Self> {
        let application = Application::new(CLIENT)
            .with_secret(SECRET)
            .with_redirect_url(landing)
            .with_role("full_access_as_app")
            .with_scope("EWS.AccessAsUser.All");
        let by_graph = Application::new(GRAPH_CLIENT)
            .with_secret(SECRET)
            .with_redirect_url(landing)
            .with_role("Mail.ReadWrite")
            .with_scope("Mail.ReadWrite");
        let identity = SimulatedIdentity::builder()
            .with_application(application)
            .with_application(by_graph)
            .with_user_name(MAILBOX)
            .start()
            .await?;
        let exchange = SimulatedExchange::builder()
            .with_mailbox(MAILBOX)
            .with_public_folder(QUEUE)
            .with_public_folder(STORAGE)
            .with_application_access([MAILBOX])
            .with_bearer(&identity)
            .with_clock(Timestamp::now)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await?;
        let graph = SimulatedGraph::over(&exchange)
            .with_host_name(GRAPH)
            .with_application_access([MAILBOX])
            .with_bearer(&identity)
            .start()
            .await?;
        exchange.set_quota(STORAGE, Some(1 << 30))?;
        match mails {
            Some(folder) => deliver(&exchange, folder)?,
            None => deliver_samples(&exchange)?,
        }
        Ok(Self {
            exchange,
            graph,
            identity,
        })
    }

    /// A customer writes: one more mail for the queue, which is the inbox of the mailbox where Graph reaches it.
    pub(crate) fn customer_writes(&self, number: u64, service: MailService) -> io::Result<()> {
        let now = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S +0000");
        let mail = format!(
            "From: Margaux Delorme <margaux.delorme@vallee-hydraulique.example>\r\n\
             To: Ada Holm <ada.holm@tidewheel.example>\r\nSubject: Pump P-{number}: when can you deliver?\r\n\
             Date: {now}\r\nMessage-ID: <pump-{number}@vallee-hydraulique.example>\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nDear Ada,\r\n\r\nwe would like to order. \
             When can you deliver?\r\n\r\nMargaux\r\n"
        );
        if service == MailService::Graph {
            let inbox = format!(r"{MAILBOX}\Inbox");
            return self
                .graph
                .deliver(&inbox, stamped(mail.as_bytes()))
                .map(drop);
        }
        self.exchange
            .deliver(QUEUE, stamped(mail.as_bytes()))
            .map(drop)
    }
}

/// Somebody outside gives himself out as a salesperson; the gateway saw it.
const FORGED: &str = "Authentication-Results: mx.tidewheel.example; spf=fail; dkim=none; dmarc=fail header.from=tidewheel.example\r\n\
    From: Ada Holm <ada.holm@tidewheel.example>\r\n\
    To: Margaux Delorme <margaux.delorme@vallee-hydraulique.example>\r\nSubject: Our bank account has changed\r\n\
    Date: Mon, 18 May 2026 09:30:00 +0000\r\nMessage-ID: <account@elsewhere.example>\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\nDear Margaux,\r\n\r\nplease pay to the new account from now on.\r\n\r\nAda\r\n";

/// Puts the sample mails into the queue, as the company's gateway and server hand them on, and one that is forged.
fn deliver_samples(exchange: &SimulatedExchange) -> io::Result<()> {
    for sample in samples::SAMPLES {
        let mut delivery = Delivery::new(stamped(sample.original));
        if let Some(received) = sample.received() {
            delivery = delivery.with_received(received);
        }
        exchange.deliver_with(QUEUE, delivery)?;
    }
    let mut forged = Delivery::new(FORGED);
    if let Ok(received) = "2026-05-18T09:30:04Z".parse() {
        forged = forged.with_received(received);
    }
    exchange.deliver_with(QUEUE, forged).map(drop)
}

/// A mail below what is said of its sender: of the company's own people by the server, of others by the gateway.
fn stamped(mail: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(mail);
    let mut lines = text.lines().take_while(|line| !line.is_empty());
    let from = lines.find(|line| line.to_ascii_lowercase().starts_with("from:"));
    let from = from.unwrap_or_default();
    let address = from.rsplit_once('<').map_or(from, |(_, address)| address);
    let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
    let domain = domain.trim_end_matches('>').to_ascii_lowercase();
    let own = ["tidewheel.example", "tidewheel-service.example"].contains(&domain.as_str());
    let says = "X-MS-Exchange-Organization-AuthAs: Internal";
    let stamp = if own {
        // Some of the samples have the one field, and none the other.
        let source = format!("X-MS-Exchange-Organization-AuthSource: {SERVER}\r\n");
        if text.contains(says) {
            source
        } else {
            format!("{source}{says}\r\n")
        }
    } else {
        format!("Authentication-Results: {GATEWAY}; dmarc=pass\r\n")
    };
    [stamp.as_bytes(), mail].concat()
}

/// Puts the mails of a folder into the queue as they are, each received when its file was changed last.
fn deliver(exchange: &SimulatedExchange, folder: &Path) -> io::Result<()> {
    let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files = files.collect::<io::Result<Vec<_>>>()?;
    files.sort();
    for file in files {
        let changed = std::fs::metadata(&file)?.modified()?;
        let mut delivery = Delivery::new(std::fs::read(file)?);
        if let Ok(received) = Timestamp::try_from(changed) {
            delivery = delivery.with_received(received);
        }
        exchange.deliver_with(QUEUE, delivery)?;
    }
    Ok(())
}
