//! Every envelope of a whole run against the official schema, by xmllint.

use std::path::{Path, PathBuf};
use std::process::Command;

use base64_simd::STANDARD;
use email_logging::testkit::exchange::{Delivery, Fault, FaultKind, Operation, SimulatedExchange};

use super::client::*;

const OPERATIONS: usize = 14;

#[tokio::test]
async fn every_envelope_of_a_whole_run_is_valid() {
    let Some(schema) = schema() else { return };
    let exchange = builder().with_recording(true).start().await.unwrap();
    run_everything(&exchange).await;
    assert_eq!(exchange.statistics().operations.len(), OPERATIONS);
    let directory = tempfile::tempdir().unwrap();
    exchange.write_recorded(directory.path()).unwrap();
    let files = files(directory.path());
    assert_eq!(files.len(), 2 * exchange.recorded().len());
    validate(&schema, &files);
}

#[tokio::test]
async fn every_mail_of_the_vectors_is_a_valid_item_and_comes_back_bit_for_bit() {
    let (Some(schema), Some(mails)) = (schema(), shared("vectors/mail")) else {
        return;
    };
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let directory = tempfile::tempdir().unwrap();
    let mut answers = Vec::new();
    for mail in mails_below(&mails) {
        let mime = std::fs::read(&mail).unwrap();
        let id = exchange.deliver(QUEUE, mime.clone()).unwrap();
        let answer = client.call(get_item(&[id], "AllProperties", true)).await;
        let base64 = answer.text.split_once("CharacterSet=\"UTF-8\">").unwrap().1;
        let base64 = base64.split_once('<').unwrap().0;
        assert!(
            STANDARD.decode_to_vec(base64).unwrap() == mime,
            "{}",
            mail.display()
        );
        answers.push(directory.path().join(format!("{:04}.xml", answers.len())));
        std::fs::write(answers.last().unwrap(), answer.text).unwrap();
    }
    assert!(answers.len() > 400, "{}", answers.len());
    validate(&schema, &answers);
}

fn mails_below(directory: &Path) -> Vec<PathBuf> {
    let (folders, files): (Vec<_>, Vec<_>) =
        files(directory).into_iter().partition(|path| path.is_dir());
    let mails = files
        .into_iter()
        .filter(|file| file.extension().is_none_or(|end| end != "json"));
    mails
        .chain(folders.iter().flat_map(|folder| mails_below(folder)))
        .collect()
}

pub(crate) fn validate(schema: &Path, files: &[PathBuf]) {
    let mut command = Command::new("xmllint");
    command
        .args(["--huge", "--noout", "--nonet", "--schema"])
        .arg(schema)
        .args(files);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    let wrong = errors.lines().filter(|line| !line.ends_with(" validates"));
    let wrong: Vec<_> = wrong.take(20).collect();
    assert!(
        output.status.success() && wrong.is_empty(),
        "{}",
        wrong.join("\n")
    );
    eprintln!("xmllint: {} envelopes are valid", files.len());
}

#[tokio::test]
async fn a_recording_holds_no_credentials() {
    let exchange = builder().with_recording(true).start().await.unwrap();
    Client::of(&exchange)
        .call(get_folder(&distinguished("root")))
        .await;
    let recorded = exchange.recorded();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].operation, Some(Operation::GetFolder));
    assert_eq!(
        recorded[0].headers["client-request-id"],
        "11111111-2222-4333-8444-555555555555"
    );
    assert!(!recorded[0].headers.contains_key("authorization"));
}

#[tokio::test]
async fn nothing_is_kept_without_recording() {
    let exchange = builder().start().await.unwrap();
    Client::of(&exchange)
        .call(get_folder(&distinguished("root")))
        .await;
    assert!(exchange.recorded().is_empty());
}

/// Calls every operation, in good and in bad ways.
async fn run_everything(exchange: &SimulatedExchange) {
    deliver_samples(exchange);
    let client = Client::of(exchange);
    let queue = client.folder(QUEUE).await;
    let storage = client.folder(STORAGE).await;
    let elsewhere = client.folder(ELSEWHERE).await;
    let ids: Vec<_> = exchange
        .items(QUEUE)
        .unwrap()
        .into_iter()
        .map(|item| item.id)
        .collect();
    let mut requests = reading(&queue, &ids);
    requests.extend(writing(&storage, &elsewhere, &ids));
    requests.extend(asking(&queue));
    for kind in [
        FaultKind::ServerBusyInside {
            back_off: std::time::Duration::ZERO,
        },
        FaultKind::ItemError {
            index: 0,
            code: "ErrorItemCorrupt".into(),
        },
        FaultKind::BatchStopped { after: 1 },
        FaultKind::SoapFault {
            code: "ErrorMailboxStoreUnavailable".into(),
        },
    ] {
        exchange.inject(Fault::new(kind).on(Operation::GetItem).at_call(3));
    }
    for request in requests {
        client.call(request).await;
    }
    client
        .with_version("V2017_07_11")
        .call(get_folder(&queue))
        .await;
}

fn deliver_samples(exchange: &SimulatedExchange) {
    let attachment = "From: a@b.example\r\nTo: \"\" <c@d.example>, e@f.example\r\nCc: \
        g@h.example\r\n\
        Reply-To: i@j.example\r\nIn-Reply-To: <k@l.example>\r\nReferences: <m@n.example>\r\n\
        Subject: =?utf-8?q?=01=E2=82=AC?=\r\nDate: Mon, 5 Jan 2026 09:00:00 +0100\r\nImportance: \
        high\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n\
        <p>x</p>\r\n\
        --b\r\nContent-Type: application/pdf; name=\"a.pdf\"\r\nContent-Disposition: attachment\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nAAAA\r\n--b\r\nContent-Type: message/rfc822\r\n\
        \r\n\
        Subject: inner\r\n\r\nx\r\n--b--\r\n";
    for mime in [
        attachment,
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n",
        "Content-Type: text/calendar; method=CANCEL\r\n\r\nBEGIN:VCALENDAR\r\n",
        "Content-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\n",
        "",
        "\0\u{1}garbage",
        "From: undisclosed:;\r\nTo: group: a@b.example, c@d.example;\r\n\r\n",
    ] {
        exchange.deliver(QUEUE, mime).unwrap();
    }
    let ex = Delivery::new(mail(1)).with_ex_address("sam@corp.example", "/o=Corp/cn=sam");
    exchange.deliver_with(QUEUE, ex).unwrap();
    let damaged = Delivery::new(mail(2))
        .with_mime_failure("ErrorItemCorrupt")
        .without_search_key();
    exchange.deliver_with(QUEUE, damaged).unwrap();
}

fn reading(queue: &str, ids: &[String]) -> Vec<String> {
    let everything = "<t:AdditionalProperties><t:FieldURI FieldURI=\"item:TextBody\"/>\
        <t:ExtendedFieldURI DistinguishedPropertySetId=\"InternetHeaders\" \
        PropertyName=\"Subject\" PropertyType=\"String\"/>\
        <t:ExtendedFieldURI PropertyTag=\"0x7D\" PropertyType=\"String\"/>";
    let wrong = ["bad", ids[0].as_str()];
    vec![
        find_folder("Shallow", &distinguished("publicfoldersroot"), ""),
        find_folder("Deep", &distinguished("publicfoldersroot"), ""),
        find_folder("Deep", &distinguished("root"), ""),
        get_folder(&format!(
            "{queue}{}{}",
            distinguished("inbox"),
            folder_id("bad")
        )),
        find_item(queue, (0, 4), ""),
        find_item(queue, (0, 100), "").replace("IdOnly", "Default"),
        find_item(queue, (2, 100), "").replace("IdOnly", "AllProperties"),
        find_item(&folder_id("bad"), (0, 1), ""),
        get_item(ids, "AllProperties", false).replace("<t:AdditionalProperties>", everything),
        get_item(ids, "Default", true),
        get_item(ids, "IdOnly", false),
        get_item(&wrong, "IdOnly", true),
    ]
}

fn writing(storage: &str, elsewhere: &str, ids: &[String]) -> Vec<String> {
    vec![
        stamp(&ids[0], None, "AlwaysOverwrite", "x"),
        stamp(&ids[0], None, "AutoResolve", "x"),
        copy_item(storage, &ids[..2]),
        move_item(storage, &ids[..4], true),
        move_item(storage, &ids[..4], true),
        move_item(elsewhere, &ids[4..5], true),
        move_item(storage, &ids[5..6], false),
        delete_item("HardDelete", &ids[..8]),
        create_item(storage, &STANDARD.encode_to_string(mail(9))),
        create_item(&folder_id("bad"), &STANDARD.encode_to_string(mail(9))),
        create_folder(storage, "Below"),
        create_folder(storage, "Below"),
    ]
}

fn asking(queue: &str) -> Vec<String> {
    vec![
        resolve_names("anna@corp.example", true),
        resolve_names("berg", true),
        resolve_names("nobody", false),
        "<m:GetServerTimeZones ReturnFullTimeZoneData=\"true\"/>".to_owned(),
        format!(
            "<m:ConvertId DestinationFormat=\"EwsId\"><m:SourceIds><t:AlternateId \
             Format=\"EwsId\" Id=\"DUMMY\" \
             Mailbox=\"a@b.example\"/>{}</m:SourceIds></m:ConvertId>",
            queue.replace(
                "t:FolderId Id",
                "t:AlternateId Format=\"EwsId\" Mailbox=\"a@b.example\" Id"
            )
        ),
        format!(
            "<m:SyncFolderItems><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape></m:ItemShape>\
             <m:SyncFolderId>{queue}</m:SyncFolderId>\
             <m:MaxChangesReturned>10</m:MaxChangesReturned>\
             </m:SyncFolderItems>"
        ),
    ]
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// The schema, when it and xmllint are there.
pub(crate) fn schema() -> Option<PathBuf> {
    let linter = Command::new("xmllint").arg("--version").output().is_ok();
    if !linter {
        skip("xmllint");
    }
    shared("vectors/ews/xsd/patched/soap-ews.xsd").filter(|_| linter)
}

fn shared(path: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../shared")
        .join(path)
        .canonicalize();
    if found.is_err() {
        skip(path);
    }
    found.ok()
}

fn skip(missing: &str) {
    crate::skipped::skipped(&format!("{missing} is missing"));
}
