//! The checklist of the app registration in Microsoft Entra, filled with the host's own values. It holds no secret.

use std::fmt::Write as _;

use super::MailApi;
use super::manifest::PermissionKind;
use super::quote::check_guid;
use crate::credential::check_redirect_url;
use crate::error::{Error, Result, codes};

/// Who the registered application acts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AppAccess {
    /// The application itself, without a person (app-only).
    #[default]
    Application,
    /// The person who consented (delegated).
    Delegated,
    /// Both, as Business Central documents it.
    Both,
}

impl AppAccess {
    fn kinds(self) -> &'static [PermissionKind] {
        match self {
            Self::Application => &[PermissionKind::Role],
            Self::Delegated => &[PermissionKind::Scope],
            Self::Both => &[PermissionKind::Scope, PermissionKind::Role],
        }
    }
}

/// What the application proves itself with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AppCredential {
    /// A client secret.
    #[default]
    Secret,
    /// A certificate.
    Certificate,
}

/// One thing to do in the portal.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChecklistItem {
    /// The stable code.
    pub code: &'static str,
    /// The portal's page.
    pub title: &'static str,
    /// What to do there.
    pub text: String,
    /// A value or a block to copy, where there is one.
    pub value: Option<String>,
}

/// The registration of an application that reads and moves mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppRegistration {
    name: String,
    redirect_url: String,
    client_id: Option<String>,
    tenant: Option<String>,
    authority: String,
    scope: Option<String>,
    consent_url: Option<String>,
    api: MailApi,
    access: AppAccess,
    credential: AppCredential,
}

impl AppRegistration {
    /// The registration of the application with this display name and redirect URL.
    ///
    /// # Errors
    ///
    /// `Config`: `config.invalid` for a blank name, a control character or a redirect URL over 2048 characters;
    /// `config.insecure` for a redirect URL that is neither https nor http to a loopback address.
    pub fn new(name: impl Into<String>, redirect_url: impl Into<String>) -> Result<Self> {
        let (name, redirect_url) = (name.into(), redirect_url.into());
        if name.trim().is_empty() || name.chars().any(char::is_control) {
            return Err(invalid(
                "the application's name is blank or holds a control character",
            ));
        }
        check_redirect_url(&redirect_url)?;
        Ok(Self {
            name,
            redirect_url,
            client_id: None,
            tenant: None,
            authority: "https://login.microsoftonline.com".to_owned(),
            scope: None,
            consent_url: None,
            api: MailApi::default(),
            access: AppAccess::Both,
            credential: AppCredential::default(),
        })
    }

    /// The client id, once the portal has shown it.
    ///
    /// # Errors
    ///
    /// `Config`: `config.invalid` for what is no GUID.
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Result<Self> {
        let client_id = client_id.into();
        check_guid("the client id", &client_id)?;
        self.client_id = Some(client_id);
        Ok(self)
    }

    /// The tenant's id or domain; without it the administrator's own tenant consents.
    #[must_use]
    pub fn with_tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// The identity service of another cloud, such as `https://login.microsoftonline.us`.
    #[must_use]
    pub fn with_authority(mut self, authority: impl Into<String>) -> Self {
        self.authority = authority.into();
        self
    }

    /// The scope that is consented to, where it is not that of the worldwide cloud.
    #[must_use]
    pub fn with_scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// The address at which the host itself asks for consent, instead of the identity service's own page.
    #[must_use]
    pub fn with_consent_url(mut self, url: impl Into<String>) -> Self {
        self.consent_url = Some(url.into());
        self
    }

    /// The interface that the job uses.
    #[must_use]
    pub fn with_api(mut self, api: MailApi) -> Self {
        self.api = api;
        self
    }

    /// Who the application acts as. Without this both permissions are listed, as Business Central documents it.
    #[must_use]
    pub fn with_access(mut self, access: AppAccess) -> Self {
        self.access = access;
        self
    }

    /// What the application proves itself with.
    #[must_use]
    pub fn with_credential(mut self, credential: AppCredential) -> Self {
        self.credential = credential;
        self
    }

    /// The manifest's `requiredResourceAccess` as a JSON object with that one member.
    pub fn manifest(&self) -> String {
        self.api.manifest(self.access.kinds())
    }

    /// The address at which an administrator consents for the tenant; `None` until the client id is known.
    ///
    /// <https://learn.microsoft.com/entra/identity-platform/v2-admin-consent>
    pub fn consent_url(&self) -> Option<String> {
        if self.consent_url.is_some() {
            return self.consent_url.clone();
        }
        let client_id = self.client_id.as_deref()?;
        let scope = self.scope.as_deref().unwrap_or(match self.api {
            MailApi::Ews => "https://outlook.office365.com/.default",
            MailApi::Graph => "https://graph.microsoft.com/.default",
        });
        Some(format!(
            "{}/{}/v2.0/adminconsent?client_id={}&scope={}&redirect_uri={}",
            self.authority.trim_end_matches('/'),
            encoded(self.tenant.as_deref().unwrap_or("organizations")),
            encoded(client_id),
            encoded(scope),
            encoded(&self.redirect_url)
        ))
    }

    /// What to do, in order.
    pub fn checklist(&self) -> Vec<ChecklistItem> {
        vec![
            item(
                "register",
                "App registrations",
                "Choose New registration, accounts in this organizational directory only, and give this name.",
                Some(self.name.clone()),
            ),
            item(
                "platform",
                "Authentication",
                "Choose Add a platform and Web.",
                None,
            ),
            item(
                "redirect-url",
                "Authentication",
                "Enter this redirect URI exactly as it is, and leave implicit grant off.",
                Some(self.redirect_url.clone()),
            ),
            item(
                "manifest",
                "Manifest",
                "Replace the member requiredResourceAccess by this one and save.",
                Some(self.manifest()),
            ),
            self.permissions_item(),
            self.credential_item(),
            item(
                "client-id",
                "Overview",
                "Copy the Application (client) ID into the set-up.",
                self.client_id.clone(),
            ),
            item(
                "consent",
                "Consent",
                "Let an administrator with an Exchange mailbox open this address and accept. Allow pop-up windows of the identity service.",
                self.consent_url(),
            ),
            item(
                "narrow",
                "Exchange",
                "Hold the application to the one mailbox, with the steps of the provisioning plan: consent alone opens every mailbox.",
                None,
            ),
        ]
    }

    /// The checklist as Markdown with boxes to tick.
    pub fn to_markdown(&self) -> String {
        let mut out = String::from("# App registration\n\n");
        for (row, item) in self.checklist().iter().enumerate() {
            let _ = writeln!(out, "{}. [ ] **{}**: {}", row + 1, item.title, item.text);
            if let Some(value) = &item.value {
                let _ = writeln!(out, "\n   ```text");
                value.lines().for_each(|line| {
                    let _ = writeln!(out, "   {line}");
                });
                let _ = writeln!(out, "   ```\n");
            }
        }
        out
    }

    /// The checklist as plain text.
    pub fn to_text(&self) -> String {
        let mut out = String::from("App registration\n\n");
        for (row, item) in self.checklist().iter().enumerate() {
            let _ = writeln!(out, "{}. {}: {}", row + 1, item.title, item.text);
            for line in item.value.iter().flat_map(|value| value.lines()) {
                let _ = writeln!(out, "     {line}");
            }
        }
        out
    }

    fn permissions_item(&self) -> ChecklistItem {
        let kinds = self.access.kinds();
        let permissions = self.api.permissions().iter();
        let names = permissions
            .filter(|permission| kinds.contains(&permission.kind))
            .map(|permission| match permission.kind {
                PermissionKind::Scope => format!("{} (delegated)", permission.name),
                PermissionKind::Role => format!("{} (application)", permission.name),
            });
        let names: Vec<String> = names.collect();
        let text = format!(
            "{} has to list these permissions.",
            self.api.resource_name()
        );
        ChecklistItem {
            code: "permissions",
            title: "API permissions",
            text,
            value: Some(names.join("\n")),
        }
    }

    fn credential_item(&self) -> ChecklistItem {
        let text = match self.credential {
            AppCredential::Secret => {
                "Choose New client secret and copy its value, not its id, into the set-up: the portal shows it once. Note when it ends."
            }
            AppCredential::Certificate => {
                "Upload the certificate's public part; the private key stays with the host. Note when it ends."
            }
        };
        item("credential", "Certificates & secrets", text, None)
    }
}

fn item(
    code: &'static str,
    title: &'static str,
    text: &str,
    value: Option<String>,
) -> ChecklistItem {
    let text = text.to_owned();
    ChecklistItem {
        code,
        title,
        text,
        value,
    }
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, "AppRegistration::new").with_detail(detail)
}

/// Percent-encoding of everything but the unreserved characters (RFC 3986, 2.3).
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}
