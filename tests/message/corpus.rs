//! The corpus of awkward mail beside the repository: nothing panics, and chunks make no difference.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::support::{content, read_in_chunks};
use email_logging::message::{CanonicalDigest, MessageFlag, MessageLimits};

/// The files of the corpus, or none with a word on stderr where it is absent and not required.
fn corpus() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/mail");
    let mut files = Vec::new();
    let mut folders = vec![folder.clone()];
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
    files.sort();
    if files.is_empty() {
        crate::skipped::skipped("../shared/vectors/mail is absent");
    }
    files
}

#[test]
fn chunks_make_no_difference_to_any_mail_of_the_corpus() {
    for file in corpus() {
        let mail = std::fs::read(&file).unwrap();
        let whole = read_in_chunks(&mail, mail.len().max(1));
        let sizes = [1, 2, 3, 7, 1_000, 4_096];
        // A mail of megabytes byte by byte tests nothing more and takes seconds.
        for size in sizes.into_iter().filter(|size| mail.len() / size < 100_000) {
            let cut = read_in_chunks(&mail, size);
            assert_eq!(cut, whole, "{} by {size}", file.display());
        }
    }
}

#[test]
fn every_mail_of_the_corpus_is_read_to_its_end() {
    let mut slowest = (Duration::ZERO, PathBuf::new());
    let mut headerless = Vec::new();
    for file in corpus() {
        let mail = std::fs::read(&file).unwrap();
        let start = Instant::now();
        let message = read_in_chunks(&mail, 64 << 10).unwrap();
        assert_eq!(message.identity.size, mail.len() as u64);
        if message.flags.contains(&MessageFlag::HeaderMissing) {
            headerless.push(file.clone());
        }
        let content = content(&mail);
        assert!(content.text.is_none_or(|text| text.len() <= 1 << 20));
        CanonicalDigest::of(&mail, &MessageLimits::default());
        slowest = slowest.max((start.elapsed(), file));
    }
    eprintln!("slowest: {slowest:?}; without a header: {headerless:#?}");
}

#[test]
fn a_first_line_that_is_folded_and_has_no_name_is_read_alike_in_pieces() {
    let mail = b" AA\t\t\r :\t\r\r\t\n\n\t";
    let whole = read_in_chunks(mail, mail.len());
    for size in 1..mail.len() {
        assert_eq!(read_in_chunks(mail, size), whole, "{size}");
    }
}
