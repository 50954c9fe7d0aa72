//! What every page has: words, navigation, the form's token; and how a failure is shown.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use email_logging::error::{Error, ErrorKind};
use jiff::Timestamp;

use super::session::Session;
use crate::erp::Erp;
use crate::words::{Language, Words};

/// What the frame of a page shows.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) w: &'static Words,
    pub(super) language: Language,
    pub(super) token: String,
    /// The part of the navigation that is marked.
    pub(super) part: &'static str,
    pub(super) path: String,
}

impl Frame {
    pub(super) fn new(session: &Session, part: &'static str, path: impl Into<String>) -> Self {
        Self {
            w: session.language.words(),
            language: session.language,
            token: session.token.clone(),
            part,
            path: path.into(),
        }
    }

    /// A point in time, as people of this language write it.
    pub(super) fn time(&self, at: &Timestamp) -> String {
        at.strftime(self.language.time_format()).to_string()
    }
}

/// Renders a page.
pub(super) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A failure of a page.
#[derive(Debug)]
pub(super) enum Failed {
    Library(Error),
    /// The form does not carry its token: it is not one of this browser's pages.
    Foreign,
    Missing,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let (status, text) = match &self {
            Self::Library(error) if error.kind() == ErrorKind::NotFound => {
                (StatusCode::NOT_FOUND, error.to_string())
            }
            Self::Library(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            Self::Foreign => (StatusCode::FORBIDDEN, "form".to_owned()),
            Self::Missing => (StatusCode::NOT_FOUND, String::new()),
        };
        // The session is not at hand here; the page is as short as it can be, in all three languages.
        let [en, fr, de] = Language::ALL.map(|language| language.words().error);
        let page = Short {
            title: format!("{en} · {fr} · {de}"),
            text,
        };
        (status, render(&page)).into_response()
    }
}

#[derive(Template)]
#[template(path = "short.html", config = "examples/erp_host/askama.toml")]
struct Short {
    title: String,
    text: String,
}

#[derive(Template)]
#[template(path = "message.html", config = "examples/erp_host/askama.toml")]
struct Message<'a> {
    f: &'a Frame,
    title: &'a str,
    text: &'a str,
    remedy: &'a str,
    back: &'a str,
}

/// A page with one message and the way back.
pub(super) fn message(
    frame: &Frame,
    title: &str,
    text: &str,
    remedy: &str,
    back: &str,
) -> Response {
    render(&Message {
        f: frame,
        title,
        text,
        remedy,
        back,
    })
}

/// The form's token has to be the session's.
pub(super) fn own_form(session: &Session, token: &str) -> Result<(), Failed> {
    if token == session.token {
        Ok(())
    } else {
        Err(Failed::Foreign)
    }
}

/// The page of an unknown address.
pub(super) async fn not_found(
    State(_): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Response {
    let frame = Frame::new(&session, "", "/");
    let page = message(&frame, frame.w.not_found, "", "", "/");
    (StatusCode::NOT_FOUND, page).into_response()
}
