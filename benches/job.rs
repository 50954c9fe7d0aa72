//! The whole job against an EWS server on loopback: list, fetch, decide, store, move.
//!
//! Every line is measured in a process of its own, so that its memory and its processor time are its own. Linux only: the
//! figures come from proc(5).
//!
//! Without a server the job works against the simulated Exchange in the same process, whose work is then part of the
//! figures. A neutral server is found in two ways:
//!
//! - `EWS_STUB_BIN=path`: a program that is started for each line with `--port`, `--n` (mails), `--size` (bytes of a mail),
//!   `--pool` (distinct bodies) and `--tls`, and that answers `/EWS/Exchange.asmx` (user `svc`, password `secret`, public
//!   folders `\E-Mail Logging\Queue` and `\E-Mail Logging\Storage`), `GET /stats` and `POST /reset?latency_ms=`. Without the
//!   variable it is looked for in `../shared/bench`. Then all lines are measured: latencies with few and with 16
//!   connections, TLS, batches of 100, 20,000 mails over 8 connections, memory by the length of the queue, one mail of
//!   150 MB, the second stage, an idle poll, syncs (where strace is installed), and whatever peers are installed.
//! - `EWS_STUB=host:port`: one that runs already, holding `N` mails. Then the lines by latency are measured.
//!
//! Further settings from the environment: `N` (mails; default 1000), `LATENCY_MS` (default `0,20,80`), `CONNECTIONS` (4),
//! `BATCH` (50), `REPEATS` (3; the fastest counts), `LINES` (only lines whose name contains it), `QUEUED` (the longest queue;
//! default 1000000), `PEERS` (a folder with the programs to compare with, default `../shared/bench/peers`; `PEERS=` for none)
//! and `PLOT` (a file for the plot, as SVG).
//!
//! The model is `R = min(C / (L (1/B + 1/M + 1/P)), cores / c)`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    missing_docs
)]

#[path = "job/child.rs"]
mod child;
#[path = "job/lines.rs"]
mod lines;
#[path = "job/peers.rs"]
mod peers;
#[path = "job/plot.rs"]
mod plot;
#[path = "job/server.rs"]
mod server;

/// A number from the environment.
fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
    let text = std::env::var(name).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(default)
}

fn main() {
    if std::env::var_os(child::ORDER).is_some() {
        return child::run();
    }
    // `cargo test --benches` only looks whether it runs.
    let test = !std::env::args().any(|argument| argument == "--bench");
    let settings = lines::Settings::from_environment(test);
    let measured = lines::measure(&settings);
    let others = if test {
        Vec::new()
    } else {
        peers::measure(&settings)
    };
    if let Ok(path) = std::env::var("PLOT") {
        std::fs::write(&path, plot::svg(&measured, &others)).unwrap();
    }
}
