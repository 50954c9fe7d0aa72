//! The assisted set-up driven as a user interface would: Business Central's own cases, each guard, each stale answer.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use email_logging::setup::{
    AssistedSetup, AuthenticationType, ClientSecret, EmailLoggingSetup, FolderVariant, GuideAnswer,
    GuideCheck, GuideEvent, GuideOptions, GuideOutcome, GuideReason, GuideRequest, GuideStatus,
    GuideStep, GuideWarning, MailService, SetupChange,
};
use email_logging::source::{FolderId, FolderPath};
use jiff::Timestamp;
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

const SECRET: &str = "canary-s3cret";
const ADDRESS: &str = "anna@corp.example";

fn day(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

fn online() -> AssistedSetup {
    let options = GuideOptions::online(day("2026-11-26"));
    AssistedSetup::new(options.with_redirect_url("https://erp.example/OAuthLanding.htm"))
}

fn on_premises() -> AssistedSetup {
    AssistedSetup::new(GuideOptions::on_premises(day("2026-11-26")))
}

fn supplied() -> AssistedSetup {
    let options = GuideOptions::online(day("2026-11-26"));
    AssistedSetup::new(options.with_credentials_supplied(true))
}

fn client(id: &str, secret: &str, redirect: Option<&str>) -> GuideEvent {
    GuideEvent::EnterClient {
        client_id: id.to_owned(),
        secret: ClientSecret::Given(SecretString::from(secret)),
        redirect_url: redirect.map(str::to_owned),
    }
}

fn login(user: &str, password: &str) -> GuideEvent {
    GuideEvent::EnterLogin {
        user_name: user.to_owned(),
        password: SecretString::from(password),
    }
}

fn template(code: &str, exists: bool) -> GuideEvent {
    let code = Some(code.to_owned());
    GuideEvent::ChooseTemplate { code, exists }
}

/// Handles an event that may not be refused.
fn take(guide: &mut AssistedSetup, event: GuideEvent) -> Vec<GuideRequest> {
    let said = format!("{event:?}");
    let requests = guide.handle(event);
    requests.unwrap_or_else(|reason| panic!("{said} on {:?}: {reason}", guide.step()))
}

fn refused(guide: &mut AssistedSetup, event: GuideEvent) -> GuideReason {
    let before = guide.clone();
    let reason = guide.handle(event).unwrap_err();
    assert_eq!(*guide, before, "a refused event changes nothing");
    reason
}

/// Answers whatever is asked as a host where all is well does.
fn answer(guide: &mut AssistedSetup, requests: Vec<GuideRequest>) {
    for request in requests {
        let answer = GuideAnswer::Passed;
        let event = match request {
            GuideRequest::AskConsent { ticket, .. } => GuideEvent::SignedIn {
                ticket,
                outcome: Ok(Some("tenant-1".to_owned())),
            },
            GuideRequest::CheckLogin { ticket, .. } => GuideEvent::LoginChecked { ticket, answer },
            GuideRequest::CheckConnection { ticket, .. } => {
                GuideEvent::ConnectionChecked { ticket, answer }
            }
            GuideRequest::LookUpFolders { ticket, .. }
            | GuideRequest::CreateFolders { ticket, .. } => found(ticket, Some("q"), Some("s")),
            GuideRequest::Validate { ticket, .. } => GuideEvent::Validated { ticket, answer },
            GuideRequest::Finish { ticket, .. } => GuideEvent::Stored { ticket, answer },
            _ => continue,
        };
        take(guide, event);
    }
}

fn found(ticket: u64, queue: Option<&str>, storage: Option<&str>) -> GuideEvent {
    GuideEvent::FoldersFound {
        ticket,
        queue: queue.map(FolderId::new),
        storage: storage.map(FolderId::new),
    }
}

/// What a person does on a page where all goes well.
fn fill(guide: &mut AssistedSetup) {
    let events = match guide.step() {
        GuideStep::Intro => vec![GuideEvent::OpenHelp, GuideEvent::ManualSetupDone(true)],
        GuideStep::Client => vec![client("app-1", SECRET, None)],
        GuideStep::SignIn => vec![GuideEvent::SignIn],
        GuideStep::LoginPass => vec![login("CORP\\anna", SECRET)],
        GuideStep::Mailbox => {
            vec![
                GuideEvent::EnterAddress(ADDRESS.to_owned()),
                GuideEvent::CheckConnection,
            ]
        }
        GuideStep::Folders => vec![GuideEvent::LookUpFolders],
        GuideStep::MailFlowRules => vec![GuideEvent::RulesDone(true)],
        GuideStep::Validation => vec![GuideEvent::Validate],
        _ => vec![template("EMAIL", true)],
    };
    for event in events {
        let requests = take(guide, event);
        answer(guide, requests);
    }
}

/// Fills page after page until this one is open.
fn go_to(guide: &mut AssistedSetup, step: GuideStep) {
    while guide.step() != step {
        fill(guide);
        take(guide, GuideEvent::Next);
    }
}

fn finish(guide: &mut AssistedSetup) -> GuideOutcome {
    let requests = take(guide, GuideEvent::Finish);
    let [GuideRequest::Finish { outcome, .. }] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    let outcome = (**outcome).clone();
    answer(guide, requests);
    outcome
}

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

#[test]
fn the_whole_way_online_ends_with_the_values_to_store() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let outcome = finish(&mut guide);
    let mut expected = EmailLoggingSetup::default();
    expected.enabled = true;
    expected.queue_folder = Some(path("inbox:"));
    expected.queue_folder_id = Some(FolderId::new("q"));
    expected.storage_folder = Some(path("archive:"));
    expected.storage_folder_id = Some(FolderId::new("s"));
    expected.email_batch_size = 10;
    expected.autodiscovery_email_address = Some(ADDRESS.to_owned());
    expected.exchange_service_url = Some("corp.example".to_owned());
    expected.exchange_client_id = Some("app-1".to_owned());
    expected.exchange_redirect_url = Some("https://erp.example/OAuthLanding.htm".to_owned());
    expected.exchange_tenant_id = Some("tenant-1".to_owned());
    expected.interaction_template_code = Some("EMAIL".to_owned());
    assert_eq!(outcome.setup, expected);
    assert!(outcome.schedule_job);
    assert_eq!(guide.status(), GuideStatus::Completed);
}

#[test]
fn the_whole_way_with_user_name_and_password_has_public_folders() {
    let mut guide = on_premises();
    take(
        &mut guide,
        GuideEvent::ChooseAuthentication(AuthenticationType::Basic),
    );
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let setup = finish(&mut guide).setup;
    assert_eq!(setup.queue_folder, Some(path(r"\Email Logging\Queue\")));
    assert_eq!(setup.storage_folder, Some(path(r"\Email Logging\Storage\")));
    assert_eq!(
        setup.exchange_account_user_name.as_deref(),
        Some("CORP\\anna")
    );
    assert_eq!(setup.authentication_type, AuthenticationType::Basic);
    assert_eq!(
        (setup.exchange_client_id, setup.exchange_tenant_id),
        (None, None)
    );
}

#[test]
fn each_way_has_its_pages() {
    use GuideStep::{
        Client, Done, Folders, Intro, LoginPass, MailFlowRules, Mailbox, SignIn, Validation,
    };
    let rest = [Mailbox, Folders, MailFlowRules, Validation, Done];
    let way = |first: &[GuideStep]| [first, &rest].concat();
    assert_eq!(online().steps(), way(&[Intro, Client, SignIn]));
    assert_eq!(supplied().steps(), way(&[Intro, SignIn]));
    for (how, first) in [
        (AuthenticationType::OAuth2, vec![Intro, Client, SignIn]),
        (
            AuthenticationType::OAuth2Delegated,
            vec![Intro, Client, SignIn],
        ),
        (AuthenticationType::AccessToken, vec![Intro]),
        (AuthenticationType::Basic, vec![Intro, LoginPass]),
    ] {
        let mut guide = on_premises();
        take(&mut guide, GuideEvent::ChooseAuthentication(how));
        assert_eq!(guide.steps(), way(&first), "{how:?}");
        go_to(&mut guide, Done);
    }
}

#[test]
fn a_provider_that_supplies_both_values_leaves_no_client_id_in_the_set_up() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    assert_eq!(finish(&mut guide).setup.exchange_client_id, None);
}

#[test]
fn exit_at_once_is_asked_about_and_leaves_it_not_completed() {
    let mut guide = online();
    assert!(matches!(
        take(&mut guide, GuideEvent::Close)[..],
        [GuideRequest::ConfirmClose]
    ));
    let requests = take(&mut guide, GuideEvent::CloseConfirmed(true));
    assert!(matches!(
        requests[..],
        [GuideRequest::Closed { completed: false }]
    ));
    assert_eq!(guide.status(), GuideStatus::NotCompleted);
    assert_eq!(
        refused(&mut guide, GuideEvent::OpenHelp),
        GuideReason::Closed
    );
    assert_eq!(guide.can_next(), Err(GuideReason::Closed));
}

#[test]
fn a_declined_close_goes_on_where_it_was() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Mailbox);
    take(&mut guide, GuideEvent::Close);
    assert_eq!(guide.can_next(), Err(GuideReason::Waiting));
    assert!(take(&mut guide, GuideEvent::CloseConfirmed(false)).is_empty());
    assert_eq!(
        (guide.status(), guide.step()),
        (GuideStatus::Open, GuideStep::Mailbox)
    );
    assert_eq!(
        refused(&mut guide, GuideEvent::CloseConfirmed(true)),
        GuideReason::OtherStep
    );
}

#[test]
fn going_to_the_end_without_finish_is_not_completed_and_after_finish_it_is() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let mut left = guide.clone();
    take(&mut left, GuideEvent::Close);
    take(&mut left, GuideEvent::CloseConfirmed(true));
    assert_eq!(left.status(), GuideStatus::NotCompleted);
    finish(&mut guide);
    let requests = take(&mut guide, GuideEvent::Close);
    assert!(matches!(
        requests[..],
        [GuideRequest::Closed { completed: true }]
    ));
}

#[test]
fn the_preparation_is_confirmed_only_after_the_help_link_was_opened() {
    let mut guide = online();
    assert_eq!(guide.can_next(), Err(GuideReason::NotPrepared));
    let confirmed = || GuideEvent::ManualSetupDone(true);
    assert_eq!(refused(&mut guide, confirmed()), GuideReason::HelpNotOpened);
    assert!(matches!(
        take(&mut guide, GuideEvent::OpenHelp)[..],
        [GuideRequest::OpenHelp]
    ));
    assert!(guide.help_opened());
    take(&mut guide, confirmed());
    assert_eq!(guide.can_next(), Ok(()));
    take(&mut guide, GuideEvent::ManualSetupDone(false));
    assert_eq!(guide.can_next(), Err(GuideReason::NotPrepared));
    let mut planned = online();
    let requests = take(&mut planned, GuideEvent::ShowPlan);
    let [GuideRequest::ShowPlan { variant, .. }] = requests[..] else {
        panic!()
    };
    assert_eq!(variant, FolderVariant::SharedMailbox);
    assert_eq!(planned.can_next(), Ok(()));
}

#[test]
fn client_id_and_secret_are_mandatory_and_the_redirect_url_is_not() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Client);
    assert_eq!(guide.can_next(), Err(GuideReason::ClientIdMissing));
    let long = "x".repeat(251);
    for (event, reason) in [
        (client(" ", SECRET, None), GuideReason::ClientIdMissing),
        (client(&long, SECRET, None), GuideReason::ClientIdTooLong),
        (client("app-1", "", None), GuideReason::ClientSecretMissing),
        (
            client("app-1", SECRET, Some("http://erp.example/")),
            GuideReason::RedirectUrlInvalid,
        ),
    ] {
        assert_eq!(refused(&mut guide, event), reason);
    }
    let requests = take(&mut guide, client(" app-1 ", SECRET, None));
    let [GuideRequest::StoreClientSecret { client_id, secret }] = &requests[..] else {
        panic!()
    };
    assert_eq!(
        (client_id.as_str(), secret.expose_secret()),
        ("app-1", SECRET)
    );
    assert_eq!(guide.can_next(), Ok(()));
    let url = |guide: &AssistedSetup| guide.setup().exchange_redirect_url.unwrap();
    assert_eq!(url(&guide), "https://erp.example/OAuthLanding.htm");
    take(
        &mut guide,
        client("app-1", SECRET, Some("http://localhost:8400/back")),
    );
    assert_eq!(url(&guide), "http://localhost:8400/back");
    let stored = GuideEvent::EnterClient {
        client_id: "app-2".to_owned(),
        secret: ClientSecret::Stored,
        redirect_url: None,
    };
    assert!(take(&mut guide, stored).is_empty());
}

#[test]
fn next_waits_for_the_sign_in_and_says_that_it_failed() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::SignIn);
    assert_eq!(guide.can_next(), Err(GuideReason::NotSignedIn));
    let requests = take(&mut guide, GuideEvent::SignIn);
    let [GuideRequest::AskConsent { ticket, .. }] = requests[..] else {
        panic!()
    };
    assert_eq!(guide.can_next(), Err(GuideReason::Waiting));
    let outcome = Err("oauth.declined".to_owned());
    take(&mut guide, GuideEvent::SignedIn { ticket, outcome });
    assert_eq!(guide.can_next(), Err(GuideReason::SignInFailed));
    assert_eq!(
        guide.consent(),
        &GuideCheck::Failed("oauth.declined".to_owned())
    );
    fill(&mut guide);
    assert_eq!(guide.can_next(), Ok(()));
}

#[test]
fn next_waits_for_user_name_and_password() {
    let mut guide = on_premises();
    take(
        &mut guide,
        GuideEvent::ChooseAuthentication(AuthenticationType::Basic),
    );
    go_to(&mut guide, GuideStep::LoginPass);
    assert_eq!(guide.can_next(), Err(GuideReason::UserNameMissing));
    assert_eq!(
        refused(&mut guide, login("", SECRET)),
        GuideReason::UserNameMissing
    );
    assert_eq!(
        refused(&mut guide, login(&"x".repeat(251), SECRET)),
        GuideReason::UserNameTooLong
    );
    assert_eq!(
        refused(&mut guide, login("anna", "")),
        GuideReason::PasswordMissing
    );
    let requests = take(&mut guide, login("anna", SECRET));
    let [
        GuideRequest::CheckLogin {
            ticket, password, ..
        },
    ] = &requests[..]
    else {
        panic!()
    };
    assert_eq!(password.expose_secret(), SECRET);
    let answer = GuideAnswer::Failed("http.unauthorized".to_owned());
    take(
        &mut guide,
        GuideEvent::LoginChecked {
            ticket: *ticket,
            answer,
        },
    );
    assert_eq!(guide.can_next(), Err(GuideReason::LoginFailed));
    fill(&mut guide);
    assert_eq!(guide.can_next(), Ok(()));
}

#[test]
fn exchange_online_takes_no_user_name_and_password() {
    let basic = || GuideEvent::ChooseAuthentication(AuthenticationType::Basic);
    assert_eq!(
        refused(&mut online(), basic()),
        GuideReason::AuthenticationNotAllowed
    );
}

#[test]
fn an_edited_address_invalidates_the_check_and_a_late_answer_does_not_bring_it_back() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Mailbox);
    let check = |guide: &mut AssistedSetup| {
        let requests = take(guide, GuideEvent::CheckConnection);
        let [GuideRequest::CheckConnection { ticket, setup }] = &requests[..] else {
            panic!()
        };
        assert!(!setup.enabled);
        (*ticket, setup.exchange_service_url.clone().unwrap())
    };
    let passed = |ticket| GuideEvent::ConnectionChecked {
        ticket,
        answer: GuideAnswer::Passed,
    };
    assert_eq!(guide.can_next(), Err(GuideReason::AddressMissing));
    assert_eq!(
        refused(&mut guide, GuideEvent::CheckConnection),
        GuideReason::AddressMissing
    );
    for bad in [
        "anna",
        "@corp.example",
        "anna@corp",
        "a b@corp.example",
        "a@b@corp.example",
        "a@corp..example",
    ] {
        take(&mut guide, GuideEvent::EnterAddress(bad.to_owned()));
        assert_eq!(
            refused(&mut guide, GuideEvent::CheckConnection),
            GuideReason::AddressInvalid,
            "{bad}"
        );
    }
    take(&mut guide, GuideEvent::EnterAddress(format!(" {ADDRESS} ")));
    assert_eq!(guide.can_next(), Err(GuideReason::ConnectionNotChecked));
    let (first, domain) = check(&mut guide);
    assert_eq!(domain, "corp.example");
    take(
        &mut guide,
        GuideEvent::EnterAddress("tim@other.example".to_owned()),
    );
    take(&mut guide, passed(first));
    assert_eq!(guide.connection(), &GuideCheck::NotRun);
    let (second, domain) = check(&mut guide);
    assert_eq!(domain, "other.example");
    take(&mut guide, passed(first));
    assert_eq!(guide.can_next(), Err(GuideReason::Waiting));
    take(&mut guide, passed(second));
    assert_eq!(guide.can_next(), Ok(()));
    take(
        &mut guide,
        GuideEvent::EnterAddress("tim@other.example".to_owned()),
    );
    assert_eq!(
        guide.can_next(),
        Ok(()),
        "the same address again is no edit"
    );
}

#[test]
fn ticking_the_default_folders_again_restores_both_paths() {
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Folders);
    let queue = || GuideEvent::ChooseQueue(path(r"\A\B\C\Queue\"));
    assert_eq!(refused(&mut guide, queue()), GuideReason::DefaultFolders);
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    take(&mut guide, queue());
    take(
        &mut guide,
        GuideEvent::ChooseStorage(path(r"\A\B\C\D\Storage\")),
    );
    let requests = take(&mut guide, GuideEvent::LookUpFolders);
    let [GuideRequest::LookUpFolders { queue, storage, .. }] = &requests[..] else {
        panic!()
    };
    assert_eq!(queue, &path(r"\A\B\C\Queue\"), "any depth");
    assert_eq!(storage, &path(r"\A\B\C\D\Storage\"));
    answer(&mut guide, requests);
    assert_eq!(guide.can_next(), Ok(()));
    take(&mut guide, GuideEvent::UseDefaultFolders(true));
    let setup = guide.setup();
    assert_eq!(setup.queue_folder, Some(path(r"\Email Logging\Queue\")));
    assert_eq!(setup.storage_folder, Some(path(r"\Email Logging\Storage\")));
    assert_eq!(guide.can_next(), Err(GuideReason::FoldersNotChecked));
}

#[test]
fn queue_and_storage_differ_by_path_and_by_id() {
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Folders);
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    take(
        &mut guide,
        GuideEvent::ChooseStorage(path(r"\email logging\QUEUE\")),
    );
    assert_eq!(guide.can_next(), Err(GuideReason::QueueEqualsStorage));
    assert_eq!(
        refused(&mut guide, GuideEvent::LookUpFolders),
        GuideReason::QueueEqualsStorage
    );
    take(&mut guide, GuideEvent::UseDefaultFolders(true));
    for (queue, storage, code) in [
        (Some("x"), Some("x"), "guide.queue_equals_storage"),
        (Some("x"), None, "guide.folders_missing"),
        (None, Some("x"), "guide.folders_missing"),
    ] {
        let requests = take(&mut guide, GuideEvent::LookUpFolders);
        let [GuideRequest::LookUpFolders { ticket, .. }] = requests[..] else {
            panic!()
        };
        take(&mut guide, found(ticket, queue, storage));
        assert_eq!(guide.folders(), &GuideCheck::Failed(code.to_owned()));
        assert_eq!(guide.can_next(), Err(GuideReason::FoldersMissing));
    }
    let requests = take(&mut guide, GuideEvent::CreateFolders);
    assert!(matches!(requests[..], [GuideRequest::CreateFolders { .. }]));
    answer(&mut guide, requests);
    assert_eq!(guide.can_next(), Ok(()));
}

#[test]
fn a_folder_is_of_the_kind_that_is_set_up() {
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Folders);
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    let inbox = || GuideEvent::ChooseQueue(path("inbox:"));
    assert_eq!(refused(&mut guide, inbox()), GuideReason::FolderOfOtherKind);
    take(
        &mut guide,
        GuideEvent::ChooseVariant(FolderVariant::SharedMailbox),
    );
    assert_eq!(guide.setup().storage_folder, Some(path("archive:")));
    assert!(guide.default_folders());
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    take(
        &mut guide,
        GuideEvent::ChooseStorage(path(r"mailbox:\Logging\Done\")),
    );
    let public = GuideEvent::ChooseQueue(path(r"\Email Logging\Queue\"));
    assert_eq!(refused(&mut guide, public), GuideReason::FolderOfOtherKind);
}

#[test]
fn rules_are_confirmed_or_planned_and_validation_has_to_pass() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::MailFlowRules);
    assert_eq!(
        guide.warnings(),
        [GuideWarning::EwsBlocked, GuideWarning::RulesDelay]
    );
    assert_eq!(guide.can_next(), Err(GuideReason::RulesNotConfirmed));
    assert!(matches!(
        take(&mut guide, GuideEvent::ShowPlan)[..],
        [GuideRequest::ShowPlan { .. }]
    ));
    take(&mut guide, GuideEvent::Next);
    assert_eq!(guide.can_next(), Err(GuideReason::NotValidated));
    let requests = take(&mut guide, GuideEvent::Validate);
    let [GuideRequest::Validate { ticket, .. }] = requests[..] else {
        panic!()
    };
    let answer = GuideAnswer::Failed("check.queue_folder".to_owned());
    take(&mut guide, GuideEvent::Validated { ticket, answer });
    assert_eq!(guide.can_next(), Err(GuideReason::ValidationFailed));
    fill(&mut guide);
    assert_eq!(guide.can_next(), Ok(()));
    assert_eq!(
        refused(&mut guide, GuideEvent::ShowPlan),
        GuideReason::OtherStep
    );
}

#[test]
fn finish_is_enabled_the_moment_that_the_template_is_right() {
    let mut guide = supplied();
    assert_eq!(guide.can_finish(), Err(GuideReason::NotAtTheEnd));
    assert_eq!(
        refused(&mut guide, GuideEvent::Finish),
        GuideReason::NotAtTheEnd
    );
    go_to(&mut guide, GuideStep::Done);
    assert_eq!(guide.can_next(), Err(GuideReason::NoLaterStep));
    assert_eq!(guide.can_finish(), Err(GuideReason::TemplateMissing));
    for (event, expected) in [
        (template("GONE", false), Err(GuideReason::TemplateInvalid)),
        (
            template("ELEVEN-LONG", true),
            Err(GuideReason::TemplateInvalid),
        ),
        (template(" ", true), Err(GuideReason::TemplateMissing)),
        (template("EMAIL", true), Ok(())),
    ] {
        take(&mut guide, event);
        assert_eq!(guide.can_finish(), expected);
    }
}

#[test]
fn without_its_job_logging_stays_off_and_that_is_said() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    assert_eq!(guide.warnings(), [GuideWarning::EwsBlocked]);
    take(&mut guide, GuideEvent::ScheduleJob(false));
    assert_eq!(
        guide.warnings(),
        [GuideWarning::EwsBlocked, GuideWarning::NotScheduled]
    );
    let outcome = finish(&mut guide);
    assert_eq!(
        (outcome.setup.enabled, outcome.schedule_job),
        (false, false)
    );
}

#[test]
fn a_set_up_that_could_not_be_stored_can_be_finished_again() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let requests = take(&mut guide, GuideEvent::Finish);
    let [GuideRequest::Finish { ticket, .. }] = requests[..] else {
        panic!()
    };
    assert_eq!(
        refused(&mut guide, GuideEvent::Finish),
        GuideReason::Waiting
    );
    assert_eq!(refused(&mut guide, GuideEvent::Close), GuideReason::Waiting);
    let answer = GuideAnswer::Failed("store.full".to_owned());
    take(&mut guide, GuideEvent::Stored { ticket, answer });
    assert_eq!(
        (guide.status(), guide.can_finish()),
        (GuideStatus::Open, Ok(()))
    );
    finish(&mut guide);
    assert_eq!(guide.status(), GuideStatus::Completed);
}

#[test]
fn what_is_changed_on_the_way_back_has_to_be_checked_again() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    assert_eq!(guide.can_finish(), Ok(()));
    while guide.step() != GuideStep::Client {
        take(&mut guide, GuideEvent::Back);
    }
    take(&mut guide, client("app-2", SECRET, None));
    assert_eq!(guide.setup().exchange_tenant_id, None);
    for check in [
        guide.consent(),
        guide.connection(),
        guide.folders(),
        guide.validation(),
    ] {
        assert_eq!(check, &GuideCheck::NotRun);
    }
    assert_eq!(guide.setup().queue_folder_id, None);
    while guide.step() != GuideStep::Intro {
        take(&mut guide, GuideEvent::Back);
    }
    assert_eq!(guide.can_back(), Err(GuideReason::NoEarlierStep));
    assert_eq!(
        guide.can_next(),
        Ok(()),
        "what was confirmed stays confirmed"
    );
}

#[test]
fn an_event_of_another_page_is_refused() {
    for event in [
        client("app-1", SECRET, None),
        login("anna", SECRET),
        GuideEvent::SignIn,
        GuideEvent::CheckConnection,
        GuideEvent::LookUpFolders,
        GuideEvent::RulesDone(true),
        GuideEvent::Validate,
        GuideEvent::ScheduleJob(false),
    ] {
        assert_eq!(refused(&mut online(), event), GuideReason::OtherStep);
    }
}

#[test]
fn the_warning_follows_the_date_and_public_folders_end_with_it() {
    for (date, warning, ended) in [
        ("2026-09-30", GuideWarning::EwsEnds, false),
        ("2026-10-01", GuideWarning::EwsBlocked, false),
        ("2027-03-31", GuideWarning::EwsBlocked, false),
        ("2027-04-01", GuideWarning::EwsEnded, true),
    ] {
        let options = GuideOptions::online(day(date)).with_credentials_supplied(true);
        let mut guide = AssistedSetup::new(options);
        assert_eq!(guide.warnings(), [warning], "{date}");
        go_to(&mut guide, GuideStep::Folders);
        assert_eq!(guide.variant(), FolderVariant::SharedMailbox);
        take(
            &mut guide,
            GuideEvent::ChooseVariant(FolderVariant::PublicFolders),
        );
        assert_eq!(
            guide.warnings(),
            [warning, GuideWarning::PublicFoldersOnline]
        );
        let refused = guide.can_next().unwrap_err();
        assert_eq!(refused == GuideReason::PublicFoldersEnded, ended, "{date}");
        let premises = AssistedSetup::new(GuideOptions::on_premises(day(date)));
        assert_eq!(premises.warnings(), []);
    }
    assert!(
        FolderVariant::SharedMailbox
            .text(true)
            .contains("recommended for Exchange Online")
    );
    assert!(
        !FolderVariant::SharedMailbox
            .text(false)
            .contains("recommended")
    );
    assert!(
        FolderVariant::PublicFolders
            .text(true)
            .contains("2027-04-01")
    );
}

#[test]
fn codes_and_sentences_are_there_and_no_code_stands_twice() {
    let reasons = GuideReason::ALL.iter().map(|one| (one.code(), one.text()));
    let warnings = GuideWarning::ALL.iter().map(|one| (one.code(), one.text()));
    let all: Vec<_> = reasons.chain(warnings).collect();
    let mut codes: Vec<_> = all.iter().map(|(code, _)| *code).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(codes.len(), all.len());
    assert!(
        all.iter()
            .all(|(code, text)| code.starts_with("guide.") && text.ends_with('.'))
    );
    for step in online().steps() {
        assert!(!step.code().is_empty() && !step.title().is_empty() && step.text().ends_with('.'));
    }
}

#[test]
fn it_is_kept_between_requests_and_holds_no_secret() {
    for mut guide in [online(), on_premises()] {
        if guide
            .handle(GuideEvent::ChooseAuthentication(AuthenticationType::Basic))
            .is_err()
        {
            assert!(guide.steps().contains(&GuideStep::Client));
        }
        let mut steps = guide.steps().into_iter();
        for step in steps.by_ref() {
            assert_eq!(guide.step(), step);
            fill(&mut guide);
            let text = serde_json::to_string(&guide).unwrap();
            let again: AssistedSetup = serde_json::from_str(&text).unwrap();
            assert_eq!(again, guide);
            assert!(!text.contains(SECRET) && !format!("{guide:?}").contains(SECRET));
            if step != GuideStep::Done {
                take(&mut guide, GuideEvent::Next);
            }
        }
        finish(&mut guide);
    }
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Folders);
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    let root = email_logging::source::FolderRoot::PublicFolders;
    let odd = FolderPath::new(root, ["with\\backslash", "Queue"]);
    take(&mut guide, GuideEvent::ChooseQueue(odd.clone()));
    let text = serde_json::to_string(&guide).unwrap();
    let again: AssistedSetup = serde_json::from_str(&text).unwrap();
    assert_eq!(again.setup().queue_folder, Some(odd));
}

#[test]
fn events_and_requests_show_no_secret() {
    let mut guide = online();
    go_to(&mut guide, GuideStep::Client);
    let event = client("app-1", SECRET, None);
    assert!(!format!("{event:?}").contains(SECRET));
    let requests = take(&mut guide, event);
    assert!(!format!("{requests:?}").contains(SECRET));
}

/// From the mailbox or the folders, with every check made anew.
fn on_to_the_rules(guide: &mut AssistedSetup) {
    while guide.step() != GuideStep::MailFlowRules {
        let event = match guide.step() {
            GuideStep::Mailbox => GuideEvent::CheckConnection,
            _ => GuideEvent::LookUpFolders,
        };
        let requests = take(guide, event);
        answer(guide, requests);
        take(guide, GuideEvent::Next);
    }
}

#[test]
fn rules_for_another_queue_are_to_be_confirmed_again() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Validation);
    let back = |guide: &mut AssistedSetup, step| {
        while guide.step() != step {
            take(guide, GuideEvent::Back);
        }
    };
    let inbox = || GuideEvent::ChooseQueue(path(r"inbox:\Logging\"));
    for (step, events, asked) in [
        (GuideStep::Folders, vec![], false),
        (
            GuideStep::Folders,
            vec![GuideEvent::UseDefaultFolders(false)],
            false,
        ),
        (
            GuideStep::Folders,
            vec![GuideEvent::ChooseStorage(path(r"inbox:\Old\"))],
            false,
        ),
        (GuideStep::Folders, vec![inbox()], true),
        (GuideStep::Folders, vec![inbox()], false),
        (
            GuideStep::Folders,
            vec![GuideEvent::UseDefaultFolders(true)],
            true,
        ),
        (
            GuideStep::Mailbox,
            vec![GuideEvent::EnterAddress("b@corp.example".to_owned())],
            true,
        ),
        (
            GuideStep::Folders,
            vec![GuideEvent::ChooseVariant(FolderVariant::PublicFolders)],
            true,
        ),
        (
            GuideStep::Mailbox,
            vec![GuideEvent::EnterAddress(ADDRESS.to_owned())],
            false,
        ),
    ] {
        back(&mut guide, step);
        let said = format!("{events:?}");
        for event in events {
            take(&mut guide, event);
        }
        on_to_the_rules(&mut guide);
        let expected = if asked {
            Err(GuideReason::RulesNotConfirmed)
        } else {
            Ok(())
        };
        assert_eq!(guide.can_next(), expected, "{said}");
        take(&mut guide, GuideEvent::RulesDone(true));
    }
}

#[test]
fn a_guide_that_was_stored_while_finishing_asks_again_with_the_same_ticket() {
    let mut guide = supplied();
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    assert!(guide.resume().is_none());
    let asked = take(&mut guide, GuideEvent::Finish);
    let text = serde_json::to_string(&guide).unwrap();
    let mut again: AssistedSetup = serde_json::from_str(&text).unwrap();
    assert_eq!(
        refused(&mut again, GuideEvent::Finish),
        GuideReason::Waiting
    );
    let resumed = again.resume().unwrap();
    assert_eq!(format!("{asked:?}"), format!("[{resumed:?}]"));
    let GuideRequest::Finish { ticket, .. } = resumed else {
        panic!()
    };
    let failed = GuideAnswer::Failed("store.unavailable".to_owned());
    take(
        &mut again,
        GuideEvent::Stored {
            ticket,
            answer: failed,
        },
    );
    assert!(again.warnings().contains(&GuideWarning::NotStored));
    assert_eq!(
        again.stored(),
        &GuideCheck::Failed("store.unavailable".to_owned())
    );
    finish(&mut again);
    assert_eq!(again.status(), GuideStatus::Completed);
    assert!(!again.warnings().contains(&GuideWarning::NotStored));
}

#[test]
fn a_full_service_url_is_taken_on_premises_only() {
    let url = "https://mail.corp.example/EWS/Exchange.asmx";
    let enter = |text: &str| GuideEvent::EnterServiceUrl(text.to_owned());
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Mailbox);
    fill(&mut guide);
    take(&mut guide, enter(url));
    assert_eq!(guide.connection(), &GuideCheck::NotRun);
    assert_eq!(guide.setup().exchange_service_url.as_deref(), Some(url));
    for bad in [
        "http://mail.corp.example/",
        "https://outlook.office365.com/EWS/Exchange.asmx",
    ] {
        assert_eq!(
            refused(&mut guide, enter(bad)),
            GuideReason::ServiceUrlInvalid
        );
    }
    take(&mut guide, enter(" "));
    assert_eq!(
        guide.setup().exchange_service_url.as_deref(),
        Some("corp.example")
    );
    let mut guide = online();
    go_to(&mut guide, GuideStep::Mailbox);
    assert_eq!(
        refused(&mut guide, enter(url)),
        GuideReason::ServiceUrlInvalid
    );
}

#[test]
fn a_set_up_that_exists_is_proposed_and_confirms_nothing() {
    let mut guide = on_premises();
    go_to(&mut guide, GuideStep::Folders);
    take(&mut guide, GuideEvent::UseDefaultFolders(false));
    take(&mut guide, GuideEvent::ChooseQueue(path(r"\Mail\In\")));
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let mut setup = guide.setup();
    setup.email_batch_size = 25;
    setup.exchange_service_url = Some("https://mail.corp.example/EWS/Exchange.asmx".to_owned());
    let options = GuideOptions::on_premises(day("2026-11-26")).with_setup(&setup);
    let proposed = AssistedSetup::new(options);
    assert!(!proposed.default_folders());
    assert_eq!(proposed.can_next(), Err(GuideReason::NotPrepared));
    assert_eq!(proposed.consent(), &GuideCheck::NotRun);
    setup.queue_folder_id = None;
    setup.storage_folder_id = None;
    setup.exchange_tenant_id = None;
    assert_eq!(proposed.setup(), setup);
}

fn with_graph() -> AssistedSetup {
    let options = GuideOptions::online(day("2026-11-26")).with_graph(true);
    AssistedSetup::new(options.with_credentials_supplied(true))
}

#[test]
fn graph_is_proposed_where_the_host_has_it_and_goes_through_the_same_pages() {
    let mut guide = with_graph();
    assert_eq!(guide.service(), MailService::Graph);
    assert_eq!(guide.steps(), supplied().steps());
    assert_eq!(guide.warnings(), [], "nothing of EWS");
    go_to(&mut guide, GuideStep::Done);
    fill(&mut guide);
    let setup = finish(&mut guide).setup;
    assert_eq!(setup.mail_service, MailService::Graph);
    assert_eq!(setup.exchange_service_url, None);
    assert_eq!(setup.queue_folder, Some(path("inbox:")));
    assert_eq!(setup.storage_folder, Some(path("archive:")));
    assert_eq!(setup.exchange_tenant_id.as_deref(), Some("tenant-1"));
    assert_eq!(setup.autodiscovery_email_address.as_deref(), Some(ADDRESS));
    assert_eq!(setup.violations().len(), 0);
    // Without it there is EWS, as ever.
    let mut guide = supplied();
    assert_eq!(guide.service(), MailService::Ews);
    let reason = refused(&mut guide, GuideEvent::ChooseService(MailService::Graph));
    assert_eq!(reason, GuideReason::ServiceNotAllowed);
    let options = GuideOptions::on_premises(day("2026-11-26")).with_graph(true);
    let mut guide = AssistedSetup::new(options);
    assert_eq!(guide.service(), MailService::Ews);
    assert!(!guide.may_choose(MailService::Graph));
    let reason = refused(&mut guide, GuideEvent::ChooseService(MailService::Graph));
    assert_eq!(reason, GuideReason::ServiceNotAllowed);
}

#[test]
fn another_service_needs_another_consent_and_graph_has_no_public_folders() {
    let mut guide = with_graph();
    take(&mut guide, GuideEvent::ChooseService(MailService::Ews));
    assert_eq!(guide.warnings(), [GuideWarning::EwsBlocked]);
    go_to(&mut guide, GuideStep::Folders);
    let public = GuideEvent::ChooseVariant(FolderVariant::PublicFolders);
    take(&mut guide, public.clone());
    go_to(&mut guide, GuideStep::Done);
    assert_eq!(guide.setup().mail_service, MailService::Ews);
    while guide.step() != GuideStep::Intro {
        take(&mut guide, GuideEvent::Back);
    }
    take(&mut guide, GuideEvent::ChooseService(MailService::Ews));
    assert_eq!(guide.consent(), &GuideCheck::Passed, "nothing has changed");
    take(&mut guide, GuideEvent::ChooseService(MailService::Graph));
    assert_eq!(guide.variant(), FolderVariant::SharedMailbox);
    for check in [
        guide.consent(),
        guide.connection(),
        guide.folders(),
        guide.validation(),
    ] {
        assert_eq!(check, &GuideCheck::NotRun);
    }
    assert_eq!(guide.setup().exchange_tenant_id, None);
    assert_eq!(guide.can_next(), Err(GuideReason::NotPrepared));
    go_to(&mut guide, GuideStep::Folders);
    let reason = refused(&mut guide, public);
    assert_eq!(reason, GuideReason::PublicFoldersByGraph);
    let reason = refused(&mut guide, GuideEvent::ChooseService(MailService::Ews));
    assert_eq!(reason, GuideReason::OtherStep);
}

#[test]
fn a_set_up_for_graph_that_exists_stays_one_and_a_blank_one_says_nothing() {
    let mut setup = EmailLoggingSetup::default();
    let graph = SetupChange::MailService(MailService::Graph);
    let address = SetupChange::AutodiscoveryEmailAddress(ADDRESS.into());
    setup.apply(&[graph, address]).unwrap();
    let online = || GuideOptions::online(day("2026-11-26"));
    let guide = AssistedSetup::new(online().with_setup(&setup));
    assert_eq!(guide.service(), MailService::Graph);
    assert!(guide.may_choose(MailService::Ews));
    let blank = EmailLoggingSetup::default();
    let guide = AssistedSetup::new(online().with_graph(true).with_setup(&blank));
    assert_eq!(guide.service(), MailService::Graph);
    setup.mail_service = MailService::Ews;
    let guide = AssistedSetup::new(online().with_graph(true).with_setup(&setup));
    assert_eq!(guide.service(), MailService::Ews);
    // A guide that was stored before there was a choice is one for EWS.
    let mut stored = serde_json::to_value(supplied()).unwrap();
    assert_eq!(stored["service"], "ews");
    stored.as_object_mut().unwrap().remove("service");
    stored["options"].as_object_mut().unwrap().remove("graph");
    let guide: AssistedSetup = serde_json::from_value(stored).unwrap();
    assert_eq!(guide, supplied());
    let kept = serde_json::to_string(&with_graph()).unwrap();
    let kept: AssistedSetup = serde_json::from_str(&kept).unwrap();
    assert_eq!(kept, with_graph());
}

fn any_event() -> impl Strategy<Value = GuideEvent> {
    let ticket = 1..12_u64;
    let passed = prop_oneof![
        Just(GuideAnswer::Passed),
        Just(GuideAnswer::Failed("x".to_owned()))
    ];
    let answers = (ticket, passed, 0..4_u8).prop_map(|(ticket, answer, which)| match which {
        0 => GuideEvent::ConnectionChecked { ticket, answer },
        1 => GuideEvent::Validated { ticket, answer },
        2 => GuideEvent::Stored { ticket, answer },
        _ => found(ticket, Some("q"), Some("s")),
    });
    let consent = (1..12_u64).prop_map(|ticket| GuideEvent::SignedIn {
        ticket,
        outcome: Ok(None),
    });
    let fixed = prop::sample::select(vec![
        GuideEvent::Next,
        GuideEvent::Next,
        GuideEvent::Next,
        GuideEvent::Back,
        GuideEvent::Finish,
        GuideEvent::ShowPlan,
        GuideEvent::SignIn,
        GuideEvent::EnterAddress(ADDRESS.to_owned()),
        GuideEvent::EnterAddress("b@c.example".to_owned()),
        GuideEvent::CheckConnection,
        GuideEvent::LookUpFolders,
        GuideEvent::UseDefaultFolders(false),
        GuideEvent::ChooseVariant(FolderVariant::PublicFolders),
        GuideEvent::ChooseService(MailService::Ews),
        GuideEvent::ChooseService(MailService::Graph),
        GuideEvent::RulesDone(true),
        GuideEvent::Validate,
        GuideEvent::ScheduleJob(false),
        GuideEvent::Close,
        GuideEvent::CloseConfirmed(false),
    ]);
    prop_oneof![3 => fixed, 1 => answers, 1 => consent, 1 => Just(template("EMAIL", true))]
}

proptest! {
    /// Whatever a user interface sends: a refusal changes nothing, the page is one of the way, and nothing is stored of
    /// which a check is missing.
    #[test]
    fn no_order_of_events_leads_past_a_guard(
        at_the_end: bool,
        graph: bool,
        events in prop::collection::vec(any_event(), 0..80),
    ) {
        let mut guide = if graph { with_graph() } else { supplied() };
        if at_the_end {
            go_to(&mut guide, GuideStep::Done);
            fill(&mut guide);
        }
        for event in events {
            let before = guide.clone();
            match guide.handle(event) {
                Err(_) => prop_assert_eq!(&guide, &before),
                Ok(requests) => {
                    for request in requests {
                        if matches!(request, GuideRequest::Finish { .. }) {
                            prop_assert_eq!(before.can_finish(), Ok(()));
                            for check in [guide.consent(), guide.connection(), guide.folders(), guide.validation()] {
                                prop_assert_eq!(check, &GuideCheck::Passed);
                            }
                        }
                    }
                }
            }
            prop_assert!(guide.steps().contains(&guide.step()));
            let by_graph = guide.service() == MailService::Graph;
            prop_assert!(graph || !by_graph);
            prop_assert!(!by_graph || guide.variant() == FolderVariant::SharedMailbox);
        }
    }
}
