//! What validation asks of Microsoft Graph beyond mail and folders. Rights in a folder and the size of a mailbox it does not tell.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::OPERATION;
use crate::clock::Clock;
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::sign_in::{Options, SignIn};
use crate::setup::{ConnectionProbe, ServiceFacts, SignedIn};
use crate::source::Folder;
use crate::source::graph::GraphSource;

/// The probe of one connection.
pub(super) struct GraphProbe {
    source: GraphSource,
    sign_in: SignIn,
    service_url: String,
    scope: Scope,
    clock: Arc<dyn Clock>,
}

impl GraphProbe {
    /// The probe of a source.
    pub(super) fn new(
        source: GraphSource,
        sign_in: SignIn,
        service_url: String,
        options: &Options,
        scope: &Scope,
    ) -> Self {
        Self {
            source,
            sign_in,
            service_url,
            scope: scope.clone(),
            clock: Arc::clone(&options.clock),
        }
    }
}

impl fmt::Debug for GraphProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphProbe")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionProbe for GraphProbe {
    async fn sign_in(&self) -> Result<SignedIn> {
        let url = &self.service_url;
        self.sign_in.sign_in(OPERATION, &self.scope, url).await
    }

    async fn reach(&self) -> Result<ServiceFacts> {
        let greeting = self.source.greet().await?;
        Ok(ServiceFacts {
            clock: greeting.date,
            asked_at: Some(self.clock.now()),
            version: Some("Microsoft Graph".to_owned()),
            online: true,
        })
    }

    fn is_online(&self) -> Option<bool> {
        Some(true)
    }

    async fn reads_mailbox(&self, smtp_address: &str) -> Result<Option<bool>> {
        self.source.reads_inbox(smtp_address).await
    }

    async fn newest_mail(&self, folder: &Folder) -> Result<Option<Option<Timestamp>>> {
        self.source.newest_in(folder).await.map(Some)
    }
}
