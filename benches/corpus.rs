//! CPU of every mail of the shared vectors, from its bytes to its decision and its indexed content.
//!
//! Prints the slowest and ends with an error where one takes 50 ms. Says so where the vectors are absent.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use email_logging::decision::{LoggingPolicy, decide};
use email_logging::message::{MailFacts, Message, MessageContent, MessageLimits};
use email_logging::parties::Parties;

const LIMIT: Duration = Duration::from_millis(50);

fn main() -> ExitCode {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/mail");
    let mut figures: Vec<_> = files(folder)
        .into_iter()
        .map(|file| (cpu_of(&file), file))
        .collect();
    if figures.is_empty() {
        println!("SKIPPED: ../shared/vectors/mail is absent");
        return ExitCode::SUCCESS;
    }
    figures.sort();
    let total: Duration = figures.iter().map(|(cpu, _)| *cpu).sum();
    println!(
        "{} mails, {total:.1?} CPU in all; the slowest:",
        figures.len()
    );
    for (cpu, file) in figures.iter().rev().take(5) {
        println!(
            "{cpu:>10.2?}  {}",
            file.file_name().unwrap_or_default().to_string_lossy()
        );
    }
    let slow = figures.iter().filter(|(cpu, _)| *cpu >= LIMIT).count();
    println!("{} passed, {slow} failed", figures.len() - slow);
    if slow == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn files(folder: PathBuf) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files
}

/// The least of three times: the first one warms the caches.
fn cpu_of(file: &Path) -> Duration {
    let mail = std::fs::read(file).unwrap();
    (0..3).map(|_| once(&mail)).min().unwrap_or_default()
}

fn once(mail: &[u8]) -> Duration {
    let limits = MessageLimits::default();
    let before = thread_cpu();
    let message = Message::read(mail, &MailFacts::default(), &limits).unwrap();
    let decision = decide(
        &message,
        &Parties::default(),
        &LoggingPolicy::default(),
        &[],
    );
    let content = MessageContent::read(mail, &limits);
    std::hint::black_box((decision, content));
    thread_cpu().saturating_sub(before)
}

/// Time of this thread on a processor (proc(5), `schedstat`, first field, in nanoseconds).
fn thread_cpu() -> Duration {
    // The kernel brings the figure up to date when the thread gives way.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text
        .split_whitespace()
        .next()
        .and_then(|field| field.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}
