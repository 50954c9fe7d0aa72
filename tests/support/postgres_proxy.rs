//! A link to the server that breaks or falls silent at a COMMIT: before it arrives, or after it was done.

#![allow(dead_code, clippy::unwrap_used)]

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// `COMMIT` as a simple query (PostgreSQL manual, "Message Formats": Query).
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

/// Where the link breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Break {
    /// The COMMIT does not arrive.
    Before,
    /// The COMMIT is done, and its reply does not arrive.
    After,
}

pub(crate) struct Proxy {
    pub(crate) port: u16,
    plan: Arc<Plan>,
}

#[derive(Default)]
struct Plan {
    /// COMMITs that come through before the next break.
    skip: AtomicU32,
    before: AtomicU32,
    after: AtomicU32,
    /// Every how many COMMITs the link breaks; 0 is never.
    every: AtomicU32,
    seen: AtomicU32,
    broken: AtomicU32,
    /// Where every link falls silent, at the next COMMIT.
    silence: Mutex<Option<Break>>,
    /// Whether nothing comes through, while every link stands.
    silent: AtomicBool,
    /// Links that stand.
    links: AtomicU32,
    /// Links that were begun.
    begun: AtomicU32,
}

impl Plan {
    /// Where this COMMIT meets a break, if it does.
    fn take(&self) -> Option<Break> {
        let seen = self.seen.fetch_add(1, Ordering::AcqRel) + 1;
        let every = self.every.load(Ordering::Acquire);
        if every > 0 && seen.is_multiple_of(every) {
            let broken = self.broken.fetch_add(1, Ordering::AcqRel);
            let before = broken.is_multiple_of(2);
            return Some(if before { Break::Before } else { Break::After });
        }
        let one = |left: &AtomicU32| {
            let less = |left: u32| left.checked_sub(1);
            left.fetch_update(Ordering::AcqRel, Ordering::Acquire, less)
                .is_ok()
        };
        if one(&self.skip) {
            return None;
        }
        if one(&self.before) {
            return Some(Break::Before);
        }
        one(&self.after).then_some(Break::After)
    }
}

impl Proxy {
    pub(crate) async fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let plan = Arc::new(Plan::default());
        let shared = Arc::clone(&plan);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let plan = Arc::clone(&shared);
                plan.links.fetch_add(1, Ordering::AcqRel);
                plan.begun.fetch_add(1, Ordering::AcqRel);
                tokio::spawn(async move {
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    // Both ends close when this ends.
                    let _ = relay(client, server, &plan).await;
                    plan.links.fetch_sub(1, Ordering::AcqRel);
                });
            }
        });
        Self { port, plan }
    }

    /// Breaks the link at every n-th COMMIT, before and after it in turn.
    pub(crate) fn break_every(&self, commits: u32) {
        self.plan.every.store(commits, Ordering::Release);
    }

    /// How often it broke at every n-th COMMIT.
    pub(crate) fn broken(&self) -> u32 {
        self.plan.broken.load(Ordering::Acquire)
    }

    /// Breaks the link at the next COMMITs after those that are let through.
    pub(crate) fn break_after(&self, skip: u32, at: Break, times: u32) {
        self.plan.skip.store(skip, Ordering::Release);
        self.break_next(at, times);
    }

    /// Breaks the link at the next COMMITs.
    pub(crate) fn break_next(&self, at: Break, times: u32) {
        let left = match at {
            Break::Before => &self.plan.before,
            Break::After => &self.plan.after,
        };
        left.store(times, Ordering::Release);
    }

    /// Lets nothing through from the next COMMIT on, and keeps every link, as a pooler does that has lost its server.
    pub(crate) fn fall_silent(&self, at: Break) {
        *self.plan.silence.lock().unwrap() = Some(at);
    }

    /// Whether it fell silent.
    pub(crate) fn is_silent(&self) -> bool {
        self.plan.silent.load(Ordering::Acquire)
    }

    /// How many links stand.
    pub(crate) fn links(&self) -> u32 {
        self.plan.links.load(Ordering::Acquire)
    }

    /// How many links were begun.
    pub(crate) fn begun(&self) -> u32 {
        self.plan.begun.load(Ordering::Acquire)
    }

    /// Lets new links through.
    pub(crate) fn heal(&self) {
        self.plan.silent.store(false, Ordering::Release);
    }

    /// Whether every planned break happened.
    pub(crate) fn is_spent(&self) -> bool {
        let left = |left: &AtomicU32| left.load(Ordering::Acquire);
        left(&self.plan.before) == 0 && left(&self.plan.after) == 0
    }
}

async fn relay(mut client: TcpStream, mut server: TcpStream, plan: &Plan) -> std::io::Result<()> {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let bytes = &asked[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                let commits = bytes.windows(COMMIT.len()).any(|part| part == COMMIT);
                let silence = if commits { plan.silence.lock().unwrap().take() } else { None };
                if let Some(at) = silence {
                    plan.silent.store(true, Ordering::Release);
                    if at == Break::After {
                        server.write_all(bytes).await?;
                        // One byte of the reply says that it is done.
                        server.read_u8().await?;
                    }
                }
                if plan.silent.load(Ordering::Acquire) {
                    // The link stands until the client has enough of it.
                    while client.read(&mut asked).await? > 0 {}
                    return Ok(());
                }
                match plan.take_at(commits) {
                    Some(Break::Before) => return Ok(()),
                    Some(Break::After) => {
                        server.write_all(bytes).await?;
                        // One byte of the reply says that it is done.
                        server.read_u8().await?;
                        return Ok(());
                    }
                    None => server.write_all(bytes).await?,
                }
            }
            read = server.read(&mut answered) => {
                let bytes = &answered[..read?];
                if bytes.is_empty() {
                    return Ok(());
                }
                client.write_all(bytes).await?;
            }
        }
    }
}

impl Plan {
    fn take_at(&self, commits: bool) -> Option<Break> {
        if commits { self.take() } else { None }
    }
}
