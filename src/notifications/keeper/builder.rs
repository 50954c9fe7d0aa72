//! Describing a keeper, and refusing what cannot work.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{State, SubscriptionKeeper, half_of};
use crate::clock::{Clock, Entropy, SystemClock, SystemEntropy};
use crate::error::{Error, Result, codes};
use crate::http::ServiceUrl;
use crate::notifications::receiver::NotificationReceiver;
use crate::notifications::service::{ChangeSubscriptions, KeptSubscription};

const OPERATION: &str = "SubscriptionKeeper";

/// Graph lets a subscription to messages live 10,080 minutes, formerly 4,230; where one is still held to the older limit a
/// longer life would be refused.
const LIFETIME: Duration = Duration::from_hours(70);
/// Graph's limit for messages ("subscription resource type": under seven days).
const LONGEST_LIFETIME: Duration = Duration::from_mins(10_070);

/// Builds a [`SubscriptionKeeper`]. Needed are a service, a receiver and an address.
#[derive(Debug, Default)]
pub struct SubscriptionKeeperBuilder {
    service: Option<Arc<dyn ChangeSubscriptions>>,
    receiver: Option<NotificationReceiver>,
    notification_url: Option<String>,
    lifetime: Option<Duration>,
    sole: bool,
    kept: Option<KeptSubscription>,
    clock: Option<Arc<dyn Clock>>,
    entropy: Option<Arc<dyn Entropy>>,
}

impl SubscriptionKeeperBuilder {
    /// Who asks Graph.
    #[must_use]
    pub fn with_service(mut self, service: Arc<dyn ChangeSubscriptions>) -> Self {
        self.service = Some(service);
        self
    }

    /// The receiver that the host has mounted.
    #[must_use]
    pub fn with_receiver(mut self, receiver: &NotificationReceiver) -> Self {
        self.receiver = Some(receiver.clone());
        self
    }

    /// The address at which Graph reaches the receiver: https, or plain http to a loopback address for tests.
    #[must_use]
    pub fn with_notification_url(mut self, url: impl Into<String>) -> Self {
        self.notification_url = Some(url.into());
        self
    }

    /// How long a subscription is asked for: default 4,200 minutes, which every cloud allows; between 10 minutes and
    /// 10,070. It is renewed when half of it is over.
    #[must_use]
    pub fn with_lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime.clamp(Duration::from_mins(10), LONGEST_LIFETIME));
        self
    }

    /// Says that nobody else subscribes to this folder with this address: other subscriptions of the kind are left over from
    /// a process that was killed, or from a call whose answer was lost. They are deleted before a new one is made; without
    /// this they send until they end, to nobody. Not for several processes behind one address.
    #[must_use]
    pub fn with_sole_use(mut self, sole: bool) -> Self {
        self.sole = sole;
        self
    }

    /// A subscription that the host kept over a restart. One that has run out is not used.
    #[must_use]
    pub fn with_kept(mut self, kept: KeptSubscription) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Another clock, for tests.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Another source of randomness, for tests. Client states are made of it.
    #[must_use]
    pub fn with_entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = Some(entropy);
        self
    }

    /// Checks the description. Sends nothing.
    ///
    /// # Errors
    ///
    /// `Config`: a part is missing (`config.missing`), or the address is no https (`config.insecure`) or no URL
    /// (`config.invalid`).
    pub fn build(self) -> Result<SubscriptionKeeper> {
        let notification_url = self
            .notification_url
            .ok_or_else(|| missing("the notification address"))?;
        ServiceUrl::parse(&notification_url, true)?;
        let receiver = self.receiver.ok_or_else(|| missing("a receiver"))?;
        let clock = self.clock.unwrap_or_else(|| Arc::new(SystemClock));
        let now = clock.now();
        let kept = self.kept.filter(|kept| kept.until > now);
        let kept = kept.map(|kept| {
            let expected = receiver.expect(&kept.id, &kept.client_state);
            (kept, Arc::new(expected))
        });
        let due = kept.as_ref().map(|(kept, _)| half_of(now, kept.until));
        Ok(SubscriptionKeeper {
            service: self.service.ok_or_else(|| missing("a service"))?,
            receiver,
            notification_url,
            lifetime: self.lifetime.unwrap_or(LIFETIME),
            sole: self.sole,
            clock,
            entropy: self.entropy.unwrap_or_else(|| Arc::new(SystemEntropy)),
            state: Mutex::new(State {
                kept,
                due: due.unwrap_or(now),
                asked: None,
                failed_in_a_row: 0,
                last_failure: None,
            }),
            turn: tokio::sync::Mutex::new(()),
        })
    }
}

fn missing(what: &'static str) -> Error {
    Error::new(&codes::CONFIG_MISSING, OPERATION).with_detail(what)
}
