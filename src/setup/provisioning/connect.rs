//! The step that connects. Knows the two kinds of Exchange and nothing else of the plan.

use super::quote::quoted;
use super::{ExchangeServer, ProvisioningStep};

const ONLINE: &str = "Get-ConnectionInformation | Where-Object { $_.State -eq 'Connected' }";
const ON_PREMISES: &str = "Get-PSSession | Where-Object { $_.ConfigurationName -eq 'Microsoft.Exchange' -and $_.State -eq 'Opened' }";

pub(super) fn step(exchange: &ExchangeServer, administrator: Option<&str>) -> ProvisioningStep {
    match exchange {
        ExchangeServer::Online => online(administrator),
        ExchangeServer::OnPremises { server } => on_premises(server),
    }
}

/// <https://learn.microsoft.com/powershell/exchange/connect-to-exchange-online-powershell>
fn online(administrator: Option<&str>) -> ProvisioningStep {
    let user = administrator.map_or_else(String::new, |name| {
        format!(" -UserPrincipalName {}", quoted(name))
    });
    ProvisioningStep::new(
        "connect",
        "Connect to Exchange Online",
        "The steps need the module ExchangeOnlineManagement (3.0 or later) and an Exchange administrator's sign-in.",
    )
    .with_check(format!("[bool]({ONLINE})"))
    .with_change(format!("Connect-ExchangeOnline -ErrorAction Stop -ShowBanner:$false{user}"))
    .with_undo(ONLINE, "Disconnect-ExchangeOnline -ErrorAction Stop -Confirm:$false")
}

/// <https://learn.microsoft.com/powershell/exchange/connect-to-exchange-servers-using-remote-powershell>
fn on_premises(server: &str) -> ProvisioningStep {
    let uri = quoted(&format!("http://{server}/PowerShell/"));
    ProvisioningStep::new(
        "connect",
        "Connect to Exchange",
        "The steps need a session with Exchange, opened by a member of Organization Management; Kerberos encrypts it.",
    )
    .with_check(format!("[bool]({ON_PREMISES})"))
    .with_change(format!(
        "$session = New-PSSession -ErrorAction Stop -ConfigurationName Microsoft.Exchange -ConnectionUri {uri} -Authentication Kerberos\n\
         Import-PSSession -ErrorAction Stop -Session $session -DisableNameChecking | Out-Null"
    ))
    .with_undo(ON_PREMISES, &format!("{ON_PREMISES} | Remove-PSSession -ErrorAction Stop"))
}

/// A tenant that was never customised refuses role groups.
/// <https://learn.microsoft.com/powershell/module/exchange/enable-organizationcustomization>
pub(super) fn customization() -> ProvisioningStep {
    ProvisioningStep::new(
        "organization-customization",
        "The tenant takes customised objects",
        "Exchange Online makes role groups only after this; it cannot be taken back and changes nothing else.",
    )
    .with_delay("Enabling may take some hours in a large tenant.")
    .with_check("[bool](Get-OrganizationConfig -ErrorAction Stop | Where-Object { $_.IsDehydrated -eq $false })")
    .with_change("Enable-OrganizationCustomization -ErrorAction Stop")
}
