//! The set-up as rows: one per field that has a value, under a version that a change must name.

use std::collections::BTreeMap;
use std::str::FromStr;

use rusqlite::{Connection, OptionalExtension as _, params};

use super::Core;
use crate::error::codes;
use crate::scope::Scope;
use crate::setup::{AuthenticationType, EmailLoggingSetup};
use crate::source::{FolderId, FolderPath, FolderRoot};
use crate::store::StoredSetup;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{from_json, json, text, unsigned};

impl Core {
    pub(crate) fn load_setup(&self, scope: &Scope) -> Done<Option<StoredSetup>> {
        let (tx, scope) = self.read(scope)?;
        match version(&tx, scope)? {
            0 => Ok(None),
            version => {
                let setup = from_fields(fields(&tx, scope)?)?;
                Ok(Some(StoredSetup::new(setup, version)))
            }
        }
    }

    pub(crate) fn save_setup(
        &mut self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Done<u64> {
        let now = self.now();
        let (tx, scope) = self.write(scope)?;
        if version(&tx, scope)? != expected_version {
            return Err((&codes::SETUP_VERSION).into());
        }
        tx.execute(
            "INSERT INTO setup (scope, version, changed_at) VALUES (?1, 1, ?2)
             ON CONFLICT (scope) DO UPDATE SET version = version + 1, changed_at = ?2",
            params![scope, now],
        )?;
        tx.execute("DELETE FROM setup_field WHERE scope = ?1", [scope])?;
        let mut insert =
            tx.prepare_cached("INSERT INTO setup_field (scope, name, value) VALUES (?1, ?2, ?3)")?;
        for (name, value) in to_fields(setup) {
            insert.execute(params![scope, name, text(&value)])?;
        }
        drop(insert);
        tx.commit()?;
        Ok(expected_version + 1)
    }
}

/// The version of the set-up; 0 where none is stored.
fn version(conn: &Connection, scope: i64) -> Done<u64> {
    let mut find = conn.prepare_cached("SELECT version FROM setup WHERE scope = ?1")?;
    let version = find.query_row([scope], |row| row.get(0)).optional()?;
    unsigned(version.unwrap_or(0))
}

fn fields(conn: &Connection, scope: i64) -> Done<BTreeMap<String, String>> {
    let mut list = conn.prepare_cached("SELECT name, value FROM setup_field WHERE scope = ?1")?;
    let rows = list.query_map([scope], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn to_fields(setup: &EmailLoggingSetup) -> Vec<(&'static str, String)> {
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
    ];
    let present = |(name, value): (_, Option<String>)| value.map(|value| (name, value));
    fields.into_iter().filter_map(present).collect()
}

/// A field that this version does not know is passed over.
fn from_fields(mut fields: BTreeMap<String, String>) -> Done<EmailLoggingSetup> {
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
    })
}

/// A path as a JSON array of its root and its segments, which may hold a backslash.
fn path_value(path: &FolderPath) -> Option<String> {
    let segments = path.segments().iter().map(String::as_str);
    let parts: Vec<&str> = [path.root().code()].into_iter().chain(segments).collect();
    json(&parts).ok()
}

fn path(fields: &mut BTreeMap<String, String>, name: &str) -> Done<Option<FolderPath>> {
    let Some(value) = fields.remove(name) else {
        return Ok(None);
    };
    let mut parts = from_json::<Vec<String>>(&value)?.into_iter();
    let root = parts.next().and_then(|code| root(&code));
    let root = root.ok_or(Fault::Damaged("the root of a folder"))?;
    Ok(Some(FolderPath::new(root, parts)))
}

fn authentication_type(fields: &mut BTreeMap<String, String>) -> Done<AuthenticationType> {
    let Some(code) = fields.remove("authentication-type") else {
        return Ok(AuthenticationType::default());
    };
    AuthenticationType::from_code(&code).ok_or(Fault::Damaged("the authentication type"))
}

fn root(code: &str) -> Option<FolderRoot> {
    use FolderRoot::{Archive, Inbox, Mailbox, PublicFolders};
    let mut roots = [PublicFolders, Mailbox, Inbox, Archive].into_iter();
    roots.find(|root| root.code() == code)
}

fn parsed<T: FromStr>(fields: &mut BTreeMap<String, String>, name: &str) -> Done<Option<T>> {
    let value = fields.remove(name).map(|value| value.parse());
    value
        .transpose()
        .map_err(|_| Fault::Damaged("a field of the set-up"))
}
