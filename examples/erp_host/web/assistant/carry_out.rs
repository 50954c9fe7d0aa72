//! What the guide asks of its host.

use email_logging::credential::StaticCredentials;
use email_logging::setup::{
    Destination, EmailLoggingSetup, FolderVariant, GuideAnswer, GuideEvent, GuideOutcome,
    GuideReason, GuideRequest, MailConnection, MailConnector as _, ProvisioningPlan,
};
use email_logging::source::{FolderId, FolderPath};
use email_logging::store::SecretName;
use secrecy::SecretString;

use super::{Assistant, Awaiting};
use crate::connectors::Connectors;
use crate::erp::Erp;

/// Where an administrator signs in, if that is asked for, and how it came out.
type Carried = (Option<String>, Option<GuideEvent>);

pub(super) async fn carry_out(
    erp: &Erp,
    assistant: &mut Assistant,
    request: GuideRequest,
) -> Carried {
    let answer = match request {
        GuideRequest::ShowPlan {
            variant,
            address,
            queue,
            storage,
        } => {
            let destination = destination(variant, address.as_deref(), queue, storage);
            assistant.plan = Some(plan(assistant.online, address.as_deref(), destination));
            return (None, None);
        }
        GuideRequest::StoreClientSecret { client_id, secret } => {
            assistant.client = Some((client_id, secret));
            return (None, None);
        }
        GuideRequest::AskConsent { ticket, setup } => {
            return ask_consent(erp, assistant, ticket, setup).await;
        }
        GuideRequest::CheckLogin {
            ticket,
            user_name,
            password,
        } => GuideEvent::LoginChecked {
            ticket,
            answer: check_login(erp, assistant, user_name, password).await,
        },
        GuideRequest::CheckConnection { ticket, setup } => GuideEvent::ConnectionChecked {
            ticket,
            answer: check_connection(erp, assistant, &setup).await,
        },
        GuideRequest::LookUpFolders {
            ticket,
            queue,
            storage,
        } => {
            let (queue, storage) = find(erp, assistant, [queue, storage], false).await;
            GuideEvent::FoldersFound {
                ticket,
                queue,
                storage,
            }
        }
        GuideRequest::CreateFolders {
            ticket,
            queue,
            storage,
        } => {
            let (queue, storage) = find(erp, assistant, [queue, storage], true).await;
            GuideEvent::FoldersFound {
                ticket,
                queue,
                storage,
            }
        }
        GuideRequest::Finish { ticket, outcome } => GuideEvent::Stored {
            ticket,
            answer: finish(erp, assistant, &outcome).await,
        },
        // The instructions are on the page; leaving is confirmed on a page; the checks have a page of their own.
        _ => return (None, None),
    };
    (None, Some(answer))
}

/// A connector that signs in with what was typed.
pub(super) fn connector(erp: &Erp, assistant: &Assistant) -> Option<Connectors> {
    let mut given = StaticCredentials::new();
    if let Some((client_id, secret)) = &assistant.client {
        given = given
            .with_client_id(client_id)
            .with_client_secret(secret.clone());
    } else if let Some(client_id) = assistant.guide.setup().exchange_client_id {
        given = given.with_client_id(client_id);
    }
    if let Some((user, password)) = &assistant.login {
        given = given.with_password(user, password.clone());
    }
    erp.connector_with(given).ok()
}

fn failed(code: &str) -> GuideAnswer {
    GuideAnswer::Failed(code.to_owned())
}

async fn ask_consent(
    erp: &Erp,
    assistant: &mut Assistant,
    ticket: u64,
    setup: Box<EmailLoggingSetup>,
) -> Carried {
    let refused = |code: &str| GuideEvent::SignedIn {
        ticket,
        outcome: Err(code.to_owned()),
    };
    let Some(connector) = connector(erp, assistant) else {
        return (None, Some(refused("config.missing")));
    };
    let consents = connector.consents();
    match consents.of(&setup).begin(&erp.scope, &setup).await {
        Ok(request) => {
            assistant.awaiting = Some(Awaiting {
                ticket,
                setup,
                pending: request.pending,
            });
            (Some(request.authorize_url), None)
        }
        Err(error) => (None, Some(refused(error.code()))),
    }
}

/// What the identity service said.
pub(super) async fn consented(
    erp: &Erp,
    assistant: &mut Assistant,
    callback: &str,
) -> Option<GuideEvent> {
    let awaiting = assistant.awaiting.take()?;
    let consents = connector(erp, assistant)?.consents();
    let outcome = consents
        .of(&awaiting.setup)
        .complete(&erp.scope, &awaiting.setup, &awaiting.pending, callback)
        .await;
    Some(GuideEvent::SignedIn {
        ticket: awaiting.ticket,
        outcome: outcome.map_err(|error| error.code().to_owned()),
    })
}

async fn check_login(
    erp: &Erp,
    assistant: &mut Assistant,
    user_name: String,
    password: SecretString,
) -> GuideAnswer {
    let mut setup = assistant.guide.setup();
    setup.exchange_account_user_name = Some(user_name.clone());
    let before = assistant.login.replace((user_name, password));
    let answer = check_connection(erp, assistant, &setup).await;
    if answer != GuideAnswer::Passed {
        assistant.login = before;
    }
    answer
}

async fn connect(
    erp: &Erp,
    assistant: &Assistant,
    setup: &EmailLoggingSetup,
) -> Result<MailConnection, GuideAnswer> {
    let connector = connector(erp, assistant).ok_or_else(|| failed("config.missing"))?;
    let connection = connector.connect(&erp.scope, setup).await;
    connection.map_err(|error| failed(error.code()))
}

async fn check_connection(
    erp: &Erp,
    assistant: &Assistant,
    setup: &EmailLoggingSetup,
) -> GuideAnswer {
    match connect(erp, assistant, setup).await {
        Ok(connection) => match connection.probe.reach().await {
            Ok(_) => GuideAnswer::Passed,
            Err(error) => failed(error.code()),
        },
        Err(answer) => answer,
    }
}

async fn find(
    erp: &Erp,
    assistant: &Assistant,
    [queue, storage]: [FolderPath; 2],
    create: bool,
) -> (Option<FolderId>, Option<FolderId>) {
    let setup = assistant.guide.setup();
    let Ok(connection) = connect(erp, assistant, &setup).await else {
        return (None, None);
    };
    let queue = folder(&connection, &queue, create).await;
    (queue, folder(&connection, &storage, create).await)
}

async fn folder(connection: &MailConnection, path: &FolderPath, create: bool) -> Option<FolderId> {
    let found = connection.source.open_folder(&path.clone().into()).await;
    let found = match found {
        Err(_) if create => connection.folders.create(path).await,
        found => found,
    };
    found.ok().map(|folder| folder.id)
}

async fn finish(erp: &Erp, assistant: &Assistant, outcome: &GuideOutcome) -> GuideAnswer {
    let secrets = async {
        let mut kept = Vec::new();
        if let Some((_, secret)) = &assistant.client {
            erp.secrets
                .put(&erp.scope, SecretName::ClientSecret, secret)
                .await?;
        }
        if let Some((_, password)) = &assistant.login {
            erp.secrets
                .put(&erp.scope, SecretName::AccountPassword, password)
                .await?;
        }
        for name in [
            SecretName::ClientSecret,
            SecretName::AccountPassword,
            SecretName::RefreshToken,
        ] {
            if erp.secrets.is_stored(&erp.scope, name).await? {
                kept.push(name);
            }
        }
        Ok(kept)
    };
    let finished = erp
        .administration
        .finish_guide(&erp.scope, outcome, secrets, &mut |_| ())
        .await;
    match finished {
        Ok(finished) => finished.answer(),
        Err(error) => failed(error.code()),
    }
}

fn destination(
    variant: FolderVariant,
    address: Option<&str>,
    queue: FolderPath,
    storage: FolderPath,
) -> Destination {
    match variant {
        FolderVariant::PublicFolders => Destination::PublicFolders { queue, storage },
        _ => Destination::shared_mailbox(address.unwrap_or("email.logging@company.example")),
    }
}

/// The script that prepares Exchange, or why there is none.
fn plan(online: bool, address: Option<&str>, destination: Destination) -> String {
    let account = address.unwrap_or("email.logging@company.example");
    let builder = if online {
        ProvisioningPlan::online(account, destination)
    } else {
        let domain = account
            .rsplit_once('@')
            .map_or("company.example", |(_, domain)| domain);
        ProvisioningPlan::on_premises(format!("mail.{domain}"), account, destination)
    };
    match builder.build() {
        Ok(plan) => plan.script(),
        Err(error) => format!("# {error}\n# {}", GuideReason::NotPrepared.code()),
    }
}
