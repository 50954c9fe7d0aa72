//! What a test says when something that it needs is missing on this machine.

use std::io::Write as _;

/// Says that a test is skipped, past the capture of the test harness, so that a plain `cargo test` shows it. Where
/// everything must be there (`EMAIL_LOGGING_REQUIRE_SHARED`), it fails instead.
pub(crate) fn skipped(why: &str) {
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_SHARED").is_some();
    assert!(!required, "this must not be skipped here: {why}");
    // Nobody is left to be told where standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}
