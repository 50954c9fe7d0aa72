//! The set-up: its fields, its switch, the administrator's sign-in, and the validation.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, OriginalUri, State};
use axum::response::{IntoResponse, Redirect, Response};
use email_logging::error::Error;
use email_logging::setup::{EmailLoggingSetup, Enabling, SetupChange, SetupField};
use email_logging::source::FolderPath;
use email_logging::store::SecretName;
use secrecy::SecretString;

use super::health::sign_in_words;
use super::page::{Failed, Frame, Problem, done, refused, render};
use super::session::Session;
use super::{assistant, validation};
use crate::erp::Erp;
use crate::words::Words;

const AUTHENTICATION: [&str; 4] = ["oauth2", "oauth2-delegated", "access-token", "basic"];

const SERVICES: [&str; 2] = ["ews", "graph"];

struct Field {
    name: &'static str,
    label: &'static str,
    value: String,
    most: usize,
}

#[derive(Template)]
#[template(path = "settings.html", config = "examples/erp_host/askama.toml")]
struct Settings {
    f: Frame,
    enabled: bool,
    version: u64,
    signed_in: &'static str,
    fields: Vec<Field>,
    service: &'static str,
    services: Vec<(&'static str, String)>,
    authentication: &'static str,
    authentications: Vec<(&'static str, String)>,
    error: Option<Problem>,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    page(&erp, &session, None, None).await
}

/// The page; after a refusal with what was typed, but for secrets.
async fn page(
    erp: &Erp,
    session: &Session,
    error: Option<&Error>,
    typed: Option<&BTreeMap<String, String>>,
) -> Result<Response, Failed> {
    let f = Frame::new(session, "settings", "/settings");
    let status = erp.administration.status(&erp.scope).await?;
    let setup = erp.administration.load(&erp.scope).await?.setup;
    Ok(render(&Settings {
        enabled: status.enabled,
        version: status.version,
        signed_in: sign_in_words(&f, status.signed_in),
        fields: fields(f.w, &setup, typed),
        service: setup.mail_service.code(),
        services: SERVICES.map(|code| (code, f.say(code))).into(),
        authentication: setup.authentication_type.code(),
        authentications: AUTHENTICATION.map(|code| (code, f.say(code))).into(),
        error: error.map(|error| Problem::of(&f, error)),
        f,
    }))
}

/// The fields of the page with what they hold, in their order on it.
fn values(setup: &EmailLoggingSetup) -> [(SetupField, String); 9] {
    let path =
        |path: &Option<FolderPath>| path.as_ref().map(ToString::to_string).unwrap_or_default();
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        (
            SetupField::AutodiscoveryEmailAddress,
            text(&setup.autodiscovery_email_address),
        ),
        (
            SetupField::ExchangeServiceUrl,
            text(&setup.exchange_service_url),
        ),
        (SetupField::QueueFolder, path(&setup.queue_folder)),
        (SetupField::StorageFolder, path(&setup.storage_folder)),
        (
            SetupField::EmailBatchSize,
            setup.email_batch_size.to_string(),
        ),
        (
            SetupField::InteractionTemplateCode,
            text(&setup.interaction_template_code),
        ),
        (
            SetupField::ExchangeClientId,
            text(&setup.exchange_client_id),
        ),
        (
            SetupField::ExchangeRedirectUrl,
            text(&setup.exchange_redirect_url),
        ),
        (
            SetupField::ExchangeAccountUserName,
            text(&setup.exchange_account_user_name),
        ),
    ]
}

fn label(w: &Words, field: SetupField) -> &'static str {
    match field {
        SetupField::AutodiscoveryEmailAddress => w.address,
        SetupField::ExchangeServiceUrl => w.service_url,
        SetupField::QueueFolder => w.queue_folder,
        SetupField::StorageFolder => w.storage_folder,
        SetupField::EmailBatchSize => w.batch_size,
        SetupField::InteractionTemplateCode => w.template,
        SetupField::ExchangeClientId => w.client_id,
        SetupField::ExchangeRedirectUrl => w.redirect_url,
        SetupField::ExchangeAccountUserName => w.user_name,
        _ => w.authentication,
    }
}

fn fields(
    w: &Words,
    setup: &EmailLoggingSetup,
    typed: Option<&BTreeMap<String, String>>,
) -> Vec<Field> {
    let all = values(setup).into_iter().map(|(field, value)| Field {
        name: field.code(),
        label: label(w, field),
        value: typed
            .and_then(|typed| typed.get(field.code()))
            .map_or(value, String::clone),
        most: field.limit().unwrap_or(10),
    });
    all.collect()
}

pub(super) async fn save(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(form): Form<BTreeMap<String, String>>,
) -> Result<Response, Failed> {
    match store(&erp, &form).await {
        Ok(()) => Ok(done(&erp, &session, "/settings", |w| w.saved).into_response()),
        Err(error) => page(&erp, &session, Some(&error), Some(&form)).await,
    }
}

/// Stores the fields and the secrets that were typed; a blank secret is kept.
async fn store(erp: &Erp, form: &BTreeMap<String, String>) -> Result<(), Error> {
    let seen = form.get("version").and_then(|text| text.parse().ok());
    let mut changes = Vec::new();
    let current = erp.administration.load(&erp.scope).await?.setup;
    // What the page shows and a person left as it is, is no change.
    let service = current.mail_service.code().to_owned();
    let authentication = current.authentication_type.code().to_owned();
    // The service comes first: a change of it clears the address of the other one, and not the one that is typed beside it.
    let shown = [(SetupField::MailService, service)].into_iter();
    let shown = shown.chain(values(&current));
    for (field, old) in shown.chain([(SetupField::AuthenticationType, authentication)]) {
        let typed = form.get(field.code());
        if let Some(text) = typed.filter(|text| text.trim() != old) {
            changes.push(SetupChange::from_text(field, text)?);
        }
    }
    erp.administration
        .change(&erp.scope, seen, &changes)
        .await?;
    let secrets = [
        ("client-secret", SecretName::ClientSecret),
        ("account-password", SecretName::AccountPassword),
    ];
    for (name, secret) in secrets {
        let typed = form.get(name).filter(|text| !text.is_empty());
        if let Some(typed) = typed {
            let value = SecretString::from(typed.as_str());
            erp.secrets.put(&erp.scope, secret, &value).await?;
        }
    }
    Ok(())
}

/// Switches on. Where an administrator has to sign in, the whole page goes there and comes back.
pub(super) async fn enable(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let enabling = erp.administration.enable(&erp.scope, &mut |_| ()).await;
    let enabling = match enabling {
        Ok(enabling) => enabling,
        Err(error) => return page(&erp, &session, Some(&error), None).await,
    };
    match enabling {
        Enabling::ConsentNeeded(needed) => match needed.request {
            Some(request) => {
                erp.sessions.change(&session.id, |session| {
                    session.pending = Some(request.pending);
                });
                Ok(go_there(&session, "/settings", request.authorize_url))
            }
            None => page(&erp, &session, Some(&needed.reason), None).await,
        },
        Enabling::Invalid(report) => Ok(validation::report(&session, &report)),
        _ => {
            erp.wake.notify_one();
            Ok(done(&erp, &session, "/settings", |w| w.flash_on).into_response())
        }
    }
}

/// The way to the identity service: a link, as a browser lets no form of ours lead to another site.
#[derive(Template)]
#[template(path = "consent.html", config = "examples/erp_host/askama.toml")]
struct GoThere {
    f: Frame,
    back: &'static str,
    url: String,
}

/// The page that leads to the identity service.
pub(super) fn go_there(session: &Session, back: &'static str, url: String) -> Response {
    let f = Frame::new(session, "settings", "/settings");
    render(&GoThere { f, back, url })
}

/// The identity service sends the browser back here.
pub(super) async fn landing(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    OriginalUri(uri): OriginalUri,
) -> Result<Response, Failed> {
    let query = uri.query().unwrap_or_default();
    let callback = format!("{}{}?{query}", erp.origin, super::LANDING);
    if session
        .assistant
        .as_ref()
        .is_some_and(|one| one.is_awaiting_consent())
    {
        return Ok(assistant::signed_in(&erp, &session, &callback).await);
    }
    let frame = Frame::new(&session, "settings", "/settings");
    let Some(pending) = session.pending.clone() else {
        return Err(Failed::Missing);
    };
    erp.sessions
        .change(&session.id, |session| session.pending = None);
    let setup = erp.administration.load(&erp.scope).await?.setup;
    let finished = erp
        .consents
        .of(&setup)
        .finish(&erp.administration, &erp.scope, &pending, &callback)
        .await;
    match finished {
        Ok(_) => Ok(done(&erp, &session, "/settings", |w| w.consent_given).into_response()),
        Err(error) => Ok(refused(&frame, &error, "/settings")),
    }
}

pub(super) async fn disable(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Redirect, Failed> {
    erp.administration.disable(&erp.scope).await?;
    Ok(done(&erp, &session, "/settings", |w| w.flash_off))
}

pub(super) async fn clear(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    match erp.administration.clear(&erp.scope).await {
        Ok(_) => Ok(done(&erp, &session, "/settings", |w| w.flash_cleared).into_response()),
        Err(error) => page(&erp, &session, Some(&error), None).await,
    }
}
