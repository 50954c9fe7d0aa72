//! The steps for public folders. Knows nothing of mailboxes for people and of rules.
//!
//! Facts: <https://learn.microsoft.com/exchange/collaboration/public-folders/mail-enable-or-disable> for anonymous senders,
//! <https://learn.microsoft.com/powershell/module/exchange/add-publicfolderclientpermission> for the rights.

use super::quote::{check_name, quoted, refused};
use super::step::indented;
use super::{PlanNames, ProvisioningStep, find};
use crate::error::{Error, Result, codes};
use crate::source::{FolderPath, FolderRoot};

const FOLDER_DELAY: &str =
    "A new public folder may take hours to be seen by every server and program.";
const NO_MAIL: &str = "Write-Warning 'The folder holds mail or folders and is left alone.'";

/// Refuses what is no pair of two different public folders that a path as text can name.
pub(super) fn check(queue: &FolderPath, storage: &FolderPath) -> Result<()> {
    for path in [queue, storage] {
        if path.root() != &FolderRoot::PublicFolders || path.segments().is_empty() {
            return Err(refused("the path", "is not that of a public folder"));
        }
        for segment in path.segments() {
            check_name("the folder's name", segment)?;
            if segment.contains('\\') {
                return Err(refused("the folder's name", "holds a backslash"));
            }
        }
    }
    if identity(queue).to_lowercase() == identity(storage).to_lowercase() {
        return Err(Error::new(
            &codes::SETUP_QUEUE_EQUALS_STORAGE,
            "ProvisioningPlan::build",
        ));
    }
    Ok(())
}

/// All steps, from the role group to the queue's address.
pub(super) fn steps(
    names: &PlanNames,
    account: &str,
    queue: &FolderPath,
    storage: &FolderPath,
) -> Vec<ProvisioningStep> {
    let mut steps = vec![
        role_group(&names.role_group),
        role_group_member(&names.role_group, account),
        folder_mailbox(&names.folder_mailbox),
    ];
    let mut made: Vec<String> = Vec::new();
    for path in [queue, storage] {
        for depth in 1..=path.segments().len() {
            let step = folder(&path.segments()[..depth]);
            if !made
                .iter()
                .any(|id| id.to_lowercase() == step.id().to_lowercase())
            {
                made.push(step.id().to_owned());
                steps.push(step);
            }
        }
    }
    steps.push(owner("queue-owner", queue, account));
    steps.push(owner("storage-owner", storage, account));
    steps.push(mail_enabled(queue));
    steps.push(anonymous(queue));
    steps.push(without_sign_in(queue));
    steps
}

/// The expression for the address that Exchange really gave to the queue.
pub(super) fn queue_address(queue: &FolderPath) -> String {
    format!(
        "([string]({}).PrimarySmtpAddress)",
        find("Get-MailPublicFolder", &identity(queue))
    )
}

/// `\A\B`, as Exchange's cmdlets write a public folder.
fn identity(path: &FolderPath) -> String {
    joined(path.segments())
}

fn joined(segments: &[String]) -> String {
    let parts = segments.iter().flat_map(|segment| ["\\", segment]);
    parts.collect()
}

fn role_group(name: &str) -> ProvisioningStep {
    let group = quoted(name);
    let found = find("Get-RoleGroup", name);
    let members = format!("Get-RoleGroupMember -ErrorAction Stop -Identity {group}");
    ProvisioningStep::new(
        "role-group",
        "Role group for public folders",
        "Its members may manage public folders.",
    )
    .with_check(format!(
        "[bool](({found}).Roles | Where-Object {{ $_ -eq 'Public Folders' -or $_ -like '*/Public Folders' }})"
    ))
    .with_change(format!(
        "if ({found}) {{\n{}}} else {{\n{}}}",
        indented(&format!(
            "New-ManagementRoleAssignment -ErrorAction Stop -SecurityGroup {group} -Role 'Public Folders' | Out-Null"
        )),
        indented(&format!(
            "New-RoleGroup -ErrorAction Stop -Name {group} -Roles 'Public Folders' | Out-Null"
        ))
    ))
    .with_undo(
        &found,
        &format!(
            "if ({members}) {{\n    \
                 Write-Warning 'The role group has members and is left alone.'\n\
             }} else {{\n    \
                 Remove-RoleGroup -ErrorAction Stop -Identity {group} -Confirm:$false\n\
             }}"
        ),
    )
}

/// An account without a mailbox has no address in the group: its GUID is compared as well.
fn role_group_member(group: &str, account: &str) -> ProvisioningStep {
    let (quoted_group, user) = (quoted(group), quoted(account));
    let found = format!(
        "{} | Where-Object {{ $_.PrimarySmtpAddress -eq {user} -or $_.Guid -eq ({}).Guid }}",
        find("Get-RoleGroupMember", group),
        find("Get-User", account)
    );
    ProvisioningStep::new(
        "role-group-member",
        "The account in the role group",
        "The account lists and opens the public folders.",
    )
    .with_delay("A role may take up to an hour to act.")
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "Add-RoleGroupMember -ErrorAction Stop -Identity {quoted_group} -Member {user}"
    ))
    .with_undo(
        &found,
        &format!("Remove-RoleGroupMember -ErrorAction Stop -Identity {quoted_group} -Member {user} -Confirm:$false"),
    )
}

/// The mailbox that holds the folders. One is enough: an organisation that has public folders keeps its own.
fn folder_mailbox(name: &str) -> ProvisioningStep {
    let mailbox = quoted(name);
    let found =
        format!("Get-Mailbox -PublicFolder -Identity {mailbox} -ErrorAction SilentlyContinue");
    ProvisioningStep::new(
        "public-folder-mailbox",
        "Mailbox for public folders",
        "Public folders live in a mailbox of their own kind.",
    )
    .with_check(
        "((Get-OrganizationConfig -ErrorAction Stop).PublicFoldersEnabled -ne 'Remote') -and [bool](Get-Mailbox -PublicFolder -ErrorAction SilentlyContinue)",
    )
    .with_change(format!(
        "if ((Get-OrganizationConfig -ErrorAction Stop).PublicFoldersEnabled -eq 'Remote') {{\n    \
             throw 'This organisation keeps its public folders elsewhere (PublicFoldersEnabled is Remote). Run the plan there.'\n\
         }}\n\
         New-Mailbox -ErrorAction Stop -PublicFolder -Name {mailbox} | Out-Null"
    ))
    .with_undo(
        &found,
        &format!(
            "if (Get-PublicFolder -ErrorAction Stop -Mailbox {mailbox} -ResidentFolders -Recurse -ResultSize Unlimited | Where-Object {{ $_.Name -ne 'IPM_SUBTREE' }}) {{\n    \
                 Write-Warning 'The mailbox holds public folders and is left alone.'\n\
             }} else {{\n    \
                 Remove-Mailbox -ErrorAction Stop -PublicFolder -Identity {mailbox} -Confirm:$false\n\
             }}"
        ),
    )
}

/// One folder. It is taken back only while it is empty. Its name is compared too, since the reference page warns that an
/// identity which does not exist can give other folders.
fn folder(segments: &[String]) -> ProvisioningStep {
    let path = joined(segments);
    let (name, parent) = match segments.split_last() {
        Some((name, [])) => (name.as_str(), "\\".to_owned()),
        Some((name, parents)) => (name.as_str(), joined(parents)),
        None => ("", "\\".to_owned()),
    };
    let folder = quoted(&path);
    let found = format!(
        "{} | Where-Object {{ $_.Name -eq {} }}",
        find("Get-PublicFolder", &path),
        quoted(name)
    );
    ProvisioningStep::new(
        format!("public-folder:{path}"),
        "Public folder",
        "The queue receives the copies, the storage keeps what was logged, the folders above hold both.",
    )
    .with_delay(FOLDER_DELAY)
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "New-PublicFolder -ErrorAction Stop -Name {} -Path {} | Out-Null",
        quoted(name),
        quoted(&parent)
    ))
    .with_undo(
        &found,
        &format!(
            "if ((Get-PublicFolder -ErrorAction Stop -Identity {folder} -GetChildren) -or (Get-PublicFolderStatistics -ErrorAction Stop -Identity {folder}).ItemCount -ne 0) {{\n    \
                 {NO_MAIL}\n\
             }} else {{\n    \
                 Remove-PublicFolder -ErrorAction Stop -Identity {folder} -Confirm:$false\n\
             }}"
        ),
    )
}

fn owner(id: &'static str, path: &FolderPath, account: &str) -> ProvisioningStep {
    let title = "The account owns the folder";
    let why =
        "The account reads mail in the queue, moves it to the storage, and needs no other right.";
    permission(
        ProvisioningStep::new(id, title, why),
        path,
        account,
        "Owner",
    )
}

fn anonymous(queue: &FolderPath) -> ProvisioningStep {
    let title = "Everybody may send to the queue";
    let why = "The blind copies carry their real senders, who are unknown to Exchange; they may put mail in and see nothing.";
    permission(
        ProvisioningStep::new("queue-anonymous", title, why),
        queue,
        "Anonymous",
        "CreateItems",
    )
}

/// A right in a folder. Exchange refuses a second entry for the same user, so that another one gives way.
fn permission(
    step: ProvisioningStep,
    path: &FolderPath,
    user: &str,
    right: &'static str,
) -> ProvisioningStep {
    let both = format!(
        "-Identity {} -User {}",
        quoted(&identity(path)),
        quoted(user)
    );
    let entry = format!("Get-PublicFolderClientPermission {both} -ErrorAction SilentlyContinue");
    let found = format!("{entry} | Where-Object {{ ($_.AccessRights -join ',') -eq '{right}' }}");
    let remove =
        format!("Remove-PublicFolderClientPermission -ErrorAction Stop {both} -Confirm:$false");
    step.with_check(format!("[bool]({found})"))
        .with_change(format!(
            "if ({entry} | Where-Object {{ ($_.AccessRights -join ',') -ne 'None' }}) {{\n    {remove}\n}}\n\
             Add-PublicFolderClientPermission -ErrorAction Stop {both} -AccessRights {right} | Out-Null"
        ))
        .with_undo(&found, &remove)
}

fn mail_enabled(queue: &FolderPath) -> ProvisioningStep {
    let found = find("Get-MailPublicFolder", &identity(queue));
    let folder = quoted(&identity(queue));
    ProvisioningStep::new(
        "queue-mail-enabled",
        "The queue has an address",
        "The mail flow rules copy mail to an address, which Exchange makes from the folder's name.",
    )
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "Enable-MailPublicFolder -ErrorAction Stop -Identity {folder}"
    ))
    .with_undo(
        &found,
        &format!("Disable-MailPublicFolder -ErrorAction Stop -Identity {folder} -Confirm:$false"),
    )
}

fn without_sign_in(queue: &FolderPath) -> ProvisioningStep {
    let found = find("Get-MailPublicFolder", &identity(queue));
    let folder = quoted(&identity(queue));
    ProvisioningStep::new(
        "queue-sender-authentication",
        "The queue takes mail from senders who did not sign in",
        "Mail from outside the organisation never comes from a signed-in sender.",
    )
    .with_check(format!(
        "[bool]({found} | Where-Object {{ $_.RequireSenderAuthenticationEnabled -eq $false }})"
    ))
    .with_change(format!(
        "Set-MailPublicFolder -ErrorAction Stop -Identity {folder} -RequireSenderAuthenticationEnabled $false"
    ))
    .with_undo(
        &found,
        &format!(
            "Set-MailPublicFolder -ErrorAction Stop -Identity {folder} -RequireSenderAuthenticationEnabled $true"
        ),
    )
}
