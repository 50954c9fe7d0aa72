//! Every request that the source can send is valid against Exchange's own schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;
#[path = "ews/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use email_logging::Scope;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::message::ItemClass;
use email_logging::setup::{
    AuthenticationType, EmailLoggingSetup, EwsConnector, MailConnection, MailConnector,
};
use email_logging::source::ews::EwsSource;
use email_logging::source::{Disposal, MailFolders, MailSource, SightingKey, Sought, Wakeup};
use support::*;
use wiremock::MockServer;

const SCHEMA: &str = "../shared/vectors/ews/xsd/patched/soap-ews.xsd";

fn schema() -> Option<PathBuf> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(SCHEMA);
    let tool = Command::new("xmllint").arg("--version").output().is_ok();
    if file.is_file() && tool {
        return Some(file);
    }
    skipped::skipped(&format!("xmllint or {SCHEMA} is missing"));
    None
}

/// Answers that lead through every request: fall-backs, names, other shapes, older versions.
async fn script(server: &MockServer) {
    script_fetching(server).await;
    script_moving(server).await;
    script_folders(server).await;
}

async fn script_fetching(server: &MockServer) {
    let dn = "<t:ToRecipients><t:Mailbox><t:EmailAddress>/o=X/cn=&lt;a&gt;</t:EmailAddress>\
        <t:RoutingType>EX</t:RoutingType></t:Mailbox></t:ToRecipients>";
    let other = || failed("ErrorInvalidPropertyRequest");
    for messages in [
        vec![
            item("A", Some("a"), dn),
            other(),
            failed("ErrorItemCorrupt"),
        ],
        vec![item("B", Some("b"), "")],
        vec![other()],
        vec![item("C", None, "")],
        vec![item("D", Some("d"), "")],
    ] {
        answer(server, "GetItem", response("GetItem", &messages), 1).await;
    }
    let nobody = response("ResolveNames", &[failed("ErrorNameResolutionNoResults")]);
    answer(server, "ResolveNames", nobody, 2).await;
}

async fn script_moving(server: &MockServer) {
    let refused = failed("ErrorCrossMailboxMoveCopy");
    answer(server, "MoveItem", response("MoveItem", &[refused]), 1).await;
    let copied = response("CopyItem", &[fine("<m:Items/>")]);
    answer(server, "CopyItem", copied, 1).await;
    answer(server, "DeleteItem", response("DeleteItem", &[fine("")]), 3).await;
    let nothing = response("FindItem", &[page("", 0, true)]);
    answer(server, "FindItem", nothing, 4).await;
    let stamped = response("UpdateItem", &[fine("<m:Items/>"), fine("<m:Items/>")]);
    answer(server, "UpdateItem", stamped, 1).await;
}

async fn script_folders(server: &MockServer) {
    let inbox = folder_row("I", "Inbox", "IPF.Note");
    let inbox = fine(&format!("<m:Folders>{inbox}</m:Folders>"));
    answer(server, "GetFolder", response("GetFolder", &[inbox]), 1).await;
    for name in ["Email &lt;Logging&gt;", "Queue &amp; Co", "Any", "Archive"] {
        let found = response("FindFolder", &[folders(&[("L", name)])]);
        answer(server, "FindFolder", found, 1).await;
    }
    let none = response("FindFolder", &[folders(&[])]);
    answer(server, "FindFolder", none, 1).await;
    let created = fine("<m:Folders><t:Folder><t:FolderId Id=\"N\"/></t:Folder></m:Folders>");
    let created = response("CreateFolder", &[created]);
    answer(server, "CreateFolder", created, 1).await;
}

async fn whole_run(source: &EwsSource) {
    let (queue, storage) = (folder("Q&<>\""), folder("S"));
    let mut items = listed(&["A", "B", "C", "D"]);
    items[0].item = items[0].item.clone().with_change_key("CQ=");
    items[3].class = ItemClass::Other;
    source
        .fetch(&queue, &items, &mut Collect::default())
        .await
        .unwrap();
    source.list(&queue, all()).await.unwrap();
    let key = |byte: u8| Sought::new(SightingKey::SearchKey(vec![byte; 16]));
    source.locate(&storage, &[key(1)]).await.unwrap();
    let stamp = |byte: u8| Sought::new(SightingKey::Stamp([byte; 16]));
    source
        .locate(&storage, &[stamp(1), stamp(2)])
        .await
        .unwrap();
    source.stamp(&queue, &refs(&["A", "B"])).await.unwrap();
    source
        .locate(&storage, &[key(1), key(2), key(3)])
        .await
        .unwrap();
    source
        .move_to(&queue, &refs(&["A"]), &storage)
        .await
        .unwrap();
    for disposal in [Disposal::DeletedItems, Disposal::Recoverable] {
        source
            .remove(&queue, &refs(&["A"]), disposal)
            .await
            .unwrap();
    }
    let path = |text: &str| text.parse::<email_logging::source::FolderPath>().unwrap();
    source.open_folder(&path("inbox:").into()).await.unwrap();
    source
        .open_folder(&path(r"\Email <Logging>\Queue & Co\").into())
        .await
        .unwrap();
    source
        .children(&path("mailbox:").into(), all())
        .await
        .unwrap();
    source.create(&path(r"archive:\2026")).await.unwrap();
}

async fn recorded(impersonated: Option<&str>, refused_versions: u64) -> Vec<Vec<u8>> {
    let server = MockServer::start().await;
    if refused_versions > 0 {
        let fault = fault("ErrorInvalidServerVersion", None);
        answer(&server, "GetItem", fault, refused_versions).await;
    }
    script(&server).await;
    let (source, _) = source_with(&server, |builder| match impersonated {
        Some(mailbox) => builder
            .with_stamps(true)
            .with_impersonation(mailbox)
            .with_mailbox("shared@example.com"),
        None => builder.with_stamps(true),
    });
    whole_run(&source).await;
    let sent = server.received_requests().await.unwrap();
    sent.into_iter().map(|request| request.body).collect()
}

async fn connected(server: &MockServer, as_owner: bool) -> MailConnection {
    let token = AccessToken::new("token", None);
    let credentials = StaticCredentials::new().with_access_token(token);
    let connector = EwsConnector::builder()
        .with_credentials(Arc::new(credentials))
        .with_application_tokens(as_owner)
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let mut setup = EmailLoggingSetup::default();
    setup.authentication_type = AuthenticationType::AccessToken;
    setup.autodiscovery_email_address = Some("q@example.com".into());
    setup.exchange_service_url = Some(format!("{}/EWS/Exchange.asmx", server.uri()));
    connector.connect(&Scope::default(), &setup).await.unwrap()
}

/// What validation asks.
async fn validated(as_owner: bool) -> Vec<Vec<u8>> {
    let server = MockServer::start().await;
    let inbox = folder_row("I", "Inbox", "IPF.Note");
    let inbox = fine(&format!("<m:Folders>{inbox}</m:Folders>"));
    answer(&server, "GetFolder", response("GetFolder", &[inbox]), 5).await;
    let newest = response("FindItem", &[page(&row("A", b"key"), 1, true)]);
    answer(&server, "FindItem", newest, 1).await;
    let probe = connected(&server, as_owner).await.probe;
    probe.reach().await.unwrap();
    let reads = probe.reads_mailbox("o'<other>&co@example.com").await;
    assert_eq!(reads.unwrap(), Some(true));
    let (own, mut public) = (folder("Q&<>\""), folder("S"));
    public.public = true;
    probe.rights(&own).await.unwrap();
    for folder in [&own, &public] {
        assert_eq!(probe.room(folder).await.unwrap(), None);
    }
    assert!(probe.newest_mail(&own).await.unwrap().flatten().is_some());
    let sent = server.received_requests().await.unwrap();
    let bodies: Vec<_> = sent.into_iter().map(|request| request.body).collect();
    let text: Vec<_> = bodies
        .iter()
        .map(|body| String::from_utf8_lossy(body))
        .collect();
    let with = |words: &str| text.iter().filter(|body| body.contains(words)).count();
    assert_eq!(with("0x666A"), 2);
    assert_eq!(with("Order=\"Descending\""), 1);
    assert_eq!(with("MaxEntriesReturned=\"1\""), 1);
    assert_eq!(with("o'&lt;other&gt;&amp;co@example.com"), 1);
    assert_eq!(with("ExchangeImpersonation"), if as_owner { 6 } else { 0 });
    bodies
}

/// What hints about new mail ask.
async fn subscribed(as_owner: bool) -> Vec<Vec<u8>> {
    let server = MockServer::start().await;
    let inbox = folder_row("I&<>", "Inbox", "IPF.Note");
    let inbox = fine(&format!("<m:Folders>{inbox}</m:Folders>"));
    answer(&server, "GetFolder", response("GetFolder", &[inbox]), 1).await;
    let made = "<m:SubscriptionId>S&amp;=</m:SubscriptionId><m:Watermark>W&lt;=</m:Watermark>";
    let made = response("Subscribe", &[fine(made)]);
    answer(&server, "Subscribe", made, 1).await;
    let event = "<m:Notification><t:SubscriptionId>S</t:SubscriptionId>\
        <t:NewMailEvent><t:Watermark>V</t:Watermark></t:NewMailEvent></m:Notification>";
    answer(
        &server,
        "GetEvents",
        response("GetEvents", &[fine(event)]),
        1,
    )
    .await;
    let ended = response("Unsubscribe", &[fine("")]);
    answer(&server, "Unsubscribe", ended, 1).await;
    let (source, _) = source_with(&server, |builder| {
        if as_owner {
            builder.with_impersonation("q@example.com")
        } else {
            builder.with_mailbox("shared@example.com")
        }
    });
    let inbox: email_logging::source::FolderPath = "inbox:".parse().unwrap();
    let wakeup = source.wakeup(inbox).unwrap();
    wakeup.wait().await;
    wakeup.wait().await;
    wakeup.unsubscribe().await.unwrap();
    let sent = server.received_requests().await.unwrap();
    sent.into_iter().map(|request| request.body).collect()
}

#[tokio::test]
async fn every_request_is_valid() {
    let Some(schema) = schema() else { return };
    let mut bodies = BTreeSet::new();
    for impersonated in [None, Some("q@example.com")] {
        for refused_versions in 0..=3 {
            bodies.extend(recorded(impersonated, refused_versions).await);
        }
    }
    for as_owner in [false, true] {
        bodies.extend(validated(as_owner).await);
        bodies.extend(subscribed(as_owner).await);
    }
    let folder = tempfile::tempdir().unwrap();
    let mut operations = BTreeSet::new();
    let mut lint = Command::new("xmllint");
    lint.args(["--noout", "--nonet", "--schema"]).arg(schema);
    for (at, body) in bodies.iter().enumerate() {
        let path = folder.path().join(format!("{at}.xml"));
        std::fs::write(&path, body).unwrap();
        lint.arg(path);
        let text = String::from_utf8_lossy(body).into_owned();
        let operation = text.split("<s:Body><m:").nth(1).unwrap();
        operations.insert(operation.split([' ', '>']).next().unwrap().to_owned());
    }
    let result = lint.output().unwrap();
    let said = String::from_utf8_lossy(&result.stderr);
    assert!(result.status.success(), "{said}");
    assert_eq!(said.matches(" validates").count(), bodies.len());
    let expected = [
        "CopyItem",
        "CreateFolder",
        "DeleteItem",
        "FindFolder",
        "FindItem",
        "GetEvents",
        "GetFolder",
        "GetItem",
        "MoveItem",
        "ResolveNames",
        "Subscribe",
        "Unsubscribe",
        "UpdateItem",
    ];
    assert_eq!(
        operations.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
    eprintln!("{} requests are valid", bodies.len());
}
