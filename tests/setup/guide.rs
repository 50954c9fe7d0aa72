//! What the assisted set-up ends with, carried out: over a set-up that is enabled, and not at all.

use email_logging::setup::{
    AssistedSetup, AuthenticationType, Check, ClientSecret, EmailLoggingSetup, Enabling,
    GuideAnswer, GuideEvent, GuideOptions, GuideOutcome, GuideRequest, GuideStatus, GuideStep,
    NotChecked, Verdict,
};
use email_logging::store::SecretName;
use secrecy::SecretString;

use crate::fake_mail::{complete, error};
use crate::lifecycle::Office;

const CLIENT: &str = "22222222-2222-3333-4444-555555555555";
const TENANT: &str = "88888888-2222-3333-4444-555555555555";

fn open(setup: &EmailLoggingSetup) -> AssistedSetup {
    let opened_at = "2026-11-26T00:00:00Z".parse().unwrap();
    AssistedSetup::new(GuideOptions::on_premises(opened_at).with_setup(setup))
}

/// What a person does on the page.
fn events(step: GuideStep, client: &str) -> Vec<GuideEvent> {
    match step {
        GuideStep::Intro => vec![GuideEvent::OpenHelp, GuideEvent::ManualSetupDone(true)],
        GuideStep::Client => vec![GuideEvent::EnterClient {
            client_id: client.to_owned(),
            secret: ClientSecret::Given(SecretString::from("canary")),
            redirect_url: None,
        }],
        GuideStep::SignIn => vec![GuideEvent::SignIn],
        GuideStep::LoginPass => vec![GuideEvent::EnterLogin {
            user_name: "CORP\\anna".to_owned(),
            password: SecretString::from("canary"),
        }],
        GuideStep::Mailbox => vec![GuideEvent::CheckConnection],
        GuideStep::Folders => vec![GuideEvent::LookUpFolders],
        GuideStep::MailFlowRules => vec![GuideEvent::RulesDone(true)],
        GuideStep::Validation => vec![GuideEvent::Validate],
        _ => vec![GuideEvent::ChooseTemplate {
            code: Some("EMAIL".to_owned()),
            exists: true,
        }],
    }
}

#[allow(clippy::needless_pass_by_value)] // a request is used up by its answer
fn answer(request: GuideRequest, known: &EmailLoggingSetup) -> Option<GuideEvent> {
    let answer = GuideAnswer::Passed;
    Some(match request {
        GuideRequest::AskConsent { ticket, .. } => GuideEvent::SignedIn {
            ticket,
            outcome: Ok(Some(TENANT.to_owned())),
        },
        GuideRequest::CheckLogin { ticket, .. } => GuideEvent::LoginChecked { ticket, answer },
        GuideRequest::CheckConnection { ticket, .. } => {
            GuideEvent::ConnectionChecked { ticket, answer }
        }
        GuideRequest::LookUpFolders { ticket, .. } => GuideEvent::FoldersFound {
            ticket,
            queue: known.queue_folder_id.clone(),
            storage: known.storage_folder_id.clone(),
        },
        GuideRequest::Validate { ticket, .. } => GuideEvent::Validated { ticket, answer },
        _ => return None,
    })
}

/// Goes through all pages to Finish.
fn go_through(guide: &mut AssistedSetup, known: &EmailLoggingSetup, client: &str) {
    loop {
        for event in events(guide.step(), client) {
            for request in guide.handle(event).unwrap() {
                if let Some(event) = answer(request, known) {
                    guide.handle(event).unwrap();
                }
            }
        }
        if guide.step() == GuideStep::Done {
            return;
        }
        guide.handle(GuideEvent::Next).unwrap();
    }
}

fn finish(guide: &mut AssistedSetup) -> GuideOutcome {
    match guide.handle(GuideEvent::Finish).unwrap().pop() {
        Some(GuideRequest::Finish { outcome, .. }) => *outcome,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn finishing_over_an_enabled_set_up_keeps_the_new_secret_and_enables() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    office.secrets.put(SecretName::CertificateKey);
    let before = office.setup().await;
    let mut guide = open(&before);
    go_through(&mut guide, &before, CLIENT);
    let outcome = finish(&mut guide);
    let stored = async {
        assert!(!office.setup().await.enabled, "the older one is off");
        office.secrets.put(SecretName::ClientSecret);
        Ok(vec![SecretName::ClientSecret])
    };
    let administration = office.administration();
    let finished = administration
        .finish_guide(&office.scope, &outcome, stored, &mut |_| ())
        .await
        .unwrap();
    assert!(matches!(finished.enabling, Some(Enabling::Enabled(_))));
    assert_eq!(finished.answer(), GuideAnswer::Passed);
    assert_eq!(office.secrets.left(), [SecretName::ClientSecret]);
    assert!(office.is_scheduled().await);
    assert_eq!(office.setup().await, outcome.setup);
    assert_eq!(outcome.setup.exchange_client_id.as_deref(), Some(CLIENT));
}

#[tokio::test]
async fn finishing_for_the_same_client_keeps_its_secrets_and_without_the_job_stays_off() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let left = office.secrets.left();
    let before = office.setup().await;
    let mut guide = open(&before);
    go_through(&mut guide, &before, &complete().exchange_client_id.unwrap());
    guide.handle(GuideEvent::ScheduleJob(false)).unwrap();
    let outcome = finish(&mut guide);
    let nothing = async { Ok(Vec::new()) };
    let administration = office.administration();
    let finished = administration
        .finish_guide(&office.scope, &outcome, nothing, &mut |_| ())
        .await
        .unwrap();
    assert!(finished.enabling.is_none());
    assert_eq!(office.secrets.left(), left);
    assert!(!office.is_scheduled().await);
    assert_eq!(office.setup().await, outcome.setup);
}

#[tokio::test]
async fn another_way_of_signing_in_erases_the_secrets_of_the_older_one() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let before = office.setup().await;
    let mut guide = open(&before);
    let basic = GuideEvent::ChooseAuthentication(AuthenticationType::Basic);
    guide.handle(basic).unwrap();
    go_through(&mut guide, &before, CLIENT);
    let outcome = finish(&mut guide);
    let kept = async {
        office.secrets.put(SecretName::AccountPassword);
        Ok(vec![SecretName::AccountPassword])
    };
    let administration = office.administration();
    administration
        .finish_guide(&office.scope, &outcome, kept, &mut |_| ())
        .await
        .unwrap();
    assert_eq!(office.secrets.left(), [SecretName::AccountPassword]);
}

#[tokio::test]
async fn secrets_that_cannot_be_stored_leave_the_older_fields_and_logging_off() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let (mut before, secrets) = (office.setup().await, office.secrets.left());
    let mut guide = open(&before);
    go_through(&mut guide, &before, CLIENT);
    let outcome = finish(&mut guide);
    let fails = async { Err(error(&email_logging::error::codes::SETUP_VERSION)) };
    let administration = office.administration();
    let finished = administration
        .finish_guide(&office.scope, &outcome, fails, &mut |_| ())
        .await;
    assert_eq!(finished.unwrap_err().code(), "setup.version");
    before.enabled = false;
    assert_eq!(office.setup().await, before);
    assert_eq!(office.secrets.left(), secrets);
}

#[tokio::test]
async fn a_guide_that_is_closed_early_changes_nothing() {
    let office = Office::with(complete()).await;
    office.enable().await.unwrap();
    let (before, secrets) = (office.setup().await, office.secrets.left());
    let mut guide = open(&before);
    go_through(&mut guide, &before, CLIENT);
    guide.handle(GuideEvent::Close).unwrap();
    guide.handle(GuideEvent::CloseConfirmed(true)).unwrap();
    assert_eq!(guide.status(), GuideStatus::NotCompleted);
    assert!(guide.handle(GuideEvent::Finish).is_err());
    assert_eq!(office.setup().await, before);
    assert_eq!(office.secrets.left(), secrets);
    assert!(office.is_scheduled().await);
}

#[tokio::test]
async fn the_checks_of_an_open_guide_leave_the_template_out_and_store_nothing() {
    let office = Office::new();
    let mut setup = complete();
    setup.interaction_template_code = None;
    let administration = office.administration();
    let report = administration
        .validate_guide(&office.scope, &setup, &mut |_| ())
        .await;
    assert!(report.is_green(), "{report}");
    let because = NotChecked::LeftOut;
    for check in [Check::InteractionTemplate, Check::InteractionTemplateExists] {
        let verdict = report.result(check).unwrap().verdict;
        assert_eq!(verdict, Verdict::NotChecked { because });
    }
    assert_eq!(office.setup().await, EmailLoggingSetup::default());
}
