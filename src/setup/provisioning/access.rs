//! The steps that let an application reach one mailbox and no other, and the allow list of Exchange Web Services.
//!
//! Facts: <https://learn.microsoft.com/exchange/permissions-exo/application-rbac>,
//! <https://learn.microsoft.com/exchange/permissions-exo/application-access-policies>,
//! <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-configure-impersonation>.

use super::quote::quoted;
use super::step::indented;
use super::{PlanNames, ProvisioningStep, find};

/// The interface by which an application reaches mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum MailApi {
    /// Exchange Web Services.
    #[default]
    Ews,
    /// Microsoft Graph.
    Graph,
}

impl MailApi {
    /// The role of RBAC for Applications that reads and moves mail.
    fn role(self) -> &'static str {
        match self {
            Self::Ews => "Application EWS.AccessAsApp",
            Self::Graph => "Application Mail.ReadWrite",
        }
    }
}

/// How an application is held to one mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Narrowing {
    /// RBAC for Applications, in Exchange Online. It replaces the consent given in Microsoft Entra: permissions add up,
    /// so that a consent to the same permission has to be withdrawn for the scope to hold.
    ApplicationRole {
        /// The application's client id.
        client_id: String,
        /// The object id of its enterprise application, which is not that of the registration.
        object_id: String,
        /// The interface that the role is for.
        api: MailApi,
    },
    /// An application access policy, the older way in Exchange Online. The consent stays.
    AccessPolicy {
        /// The application's client id.
        client_id: String,
    },
    /// The role `ApplicationImpersonation` within a scope, on premises.
    Impersonation,
}

/// The steps that hold `account` or the application to the mailbox with this address.
pub(super) fn steps(
    narrowing: &Narrowing,
    names: &PlanNames,
    account: &str,
    mailbox: &str,
) -> Vec<ProvisioningStep> {
    match narrowing {
        Narrowing::ApplicationRole {
            client_id,
            object_id,
            api,
        } => vec![
            service_principal(names, client_id, object_id),
            scope(&names.scope, mailbox),
            application_role(names, object_id, *api),
        ],
        Narrowing::AccessPolicy { client_id } => vec![
            access_group(&names.access_group),
            access_group_member(&names.access_group, mailbox),
            access_policy(client_id, &names.access_group),
        ],
        Narrowing::Impersonation => {
            vec![scope(&names.scope, mailbox), impersonation(names, account)]
        }
    }
}

fn service_principal(names: &PlanNames, client_id: &str, object_id: &str) -> ProvisioningStep {
    let (client, object) = (quoted(client_id), quoted(object_id));
    let found = format!(
        "Get-ServicePrincipal -ErrorAction Stop | Where-Object {{ $_.AppId -eq {client} }}"
    );
    ProvisioningStep::new(
        "service-principal",
        "The application in Exchange",
        "Exchange gives roles to the applications that it knows.",
    )
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "New-ServicePrincipal -ErrorAction Stop -AppId {client} -ObjectId {object} -DisplayName {} | Out-Null",
        quoted(&names.service_principal)
    ))
    .with_undo(
        &found,
        &format!(
            "if (Get-ManagementRoleAssignment -ErrorAction Stop | Where-Object {{ {} }}) {{\n    \
                 Write-Warning 'The application holds other roles in Exchange and is left alone.'\n\
             }} else {{\n    \
                 Remove-ServicePrincipal -ErrorAction Stop -Identity {object} -Confirm:$false\n\
             }}",
            held_by_application(object_id)
        ),
    )
}

/// The filter is a string within a string: its own quotes are doubled first (OPATH), then those of PowerShell.
fn scope(name: &str, mailbox: &str) -> ProvisioningStep {
    let operand = format!("'{}'", mailbox.replace('\'', "''"));
    let filter = quoted(&format!("PrimarySmtpAddress -eq {operand}"));
    let (identity, found) = (quoted(name), find("Get-ManagementScope", name));
    ProvisioningStep::new(
        "management-scope",
        "A scope of one mailbox",
        "The role that follows reaches this mailbox and no other.",
    )
    .with_check(format!(
        "[bool]({found} | Where-Object {{ $_.RecipientFilter -like {} }})",
        quoted(&format!("*PrimarySmtpAddress -eq {operand}*"))
    ))
    .with_change(format!(
        "if ({found}) {{\n{}}} else {{\n{}}}",
        indented(&format!(
            "Set-ManagementScope -ErrorAction Stop -Identity {identity} -RecipientRestrictionFilter {filter}"
        )),
        indented(&format!(
            "New-ManagementScope -ErrorAction Stop -Name {identity} -RecipientRestrictionFilter {filter} | Out-Null"
        ))
    ))
    .with_undo(
        &found,
        &format!("Remove-ManagementScope -ErrorAction Stop -Identity {identity} -Confirm:$false"),
    )
}

/// The condition that a role assignment is this application's.
fn held_by_application(object_id: &str) -> String {
    let object = quoted(object_id);
    format!("$_.App -eq {object} -or $_.RoleAssigneeName -eq {object}")
}

fn application_role(names: &PlanNames, object_id: &str, api: MailApi) -> ProvisioningStep {
    let step = ProvisioningStep::new(
        "application-role",
        "The application's role within the scope",
        "The application reads and moves mail in the one mailbox. Withdraw its consent to full_access_as_app or Mail.ReadWrite in Microsoft Entra afterwards: permissions add up. Test-ServicePrincipalAuthorization shows what it reaches.",
    );
    let object = quoted(object_id);
    let found = find("Get-ManagementRoleAssignment", &names.assignment);
    let held = format!(
        "{found} | Where-Object {{ {} }}",
        held_by_application(object_id)
    );
    let to = format!("-App {object} -CustomResourceScope");
    assignment(step, names, api.role(), &held, &to)
        .with_delay("A role may take up to two hours to act.")
}

fn impersonation(names: &PlanNames, account: &str) -> ProvisioningStep {
    let step = ProvisioningStep::new(
        "impersonation",
        "The account may act for the one mailbox",
        "The account opens the mailbox by impersonation, within the scope.",
    );
    let user = quoted(account);
    // Exchange resolves the account itself; what it holds through groups is left out by the type.
    let held = format!(
        "Get-ManagementRoleAssignment -RoleAssignee {user} -ErrorAction SilentlyContinue | Where-Object {{ $_.Name -eq {} -and $_.RoleAssigneeType -eq 'User' }}",
        quoted(&names.assignment)
    );
    let to = format!("-User {user} -CustomRecipientWriteScope");
    assignment(step, names, "ApplicationImpersonation", &held, &to)
}

/// A role assignment cannot be moved to another scope of its kind in every version: a wrong one is replaced, unless it
/// is that of somebody else. `held` finds that of the right one, `to` ends in the name of the scope's parameter.
fn assignment(
    step: ProvisioningStep,
    names: &PlanNames,
    role: &str,
    held: &str,
    to: &str,
) -> ProvisioningStep {
    let name = quoted(&names.assignment);
    let found = find("Get-ManagementRoleAssignment", &names.assignment);
    let (role, within) = (quoted(role), quoted(&names.scope));
    let scope = to.rsplit_once('-').map_or(to, |(_, scope)| scope);
    let remove = format!(
        "Remove-ManagementRoleAssignment -ErrorAction Stop -Identity {name} -Confirm:$false"
    );
    step.with_check(format!(
        "[bool]({held} | Where-Object {{ $_.Role -eq {role} -and $_.{scope} -eq {within} }})"
    ))
    .with_change(format!(
        "if ({held}) {{\n    {remove}\n}}\n\
         if ({found}) {{\n    \
             throw 'A role assignment of this name is for another application or account. Give the plan another name.'\n\
         }}\n\
         New-ManagementRoleAssignment -ErrorAction Stop -Name {name} -Role {role} {to} {within} | Out-Null"
    ))
    .with_undo(held, &remove)
}

/// A policy takes no shared mailbox, but a mail-enabled security group in which there is one.
/// <https://learn.microsoft.com/powershell/module/exchange/new-applicationaccesspolicy>
fn access_group(name: &str) -> ProvisioningStep {
    let group = quoted(name);
    let found = find("Get-DistributionGroup", name);
    ProvisioningStep::new(
        "access-group",
        "A security group for the mailbox",
        "The policy that follows names a group, since it takes no shared mailbox.",
    )
    .with_check(format!(
        "[bool]({found} | Where-Object {{ $_.RecipientTypeDetails -eq 'MailUniversalSecurityGroup' }})"
    ))
    .with_change(format!(
        "if ({found}) {{\n    \
             throw 'A group of this name exists and is no security group. Give the plan another name.'\n\
         }}\n\
         New-DistributionGroup -ErrorAction Stop -Type Security -Name {group} | Out-Null"
    ))
    .with_undo(
        &found,
        &format!(
            "if (Get-DistributionGroupMember -ErrorAction Stop -Identity {group}) {{\n    \
                 Write-Warning 'The security group has members and is left alone.'\n\
             }} else {{\n    \
                 Remove-DistributionGroup -ErrorAction Stop -Identity {group} -Confirm:$false\n\
             }}"
        ),
    )
}

fn access_group_member(name: &str, mailbox: &str) -> ProvisioningStep {
    let (group, member) = (quoted(name), quoted(mailbox));
    let found = format!(
        "{} | Where-Object {{ $_.PrimarySmtpAddress -eq {member} }}",
        find("Get-DistributionGroupMember", name)
    );
    let others = format!(
        "{} | Where-Object {{ $_.PrimarySmtpAddress -ne {member} }}",
        find("Get-DistributionGroupMember", name)
    );
    let both = format!("-Identity {group} -Member {member}");
    ProvisioningStep::new(
        "access-group-member",
        "The mailbox in the security group",
        "It has to be the only member: the application reaches all of them.",
    )
    .with_check(format!("[bool]({found}) -and -not ({others})"))
    .with_change(format!(
        "if ({others}) {{\n    \
             throw 'The security group has other members, which the application would reach. Remove them or give the plan another name.'\n\
         }}\n\
         Add-DistributionGroupMember -ErrorAction Stop {both}"
    ))
    .with_undo(
        &found,
        &format!("Remove-DistributionGroupMember -ErrorAction Stop {both} -Confirm:$false"),
    )
}

fn access_policy(client_id: &str, group: &str) -> ProvisioningStep {
    let client = quoted(client_id);
    let description = quoted(&format!("Email logging reads what is in {group} only"));
    let found = format!(
        "Get-ApplicationAccessPolicy -ErrorAction Stop | Where-Object {{ $_.AppId -eq {client} -and $_.AccessRight -eq 'RestrictAccess' -and $_.Description -eq {description} }}"
    );
    ProvisioningStep::new(
        "application-access-policy",
        "The application reaches one mailbox",
        "The consent in Microsoft Entra opens every mailbox; the policy leaves one. RBAC for Applications is the newer way.",
    )
    .with_delay("A policy may take an hour or more to act.")
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "New-ApplicationAccessPolicy -ErrorAction Stop -AppId {client} -PolicyScopeGroupId {} -AccessRight RestrictAccess -Description {description} | Out-Null",
        quoted(group)
    ))
    .with_undo(
        &found,
        &format!("foreach ($policy in @({found})) {{\n    Remove-ApplicationAccessPolicy -ErrorAction Stop -Identity $policy.Identity -Confirm:$false\n}}"),
    )
}

/// Puts the application on the tenant's list of those that may use Exchange Web Services, beside those that are on it.
///
/// The list is one text with commas, and is empty unless it is asked for with its own switch: whoever reads it without
/// that switch writes over what others put there. Set before `EwsEnabled`, as an empty list with `True` shuts all out.
/// <https://learn.microsoft.com/exchange/client-developer/exchange-web-services/how-to-control-access-to-ews-in-exchange>
///
/// `EwsEnabled` empty lets all in and stays as it is; `False` shuts all out and becomes `True`, which lets the list in.
pub(super) fn ews_allowed(client_id: &str) -> ProvisioningStep {
    let client = quoted(client_id);
    let listed = "((Get-OrganizationConfig -RetrieveEwsOperationAccessPolicy -ErrorAction Stop).EwsAllowedAppIDs -join ',')";
    let on_list = format!("{listed} -like {}", quoted(&format!("*{client_id}*")));
    ProvisioningStep::new(
        "ews-allowed",
        "The application may use Exchange Web Services",
        "Exchange Online blocks Exchange Web Services by default since 2026-10-01, but for the applications on this list. They end on 2027-04-01. Undoing leaves the entry, since nothing tells who made it.",
    )
    .with_delay("The list may take a day to act.")
    .with_check(format!(
        "({on_list}) -and ((Get-OrganizationConfig -ErrorAction Stop).EwsEnabled -ne $false)"
    ))
    .with_change(format!(
        "if (-not ({on_list})) {{\n    \
             $listed = @({listed} -split ',' | Where-Object {{ $_ -ne '' }}) + {client}\n    \
             Set-OrganizationConfig -ErrorAction Stop -EwsAllowedAppIDs ($listed -join ',')\n\
         }}\n\
         if ((Get-OrganizationConfig -ErrorAction Stop).EwsEnabled -eq $false) {{\n    \
             Set-OrganizationConfig -ErrorAction Stop -EwsEnabled $true\n\
         }}"
    ))
}
