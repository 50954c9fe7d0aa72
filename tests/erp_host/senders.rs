//! How sure it is who wrote a mail, as the company's gateway and server say.

use crate::erp::Erp;
use crate::office::{ADA, MARGAUX, enable, entry, mail, office, wait};
use crate::visitor::Visitor;

const PASSED: &str = "Authentication-Results: mx.tidewheel.example; dmarc=pass\r\n";
const FAILED: &str = "Authentication-Results: mx.tidewheel.example; dmarc=fail\r\n";
const STRANGER: &str = "Authentication-Results: mx.evil.example; dmarc=pass\r\n";
const INTERNAL: &str = "X-MS-Exchange-Organization-AuthSource: ex01.tidewheel.example\r\n\
                        X-MS-Exchange-Organization-AuthAs: Internal\r\n";

fn mails() -> Vec<(&'static str, String)> {
    let from = |stamp: &str, subject: &str| stamp.to_owned() + &mail(MARGAUX, ADA, subject, "Hi.");
    let own = |stamp: &str, subject: &str| stamp.to_owned() + &mail(ADA, MARGAUX, subject, "Hi.");
    vec![
        ("a", from(PASSED, "Verbuergt")),
        ("b", from(FAILED, "Untergeschoben")),
        ("c", from("", "Ungewiss")),
        ("d", from(STRANGER, "Fremdstempel")),
        ("e", own(INTERNAL, "Hausintern")),
        ("f", own(FAILED, "Kontowechsel")),
    ]
}

/// The badge beside the sender: its class and its words.
fn badge(visitor: &mut Visitor, subject: &str) -> Option<(String, String)> {
    let page = format!("/entries/{}", entry(visitor, subject));
    let shown = visitor.get(&page).body;
    let (before, after) = shown.split_once("\" id=\"sender\">")?;
    let class = before.rsplit(' ').next()?;
    let words = after.split('<').next()?;
    Some((class.to_owned(), words.to_owned()))
}

#[test]
fn a_sender_is_verified_forged_or_not_known_by_the_word_of_the_gateway() {
    let (_erp, mut visitor) = office(&mails(), 5, &[]);
    for (subject, shown) in [
        ("Verbuergt", Some(("good", "Sender verified"))),
        ("Untergeschoben", Some(("bad", "Sender forged"))),
        ("Ungewiss", Some(("warn", "Sender not verified"))),
        ("Fremdstempel", Some(("warn", "Sender not verified"))),
        ("Hausintern", None),
    ] {
        let found = badge(&mut visitor, subject);
        let found = found
            .as_ref()
            .map(|(class, words)| (class.as_str(), words.as_str()));
        assert_eq!(found, shown, "{subject}");
    }
    // Who only gives himself out as a salesperson has written nothing of the company's.
    let queue = wait(&mut visitor, "/review", |body| {
        body.contains("Kontowechsel")
    });
    assert!(queue.contains("It claims to be of a salesperson, and is forged."));
    assert!(!visitor.get("/mails").body.contains("Kontowechsel"));
}

#[test]
fn the_company_says_whose_word_counts() {
    let more = [
        "--boundary",
        "MX.evil.example",
        "--internal-source",
        ".nowhere.example",
    ];
    let (_erp, mut visitor) = office(&mails(), 6, &more);
    for (subject, class) in [
        ("Verbuergt", "warn"),
        ("Untergeschoben", "warn"),
        ("Fremdstempel", "good"),
        ("Hausintern", "warn"),
        ("Kontowechsel", "warn"),
    ] {
        let found = badge(&mut visitor, subject).map(|(class, _)| class);
        assert_eq!(found.as_deref(), Some(class), "{subject}");
    }
}

#[test]
fn the_demo_has_senders_that_are_verified_and_one_that_is_forged() {
    let erp = Erp::start(&[], None);
    let mut visitor = Visitor::of(&erp);
    enable(&erp, &mut visitor, 1);
    wait(&mut visitor, "/review", |body| {
        body.contains("Our bank account has changed")
    });
    let shown = wait(
        &mut visitor,
        "/contacts/C0101/entries?direction=in",
        |body| body.contains("class=\"subject\" href=\"/entries/"),
    );
    let rest = shown.split("class=\"subject\" href=\"/entries/").nth(1);
    let id = rest.unwrap().split('"').next().unwrap();
    let shown = visitor.get(&format!("/entries/{id}")).body;
    assert!(shown.contains("Sender verified"), "{shown}");
    // The company's own people carry no badge.
    assert_eq!(badge(&mut visitor, "sch%C3%A9ma"), None);
}
