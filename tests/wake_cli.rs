//! `watch` of the example binary: what wakes it, and several mailboxes on one log.

#![cfg(unix)]
#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "email_logger/log_file.rs"]
mod log_file;
#[path = "email_logger/program.rs"]
mod program;
#[path = "wake_cli/several.rs"]
mod several;
#[path = "wake_cli/watched.rs"]
mod watched;

use std::path::PathBuf;
use std::process::Command;

use email_logging::testkit::exchange::{Delivery, SimulatedExchange, TlsCertificate};
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::testkit::identity::{Application, SimulatedIdentity};
use log_file::number;
use program::{code, errors, program};
use watched::Watched;

const MAILBOX: &str = "logger@tidewheel.example";
const INBOX: &str = r"logger@tidewheel.example\Inbox";
const CLIENT: &str = "0b4f6d6e-2f0e-4c59-9d1b-7d0b6a5e31aa";
const SECRET: &str = "simulated~client~secret~of~nobody";
pub(crate) const DIRECTORY: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/examples/email_logger/samples/directory.toml"
);

pub(crate) fn mail(number: u32) -> String {
    format!(
        "From: Ada Holm <ada.holm@tidewheel.example>\r\nTo: Penny Marsh <penny.marsh@example.org>\r\n\
         Subject: Offer {number}\r\nMessage-ID: <today.{number}@tidewheel.example>\r\n\
         Content-Type: text/plain; charset=utf-8\r\n\r\nThey left this morning.\r\n"
    )
}

/// A mailbox at Graph, and the configuration of a program that logs it as an application.
struct AtGraph {
    graph: SimulatedGraph,
    identity: SimulatedIdentity,
    home: tempfile::TempDir,
}

impl AtGraph {
    async fn start() -> Self {
        let application = Application::new(CLIENT)
            .with_secret(SECRET)
            .with_role("Mail.ReadWrite");
        let identity = SimulatedIdentity::builder()
            .with_application(application)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await
            .unwrap();
        let graph = SimulatedGraph::builder()
            .with_mailbox(MAILBOX)
            .with_bearer(&identity)
            .with_clock(std::sync::Arc::new(email_logging::clock::SystemClock))
            .start()
            .await
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let authorities = [graph.root_pem(), identity.ca_pem()];
        let authorities: String = authorities.into_iter().flatten().collect();
        std::fs::write(home.path().join("ca.pem"), authorities).unwrap();
        let place = Self {
            graph,
            identity,
            home,
        };
        place.write_config("");
        place
    }

    fn store(&self) -> PathBuf {
        self.home.path().join("log.sqlite")
    }

    fn write_config(&self, wake: &str) {
        let text = format!(
            "[exchange]\nservice = \"graph\"\nurl = \"{}\"\ntenant = \"{}\"\nmailbox = \"{MAILBOX}\"\nca-file = \"ca.pem\"\n\
             on-premises-ranges = [\"127.0.0.0/8\"]\n[identity]\nauthority = \"{}\"\n\
             [folders]\nqueue = \"inbox:\"\nstorage = \"archive:\"\n[store]\npath = \"log.sqlite\"\n\
             [directory]\nfile = \"{DIRECTORY}\"\n[wake]\nevery = \"1s\"\npause = \"1s\"\n{wake}",
            self.graph.url(),
            self.identity.tenant_id(),
            self.identity.url(),
        );
        std::fs::write(self.home.path().join("email-logger.toml"), text).unwrap();
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program();
        command
            .args(arguments)
            .arg("--config")
            .arg(self.home.path().join("email-logger.toml"))
            .env("EMAIL_LOGGER__EXCHANGE__CLIENT_ID", CLIENT)
            .env("EMAIL_LOGGER__EXCHANGE__CLIENT_SECRET", SECRET);
        command
    }

    /// A `watch` whose schedule has one run, at once.
    fn watch(&self, more: &[&str]) -> Watched {
        Watched::start(self.command(&[&watched::ONCE[..], more].concat()))
    }

    fn deliver(&self, number: u32) {
        let delivery = Delivery::new(mail(number)).with_received(jiff::Timestamp::now());
        self.graph.deliver_with(INBOX, delivery).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_at_graph_is_asked_between_the_runs() {
    for more in [&[][..], &["--wake", "delta"]] {
        let place = AtGraph::start().await;
        let mut watch = place.watch(more);
        assert_eq!(watch.logged(), 0, "the first run");
        assert_eq!(watch.logged(), 0, "the first look is a hint");
        place.deliver(1);
        assert_eq!(watch.logged(), 1, "and so is mail");
        let (exit, said) = watch.interrupt();
        assert_eq!(exit, 130, "{said}");
        assert!(said.contains("asked every 1s"), "{said}");
        assert_eq!(number(&place.store(), "SELECT count(*) FROM entry"), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mailbox_at_exchange_is_asked_between_the_runs_and_a_public_folder_is_not() {
    let exchange = SimulatedExchange::builder()
        .with_user(MAILBOX, "simulated")
        .with_mailbox(MAILBOX)
        .with_public_folder(r"\Queue\")
        .with_public_folder(r"\Storage\")
        .with_clock(jiff::Timestamp::now)
        .start()
        .await
        .unwrap();
    let home = tempfile::tempdir().unwrap();
    let store = home.path().join("log.sqlite");
    let command = |words: &[&str], folders: [&str; 2]| {
        let mut command = program();
        command
            .args(words)
            .args(["--allow-plain-http-on-loopback", "--url", &exchange.url()])
            .args(["--user-name", MAILBOX, "--directory", DIRECTORY])
            .args(["--queue", folders[0], "--storage", folders[1]])
            .args(["--on-premises-range", "127.0.0.0/8", "--store"])
            .arg(&store)
            .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "simulated")
            .env("EMAIL_LOGGER__WAKE__EVERY", "1s")
            .env("EMAIL_LOGGER__WAKE__PAUSE", "1s");
        command
    };
    let mut watch = Watched::start(command(&watched::ONCE, ["inbox:", "archive:"]));
    assert_eq!([watch.logged(), watch.logged()], [0, 0]);
    exchange.deliver(INBOX, mail(1)).unwrap();
    assert_eq!(watch.logged(), 1);
    let (exit, said) = watch.interrupt();
    assert_eq!(exit, 130, "{said}");

    // Nobody is asked about a public folder, and nothing is said about it.
    let public = [r"\Queue\", r"\Storage\"];
    let mut watch = Watched::start(command(&watched::ONCE, public));
    assert_eq!(watch.logged(), 0);
    let (exit, said) = watch.interrupt();
    assert_eq!((exit, said.contains("asked every")), (130, false), "{said}");
    for (how, words) in [
        ("pull", "the queue is a public folder"),
        ("delta", "`delta` is for Microsoft Graph"),
    ] {
        let words_of = ["watch", "--wake", how];
        let refused = command(&words_of, public).output().unwrap();
        assert_eq!(code(&refused), 2, "{}", errors(&refused));
        assert!(errors(&refused).contains(words), "{}", errors(&refused));
    }
    // With nothing to wake it a mailbox waits for the schedule.
    let quiet = [&watched::ONCE[..], &["--wake", "none"]].concat();
    let mut watch = Watched::start(command(&quiet, ["inbox:", "archive:"]));
    assert_eq!(watch.logged(), 0);
    exchange.deliver(INBOX, mail(2)).unwrap();
    let (exit, said) = watch.interrupt();
    assert_eq!((exit, said.contains("asked every")), (130, false), "{said}");
    assert_eq!(exchange.count(INBOX).unwrap(), 1, "nobody looked");
}

/// A port of the loopback address that is free.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn graph_calls_the_program_and_what_a_killed_one_left_is_deleted_by_the_next() {
    let place = AtGraph::start().await;
    let port = free_port();
    place.write_config(&format!(
        "by = \"notifications\"\nurl = \"http://127.0.0.1:{port}/hook\"\nlisten = \"127.0.0.1:{port}\"\n"
    ));
    let mut watch = place.watch(&[]);
    assert_eq!([watch.logged(), watch.logged()], [0, 0]);
    let first = place.graph.subscriptions().remove(0);
    watch.kill();
    assert_eq!(place.graph.subscriptions(), std::slice::from_ref(&first));

    let mut watch = place.watch(&[]);
    assert_eq!([watch.logged(), watch.logged()], [0, 0]);
    let second = place.graph.subscriptions();
    assert_eq!(second.len(), 1, "{second:?}");
    assert!(second[0].id != first.id);
    place.deliver(1);
    assert_eq!(place.graph.send_notifications().await, [202]);
    assert_eq!(watch.logged(), 1);
    let (exit, said) = watch.interrupt();
    assert_eq!(exit, 130, "{said}");
    assert!(
        said.contains(&format!(
            "Microsoft Graph calls http://127.0.0.1:{port}/hook"
        )),
        "{said}"
    );
    assert_eq!(place.graph.subscriptions(), [], "it is given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notifications_that_cannot_come_are_told_and_cost_only_the_schedule() {
    let place = AtGraph::start().await;
    place.deliver(1);
    let (port, elsewhere) = (free_port(), free_port());
    place.write_config(&format!(
        "by = \"notifications\"\nurl = \"http://127.0.0.1:{elsewhere}/\"\nlisten = \"127.0.0.1:{port}\"\n"
    ));
    let mut watch =
        Watched::start(place.command(&["watch", "--json", "--first-after", "2s", "--every", "1h"]));
    assert_eq!(watch.logged(), 1, "the schedule finds the mail");
    let (exit, said) = watch.interrupt();
    assert_eq!(exit, 130, "{said}");
    assert!(
        said.contains("no change notifications for now [graph."),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_wake_is_refused_with_what_to_do() {
    let place = AtGraph::start().await;
    for (wake, arguments, exit, words) in [
        ("", &["--wake", "pull"][..], 2, "`pull` is for EWS"),
        ("", &["--wake", "notifications"], 4, "`url` is missing"),
        (
            "by = \"notifications\"\nurl = \"http://erp.example/\"\nlisten = \"127.0.0.1:0\"\n",
            &[],
            4,
            "https",
        ),
        ("by = \"telepathy\"\n", &[], 2, "[wake]"),
        ("", &["--wake", "telepathy"], 2, "notifications"),
        ("often = true\n", &[], 2, "[wake]"),
    ] {
        place.write_config(wake);
        let mut command = place.command(&[&["watch"], arguments].concat());
        let refused = command.output().unwrap();
        assert_eq!(code(&refused), exit, "{wake}: {}", errors(&refused));
        assert!(errors(&refused).contains(words), "{}", errors(&refused));
    }
}
