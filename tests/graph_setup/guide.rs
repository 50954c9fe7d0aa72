//! The assisted set-up over a simulated Graph and a simulated identity service: from the first page to a logged mail.

use std::sync::Arc;

use email_logging::credential::{IdentityService, MicrosoftCloud, StaticCredentials};
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::parties::ContactKind;
use email_logging::setup::{
    AssistedSetup, EmailLoggingAdministration, Enabling, GraphConnector, GuideAnswer, GuideEvent,
    GuideOptions, GuideRequest, GuideStatus, GuideStep, MailConnector as _, MailService,
    ServiceConnector, TemplateList,
};
use email_logging::source::AddressPolicy;
use email_logging::store::{MemoryStore, SetupStore as _};
use email_logging::testkit::exchange::TlsCertificate;
use email_logging::testkit::graph::SimulatedGraph;
use email_logging::testkit::identity::{Application, SimulatedIdentity};
use email_logging::{EmailLogger, Scope};

use crate::{CLIENT, MAILBOX, TENANT};

const SECRET: &str = "canary-client/Secret~?=";
/// What the host of the worldwide Graph is called, which a blank field means.
const GRAPH: &str = "graph.microsoft.com";

/// A host with the simulated services behind Microsoft's names.
struct Host {
    graph: SimulatedGraph,
    _identity: SimulatedIdentity,
    connector: Arc<ServiceConnector>,
    store: Arc<MemoryStore>,
    administration: EmailLoggingAdministration,
}

impl Host {
    async fn new() -> Self {
        let application = Application::new(CLIENT)
            .with_secret(SECRET)
            .with_role("Mail.ReadWrite");
        let identity = SimulatedIdentity::builder()
            .with_application(application)
            .with_tls(TlsCertificate::Trusted)
            .start()
            .await
            .unwrap();
        let graph = SimulatedGraph::builder()
            .with_host_name(GRAPH)
            .with_mailbox(MAILBOX)
            .with_bearer(&identity)
            .with_application_access([MAILBOX])
            .start()
            .await
            .unwrap();
        let roots = [identity.ca_pem(), graph.root_pem()];
        let roots: String = roots.into_iter().flatten().collect();
        let service = IdentityService::microsoft(MicrosoftCloud::Worldwide, "organizations");
        let credentials = StaticCredentials::new()
            .with_client_id(CLIENT)
            .with_client_secret(SECRET);
        let connector = GraphConnector::builder()
            .with_credentials(Arc::new(credentials))
            .with_identity_service(service.with_authority(identity.url()))
            .with_address_policy(AddressPolicy::on_premises(["127.0.0.0/8"]).unwrap())
            .with_host_address(GRAPH, ([127, 0, 0, 1], graph.port()).into())
            .with_trusted_roots(roots)
            .build()
            .unwrap();
        let connector = Arc::new(ServiceConnector::new().with_graph(Arc::new(connector)));
        let store = Arc::new(MemoryStore::new());
        let administration = EmailLoggingAdministration::builder()
            .with_setup_store(Arc::clone(&store) as _)
            .with_secret_store(Arc::clone(&store) as _)
            .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
            .with_connector(Arc::clone(&connector) as _)
            .build()
            .unwrap();
        Self {
            graph,
            _identity: identity,
            connector,
            store,
            administration,
        }
    }

    /// Carries out what the guide asks for, as a host does.
    async fn answer(&self, request: GuideRequest) -> Option<GuideEvent> {
        let scope = Scope::default();
        Some(match request {
            // The administrator accepts, and the token names the tenant.
            GuideRequest::AskConsent { ticket, setup } => {
                assert_eq!(setup.mail_service, MailService::Graph);
                let outcome = Ok(Some(TENANT.to_owned()));
                GuideEvent::SignedIn { ticket, outcome }
            }
            GuideRequest::CheckConnection { ticket, setup } => {
                let connection = self.connector.connect(&scope, &setup).await.unwrap();
                let reached = connection.probe.reach().await;
                let answer = match reached {
                    Ok(_) => GuideAnswer::Passed,
                    Err(error) => GuideAnswer::Failed(error.code().to_owned()),
                };
                GuideEvent::ConnectionChecked { ticket, answer }
            }
            GuideRequest::CreateFolders {
                ticket,
                queue,
                storage,
            } => {
                let mut setup = email_logging::setup::EmailLoggingSetup::default();
                setup.mail_service = MailService::Graph;
                setup.autodiscovery_email_address = Some(MAILBOX.to_owned());
                setup.exchange_tenant_id = Some(TENANT.to_owned());
                let connection = self.connector.connect(&scope, &setup).await.unwrap();
                let queue = connection.folders.create(&queue).await.unwrap();
                let storage = connection.folders.create(&storage).await.unwrap();
                GuideEvent::FoldersFound {
                    ticket,
                    queue: Some(queue.id),
                    storage: Some(storage.id),
                }
            }
            GuideRequest::Validate { ticket, setup } => {
                let mut on_result = |_: &_| {};
                let checked = self
                    .administration
                    .validate_guide(&scope, &setup, &mut on_result);
                let report = checked.await;
                assert_eq!(report.failures().count(), 0, "{report}");
                let answer = GuideAnswer::Passed;
                GuideEvent::Validated { ticket, answer }
            }
            GuideRequest::Finish { ticket, outcome } => {
                let secrets = async { Ok(Vec::new()) };
                let finished = self
                    .administration
                    .finish_guide(&scope, &outcome, secrets, &mut |_| {})
                    .await
                    .unwrap();
                assert!(
                    matches!(finished.enabling, Some(Enabling::Enabled(_))),
                    "{finished:?}"
                );
                let answer = finished.answer();
                GuideEvent::Stored { ticket, answer }
            }
            _ => return None,
        })
    }
}

fn people() -> MemoryDirectory {
    let contact = ContactRecord::new("C1", "Ada", ContactKind::Person);
    MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AH", "Anna", "ah@ours.example"))
        .with_contact(contact.with_email("ada@contacts.example"))
}

/// What a person does on a page.
fn events(step: GuideStep) -> Vec<GuideEvent> {
    match step {
        GuideStep::Intro => vec![GuideEvent::ShowPlan],
        GuideStep::SignIn => vec![GuideEvent::SignIn],
        GuideStep::Mailbox => vec![
            GuideEvent::EnterAddress(MAILBOX.to_owned()),
            GuideEvent::CheckConnection,
        ],
        GuideStep::Folders => vec![GuideEvent::CreateFolders],
        GuideStep::MailFlowRules => vec![GuideEvent::RulesDone(true)],
        GuideStep::Validation => vec![GuideEvent::Validate],
        GuideStep::Done => vec![
            GuideEvent::ChooseTemplate {
                code: Some("EMAIL".to_owned()),
                exists: true,
            },
            GuideEvent::Finish,
        ],
        other => panic!("{other:?} is no page of this way"),
    }
}

#[tokio::test]
async fn the_guide_leads_to_a_set_up_for_graph_that_logs_mail() {
    let host = Host::new().await;
    let options = GuideOptions::online("2026-11-26T00:00:00Z".parse().unwrap())
        .with_graph(true)
        .with_credentials_supplied(true);
    let mut guide = AssistedSetup::new(options);
    while guide.status() != GuideStatus::Completed {
        for event in events(guide.step()) {
            for request in guide.handle(event).unwrap() {
                if let Some(event) = host.answer(request).await {
                    guide.handle(event).unwrap();
                }
            }
        }
        if guide.status() == GuideStatus::Open {
            guide.handle(GuideEvent::Next).unwrap();
        }
    }
    let scope = Scope::default();
    let stored = host.store.load_setup(&scope).await.unwrap().unwrap().setup;
    assert!(stored.enabled);
    assert_eq!(stored.mail_service, MailService::Graph);
    assert_eq!(stored.exchange_service_url, None);
    assert_eq!(stored.exchange_tenant_id.as_deref(), Some(TENANT));
    assert!(stored.queue_folder_id.is_some() && stored.storage_folder_id.is_some());

    let mail = "From: ada@contacts.example\r\nTo: ah@ours.example\r\nSubject: Offer\r\n\
                Message-ID: <1@x.example>\r\n\r\nHello.\r\n";
    host.graph
        .deliver(&format!(r"{MAILBOX}\Inbox"), mail)
        .unwrap();
    let connection = host.connector.connect(&scope, &stored).await.unwrap();
    let logger = EmailLogger::builder()
        .with_source(connection.source)
        .with_directory(Arc::new(people()))
        .with_store(Arc::clone(&host.store))
        .build()
        .unwrap();
    let report = logger.run_once().await.unwrap();
    assert_eq!((report.logged, report.moved), (1, 1), "{report:?}");
    assert!(connection.hints.is_some(), "and it can be woken");
}
