//! Pools of several processes on the same mailboxes: each mail is logged once, and who is killed is followed by another.

use std::collections::BTreeMap;
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio_postgres::Client;

use super::mail::Expected;
use super::queue::Queues;
use super::worker::{mailbox_of, name_of};
use crate::cluster::{migrated, server};
use crate::{alone, check_ledger, check_log, ended, number, say, spawn, tell_all, tell_states};

/// Notes every taking of a lease, and who held it at each mail that was logged.
const WITNESS: &str = "
    SET search_path TO SCHEMA;
    CREATE TABLE taken (mailbox bigint, epoch bigint, holder text, PRIMARY KEY (mailbox, epoch));
    CREATE TABLE wrote (mailbox bigint, holder text);
    CREATE FUNCTION note_taken() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.epoch > OLD.epoch THEN
            INSERT INTO SCHEMA.taken VALUES (NEW.mailbox, NEW.epoch, NEW.holder);
        END IF;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_taken AFTER UPDATE ON lease FOR EACH ROW EXECUTE FUNCTION note_taken();
    CREATE FUNCTION note_wrote() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO SCHEMA.wrote
            SELECT NEW.mailbox, holder FROM SCHEMA.lease WHERE mailbox = NEW.mailbox;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_wrote AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION note_wrote();
";

/// The world of the pools, past the store.
struct Yard {
    client: Client,
    schema: String,
}

/// A worker that was killed while it held the lease of a mailbox.
struct Killed {
    worker: usize,
    holder: String,
    mailbox: i64,
    epoch: i64,
}

impl Yard {
    async fn count(&self, sql: &str) -> i64 {
        let sql = sql.replace("SCHEMA", &self.schema);
        self.client.query_one(&sql, &[]).await.unwrap().get(0)
    }

    /// Kills a process that holds the lease of a mailbox whose queue is not empty. It is stopped first, so that it cannot
    /// give the lease back meanwhile.
    async fn kill_a_holder(&self, children: &mut [Child], queues: &Queues) -> Option<Killed> {
        let held = "SELECT l.mailbox, l.epoch, l.holder, b.key FROM SCHEMA.lease l
            JOIN SCHEMA.mailbox b ON b.id = l.mailbox WHERE l.holder <> ''";
        let held = held.replace("SCHEMA", &self.schema);
        for row in self.client.query(&held, &[]).await.unwrap() {
            let (mailbox, epoch): (i64, i64) = (row.get(0), row.get(1));
            let (holder, key): (String, String) = (row.get(2), row.get(3));
            let number = |name: &str| name.rsplit('-').next().unwrap().parse::<u64>().unwrap();
            let worker = usize::try_from(number(&holder)).unwrap();
            let process = Pid::from_child(&children[worker]);
            kill_process(process, Signal::STOP).unwrap();
            // What it has sent is done by then.
            tokio::time::sleep(Duration::from_millis(50)).await;
            let still = format!(
                "SELECT count(*) FROM SCHEMA.lease
                 WHERE mailbox = {mailbox} AND epoch = {epoch} AND holder = '{holder}'"
            );
            if self.count(&still).await == 1 && queues.queued_in(number(&key)) > 0 {
                children[worker].kill().unwrap();
                children[worker].wait().unwrap();
                return Some(Killed {
                    worker,
                    holder,
                    mailbox,
                    epoch,
                });
            }
            kill_process(process, Signal::CONT).unwrap();
        }
        None
    }

    /// Who took the mailbox after the one that was killed.
    async fn heir_of(&self, killed: &Killed) -> Option<String> {
        let next = format!(
            "SELECT holder FROM {}.taken WHERE mailbox = {} AND epoch > {} ORDER BY epoch LIMIT 1",
            self.schema, killed.mailbox, killed.epoch
        );
        let found = self.client.query_opt(&next, &[]).await;
        found.unwrap().map(|row| row.get(0))
    }

    /// The entries of the mails that were seen in a mailbox, an entry for each copy.
    async fn entries_of(&self, mailbox: u64) -> Vec<Expected> {
        let list = "SELECT e.description, e.contact_no, e.salesperson_code, e.information_flow
            FROM SCHEMA.sighting s JOIN SCHEMA.mailbox b ON b.id = s.mailbox
            JOIN SCHEMA.entry e ON e.message_no = s.message_no WHERE b.key = $1";
        let list = list.replace("SCHEMA", &self.schema);
        let rows = self.client.query(&list, &[&mailbox_of(mailbox)]).await;
        let mut entries: Vec<Expected> = rows.unwrap().iter().map(Expected::of_row).collect();
        entries.sort();
        entries
    }

    /// Every mailbox has what the oracle says.
    async fn check_mailboxes(&self, queues: &Queues, mailboxes: u64, messages: u64) {
        for mailbox in 0..mailboxes {
            let numbers = (0..messages).filter(|number| number % mailboxes == mailbox);
            let mut expected: Vec<Expected> = numbers.clone().flat_map(Expected::of_mail).collect();
            expected.sort();
            let places = (queues.queued_in(mailbox), queues.stored_in(mailbox));
            assert_eq!(places, (0, numbers.count() as u64), "mailbox {mailbox}");
            let entries = self.entries_of(mailbox).await;
            assert!(entries == expected, "the entries of mailbox {mailbox}");
        }
    }

    /// The processes took the mailboxes from each other, and each of several logged mails of the same one.
    async fn check_sharing(&self, killed: &Killed) {
        let handed_over = "SELECT count(*) FROM (SELECT holder,
                lag(holder) OVER (PARTITION BY mailbox ORDER BY epoch) AS before
            FROM SCHEMA.taken) t WHERE holder <> before";
        let shared = "SELECT count(*) FROM (SELECT mailbox FROM SCHEMA.wrote
            GROUP BY mailbox HAVING count(DISTINCT holder) > 1) t";
        let (handed_over, shared) = (self.count(handed_over).await, self.count(shared).await);
        let heir = self.heir_of(killed).await;
        say(&format!(
            "{handed_over} leases went from one process to another, {shared} mailboxes were written by several, \
             {} was killed and followed by {heir:?}",
            killed.holder
        ));
        assert!(handed_over > 0 && shared > 0);
        assert!(heir.is_some_and(|heir| heir != killed.holder));
        let held = "SELECT count(*) FROM SCHEMA.lease WHERE holder <> ''";
        assert_eq!(self.count(held).await, 0, "a lease was not given back");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pools_of_several_processes_share_mailboxes_and_outlive_one_that_is_killed() {
    let Some(server) = server() else { return };
    let _alone = alone().await;
    let (mailboxes, workers) = (number("SOAK_MAILBOXES", 6), number("SOAK_WORKERS", 3));
    let (messages, seed) = (number("SOAK_MESSAGES", 600), number("SEED", 1));
    let options = server.options();
    let schema = options.schema.clone();
    let store = migrated(options).await;
    let client = server.raw().await;
    let witness = WITNESS.replace("SCHEMA", &schema);
    client.batch_execute(&witness).await.unwrap();
    let yard = Yard {
        client,
        schema: schema.clone(),
    };
    let queues = Queues::start(mailboxes, messages, number("SOAK_FAULTS", 100), seed).await;
    let began = Instant::now();
    let mut children: Vec<Child> = (0..workers)
        .map(|number| spawn(number, server, &schema, &queues, Some(mailboxes)))
        .collect();
    let mut killed: Option<Killed> = None;
    let tell = async |stored| {
        for (number, child) in children.iter_mut().enumerate() {
            let is_killed = killed.as_ref().is_some_and(|it| it.worker == number);
            assert!(is_killed || child.try_wait().unwrap().is_none());
        }
        if killed.is_none() && stored >= messages / 3 {
            killed = yard.kill_a_holder(&mut children, &queues).await;
        }
    };
    let stored = queues.feed_until_stored(tell).await;
    let seconds = began.elapsed().as_secs_f64();
    let killed = killed.expect("no worker was killed");
    assert_eq!(killed.holder, name_of(killed.worker));
    let mut figures = BTreeMap::new();
    for (number, child) in children.into_iter().enumerate() {
        if number != killed.worker {
            ended(child, &mut figures);
        }
    }
    say(&format!(
        "{messages} messages, {mailboxes} mailboxes, {workers} pools, seed {seed}: {seconds:.1} s"
    ));
    tell_all(server, &queues, &figures);
    if !stored {
        tell_states(server, &schema).await;
    }
    yard.check_mailboxes(&queues, mailboxes, messages).await;
    yard.check_sharing(&killed).await;
    check_log(&store, messages).await;
    check_ledger(server, &schema, messages).await;
}
