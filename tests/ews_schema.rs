//! Every request that the source can send is valid against Exchange's own schema.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/skipped.rs"]
mod skipped;
#[path = "ews/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use email_logging::message::ItemClass;
use email_logging::source::ews::EwsSource;
use email_logging::source::{Disposal, MailFolders, MailSource, SightingKey};
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

/// Answers that lead through every request that reads: names, other shapes, older versions.
async fn script_of_reading(server: &MockServer) {
    let dn = "<t:ToRecipients><t:Mailbox><t:EmailAddress>/o=X/cn=&lt;a&gt;</t:EmailAddress>\
        <t:RoutingType>EX</t:RoutingType></t:Mailbox></t:ToRecipients>";
    let first = [
        item("A", Some("a"), dn),
        failed("ErrorInvalidPropertyRequest"),
        failed("ErrorItemCorrupt"),
    ];
    let facts = failed("ErrorInvalidPropertyRequest");
    answer(server, "GetItem", response("GetItem", &first), 1).await;
    answer(
        server,
        "GetItem",
        response("GetItem", &[item("B", Some("b"), "")]),
        1,
    )
    .await;
    answer(server, "GetItem", response("GetItem", &[facts]), 1).await;
    answer(
        server,
        "GetItem",
        response("GetItem", &[item("C", None, "")]),
        1,
    )
    .await;
    answer(
        server,
        "GetItem",
        response("GetItem", &[item("D", Some("d"), "")]),
        1,
    )
    .await;
    let nobody = response("ResolveNames", &[failed("ErrorNameResolutionNoResults")]);
    answer(server, "ResolveNames", nobody, 1).await;
}

/// Fall-backs of a move, an empty page, and the folders down to one that has to be made.
async fn script_of_moves_and_folders(server: &MockServer) {
    let refused = failed("ErrorCrossMailboxMoveCopy");
    answer(server, "MoveItem", response("MoveItem", &[refused]), 1).await;
    answer(
        server,
        "CopyItem",
        response("CopyItem", &[fine("<m:Items/>")]),
        1,
    )
    .await;
    answer(server, "DeleteItem", response("DeleteItem", &[fine("")]), 3).await;
    answer(
        server,
        "FindItem",
        response("FindItem", &[page("", 0, true)]),
        3,
    )
    .await;
    let row = format!(
        "<m:Folders>{}</m:Folders>",
        folder_row("I", "Inbox", "IPF.Note")
    );
    answer(server, "GetFolder", response("GetFolder", &[fine(&row)]), 1).await;
    answer(
        server,
        "FindFolder",
        response("FindFolder", &[folders(&[("L", "L")])]),
        4,
    )
    .await;
    answer(
        server,
        "FindFolder",
        response("FindFolder", &[folders(&[])]),
        1,
    )
    .await;
    let created = fine("<m:Folders><t:Folder><t:FolderId Id=\"N\"/></t:Folder></m:Folders>");
    answer(
        server,
        "CreateFolder",
        response("CreateFolder", &[created]),
        1,
    )
    .await;
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
    let key = |byte: u8| SightingKey::SearchKey(vec![byte; 16]);
    source.locate(&storage, &[key(1)]).await.unwrap();
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

async fn recorded(impersonated: bool, refused_versions: u64) -> Vec<Vec<u8>> {
    let server = MockServer::start().await;
    if refused_versions > 0 {
        let fault = fault("ErrorInvalidServerVersion", None);
        answer(&server, "GetItem", fault, refused_versions).await;
    }
    script_of_reading(&server).await;
    script_of_moves_and_folders(&server).await;
    let (source, _) = source_with(&server, |builder| {
        if impersonated {
            builder
                .with_impersonation("q@example.com")
                .with_mailbox("shared@example.com")
        } else {
            builder
        }
    });
    whole_run(&source).await;
    let sent = server.received_requests().await.unwrap();
    sent.into_iter().map(|request| request.body).collect()
}

#[tokio::test]
async fn every_request_is_valid() {
    let Some(schema) = schema() else { return };
    let mut bodies = BTreeSet::new();
    for impersonated in [false, true] {
        for refused_versions in 0..=3 {
            bodies.extend(recorded(impersonated, refused_versions).await);
        }
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
        "GetFolder",
        "GetItem",
        "MoveItem",
        "ResolveNames",
    ];
    assert_eq!(
        operations.iter().map(String::as_str).collect::<Vec<_>>(),
        expected
    );
    eprintln!("{} requests are valid", bodies.len());
}
