//! Proposing the values of a set-up that exists. Nothing of it counts as checked or confirmed.

use super::{AssistedSetup, FolderVariant, FoldersPage};
use crate::setup::{AuthenticationType, EmailLoggingSetup, ServiceAddress};
use crate::source::{FolderPath, FolderRoot};

impl AssistedSetup {
    pub(super) fn prefill(&mut self, setup: EmailLoggingSetup) {
        // A set-up without a mailbox says nothing about how it is reached.
        if setup.autodiscovery_email_address.is_some() && self.may_choose(setup.mail_service) {
            self.service = setup.mail_service;
        }
        let password_online =
            self.options.online && setup.authentication_type == AuthenticationType::Basic;
        if !password_online {
            self.authentication = setup.authentication_type;
        }
        self.sign_in.client_id = setup.exchange_client_id;
        self.sign_in.user_name = setup.exchange_account_user_name;
        if setup.exchange_redirect_url.is_some() {
            self.sign_in.redirect_url = setup.exchange_redirect_url;
        }
        self.address = setup.autodiscovery_email_address.unwrap_or_default();
        self.batch_size = setup.email_batch_size;
        self.last.template = setup.interaction_template_code;
        self.prefill_service(setup.exchange_service_url);
        self.prefill_folders(setup.queue_folder, setup.storage_folder);
    }

    /// A domain that is that of the address goes on following it.
    fn prefill_service(&mut self, text: Option<String>) {
        let domain = self.address.rsplit_once('@').map(|(_, domain)| domain);
        let text = text.filter(|text| Some(text.as_str()) != domain);
        self.service_url = text.filter(|text| {
            let own =
                ServiceAddress::parse(text).is_ok_and(|service| !service.is_exchange_online());
            own && !self.options.online
        });
    }

    fn prefill_folders(&mut self, queue: Option<FolderPath>, storage: Option<FolderPath>) {
        let (Some(queue), Some(storage)) = (queue, storage) else {
            return;
        };
        let variant = if queue.root() == &FolderRoot::PublicFolders {
            FolderVariant::PublicFolders
        } else {
            FolderVariant::SharedMailbox
        };
        if self.fits(variant).is_err() {
            return;
        }
        let proposed = FoldersPage::new(variant);
        let default = proposed.queue == queue && proposed.storage == storage;
        let before = std::mem::replace(&mut self.folders, proposed);
        if [&queue, &storage].map(|path| self.of_this_kind(path)) != [Ok(()), Ok(())] {
            self.folders = before;
            return;
        }
        self.folders.default = default;
        self.folders.queue = queue;
        self.folders.storage = storage;
    }
}
