//! The log counted, exported and tidied: by the library, and by the example binary on the log of the demo.

#![allow(
    missing_docs,
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

#[path = "email_logger/program.rs"]
mod program;
#[path = "support/store_rows.rs"]
mod store_rows;

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use email_logging::error::codes;
use email_logging::export;
use email_logging::store::{
    CommitBatch, InteractionLog as _, LogFilter, MailLedger as _, SqliteStore,
};
use email_logging::{ErrorKind, Scope};
use program::{code, errors, json, run, text};
use store_rows::{bytes, entry, lease, logged};

/// A store with this many mails, the second far bigger than one piece.
async fn filled(mails: u64) -> SqliteStore {
    let store = SqliteStore::in_memory().unwrap();
    store.migrate().await.unwrap();
    let scope = Scope::default();
    let lease = lease(&store, &scope).await;
    let size = |n| if n == 1 { 700_001 } else { 300 };
    let rows = (0..mails).map(|n| logged(&scope, n, size(n))).collect();
    let batch = CommitBatch::of_rows(rows);
    store.commit(&scope, &lease, batch).await.unwrap();
    store
}

#[tokio::test]
async fn json_lines_hold_every_entry_that_fits_across_pages() {
    let (store, scope) = (filled(1_203).await, Scope::default());
    let mut out = Vec::new();
    let filter = LogFilter::default();
    let exported = export::json_lines(&store, &scope, &filter, &mut out)
        .await
        .unwrap();
    assert_eq!((exported.rows, exported.missing), (1_203, 0));
    let lines: Vec<serde_json::Value> = String::from_utf8(out)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let numbers: Vec<u64> = lines
        .iter()
        .map(|line| line["entry-no"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=1_203).rev().collect::<Vec<_>>());
    assert_eq!(lines[0]["contact-no"], "CT000002");
}

#[tokio::test]
async fn csv_has_a_header_and_a_line_per_entry() {
    let (store, scope) = (filled(2).await, Scope::default());
    let mut filter = LogFilter::default();
    filter.entry_no = Some(1);
    let id = entry(&scope, 0).id;
    let annotation = email_logging::store::Annotation::Comment {
        author: "=Anna".into(),
        text: "two\nlines".into(),
    };
    store.annotate(&scope, &id, annotation).await.unwrap();
    let mut out = Vec::new();
    export::csv(&store, &scope, &filter, &mut out)
        .await
        .unwrap();
    let written = String::from_utf8(out).unwrap();
    let (header, row) = written.split_once("\r\n").unwrap();
    assert!(
        header.starts_with("entry-no,id,message,date,direction,"),
        "{header}"
    );
    assert_eq!(header.split(',').count(), 18);
    assert!(row.starts_with(&format!("1,\"{id}\",")), "{row}");
    assert!(row.contains(",\"Offer 0 for the St\u{fc}hle\","), "{row}");
    assert!(row.ends_with(",\"'=Anna: two\nlines\"\r\n"), "{row}");
}

#[tokio::test]
async fn a_zip_holds_the_originals_bit_for_bit_under_clean_names() {
    let (store, scope) = (filled(3).await, Scope::default());
    let mut out = Vec::new();
    let filter = LogFilter::default();
    let exported = export::eml_zip(&store, &scope, &filter, &mut out);
    assert_eq!(exported.await.unwrap().rows, 3);
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(out)).unwrap();
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "000003 2023-11-14 Offer 2 for the St\u{fc}hle.eml",
            "000002 2023-11-14 Offer 1 for the St\u{fc}hle.eml",
            "000001 2023-11-14 Offer 0 for the St\u{fc}hle.eml",
        ]
    );
    for (index, (n, size)) in [(2, 300), (1, 700_001), (0, 300)].into_iter().enumerate() {
        let mut read = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut read)
            .unwrap();
        assert_eq!(read, bytes(n, size), "mail {n}");
    }
}

/// A writer whose disk is full after so many bytes.
struct Full {
    room: usize,
    written: Vec<u8>,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.room == 0 {
            // Room comes back, as when a person deletes something: what is broken off stays so.
            self.room = usize::MAX;
            return Err(std::io::ErrorKind::StorageFull.into());
        }
        let taken = bytes.len().min(self.room);
        self.room -= taken;
        self.written.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_writer_that_fails_ends_an_export() {
    let (store, scope, filter) = (filled(1).await, Scope::default(), LogFilter::default());
    let full = || Full {
        room: 100,
        written: Vec::new(),
    };
    let failures = [
        export::json_lines(&store, &scope, &filter, &mut full()).await,
        export::csv(&store, &scope, &filter, &mut full()).await,
        export::eml_zip(&store, &scope, &filter, &mut full()).await,
    ];
    let mut part = full();
    let zip = export::eml_zip(&store, &scope, &filter, &mut part).await;
    assert_eq!(part.written.len(), 100, "nothing follows what failed");
    for failure in failures.into_iter().chain([zip]) {
        let error = failure.unwrap_err();
        assert_eq!(error.code(), codes::EXPORT_WRITE.code);
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }
}

/// The log of a demo.
fn demo() -> (tempfile::TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log.sqlite");
    let output = run(&["demo", "--store", file.to_str().unwrap()]);
    assert!(file.is_file(), "{}", errors(&output));
    (directory, file)
}

fn on(file: &Path, arguments: &[&str]) -> std::process::Output {
    let mut all = arguments.to_vec();
    all.extend(["--store", file.to_str().unwrap()]);
    run(&all)
}

#[test]
fn the_program_counts_exports_cancels_and_deletes() {
    let (directory, file) = demo();
    let stats = json(&on(&file, &["stats", "--json", "--by", "day"]));
    let total = stats[0]["statistics"]["total"]["entries"].as_u64().unwrap();
    assert!(total > 50, "{total}");
    let told = on(&file, &["stats"]);
    assert_eq!(code(&told), 0, "{}", errors(&told));
    assert!(
        text(&told).contains(&format!("{total} entries of ")),
        "{}",
        text(&told)
    );

    let lines = directory.path().join("log.jsonl");
    let export = |format: &str, out: &Path| {
        on(
            &file,
            &["export", "--format", format, "--out", out.to_str().unwrap()],
        )
    };
    assert_eq!(code(&export("jsonl", &lines)), 0);
    let written = std::fs::read_to_string(&lines).unwrap();
    assert_eq!(written.lines().count() as u64, total);
    let again = export("jsonl", &lines);
    assert_eq!(code(&again), 1, "a file is never written over");
    for format in ["csv", "eml-zip"] {
        let out = directory.path().join(format);
        assert_eq!(code(&export(format, &out)), 0);
        assert!(std::fs::metadata(&out).unwrap().len() > 1_000, "{format}");
    }

    assert_eq!(code(&on(&file, &["cancel", "1"])), 0);
    let left = |more: &[&str]| {
        let all = [&["stats", "--json"][..], more].concat();
        json(&on(&file, &all))[0]["statistics"]["total"]["entries"].as_u64()
    };
    assert_eq!(left(&[]), Some(total - 1));
    assert_eq!(left(&["--canceled"]), Some(total));
    assert_eq!(code(&on(&file, &["cancel", "1", "--undo"])), 0);
    assert_eq!(left(&[]), Some(total));
    assert_eq!(code(&on(&file, &["cancel", "1"])), 0);
    let deleted = |more: &[&str]| {
        let all = [&["delete-canceled", "--json"][..], more].concat();
        json(&on(&file, &all))[0]["delete-canceled"].clone()
    };
    assert_eq!(
        deleted(&["--contact", "nobody", "--yes"])["what"]["entries"],
        0
    );
    assert_eq!(deleted(&[])["what"]["entries"], 1);
    assert_eq!(
        left(&["--canceled"]),
        Some(total),
        "a preview changes nothing"
    );
    let done = deleted(&["--yes"]);
    assert_eq!(
        (&done["done"], &done["what"]["entries"]),
        (&true.into(), &1.into())
    );
    assert_eq!(left(&["--canceled"]), Some(total - 1));
    assert_eq!(code(&on(&file, &["show", "1"])), 1);
}

#[test]
fn the_program_lists_a_conversation() {
    let (_directory, file) = demo();
    let shown = json(&on(&file, &["show", "2", "--json"]));
    assert!(shown[0]["mail"]["conversation"].is_array(), "{shown:?}");
    let of = json(&on(&file, &["log", "--json", "--conversation", "2"]));
    let ids: Vec<_> = of
        .iter()
        .filter_map(|line| line["mail"]["message"].as_str())
        .collect();
    assert!(
        ids.contains(&shown[0]["mail"]["message"].as_str().unwrap()),
        "{ids:?}"
    );
    let wrong = on(&file, &["log", "--conversation", "999999"]);
    assert_eq!(code(&wrong), 1);
    let mixed = on(&file, &["log", "--not-logged", "--evaluation", "3"]);
    assert_eq!(code(&mixed), 2);
    assert_eq!(code(&on(&file, &["log", "--evaluation", "6"])), 2);
}
