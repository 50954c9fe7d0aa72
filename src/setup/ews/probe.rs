//! What validation asks of an Exchange server beyond mail and folders.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::builder::Options;
use super::sign_in::{SignIn, resource};
use super::{Made, OPERATION};
use crate::clock::Clock;
use crate::credential::CredentialProvider;
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
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
            clock: Arc::clone(&options.clock),
        }
    }

    async fn of_account(&self, provider: &Arc<dyn CredentialProvider>) -> Result<SignedIn> {
        let account = provider.password(&self.scope).await?;
        account.map(|_| SignedIn::opaque()).ok_or_else(|| {
            Error::new(&codes::CREDENTIAL_MISSING, OPERATION).with_detail("user name and password")
        })
    }

    async fn of_token(&self, provider: &Arc<dyn CredentialProvider>) -> Result<SignedIn> {
        let resource = resource(&self.service_url)?;
        let token = provider.access_token(&self.scope, &resource).await?;
        let missing =
            || Error::new(&codes::CREDENTIAL_MISSING, OPERATION).with_detail("access token");
        token.ok_or_else(missing).map(|token| read(&token))
    }
}

#[cfg(feature = "oauth2")]
fn read(token: &crate::credential::AccessToken) -> SignedIn {
    let said = token.facts().map(|facts| SignedIn {
        permissions: Some(facts.permissions),
        application: facts.application,
        credential_ends: None,
    });
    said.unwrap_or_default()
}

#[cfg(not(feature = "oauth2"))]
fn read(_: &crate::credential::AccessToken) -> SignedIn {
    SignedIn::opaque()
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
        match &self.sign_in {
            SignIn::Account(provider) => self.of_account(provider).await,
            SignIn::AccessToken(provider) => self.of_token(provider).await,
            #[cfg(feature = "oauth2")]
            SignIn::App(sign_in) => sign_in.sign_in().await,
            #[cfg(feature = "oauth2")]
            SignIn::Delegated(sign_in) => sign_in.sign_in().await,
        }
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
