//! One validation of a set-up that a test changes.

use std::sync::Arc;

use email_logging::Scope;
use email_logging::setup::{
    Check, CheckResult, EmailLoggingSetup, NotChecked, SetupValidator, TemplateList,
    ValidationReport, Verdict,
};

use crate::fake_mail::{Answers, FakeMail, complete};

/// A mail system, a set-up and a validator over them.
pub(crate) struct Bench {
    pub(crate) mail: FakeMail,
    pub(crate) setup: EmailLoggingSetup,
    pub(crate) validator: SetupValidator,
}

impl Bench {
    /// Everything is as it should be.
    pub(crate) fn new() -> Self {
        let mail = FakeMail::new();
        let validator = SetupValidator::new(Arc::new(mail.clone()))
            .with_templates(Arc::new(TemplateList::new(["email"])))
            .with_clock(Arc::new(mail.clock.clone()));
        Self {
            mail,
            setup: complete(),
            validator,
        }
    }

    pub(crate) fn with_setup(change: impl FnOnce(&mut EmailLoggingSetup)) -> Self {
        let mut bench = Self::new();
        change(&mut bench.setup);
        bench
    }

    pub(crate) fn with_answers(change: impl FnOnce(&mut Answers)) -> Self {
        let bench = Self::new();
        bench.mail.answers(change);
        bench
    }

    pub(crate) fn with_validator(change: impl FnOnce(SetupValidator) -> SetupValidator) -> Self {
        let mut bench = Self::new();
        bench.validator = change(bench.validator);
        bench
    }

    pub(crate) async fn report(&self) -> ValidationReport {
        let validation = self.validator.validate(&Scope::default(), &self.setup);
        validation.finish().await
    }

    pub(crate) async fn result(&self, check: Check) -> CheckResult {
        self.report().await.result(check).unwrap().clone()
    }

    /// Asserts that a check fails with this code and remedy, so that the set-up is not valid.
    pub(crate) async fn fails(&self, check: Check, code: &str, remedy: &str) -> CheckResult {
        let report = self.report().await;
        assert!(!report.is_green(), "{report}");
        let result = report.result(check).unwrap();
        assert_eq!(result.verdict, Verdict::Failed, "{report}");
        assert_eq!((result.code, result.remedy), (Some(code), Some(remedy)));
        result.clone()
    }

    /// Asserts that a check warns with this code and remedy, and that the set-up is valid all the same.
    pub(crate) async fn warns(&self, check: Check, code: &str, remedy: &str) -> CheckResult {
        let report = self.report().await;
        assert!(report.is_green(), "{report}");
        let result = report.result(check).unwrap();
        assert_eq!(result.verdict, Verdict::Warning, "{report}");
        assert_eq!((result.code, result.remedy), (Some(code), Some(remedy)));
        result.clone()
    }

    /// Asserts that a check was not made, and why.
    pub(crate) async fn not_checked(&self, check: Check, because: NotChecked) {
        let result = self.result(check).await;
        assert_eq!(result.verdict, Verdict::NotChecked { because }, "{result}");
    }

    pub(crate) async fn passes(&self, check: Check) {
        let result = self.result(check).await;
        assert_eq!(result.verdict, Verdict::Passed, "{result}");
    }
}
