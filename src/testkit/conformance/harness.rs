//! Runs cases: each on a fresh backend, all of them, panics included.

use std::any::Any;
use std::fmt::Debug;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::FutureExt;

use super::report::{CaseOutcome, CaseReport, Report};
use crate::error::{Error, ErrorKind, Result};

/// Why a case ended early.
pub(super) enum Stop {
    Failed(String),
    Skipped(String),
}

/// How a case ends.
pub(super) type Checked<T = ()> = Result<T, Stop>;

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        Self::Failed(format!("unexpected error: {error}"))
    }
}

/// One promise, checked on one backend.
pub(super) struct Case<Backend> {
    pub(super) name: &'static str,
    pub(super) run: for<'a> fn(&'a Backend) -> Pin<Box<dyn Future<Output = Checked> + Send + 'a>>,
}

/// A list of cases from async functions.
macro_rules! cases {
    ($($module:ident :: { $($name:ident),* $(,)? })*) => {
        vec![$($(
            crate::testkit::conformance::harness::Case {
                name: stringify!($name),
                run: |backend| Box::pin($module::$name(backend)),
            },
        )*)*]
    };
}
pub(super) use cases;

/// Ends the case unless the condition holds.
macro_rules! check {
    ($condition:expr, $($seen:tt)+) => {
        if !$condition {
            return Err(crate::testkit::conformance::harness::Stop::Failed(format!($($seen)+)));
        }
    };
}
pub(super) use check;

#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub(super) async fn run<Backend, Make, Making>(
    suite: &'static str,
    cases: Vec<Case<Backend>>,
    make: Make,
) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = Backend>,
{
    let mut reports = Vec::with_capacity(cases.len());
    for case in cases {
        let checked = async {
            let backend = make().await;
            (case.run)(&backend).await
        };
        let ended = AssertUnwindSafe(checked).catch_unwind().await;
        reports.push(CaseReport {
            name: case.name,
            outcome: outcome(ended),
        });
    }
    Report {
        suite,
        cases: reports,
    }
}

fn outcome(ended: Result<Checked, Box<dyn Any + Send>>) -> CaseOutcome {
    match ended {
        Ok(Ok(())) => CaseOutcome::Passed,
        Ok(Err(Stop::Failed(seen))) => CaseOutcome::Failed(seen),
        Ok(Err(Stop::Skipped(why))) => CaseOutcome::Skipped(why),
        Err(panic) => CaseOutcome::Failed(format!("it panicked: {}", panic_text(panic.as_ref()))),
    }
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}

/// Ends the case unless both are equal.
#[allow(clippy::needless_pass_by_value)] // values that were made for the comparison
pub(super) fn equal<T: PartialEq<U> + Debug, U: Debug>(
    what: &str,
    found: T,
    expected: U,
) -> Checked {
    check!(
        found == expected,
        "{what}: found {found:?}, expected {expected:?}"
    );
    Ok(())
}

/// Ends the case unless the call failed with this kind of error.
pub(super) fn fails<T: Debug>(what: &str, answer: Result<T>, kind: ErrorKind) -> Checked<Error> {
    match answer {
        Err(error) if error.kind() == kind => Ok(error),
        Err(error) => Err(Stop::Failed(format!(
            "{what}: expected {kind:?}, found {error}"
        ))),
        Ok(answer) => Err(Stop::Failed(format!(
            "{what}: expected {kind:?}, found {answer:?}"
        ))),
    }
}
