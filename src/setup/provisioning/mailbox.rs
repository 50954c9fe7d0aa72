//! The steps for a shared mailbox. Knows nothing of public folders and rules.
//!
//! Parameters: <https://learn.microsoft.com/powershell/module/exchange/new-mailbox> and `add-mailboxpermission` there.

use super::quote::quoted;
use super::{ProvisioningStep, find};

pub(super) fn steps(name: &str, address: &str, account: &str) -> Vec<ProvisioningStep> {
    let mut steps = vec![mailbox(name, address)];
    if !account.eq_ignore_ascii_case(address) {
        steps.push(full_access(address, account));
    }
    steps
}

/// The mailbox. It is taken back only while no folder of it holds anything.
fn mailbox(name: &str, address: &str) -> ProvisioningStep {
    let found = find("Get-Mailbox", address);
    let quoted_address = quoted(address);
    ProvisioningStep::new(
        "shared-mailbox",
        "Shared mailbox",
        "It receives the copies in its Inbox and keeps what was logged in its Archive folder. Mail in Junk Email, or moved by an Inbox rule, is not seen.",
    )
    .with_delay("A new mailbox may take some minutes before it answers.")
    .with_check(format!(
        "[bool]({found} | Where-Object {{ $_.RecipientTypeDetails -eq 'SharedMailbox' }})"
    ))
    .with_change(format!(
        "if ({found}) {{\n    throw 'The address belongs to a mailbox that is not shared. Choose another address.'\n}}\n\
         New-Mailbox -ErrorAction Stop -Shared -Name {} -PrimarySmtpAddress {quoted_address} | Out-Null",
        quoted(name)
    ))
    .with_undo(
        &format!("{found} | Where-Object {{ $_.RecipientTypeDetails -eq 'SharedMailbox' }}"),
        &format!(
            "if (Get-MailboxFolderStatistics -ErrorAction Stop -Identity {quoted_address} | Where-Object {{ $_.ItemsInFolder -gt 0 }}) {{\n    \
                 Write-Warning 'The mailbox holds mail and is left alone.'\n\
             }} else {{\n    \
                 Remove-Mailbox -ErrorAction Stop -Identity {quoted_address} -Confirm:$false\n\
             }}"
        ),
    )
}

/// The account's right to read and move the mail. Where an application acts without a person, the narrowing steps count.
fn full_access(address: &str, account: &str) -> ProvisioningStep {
    let both = format!("-Identity {} -User {}", quoted(address), quoted(account));
    let found = format!(
        "Get-MailboxPermission {both} -ErrorAction SilentlyContinue | Where-Object {{ $_.Deny -ne $true -and ($_.AccessRights -join ',') -like '*FullAccess*' }}"
    );
    ProvisioningStep::new(
        "shared-mailbox-access",
        "Full access for the account",
        "The account reads the copies and moves them to the Archive folder.",
    )
    .with_delay("A permission may take up to an hour to act.")
    .with_check(format!("[bool]({found})"))
    .with_change(format!(
        "Add-MailboxPermission -ErrorAction Stop {both} -AccessRights FullAccess -InheritanceType All -AutoMapping $false | Out-Null"
    ))
    .with_undo(
        &found,
        &format!("Remove-MailboxPermission -ErrorAction Stop {both} -AccessRights FullAccess -InheritanceType All -Confirm:$false"),
    )
}
