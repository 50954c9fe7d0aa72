//! The table of what checks find, beside the error codes. Append-only, as they are.

/// One line of the table: a stable code with its sentence and its remedy.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The stable code.
    pub code: &'static str,
    /// What was found, as a clause without a full stop.
    pub message: &'static str,
    /// What a person should do, as a sentence.
    pub remedy: &'static str,
}

macro_rules! findings {
    ($($name:ident = $code:literal, $message:literal, $remedy:literal;)*) => {
        $(
            pub(super) static $name: Finding = Finding {
                code: $code,
                message: $message,
                remedy: $remedy,
            };
        )*

        /// Every finding of a check that is no [error code](crate::error::codes), in the order of the table.
        pub static FINDINGS: &[&Finding] = &[$(&$name),*];
    };
}

findings! {
    ADDRESS_MISSING = "check.address_missing",
        "the set-up names no mailbox", "Give the e-mail address of the mailbox that the job reads.";
    CREDENTIAL_ENDED = "check.credential_ended",
        "the client secret or the certificate has ended", "Make a new one at the app registration and store it in the set-up.";
    CREDENTIAL_ENDS = "check.credential_ends",
        "the client secret or the certificate ends soon", "Make a new one at the app registration and store it in the set-up before this one ends.";
    EWS_ENDS = "check.ews_ends",
        "Exchange Online blocks EWS since 2026-10-01 but for applications that the tenant allows, and ends it on 2027-04-01", "Keep the client id in EwsAllowedAppIDs, and plan the change to Microsoft Graph before 2027-04-01.";
    PERMISSION_MISSING = "check.permission_missing",
        "the token lacks the permission to use EWS", "Add full_access_as_app (application) or EWS.AccessAsUser.All (delegated) to the app registration and let an administrator consent.";
    PERMISSION_EXTRA = "check.permission_extra",
        "the token holds permissions that the job does not need", "Remove them from the app registration.";
    CLOCK_SKEW = "check.clock_skew",
        "this machine's clock and the service's differ by more than 5 minutes", "Let this machine take its time from a time server.";
    ROOT_EMPTY = "check.root_empty",
        "the root of the folders shows no folder to this account", "Give the account the right to read the folders, or create them.";
    QUEUE_UNSET = "check.queue_unset",
        "the set-up names no queue folder", "Choose the queue folder.";
    STORAGE_UNSET = "check.storage_unset",
        "the set-up names no storage folder", "Choose the storage folder.";
    FOLDER_MOVED = "check.folder_moved",
        "the folder was renamed or moved: its path no longer leads to it", "Choose the folder again, so that the set-up shows where it is.";
    QUEUE_RIGHTS = "check.queue_rights",
        "the account may not move mail out of the queue folder", "Make the account an Owner of the queue folder.";
    STORAGE_RIGHTS = "check.storage_rights",
        "the account may not put mail into the storage folder", "Make the account an Owner of the storage folder.";
    STORAGE_FULL = "check.storage_full",
        "the mailbox of the storage folder is full", "Make room, raise the quota, or choose a storage folder in another mailbox.";
    STORAGE_FILLING = "check.storage_filling",
        "the mailbox of the storage folder is nearly full", "Make room or raise the quota.";
    NO_MAIL = "check.no_mail",
        "no mail has arrived yet", "Check the two mail-flow rules; they may take hours to act. Send a mail to a contact and validate again.";
    NO_RECENT_MAIL = "check.no_recent_mail",
        "no mail has arrived for long", "Check that the two mail-flow rules are on and name the queue folder's address; changes may take hours to act.";
    OTHER_MAILBOX = "check.other_mailbox",
        "the account can read a mailbox that has nothing to do with logging", "Narrow the application to the one mailbox: RBAC for Applications (New-ManagementRoleAssignment with a scope), or an application access policy (New-ApplicationAccessPolicy).";
    TEMPLATE_MISSING = "check.template_missing",
        "the set-up names no interaction template for e-mail", "Choose the interaction template for e-mail.";
    TEMPLATE_UNKNOWN = "check.template_unknown",
        "the interaction template does not exist", "Choose a template that exists, or create it.";
    DIRECTORY_ADDRESSES = "check.directory_addresses",
        "some records can never match a mail", "Correct the addresses of the records that are listed.";
    JOB_MISSING = "check.job_missing",
        "logging is enabled, but no job is scheduled", "Disable email logging and enable it again.";
    JOB_OVERDUE = "check.job_overdue",
        "the job has not ended well for three of its intervals", "Look whether the scheduler runs, and at the last error of the job.";
    JOB_FAILING = "check.job_failing",
        "the last run of the job failed", "Look up the code of its error.";
    PERMISSION_NOT_TOLD = "check.permission_not_told",
        "the token does not name the permission to use EWS, and the service answers all the same", "Nothing, if Exchange itself assigns the right (RBAC for Applications); else add the permission to the app registration.";
    EWS_BLOCKED_SOON = "check.ews_blocked_soon",
        "Exchange Online blocks EWS from 2026-10-01 on but for applications that the tenant allows, and ends it on 2027-04-01", "Put the client id into EwsAllowedAppIDs, and plan the change to Microsoft Graph before 2027-04-01.";
    GRAPH_PERMISSION_MISSING = "check.graph_permission_missing",
        "the token lacks the permission to read and move mail by Microsoft Graph", "Add Mail.ReadWrite (for a person and a shared mailbox Mail.ReadWrite.Shared) to the app registration and let an administrator consent, or assign the role Application Mail.ReadWrite in Exchange (RBAC for Applications).";
    GRAPH_PERMISSION_NOT_TOLD = "check.graph_permission_not_told",
        "the token does not name the permission to read and move mail, and Microsoft Graph answers all the same", "Nothing, if Exchange itself assigns the right (RBAC for Applications); else add Mail.ReadWrite to the app registration.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::FINDINGS;
    use crate::error::codes;

    #[test]
    fn findings_are_unique_also_among_error_codes_and_have_a_remedy() {
        let mut distinct: BTreeSet<_> = codes::ALL.iter().map(|code| code.code).collect();
        for finding in FINDINGS {
            assert!(distinct.insert(finding.code), "{}", finding.code);
            assert!(finding.remedy.ends_with('.'), "{}", finding.code);
            assert!(!finding.message.ends_with('.'), "{}", finding.code);
        }
    }
}
