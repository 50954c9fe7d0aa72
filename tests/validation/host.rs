//! The host's own side: template, directory, scheduler.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::Clock as _;
use email_logging::directory::{
    AuditPage, ContactRecord, DirectoryAudit, MemoryDirectory, ProblemKind, RecordProblem,
    SalespersonRecord,
};
use email_logging::error::codes;
use email_logging::parties::ContactKind;
use email_logging::setup::{
    Check, InteractionTemplates, JobDescriptor, JobQueue as _, MemoryJobQueue, NotChecked,
    SetupValidator,
};
use email_logging::{Error, Result, Scope};

use crate::bench::Bench;
use crate::fake_mail::FakeMail;

#[tokio::test]
async fn a_template_is_needed() {
    let remedy = "Choose the interaction template for e-mail.";
    for code in [None, Some("")] {
        let bench =
            Bench::with_setup(|setup| setup.interaction_template_code = code.map(Into::into));
        let check = Check::InteractionTemplate;
        bench.fails(check, "check.template_missing", remedy).await;
        let because = NotChecked::DependsOn(Check::InteractionTemplate);
        bench
            .not_checked(Check::InteractionTemplateExists, because)
            .await;
    }
}

#[tokio::test]
async fn a_template_that_does_not_exist_fails() {
    let bench = Bench::with_setup(|setup| setup.interaction_template_code = Some("OTHER".into()));
    let remedy = "Choose a template that exists, or create it.";
    let check = Check::InteractionTemplateExists;
    bench.fails(check, "check.template_unknown", remedy).await;
    bench.passes(Check::InteractionTemplate).await;
}

#[tokio::test]
async fn without_the_hosts_templates_their_existence_is_not_checked() {
    let mail = FakeMail::new();
    let mut bench = Bench::new();
    bench.validator = SetupValidator::new(Arc::new(mail.clone())).with_clock(Arc::new(mail.clock));
    let check = Check::InteractionTemplateExists;
    bench.not_checked(check, NotChecked::NoRole).await;
}

/// A host whose tables and directory are out of order.
#[derive(Debug)]
struct OutOfOrder;

#[async_trait]
impl InteractionTemplates for OutOfOrder {
    async fn exists(&self, _: &Scope, _: &str) -> Result<bool> {
        Err(Error::new(&codes::STORE_UNAVAILABLE, "exists"))
    }
}

#[async_trait]
impl DirectoryAudit for OutOfOrder {
    async fn audit(&self, _: &Scope, _: u32, _: u32) -> Result<AuditPage> {
        Err(Error::new(&codes::DIRECTORY_UNAVAILABLE, "audit"))
    }
}

#[tokio::test]
async fn a_part_of_the_host_that_fails_is_a_failure_and_not_green() {
    let bench = Bench::with_validator(|validator| {
        validator
            .with_templates(Arc::new(OutOfOrder))
            .with_directory(Arc::new(OutOfOrder))
    });
    let remedy = "Look at the cause: disk, permissions, or another process.";
    let check = Check::InteractionTemplateExists;
    bench.fails(check, "store.unavailable", remedy).await;
    let remedy = "Nothing moves; the next run asks again.";
    let check = Check::DirectoryAddresses;
    bench.fails(check, "directory.unavailable", remedy).await;
}

#[tokio::test]
async fn records_that_no_mail_matches_are_listed_without_their_addresses() {
    let directory = MemoryDirectory::new()
        .with_salesperson(SalespersonRecord::new("AB", "Anna", "anna@corp.example"))
        .with_salesperson(SalespersonRecord::new("CD", "Carl", ""))
        .with_salesperson(SalespersonRecord::new("EF", "Eva", "").with_active(false))
        .with_contact(
            ContactRecord::new("C1", "Tim", ContactKind::Person).with_email("tim@customer.example"),
        )
        .with_contact(ContactRecord::new("C2", "Ute", ContactKind::Person))
        .with_contact(ContactRecord::new("C3", "Uwe", ContactKind::Person).with_email("canary"));
    let bench = Bench::with_validator(|it| it.with_directory(Arc::new(directory)));
    let remedy = "Correct the addresses of the records that are listed.";
    let check = Check::DirectoryAddresses;
    let result = bench
        .warns(check, "check.directory_addresses", remedy)
        .await;
    assert!(result.found.as_ref().unwrap().ends_with("(3)"));
    let listed: Vec<_> = result.records.iter().map(ToString::to_string).collect();
    let expected = [
        "C2: email is missing",
        "C3: email is malformed",
        "CD: email is missing",
    ];
    assert_eq!(listed, expected);
    assert!(!format!("{result:?}").contains("canary"));
}

#[tokio::test]
async fn a_directory_whose_records_all_match_passes() {
    let directory = MemoryDirectory::new().with_salesperson(SalespersonRecord::new(
        "AB",
        "Anna",
        "anna@corp.example",
    ));
    let bench = Bench::with_validator(|it| it.with_directory(Arc::new(directory)));
    bench.passes(Check::DirectoryAddresses).await;
    let none = Bench::new();
    none.not_checked(Check::DirectoryAddresses, NotChecked::NoRole)
        .await;
}

/// A directory with more problems than anybody reads.
#[derive(Debug)]
struct Endless;

#[async_trait]
impl DirectoryAudit for Endless {
    async fn audit(&self, _: &Scope, offset: u32, limit: u32) -> Result<AuditPage> {
        let numbers = offset..offset + limit;
        let problem = |no: u32| RecordProblem::new(no.to_string(), "email", ProblemKind::NoAddress);
        Ok(AuditPage::new(numbers.map(problem).collect(), false))
    }
}

#[tokio::test]
async fn a_long_list_of_records_ends_at_a_thousand() {
    let bench = Bench::with_validator(|it| it.with_directory(Arc::new(Endless)));
    let result = bench.result(Check::DirectoryAddresses).await;
    assert_eq!(result.records.len(), 1_000);
    assert!(result.found.unwrap().ends_with("(more than 1000)"));
}

/// A validation of a set-up that is enabled, with a scheduler.
fn enabled(jobs: &Arc<MemoryJobQueue>) -> Bench {
    let mut bench = Bench::with_validator(|it| it.with_jobs(jobs.clone()));
    bench.setup.enabled = true;
    bench
}

#[tokio::test]
async fn an_enabled_setup_without_a_job_fails() {
    let bench = enabled(&Arc::new(MemoryJobQueue::new()));
    let remedy = "Disable email logging and enable it again.";
    bench.fails(Check::Job, "check.job_missing", remedy).await;
    let mut host = Bench::new();
    host.setup.enabled = true;
    host.not_checked(Check::Job, NotChecked::NoRole).await;
}

#[tokio::test]
async fn a_job_that_has_not_run_for_three_intervals_fails_and_a_failing_one_warns() {
    let jobs = Arc::new(MemoryJobQueue::new());
    let (bench, scope, check) = (enabled(&jobs), Scope::default(), Check::Job);
    let clock = bench.mail.clock.clone();
    let job = JobDescriptor::enabled_at(clock.now());
    jobs.enqueue(&scope, &job).await.unwrap();
    bench.passes(check).await;
    clock.advance(Duration::from_mins(11));
    jobs.failed(&scope, clock.now(), "http.connect");
    let remedy = "Look up the code of its error.";
    let result = bench.warns(check, "check.job_failing", remedy).await;
    assert!(result.found.unwrap().ends_with("(http.connect)"));
    clock.advance(Duration::from_mins(21));
    let remedy = "Look whether the scheduler runs, and at the last error of the job.";
    let result = bench.fails(check, "check.job_overdue", remedy).await;
    assert!(result.found.unwrap().ends_with("(http.connect)"));
    jobs.succeeded(&scope, clock.now());
    bench.passes(check).await;
}
