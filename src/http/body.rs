//! The body of an answer as it arrives, counted against the limit.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

use crate::error::{Error, Result, ServerContext, codes};

/// The pieces of an answer.
pub(crate) struct Body {
    pieces: BoxStream<'static, Result<Bytes>>,
    left: u64,
    operation: &'static str,
    server: ServerContext,
}

impl Body {
    /// The body of these pieces, of at most `limit` bytes, with at most `idle` between two of them.
    pub(crate) fn new(
        pieces: BoxStream<'static, Result<Bytes>>,
        limit: u64,
        idle: Duration,
        operation: &'static str,
        server: ServerContext,
    ) -> Self {
        Self {
            pieces: timed(pieces, idle, operation, server.clone()),
            left: limit,
            operation,
            server,
        }
    }

    fn count(&mut self, piece: Bytes) -> Result<Bytes> {
        let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
        match self.left.checked_sub(length) {
            Some(left) => {
                self.left = left;
                Ok(piece)
            }
            None => Err(Error::new(&codes::HTTP_RESPONSE_TOO_LARGE, self.operation)
                .with_server(self.server.clone())),
        }
    }
}

/// The pieces with a limit on the time between two of them. After an error there is none.
fn timed(
    pieces: BoxStream<'static, Result<Bytes>>,
    idle: Duration,
    operation: &'static str,
    server: ServerContext,
) -> BoxStream<'static, Result<Bytes>> {
    let next = move |pieces: Option<BoxStream<'static, Result<Bytes>>>| {
        let server = server.clone();
        async move {
            let mut pieces = pieces?;
            let error = match tokio::time::timeout(idle, pieces.next()).await {
                Ok(None) => return None,
                Ok(Some(Ok(piece))) => return Some((Ok(piece), Some(pieces))),
                Ok(Some(Err(error))) => error,
                Err(_) => Error::new(&codes::HTTP_TIMEOUT, operation).with_server(server),
            };
            Some((Err(error), None))
        }
    };
    let pieces = futures_util::stream::unfold(Some(pieces), next);
    pieces.fuse().boxed()
}

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        let piece = match body.pieces.as_mut().poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(piece) => piece,
        };
        Poll::Ready(piece.map(|piece| body.count(piece?)))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish()
    }
}
