//! The original and what is said about it; days on the company's clocks; why a mail is not here.

use crate::office::{ADA, BENOIT, MARGAUX, entry, found, mail, office, wait};

/// A mail with a type of its own.
fn of_type(subject: &str, kind: &str, body: &str) -> String {
    let plain = mail(MARGAUX, ADA, subject, "");
    let (head, _) = plain.split_once("Content-Type:").unwrap();
    format!("{head}MIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n{body}\r\n")
}

#[test]
fn what_is_kept_out_of_an_original_is_said_in_three_languages() {
    let html = "<p>Hi<img src=\"https://a.example/1.png\" width=200 height=90>\
                <img src=\"https://track.example/x.gif\" width=1 height=1></p>";
    let mails = vec![(
        "html",
        of_type("Blockade", "text/html; charset=utf-8", html),
    )];
    let (_erp, mut visitor) = office(&mails, 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Blockade"));
    for (language, words, text) in [
        (
            "en",
            "Remote pictures that were not loaded: 2",
            "Show as text",
        ),
        (
            "fr",
            "Images distantes non chargées : 2",
            "Afficher en texte",
        ),
        ("de", "Nicht geladene fremde Bilder: 2", "Als Text zeigen"),
    ] {
        visitor.language = language;
        let shown = visitor.get(&page).body;
        assert!(shown.contains(words), "{language}: {shown}");
        assert!(shown.contains("track.example"), "{language}: {shown}");
        assert!(shown.contains(text), "{language}: {shown}");
        let frame = visitor.get(&format!("{page}/original"));
        assert!(frame.body.contains(&format!("<html lang=\"{language}\">")));
        assert!(
            frame
                .header("content-security-policy")
                .unwrap()
                .contains("sandbox")
        );
    }
    let text = visitor.get(&format!("{page}/original?as=text")).body;
    assert!(
        text.contains("<pre") && !text.contains("a.example/1.png\""),
        "{text}"
    );
}

#[test]
fn a_quote_is_folded_and_nothing_is_lost() {
    let body = "Yes please.\r\n\r\nOn 3 May 2026, Ada Holm <ada.holm@tidewheel.example> wrote:\r\n> Shall we send it?\r\n> Ada";
    let mails = vec![("quote", mail(MARGAUX, ADA, "Antwort", body))];
    let (_erp, mut visitor) = office(&mails, 1, &[]);
    let page = format!("/entries/{}/original", entry(&mut visitor, "Antwort"));
    let shown = visitor.get(&page).body;
    let (own, quoted) = shown
        .split_once("<details><summary>Show quoted text</summary>")
        .unwrap();
    assert!(own.contains("Yes please.") && !own.contains("Shall we send it?"));
    assert!(quoted.contains("Shall we send it?"), "{quoted}");
}

#[test]
fn what_an_original_is_wrapped_in_is_named() {
    let mails = vec![
        (
            "smime",
            of_type(
                "Chiffre",
                "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64",
                "AAAA",
            ),
        ),
        (
            "tnef",
            of_type(
                "Outlook",
                "application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: base64",
                "AAAA",
            ),
        ),
    ];
    let (_erp, mut visitor) = office(&mails, 2, &[]);
    for (subject, words) in [
        ("Chiffre", "Encrypted (S/MIME)"),
        ("Outlook", "winmail.dat"),
    ] {
        let page = format!("/entries/{}", entry(&mut visitor, subject));
        let shown = visitor.get(&page).body;
        assert!(
            shown.contains(&format!("<p class=\"note in\">{words}"))
                || shown.contains(&format!("({words})")),
            "{shown}"
        );
        let inside = visitor.get(&format!("{page}/original")).body;
        assert!(
            !inside.contains("is not kept"),
            "the original is there: {inside}"
        );
        assert!(inside.contains("no text that can be shown"), "{inside}");
    }
}

#[test]
fn a_sender_whom_nobody_verified_is_said_so_beside_the_name() {
    let mails = vec![("plain", mail(MARGAUX, ADA, "Absender", "Hello."))];
    let (_erp, mut visitor) = office(&mails, 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Absender"));
    for (language, words) in [
        ("en", "Sender not verified"),
        ("de", "Absender nicht geprüft"),
    ] {
        visitor.language = language;
        let shown = visitor.get(&page);
        assert_eq!(shown.between("id=\"sender\">", "<"), words);
    }
}

#[test]
fn an_original_is_handed_out_bit_for_bit_whatever_its_size() {
    let line = "0123456789abcdef".repeat(4);
    let body = format!("{line}\r\n").repeat(20_000);
    let text = mail(MARGAUX, ADA, "Gross", &body);
    let (_erp, mut visitor) = office(&[("large", text.clone())], 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Gross"));
    let file = visitor.get(&format!("{page}/original.eml"));
    assert_eq!(
        file.header("content-length"),
        Some(text.len().to_string().as_str())
    );
    assert!(file.bytes == text.as_bytes(), "{} bytes", file.bytes.len());
}

#[test]
fn an_original_that_is_too_large_is_said_to_be_and_is_handed_out() {
    let line = "0123456789abcdef".repeat(4);
    let body = format!("{line}\r\n").repeat(33 * 16 * 1024);
    let text = mail(MARGAUX, ADA, "Riesig", &body);
    let (_erp, mut visitor) = office(&[("huge", text.clone())], 1, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Riesig"));
    let shown = visitor.get(&page).body;
    assert!(
        shown.contains("too large to be shown here") && !shown.contains("<iframe"),
        "{shown}"
    );
    assert_eq!(visitor.get(&format!("{page}/original")).status, 404);
    let file = visitor.get(&format!("{page}/original.eml"));
    assert!(file.bytes == text.as_bytes(), "{} bytes", file.bytes.len());
}

#[test]
fn days_are_those_of_the_company() {
    // Sent on 2 March 2026 at 20:00 UTC: on the 3rd in Auckland.
    let mails = vec![
        ("out", mail(ADA, MARGAUX, "Datum", "Sent.")),
        (
            "strange",
            mail("S <s@elsewhere.example>", ADA, "Fremdes", "Hello."),
        ),
    ];
    let (_erp, mut visitor) = office(&mails, 1, &["--time-zone", "NZST-12NZDT,M9.5.0,M4.1.0/3"]);
    assert!(visitor.get("/mails").body.contains("3 Mar 2026, 09:00"));
    for (query, mails) in [
        ("since=2026-03-03&until=2026-03-03", 1),
        ("since=2026-03-02&until=2026-03-02", 0),
    ] {
        assert_eq!(
            found(&visitor.get(&format!("/mails?{query}")).body),
            mails,
            "{query}"
        );
    }
    wait(&mut visitor, "/review", |body| body.contains("Fremdes"));
    for (query, here) in [("2026-03-03", true), ("2026-03-02", false)] {
        let shown = visitor.get(&format!("/why?day={query}")).body;
        assert_eq!(shown.contains("Datum"), here, "the logged one on {query}");
        assert_eq!(shown.contains("Fremdes"), here, "the other one on {query}");
    }
}

#[test]
fn a_mail_is_found_by_its_recipient_and_leads_to_its_entry() {
    let mails = vec![
        ("one", mail(MARGAUX, ADA, "Erste", "Hello.")),
        ("two", mail(MARGAUX, BENOIT, "Zweite", "Hello.")),
    ];
    let (_erp, mut visitor) = office(&mails, 2, &[]);
    let shown = visitor.get("/why?q=benoit.kessler").body;
    assert!(
        shown.contains("Zweite") && !shown.contains("Erste"),
        "{shown}"
    );
    let id = entry(&mut visitor, "Zweite");
    assert!(
        shown.contains(&format!("href=\"/entries/{id}\"")),
        "{shown}"
    );
    assert!(!shown.contains("so many were looked through"));
}

#[test]
fn the_mails_of_a_conversation_lead_to_each_other() {
    let answer = mail(ADA, MARGAUX, "Re: Faden", "Yes.");
    let answer = answer.replace(
        "Message-ID:",
        "In-Reply-To: <Faden@office.example>\r\nMessage-ID:",
    );
    let mails = vec![
        ("asks", mail(MARGAUX, ADA, "Faden", "Well?")),
        ("answers", answer),
    ];
    let (_erp, mut visitor) = office(&mails, 2, &[]);
    let page = format!("/entries/{}", entry(&mut visitor, "Well"));
    let shown = wait(&mut visitor, &page, |body| {
        body.contains("id=\"conversation\"")
    });
    assert!(shown.contains("Re: Faden"), "{shown}");
    assert!(shown.contains("class=\"depth-1\""), "{shown}");
}
