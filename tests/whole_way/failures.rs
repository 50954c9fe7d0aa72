//! What validation finds where a real server would show it: certificates, tokens, rights, room, and other people's mail.

use std::sync::Arc;

use email_logging::setup::{
    AuthenticationType, Check, EmailLoggingSetup, SetupValidator, TemplateList, ValidationReport,
    Verdict,
};
use email_logging::testkit::exchange::{
    EwsBlock, FolderRights, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};
use email_logging::testkit::identity::Application;

use crate::company::mail;
use crate::place::*;

const OWN_NAME: &str = "Use the host name of the certificate in the service URL, or have a certificate made for this one.";
const RENEW: &str = "Renew the server's certificate; if it is valid, correct this machine's clock.";
const ROOT: &str = "If the server uses a private authority or signs for itself, add its root certificate or pin its key; else somebody may stand in between.";
const ALLOW: &str = "Let the administrator run Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs with the application id; Exchange Online ends EWS for good on 2027-04-01.";
const GRANT: &str =
    "Give the application full_access_as_app or EWS.AccessAsUser.All, and consent again.";
const ADD: &str = "Add full_access_as_app (application) or EWS.AccessAsUser.All (delegated) to the app registration and let an administrator consent.";
const NARROW: &str = "Narrow the application to the one mailbox: RBAC for Applications (New-ManagementRoleAssignment with a scope), or an application access policy (New-ApplicationAccessPolicy).";

/// What is wrong: the check, how it ended, its code, its remedy.
type Wrong = (Check, Verdict, &'static str, &'static str);

async fn validated(place: &Place, host: &Host, setup: &EmailLoggingSetup) -> ValidationReport {
    SetupValidator::new(Arc::new(host.connector.clone()))
        .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
        .with_other_mailbox(OTHER)
        .with_clock(Arc::new(place.clock.clone()))
        .validate(&scope(), setup)
        .finish()
        .await
}

/// All that failed or warned. What could not be checked after that is not among it.
fn wrong(report: &ValidationReport) -> Vec<Wrong> {
    let results = report.results.iter();
    let wrong = results
        .filter_map(|result| Some((result.check, result.verdict, result.code?, result.remedy?)));
    wrong.collect()
}

/// Validates one Exchange as an application, with the service URL given where it is; answers the requests that it saw, too.
async fn at(
    exchange: SimulatedExchangeBuilder,
    url: Option<&str>,
    roots: bool,
) -> (Vec<Wrong>, u64) {
    let place = Place::new(exchange).await;
    place.exchange.deliver(QUEUE, mail(0)).unwrap();
    let trusted = if roots {
        place.trusted()
    } else {
        place.identity.ca_pem().unwrap().to_owned()
    };
    let host = place
        .host_with(|builder| builder.with_trusted_roots(trusted))
        .await;
    let mut setup = host.entered(&place, AuthenticationType::OAuth2).await;
    setup.exchange_service_url = url.map(str::to_owned);
    let report = validated(&place, &host, &setup).await;
    assert!(!format!("{report} {report:?}").contains(CLIENT_SECRET));
    (wrong(&report), place.exchange.statistics().requests)
}

#[tokio::test]
async fn a_refused_certificate_of_exchange_is_named_and_nothing_is_sent_there() {
    let url = format!("https://{HOST}/EWS/Exchange.asmx");
    for (certificate, roots, code, remedy) in [
        (TlsCertificate::Trusted, false, "http.tls_untrusted", ROOT),
        (TlsCertificate::SelfSigned, true, "http.tls_untrusted", ROOT),
        (TlsCertificate::Expired, true, "http.tls_expired", RENEW),
        (TlsCertificate::WrongHost, true, "http.tls_host", OWN_NAME),
    ] {
        let exchange = exchange().with_tls(certificate);
        let (wrong, requests) = at(exchange, Some(&url), roots).await;
        let failed = |check| (check, Verdict::Failed, code, remedy);
        assert_eq!(wrong, [failed(Check::Connection), failed(Check::Tls)]);
        assert_eq!(requests, 0, "{code}");
    }
}

#[tokio::test]
async fn a_tenant_that_blocks_ews_is_said_with_what_its_administrator_runs() {
    let place = Place::new(exchange()).await;
    let host = place.host().await;
    let setup = host.entered(&place, AuthenticationType::OAuth2).await;
    place
        .exchange
        .set_ews_block(Some(EwsBlock::ForbiddenWithReason));
    let report = validated(&place, &host, &setup).await;
    let failed = |check| (check, Verdict::Failed, "ews.blocked", ALLOW);
    assert_eq!(
        wrong(&report),
        [failed(Check::Connection), failed(Check::EwsAllowed)]
    );
}

#[tokio::test]
async fn a_token_without_the_role_is_said_to_lack_it() {
    let place = Place::new(exchange()).await;
    let bare = Application::new(CLIENT).with_secret(CLIENT_SECRET);
    place.identity.register(bare);
    let host = place.host().await;
    let setup = host.entered(&place, AuthenticationType::OAuth2).await;
    let report = validated(&place, &host, &setup).await;
    let failed = |check, code, remedy| (check, Verdict::Failed, code, remedy);
    assert_eq!(
        wrong(&report),
        [
            failed(Check::Connection, "ews.token_grant", GRANT),
            failed(Check::TokenPermissions, "check.permission_missing", ADD),
        ]
    );
    assert!(place.exchange.recorded().is_empty());
}

/// What is done to Exchange, and what is wrong then.
type Deed = (fn(&SimulatedExchange), Wrong);

const DEEDS: [Deed; 5] = [
    (
        |exchange| {
            set_rights(
                exchange,
                STORAGE,
                FolderRights::OWNER.with_create_contents(false),
            );
        },
        (
            Check::StorageRights,
            Verdict::Failed,
            "check.storage_rights",
            "Make the account an Owner of the storage folder.",
        ),
    ),
    (
        |exchange| set_rights(exchange, QUEUE, FolderRights::OWNER.with_delete(false)),
        (
            Check::QueueRights,
            Verdict::Failed,
            "check.queue_rights",
            "Make the account an Owner of the queue folder.",
        ),
    ),
    (
        |exchange| fill(exchange, 1000),
        (
            Check::StorageRoom,
            Verdict::Warning,
            "check.storage_filling",
            "Make room or raise the quota.",
        ),
    ),
    (
        |exchange| fill(exchange, 24),
        (
            Check::StorageRoom,
            Verdict::Failed,
            "check.storage_full",
            "Make room, raise the quota, or choose a storage folder in another mailbox.",
        ),
    ),
    (
        |exchange| exchange.delete_folder(STORAGE).unwrap(),
        (
            Check::StorageFolder,
            Verdict::Failed,
            "ews.folder_not_found",
            "Check the folder's path and the rights of the account.",
        ),
    ),
];

fn set_rights(exchange: &SimulatedExchange, path: &str, rights: FolderRights) {
    exchange.set_rights(path, rights).unwrap();
}

/// Puts so many bytes into the storage folder, which holds a kilobyte.
fn fill(exchange: &SimulatedExchange, bytes: usize) {
    exchange.set_quota(STORAGE, Some(1 << 10)).unwrap();
    exchange.deliver(STORAGE, vec![b'x'; bytes]).unwrap();
}

#[tokio::test]
async fn rights_room_and_folders_that_are_missing_are_each_found_alone() {
    let place = Place::new(exchange()).await;
    place.exchange.deliver(QUEUE, mail(0)).unwrap();
    let host = place.host().await;
    let setup = host.entered(&place, AuthenticationType::OAuth2).await;
    assert_eq!(wrong(&validated(&place, &host, &setup).await), []);
    for (deed, expected) in DEEDS {
        deed(&place.exchange);
        let report = validated(&place, &host, &setup).await;
        assert_eq!(wrong(&report), [expected]);
        if expected.0 != Check::StorageFolder {
            set_rights(&place.exchange, QUEUE, FolderRights::OWNER);
            set_rights(&place.exchange, STORAGE, FolderRights::OWNER);
        }
    }
}

#[tokio::test]
async fn whoever_can_read_another_mailbox_is_warned() {
    let warning = (
        Check::LeastAccess,
        Verdict::Warning,
        "check.other_mailbox",
        NARROW,
    );
    for (kind, open) in [
        (AuthenticationType::OAuth2, true),
        (AuthenticationType::OAuth2, false),
        (AuthenticationType::Basic, true),
        (AuthenticationType::Basic, false),
    ] {
        let mut exchange = on_premises();
        if open {
            exchange = exchange
                .with_private_mailboxes(false)
                .with_application_access([MAILBOX, OTHER]);
        }
        let place = Place::new(exchange).await;
        place.exchange.deliver(QUEUE, mail(0)).unwrap();
        let host = place.host().await;
        let setup = host.entered(&place, kind).await;
        let report = validated(&place, &host, &setup).await;
        let expected = open.then_some(warning);
        assert_eq!(wrong(&report), expected.as_slice(), "{kind:?}");
        let checked = report.result(Check::LeastAccess).unwrap().verdict;
        assert_eq!(checked == Verdict::Passed, !open, "{kind:?}");
    }
}
