//! The table of checks. Append-only: a code that was published keeps its meaning.

use std::fmt;

/// One line of the table: what is checked.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CheckInfo {
    /// The check.
    pub check: Check,
    /// The stable code.
    pub code: &'static str,
    /// The check as a short title.
    pub title: &'static str,
    /// What is asked and of whom, as a sentence.
    pub meaning: &'static str,
    /// Whether logging cannot be enabled as long as it was not checked.
    pub required: bool,
}

macro_rules! checks {
    ($($check:ident = $code:literal, $title:literal, $required:literal, $meaning:literal;)*) => {
        /// One check of the set-up, in the order in which they run.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[cfg_attr(
            feature = "serde",
            derive(serde::Serialize),
            serde(rename_all = "kebab-case")
        )]
        #[non_exhaustive]
        pub enum Check {
            $(#[doc = $meaning] $check,)*
        }

        /// Every check, in the order in which they run.
        pub static CHECKS: &[CheckInfo] = &[$(CheckInfo {
            check: Check::$check,
            code: $code,
            title: $title,
            meaning: $meaning,
            required: $required,
        }),*];
    };
}

checks! {
    AutodiscoveryAddress = "autodiscovery-address", "mailbox address", true,
        "The set-up names the e-mail address of the mailbox, well-formed.";
    Fields = "fields", "fields", true,
        "No field of the set-up breaks its rule.";
    Service = "service", "Exchange service found", true,
        "The service's address is given or can be discovered.";
    Credentials = "credentials", "credentials", true,
        "A token, or user name and password, can be obtained.";
    CredentialExpiry = "credential-expiry", "end of the credentials", false,
        "The client secret or the certificate does not end within 30 days.";
    Connection = "connection", "connection", true,
        "The service answers this account.";
    Tls = "tls", "TLS certificate", false,
        "The certificates of the servers are trusted, current and theirs.";
    EwsAllowed = "ews-allowed", "EWS allowed", false,
        "The tenant does not block Exchange Web Services for this application.";
    EwsEnd = "ews-end", "end of EWS", false,
        "The service is not Exchange Online, where Exchange Web Services end on 2027-04-01.";
    TokenPermissions = "token-permissions", "permissions in the token", false,
        "The token holds the permission that the job needs, and no other.";
    ClockSkew = "clock-skew", "clock", false,
        "This machine's clock is within 5 minutes of the service's.";
    RootFolder = "root-folder", "root of the folders", false,
        "The root of the folders can be read and holds a folder.";
    QueueFolder = "queue-folder", "queue folder", true,
        "The queue folder exists and can be read.";
    StorageFolder = "storage-folder", "storage folder", true,
        "The storage folder exists and can be read.";
    FoldersDistinct = "folders-distinct", "two different folders", true,
        "Queue and storage are two different folders.";
    QueueRights = "queue-rights", "rights in the queue folder", false,
        "The account may read and delete in the queue folder, as a move needs.";
    StorageRights = "storage-rights", "rights in the storage folder", false,
        "The account may read and create items in the storage folder.";
    StorageRoom = "storage-room", "room in the storage folder", false,
        "The mailbox of the storage folder is less than nine tenths full.";
    MailArriving = "mail-arriving", "mail arriving", false,
        "Mail has reached the queue or the storage folder lately.";
    LeastAccess = "least-access", "no more access than needed", false,
        "The account cannot read a mailbox that has nothing to do with logging.";
    InteractionTemplate = "interaction-template", "interaction template", true,
        "The set-up names an interaction template for e-mail.";
    InteractionTemplateExists = "interaction-template-exists", "interaction template exists", false,
        "The host has the interaction template that the set-up names.";
    DirectoryAddresses = "directory-addresses", "addresses of salespeople and contacts", false,
        "Salespeople and contacts have well-formed e-mail addresses.";
    Job = "job", "job", false,
        "The job is scheduled and has ended well within three of its intervals.";
}

impl Check {
    /// Its line of the table.
    pub fn info(self) -> &'static CheckInfo {
        // The table has one line per variant, in the same order.
        &CHECKS[self as usize]
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        self.info().code
    }

    /// The check with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        let mut all = CHECKS.iter();
        all.find(|info| info.code == code).map(|info| info.check)
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.info().title)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{CHECKS, Check};

    #[test]
    fn the_table_has_one_line_per_check_in_their_order() {
        let distinct: BTreeSet<_> = CHECKS.iter().map(|info| info.code).collect();
        assert_eq!(distinct.len(), CHECKS.len());
        for info in CHECKS {
            assert_eq!(info.check.info(), info);
            assert_eq!(Check::from_code(info.code), Some(info.check));
            assert!(info.meaning.ends_with('.'), "{}", info.code);
        }
    }
}
