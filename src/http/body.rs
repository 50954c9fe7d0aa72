//! The body of an answer as it arrives, counted against the limit.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::BoxStream;

use super::failure::transport_error;
use crate::error::{Error, Result, ServerContext, codes};

/// The pieces of an answer.
pub(crate) struct Body {
    pieces: BoxStream<'static, reqwest::Result<Bytes>>,
    left: u64,
    operation: &'static str,
    server: ServerContext,
}

impl Body {
    /// The body of a response, of at most `limit` bytes.
    pub(crate) fn new(
        response: reqwest::Response,
        limit: u64,
        operation: &'static str,
        server: ServerContext,
    ) -> Self {
        Self {
            pieces: Box::pin(response.bytes_stream()),
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

impl Stream for Body {
    type Item = Result<Bytes>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let body = self.get_mut();
        let piece = match body.pieces.as_mut().poll_next(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(piece) => piece,
        };
        Poll::Ready(piece.map(|piece| match piece {
            Ok(piece) => body.count(piece),
            Err(error) => Err(transport_error(body.operation, error, body.server.clone())),
        }))
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish()
    }
}
