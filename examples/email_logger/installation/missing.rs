//! What a set-up still lacks, and what to do next. Asks nobody outside this machine.

use email_logging::credential::{CredentialOrigin, CredentialValue};
use email_logging::setup::{AuthenticationType, EmailLoggingSetup, MailService};
use email_logging::store::{SecretName, StoredSetup};
use serde::Serialize;

use super::Installation;
use crate::exit::Failure;
use crate::words;

/// Something that is missing: what it is, and the words that supply it after the program's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Missing {
    pub(crate) what: &'static str,
    pub(crate) command: &'static str,
}

const ADDRESS: Missing = Missing {
    what: "the address of the mailbox",
    command: "setup autodiscovery-email-address=ADDRESS",
};
const QUEUE: Missing = Missing {
    what: "the queue folder",
    command: r"setup --queue '\Email Logging\Queue\'",
};
const STORAGE: Missing = Missing {
    what: "the storage folder",
    command: r"setup --storage '\Email Logging\Storage\'",
};
/// Microsoft Graph has no public folders.
const GRAPH_QUEUE: Missing = Missing {
    command: "setup --queue inbox:",
    ..QUEUE
};
const GRAPH_STORAGE: Missing = Missing {
    command: "setup --storage archive:",
    ..STORAGE
};
const TEMPLATE: Missing = Missing {
    what: "the interaction template for e-mail",
    command: "setup interaction-template-code=EMAIL",
};
const CLIENT_ID: Missing = Missing {
    what: "the client id of the app registration",
    command: "setup exchange-client-id=GUID",
};
const CLIENT_SECRET: Missing = Missing {
    what: "the client secret, or a certificate",
    command: "setup --client-secret",
};
const USER_NAME: Missing = Missing {
    what: "the user name of the account",
    command: "setup exchange-account-user-name=NAME",
};
const PASSWORD: Missing = Missing {
    what: "the password of the account",
    command: "setup --password",
};
const HOST: Missing = Missing {
    what: "access tokens, which only a host that embeds the library can supply",
    command: "setup authentication-type=oauth2",
};
const CONSENT: Missing = Missing {
    what: "the consent of an administrator",
    command: "sign-in",
};

/// Everything that is missing, in the order in which it is best supplied.
pub(crate) async fn missing(
    installation: &Installation,
    setup: &EmailLoggingSetup,
) -> Result<Vec<Missing>, Failure> {
    let mut all = Vec::new();
    let mut note = |there: bool, missing: Missing| {
        if !there {
            all.push(missing);
        }
    };
    note(setup.autodiscovery_email_address.is_some(), ADDRESS);
    let [queue, storage] = match setup.mail_service {
        MailService::Graph => [GRAPH_QUEUE, GRAPH_STORAGE],
        _ => [QUEUE, STORAGE],
    };
    note(setup.queue_folder.is_some(), queue);
    note(setup.storage_folder.is_some(), storage);
    note(setup.interaction_template_code.is_some(), TEMPLATE);
    if setup.authentication_type == AuthenticationType::AccessToken {
        note(false, HOST);
    } else if setup.authentication_type == AuthenticationType::Basic {
        let account = origin(installation, CredentialValue::Password)
            .await?
            .is_some();
        let named = setup.exchange_account_user_name.is_some();
        note(account || named, USER_NAME);
        note(account, PASSWORD);
    } else {
        let id = origin(installation, CredentialValue::ClientId).await?;
        let secret = origin(installation, CredentialValue::ClientSecret).await?;
        let certificate = origin(installation, CredentialValue::Certificate).await?;
        note(id.is_some(), CLIENT_ID);
        note(secret.is_some() || certificate.is_some(), CLIENT_SECRET);
        note(consented(installation, setup).await?, CONSENT);
    }
    Ok(all)
}

async fn origin(
    installation: &Installation,
    value: CredentialValue,
) -> Result<Option<CredentialOrigin>, Failure> {
    Ok(installation
        .credentials
        .origin_of(&installation.scope, value)
        .await?)
}

async fn consented(
    installation: &Installation,
    setup: &EmailLoggingSetup,
) -> Result<bool, Failure> {
    if setup.authentication_type == AuthenticationType::OAuth2Delegated {
        let token = SecretName::RefreshToken;
        return Ok(installation
            .secrets
            .is_stored(&installation.scope, token)
            .await?);
    }
    // Only Microsoft's consent names a tenant; elsewhere an application needs none.
    Ok(setup.exchange_tenant_id.is_some() || !installation.config.identity.is_microsoft())
}

/// The command to type next, with the program's name.
pub(crate) fn next(stored: &StoredSetup, missing: &[Missing]) -> String {
    let command = match missing.first() {
        Some(missing) => missing.command,
        None if stored.setup.enabled => "run",
        None => "validate",
    };
    words::command(command)
}
