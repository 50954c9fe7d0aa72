//! The ERP of the examples over plain HTTP: what it refuses, what its answers say to a browser, the review queue, the live
//! validation and the export. What a person sees is tested in `tests/browser.rs`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "browser/erp.rs"]
mod erp;
#[path = "erp_host/guard.rs"]
mod guard;
#[path = "erp_host/office.rs"]
mod office;
#[path = "erp_host/privacy.rs"]
mod privacy;
#[path = "erp_host/reading.rs"]
mod reading;
#[path = "erp_host/sales.rs"]
mod sales;
#[path = "erp_host/senders.rs"]
mod senders;
#[path = "erp_host/setting_up.rs"]
mod setting_up;
#[path = "erp_host/together.rs"]
mod together;
#[path = "erp_host/visitor.rs"]
mod visitor;

use std::process::{Command, Stdio};

use erp::{Erp, PASSWORD, program};
use visitor::Visitor;

/// What the program says when it refuses to start.
fn refusal(arguments: &[&str], password: Option<&str>) -> String {
    let mut command = Command::new(program());
    command.args(arguments).env_remove("ERP_PASSWORD");
    if let Some(password) = password {
        command.env("ERP_PASSWORD", password);
    }
    let ended = command.stdin(Stdio::null()).output().unwrap();
    assert!(!ended.status.success(), "{arguments:?} was not refused");
    String::from_utf8(ended.stderr).unwrap()
}

#[test]
fn a_public_address_needs_a_password() {
    for (arguments, password) in [
        (&["--listen", "0.0.0.0:0"][..], None),
        (&["--listen", "0.0.0.0:0"], Some("short")),
        (&["--listen", "[::]:0"], None),
        (&["--base-url", "https://erp.corp.example"], None),
    ] {
        let said = refusal(arguments, password);
        assert!(said.contains("ERP_PASSWORD"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_base_url_is_an_https_address_without_a_path() {
    for url in ["http://erp.corp.example", "https://erp.corp.example/a/b"] {
        let said = refusal(&["--base-url", url], Some(PASSWORD));
        assert!(said.contains("--base-url"), "{url}: {said}");
    }
}

#[test]
fn whose_word_counts_is_a_name_without_blanks() {
    for arguments in [
        ["--boundary", ""],
        ["--boundary", "mx one"],
        ["--internal-source", "."],
        ["--internal-source", "EX01.corp.example"],
    ] {
        let said = refusal(&arguments, None);
        assert!(said.contains(arguments[0]), "{arguments:?}: {said}");
    }
}

#[test]
fn behind_a_tls_proxy_cookies_are_secure_and_only_its_host_is_known() {
    let base = ["--base-url", "https://erp.corp.example"].map(AsRef::as_ref);
    let erp = Erp::start(&base, Some(PASSWORD));
    let mut visitor = Visitor::named(&erp.listen(), "erp.corp.example");
    let page = visitor.get("/sign-in");
    let cookie = page.header("set-cookie").unwrap();
    for wanted in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(wanted), "{cookie}");
    }
    let mut stranger = Visitor::named(&erp.listen(), "evil.example");
    assert_eq!(stranger.get("/").status, 421);
}

#[test]
fn every_page_tells_the_browser_what_it_must_not_do() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    for path in ["/", "/contacts", "/settings", "/nowhere", "/style.css"] {
        let page = visitor.get(path);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
        assert!(!policy.contains("script-src"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'self'"),
            "{path}: {policy}"
        );
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(page.header("cache-control"), Some("no-store"));
        assert!(!page.body.contains("<script"), "{path}");
    }
}

#[test]
fn a_form_from_elsewhere_is_refused_with_a_page() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    let token = visitor.token("/settings");
    let wrong = visitor.post("/settings/clear", &[("token", "wrong")]);
    assert_eq!(wrong.status, 403);
    assert!(wrong.body.contains("<h1>"), "{}", wrong.body);
    visitor.origin = Some("https://evil.example".into());
    let foreign = visitor.post("/settings/clear", &[("token", &token)]);
    assert_eq!(foreign.status, 403);
    visitor.origin = None;
    assert_eq!(
        visitor.post("/settings/clear", &[("token", &token)]).status,
        303
    );
}

#[test]
fn failures_are_pages_in_the_language_of_the_browser() {
    let erp = Erp::start(&[], None);
    for (language, words) in [
        ("en", "There is no such page."),
        ("fr", "Cette page n&#39;existe pas."),
        ("de", "Diese Seite gibt es nicht."),
    ] {
        let mut visitor = Visitor::of(&erp);
        visitor.language = language;
        let page = visitor.get("/contacts/nobody");
        assert_eq!(page.status, 404);
        assert!(page.body.contains(words), "{language}: {}", page.body);
        assert_eq!(visitor.get("/mails?after=x").status, 404);
        let token = visitor.token("/settings");
        let fields = [
            ("token", token.as_str()),
            ("address", "a@b.example"),
            ("name", "A"),
        ];
        // Without a consent no mail system answers.
        let broken = visitor.post("/review/contact", &fields);
        assert_eq!(broken.status, 500);
        assert!(broken.body.contains("<h1>"), "{language}: {}", broken.body);
    }
}

#[test]
fn what_the_library_refuses_is_said_in_the_language_of_the_browser() {
    let erp = Erp::start(&[], None);
    for (language, words, remedy) in [
        ("en", "no address, domain or pattern", "Type an address"),
        (
            "fr",
            "ni une adresse, ni un domaine",
            "Saisissez une adresse",
        ),
        (
            "de",
            "weder eine Adresse noch eine Domain",
            "Geben Sie eine Adresse",
        ),
    ] {
        let mut visitor = Visitor::of(&erp);
        visitor.language = language;
        let refused = visitor.send("/never-log", "/never-log", &[("rule", "*")]);
        for part in [words, remedy, "<small>never_log.rule</small>"] {
            assert!(refused.body.contains(part), "{language}: {}", refused.body);
        }
    }
}

#[test]
fn a_set_up_is_fixed_while_logging_is_on_and_keeps_what_was_typed_when_it_is_refused() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    let page = visitor.get("/settings").body;
    assert!(!page.contains("<fieldset disabled>"), "{page}");
    let fields = [
        ("version", "1"),
        ("queue-folder", r"\Email Logging\Other\"),
        ("storage-folder", r"\Email Logging\Other\"),
    ];
    let refused = visitor.send("/settings", "/settings", &fields).body;
    assert!(refused.contains("setup.queue_equals_storage"), "{refused}");
    assert_eq!(refused.matches(r"\Email Logging\Other\").count(), 2);
    let mut visitor = logging(&erp);
    let page = visitor.get("/settings").body;
    assert!(page.contains("<fieldset disabled>"), "{page}");
    assert!(!page.contains("id=\"assistant\""), "{page}");
    assert!(visitor.get("/assistant").body.contains("Switch it off"));
}

#[test]
fn a_sign_in_gives_the_browser_another_session() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut visitor = Visitor::of(&erp);
    assert_eq!(
        visitor.get("/contacts").header("location"),
        Some("/sign-in")
    );
    visitor.get("/sign-in");
    let planted = visitor.cookies.clone();
    assert_eq!(visitor.sign_in("AH", PASSWORD).status, 303);
    assert_ne!(visitor.cookies, planted);
    assert_eq!(visitor.get("/contacts").status, 200);
    let mut other = Visitor::of(&erp);
    other.cookies = planted;
    assert_eq!(
        other.get("/contacts").status,
        303,
        "the planted one is worth nothing"
    );
    assert_eq!(visitor.send("/contacts", "/sign-out", &[]).status, 303);
    assert_eq!(
        visitor.get("/contacts").header("location"),
        Some("/sign-in")
    );
}

/// Switches logging on: consent, then the switch; and waits until the queue is read.
fn logging(erp: &Erp) -> Visitor {
    let mut visitor = Visitor::of(erp);
    office::enable(erp, &mut visitor, 1);
    office::wait(&mut visitor, "/mails", |body| {
        body.contains("Devis et schéma")
    });
    visitor
}

#[test]
fn checks_of_a_validation_are_sent_one_after_the_other() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    let token = visitor.token("/settings");
    let page = visitor.post("/settings/validate", &[("token", &token)]);
    assert_eq!(page.header("transfer-encoding"), Some("chunked"));
    assert!(page.chunks > 20, "{} chunks", page.chunks);
    assert!(
        page.body.contains("Exchange service found"),
        "{}",
        page.body
    );
    assert!(page.body.trim_end().ends_with("</html>"));
}

#[test]
fn a_mail_of_the_review_queue_is_logged_for_the_contact_that_a_person_chose() {
    let erp = Erp::start(&[], None);
    let mut visitor = logging(&erp);
    let queue = visitor.get("/review");
    let at = queue
        .body
        .find(">Price list 2026<")
        .expect("the mail waits");
    let before = &queue.body[..at];
    let start = before.rfind("/review/item?").unwrap();
    let link = before[start..].split('"').next().unwrap();
    let link = link.replace("&#38;", "&").replace("&amp;", "&");
    let item = visitor.get(&link);
    let (mailbox, key) = (item.value("mailbox"), item.value("key"));
    let version = item.value("version");
    let token = item.value("token");
    let fields = [
        ("token", token.as_str()),
        ("mailbox", &mailbox),
        ("key", &key),
        ("version", &version),
        ("contact", "C0101"),
        ("salesperson", "AH"),
        ("direction", "out"),
    ];
    assert_eq!(visitor.post("/review/assign", &fields).status, 303);
    let queue = visitor.get("/review");
    assert!(queue.body.contains("role=\"status\""), "{}", queue.body);
    for _ in 0..100 {
        let history = visitor.get("/contacts/C0101/entries?q=price");
        if history.body.contains("Price list 2026") {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the mail is not in the history");
}

#[test]
fn the_log_is_handed_out_as_lines_table_and_originals() {
    let erp = Erp::start(&[], None);
    let mut visitor = logging(&erp);
    for (path, kind, name, begin) in [
        (
            "/export/csv?contact=C0101",
            "text/csv",
            "interaction-log.csv",
            "\"",
        ),
        (
            "/export/jsonl?direction=in",
            "application/jsonl",
            "interaction-log.jsonl",
            "{",
        ),
        (
            "/export/zip?q=devis",
            "application/zip",
            "originals.zip",
            "PK",
        ),
    ] {
        let file = visitor.get(path);
        assert_eq!(file.status, 200, "{path}");
        assert!(
            file.header("content-type").unwrap().starts_with(kind),
            "{path}"
        );
        let disposition = format!("attachment; filename=\"{name}\"");
        assert_eq!(
            file.header("content-disposition"),
            Some(disposition.as_str())
        );
        assert!(file.body.contains(begin), "{path}");
    }
    assert_eq!(visitor.get("/export/exe").status, 404);
}
