//! Subscriptions to new mail (Microsoft Graph reference, "subscription resource type").

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde::{Deserialize, Serialize};

use super::GraphSource;
use super::batch::json_of;
use super::session::Question;
use crate::error::{Error, ErrorKind, Result, codes};
use crate::notifications::{ChangeSubscriptions, KeptSubscription, SubscriptionRequest};
use crate::source::FolderSelector;

const SUBSCRIBE: &str = "subscribe";
const RENEW: &str = "renew";
const UNSUBSCRIBE: &str = "unsubscribe";
const SUBSCRIBED: &str = "subscribed";

/// Pages of subscriptions that are read; an application has no more than some hundred.
const PAGES: usize = 10;

/// The subscription to new mail in one folder of the mailbox of a [`GraphSource`], for a
/// [`SubscriptionKeeper`](crate::notifications::SubscriptionKeeper).
///
/// Its calls count as requests of the source and wait as the server wants it.
#[derive(Clone)]
pub struct GraphSubscriptions {
    source: GraphSource,
    folder: Arc<FolderSelector>,
}

impl fmt::Debug for GraphSubscriptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphSubscriptions")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl GraphSource {
    /// Subscriptions to new mail in a folder. Sends nothing yet.
    pub fn subscriptions(&self, folder: impl Into<FolderSelector>) -> GraphSubscriptions {
        GraphSubscriptions {
            source: self.clone(),
            folder: Arc::new(folder.into()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wanted<'a> {
    change_type: &'static str,
    notification_url: &'a str,
    lifecycle_notification_url: &'a str,
    resource: &'a str,
    expiration_date_time: String,
    client_state: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Renewal {
    expiration_date_time: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    id: String,
    expiration_date_time: Option<String>,
}

/// A page of subscriptions.
#[derive(Deserialize)]
struct Many {
    value: Vec<Listed>,
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    id: String,
    resource: Option<String>,
    notification_url: Option<String>,
}

impl Subscription {
    /// Until when it lives; what was asked for where the answer does not say.
    fn until(&self, asked: Timestamp) -> Timestamp {
        let told = self.expiration_date_time.as_deref();
        told.and_then(|told| told.parse().ok()).unwrap_or(asked)
    }
}

fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl GraphSubscriptions {
    /// The messages of the folder, as a subscription names them.
    async fn resource(&self) -> Result<String> {
        let _slot = self.source.slot().await?;
        let folder = self.source.open(&self.folder).await?;
        let addresses = &self.source.session().addresses;
        Ok(addresses.messages_of(folder.id.as_str()))
    }

    async fn told(&self, question: &Question) -> Result<Subscription> {
        let _slot = self.source.slot().await?;
        let told = self.source.session().document::<Subscription>(question);
        let told = told.await?;
        if told.content.id.is_empty() {
            return Err(Error::new(&codes::GRAPH_ANSWER_INVALID, question.operation)
                .with_server(told.server));
        }
        Ok(told.content)
    }
}

/// What is not there where a subscription was asked for is the subscription, whatever the code.
fn gone(error: Error) -> Error {
    match error.server() {
        Some(server) if server.status == Some(404) => {
            Error::new(&codes::GRAPH_NOT_FOUND, error.operation()).with_server(server.clone())
        }
        _ => error,
    }
}

#[async_trait]
impl ChangeSubscriptions for GraphSubscriptions {
    async fn subscribe(&self, wanted: &SubscriptionRequest) -> Result<KeptSubscription> {
        let resource = self.resource().await?;
        let addresses = &self.source.session().addresses;
        let body = Wanted {
            change_type: "created",
            notification_url: &wanted.notification_url,
            lifecycle_notification_url: &wanted.notification_url,
            resource: &resource,
            expiration_date_time: time(wanted.until),
            client_state: wanted.client_state.expose_secret(),
        };
        let question = Question::of(SUBSCRIBE, addresses.subscriptions(None)?)
            .with_body(json_of(SUBSCRIBE, &body)?.into(), true);
        let made = self.told(&question).await?;
        let until = made.until(wanted.until);
        let state = wanted.client_state.clone();
        Ok(KeptSubscription::new(made.id, state, until))
    }

    async fn renew(&self, id: &str, until: Timestamp) -> Result<Timestamp> {
        let addresses = &self.source.session().addresses;
        let body = Renewal {
            expiration_date_time: time(until),
        };
        // Asked twice it is renewed twice.
        let question = Question::of(RENEW, addresses.subscriptions(Some(id))?)
            .with_body(json_of(RENEW, &body)?.into(), false)
            .with_method(Method::PATCH);
        let told = self.told(&question).await.map_err(gone)?;
        Ok(told.until(until))
    }

    async fn unsubscribe(&self, id: &str) -> Result<()> {
        let session = self.source.session();
        let url = session.addresses.subscriptions(Some(id))?;
        let question = Question::of(UNSUBSCRIBE, url).with_method(Method::DELETE);
        let _slot = self.source.slot().await?;
        match session.ask(&question, |_| Some(())).await.map_err(gone) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn subscribed(&self, notification_url: &str) -> Result<Vec<String>> {
        let resource = self.resource().await?;
        let session = self.source.session();
        let mut url = session.addresses.subscriptions(None)?;
        let mut found = Vec::new();
        for _ in 0..PAGES {
            let question = Question::of(SUBSCRIBED, url);
            let page = {
                let _slot = self.source.slot().await?;
                session.document::<Many>(&question).await?.content
            };
            let ours = page.value.into_iter().filter(|one| {
                one.notification_url.as_deref() == Some(notification_url)
                    && one.resource.as_deref() == Some(resource.as_str())
            });
            found.extend(ours.map(|one| one.id));
            let Some(next) = page.next else { break };
            url = session.addresses.follow_subscriptions(SUBSCRIBED, &next)?;
        }
        Ok(found)
    }
}
