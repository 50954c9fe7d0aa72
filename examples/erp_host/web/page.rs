//! What every page has: words, navigation, the form's token; and how a failure is shown.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header;
use axum::response::{Html, IntoResponse, Redirect, Response};
use email_logging::error::{Error, ErrorKind};
use jiff::Timestamp;
use jiff::civil::Date;

use super::session::{Flash, Person, Session};
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
    /// What the last action of this browser did.
    pub(super) flash: Option<String>,
    /// It did not do all that was asked for.
    pub(super) flash_warns: bool,
    /// Who signed in. Without a sign-in there is nothing to go to.
    pub(super) person: Option<String>,
    /// Whether the pages of the administration are shown.
    pub(super) administration: bool,
}

impl Frame {
    pub(super) fn new(session: &Session, part: &'static str, path: impl Into<String>) -> Self {
        let w = session.language.words();
        Self {
            w,
            language: session.language,
            token: session.token.clone(),
            part,
            path: path.into(),
            flash_warns: session.flash.as_ref().is_some_and(|(flash, _)| {
                let warnings = [
                    w.flash_none_ticked,
                    w.flash_some_left,
                    w.flash_not_matched,
                    w.flash_missing,
                    w.nobody_fits,
                ];
                warnings.contains(&flash(w))
            }),
            flash: session.flash.as_ref().map(|(flash, more)| {
                let space = if more.is_empty() { "" } else { " " };
                format!("{}{space}{more}", flash(w))
            }),
            person: session.person.as_ref().map(|person| match person {
                Person::Administration => w.the_administration.to_owned(),
                Person::Salesperson(_, name) => name.clone(),
            }),
            administration: session.is_administration(),
        }
    }

    /// A point in time, as people of this language write it.
    pub(super) fn time(&self, at: &Timestamp) -> String {
        let at = crate::zone::at(*at);
        at.strftime(self.language.time_format()).to_string()
    }

    /// An amount such as `12500.00`, as people of this language write it.
    pub(super) fn amount(&self, plain: &str) -> String {
        let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
        let (between, point) = match self.language {
            Language::English => (',', '.'),
            Language::French => ('\u{202f}', ','),
            Language::German => ('.', ','),
        };
        let mut made = String::new();
        for (index, digit) in whole.chars().enumerate() {
            let after = whole.len() - index;
            if index > 0 && after.is_multiple_of(3) && !made.ends_with('-') {
                made.push(between);
            }
            made.push(digit);
        }
        if !part.is_empty() {
            made.push(point);
            made.push_str(part);
        }
        made
    }

    /// A day, as people of this language write it.
    pub(super) fn day(&self, day: Date) -> String {
        day.strftime(self.language.day_format()).to_string()
    }

    /// A code of the library in words.
    pub(super) fn say(&self, code: &str) -> String {
        self.language.say(code)
    }
}

/// Renders a page.
pub(super) fn render(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Goes to a page, which says what was done.
pub(super) fn done(erp: &Erp, session: &Session, to: &str, flash: Flash) -> Redirect {
    done_with(erp, session, to, flash, "")
}

/// The same, with a number or a name behind the words.
pub(super) fn done_with(
    erp: &Erp,
    session: &Session,
    to: &str,
    flash: Flash,
    more: &str,
) -> Redirect {
    erp.sessions.change(&session.id, |session| {
        session.flash = Some((flash, more.to_owned()));
    });
    Redirect::to(to)
}

/// A failure of a page.
#[derive(Debug)]
pub(super) enum Failed {
    Library(Error),
    /// The form does not carry its token: it is not one of this browser's pages.
    Foreign,
    /// The person may not do it.
    NotYours,
    /// The form asks for what there is not.
    Bad,
    Missing,
    /// Something of this machine failed; the number stands in the log of the program too.
    Broken(String),
}

impl Failed {
    /// A failure of this machine: told in the program's log, under a number that the page shows.
    pub(super) fn broken(error: impl std::fmt::Display) -> Self {
        let number = super::session::random()[..12].to_owned();
        eprintln!("failure {number}: {error}");
        Self::Broken(number)
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

/// What the library refused, for people.
#[derive(Debug, Clone, Default)]
pub(super) struct Problem {
    pub(super) text: String,
    pub(super) remedy: String,
    /// The code, by which it is looked up; none where the text holds it.
    pub(super) code: &'static str,
    /// It is said by the library, in English.
    pub(super) foreign: bool,
}

impl Problem {
    /// In the words of the page, as far as there are some for the code.
    pub(super) fn of(f: &Frame, error: &Error) -> Self {
        let code = error.code();
        let words = f.language.of_code(code);
        let remedy = f.language.of_code(&format!("{code}.do"));
        match (words, remedy) {
            (Some(text), Some(remedy)) => Self {
                text: text.to_owned(),
                remedy: remedy.to_owned(),
                code,
                foreign: false,
            },
            _ => Self {
                text: error.to_string(),
                remedy: error.remedy().to_owned(),
                code: "",
                foreign: true,
            },
        }
    }
}

/// What the library said, for the page of the failure.
#[derive(Debug, Clone, Default)]
struct Said {
    text: String,
    remedy: String,
    not_yours: bool,
}

impl Said {
    fn not_yours() -> Self {
        Self {
            not_yours: true,
            ..Self::default()
        }
    }
}

impl IntoResponse for Failed {
    /// The session is not at hand here: [`explained`] makes a page of it.
    fn into_response(self) -> Response {
        let (status, said) = match self {
            Self::Library(error) => {
                let unknown = error.kind() == ErrorKind::NotFound || error.code() == "store.cursor";
                let said = Said {
                    text: error.to_string(),
                    remedy: error.remedy().to_owned(),
                    not_yours: false,
                };
                if unknown {
                    (StatusCode::NOT_FOUND, Said::default())
                } else {
                    (StatusCode::INTERNAL_SERVER_ERROR, said)
                }
            }
            Self::Foreign => (StatusCode::FORBIDDEN, Said::default()),
            Self::NotYours => (StatusCode::FORBIDDEN, Said::not_yours()),
            Self::Bad => (StatusCode::BAD_REQUEST, Said::default()),
            Self::Missing => (StatusCode::NOT_FOUND, Said::default()),
            Self::Broken(number) => {
                let said = Said {
                    text: number,
                    ..Said::default()
                };
                (StatusCode::INTERNAL_SERVER_ERROR, said)
            }
        };
        let mut response = status.into_response();
        response.extensions_mut().insert(said);
        response
    }
}

/// Whether an answer is a page.
pub(super) fn is_html(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

/// A failure that has no page yet, with a page around it in the browser's language.
pub(super) fn explained(session: &Session, mut response: Response) -> Response {
    let status = response.status();
    if is_html(&response) || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let said = response.extensions_mut().remove::<Said>();
    let said = said.unwrap_or_default();
    let f = Frame::new(session, "", "/");
    let (title, remedy) = match status {
        StatusCode::FORBIDDEN if said.not_yours => (f.w.not_yours, f.w.not_yours_remedy),
        StatusCode::FORBIDDEN => (f.w.forbidden, f.w.forbidden_remedy),
        StatusCode::NOT_FOUND => (f.w.not_found, f.w.not_found_remedy),
        _ if status.is_client_error() => (f.w.bad_request, f.w.forbidden_remedy),
        _ => (f.w.broken, f.w.broken_remedy),
    };
    let page = Message {
        title,
        problem: Problem {
            text: said.text,
            foreign: !said.remedy.is_empty(),
            remedy: if said.remedy.is_empty() {
                remedy.to_owned()
            } else {
                said.remedy
            },
            code: "",
        },
        status: Some(status.as_u16()),
        back: "/",
        f: &f,
    };
    (status, render(&page)).into_response()
}

#[derive(Template)]
#[template(path = "message.html", config = "examples/erp_host/askama.toml")]
struct Message<'a> {
    f: &'a Frame,
    status: Option<u16>,
    title: &'a str,
    problem: Problem,
    back: &'a str,
}

/// A page about an error of the library, with the way back.
pub(super) fn refused(frame: &Frame, error: &Error, back: &str) -> Response {
    render(&Message {
        problem: Problem::of(frame, error),
        f: frame,
        status: None,
        title: frame.w.error,
        back,
    })
}

/// The page of an unknown address.
pub(super) async fn not_found() -> Failed {
    Failed::Missing
}
