//! Making changes: all of them or none, each with its consequences.

use super::{Consequence, SetupChange, SetupField};
use crate::error::{Error, Result, codes};
use crate::setup::{AuthenticationType, EmailLoggingSetup, MailService};
use crate::source::{FolderId, FolderPath, FolderSelector};
use crate::store::SecretName;

impl EmailLoggingSetup {
    /// Makes changes and answers what followed, in a fixed order. All are made, or none.
    ///
    /// A changed client id, service URL, redirect URL or autodiscovery address forgets the tenant. Choosing an
    /// authentication type clears what belongs to the others; the [`Consequence::EraseSecret`] of it are for the caller
    /// to carry out, and are repeated when the same type is chosen again.
    ///
    /// # Errors
    ///
    /// `Config`: `setup.enabled` while logging is enabled; `setup.too_long`, `setup.text`, `setup.address`,
    /// `setup.service_url`, `setup.redirect_url`, `setup.authentication_type` or `config.insecure` for a field that
    /// breaks its rule; `setup.queue_equals_storage`; `ews.basic_online`; `graph.public_folders` for a public folder
    /// with Graph.
    pub fn apply(&mut self, changes: &[SetupChange]) -> Result<Vec<Consequence>> {
        if self.enabled {
            return Err(Error::new(&codes::SETUP_ENABLED, "setup"));
        }
        let mut ordered: Vec<&SetupChange> = changes.iter().collect();
        ordered.sort_by_key(|change| change.place());
        let mut editor = Editor {
            setup: self.clone(),
            consequences: Vec::new(),
        };
        for change in ordered {
            editor.make(change);
            editor.setup.check(change.field())?;
        }
        editor.setup.check_folders_differ()?;
        editor.setup.check_online()?;
        editor.setup.check_graph()?;
        *self = editor.setup;
        Ok(editor.consequences)
    }

    /// Empties every field that clearing the set-up empties, and names every secret. The interaction template stays: it
    /// belongs to the interaction template set-up.
    pub(crate) fn emptied(&self) -> (Self, Vec<Consequence>) {
        let cleared = SetupField::ALL.iter().filter(|field| {
            let stays = **field == SetupField::InteractionTemplateCode;
            !stays && self.has(**field)
        });
        let mut consequences: Vec<_> = cleared.copied().map(Consequence::Cleared).collect();
        let secrets = SecretName::ALL.iter().copied();
        consequences.extend(secrets.map(Consequence::EraseSecret));
        consequences.push(Consequence::Reconnect);
        let emptied = Self {
            interaction_template_code: self.interaction_template_code.clone(),
            ..Self::default()
        };
        (emptied, consequences)
    }

    fn has(&self, field: SetupField) -> bool {
        match field {
            SetupField::QueueFolder => {
                self.queue_folder.is_some() || self.queue_folder_id.is_some()
            }
            SetupField::StorageFolder => {
                self.storage_folder.is_some() || self.storage_folder_id.is_some()
            }
            SetupField::EmailBatchSize => self.email_batch_size > 0,
            SetupField::AuthenticationType => {
                self.authentication_type != AuthenticationType::default()
            }
            SetupField::MailService => self.mail_service != MailService::default(),
            text => self.text(text).is_some(),
        }
    }
}

/// Changes under way.
struct Editor {
    setup: EmailLoggingSetup,
    consequences: Vec<Consequence>,
}

impl Editor {
    fn make(&mut self, change: &SetupChange) {
        let field = change.field();
        match change {
            SetupChange::QueueFolder(folder) | SetupChange::StorageFolder(folder) => {
                self.folder(field, folder.as_ref());
            }
            SetupChange::EmailBatchSize(size) => self.batch_size(*size),
            SetupChange::AuthenticationType(chosen) => self.authentication_type(*chosen),
            SetupChange::AutodiscoveryEmailAddress(text)
            | SetupChange::ExchangeServiceUrl(text)
            | SetupChange::ExchangeRedirectUrl(text) => {
                if self.text(field, text) {
                    self.forget_tenant();
                }
            }
            SetupChange::ExchangeClientId(text) => {
                if self.text(field, text) {
                    self.forget_tenant();
                    // A refresh token is bound to the client that it was issued to (RFC 6749, 6).
                    self.tell(Consequence::EraseSecret(SecretName::RefreshToken));
                }
            }
            SetupChange::ExchangeAccountUserName(text) | SetupChange::ExchangeTenantId(text) => {
                if self.text(field, text) {
                    self.tell(Consequence::Reconnect);
                }
            }
            SetupChange::InteractionTemplateCode(text) => {
                self.text(field, text);
            }
            SetupChange::MailService(service) => self.mail_service(*service),
        }
    }

    fn folder(&mut self, field: SetupField, folder: Option<&FolderSelector>) {
        let (path, id) = parts(folder);
        let setup = &mut self.setup;
        let (path_slot, id_slot) = if field == SetupField::QueueFolder {
            (&mut setup.queue_folder, &mut setup.queue_folder_id)
        } else {
            (&mut setup.storage_folder, &mut setup.storage_folder_id)
        };
        if (&*path_slot, &*id_slot) != (&path, &id) {
            (*path_slot, *id_slot) = (path, id);
            self.tell(Consequence::Changed(field));
        }
    }

    fn batch_size(&mut self, size: u32) {
        if self.setup.email_batch_size != size {
            self.setup.email_batch_size = size;
            self.tell(Consequence::Changed(SetupField::EmailBatchSize));
        }
    }

    /// Another service has other ids of folders and another address. The tenant is the same; a person's refresh token
    /// was given for other permissions.
    fn mail_service(&mut self, chosen: MailService) {
        if self.setup.mail_service == chosen {
            return;
        }
        self.setup.mail_service = chosen;
        self.tell(Consequence::Changed(SetupField::MailService));
        self.tell(Consequence::Reconnect);
        self.clear(SetupField::ExchangeServiceUrl);
        for field in [SetupField::QueueFolder, SetupField::StorageFolder] {
            self.forget_folder_id(field);
        }
        if self.setup.authentication_type == AuthenticationType::OAuth2Delegated {
            self.tell(Consequence::EraseSecret(SecretName::RefreshToken));
            self.tell(Consequence::SignInAgain);
        }
    }

    fn forget_folder_id(&mut self, field: SetupField) {
        let setup = &mut self.setup;
        let (path, id) = if field == SetupField::QueueFolder {
            (&setup.queue_folder, &mut setup.queue_folder_id)
        } else {
            (&setup.storage_folder, &mut setup.storage_folder_id)
        };
        match (id.take(), path) {
            (None, _) => {}
            (Some(_), None) => self.tell(Consequence::Cleared(field)),
            (Some(_), Some(_)) => self.tell(Consequence::Changed(field)),
        }
    }

    fn authentication_type(&mut self, chosen: AuthenticationType) {
        if self.setup.authentication_type != chosen {
            self.setup.authentication_type = chosen;
            self.tell(Consequence::Changed(SetupField::AuthenticationType));
            self.tell(Consequence::Reconnect);
        }
        let (fields, secrets) = foreign_to(chosen);
        for field in fields {
            self.clear(*field);
        }
        for name in secrets {
            self.tell(Consequence::EraseSecret(*name));
        }
    }

    /// Sets a text and answers whether it is another one.
    fn text(&mut self, field: SetupField, text: &str) -> bool {
        let text = Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let Some(slot) = self.slot(field) else {
            return false;
        };
        if *slot == text {
            return false;
        }
        *slot = text;
        self.tell(Consequence::Changed(field));
        true
    }

    fn forget_tenant(&mut self) {
        self.tell(Consequence::Reconnect);
        if self.clear(SetupField::ExchangeTenantId) {
            self.tell(Consequence::SignInAgain);
        }
    }

    fn clear(&mut self, field: SetupField) -> bool {
        let had = self.slot(field).and_then(Option::take).is_some();
        if had {
            self.tell(Consequence::Cleared(field));
        }
        had
    }

    fn slot(&mut self, field: SetupField) -> Option<&mut Option<String>> {
        let setup = &mut self.setup;
        Some(match field {
            SetupField::AutodiscoveryEmailAddress => &mut setup.autodiscovery_email_address,
            SetupField::ExchangeServiceUrl => &mut setup.exchange_service_url,
            SetupField::ExchangeAccountUserName => &mut setup.exchange_account_user_name,
            SetupField::ExchangeClientId => &mut setup.exchange_client_id,
            SetupField::ExchangeRedirectUrl => &mut setup.exchange_redirect_url,
            SetupField::ExchangeTenantId => &mut setup.exchange_tenant_id,
            SetupField::InteractionTemplateCode => &mut setup.interaction_template_code,
            _ => return None,
        })
    }

    fn tell(&mut self, consequence: Consequence) {
        if !self.consequences.contains(&consequence) {
            self.consequences.push(consequence);
        }
    }
}

fn parts(folder: Option<&FolderSelector>) -> (Option<FolderPath>, Option<FolderId>) {
    match folder {
        Some(FolderSelector::Path(path)) => (Some(path.clone()), None),
        Some(FolderSelector::Id(id, path)) => (path.clone(), Some(id.clone())),
        None => (None, None),
    }
}

/// What belongs to other ways of signing in: fields and secrets.
fn foreign_to(chosen: AuthenticationType) -> (&'static [SetupField], &'static [SecretName]) {
    const USER: &[SetupField] = &[SetupField::ExchangeAccountUserName];
    const OAUTH: &[SetupField] = &[SetupField::ExchangeClientId, SetupField::ExchangeTenantId];
    match chosen {
        AuthenticationType::Basic => (
            OAUTH,
            &[
                SecretName::ClientSecret,
                SecretName::CertificateKey,
                SecretName::RefreshToken,
            ],
        ),
        AuthenticationType::OAuth2 | AuthenticationType::AccessToken => {
            let secrets = &[SecretName::AccountPassword, SecretName::RefreshToken];
            (USER, secrets)
        }
        AuthenticationType::OAuth2Delegated => (USER, &[SecretName::AccountPassword]),
    }
}
