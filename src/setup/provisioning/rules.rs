//! The two mail flow rules. Knows the expression that gives the queue's address, not what kind of queue it is.
//!
//! Parameters: <https://learn.microsoft.com/powershell/module/exchange/new-transportrule>

use super::quote::quoted;
use super::step::indented;
use super::{ProvisioningStep, find};

/// What marks a rule as made by a plan: undoing removes no other.
const MARK: &str = "Made by email logging";
const DELAY: &str = "A mail flow rule may take hours to act.";

/// One rule: whom it concerns.
pub(super) struct Rule<'a> {
    id: &'static str,
    title: &'static str,
    why: &'static str,
    name: &'a str,
    from: &'static str,
    to: &'static str,
}

/// Mail from outside to inside.
pub(super) fn incoming(name: &str) -> Rule<'_> {
    Rule {
        id: "rule-incoming",
        title: "Mail flow rule for incoming mail",
        why: "It sends a blind copy of each mail from outside the organisation to the queue.",
        name,
        from: "NotInOrganization",
        to: "InOrganization",
    }
}

/// Mail from inside to outside.
pub(super) fn outgoing(name: &str) -> Rule<'_> {
    Rule {
        id: "rule-outgoing",
        title: "Mail flow rule for outgoing mail",
        why: "It sends a blind copy of each mail to outside the organisation to the queue.",
        name,
        from: "InOrganization",
        to: "NotInOrganization",
    }
}

/// The step for a rule that copies to the address which the expression `queue` gives.
pub(super) fn step(rule: &Rule<'_>, queue: &str) -> ProvisioningStep {
    let name = quoted(rule.name);
    let found = find("Get-TransportRule", rule.name);
    let values = format!(
        "-FromScope {} -SentToScope {} -BlindCopyTo {queue} -Mode Enforce",
        rule.from, rule.to
    );
    ProvisioningStep::new(rule.id, rule.title, rule.why)
        .with_delay(DELAY)
        .with_check(format!(
            "[bool]({found} | Where-Object {{ $_.State -eq 'Enabled' -and $_.Mode -eq 'Enforce' -and $_.FromScope -eq '{}' -and $_.SentToScope -eq '{}' -and ($_.BlindCopyTo -join ',') -eq {queue} -and -not $_.Exceptions }})",
            rule.from, rule.to
        ))
        .with_change(format!(
            "if ({found} | Where-Object {{ $_.Exceptions }}) {{\n    \
                 throw 'A mail flow rule of this name has exceptions. Remove them or give the plan another name.'\n\
             }}\n\
             if ({found}) {{\n{}}} else {{\n{}}}",
            indented(&format!(
                "Write-Warning 'A mail flow rule of this name exists and is changed.'\n\
                 Set-TransportRule -ErrorAction Stop -Identity {name} {values}\n\
                 Enable-TransportRule -ErrorAction Stop -Identity {name} -Confirm:$false"
            )),
            indented(&format!("New-TransportRule -ErrorAction Stop -Name {name} {values} -Comments '{MARK}' | Out-Null"))
        ))
        .with_undo(
            &found,
            &format!(
                "if ({found} | Where-Object {{ $_.Comments -eq '{MARK}' }}) {{\n    \
                     Remove-TransportRule -ErrorAction Stop -Identity {name} -Confirm:$false\n\
                 }} else {{\n    \
                     Write-Warning 'The plan did not make this mail flow rule, which is left alone and still copies mail.'\n\
                 }}"
            ),
        )
}
