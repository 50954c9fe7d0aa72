//! The hints of Graph about a folder: change tracking that opens its folder when it is first waited for, and subscriptions.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::{GraphDelta, GraphSource};
use crate::error::{ErrorKind, Result};
use crate::notifications::ChangeSubscriptions;
use crate::source::hints::no_hints;
use crate::source::{FolderRoot, FolderSelector, MailHints, MailSource as _, Wakeup};

impl MailHints for GraphSource {
    fn wakeup(&self, folder: &FolderSelector, every: Duration) -> Result<Arc<dyn Wakeup>> {
        in_a_mailbox(folder)?;
        Ok(Arc::new(Looking {
            source: self.clone(),
            folder: folder.clone(),
            every: every.max(Duration::from_secs(1)),
            delta: std::sync::Mutex::new(None),
        }))
    }

    fn subscriptions(&self, folder: &FolderSelector) -> Result<Arc<dyn ChangeSubscriptions>> {
        in_a_mailbox(folder)?;
        Ok(Arc::new(Self::subscriptions(self, folder.clone())))
    }
}

/// Graph has no public folders.
fn in_a_mailbox(folder: &FolderSelector) -> Result<()> {
    let path = match folder {
        FolderSelector::Path(path) => Some(path),
        FolderSelector::Id(_, path) => path.as_ref(),
    };
    if path.is_some_and(|path| path.root() == &FolderRoot::PublicFolders) {
        return Err(no_hints("Microsoft Graph has no public folders"));
    }
    Ok(())
}

/// Change tracking of a folder that may not be there yet, or not be there any more.
#[derive(Debug)]
struct Looking {
    source: GraphSource,
    folder: FolderSelector,
    every: Duration,
    delta: std::sync::Mutex<Option<Arc<GraphDelta>>>,
}

impl Looking {
    fn known(&self) -> Option<Arc<GraphDelta>> {
        let delta = self.delta.lock().unwrap_or_else(PoisonError::into_inner);
        delta.clone()
    }

    fn set(&self, delta: Option<Arc<GraphDelta>>) {
        *self.delta.lock().unwrap_or_else(PoisonError::into_inner) = delta;
    }

    /// Whether mail may have come since the last look, the first of which says so.
    async fn look(&self) -> Result<bool> {
        if let Some(delta) = self.known() {
            let looked = delta.look().await;
            if let Err(error) = &looked
                && error.kind() == ErrorKind::NotFound
            {
                self.set(None);
            }
            return looked;
        }
        let folder = self.source.open_folder(&self.folder).await?;
        let delta = GraphDelta::new(self.source.clone(), folder, self.every);
        delta.look().await?;
        self.set(Some(Arc::new(delta)));
        Ok(true)
    }
}

#[async_trait]
impl Wakeup for Looking {
    async fn wait(&self) {
        let clock = Arc::clone(&self.source.session().clock);
        let mut pause = match self.known() {
            Some(_) => self.every,
            None => Duration::ZERO,
        };
        loop {
            clock.sleep(pause).await;
            if let Ok(true) = self.look().await {
                return;
            }
            pause = self.every;
        }
    }
}
