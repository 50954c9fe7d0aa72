//! Sealed secrets of a memory store. Knows no key.

use async_trait::async_trait;

use super::tables::SecretRow;
use super::{MemoryStore, StoreOperation};
use crate::error::{Error, Result, codes};
use crate::scope::Scope;
use crate::store::{SealedSecret, SecretName, SecretPlace, SecretStore, StoredSecret};

#[async_trait]
impl SecretStore for MemoryStore {
    async fn load_secret(&self, scope: &Scope, name: SecretName) -> Result<Option<StoredSecret>> {
        self.call(StoreOperation::LoadSecret, scope, |tables, _| {
            Ok(tables.secrets.get(&name).and_then(|row| {
                let sealed = row.sealed.clone()?;
                Some(StoredSecret::new(sealed, row.version))
            }))
        })
    }

    async fn save_secret(
        &self,
        scope: &Scope,
        name: SecretName,
        sealed: &SealedSecret,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(StoreOperation::SaveSecret, scope, |tables, _| {
            let row = tables.secrets.entry(name).or_default();
            let stored = row.sealed.as_ref().map_or(0, |_| row.version);
            if stored != expected_version {
                return Err(Error::new(&codes::SECRET_VERSION, "save_secret"));
            }
            *row = SecretRow {
                version: row.version + 1,
                sealed: Some(sealed.clone()),
            };
            Ok(row.version)
        })
    }

    async fn erase_secrets(&self, scope: &Scope, names: &[SecretName]) -> Result<()> {
        self.call(StoreOperation::EraseSecrets, scope, |tables, _| {
            for name in names {
                if let Some(row) = tables.secrets.get_mut(name) {
                    row.sealed = None;
                }
            }
            Ok(())
        })
    }

    async fn list_secrets(&self) -> Result<Vec<SecretPlace>> {
        self.call_all(StoreOperation::ListSecrets, |tables| {
            let places = tables.all().flat_map(|(scope, tables)| {
                tables.secrets.iter().filter_map(|(name, row)| {
                    let key_id = row.sealed.as_ref()?.key_id.clone();
                    Some(SecretPlace::new(scope.clone(), *name, key_id))
                })
            });
            Ok(places.collect())
        })
    }
}
