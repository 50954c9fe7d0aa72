//! Contacts that are one person, and several mails of the review queue at once.

use crate::office::{ADA, MARGAUX, entry, found, mail, office, office_of, wait};
use crate::visitor::Visitor;

const OTHER: &str = "Hugo Lantier <hugo@private.example>";

/// Contact C0101 has one mail; a stranger wrote three, one of them to nobody of the company.
fn mails() -> Vec<(&'static str, String)> {
    vec![
        ("pump", mail(MARGAUX, ADA, "Kolbenpumpe", "We want one.")),
        ("a", mail(OTHER, ADA, "Membranpumpe", "Hello.")),
        ("b", mail(OTHER, ADA, "Kreiselpumpe", "Hello.")),
        (
            "c",
            mail(OTHER, "x@elsewhere.example", "Handpumpe", "Hello."),
        ),
    ]
}

#[test]
fn two_contacts_are_merged_with_their_mail_and_open_opportunities() {
    let (_erp, mut visitor) = office(&mails(), 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Kolbenpumpe"));
    let made = visitor.send(&page, &format!("{page}/opportunity"), &[]);
    let opportunity = made.header("location").unwrap().to_owned();
    let edit = "/contacts/C0101/edit";
    let merge = "/contacts/C0101/merge";
    for nobody in ["nowhere", "C0101"] {
        let asked = visitor.send(edit, merge, &[("into", nobody)]).body;
        assert!(asked.contains("No contact fits this."), "{nobody}: {asked}");
    }
    let company = visitor.send(edit, merge, &[("into", "C0100"), ("act", "yes")]);
    assert_eq!(company.status, 200, "a person is not merged with a company");
    let which = visitor.send(edit, merge, &[("into", "vallée")]).body;
    assert!(which.contains("name=\"chosen\" value=\"C0102\""), "{which}");
    assert!(
        !which.contains("name=\"chosen\" value=\"C0100\""),
        "{which}"
    );
    let asked = visitor.send(edit, merge, &[("into", "C0102")]).body;
    assert!(asked.contains("id=\"merge-yes\""), "{asked}");
    assert_eq!(visitor.get("/contacts/C0101").status, 200, "only asked");
    let done = visitor.send(edit, merge, &[("chosen", "C0102"), ("act", "yes")]);
    assert_eq!(
        done.header("location"),
        Some("/contacts/C0102"),
        "{}",
        done.body
    );
    for (old, new) in [
        ("/contacts/C0101", "/contacts/C0102"),
        ("/contacts/C0101/entries", "/contacts/C0102/entries"),
        ("/contacts/C0101/edit", "/contacts/C0102/edit"),
    ] {
        let moved = visitor.get(old);
        assert_eq!((moved.status, moved.header("location")), (303, Some(new)));
    }
    let card = visitor.get("/contacts/C0102").body;
    assert!(
        card.contains("margaux.delorme@vallee-hydraulique.example"),
        "{card}"
    );
    assert!(card.contains("Kolbenpumpe"), "{card}");
    assert!(card.contains(&format!("href=\"{opportunity}\"")), "{card}");
    let shown = visitor.get(&opportunity).body;
    assert!(shown.contains("href=\"/contacts/C0102\""), "{shown}");
    let company = visitor.send(
        "/contacts/C0100",
        "/contacts/C0100/merge",
        &[("into", "C0102")],
    );
    assert_eq!(company.status, 404);
}

#[test]
fn a_salesperson_merges_people_of_one_company_alone() {
    let (erp, mut administration) = office(&mails(), 1, &[]);
    let mut ada = Visitor::signed_in(&erp, "AH");
    let (edit, merge) = ("/contacts/C0101/edit", "/contacts/C0101/merge");
    let other = ada.send(edit, merge, &[("into", "C0111")]).body;
    assert!(other.contains("id=\"merge-not-yours\""), "{other}");
    assert!(!other.contains("id=\"merge-yes\""), "{other}");
    let yes = [("chosen", "C0111"), ("act", "yes")];
    assert_eq!(ada.send(edit, merge, &yes).status, 403);
    assert_eq!(ada.get("/contacts/C0101").status, 200);
    let same = ada.send(edit, merge, &[("into", "C0102")]).body;
    assert!(same.contains("id=\"merge-yes\""), "{same}");
    assert_eq!(administration.send(edit, merge, &yes).status, 303);
    let moved = administration.get("/contacts/C0101");
    assert_eq!(moved.header("location"), Some("/contacts/C0111"));
}

#[test]
fn who_is_erased_is_erased_under_every_number_that_was_merged_too() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in mails() {
        std::fs::write(folder.path().join(format!("{name}.eml")), text).unwrap();
    }
    let (mut erp, mut visitor) = office_of(folder.path(), 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Kolbenpumpe"));
    let made = visitor.send(&page, &format!("{page}/opportunity"), &[]);
    let deal = made.header("location").unwrap().to_owned();
    for fields in [
        &[("action", "first"), ("value", "900")][..],
        &[("action", "close"), ("code", "PRICE")],
    ] {
        let version = visitor.get(&deal).value("version");
        let all = [&[("version", version.as_str())], fields].concat();
        assert_eq!(visitor.send(&deal, &deal, &all).status, 303);
    }
    // Twice over: what was merged before goes along.
    for (goes, stays) in [("C0101", "C0102"), ("C0102", "C0103")] {
        let merge = format!("/contacts/{goes}/merge");
        let yes = [("chosen", stays), ("act", "yes")];
        let done = visitor.send(&format!("/contacts/{goes}/edit"), &merge, &yes);
        assert_eq!(done.status, 303, "{}", done.body);
    }
    erp.restart();
    let mut visitor = Visitor::signed_in(&erp, "ADMIN");
    let moved = visitor.get("/contacts/C0101");
    assert_eq!(moved.header("location"), Some("/contacts/C0103"));
    let card = visitor.get("/contacts/C0103").body;
    for number in ["C0101", "C0102"] {
        let under = format!("href=\"/contacts/C0103/entries?number={number}\"");
        assert!(card.contains(&under), "{card}");
    }
    let under = visitor.get("/contacts/C0103/entries?number=C0101").body;
    assert!(under.contains("Kolbenpumpe"), "{under}");
    assert!(visitor.get(&deal).body.contains("Kolbenpumpe"));
    // By whichever number is typed, the person is meant.
    for number in ["C0103", "C0101"] {
        let who = [("contact", number)];
        let preview = visitor.send("/privacy", "/privacy/erase", &who).body;
        assert!(preview.contains("<dt>Mail</dt><dd>1</dd>"), "{preview}");
        assert!(
            preview.contains("<dt>Opportunities</dt><dd>1</dd>"),
            "{number}: {preview}"
        );
        let file = visitor.send("/privacy", "/privacy/export", &who);
        assert!(file.file("records.json").contains("Kolbenpumpe"));
    }
    let run = [("contact", "C0103"), ("card_too", "on"), ("act", "run")];
    let gone = visitor.send("/privacy", "/privacy/erase", &run).body;
    assert!(gone.contains("<dt>Opportunities</dt><dd>1</dd>"), "{gone}");
    assert!(!visitor.get(&deal).body.contains("Kolbenpumpe"));
    for number in ["C0101", "C0103"] {
        assert_eq!(visitor.get(&format!("/contacts/{number}")).status, 404);
    }
}

/// What the boxes of these mails say.
fn picks(body: &str, subjects: &[&str]) -> Vec<String> {
    let rows = body.split("name=\"pick\" value=\"").skip(1);
    let rows = rows.filter(|row| {
        let row = row.split("</li>").next().unwrap();
        subjects.iter().any(|subject| row.contains(subject))
    });
    rows.map(|row| row.split('"').next().unwrap().replace("&#10;", "\n"))
        .collect()
}

fn send(visitor: &mut Visitor, picks: &[String], fields: &[(&str, &str)]) -> String {
    let picks = picks.iter().map(|pick| ("pick", pick.as_str()));
    let fields: Vec<_> = picks.chain(fields.iter().copied()).collect();
    let answer = visitor.send("/review", "/review/many", &fields);
    assert_eq!(answer.status, 303, "{}", answer.body);
    visitor.get(answer.header("location").unwrap()).body
}

#[test]
fn several_mails_of_the_review_queue_are_logged_for_one_contact_or_left() {
    let (erp, mut visitor) = office(&mails(), 1, &[]);
    let queue = wait(&mut visitor, "/review", |body| {
        picks(body, &["Membranpumpe", "Kreiselpumpe", "Handpumpe"]).len() == 3
    });
    let none = send(&mut visitor, &[], &[("action", "ignore")]);
    assert!(none.contains("Nothing is ticked."), "{none}");
    let all = picks(&queue, &["Membranpumpe", "Kreiselpumpe", "Handpumpe"]);
    let nobody = send(
        &mut visitor,
        &all,
        &[("action", "assign"), ("contact", "nowhere")],
    );
    assert!(nobody.contains("No contact fits this."), "{nobody}");
    // Who does not see a mail says nothing about it.
    let mut benoit = Visitor::signed_in(&erp, "BK");
    let blind = send(&mut benoit, &all, &[("action", "ignore")]);
    assert!(blind.contains("Done: 0 / 3"), "{blind}");
    // No salesperson is named by the third.
    let to = [
        ("action", "assign"),
        ("contact", "C0101"),
        ("back", "/review?state=open"),
    ];
    let some = send(&mut visitor, &all, &to);
    assert!(some.contains("Done: 2 / 3"), "{some}");
    wait(&mut visitor, "/contacts/C0101/entries", |body| {
        body.contains("Membranpumpe") && body.contains("Kreiselpumpe") && found(body) == 3
    });
    let left = picks(&visitor.get("/review").body, &["Handpumpe"]);
    let ignored = send(&mut visitor, &left, &[("action", "ignore"), ("note", "no")]);
    assert!(ignored.contains("Mails left as they are: 1"), "{ignored}");
    assert!(
        visitor
            .get("/review?state=ignored")
            .body
            .contains("Handpumpe")
    );
    // What was read before somebody said something is not said again.
    let stale = send(&mut visitor, &left, &[("action", "ignore")]);
    assert!(stale.contains("Done: 0 / 1"), "{stale}");
    let refused = visitor.send(
        "/review",
        "/review/many",
        &[("pick", &left[0]), ("action", "x")],
    );
    assert_eq!(refused.status, 400);
}
