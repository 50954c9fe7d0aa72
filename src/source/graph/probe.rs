//! What the validation of a set-up asks: whether the service answers, and what it says of the mailbox.

use jiff::Timestamp;

use super::GraphSource;
use crate::error::{Error, Result, codes};
use crate::source::Folder;

/// What the service says of itself in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[allow(dead_code)]
pub(crate) struct Greeting {
    /// Its clock (`Date`, RFC 9110, 6.6.1).
    pub(crate) date: Option<Timestamp>,
}

#[allow(dead_code)]
impl GraphSource {
    /// Reads the top of the mailbox's folders.
    pub(crate) async fn greet(&self) -> Result<Greeting> {
        let _slot = self.slot().await?;
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "greet"))
    }

    /// Whether the inbox of another mailbox can be read; `None` where there is no such mailbox. Nothing in it is looked at.
    pub(crate) async fn reads_inbox(&self, smtp: &str) -> Result<Option<bool>> {
        let _ = smtp;
        let _slot = self.slot().await?;
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "reads_inbox"))
    }

    /// Bytes that are taken, where the service tells them, and that may be: Graph says nothing of a limit.
    pub(crate) async fn room_of(&self, folder: &Folder) -> Result<Option<(u64, Option<u64>)>> {
        let _ = folder;
        let _slot = self.slot().await?;
        Ok(None)
    }

    /// When the newest item of a folder was received.
    pub(crate) async fn newest_in(&self, folder: &Folder) -> Result<Option<Timestamp>> {
        let _ = folder;
        let _slot = self.slot().await?;
        Err(Error::new(&codes::SOURCE_UNSUPPORTED, "newest_in"))
    }
}
