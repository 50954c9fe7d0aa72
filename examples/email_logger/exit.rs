//! How a command ends: an exit code, or a failure with what to do about it.

use std::fmt::Display;
use std::io;
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
    /// Something on this machine, or what was asked for: a file, a port, an id.
    Own {
        /// The stable code, `cli.meaning`.
        code: &'static str,
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
    pub(crate) fn input(what: impl Display, cause: &io::Error) -> Self {
        let (code, remedy) = of_io(cause.kind());
        Self::Own {
            code,
            what: format!("{what}: {cause}"),
            remedy,
        }
    }

    /// Words of the command line that mean nothing.
    pub(crate) fn usage(what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Own {
            code: USAGE,
            what: what.into(),
            remedy,
        }
    }

    /// Something that was asked for and is not there.
    pub(crate) fn unknown(what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Own {
            code: "cli.not_found",
            what: what.into(),
            remedy,
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Config(error) if error.code == INVALID => Exit::Usage,
            Self::Config(_) => Exit::Access,
            Self::Library(error) => of_error(error),
            Self::Run(error) => of_run(error),
            Self::Own { code: USAGE, .. } => Exit::Usage,
            Self::Own { .. } => Exit::Failed,
            Self::OutputClosed => Exit::Done,
        }
    }

    /// The library's error, if it is one.
    pub(crate) fn error(&self) -> Option<&Error> {
        match self {
            Self::Library(error) => Some(error),
            Self::Run(error) => Some(&error.error),
            Self::Config(_) | Self::Own { .. } | Self::OutputClosed => None,
        }
    }
}

/// The code of a value that cannot be used, wherever it was given.
const INVALID: &str = "config.invalid";

/// The code of a command line that is wrong.
pub(crate) const USAGE: &str = "cli.usage";

/// The code of a failure on this machine, and what to do about it.
fn of_io(kind: io::ErrorKind) -> (&'static str, &'static str) {
    use io::ErrorKind as Kind;
    match kind {
        Kind::NotFound => (
            "cli.not_found",
            "Check the name: a file or a directory of it does not exist.",
        ),
        Kind::PermissionDenied => (
            "cli.permission",
            "Give this user the right, or choose another place.",
        ),
        Kind::AlreadyExists => (
            "cli.exists",
            "Choose another name: what is there is not overwritten.",
        ),
        Kind::IsADirectory => ("cli.file", "Name a file: this is a directory."),
        Kind::NotADirectory => ("cli.file", "Name a directory: this is a file."),
        Kind::StorageFull | Kind::QuotaExceeded => ("cli.disk_full", "Make room on the disk."),
        Kind::AddrInUse => (
            "cli.port",
            "Choose another port; without --port a free one is taken.",
        ),
        Kind::AddrNotAvailable => ("cli.port", "Choose another port."),
        Kind::ReadOnlyFilesystem => ("cli.permission", "Choose a place that can be written."),
        _ => ("cli.io", "Look at the cause, and try again."),
    }
}

/// What to do about an error of the library, where this program has a way of its own.
pub(crate) fn remedy(error: &Error) -> &'static str {
    let password = ["sign-in", "Basic"].contains(&error.operation());
    if error.code() == "credential.missing" && password {
        return "Set EMAIL_LOGGER__EXCHANGE__PASSWORD, or name a file that holds the password with --password-file.";
    }
    remedy_of(error.code(), error.remedy())
}

/// The same by the code alone, as checks have it; else what the library says.
pub(crate) fn remedy_of(code: &str, otherwise: &'static str) -> &'static str {
    match code {
        "config.insecure" => {
            "Use https. --allow-plain-http-on-loopback is for tests on this machine."
        }
        "credential.missing" | "setup.incomplete" => {
            "`setup` shows what is missing, with the command that supplies it."
        }
        "http.tls" | "http.tls_untrusted" => {
            "Check the host name and the certificate; name a private authority with --ca-file."
        }
        "http.address_refused" => {
            "Check the address of the service. If the server stands in a network of your own, name its range with \
             --on-premises-range, such as 10.0.0.0/8."
        }
        "ews.basic_online" => {
            "Sign in with OAuth2: `setup authentication-type=oauth2`, and then what `setup` shows as missing."
        }
        "store.schema_missing" => "Let `run` prepare the file once.",
        "oauth.reauth" | "oauth.consent_missing" => "Let an administrator sign in with `sign-in`.",
        "oauth.consent_declined" => "Run `sign-in` again, and accept the permissions.",
        "oauth.not_administrator" => {
            "Run `sign-in` again, and sign in as an administrator who may consent for the whole organization."
        }
        "oauth.callback_missing" => {
            "Run `sign-in` again; check that the browser runs on this machine, or use --callback-url, and give more time \
             with --time-limit."
        }
        "oauth.callback_invalid" => {
            "Run `sign-in` again, and paste the whole address that the browser ended at."
        }
        "oauth.state_mismatch" => {
            "Run `sign-in` again, and open its address in one browser window only."
        }
        "oauth.secret_wrong" => {
            "Give the secret's value, not its id, of this app registration: `setup --client-secret`."
        }
        "oauth.secret_expired" => {
            "Create a new client secret in the portal and give it with `setup --client-secret`; logging may stay on."
        }
        "setup.enabled" => "Run `disable` first; settings and secrets stay.",
        _ => otherwise,
    }
}

/// An error in words for people: what was done, and what went wrong. In a run the step says what was done.
pub(crate) fn what(error: &Error, step: Option<RunStep>) -> String {
    let text = error.to_string();
    let code = format!(" [{}]", error.code());
    let text = text.strip_suffix(&code).unwrap_or(&text);
    let begin = format!("{}: ", error.operation());
    let text = text.strip_prefix(&begin).unwrap_or(text);
    let doing = match step {
        Some(step) => Some(of_step(step)),
        None => doing(error.operation()),
    };
    doing.map_or_else(|| text.to_owned(), |doing| format!("{doing}: {text}"))
}

/// What a check found, which is an error as text: the name of a function before it in words.
pub(crate) fn found(text: &str) -> String {
    let named = text.split_once(": ");
    let named = named.and_then(|(operation, rest)| Some((doing(operation)?, rest)));
    named.map_or_else(
        || text.to_owned(),
        |(doing, rest)| format!("{doing}: {rest}"),
    )
}

/// The step of a run in words.
fn of_step(step: RunStep) -> String {
    let words = match step {
        RunStep::ValidatingSetup => "checking the settings",
        RunStep::TakingMailbox => "taking the mailbox for this worker",
        RunStep::OpeningQueueFolder => "opening the queue folder",
        RunStep::OpeningStorageFolder => "opening the storage folder or another target",
        RunStep::Recovering => "finishing what an earlier run left",
        RunStep::ListingQueue => "listing the queue folder",
        RunStep::ReadingMessages => "reading mail",
        RunStep::ResolvingAddresses => "looking up salespeople and contacts",
        RunStep::LoggingMessages => "writing the log",
        RunStep::MovingMessages => "moving mail out of the queue",
        RunStep::Reconciling => "comparing the folders with the log",
        other => return other.code().replace('-', " "),
    };
    words.to_owned()
}

/// An operation in words. Names of functions are nothing for people.
fn doing(operation: &str) -> Option<String> {
    let words = match operation {
        "sign-in" | "Basic" | "Bearer" | "client_id" | "client_secret" | "AdminConsent"
        | "AppSignIn" | "DelegatedSignIn" => "signing in",
        "TLS" | "HTTP client" => "connecting",
        "service URL" | "EwsSourceBuilder::build" => "setting up the connection",
        "setup" | "change" | "clear" => "changing the set-up",
        "EwsConnector" | "Autodiscover" => "connecting to Exchange",
        "GraphConnector" | "GraphSourceBuilder::build" => "connecting to Microsoft Graph",
        "open_folder" | "locate" | "FindFolder" | "GetFolder" => "looking for the folder",
        "FindItem" => "listing the folder",
        "GetItem" | "fetch" => "reading the mail",
        "open" | "migrate" => "opening the log",
        "show" | "entry" | "mail" | "entries" | "mails" | "decisions" | "original" => {
            "reading the log"
        }
        "FolderPath::from_str" => "reading the folder's path",
        _ => return None,
    };
    Some(words.to_owned())
}

/// The exit code of a run that failed.
pub(crate) fn of_run(error: &RunError) -> Exit {
    if names_no_folder(error) {
        Exit::Access
    } else {
        of_error(&error.error)
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

fn of_error(error: &Error) -> Exit {
    match error.kind() {
        // A callback that is refused is a sign-in that failed, whatever was wrong with it.
        _ if error.code().starts_with("oauth.") => Exit::Access,
        ErrorKind::Config if error.code() == INVALID => Exit::Usage,
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
