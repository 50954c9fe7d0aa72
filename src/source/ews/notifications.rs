//! [`EwsWakeup`]: hints by pull notifications, for folders of a mailbox.
//!
//! Pull, not streaming: a streamed answer would hold one of the few hanging connections that a server allows (3 with
//! Exchange 2013, 10 later), breaks off at proxies that buffer, and is at odds with the time-outs of every other answer. A
//! read of the events is one small request of the ordinary kind.
//!
//! Microsoft reference, "Subscribe operation" and "GetEvents operation". Public folders have no subscriptions that could be
//! relied on: they are polled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::EwsSource;
use super::answer::{ResponseMessage, Subscription, read_events, read_subscription};
use super::codes::Class;
use super::folders::{folder_ref, refusal};
use super::request::{GetEvents, Request, Subscribe, Unsubscribe};
use super::soap::Tree;
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::hints::no_hints;
use crate::source::{FolderRoot, FolderSelector, MailHints, Wakeup};

/// Minutes without a read after which the server forgets a subscription.
const FORGOTTEN_AFTER: u16 = 30;
/// The longest wait after failures in a row, unless the server asks for more.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);

/// The server does not know the subscription any more, or not up to where it was read: a new one is needed.
const LOST: [&str; 7] = [
    "ErrorExpiredSubscription",
    "ErrorInvalidPullSubscriptionId",
    "ErrorInvalidWatermark",
    "ErrorMissedNotificationEvents",
    "ErrorProxiedSubscriptionCallFailure",
    "ErrorSubscriptionNotFound",
    "ErrorSubscriptionUnsubscribed",
];

/// The server has no notifications for this folder or this account.
const REFUSED: [&str; 5] = [
    "ErrorInvalidSubscription",
    "ErrorInvalidSubscriptionRequest",
    "ErrorSubscriptionAccessDenied",
    "ErrorSubscriptionDelegateAccessNotSupported",
    "ErrorSubscriptionsDisabledForGroup",
];

/// Hints of Exchange that mail came into a folder of a mailbox: a [`Wakeup`] by pull notifications.
///
/// It asks for a subscription when it is first waited for, reads its events every 20 seconds
/// ([`with_interval`](Self::with_interval)), and makes a new subscription when the server has lost it. Every new one is a
/// hint, for nothing is known of the time before it. Failures are waited out, longer each time and as long as the server
/// asks; none ends the waiting. Where the server has no notifications for the folder there are no hints
/// ([`refusal`](Self::refusal) says why), and the schedule finds the mail. Clones share the subscription.
#[derive(Debug, Clone)]
pub struct EwsWakeup {
    source: EwsSource,
    folder: Arc<FolderSelector>,
    interval: Duration,
    state: Arc<Mutex<State>>,
    /// Whoever waits; another one waits for its turn.
    turn: Arc<Turn>,
}

#[derive(Debug, Default)]
struct State {
    subscription: Option<Subscription>,
    failed_in_a_row: u32,
    /// The server that has no notifications for the folder.
    refused: Option<ServerContext>,
}

type Turn = tokio::sync::Mutex<()>;

/// What one look brought.
enum Look {
    Hint,
    Nothing,
    /// The server has lost the subscription.
    Lost,
}

impl EwsSource {
    /// Hints about a folder of a mailbox, for [`with_wakeup`](crate::logger::EmailLoggerBuilder::with_wakeup). Sends nothing
    /// yet.
    ///
    /// # Errors
    ///
    /// `Unsupported` (`source.unsupported`) for a public folder, which is polled.
    pub fn wakeup(&self, folder: impl Into<FolderSelector>) -> Result<EwsWakeup> {
        let folder = folder.into();
        let path = match &folder {
            FolderSelector::Path(path) => Some(path),
            FolderSelector::Id(_, path) => path.as_ref(),
        };
        if path.is_some_and(|path| path.root() == &FolderRoot::PublicFolders) {
            return Err(no_hints(
                "a public folder has no notifications: it is polled",
            ));
        }
        Ok(EwsWakeup {
            source: self.clone(),
            folder: Arc::new(folder),
            interval: Duration::from_secs(20),
            state: Arc::default(),
            turn: Arc::default(),
        })
    }
}

impl MailHints for EwsSource {
    fn wakeup(&self, folder: &FolderSelector, every: Duration) -> Result<Arc<dyn Wakeup>> {
        let wakeup = Self::wakeup(self, folder.clone())?;
        Ok(Arc::new(wakeup.with_interval(every)))
    }
}

impl EwsWakeup {
    /// How often events are read: default 20 seconds, at least 1 second, at most 15 minutes.
    #[must_use]
    pub fn with_interval(mut self, interval: Duration) -> Self {
        self.interval = interval.clamp(Duration::from_secs(1), Duration::from_mins(15));
        self
    }

    /// Why the server gives no notifications for the folder, once it has said so: `Unsupported` (`source.unsupported`).
    pub fn refusal(&self) -> Option<Error> {
        let server = self.state().refused.clone()?;
        let error = Error::new(&codes::SOURCE_UNSUPPORTED, "Subscribe");
        let detail = "the server has no notifications for this folder: it is polled";
        Some(error.with_detail(detail).with_server(server))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; what is in it is whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the subscription back, where there is one. Left alone it ends by itself after half an hour. To be
    /// called when nobody waits any more: a wait makes another one.
    ///
    /// # Errors
    ///
    /// What a transport raises.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: the subscription ends by itself.
    pub async fn unsubscribe(&self) -> Result<()> {
        let gone = self.state().subscription.take();
        let Some(gone) = gone else { return Ok(()) };
        let request = Unsubscribe {
            subscription: &gone.id,
        };
        let (message, _) = self.ask(&request).await?;
        match message.class() {
            Class::Fine => Ok(()),
            _ if is_one_of(&LOST, &message) => Ok(()),
            class => Err(refusal(class, request.name(), &message)),
        }
    }

    async fn ask(&self, request: &dyn Request) -> Result<(ResponseMessage, Tree)> {
        let mut tree = Tree::default();
        let message = self.source.session().ask(request, &mut tree).await?;
        Ok((message, tree))
    }

    /// Looks once. Dropped in its middle, the next look reads the same events again.
    async fn look(&self) -> Result<Look> {
        let known = self.state().subscription.clone();
        let Some(known) = known else {
            let subscription = self.subscribe().await?;
            self.state().subscription = Some(subscription);
            return Ok(Look::Hint);
        };
        let request = GetEvents {
            subscription: &known.id,
            watermark: &known.watermark,
        };
        let (message, tree) = self.ask(&request).await?;
        match message.class() {
            Class::Fine => {}
            _ if is_one_of(&LOST, &message) => return Ok(Look::Lost),
            class => return Err(refusal(class, request.name(), &message)),
        }
        let events = read_events(&tree);
        if let (Some(known), Some(watermark)) =
            (self.state().subscription.as_mut(), events.watermark)
        {
            known.watermark = watermark;
        }
        Ok(if events.any {
            Look::Hint
        } else {
            Look::Nothing
        })
    }

    async fn subscribe(&self) -> Result<Subscription> {
        let folder = self.source.open(&self.folder).await?;
        let folder = folder_ref(&folder);
        let request = Subscribe {
            folder: &folder,
            minutes: FORGOTTEN_AFTER,
        };
        let (message, tree) = self.ask(&request).await?;
        if message.class() != Class::Fine {
            if is_one_of(&REFUSED, &message) {
                self.state().refused = Some(message.server.clone());
            }
            return Err(refusal(message.class(), request.name(), &message));
        }
        read_subscription(&tree).ok_or_else(|| {
            Error::new(&codes::EWS_NOT_SOAP, request.name())
                .with_detail("the answer names no subscription")
                .with_server(message.server)
        })
    }

    /// How long to wait before the next look; none where the server gives no hints.
    fn pause(&self) -> Option<Duration> {
        let state = self.state();
        match (&state.refused, &state.subscription) {
            (Some(_), _) => None,
            (None, Some(_)) => Some(self.interval),
            (None, None) => Some(Duration::ZERO),
        }
    }

    /// Keeps what a look brought. Answers how long to wait for that.
    fn keep(&self, looked: &Result<Look>) -> Duration {
        let mut state = self.state();
        match looked {
            Ok(Look::Hint | Look::Nothing) => state.failed_in_a_row = 0,
            Ok(Look::Lost) => state.subscription = None,
            Err(error) => {
                let failed = state.failed_in_a_row;
                state.failed_in_a_row = failed.saturating_add(1);
                return self.wait_after(failed, error);
            }
        }
        Duration::ZERO
    }

    fn wait_after(&self, failed_before: u32, error: &Error) -> Duration {
        let factor = 2_u32.saturating_pow(failed_before.min(16));
        let own = self.interval.saturating_mul(factor).min(LONGEST_PAUSE);
        let asked = error.retry_after().unwrap_or_default();
        own.max(self.interval).max(asked)
    }
}

#[async_trait]
impl Wakeup for EwsWakeup {
    async fn wait(&self) {
        let _turn = self.turn.lock().await;
        let clock = &self.source.session().clock;
        while let Some(pause) = self.pause() {
            clock.sleep(pause).await;
            let looked = self.look().await;
            if let Err(error) = &looked {
                failed(error);
            }
            let pause = self.keep(&looked);
            if matches!(looked, Ok(Look::Hint)) {
                return;
            }
            clock.sleep(pause).await;
        }
        std::future::pending::<()>().await;
    }
}

fn is_one_of(codes: &[&str], message: &ResponseMessage) -> bool {
    codes.contains(&message.decisive_code())
}

#[cfg_attr(not(feature = "tracing"), allow(unused_variables))]
fn failed(error: &Error) {
    #[cfg(feature = "tracing")]
    tracing::debug!(code = error.code(), "no notifications for now");
}
