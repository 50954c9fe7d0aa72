//! A throw-away PostgreSQL cluster for one test binary, made from the installed programs.
//!
//! `EMAIL_LOGGING_POSTGRES_URL` names a database to use instead. Without either a test says that it is skipped, and fails
//! where `EMAIL_LOGGING_REQUIRE_POSTGRES` is set.
//!
//! The server runs under a shell that waits for the end of its standard input. That end comes when this process is gone,
//! however it went; the shell then stops the server and removes its files.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used)]

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use email_logging::store::{PostgresOptions, PostgresStore};
use rcgen::{CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// A server that tests may use.
pub(crate) struct Server {
    /// Where its databases are, as the driver reads it.
    pub(crate) url: String,
    /// What only a cluster of our own has.
    pub(crate) own: Option<Own>,
}

/// A cluster of our own.
pub(crate) struct Own {
    pub(crate) port: u16,
    /// The root of its certificate, PEM.
    pub(crate) root: String,
    pub(crate) directory: PathBuf,
    /// Held open: its end ends the server.
    _alive: ChildStdin,
}

/// The server of this test binary, or why there is none.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Result<Server, String>> = OnceLock::new();
    match SERVER.get_or_init(start) {
        Ok(server) => Some(server),
        Err(why) => {
            skip(why);
            None
        }
    }
}

/// Says that a test is skipped, and fails where it must not be.
fn skip(why: &str) {
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_POSTGRES").is_some();
    assert!(!required, "this must not be skipped here: {why}");
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

/// Whether the server can be stopped and looked into.
pub(crate) fn own_server() -> Option<(&'static Server, &'static Own)> {
    let server = server()?;
    if server.own.is_none() {
        skip("it needs a cluster of its own, and EMAIL_LOGGING_POSTGRES_URL names another one");
    }
    server.own.as_ref().map(|own| (server, own))
}

impl Server {
    /// Options for a schema that nobody else has.
    pub(crate) fn options(&self) -> PostgresOptions {
        PostgresOptions::new(self.url.clone().into())
            .with_schema(fresh_schema())
            .with_pool_size(4)
    }

    /// A store with a fresh schema.
    pub(crate) async fn store(&self) -> PostgresStore {
        migrated(self.options()).await
    }

    /// The end of what it wrote to its log, where it is the test's own.
    pub(crate) fn last_words(&self) -> String {
        let own = self.own.as_ref();
        let log =
            own.and_then(|own| std::fs::read_to_string(own.directory.join("server.log")).ok());
        let log = log.unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// A connection past the store.
    pub(crate) async fn raw(&self) -> tokio_postgres::Client {
        raw(&self.url).await
    }
}

pub(crate) async fn raw(url: &str) -> tokio_postgres::Client {
    let connected = tokio_postgres::connect(url, tokio_postgres::NoTls).await;
    let (client, connection) = connected.unwrap();
    tokio::spawn(connection);
    client
}

pub(crate) async fn migrated(options: PostgresOptions) -> PostgresStore {
    let store = PostgresStore::open_with(options).unwrap();
    store.migrate().await.unwrap();
    store
}

/// The name of a schema that nobody else has.
pub(crate) fn fresh_schema() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let mut random = [0; 4];
    getrandom::fill(&mut random).unwrap();
    let random = u32::from_le_bytes(random);
    format!("test_{number}_{random:08x}")
}

fn start() -> Result<Server, String> {
    if let Ok(url) = std::env::var("EMAIL_LOGGING_POSTGRES_URL") {
        return Ok(Server { url, own: None });
    }
    let programs = programs().ok_or("PostgreSQL is not installed, and no URL is given")?;
    let directory = tempfile::Builder::new().prefix("el-pg-").tempdir();
    let directory = directory.map_err(|error| error.to_string())?.keep();
    let own = launch(&programs, directory)?;
    let place = own.directory.display();
    let url = format!(
        "host={place} port={} user=postgres dbname=postgres",
        own.port
    );
    Ok(Server {
        url,
        own: Some(own),
    })
}

/// Where `initdb` and `postgres` are.
fn programs() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&on_path).collect::<Vec<_>>();
    let packaged = std::fs::read_dir("/usr/lib/postgresql").ok();
    let mut packaged: Vec<PathBuf> = packaged
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin"))
        .collect();
    packaged.sort();
    let mut all = packaged.into_iter().rev().chain(on_path);
    all.find(|place| place.join("initdb").is_file())
}

/// Without `fsync`: no test takes the machine's power away, and a server that recovers syncs every file of its cluster.
const SCRIPT: &str = r#"
cd "$DIRECTORY" || exit 1
"$PROGRAMS/initdb" -D data -U postgres -A trust -E UTF8 --locale=C >initdb.log 2>&1 || exit 1
"$PROGRAMS/postgres" -D data -k "$DIRECTORY" -p "$PORT" -c listen_addresses=127.0.0.1 \
  -c max_connections=200 -c fsync=off -c ssl=on -c ssl_cert_file="$DIRECTORY/server.crt" \
  -c ssl_key_file="$DIRECTORY/server.key" >server.log 2>&1 &
server=$!
cat >/dev/null
kill -QUIT "$server"
wait "$server"
cd /
rm -rf "$DIRECTORY"
"#;

fn launch(programs: &Path, directory: PathBuf) -> Result<Own, String> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let port = port.map_err(|error| error.to_string())?.port();
    let root = certificates(&directory);
    let mut command = unprivileged(&directory);
    command
        .args(["-c", SCRIPT])
        .env("DIRECTORY", &directory)
        .env("PROGRAMS", programs)
        .env("PORT", port.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().map_err(|error| error.to_string())?;
    let alive = child.stdin.take().ok_or("no standard input")?;
    for _ in 0..600 {
        if child.try_wait().is_ok_and(|ended| ended.is_some()) {
            let log = std::fs::read_to_string(directory.join("initdb.log"));
            return Err(format!(
                "the cluster did not start: {}",
                log.unwrap_or_default()
            ));
        }
        if is_ready(programs, &directory, port) {
            return Ok(Own {
                port,
                root,
                directory,
                _alive: alive,
            });
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err("the cluster was not ready within a minute".into())
}

fn is_ready(programs: &Path, directory: &Path, port: u16) -> bool {
    let mut ask = Command::new(programs.join("pg_isready"));
    ask.args(["-q", "-U", "postgres", "-p", &port.to_string(), "-h"]);
    ask.arg(directory);
    ask.status().is_ok_and(|status| status.success())
}

/// A shell that is not root's: PostgreSQL refuses to run under root.
fn unprivileged(directory: &Path) -> Command {
    let owner = std::fs::metadata(directory).unwrap().uid();
    if owner != 0 {
        return Command::new("sh");
    }
    let id = |flag| {
        let said = Command::new("id").args([flag, "nobody"]).output().unwrap();
        String::from_utf8(said.stdout).unwrap().trim().to_owned()
    };
    let (user, group) = (id("-u"), id("-g"));
    let owner = (user.parse().ok(), group.parse().ok());
    chown(directory, owner.0, owner.1).unwrap();
    for file in std::fs::read_dir(directory).unwrap() {
        chown(file.unwrap().path(), owner.0, owner.1).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={group}"),
        "--clear-groups".into(),
        "sh".into(),
    ]);
    command
}

/// Writes the server's key and certificate for the loopback address. Answers the root.
fn certificates(directory: &Path) -> String {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let root = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
    let server = CertificateParams::new(names).unwrap();
    let server = server.signed_by(&key, &root).unwrap();
    std::fs::write(directory.join("server.crt"), server.pem()).unwrap();
    let place = directory.join("server.key");
    std::fs::write(&place, key.serialize_pem()).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(place, private).unwrap();
    root.pem()
}
