//! Originals shown to people: nothing of a stranger's runs, loads or hides, and a reader finds what
//! was written.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "view/attachments.rs"]
mod attachments;
#[path = "view/corpus.rs"]
mod corpus;
#[path = "view/dom.rs"]
mod dom;
#[path = "view/html.rs"]
mod html;
#[path = "view/quoted.rs"]
mod quoted;
#[path = "support/skipped.rs"]
mod skipped;
#[path = "view/vectors.rs"]
mod vectors;
#[path = "support/xss.rs"]
mod xss;

use email_logging::view::{HtmlView, OriginalView, ViewLimits};

/// A mail of one HTML part.
fn html_mail(html: &str) -> Vec<u8> {
    format!(
        "From: a@b.example\r\nSubject: x\r\nMIME-Version: 1.0\r\n\
         Content-Type: text/html; charset=utf-8\r\n\r\n{html}"
    )
    .into_bytes()
}

/// The HTML view of a mail of this HTML.
fn shown(html: &str) -> HtmlView {
    let mail = html_mail(html);
    let view = OriginalView::of(&mail, &ViewLimits::default());
    view.html().expect("the mail has HTML")
}
