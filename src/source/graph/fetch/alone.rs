//! One item by itself: its original is handed on while it arrives.

use futures_util::StreamExt;

use super::super::content::{foreign, is_original};
use super::super::failure::{Failure, Remedy};
use super::super::session::{Opened, Question};
use super::super::transfer::item_path;
use super::{Facts, Fetch, OPERATION, complete};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{Fetched, ListedItem};

/// How reading an answer ended.
enum Ended {
    /// It is complete, with this many bytes.
    Complete(u64),
    /// It broke off.
    Broken(Error),
}

impl Fetch<'_> {
    pub(super) async fn alone(
        &mut self,
        index: usize,
        row: &ListedItem,
        facts: Facts,
    ) -> Result<()> {
        let facts = match facts {
            Facts::Known(facts) => facts,
            Facts::Gone => return self.end(index, row, None, Fetched::Gone).await,
            Facts::Failed(error) => {
                return self.end(index, row, None, Fetched::Failed(error)).await;
            }
        };
        let session = self.source.session();
        let path = format!("{}/$value", item_path(self.from, &row.item.id));
        let question = Question::of(OPERATION, session.addresses.of(&path)?);
        let mut waits = session.waits();
        let failed = loop {
            let Opened { reply, places } = match session.open(&question, &mut waits).await {
                Ok(opened) => opened,
                Err(error) if error.code() == codes::GRAPH_NOT_FOUND.code => {
                    return self.end(index, row, None, Fetched::Gone).await;
                }
                Err(error) if error.code() == codes::GRAPH_ITEM_DAMAGED.code => {
                    let error = error.with_item(&*row.item.id);
                    let fetched = Fetched::WithoutOriginal(facts, error);
                    return self.end(index, row, None, fetched).await;
                }
                Err(error) if is_of_the_item(&error) => break error,
                Err(error) => return Err(error),
            };
            if !is_original(reply.status, &reply.headers) {
                drop(places);
                let error = foreign(OPERATION, reply.server);
                // Where another item got such an answer, asking this one again and again would only take longer.
                if self.has_held() {
                    break error;
                }
                let remedy = Remedy::Repeat;
                let failure = Failure { error, remedy };
                match session.recover(false, failure, &mut waits).await {
                    Ok(()) => continue,
                    Err(error) => break error,
                }
            }
            self.begin_original(index, row.size).await?;
            let ended = self.read(reply.body).await?;
            drop(places);
            match ended {
                Ended::Complete(bytes) => {
                    return self.sink.end(complete(facts, bytes == 0)).await;
                }
                Ended::Broken(error) => {
                    let failure = Failure::of_transport(error);
                    if let Err(error) = session.recover(false, failure, &mut waits).await {
                        break error;
                    }
                }
            }
        };
        let error = failed.with_item(&*row.item.id);
        self.end(index, row, None, Fetched::Failed(error)).await
    }

    /// An error of the sink is returned as it is.
    async fn read(&mut self, mut body: crate::http::Body) -> Result<Ended> {
        let mut bytes = 0_u64;
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => {
                    bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                    self.sink.chunk(&piece).await?;
                }
                Err(error) => return Ok(Ended::Broken(error)),
            }
        }
        Ok(Ended::Complete(bytes))
    }
}

/// Whether the service answered, and what it said may be this item's trouble.
pub(super) fn is_of_the_item(error: &Error) -> bool {
    let answered = error.server().is_some_and(|server| server.status.is_some());
    let systemic = matches!(
        error.kind(),
        ErrorKind::Throttled
            | ErrorKind::Unauthenticated
            | ErrorKind::ReauthRequired
            | ErrorKind::Blocked
            | ErrorKind::Config
    );
    answered && !systemic && error.code() != codes::HTTP_REDIRECT.code
}
