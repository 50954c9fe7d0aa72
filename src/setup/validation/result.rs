//! What a validation answers: one result per check, and the report of all.

use std::fmt;

use jiff::Timestamp;

use super::checks::{CHECKS, Check};
use super::findings::Finding;
use crate::directory::RecordProblem;
use crate::error::{Error, ErrorKind};

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct CheckResult {
    /// The check.
    pub check: Check,
    /// How it ended.
    pub verdict: Verdict,
    /// The code of what was found: of the table of findings or of errors. None for what passed.
    pub code: Option<&'static str>,
    /// What was found, in words, without addresses and secrets.
    pub found: Option<String>,
    /// What a person should do, as a sentence.
    pub remedy: Option<&'static str>,
    /// The records that the finding is about, at most 1,000.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Vec::is_empty"))]
    pub records: Vec<RecordProblem>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "is")
)]
#[non_exhaustive]
pub enum Verdict {
    /// It is as it should be.
    Passed,
    /// It works, but a person should know.
    Warning,
    /// It does not work.
    Failed,
    /// Nobody can tell.
    NotChecked {
        /// Why not.
        because: NotChecked,
    },
}

/// Why something was not checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case", tag = "is", content = "check")
)]
#[non_exhaustive]
pub enum NotChecked {
    /// Another check, which it builds on, did not pass.
    DependsOn(Check),
    /// The host gave no part that could answer.
    NoRole,
    /// The mail system or the identity service does not tell.
    NotTold,
    /// It does not apply to this set-up.
    NotApplicable,
    /// Email logging is not enabled.
    NotEnabled,
    /// Whoever asked left it out.
    LeftOut,
}

impl CheckResult {
    pub(super) fn new(check: Check, verdict: Verdict) -> Self {
        Self {
            check,
            verdict,
            code: None,
            found: None,
            remedy: None,
            records: Vec::new(),
        }
    }

    pub(super) fn passed(check: Check) -> Self {
        Self::new(check, Verdict::Passed)
    }

    pub(super) fn not_checked(check: Check, because: NotChecked) -> Self {
        Self::new(check, Verdict::NotChecked { because })
    }

    pub(super) fn failed(check: Check, finding: &'static Finding) -> Self {
        Self::with_finding(check, Verdict::Failed, finding)
    }

    pub(super) fn warning(check: Check, finding: &'static Finding) -> Self {
        Self::with_finding(check, Verdict::Warning, finding)
    }

    /// A check that an error ended. What cannot be done is not told, rather than wrong.
    pub(super) fn error(check: Check, error: &Error) -> Self {
        if error.kind() == ErrorKind::Unsupported {
            return Self::not_checked(check, NotChecked::NotTold);
        }
        let mut result = Self::new(check, Verdict::Failed);
        result.code = Some(error.code());
        result.found = Some(error.to_string());
        result.remedy = Some(error.remedy());
        result
    }

    fn with_finding(check: Check, verdict: Verdict, finding: &'static Finding) -> Self {
        let mut result = Self::new(check, verdict);
        result.code = Some(finding.code);
        result.found = Some(finding.message.to_owned());
        result.remedy = Some(finding.remedy);
        result
    }

    /// Adds a clause to what was found.
    pub(super) fn and(mut self, detail: impl fmt::Display) -> Self {
        let found = self.found.unwrap_or_default();
        self.found = Some(format!("{found} ({detail})"));
        self
    }

    /// Tells what was found though it passed.
    pub(super) fn telling(mut self, found: impl Into<String>) -> Self {
        self.found = Some(found.into());
        self
    }
}

impl fmt::Display for CheckResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.check, self.verdict)?;
        if let Some(found) = &self.found {
            write!(f, ": {found}")?;
        }
        match self.remedy {
            Some(remedy) => write!(f, ". {remedy}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Warning => f.write_str("warning"),
            Self::Failed => f.write_str("failed"),
            Self::NotChecked { because } => write!(f, "not checked, because {because}"),
        }
    }
}

impl fmt::Display for NotChecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DependsOn(check) => write!(f, "the check \"{check}\" did not pass"),
            Self::NoRole => f.write_str("the host gave nothing that could answer"),
            Self::NotTold => f.write_str("the other side does not tell"),
            Self::NotApplicable => f.write_str("it does not apply to this set-up"),
            Self::NotEnabled => f.write_str("email logging is not enabled"),
            Self::LeftOut => f.write_str("it was left out"),
        }
    }
}

/// The results of all checks, in the order of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct ValidationReport {
    /// When the validation began.
    pub at: Timestamp,
    /// The results.
    pub results: Vec<CheckResult>,
}

impl ValidationReport {
    pub(super) fn new(at: Timestamp, results: Vec<CheckResult>) -> Self {
        Self { at, results }
    }

    /// Whether logging can be enabled: no check failed, and every required one was made that was not
    /// [left out](super::SetupValidator::without).
    pub fn is_green(&self) -> bool {
        let failed = self.failures().next().is_some();
        let mut required = CHECKS.iter().filter(|info| info.required);
        !failed && required.all(|info| self.was_made(info.check))
    }

    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CheckResult> {
        self.with(Verdict::Failed)
    }

    /// The checks that warn.
    pub fn warnings(&self) -> impl Iterator<Item = &CheckResult> {
        self.with(Verdict::Warning)
    }

    /// The result of a check.
    pub fn result(&self, check: Check) -> Option<&CheckResult> {
        self.results.iter().find(|result| result.check == check)
    }

    fn with(&self, verdict: Verdict) -> impl Iterator<Item = &CheckResult> {
        let results = self.results.iter();
        results.filter(move |result| result.verdict == verdict)
    }

    fn was_made(&self, check: Check) -> bool {
        let result = self.result(check);
        result.is_some_and(|result| match result.verdict {
            Verdict::NotChecked { because } => because == NotChecked::LeftOut,
            _ => true,
        })
    }
}

impl fmt::Display for ValidationReport {
    /// One line per check, and a last one that says whether logging can be enabled.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for result in &self.results {
            writeln!(f, "{result}")?;
        }
        f.write_str(if self.is_green() {
            "The set-up is valid."
        } else {
            "The set-up is not valid: email logging cannot be enabled."
        })
    }
}
