//! What somebody would use instead: programs that do the same job, run against the same server where they are installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lines::Settings;
use crate::server::{Held, Server, program};

const BYTES: u64 = 30_000;

/// What a peer took.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) latency_ms: u64,
    pub(crate) rate: f64,
    cpu_us: f64,
    peak_mb: f64,
    requests: u64,
}

impl Peer {
    fn print(&self) {
        println!(
            "{:<44} | {:>7.0} | {:>11.1} | {:>8.1} | {:>8} |",
            format!("{}, {} ms", self.name, self.latency_ms),
            self.rate,
            self.cpu_us,
            self.peak_mb,
            self.requests
        );
    }
}

/// How a peer is called; `{url}` and `{db}` are put in.
struct Call {
    name: &'static str,
    program: PathBuf,
    arguments: Vec<String>,
    environment: Option<(&'static str, &'static str)>,
    /// What is there if it is installed.
    needs: PathBuf,
}

/// Measures those that are here.
pub(crate) fn measure(settings: &Settings) -> Vec<Peer> {
    let folder = std::env::var("PEERS").unwrap_or_else(|_| "../shared/bench/peers".into());
    let Some(server) = program().filter(|_| !folder.is_empty() && settings.running.is_none())
    else {
        return Vec::new();
    };
    let folder = Path::new(&folder);
    let mut measured = Vec::new();
    for call in calls(folder) {
        if !call.needs.exists() {
            println!("{:<44} | not measured: it is not installed", call.name);
            continue;
        }
        for latency in &settings.latencies_ms {
            match fastest(&call, &server, folder, settings, *latency) {
                Ok(peer) => {
                    peer.print();
                    measured.push(peer);
                }
                Err(why) => println!("{:<44} | not measured: {why}", call.name),
            }
        }
    }
    measured
}

fn calls(folder: &Path) -> Vec<Call> {
    let python = std::env::var("PEERS_PYTHON")
        .map_or_else(|_| folder.join("venv/bin/python"), PathBuf::from);
    let script = folder.join("py_exchangelib.py").display().to_string();
    let job = folder.join("node/job.js").display().to_string();
    let words = |words: &[&str]| {
        words
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>()
    };
    let of_python = |name, mode: &[&str], environment| Call {
        name,
        program: python.clone(),
        arguments: [vec![script.clone()], words(mode)].concat(),
        environment,
        needs: python.clone(),
    };
    let rust = folder.join("rust/target/release/job");
    vec![
        of_python(
            "exchangelib, tuned",
            &["tuned", "{url}", "{db}", "1000", "50"],
            None,
        ),
        of_python(
            "exchangelib, its reads patched, 4 threads",
            &["threads", "{url}", "{db}", "1000", "50", "4"],
            Some(("EXCH_PATCH", "1")),
        ),
        Call {
            name: "ews-javascript-api, tuned, 4 at once",
            program: "node".into(),
            arguments: [
                vec![job],
                words(&["conc", "{url}", "{db}", "1000", "50", "4"]),
            ]
            .concat(),
            environment: None,
            needs: folder.join("node/node_modules"),
        },
        Call {
            name: "Rust with the ews crate, 1 at a time",
            program: rust.clone(),
            arguments: words(&["ews", "{address}", "{db}", "1000", "100", "1"]),
            environment: None,
            needs: rust,
        },
    ]
}

/// The fastest of as many runs as our own lines have.
fn fastest(
    call: &Call,
    program: &Path,
    folder: &Path,
    settings: &Settings,
    latency_ms: u64,
) -> Result<Peer, String> {
    let mut best = run(call, program, folder, settings, latency_ms)?;
    for _ in 1..settings.repeats {
        let next = run(call, program, folder, settings, latency_ms)?;
        if next.rate > best.rate {
            best = next;
        }
    }
    Ok(best)
}

fn run(
    call: &Call,
    program: &Path,
    folder: &Path,
    settings: &Settings,
    latency_ms: u64,
) -> Result<Peer, String> {
    let held = Held {
        mails: settings.mails,
        bytes: BYTES,
        tls: false,
    };
    let server = Server::start(program, held);
    server.reset(latency_ms);
    let scratch = tempfile::tempdir().unwrap();
    let db = scratch.path().join("peer.db").display().to_string();
    let url = server.url();
    let address = url.trim_start_matches("http://").split('/').next().unwrap();
    let put = |text: &String| {
        text.replace("{url}", &url)
            .replace("{db}", &db)
            .replace("{address}", address)
    };
    let mut command = Command::new(&call.program);
    command.args(call.arguments.iter().map(put));
    command.envs(call.environment);
    command.current_dir(folder.canonicalize().map_err(|error| error.to_string())?);
    let output = command.output().map_err(|error| error.to_string())?;
    let said = String::from_utf8_lossy(&output.stdout);
    let line = said.lines().last().unwrap_or_default();
    let (Some(mails), Some(seconds)) = (field(line, "n"), field(line, "job_s")) else {
        let error = String::from_utf8_lossy(&output.stderr);
        return Err(error
            .lines()
            .last()
            .unwrap_or("it printed nothing")
            .to_owned());
    };
    let (cpu, memory) = (field(line, "job_cpu_s"), field(line, "rss_mb"));
    let requests = server.count("requests").unwrap_or(0);
    Ok(Peer {
        name: call.name,
        latency_ms,
        rate: mails / seconds,
        cpu_us: cpu.unwrap_or(f64::NAN) / mails * 1e6,
        peak_mb: memory.unwrap_or(f64::NAN),
        requests,
    })
}

/// A number of a JSON object in one line.
fn field(line: &str, name: &str) -> Option<f64> {
    let after = line.split(&format!("\"{name}\":")).nth(1)?;
    let number: String = after
        .trim_start()
        .chars()
        .take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | 'e' | '+'))
        .collect();
    number.parse().ok()
}
