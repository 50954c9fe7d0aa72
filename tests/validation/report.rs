//! The whole of a validation: its order, its stream, and when it is green.

use std::fmt::Write as _;

use email_logging::error::codes;
use email_logging::setup::{CHECKS, Check, EmailLoggingSetup, FINDINGS, NotChecked, Verdict};
use email_logging::{ErrorKind, Scope};

use crate::bench::Bench;
use crate::fake_mail::fails;

#[tokio::test]
async fn a_setup_that_works_is_green() {
    let report = Bench::new().report().await;
    assert!(report.is_green(), "{report}");
    assert_eq!(report.failures().count() + report.warnings().count(), 0);
    let open = report
        .results
        .iter()
        .filter_map(|result| match result.verdict {
            Verdict::NotChecked { because } => Some((result.check, because)),
            _ => None,
        });
    let expected = [
        (Check::CredentialExpiry, NotChecked::NotTold),
        (Check::LeastAccess, NotChecked::NoRole),
        (Check::DirectoryAddresses, NotChecked::NoRole),
        (Check::Job, NotChecked::NotEnabled),
    ];
    assert_eq!(open.collect::<Vec<_>>(), expected);
}

#[tokio::test]
async fn a_report_says_a_line_for_each_check_and_whether_logging_can_be_enabled() {
    let mut empty = Bench::new();
    empty.setup = EmailLoggingSetup::default();
    for (bench, of_queue, words) in [
        (Bench::new(), "queue folder: passed", "The set-up is valid."),
        (
            empty,
            "queue folder: failed: the set-up names no queue folder. Choose the queue folder.",
            "The set-up is not valid: email logging cannot be enabled.",
        ),
    ] {
        let text = bench.report().await.to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), CHECKS.len() + 1, "{text}");
        assert!(lines.contains(&of_queue), "{text}");
        assert!(lines.contains(&"job: not checked, because email logging is not enabled"));
        assert_eq!(lines.last(), Some(&words));
    }
}

#[tokio::test]
async fn results_come_one_by_one_in_the_order_of_the_table() {
    let bench = Bench::new();
    let mut validation = bench.validator.validate(&Scope::default(), &bench.setup);
    assert!(bench.mail.source.calls().is_empty());
    let mut streamed = Vec::new();
    while let Some(result) = validation.next().await {
        streamed.push(result);
        assert_eq!(validation.left(), CHECKS.len() - streamed.len());
    }
    let checks: Vec<_> = streamed.iter().map(|result| result.check).collect();
    let table: Vec<_> = CHECKS.iter().map(|info| info.check).collect();
    assert_eq!(checks, table);
    assert_eq!(validation.finish().await.results, streamed);
}

#[tokio::test]
async fn an_empty_setup_fails_in_every_field_that_logging_needs() {
    let mut bench = Bench::new();
    bench.setup = EmailLoggingSetup::default();
    let report = bench.report().await;
    let failed: Vec<_> = report
        .failures()
        .map(|result| result.code.unwrap())
        .collect();
    let expected = [
        "check.address_missing",
        "check.queue_unset",
        "check.storage_unset",
        "check.template_missing",
    ];
    assert_eq!(failed, expected);
    assert!(!report.is_green());
}

#[tokio::test]
async fn a_failure_hides_no_other_and_what_builds_on_it_says_so() {
    let mut bench = Bench::with_answers(|answers| answers.reach = fails(&codes::HTTP_CONNECT));
    bench.setup.interaction_template_code = Some("OTHER".into());
    let report = bench.report().await;
    assert_eq!(report.results.len(), CHECKS.len());
    let failed: Vec<_> = report
        .failures()
        .map(|result| result.code.unwrap())
        .collect();
    assert_eq!(failed, ["http.connect", "check.template_unknown"]);
    for check in [
        Check::Tls,
        Check::EwsAllowed,
        Check::ClockSkew,
        Check::RootFolder,
        Check::QueueFolder,
        Check::StorageFolder,
    ] {
        let because = NotChecked::DependsOn(Check::Connection);
        let verdict = report.result(check).unwrap().verdict;
        assert_eq!(verdict, Verdict::NotChecked { because }, "{check}");
    }
    let because = NotChecked::DependsOn(Check::QueueFolder);
    for check in [Check::FoldersDistinct, Check::QueueRights] {
        let verdict = report.result(check).unwrap().verdict;
        assert_eq!(verdict, Verdict::NotChecked { because }, "{check}");
    }
}

#[tokio::test]
async fn a_required_check_that_was_not_made_is_never_green() {
    let bench = Bench::with_answers(|answers| answers.connect = fails(&codes::SOURCE_UNSUPPORTED));
    let report = bench.report().await;
    assert_eq!(report.failures().count(), 0, "{report}");
    assert!(!report.is_green());
}

#[tokio::test]
async fn a_report_reads_as_text() {
    let bench = Bench::with_setup(|setup| setup.interaction_template_code = None);
    let text = bench.report().await.to_string();
    let lines = [
        "queue folder: passed",
        "interaction template: failed: the set-up names no interaction template for e-mail. Choose the interaction template for e-mail.",
        "interaction template exists: not checked, because the check \"interaction template\" did not pass",
        "The set-up is not valid: email logging cannot be enabled.",
    ];
    for line in lines {
        assert!(
            text.lines().any(|found| found == line),
            "{line}\n---\n{text}"
        );
    }
}

#[tokio::test]
async fn a_report_names_no_address_and_no_mailbox() {
    let mut bench = Bench::with_answers(|answers| answers.reach = fails(&codes::HTTP_FORBIDDEN));
    bench.validator = bench.validator.with_other_mailbox("canary@corp.example");
    bench.setup.autodiscovery_email_address = Some("canary@@corp.example".into());
    let report = bench.report().await;
    let validator = &bench.validator;
    assert!(!format!("{report} {report:?} {validator:?}").contains("canary"));
}

#[tokio::test]
async fn a_report_is_json_with_the_codes_of_the_table() {
    let bench = Bench::with_setup(|setup| setup.queue_folder = None);
    let json = serde_json::to_value(bench.report().await).unwrap();
    let results = json["results"].as_array().unwrap();
    for (result, info) in results.iter().zip(CHECKS) {
        assert_eq!(result["check"], info.code);
    }
    let queue = &results[Check::QueueFolder as usize];
    assert_eq!(queue["verdict"]["is"], "failed");
    assert_eq!(queue["code"], "check.queue_unset");
    let rights = &results[Check::QueueRights as usize];
    let because = serde_json::json!({"is": "depends-on", "check": "queue-folder"});
    assert_eq!(rights["verdict"]["because"], because);
}

#[test]
fn the_tables_of_checks_and_findings_can_be_printed() {
    let mut table = String::from("| check | required | meaning |\n|---|---|---|\n");
    for info in CHECKS {
        let required = if info.required { "yes" } else { "" };
        writeln!(table, "| `{}` | {required} | {} |", info.code, info.meaning).unwrap();
    }
    assert_eq!(table.lines().count(), 26);
    let line = "| `queue-folder` | yes | The queue folder exists and can be read. |";
    assert!(table.lines().any(|found| found == line), "{table}");
    assert!(
        FINDINGS
            .iter()
            .all(|finding| finding.code.starts_with("check."))
    );
    assert!(
        codes::ALL
            .iter()
            .any(|code| code.kind == ErrorKind::Blocked)
    );
}
