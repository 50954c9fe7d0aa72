//! [`SubscriptionKeeper`]: one subscription that is always there, as far as the service lets it.

mod builder;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::expected::{ChangeNotice, Expected};
use super::receiver::NotificationReceiver;
use super::service::{ChangeSubscriptions, KeptSubscription, SubscriptionRequest};
use crate::clock::{Clock, Entropy};
use crate::error::{Error, ErrorKind, Result};
use crate::source::Wakeup;

pub use builder::SubscriptionKeeperBuilder;

/// The wait after the first failure; it doubles with each further one in a row.
const FIRST_PAUSE: Duration = Duration::from_mins(1);
/// Subscriptions that were left behind and are deleted at one time; more are left to their end.
const LEFTOVERS: usize = 20;
/// The longest such wait, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The [`Wakeup`] of one mailbox by change notifications.
///
/// While it is waited for it creates the subscription, renews it when half of its life is over, recreates it when Graph
/// has removed it, and tells the hints that come to the [`NotificationReceiver`]. A new subscription is a hint by itself,
/// for nothing is known of the time before it; what Graph sends before its answer has come is kept. Failures are waited out, from a minute up to an hour and as long as the
/// server asks; none ends the waiting, and the schedule finds the mail meanwhile.
pub struct SubscriptionKeeper {
    service: Arc<dyn ChangeSubscriptions>,
    receiver: NotificationReceiver,
    notification_url: String,
    lifetime: Duration,
    /// Nobody else has subscriptions of the folder at this address.
    sole: bool,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    state: Mutex<State>,
    /// Whoever waits; another one waits for its turn.
    turn: tokio::sync::Mutex<()>,
}

struct State {
    kept: Option<(KeptSubscription, Arc<Expected>)>,
    /// When the service is asked next.
    due: Timestamp,
    asked: Option<Timestamp>,
    failed_in_a_row: u32,
    last_failure: Option<(ErrorKind, &'static str)>,
}

/// How a keeper is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeeperState {
    /// Until when the subscription lives; none where there is none.
    pub until: Option<Timestamp>,
    /// When the service is asked next, for a new subscription or a renewal.
    pub next: Timestamp,
    /// Failures in a row.
    pub failed_in_a_row: u32,
    /// Kind and code of the last of them.
    pub last_failure: Option<(ErrorKind, &'static str)>,
}

impl std::fmt::Debug for SubscriptionKeeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubscriptionKeeper")
            .field("service", &self.service)
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl SubscriptionKeeper {
    /// Begins to describe a keeper.
    pub fn builder() -> SubscriptionKeeperBuilder {
        SubscriptionKeeperBuilder::default()
    }

    /// How it is. Asks nobody.
    pub fn state(&self) -> KeeperState {
        let state = self.lock();
        KeeperState {
            until: state.kept.as_ref().map(|(kept, _)| kept.until),
            next: state.due,
            failed_in_a_row: state.failed_in_a_row,
            last_failure: state.last_failure,
        }
    }

    /// The subscription, for a host that keeps it over a restart
    /// ([`with_kept`](SubscriptionKeeperBuilder::with_kept)).
    pub fn kept(&self) -> Option<KeptSubscription> {
        let state = self.lock();
        state.kept.as_ref().map(|(kept, _)| kept.clone())
    }

    /// Deletes the subscription, where there is one. To be called when nobody waits any more: a wait makes another one.
    ///
    /// # Errors
    ///
    /// What the service raises; the subscription then ends by itself.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the subscription ends by itself.
    pub async fn unsubscribe(&self) -> Result<()> {
        let gone = self.forget(self.clock.now());
        match gone {
            Some(gone) => self.service.unsubscribe(&gone.id).await,
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn forget(&self, due: Timestamp) -> Option<KeptSubscription> {
        let mut state = self.lock();
        state.due = due;
        // The mailbox is dropped outside of the lock.
        let gone = state.kept.take();
        drop(state);
        gone.map(|(kept, _)| kept)
    }

    /// Takes a notice. Answers whether it is a hint.
    fn take(&self, notice: ChangeNotice) -> bool {
        let now = self.clock.now();
        // A service that takes back what it gives is not asked more than once a minute.
        let asked = self.lock().asked;
        let soon = asked.map_or(now, |asked| after(asked, FIRST_PAUSE).max(now));
        match notice {
            ChangeNotice::SubscriptionRemoved => drop(self.forget(soon)),
            ChangeNotice::ReauthorizationRequired => {
                let mut state = self.lock();
                state.due = state.due.min(soon);
            }
            ChangeNotice::Missed | ChangeNotice::MailArrived => {}
        }
        notice.is_hint()
    }

    /// Asks for the subscription or its renewal. Answers whether there is a new one.
    async fn ask(&self) -> bool {
        let now = self.clock.now();
        let kept = {
            let mut state = self.lock();
            state.asked = Some(now);
            state.kept.as_ref().map(|(kept, _)| kept.clone())
        };
        let until = after(now, self.lifetime);
        let asked = match kept.filter(|kept| kept.until > now) {
            Some(kept) => self.renew(&kept, until).await,
            None => self.subscribe(until).await,
        };
        match asked {
            Ok(is_new) => is_new,
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    async fn renew(&self, kept: &KeptSubscription, until: Timestamp) -> Result<bool> {
        match self.service.renew(&kept.id, until).await {
            Ok(until) => {
                let due = half_of(self.clock.now(), until);
                let mut state = self.lock();
                if let Some((kept, _)) = state.kept.as_mut() {
                    kept.until = until;
                }
                state.went_well(due);
                Ok(false)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                self.forget(self.clock.now());
                self.subscribe(until).await
            }
            Err(error) => Err(error),
        }
    }

    async fn subscribe(&self, until: Timestamp) -> Result<bool> {
        if self.sole {
            self.delete_leftovers().await;
        }
        let wanted = SubscriptionRequest {
            notification_url: self.notification_url.clone(),
            client_state: self.new_secret()?,
            until,
        };
        let coming = self.receiver.coming(&wanted.client_state);
        let kept = self.service.subscribe(&wanted).await?;
        let expected = coming.named(&kept.id);
        let due = half_of(self.clock.now(), kept.until);
        let mut state = self.lock();
        let old = state.kept.replace((kept, Arc::new(expected)));
        state.went_well(due);
        drop(state);
        drop(old);
        Ok(true)
    }

    /// Deletes what an earlier process, or a call without an answer, left behind. What cannot be deleted ends by itself.
    async fn delete_leftovers(&self) {
        let told = self.service.subscribed(&self.notification_url).await;
        for id in told.unwrap_or_default().into_iter().take(LEFTOVERS) {
            if let Err(error) = self.service.unsubscribe(&id).await {
                #[cfg(feature = "tracing")]
                tracing::debug!(code = error.code(), "a subscription is left behind");
                let _ = error;
                return;
            }
        }
    }

    fn new_secret(&self) -> Result<SecretString> {
        let mut bytes = [0; 32];
        self.entropy.fill_secret(&mut bytes)?;
        Ok(blake3::Hash::from_bytes(bytes).to_hex().as_str().into())
    }

    fn failed(&self, error: &Error) {
        #[cfg(feature = "tracing")]
        tracing::warn!(code = error.code(), "no change notifications for now");
        let mut chance = [0; 1];
        self.entropy.fill(&mut chance);
        let now = self.clock.now();
        let mut state = self.lock();
        let factor = 2_u32.saturating_pow(state.failed_in_a_row.min(16));
        let wait = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        let wait = wait + wait / 4 * u32::from(chance[0]) / 255;
        state.due = after(now, wait.max(error.retry_after().unwrap_or_default()));
        state.failed_in_a_row = state.failed_in_a_row.saturating_add(1);
        state.last_failure = Some((error.kind(), error.code()));
    }

    /// Waits for a notice until the service is to be asked.
    async fn listen(&self) -> Option<ChangeNotice> {
        let (wait, expected) = {
            let state = self.lock();
            let wait = state.due.duration_since(self.clock.now());
            let expected = state
                .kept
                .as_ref()
                .map(|(_, expected)| Arc::clone(expected));
            (Duration::try_from(wait).unwrap_or_default(), expected)
        };
        let next = async {
            match &expected {
                Some(expected) => expected.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            notice = next => Some(notice),
            () = self.clock.sleep(wait) => None,
        }
    }
}

impl State {
    fn went_well(&mut self, due: Timestamp) {
        self.due = due;
        self.failed_in_a_row = 0;
        self.last_failure = None;
    }
}

#[async_trait]
impl Wakeup for SubscriptionKeeper {
    async fn wait(&self) {
        let _turn = self.turn.lock().await;
        loop {
            let hint = match self.listen().await {
                Some(notice) => self.take(notice),
                None => self.ask().await,
            };
            if hint {
                return;
            }
        }
    }
}

/// The middle of the time that is left, a minute ahead at least.
fn half_of(now: Timestamp, until: Timestamp) -> Timestamp {
    let left = Duration::try_from(until.duration_since(now)).unwrap_or_default();
    after(now, (left / 2).max(FIRST_PAUSE))
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    let wait = SignedDuration::try_from(wait).unwrap_or(SignedDuration::MAX);
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}
