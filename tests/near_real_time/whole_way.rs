//! From a mail at Graph to an entry: the simulated service, HTTP, the receiver, the keeper, the logger.

use std::sync::Arc;
use std::time::Duration;

use email_logging::source::Wakeup as _;
use email_logging::testkit::graph::{GraphFault, GraphFaultKind, GraphOperation, LifecycleEvent};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::place::{INBOX, Place};

/// A place whose logger has had its first run and has a subscription.
async fn begun() -> Place {
    let place = Place::new().await;
    let keeper = place.keeper(|builder| builder);
    place.begin(&keeper).await;
    place
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_is_one_hint_one_run_and_one_entry() {
    let place = begun().await;
    let made = place.subscription();
    assert_eq!(made.notification_url, place.url);
    assert_eq!(made.lifecycle_notification_url.as_ref(), Some(&place.url));
    place.deliver(1);
    assert_eq!(place.graph.send_notifications().await, [202]);
    place.until("a run", || !place.runs().is_empty()).await;
    place.rest().await;
    assert_eq!(place.take_runs(), [1]);
    place.assert_all_logged_once().await;
    // Moving the mail away is no news, and nothing is sent about it.
    assert_eq!(place.graph.send_notifications().await, [0_u16; 0]);
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_doubled_late_and_forged_notifications_leave_the_log_as_it_is() {
    let place = begun().await;
    // Lost: the schedule finds the mail.
    place.lose(true);
    place.deliver(2);
    assert_eq!(place.graph.send_notifications().await, [202]);
    let kept = place.take_posted().remove(0);
    place.rest().await;
    assert_eq!(place.take_runs(), [0_u64; 0]);
    place.wait_for_the_schedule().await;
    assert_eq!(place.take_runs(), [2]);
    place.lose(false);
    // Late, and then again and again: runs that find nothing.
    assert_eq!(place.post(kept.clone()).await, 202);
    place.until("a run", || !place.runs().is_empty()).await;
    place.rest().await;
    assert_eq!(place.take_runs(), [0]);
    for _ in 0..5 {
        assert_eq!(place.post(kept.clone()).await, 202);
    }
    place.until("a run", || !place.runs().is_empty()).await;
    place.rest().await;
    assert!(place.take_runs().iter().all(|logged| *logged == 0));
    // Forged: nobody is woken, and the answer is the same.
    place.deliver(1);
    for (field, value) in [
        ("clientState", json!("guessed")),
        ("subscriptionId", json!("another")),
        ("changeType", json!("deleted")),
    ] {
        let mut forged: Value = serde_json::from_slice(&kept).unwrap();
        for notice in forged["value"].as_array_mut().unwrap() {
            notice[field] = value.clone();
        }
        assert_eq!(place.post(forged.to_string()).await, 202, "{field}");
    }
    assert_eq!(place.post("no json").await, 400);
    place.rest().await;
    assert_eq!(place.take_runs(), [0_u64; 0]);
    place.wait_for_the_schedule().await;
    assert_eq!(place.take_runs(), [1]);
    place.assert_all_logged_once().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_the_subscriptions_life_are_followed() {
    let place = begun().await;
    let first = place.subscription();
    // Lost notifications are a hint.
    place.deliver(1);
    let sent = place.graph.send_lifecycle(LifecycleEvent::Missed).await;
    assert_eq!(sent, [202]);
    place.until("a run", || place.runs().contains(&1)).await;
    // A wish for a new token renews.
    let event = LifecycleEvent::ReauthorizationRequired;
    assert_eq!(place.graph.send_lifecycle(event).await, [202]);
    let renewed = || place.subscription().renewals == 1;
    place.until("a renewal", renewed).await;
    assert_eq!(place.subscription().id, first.id);
    // A subscription that is gone is made again, with another secret, and that is a hint.
    place.rest().await;
    place.take_runs();
    place.deliver(1);
    let event = LifecycleEvent::SubscriptionRemoved;
    assert_eq!(place.graph.send_lifecycle(event).await, [202]);
    let again = || {
        let all = place.graph.subscriptions();
        all.iter().any(|one| one.id != first.id)
    };
    place.until("a subscription", again).await;
    place.until("a run", || place.runs().contains(&1)).await;
    let second = place.subscription();
    assert!(second.id != first.id && second.client_state != first.client_state);
    place.rest().await;
    place.take_runs();
    place.deliver(1);
    assert_eq!(place.graph.send_notifications().await, [202]);
    place.until("a run", || place.runs().contains(&1)).await;
    place.rest().await;
    place.assert_all_logged_once().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_that_ran_out_meanwhile_is_made_again() {
    let place = begun().await;
    let first = place.subscription();
    place.clock.advance(Duration::from_hours(200));
    let made = || {
        place
            .graph
            .subscriptions()
            .iter()
            .any(|one| one.id != first.id)
    };
    place.until("a subscription", made).await;
    place.rest().await;
    place.take_runs();
    place.deliver(1);
    assert_eq!(place.graph.send_notifications().await, [202]);
    place.until("a run", || place.runs().contains(&1)).await;
    place.rest().await;
    place.assert_all_logged_once().await;
    place.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_does_not_answer_the_validation_costs_only_the_schedule() {
    let place = Place::new().await;
    let keeper = place.keeper(|builder| builder.with_notification_url("http://127.0.0.1:1/graph"));
    let waiting = Arc::clone(&keeper);
    let wait = tokio::spawn(async move { waiting.wait().await });
    let failed = || keeper.state().failed_in_a_row > 1;
    place.until("failures", failed).await;
    assert_eq!(place.graph.subscriptions(), []);
    let failure = keeper.state().last_failure.unwrap();
    assert_eq!(failure.1, "graph.request");
    wait.abort();
}

/// Waits for the hint that a new subscription is.
async fn subscribed(place: &Place, keeper: &Arc<email_logging::notifications::SubscriptionKeeper>) {
    let waiting = Arc::clone(keeper);
    let wait = tokio::spawn(async move { waiting.wait().await });
    place.until("a subscription", || wait.is_finished()).await;
    timeout(Duration::from_mins(1), wait)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_left_behind_is_deleted_where_nobody_else_uses_the_address() {
    let place = Place::new().await;
    let killed = place.keeper(|builder| builder);
    subscribed(&place, &killed).await;
    drop(killed);
    let left = place.subscription();
    // Somebody else's: another address, and another folder.
    let other = place.keeper(|builder| builder.with_notification_url(format!("{}?x=1", place.url)));
    subscribed(&place, &other).await;
    place.graph.add_folder(r"log@corp.example\Other").unwrap();
    let folder: email_logging::source::FolderPath = r"mailbox:\Other\".parse().unwrap();
    let elsewhere = place.source.subscriptions(folder);
    let elsewhere = place.keeper(|builder| builder.with_service(Arc::new(elsewhere)));
    subscribed(&place, &elsewhere).await;
    assert_eq!(place.graph.subscriptions().len(), 3);

    let next = place.keeper(|builder| builder.with_sole_use(true));
    subscribed(&place, &next).await;
    let ids: Vec<_> = place
        .graph
        .subscriptions()
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    assert!(!ids.contains(&left.id));
    for kept in [&other, &elsewhere, &next] {
        assert!(ids.contains(&kept.kept().unwrap().id));
    }
    // Without that it is left to its end.
    let another = place.keeper(|builder| builder);
    subscribed(&place, &another).await;
    assert_eq!(place.graph.subscriptions().len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subscription_whose_answer_was_lost_is_deleted_before_the_next_one() {
    for (sole, left) in [(true, 1), (false, 2)] {
        let place = Place::new().await;
        let fault = GraphFault::new(GraphFaultKind::LoseReply);
        place
            .graph
            .inject(fault.on(GraphOperation::CreateSubscription));
        let keeper = place.keeper(|builder| builder.with_sole_use(sole));
        subscribed(&place, &keeper).await;
        assert_eq!(place.graph.faults_pending(), 0);
        assert_eq!(place.graph.subscriptions().len(), left, "sole: {sole}");
        // The one that is known is listened to.
        let mime = "From: a@b.example\r\nSubject: x\r\n\r\n";
        place.graph.deliver(INBOX, mime).unwrap();
        let statuses = place.graph.send_notifications().await;
        assert_eq!(statuses, vec![202; left]);
        timeout(Duration::from_mins(1), keeper.wait())
            .await
            .unwrap();
        keeper.unsubscribe().await.unwrap();
        assert_eq!(place.graph.subscriptions().len(), left - 1);
    }
}

/// What becomes of the notifications about a delivery.
const FATES: u64 = 6;

/// Numbers that look random and are the same every time (Knuth's linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % most
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_becomes_of_notifications_everything_is_logged_once() {
    for seed in 1..=6 {
        let place = begun().await;
        let mut dice = Dice(seed);
        let mut late = Vec::new();
        for _ in 0..10 {
            place.deliver(u32::try_from(dice.below(4)).unwrap());
            let fate = dice.below(FATES);
            place.lose(fate == 0 || fate == 3);
            place.graph.send_notifications().await;
            place.lose(false);
            match fate {
                1 => {
                    for body in place.take_posted() {
                        place.post(body.clone()).await;
                        place.post(body).await;
                    }
                }
                3 => late.extend(place.take_posted()),
                4 => {
                    let event = match dice.below(3) {
                        0 => LifecycleEvent::Missed,
                        1 => LifecycleEvent::ReauthorizationRequired,
                        _ => LifecycleEvent::SubscriptionRemoved,
                    };
                    place.graph.send_lifecycle(event).await;
                }
                5 => {
                    for body in late.drain(..) {
                        place.post(body).await;
                    }
                }
                _ => {}
            }
            for _ in 0..dice.below(20) {
                place.clock.advance(Duration::from_secs(1));
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            place.take_posted();
        }
        for body in late {
            assert_eq!(place.post(body).await, 202);
        }
        place.rest().await;
        place.wait_for_the_schedule().await;
        place.assert_all_logged_once().await;
        place.end().await;
    }
}
