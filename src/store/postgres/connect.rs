//! Making a connection: where to, with TLS or not, and what every session is told first.

use std::net::IpAddr;
use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use secrecy::ExposeSecret as _;
use tokio::task::AbortHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::{Client, Config, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{Done, Fault};
use super::options::PostgresOptions;
use crate::error::{Error, Result, codes};
use crate::tls;

/// Makes connections, all alike.
pub(super) struct Connector {
    config: Config,
    tls: Option<MakeRustlsConnect>,
    /// The statements of a new session.
    greeting: String,
    /// How long an answer may take.
    pub(super) answer_time: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector")
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

impl Connector {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self> {
        let mut config: Config = options.url.expose_secret().parse().map_err(|_| {
            // The parser's own words may hold a piece of the password.
            invalid("the database's URL cannot be read")
        })?;
        let mode = ssl_mode(&config, options.plain)?;
        config
            .ssl_mode(mode)
            .application_name(options.application_name.as_str())
            .connect_timeout(options.connect_timeout)
            .tcp_user_timeout(options.statement_timeout.saturating_mul(2))
            .keepalives_idle(options.statement_timeout);
        let tls = match mode {
            SslMode::Disable => None,
            _ => Some(MakeRustlsConnect::new(tls::client_config(
                options.roots.as_deref(),
                &options.pinned_keys,
            )?)),
        };
        Ok(Self {
            config,
            tls,
            greeting: greeting(options)?,
            answer_time: options.answer_time(),
        })
    }

    /// A connection whose session is set up. A task of the runtime that polls this drives it until the client is dropped
    /// and has its last answer, or until it is aborted.
    pub(super) async fn connect(&self) -> Done<(Client, AbortHandle)> {
        if let Some(tls) = &self.tls {
            self.greet(made(self.config.connect(tls.clone()).await)?)
                .await
        } else {
            self.greet(made(self.config.connect(NoTls).await)?).await
        }
    }

    /// Until the session is set up the connection has no task of its own, so that it ends with a caller who stops waiting.
    async fn greet<C>(&self, (client, mut driven): (Client, C)) -> Done<(Client, AbortHandle)>
    where
        C: Future<Output = std::result::Result<(), tokio_postgres::Error>> + Send + Unpin + 'static,
    {
        let greeting = client.batch_execute(&self.greeting);
        let greeted = match select(pin!(greeting), &mut driven).await {
            Either::Left((answer, _)) => answer.map_err(Fault::from),
            Either::Right((ended, _)) => ended.map_err(Fault::from).and(Err(Fault::Lost)),
        };
        greeted?;
        Ok((client, tokio::spawn(driven).abort_handle()))
    }
}

fn made<T>(made: std::result::Result<T, tokio_postgres::Error>) -> Done<T> {
    made.map_err(|error| match Fault::from(error) {
        Fault::Lost => Fault::NoConnection,
        other => other,
    })
}

/// What the URL asks for, made strict: beyond this machine TLS is never optional.
fn ssl_mode(config: &Config, plain: bool) -> Result<SslMode> {
    let asked = config.get_ssl_mode();
    if is_local(config) {
        // Nobody stands between; a certificate would hardly name the loopback address.
        return Ok(match asked {
            SslMode::Require => SslMode::Require,
            _ => SslMode::Disable,
        });
    }
    match (asked, plain) {
        (SslMode::Disable, false) => Err(Error::new(&codes::CONFIG_INSECURE, "open")
            .with_detail("sslmode=disable on a connection that leaves this machine")),
        (SslMode::Disable, true) => Ok(SslMode::Disable),
        _ => Ok(SslMode::Require),
    }
}

/// Whether every host is a socket file or a loopback address.
fn is_local(config: &Config) -> bool {
    let hosts = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => is_loopback(name),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    hosts && config.get_hostaddrs().iter().all(IpAddr::is_loopback)
}

fn is_loopback(name: &str) -> bool {
    let address: Option<IpAddr> = name.parse().ok();
    name.eq_ignore_ascii_case("localhost") || address.is_some_and(|address| address.is_loopback())
}

/// Statements that every session begins with. A server that was set to lose commits in a crash is told not to.
fn greeting(options: &PostgresOptions) -> Result<String> {
    let schema = quoted(&options.schema)?;
    let limit = options.statement_timeout.as_millis().max(1);
    Ok(format!(
        "SET search_path TO {schema}; SET statement_timeout = {limit};
         SET idle_in_transaction_session_timeout = {limit}; SET client_min_messages = warning;
         SELECT set_config('synchronous_commit', 'on', false)
             WHERE current_setting('synchronous_commit', true) = 'off'"
    ))
}

/// A name as SQL reads it.
pub(super) fn quoted(schema: &str) -> Result<String> {
    // PostgreSQL cuts names at 63 bytes.
    if schema.is_empty() || schema.len() > 63 || schema.contains('\0') {
        return Err(invalid("a schema's name has 1 to 63 bytes"));
    }
    Ok(format!("\"{}\"", schema.replace('"', "\"\"")))
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, "open").with_detail(detail)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn mode(url: &str, plain: bool) -> std::result::Result<SslMode, &'static str> {
        ssl_mode(&url.parse().unwrap(), plain).map_err(|error| error.code())
    }

    #[test]
    fn beyond_this_machine_tls_is_never_optional() {
        let cases = [
            ("postgresql://db.example/x", false, Ok(SslMode::Require)),
            ("postgresql://db.example/x", true, Ok(SslMode::Require)),
            (
                "postgresql://db.example/x?sslmode=disable",
                false,
                Err("config.insecure"),
            ),
            (
                "postgresql://db.example/x?sslmode=disable",
                true,
                Ok(SslMode::Disable),
            ),
            (
                "postgresql://127.0.0.1,db.example/x?sslmode=disable",
                false,
                Err("config.insecure"),
            ),
            (
                "host=localhost hostaddr=192.0.2.1 sslmode=disable",
                false,
                Err("config.insecure"),
            ),
            ("postgresql://127.0.0.1/x", false, Ok(SslMode::Disable)),
            ("postgresql://[::1]/x", false, Ok(SslMode::Disable)),
            ("postgresql://localhost/x", false, Ok(SslMode::Disable)),
            ("host=/run/postgresql", false, Ok(SslMode::Disable)),
            (
                "postgresql://127.0.0.1/x?sslmode=require",
                false,
                Ok(SslMode::Require),
            ),
        ];
        for (url, plain, expected) in cases {
            assert_eq!(mode(url, plain), expected, "{url}");
        }
    }

    #[test]
    fn a_schemas_name_is_quoted() {
        assert_eq!(quoted("Log \"1\"").unwrap(), "\"Log \"\"1\"\"\"");
        for name in ["", "a\0b", &"x".repeat(64)] {
            assert_eq!(quoted(name).unwrap_err().code(), "config.invalid");
        }
    }

    #[test]
    fn a_url_that_cannot_be_read_is_refused_without_its_words() {
        let url = "postgresql://user:secret@host:port/x".to_owned();
        let options = PostgresOptions::new(url.into());
        let error = Connector::new(&options).unwrap_err();
        assert_eq!(error.code(), "config.invalid");
        assert!(!format!("{error:?} {error} {options:?}").contains("secret"));
    }

    #[test]
    fn a_connector_shows_whether_it_speaks_tls_and_no_url() {
        for (url, plain, tls) in [
            ("postgresql://user:secret@localhost/x", true, false),
            (
                "postgresql://user:secret@db.example/x?sslmode=require",
                false,
                true,
            ),
        ] {
            let mut options = PostgresOptions::new(url.to_owned().into());
            options.plain = plain;
            let connector = Connector::new(&options).unwrap();
            assert_eq!(
                format!("{connector:?}"),
                format!("Connector {{ tls: {tls}, .. }}")
            );
        }
    }
}
