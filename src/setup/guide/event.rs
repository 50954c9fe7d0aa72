//! What a user interface tells the assisted set-up, and what that asks of the host. Secrets pass through and stay nowhere.

use secrecy::SecretString;

use super::{FolderVariant, GuideOutcome};
use crate::setup::{AuthenticationType, EmailLoggingSetup, MailService};
use crate::source::{FolderId, FolderPath};

/// Ties an answer to its question: an answer to an older question changes nothing.
pub type GuideTicket = u64;

/// The client secret of the application.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ClientSecret {
    /// A new secret, which the host stores.
    Given(SecretString),
    /// The host holds a secret or a certificate already.
    Stored,
}

/// How something that the host did came out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GuideAnswer {
    /// It worked.
    Passed,
    /// It failed, with the stable code of the error or the check.
    Failed(String),
}

/// What a person did, or what the host answers.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum GuideEvent {
    /// Go on.
    Next,
    /// Go back.
    Back,
    /// Finish, on the last page.
    Finish,
    /// Close the window.
    Close,
    /// Whether to leave without finishing.
    CloseConfirmed(bool),

    /// Intro: the instructions are opened.
    OpenHelp,
    /// Intro: Exchange was prepared by hand.
    ManualSetupDone(bool),
    /// Intro and mail flow rules: show the provisioning plan, which counts as the preparation.
    ShowPlan,
    /// Intro: how the job signs in.
    ChooseAuthentication(AuthenticationType),
    /// Intro: how the mailbox is reached.
    ChooseService(MailService),

    /// Client: the application's values.
    EnterClient {
        /// The client id.
        client_id: String,
        /// Its secret.
        secret: ClientSecret,
        /// The redirect URL; `None` keeps the suggestion.
        redirect_url: Option<String>,
    },
    /// Sign-in: begin.
    SignIn,
    /// The host's answer: the consent, with the tenant that the token named.
    SignedIn {
        /// Of the question.
        ticket: GuideTicket,
        /// The tenant id, or the failure.
        outcome: Result<Option<String>, String>,
    },

    /// User name and password; they are checked at once.
    EnterLogin {
        /// The user name.
        user_name: String,
        /// The password.
        password: SecretString,
    },
    /// The host's answer.
    LoginChecked {
        /// Of the question.
        ticket: GuideTicket,
        /// How it came out.
        answer: GuideAnswer,
    },

    /// Mailbox: the address is edited.
    EnterAddress(String),
    /// Mailbox, on premises: the address of the service where the domain of the mail address does not lead there: a domain
    /// or a full https URL. Blank is the domain of the mail address again.
    EnterServiceUrl(String),
    /// Mailbox: check the connection.
    CheckConnection,
    /// The host's answer.
    ConnectionChecked {
        /// Of the question.
        ticket: GuideTicket,
        /// How it came out.
        answer: GuideAnswer,
    },

    /// Folders: which kind.
    ChooseVariant(FolderVariant),
    /// Folders: the tick box for the default folders; ticking it restores both paths.
    UseDefaultFolders(bool),
    /// Folders: the queue folder is picked or typed.
    ChooseQueue(FolderPath),
    /// Folders: the storage folder is picked or typed.
    ChooseStorage(FolderPath),
    /// Folders: look both up.
    LookUpFolders,
    /// Folders: create whichever is missing.
    CreateFolders,
    /// The host's answer to looking up and to creating: the ids of the folders that are there.
    FoldersFound {
        /// Of the question.
        ticket: GuideTicket,
        /// The queue folder.
        queue: Option<FolderId>,
        /// The storage folder.
        storage: Option<FolderId>,
    },

    /// Mail flow rules: they exist.
    RulesDone(bool),

    /// Validation: run the checks.
    Validate,
    /// The host's answer.
    Validated {
        /// Of the question.
        ticket: GuideTicket,
        /// How it came out.
        answer: GuideAnswer,
    },

    /// The interaction template for e-mail, and whether it exists. Taken on every page.
    ChooseTemplate {
        /// Its code, at most 10 characters.
        code: Option<String>,
        /// Whether there is such a template.
        exists: bool,
    },
    /// Done: whether the job is scheduled.
    ScheduleJob(bool),
    /// The host's answer to [`GuideRequest::Finish`].
    Stored {
        /// Of the question.
        ticket: GuideTicket,
        /// How it came out.
        answer: GuideAnswer,
    },
}

/// What the host is asked to do. Those with a ticket want an answer.
///
/// Nothing is stored before [`Finish`](Self::Finish): a guide that is closed early leaves the set-up and its secrets as they
/// were. A consent that stores a refresh token itself is the exception.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum GuideRequest {
    /// Show the instructions for Exchange.
    OpenHelp,
    /// Show the provisioning plan for these folders.
    ShowPlan {
        /// Which kind.
        variant: FolderVariant,
        /// The mailbox, once it was entered.
        address: Option<String>,
        /// The queue folder.
        queue: FolderPath,
        /// The storage folder.
        storage: FolderPath,
    },
    /// Keep the client secret in memory, on the server, and sign in with it while the guide is open. It is handed out once.
    /// Store it, sealed, when [`Finish`](Self::Finish) is asked for, and forget it when the guide is closed early.
    StoreClientSecret {
        /// Whose secret it is.
        client_id: String,
        /// The secret.
        secret: SecretString,
    },
    /// Ask an administrator for consent.
    AskConsent {
        /// For the answer.
        ticket: GuideTicket,
        /// The values so far.
        setup: Box<EmailLoggingSetup>,
    },
    /// Check user name and password. Keep the password as the client secret is kept, if they are right.
    CheckLogin {
        /// For the answer.
        ticket: GuideTicket,
        /// The user name.
        user_name: String,
        /// The password.
        password: SecretString,
    },
    /// Connect with these values and see that a folder can be listed.
    CheckConnection {
        /// For the answer.
        ticket: GuideTicket,
        /// The values so far.
        setup: Box<EmailLoggingSetup>,
    },
    /// Find these folders, at any depth.
    LookUpFolders {
        /// For the answer.
        ticket: GuideTicket,
        /// The queue folder.
        queue: FolderPath,
        /// The storage folder.
        storage: FolderPath,
    },
    /// Find these folders and create those that are missing, with those above them.
    CreateFolders {
        /// For the answer.
        ticket: GuideTicket,
        /// The queue folder.
        queue: FolderPath,
        /// The storage folder.
        storage: FolderPath,
    },
    /// Run all checks but those of the interaction template, which the last page makes:
    /// [`EmailLoggingAdministration::validate_guide`](crate::setup::EmailLoggingAdministration::validate_guide).
    Validate {
        /// For the answer.
        ticket: GuideTicket,
        /// The values so far.
        setup: Box<EmailLoggingSetup>,
    },
    /// Put this set-up in the place of an older one, store the secrets that were kept, remove an older job, and schedule a
    /// new one if asked for:
    /// [`EmailLoggingAdministration::finish_guide`](crate::setup::EmailLoggingAdministration::finish_guide).
    Finish {
        /// For the answer.
        ticket: GuideTicket,
        /// What to store.
        outcome: Box<GuideOutcome>,
    },
    /// Ask whether to leave although nothing was stored.
    ConfirmClose,
    /// Close the window.
    Closed {
        /// Whether the set-up was stored.
        completed: bool,
    },
}
