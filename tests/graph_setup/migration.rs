//! The way of a set-up from EWS to Graph.

use email_logging::setup::{
    AuthenticationType, EmailLoggingSetup, EwsRetirement, MailService, MigrationIssue,
    MigrationOptions, MigrationPlan, SetupChange, SetupField,
};
use email_logging::source::FolderId;
use jiff::Timestamp;

use crate::{CLIENT, MAILBOX, OBJECT, TENANT, ews, path};

fn now() -> Timestamp {
    "2026-11-27T00:00:00Z".parse().unwrap()
}

fn plan(setup: &EmailLoggingSetup, options: &MigrationOptions) -> MigrationPlan {
    MigrationPlan::to_graph(setup, options, now()).unwrap()
}

fn told() -> MigrationOptions {
    MigrationOptions::new().with_application(CLIENT, Some(OBJECT.into()))
}

#[test]
fn a_mailbox_keeps_its_folders_its_tenant_and_its_application() {
    let plan = plan(&ews(), &told());
    assert!(plan.is_possible());
    assert_eq!(plan.issues(), []);
    assert_eq!(plan.retirement(), Some(EwsRetirement::BlockedByDefault));
    let changed: Vec<_> = plan.rows().iter().filter(|row| !row.is_same()).collect();
    let changed: Vec<_> = changed.iter().map(|row| row.field).collect();
    assert_eq!(
        changed,
        [SetupField::ExchangeServiceUrl, SetupField::MailService]
    );
    let target = plan.target();
    assert_eq!(target.mail_service, MailService::Graph);
    assert_eq!(target.exchange_tenant_id.as_deref(), Some(TENANT));
    assert_eq!(target.violations().len(), 0);
}

#[test]
fn public_folders_become_inbox_and_archive_and_a_person_hears_what_to_do() {
    let mut setup = ews();
    setup.queue_folder = Some(path(r"\Email Logging\Queue\"));
    setup.storage_folder = Some(path(r"\Email Logging\Storage\"));
    setup.queue_folder_id = Some(FolderId::new("AQ1"));
    let options = told().with_mailbox("shared@corp.example");
    let plan = plan(&setup, &options);
    assert!(plan.is_possible());
    assert_eq!(
        plan.issues(),
        [
            MigrationIssue::PublicQueue,
            MigrationIssue::PublicStorage,
            MigrationIssue::OtherMailbox
        ]
    );
    let target = plan.target();
    assert_eq!(target.queue_folder, Some(path("inbox:")));
    assert_eq!(target.storage_folder, Some(path("archive:")));
    assert_eq!(target.queue_folder_id, None);
    assert_eq!(
        target.autodiscovery_email_address.as_deref(),
        Some("shared@corp.example")
    );
    let tenant = target.exchange_tenant_id.as_deref();
    assert_eq!(tenant, Some(TENANT), "the tenant is the same one");
    let empty = plan.steps().iter().find(|step| step.id == "queue").unwrap();
    assert!(
        empty.text.contains(r"\Email Logging\Queue\"),
        "{}",
        empty.text
    );
}

#[test]
fn the_changes_make_of_the_set_up_what_was_told() {
    let mut setup = ews();
    let plan = plan(&setup, &told());
    setup.apply(plan.changes()).unwrap();
    assert_eq!(&setup, plan.target());
    let again = MigrationPlan::to_graph(&setup, &told(), now()).unwrap();
    assert_eq!(again.issues(), [MigrationIssue::AlreadyGraph]);
    assert!(!again.is_possible() && again.steps().is_empty());
}

#[test]
fn the_script_has_the_real_names_and_holds_the_application_to_the_one_mailbox() {
    let options = told().with_administrator("admin@corp.example");
    let plan = plan(&ews(), &options);
    let step = plan.steps().iter().find(|step| step.id == "exchange");
    let script = step.unwrap().script.as_deref().unwrap();
    for expected in [
        "New-ServicePrincipal",
        "New-ManagementRoleAssignment",
        "-Role 'Application Mail.ReadWrite'",
        "-CustomResourceScope",
        "New-TransportRule",
        "-BlindCopyTo",
        &format!("'{MAILBOX}'"),
        &format!("'{CLIENT}'"),
        &format!("'{OBJECT}'"),
        "admin@corp.example",
    ] {
        assert!(script.contains(expected), "{expected}\n{script}");
    }
    assert!(
        !script.contains("EwsAllowedAppIDs"),
        "EWS is not allowed anew"
    );
    let ids: Vec<_> = plan.steps().iter().map(|step| step.id).collect();
    let expected = [
        "permissions",
        "exchange",
        "queue",
        "change",
        "enable",
        "tidy",
    ];
    assert_eq!(ids, expected);
}

#[test]
fn what_a_person_has_to_decide_stops_the_change() {
    type Change = fn(&mut EmailLoggingSetup);
    let cases: [(Change, MigrationIssue); 4] = [
        (
            |setup| setup.autodiscovery_email_address = None,
            MigrationIssue::NoMailbox,
        ),
        (
            |setup| setup.exchange_client_id = None,
            MigrationIssue::NoClientId,
        ),
        (
            |setup| {
                setup.queue_folder = None;
                setup.queue_folder_id = Some(FolderId::new("AQ1"));
            },
            MigrationIssue::FolderByIdAlone,
        ),
        (
            |setup| setup.storage_folder = Some(path("inbox:")),
            MigrationIssue::SameFolder,
        ),
    ];
    for (change, expected) in cases {
        let mut setup = ews();
        change(&mut setup);
        let plan = plan(&setup, &MigrationOptions::new());
        assert!(plan.issues().contains(&expected), "{:?}", plan.issues());
        assert!(expected.stops() && !plan.is_possible(), "{expected:?}");
        assert!(!expected.text().is_empty() && expected.code().starts_with("migration."));
    }
    let public = path(r"\Queue\");
    let options = told().with_folders(public, path("archive:"));
    let plan = plan(&ews(), &options);
    assert!(plan.issues().contains(&MigrationIssue::PublicFolderWanted));
}

#[test]
fn a_password_needs_another_way_of_signing_in() {
    let mut setup = EmailLoggingSetup::default();
    let changes = [
        SetupChange::AuthenticationType(AuthenticationType::Basic),
        SetupChange::ExchangeAccountUserName("logger@corp.example".into()),
        SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
        SetupChange::ExchangeServiceUrl("https://mail.corp.example/EWS/Exchange.asmx".into()),
        SetupChange::QueueFolder(Some(path("inbox:").into())),
        SetupChange::StorageFolder(Some(path("archive:").into())),
    ];
    setup.apply(&changes).unwrap();
    let stopped = plan(&setup, &MigrationOptions::new());
    assert!(stopped.issues().contains(&MigrationIssue::PasswordSignIn));
    assert!(stopped.issues().contains(&MigrationIssue::OnPremises));
    assert_eq!(stopped.retirement(), None, "never on premises");
    let options = told().with_authentication(AuthenticationType::OAuth2Delegated);
    let stopped = plan(&setup, &options);
    assert!(!stopped.is_possible(), "a server of one's own stays");
    assert_eq!(stopped.target().mail_service, MailService::Ews);
    let options = options.with_mailbox_online();
    let possible = plan(&setup, &options);
    assert!(possible.is_possible(), "{:?}", possible.issues());
    for issue in [
        MigrationIssue::SignInAgain,
        MigrationIssue::NoTenant,
        MigrationIssue::SaidToBeOnline,
    ] {
        assert!(possible.issues().contains(&issue), "{issue:?}");
    }
    assert_eq!(possible.target().exchange_account_user_name, None);
    assert!(possible.steps().iter().any(|step| step.id == "sign-in"));
}

#[test]
fn without_an_object_id_a_person_hears_that_nothing_narrows_the_application() {
    let plan = plan(&ews(), &MigrationOptions::new());
    assert_eq!(plan.issues(), [MigrationIssue::NoObjectId]);
    assert!(plan.is_possible());
    let script = plan.provisioning().unwrap().script();
    assert!(!script.contains("New-ManagementRoleAssignment"));
}
