//! Whoever asks Graph for subscriptions.

use std::fmt;

use async_trait::async_trait;
use jiff::Timestamp;
use secrecy::SecretString;

use crate::error::Result;

/// Creates, renews and deletes the subscription to new mail in one folder of one mailbox (Microsoft Graph reference,
/// "subscription resource type").
///
/// The folder, the mailbox and the credential are the implementation's. So is waiting: what the server says about it holds
/// the calls for mail as well.
#[async_trait]
pub trait ChangeSubscriptions: fmt::Debug + Send + Sync + 'static {
    /// Creates a subscription for new mail. Graph calls the address before it answers.
    ///
    /// # Errors
    ///
    /// What a transport raises; `PermissionDenied` and `Config` where Graph refuses the subscription.
    ///
    /// # Cancel safety
    ///
    /// After a drop there may be a subscription that nobody knows; it ends by itself.
    async fn subscribe(&self, wanted: &SubscriptionRequest) -> Result<KeptSubscription>;

    /// Renews a subscription, which gives it the rights of a new token, too. Answers until when.
    ///
    /// # Errors
    ///
    /// `NotFound` where there is no such subscription any more; else what a transport raises.
    ///
    /// # Cancel safety
    ///
    /// May be repeated.
    async fn renew(&self, id: &str, until: Timestamp) -> Result<Timestamp>;

    /// Deletes a subscription. That there is none is no error.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    ///
    /// # Cancel safety
    ///
    /// May be repeated.
    async fn unsubscribe(&self, id: &str) -> Result<()>;

    /// The ids of all subscriptions to new mail in this folder that call this address, whoever made them. None where the
    /// implementation cannot tell, which is the default.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    async fn subscribed(&self, notification_url: &str) -> Result<Vec<String>> {
        let _ = notification_url;
        Ok(Vec::new())
    }
}

/// What a subscription is to be.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriptionRequest {
    /// The address for notifications, those about the life of the subscription included.
    pub notification_url: String,
    /// The secret that each notification has to carry, 64 characters. The subscription that is made has it.
    pub client_state: SecretString,
    /// Until when.
    pub until: Timestamp,
}

/// A subscription that exists. A host may keep it over a restart; without that a new one is made, and the old one ends by
/// itself.
#[derive(Clone)]
#[non_exhaustive]
pub struct KeptSubscription {
    /// Its id.
    pub id: String,
    /// The secret that its notifications carry.
    pub client_state: SecretString,
    /// Until when it lives unless it is renewed.
    pub until: Timestamp,
}

impl KeptSubscription {
    /// A subscription as it was kept.
    pub fn new(id: impl Into<String>, client_state: SecretString, until: Timestamp) -> Self {
        Self {
            id: id.into(),
            client_state,
            until,
        }
    }
}

impl fmt::Debug for KeptSubscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeptSubscription")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}
