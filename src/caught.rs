//! Panics of what a host gives, kept from unwinding through the work on other mail.
//!
//! What a panic says is dropped: it may hold mail content. The process's panic hook has said it by then. Where the host is built
//! with `panic = "abort"` nothing is caught, and the process ends.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt as _;

use crate::error::{Error, Result, codes};

/// Calls; `None` where the call panicked. What it was to change is not to be used then.
pub(crate) fn caught<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}

/// As [`caught`], of a call that waits: a panic is an error of this operation.
pub(crate) async fn caught_async<T>(
    operation: &'static str,
    call: impl Future<Output = Result<T>>,
) -> Result<T> {
    let ended = AssertUnwindSafe(call).catch_unwind().await;
    ended.unwrap_or_else(|_| Err(panicked(operation)))
}

/// The error that a panic is.
pub(crate) fn panicked(operation: &'static str) -> Error {
    Error::new(&codes::CONTRACT_PANIC, operation)
}

/// Whether an error is a panic.
pub(crate) fn is_panic(error: &Error) -> bool {
    error.code() == codes::CONTRACT_PANIC.code
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_no_answer_and_its_text_is_dropped() {
        assert_eq!(caught(|| 7), Some(7));
        assert_eq!(caught(|| -> u8 { panic!("a secret") }), None);
    }

    #[tokio::test]
    async fn a_panic_of_a_call_that_waits_is_its_error() {
        let answer = caught_async("ask", async { Ok(7) }).await;
        assert_eq!(answer.ok(), Some(7));
        let error = caught_async::<u8>("ask", async { panic!("a secret") });
        let error = error.await.err().map(|error| format!("{error:?} {error}"));
        let text = error.unwrap_or_default();
        assert!(
            text.contains("contract.panic") && !text.contains("secret"),
            "{text}"
        );
    }
}
