//! What a suite found.

use std::fmt;

/// What a suite found, case by case.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The name of the suite.
    pub suite: &'static str,
    /// Its cases, in their order.
    pub cases: Vec<CaseReport>,
}

/// What one case found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaseReport {
    /// The case, as a sentence with underscores.
    pub name: &'static str,
    /// What it found.
    pub outcome: CaseOutcome,
}

/// What a case found.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CaseOutcome {
    /// The promise holds.
    Passed,
    /// The promise does not hold, and this is what was seen.
    Failed(String),
    /// It was not checked, for this reason.
    Skipped(String),
}

impl CaseReport {
    /// The case as a sentence.
    pub fn sentence(&self) -> String {
        self.name.replace('_', " ")
    }
}

impl Report {
    /// How many cases passed.
    pub fn passed(&self) -> usize {
        self.count(|outcome| *outcome == CaseOutcome::Passed)
    }

    /// How many cases failed.
    pub fn failed(&self) -> usize {
        self.count(|outcome| matches!(outcome, CaseOutcome::Failed(_)))
    }

    /// How many cases were skipped.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, CaseOutcome::Skipped(_)))
    }

    /// The names of the cases that failed.
    pub fn failures(&self) -> Vec<&'static str> {
        let failed = self.cases.iter();
        failed
            .filter(|case| matches!(case.outcome, CaseOutcome::Failed(_)))
            .map(|case| case.name)
            .collect()
    }

    /// Ends the test with the whole report if a case failed.
    ///
    /// # Panics
    ///
    /// If a case failed.
    pub fn assert_passed(&self) {
        assert!(self.failed() == 0, "{self}");
    }

    fn count(&self, is: impl Fn(&CaseOutcome) -> bool) -> usize {
        self.cases.iter().filter(|case| is(&case.outcome)).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The contract of the {}", self.suite)?;
        for case in &self.cases {
            let sentence = case.sentence();
            match &case.outcome {
                CaseOutcome::Passed => writeln!(f, "  passed   {sentence}")?,
                CaseOutcome::Failed(seen) => {
                    writeln!(
                        f,
                        "  FAILED   {sentence}
           {seen}"
                    )?;
                }
                CaseOutcome::Skipped(why) => writeln!(f, "  skipped  {sentence}: {why}")?,
            }
        }
        let (passed, failed, skipped) = (self.passed(), self.failed(), self.skipped());
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}
