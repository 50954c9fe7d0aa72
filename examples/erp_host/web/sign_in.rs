//! Signing in to the ERP, and the choice of a language.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use secrecy::ExposeSecret as _;
use serde::Deserialize;

use super::page::{Failed, Frame, own_form, render};
use super::session::Session;
use crate::erp::Erp;
use crate::words::Language;

#[derive(Template)]
#[template(path = "sign_in.html", config = "examples/erp_host/askama.toml")]
struct SignIn {
    f: Frame,
    wrong: bool,
}

pub(super) async fn show(Extension(session): Extension<Session>) -> Response {
    render(&SignIn {
        f: frame(&session),
        wrong: false,
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Typed {
    token: String,
    #[serde(default)]
    password: String,
}

pub(super) async fn check(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(typed): Form<Typed>,
) -> Result<Response, Failed> {
    own_form(&session, &typed.token)?;
    // Digests are compared, so that the time tells nothing of the password.
    let digest = |text: &str| blake3::hash(text.as_bytes());
    let expected = erp.password.as_ref();
    let right = expected
        .is_some_and(|password| digest(password.expose_secret()) == digest(&typed.password));
    if right {
        let renewed = erp.sessions.renewed(&session.id).ok_or(Failed::Missing)?;
        let cookie = renewed.cookie(erp.origin.starts_with("https:"));
        let cookie = [(axum::http::header::SET_COOKIE, cookie)];
        return Ok((cookie, Redirect::to("/")).into_response());
    }
    // Guessing is slow.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    Ok(render(&SignIn {
        f: frame(&session),
        wrong: true,
    }))
}

fn frame(session: &Session) -> Frame {
    let mut frame = Frame::new(session, "", "/sign-in");
    frame.locked = !session.signed_in;
    frame
}

#[derive(Debug, Deserialize)]
pub(super) struct Pressed {
    token: String,
}

pub(super) async fn out(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(pressed): Form<Pressed>,
) -> Result<Redirect, Failed> {
    own_form(&session, &pressed.token)?;
    erp.sessions.end(&session.id);
    Ok(Redirect::to("/sign-in"))
}

#[derive(Debug, Deserialize)]
pub(super) struct Chosen {
    token: String,
    language: String,
    back: String,
}

pub(super) async fn language(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(chosen): Form<Chosen>,
) -> Result<Redirect, Failed> {
    own_form(&session, &chosen.token)?;
    if let Some(language) = Language::from_code(&chosen.language) {
        erp.sessions
            .change(&session.id, |session| session.language = language);
    }
    Ok(Redirect::to(super::local(&chosen.back)))
}
