//! `simulate`: a simulated Exchange with mail in its queue, for any EWS client on this machine.

mod oauth;

use std::io;
use std::path::{Path, PathBuf};

use email_logging::testkit::exchange::{
    SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use email_logging::testkit::identity::SimulatedIdentity;
use jiff::Timestamp;
use serde_json::json;

use crate::cli::SimulateArgs;
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::samples;
use crate::signals::Signals;
use crate::words;

/// The account of the simulated Exchange. It protects nothing.
pub(crate) const USER: &str = "logger@tidewheel.example";

/// The password of that account.
pub(crate) const PASSWORD: &str = "simulated";

/// The queue folder.
pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";

/// The queue with Graph, as the simulation names it.
const GRAPH_QUEUE: &str = r"logger@tidewheel.example\Inbox";

/// The storage folder.
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";

/// The folder for what a person must look at.
pub(crate) const QUARANTINE: &str = r"\Email Logging\Quarantine\";

/// Where the simulated Exchange is.
pub(crate) const LOOPBACK: &str = "127.0.0.0/8";

/// A server with the three folders and the account.
pub(crate) fn builder() -> SimulatedExchangeBuilder {
    base().with_public_folder(STORAGE)
}

/// The same without the storage folder.
fn base() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user(USER, PASSWORD)
        .with_mailbox(USER)
        .with_public_folder(QUEUE)
        .with_public_folder(QUARANTINE)
}

/// `simulate`.
pub(crate) async fn simulate(args: &SimulateArgs, output: &Output) -> Result<Exit, Failure> {
    let signals = Signals::listen();
    let builder = if args.autodiscover {
        oauth::apart(base())
    } else {
        builder()
    };
    let mut builder = builder.with_port(args.port).with_clock(Timestamp::now);
    if !args.http {
        builder = builder.with_tls(TlsCertificate::Trusted);
    }
    let identity = if args.oauth2 || args.graph {
        Some(oauth::identity(args).await?)
    } else {
        None
    };
    if let Some(identity) = &identity {
        builder = builder
            .with_bearer(identity)
            .with_mailbox(oauth::OTHER)
            .with_application_access([USER]);
    }
    let started = builder.start().await;
    let exchange = started.map_err(|error| Failure::input("the server cannot start", &error))?;
    let queue = queue_of(args);
    let mails = match &args.mails {
        Some(directory) => deliver_files(&exchange, queue, directory)?,
        None => samples::deliver(&exchange, queue).map_err(|error| not_delivered(&error))?,
    };
    if let Some(identity) = identity {
        return with_identity(args, (exchange, identity), mails, signals, output).await;
    }
    let ca = write_authority(&exchange, args.ca_file.as_deref())?;
    tell(
        &exchange,
        mails,
        ca.as_ref().map(|ca| ca.path.as_path()),
        output,
    )?;
    signals.received().await;
    exchange.shutdown().await;
    Ok(signals.exit(Exit::Done))
}

/// The servers of `--oauth2` and `--graph`, until Ctrl-C.
async fn with_identity(
    args: &SimulateArgs,
    (exchange, identity): (SimulatedExchange, SimulatedIdentity),
    mails: usize,
    signals: Signals,
    output: &Output,
) -> Result<Exit, Failure> {
    let queue = queue_of(args);
    let mails = if args.mails.is_none() {
        mails + oauth::deliver_new(&exchange, queue).map_err(|error| not_delivered(&error))?
    } else {
        mails
    };
    let set = exchange.set_quota(STORAGE, Some(oauth::ROOM));
    set.map_err(|error| not_delivered(&error))?;
    exchange.set_ews_block(oauth::block(args));
    let graph = if args.graph {
        Some(oauth::graph(&exchange, &identity).await?)
    } else {
        None
    };
    let served = oauth::Served::of(&exchange, graph.as_ref());
    let authorities = [
        exchange.ca_pem(),
        identity.ca_pem(),
        graph.as_ref().and_then(|graph| graph.root_pem()),
    ];
    let authorities: String = authorities.into_iter().flatten().collect();
    let files = oauth::Files::write(&exchange, &authorities, &identity, args.autodiscover)?;
    oauth::tell(&served, &identity, &files, mails, output)?;
    signals.received().await;
    identity.shutdown().await;
    if let Some(graph) = graph {
        graph.shutdown().await;
    }
    exchange.shutdown().await;
    Ok(signals.exit(Exit::Done))
}

/// Where the mail is put.
fn queue_of(args: &SimulateArgs) -> &'static str {
    if args.graph { GRAPH_QUEUE } else { QUEUE }
}

fn not_delivered(error: &io::Error) -> Failure {
    Failure::input("a mail cannot be put into the queue", error)
}

/// Puts every .eml file of a directory into the queue, in the order of their names.
fn deliver_files(
    exchange: &SimulatedExchange,
    queue: &str,
    directory: &Path,
) -> Result<usize, Failure> {
    let name = directory.display();
    let unreadable = |error| Failure::input(format!("{name} cannot be read"), &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if extension.is_some_and(|extension| extension.eq_ignore_ascii_case("eml")) {
            files.push(path);
        }
    }
    files.sort();
    for file in &files {
        exchange
            .deliver(queue, connect::original(file, u64::MAX)?)
            .map_err(|error| not_delivered(&error))?;
    }
    Ok(files.len())
}

/// The authority's file. One that nobody asked for goes away with the server.
struct Authority {
    path: PathBuf,
    _directory: Option<tempfile::TempDir>,
}

fn write_authority(
    exchange: &SimulatedExchange,
    file: Option<&Path>,
) -> Result<Option<Authority>, Failure> {
    let Some(pem) = exchange.ca_pem() else {
        return Ok(None);
    };
    let unwritten = |error| Failure::input("the certificate authority cannot be written", &error);
    let (path, directory) = if let Some(file) = file {
        (file.to_owned(), None)
    } else {
        let directory = tempfile::Builder::new().prefix("email-logger-").tempdir();
        let directory = directory.map_err(unwritten)?;
        (directory.path().join("ca.pem"), Some(directory))
    };
    std::fs::write(&path, pem).map_err(unwritten)?;
    Ok(Some(Authority {
        path,
        _directory: directory,
    }))
}

fn tell(
    exchange: &SimulatedExchange,
    mails: usize,
    ca: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let url = exchange.url();
    if output.json() {
        return output.value(&json!({
            "url": url,
            "port": exchange.port(),
            "user-name": USER,
            "password": PASSWORD,
            "ca-file": ca,
            "queue": QUEUE,
            "storage": STORAGE,
            "mails": mails,
        }));
    }
    let style = output.style();
    output.line(style.strong("A simulated Exchange is running. Ctrl-C stops it."))?;
    output.line("")?;
    output.line(format!("  URL        {url}"))?;
    output.line(format!("  user       {USER}"))?;
    output.line(format!("  password   {PASSWORD}"))?;
    if let Some(ca) = ca {
        output.line(format!("  authority  {}", ca.display()))?;
    }
    let held = words::count(mails as u64, "mail", "mails");
    output.line(format!("  queue      {QUEUE}  ({held})"))?;
    output.line(format!("  storage    {STORAGE}"))?;
    tell_clients(exchange, ca, output)
}

/// How to point clients at it.
fn tell_clients(
    exchange: &SimulatedExchange,
    ca: Option<&Path>,
    output: &Output,
) -> Result<(), Failure> {
    let url = exchange.url();
    let ca = ca.map(|ca| ca.display().to_string());
    let clients = [
        ("This program", this_program(&url, ca.as_deref())),
        ("curl", curl(&url, ca.as_deref())),
        ("exchangelib (Python)", exchangelib(&url, ca.as_deref())),
    ];
    for (name, lines) in clients {
        output.line("")?;
        output.line(output.style().strong(name))?;
        for line in lines {
            output.line(output.style().command(&format!("  {line}")))?;
        }
    }
    Ok(())
}

fn this_program(url: &str, ca: Option<&str>) -> Vec<String> {
    let reach = match ca {
        Some(ca) => vec![
            format!("export EMAIL_LOGGER__EXCHANGE__CA_FILE={ca}"),
            format!("export EMAIL_LOGGER__EXCHANGE__ON_PREMISES_RANGES={LOOPBACK}"),
        ],
        None => vec!["export EMAIL_LOGGER__EXCHANGE__ALLOW_PLAIN_HTTP_ON_LOOPBACK=true".into()],
    };
    let program = words::program();
    let account = [
        format!("export EMAIL_LOGGER__EXCHANGE__URL={url}"),
        format!("export EMAIL_LOGGER__EXCHANGE__USER_NAME={USER}"),
        format!("export {}={PASSWORD}", crate::config::PASSWORD),
    ];
    let commands = [
        format!("{program} folders"),
        format!("{program} run --queue '{QUEUE}' --storage '{STORAGE}' \\"),
        "  --directory DIRECTORY.toml --store log.sqlite".to_owned(),
    ];
    account.into_iter().chain(reach).chain(commands).collect()
}

fn curl(url: &str, ca: Option<&str>) -> Vec<String> {
    let trust = ca.map_or_else(String::new, |ca| format!("--cacert {ca} "));
    vec![
        format!("curl -u {USER}:{PASSWORD} {trust}\\"),
        "  -H 'Content-Type: text/xml; charset=utf-8' --data @request.xml \\".to_owned(),
        format!("  {url}"),
    ]
}

fn exchangelib(url: &str, ca: Option<&str>) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    if let Some(ca) = ca {
        lines.push("import os".into());
        lines.push(format!("os.environ['REQUESTS_CA_BUNDLE'] = '{ca}'"));
    }
    lines.extend([
        "from exchangelib import Account, BASIC, Configuration, Credentials, DELEGATE".to_owned(),
        format!("url = '{url}'"),
        format!("user = '{USER}'"),
        "config = Configuration(service_endpoint=url, auth_type=BASIC,".to_owned(),
        format!("                       credentials=Credentials(user, '{PASSWORD}'))"),
        "account = Account(user, config=config, autodiscover=False, access_type=DELEGATE)"
            .to_owned(),
        "queue = account.public_folders_root / 'Email Logging' / 'Queue'".to_owned(),
        "print([item.subject for item in queue.all()])".to_owned(),
    ]);
    lines
}
