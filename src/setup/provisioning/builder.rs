//! What a plan is made of, checked before a line of it is written. Knows which steps go together, not what they say.

use super::quote::{check_address, check_guid, check_name, refused};
use super::{
    Destination, ExchangeServer, Narrowing, ProvisioningPlan, ProvisioningStep, access, connect,
    mailbox, public_folders, rules,
};
use crate::error::Result;

/// <https://learn.microsoft.com/powershell/module/exchange/new-rolegroup> and `new-mailbox` there.
const LONGEST_NAME: usize = 64;

/// The names of what the plan makes, each at most 64 characters, as Exchange takes them. The default is what Business Central documents.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanNames {
    /// The role group for public folders.
    pub role_group: String,
    /// The mailbox that holds the public folders.
    pub folder_mailbox: String,
    /// The display name of the shared mailbox.
    pub shared_mailbox: String,
    /// The mail flow rule for mail from outside.
    pub incoming_rule: String,
    /// The mail flow rule for mail to outside.
    pub outgoing_rule: String,
    /// The application's display name in Exchange.
    pub service_principal: String,
    /// The scope of one mailbox.
    pub scope: String,
    /// The role assignment within that scope.
    pub assignment: String,
    /// The security group of an application access policy.
    pub access_group: String,
}

impl Default for PlanNames {
    fn default() -> Self {
        Self {
            role_group: "Public Folders Management".to_owned(),
            folder_mailbox: "Public MailBox".to_owned(),
            shared_mailbox: "Email Logging".to_owned(),
            incoming_rule: "Log Email Sent to This Organization".to_owned(),
            outgoing_rule: "Log Email Sent from This Organization".to_owned(),
            service_principal: "Email Logging".to_owned(),
            scope: "Email Logging mailbox".to_owned(),
            assignment: "Email Logging access".to_owned(),
            access_group: "Email Logging mailboxes".to_owned(),
        }
    }
}

impl PlanNames {
    fn check(&self) -> Result<()> {
        for (what, name) in [
            ("the role group's name", &self.role_group),
            ("the public folder mailbox's name", &self.folder_mailbox),
            ("the shared mailbox's name", &self.shared_mailbox),
            ("the incoming rule's name", &self.incoming_rule),
            ("the outgoing rule's name", &self.outgoing_rule),
            ("the service principal's name", &self.service_principal),
            ("the scope's name", &self.scope),
            ("the role assignment's name", &self.assignment),
            ("the security group's name", &self.access_group),
        ] {
            check_name(what, name)?;
            if name.chars().count() > LONGEST_NAME {
                return Err(refused(what, "has more than 64 characters"));
            }
        }
        if self.incoming_rule.to_lowercase() == self.outgoing_rule.to_lowercase() {
            return Err(refused(
                "the outgoing rule's name",
                "is that of the incoming rule",
            ));
        }
        Ok(())
    }
}

/// Puts a [`ProvisioningPlan`] together.
#[derive(Debug, Clone)]
pub struct ProvisioningPlanBuilder {
    exchange: ExchangeServer,
    account: String,
    destination: Destination,
    names: PlanNames,
    administrator: Option<String>,
    narrowing: Option<Narrowing>,
    ews_client_id: Option<String>,
    incoming: bool,
    outgoing: bool,
}

impl ProvisioningPlanBuilder {
    pub(super) fn new(exchange: ExchangeServer, account: String, destination: Destination) -> Self {
        Self {
            exchange,
            account,
            destination,
            names: PlanNames::default(),
            administrator: None,
            narrowing: None,
            ews_client_id: None,
            incoming: true,
            outgoing: true,
        }
    }

    /// Other names than the documented ones.
    #[must_use]
    pub fn with_names(mut self, names: PlanNames) -> Self {
        self.names = names;
        self
    }

    /// The administrator's sign-in name, which Exchange Online's prompt is filled with.
    #[must_use]
    pub fn with_administrator(mut self, user_principal_name: impl Into<String>) -> Self {
        self.administrator = Some(user_principal_name.into());
        self
    }

    /// Which of the two mail flow rules are made; both unless said otherwise.
    #[must_use]
    pub fn with_rules(mut self, incoming: bool, outgoing: bool) -> Self {
        self.incoming = incoming;
        self.outgoing = outgoing;
        self
    }

    /// Holds the application, or on premises the account, to one mailbox: the shared one, or the account's own where
    /// the mail lies in public folders.
    #[must_use]
    pub fn with_narrowing(mut self, narrowing: Narrowing) -> Self {
        self.narrowing = Some(narrowing);
        self
    }

    /// Puts the application with this client id on the tenant's list for Exchange Web Services. Exchange Online only.
    #[must_use]
    pub fn with_ews_allowed(mut self, client_id: impl Into<String>) -> Self {
        self.ews_client_id = Some(client_id.into());
        self
    }

    /// The plan.
    ///
    /// # Errors
    ///
    /// `Config`: `setup.queue_equals_storage` for two equal folders; `config.invalid` for a name that is blank, too
    /// long, or holds a control character or a wildcard, for what is no address, GUID or public folder,
    /// and for a way of narrowing, or a list, that this kind of Exchange does not have.
    pub fn build(self) -> Result<ProvisioningPlan> {
        self.check()?;
        let mut steps = vec![connect::step(&self.exchange, self.administrator.as_deref())];
        let queue = match &self.destination {
            Destination::SharedMailbox { address } => {
                let name = &self.names.shared_mailbox;
                steps.extend(mailbox::steps(name, address, &self.account));
                super::quoted(address)
            }
            Destination::PublicFolders { queue, storage } => {
                if self.exchange == ExchangeServer::Online {
                    steps.push(connect::customization());
                }
                let (names, account) = (&self.names, &self.account);
                steps.extend(public_folders::steps(names, account, queue, storage));
                public_folders::queue_address(queue)
            }
        };
        steps.extend(self.access_steps());
        steps.extend(self.rule_steps(&queue));
        Ok(ProvisioningPlan {
            exchange: self.exchange,
            destination: self.destination,
            steps,
        })
    }

    /// The mailbox that the job opens.
    fn mailbox(&self) -> &str {
        match &self.destination {
            Destination::SharedMailbox { address } => address,
            Destination::PublicFolders { .. } => &self.account,
        }
    }

    fn access_steps(&self) -> Vec<ProvisioningStep> {
        let narrowing = self.narrowing.iter();
        let narrowed = narrowing
            .flat_map(|one| access::steps(one, &self.names, &self.account, self.mailbox()));
        let allowed = self.ews_client_id.iter().map(|id| access::ews_allowed(id));
        narrowed.chain(allowed).collect()
    }

    /// The rules come last: no mail is copied before the queue takes it.
    fn rule_steps(&self, queue: &str) -> Vec<ProvisioningStep> {
        let incoming = self
            .incoming
            .then(|| rules::incoming(&self.names.incoming_rule));
        let outgoing = self
            .outgoing
            .then(|| rules::outgoing(&self.names.outgoing_rule));
        let both = incoming.into_iter().chain(outgoing);
        both.map(|rule| rules::step(&rule, queue)).collect()
    }

    fn check(&self) -> Result<()> {
        self.names.check()?;
        check_address("the account", &self.account)?;
        if let Some(administrator) = &self.administrator {
            check_address("the administrator", administrator)?;
        }
        match &self.destination {
            Destination::SharedMailbox { address } => {
                check_address("the shared mailbox's address", address)?;
            }
            Destination::PublicFolders { queue, storage } => {
                public_folders::check(queue, storage)?;
            }
        }
        self.check_exchange()
    }

    fn check_exchange(&self) -> Result<()> {
        let online = self.exchange == ExchangeServer::Online;
        if let ExchangeServer::OnPremises { server } = &self.exchange {
            let plain = |one: char| one.is_ascii_alphanumeric() || one == '-' || one == '.';
            if server.is_empty() || !server.chars().all(plain) {
                return Err(refused("the server", "is no host name"));
            }
        }
        match &self.narrowing {
            Some(Narrowing::Impersonation) if online => {
                return Err(refused("impersonation", "is for Exchange on premises"));
            }
            Some(Narrowing::ApplicationRole {
                client_id,
                object_id,
                ..
            }) if online => {
                check_guid("the client id", client_id)?;
                check_guid("the object id", object_id)?;
            }
            Some(Narrowing::AccessPolicy { client_id }) if online => {
                check_guid("the client id", client_id)?;
            }
            Some(Narrowing::Impersonation) | None => {}
            Some(_) => return Err(refused("the way of narrowing", "is for Exchange Online")),
        }
        match &self.ews_client_id {
            Some(_) if !online => Err(refused(
                "the list of applications",
                "is for Exchange Online",
            )),
            Some(client_id) => check_guid("the client id", client_id),
            None => Ok(()),
        }
    }
}
