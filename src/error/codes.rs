//! The append-only table of error codes.
//!
//! A code that was published keeps its meaning; a new meaning gets a new line at the end of its group.

use super::ErrorKind;

/// One line of the table: a stable code with its kind, its sentence and its remedy.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// The stable code, `area.meaning`.
    pub code: &'static str,
    /// What a caller can do about it.
    pub kind: ErrorKind,
    /// What went wrong, as a clause without a full stop.
    pub message: &'static str,
    /// What a person should do, as a sentence.
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($name:ident = $code:literal, $kind:ident, $message:literal, $remedy:literal;)*) => {
        $(
            #[doc = concat!("`", $code, "`: ", $message, ".")]
            pub static $name: Code = Code {
                code: $code,
                kind: ErrorKind::$kind,
                message: $message,
                remedy: $remedy,
            };
        )*

        /// Every code, in the order of the table.
        pub static ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    CONFIG_MISSING = "config.missing", Config,
        "a required part was not given", "Give the part that the message names to the builder or to the set-up.";
    CONFIG_INVALID = "config.invalid", Config,
        "a setting has a value that cannot work", "Change the setting that the message names.";
    CONFIG_INSECURE = "config.insecure", Config,
        "the setting would send credentials unprotected", "Use https, or a loopback address with the option made for tests.";
    SETUP_QUEUE_EQUALS_STORAGE = "setup.queue_equals_storage", Config,
        "the queue folder and the storage folder are the same", "Choose two different folders.";
    SETUP_INCOMPLETE = "setup.incomplete", Config,
        "the set-up lacks a value that logging needs", "Complete the set-up and validate it.";
    SETUP_VERSION = "setup.version", Conflict,
        "the set-up was changed by somebody else meanwhile", "Load the set-up again and repeat the change.";
    SETUP_ENABLED = "setup.enabled", Config,
        "email logging is enabled, so its set-up is fixed", "Disable email logging first; settings and secrets stay.";
    SETUP_DISABLED = "setup.disabled", Config,
        "email logging is disabled, and this needs the mail system", "Enable email logging, and ask again.";
    SETUP_TOO_LONG = "setup.too_long", Config,
        "a field has more characters than it may have", "Shorten the field that the message names.";
    SETUP_TEXT = "setup.text", Config,
        "a field holds a line break or another control character", "Type the field that the message names again.";
    SETUP_BATCH_SIZE = "setup.batch_size", Config,
        "the batch size is no whole number from 0 to 4294967295", "Give the number of mails per run; 0 is no limit.";
    SETUP_ADDRESS = "setup.address", Config,
        "the autodiscovery address is no e-mail address", "Give the address of the mailbox that is read, as name@domain.";
    SETUP_SERVICE_URL = "setup.service_url", Config,
        "the address of the Exchange service is neither blank, a domain nor an https URL", "Leave it blank for autodiscovery, or give a domain or the whole URL that ends with /EWS/Exchange.asmx.";
    SETUP_REDIRECT_URL = "setup.redirect_url", Config,
        "the redirect URL is no https URL", "Give the redirect URL of the app registration, letter by letter.";
    SETUP_AUTHENTICATION_TYPE = "setup.authentication_type", Config,
        "the field belongs to another way of signing in", "Choose the authentication type that the field belongs to first.";

    CREDENTIAL_MISSING = "credential.missing", Config,
        "no provider and no setting supplied the credentials", "Add a credential provider or store the credentials in the set-up.";
    CREDENTIAL_PROVIDER = "credential.provider", Unavailable,
        "a credential provider failed", "Look at the cause; the provider belongs to the host.";
    CREDENTIAL_FILE_MODE = "credential.file_mode", Config,
        "a credential file can be read by others", "Set the file's mode to 0600.";
    OAUTH_TOKEN_REFUSED = "oauth.token_refused", Unauthenticated,
        "the identity service refused to issue a token", "Check the client id, its secret and its permissions.";
    OAUTH_TOKEN_INVALID = "oauth.token_invalid", Protocol,
        "the identity service answered something that is no token", "Check the token endpoint in the settings.";
    OAUTH_REAUTH = "oauth.reauth", ReauthRequired,
        "the refresh token is missing or no longer accepted", "Sign in again; nothing is asked of the identity service before that.";
    OAUTH_SECRET_WRONG = "oauth.secret_wrong", Unauthenticated,
        "the client secret is wrong", "Supply the secret's value, not its id, of this application registration.";
    OAUTH_SECRET_EXPIRED = "oauth.secret_expired", Unauthenticated,
        "the client secret has expired", "Create a new client secret and supply it; no restart is needed.";
    OAUTH_CERTIFICATE_REFUSED = "oauth.certificate_refused", Unauthenticated,
        "the identity service does not accept the client certificate", "Upload this certificate to the application registration.";
    OAUTH_CERTIFICATE_INVALID = "oauth.certificate_invalid", Config,
        "the client certificate or its key cannot be used", "Supply a PEM certificate with its unencrypted RSA, P-256 or P-384 key.";
    OAUTH_CERTIFICATE_EXPIRED = "oauth.certificate_expired", Config,
        "the client certificate has expired", "Create a new certificate, upload it to the application registration and supply it.";
    OAUTH_CLOCK = "oauth.clock", Config,
        "the identity service says that a signed time is wrong", "Set the clock of this machine.";
    OAUTH_APP_UNKNOWN = "oauth.app_unknown", Config,
        "the identity service does not know the application in this tenant", "Check client id and tenant, and that an administrator has consented there.";
    OAUTH_APP_DISABLED = "oauth.app_disabled", Blocked,
        "the application is disabled in this tenant", "Ask the administrator to enable sign-in for the enterprise application.";
    OAUTH_CONSENT_MISSING = "oauth.consent_missing", PermissionDenied,
        "nobody has consented to what the application asks for", "Let an administrator sign in and consent.";
    OAUTH_CONSENT_DECLINED = "oauth.consent_declined", ReauthRequired,
        "the consent was declined", "Start the sign-in again and accept the permissions.";
    OAUTH_NOT_ADMINISTRATOR = "oauth.not_administrator", PermissionDenied,
        "the person who signed in may not consent for the organization", "Sign in as an administrator who may grant tenant-wide consent.";
    OAUTH_CALLBACK_MISSING = "oauth.callback_missing", ReauthRequired,
        "the identity service did not call back in time", "Start the sign-in again; check the redirect URL and that pop-ups are allowed.";
    OAUTH_CALLBACK_INVALID = "oauth.callback_invalid", Protocol,
        "the callback is not one that this sign-in waits for", "Start the sign-in again, and hand back the whole URL that was called.";
    OAUTH_STATE_MISMATCH = "oauth.state_mismatch", Protocol,
        "the callback belongs to another sign-in or was used before", "Start the sign-in again, in one browser window.";
    OAUTH_ISSUER_MISMATCH = "oauth.issuer_mismatch", Protocol,
        "another identity service answered than was asked", "Check the issuer in the settings; if it is right, somebody interferes.";
    OAUTH_ID_TOKEN_INVALID = "oauth.id_token_invalid", Protocol,
        "the identity token cannot be trusted", "Start the sign-in again; check the issuer and the address of its keys.";
    OAUTH_TENANT_MISMATCH = "oauth.tenant_mismatch", Unauthenticated,
        "the token is of another tenant", "Sign in with an account of the tenant that is set up.";
    OAUTH_AUDIENCE_MISMATCH = "oauth.audience_mismatch", Unauthenticated,
        "the token is for another service", "Check scope, resource and audience in the settings.";
    OAUTH_PERMISSION_MISSING = "oauth.permission_missing", PermissionDenied,
        "the token lacks a permission", "Add the permission to the application registration and let an administrator consent.";
    OAUTH_TENANT_UNKNOWN = "oauth.tenant_unknown", Config,
        "the identity service does not know the tenant", "Check the tenant's id or domain, and the cloud.";
    OAUTH_CONDITIONAL_ACCESS = "oauth.conditional_access", ReauthRequired,
        "a second factor or a rule of the tenant stands against the sign-in", "Sign in again and pass the check, or let the administrator change the rule.";
    OAUTH_ACCOUNT = "oauth.account", Blocked,
        "the account is locked, disabled or not assigned to the application", "Ask the administrator to unlock or to assign the account.";
    OAUTH_REDIRECT = "oauth.redirect", Config,
        "the redirect URL is not registered for the application", "Register exactly this redirect URL, of the platform Web.";
    OAUTH_SCOPE = "oauth.scope", Config,
        "the identity service does not know what is asked for", "Check scope and resource in the settings, and the cloud.";

    SECRET_VERSION = "secret.version", Conflict,
        "the secret was changed by somebody else meanwhile", "Load the secret again and use the one that is stored.";
    SECRET_WRONG_KEY = "secret.wrong_key", Config,
        "the key that sealed the secret is not at hand", "Give the key provider the key that sealed it, or enter the secret again.";
    SECRET_DAMAGED = "secret.damaged", StoreUnavailable,
        "the sealed secret was changed or belongs to another place", "Restore the back-up, or enter the secret again.";
    SECRET_KEY_FILE = "secret.key_file", Config,
        "the key file is not one that this library wrote", "Restore the key file, or name a regular file in a folder of its own.";
    SECRET_KEY_PROVIDER = "secret.key_provider", Unavailable,
        "the key provider failed", "Look at the cause; no secret can be opened until it answers.";

    HTTP_TLS = "http.tls", Unavailable,
        "no trusted TLS connection could be made", "Check the host name and the certificate; add a private root if the server uses one.";
    HTTP_CONNECT = "http.connect", Unavailable,
        "no connection could be made", "Check the address and the network.";
    HTTP_TIMEOUT = "http.timeout", Timeout,
        "no answer came in time", "Nothing: the next run looks before it repeats anything.";
    HTTP_CLOSED = "http.closed", Unavailable,
        "the connection ended before the answer was complete", "Nothing: the next run repeats the call.";
    HTTP_REDIRECT = "http.redirect", Protocol,
        "the server redirected the request, which is not followed", "Set the service URL to the final address.";
    HTTP_STATUS = "http.status", Protocol,
        "the server answered with an unexpected HTTP status", "Look at the status and the server's request id.";
    HTTP_UNAVAILABLE = "http.unavailable", Unavailable,
        "the server says that it is not available now", "Nothing: the call is repeated later.";
    HTTP_THROTTLED = "http.throttled", Throttled,
        "the server asks to wait", "Nothing: all calls to this mailbox wait.";
    HTTP_UNAUTHORIZED = "http.unauthorized", Unauthenticated,
        "the server refused the credentials", "Check user name and password, and that the server offers the scheme that is used.";
    HTTP_FORBIDDEN = "http.forbidden", PermissionDenied,
        "the server forbids the access", "Give the account the right, or ask the administrator whether EWS is allowed.";
    HTTP_ACCOUNT_LOCKED = "http.account_locked", Blocked,
        "the account is locked", "Unlock the account.";
    HTTP_RESPONSE_TOO_LARGE = "http.response_too_large", LimitExceeded,
        "the answer is larger than the limit", "Lower the batch size, or raise the limit.";
    HTTP_ENCODING = "http.encoding", Protocol,
        "the answer has a content encoding that was not asked for", "Remove the proxy that compresses answers.";
    HTTP_TLS_HOST = "http.tls_host", Unavailable,
        "the server's certificate is for another host name", "Use the host name of the certificate in the service URL, or have a certificate made for this one.";
    HTTP_TLS_EXPIRED = "http.tls_expired", Unavailable,
        "the server's certificate has expired", "Renew the server's certificate; if it is valid, correct this machine's clock.";
    HTTP_TLS_NOT_YET_VALID = "http.tls_not_yet_valid", Unavailable,
        "the server's certificate is not valid yet", "Correct this machine's clock, or wait until the certificate's time begins.";
    HTTP_TLS_UNTRUSTED = "http.tls_untrusted", Unavailable,
        "the server's certificate comes from no trusted authority", "If the server uses a private authority or signs for itself, add its root certificate or pin its key; else somebody may stand in between.";
    HTTP_TLS_PIN = "http.tls_pin", Unavailable,
        "the server has another key than the pinned one", "Make sure that the server got a new key, and pin that one; else somebody may stand in between.";
    HTTP_ADDRESS_REFUSED = "http.address_refused", Config,
        "the server's address lies in a network that may not be called", "Check the service URL; if the server is on premises, give the range of its network with AddressPolicy::on_premises.";
    HTTP_HOST_REFUSED = "http.host_refused", Config,
        "the server's host is not on the list of those that may be called", "Check the service URL, or add the host to the AddressPolicy.";
    HTTP_SCHEME_NOT_OFFERED = "http.scheme_not_offered", Unauthenticated,
        "the server offers no scheme that takes a user name and a password",
        "Switch on Windows authentication (NTLM) or Basic for the EWS virtual directory, with the feature `ntlm` for the former, or sign in with a token.";
    HTTP_NTLM_CHALLENGE = "http.ntlm_challenge", Protocol,
        "the server's NTLM challenge cannot be answered", "Check what stands between this machine and Exchange.";

    EWS_BASIC_ONLINE = "ews.basic_online", Config,
        "Exchange Online does not accept Basic authentication", "Use OAuth2 for Exchange Online.";
    EWS_XML_FORBIDDEN = "ews.xml_forbidden", Protocol,
        "the answer declares a DOCTYPE or an entity", "Check what stands between this machine and Exchange.";
    EWS_XML_LIMIT = "ews.xml_limit", LimitExceeded,
        "the answer is nested deeper or has more attributes or namespaces than allowed", "Check what stands between this machine and Exchange.";
    EWS_XML_INVALID = "ews.xml_invalid", Protocol,
        "the answer is not well-formed XML", "Nothing, if it happens once: the call is repeated.";
    EWS_NOT_SOAP = "ews.not_soap", Protocol,
        "the answer is not a SOAP envelope of the expected namespace", "Check the service URL; it should end with /EWS/Exchange.asmx.";
    EWS_ANSWERS_MISSING = "ews.answers_missing", Unavailable,
        "the server answered a different number of items than asked", "Nothing: the items are asked again.";
    EWS_THROTTLED = "ews.throttled", Throttled,
        "Exchange asks to wait", "Nothing: all calls to this mailbox wait.";
    EWS_UNAVAILABLE = "ews.unavailable", Unavailable,
        "Exchange cannot answer now", "Nothing: the call is repeated later.";
    EWS_NOT_FOUND = "ews.not_found", NotFound,
        "the item does not exist or may not be seen", "Nothing: it was moved by somebody else.";
    EWS_FOLDER_NOT_FOUND = "ews.folder_not_found", NotFound,
        "the folder does not exist or may not be seen", "Check the folder's path and the rights of the account.";
    EWS_FOLDER_AMBIGUOUS = "ews.folder_ambiguous", Config,
        "two folders match one segment of the path", "Rename one of the folders.";
    EWS_ACCESS_DENIED = "ews.access_denied", PermissionDenied,
        "the account lacks a right on the folder or the mailbox", "Make the account an Owner of both folders.";
    EWS_MAILBOX = "ews.mailbox", Config,
        "the mailbox does not exist, is disabled or has no licence", "Check the mailbox's address.";
    EWS_IMPERSONATION = "ews.impersonation", PermissionDenied,
        "the account may not act for this mailbox", "Give the account the ApplicationImpersonation role for the mailbox.";
    EWS_QUOTA = "ews.quota", PermissionDenied,
        "the mailbox or folder is full", "Make room in the storage folder.";
    EWS_ITEM_DAMAGED = "ews.item_damaged", Protocol,
        "Exchange cannot render the item", "Open the item in Outlook; it stays where it is.";
    EWS_ITEM_TOO_LARGE = "ews.item_too_large", LimitExceeded,
        "the item is larger than the server or this crate allows", "Raise the limit, or log the mail by hand.";
    EWS_MOVE_FAILED = "ews.move_failed", Unavailable,
        "the item could not be moved", "Nothing: the move is repeated.";
    EWS_VERSION = "ews.version", Unsupported,
        "the server accepts none of the known schema versions", "Exchange 2010 SP1 or newer is needed.";
    EWS_SCHEMA = "ews.schema", Internal,
        "the server says that the request breaks its schema", "Report it with the request id.";
    EWS_BLOCKED = "ews.blocked", Blocked,
        "EWS is disabled for this tenant or application", "Let the administrator run Set-OrganizationConfig -EwsEnabled $true -EwsAllowedAppIDs with the application id; Exchange Online ends EWS for good on 2027-04-01.";
    EWS_UNKNOWN_CODE = "ews.unknown_code", Unavailable,
        "the server answered a code that is not known", "Nothing: it is repeated a few times, then set aside.";
    EWS_NAME_RESOLUTION = "ews.name_resolution", NotFound,
        "an Exchange address could not be resolved to an SMTP address", "Check that the mailbox still exists in the directory.";
    EWS_REQUEST = "ews.request", Internal,
        "the request was refused as it stands", "Report it with the request id.";
    EWS_MAILBOX_UNLICENSED = "ews.mailbox_unlicensed", Config,
        "the mailbox has no licence", "Assign a licence for Exchange to the mailbox.";
    EWS_TOKEN_SIGNATURE = "ews.token_signature", Unauthenticated,
        "Exchange does not trust the signature of the token", "Check that the token is of the identity service that this Exchange trusts.";
    EWS_TOKEN_INVALID = "ews.token_invalid", Unauthenticated,
        "Exchange cannot use the token", "Check the identity service, scope and permissions.";
    EWS_TOKEN_EXPIRED = "ews.token_expired", Unauthenticated,
        "Exchange says that the token has expired", "Check the clock of this machine, and the host's token if it makes its own.";
    EWS_TOKEN_RESOURCE = "ews.token_resource", Unauthenticated,
        "Exchange says that the token is for another service", "Check scope and resource in the settings, and the cloud.";
    EWS_TOKEN_TENANT = "ews.token_tenant", Unauthenticated,
        "Exchange says that the token is of a tenant that it does not know", "Check the tenant; it has to be the one of the mailbox.";
    EWS_TOKEN_USER = "ews.token_user", Unauthenticated,
        "Exchange does not know the user of the token", "Check that the account exists and has a mailbox.";
    EWS_TOKEN_CLIENT = "ews.token_client", Unauthenticated,
        "Exchange does not accept the application of the token", "Check the client id and that the application is consented to in the mailbox's tenant.";
    EWS_TOKEN_SERVICE = "ews.token_service", Unavailable,
        "Exchange could not check the token", "Nothing: the call is repeated later.";
    EWS_TOKEN_GRANT = "ews.token_grant", PermissionDenied,
        "the token does not grant access to Exchange Web Services", "Give the application full_access_as_app or EWS.AccessAsUser.All, and consent again.";
    EWS_SIGN_IN = "ews.sign_in", Unauthenticated,
        "Exchange cannot sign the account in", "Check the account: its password may have expired, or it may not be one of this organisation.";
    EWS_ADMINISTRATOR = "ews.administrator", Config,
        "Exchange cannot work as it is set up", "Let an administrator look at the server's own code, which the detail names.";
    EWS_UNEXPECTED_CODE = "ews.unexpected_code", Internal,
        "the server answered a code that belongs to something else", "Report it with the request id; what it is about stays where it is.";

    GRAPH_PUBLIC_FOLDERS = "graph.public_folders", Unsupported,
        "Microsoft Graph has no public folders", "Choose a folder of a mailbox, such as inbox: of a shared mailbox, or use EWS on premises.";
    GRAPH_LINK_REFUSED = "graph.link_refused", Protocol,
        "the answer names a link that may not be followed", "Check what stands between this machine and Graph.";
    GRAPH_ANSWER_INVALID = "graph.answer_invalid", Protocol,
        "the answer is not what Graph answers", "Check the address of the service and what stands between this machine and Graph.";
    GRAPH_FOREIGN_ANSWER = "graph.foreign_answer", Unavailable,
        "something else than Graph answered", "Look for what stands between this machine and Graph and answers with a page of its own, such as a proxy; mail waits until Graph answers.";
    GRAPH_ANSWERS_MISSING = "graph.answers_missing", Unavailable,
        "Graph answered a different number of items than asked", "Nothing: the items are asked again.";
    GRAPH_THROTTLED = "graph.throttled", Throttled,
        "Graph asks to wait", "Nothing: all calls to this mailbox wait.";
    GRAPH_UNAVAILABLE = "graph.unavailable", Unavailable,
        "Graph cannot answer now", "Nothing: the call is repeated later.";
    GRAPH_NOT_FOUND = "graph.not_found", NotFound,
        "the item does not exist or may not be seen", "Nothing: it was moved by somebody else.";
    GRAPH_FOLDER_NOT_FOUND = "graph.folder_not_found", NotFound,
        "the folder does not exist or may not be seen", "Check the folder's path and the mailbox.";
    GRAPH_FOLDER_AMBIGUOUS = "graph.folder_ambiguous", Config,
        "two folders match one segment of the path", "Rename one of the folders.";
    GRAPH_ACCESS_DENIED = "graph.access_denied", PermissionDenied,
        "the application or the account may not do this in the mailbox", "Consent to Mail.ReadWrite (for a person and a shared mailbox Mail.ReadWrite.Shared), and check that the mailbox lies in the scope that the application was narrowed to.";
    GRAPH_MAILBOX = "graph.mailbox", Config,
        "there is no mailbox of Exchange Online at this address, or it has no licence", "Check the mailbox's address; a mailbox on premises is read by EWS.";
    GRAPH_QUOTA = "graph.quota", PermissionDenied,
        "the mailbox is full", "Make room in the mailbox.";
    GRAPH_ITEM_DAMAGED = "graph.item_damaged", Protocol,
        "Graph cannot render the item", "Open the item in Outlook; it stays where it is.";
    GRAPH_ITEM_TOO_LARGE = "graph.item_too_large", LimitExceeded,
        "the item is larger than the service or this crate allows", "Raise the limit, or log the mail by hand.";
    GRAPH_MOVE_FAILED = "graph.move_failed", Unavailable,
        "the item could not be moved", "Nothing: the move is repeated.";
    GRAPH_BLOCKED = "graph.blocked", Blocked,
        "the organisation does not let the application use Graph", "Let an administrator look at the application's registration and at the policies of the organisation.";
    GRAPH_TOKEN = "graph.token", Unauthenticated,
        "Graph does not accept the token", "Check that the token is for Graph in the right cloud, and the clock of this machine.";
    GRAPH_REQUEST = "graph.request", Internal,
        "the request was refused as it stands", "Report it with the request id.";
    GRAPH_UNKNOWN_CODE = "graph.unknown_code", Unavailable,
        "the service answered a code that is not known", "Nothing: it is repeated a few times, then set aside.";

    AUTODISCOVER_DOMAIN = "autodiscover.domain", Config,
        "the address or the domain names no organisation whose servers could be asked", "Give the mail address of a mailbox, or the full service URL.";
    AUTODISCOVER_HOST = "autodiscover.host", Config,
        "autodiscover leads to a host that is neither the organisation's nor Microsoft's", "Give the full service URL, or accept the host that the message names.";
    AUTODISCOVER_NOT_FOUND = "autodiscover.not_found", NotFound,
        "no server said where the mailbox is", "Look at what was tried, or give the full service URL.";

    MIME_TOO_LARGE = "mime.too_large", LimitExceeded,
        "the mail is larger than the limit", "Raise the limit, or log the mail by hand.";
    ADDRESS_INVALID = "address.invalid", Protocol,
        "the text is not an address", "Correct the address.";

    DIRECTORY_UNAVAILABLE = "directory.unavailable", Unavailable,
        "the contact directory did not answer", "Nothing moves; the next run asks again.";
    DIRECTORY_INVALID = "directory.invalid", Config,
        "the contact directory answered something that cannot be used", "Correct the directory; the message names the record.";
    SINK_MISSING = "sink.missing", Config,
        "mails wait for the host's own log, and this logger has none", "Give the logger the interaction sink with which they were logged.";
    SINK_FAILED = "sink.failed", Unavailable,
        "the host's interaction sink failed", "Nothing moves; the delivery is repeated.";

    STORE_UNAVAILABLE = "store.unavailable", StoreUnavailable,
        "the store cannot be read or written", "Look at the cause: disk, permissions, or another process.";
    STORE_FULL = "store.full", StoreUnavailable,
        "the disk is full", "Make room; nothing was lost.";
    STORE_CORRUPT = "store.corrupt", StoreUnavailable,
        "the store's file is damaged", "Restore the backup, and run reconcile: it logs again what was logged since.";
    STORE_SCHEMA_NEWER = "store.schema_newer", Config,
        "the store was written by a newer version", "Use the newer version of this crate.";
    STORE_SCHEMA_MISSING = "store.schema_missing", Config,
        "the store has not been migrated", "Call migrate() once.";
    STORE_SCHEMA_CHANGED = "store.schema_changed", Config,
        "a migration that was applied differs from the one in this version", "Restore the original schema files.";
    STORE_CLOSED = "store.closed", StoreUnavailable,
        "the store was closed", "Open it again.";
    STORE_DATA = "store.data", Conflict,
        "a row was refused by the store", "Look at the message's decision; the other messages are not touched.";
    STORE_NOT_FOUND = "store.not_found", NotFound,
        "no such row", "Check the id.";
    STORE_CURSOR = "store.cursor", Protocol,
        "the cursor was not made by this store", "Start again without a cursor.";
    STORE_CONNECTIONS = "store.connections", StoreUnavailable,
        "no connection to the database could be had in time", "Check that the database runs and has connections left.";
    STORE_TLS = "store.tls", StoreUnavailable,
        "no trusted TLS connection to the database could be made", "Check the host name and the certificate; add a private root if the server uses one.";
    STORE_READ_ONLY = "store.read_only", StoreUnavailable,
        "the database takes no writes", "Point the URL at the primary server, or end its read-only mode.";
    STORE_TIMEOUT = "store.timeout", StoreUnavailable,
        "a statement of the database ran too long", "Nothing, if it happens once; else look at the database's load and locks, or raise the time-out.";
    LEASE_LOST = "lease.lost", LeaseLost,
        "another worker holds the mailbox", "Nothing: the other worker goes on.";
    LEASE_BUSY = "lease.busy", LeaseLost,
        "a run has the mailbox now", "Ask again when it is over; nothing was changed.";
    LEASE_QUIET = "lease.quiet", Throttled,
        "the mail system wants this mailbox to be left alone, as an earlier run was told", "Nothing: it is asked again when that time is over.";
    REVIEW_VERSION = "review.version", Conflict,
        "somebody else changed it meanwhile", "Read it again and repeat the change.";
    REVIEW_LOGGED = "review.logged", Conflict,
        "the mail is logged by now", "Nothing; its entries can be cancelled in the log.";
    NEVER_LOG_RULE = "never_log.rule", Config,
        "the text is no address, domain or pattern that can be listed", "Give an address, a domain, or a pattern with * that names something.";
    PRIVACY_OPEN_OPPORTUNITY = "privacy.open_opportunity", Conflict,
        "an opportunity of this person is open", "Close the opportunity first, or erase without the refusal: the opportunity is kept and loses what names the person.";
    PRIVACY_HELD = "privacy.held", Conflict,
        "a person holds this mail, so that it must stay", "Let whoever may do so take the hold back first.";
    SCOPE_INVALID = "scope.invalid", Config,
        "tenant and company must be 1 to 64 characters", "Use shorter names.";

    EXPORT_WRITE = "export.write", Unavailable,
        "the export could not be written", "Look at the cause: disk, permissions, or who reads it; then export again.";

    SOURCE_UNSUPPORTED = "source.unsupported", Unsupported,
        "this mail source cannot do that", "Choose another setting or another source.";
    SOURCE_FOLDER_NOT_FOUND = "source.folder_not_found", NotFound,
        "the folder does not exist", "Check the folder's path.";

    FILES_PERMISSION = "files.permission", PermissionDenied,
        "this user may not read or move the file", "Give the user the right, and run again.";
    FILES_IO = "files.io", Unavailable,
        "the file could not be read or moved", "Look at the cause, and run again.";
    FILES_CHANGED = "files.changed", Unavailable,
        "the file changed while it was read", "Run again when nothing writes to it.";
    FILES_EMPTY = "files.empty", Protocol,
        "the file holds no byte", "Look at the file: there is no mail in it.";
    FILES_NOT_REGULAR = "files.not_regular", Protocol,
        "what has the mail's name is no regular file", "Look at the place: links, pipes and devices are not read.";
    FILES_FORMAT = "files.format", Config,
        "the files are not in the format that was named", "Name the format: eml, mbox or maildir.";

    OPPORTUNITY_ENTRY_CANCELED = "opportunity.entry_canceled", Conflict,
        "the interaction log entry is cancelled", "Take the cancelling of the entry back, or choose another entry.";
    OPPORTUNITY_ENTRY_LINKED = "opportunity.entry_linked", Conflict,
        "the interaction log entry has an opportunity already", "Open the opportunity of the entry.";
    OPPORTUNITY_CONTACT_BLOCKED = "opportunity.contact_blocked", Conflict,
        "the contact or its company is blocked for privacy", "Choose a contact that is not blocked.";
    OPPORTUNITY_NO_SERIES = "opportunity.no_series", Config,
        "no number series for opportunities is set up", "Set up a number series for opportunities.";
    OPPORTUNITY_SERIES_END = "opportunity.series_end", Config,
        "the number series has no next number", "Give the series a number that ends in digits and has room to grow.";
    OPPORTUNITY_NO_CYCLE = "opportunity.no_cycle", Config,
        "the opportunity has no sales cycle, or it is not this one", "Choose a sales cycle for the opportunity, and use the stages of that one.";
    OPPORTUNITY_CYCLE_BLOCKED = "opportunity.cycle_blocked", Conflict,
        "the sales cycle is blocked", "Choose a sales cycle that is not blocked.";
    OPPORTUNITY_NO_STAGE = "opportunity.no_stage", Config,
        "the sales cycle has no stage", "Add a stage to the sales cycle.";
    OPPORTUNITY_CYCLE_INVALID = "opportunity.cycle_invalid", Config,
        "the stages of the sales cycle do not rise, or a value of one is out of range", "Number the stages from 1 upwards, each once.";
    OPPORTUNITY_STATUS = "opportunity.status", Conflict,
        "the status of the opportunity does not allow that", "Look at the status; an opportunity starts once and ends once.";
    OPPORTUNITY_ACTION = "opportunity.action", Conflict,
        "the stage that the action asks for does not exist or lies the wrong way", "Choose an action that the stage of the opportunity allows.";
    OPPORTUNITY_SKIP = "opportunity.skip", Conflict,
        "a stage on the way may not be skipped", "Go to the next stage, or allow the stage to be skipped.";
    OPPORTUNITY_QUOTE_REQUIRED = "opportunity.quote_required", Conflict,
        "the stage requires a sales quote", "Assign a sales quote to the opportunity first.";
    OPPORTUNITY_DATE = "opportunity.date", Conflict,
        "the date of change is before the last change", "Give a date of change that is not before the last one.";
    OPPORTUNITY_VALUE = "opportunity.value", Conflict,
        "the estimated value is not above zero", "Give an estimated value above zero.";
    OPPORTUNITY_CHANCE = "opportunity.chance", Conflict,
        "the chance of success is not above zero", "Give a chance of success from above 0 to 100 per cent.";
    OPPORTUNITY_CLOSE_DATE = "opportunity.close_date", Conflict,
        "the estimated close date is before the date of change", "Give an estimated close date that is not before the date of change.";
    OPPORTUNITY_CLOSE_CODE = "opportunity.close_code", Conflict,
        "the close code is missing, or is not for this way to close", "Choose a close code for won or for lost, as the opportunity is closed.";
    OPPORTUNITY_SALES_VALUE = "opportunity.sales_value", Conflict,
        "an opportunity that is won has a sales value above zero", "Give the sales value, or assign a quote that has one.";
    OPPORTUNITY_QUOTE_ASSIGNED = "opportunity.quote_assigned", Conflict,
        "the opportunity has another quote, or the quote another opportunity", "Use the quote that is assigned, or take it away first.";
    OPPORTUNITY_NO_QUOTE = "opportunity.no_quote", Conflict,
        "no sales quote is assigned", "Assign a sales quote first.";
    OPPORTUNITY_NO_COMPANY = "opportunity.no_company", Conflict,
        "the contact is a person without a company", "Assign the contact to a company first.";
    OPPORTUNITY_OTHER_COMPANY = "opportunity.other_company", Conflict,
        "the contact belongs to another company", "Choose a contact of the same company; the opportunity has started.";
    OPPORTUNITY_CAMPAIGN_DATES = "opportunity.campaign_dates", Conflict,
        "the opportunity was not created while the campaign ran", "Choose a campaign that covers the creation date.";
    OPPORTUNITY_IN_PROGRESS = "opportunity.in_progress", Conflict,
        "an opportunity in progress cannot be deleted", "Close the opportunity first.";
    OPPORTUNITY_VERSION = "opportunity.version", Conflict,
        "the opportunity was changed by somebody else meanwhile", "Load the opportunity again and repeat the change.";
    OPPORTUNITY_TASK = "opportunity.task", Conflict,
        "there is no open task with this number", "List the tasks of the opportunity.";
    OPPORTUNITY_DATE_FORMULA = "opportunity.date_formula", Config,
        "the text is no date formula", "Write it as 1M+CM, 2W, D15 or CM.";
    OPPORTUNITY_AMOUNT = "opportunity.amount", Config,
        "the text is no amount, or is beyond the range of amounts", "Write digits with at most four decimals after a point.";
    OPPORTUNITY_PERCENT = "opportunity.percent", Config,
        "the value is no percentage", "Give a number from 0 to 100 with at most two decimals.";

    CONTRACT_COUNT = "contract.count", Internal,
        "a part of the host answered another number of items than it was asked", "Run testkit::conformance on that part.";
    CONTRACT_PANIC = "contract.panic", Internal,
        "a part of the host, or of this crate, panicked", "Mend what the panic message on the standard error of the process names.";
    INTERNAL = "internal", Internal,
        "a promise inside this crate was broken", "Report it.";
}

#[cfg(test)]
mod tests {
    use super::ALL;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_lower_case_and_have_a_remedy() {
        let distinct: BTreeSet<_> = ALL.iter().map(|code| code.code).collect();
        assert_eq!(distinct.len(), ALL.len());
        for code in ALL {
            let shape = |c: char| c.is_ascii_lowercase() || c == '.' || c == '_';
            assert!(code.code.chars().all(shape), "{}", code.code);
            assert!(code.remedy.ends_with('.'), "{}", code.code);
            assert!(!code.message.ends_with('.'), "{}", code.code);
        }
    }
}
