//! How a command ends: an exit code, or a failure with what to do about it.

use std::fmt::Display;
use std::process::ExitCode;

use email_logging::logger::{RunError, RunStep};
use email_logging::{Error, ErrorKind};

use crate::config::ConfigError;

/// The exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Done = 0,
    /// Failed.
    Failed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Done, and mail was set aside for a person.
    Quarantined = 3,
    /// Sign-in or configuration: a person must change something.
    Access = 4,
    /// Stopped with Ctrl-C.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration.
    Config(ConfigError),
    /// The library.
    Library(Error),
    /// A run, with what it did until then.
    Run(Box<RunError>),
    /// Something on this machine: a file, a port.
    Input {
        /// What went wrong.
        what: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The reader of standard output went away, as `head` does: nobody is there to be told.
    OutputClosed,
}

impl Failure {
    /// A failure of something on this machine.
    pub(crate) fn input(what: impl Display, cause: &dyn Display) -> Self {
        Self::Input {
            what: format!("{what}: {cause}"),
            remedy: "Check the name and the rights, and try again.",
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(_) => Exit::Access,
            Self::Library(error) => of_kind(error.kind()),
            Self::Run(error) => of_run(error),
            Self::Input { .. } => Exit::Failed,
            Self::OutputClosed => Exit::Done,
        }
    }

    /// The library's error, if it is one.
    pub(crate) fn error(&self) -> Option<&Error> {
        match self {
            Self::Library(error) => Some(error),
            Self::Run(error) => Some(&error.error),
            Self::Config(_) | Self::Input { .. } | Self::OutputClosed => None,
        }
    }
}

/// The exit code of a run that failed.
pub(crate) fn of_run(error: &RunError) -> Exit {
    if names_no_folder(error) {
        Exit::Access
    } else {
        of_kind(error.error.kind())
    }
}

/// A queue or storage folder that does not exist is a wrong setting.
fn names_no_folder(error: &RunError) -> bool {
    let opening = matches!(
        error.step,
        RunStep::OpeningQueueFolder | RunStep::OpeningStorageFolder
    );
    opening && error.error.kind() == ErrorKind::NotFound
}

fn of_kind(kind: ErrorKind) -> Exit {
    match kind {
        ErrorKind::Config
        | ErrorKind::Unauthenticated
        | ErrorKind::ReauthRequired
        | ErrorKind::PermissionDenied
        | ErrorKind::Blocked => Exit::Access,
        ErrorKind::Cancelled => Exit::Interrupted,
        _ => Exit::Failed,
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Config(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Library(error)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}
