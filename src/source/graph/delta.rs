//! Waking up by the changes of a folder: a hint, never the truth. The folder itself is what is listed.
//!
//! Graph has neither pull nor streaming notifications; its change tracking (Microsoft Graph, "message: delta") is asked every
//! so often, which costs one small request where nothing has come.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Mutex;

use super::GraphSource;
use super::address::encoded;
use super::json::{Message, Page};
use super::session::Question;
use crate::error::{Result, codes};
use crate::http::ServiceUrl;
use crate::source::{Folder, Wakeup};

const OPERATION: &str = "delta";

/// Pages of changes that are read at one time; more change than this is mail enough.
const PAGES: usize = 20;

/// Wakes a logger when a folder of a [`GraphSource`] has new messages.
///
/// Each look counts as a request of the source, waits as the server wants it, and keeps within the requests that may be open.
/// A look that fails is no mail; the next one follows after the same time.
pub struct GraphDelta {
    source: GraphSource,
    folder: Folder,
    every: Duration,
    link: Mutex<Option<ServiceUrl>>,
}

impl fmt::Debug for GraphDelta {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GraphDelta")
            .field("source", &self.source)
            .field("every", &self.every)
            .finish_non_exhaustive()
    }
}

/// What a look gave.
struct Look {
    news: bool,
    link: Option<ServiceUrl>,
}

impl GraphDelta {
    /// Looks at a folder every so often; at least a second lies between two looks.
    pub fn new(source: GraphSource, folder: Folder, every: Duration) -> Self {
        Self {
            source,
            folder,
            every: every.max(Duration::from_secs(1)),
            link: Mutex::new(None),
        }
    }

    /// Whether messages came since the last look. The first look only takes note of where the folder stands.
    ///
    /// # Errors
    ///
    /// `NotFound` for the folder, and what a transport raises. Where the service has forgotten where the folder stood, the
    /// next look starts anew, and this one says that something may have come.
    ///
    /// # Cancel safety
    ///
    /// Reads only; changes may be told of twice.
    pub async fn look(&self) -> Result<bool> {
        let mut link = self.link.lock().await;
        let _slot = self.source.slot().await?;
        let Some(known) = link.clone() else {
            *link = self.read_from(self.start()?).await?.link;
            return Ok(false);
        };
        match self.read_from(known).await {
            Ok(look) => {
                *link = look.link;
                Ok(look.news)
            }
            Err(error) if is_forgotten(&error) => {
                *link = None;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn start(&self) -> Result<ServiceUrl> {
        let session = self.source.session();
        let now = session
            .clock
            .now()
            .strftime("%Y-%m-%dT%H:%M:%SZ")
            .to_string();
        session.addresses.of(&format!(
            "/mailFolders/{}/messages/delta?$select=id&$filter=receivedDateTime%20ge%20{}",
            encoded(self.folder.id.as_str()),
            encoded(&now),
        ))
    }

    async fn read_from(&self, mut url: ServiceUrl) -> Result<Look> {
        let session = self.source.session();
        let mut news = false;
        for _ in 0..PAGES {
            let question = Question::of(OPERATION, url);
            let page = session.document::<Page<Message>>(&question).await?.content;
            news |= page.value.iter().any(|message| message.removed.is_none());
            let follow = |link: &String| session.addresses.follow(OPERATION, link);
            if let Some(delta) = &page.delta {
                let link = Some(follow(delta)?);
                return Ok(Look { news, link });
            }
            let Some(next) = &page.next else {
                return Ok(Look { news, link: None });
            };
            url = follow(next)?;
        }
        let link = Some(url);
        Ok(Look { news: true, link })
    }
}

/// The service no longer knows the link (410, or a code that says so).
fn is_forgotten(error: &crate::error::Error) -> bool {
    let server = error.server();
    let code = server.and_then(|server| server.response_code.as_deref());
    let status = server.and_then(|server| server.status);
    let resync = code.is_some_and(super::codes::says_resync);
    status == Some(410) || resync || error.code() == codes::GRAPH_LINK_REFUSED.code
}

#[async_trait]
impl Wakeup for GraphDelta {
    async fn wait(&self) {
        loop {
            self.source.session().clock.sleep(self.every).await;
            if let Ok(true) = self.look().await {
                return;
            }
        }
    }
}
