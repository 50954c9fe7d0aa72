//! The connector for Exchange Web Services: from the fields of a set-up to a source, its folders and its probe.
//!
//! Owns what each authentication type means and what is kept between two connections of one set-up. It must not know SOAP.

mod builder;
mod probe;
mod service;
mod sign_in;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::sign_in::{SignIn, credential, of_connection};
use super::{EmailLoggingSetup, MailConnection, MailConnector};
use crate::error::Result;
use crate::scope::Scope;
use crate::source::ews::{EwsSource, PublicFolderRouting};
use crate::source::{FolderId, FolderPath, FolderRoot};

pub use builder::EwsConnectorBuilder;
use builder::Options;
use probe::EwsProbe;

const OPERATION: &str = "EwsConnector";

/// Connects to Exchange Web Services as a set-up says.
///
/// | authentication type | signs in | works in the mailbox of the set-up's address |
/// |---|---|---|
/// | [`OAuth2`](super::AuthenticationType::OAuth2) | as an application, at the tenant of the set-up | as its owner (`ExchangeImpersonation`) |
/// | [`OAuth2Delegated`](super::AuthenticationType::OAuth2Delegated) | with the stored refresh token | with the person's rights |
/// | [`AccessToken`](super::AuthenticationType::AccessToken) | with tokens of the provider | as its owner if the token is an application's |
/// | [`Basic`](super::AuthenticationType::Basic) | with user name and password, by Basic or NTLM | with the account's rights |
///
/// The service is found by autodiscovery, at a domain, or taken as it is given ([`ServiceAddress`](super::ServiceAddress)).
/// Where the queue or the storage folder is a public folder, its mailboxes are found out for each folder.
///
/// One value is for the life of a process and for every scope: connecting again with the same fields shares the token, the
/// connections and what the server said about waiting. A field that says otherwise where or as whom begins anew. Cloning
/// is cheap.
#[derive(Clone)]
pub struct EwsConnector {
    inner: Arc<Inner>,
}

struct Inner {
    options: Options,
    kept: Mutex<BTreeMap<Scope, Kept>>,
}

/// What is kept of the set-up of one scope.
#[derive(Clone)]
struct Kept {
    fields: EmailLoggingSetup,
    sign_in: SignIn,
    made: Option<(Made, MailConnection)>,
}

/// What a connection was made of, beside the fields.
#[derive(Clone, PartialEq, Eq)]
struct Made {
    url: String,
    public: bool,
    as_owner: bool,
}

impl EwsConnector {
    /// Begins to describe a connector.
    pub fn builder() -> EwsConnectorBuilder {
        EwsConnectorBuilder::default()
    }

    /// What consents share with it.
    #[cfg(feature = "oauth2")]
    pub(super) fn shared(&self) -> Arc<super::sign_in::Options> {
        Arc::clone(&self.inner.options.shared)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Scope, Kept>> {
        let kept = self.inner.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }

    /// The sign-in of these fields, which is kept until they change.
    fn sign_in(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<Kept> {
        let fields = of_connection(setup);
        let mut kept = self.kept();
        if let Some(known) = kept.get(scope).filter(|known| known.fields == fields) {
            return Ok(known.clone());
        }
        let sign_in = SignIn::new(&self.inner.options.shared, scope, &fields)?;
        let fresh = Kept {
            fields,
            sign_in,
            made: None,
        };
        kept.insert(scope.clone(), fresh.clone());
        Ok(fresh)
    }

    fn make(
        &self,
        scope: &Scope,
        address: &str,
        kept: &Kept,
        made: &Made,
    ) -> Result<MailConnection> {
        let options = &self.inner.options;
        let mut builder = EwsSource::builder(&made.url)
            .with_way(&options.shared.http)
            .with_scope(scope.clone())
            .with_connections(options.connections)
            .with_stamps(options.stamps)
            .with_gate(options.gates.of(address, &credential(&kept.fields)))
            .with_clock(Arc::clone(&options.shared.clock))
            .with_entropy(options.shared.entropy());
        builder = kept.sign_in.of_source(builder);
        builder = if made.as_owner {
            builder.with_impersonation(address)
        } else {
            builder.with_mailbox(address)
        };
        // An anchor that is given stays as it is, and would stand in the way of those that are found out.
        builder = if made.public {
            builder.with_public_folder_routing(PublicFolderRouting::automatic(address))
        } else {
            builder.with_anchor_mailbox(address)
        };
        let source = builder.build()?;
        let probe = EwsProbe::new(source.clone(), kept.sign_in.clone(), made, options, scope);
        let source = Arc::new(source);
        let (folders, hints) = (Arc::clone(&source), Arc::clone(&source));
        Ok(MailConnection::new(source, folders, Arc::new(probe)).with_hints(hints))
    }

    /// Keeps a connection for the next one who asks, unless the fields have changed meanwhile.
    fn keep(&self, scope: &Scope, of: &Kept, made: Made, connection: &MailConnection) {
        let mut kept = self.kept();
        if let Some(known) = kept
            .get_mut(scope)
            .filter(|known| known.fields == of.fields)
        {
            known.made = Some((made, connection.clone()));
        }
    }
}

#[async_trait]
impl MailConnector for EwsConnector {
    async fn connect(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<MailConnection> {
        let options = &self.inner.options;
        let address = options.shared.address(setup)?;
        let kept = self.sign_in(scope, setup)?;
        let url = service::find(options, setup, address, scope, &kept.sign_in).await?;
        let made = Made {
            as_owner: kept
                .sign_in
                .is_application(&options.shared, scope, &url)
                .await?,
            public: in_public_folders(setup),
            url,
        };
        if let Some((known, connection)) = &kept.made
            && *known == made
        {
            return Ok(connection.clone());
        }
        let connection = self.make(scope, address, &kept, &made)?;
        self.keep(scope, &kept, made, &connection);
        Ok(connection)
    }

    fn forget(&self, scope: &Scope) {
        self.kept().remove(scope);
    }
}

impl fmt::Debug for EwsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EwsConnector")
            .field("options", &self.inner.options)
            .finish_non_exhaustive()
    }
}

/// Whether one of the folders lies in the public folders, as far as the set-up shows. An id alone does not show it.
fn in_public_folders(setup: &EmailLoggingSetup) -> bool {
    let is_public = |path: &Option<FolderPath>, id: &Option<FolderId>| match path {
        Some(path) => path.root() == &FolderRoot::PublicFolders,
        None => id.is_some(),
    };
    is_public(&setup.queue_folder, &setup.queue_folder_id)
        || is_public(&setup.storage_folder, &setup.storage_folder_id)
}
