//! Subscriptions to changes (Microsoft, "Receive change notifications through webhooks", "Reduce missing subscriptions and
//! change notifications").

mod notify;
mod post;
mod wanted;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use self::post::{Call, post};
use self::wanted::Wanted;
use super::access::Visitor;
use super::answer::Answer;
use super::lock;
use super::mailbox::Outcome;
use super::operation::{GraphOperation, Route};
use super::problem::Problem;
use super::request::GraphRequest;
use super::service::Service;
use crate::testkit::exchange::store::World;
use crate::testkit::exchange::store::clock::text;
use crate::testkit::exchange::store::folder::FolderKey;
use crate::testkit::exchange::store::item::ItemKey;

/// A subscription as the server keeps it.
///
/// Its debug form holds no address and no client state.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SimulatedSubscription {
    /// Its id.
    pub id: String,
    /// The resource as it was written.
    pub resource: String,
    /// `created`, `updated`, `deleted`, with commas between them.
    pub change_type: String,
    /// Where notifications go.
    pub notification_url: String,
    /// Where lifecycle notifications go, if anywhere.
    pub lifecycle_notification_url: Option<String>,
    /// What every notification repeats.
    pub client_state: Option<String>,
    /// When it ends.
    pub expires: Timestamp,
    /// How often it was renewed.
    pub renewals: u32,
}

impl std::fmt::Debug for SimulatedSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimulatedSubscription")
            .field("id", &self.id)
            .field("change_type", &self.change_type)
            .field("expires", &self.expires)
            .field("renewals", &self.renewals)
            .finish_non_exhaustive()
    }
}

/// What happens to a subscription itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LifecycleEvent {
    /// The subscription must be renewed with a good token, else no more notifications come.
    ReauthorizationRequired,
    /// The subscription is gone.
    SubscriptionRemoved,
    /// Notifications were lost.
    Missed,
}

impl LifecycleEvent {
    fn name(self) -> &'static str {
        match self {
            Self::ReauthorizationRequired => "reauthorizationRequired",
            Self::SubscriptionRemoved => "subscriptionRemoved",
            Self::Missed => "missed",
        }
    }
}

/// All subscriptions.
#[derive(Default)]
pub(super) struct Subscriptions {
    kept: BTreeMap<String, Kept>,
    made: u64,
}

#[derive(Clone)]
struct Kept {
    facts: SimulatedSubscription,
    /// The mailbox, and the folder if it is one alone.
    smtp: String,
    folder: Option<FolderKey>,
    /// Change keys by lineage, as they were when last looked at.
    known: Known,
}

type Known = BTreeMap<u64, (ItemKey, String)>;

impl Subscriptions {
    pub(super) fn all(&self) -> Vec<SimulatedSubscription> {
        self.kept.values().map(|kept| kept.facts.clone()).collect()
    }

    fn forget_expired(&mut self, now: Timestamp) {
        self.kept.retain(|_, kept| kept.facts.expires > now);
    }

    fn add(&mut self, mut kept: Kept) -> SimulatedSubscription {
        self.made += 1;
        kept.facts.id = format!("5b0c0000-0000-4000-8000-{:012x}", self.made);
        let facts = kept.facts.clone();
        self.kept.insert(facts.id.clone(), kept);
        facts
    }
}

impl Service {
    /// Performs an operation on subscriptions.
    pub(super) async fn subscription(
        &self,
        route: &Route,
        request: &GraphRequest,
        visitor: &Visitor,
    ) -> Outcome {
        let now = self.clock.now();
        lock(&self.subscriptions).forget_expired(now);
        let id = route.item.as_deref();
        match route.operation {
            GraphOperation::CreateSubscription => self.subscribe(request, visitor).await,
            GraphOperation::RenewSubscription => self.renew(id.unwrap_or_default(), request),
            GraphOperation::DeleteSubscription => {
                let mut all = lock(&self.subscriptions);
                let gone = all.kept.remove(id.unwrap_or_default());
                gone.map(|_| Answer::empty(204)).ok_or_else(unknown)
            }
            _ => self.shown(id),
        }
    }

    fn shown(&self, id: Option<&str>) -> Outcome {
        let all = lock(&self.subscriptions);
        if let Some(id) = id {
            let kept = all.kept.get(id).ok_or_else(unknown)?;
            return Ok(Answer::json(200, rendered(&kept.facts)));
        }
        let all = all.kept.values();
        let value: Vec<_> = all.map(|kept| rendered(&kept.facts)).collect();
        Ok(Answer::json(200, json!({"value": value})))
    }

    async fn subscribe(&self, request: &GraphRequest, visitor: &Visitor) -> Outcome {
        let wanted = Wanted::parse(&request.json()?, self.clock.now())?;
        let kept = {
            let world = lock(&self.world);
            let (owner, folder) = wanted.place()?;
            let smtp = self.access.mailbox(visitor, owner.as_deref(), &world)?;
            let folder = folder.map(|named| folder_of(&world, &smtp, &named));
            let folder = folder.transpose()?;
            Kept {
                known: known(&world, &smtp, folder),
                smtp,
                folder,
                facts: wanted.facts,
            }
        };
        let urls = [
            Some(&kept.facts.notification_url),
            kept.facts.lifecycle_notification_url.as_ref(),
        ];
        for url in urls.into_iter().flatten() {
            self.validate(url).await?;
        }
        let facts = lock(&self.subscriptions).add(kept);
        Ok(Answer::json(201, rendered(&facts)))
    }

    /// Asks an address whether it wants notifications: it must send the token back as plain text.
    async fn validate(&self, url: &str) -> Result<(), Problem> {
        let token = format!(
            "Validation: Testing client application reachability for subscription Request-Id: {}",
            self.request_id()
        );
        let call = Call {
            url,
            query: Some(("validationToken", &token)),
            content_type: "text/plain; charset=utf-8",
            body: Vec::new(),
        };
        let refused = |why: String| {
            let text = format!("Subscription validation request failed. {why}");
            Problem::new(400, "ValidationError", text)
        };
        let answer = post(call)
            .await
            .map_err(|error| refused(error.kind().to_string()))?;
        let is_text = answer.content_type.starts_with("text/plain");
        if answer.status == 200 && is_text && answer.body == token.as_bytes() {
            return Ok(());
        }
        Err(refused(format!("HTTP status code is '{}'.", answer.status)))
    }

    fn renew(&self, id: &str, request: &GraphRequest) -> Outcome {
        let body = request.json()?;
        let until = wanted::renewal(&body, self.clock.now())?;
        let mut all = lock(&self.subscriptions);
        let kept = all.kept.get_mut(id).ok_or_else(unknown)?;
        kept.facts.expires = until;
        kept.facts.renewals += 1;
        Ok(Answer::json(200, rendered(&kept.facts)))
    }
}

fn unknown() -> Problem {
    Problem::new(404, "ResourceNotFound", "The object was not found.")
}

fn folder_of(world: &World, smtp: &str, named: &str) -> Result<FolderKey, Problem> {
    let mailbox = world.mailbox(smtp).ok_or_else(Problem::not_found)?;
    let well_known = world.distinguished(mailbox, &named.to_lowercase());
    let by_id = || super::ids::folder_key(named).and_then(|key| world.folder(key));
    let folder = well_known.or_else(by_id).ok_or_else(Problem::not_found)?;
    let owner = world.mailbox_of(&folder.home);
    let is_mine = owner.is_some_and(|owner| owner.root == mailbox.root);
    is_mine.then_some(folder.key).ok_or_else(Problem::not_found)
}

/// What lies in a folder, or in all of a mailbox.
fn known(world: &World, smtp: &str, folder: Option<FolderKey>) -> Known {
    let top = world.mailbox(smtp).map(|mailbox| mailbox.messages_root);
    let keys = match (folder, top) {
        (Some(key), _) => vec![key],
        (None, Some(top)) => world.descendants(top),
        (None, None) => Vec::new(),
    };
    let folders = keys.into_iter().filter_map(|key| world.folder(key));
    let items = folders.flat_map(|folder| world.items_in(folder));
    items
        .map(|item| (item.lineage, (item.key, item.change_key.clone())))
        .collect()
}

fn rendered(facts: &SimulatedSubscription) -> Value {
    json!({
        "id": facts.id,
        "resource": facts.resource,
        "applicationId": "24d3b144-21ae-4080-943f-7067b395b913",
        "changeType": facts.change_type,
        "clientState": facts.client_state,
        "notificationUrl": facts.notification_url,
        "lifecycleNotificationUrl": facts.lifecycle_notification_url,
        "expirationDateTime": text(facts.expires),
        "latestSupportedTlsVersion": "v1_2",
    })
}
