//! The page that a person sees when the user is interactive, and the page of a refusal.

use super::reply::Reply;

const HTML: &str = "text/html; charset=utf-8";

/// Asks for consent; `ticket` stands for the request that waits.
pub(super) fn ask(action: &str, ticket: &str, application: &str, scope: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>Permissions requested</title></head><body>\
         <h1>Permissions requested</h1><p>The application <b>{}</b> asks for: <b>{}</b></p>\
         <form method=\"post\" action=\"{}\"><input type=\"hidden\" name=\"ticket\" value=\"{}\">\
         <button name=\"decision\" value=\"accept\">Accept</button> \
         <button name=\"decision\" value=\"decline\">Decline</button></form></body></html>",
        escape(application),
        escape(scope),
        escape(action),
        escape(ticket),
    );
    Reply::new(200).with_body(HTML, page)
}

/// Says something, and offers no way back.
pub(super) fn tell(status: u16, text: &str) -> Reply {
    let page = format!(
        "<!DOCTYPE html><html lang=\"en\"><head><title>Sign in</title></head><body><p>{}</p></body></html>",
        escape(text)
    );
    Reply::new(status).with_body(HTML, page)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
