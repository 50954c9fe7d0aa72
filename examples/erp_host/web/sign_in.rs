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
    let f = Frame::new(&session, "", "/sign-in");
    render(&SignIn { f, wrong: false })
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
        erp.sessions
            .change(&session.id, |session| session.signed_in = true);
        return Ok(Redirect::to("/").into_response());
    }
    // Guessing is slow.
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    let f = Frame::new(&session, "", "/sign-in");
    Ok(render(&SignIn { f, wrong: true }))
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
