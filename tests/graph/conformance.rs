//! The Graph source keeps the contract of sources, on the simulated Graph over HTTP.

use std::io;
use std::sync::Arc;

use async_trait::async_trait;
use email_logging::error::codes;
use email_logging::source::graph::GraphSource;
use email_logging::source::{FolderPath, FolderRoot, ItemRef, MailFolders, MailSource};
use email_logging::testkit::conformance::source::{SourceFixture, run};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::{Error, Result};

use crate::support::{MAILBOX, graph, graph_with, source};

struct OnGraph {
    server: SimulatedGraph,
    source: Arc<GraphSource>,
}

impl std::fmt::Debug for OnGraph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnGraph")
    }
}

fn failed(cause: io::Error) -> Error {
    Error::new(&codes::INTERNAL, "fixture").with_source(cause)
}

fn path(name: &str) -> FolderPath {
    FolderPath::new(FolderRoot::Mailbox, ["Email Logging", name])
}

/// A path as the simulation writes it.
fn place(path: &FolderPath) -> String {
    format!("{MAILBOX}\\{}", path.segments().join("\\"))
}

#[async_trait]
impl SourceFixture for OnGraph {
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
            // Exchange renders no empty MIME: an answer without it means that there is no original.
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "deliver"));
        }
        let queue = place(&self.queue());
        self.server.deliver(&queue, original).map_err(failed)?;
        Ok(())
    }

    async fn take_away(&self, item: &ItemRef) -> Result<()> {
        self.server.remove_item(&item.id).map_err(failed)
    }

    async fn copy(&self, item: &ItemRef, to: &FolderPath) -> Result<()> {
        let copied = self.server.copy_item(&item.id, &place(to));
        copied.map_err(failed)?;
        Ok(())
    }

    async fn contents(&self, folder: &FolderPath) -> Result<Vec<Vec<u8>>> {
        let items = self.server.items(&place(folder)).map_err(failed)?;
        Ok(items.into_iter().map(|item| item.mime.to_vec()).collect())
    }

    fn requests(&self) -> Option<u64> {
        Some(self.server.statistics().requests)
    }
}

fn fixture(server: SimulatedGraph) -> OnGraph {
    for folder in ["Queue", "Storage"] {
        server.add_folder(&place(&path(folder))).unwrap();
    }
    let source = Arc::new(source(&server).0);
    OnGraph { server, source }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_graph_source_keeps_the_contract() {
    let report = run(async || fixture(graph().await)).await;
    report.assert_passed();
    assert_eq!((report.passed(), report.skipped()), (25, 6), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_graph_source_keeps_the_contract_where_pages_have_tokens_and_answers_come_in_pieces() {
    let make = async || fixture(graph_with(|it| it.with_skip_tokens().with_chunk_size(700)).await);
    let report = run(make).await;
    report.assert_passed();
}
