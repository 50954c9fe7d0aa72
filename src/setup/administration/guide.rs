//! Carrying out what the assisted set-up ends with, and making its checks.

use std::future::Future;

use super::{EmailLoggingAdministration, Enabling, OnResult};
use crate::error::Result;
use crate::scope::Scope;
use crate::setup::{
    Check, Consequence, EmailLoggingSetup, GuideAnswer, GuideOutcome, GuideReason, SetupChange,
    SetupValidator, ValidationReport,
};
use crate::source::{FolderId, FolderPath, FolderSelector};
use crate::store::SecretName;

/// What the last page asks for; no earlier one knows it.
const OF_THE_LAST_PAGE: [Check; 2] = [Check::InteractionTemplate, Check::InteractionTemplateExists];

/// An assisted set-up that was carried out.
#[derive(Debug)]
#[non_exhaustive]
pub struct FinishedGuide {
    /// What followed from the change of the fields.
    pub consequences: Vec<Consequence>,
    /// How enabling ended; `None` where the job was not asked for, and logging is off.
    pub enabling: Option<Enabling>,
}

impl FinishedGuide {
    /// The answer for [`GuideEvent::Stored`](crate::setup::GuideEvent::Stored): it failed where logging should be on and is
    /// not, with the code that says why. The fields are stored then, and Finish can be asked for again.
    pub fn answer(&self) -> GuideAnswer {
        match &self.enabling {
            None | Some(Enabling::Enabled(_) | Enabling::AlreadyEnabled) => GuideAnswer::Passed,
            Some(Enabling::ConsentNeeded(needed)) => {
                GuideAnswer::Failed(needed.reason.code().to_owned())
            }
            Some(Enabling::Invalid(report)) => {
                let code = report.failures().find_map(|failure| failure.code);
                let code = code.unwrap_or(GuideReason::ValidationFailed.code());
                GuideAnswer::Failed(code.to_owned())
            }
        }
    }
}

impl EmailLoggingAdministration {
    /// Makes all checks of a set-up that is not stored, but those of the interaction template: what
    /// [`GuideRequest::Validate`](crate::setup::GuideRequest::Validate) asks for. Nothing is changed and the report is not
    /// kept.
    ///
    /// The connector has to sign in with the secrets that the host keeps for the open guide, as none of them is stored yet.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn validate_guide(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        on_result: OnResult<'_>,
    ) -> ValidationReport {
        let validator: SetupValidator = self.validator.clone().without(OF_THE_LAST_PAGE);
        let mut validation = validator.validate(scope, setup);
        while let Some(result) = validation.next().await {
            on_result(&result);
        }
        validation.into_report()
    }

    /// Puts the set-up that the assisted set-up ends with in the place of the one that is stored, and enables logging if the
    /// job was asked for: what [`GuideRequest::Finish`](crate::setup::GuideRequest::Finish) asks for.
    ///
    /// `store_secrets` stores the secrets that the host kept while the guide was open, and answers the names of all that
    /// belong to the new set-up: those, one that a consent has stored meanwhile, and one that the host said to be
    /// [stored](crate::setup::ClientSecret::Stored). It runs once, when logging is off. Then the fields are replaced by the
    /// rules of [`change`](Self::change), and the secrets of another authentication type, client or account are erased, but
    /// never one of those names; secrets of the same client or account stay. Last comes [`enable`](Self::enable).
    ///
    /// A run that is under way finishes the batch that it began, as after [`disable`](Self::disable).
    ///
    /// # Errors
    ///
    /// As [`change`](Self::change), before anything is done where the values break a rule. What `store_secrets` raises, with
    /// logging off and the older fields. As [`disable`](Self::disable) and [`enable`](Self::enable).
    ///
    /// # Cancel safety
    ///
    /// Logging is off after a drop, unless the toggle was being stored; repeat it with the secrets.
    pub async fn finish_guide(
        &self,
        scope: &Scope,
        outcome: &GuideOutcome,
        store_secrets: impl Future<Output = Result<Vec<SecretName>>> + Send,
        on_result: OnResult<'_>,
    ) -> Result<FinishedGuide> {
        let changes = changes_to(&outcome.setup);
        let stored = self.load(scope).await?.setup;
        let off = EmailLoggingSetup {
            enabled: false,
            ..stored
        };
        replace(&mut off.clone(), &changes, &[])?;
        self.disable(scope).await?;
        let kept = store_secrets.await?;
        let edit = |setup: &mut EmailLoggingSetup| replace(setup, &changes, &kept);
        let written = self.write(scope, None, edit).await?;
        // The secrets are others even where the fields are not.
        self.connector.forget(scope);
        let enabling = if outcome.schedule_job {
            Some(self.enable(scope, on_result).await?)
        } else {
            None
        };
        Ok(FinishedGuide {
            consequences: written.consequences,
            enabling,
        })
    }
}

/// Replaces the fields. The secrets of another client or account go, unless they were kept.
fn replace(
    setup: &mut EmailLoggingSetup,
    changes: &[SetupChange],
    kept: &[SecretName],
) -> Result<Vec<Consequence>> {
    let client = setup.exchange_client_id.clone();
    let account = setup.exchange_account_user_name.clone();
    let mut consequences = setup.apply(changes)?;
    let mut foreign: Vec<SecretName> = Vec::new();
    if client.is_some() && client != setup.exchange_client_id {
        foreign.extend([
            SecretName::ClientSecret,
            SecretName::CertificateKey,
            SecretName::RefreshToken,
        ]);
    }
    if account.is_some() && account != setup.exchange_account_user_name {
        foreign.push(SecretName::AccountPassword);
    }
    for erased in foreign.into_iter().map(Consequence::EraseSecret) {
        if !consequences.contains(&erased) {
            consequences.push(erased);
        }
    }
    consequences.retain(|consequence| match consequence {
        Consequence::EraseSecret(name) => !kept.contains(name),
        // The guide signed in, if the set-up names a tenant.
        Consequence::SignInAgain => setup.exchange_tenant_id.is_none(),
        _ => true,
    });
    Ok(consequences)
}

/// The changes that lead from any set-up to this one.
fn changes_to(setup: &EmailLoggingSetup) -> Vec<SetupChange> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    vec![
        // First, for it clears the address of the service and the ids of the folders.
        SetupChange::MailService(setup.mail_service),
        SetupChange::AuthenticationType(setup.authentication_type),
        SetupChange::QueueFolder(folder(
            setup.queue_folder.as_ref(),
            setup.queue_folder_id.as_ref(),
        )),
        SetupChange::StorageFolder(folder(
            setup.storage_folder.as_ref(),
            setup.storage_folder_id.as_ref(),
        )),
        SetupChange::EmailBatchSize(setup.email_batch_size),
        SetupChange::AutodiscoveryEmailAddress(text(&setup.autodiscovery_email_address)),
        SetupChange::ExchangeServiceUrl(text(&setup.exchange_service_url)),
        SetupChange::ExchangeAccountUserName(text(&setup.exchange_account_user_name)),
        SetupChange::ExchangeClientId(text(&setup.exchange_client_id)),
        SetupChange::ExchangeRedirectUrl(text(&setup.exchange_redirect_url)),
        SetupChange::ExchangeTenantId(text(&setup.exchange_tenant_id)),
        SetupChange::InteractionTemplateCode(text(&setup.interaction_template_code)),
    ]
}

fn folder(path: Option<&FolderPath>, id: Option<&FolderId>) -> Option<FolderSelector> {
    match (path, id) {
        (path, Some(id)) => Some(FolderSelector::Id(id.clone(), path.cloned())),
        (Some(path), None) => Some(path.clone().into()),
        (None, None) => None,
    }
}
