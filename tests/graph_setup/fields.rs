//! The field that says which service, its rules, and what a change of it does.

use email_logging::setup::{
    AuthenticationType, Consequence, EmailLoggingSetup, EwsRetirement, MailService, SetupChange,
    SetupField,
};
use email_logging::source::{FolderId, FolderPath, FolderSelector};
use email_logging::store::{MemoryStore, SecretName, SetupStore, SqliteStore};
use email_logging::{Error, Scope};
use jiff::Timestamp;

use crate::{CLIENT, TENANT, ews, path};

fn at(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

#[test]
fn a_set_up_is_for_ews_unless_it_says_otherwise() {
    let setup = EmailLoggingSetup::default();
    assert_eq!(setup.mail_service, MailService::Ews);
    assert_eq!(SetupField::MailService.code(), "mail-service");
    for service in [MailService::Ews, MailService::Graph] {
        assert_eq!(MailService::from_code(service.code()), Some(service));
    }
    assert_eq!(MailService::from_code("imap"), None);
    let typed = SetupChange::from_text(SetupField::MailService, " graph ").unwrap();
    assert_eq!(typed, SetupChange::MailService(MailService::Graph));
    let error = SetupChange::from_text(SetupField::MailService, "imap").unwrap_err();
    assert_eq!(error.code(), "config.invalid");
}

#[test]
fn another_service_forgets_the_address_and_the_ids_and_keeps_paths_and_tenant() {
    let mut setup = ews();
    let folder = |id: &str, at: &str| {
        let selector = FolderSelector::Id(FolderId::new(id), Some(path(at)));
        Some(selector)
    };
    let changes = [
        SetupChange::QueueFolder(folder("AQ1", "inbox:")),
        SetupChange::StorageFolder(folder("AQ2", "archive:")),
    ];
    setup.apply(&changes).unwrap();
    let change = SetupChange::MailService(MailService::Graph);
    let consequences = setup.apply(std::slice::from_ref(&change)).unwrap();
    assert_eq!(
        consequences,
        [
            Consequence::Changed(SetupField::MailService),
            Consequence::Reconnect,
            Consequence::Cleared(SetupField::ExchangeServiceUrl),
            Consequence::Changed(SetupField::QueueFolder),
            Consequence::Changed(SetupField::StorageFolder),
        ]
    );
    assert_eq!(setup.exchange_service_url, None);
    assert_eq!(
        (&setup.queue_folder_id, &setup.storage_folder_id),
        (&None, &None)
    );
    assert_eq!(setup.queue_folder, Some(path("inbox:")));
    assert_eq!(setup.exchange_tenant_id.as_deref(), Some(TENANT));
    assert_eq!(setup.exchange_client_id.as_deref(), Some(CLIENT));
    assert_eq!(
        setup.apply(&[change]).unwrap(),
        [],
        "again, it changes nothing"
    );
}

#[test]
fn a_persons_refresh_token_for_ews_is_none_for_graph() {
    let mut setup = ews();
    let delegated = SetupChange::AuthenticationType(AuthenticationType::OAuth2Delegated);
    setup.apply(&[delegated]).unwrap();
    let consequences = setup
        .apply(&[SetupChange::MailService(MailService::Graph)])
        .unwrap();
    for expected in [
        Consequence::EraseSecret(SecretName::RefreshToken),
        Consequence::SignInAgain,
    ] {
        assert!(consequences.contains(&expected), "{consequences:?}");
    }
}

#[test]
fn a_public_folder_is_refused_with_graph_and_the_remedy_names_a_mailbox() {
    let public = SetupChange::QueueFolder(Some(path(r"\Email Logging\Queue\").into()));
    let graph = SetupChange::MailService(MailService::Graph);
    for changes in [
        vec![public.clone(), graph.clone()],
        vec![graph, public.clone()],
    ] {
        let mut setup = ews();
        let error = setup.apply(&changes).unwrap_err();
        assert_eq!(error.code(), "graph.public_folders");
        assert!(error.remedy().contains("inbox:"), "{}", error.remedy());
        assert_eq!(setup, ews(), "nothing was changed");
    }
    let mut came_otherwise = ews();
    came_otherwise.mail_service = MailService::Graph;
    came_otherwise.storage_folder = Some(path(r"\Storage\"));
    let codes: Vec<_> = came_otherwise
        .violations()
        .iter()
        .map(Error::code)
        .collect();
    assert_eq!(codes, ["graph.public_folders"]);
    let mut setup = ews();
    setup.apply(&[public]).unwrap();
}

#[test]
fn a_password_is_refused_with_graph() {
    let mut setup = EmailLoggingSetup::default();
    let error = setup
        .apply(&[
            SetupChange::AuthenticationType(AuthenticationType::Basic),
            SetupChange::MailService(MailService::Graph),
        ])
        .unwrap_err();
    assert_eq!(error.code(), "setup.authentication_type");
}

#[tokio::test]
async fn every_store_keeps_the_service_and_reads_a_set_up_from_before() {
    async fn kept<S: SetupStore>(store: &S, setup: &EmailLoggingSetup) -> EmailLoggingSetup {
        let scope = Scope::default();
        let before = store.load_setup(&scope).await.unwrap();
        let version = before.map_or(0, |stored| stored.version);
        store.save_setup(&scope, setup, version).await.unwrap();
        store.load_setup(&scope).await.unwrap().unwrap().setup
    }
    let home = tempfile::tempdir().unwrap();
    let sqlite = SqliteStore::open(home.path().join("log.sqlite")).unwrap();
    sqlite.migrate().await.unwrap();
    let memory = MemoryStore::new();
    let mut graph = ews();
    graph
        .apply(&[SetupChange::MailService(MailService::Graph)])
        .unwrap();
    for setup in [ews(), graph] {
        assert_eq!(kept(&sqlite, &setup).await, setup);
        assert_eq!(kept(&memory, &setup).await, setup);
    }
}

#[test]
fn the_end_of_ews_is_told_by_the_date_for_exchange_online_alone() {
    for (date, expected, code) in [
        ("2026-09-30", EwsRetirement::Announced, "announced"),
        (
            "2026-10-01",
            EwsRetirement::BlockedByDefault,
            "blocked-by-default",
        ),
        (
            "2027-03-31",
            EwsRetirement::BlockedByDefault,
            "blocked-by-default",
        ),
        ("2027-04-01", EwsRetirement::Ended, "ended"),
    ] {
        assert_eq!(EwsRetirement::at(at(date)), expected, "{date}");
        assert_eq!(expected.code(), code);
        assert_eq!(ews().ews_retirement(at(date)), Some(expected), "{date}");
    }
    assert_eq!(EwsRetirement::days_left(at("2027-03-31")), 1);
    assert_eq!(EwsRetirement::days_left(at("2028-01-01")), 0);
    assert!(
        EwsRetirement::BlockedByDefault
            .warning()
            .contains("EwsAllowedAppIDs")
    );
    let mut on_premises = ews();
    let url = "https://mail.corp.example/EWS/Exchange.asmx";
    on_premises.exchange_service_url = Some(url.into());
    assert_eq!(on_premises.ews_retirement(at("2028-01-01")), None);
    let mut graph = ews();
    graph.mail_service = MailService::Graph;
    assert_eq!(graph.ews_retirement(at("2028-01-01")), None);
}

#[test]
fn paths_of_the_mailbox_are_what_graph_takes() {
    let mut setup = ews();
    let folder = |text: &str| Some(text.parse::<FolderPath>().unwrap().into());
    let changes = [
        SetupChange::MailService(MailService::Graph),
        SetupChange::QueueFolder(folder(r"mailbox:\Logging\Queue\")),
        SetupChange::StorageFolder(folder("archive:")),
    ];
    setup.apply(&changes).unwrap();
    assert!(setup.violations().is_empty());
}
