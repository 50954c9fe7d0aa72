//! The connector against a simulated Graph with a simulated identity service: every check, and a run.

use std::sync::Arc;

use email_logging::credential::{IdentityService, MicrosoftCloud, StaticCredentials};
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::parties::ContactKind;
use email_logging::setup::{
    Check, EmailLoggingSetup, EwsConnector, GraphConnector, MailConnector, MailService, NotChecked,
    ServiceConnector, SetupChange, SetupValidator, TemplateList, ValidationReport, Verdict,
};
use email_logging::source::AddressPolicy;
use email_logging::store::MemoryStore;
use email_logging::testkit::exchange::{Delivery, TlsCertificate};
use email_logging::testkit::graph::{GraphOperation, SimulatedGraph};
use email_logging::testkit::identity::{Application, SimulatedIdentity};
use email_logging::{EmailLogger, Scope};
use jiff::Timestamp;

use crate::{CLIENT, MAILBOX, TENANT, path};

const SECRET: &str = "canary-client/Secret~?=";
const OTHER: &str = "ceo@corp.example";

struct Place {
    identity: SimulatedIdentity,
    graph: SimulatedGraph,
}

impl Place {
    async fn new(role: &str) -> Self {
        let application = Application::new(CLIENT).with_secret(SECRET).with_role(role);
        let identity = SimulatedIdentity::builder()
            .with_application(application)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await
            .unwrap();
        let graph = SimulatedGraph::builder()
            .with_mailbox(MAILBOX)
            .with_mailbox(OTHER)
            .with_bearer(&identity)
            .with_application_access([MAILBOX])
            .start()
            .await
            .unwrap();
        Self { identity, graph }
    }

    fn deliver(&self) {
        let mail = "From: ada@contacts.example\r\nTo: ah@ours.example\r\nSubject: Offer\r\n\
                    Message-ID: <1@x.example>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0000\r\n\r\nHello.\r\n";
        let inbox = format!(r"{MAILBOX}\Inbox");
        let delivery = Delivery::new(mail.as_bytes()).with_received(Timestamp::now());
        self.graph.deliver_with(&inbox, delivery).unwrap();
    }

    fn connector(&self) -> GraphConnector {
        let roots = [self.identity.ca_pem(), self.graph.root_pem()];
        let roots: String = roots.into_iter().flatten().collect();
        let service = IdentityService::microsoft(MicrosoftCloud::Worldwide, "organizations");
        let credentials = StaticCredentials::new().with_client_secret(SECRET);
        GraphConnector::builder()
            .with_credentials(Arc::new(credentials))
            .with_identity_service(service.with_authority(self.identity.url()))
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
            .with_trusted_roots(roots)
            .build()
            .unwrap()
    }

    fn setup(&self) -> EmailLoggingSetup {
        let mut setup = EmailLoggingSetup::default();
        let changes = [
            SetupChange::MailService(MailService::Graph),
            SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
            SetupChange::ExchangeServiceUrl(self.graph.url()),
            SetupChange::ExchangeClientId(CLIENT.into()),
            SetupChange::ExchangeTenantId(TENANT.into()),
            SetupChange::QueueFolder(Some(path("inbox:").into())),
            SetupChange::StorageFolder(Some(path("archive:").into())),
            SetupChange::InteractionTemplateCode("EMAIL".into()),
        ];
        setup.apply(&changes).unwrap();
        setup
    }

    async fn report(&self) -> ValidationReport {
        let connector = ServiceConnector::new().with_graph(Arc::new(self.connector()));
        let validator = SetupValidator::new(Arc::new(connector))
            .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
            .with_other_mailbox(OTHER);
        let validation = validator.validate(&Scope::default(), &self.setup());
        validation.finish().await
    }
}

/// A change of a set-up.
type Change = fn(&mut EmailLoggingSetup);

fn verdict(report: &ValidationReport, check: Check) -> Verdict {
    report.result(check).unwrap().verdict
}

#[tokio::test]
async fn every_check_makes_sense_with_graph() {
    let place = Place::new("Mail.ReadWrite").await;
    place.deliver();
    let report = place.report().await;
    assert!(report.is_green(), "{report}");
    for check in [
        Check::Service,
        Check::Credentials,
        Check::Connection,
        Check::Tls,
        Check::EwsEnd,
        Check::TokenPermissions,
        Check::ClockSkew,
        Check::QueueFolder,
        Check::StorageFolder,
        Check::FoldersDistinct,
        Check::MailArriving,
        Check::LeastAccess,
    ] {
        assert_eq!(
            verdict(&report, check),
            Verdict::Passed,
            "{check}: {report}"
        );
    }
    let because = NotChecked::NotApplicable;
    assert_eq!(
        verdict(&report, Check::EwsAllowed),
        Verdict::NotChecked { because }
    );
    let because = NotChecked::NotTold;
    for check in [Check::QueueRights, Check::StorageRights, Check::StorageRoom] {
        assert_eq!(
            verdict(&report, check),
            Verdict::NotChecked { because },
            "{check}"
        );
    }
}

#[tokio::test]
async fn a_token_with_the_permission_of_ews_alone_is_told() {
    let place = Place::new("full_access_as_app").await;
    let report = place.report().await;
    assert!(!report.is_green(), "{report}");
    let told = report.result(Check::TokenPermissions).unwrap();
    assert_eq!(told.verdict, Verdict::Failed, "{report}");
    let finding = told.to_string();
    assert!(finding.contains("Mail.ReadWrite"), "{finding}");
}

#[tokio::test]
async fn a_set_up_for_graph_logs_and_moves_over_its_connector() {
    let place = Place::new("Mail.ReadWrite").await;
    place.deliver();
    let connector = place.connector();
    let scope = Scope::default();
    let connection = connector.connect(&scope, &place.setup()).await.unwrap();
    assert_eq!(connection.probe.is_online(), Some(true));
    let person = SalespersonRecord::new("AH", "Anna", "ah@ours.example");
    let contact = ContactRecord::new("C1", "Ada", ContactKind::Person);
    let directory = MemoryDirectory::new()
        .with_salesperson(person)
        .with_contact(contact.with_email("ada@contacts.example"));
    let logger = EmailLogger::builder()
        .with_source(connection.source)
        .with_directory(Arc::new(directory))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder(path("inbox:"))
        .with_storage_folder(path("archive:"))
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (1, 1), "{report:?}");
    let count = |name: &str| place.graph.count(&format!(r"{MAILBOX}\{name}")).unwrap();
    assert_eq!((count("Inbox"), count("Archive")), (0, 1));
    let again = connector.connect(&scope, &place.setup()).await.unwrap();
    assert!(again.source.capabilities().connections <= 4);
    assert!(place.graph.statistics().calls(GraphOperation::MoveMessage) >= 1);
}

#[tokio::test]
async fn what_graph_cannot_do_is_refused_before_anything_is_sent() {
    let place = Place::new("Mail.ReadWrite").await;
    let connector = place.connector();
    let scope = Scope::default();
    let cases: [(Change, &str); 4] = [
        (
            |setup| setup.autodiscovery_email_address = None,
            "setup.incomplete",
        ),
        (|setup| setup.exchange_tenant_id = None, "setup.incomplete"),
        (
            |setup| {
                setup.authentication_type = email_logging::setup::AuthenticationType::Basic;
            },
            "setup.authentication_type",
        ),
        (
            |setup| {
                let url = "https://outlook.office365.com/EWS/Exchange.asmx";
                setup.exchange_service_url = Some(url.into());
            },
            "setup.service_url",
        ),
    ];
    for (change, code) in cases {
        let mut setup = place.setup();
        change(&mut setup);
        let error = connector.connect(&scope, &setup).await.unwrap_err();
        assert_eq!(error.code(), code);
    }
    assert_eq!(place.graph.statistics().requests, 0);
    let neither = ServiceConnector::new();
    let error = neither.connect(&scope, &place.setup()).await.unwrap_err();
    assert_eq!(error.code(), "config.missing");
}

#[tokio::test]
async fn only_a_server_of_exchange_online_is_known_as_one_without_a_request() {
    let connector = EwsConnector::builder()
        .with_credentials(Arc::new(
            StaticCredentials::new().with_client_secret(SECRET),
        ))
        .build()
        .unwrap();
    for (host, online) in [
        ("outlook.office365.com", true),
        ("outlook.office365.us", true),
        ("mail.corp.example", false),
    ] {
        let mut setup = crate::ews();
        let url = format!("https://{host}/EWS/Exchange.asmx");
        setup
            .apply(&[SetupChange::ExchangeServiceUrl(url)])
            .unwrap();
        let tenant = SetupChange::ExchangeTenantId(TENANT.into());
        setup.apply(&[tenant]).unwrap();
        let connection = connector.connect(&Scope::default(), &setup).await.unwrap();
        assert_eq!(connection.probe.is_online(), Some(online), "{host}");
    }
}

#[tokio::test]
async fn the_cloud_of_the_identity_service_is_that_of_graph() {
    let place = Place::new("Mail.ReadWrite").await;
    let mut setup = place.setup();
    setup.exchange_service_url = None;
    let connection = place.connector().connect(&Scope::default(), &setup).await;
    // Nothing is sent to Microsoft: that the source could be put together is enough.
    let shown = format!("{:?}", connection.unwrap());
    assert!(
        !shown.contains(MAILBOX) && !shown.contains(SECRET),
        "{shown}"
    );
}
