//! An ERP whose queue holds mails of our own, and whose logging is on.

use std::time::Duration;

use crate::erp::{Erp, PASSWORD};
use crate::visitor::Visitor;

/// Switches logging on: consent, then the switch. Waits until so many mails are logged.
pub(crate) fn enable(erp: &Erp, visitor: &mut Visitor, mails: usize) {
    let token = visitor.token("/settings");
    let consent = visitor.post("/settings/enable", &[("token", &token)]);
    let link = consent.between("id=\"consent\" href=\"", "\"");
    let there = Visitor::follow(&link.replace("&#38;", "&").replace("&amp;", "&"));
    let back = there.header("location").unwrap();
    let path = back.strip_prefix(&erp.base).unwrap();
    assert_eq!(visitor.get(path).status, 303);
    let on = visitor.post("/settings/enable", &[("token", &token)]);
    assert_eq!(on.status, 303, "{}", on.body);
    wait(visitor, "/mails", |body| found(body) >= mails);
}

/// How many mails a page of the log says that there are.
pub(crate) fn found(body: &str) -> usize {
    let found = body.split_once(" mails found");
    let (before, _) = found
        .or_else(|| body.split_once(" mail found"))
        .unwrap_or_default();
    let digits = before.rsplit('>').next().unwrap_or_default();
    digits.trim().parse().unwrap_or(0)
}

/// Asks for a page until it says what is waited for.
pub(crate) fn wait(visitor: &mut Visitor, path: &str, holds: impl Fn(&str) -> bool) -> String {
    for _ in 0..600 {
        let page = visitor.get(path);
        if holds(&page.body) {
            return page.body;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{path} does not say what is waited for");
}

/// A mail of the queue: its name, and the whole text.
pub(crate) type Mail<'a> = (&'a str, String);

/// An ERP behind a password with these mails, logged; and the administration, signed in.
pub(crate) fn office(mails: &[Mail<'_>], logged: usize, more: &[&str]) -> (Erp, Visitor) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in mails {
        std::fs::write(folder.path().join(format!("{name}.eml")), text).unwrap();
    }
    office_of(folder.path(), logged, more)
}

/// The same with the mails of a folder.
pub(crate) fn office_of(folder: &std::path::Path, logged: usize, more: &[&str]) -> (Erp, Visitor) {
    let mut arguments = vec!["--mails".as_ref(), folder.as_os_str()];
    arguments.extend(more.iter().map(|text| std::ffi::OsStr::new(*text)));
    let erp = Erp::start(&arguments, Some(PASSWORD));
    let mut administration = Visitor::signed_in(&erp, "ADMIN");
    enable(&erp, &mut administration, logged);
    (erp, administration)
}

pub(crate) const ADA: &str = "Ada Holm <ada.holm@tidewheel.example>";
pub(crate) const BENOIT: &str = "Benoît Kessler <benoit.kessler@tidewheel.example>";
pub(crate) const MARGAUX: &str = "Margaux Delorme <margaux.delorme@vallee-hydraulique.example>";

/// A plain mail.
pub(crate) fn mail(from: &str, to: &str, subject: &str, body: &str) -> String {
    let plain = |text: &str| text.replace("Benoît", "Benoit");
    let id = subject.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    format!(
        "From: {}\r\nTo: {}\r\nSubject: {subject}\r\nDate: Mon, 02 Mar 2026 20:00:00 +0000\r\n\
         Message-ID: <{id}@office.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}\r\n",
        plain(from),
        plain(to)
    )
}

/// The id of the entry whose mail has words.
pub(crate) fn entry(visitor: &mut Visitor, words: &str) -> String {
    // A mail is found by its words a moment after it is logged.
    let link = "class=\"subject\" href=\"/entries/";
    let found = wait(visitor, &format!("/mails?q={words}"), |body| {
        body.contains(link)
    });
    let (_, rest) = found.split_once(link).unwrap();
    rest.split('"').next().unwrap().to_owned()
}
