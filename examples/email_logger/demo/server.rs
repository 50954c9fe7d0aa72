//! The mail system of the demo: a simulated Exchange by EWS, or a simulated Microsoft Graph.

use std::io;
use std::sync::Arc;

use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::source::MailSource;
use email_logging::source::ews::{AddressPolicy, EwsSource};
use email_logging::source::graph::GraphSource;
use email_logging::testkit::exchange::{Delivery, SimulatedExchange, TlsCertificate};
use email_logging::testkit::graph::SimulatedGraph;

use crate::connect::Account;
use crate::exit::Failure;
use crate::samples::{self, SAMPLES};
use crate::simulate::{self, LOOPBACK, PASSWORD, QUARANTINE, QUEUE, STORAGE, USER};

/// The token of the application at the simulated Graph. It protects nothing.
const TOKEN: &str = "simulated~token~of~nobody";

/// The folders at Graph, which has none but those of a mailbox.
const GRAPH_FOLDERS: [&str; 3] = ["inbox:", "archive:", r"mailbox:\Quarantine\"];

/// A running one.
pub(super) enum Server {
    Ews(SimulatedExchange),
    Graph(SimulatedGraph),
}

impl Server {
    pub(super) async fn start(graph: bool) -> Result<Self, Failure> {
        let failed = |error| Failure::input("the server cannot start", &error);
        if !graph {
            let builder = simulate::builder().with_tls(TlsCertificate::Trusted);
            return builder.start().await.map(Self::Ews).map_err(failed);
        }
        let builder = SimulatedGraph::builder().with_mailbox(USER);
        let started = builder.with_app_token(TOKEN).start().await;
        let graph = started.map_err(failed)?;
        graph.add_folder(&at(GRAPH_FOLDERS[2])).map_err(failed)?;
        Ok(Self::Graph(graph))
    }

    /// Puts the samples into the queue.
    pub(super) fn deliver(&self) -> io::Result<usize> {
        let graph = match self {
            Self::Ews(exchange) => return samples::deliver(exchange, QUEUE),
            Self::Graph(graph) => graph,
        };
        for sample in SAMPLES {
            let mut delivery = Delivery::new(sample.original);
            if let Some(received) = sample.received() {
                delivery = delivery.with_received(received);
            }
            graph.deliver_with(&at(GRAPH_FOLDERS[0]), delivery)?;
        }
        Ok(SAMPLES.len())
    }

    /// What reads the mail.
    pub(super) fn source(&self) -> Result<Arc<dyn MailSource>, Failure> {
        let policy = AddressPolicy::on_premises([LOOPBACK])?;
        match self {
            Self::Ews(exchange) => {
                let mut source = EwsSource::builder(exchange.url())
                    .with_basic(Arc::new(Account::with_password(USER, PASSWORD)))
                    .with_address_policy(policy);
                if let Some(pem) = exchange.ca_pem() {
                    source = source.with_trusted_roots(pem);
                }
                Ok(Arc::new(source.build()?))
            }
            Self::Graph(graph) => {
                let token =
                    StaticCredentials::new().with_access_token(AccessToken::new(TOKEN, None));
                let mut source = GraphSource::builder()
                    .with_service_url(graph.url())
                    .with_mailbox(USER)
                    .with_access_token(Arc::new(token))
                    .with_address_policy(policy);
                if let Some(pem) = graph.root_pem() {
                    source = source.with_trusted_roots(pem);
                }
                Ok(Arc::new(source.build()?))
            }
        }
    }

    /// Queue, storage and quarantine folder, as a logger names them.
    pub(super) fn folders(&self) -> [&'static str; 3] {
        match self {
            Self::Ews(_) => [QUEUE, STORAGE, QUARANTINE],
            Self::Graph(_) => GRAPH_FOLDERS,
        }
    }

    pub(super) fn count(&self, folder: &str) -> usize {
        let count = match self {
            Self::Ews(exchange) => exchange.count(folder),
            Self::Graph(graph) => graph.count(&at(folder)),
        };
        count.unwrap_or(0)
    }

    pub(super) fn url(&self) -> String {
        match self {
            Self::Ews(exchange) => exchange.url(),
            Self::Graph(graph) => graph.url(),
        }
    }

    pub(super) fn requests(&self) -> u64 {
        match self {
            Self::Ews(exchange) => exchange.statistics().requests,
            Self::Graph(graph) => graph.statistics().requests,
        }
    }

    pub(super) async fn shutdown(self) {
        match self {
            Self::Ews(exchange) => exchange.shutdown().await,
            Self::Graph(graph) => graph.shutdown().await,
        }
    }
}

/// A folder of the mailbox, as the simulation names it.
fn at(folder: &str) -> String {
    let name = match folder {
        "inbox:" => "Inbox",
        "archive:" => "Archive",
        other => other.trim_start_matches("mailbox:").trim_matches('\\'),
    };
    format!(r"{USER}\{name}")
}
