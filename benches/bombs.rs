//! Bombs are linear in time: for each family, how long twice the input takes, in times of how long the input takes.
//!
//! `cargo bench --bench bombs` prints the least of several measurements for growing inputs, and fails where a ratio is over
//! 2.2. `cargo test --test bombs` counts memory instead, for machines that do other things meanwhile.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

#[path = "../tests/bombs/families.rs"]
mod families;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use families::{FAMILIES, Family};

const WORST: f64 = 2.2;
const MEASUREMENTS: usize = 15;
/// One measurement reads so often that it takes about this long.
const ENOUGH: Duration = Duration::from_millis(20);

/// The least time of reading each of these inputs, measured in turns so that what else happens strikes all of them.
fn least(family: &Family, inputs: &[Vec<u8>]) -> Vec<Duration> {
    let first = time(family, &inputs[0], 1);
    let often = u32::try_from(ENOUGH.as_nanos() / first.as_nanos().max(1))
        .unwrap_or(1)
        .max(1);
    let mut least = vec![Duration::MAX; inputs.len()];
    for _ in 0..MEASUREMENTS {
        for (least, input) in least.iter_mut().zip(inputs) {
            *least = (*least).min(time(family, input, often));
        }
    }
    least
}

fn time(family: &Family, input: &[u8], often: u32) -> Duration {
    let started = Instant::now();
    for _ in 0..often {
        black_box((family.read)(black_box(input)));
    }
    started.elapsed() / often
}

/// Prints the family's times; answers its worst ratio.
fn measure(family: &Family) -> f64 {
    let sizes = [1, 2, 4].map(|times| times * family.size);
    let inputs = sizes.map(family.make);
    let times = least(family, &inputs);
    let ratios: Vec<f64> = times
        .windows(2)
        .map(|pair| pair[1].as_secs_f64() / pair[0].as_secs_f64())
        .collect();
    let worst = ratios.iter().copied().fold(0.0, f64::max);
    let milliseconds = times
        .iter()
        .map(|time| format!("{:9.3}", time.as_secs_f64() * 1000.0));
    println!(
        "{:34} n = {:6}: {} ms for n, 2n, 4n; ratios {:.2} {:.2}",
        family.name,
        family.size,
        milliseconds.collect::<Vec<_>>().join(" "),
        ratios[0],
        ratios[1],
    );
    worst
}

fn main() -> ExitCode {
    // `cargo test --benches` only wants to know whether it runs.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let worst = FAMILIES.iter().map(measure).fold(0.0, f64::max);
    println!("the worst ratio is {worst:.2}, at most {WORST}");
    if worst <= WORST {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
