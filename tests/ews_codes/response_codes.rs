//! One row per response code: a fault and a response message, for what reads and for what changes.

use std::collections::BTreeSet;
use std::path::Path;

use email_logging::source::ews::testing::class_of;
use wiremock::ResponseTemplate;

use super::scripted::*;
use super::skipped::skipped;
use super::support::*;

const TABLE: &str = include_str!("../fixtures/response_codes.tsv");

/// The rows of the table, without its comments and its heading.
fn rows() -> Vec<Vec<&'static str>> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    lines
        .skip(1)
        .map(|line| line.split('\t').collect())
        .collect()
}

fn fault_of(code: &'static str) -> impl Fn(&str, &str) -> ResponseTemplate {
    move |_, _| status(500, fault(code, None))
}

/// Answers the item A with the code, as long as its original or its place is asked for; all else is fine.
fn messages_of(code: &'static str) -> impl Fn(&str, &str) -> ResponseTemplate {
    move |operation, body| {
        let fails = match operation {
            "GetItem" => body.contains("IncludeMimeContent>true"),
            "CopyItem" | "DeleteItem" => false,
            _ => true,
        };
        let ids = body.split("<t:ItemId Id=\"").skip(1);
        let messages: Vec<_> = ids
            .map(|rest| match &rest[..1] {
                "A" if fails => failed(code),
                id => item(id, body.contains("MimeContent>true").then_some("mail"), ""),
            })
            .collect();
        match operation {
            "FindItem" => ok(response(operation, &[failed(code)])),
            _ => ok(response(operation, &messages)),
        }
    }
}

#[tokio::test]
async fn every_code_does_what_its_row_says() {
    let (server, script) = Script::start().await;
    let mut wrong = Vec::new();
    for row in rows() {
        let [
            code,
            class,
            listed_fault,
            moved_fault,
            listed,
            fetched,
            moved,
        ] = row[..]
        else {
            panic!("not seven columns: {row:?}");
        };
        let mut found = vec![class_of(code)];
        for says_fault in [true, false] {
            let say = || {
                if says_fault {
                    script.say(fault_of(code));
                } else {
                    script.say(messages_of(code));
                }
            };
            say();
            let (source, clock) = impatient(&server.uri());
            found.push(list(&script, &source, &clock).await);
            if !says_fault {
                say();
                let (source, _) = impatient(&server.uri());
                found.push(fetch(&script, &source).await);
            }
            say();
            let (source, _) = impatient(&server.uri());
            found.push(move_both(&script, &source).await);
        }
        let expected = [class, listed_fault, moved_fault, listed, fetched, moved];
        if found != expected {
            wrong.push(format!("{code}\t{}", found.join("\t")));
        }
    }
    assert!(wrong.is_empty(), "found instead:\n{}", wrong.join("\n"));
}

/// The codes that servers were seen to send and that no schema lists.
const BESIDE: [&str; 2] = [
    "ErrorConnectionFailedTransientError",
    "ErrorQuotaExceededOnDelete",
];

#[test]
fn the_table_has_the_codes_of_the_schema_and_no_others() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../shared/vectors/ews/xsd/original/Messages.xsd");
    let Ok(schema) = std::fs::read_to_string(&path) else {
        skipped("the schema of Exchange is missing");
        return;
    };
    let start = schema.find("name=\"ResponseCodeType\"").unwrap();
    let list = &schema[start..];
    let list = &list[..list.find("</xs:simpleType>").unwrap()];
    let values = list.split("enumeration value=\"").skip(1);
    let in_schema: BTreeSet<_> = values.map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(in_schema.len(), 521);
    let in_table: Vec<_> = rows().iter().map(|row| row[0]).collect();
    let distinct: BTreeSet<_> = in_table.iter().copied().collect();
    assert_eq!(distinct.len(), in_table.len(), "a code stands twice");
    let expected: BTreeSet<_> = in_schema.into_iter().chain(BESIDE).collect();
    assert_eq!(distinct, expected);
}

#[test]
fn a_code_of_no_schema_is_unknown() {
    for code in [
        "ErrorOfTomorrow",
        "",
        "noerror",
        "NoError ",
        "ErrorItemNotFound\0",
    ] {
        assert_eq!(class_of(code), "Unknown", "{code:?}");
    }
}
