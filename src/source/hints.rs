//! [`MailHints`]: what a mail system has to tell that mail may have arrived. Knows no protocol.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use super::{FolderSelector, Wakeup};
use crate::error::Result;
#[cfg(any(feature = "ews", feature = "graph"))]
use crate::error::{Error, codes};
#[cfg(feature = "graph")]
use crate::notifications::ChangeSubscriptions;

/// The hints of a mail system about one of its folders. Correctness never depends on them.
///
/// A [`MailConnection`](crate::setup::MailConnection) has it where its service gives hints.
pub trait MailHints: Debug + Send + Sync + 'static {
    /// What asks the mail system so often whether mail has come: pull notifications of Exchange, change tracking of Graph.
    /// Sends nothing yet; the first look is a hint, as nothing is known of the time before it.
    ///
    /// # Errors
    ///
    /// `Unsupported` (`source.unsupported`) for a folder without hints, as a public one.
    fn wakeup(&self, folder: &FolderSelector, every: Duration) -> Result<Arc<dyn Wakeup>>;

    /// Who subscribes to new mail in the folder, for a
    /// [`SubscriptionKeeper`](crate::notifications::SubscriptionKeeper). Sends nothing yet.
    ///
    /// # Errors
    ///
    /// `Unsupported` (`source.unsupported`) where the mail system calls nobody, which is the default.
    #[cfg(feature = "graph")]
    fn subscriptions(&self, folder: &FolderSelector) -> Result<Arc<dyn ChangeSubscriptions>> {
        let _ = folder;
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "subscriptions")
            .with_detail("this mail system sends no change notifications"))
    }
}

/// That a folder gives no hints.
#[cfg(any(feature = "ews", feature = "graph"))]
pub(super) fn no_hints(detail: &'static str) -> Error {
    Error::new(&codes::SOURCE_UNSUPPORTED, "wakeup").with_detail(detail)
}
