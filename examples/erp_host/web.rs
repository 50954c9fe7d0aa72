//! The pages: their routes, and what holds for all of them.

mod activity;
mod assistant;
mod contacts;
mod edit;
mod entries;
mod erasure;
mod export;
mod health;
mod home;
mod mails;
mod many;
mod merge;
mod never_log;
mod opportunities;
mod opportunity;
mod original;
mod page;
mod privacy;
mod review;
mod session;
mod settings;
mod sight;
mod sign_in;
mod subject;
mod validation;
mod why;

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Form, FromRequest as _, Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::erp::Erp;
use page::Failed;
use session::Session;

pub(crate) use original::Originals;
pub(crate) use session::Sessions;
pub(crate) use sight::PrivateMail;
pub(crate) use sign_in::Guesses;

/// Where the identity service sends the administrator's browser back to.
pub(crate) const LANDING: &str = "/OAuthLanding.htm";

/// Pages load nothing from elsewhere and run no script; a frame shows originals only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// What the frame of an original may do: open links, and nothing else.
pub(crate) const FRAME: &str = email_logging::view::HtmlView::SANDBOX;

/// Every route of the ERP.
pub(crate) fn router(erp: Arc<Erp>) -> Router {
    sales()
        .merge(administration())
        .route("/sign-in", get(sign_in::show).post(sign_in::check))
        .route("/sign-out", post(sign_in::out))
        .route("/language", post(sign_in::language))
        .fallback(page::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&erp), guard))
        .route("/style.css", get(style))
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .layer(middleware::from_fn_with_state(Arc::clone(&erp), headers))
        .with_state(erp)
}

/// What a salesperson works with.
fn sales() -> Router<Arc<Erp>> {
    Router::new()
        .route("/", get(home::show))
        .route("/contacts", get(contacts::list))
        .route("/contacts/{no}", get(contacts::card))
        .route("/contacts/{no}/edit", get(edit::show).post(edit::save))
        .route("/contacts/{no}/merge", post(merge::merge))
        .route("/contacts/{no}/rematch", get(edit::ask).post(edit::rematch))
        .route("/contacts/{no}/entries", get(mails::history))
        .route("/mails", get(mails::all))
        .route("/export/{format}", get(export::export))
        .route("/entries/{id}", get(entries::show))
        .route("/entries/{id}/original", get(entries::original))
        .route("/entries/{id}/original.eml", get(entries::download))
        .route(
            "/entries/{id}/attachments/{index}",
            get(entries::attachment),
        )
        .route("/entries/{id}/cancel", post(entries::cancel))
        .route("/entries/{id}/comment", post(entries::comment))
        .route("/entries/{id}/evaluation", post(entries::evaluate))
        .route("/entries/{id}/private", post(privacy::mark))
        .route("/entries/{id}/hold", post(privacy::hold))
        .route(
            "/entries/{id}/remove",
            get(privacy::ask).post(privacy::remove),
        )
        .route("/entries/{id}/opportunity", post(opportunity::create))
        .route("/opportunities", get(opportunities::list))
        .route(
            "/opportunities/{no}",
            get(opportunity::show).post(opportunity::change),
        )
        .route("/opportunities/{no}/delete", post(opportunity::delete))
        .route("/activity", get(activity::show))
        .route("/why", get(why::show))
}

/// How the mail comes in, and what becomes of it.
fn administration() -> Router<Arc<Erp>> {
    Router::new()
        .route("/review", get(review::list))
        .route("/review/item", get(review::show))
        .route("/review/assign", post(review::assign))
        .route("/review/many", post(many::resolve))
        .route("/review/ignore", post(review::ignore))
        .route("/review/reopen", post(review::reopen))
        .route("/review/contact", post(review::create_contact))
        .route("/never-log", get(never_log::show).post(never_log::change))
        .route("/health", get(health::show))
        .route("/health/run", post(health::run))
        .route("/health/mail", post(health::mail))
        .route("/privacy", get(erasure::show))
        .route("/privacy/export", post(subject::export))
        .route("/privacy/canceled", post(erasure::canceled))
        .route("/privacy/retention", post(erasure::retain))
        .route("/privacy/erase", post(erasure::erase))
        .route("/assistant", get(assistant::show).post(assistant::act))
        .route("/assistant/validate", post(assistant::validate))
        .route("/settings", get(settings::show).post(settings::save))
        .route("/settings/enable", post(settings::enable))
        .route("/settings/disable", post(settings::disable))
        .route("/settings/clear", post(settings::clear))
        .route("/settings/validate", post(validation::run))
        .route(LANDING, get(settings::landing))
}

async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind], include_str!("style.css"))
}

/// Bytes of a form.
const FORM: usize = 1 << 20;

/// Pages of the administration alone.
const ADMINISTRATION: [&str; 5] = [
    "/settings",
    "/assistant",
    "/privacy",
    "/health/run",
    LANDING,
];

/// Who may see a page, and where a form may come from.
async fn guard(State(erp): State<Arc<Erp>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (session, new) = erp.sessions.of(request.headers());
    let cookie = new.then(|| session.cookie(erp.origin.starts_with("https:")));
    let open = path == "/sign-in" || path == "/language";
    if session.person.is_none() && !open {
        return Redirect::to("/sign-in").into_response();
    }
    // The frame of an original shows no page.
    let is_page = request.method() == Method::GET && !path.ends_with("/original");
    request.extensions_mut().insert(session.clone());
    let response = match allowed(&erp, &session, &path, request).await {
        Ok(request) => next.run(request).await,
        Err(failed) => failed.into_response(),
    };
    let mut response = page::explained(&session, response);
    if is_page && session.flash.is_some() && page::is_html(&response) {
        // What it says about the last action is said once.
        erp.sessions.change(&session.id, |kept| kept.flash = None);
    }
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        let begun = response.headers().contains_key(header::SET_COOKIE) && path == "/sign-in";
        if !begun {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// The request, if its person may make it, and if a form of this browser did. No handler sees any other.
async fn allowed(
    erp: &Erp,
    session: &Session,
    path: &str,
    request: Request,
) -> Result<Request, Failed> {
    let closed = ADMINISTRATION.iter().any(|begin| path.starts_with(begin));
    if closed && !session.is_administration() {
        return Err(Failed::NotYours);
    }
    if request.method() != Method::POST {
        return Ok(request);
    }
    if !comes_from_here(erp, &request) {
        return Err(Failed::Foreign);
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, FORM).await.map_err(|_| Failed::Bad)?;
    let again = |bytes: Bytes| Request::from_parts(head.clone(), Body::from(bytes));
    let fields = Form::<Vec<(String, String)>>::from_request(again(body.clone()), &()).await;
    let Form(fields) = fields.map_err(|_| Failed::Foreign)?;
    let token = fields.iter().find(|(name, _)| name == "token");
    if token.is_none_or(|(_, token)| *token != session.token) {
        return Err(Failed::Foreign);
    }
    Ok(again(body))
}

/// A browser names the page of a form in `Origin`.
fn comes_from_here(erp: &Erp, request: &Request) -> bool {
    let origin = request.headers().get(header::ORIGIN);
    origin.is_none_or(|origin| origin.as_bytes() == erp.origin.as_bytes())
}

/// The host is checked against DNS rebinding, and every answer says what a browser must not do with it.
async fn headers(State(erp): State<Arc<Erp>>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST);
    let own = erp.origin.split_once("://").map(|(_, host)| host);
    if host.and_then(|host| host.to_str().ok()) != own {
        return (StatusCode::MISDIRECTED_REQUEST, "unknown host\n").into_response();
    }
    let mut response = next.run(request).await;
    let all = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in all {
        let given = response.headers_mut().entry(name);
        given.or_insert(HeaderValue::from_static(value));
    }
    response
}
