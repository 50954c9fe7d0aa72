//! The pages: their routes, and what holds for all of them.

mod activity;
mod assistant;
mod contacts;
mod entries;
mod export;
mod health;
mod home;
mod mails;
mod never_log;
mod opportunities;
mod page;
mod review;
mod session;
mod settings;
mod sign_in;
mod validation;
mod why;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::erp::Erp;

pub(crate) use session::Sessions;

/// Where the identity service sends the administrator's browser back to.
pub(crate) const LANDING: &str = "/OAuthLanding.htm";

/// Pages load nothing from elsewhere and run no script; a frame shows originals only.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'self'";

/// What the frame of an original may do: open links, and nothing else.
pub(crate) const FRAME: &str = email_logging::view::HtmlView::SANDBOX;

/// Every route of the ERP.
pub(crate) fn router(erp: Arc<Erp>) -> Router {
    Router::new()
        .route("/", get(home::show))
        .route("/contacts", get(contacts::list))
        .route("/contacts/{no}", get(contacts::card))
        .route("/contacts/{no}/entries", get(mails::history))
        .route("/mails", get(mails::all))
        .route("/export/{format}", get(export::export))
        .route("/review", get(review::list))
        .route("/review/item", get(review::show))
        .route("/review/assign", post(review::assign))
        .route("/review/ignore", post(review::ignore))
        .route("/review/reopen", post(review::reopen))
        .route("/review/contact", post(review::create_contact))
        .route("/never-log", get(never_log::show).post(never_log::change))
        .route("/assistant", get(assistant::show).post(assistant::act))
        .route("/assistant/validate", post(assistant::validate))
        .route("/entries/{id}", get(entries::show))
        .route("/entries/{id}/original", get(entries::original))
        .route("/entries/{id}/original.eml", get(entries::download))
        .route("/entries/{id}/cancel", post(entries::cancel))
        .route("/entries/{id}/comment", post(entries::comment))
        .route("/entries/{id}/evaluation", post(entries::evaluate))
        .route("/entries/{id}/opportunity", post(opportunities::create))
        .route(
            "/entries/{id}/attachments/{index}",
            get(entries::attachment),
        )
        .route("/opportunities", get(opportunities::list))
        .route(
            "/opportunities/{no}",
            get(opportunities::show).post(opportunities::change),
        )
        .route("/why", get(why::show))
        .route("/activity", get(activity::show))
        .route("/health", get(health::show))
        .route("/health/run", post(health::run))
        .route("/health/mail", post(health::mail))
        .route("/settings", get(settings::show).post(settings::save))
        .route("/settings/enable", post(settings::enable))
        .route("/settings/disable", post(settings::disable))
        .route("/settings/clear", post(settings::clear))
        .route("/settings/validate", post(validation::run))
        .route(LANDING, get(settings::landing))
        .route("/sign-in", get(sign_in::show).post(sign_in::check))
        .route("/sign-out", post(sign_in::out))
        .route("/language", post(sign_in::language))
        .fallback(page::not_found)
        .layer(middleware::from_fn_with_state(Arc::clone(&erp), guard))
        .route("/style.css", get(style))
        .route(
            "/favicon.ico",
            get(|| async { axum::http::StatusCode::NO_CONTENT }),
        )
        .layer(middleware::from_fn_with_state(Arc::clone(&erp), headers))
        .with_state(erp)
}

async fn style() -> impl IntoResponse {
    let kind = (header::CONTENT_TYPE, "text/css; charset=utf-8");
    ([kind], include_str!("style.css"))
}

/// Who may see a page, and where a form may come from.
async fn guard(State(erp): State<Arc<Erp>>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    // The frame of an original shows no page.
    let page = request.method() == Method::GET && !path.ends_with("/original");
    let (session, new) = if page {
        erp.sessions.of_page(request.headers())
    } else {
        erp.sessions.of(request.headers())
    };
    let open = path == "/sign-in" || path == "/language";
    if erp.password.is_some() && !session.signed_in && !open {
        return Redirect::to("/sign-in").into_response();
    }
    let foreign = request.method() == Method::POST && !comes_from_here(&erp, &request);
    let cookie = new.then(|| session.cookie(erp.origin.starts_with("https:")));
    request.extensions_mut().insert(session.clone());
    let response = if foreign {
        StatusCode::FORBIDDEN.into_response()
    } else {
        next.run(request).await
    };
    let mut response = page::explained(&session, response);
    if let Some(cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// A browser names the page of a form in `Origin`; the form's own token is checked where it is read.
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

/// The page to go back to: a path of this program, never another site.
fn local(target: &str) -> &str {
    let parsed = target.parse::<Uri>().ok();
    let relative = parsed.is_some_and(|uri| uri.host().is_none());
    let safe = relative && target.starts_with('/') && !target.starts_with("//");
    if safe { target } else { "/" }
}
