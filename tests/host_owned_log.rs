//! A host's own log gets every entry exactly once by its key, whenever the worker is killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;

use std::path::PathBuf;
use std::process::Command;

/// The example that `cargo test` built beside this test.
fn example() -> Option<PathBuf> {
    let test = std::env::current_exe().unwrap();
    let program = test
        .ancestors()
        .nth(2)
        .unwrap()
        .join("examples/host_owned_log");
    if !program.is_file() {
        skipped::skipped("the example is not built; `cargo test` without further words builds it");
        return None;
    }
    Some(program)
}

#[test]
fn every_entry_is_put_exactly_once_by_its_key_after_kills_before_and_after_the_put() {
    let Some(program) = example() else { return };
    let output = Command::new(program).output().unwrap();
    let story = String::from_utf8(output.stdout).unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{story}\n{errors}");
    let expected = "\
worker that dies: before-put
  it was killed
  host's table: 0 rows, queue: 5 mails
worker that dies: after-put
  it was killed
  host's table: 1 rows, queue: 5 mails
worker that dies: never
  delivered 5, moved 5
  it ended well
  host's table: 5 rows, queue: 0 mails
CRM-1  Offer 1  (put 2 times)
CRM-2  Offer 2  (put 1 times)
CRM-3  Offer 3  (put 1 times)
CRM-4  Offer 4  (put 1 times)
CRM-5  Offer 5  (put 1 times)
in storage: 5 mails
";
    assert_eq!(story, expected);
}
