//! Contacts that are one person, and several mails of the review queue at once.

use crate::office::{ADA, MARGAUX, entry, found, mail, office, wait};
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
    assert_eq!(visitor.get("/contacts/C0101").status, 404);
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
