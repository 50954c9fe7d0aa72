//! Signing in to the ERP as somebody, and the choice of a language.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use email_logging::SalespersonCode;
use serde::Deserialize;

use super::page::{Frame, render};
use super::session::{Person, Session};
use crate::erp::Erp;
use crate::passwords::ADMINISTRATION;
use crate::words::Language;

/// Wrong passwords at once, of all people together; one more is allowed each second.
const WRONG_AT_ONCE: f64 = 10.0;

/// How many more wrong passwords are looked at.
///
/// It is one account for everybody: guesses in parallel, or from many places, are no faster.
#[derive(Debug)]
pub(crate) struct Guesses(Mutex<(f64, Instant)>);

impl Default for Guesses {
    fn default() -> Self {
        Self(Mutex::new((WRONG_AT_ONCE, Instant::now())))
    }
}

impl Guesses {
    /// Looks at a password, unless too many were wrong; `None` where it was not looked at.
    fn look(&self, right: impl FnOnce() -> bool) -> Option<bool> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, at) = *kept;
        let left = (left + at.elapsed().as_secs_f64()).min(WRONG_AT_ONCE);
        if left < 1.0 {
            return None;
        }
        let right = right();
        *kept = (if right { left } else { left - 1.0 }, Instant::now());
        Some(right)
    }
}

#[derive(Template)]
#[template(path = "sign_in.html", config = "examples/erp_host/askama.toml")]
struct SignIn {
    f: Frame,
    problem: Option<&'static str>,
    needed: bool,
    people: Vec<(String, String)>,
    chosen: String,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Response {
    page(&erp, &session, None, None)
}

fn page(
    erp: &Erp,
    session: &Session,
    chosen: Option<&str>,
    problem: Option<&'static str>,
) -> Response {
    let f = Frame::new(session, "", "/sign-in");
    let now = session.person.as_ref().map(Person::code);
    let mut people = erp.salespeople();
    people.push((ADMINISTRATION.to_owned(), f.w.the_administration.to_owned()));
    render(&SignIn {
        problem,
        needed: erp.passwords.are_needed(),
        people,
        chosen: chosen.or(now).unwrap_or_default().to_owned(),
        f,
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    person: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn check(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(typed): Form<Typed>,
) -> Response {
    let w = session.language.words();
    let chosen = Some(typed.person.as_str());
    let right = || erp.passwords.open(&typed.person, &typed.password);
    let right = if erp.passwords.are_needed() {
        erp.guesses.look(right)
    } else {
        Some(true)
    };
    let person = if typed.person == ADMINISTRATION {
        Some(Person::Administration)
    } else {
        let name = erp.people.salesperson(&typed.person);
        let code = SalespersonCode::new(typed.person.as_str());
        name.map(|name| Person::Salesperson(code, name.to_owned()))
    };
    match (right, person) {
        (Some(true), Some(person)) => {
            let begun = erp.sessions.begin(&session, person);
            let cookie = begun.cookie(erp.origin.starts_with("https:"));
            ([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response()
        }
        (None, _) => {
            let page = page(&erp, &session, chosen, Some(w.too_many_passwords));
            (StatusCode::TOO_MANY_REQUESTS, page).into_response()
        }
        _ => page(&erp, &session, chosen, Some(w.wrong_password)),
    }
}

pub(super) async fn out(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Redirect {
    erp.sessions.end(&session.id);
    Redirect::to("/sign-in")
}

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    language: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn language(State(erp): State<Arc<Erp>>, Form(chosen): Form<Chosen>) -> Response {
    let back = Redirect::to(local(&chosen.back));
    let Some(language) = Language::from_code(&chosen.language) else {
        return back.into_response();
    };
    let secure = if erp.origin.starts_with("https:") {
        "; Secure"
    } else {
        ""
    };
    let cookie = format!(
        "erp-language={}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax{secure}",
        language.code()
    );
    ([(header::SET_COOKIE, cookie)], back).into_response()
}

/// The page to go back to: a path of this program, never another site. Browsers read `\` as `/`, and leave some characters out.
fn local(target: &str) -> &str {
    let plain = target
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = target.starts_with('/') && !target.starts_with("//");
    if plain && path { target } else { "/" }
}
