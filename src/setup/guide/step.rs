//! The pages of the assisted set-up, with their words. Knows nothing of what is entered.

/// A page of the assisted set-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum GuideStep {
    /// What email logging does and what Exchange needs first.
    Intro,
    /// Client id, secret and redirect URL; left out where a provider supplies both values.
    Client,
    /// An administrator's consent (OAuth2).
    SignIn,
    /// User name and password.
    LoginPass,
    /// The mailbox on whose behalf the job works.
    Mailbox,
    /// The queue folder and the storage folder.
    Folders,
    /// The rules that copy mail into the queue.
    MailFlowRules,
    /// The checks of the whole set-up.
    Validation,
    /// The interaction template, and whether the job is scheduled.
    Done,
}

impl GuideStep {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Intro => "intro",
            Self::Client => "client",
            Self::SignIn => "sign-in",
            Self::LoginPass => "login-pass",
            Self::Mailbox => "mailbox",
            Self::Folders => "folders",
            Self::MailFlowRules => "mail-flow-rules",
            Self::Validation => "validation",
            Self::Done => "done",
        }
    }

    /// A heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Intro => "Set up email logging",
            Self::Client => "Application",
            Self::SignIn => "Sign in as an administrator",
            Self::LoginPass => "User name and password",
            Self::Mailbox => "Mailbox",
            Self::Folders => "Folders",
            Self::MailFlowRules => "Mail flow rules",
            Self::Validation => "Validate",
            Self::Done => "Finish",
        }
    }

    /// What the person does on this page.
    pub fn text(self) -> &'static str {
        match self {
            Self::Intro => {
                "Exchange has to be prepared first. Open the instructions and confirm that this was done, or take the provisioning plan."
            }
            Self::Client => {
                "Enter the client id and the client secret of the application that is registered for email logging. The redirect URL may stay as suggested."
            }
            Self::SignIn => {
                "Sign in with an administrator's account that has a mailbox, and accept the permissions."
            }
            Self::LoginPass => {
                "Enter the user name and the password of the account that runs email logging."
            }
            Self::Mailbox => {
                "Enter the mail address on whose behalf the job works, and check the connection."
            }
            Self::Folders => {
                "Choose the queue folder, which receives copies of mail, and the storage folder, which keeps what was logged."
            }
            Self::MailFlowRules => {
                "Two mail flow rules copy mail into the queue. Confirm that they exist, or take the provisioning plan. A rule may take hours to act."
            }
            Self::Validation => "Run all checks and correct what they find.",
            Self::Done => {
                "Choose the interaction template for e-mail, and whether the job starts now."
            }
        }
    }
}

/// Which folders the mail goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum FolderVariant {
    /// The Inbox and the Archive folder of a shared mailbox.
    SharedMailbox,
    /// Public folders.
    PublicFolders,
}

impl FolderVariant {
    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::SharedMailbox => "shared-mailbox",
            Self::PublicFolders => "public-folders",
        }
    }

    /// The name of the choice.
    pub fn text(self, online: bool) -> &'static str {
        match (self, online) {
            (Self::SharedMailbox, true) => {
                "Shared mailbox, Inbox to Archive (recommended for Exchange Online)"
            }
            (Self::SharedMailbox, false) => "Shared mailbox, Inbox to Archive",
            (Self::PublicFolders, true) => {
                "Public folders (until 2027-04-01 in Exchange Online, where they are blocked by default since 2026-10-01)"
            }
            (Self::PublicFolders, false) => "Public folders",
        }
    }
}
