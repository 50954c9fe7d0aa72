//! Contacts that change, and opportunities that are made and moved.

use std::fmt::Write as _;

use crate::erp::{Erp, PASSWORD};
use crate::office::{ADA, MARGAUX, entry, found, mail, office, wait};
use crate::visitor::{Answer, Visitor};

fn pump() -> Vec<(&'static str, String)> {
    vec![("pump", mail(MARGAUX, ADA, "Kolbenpumpe", "We want one."))]
}

/// Makes an opportunity of the only mail; answers its page.
fn opportunity(visitor: &mut Visitor) -> String {
    let page = format!("/entries/{}", entry(visitor, "Kolbenpumpe"));
    let made = visitor.send(&page, &format!("{page}/opportunity"), &[]);
    assert_eq!(made.status, 303, "{}", made.body);
    made.header("location").unwrap().to_owned()
}

/// Does something with an opportunity, under the version that its page shows.
fn act(visitor: &mut Visitor, page: &str, fields: &[(&str, &str)]) -> Answer {
    let version = visitor.get(page).value("version");
    let mut all = vec![("version", version.as_str())];
    all.extend(fields);
    visitor.send(page, page, &all)
}

#[test]
fn a_contact_that_is_blocked_for_privacy_gets_no_opportunity() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Kolbenpumpe"));
    for (contact, name, email) in [
        (
            "C0100",
            "Vallée Hydraulique",
            "contact@vallee-hydraulique.example",
        ),
        (
            "C0101",
            "Margaux Delorme",
            "margaux.delorme@vallee-hydraulique.example",
        ),
    ] {
        let card = format!("/contacts/{contact}/edit");
        let email2 = if contact == "C0101" {
            "m.delorme@example.org"
        } else {
            ""
        };
        let fields = [("name", name), ("email", email), ("email2", email2)];
        let blocked = [fields[0], fields[1], fields[2], ("blocked", "on")];
        assert_eq!(visitor.send(&card, &card, &blocked).status, 303);
        let refused = visitor.send(&page, &format!("{page}/opportunity"), &[]);
        assert_eq!(refused.status, 200, "{contact}");
        assert!(
            refused.body.contains("opportunity.contact_blocked"),
            "{contact}: {}",
            refused.body
        );
        assert_eq!(
            visitor.send(&card, &card, &fields).status,
            303,
            "no longer blocked"
        );
    }
    opportunity(&mut visitor);
}

#[test]
fn an_action_that_there_is_not_is_refused_and_changes_nothing() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = opportunity(&mut visitor);
    for fields in [
        &[("action", "")][..],
        &[("action", "advance")],
        &[("action", "Next")],
        &[("action", "skip"), ("skip", "x")],
        &[("action", "cycle"), ("cycle", "NONE")],
        &[("action", "salesperson"), ("salesperson", "NONE")],
        &[("action", "first"), ("value", "1"), ("close_date", "soon")],
    ] {
        assert_eq!(act(&mut visitor, &page, fields).status, 400, "{fields:?}");
    }
    assert_eq!(visitor.get(&page).value("version"), "1");
}

#[test]
fn a_won_opportunity_makes_a_customer_and_cancels_tasks_only_when_told() {
    for (ticked, open) in [(None, 1), (Some(("cancel_tasks", "on")), 0)] {
        let (_erp, mut visitor) = office(&pump(), 1, &[]);
        let page = opportunity(&mut visitor);
        assert!(!visitor.get("/contacts/C0100").body.contains(">Customer<"));
        let first = [
            ("action", "first"),
            ("value", "900"),
            ("chance", "35"),
            ("close_date", "2031-05-06"),
        ];
        assert_eq!(act(&mut visitor, &page, &first).status, 303);
        let shown = visitor.get(&page).body;
        assert!(
            shown.contains("35 %") && shown.contains("6 May 2031"),
            "{shown}"
        );
        let mut close = vec![
            ("action", "close"),
            ("code", "BEST-OFFER"),
            ("value", "800"),
        ];
        close.extend(ticked);
        assert_eq!(act(&mut visitor, &page, &close).status, 303);
        let shown = visitor.get(&page).body;
        assert!(
            shown.contains("A customer from now on: Vallée Hydraulique"),
            "{shown}"
        );
        assert_eq!(
            shown.matches("name=\"action\" value=\"task\"").count(),
            open
        );
        let company = visitor.get("/contacts/C0100").body;
        assert!(company.contains(">Customer<"));
        // What was sold is told wherever the opportunity is, and not what was hoped for.
        assert!(shown.contains("<dd id=\"worth\">800.00</dd>"), "{shown}");
        assert!(
            shown.contains("data-label=\"Calculated value\">800.00<"),
            "{shown}"
        );
        assert!(company.contains("Sold for</span> 800.00"), "{company}");
        assert!(!company.contains("900.00"), "{company}");
        let list = visitor.get("/opportunities").body;
        assert!(
            list.contains("data-label=\"Sold for\" class=\"count\">800.00<"),
            "{list}"
        );
        assert!(
            list.contains("data-label=\"Sold in all\">800.00<"),
            "{list}"
        );
        assert!(!list.contains("900.00"), "{list}");
        assert!(!list.contains("Qualify: call"), "it is closed: {list}");
    }
}

#[test]
fn a_close_needs_a_code_that_was_chosen() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = opportunity(&mut visitor);
    act(
        &mut visitor,
        &page,
        &[("action", "first"), ("value", "900")],
    );
    let shown = visitor.get(&page).body;
    assert!(
        shown.contains("<option value=\"\">Choose…</option>"),
        "{shown}"
    );
    assert!(shown.contains("Lost: Too expensive"), "{shown}");
    let refused = act(
        &mut visitor,
        &page,
        &[("action", "close"), ("code", ""), ("value", "5")],
    );
    assert!(
        refused.body.contains("opportunity.close_code"),
        "{}",
        refused.body
    );
}

#[test]
fn what_is_lost_brought_nothing() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = opportunity(&mut visitor);
    let first = [("action", "first"), ("value", "900")];
    act(&mut visitor, &page, &first);
    assert!(visitor.get("/opportunities").body.contains("900.00"));
    act(
        &mut visitor,
        &page,
        &[("action", "close"), ("code", "PRICE")],
    );
    let shown = visitor.get(&page).body;
    assert!(shown.contains("<dd id=\"worth\">0.00</dd>"), "{shown}");
    for path in ["/opportunities", "/contacts/C0100"] {
        let body = visitor.get(path).body;
        assert!(
            body.contains(">Lost<") && !body.contains("900.00"),
            "{body}"
        );
    }
}

#[test]
fn an_opportunity_leads_to_its_mail_for_whoever_sees_it() {
    let (erp, mut visitor) = office(&pump(), 1, &[]);
    let id = entry(&mut visitor, "Kolbenpumpe");
    let page = opportunity(&mut visitor);
    let link = format!("href=\"/entries/{id}\"");
    let mut ada = Visitor::signed_in(&erp, "AH");
    let mut benoit = Visitor::signed_in(&erp, "BK");
    for visitor in [&mut visitor, &mut ada, &mut benoit] {
        let shown = visitor.get(&page).body;
        let (_, mail) = shown.split_once("id=\"mail-of\"").unwrap();
        assert!(mail.contains(&link), "{shown}");
        assert!(shown.contains("<dd id=\"interactions\">1</dd>"), "{shown}");
    }
    let list = "/mails?opportunity=OP000001";
    assert!(benoit.get(list).body.contains(&link));
    let none = benoit.get("/mails?opportunity=OP000002").body;
    assert!(!none.contains(&link), "{none}");
    let mail = format!("/entries/{id}");
    ada.send(&mail, &format!("{mail}/private"), &[("on", "true")]);
    for (visitor, interactions) in [(&mut ada, 1), (&mut benoit, 0)] {
        let shown = visitor.get(&page).body;
        assert_eq!(shown.contains(&link), interactions == 1, "{shown}");
        assert!(
            shown.contains(&format!("<dd id=\"interactions\">{interactions}</dd>")),
            "{shown}"
        );
    }
    assert!(!benoit.get(list).body.contains(&link));
    ada.send(&mail, &format!("{mail}/cancel"), &[("canceled", "true")]);
    let shown = ada.get(&page).body;
    assert!(shown.contains("<dd id=\"interactions\">0</dd>"), "{shown}");
    assert!(shown.contains(&link), "{shown}");
}

#[test]
fn stages_are_skipped_and_gone_back_to_and_tasks_ticked() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = opportunity(&mut visitor);
    act(
        &mut visitor,
        &page,
        &[("action", "first"), ("value", "900")],
    );
    assert_eq!(
        act(&mut visitor, &page, &[("action", "skip"), ("skip", "4")]).status,
        303
    );
    let now = |body: &str| {
        let (_, rest) = body.split_once("aria-current=\"step\">").unwrap();
        rest.split('<').next().unwrap().to_owned()
    };
    assert_eq!(now(&visitor.get(&page).body), "Sign");
    assert_eq!(
        act(&mut visitor, &page, &[("action", "jump"), ("jump", "2")]).status,
        303
    );
    assert_eq!(now(&visitor.get(&page).body), "Offer");
    assert_eq!(
        act(&mut visitor, &page, &[("action", "task"), ("task", "1")]).status,
        303
    );
    let shown = visitor.get(&page).body;
    assert!(
        shown.contains("<span class=\"badge good\">Done</span>"),
        "{shown}"
    );
    assert_eq!(
        act(
            &mut visitor,
            &page,
            &[("action", "comment"), ("text", "Soon.")]
        )
        .status,
        303
    );
    let mine = [
        ("action", "salesperson"),
        ("salesperson", "BK"),
        ("with_tasks", "on"),
    ];
    assert_eq!(act(&mut visitor, &page, &mine).status, 303);
    let shown = visitor.get(&page).body;
    assert!(
        shown.contains("ADMIN · ") && shown.contains("· Benoît Kessler"),
        "{shown}"
    );
    for (query, lines) in [
        ("salesperson=BK", 1),
        ("salesperson=AH", 0),
        ("status=won", 0),
        ("status=open", 1),
    ] {
        let list = visitor.get(&format!("/opportunities?{query}")).body;
        assert_eq!(
            list.matches("<td class=\"name\">").count(),
            lines,
            "{query}"
        );
    }
}

#[test]
fn a_stage_that_asks_for_a_quote_is_reached_with_one_and_its_order_wins() {
    let (_erp, mut visitor) = office(&pump(), 1, &[]);
    let page = opportunity(&mut visitor);
    let cycle = [("action", "cycle"), ("cycle", "PROJECTS")];
    assert_eq!(act(&mut visitor, &page, &cycle).status, 303);
    let quote = [("action", "quote"), ("quote", "Q-1"), ("value", "800")];
    let early = act(&mut visitor, &page, &quote);
    assert!(early.body.contains("opportunity.status"), "{}", early.body);
    let first = [("action", "first"), ("value", "900")];
    assert_eq!(act(&mut visitor, &page, &first).status, 303);
    let refused = act(&mut visitor, &page, &[("action", "next")]);
    assert!(
        refused.body.contains("opportunity.quote_required"),
        "{}",
        refused.body
    );
    let shown = visitor.get(&page).body;
    assert!(shown.contains("The next stage asks for a sales quote."));
    for wrong in [
        &[("action", "quote"), ("quote", ""), ("value", "1")][..],
        &[("action", "quote"), ("quote", "Q-1"), ("value", "")],
        &[("action", "order"), ("code", "NONE")],
    ] {
        assert_eq!(act(&mut visitor, &page, wrong).status, 400, "{wrong:?}");
    }
    assert_eq!(act(&mut visitor, &page, &quote).status, 303);
    assert_eq!(
        act(&mut visitor, &page, &[("action", "no-quote")]).status,
        303
    );
    assert_eq!(act(&mut visitor, &page, &quote).status, 303);
    assert_eq!(act(&mut visitor, &page, &[("action", "next")]).status, 303);
    let lost = act(
        &mut visitor,
        &page,
        &[("action", "order"), ("code", "PRICE")],
    );
    assert!(
        lost.body.contains("opportunity.close_code"),
        "{}",
        lost.body
    );
    let order = [("action", "order"), ("code", "BEST-OFFER")];
    assert_eq!(act(&mut visitor, &page, &order).status, 303);
    let shown = visitor.get(&page).body;
    assert!(
        shown.contains("A customer from now on: Vallée Hydraulique"),
        "{shown}"
    );
    assert!(shown.contains("<dd>800.00</dd>"), "{shown}");
    assert!(!shown.contains("value=\"no-quote\""), "{shown}");
}

#[test]
fn a_changed_address_brings_its_mail() {
    let other = "Margaux <margaux@private.example>";
    let mails = [
        pump(),
        vec![("other", mail(other, ADA, "Membranpumpe", "Hello."))],
    ]
    .concat();
    let (_erp, mut visitor) = office(&mails, 1, &[]);
    wait(&mut visitor, "/review", |body| {
        body.contains("Membranpumpe")
    });
    let card = "/contacts/C0101/edit";
    let fields = [
        ("name", "Margaux Delorme"),
        ("email", "margaux.delorme@vallee-hydraulique.example"),
        ("email2", "margaux@private.example"),
    ];
    let saved = visitor.send(card, card, &fields);
    assert_eq!(
        saved.header("location"),
        Some("/contacts/C0101"),
        "{}",
        saved.body
    );
    let shown = visitor.get("/contacts/C0101").body;
    assert!(shown.contains("Mails whose entries changed: 1"), "{shown}");
    assert!(shown.contains("Membranpumpe"), "{shown}");
    // A contact that loses an address keeps its history, unless somebody says otherwise.
    let (of, question) = ("/contacts/C0101/entries", "/contacts/C0101/rematch");
    let back = [fields[0], fields[1], ("email2", "")];
    for (to, fields) in [(card, &back[..]), (question, &[])] {
        let asked = visitor.send(card, to, fields);
        assert_eq!(
            asked.header("location"),
            Some(question),
            "{to}: {}",
            asked.body
        );
        let asked = visitor.get(question).body;
        assert!(asked.contains("<dd id=\"unfounded\">1</dd>"), "{asked}");
        let kept = visitor.get(of).body;
        assert_eq!(found(&kept), 2, "{kept}");
        assert!(!kept.contains(">Cancelled<"), "{kept}");
        assert!(visitor.get("/contacts/C0101").body.contains("<dd>2 / 0<"));
    }
    let said = visitor.send(card, question, &[("cancel", "yes")]);
    assert_eq!(said.header("location"), Some("/contacts/C0101"));
    let shown = visitor.get("/contacts/C0101").body;
    assert!(shown.contains("Entries that were cancelled: 1"), "{shown}");
    assert!(shown.contains("<dd>1 / 0<"), "{shown}");
    assert_eq!(visitor.get(of).body.matches(">Cancelled<").count(), 1);
    let none = visitor.get(question).body;
    assert!(!none.contains("id=\"unfounded\""), "{none}");
    for (name, email) in [
        ("", "a@b.example"),
        ("A", "no address"),
        ("A", "a@b.example; x"),
    ] {
        let refused = visitor.send(card, card, &[("name", name), ("email", email)]);
        assert!(refused.body.contains("role=\"alert\""), "{name} {email}");
    }
}

#[test]
fn what_somebody_worked_with_stays_when_an_address_was_wrong() {
    let other = "Margaux <margaux@private.example>";
    let mails = [
        pump(),
        vec![
            ("a", mail(other, ADA, "Membranpumpe", "Hello.")),
            ("b", mail(other, ADA, "Kreiselpumpe", "Hello.")),
        ],
    ]
    .concat();
    let (_erp, mut visitor) = office(&mails, 1, &[]);
    wait(&mut visitor, "/review", |body| {
        body.contains("Membranpumpe") && body.contains("Kreiselpumpe")
    });
    let (card, question) = ("/contacts/C0101/edit", "/contacts/C0101/rematch");
    let fields = [
        ("name", "Margaux Delorme"),
        ("email", "margaux.delorme@vallee-hydraulique.example"),
        ("email2", "margaux@private.example"),
    ];
    assert_eq!(visitor.send(card, card, &fields).status, 303);
    let page = format!("/entries/{}", entry(&mut visitor, "Membranpumpe"));
    let comment = [("text", "Call back.")];
    visitor.send(&page, &format!("{page}/comment"), &comment);
    let back = [fields[0], fields[1], ("email2", "")];
    let asked = visitor.send(card, card, &back);
    assert_eq!(asked.header("location"), Some(question));
    let asked = visitor.get(question).body;
    assert!(asked.contains("<dd id=\"unfounded\">1</dd>"), "{asked}");
    visitor.send(card, question, &[("cancel", "yes")]);
    assert!(!visitor.get(&page).body.contains(">Cancelled<"));
    let other = format!("/entries/{}", entry(&mut visitor, "Kreiselpumpe"));
    assert!(visitor.get(&other).body.contains(">Cancelled<"));
}

#[test]
fn contacts_that_change_at_once_are_all_kept_over_a_restart() {
    let mut erp = Erp::start(&[], Some(PASSWORD));
    let numbers = [
        "C0101", "C0102", "C0103", "C0111", "C0121", "C0131", "C0140", "C0141",
    ];
    std::thread::scope(|scope| {
        for no in numbers {
            let mut visitor = Visitor::signed_in(&erp, "AH");
            scope.spawn(move || {
                let card = format!("/contacts/{no}/edit");
                for round in 0..5 {
                    let name = format!("Renamed {no} {round}");
                    let saved = visitor.send(&card, &card, &[("name", &name)]);
                    assert_eq!(saved.status, 303);
                }
            });
        }
    });
    erp.restart();
    let mut visitor = Visitor::signed_in(&erp, "AH");
    for no in numbers {
        let card = visitor.get(&format!("/contacts/{no}")).body;
        assert!(card.contains(&format!("Renamed {no} 4")), "{no}: {card}");
    }
}

/// A company of many, one of them with a number that no link takes as it is.
fn many() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    let mut text = "own-domains = [\"tidewheel.example\"]\n".to_owned();
    text += "[[salesperson]]\ncode = \"AH\"\nname = \"Ada Holm\"\nemail = \"ada.holm@tidewheel.example\"\n";
    for index in 0..120 {
        let no = if index == 0 {
            "0/?#%&+ \\\\\\\"<x>".to_owned()
        } else {
            format!("K{index:03}")
        };
        write!(
            text,
            "[[contact]]\nno = \"{no}\"\nname = \"Person {index:03}\"\nkind = \"person\"\nemail = \"p{index}@many.example\"\n"
        )
        .unwrap();
    }
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    file
}

#[test]
fn contacts_have_pages_and_any_number_has_a_link() {
    let people = many();
    let mails = vec![(
        "pump",
        mail("P <p0@many.example>", ADA, "Kolbenpumpe", "We want one."),
    )];
    let path = people.path().to_str().unwrap();
    let (_erp, mut visitor) = office(&mails, 1, &["--people", path]);
    let first = visitor.get("/contacts");
    assert_eq!(first.body.matches("<td class=\"name\">").count(), 50);
    assert!(first.body.contains("120 contacts"));
    let last = visitor.get("/contacts?page=2");
    assert_eq!(last.body.matches("<td class=\"name\">").count(), 20);
    assert!(!last.body.contains("rel=\"next\""));
    let found_one = visitor.get("/contacts?q=p77%40many.example").body;
    assert_eq!(found_one.matches("<td class=\"name\">").count(), 1);
    let link = first.between(
        "class=\"name\"><span class=\"face\" aria-hidden=\"true\">P0</span><a href=\"",
        "\"",
    );
    for from in ["", "/entries", "/edit"] {
        let page = visitor.get(&format!("{link}{from}"));
        assert_eq!(page.status, 200, "{link}{from}");
    }
    assert_eq!(found(&visitor.get(&format!("{link}/entries")).body), 1);
    let id = entry(&mut visitor, "Kolbenpumpe");
    let shown = visitor.get(&format!("/entries/{id}"));
    assert!(
        shown.body.contains(&format!("href=\"{link}\"")),
        "{}",
        shown.body
    );
    let gone = visitor.send("/mails", &format!("/entries/{id}/remove"), &[]);
    assert_eq!(gone.header("location"), Some(link.as_str()));
}
