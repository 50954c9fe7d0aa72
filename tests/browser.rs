//! The ERP of the examples in a real browser: the whole story by keyboard, every page in three languages at two widths,
//! accessibility, and the vectors of cross-site scripting. `tests/browser/drive.mjs` drives; its report is asserted here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "browser/erp.rs"]
mod erp;
#[path = "browser/hostile.rs"]
mod hostile;
#[allow(dead_code, reason = "another test reads the rest")]
#[path = "support/xss.rs"]
mod xss;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use erp::{Erp, PASSWORD};
use serde_json::{Value, json};

/// What a browser needs, or why there is none.
struct Browser {
    modules: PathBuf,
    chromium: PathBuf,
    node: PathBuf,
}

impl Browser {
    fn find() -> Result<Self, String> {
        let modules = std::env::var_os("EMAIL_LOGGING_BROWSER").map(PathBuf::from);
        let modules = modules.ok_or("EMAIL_LOGGING_BROWSER names no folder with node_modules")?;
        if !modules.join("node_modules/playwright-core").is_dir() {
            return Err(format!("{} has no playwright-core", modules.display()));
        }
        let given = std::env::var_os("CHROMIUM").map(PathBuf::from);
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let chromium = given.or_else(|| names.into_iter().find_map(on_path));
        Ok(Self {
            modules,
            chromium: chromium.ok_or("no chromium on the PATH, and CHROMIUM is not set")?,
            node: on_path("node").ok_or("no node on the PATH")?,
        })
    }
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut all = std::env::split_paths(&path).map(|folder| folder.join(name));
    all.find(|file| file.is_file())
}

/// Says past the capture that the test is skipped; fails where a browser is required.
fn skipped(why: &str) {
    let required = std::env::var_os("EMAIL_LOGGING_REQUIRE_BROWSER").is_some();
    assert!(!required, "this must not be skipped here: {why}");
    // Nobody is left to be told where standard error cannot be written.
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn manifest(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Drives the browser and answers its report.
fn drive(browser: &Browser, plan: &Value, folder: &Path) -> Value {
    let file = folder.join("plan.json");
    std::fs::write(&file, plan.to_string()).unwrap();
    let driven = Command::new(&browser.node)
        .arg(manifest("tests/browser/drive.mjs"))
        .arg(&file)
        .stdin(Stdio::null())
        .status()
        .unwrap();
    assert!(driven.success(), "the driver ended with {driven}");
    let report = std::fs::read(folder.join("report.json")).unwrap();
    serde_json::from_slice(&report).unwrap()
}

#[test]
fn the_erp_in_a_browser() {
    let browser = match Browser::find() {
        Ok(browser) => browser,
        Err(why) => return skipped(&why),
    };
    let folder = tempfile::tempdir().unwrap();
    let (none, hostile) = (folder.path().join("none"), folder.path().join("hostile"));
    std::fs::create_dir(&none).unwrap();
    let vectors = hostile::write(&hostile);
    assert!(vectors.all >= 500, "{} vectors", vectors.all);
    let full = Erp::start(&[], None);
    let empty = Erp::start(&["--mails".as_ref(), none.as_os_str()], Some(PASSWORD));
    let (french, german) = (Erp::start(&[], None), Erp::start(&[], None));
    let attacked = Erp::start(&["--mails".as_ref(), hostile.as_os_str()], None);
    let plan = json!({
        "modules": browser.modules,
        "chromium": browser.chromium,
        "shots": manifest("target/screenshots"),
        "report": folder.path().join("report.json"),
        "secret": "simulated-secret",
        "password": PASSWORD,
        "full": full.base,
        "empty": empty.base,
        "hostile": attacked.base,
        "fr": french.base,
        "de": german.base,
        "html": "katalog",
        "mails": vectors.logged,
        "texts": vectors.texts,
    });
    let report = drive(&browser, &plan, folder.path());
    let counted = [&report["screenshots"], &report["seconds"]];
    // What it took, for whoever reads the log.
    let _ = writeln!(std::io::stdout(), "browser: {counted:?}");
    let problems = report["problems"].as_array().unwrap();
    let lines: Vec<_> = problems.iter().filter_map(Value::as_str).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
    assert_eq!(report["control"], true, "the hooks see a vector that runs");
    assert!(report["screenshots"].as_u64().unwrap() >= 550);
    assert!(report["accessibility"].as_u64().unwrap() >= 550);
    assert!(report["story"]["presses"].as_u64().unwrap() > 100);
    let swept = &report["vectors"];
    assert_eq!(
        swept["entries"], vectors.logged,
        "every hostile mail has its page"
    );
    assert_eq!(
        swept["items"], vectors.strange,
        "every hostile stranger has a page"
    );
    assert_eq!((&swept["ran"], &swept["foreign"]), (&json!(0), &json!(0)));
}
