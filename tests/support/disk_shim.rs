//! Compiles the small library that stands between a child process and its disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::skipped::skipped;

/// The library, compiled; `None` where that is not possible and need not be.
pub(crate) fn shim(dir: &Path) -> Option<PathBuf> {
    let library = dir.join("disk_shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/disk_shim.c");
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .arg(source)
        .status();
    match compiled {
        Ok(status) if status.success() => Some(library),
        outcome => {
            skipped(&format!("a C compiler is missing or failed: {outcome:?}"));
            None
        }
    }
}
