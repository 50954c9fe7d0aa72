//! The Graph source behind the validator: every request that it makes, and the suite of its contract.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use email_logging::credential::{AccessToken, CredentialProvider};
use email_logging::error::codes;
use email_logging::source::graph::{GraphSource, GraphSourceBuilder};
use email_logging::source::{FolderPath, FolderRoot, ItemRef, MailFolders, MailSource};
use email_logging::testkit::conformance::source::{SourceFixture, run};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::{Error, Result, Scope};

use super::checked::{APP_TOKEN, CheckedGraph};

/// A mailbox of its own for each case, on one server behind one validator.
struct OnCheckedGraph {
    checked: Arc<CheckedGraph>,
    mailbox: String,
    source: Arc<GraphSource>,
}

impl std::fmt::Debug for OnCheckedGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnCheckedGraph")
    }
}

/// A provider of the token that the server knows.
#[derive(Debug)]
pub(crate) struct OneToken(pub(crate) String);

#[async_trait]
impl CredentialProvider for OneToken {
    async fn access_token(&self, _: &Scope, _: &str) -> Result<Option<AccessToken>> {
        Ok(Some(AccessToken::new(self.0.as_str(), None)))
    }
}

/// A source that knows the validator as Graph.
pub(crate) fn source(checked: &CheckedGraph, mailbox: &str) -> GraphSource {
    let builder = builder(checked, APP_TOKEN);
    builder.with_mailbox(mailbox).build().unwrap()
}

/// A source of the mailbox of whoever has this token: `/me`.
fn own_source(checked: &CheckedGraph, token: &str) -> GraphSource {
    builder(checked, token).build().unwrap()
}

fn builder(checked: &CheckedGraph, token: &str) -> GraphSourceBuilder {
    GraphSource::builder()
        .with_service_url(format!("{}/v1.0", checked.relay.origin))
        .with_access_token(Arc::new(OneToken(token.to_owned())))
        .dangerously_allow_plain_http_on_loopback()
}

fn mailbox(number: u64) -> String {
    format!("case{number}@corp.example")
}

fn token(number: u64) -> String {
    format!("token-of-person-{number}")
}

fn failed(cause: io::Error) -> Error {
    Error::new(&codes::INTERNAL, "fixture").with_source(cause)
}

fn path(name: &str) -> FolderPath {
    FolderPath::new(FolderRoot::Mailbox, [name])
}

impl OnCheckedGraph {
    fn new(checked: &Arc<CheckedGraph>, number: u64, own: bool) -> Self {
        let mailbox = mailbox(number);
        checked.graph.add_mailbox(&mailbox);
        for name in ["Queue", "Storage"] {
            checked
                .graph
                .add_folder(&format!(r"{mailbox}\{name}"))
                .unwrap();
        }
        Self {
            checked: Arc::clone(checked),
            source: Arc::new(if own {
                own_source(checked, &token(number))
            } else {
                source(checked, &mailbox)
            }),
            mailbox,
        }
    }

    fn place(&self, path: &FolderPath) -> String {
        format!("{}\\{}", self.mailbox, path.segments().join("\\"))
    }
}

#[async_trait]
impl SourceFixture for OnCheckedGraph {
    fn source(&self) -> Arc<dyn MailSource> {
        Arc::new(Arc::clone(&self.source))
    }

    fn folders(&self) -> Option<Arc<dyn MailFolders>> {
        Some(Arc::new(Arc::clone(&self.source)))
    }

    fn queue(&self) -> FolderPath {
        path("Queue")
    }

    fn storage(&self) -> FolderPath {
        path("Storage")
    }

    fn missing(&self) -> FolderPath {
        path("Missing")
    }

    async fn deliver(&self, original: Vec<u8>) -> Result<()> {
        if original.is_empty() {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "deliver"));
        }
        let queue = self.place(&self.queue());
        self.checked
            .graph
            .deliver(&queue, original)
            .map_err(failed)?;
        Ok(())
    }

    async fn take_away(&self, item: &ItemRef) -> Result<()> {
        self.checked.graph.remove_item(&item.id).map_err(failed)
    }

    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()> {
        let copied = self.checked.graph.copy_item(&item.id, &self.place(to));
        copied.map_err(failed)?;
        Ok(())
    }

    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>> {
        let items = self.checked.graph.items(&self.place(folder));
        let items = items.map_err(failed)?.into_iter();
        Ok(items.map(|item| item.mime.to_vec()).collect())
    }

    fn requests(&self) -> Option<u64> {
        Some(self.checked.relay.asked())
    }
}

async fn keeps_its_contract(checked: CheckedGraph, own: bool) {
    let checked = Arc::new(checked);
    let cases = AtomicU64::new(0);
    let report = run(async || {
        let number = cases.fetch_add(1, Ordering::Relaxed);
        OnCheckedGraph::new(&checked, number, own)
    })
    .await;
    report.assert_passed();
    assert!(report.passed() >= 20, "{report}");
    checked.assert_clean(100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_graph_source_keeps_its_contract_and_fits_the_metadata() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    keeps_its_contract(checked, false).await;
}

/// More than there are cases.
const PEOPLE: u64 = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_persons_own_mailbox_fits_the_metadata_too() {
    let graph = (0..PEOPLE).fold(SimulatedGraph::builder(), |graph, number| {
        graph.with_user_token(token(number), mailbox(number))
    });
    let Some(checked) = CheckedGraph::start_with(graph).await else {
        return;
    };
    keeps_its_contract(checked, true).await;
}
