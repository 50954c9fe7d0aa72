//! Answers on their way out: status, header fields and a body in pieces.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use tokio::time::Sleep;

const BLANKS: [u8; 16384] = [b' '; 16384];
/// Time for the pieces before an abort to leave the machine.
const BEFORE_ABORT: Duration = Duration::from_millis(20);

/// An answer before it is sent.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(HeaderName, String)>,
    pub(crate) parts: Vec<Part>,
    /// A Content-Length that the parts do not keep.
    pub(crate) claimed_length: Option<u64>,
}

/// A piece of a body.
#[derive(Clone, Debug)]
pub(crate) enum Part {
    Bytes(Bytes),
    Blanks(u64),
    Abort,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            parts: Vec::new(),
            claimed_length: None,
        }
    }

    pub(crate) fn with_body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut reply = self.with_header(CONTENT_TYPE, content_type);
        reply.parts = vec![Part::Bytes(body.into())];
        reply
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The bytes of the body; blanks and an abort are left out.
    pub(crate) fn whole_body(&self) -> Bytes {
        let mut pieces = self.parts.iter().filter_map(|part| match part {
            Part::Bytes(bytes) => Some(bytes.clone()),
            Part::Blanks(_) | Part::Abort => None,
        });
        match (pieces.next(), pieces.next()) {
            (None, _) => Bytes::new(),
            (Some(only), None) => only,
            (Some(first), Some(second)) => {
                let rest = pieces.fold(Vec::new(), |all, piece| [all, piece.to_vec()].concat());
                Bytes::from([&first[..], &second[..], &rest[..]].concat())
            }
        }
    }

    /// The number of bytes that will be sent.
    pub(crate) fn length(&self) -> u64 {
        let length = |part: &Part| match part {
            Part::Bytes(bytes) => bytes.len() as u64,
            Part::Blanks(count) => *count,
            Part::Abort => 0,
        };
        self.parts.iter().map(length).sum()
    }

    /// The response; with a chunk size it is sent in chunks of that many bytes at most.
    pub(crate) fn into_response(self, chunk_size: Option<usize>) -> Response<ReplyBody> {
        let length = self.claimed_length.unwrap_or_else(|| self.length());
        let mut response = Response::new(ReplyBody {
            length: chunk_size.is_none().then_some(length),
            chunk_size: chunk_size.unwrap_or(usize::MAX).max(1),
            parts: self.parts.into(),
            pause: None,
        });
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// The body of a response.
pub(crate) struct ReplyBody {
    length: Option<u64>,
    chunk_size: usize,
    parts: VecDeque<Part>,
    pause: Option<Pin<Box<Sleep>>>,
}

impl ReplyBody {
    fn next_piece(&mut self) -> Option<Bytes> {
        match self.parts.front_mut()? {
            Part::Bytes(bytes) if bytes.len() > self.chunk_size => {
                Some(bytes.split_to(self.chunk_size))
            }
            Part::Blanks(count) if *count > 0 => {
                let now = (*count).min(BLANKS.len() as u64);
                *count -= now;
                usize::try_from(now)
                    .ok()
                    .map(|now| Bytes::from_static(&BLANKS).slice(..now))
            }
            Part::Abort => None,
            Part::Bytes(_) | Part::Blanks(_) => match self.parts.pop_front()? {
                Part::Bytes(bytes) if !bytes.is_empty() => Some(bytes),
                _ => self.next_piece(),
            },
        }
    }

    /// Ends with an error, after a pause in which the earlier pieces are sent.
    fn poll_abort(&mut self, context: &mut Context<'_>) -> Poll<io::Error> {
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(BEFORE_ABORT)));
        ready!(pause.as_mut().poll(context));
        self.parts.clear();
        Poll::Ready(io::ErrorKind::ConnectionAborted.into())
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(piece) = self.next_piece() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if self.parts.is_empty() {
            return Poll::Ready(None);
        }
        self.poll_abort(context).map(|error| Some(Err(error)))
    }

    fn is_end_stream(&self) -> bool {
        self.parts.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        self.length
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
