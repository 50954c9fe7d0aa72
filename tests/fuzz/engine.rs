//! Runs a target: its corpus, then so many or for so long changed inputs.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::{Duration, Instant};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::mutation::inputs;

/// Stack for a target: half of what a thread of a runtime has.
const STACK: usize = 1 << 20;
/// Cases between two looks at the clock.
const BATCH: u32 = 500;

/// One reader with what it is fed.
pub(super) struct Target {
    /// Its name, which is its folder in the corpus.
    pub(super) name: &'static str,
    /// Pieces of its language.
    pub(super) words: &'static [&'static str],
    /// Inputs that have to be made.
    pub(super) made: fn() -> Vec<Vec<u8>>,
    /// Reads an input and asserts the rules.
    pub(super) check: fn(&[u8]),
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number")),
    )
}

/// Runs a target as the environment says.
pub(super) fn run(target: Target) {
    let thread = std::thread::Builder::new().stack_size(STACK);
    let ended = thread.spawn(move || run_here(&target)).unwrap().join();
    if let Err(panic) = ended {
        std::panic::resume_unwind(panic);
    }
}

fn run_here(target: &Target) {
    hush();
    let mut seeds = corpus(target.name);
    assert!(!seeds.is_empty(), "{} has no corpus", target.name);
    seeds.extend((target.made)());
    for seed in &seeds {
        (target.check)(seed);
    }
    let (started, seconds) = (
        Instant::now(),
        number("FUZZ_SECONDS").map(Duration::from_secs),
    );
    let most = match seconds {
        Some(_) => u64::MAX,
        None => number("FUZZ_CASES").unwrap_or(300),
    };
    let (first, mut done, mut batch) = (number("FUZZ_SEED").unwrap_or(1), 0, 0_u64);
    let slowest = RefCell::new(Duration::ZERO);
    while done < most && seconds.is_none_or(|seconds| started.elapsed() < seconds) {
        let cases = u64::from(BATCH).min(most - done);
        run_batch(
            target,
            &seeds,
            first.wrapping_add(batch << 32),
            cases,
            &slowest,
        );
        (done, batch) = (done + cases, batch + 1);
    }
    eprintln!(
        "{}: {} of the corpus, {done} cases from seed {first} in {:.1} s, the slowest {:.1} ms",
        target.name,
        seeds.len(),
        started.elapsed().as_secs_f64(),
        slowest.into_inner().as_secs_f64() * 1000.0,
    );
}

fn run_batch(
    target: &Target,
    seeds: &[Vec<u8>],
    seed: u64,
    cases: u64,
    slowest: &RefCell<Duration>,
) {
    let config = Config {
        cases: u32::try_from(cases).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 2000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(config, random);
    let ran = runner.run(&inputs(seeds.to_vec(), target.words), |input| {
        let began = Instant::now();
        let failed = failure(target, &input);
        let took = slowest.borrow().max(began.elapsed());
        slowest.replace(took);
        failed.map_or(Ok(()), |text| Err(TestCaseError::fail(text)))
    });
    match ran {
        Ok(()) => {}
        Err(TestError::Fail(_, input)) => report(target, &input),
        Err(TestError::Abort(reason)) => panic!("{}: {reason}", target.name),
    }
}

thread_local! {
    /// Whether a panic of this thread is only one of many that show the way to the smallest.
    static TRYING: Cell<bool> = const { Cell::new(false) };
}

/// Keeps panics silent while inputs are tried.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !TRYING.get() {
                loud(panic);
            }
        }));
    });
}

fn failure(target: &Target, input: &[u8]) -> Option<String> {
    TRYING.set(true);
    let ended = catch_unwind(AssertUnwindSafe(|| (target.check)(input)));
    TRYING.set(false);
    let panic = ended.err()?;
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    Some(text.unwrap_or_else(|| "a panic without words".to_owned()))
}

/// Makes the input smaller, writes it down and fails.
fn report(target: &Target, input: &[u8]) {
    let small = smaller(target, input.to_vec());
    let text = failure(target, &small).unwrap_or_default();
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("fuzz");
    std::fs::create_dir_all(&path).unwrap();
    let path = path.join(format!(
        "{}-{}",
        target.name,
        &blake3::hash(&small).to_hex()[..8]
    ));
    std::fs::write(&path, &small).unwrap();
    let shown = small.escape_ascii();
    panic!(
        "{}: {text}\ninput: \"{shown}\"\nin {}",
        target.name,
        path.display()
    );
}

/// Leaves out pieces as long as it still fails.
fn smaller(target: &Target, mut input: Vec<u8>) -> Vec<u8> {
    let mut size = input.len() / 2;
    while size > 0 {
        let mut at = 0;
        while at < input.len() {
            let mut shorter = input.clone();
            shorter.drain(at..(at + size).min(input.len()));
            match failure(target, &shorter) {
                Some(_) => input = shorter,
                None => at += size,
            }
        }
        size /= 2;
    }
    input
}

/// The files of a target, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = folder.join("tests/fuzz/corpus").join(name);
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect()
}
