//! What is private, hidden, removed and erased, on every route that shows mail.

use std::io::Read as _;

use crate::office::{ADA, BENOIT, MARGAUX, entry, found, mail, office, office_of, wait};
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
    // Nor does it help itself: only whose mail it is shares it again.
    assert!(!shown.body.contains("id=\"private\""), "{}", shown.body);
    let shared = administration.send(&page, &format!("{page}/private"), &[("on", "false")]);
    assert_eq!(shared.status, 403);
    assert!(shared.body.contains("not yours to do"), "{}", shared.body);
    for path in ["/original", "/original.eml"] {
        let hidden = administration.get(&format!("{page}{path}"));
        assert_eq!(hidden.status, 404, "{path}");
    }
    assert!(!administration.get(&page).body.contains(WORD));
    assert!(ada.get(&page).body.contains("id=\"private\""));
    // It may hide a mail that nobody hid.
    let other = format!("/entries/{}", entry(&mut administration, "Catalogue"));
    assert!(administration.get(&other).body.contains("id=\"private\""));
    let hide = [("on", "true"), ("reason", "hr")];
    let marked = administration.send(&other, &format!("{other}/private"), &hide);
    assert_eq!(marked.status, 303);
    assert_eq!(ada.get(&other).status, 404);
}

#[test]
fn what_is_on_hold_is_removed_by_nobody_before_it_is_released() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let page = format!("/entries/{}", entry(&mut ada, WORD));
    let (hold, remove) = (format!("{page}/hold"), format!("{page}/remove"));
    administration.send(&page, &hold, &[("on", "true")]);
    for visitor in [&mut ada, &mut administration] {
        let asked = visitor.get(&remove).body;
        assert!(asked.contains("id=\"held\""), "{asked}");
        assert!(!asked.contains("id=\"remove-yes\""), "{asked}");
        let refused = visitor.send(&page, &remove, &[]);
        assert_eq!(refused.status, 409);
        assert!(refused.body.contains("id=\"held\""), "{}", refused.body);
        assert_eq!(visitor.get(&page).status, 200, "it is there");
    }
    administration.send(&page, &hold, &[("on", "false")]);
    assert_eq!(ada.send(&page, &remove, &[]).status, 303);
    assert_eq!(ada.get(&page).status, 404);
}

#[test]
fn what_the_store_cannot_count_by_itself_is_counted_for_one_contact_alone() {
    let texts: Vec<_> = (0..30)
        .map(|n| {
            let subject = format!("Pumpe-{n:02}");
            (format!("{n:02}"), mail(MARGAUX, ADA, &subject, "Hello."))
        })
        .collect();
    let mails: Vec<_> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.clone()))
        .collect();
    let (erp, mut administration) = office(&mails, 30, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    let exactly = |body: &str| !body.contains("At least");
    let all = benoit.get("/mails").body;
    assert!(exactly(&all) && found(&all) == 30, "{all}");
    let page = format!("/entries/{}", entry(&mut ada, "Pumpe-07"));
    ada.send(&page, &format!("{page}/private"), &[("on", "true")]);
    for (visitor, seen) in [(&mut benoit, 29), (&mut administration, 30), (&mut ada, 30)] {
        let all = visitor.get("/mails").body;
        assert!(all.contains("At least 25 mails found"), "{all}");
        let of = visitor.get("/contacts/C0101/entries").body;
        assert!(exactly(&of), "{of}");
        assert_eq!(found(&of), seen);
    }
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
    let folder = tempfile::tempdir().unwrap();
    let long_ago = std::time::SystemTime::now() - std::time::Duration::from_hours(60 * 24);
    for name in ["Alteisen", "Aufbewahrt", "Angebot", "Neuware"] {
        let file = folder.path().join(format!("{name}.eml"));
        std::fs::write(&file, mail(MARGAUX, ADA, name, "Hello.")).unwrap();
        if name != "Neuware" {
            let file = std::fs::File::options().write(true).open(file).unwrap();
            file.set_modified(long_ago).unwrap();
        }
    }
    let (_erp, mut administration) = office_of(folder.path(), 4, &[]);
    let held = format!("/entries/{}", entry(&mut administration, "Aufbewahrt"));
    administration.send(&held, &format!("{held}/hold"), &[("on", "true")]);
    let deal = format!("/entries/{}", entry(&mut administration, "Angebot"));
    administration.send(&deal, &format!("{deal}/opportunity"), &[]);
    let old = format!("/entries/{}", entry(&mut administration, "Alteisen"));
    let told = [
        "<dt>Mail</dt><dd>1</dd>",
        "<dt>Originals</dt><dd>1</dd>",
        "<dt>Kept for an opportunity</dt><dd>1</dd>",
        "<dt>Kept on hold</dt><dd>1</dd>",
    ];
    let run = [("months", "1"), ("act", "run")];
    let preview = administration.send("/privacy", "/privacy/retention", &run[..1]);
    assert!(preview.body.contains("Nothing is removed yet"));
    for line in told {
        assert!(preview.body.contains(line), "{line}: {}", preview.body);
    }
    assert_eq!(found(&administration.get("/mails").body), 4);
    let gone = administration.send("/privacy", "/privacy/retention", &run);
    assert!(gone.body.contains("This is gone."));
    for line in told {
        assert!(gone.body.contains(line), "{line}: {}", gone.body);
    }
    assert_eq!(administration.get(&old).status, 404);
    let left = administration.get("/mails").body;
    assert_eq!(found(&left), 3);
    for word in ["Aufbewahrt", "Angebot", "Neuware"] {
        assert!(left.contains(word), "{word}: {left}");
    }
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
    administration.send(&page, &format!("{page}/hold"), &[("on", "true")]);
    let held = administration
        .send("/privacy", "/privacy/canceled", &[])
        .body;
    for line in [
        "<dt>Originals</dt><dd>0</dd>",
        "<dt>Kept on hold</dt><dd>1</dd>",
    ] {
        assert!(held.contains(line), "{line}: {held}");
    }
    administration.send(&page, &format!("{page}/hold"), &[("on", "false")]);
    assert_eq!(administration.get(&page).status, 200);
    let run = [("act", "run")];
    let gone = administration.send("/privacy", "/privacy/canceled", &run);
    assert!(gone.body.contains("This is gone."), "{}", gone.body);
    assert_eq!(administration.get(&page).status, 404);
    assert_eq!(found(&administration.get("/mails").body), 1);
}

#[test]
fn a_person_is_erased_after_a_preview_and_never_logged_again() {
    let (erp, mut administration) = office(&two_mails(), 2, &[]);
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
    // All that is kept, for the person: what a colleague's mark hides as well, which the page says.
    assert!(preview.body.contains("Private mail is in it as well."));
    let mut ada = Visitor::signed_in(&erp, "AH");
    let private = format!("/entries/{}", entry(&mut ada, WORD));
    ada.send(&private, &format!("{private}/private"), &[("on", "true")]);
    let link = administration.get("/privacy/export?contact=C0101");
    assert_eq!(link.status, 405, "a person stands in no link");
    let nobody = administration.send("/privacy", "/privacy/export", &[]);
    assert_eq!(nobody.status, 400);
    let refused = ada.send("/contacts", "/privacy/export", &who[..1]);
    assert_eq!(refused.status, 403);
    let file = administration.send("/privacy", "/privacy/export", &who[..1]);
    assert_eq!(file.header("content-type"), Some("application/zip"));
    let lines = file.file("mails.jsonl");
    assert_eq!(lines.lines().count(), 2, "{lines}");
    assert!(lines.contains(WORD) && lines.contains("margaux.delorme@"));
    let originals = file.files().into_iter();
    let originals = originals.filter(|name| name.contains(".eml"));
    assert_eq!(originals.count(), 2);
    assert!(zip_has(&file, "Mondfisch"), "bit for bit");
    assert!(file.file("records.json").starts_with('['));
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
