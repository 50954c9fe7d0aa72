//! Who comes in, and which forms are taken.

use crate::erp::{Erp, PASSWORD};
use crate::visitor::Visitor;

/// Every route of the program with its methods, as its source names them.
fn routes() -> Vec<(String, bool, bool)> {
    let source = include_str!("../../examples/erp_host/web.rs");
    let all = source.split(".route(").skip(1).filter_map(|rest| {
        let (path, rest) = rest.trim_start().strip_prefix('"')?.split_once('"')?;
        let handlers = rest.split(".route(").next()?;
        let path = path
            .replace("{no}", "C0101")
            .replace("{id}", "00000000-0000-8000-8000-000000000000")
            .replace("{index}", "0")
            .replace("{format}", "csv");
        Some((path, handlers.contains("get("), handlers.contains("post(")))
    });
    let all: Vec<_> = all.collect();
    assert!(all.len() >= 45, "{} routes are read", all.len());
    all
}

#[test]
fn every_form_needs_the_token_of_its_browser() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut visitor = Visitor::signed_in(&erp, "ADMIN");
    let mut stranger = Visitor::of(&erp);
    let foreign = stranger.token("/sign-in");
    let mut forms = 0;
    for (path, _, post) in routes() {
        if !post {
            continue;
        }
        forms += 1;
        for token in ["wrong", "", &foreign] {
            let refused = visitor.post(&path, &[("token", token)]);
            assert_eq!(refused.status, 403, "{path} with {token:?}");
            assert!(refused.body.contains("<h1>"), "{path}");
        }
        assert_eq!(
            visitor.post(&path, &[]).status,
            403,
            "{path} without a token"
        );
    }
    assert!(forms >= 28, "{forms} forms");
    assert_eq!(
        visitor.get("/settings").status,
        200,
        "nobody was signed out"
    );
}

#[test]
fn without_a_sign_in_there_is_no_page() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut pages = 0;
    for (path, get, _) in routes() {
        if !get || ["/sign-in", "/style.css", "/favicon.ico"].contains(&path.as_str()) {
            continue;
        }
        pages += 1;
        let mut stranger = Visitor::of(&erp);
        let answer = stranger.get(&path);
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some("/sign-in")),
            "{path}"
        );
    }
    assert!(pages >= 20, "{pages} pages");
}

#[test]
fn a_salesperson_does_not_reach_what_is_the_administrations() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut ada = Visitor::signed_in(&erp, "AH");
    let token = ada.token("/contacts");
    for path in ["/settings", "/assistant", "/privacy"] {
        let page = ada.get(path);
        assert_eq!(page.status, 403, "{path}");
        assert!(page.body.contains("not yours to do"), "{}", page.body);
    }
    for path in [
        "/settings/clear",
        "/settings/disable",
        "/privacy/erase",
        "/health/run",
    ] {
        assert_eq!(ada.post(path, &[("token", &token)]).status, 403, "{path}");
    }
    let list = [("token", token.as_str()), ("rule", "a@b.example")];
    assert_eq!(
        ada.post("/never-log", &list).status,
        403,
        "the company's list"
    );
    let own = [list[0], list[1], ("salesperson", "AH")];
    assert_eq!(ada.post("/never-log", &own).status, 303, "her own list");
    assert!(!ada.get("/").body.contains("href=\"/settings\""));
}

#[test]
fn the_way_back_is_a_page_of_this_program() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    for (back, there) in [
        ("/contacts?q=a", "/contacts?q=a"),
        ("", "/"),
        ("contacts", "/"),
        ("//evil.example", "/"),
        (r"/\evil.example", "/"),
        (r"\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        (" //evil.example", "/"),
        ("https://evil.example/", "/"),
        ("/ä", "/"),
    ] {
        let fields = [("language", "de"), ("back", back)];
        let answer = visitor.send("/", "/language", &fields);
        assert_eq!(
            (answer.status, answer.header("location")),
            (303, Some(there)),
            "{back:?}"
        );
    }
    assert!(visitor.get("/contacts").body.contains("<html lang=\"de\">"));
}

#[test]
fn a_crowd_of_strangers_signs_nobody_out() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut visitor = Visitor::signed_in(&erp, "AH");
    Visitor::of(&erp).crowd("/sign-in", 51, 200);
    assert_eq!(visitor.get("/contacts").status, 200);
}

#[test]
fn a_session_ends_by_itself() {
    let erp = Erp::start(
        &["--session-minutes".as_ref(), "0".as_ref()],
        Some(PASSWORD),
    );
    let mut visitor = Visitor::signed_in(&erp, "AH");
    assert_eq!(
        visitor.get("/contacts").header("location"),
        Some("/sign-in")
    );
}

#[test]
fn guesses_run_out_for_all_together_and_then_not_even_the_right_one_is_looked_at() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let refused = (0..200).any(|_| {
        let mut visitor = Visitor::of(&erp);
        visitor.sign_in("AH", "a wrong password").status == 429
    });
    assert!(refused, "200 guesses were looked at");
    let mut last = 0;
    for _ in 0..5 {
        // A guess that is allowed again in the meantime is used up.
        Visitor::of(&erp).sign_in("AH", "a wrong password");
        last = Visitor::of(&erp).sign_in("AH", PASSWORD).status;
        if last == 429 {
            break;
        }
    }
    assert_eq!(last, 429);
}

#[test]
fn who_has_a_password_of_their_own_is_not_let_in_by_everybodys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    std::fs::write(&file, "AH: adas own password\nADMIN: the admins password\n").unwrap();
    let more = ["--password-file".as_ref(), file.as_os_str()];
    let erp = Erp::start(&more, Some(PASSWORD));
    let sign_in = |code: &str, password: &str| Visitor::of(&erp).sign_in(code, password).status;
    assert_eq!(sign_in("AH", PASSWORD), 200, "the page again");
    assert_eq!(sign_in("ADMIN", PASSWORD), 200);
    assert_eq!(sign_in("AH", "adas own password"), 303);
    assert_eq!(sign_in("ADMIN", "the admins password"), 303);
    assert_eq!(sign_in("BK", PASSWORD), 303);
    assert_eq!(sign_in("BK", "adas own password"), 200);
    assert_eq!(sign_in("NOBODY", PASSWORD), 200);
}

#[test]
fn what_an_action_did_is_told_by_the_next_page_and_not_lost_to_a_file() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    let rule = [("rule", "noise@elsewhere.example")];
    assert_eq!(visitor.send("/never-log", "/never-log", &rule).status, 303);
    assert_eq!(visitor.get("/export/csv").status, 200);
    assert_eq!(visitor.get("/style.css").status, 200);
    assert!(visitor.get("/never-log").body.contains("role=\"status\""));
    assert!(!visitor.get("/never-log").body.contains("role=\"status\""));
}
