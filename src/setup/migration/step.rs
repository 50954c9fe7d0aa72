//! What to do, in order, with the real names in it.

use super::MigrationIssue;
use crate::setup::{AuthenticationType, EmailLoggingSetup, ProvisioningPlan, ProvisioningStep};

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct MigrationStep {
    /// The stable code.
    pub id: &'static str,
    /// The step as a short title.
    pub title: &'static str,
    /// What to do and why.
    pub text: String,
    /// The PowerShell for it, where it is one in Exchange.
    pub script: Option<String>,
}

pub(super) fn of(
    setup: &EmailLoggingSetup,
    target: &EmailLoggingSetup,
    issues: &[MigrationIssue],
    provisioning: Option<&ProvisioningPlan>,
) -> Vec<MigrationStep> {
    if issues.contains(&MigrationIssue::AlreadyGraph) {
        return Vec::new();
    }
    let mut steps = Vec::new();
    steps.push(permissions(target));
    steps.extend(provisioning.map(in_exchange));
    steps.push(empty(setup, issues));
    steps.push(change(issues));
    if issues.contains(&MigrationIssue::SignInAgain) || issues.contains(&MigrationIssue::NoTenant) {
        steps.push(sign_in());
    }
    steps.push(enable());
    steps.push(tidy(setup));
    steps
}

fn step(id: &'static str, title: &'static str, text: impl Into<String>) -> MigrationStep {
    MigrationStep {
        id,
        title,
        text: text.into(),
        script: None,
    }
}

fn permissions(target: &EmailLoggingSetup) -> MigrationStep {
    let client = target.exchange_client_id.as_deref();
    let client = client.unwrap_or("(not named yet)");
    let text = if target.authentication_type == AuthenticationType::OAuth2Delegated {
        format!(
            "Microsoft Entra, app registration {client}: add the delegated permissions Mail.ReadWrite, Mail.ReadWrite.Shared and offline_access of Microsoft Graph. Leave those of EWS until the change is made."
        )
    } else {
        format!(
            "Microsoft Entra, app registration {client}: with the role of the next step (RBAC for Applications) no consent is needed. Without it add the application permission Mail.ReadWrite of Microsoft Graph and let an administrator consent, which opens every mailbox of the tenant."
        )
    };
    step("permissions", "Permissions for Microsoft Graph", text)
}

fn in_exchange(plan: &ProvisioningPlan) -> MigrationStep {
    let titles: Vec<_> = plan
        .steps()
        .iter()
        .skip(1)
        .map(ProvisioningStep::title)
        .collect();
    let text = format!(
        "An administrator of Exchange Online runs the script in PowerShell; what is there already stays. It sees to: {}.",
        titles.join("; ")
    );
    MigrationStep {
        script: Some(plan.script()),
        ..step("exchange", "Exchange Online", text)
    }
}

fn empty(setup: &EmailLoggingSetup, issues: &[MigrationIssue]) -> MigrationStep {
    let queue = setup.queue_folder.as_ref().map(ToString::to_string);
    let queue = queue.unwrap_or_else(|| "the queue folder".to_owned());
    let text = if issues.contains(&MigrationIssue::PublicQueue) {
        format!(
            "Let EWS log what lies in {queue} (`run`) as long as Exchange Online lets it. What is left then, a person moves to the queue folder of the mailbox in Outlook; nothing is logged twice."
        )
    } else {
        format!(
            "Nothing has to be empty: what lies in {queue}, and moves that EWS left half done, are gone on with by Graph."
        )
    };
    step("queue", "Mail that waits", text)
}

fn change(issues: &[MigrationIssue]) -> MigrationStep {
    let off = if issues.contains(&MigrationIssue::LoggingEnabled) {
        "Switch email logging off (`disable`), then "
    } else {
        "Then "
    };
    step(
        "change",
        "The set-up",
        format!(
            "{off}`migrate --apply`. The log, its ledger and the name of the mailbox in it stay as they are: mail is known again by its search key, which EWS and Graph have in common, else by its Message-ID with its contents. Ids of EWS are never sent to Graph."
        ),
    )
}

fn sign_in() -> MigrationStep {
    let text = "`sign-in`: the consent for EWS is none for Microsoft Graph.";
    step("sign-in", "Sign in", text)
}

fn enable() -> MigrationStep {
    let text = "`validate` checks everything with Graph; `enable` checks again and switches email logging on.";
    step("enable", "Check and switch on", text)
}

fn tidy(setup: &EmailLoggingSetup) -> MigrationStep {
    let client = setup
        .exchange_client_id
        .as_deref()
        .unwrap_or("the application");
    step(
        "tidy",
        "When it runs",
        format!(
            "Withdraw full_access_as_app or EWS.AccessAsUser.All from the app registration, and take {client} off the list EwsAllowedAppIDs."
        ),
    )
}
