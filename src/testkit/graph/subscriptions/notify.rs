//! Notifications: what has changed since they were last sent, and what becomes of subscriptions.

use serde_json::{Value, json};

use super::post::{Call, post};
use super::{Kept, Known, LifecycleEvent, known};
use crate::testkit::exchange::store::clock::text;
use crate::testkit::graph::access::user_id;
use crate::testkit::graph::ids::{changing_id, immutable_id};
use crate::testkit::graph::lock;
use crate::testkit::graph::service::Service;

const TENANT: &str = "11111111-2222-4333-8444-555555555555";

impl Service {
    /// Tells all subscribers what has changed since the last time; answers the statuses, 0 for nobody there.
    pub(in crate::testkit::graph) async fn notify(&self) -> Vec<u16> {
        let mut calls = Vec::new();
        {
            let world = lock(&self.world);
            let mut all = lock(&self.subscriptions);
            all.forget_expired(self.clock.now());
            for kept in all.kept.values_mut() {
                let now = known(&world, &kept.smtp, kept.folder);
                let index = world
                    .mailboxes()
                    .iter()
                    .position(|mailbox| mailbox.smtp == kept.smtp);
                let user = index.map(user_id).unwrap_or_default();
                let value = notices(kept, &now, &user);
                kept.known = now;
                if !value.is_empty() {
                    calls.push((kept.facts.notification_url.clone(), json!({"value": value})));
                }
            }
        }
        send(calls).await
    }

    /// Tells all subscribers that something happened to their subscriptions.
    pub(in crate::testkit::graph) async fn tell_lifecycle(
        &self,
        event: LifecycleEvent,
    ) -> Vec<u16> {
        let calls = {
            let mut all = lock(&self.subscriptions);
            all.forget_expired(self.clock.now());
            let calls: Vec<_> = all
                .kept
                .values()
                .filter_map(|kept| {
                    let url = kept.facts.lifecycle_notification_url.clone()?;
                    let mut notice = common(kept);
                    notice["lifecycleEvent"] = json!(event.name());
                    Some((url, json!({"value": [notice]})))
                })
                .collect();
            if event == LifecycleEvent::SubscriptionRemoved {
                all.kept.clear();
            }
            calls
        };
        send(calls).await
    }
}

async fn send(calls: Vec<(String, Value)>) -> Vec<u16> {
    let mut statuses = Vec::new();
    for (url, body) in calls {
        let call = Call {
            url: &url,
            query: None,
            content_type: "application/json; charset=utf-8",
            body: body.to_string().into_bytes(),
        };
        statuses.push(post(call).await.map_or(0, |answered| answered.status));
    }
    statuses
}

fn common(kept: &Kept) -> Value {
    json!({
        "subscriptionId": kept.facts.id,
        "subscriptionExpirationDateTime": text(kept.facts.expires),
        "clientState": kept.facts.client_state,
        "tenantId": TENANT,
    })
}

fn notices(kept: &Kept, now: &Known, user: &str) -> Vec<Value> {
    let wants = |kind: &str| {
        kept.facts
            .change_type
            .split(',')
            .any(|one| one.trim() == kind)
    };
    let created = now.iter().filter(|(one, _)| !kept.known.contains_key(one));
    let updated = now.iter().filter(|(one, facts)| {
        let before = kept.known.get(one);
        before.is_some_and(|before| before != *facts)
    });
    let deleted = kept.known.iter().filter(|(one, _)| !now.contains_key(one));
    let all = created
        .map(|change| ("created", change))
        .chain(updated.map(|change| ("updated", change)))
        .chain(deleted.map(|change| ("deleted", change)));
    let all = all.filter(|(kind, _)| wants(kind));
    all.map(|(kind, (lineage, (key, change_key)))| {
        let resource = format!("Users/{user}/Messages/{}", changing_id(*key));
        let mut notice = common(kept);
        notice["changeType"] = json!(kind);
        notice["resourceData"] = json!({
            "@odata.type": "#Microsoft.Graph.Message",
            "@odata.id": resource,
            "@odata.etag": format!("W/\"{change_key}\""),
            "id": immutable_id(*lineage),
        });
        notice["resource"] = json!(resource);
        notice
    })
    .collect()
}
