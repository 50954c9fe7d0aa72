//! The page of the step that is open.

use askama::Template;
use axum::response::Response;
use email_logging::setup::{AssistedSetup, GuideCheck, GuideStatus, GuideStep, MailService};
use email_logging::store::SecretName;

use super::Assistant;
use crate::erp::{Erp, TEMPLATE};
use crate::web::page::{Frame, render};
use crate::web::session::Session;

const AUTHENTICATION: [&str; 3] = ["oauth2", "oauth2-delegated", "basic"];

#[derive(Template)]
#[template(
    path = "assistant_start.html",
    config = "examples/erp_host/askama.toml"
)]
struct Start {
    f: Frame,
    enabled: bool,
}

#[derive(Template)]
#[template(path = "assistant.html", config = "examples/erp_host/askama.toml")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a box or a button of the page"
)]
struct Step {
    f: Frame,
    /// The steps of this way: number, words, and where they stand.
    steps: Vec<(usize, String, &'static str)>,
    page: &'static str,
    title: String,
    text: String,
    reason: Option<String>,
    /// What the host met, by code.
    met: Option<String>,
    warnings: Vec<String>,
    check: Option<(&'static str, &'static str)>,
    closing: bool,
    last: bool,
    can_back: bool,
    online: bool,
    /// What has to be prepared, a sentence each, once somebody asked.
    instructions: Vec<String>,
    prepared: bool,
    plan: Option<String>,
    service: &'static str,
    /// The services that can be chosen.
    services: Vec<(&'static str, String)>,
    authentication: &'static str,
    authentications: Vec<(&'static str, String)>,
    client_id: String,
    redirect_url: String,
    secret_stored: bool,
    user_name: String,
    address: String,
    service_url: String,
    variant: &'static str,
    variants: Vec<(&'static str, String)>,
    default: bool,
    queue: String,
    storage: String,
    rules: bool,
    template: &'static str,
}

/// Where the guide stands, or how to begin.
pub(super) async fn page(
    erp: &Erp,
    session: &Session,
    assistant: Option<&Assistant>,
    refused: Option<&'static str>,
) -> Response {
    let f = Frame::new(session, "settings", super::HERE);
    let stored = erp.secrets.is_stored(&erp.scope, SecretName::ClientSecret);
    let secret_stored = stored.await.unwrap_or(false);
    let Some(assistant) = assistant else {
        let setup = erp.administration.load(&erp.scope).await;
        let enabled = setup.is_ok_and(|stored| stored.setup.enabled);
        return render(&Start { f, enabled });
    };
    render(&step(f, assistant, refused, secret_stored))
}

fn step(f: Frame, assistant: &Assistant, refused: Option<&str>, secret_stored: bool) -> Step {
    let guide = &assistant.guide;
    let setup = guide.setup();
    let here = guide.step();
    let steps = guide.steps();
    let at = steps
        .iter()
        .position(|one| *one == here)
        .unwrap_or_default();
    let path = |path: &Option<email_logging::source::FolderPath>| {
        path.as_ref().map(ToString::to_string).unwrap_or_default()
    };
    let codes = |all: &[&'static str]| {
        let all = all.iter().copied();
        all.map(|code| (code, f.say(code))).collect::<Vec<_>>()
    };
    let check = check_of(assistant, here);
    let ways = if assistant.online { 2 } else { 3 };
    Step {
        steps: marked(&f, &steps, at),
        page: here.code(),
        title: f.say(&format!("page-{}", here.code())),
        text: f.say(&format!("text-{}", here.code())),
        reason: refused.map(|code| f.say(code)),
        met: check.and_then(|check| match check {
            GuideCheck::Failed(code) => Some(f.say(code)),
            _ => None,
        }),
        warnings: guide
            .warnings()
            .into_iter()
            .map(|warning| f.say(warning.code()))
            .collect(),
        check: check.map(|check| verdict(&f, check)),
        closing: guide.status() == GuideStatus::Closing,
        last: here == GuideStep::Done,
        can_back: guide.can_back().is_ok(),
        online: assistant.online,
        instructions: if guide.help_opened() {
            instructions(&f, guide)
        } else {
            Vec::new()
        },
        prepared: here == GuideStep::Intro && guide.can_next().is_ok(),
        plan: assistant.plan.clone(),
        service: guide.service().code(),
        services: codes(&services(guide)),
        authentication: guide.authentication().code(),
        authentications: codes(AUTHENTICATION.get(..ways).unwrap_or_default()),
        client_id: setup.exchange_client_id.clone().unwrap_or_default(),
        redirect_url: setup.exchange_redirect_url.clone().unwrap_or_default(),
        secret_stored: secret_stored || assistant.client.is_some(),
        user_name: setup.exchange_account_user_name.clone().unwrap_or_default(),
        address: guide.address().to_owned(),
        service_url: setup.exchange_service_url.clone().unwrap_or_default(),
        variant: guide.variant().code(),
        variants: codes(match guide.service() {
            MailService::Graph => &["shared-mailbox"],
            _ => &["shared-mailbox", "public-folders"],
        }),
        default: guide.default_folders(),
        queue: path(&setup.queue_folder),
        storage: path(&setup.storage_folder),
        rules: here == GuideStep::MailFlowRules && guide.can_next().is_ok(),
        template: TEMPLATE,
        f,
    }
}

fn instructions(f: &Frame, guide: &AssistedSetup) -> Vec<String> {
    let (folders, application) = match guide.service() {
        MailService::Graph => ("help-mailbox", "help-graph"),
        _ => ("help-folders", "help-ews"),
    };
    let all = [folders, "help-rule-out", "help-rule-in", application];
    all.map(|code| f.say(code)).into()
}

fn services(guide: &AssistedSetup) -> Vec<&'static str> {
    let all = [MailService::Graph, MailService::Ews].into_iter();
    let all = all.filter(|service| guide.may_choose(*service));
    all.map(MailService::code).collect()
}

fn marked(f: &Frame, steps: &[GuideStep], at: usize) -> Vec<(usize, String, &'static str)> {
    let all = steps.iter().enumerate().map(|(index, step)| {
        let class = match index.cmp(&at) {
            std::cmp::Ordering::Less => "past",
            std::cmp::Ordering::Equal => "now",
            std::cmp::Ordering::Greater => "ahead",
        };
        (index + 1, f.say(&format!("page-{}", step.code())), class)
    });
    all.collect()
}

fn check_of(assistant: &Assistant, step: GuideStep) -> Option<&GuideCheck> {
    let guide = &assistant.guide;
    match step {
        GuideStep::SignIn => Some(guide.consent()),
        GuideStep::LoginPass => Some(guide.login()),
        GuideStep::Mailbox => Some(guide.connection()),
        GuideStep::Folders => Some(guide.folders()),
        GuideStep::Validation => Some(guide.validation()),
        GuideStep::Done => Some(guide.stored()),
        _ => None,
    }
}

fn verdict(f: &Frame, check: &GuideCheck) -> (&'static str, &'static str) {
    match check {
        GuideCheck::Passed => ("good", f.w.passed),
        GuideCheck::Failed(_) => ("bad", f.w.failed),
        GuideCheck::Running(_) => ("in", f.w.working),
        _ => ("none", f.w.not_yet),
    }
}
