//! `simulate --oauth2`: an identity service beside the simulated Exchange, and every line that a person types next.

use std::io;
use std::path::Path;

use email_logging::testkit::exchange::{
    EwsBlock, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::testkit::identity::{Application, SimulatedIdentity, UserBehaviour};
use serde_json::json;

use super::{LOOPBACK, QUEUE, STORAGE, USER};
use crate::cli::{Administrator, SimulateArgs};
use crate::exit::Failure;
use crate::output::Output;
use crate::samples::DIRECTORY;
use crate::words;

/// The client id of the simulated app registration.
const CLIENT_ID: &str = "0b4f6d6e-2f0e-4c59-9d1b-7d0b6a5e31aa";

/// Its client secret. It protects nothing.
const CLIENT_SECRET: &str = "simulated~client~secret~of~nobody";

/// Where the browser is sent back to, whatever the port (RFC 8252, 7.3).
const REDIRECT_URL: &str = "http://127.0.0.1/OAuthLanding.htm";

/// What the storage folder's mailbox may hold.
pub(super) const ROOM: u64 = 2 << 30;

/// A mailbox that has nothing to do with logging, and that the application may not open.
pub(super) const OTHER: &str = "board@tidewheel.example";

/// A mail of today, as the two rules would copy one: mail arrives.
const NEW_MAIL: &str = "From: Ada Holm <ada.holm@tidewheel.example>\r\nTo: Penny Marsh <penny.marsh@example.org>\r\n\
                        Subject: Offer 4471: the pumps are on their way\r\nMessage-ID: <today.91@tidewheel.example>\r\n\
                        MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThey left this morning.\r\n";

/// Delivers the mail of today.
pub(super) fn deliver_new(exchange: &SimulatedExchange, queue: &str) -> io::Result<usize> {
    exchange.deliver(queue, NEW_MAIL.as_bytes()).map(|_| 1)
}

/// The names under which Exchange is found by autodiscovery.
const HOSTS: [&str; 2] = ["mail.tidewheel.example", "autodiscover.tidewheel.example"];

/// Behind autodiscovery, with queue and storage in content mailboxes of their own.
pub(super) fn apart(builder: SimulatedExchangeBuilder) -> SimulatedExchangeBuilder {
    let builder = HOSTS
        .iter()
        .fold(builder, |builder, host| builder.with_host_name(*host));
    builder
        .with_autodiscover_url(format!("https://{}/EWS/Exchange.asmx", HOSTS[0]))
        .with_public_folder_in(STORAGE, 2)
        .with_routing_enforced("tidewheel.example")
}

/// The identity service, with the app registration in it.
pub(super) async fn identity(args: &SimulateArgs) -> Result<SimulatedIdentity, Failure> {
    let application = Application::new(CLIENT_ID)
        .with_secret(CLIENT_SECRET)
        .with_redirect_url(REDIRECT_URL);
    let application = if args.graph {
        application
            .with_role("Mail.ReadWrite")
            .with_scope("Mail.ReadWrite")
            .with_scope("Mail.ReadWrite.Shared")
    } else {
        application
            .with_role("full_access_as_app")
            .with_scope("EWS.AccessAsUser.All")
    };
    let started = SimulatedIdentity::builder()
        .with_application(application)
        .with_user_name("administrator@tidewheel.example")
        .with_user(behaviour(args.administrator))
        .with_tls(TlsCertificate::Trusted)
        .start();
    started
        .await
        .map_err(|error| Failure::input("the identity service cannot start", &error))
}

fn behaviour(administrator: Administrator) -> UserBehaviour {
    match administrator {
        Administrator::Accepts => UserBehaviour::Accepts,
        Administrator::Asked => UserBehaviour::Interactive,
        Administrator::Declines => UserBehaviour::Declines,
        Administrator::Unprivileged => UserBehaviour::NotAdministrator,
        Administrator::Leaves => UserBehaviour::NeverReturns,
        Administrator::WrongState => UserBehaviour::ReturnsWrongState,
    }
}

/// How the tenant blocks EWS, if it shall.
pub(super) fn block(args: &SimulateArgs) -> Option<EwsBlock> {
    args.block_ews.then_some(EwsBlock::ForbiddenWithReason)
}

/// Microsoft Graph over the mailboxes of the simulated Exchange; the application reaches one of them.
pub(super) async fn graph(
    exchange: &SimulatedExchange,
    identity: &SimulatedIdentity,
) -> Result<SimulatedGraph, Failure> {
    let started = SimulatedGraph::over(exchange)
        .with_bearer(identity)
        .with_application_access([USER])
        .start();
    let failed = |error| Failure::input("the simulated Microsoft Graph cannot start", &error);
    started.await.map_err(failed)
}

/// What a client is pointed at.
pub(super) struct Served {
    url: String,
    port: u16,
    queue: &'static str,
    storage: &'static str,
    is_graph: bool,
}

impl Served {
    pub(super) fn of(exchange: &SimulatedExchange, graph: Option<&SimulatedGraph>) -> Self {
        match graph {
            None => Self {
                url: exchange.url(),
                port: exchange.port(),
                queue: QUEUE,
                storage: STORAGE,
                is_graph: false,
            },
            Some(graph) => Self {
                url: graph.url(),
                port: graph.port(),
                queue: "inbox:",
                storage: "archive:",
                is_graph: true,
            },
        }
    }

    fn name(&self) -> &'static str {
        if self.is_graph {
            "Microsoft Graph"
        } else {
            "Exchange"
        }
    }
}

/// The files of a try, in a directory that goes away with the servers.
pub(super) struct Files {
    directory: tempfile::TempDir,
    /// Whether the service's address is left to autodiscovery.
    is_discovered: bool,
}

impl Files {
    /// Writes configuration, authorities, client secret and salespeople.
    pub(super) fn write(
        exchange: &SimulatedExchange,
        authorities: &str,
        identity: &SimulatedIdentity,
        is_discovered: bool,
    ) -> Result<Self, Failure> {
        let failed = |error| Failure::input("the files of the try cannot be written", &error);
        let directory = tempfile::Builder::new()
            .prefix("email-logger-try-")
            .tempdir();
        let directory = directory.map_err(failed)?;
        let hosts = if is_discovered { &HOSTS[..] } else { &[] };
        let hosts = hosts
            .iter()
            .map(|host| format!("{host}=127.0.0.1:{}", exchange.port()));
        let hosts: Vec<String> = hosts.collect();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("ca.pem"), authorities).map_err(failed)?;
        std::fs::write(at("directory.toml"), DIRECTORY).map_err(failed)?;
        std::fs::write(at("email-logger.toml"), config(&identity.url(), &hosts)).map_err(failed)?;
        private(&at("client-secret"), CLIENT_SECRET).map_err(failed)?;
        Ok(Self {
            directory,
            is_discovered,
        })
    }

    fn at(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }
}

/// What a deployment has in its file: how servers are reached. The set-up itself is typed.
fn config(authority: &str, hosts: &[String]) -> String {
    let hosts = if hosts.is_empty() {
        String::new()
    } else {
        format!(
            "host-addresses = {hosts:?}
"
        )
    };
    format!(
        "[exchange]
ca-file = \"ca.pem\"
on-premises-ranges = [\"{LOOPBACK}\"]
{hosts}
\
         [identity]
authority = \"{authority}\"

[store]
path = \"log.sqlite\"

\
         [directory]
file = \"directory.toml\"
"
    )
}

/// A file that only its owner can read.
#[cfg(unix)]
fn private(path: &Path, text: &str) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())
}

#[cfg(not(unix))]
fn private(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// Everything that a person types, in order. Each line works as it is printed.
pub(super) fn tell(
    served: &Served,
    identity: &SimulatedIdentity,
    files: &Files,
    mails: usize,
    output: &Output,
) -> Result<(), Failure> {
    let steps = steps(served, files);
    if output.json() {
        let steps: Vec<_> = steps
            .iter()
            .map(|(what, lines)| json!({ "what": what, "lines": lines }))
            .collect();
        return output.value(&json!({
            "url": served.url,
            "autodiscover": files.is_discovered,
            "port": served.port,
            "authority": identity.url(),
            "ca-file": files.at("ca.pem"),
            "config": files.at("email-logger.toml"),
            "client-id": CLIENT_ID,
            "client-secret-file": files.at("client-secret"),
            "mailbox": USER,
            "queue": served.queue,
            "storage": served.storage,
            "mails": mails,
            "steps": steps,
        }));
    }
    let style = output.style();
    output.line(style.strong(&format!(
        "A simulated {} and its identity service are running. Ctrl-C stops them.",
        served.name()
    )))?;
    output.line("")?;
    output.line(format!("  {:18}{}", served.name(), served.url))?;
    output.line(format!("  identity service  {}", identity.url()))?;
    output.line(format!("  mailbox           {USER}"))?;
    let held = words::count(mails as u64, "mail", "mails");
    output.line(format!("  queue             {}  ({held})", served.queue))?;
    output.line(format!("  storage           {}", served.storage))?;
    output.line(format!(
        "  files             {}",
        files.directory.path().display()
    ))?;
    output.line("")?;
    output.line("Type these lines in another terminal; the files go away with Ctrl-C.")?;
    for (what, lines) in steps {
        output.line("")?;
        output.line(style.strong(what))?;
        for line in lines {
            output.line(style.command(&format!("  {line}")))?;
        }
    }
    Ok(())
}

/// The command that stores the set-up.
fn set_up(served: &Served, files: &Files) -> Vec<String> {
    let program = words::program();
    let mut lines = vec![format!(
        "{program} setup autodiscovery-email-address={USER} \\"
    )];
    if !files.is_discovered {
        lines.push(format!("  exchange-service-url={} \\", served.url));
    }
    if served.is_graph {
        let folders = format!("--queue {} --storage {}", served.queue, served.storage);
        lines.push(format!("  mail-service=graph {folders} \\"));
    }
    lines.extend([
        format!("  exchange-client-id={CLIENT_ID} \\"),
        "  interaction-template-code=EMAIL --client-secret-file \\".to_owned(),
        format!("  {}", files.at("client-secret")),
    ]);
    lines
}

fn steps(served: &Served, files: &Files) -> Vec<(&'static str, Vec<String>)> {
    let program = words::program();
    let of = |command: &str| format!("{program} {command}");
    let one = |command: &str| vec![of(command)];
    vec![
        (
            "Where everything is",
            vec![format!(
                "export EMAIL_LOGGER_CONFIG={}",
                files.at("email-logger.toml")
            )],
        ),
        (
            "1. The set-up, and the client secret, which is sealed",
            set_up(served, files),
        ),
        (
            "2. The consent of an administrator, in a browser of this machine (which warns of the simulation's certificate)",
            one("sign-in"),
        ),
        (
            "Or the same without a browser: curl follows the redirects",
            vec![format!(
                "{program} sign-in | {{ read url; curl -sL --cacert {} \"$url\"; cat; }}",
                files.at("ca.pem")
            )],
        ),
        (
            "3. The folders: see them, and take the default ones",
            if served.is_graph {
                one("folders")
            } else {
                vec![of("folders"), of("folders --create-default")]
            },
        ),
        (
            "4. Every check, one by one",
            one(&format!("validate --other-mailbox {OTHER}")),
        ),
        (
            "5. Switch it on, and log the mail",
            vec![of("enable"), of("run"), of("log")],
        ),
        (
            "6. Switch it off, and erase every secret",
            vec![of("disable"), of("clear --yes")],
        ),
        (
            "In between, as often as you like",
            vec![of("setup"), of("status")],
        ),
    ]
}
