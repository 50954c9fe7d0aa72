//! What brings the runs of `watch` forward when mail arrives: asking the mail system, or being called by Microsoft Graph.
//!
//! Owns the choice and the listener. The log is the same whatever becomes of it.

mod door;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use email_logging::logger::EmailLoggerBuilder;
use email_logging::notifications::SubscriptionKeeper;
use email_logging::setup::MailService;
use email_logging::source::{FolderPath, FolderSelector, MailHints};

use crate::cli::WakeBy;
use crate::config::{ConfigError, Wake};
use crate::exit::{self, Failure};
use crate::output::Output;
use crate::run::span;

use door::Door;

/// How long the end waits for Graph to take a subscription back.
const PATIENCE: Duration = Duration::from_secs(5);

/// What wakes the loggers of a `watch`. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct Waker(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    by: WakeBy,
    every: Duration,
    door: Option<Door>,
    attached: Mutex<Attached>,
}

#[derive(Debug, Default)]
struct Attached {
    /// Mailboxes that are asked.
    asked: u32,
    keepers: Vec<Kept>,
}

/// A subscription, and the failure of it that was told.
#[derive(Debug)]
struct Kept {
    keeper: Arc<SubscriptionKeeper>,
    told: Option<&'static str>,
}

impl Waker {
    /// What the configuration says; none where the schedule alone counts. With notifications it listens from now on.
    pub(crate) async fn start(wake: &Wake) -> Result<Option<Self>, Failure> {
        let by = wake.by.unwrap_or_default();
        let door = match by {
            WakeBy::None => return Ok(None),
            WakeBy::Notifications => Some(Door::open(wake).await?),
            WakeBy::Auto | WakeBy::Delta | WakeBy::Pull => None,
        };
        Ok(Some(Self(Arc::new(Inner {
            by,
            every: wake.every(),
            door,
            attached: Mutex::default(),
        }))))
    }

    fn attached(&self) -> MutexGuard<'_, Attached> {
        self.0
            .attached
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets it wake the logger of this queue.
    pub(crate) fn attach(
        &self,
        builder: EmailLoggerBuilder,
        service: MailService,
        hints: &Arc<dyn MailHints>,
        queue: &FolderPath,
    ) -> Result<EmailLoggerBuilder, Failure> {
        let by = self.0.by;
        fits(by, service)?;
        let folder = FolderSelector::Path(queue.clone());
        if let Some(door) = &self.0.door {
            let subscriptions = hints.subscriptions(&folder).map_err(|_| no_hints(by))?;
            let keeper = SubscriptionKeeper::builder()
                .with_service(subscriptions)
                .with_receiver(&door.receiver)
                .with_notification_url(&door.url)
                .with_sole_use(true)
                .build()?;
            let keeper = Arc::new(keeper);
            let kept = Kept {
                keeper: Arc::clone(&keeper),
                told: None,
            };
            self.attached().keepers.push(kept);
            return Ok(builder.with_wakeup(keeper));
        }
        match hints.wakeup(&folder, self.0.every) {
            Ok(wakeup) => {
                self.attached().asked += 1;
                Ok(builder.with_wakeup(wakeup))
            }
            Err(_) if by == WakeBy::Auto => Ok(builder),
            Err(_) => Err(no_hints(by).into()),
        }
    }
}

/// Says what brings runs forward, if anything does.
pub(crate) fn tell(waker: Option<&Waker>, output: &Output) {
    let Some(waker) = waker else { return };
    if let Some(door) = &waker.0.door {
        output.note(format!(
            "Microsoft Graph calls {} when mail arrives, and a run follows; this program listens at {}.",
            door.url, door.address
        ));
    } else if waker.attached().asked > 0 {
        output.note(format!(
            "Between runs the mail system is asked every {} whether mail has come; if so, a run follows.",
            span(waker.0.every)
        ));
    }
}

/// Says once that notifications do not come, and why.
pub(crate) fn tell_trouble(waker: Option<&Waker>, output: &Output) {
    let Some(waker) = waker else { return };
    for kept in &mut waker.attached().keepers {
        let failure = kept.keeper.state().last_failure.map(|(_, code)| code);
        if failure == kept.told {
            continue;
        }
        kept.told = failure;
        match failure {
            Some(code) => {
                let remedy = exit::remedy_of(
                    code,
                    "Check that [wake] `url` reaches this program from outside.",
                );
                output.note(format!(
                    "note: no change notifications for now [{code}]; the schedule finds the mail. {remedy}"
                ));
            }
            None => output.note("note: change notifications come again"),
        }
    }
}

/// Gives the subscriptions back. What cannot be given back ends by itself.
pub(crate) async fn end(waker: Option<Waker>) {
    let Some(waker) = waker else { return };
    let keepers = std::mem::take(&mut waker.attached().keepers);
    for kept in keepers {
        // The next `watch` deletes what is left.
        let _ = tokio::time::timeout(PATIENCE, kept.keeper.unsubscribe()).await;
    }
}

/// Whether this service can be woken so.
fn fits(by: WakeBy, service: MailService) -> Result<(), ConfigError> {
    let what = match (by, service) {
        (WakeBy::Delta, MailService::Ews) => {
            "`delta` is for Microsoft Graph, and this mailbox is reached by EWS"
        }
        (WakeBy::Notifications, MailService::Ews) => {
            "`notifications` are for Microsoft Graph, and this mailbox is reached by EWS"
        }
        (WakeBy::Pull, MailService::Graph) => {
            "`pull` is for EWS, and this mailbox is reached by Microsoft Graph"
        }
        _ => return Ok(()),
    };
    Err(ConfigError::invalid(
        format!("[wake]: {what}"),
        "Set `by` in [wake] of the configuration file, or --wake, to `auto`.",
    ))
}

fn no_hints(by: WakeBy) -> ConfigError {
    let name = if by == WakeBy::Notifications {
        "notifications"
    } else {
        "hints"
    };
    ConfigError::invalid(
        format!("[wake]: the queue is a public folder, which gives no {name}"),
        "Set `by` in [wake] of the configuration file, or --wake, to `auto` or `none`: the schedule finds the mail.",
    )
}
