//! What the validation of a set-up asks: whether the service answers, and what it says of the mailbox.

use jiff::Timestamp;

use super::GraphSource;
use super::address::encoded;
use super::facts::time;
use super::folders::of_folder;
use super::json::{MailFolder, Message, Page};
use super::session::Question;
use crate::error::{Result, codes};
use crate::source::Folder;

/// What the service says of itself in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Its clock (`Date`, RFC 9110, 6.6.1).
    pub(crate) date: Option<Timestamp>,
}

impl GraphSource {
    /// Reads the top of the mailbox's folders.
    pub(crate) async fn greet(&self) -> Result<Greeting> {
        let _slot = self.slot().await?;
        let url = self
            .session()
            .addresses
            .of("/mailFolders/msgfolderroot?$select=id")?;
        let question = Question::of("greet", url);
        let told = self.session().document::<MailFolder>(&question).await;
        let date = told.map_err(of_folder)?.date;
        Ok(Greeting { date })
    }

    /// Whether the inbox of another mailbox can be read; `None` where there is no such mailbox. Nothing in it is looked at.
    pub(crate) async fn reads_inbox(&self, smtp: &str) -> Result<Option<bool>> {
        let _slot = self.slot().await?;
        let url = self
            .session()
            .addresses
            .elsewhere(smtp, "/mailFolders/inbox?$select=id")?;
        let question = Question::of("reads_inbox", url);
        let Err(error) = self.session().document::<MailFolder>(&question).await else {
            return Ok(Some(true));
        };
        let refused = [&codes::GRAPH_ACCESS_DENIED, &codes::HTTP_FORBIDDEN];
        let missing = [&codes::GRAPH_MAILBOX, &codes::GRAPH_NOT_FOUND];
        let is = |code: &&crate::error::Code| code.code == error.code();
        if refused.iter().any(is) {
            Ok(Some(false))
        } else if missing.iter().any(is) {
            Ok(None)
        } else {
            Err(error)
        }
    }

    /// When the newest item of a folder was received.
    pub(crate) async fn newest_in(&self, folder: &Folder) -> Result<Option<Timestamp>> {
        let _slot = self.slot().await?;
        let url = self.session().addresses.of(&format!(
            "/mailFolders/{}/messages?$top=1&$orderby=receivedDateTime%20desc&$select=id,receivedDateTime",
            encoded(folder.id.as_str()),
        ))?;
        let question = Question::of("newest_in", url);
        let told = self.session().document::<Page<Message>>(&question).await;
        let newest = told.map_err(of_folder)?.content.value.into_iter().next();
        let received = newest.and_then(|message| message.received_date_time);
        Ok(received.as_deref().and_then(time))
    }
}
