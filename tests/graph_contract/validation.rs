//! The checks of a set-up behind the validator: what the connector asks, and what it is answered.

use std::sync::Arc;

use email_logging::Scope;
use email_logging::setup::{
    AuthenticationType, Check, EmailLoggingSetup, GraphConnector, MailService, SetupChange,
    SetupValidator, TemplateList, Verdict,
};
use email_logging::testkit::exchange::Delivery;

use super::checked::{APP_TOKEN, CheckedGraph, INBOX, MAILBOX};
use super::source::OneToken;

const OTHER: &str = "ceo@corp.example";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checks_of_a_set_up_fit_the_metadata() {
    let Some(checked) = CheckedGraph::start().await else {
        return;
    };
    checked.graph.add_mailbox(OTHER);
    let mail = Delivery::new("Subject: x\r\n\r\n").with_received(jiff::Timestamp::now());
    checked.graph.deliver_with(INBOX, mail).unwrap();
    let connector = GraphConnector::builder()
        .with_credentials(Arc::new(OneToken(APP_TOKEN.to_owned())))
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let path = |text: &str| text.parse::<email_logging::source::FolderPath>().unwrap();
    let mut setup = EmailLoggingSetup::default();
    setup
        .apply(&[
            SetupChange::AuthenticationType(AuthenticationType::AccessToken),
            SetupChange::MailService(MailService::Graph),
            SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
            SetupChange::QueueFolder(Some(path("inbox:").into())),
            SetupChange::StorageFolder(Some(path(r"mailbox:\Archive\").into())),
            SetupChange::InteractionTemplateCode("EMAIL".into()),
        ])
        .unwrap();
    // The one address that the rule of the field refuses and this test needs.
    setup.exchange_service_url = Some(format!("{}/v1.0", checked.relay.origin));
    let validator = SetupValidator::new(Arc::new(connector))
        .with_templates(Arc::new(TemplateList::new(["EMAIL"])))
        .with_other_mailbox(OTHER);
    let report = validator.validate(&Scope::default(), &setup).finish().await;
    for check in [
        Check::Credentials,
        Check::Connection,
        Check::ClockSkew,
        Check::RootFolder,
        Check::QueueFolder,
        Check::StorageFolder,
        Check::FoldersDistinct,
        Check::MailArriving,
    ] {
        let verdict = report.result(check).unwrap().verdict;
        assert_eq!(verdict, Verdict::Passed, "{check}: {report}");
    }
    // The token of the test opens every mailbox.
    let least = report.result(Check::LeastAccess).unwrap().verdict;
    assert_eq!(least, Verdict::Warning, "{report}");
    checked.assert_clean(6);
}
