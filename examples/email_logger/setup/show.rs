//! The stored set-up, field by field, with what is missing.

use email_logging::credential::{CredentialOrigin, CredentialValue};
use email_logging::setup::{AuthenticationType, EmailLoggingSetup, SetupField};
use email_logging::store::{SecretName, StoredSetup};
use serde_json::{Map, Value, json};

use crate::exit::Failure;
use crate::installation::{Installation, Missing, missing, next};
use crate::output::{Output, safe};
use crate::words;

/// Shows everything.
pub(super) async fn show(installation: &Installation, output: &Output) -> Result<(), Failure> {
    let stored = installation.load().await?;
    let missing = missing(installation, &stored.setup).await?;
    let secrets = installation.stored_secrets().await?;
    if output.json() {
        return output.value(&value(&stored, &secrets, &missing));
    }
    let state = if stored.setup.enabled { "on" } else { "off" };
    let version = match stored.version {
        0 => "nothing is stored yet".into(),
        version => format!("version {version}"),
    };
    let heading = format!("The set-up: {version}, email logging is {state}.");
    output.line(output.style().strong(&heading))?;
    output.line("")?;
    for field in shown(&stored.setup) {
        line(installation, &stored.setup, field, output).await?;
    }
    for name in &secrets {
        output.line(format!("  {:29}stored, sealed", name.code()))?;
    }
    output.line("")?;
    tell_next(&stored, &missing, output)
}

/// The fields that belong to the way of signing in.
fn shown(setup: &EmailLoggingSetup) -> Vec<SetupField> {
    let basic = setup.authentication_type == AuthenticationType::Basic;
    let foreign = |field: &SetupField| match field {
        SetupField::ExchangeAccountUserName => !basic,
        SetupField::ExchangeClientId
        | SetupField::ExchangeRedirectUrl
        | SetupField::ExchangeTenantId => basic,
        _ => false,
    };
    let first = [SetupField::AuthenticationType];
    let rest = SetupField::ALL.iter().copied();
    let rest = rest.filter(|field| *field != SetupField::AuthenticationType);
    first
        .into_iter()
        .chain(rest)
        .filter(|field| !foreign(field))
        .collect()
}

async fn line(
    installation: &Installation,
    setup: &EmailLoggingSetup,
    field: SetupField,
    output: &Output,
) -> Result<(), Failure> {
    let text = match text(setup, field) {
        Some(text) => safe::fit(&text, output.columns().saturating_sub(31).max(20)),
        None => output.style().dim(&blank(installation, field).await?),
    };
    output.line(format!("  {:29}{text}", field.code()))
}

/// What a blank field means.
async fn blank(installation: &Installation, field: SetupField) -> Result<String, Failure> {
    let text = match field {
        SetupField::ExchangeServiceUrl => "blank: found by autodiscovery from the address",
        SetupField::ExchangeRedirectUrl => "blank: a page on this machine, made by `sign-in`",
        SetupField::ExchangeTenantId => "blank: a sign-in fills it in",
        SetupField::ExchangeClientId => {
            let value = CredentialValue::ClientId;
            match installation
                .credentials
                .origin_of(&installation.scope, value)
                .await?
            {
                Some(CredentialOrigin::Provider) => "blank: the environment supplies it",
                _ => "missing",
            }
        }
        _ => "missing",
    };
    Ok(text.to_owned())
}

/// What is missing, and the next command.
pub(crate) fn tell_next(
    stored: &StoredSetup,
    missing: &[Missing],
    output: &Output,
) -> Result<(), Failure> {
    let style = output.style();
    if missing.is_empty() {
        output.line("Nothing is missing. Next:")?;
        return output.line(style.command(&format!("  {}", next(stored, missing))));
    }
    output.line("Still missing:")?;
    for one in missing {
        output.line(format!("  {}", one.what))?;
        let command = format!("    {}", words::command(one.command));
        output.line(style.command(&command))?;
    }
    Ok(())
}

/// The value of a field as a person types it.
pub(crate) fn text(setup: &EmailLoggingSetup, field: SetupField) -> Option<String> {
    let path =
        |path: &Option<email_logging::source::FolderPath>| path.as_ref().map(ToString::to_string);
    match field {
        SetupField::QueueFolder => path(&setup.queue_folder),
        SetupField::StorageFolder => path(&setup.storage_folder),
        SetupField::EmailBatchSize => Some(match setup.email_batch_size {
            0 => "0 (no limit of its own)".into(),
            size => size.to_string(),
        }),
        SetupField::AuthenticationType => Some(setup.authentication_type.code().into()),
        SetupField::AutodiscoveryEmailAddress => setup.autodiscovery_email_address.clone(),
        SetupField::ExchangeServiceUrl => setup.exchange_service_url.clone(),
        SetupField::ExchangeAccountUserName => setup.exchange_account_user_name.clone(),
        SetupField::ExchangeClientId => setup.exchange_client_id.clone(),
        SetupField::ExchangeRedirectUrl => setup.exchange_redirect_url.clone(),
        SetupField::ExchangeTenantId => setup.exchange_tenant_id.clone(),
        SetupField::InteractionTemplateCode => setup.interaction_template_code.clone(),
        SetupField::MailService => Some(setup.mail_service.code().into()),
        _ => None,
    }
}

fn value(stored: &StoredSetup, secrets: &[SecretName], missing: &[Missing]) -> Value {
    let setup = &stored.setup;
    let mut fields = Map::new();
    for field in SetupField::ALL {
        let value = match field {
            SetupField::EmailBatchSize => setup.email_batch_size.into(),
            field => text(setup, *field).into(),
        };
        fields.insert(field.code().into(), value);
    }
    let secrets: Vec<_> = secrets.iter().map(|name| name.code()).collect();
    json!({ "setup": {
        "version": stored.version,
        "enabled": setup.enabled,
        "fields": fields,
        "secrets-stored": secrets,
        "missing": missing,
    } })
}
