//! The lines of the table: what is measured, and how each is printed.

use crate::child::{Figures, Order, order};
use crate::number;
use crate::server::{Held, Server, program};

/// Bytes of a usual mail, as the server sends it.
const BYTES: u64 = 30_000;
/// Bytes of a large one.
const LARGE: u64 = 150_000_000;
/// Messages that one answer lists.
const PAGE: f64 = 1000.0;
/// Connections of the line that shows what more of them bring; Exchange allows 27 by default.
const MANY: u32 = 16;

/// What the environment says.
pub(crate) struct Settings {
    pub(crate) mails: u64,
    pub(crate) latencies_ms: Vec<u64>,
    pub(crate) connections: u32,
    pub(crate) batch: u32,
    pub(crate) repeats: u32,
    queued: u64,
    only: String,
    pub(crate) running: Option<String>,
    pub(crate) test: bool,
}

impl Settings {
    pub(crate) fn from_environment(test: bool) -> Self {
        let said = |name: &str| std::env::var(name).ok();
        let latencies = said("LATENCY_MS").unwrap_or_else(|| "0,20,80".into());
        Self {
            mails: if test { 20 } else { number("N", 1000) },
            latencies_ms: latencies
                .split(',')
                .filter_map(|text| text.trim().parse().ok())
                .collect(),
            connections: number("CONNECTIONS", 4),
            batch: number("BATCH", 50),
            repeats: if test { 1 } else { number("REPEATS", 3) },
            queued: number("QUEUED", 1_000_000),
            only: said("LINES").unwrap_or_default(),
            running: said("EWS_STUB"),
            test,
        }
    }

    fn order(&self) -> Order {
        Order {
            connections: self.connections,
            batch: self.batch,
            most: 0,
            simulated: self.mails,
            index: false,
        }
    }

    /// Messages a second that the round trips allow.
    pub(crate) fn by_round_trips(&self, connections: u32, latency_ms: u64) -> f64 {
        let per_mail = 2.0 / f64::from(self.batch) + 1.0 / PAGE;
        f64::from(connections) / (latency_ms as f64 / 1000.0 * per_mail)
    }

    fn fastest(&self, measured: impl Fn() -> Figures) -> Figures {
        let runs = (0..self.repeats.max(1)).map(|_| measured());
        runs.min_by(|a, b| a.seconds.total_cmp(&b.seconds)).unwrap()
    }
}

/// One line of the table.
pub(crate) struct Line {
    pub(crate) figures: Figures,
    pub(crate) latency_ms: Option<u64>,
    pub(crate) connections: u32,
}

/// Measures and prints every line that this machine has a server for.
pub(crate) fn measure(settings: &Settings) -> Vec<Line> {
    println!(
        "{:<44} | mails/s | CPU us/mail | peak MiB | requests |",
        "job"
    );
    if let Some(address) = &settings.running {
        let server = Server::at(address);
        return by_latency(settings, &server, settings.connections);
    }
    match program() {
        Some(program) if !settings.test => {
            let start = |mails, bytes, tls| Server::start(&program, Held { mails, bytes, tls });
            all(settings, &start)
        }
        _ => {
            let figures = settings.fastest(|| order(&settings.order(), None, false));
            vec![print(
                "simulated Exchange in this process",
                figures,
                None,
                "",
            )]
        }
    }
}

fn print(name: &str, figures: Figures, latency_ms: Option<u64>, note: &str) -> Line {
    let requests = figures.requests.map(|number| number.to_string());
    println!(
        "{name:<44} | {:>7.0} | {:>11.1} | {:>8.1} | {:>8} | {note}",
        figures.rate(),
        figures.cpu_of_one(),
        figures.peak_mib(),
        requests.as_deref().unwrap_or("-")
    );
    Line {
        figures,
        latency_ms,
        connections: 0,
    }
}

fn by_latency(settings: &Settings, server: &Server, connections: u32) -> Vec<Line> {
    let mut job = settings.order();
    job.connections = connections;
    let measure = |latency: &u64| {
        let figures = settings.fastest(|| {
            server.reset(*latency);
            order(&job, Some(server), false)
        });
        let name = format!(
            "{} mails, {latency} ms, C={connections}, B={}",
            settings.mails, settings.batch
        );
        let note = match latency {
            0 => String::new(),
            _ => of_the_model(settings, &figures, connections, *latency),
        };
        let line = print(&name, figures, Some(*latency), &note);
        Line {
            connections,
            ..line
        }
    };
    settings.latencies_ms.iter().map(measure).collect()
}

fn of_the_model(settings: &Settings, figures: &Figures, connections: u32, latency: u64) -> String {
    let model = settings.by_round_trips(connections, latency);
    format!(
        "{:.0} % of the {model:.0}/s that the round trips allow",
        figures.rate() / model * 100.0
    )
}

type Start<'a> = &'a dyn Fn(u64, u64, bool) -> Server;

fn all(settings: &Settings, start: Start<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    let wanted = |name: &str| name.contains(&settings.only);
    if wanted("latency") {
        let server = start(settings.mails, BYTES, false);
        lines.extend(by_latency(settings, &server, settings.connections));
        lines.extend(by_latency(settings, &server, MANY));
    }
    if wanted("tls") {
        lines.push(over_tls(settings, start));
    }
    if wanted("batch") {
        lines.push(large_batches(settings, start));
    }
    if wanted("long") {
        lines.push(eight_connections(settings, start));
    }
    if wanted("memory") {
        lines.extend(by_queue(settings, start));
    }
    if wanted("large") {
        lines.push(one_large_mail(settings, start));
    }
    if wanted("index") {
        second_stage(settings, start);
    }
    if wanted("idle") {
        idle_poll(settings, start);
    }
    if wanted("syncs") {
        syncs(settings, start);
    }
    lines
}

fn over_tls(settings: &Settings, start: Start<'_>) -> Line {
    let figures = settings.fastest(|| {
        let server = start(settings.mails, BYTES, true);
        order(&settings.order(), Some(&server), false)
    });
    print(
        &format!("{} mails over TLS", settings.mails),
        figures,
        None,
        "",
    )
}

fn large_batches(settings: &Settings, start: Start<'_>) -> Line {
    let server = start(settings.mails, BYTES, false);
    let mut hundred = settings.order();
    hundred.batch = 100;
    let figures = settings.fastest(|| {
        server.reset(0);
        order(&hundred, Some(&server), false)
    });
    print(
        &format!("{} mails, B=100", settings.mails),
        figures,
        None,
        "",
    )
}

fn eight_connections(settings: &Settings, start: Start<'_>) -> Line {
    let server = start(20_000, BYTES, false);
    let mut eight = settings.order();
    eight.connections = 8;
    let figures = settings.fastest(|| {
        server.reset(80);
        order(&eight, Some(&server), false)
    });
    let note = of_the_model(settings, &figures, 8, 80);
    print("20000 mails, 80 ms, C=8", figures, None, &note)
}

/// The memory must not depend on the length of the queue. Of the longest one the run takes 20,000.
fn by_queue(settings: &Settings, start: Start<'_>) -> Vec<Line> {
    let measure = |mails: u64| {
        let server = start(mails, BYTES, false);
        let mut bounded = settings.order();
        bounded.most = 20_000;
        let figures = order(&bounded, Some(&server), false);
        print(
            &format!("{mails} queued, at most 20000 taken"),
            figures,
            None,
            "",
        )
    };
    [1000, 20_000, settings.queued].map(measure).into()
}

fn one_large_mail(settings: &Settings, start: Start<'_>) -> Line {
    let server = start(1, LARGE, false);
    let mut indexed = settings.order();
    indexed.index = true;
    let figures = order(&indexed, Some(&server), false);
    let seconds = figures.cpu_us / 1e6;
    let note = format!("{seconds:.2} s of processor time; the memory is that of both stages");
    print("one mail of 150 MB", figures, None, &note)
}

fn second_stage(settings: &Settings, start: Start<'_>) {
    let server = start(settings.mails, BYTES, false);
    let mut indexed = settings.order();
    indexed.index = true;
    let figures = order(&indexed, Some(&server), false);
    println!(
        "{:<44} | {:>7.0} | {:>11.1} |",
        format!("the second stage of {} that were logged", figures.indexed),
        figures.indexed as f64 / figures.index_seconds,
        figures.index_cpu_us / figures.indexed as f64
    );
}

fn idle_poll(settings: &Settings, start: Start<'_>) {
    let server = start(0, BYTES, false);
    let figures = order(&settings.order(), Some(&server), false);
    println!(
        "{:<44} | requests {}",
        "a poll of an empty queue",
        figures.requests.unwrap_or(0)
    );
}

fn syncs(settings: &Settings, start: Start<'_>) {
    let traced = std::process::Command::new("strace").arg("-V").output();
    if traced.is_err() {
        println!("syncs were not counted: strace is not installed");
        return;
    }
    let server = start(settings.mails, BYTES, false);
    // An empty run syncs the schema and the lease.
    let mut none = settings.order();
    none.most = 1;
    let base = order(&none, Some(&server), true).syncs.unwrap_or(0);
    server.reset(0);
    let figures = order(&settings.order(), Some(&server), true);
    let batches = settings.mails.div_ceil(settings.batch.into());
    let more = figures.syncs.unwrap_or(0).saturating_sub(base);
    println!(
        "{:<44} | {more} more than for one mail, for {batches} batches",
        "fsync and fdatasync"
    );
}
