//! PostgreSQL behind the simulator: one store for each thread, which waits for every answer where it asks.
//!
//! Owns the runtime of a thread, its store and what empties it. Knows nothing of workers and mailboxes.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock;
use email_logging::store::PostgresStore;
use jiff::Timestamp;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::Client;

use crate::book::scope;
use crate::cluster::{Server, fresh_schema, migrated, raw, server};
use crate::database::Opened;
use crate::raw::Tables;
use crate::stage::Stage;

/// The database of one thread.
struct Rented {
    store: Arc<PostgresStore>,
    clock: Arc<Turning>,
    /// A connection past the store.
    client: Client,
    schema: String,
}

thread_local! {
    static RUNTIME: OnceCell<Rc<Runtime>> = const { OnceCell::new() };
    static RENTED: OnceCell<Rented> = const { OnceCell::new() };
}

/// The runtime of this thread, where it has a database.
pub(crate) fn runtime() -> Option<Rc<Runtime>> {
    RUNTIME.with(|runtime| runtime.get().cloned())
}

/// The store of this thread, with nothing in it that this schedule can find.
pub(crate) fn empty(stage: &Stage) -> Opened {
    let runtime = RUNTIME.with(|runtime| Rc::clone(runtime.get_or_init(begin)));
    RENTED.with(|rented| {
        let rented = rented.get_or_init(|| runtime.block_on(rent()));
        *rented.clock.0.lock().unwrap() = Some(stage.clone());
        runtime.block_on(rented.put_aside());
        Opened {
            store: Arc::<PostgresStore>::clone(&rented.store),
            tables: Some(Tables {
                prefix: format!("{}.", rented.schema),
                ask: Box::new(ask),
            }),
        }
    })
}

/// Asks the database of this thread for one number.
fn ask(sql: &str) -> i64 {
    let runtime = runtime().unwrap();
    RENTED.with(|rented| {
        let client = &rented.get().unwrap().client;
        runtime.block_on(client.query_one(sql, &[])).unwrap().get(0)
    })
}

fn begin() -> Rc<Runtime> {
    Rc::new(Builder::new_current_thread().enable_all().build().unwrap())
}

async fn rent() -> Rented {
    let server = server().expect("STORE=postgres needs a server");
    let (schema, clock) = (fresh_schema(), Arc::<Turning>::default());
    let options = server.options().with_schema(schema.clone());
    let options = options.with_clock(Arc::<Turning>::clone(&clock));
    let client = server.raw().await;
    make_fast(server).await;
    Rented {
        store: Arc::new(migrated(options).await),
        clock,
        client,
        schema,
    }
}

/// What is durable is not the question here: a throw-away cluster need not wait for its disk.
async fn make_fast(server: &Server) {
    static ONCE: Once = Once::new();
    if server.own.is_none() || ONCE.is_completed() {
        return;
    }
    let client = raw(&server.url).await;
    for sql in [
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET full_page_writes = off",
        "SELECT pg_reload_conf()",
    ] {
        client.batch_execute(sql).await.unwrap();
    }
    ONCE.call_once(|| ());
}

impl Rented {
    /// What earlier schedules left goes to another company: every row belongs to one.
    async fn put_aside(&self) {
        let (tenant, company) = (scope().tenant(), scope().company());
        let sql = format!(
            "UPDATE {}.scope SET tenant = 'left-' || id WHERE tenant = $1 AND company = $2",
            self.schema
        );
        self.client
            .execute(&sql, &[&tenant, &company])
            .await
            .unwrap();
    }
}

/// The clock of whatever schedule runs.
#[derive(Debug, Default)]
struct Turning(Mutex<Option<Stage>>);

#[async_trait]
impl Clock for Turning {
    fn now(&self) -> Timestamp {
        let stage = self.0.lock().unwrap();
        stage.as_ref().map_or(Timestamp::UNIX_EPOCH, Stage::now)
    }

    async fn sleep(&self, _: Duration) {}
}
