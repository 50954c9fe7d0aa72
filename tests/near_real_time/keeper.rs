//! A subscription that is kept alive, under a clock that stands still.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::error::{ErrorKind, codes};
use email_logging::notifications::{
    ChangeSubscriptions, KeptSubscription, NotificationReceiver, NotificationRequest,
    SubscriptionKeeper, SubscriptionKeeperBuilder, SubscriptionRequest,
};
use email_logging::source::Wakeup as _;
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::{Error, Result};
use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::desk::{pass, settle};

/// Answers as planned, and as wished where nothing is planned.
#[derive(Debug)]
struct Service {
    clock: ManualClock,
    /// What was asked, with the second.
    asked: Mutex<Vec<String>>,
    fails: Mutex<VecDeque<Error>>,
    states: Mutex<Vec<SecretString>>,
    /// Sent to this receiver before the answer to a subscription: the event, and its id.
    early: Mutex<Option<(NotificationReceiver, &'static str)>>,
}

impl Service {
    fn note(&self, what: String) -> Result<()> {
        self.asked.lock().unwrap().push(what);
        self.fails.lock().unwrap().pop_front().map_or(Ok(()), Err)
    }
}

fn minutes(at: Timestamp) -> i64 {
    at.duration_since(ManualClock::default().now()).as_mins()
}

#[async_trait]
impl ChangeSubscriptions for Service {
    async fn subscribe(&self, wanted: &SubscriptionRequest) -> Result<KeptSubscription> {
        assert_eq!(wanted.notification_url, "https://erp.example/graph");
        let now = minutes(self.clock.now());
        self.note(format!("{now} subscribe until {}", minutes(wanted.until)))?;
        let mut states = self.states.lock().unwrap();
        states.push(wanted.client_state.clone());
        let id = format!("s{}", states.len());
        if let Some((receiver, event)) = self.early.lock().unwrap().take() {
            assert_eq!(send(&receiver, &id, &wanted.client_state, event), 1);
        }
        Ok(KeptSubscription::new(
            id,
            wanted.client_state.clone(),
            wanted.until,
        ))
    }

    async fn renew(&self, id: &str, until: Timestamp) -> Result<Timestamp> {
        let now = minutes(self.clock.now());
        self.note(format!("{now} renew {id} until {}", minutes(until)))?;
        Ok(until)
    }

    async fn unsubscribe(&self, id: &str) -> Result<()> {
        self.note(format!("unsubscribe {id}"))
    }
}

struct Scene {
    clock: ManualClock,
    service: Arc<Service>,
    receiver: NotificationReceiver,
}

impl Scene {
    fn new() -> Self {
        let clock = ManualClock::default();
        let service = Service {
            clock: clock.clone(),
            asked: Mutex::default(),
            fails: Mutex::default(),
            states: Mutex::default(),
            early: Mutex::default(),
        };
        Self {
            clock,
            service: Arc::new(service),
            receiver: NotificationReceiver::new(),
        }
    }

    fn builder(&self) -> SubscriptionKeeperBuilder {
        SubscriptionKeeper::builder()
            .with_service(Arc::clone(&self.service) as _)
            .with_receiver(&self.receiver)
            .with_notification_url("https://erp.example/graph")
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(3)))
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.service.asked.lock().unwrap())
    }

    fn fail(&self, errors: impl IntoIterator<Item = Error>) {
        self.service.fails.lock().unwrap().extend(errors);
    }

    /// Graph sends an event for a subscription, by the secret that it was made with.
    fn event(&self, number: usize, event: &str) -> u32 {
        let state = self.service.states.lock().unwrap()[number - 1].clone();
        send(&self.receiver, &format!("s{number}"), &state, event)
    }

    /// Waits through; answers whether a hint came within these minutes.
    fn wait(&self, keeper: &SubscriptionKeeper, minutes: u32) -> bool {
        let mut wait = Box::pin(keeper.wait());
        for _ in 0..minutes {
            if settle(&mut wait).is_some() {
                return true;
            }
            self.clock.advance(Duration::from_mins(1));
        }
        settle(&mut wait).is_some()
    }
}

/// An event for a subscription as Graph sends it; answers how many were taken.
fn send(receiver: &NotificationReceiver, id: &str, state: &SecretString, event: &str) -> u32 {
    let kind = if event == "created" {
        "changeType"
    } else {
        "lifecycleEvent"
    };
    let body = json!({ "value": [{
        "subscriptionId": id,
        "clientState": state.expose_secret(),
        kind: event,
    }] });
    let body = body.to_string();
    let request = NotificationRequest::new("POST").with_body(body.as_bytes());
    receiver.receive(&request).accepted
}

fn busy() -> Error {
    Error::new(&codes::EWS_THROTTLED, "planned")
}

#[test]
fn a_subscription_is_made_and_renewed_when_half_of_its_life_is_over() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    assert_eq!(keeper.state().until, None);
    // A new subscription is a hint.
    assert!(scene.wait(&keeper, 0));
    assert_eq!(scene.asked(), ["0 subscribe until 4200"]);
    assert!(!scene.wait(&keeper, 2099));
    assert_eq!(scene.asked(), [""; 0]);
    assert!(!scene.wait(&keeper, 2101));
    assert_eq!(
        scene.asked(),
        ["2100 renew s1 until 6300", "4200 renew s1 until 8400"]
    );
    assert_eq!(scene.event(1, "created"), 1);
    assert!(scene.wait(&keeper, 0));
    assert!(!scene.wait(&keeper, 0));
    assert_eq!(minutes(keeper.state().until.unwrap()), 8400);
}

#[test]
fn every_client_state_is_a_new_secret_of_64_characters() {
    let scene = Scene::new();
    for _ in 0..2 {
        let keeper = scene
            .builder()
            .with_entropy(Arc::new(email_logging::clock::SystemEntropy));
        assert!(scene.wait(&keeper.build().unwrap(), 0));
    }
    let states = scene.service.states.lock().unwrap();
    let states: Vec<_> = states
        .iter()
        .map(|state| state.expose_secret().to_owned())
        .collect();
    assert_ne!(states[0], states[1]);
    for state in states {
        assert_eq!(state.len(), 64);
        assert!(state.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}

#[test]
fn a_removed_subscription_is_made_again_and_its_secret_counts_no_more() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    assert!(scene.wait(&keeper, 0));
    assert!(!scene.wait(&keeper, 30));
    assert_eq!(scene.event(1, "subscriptionRemoved"), 1);
    assert!(scene.wait(&keeper, 0));
    assert_eq!(
        scene.asked(),
        ["0 subscribe until 4200", "30 subscribe until 4230"]
    );
    assert_eq!(
        (scene.event(1, "created"), scene.event(2, "created")),
        (0, 1)
    );
    // A service that takes back at once is not asked more than once a minute.
    scene.event(2, "subscriptionRemoved");
    assert!(!scene.wait(&keeper, 0));
    assert!(scene.wait(&keeper, 1));
    assert_eq!(scene.asked(), ["31 subscribe until 4231"]);
}

#[test]
fn a_wish_for_a_new_token_renews_and_missed_notifications_are_a_hint() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    assert!(scene.wait(&keeper, 0));
    assert!(!scene.wait(&keeper, 10));
    scene.event(1, "reauthorizationRequired");
    assert!(!scene.wait(&keeper, 5));
    assert_eq!(
        scene.asked(),
        ["0 subscribe until 4200", "10 renew s1 until 4210"]
    );
    scene.event(1, "missed");
    assert!(scene.wait(&keeper, 0));
}

#[test]
fn failures_are_waited_out_and_the_old_subscription_is_listened_to_meanwhile() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    scene.fail([
        busy(),
        busy().with_retry_after(Duration::from_mins(30)),
        busy(),
    ]);
    assert!(!scene.wait(&keeper, 2));
    let state = keeper.state();
    assert_eq!(
        state.last_failure,
        Some((ErrorKind::Throttled, "ews.throttled"))
    );
    assert_eq!((state.failed_in_a_row, state.until), (2, None));
    // Half an hour that the server asked for, then four minutes of our own, with a quarter more at most.
    assert!(!scene.wait(&keeper, 33));
    assert!(scene.wait(&keeper, 6));
    assert_eq!(scene.asked().len(), 4);
    assert_eq!(keeper.state().failed_in_a_row, 0);
    let gone = Error::new(&codes::EWS_NOT_FOUND, "planned");
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    scene.fail([busy(), gone]);
    let mut wait = Box::pin(keeper.wait());
    pass(&scene.clock, &mut wait, 0);
    scene.clock.set(keeper.state().next);
    assert!(settle(&mut wait).is_none());
    assert_eq!(keeper.state().failed_in_a_row, 1);
    assert_eq!(scene.event(1, "created"), 1);
    assert_eq!(settle(&mut wait), Some(()));
    // The second renewal finds that it is gone: a new one is made at once.
    assert!(scene.wait(&keeper, 2));
    let asked = scene.asked();
    assert!(
        asked[1].contains("renew s1") && asked[2].contains("subscribe until"),
        "{asked:?}"
    );
}

#[test]
fn a_kept_subscription_goes_on_after_a_restart_and_one_that_ran_out_does_not() {
    let scene = Scene::new();
    let kept = {
        let keeper = scene.builder().build().unwrap();
        assert!(scene.wait(&keeper, 0));
        keeper.kept().unwrap()
    };
    // Nobody expects it between the two.
    assert_eq!(scene.event(1, "created"), 0);
    let keeper = scene.builder().with_kept(kept.clone()).build().unwrap();
    assert_eq!(scene.event(1, "created"), 1);
    assert!(scene.wait(&keeper, 0));
    assert_eq!(scene.asked(), ["0 subscribe until 4200"]);
    drop(keeper);
    scene.clock.advance(Duration::from_hours(70));
    let keeper = scene.builder().with_kept(kept).build().unwrap();
    assert!(scene.wait(&keeper, 0));
    assert_eq!(scene.asked(), ["4200 subscribe until 8400"]);
}

#[test]
fn a_subscription_is_given_back_at_the_end() {
    let scene = Scene::new();
    let keeper = scene
        .builder()
        .with_lifetime(Duration::from_mins(1))
        .build()
        .unwrap();
    assert!(scene.wait(&keeper, 0));
    let mut end = Box::pin(keeper.unsubscribe());
    assert!(settle(&mut end).unwrap().is_ok());
    assert_eq!(scene.asked(), ["0 subscribe until 10", "unsubscribe s1"]);
    let mut end = Box::pin(keeper.unsubscribe());
    assert!(settle(&mut end).unwrap().is_ok());
    assert_eq!((scene.asked(), scene.event(1, "created")), (Vec::new(), 0));
}

#[test]
fn what_cannot_work_is_refused() {
    let scene = Scene::new();
    let code = |builder: SubscriptionKeeperBuilder| builder.build().unwrap_err().code();
    assert_eq!(code(SubscriptionKeeper::builder()), "config.missing");
    let with = |url: &str| code(scene.builder().with_notification_url(url));
    assert_eq!(with("http://erp.example/graph"), "config.insecure");
    assert_eq!(with("ftp://erp.example/"), "config.invalid");
    assert_eq!(with("https://user:pass@erp.example/"), "config.invalid");
}

#[test]
fn debug_output_holds_neither_id_nor_secret() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    assert!(scene.wait(&keeper, 0));
    let kept = keeper.kept().unwrap();
    let said = format!("{kept:?} {:?}", keeper.state());
    assert!(
        !said.contains(kept.client_state.expose_secret()) && !said.contains("s1"),
        "{said}"
    );
}

#[test]
fn what_comes_before_the_answer_to_a_subscription_is_not_lost() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    let early = Some((scene.receiver.clone(), "subscriptionRemoved"));
    *scene.service.early.lock().unwrap() = early;
    assert!(scene.wait(&keeper, 0), "a new subscription is a hint");
    // The one that Graph ended before it was known is made again, and not half of its life later.
    assert!(scene.wait(&keeper, 2), "another one");
    assert_eq!(
        scene.asked(),
        ["0 subscribe until 4200", "1 subscribe until 4201"]
    );
    assert_eq!(keeper.kept().unwrap().id, "s2");
    let early = Some((scene.receiver.clone(), "created"));
    let keeper = scene.builder().build().unwrap();
    *scene.service.early.lock().unwrap() = early;
    assert!(scene.wait(&keeper, 0));
    assert!(scene.wait(&keeper, 0), "and the mail is a hint of its own");
}

#[test]
fn what_comes_for_a_subscription_that_failed_is_left_alone() {
    let scene = Scene::new();
    let keeper = scene.builder().build().unwrap();
    scene.fail([busy()]);
    assert!(!scene.wait(&keeper, 0));
    let state = SecretString::from("another");
    assert_eq!(send(&scene.receiver, "s1", &state, "created"), 0);
}
