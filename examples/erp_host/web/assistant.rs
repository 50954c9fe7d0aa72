//! The assisted set-up as pages: what a person did becomes events of the guide, and what the guide asks for is carried out.

mod carry_out;
mod page;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use email_logging::setup::{
    AssistedSetup, AuthenticationType, ClientSecret, EmailLoggingSetup, FolderVariant, GuideAnswer,
    GuideCheck, GuideEvent, GuideOptions, GuideReason, GuideRequest, GuideStatus, GuideStep,
    GuideTicket, MailService,
};
use email_logging::source::FolderPath;
use email_logging::store::SecretName;
use jiff::Timestamp;
use secrecy::SecretString;

use super::page::{Failed, Frame, done};
use super::session::Session;
use super::validation::{ended, live, tell};
use crate::company;
use crate::erp::{Erp, TEMPLATE};

const HERE: &str = "/assistant";

/// A guide that is open, with what the host keeps for it until it is finished.
#[derive(Debug, Clone)]
pub(crate) struct Assistant {
    guide: AssistedSetup,
    online: bool,
    /// Client id and secret.
    client: Option<(String, SecretString)>,
    /// User name and password.
    login: Option<(String, SecretString)>,
    plan: Option<String>,
    awaiting: Option<Awaiting>,
}

/// A consent that the identity service has to answer.
#[derive(Debug, Clone)]
struct Awaiting {
    ticket: GuideTicket,
    setup: Box<EmailLoggingSetup>,
    pending: SecretString,
}

impl Assistant {
    fn new(erp: &Erp, online: bool, existing: &EmailLoggingSetup) -> Self {
        let now = Timestamp::now();
        let options = if online {
            GuideOptions::online(now).with_graph(true)
        } else {
            GuideOptions::on_premises(now)
        };
        let landing = format!("{}{}", erp.origin, super::LANDING);
        let existing = &moving_to(erp, online, existing);
        let options = options.with_redirect_url(landing).with_setup(existing);
        Self {
            guide: AssistedSetup::new(options),
            online,
            client: None,
            login: None,
            plan: None,
            awaiting: None,
        }
    }

    /// Whether the landing page is this one's.
    pub(super) fn is_awaiting_consent(&self) -> bool {
        self.awaiting.is_some()
    }
}

/// The set-up that a guide begins with. One of a server of our own says nothing of how Exchange Online is reached, and Graph
/// nothing of a server of our own.
fn moving_to(erp: &Erp, online: bool, existing: &EmailLoggingSetup) -> EmailLoggingSetup {
    let mut setup = existing.clone();
    let was_online = setup.mail_service == MailService::Graph
        || setup
            .service_address()
            .is_ok_and(|it| it.is_exchange_online());
    if online == was_online {
        return setup;
    }
    let (service, client) = if online {
        (MailService::Graph, company::GRAPH_CLIENT)
    } else {
        (MailService::Ews, company::CLIENT)
    };
    setup.mail_service = service;
    if erp.company.is_some() {
        setup.exchange_client_id = Some(client.to_owned());
    }
    setup
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Response {
    page::page(&erp, &session, session.assistant.as_deref(), None).await
}

/// What a form of the assistant says.
type Fields = BTreeMap<String, String>;

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    fields.get(name).map(String::as_str).unwrap_or_default()
}

pub(super) async fn act(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(fields): Form<Fields>,
) -> Result<Response, Failed> {
    let action = text(&fields, "action");
    let keep = |assistant: Option<Assistant>| {
        erp.sessions.change(&session.id, |session| {
            session.assistant = assistant.map(Box::new);
        });
    };
    if let "online" | "on-premises" = action {
        let existing = erp.administration.load(&erp.scope).await?.setup;
        keep(Some(Assistant::new(&erp, action == "online", &existing)));
        return Ok(Redirect::to(HERE).into_response());
    }
    let Some(mut assistant) = session.assistant.as_deref().cloned() else {
        return Ok(Redirect::to(HERE).into_response());
    };
    let acted = apply(&erp, &mut assistant, &fields, action).await;
    let status = assistant.guide.status();
    if matches!(status, GuideStatus::Completed | GuideStatus::NotCompleted) {
        keep(None);
        erp.wake.notify_one();
        let completed = status == GuideStatus::Completed;
        return Ok(if completed {
            done(&erp, &session, "/settings", |w| w.saved).into_response()
        } else {
            Redirect::to("/settings").into_response()
        });
    }
    keep(Some(assistant.clone()));
    match acted {
        Ok(Some(url)) => Ok(super::settings::go_there(&session, HERE, url)),
        Ok(None) => Ok(Redirect::to(HERE).into_response()),
        Err(reason) => Ok(page::page(&erp, &session, Some(&assistant), Some(reason.code())).await),
    }
}

/// Takes a form in. Answers where an administrator signs in, if that is asked for.
async fn apply(
    erp: &Erp,
    assistant: &mut Assistant,
    fields: &Fields,
    action: &str,
) -> Result<Option<String>, GuideReason> {
    // What is chosen on the first page counts also for who only opens the instructions.
    if let "help" | "plan" = action {
        for event in choices(&assistant.guide, fields) {
            handle(erp, assistant, event).await?;
        }
    }
    match action {
        "back" => return handle(erp, assistant, GuideEvent::Back).await,
        "leave" => return handle(erp, assistant, GuideEvent::Close).await,
        "leave-yes" => return handle(erp, assistant, GuideEvent::CloseConfirmed(true)).await,
        "stay" => return handle(erp, assistant, GuideEvent::CloseConfirmed(false)).await,
        "help" => return handle(erp, assistant, GuideEvent::OpenHelp).await,
        "plan" => return handle(erp, assistant, GuideEvent::ShowPlan).await,
        "sign-in" => return handle(erp, assistant, GuideEvent::SignIn).await,
        _ => {}
    }
    for event in of_page(erp, assistant, fields, action).await {
        handle(erp, assistant, event).await?;
    }
    match action {
        "next" => handle(erp, assistant, GuideEvent::Next).await,
        "finish" => handle(erp, assistant, GuideEvent::Finish).await,
        _ => Ok(None),
    }
}

/// Lets the guide take an event in, carries out what it asks for, and tells it how that came out.
async fn handle(
    erp: &Erp,
    assistant: &mut Assistant,
    event: GuideEvent,
) -> Result<Option<String>, GuideReason> {
    let mut url = None;
    for request in assistant.guide.handle(event)? {
        let (there, answer) = carry_out::carry_out(erp, assistant, request).await;
        url = there.or(url);
        if let Some(answer) = answer {
            assistant.guide.handle(answer)?;
        }
    }
    Ok(url)
}

/// The events of the page that is open, with what was typed on it.
async fn of_page(
    erp: &Erp,
    assistant: &Assistant,
    fields: &Fields,
    action: &str,
) -> Vec<GuideEvent> {
    let typed = |name: &str| text(fields, name).trim().to_owned();
    let ticked = |name: &str| fields.contains_key(name);
    let guide = &assistant.guide;
    match guide.step() {
        GuideStep::Intro => {
            let mut events = choices(guide, fields);
            if ticked("prepared") {
                events.push(GuideEvent::ManualSetupDone(true));
            }
            events
        }
        GuideStep::Client => vec![GuideEvent::EnterClient {
            client_id: typed("client-id"),
            secret: secret(erp, text(fields, "client-secret")).await,
            redirect_url: Some(typed("redirect-url")),
        }],
        GuideStep::LoginPass => vec![GuideEvent::EnterLogin {
            user_name: typed("user-name"),
            password: SecretString::from(text(fields, "password")),
        }],
        GuideStep::Mailbox => {
            let mut events = vec![GuideEvent::EnterAddress(typed("address"))];
            if !assistant.online {
                events.push(GuideEvent::EnterServiceUrl(typed("service-url")));
            }
            let changed = typed("address") != guide.address();
            if action == "check" || changed || guide.connection() != &GuideCheck::Passed {
                events.push(GuideEvent::CheckConnection);
            }
            events
        }
        GuideStep::Folders => folders(guide, fields, action),
        GuideStep::MailFlowRules if ticked("rules") => vec![GuideEvent::RulesDone(true)],
        GuideStep::Done => {
            let code = typed("template");
            vec![
                GuideEvent::ChooseTemplate {
                    exists: code == TEMPLATE,
                    code: Some(code),
                },
                GuideEvent::ScheduleJob(ticked("job")),
            ]
        }
        _ => Vec::new(),
    }
}

/// How the mailbox is reached, and how the job signs in. Another service has to be prepared anew, so that the same one is not
/// chosen again.
fn choices(guide: &AssistedSetup, fields: &Fields) -> Vec<GuideEvent> {
    if guide.step() != GuideStep::Intro {
        return Vec::new();
    }
    let service = MailService::from_code(text(fields, "service"));
    let service = service.filter(|one| *one != guide.service());
    let how = AuthenticationType::from_code(text(fields, "authentication"));
    let service = service.map(GuideEvent::ChooseService);
    let how = how.map(GuideEvent::ChooseAuthentication);
    service.into_iter().chain(how).collect()
}

fn folders(guide: &AssistedSetup, fields: &Fields, action: &str) -> Vec<GuideEvent> {
    let mut events = Vec::new();
    let variant = match text(fields, "variant") {
        "shared-mailbox" => FolderVariant::SharedMailbox,
        "public-folders" => FolderVariant::PublicFolders,
        _ => guide.variant(),
    };
    let changed = variant != guide.variant();
    if changed {
        events.push(GuideEvent::ChooseVariant(variant));
    }
    let default = changed || fields.contains_key("default");
    if default != guide.default_folders() || changed {
        events.push(GuideEvent::UseDefaultFolders(default));
    }
    if !default {
        let path = |name: &str| text(fields, name).parse::<FolderPath>().ok();
        events.extend(path("queue").map(GuideEvent::ChooseQueue));
        events.extend(path("storage").map(GuideEvent::ChooseStorage));
    }
    match action {
        "create" => events.push(GuideEvent::CreateFolders),
        "look-up" => events.push(GuideEvent::LookUpFolders),
        _ if guide.folders() != &GuideCheck::Passed || !events.is_empty() => {
            events.push(GuideEvent::LookUpFolders);
        }
        _ => {}
    }
    events
}

/// What was typed; the stored secret where nothing was and there is one.
async fn secret(erp: &Erp, typed: &str) -> ClientSecret {
    let stored = erp.secrets.is_stored(&erp.scope, SecretName::ClientSecret);
    if typed.is_empty() && stored.await.unwrap_or(false) {
        ClientSecret::Stored
    } else {
        ClientSecret::Given(SecretString::from(typed))
    }
}

/// The identity service has sent the browser back.
pub(super) async fn signed_in(erp: &Erp, session: &Session, callback: &str) -> Response {
    let Some(mut assistant) = session.assistant.as_deref().cloned() else {
        return Redirect::to(HERE).into_response();
    };
    let answer = carry_out::consented(erp, &mut assistant, callback).await;
    if let Some(answer) = answer {
        // An answer to an older question is no error.
        let _ = assistant.guide.handle(answer);
    }
    erp.sessions.change(&session.id, |session| {
        session.assistant = Some(Box::new(assistant));
    });
    Redirect::to(HERE).into_response()
}

/// Runs the checks, each sent the moment that it ends.
pub(super) async fn validate(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
) -> Result<Response, Failed> {
    let Some(mut assistant) = session.assistant.as_deref().cloned() else {
        return Ok(Redirect::to(HERE).into_response());
    };
    let asked = assistant.guide.handle(GuideEvent::Validate);
    let asked = asked.ok().and_then(|requests| requests.into_iter().next());
    let Some(GuideRequest::Validate { ticket, setup }) = asked else {
        return Ok(Redirect::to(HERE).into_response());
    };
    let connector = carry_out::connector(&erp, &assistant);
    let administration = connector.and_then(|one| erp.administration_with(one).ok());
    let Some(administration) = administration else {
        return Err(Failed::Missing);
    };
    erp.sessions.change(&session.id, |session| {
        session.assistant = Some(Box::new(assistant));
    });
    let f = Frame::new(&session, "settings", HERE);
    Ok(live(f, HERE, |f, told| async move {
        let mut tell = |result: &_| tell(&told, &f, result);
        let report = administration
            .validate_guide(&erp.scope, &setup, &mut tell)
            .await;
        let answer = if report.is_green() {
            GuideAnswer::Passed
        } else {
            GuideAnswer::Failed(GuideReason::ValidationFailed.code().to_owned())
        };
        erp.sessions.change(&session.id, |session| {
            if let Some(assistant) = &mut session.assistant {
                let _ = assistant
                    .guide
                    .handle(GuideEvent::Validated { ticket, answer });
            }
        });
        // A browser that went away takes nothing.
        let _ = told.send(ended(&f, &report));
    }))
}
