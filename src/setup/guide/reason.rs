//! Why the assisted set-up refuses something, and what it warns of. Codes are stable; sentences are for people.

macro_rules! texts {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])* $variant:ident = $code:literal, $text:literal;)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(#[doc = $text] $(#[$doc])* $variant,)*
        }

        impl $name {
            /// Every one, in the order of the pages.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }

            /// The sentence for a person.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

texts! {
    /// Why an event is refused, or a button is disabled.
    GuideReason {
        Closed = "guide.closed", "The assisted set-up is closed.";
        OtherStep = "guide.other_step", "This belongs to another page.";
        Waiting = "guide.waiting", "An answer is awaited.";
        NoEarlierStep = "guide.no_earlier_step", "This is the first page.";
        NoLaterStep = "guide.no_later_step", "This is the last page.";
        NotAtTheEnd = "guide.not_at_the_end", "Go through all pages first.";
        HelpNotOpened = "guide.help_not_opened", "Open the instructions first.";
        NotPrepared = "guide.not_prepared", "Confirm that Exchange was prepared, or take the provisioning plan.";
        ServiceNotAllowed = "guide.service_not_allowed", "Microsoft Graph reaches mailboxes of Exchange Online only, and where this program has it.";
        AuthenticationNotAllowed = "guide.authentication_not_allowed", "Exchange Online takes OAuth2 only.";
        ClientIdMissing = "guide.client_id_missing", "Enter the client id.";
        ClientSecretMissing = "guide.client_secret_missing", "Enter the client secret.";
        ClientIdTooLong = "guide.client_id_too_long", "The client id has more than 250 characters.";
        RedirectUrlInvalid = "guide.redirect_url_invalid", "The redirect URL has to begin with https, or name this machine, and has at most 2048 characters.";
        NotSignedIn = "guide.not_signed_in", "Sign in as an administrator.";
        SignInFailed = "guide.sign_in_failed", "The sign-in failed; try again.";
        UserNameMissing = "guide.user_name_missing", "Enter the user name.";
        UserNameTooLong = "guide.user_name_too_long", "The user name has more than 250 characters.";
        PasswordMissing = "guide.password_missing", "Enter the password.";
        LoginFailed = "guide.login_failed", "Exchange refused user name and password.";
        AddressMissing = "guide.address_missing", "Enter the mail address.";
        AddressInvalid = "guide.address_invalid", "This is no mail address.";
        ServiceUrlInvalid = "guide.service_url_invalid", "On premises the service URL is blank, a domain or an https URL without a query, of at most 250 characters; Exchange Online takes none.";
        ConnectionNotChecked = "guide.connection_not_checked", "Check the connection.";
        ConnectionFailed = "guide.connection_failed", "The connection failed; correct the address or Exchange, and check again.";
        PublicFoldersEnded = "guide.public_folders_ended", "Exchange Online has no access to public folders since 2027-04-01. Choose the shared mailbox.";
        PublicFoldersByGraph = "guide.public_folders_by_graph", "Microsoft Graph has no public folders. Choose the shared mailbox, or Exchange Web Services.";
        DefaultFolders = "guide.default_folders", "Untick the default folders to choose others.";
        FolderOfOtherKind = "guide.folder_of_other_kind", "Choose a folder of the kind that is selected.";
        QueueEqualsStorage = "guide.queue_equals_storage", "Choose two different folders for queue and storage.";
        FoldersNotChecked = "guide.folders_not_checked", "Look the folders up.";
        FoldersMissing = "guide.folders_missing", "A folder does not exist or is not accessible; create it or choose another one.";
        RulesNotConfirmed = "guide.rules_not_confirmed", "Confirm that the mail flow rules exist, or take the provisioning plan.";
        NotValidated = "guide.not_validated", "Run the checks.";
        ValidationFailed = "guide.validation_failed", "Correct what the checks found and run them again.";
        TemplateMissing = "guide.template_missing", "Choose the interaction template for e-mail.";
        TemplateInvalid = "guide.template_invalid", "The interaction template does not exist.";
    }
}

texts! {
    /// What a person should know before going on.
    GuideWarning {
        EwsBlocked = "guide.ews_blocked", "Exchange Online blocks Exchange Web Services by default since 2026-10-01 and ends them on 2027-04-01. The application has to be on the tenant's list (EwsAllowedAppIDs).";
        EwsEnds = "guide.ews_ends", "Exchange Online ends Exchange Web Services on 2027-04-01, and blocks them by default from 2026-10-01.";
        EwsEnded = "guide.ews_ended", "Exchange Online has no Exchange Web Services since 2027-04-01.";
        PublicFoldersOnline = "guide.public_folders_online", "Public folders in Exchange Online are reached through Exchange Web Services only. The shared mailbox is the recommended way.";
        NotScheduled = "guide.not_scheduled", "Without the job, email logging stays off until it is enabled.";
        NotStored = "guide.not_stored", "The set-up could not be stored; finish again.";
        RulesDelay = "guide.rules_delay", "The first copies may come hours after the mail flow rules were made.";
    }
}

impl std::fmt::Display for GuideReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text())
    }
}

impl std::error::Error for GuideReason {}
