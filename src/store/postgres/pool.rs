//! Connections and transactions: taken from a pool, done whole, and done again where that is safe.
//!
//! A transaction that the server undoes (serialization failure, deadlock) or whose connection ends before its COMMIT wrote
//! nothing: its job is done again as a whole, a bounded number of times. Where the reply to the COMMIT is lost, nobody knows:
//! the job is told so, and looks for what it wrote before it writes again.
//!
//! Every answer is waited for no longer than a bound: a server that hangs keeps its connection alive, and ends nothing itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use deadpool::managed::{
    self, Metrics, Object, Pool as Connections, PoolError, RecycleError, RecycleResult,
};
use futures_util::stream::{FuturesOrdered, StreamExt as _};
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row, Statement};

use super::connect::Connector;
use super::fault::{Done, Fault};
use super::options::{PAUSE, PostgresOptions, ROUNDS, STATEMENTS};
use crate::clock::{Clock as _, Entropy, SystemClock};
use crate::error::{Error, Result, codes};

/// A parameter of a statement.
pub(super) type Value<'a> = Box<dyn ToSql + Sync + Send + 'a>;

/// A transaction that writes. What must be seen is read under locks, so that each statement sees what was committed.
const WRITE: &str = "BEGIN ISOLATION LEVEL READ COMMITTED";

/// A transaction that reads several statements from one snapshot.
const READ: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// One connection with its prepared statements.
pub(super) struct Link {
    client: Client,
    /// The task that drives the connection.
    driver: AbortHandle,
    answer_time: Duration,
    statements: Mutex<BTreeMap<String, Statement>>,
}

impl Link {
    /// Waits for an answer. A connection that brings none in time is closed: the task that drives it would wait for ever.
    async fn answer<T>(&self, answer: impl Future<Output = T> + Send) -> Done<T> {
        let answered = timeout(self.answer_time, answer).await;
        answered.map_err(|_| {
            self.driver.abort();
            Fault::Lost
        })
    }
}

impl managed::Manager for Connector {
    type Type = Link;
    type Error = Fault;

    async fn create(&self) -> Done<Link> {
        // Boxed: it holds the whole connection until the session is set up.
        let (client, driver) = Box::pin(self.connect()).await?;
        Ok(Link {
            client,
            driver,
            answer_time: self.answer_time,
            statements: Mutex::default(),
        })
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<Fault> {
        if link.client.is_closed() {
            return Err(RecycleError::Backend(Fault::Lost));
        }
        Ok(())
    }
}

/// The connections of a store.
pub(super) struct Pool {
    connections: Connections<Connector>,
    entropy: Arc<dyn Entropy>,
    /// After so long no round begins because nobody answered: each of them may wait as long.
    patience: Duration,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("status", &self.connections.status())
            .finish_non_exhaustive()
    }
}

/// Which attempt at a job it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round {
    /// Whether an earlier one may have been committed.
    pub(super) unknown: bool,
}

impl Pool {
    pub(super) fn new(options: &PostgresOptions) -> Result<Self> {
        let connections = Connections::builder(Connector::new(options)?)
            .max_size(options.pool_size.max(1))
            .runtime(deadpool::Runtime::Tokio1)
            .wait_timeout(Some(options.connect_timeout))
            .create_timeout(Some(options.connect_timeout.saturating_mul(2)))
            .build()
            .map_err(|error| Error::new(&codes::INTERNAL, "open").with_source(error))?;
        Ok(Self {
            connections,
            entropy: Arc::clone(&options.entropy),
            patience: options.answer_time().saturating_mul(2),
        })
    }

    /// Does a job in one transaction that writes.
    pub(super) async fn write<T, F, Fut>(&self, job: F) -> Done<T>
    where
        T: Send,
        F: Fn(Tx, Round) -> Fut + Send + Sync,
        Fut: Future<Output = Done<T>> + Send,
    {
        self.whole(WRITE, job).await
    }

    /// Does a job that only reads, all of it from one snapshot.
    pub(super) async fn read<T, F, Fut>(&self, job: F) -> Done<T>
    where
        T: Send,
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Done<T>> + Send,
    {
        self.whole(READ, |tx, _| job(tx)).await
    }

    /// Ends every connection; later calls are refused.
    pub(super) fn close(&self) {
        self.connections.close();
    }

    async fn whole<T, F, Fut>(&self, begin: &'static str, job: F) -> Done<T>
    where
        T: Send,
        F: Fn(Tx, Round) -> Fut + Send + Sync,
        Fut: Future<Output = Done<T>> + Send,
    {
        let mut round = Round { unknown: false };
        let since = Instant::now();
        for number in 1..ROUNDS {
            match self.once(begin, &job, &mut round).await {
                Err(fault) if fault.is_silence() && since.elapsed() >= self.patience => {
                    return Err(fault);
                }
                Err(fault) if fault.is_passing() || round.unknown => self.pause(number).await,
                done => return done,
            }
        }
        self.once(begin, &job, &mut round).await
    }

    async fn once<T, F, Fut>(&self, begin: &'static str, job: &F, round: &mut Round) -> Done<T>
    where
        T: Send,
        F: Fn(Tx, Round) -> Fut + Send + Sync,
        Fut: Future<Output = Done<T>> + Send,
    {
        let tx = Tx::begin(self.connection().await?, begin).await?;
        match job(tx.clone(), *round).await {
            Ok(value) => {
                tx.commit(round).await?;
                Ok(value)
            }
            Err(fault) => {
                tx.roll_back().await;
                // The job looked again and knows now.
                round.unknown &= fault.is_passing();
                Err(fault)
            }
        }
    }

    async fn connection(&self) -> Done<Object<Connector>> {
        self.connections.get().await.map_err(|error| match error {
            PoolError::Backend(fault) => fault,
            PoolError::Closed => (&codes::STORE_CLOSED).into(),
            _ => Fault::NoConnection,
        })
    }

    /// Waits before the next round, not as long as everybody else who collided.
    async fn pause(&self, rounds: u32) {
        // The connections that ended with the one that failed go as well.
        self.connections.retain(|link, _| !link.client.is_closed());
        let mut random = [0];
        self.entropy.fill(&mut random);
        let longest = PAUSE * 2_u32.saturating_pow(rounds.saturating_sub(1));
        let [random] = random;
        SystemClock
            .sleep(longest / 2 + longest / 512 * u32::from(random))
            .await;
    }
}

/// A transaction. It is rolled back with its connection unless it ends.
#[derive(Clone)]
pub(super) struct Tx(Arc<Held>);

struct Held {
    link: Option<Object<Connector>>,
    /// Whether the connection is between transactions.
    idle: AtomicBool,
}

impl Drop for Held {
    /// A connection in the middle of something is closed, which makes the server undo it.
    fn drop(&mut self) {
        if !self.idle.load(Ordering::Acquire) {
            drop(self.link.take().map(Object::take));
        }
    }
}

impl Tx {
    async fn begin(link: Object<Connector>, begin: &str) -> Done<Self> {
        let tx = Self(Arc::new(Held {
            link: Some(link),
            idle: AtomicBool::new(false),
        }));
        tx.batch(begin).await?;
        Ok(tx)
    }

    async fn commit(&self, round: &mut Round) -> Done<()> {
        round.unknown = true;
        let done = self.batch("COMMIT").await;
        round.unknown = done.as_ref().is_err_and(Fault::is_unknown);
        if done.is_ok() {
            self.0.idle.store(true, Ordering::Release);
        }
        done
    }

    async fn roll_back(&self) {
        let done = self.batch("ROLLBACK").await;
        self.0.idle.store(done.is_ok(), Ordering::Release);
    }

    /// Statements without parameters.
    pub(super) async fn batch(&self, sql: &str) -> Done<()> {
        let link = self.link()?;
        Ok(link.answer(link.client.batch_execute(sql)).await??)
    }

    pub(super) async fn rows(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Done<Vec<Row>> {
        let statement = self.prepared(sql).await?;
        let link = self.link()?;
        Ok(link.answer(link.client.query(&statement, values)).await??)
    }

    /// The row, if there is one.
    pub(super) async fn row(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Done<Option<Row>> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// How many rows were written.
    pub(super) async fn run(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Done<u64> {
        let statement = self.prepared(sql).await?;
        let link = self.link()?;
        Ok(link
            .answer(link.client.execute(&statement, values))
            .await??)
    }

    /// Runs statements in their order without waiting for one before the next is sent.
    pub(super) async fn pipeline(&self, writes: &[Write<'_>]) -> Done<()> {
        let link = self.link()?;
        let mut prepared = Vec::with_capacity(writes.len());
        for write in writes {
            prepared.push(self.prepared(&write.sql).await?);
        }
        // They are sent in this order, all of them when the first answer is waited for.
        let mut sent: FuturesOrdered<_> = prepared
            .iter()
            .zip(writes)
            .map(|(statement, write)| link.client.execute_raw(statement, write.references()))
            .collect();
        let mut first = Ok(());
        while let Some(done) = link.answer(sent.next()).await? {
            let done = done.map_err(Fault::from);
            // After a statement that failed all others fail as well; the cause is told.
            let known = match &first {
                Ok(()) => false,
                Err(fault) => !Fault::is_consequence(fault),
            };
            if let Err(fault) = done
                && !known
            {
                first = Err(fault);
            }
        }
        first
    }

    async fn prepared(&self, sql: &str) -> Done<Statement> {
        let link = self.link()?;
        let known = locked(&link.statements).get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = link.answer(link.client.prepare(sql)).await??;
        let mut statements = locked(&link.statements);
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn link(&self) -> Done<&Link> {
        self.0.link.as_deref().ok_or(Fault::Lost)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A statement with its parameters.
pub(super) struct Write<'a> {
    pub(super) sql: String,
    pub(super) values: Vec<Value<'a>>,
}

impl<'a> Write<'a> {
    pub(super) fn new(sql: impl Into<String>, values: Vec<Value<'a>>) -> Self {
        Self {
            sql: sql.into(),
            values,
        }
    }

    fn references(&self) -> Vec<&(dyn ToSql + Sync)> {
        self.values
            .iter()
            .map(|value| {
                let value: &(dyn ToSql + Sync) = &**value;
                value
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn all_rounds_together_wait_less_than_a_second() {
        let longest: Duration = (0..ROUNDS - 1).map(|n| PAUSE * 2_u32.pow(n)).sum();
        assert_eq!(longest, Duration::from_millis(635));
    }
}
