//! The client: signs connections in and sends requests over them.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use hyper::header::{HeaderValue, WWW_AUTHENTICATE};
use hyper::{HeaderMap, Response};
use jiff::Timestamp;
use secrecy::zeroize::Zeroizing;

use super::authenticate::{Circumstances, authenticate};
use super::challenge::Challenge;
use super::connection::{Connection, Connector};
use super::identity::Identity;
use super::negotiate::negotiate;
use super::pool::{Lease, Pool};
use super::request::{Broken, Deadline, Template, read_away, send, sent};
use crate::clock::{Clock, Entropy};
use crate::error::{Error, Result, ServerContext, codes};
use crate::http::{Account, Body, HttpOptions, Outgoing, Reply, ServiceUrl};

/// The scheme under which a server takes the messages (RFC 4559; Windows takes them bare under Negotiate, too).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum NtlmScheme {
    /// `NTLM`.
    Ntlm,
    /// `Negotiate`.
    Negotiate,
}

impl NtlmScheme {
    pub(in crate::http) fn name(self) -> &'static str {
        match self {
            Self::Ntlm => "NTLM",
            Self::Negotiate => "Negotiate",
        }
    }
}

/// A client for one server and one account.
pub(in crate::http) struct NtlmClient {
    connector: Connector,
    pool: Arc<Pool>,
    template: Template,
    /// The one server that is connected to.
    origin: String,
    service: String,
    options: HttpOptions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl fmt::Debug for NtlmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NtlmClient").finish_non_exhaustive()
    }
}

/// A connection that a challenge came over, with what answers it.
struct Challenged {
    connection: Connection,
    answer: HeaderValue,
}

/// How the first step of a sign-in ended.
enum FirstStep {
    Challenged(Challenged),
    /// The server does not go along; its answer says why.
    Refused(Box<Reply>),
}

impl NtlmClient {
    /// Describes a client that keeps at most this many idle connections.
    pub(in crate::http) fn new(
        url: &ServiceUrl,
        options: &HttpOptions,
        idle: usize,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self> {
        let host = url.as_url().host_str().unwrap_or_default();
        Ok(Self {
            connector: Connector::new(url, options)?,
            pool: Arc::new(Pool::new(idle)),
            template: Template::new(url, options)?,
            origin: url.origin(),
            service: format!("HTTP/{host}"),
            options: options.clone(),
            clock,
            entropy,
        })
    }

    /// Sends one request over a connection that is signed in, or that it signs in.
    ///
    /// Where a sign-in is needed, the body leaves with its last message only.
    pub(in crate::http) async fn post(
        &self,
        scheme: NtlmScheme,
        account: &Account,
        outgoing: &Outgoing<'_>,
    ) -> Result<Reply> {
        if outgoing.url.origin() != self.origin {
            let error = Error::new(&codes::CONFIG_INVALID, outgoing.operation);
            return Err(error.with_detail("a sign-in by NTLM belongs to one host"));
        }
        let deadline = Deadline::new(&self.options, outgoing.within);
        while let Some(mut connection) = self.pool.take() {
            let request = self.template.whole(outgoing, None);
            match send(&mut connection, request, deadline, outgoing).await {
                // Servers end a sign-in, too: with 401, and without having done anything.
                Ok(response) if response.status() == 401 => break,
                Ok(response) => return self.reply(response, connection, deadline, outgoing),
                Err(Broken::Unsent) => {}
                Err(Broken::Lost(error)) => return Err(error),
            }
        }
        self.sign_in_and_post(scheme, account, outgoing, deadline)
            .await
    }

    async fn sign_in_and_post(
        &self,
        scheme: NtlmScheme,
        account: &Account,
        outgoing: &Outgoing<'_>,
        deadline: Deadline,
    ) -> Result<Reply> {
        let first = self.first_step(scheme, account, outgoing, deadline).await?;
        let mut challenged = match first {
            FirstStep::Challenged(challenged) => challenged,
            FirstStep::Refused(reply) => return Ok(*reply),
        };
        let request = self.template.whole(outgoing, Some(challenged.answer));
        match send(&mut challenged.connection, request, deadline, outgoing).await {
            Ok(response) => self.reply(response, challenged.connection, deadline, outgoing),
            Err(Broken::Unsent) => Err(not_connected(outgoing, "the server closed the sign-in")),
            Err(Broken::Lost(error)) => Err(error),
        }
    }

    /// Opens a connection, gets a challenge and answers it. Nothing of the request has left when this fails.
    async fn first_step(
        &self,
        scheme: NtlmScheme,
        account: &Account,
        outgoing: &Outgoing<'_>,
        deadline: Deadline,
    ) -> Result<FirstStep> {
        let opening = self.connector.open(outgoing.operation);
        let opened = tokio::time::timeout(self.options.connect_timeout, opening).await;
        let late = |_| not_connected(outgoing, "no connection in time");
        let mut connection = opened.map_err(late)??;
        let first = negotiate();
        let request = self.template.empty(authorization(scheme, &first)?);
        let response = send(&mut connection, request, deadline, outgoing).await;
        let response = response.map_err(|broken| broken_sign_in(outgoing, broken))?;
        let challenge = match challenge(scheme, response.headers()) {
            Some(challenge) if response.status() == 401 => challenge,
            _ => {
                let reply = answer(response, None, deadline, outgoing, &self.options)?;
                return Ok(FirstStep::Refused(Box::new(reply)));
            }
        };
        if !read_away(response.into_body(), deadline).await {
            return Err(not_connected(outgoing, "the sign-in broke off"));
        }
        let message = self
            .answer_to(&first, &challenge, account, &connection, outgoing)
            .await?;
        Ok(FirstStep::Challenged(Challenged {
            connection,
            answer: authorization(scheme, &message)?,
        }))
    }

    /// Asks for the credentials and makes the last message of them.
    async fn answer_to(
        &self,
        first: &[u8],
        challenge: &str,
        account: &Account,
        connection: &Connection,
        outgoing: &Outgoing<'_>,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let malformed = |detail: &'static str| {
            let error = Error::new(&codes::HTTP_NTLM_CHALLENGE, outgoing.operation);
            error.with_detail(detail).with_server(sent(outgoing))
        };
        let challenge = base64_simd::STANDARD
            .decode_to_vec(challenge)
            .map_err(|_| malformed("the challenge is no base64"))?;
        let challenge = Challenge::parse(&challenge).map_err(|error| malformed(error.0))?;
        let given = account.ask("NTLM").await?;
        let mut random = [0; 8];
        self.entropy.fill_secret(&mut random)?;
        let circumstances = Circumstances {
            identity: &Identity::new(&given.user_name, given.password),
            service: &self.service,
            channel: connection.channel,
            random,
            now: file_time(self.clock.now()),
        };
        let message = authenticate(first, challenge, &circumstances);
        message
            .map(Zeroizing::new)
            .map_err(|error| malformed(error.0))
    }

    fn reply(
        &self,
        response: Response<Incoming>,
        connection: Connection,
        deadline: Deadline,
        outgoing: &Outgoing<'_>,
    ) -> Result<Reply> {
        let accepted = response.status() != 401;
        let lease = accepted.then(|| Lease::new(connection, Arc::clone(&self.pool)));
        answer(response, lease, deadline, outgoing, &self.options)
    }
}

/// The answer for the caller. The connection goes back to its pool when the body has been read.
fn answer(
    response: Response<Incoming>,
    lease: Option<Lease>,
    deadline: Deadline,
    outgoing: &Outgoing<'_>,
    options: &HttpOptions,
) -> Result<Reply> {
    let (head, body) = response.into_parts();
    let (operation, id) = (outgoing.operation, outgoing.request_id);
    let (limit, idle) = (options.body_limit, options.idle_timeout);
    Reply::new(
        operation,
        id,
        head.status.as_u16(),
        head.headers,
        |server| {
            let context = server.clone();
            let failed = move |error| body_error(operation, error, context.clone());
            let pieces = pieces(body, lease, deadline);
            let pieces = pieces.map(move |piece| piece.map_err(&failed)).boxed();
            Body::new(pieces, limit, idle, operation, server)
        },
    )
}

/// A body that broke off, or with no cause one that took too long.
fn body_error(
    operation: &'static str,
    error: Option<hyper::Error>,
    server: ServerContext,
) -> Error {
    match error {
        Some(error) => Error::new(&codes::HTTP_CLOSED, operation)
            .with_server(server)
            .with_source(error),
        None => Error::new(&codes::HTTP_TIMEOUT, operation).with_server(server),
    }
}

/// The pieces of a body until the deadline; an error without a cause means that it has passed.
fn pieces(
    body: Incoming,
    lease: Option<Lease>,
    deadline: Deadline,
) -> BoxStream<'static, Result<Bytes, Option<hyper::Error>>> {
    let mut reading = (body, lease);
    give_back_at_end(&mut reading);
    let next = move |mut reading: (Incoming, Option<Lease>)| async move {
        loop {
            let frame = tokio::time::timeout_at(deadline.end(), reading.0.frame()).await;
            let piece = match frame {
                Ok(None) => {
                    give_back(&mut reading.1);
                    return None;
                }
                Ok(Some(Ok(frame))) => match frame.into_data() {
                    Ok(piece) => Ok(piece),
                    Err(_) => continue,
                },
                Ok(Some(Err(error))) => Err(Some(error)),
                Err(_) => Err(None),
            };
            give_back_at_end(&mut reading);
            return Some((piece, reading));
        }
    };
    futures_util::stream::unfold(reading, next).boxed()
}

/// A reader may stop at the last piece, without asking for the end.
fn give_back_at_end(reading: &mut (Incoming, Option<Lease>)) {
    if reading.0.is_end_stream() {
        give_back(&mut reading.1);
    }
}

fn give_back(lease: &mut Option<Lease>) {
    if let Some(lease) = lease.take() {
        lease.give_back();
    }
}

/// The challenge of this scheme among those of an answer.
fn challenge(scheme: NtlmScheme, headers: &HeaderMap) -> Option<String> {
    let values = headers.get_all(WWW_AUTHENTICATE).iter();
    let mut lines = values.filter_map(|value| value.to_str().ok());
    lines.find_map(|line| {
        let (name, token) = line.trim().split_once(' ')?;
        name.eq_ignore_ascii_case(scheme.name())
            .then(|| token.trim().to_owned())
    })
}

fn authorization(scheme: NtlmScheme, message: &[u8]) -> Result<HeaderValue> {
    let text = Zeroizing::new(base64_simd::STANDARD.encode_to_string(message));
    let text = Zeroizing::new(format!("{} {}", scheme.name(), &*text));
    let mut value = HeaderValue::try_from(&*text)
        .map_err(|error| Error::new(&codes::INTERNAL, "NTLM").with_source(error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// A sign-in that broke before the request was sent: it cannot have had an effect.
fn not_connected(outgoing: &Outgoing<'_>, detail: &'static str) -> Error {
    let error = Error::new(&codes::HTTP_CONNECT, outgoing.operation);
    error.with_detail(detail).with_server(sent(outgoing))
}

fn broken_sign_in(outgoing: &Outgoing<'_>, broken: Broken) -> Error {
    let error = not_connected(outgoing, "the sign-in broke off");
    match broken {
        Broken::Unsent => error,
        Broken::Lost(cause) => error.with_source(cause),
    }
}

/// 100 nanoseconds since 1601 (FILETIME, MS-DTYP 2.3.3).
fn file_time(now: Timestamp) -> [u8; 8] {
    const SECONDS_BEFORE_1970: i128 = 11_644_473_600;
    let ticks = now.as_nanosecond() / 100 + SECONDS_BEFORE_1970 * 10_000_000;
    u64::try_from(ticks).unwrap_or_default().to_le_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_time_counts_from_1601() {
        let time = "1970-01-01T00:00:01Z".parse().unwrap();
        assert_eq!(u64::from_le_bytes(file_time(time)), 116_444_736_010_000_000);
    }

    #[test]
    fn a_challenge_is_found_among_the_offers() {
        let mut headers = HeaderMap::new();
        for line in ["Negotiate", "Basic realm=\"x\"", "ntlm  VGhlIG1lc3NhZ2U= "] {
            headers.append(WWW_AUTHENTICATE, line.parse().unwrap());
        }
        let found = challenge(NtlmScheme::Ntlm, &headers);
        assert_eq!(found.as_deref(), Some("VGhlIG1lc3NhZ2U="));
        assert_eq!(challenge(NtlmScheme::Negotiate, &headers), None);
    }
}
