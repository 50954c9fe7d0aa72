//! The assisted set-up over HTTP, by Microsoft Graph, up to a mail that is logged.

use crate::erp::{Erp, PASSWORD};
use crate::office::wait;
use crate::visitor::{Answer, Visitor};

const HERE: &str = "/assistant";

fn act(visitor: &mut Visitor, action: &str, fields: &[(&str, &str)]) -> String {
    let mut all = vec![("action", action)];
    all.extend(fields);
    let answer = visitor.send(HERE, HERE, &all);
    let shown = if answer.status == 303 {
        visitor.get(HERE)
    } else {
        answer
    };
    assert_eq!(shown.status, 200, "{action}: {}", shown.body);
    shown.body
}

fn step(body: &str) -> String {
    let (_, rest) = body.split_once("<h1>").unwrap();
    rest.split('<').next().unwrap().to_owned()
}

fn is_selected(body: &str, code: &str) -> bool {
    body.contains(&format!("<option value=\"{code}\" selected>"))
}

/// Follows the link to the identity service, and comes back.
fn consent(visitor: &mut Visitor, erp: &Erp) -> Answer {
    let token = visitor.token(HERE);
    let page = visitor.post(HERE, &[("token", &token), ("action", "sign-in")]);
    let link = page.between("id=\"consent\" href=\"", "\"");
    let there = Visitor::follow(&link.replace("&#38;", "&").replace("&amp;", "&"));
    let back = there.header("location").unwrap().to_owned();
    visitor.get(back.strip_prefix(&erp.base).unwrap())
}

#[test]
fn the_assistant_leads_to_microsoft_graph_and_mail_is_logged() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut visitor = Visitor::signed_in(&erp, "ADMIN");
    let intro = act(&mut visitor, "online", &[]);
    assert!(is_selected(&intro, "graph"), "Graph is proposed: {intro}");
    // What is chosen beside the plan is kept.
    let fields = [("service", "graph"), ("authentication", "oauth2-delegated")];
    let planned = act(&mut visitor, "plan", &fields);
    assert!(is_selected(&planned, "oauth2-delegated"), "{planned}");
    let fields = [("service", "graph"), ("authentication", "oauth2")];
    let client = act(&mut visitor, "next", &fields);
    assert_eq!(step(&client), "Application", "{client}");
    let id = "5d0e9f0c-7c41-4a39-9d52-66a1f1d0a7c3";
    assert!(client.contains(id), "{client}");
    let signing = act(&mut visitor, "next", &[("client-id", id)]);
    assert_eq!(step(&signing), "Administrator", "{signing}");
    assert_eq!(consent(&mut visitor, &erp).status, 303);
    let mailbox = act(&mut visitor, "next", &[]);
    assert_eq!(step(&mailbox), "Mailbox", "{mailbox}");
    let address = [("address", "logger@tidewheel.example")];
    let checked = act(&mut visitor, "check", &address);
    assert!(checked.contains("id=\"check\">Passed<"), "{checked}");
    let folders = act(&mut visitor, "next", &address);
    assert_eq!(step(&folders), "Folders", "{folders}");
    assert!(!folders.contains("value=\"public-folders\""), "{folders}");
    let chosen = [("variant", "shared-mailbox"), ("default", "on")];
    let found = act(&mut visitor, "look-up", &chosen);
    assert!(found.contains("id=\"check\">Passed<"), "{found}");
    act(&mut visitor, "next", &chosen);
    let validation = act(&mut visitor, "next", &[("rules", "on")]);
    assert_eq!(step(&validation), "Validate", "{validation}");
    let report = visitor.send(HERE, "/assistant/validate", &[]).body;
    assert!(!report.contains("class=\"bad\""), "{report}");
    let last = act(&mut visitor, "next", &[]);
    assert_eq!(step(&last), "Finish", "{last}");
    let fields = [("action", "finish"), ("template", "EMAIL"), ("job", "on")];
    let done = visitor.send(HERE, HERE, &fields);
    assert_eq!(done.header("location"), Some("/settings"), "{}", done.body);
    let settings = visitor.get("/settings").body;
    assert!(is_selected(&settings, "graph"), "{settings}");
    assert!(settings.contains("aria-checked=\"true\""), "{settings}");
    assert_eq!(visitor.send("/health", "/health/mail", &[]).status, 303);
    wait(&mut visitor, "/mails", |body| body.contains("Pump P-1"));
}

#[test]
fn the_instructions_say_what_to_prepare_in_the_language_of_the_page() {
    let erp = Erp::start(&[], Some(PASSWORD));
    for (language, where_to, folders, rule, right) in [
        (
            "en",
            "online",
            "Create a shared mailbox",
            "Bcc",
            "Mail.ReadWrite",
        ),
        (
            "fr",
            "on-premises",
            "deux dossiers publics",
            "Cci",
            "full_access_as_app",
        ),
        (
            "de",
            "on-premises",
            "zwei öffentliche Ordner",
            "Blindkopie",
            "full_access_as_app",
        ),
    ] {
        let mut visitor = Visitor::of(&erp);
        visitor.language = language;
        visitor.sign_in("ADMIN", PASSWORD);
        let before = act(&mut visitor, where_to, &[]);
        assert!(!before.contains("id=\"instructions\""), "{before}");
        let shown = act(&mut visitor, "help", &[]);
        let (_, all) = shown.split_once("id=\"instructions\"").unwrap();
        let (all, _) = all.split_once("</section>").unwrap();
        assert_eq!(all.matches("<li>").count(), 4, "{all}");
        for words in [folders, rule, right] {
            assert!(all.contains(words), "{language} {words}: {all}");
        }
    }
}

#[test]
fn a_server_of_our_own_is_not_reached_by_graph() {
    let erp = Erp::start(&[], Some(PASSWORD));
    let mut visitor = Visitor::signed_in(&erp, "ADMIN");
    let intro = act(&mut visitor, "on-premises", &[]);
    assert!(!intro.contains("id=\"service\""), "{intro}");
    let refused = act(&mut visitor, "next", &[("service", "graph")]);
    assert!(
        refused.contains("Microsoft Graph reaches mailboxes of Exchange Online only."),
        "{refused}"
    );
}
