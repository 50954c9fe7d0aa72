//! The set-up as fields: a name and a text for each that has a value.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::{Fit, Flaw, from_json, json};
use crate::setup::{AuthenticationType, EmailLoggingSetup, MailService};
use crate::source::{FolderId, FolderPath, FolderRoot};

/// The fields that have a value.
pub(crate) fn to_fields(setup: &EmailLoggingSetup) -> Vec<(&'static str, String)> {
    let path = |path: &Option<FolderPath>| path.as_ref().and_then(path_value);
    let id = |id: &Option<FolderId>| id.as_ref().map(|id| id.as_str().to_owned());
    let fields = [
        ("enabled", Some(setup.enabled.to_string())),
        ("queue-folder", path(&setup.queue_folder)),
        ("queue-folder-id", id(&setup.queue_folder_id)),
        ("storage-folder", path(&setup.storage_folder)),
        ("storage-folder-id", id(&setup.storage_folder_id)),
        ("email-batch-size", Some(setup.email_batch_size.to_string())),
        (
            "autodiscovery-email-address",
            setup.autodiscovery_email_address.clone(),
        ),
        ("exchange-service-url", setup.exchange_service_url.clone()),
        (
            "exchange-account-user-name",
            setup.exchange_account_user_name.clone(),
        ),
        ("exchange-client-id", setup.exchange_client_id.clone()),
        ("exchange-redirect-url", setup.exchange_redirect_url.clone()),
        ("exchange-tenant-id", setup.exchange_tenant_id.clone()),
        (
            "authentication-type",
            Some(setup.authentication_type.code().to_owned()),
        ),
        (
            "interaction-template-code",
            setup.interaction_template_code.clone(),
        ),
        // A set-up for EWS is stored as it was before there was another service.
        (
            "mail-service",
            (setup.mail_service != MailService::Ews).then(|| setup.mail_service.code().to_owned()),
        ),
    ];
    let present = |(name, value): (_, Option<String>)| value.map(|value| (name, value));
    fields.into_iter().filter_map(present).collect()
}

/// The set-up of fields. One that this version does not know is passed over.
pub(crate) fn from_fields(mut fields: BTreeMap<String, String>) -> Fit<EmailLoggingSetup> {
    Ok(EmailLoggingSetup {
        enabled: parsed(&mut fields, "enabled")?.unwrap_or_default(),
        queue_folder: path(&mut fields, "queue-folder")?,
        queue_folder_id: fields.remove("queue-folder-id").map(FolderId::new),
        storage_folder: path(&mut fields, "storage-folder")?,
        storage_folder_id: fields.remove("storage-folder-id").map(FolderId::new),
        email_batch_size: parsed(&mut fields, "email-batch-size")?.unwrap_or_default(),
        autodiscovery_email_address: fields.remove("autodiscovery-email-address"),
        exchange_service_url: fields.remove("exchange-service-url"),
        exchange_account_user_name: fields.remove("exchange-account-user-name"),
        exchange_client_id: fields.remove("exchange-client-id"),
        exchange_redirect_url: fields.remove("exchange-redirect-url"),
        exchange_tenant_id: fields.remove("exchange-tenant-id"),
        authentication_type: authentication_type(&mut fields)?,
        interaction_template_code: fields.remove("interaction-template-code"),
        mail_service: mail_service(&mut fields)?,
    })
}

/// A path as a JSON array of its root and its segments, which may hold a backslash.
fn path_value(path: &FolderPath) -> Option<String> {
    let segments = path.segments().iter().map(String::as_str);
    let parts: Vec<&str> = [path.root().code()].into_iter().chain(segments).collect();
    json(&parts).ok()
}

fn path(fields: &mut BTreeMap<String, String>, name: &str) -> Fit<Option<FolderPath>> {
    let Some(value) = fields.remove(name) else {
        return Ok(None);
    };
    let mut parts = from_json::<Vec<String>>(&value)?.into_iter();
    let root = parts.next().and_then(|code| root(&code));
    let root = root.ok_or(Flaw::Damaged("the root of a folder"))?;
    Ok(Some(FolderPath::new(root, parts)))
}

fn authentication_type(fields: &mut BTreeMap<String, String>) -> Fit<AuthenticationType> {
    let Some(code) = fields.remove("authentication-type") else {
        return Ok(AuthenticationType::default());
    };
    AuthenticationType::from_code(&code).ok_or(Flaw::Damaged("the authentication type"))
}

fn mail_service(fields: &mut BTreeMap<String, String>) -> Fit<MailService> {
    let Some(code) = fields.remove("mail-service") else {
        return Ok(MailService::default());
    };
    MailService::from_code(&code).ok_or(Flaw::Damaged("the mail service"))
}

fn root(code: &str) -> Option<FolderRoot> {
    use FolderRoot::{Archive, Inbox, Mailbox, PublicFolders};
    let mut roots = [PublicFolders, Mailbox, Inbox, Archive].into_iter();
    roots.find(|root| root.code() == code)
}

fn parsed<T: FromStr>(fields: &mut BTreeMap<String, String>, name: &str) -> Fit<Option<T>> {
    let value = fields.remove(name).map(|value| value.parse());
    value
        .transpose()
        .map_err(|_| Flaw::Damaged("a field of the set-up"))
}
