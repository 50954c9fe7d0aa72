//! `run`, `watch` and `status` over several mailboxes.

use std::path::{Path, PathBuf};

use email_logging::testkit::exchange::SimulatedExchange;

use crate::program::{code, errors, program, text};
use crate::watched::Watched;
use crate::{DIRECTORY, mail};

const USER: &str = "logger@tidewheel.example";

/// Two mailboxes of their own and one whose queue is not there.
struct Several {
    exchange: SimulatedExchange,
    home: tempfile::TempDir,
}

fn inbox(name: &str) -> String {
    format!(r"{name}@tidewheel.example\Inbox")
}

impl Several {
    async fn start() -> Self {
        let exchange = SimulatedExchange::builder()
            .with_user(USER, "simulated")
            .with_mailbox(USER)
            .with_mailbox("north@tidewheel.example")
            .with_mailbox("south@tidewheel.example")
            .with_clock(jiff::Timestamp::now)
            .start()
            .await
            .unwrap();
        let home = tempfile::tempdir().unwrap();
        let of = |name: &str, more: &str| {
            format!(
                "[[mailbox]]\nname = \"{name}\"\nscope = {{ company = \"{name}\" }}\n\
                 exchange = {{ mailbox = \"{name}@tidewheel.example\" }}\n{more}"
            )
        };
        let text = format!(
            "[exchange]\nurl = \"{}\"\nuser-name = \"{USER}\"\nallow-plain-http-on-loopback = true\n\
             on-premises-ranges = [\"127.0.0.0/8\"]\n[store]\npath = \"log.sqlite\"\n[directory]\nfile = \"{DIRECTORY}\"\n\
             [folders]\nqueue = \"inbox:\"\nstorage = \"archive:\"\n[wake]\nevery = \"1s\"\npause = \"1s\"\n{}{}{}",
            exchange.url(),
            of("north", ""),
            of("lost", "folders = { queue = 'inbox:\\No\\Such\\' }\n").replace("lost@", "south@"),
            of("south", ""),
        );
        std::fs::write(home.path().join("email-logger.toml"), text).unwrap();
        Self { exchange, home }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let mut command = program();
        command
            .args(arguments)
            .arg("--config")
            .arg(self.file("email-logger.toml"))
            .env("EMAIL_LOGGER__EXCHANGE__PASSWORD", "simulated");
        command
    }
}

fn scopes(store: &Path) -> Vec<(String, i64)> {
    let log = rusqlite::Connection::open(store).unwrap();
    let sql = "SELECT scope.company, count(*) FROM entry JOIN scope ON scope.id = entry.scope GROUP BY 1 ORDER BY 1";
    let mut statement = log.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_mailbox_runs_alone_is_woken_alone_and_fails_alone() {
    let place = Several::start().await;
    place.exchange.deliver(&inbox("north"), mail(1)).unwrap();
    let mut watch = Watched::start(place.command(&[
        "watch",
        "--json",
        "--first-after",
        "0s",
        "--every",
        "10h",
    ]));
    // What each run told, by mailbox: a line with the name, one with the outcome, one with the health.
    let next = |watch: &mut Watched| {
        let name = watch.value()["mailbox"].as_str().unwrap().to_owned();
        let told = watch.value();
        let health = watch.value();
        assert_eq!(health["health"]["mailbox"], *name, "{health}");
        (name, told, health["health"].clone())
    };
    let mut logged = 0;
    let mut failed = None;
    let mut south = 0;
    while logged == 0 || failed.is_none() || south < 2 {
        let (name, told, health) = next(&mut watch);
        match name.as_str() {
            "north" => logged += told["report"]["logged"].as_u64().unwrap(),
            "south" => south += 1,
            _ => failed = Some((told, health)),
        }
    }
    let (told, health) = failed.unwrap();
    assert_eq!(told["error"]["code"], "ews.folder_not_found", "{told}");
    assert_eq!(health["failed-in-a-row"], 1, "{health}");
    assert_eq!(health["well"], false);
    // A mail in the south wakes the south.
    place.exchange.deliver(&inbox("south"), mail(2)).unwrap();
    loop {
        let (name, told, _) = next(&mut watch);
        if name == "south" && told["report"]["logged"] == 1 {
            break;
        }
    }
    let (exit, said) = watch.interrupt();
    assert_eq!(exit, 130, "{said}");
    assert!(said.contains("3 mailboxes: each begins in 0s"), "{said}");
    let store = place.file("log.sqlite");
    assert_eq!(
        scopes(&store),
        [("north".to_owned(), 1), ("south".to_owned(), 1)]
    );
    status_tells_each(&place);
}

/// `status` names each mailbox with how it went.
fn status_tells_each(place: &Several) {
    let status = place.command(&["status"]).output().unwrap();
    assert_eq!(code(&status), 0, "{}", errors(&status));
    let told = text(&status);
    let line = |name: &str| {
        let begin = format!("  last run   {name}: ");
        let found = told.lines().find(|line| line.starts_with(&begin));
        found.unwrap_or_else(|| panic!("{told}")).to_owned()
    };
    for name in ["north", "south"] {
        assert!(line(name).ends_with("UTC, ended well"), "{told}");
    }
    let lost = line("lost");
    for said in [
        "failed 1 time [ews.folder_not_found]",
        "last success never",
        "; tried again ",
    ] {
        assert!(lost.contains(said), "{lost}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_tells_each_mailbox_by_its_name_and_the_worst_is_the_exit_code() {
    let place = Several::start().await;
    for name in ["north", "south"] {
        place.exchange.deliver(&inbox(name), mail(1)).unwrap();
    }
    let run = place.command(&["run"]).output().unwrap();
    assert_eq!(code(&run), 4, "{}", errors(&run));
    let names: Vec<_> = text(&run)
        .lines()
        .filter(|line| ["north", "lost", "south"].contains(line))
        .collect();
    assert_eq!(names, ["north", "lost", "south"], "{}", text(&run));
    assert_eq!(text(&run).matches("1 logged, with 1 entry").count(), 2);
    assert!(
        errors(&run).contains("this run failed: opening the queue folder"),
        "{}",
        errors(&run)
    );
    let dry = place.command(&["run", "--dry-run"]).output().unwrap();
    assert_eq!(code(&dry), 2, "{}", errors(&dry));
}
