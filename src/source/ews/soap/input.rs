//! The byte side of the XML reader: repaired, counted, and with the typed error of the transport kept beside it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use futures_util::stream::BoxStream;
use tokio::io::{AsyncBufRead, AsyncRead, ReadBuf};

use super::utf8::Repair;
use crate::error::{Error, Result, codes};

/// Bytes that one tag or one text may have; the original of a mail is read past this limit.
const TOKEN_LIMIT: usize = 4 << 20;

/// An answer as the XML reader takes it.
pub(in crate::source::ews) struct SoapInput {
    pieces: BoxStream<'static, Result<Bytes>>,
    piece: Bytes,
    repair: Repair,
    ended: bool,
    token_left: usize,
    failure: Option<Error>,
    operation: &'static str,
}

impl SoapInput {
    /// Reads from these pieces.
    pub(in crate::source::ews) fn new(
        pieces: BoxStream<'static, Result<Bytes>>,
        operation: &'static str,
    ) -> Self {
        Self {
            pieces,
            piece: Bytes::new(),
            repair: Repair::default(),
            ended: false,
            token_left: TOKEN_LIMIT,
            failure: None,
            operation,
        }
    }

    /// Starts to count a new tag or text.
    pub(super) fn start_token(&mut self) {
        self.token_left = TOKEN_LIMIT;
    }

    /// The typed error behind an input error.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// The pieces that were not read.
    pub(super) fn into_pieces(self) -> BoxStream<'static, Result<Bytes>> {
        self.pieces
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.piece.is_empty() && !self.ended {
            match ready!(self.pieces.as_mut().poll_next(cx)) {
                Some(Ok(piece)) => self.piece = self.repair.push(piece),
                Some(Err(error)) => return Poll::Ready(Err(self.fail(error))),
                None => {
                    self.ended = true;
                    self.piece = self.repair.finish();
                }
            }
        }
        Poll::Ready(Ok(()))
    }

    fn fail(&mut self, error: Error) -> io::Error {
        self.failure = Some(error);
        io::Error::other("the answer cannot be read on")
    }

    fn check_token(&mut self) -> io::Result<()> {
        if self.token_left > 0 {
            return Ok(());
        }
        let error = Error::new(&codes::EWS_XML_LIMIT, self.operation);
        Err(self.fail(error.with_detail("one tag or text is larger than 4 MiB")))
    }
}

impl AsyncBufRead for SoapInput {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let input = self.get_mut();
        ready!(input.poll_piece(cx))?;
        input.check_token()?;
        Poll::Ready(Ok(input
            .piece
            .get(..input.token_left)
            .unwrap_or(&input.piece)))
    }

    fn consume(self: Pin<&mut Self>, amount: usize) {
        let input = self.get_mut();
        input.token_left = input.token_left.saturating_sub(amount);
        input.piece.advance(amount.min(input.piece.len()));
    }
}

impl AsyncRead for SoapInput {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let bytes = ready!(self.as_mut().poll_fill_buf(cx))?;
        let amount = bytes.len().min(buf.remaining());
        buf.put_slice(bytes.get(..amount).unwrap_or_default());
        self.consume(amount);
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures_util::StreamExt;
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn a_plain_read_brings_the_same_bytes_within_the_same_limit() {
        let most = TOKEN_LIMIT;
        for (size, expected) in [(most - 1, Some(most - 1)), (most + 1, None)] {
            let pieces = [1, size - 1].map(|size| Ok(vec![b'x'; size].into()));
            let pieces = futures_util::stream::iter(pieces).boxed();
            let mut read = Vec::new();
            let outcome = SoapInput::new(pieces, "test").read_to_end(&mut read).await;
            assert_eq!(outcome.ok(), expected);
            assert_eq!(read.len(), size.min(most));
        }
    }
}
