//! What validation asks of an Exchange server beyond mail and folders.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::builder::Options;
use super::{Made, OPERATION};
use crate::clock::Clock;
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::sign_in::SignIn;
use crate::setup::{ConnectionProbe, ServiceFacts, SignedIn, StorageRoom};
use crate::source::ews::EwsSource;
use crate::source::{Folder, FolderRights};

/// The probe of one connection.
pub(super) struct EwsProbe {
    source: EwsSource,
    sign_in: SignIn,
    service_url: String,
    as_owner: bool,
    scope: Scope,
    clock: Arc<dyn Clock>,
}

impl EwsProbe {
    /// The probe of a source.
    pub(super) fn new(
        source: EwsSource,
        sign_in: SignIn,
        made: &Made,
        options: &Options,
        scope: &Scope,
    ) -> Self {
        Self {
            source,
            sign_in,
            service_url: made.url.clone(),
            as_owner: made.as_owner,
            scope: scope.clone(),
            clock: Arc::clone(&options.shared.clock),
        }
    }
}

impl fmt::Debug for EwsProbe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EwsProbe")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionProbe for EwsProbe {
    async fn sign_in(&self) -> Result<SignedIn> {
        let url = &self.service_url;
        self.sign_in.sign_in(OPERATION, &self.scope, url).await
    }

    async fn reach(&self) -> Result<ServiceFacts> {
        let greeting = self.source.greet().await?;
        Ok(ServiceFacts {
            clock: greeting.date,
            asked_at: Some(self.clock.now()),
            version: greeting.version,
            online: greeting.online,
        })
    }

    fn is_online(&self) -> Option<bool> {
        let url = crate::http::ServiceUrl::parse(&self.service_url, true).ok()?;
        let host = url.as_url().host_str()?;
        Some(crate::exchange_online::is_service(host))
    }

    async fn reads_mailbox(&self, smtp_address: &str) -> Result<Option<bool>> {
        self.source.reads_inbox(smtp_address, self.as_owner).await
    }

    async fn rights(&self, folder: &Folder) -> Result<Option<FolderRights>> {
        self.source.rights_in(folder).await
    }

    async fn room(&self, folder: &Folder) -> Result<Option<StorageRoom>> {
        let room = self.source.room_of(folder).await?;
        Ok(room.map(|(used, limit)| StorageRoom::new(used, limit)))
    }

    async fn newest_mail(&self, folder: &Folder) -> Result<Option<Option<Timestamp>>> {
        self.source.newest_in(folder).await.map(Some)
    }
}
