//! How a failure is told: what went wrong, what to do, the code, and the ids for the server's support desk.

use std::error::Error as _;

use email_logging::Error;
use email_logging::logger::RunError;
use serde_json::{Value, json};

use super::{Output, tell};
use crate::exit::{self, Exit, Failure};
use crate::output::safe;

impl Output {
    /// Tells a failure and answers its exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> Exit {
        if matches!(failure, Failure::OutputClosed) {
            return failure.exit();
        }
        if self.json() {
            // Whoever reads may be gone; the exit code still tells.
            let _ = self.value(&json!({ "error": value(failure) }));
        }
        for line in lines(failure) {
            tell(line);
        }
        failure.exit()
    }
}

fn lines(failure: &Failure) -> Vec<String> {
    let mut lines = vec![format!("error: {}", safe::text(&what(failure)))];
    if let Some(error) = failure.error() {
        lines.extend(
            causes(error)
                .into_iter()
                .map(|cause| format!("  because: {}", safe::text(&cause))),
        );
        lines.extend(server(error));
    }
    let remedy = remedy(failure);
    if !remedy.is_empty() {
        lines.push(format!("  what to do: {remedy}"));
    }
    if let Some(code) = code(failure) {
        lines.push(format!("  code: {code}"));
    }
    if let Failure::Run(error) = failure
        && error.report.fetched > 0
    {
        let report = &error.report;
        lines.push(format!(
            "  until then: {} mails read, {} logged, {} moved; nothing is lost, and the next run goes on",
            report.fetched, report.logged, report.moved
        ));
    }
    lines
}

fn what(failure: &Failure) -> String {
    match failure {
        Failure::Config(error) => error.what.clone(),
        Failure::Library(error) => exit::what(error, None),
        Failure::Run(error) => exit::what(&error.error, Some(error.step)),
        Failure::Own { what, .. } => what.clone(),
        Failure::OutputClosed => String::new(),
    }
}

fn remedy(failure: &Failure) -> String {
    match failure {
        Failure::Config(error) => error.remedy.clone(),
        Failure::Library(error) => exit::remedy(error).into(),
        Failure::Run(error) => exit::remedy(&error.error).into(),
        Failure::Own { remedy, .. } => (*remedy).into(),
        Failure::OutputClosed => String::new(),
    }
}

fn code(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Config(error) => Some(error.code),
        Failure::Own { code, .. } => Some(code),
        _ => failure.error().map(Error::code),
    }
}

/// Each cause once; a cause that only repeats what stands above it is left out.
fn causes(error: &Error) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !causes.iter().any(|known| known.contains(&text)) {
            causes.push(text);
        }
        next = cause.source();
    }
    causes
}

fn server(error: &Error) -> Vec<String> {
    let Some(server) = error.server() else {
        return Vec::new();
    };
    let texts = [
        ("server's code", server.response_code.clone()),
        (
            "HTTP status",
            server.status.map(|status| status.to_string()),
        ),
        ("sign-in offered", list(&server.offered_schemes)),
        ("client-request-id", server.client_request_id.clone()),
        ("request-id", server.request_id.clone()),
        ("servers", list(&server.servers)),
    ];
    let known = texts
        .into_iter()
        .filter_map(|(name, text)| Some((name, text?)));
    known
        .map(|(name, text)| format!("  {name}: {}", safe::text(&text)))
        .collect()
}

fn list(texts: &[String]) -> Option<String> {
    (!texts.is_empty()).then(|| texts.join(", "))
}

fn value(failure: &Failure) -> Value {
    if let Failure::Run(error) = failure {
        return run_error(error, failure.exit());
    }
    json!({
        "code": code(failure),
        "message": what(failure),
        "remedy": remedy(failure),
        "exit-code": failure.exit() as u8,
        "operation": failure.error().map(Error::operation),
        "server": failure.error().and_then(server_value),
    })
}

/// A run that failed, for programs.
pub(crate) fn run_error(error: &RunError, exit: Exit) -> Value {
    json!({
        "code": error.error.code(),
        "message": exit::what(&error.error, Some(error.step)),
        "remedy": exit::remedy(&error.error),
        "exit-code": exit as u8,
        "operation": error.error.operation(),
        "step": error.step.code(),
        "report": error.report,
        "server": server_value(&error.error),
    })
}

fn server_value(error: &Error) -> Option<Value> {
    let server = error.server()?;
    Some(json!({
        "status": server.status,
        "response-code": server.response_code,
        "client-request-id": server.client_request_id,
        "request-id": server.request_id,
        "offered-schemes": server.offered_schemes,
    }))
}
