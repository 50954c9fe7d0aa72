//! What is private, hidden, removed and erased, on every route that shows mail.

use std::io::Read as _;

use crate::office::{ADA, BENOIT, MARGAUX, entry, found, mail, office, wait};
use crate::visitor::{Answer, Visitor};

const WORD: &str = "Zirbelkiefer";

fn two_mails() -> Vec<(&'static str, String)> {
    let secret = format!("{WORD} terms");
    vec![
        (
            "ada",
            mail(MARGAUX, ADA, &secret, "For your eyes only: Mondfisch."),
        ),
        (
            "benoit",
            mail(MARGAUX, BENOIT, "Catalogue", "Please send the catalogue."),
        ),
    ]
}

/// Whether a .zip has a file with these words in it.
fn zip_has(answer: &Answer, words: &str) -> bool {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&answer.bytes)).unwrap();
    (0..archive.len()).any(|index| {
        let mut text = Vec::new();
        archive
            .by_index(index)
            .unwrap()
            .read_to_end(&mut text)
            .unwrap();
        String::from_utf8_lossy(&text).contains(words)
    })
}

/// Pages of many mails, on which a hidden one must not stand.
const LISTS: [&str; 7] = [
    "/",
    "/mails",
    "/contacts/C0101",
    "/contacts/C0101/entries",
    "/export/csv",
    "/export/jsonl",
    "/why?q=margaux",
];

#[test]
fn a_private_mail_is_nowhere_for_another_salesperson() {
    let (erp, _) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    let id = entry(&mut ada, WORD);
    let page = format!("/entries/{id}");
    assert_eq!(benoit.get(&page).status, 200, "not private yet");
    let made = ada.send(&page, &format!("{page}/opportunity"), &[]);
    let opportunity = made.header("location").unwrap().to_owned();
    for path in LISTS {
        assert!(
            benoit.get(path).body.contains(WORD),
            "{path} shows it before"
        );
    }
    assert!(zip_has(&benoit.get("/export/zip"), "Mondfisch"));
    let marked = ada.send(
        &page,
        &format!("{page}/private"),
        &[("on", "true"), ("reason", "hr")],
    );
    assert_eq!(marked.status, 303, "{}", marked.body);

    for path in [
        "",
        "/original",
        "/original?as=text",
        "/original.eml",
        "/attachments/0",
        "/remove",
    ] {
        assert_eq!(benoit.get(&format!("{page}{path}")).status, 404, "{path}");
    }
    for form in [
        "cancel",
        "comment",
        "evaluation",
        "private",
        "remove",
        "opportunity",
    ] {
        let fields = [("text", "x"), ("on", "false"), ("evaluation", "1")];
        let refused = benoit.send("/contacts", &format!("{page}/{form}"), &fields);
        assert_eq!(refused.status, 404, "{form}");
    }
    for path in LISTS {
        assert!(!benoit.get(path).body.contains(WORD), "{path}");
    }
    assert!(!zip_has(&benoit.get("/export/zip"), "Mondfisch"));
    for word in [WORD, "Mondfisch"] {
        for path in ["/mails?q=", "/why?q=", "/contacts/C0101/entries?q="] {
            let body = benoit.get(&format!("{path}{word}")).body;
            assert!(!body.contains(&format!("{id}\"")), "{path}{word}");
        }
    }
    for path in [opportunity.as_str(), "/opportunities", "/contacts/C0100"] {
        assert!(!benoit.get(path).body.contains(WORD), "{path}");
        assert!(ada.get(path).body.contains(WORD), "{path} for her own");
    }
    assert_eq!(ada.get(&page).status, 200);
    assert!(ada.get("/mails").body.contains(">Private<"));

    let shared = ada.send(&page, &format!("{page}/private"), &[("on", "false")]);
    assert_eq!(shared.status, 303);
    assert_eq!(benoit.get(&page).status, 200, "shared again");
}

#[test]
fn a_private_mail_is_in_no_sum_of_another_salesperson() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    assert_eq!(found(&benoit.get("/mails").body), 2, "not private yet");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    ada.send(&page, &format!("{page}/private"), &[("on", "true")]);
    for (visitor, all, received, with_word) in [
        (&mut benoit, 1, "1 / 0", 0),
        (&mut ada, 2, "2 / 0", 1),
        (&mut administration, 2, "2 / 0", 0),
    ] {
        assert_eq!(found(&visitor.get("/mails").body), all);
        let wanted = format!("/mails?q={WORD}");
        assert_eq!(found(&visitor.get(&wanted).body), with_word);
        let card = visitor.get("/contacts/C0101").body;
        assert!(card.contains(&format!("<dd>{received}</dd>")), "{card}");
    }
}

#[test]
fn the_administration_knows_of_a_private_mail_and_not_what_it_says() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    ada.send(&page, &format!("{page}/private"), &[("on", "true")]);
    let shown = administration.get(&page);
    assert_eq!(shown.status, 200);
    assert!(
        shown.body.contains("id=\"only-metadata\""),
        "{}",
        shown.body
    );
    assert!(!shown.body.contains(WORD), "{}", shown.body);
    assert_eq!(administration.get(&format!("{page}/original")).status, 404);
    assert_eq!(
        administration.get(&format!("{page}/original.eml")).status,
        404
    );
}

#[test]
fn nobody_marks_or_removes_the_mail_of_others() {
    let (erp, _) = office(&two_mails(), 2, &[]);
    let mut benoit = Visitor::signed_in(&erp, "BK");
    let page = format!("/entries/{}", entry(&mut benoit, WORD));
    assert!(!benoit.get(&page).body.contains("id=\"remove\""));
    assert_eq!(benoit.get(&format!("{page}/remove")).status, 403);
    for form in ["private", "remove", "hold"] {
        let refused = benoit.send("/contacts", &format!("{page}/{form}"), &[("on", "true")]);
        assert_eq!(refused.status, 403, "{form}");
    }
    let mut ada = Visitor::signed_in(&erp, "AH");
    let refused = ada.send("/contacts", &format!("{page}/hold"), &[("on", "true")]);
    assert_eq!(refused.status, 403, "to hold is the administration's");
}

#[test]
fn colleagues_see_as_much_as_the_company_says() {
    let (erp, _) = office(&two_mails(), 2, &["--colleagues", "metadata"]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    let shown = benoit.get(&page);
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("id=\"only-metadata\"") && !shown.body.contains(WORD));
    assert_eq!(benoit.get(&format!("{page}/original")).status, 404);
    assert!(!benoit.get("/mails").body.contains(WORD));
    assert!(benoit.get("/mails").body.contains("Catalogue"), "his own");
}

#[test]
fn a_removed_mail_is_gone_after_a_question() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    assert_eq!(ada.get(&format!("{page}/original")).status, 200);
    let asked = ada.get(&format!("{page}/remove"));
    assert!(asked.body.contains("id=\"remove-yes\""), "{}", asked.body);
    assert_eq!(ada.get(&page).status, 200, "asked is not removed");
    let gone = ada.send(&page, &format!("{page}/remove"), &[]);
    assert_eq!(gone.header("location"), Some("/contacts/C0101"));
    for visitor in [&mut ada, &mut administration] {
        assert_eq!(visitor.get(&page).status, 404);
        assert_eq!(visitor.get(&format!("{page}/original")).status, 404);
        assert_eq!(found(&visitor.get("/mails").body), 1);
    }
}

#[test]
fn what_a_person_says_carries_the_name() {
    let (erp, _) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    ada.send(&page, &format!("{page}/comment"), &[("text", "Call back.")]);
    assert!(ada.get(&page).body.contains("Ada Holm (AH) · "));
}

#[test]
fn retention_says_first_what_goes() {
    let (_erp, mut administration) = office(&two_mails(), 2, &[]);
    let age = [("months", "1")];
    let page = format!("/entries/{}", entry(&mut administration, WORD));
    administration.send(&page, &format!("{page}/hold"), &[("on", "true")]);
    let preview = administration.send("/privacy", "/privacy/retention", &age);
    assert!(
        preview.body.contains("Nothing is removed yet"),
        "{}",
        preview.body
    );
    assert!(
        preview.body.contains("<dt>Mail</dt><dd>0</dd>"),
        "received just now"
    );
    assert_eq!(found(&administration.get("/mails").body), 2);
    let none = administration.send("/privacy", "/privacy/retention", &[("months", "0")]);
    assert_eq!(none.status, 400);
}

#[test]
fn cancelled_entries_are_deleted_after_a_preview() {
    let (_erp, mut administration) = office(&two_mails(), 2, &[]);
    let page = format!("/entries/{}", entry(&mut administration, WORD));
    administration.send(&page, &format!("{page}/cancel"), &[("canceled", "true")]);
    let preview = administration.send("/privacy", "/privacy/canceled", &[]);
    assert!(
        preview.body.contains("<dt>Originals</dt><dd>1</dd>"),
        "{}",
        preview.body
    );
    assert_eq!(administration.get(&page).status, 200);
    let run = [("act", "run")];
    let gone = administration.send("/privacy", "/privacy/canceled", &run);
    assert!(gone.body.contains("This is gone."), "{}", gone.body);
    assert_eq!(administration.get(&page).status, 404);
    assert_eq!(found(&administration.get("/mails").body), 1);
}

#[test]
fn a_person_is_erased_after_a_preview_and_never_logged_again() {
    let (_erp, mut administration) = office(&two_mails(), 2, &[]);
    let who = [
        ("contact", "C0101"),
        ("never_again", "on"),
        ("card_too", "on"),
    ];
    let preview = administration.send("/privacy", "/privacy/erase", &who);
    assert!(
        preview.body.contains("<dt>Mail</dt><dd>2</dd>"),
        "{}",
        preview.body
    );
    assert_eq!(found(&administration.get("/mails").body), 2);
    let file = administration.get("/privacy/export?contact=C0101&address=");
    assert_eq!(
        file.body.lines().count(),
        3,
        "two mails, and the rest: {}",
        file.body
    );
    assert!(file.body.contains(WORD) && file.body.contains("margaux.delorme@"));
    let mut run = who.to_vec();
    run.push(("act", "run"));
    let gone = administration.send("/privacy", "/privacy/erase", &run);
    assert!(gone.body.contains("This is gone."), "{}", gone.body);
    assert_eq!(found(&administration.get("/mails").body), 0);
    assert_eq!(administration.get("/contacts/C0101").status, 404);
    let nobody = administration.send("/privacy", "/privacy/erase", &[]);
    assert!(nobody.body.contains("role=\"alert\""), "{}", nobody.body);
}

/// Whether a word stands in a file of the ERP.
fn stands_in(folder: &std::path::Path, word: &str) -> bool {
    let files = std::fs::read_dir(folder).unwrap();
    files.map(|file| file.unwrap().path()).any(|file| {
        let bytes = std::fs::read(file).unwrap();
        bytes.windows(word.len()).any(|at| at == word.as_bytes())
    })
}

#[test]
fn the_card_of_an_erased_person_leaves_no_byte_in_the_files() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let card = "/contacts/C0101/edit";
    let named = [("name", "Quintessa Unikat"), ("email", "q@unikat.example")];
    assert_eq!(administration.send(card, card, &named).status, 303);
    let edited = [("name", "Quintessa Unikat"), ("email", "")];
    assert_eq!(administration.send(card, card, &edited).status, 303);
    assert!(stands_in(erp.folder(), "Quintessa Unikat"), "it was there");
    let run = [("contact", "C0101"), ("card_too", "on"), ("act", "run")];
    let gone = administration.send("/privacy", "/privacy/erase", &run);
    assert!(gone.body.contains("This is gone."), "{}", gone.body);
    for word in ["Quintessa Unikat", "q@unikat.example"] {
        assert!(!stands_in(erp.folder(), word), "{word}");
    }
}

#[test]
fn an_open_opportunity_forbids_to_erase_unless_it_is_said() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    ada.send(&page, &format!("{page}/opportunity"), &[]);
    let run = [("contact", "C0101"), ("act", "run")];
    let refused = administration.send("/privacy", "/privacy/erase", &run);
    assert!(
        refused.body.contains("privacy.open_opportunity"),
        "{}",
        refused.body
    );
    assert_eq!(found(&administration.get("/mails").body), 2);
    let run = [run[0], run[1], ("open_too", "on")];
    administration.send("/privacy", "/privacy/erase", &run);
    assert_eq!(found(&administration.get("/mails").body), 0);
}

#[test]
fn mail_that_was_not_logged_is_shown_to_whom_it_names() {
    let stranger = "Stranger <stranger@elsewhere.example>";
    let mut mails = two_mails();
    mails.push(("strange", mail(stranger, ADA, "Sonnentau offer", "Hello.")));
    let (erp, mut administration) = office(&mails, 2, &[]);
    wait(&mut administration, "/review", |body| {
        body.contains("Sonnentau")
    });
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    for path in ["/review", "/why?q=sonnentau", "/why?q=ada.holm", "/why"] {
        assert!(ada.get(path).body.contains("Sonnentau"), "{path}");
        assert!(!benoit.get(path).body.contains("Sonnentau offer"), "{path}");
    }
    let queue = ada.get("/review");
    let link = queue.between("class=\"subject\" href=\"", "\"");
    let link = link.replace("&#38;", "&").replace("&amp;", "&");
    assert_eq!(benoit.get(&link).status, 404);
    let item = ada.get(&link);
    assert!(
        item.body.contains("<option value=\"AH\" selected>"),
        "{}",
        item.body
    );
    let (mailbox, key, version) = (
        item.value("mailbox"),
        item.value("key"),
        item.value("version"),
    );
    let fields = [
        ("mailbox", mailbox.as_str()),
        ("key", &key),
        ("version", &version),
    ];
    let refused = benoit.send("/review", "/review/ignore", &fields);
    assert_eq!(
        refused.status, 404,
        "who does not see it says nothing about it"
    );
    assert_eq!(ada.send(&link, "/review/ignore", &fields).status, 303);
    let said = ada.get(&link);
    assert!(said.body.contains("Ada Holm (AH)"), "{}", said.body);
    let version = said.value("version");
    let fields = [fields[0], fields[1], ("version", version.as_str())];
    assert_eq!(ada.send(&link, "/review/reopen", &fields).status, 303);
    assert!(ada.get("/review").body.contains("Sonnentau"));
    let contact = [
        ("address", "stranger@elsewhere.example"),
        ("name", "Strange One"),
    ];
    let made = ada.send(&link, "/review/contact", &contact);
    let card = made.header("location").unwrap().to_owned();
    wait(&mut ada, &card, |body| body.contains("Sonnentau"));
}
