//! The step that connects. Knows the two kinds of Exchange and nothing else of the plan.

use super::quote::quoted;
use super::{ExchangeServer, ProvisioningStep};

const ELSEWHERE: &str = "throw 'This window is connected to Exchange in another way than the plan says. Disconnect it, or open a new window.'";
/// The name of the session on premises, by which undoing knows its own.
const SESSION: &str = "Email Logging";

pub(super) fn step(exchange: &ExchangeServer, administrator: Option<&str>) -> ProvisioningStep {
    match exchange {
        ExchangeServer::Online => online(administrator),
        ExchangeServer::OnPremises { server } => on_premises(server),
    }
}

/// Without an administrator's name any connection counts and none is known for the plan's own: undoing ends none.
/// <https://learn.microsoft.com/powershell/exchange/connect-to-exchange-online-powershell>
fn online(administrator: Option<&str>) -> ProvisioningStep {
    let step = ProvisioningStep::new(
        "connect",
        "Connect to Exchange Online",
        "The steps need the module ExchangeOnlineManagement (3.2 or later) and an Exchange administrator's sign-in. Undoing ends the connection only where the plan names the administrator.",
    );
    let connect = "Connect-ExchangeOnline -ErrorAction Stop -ShowBanner:$false";
    let Some(name) = administrator else {
        let found = connection("");
        return step
            .with_check(format!("[bool]({found})"))
            .with_change(connect);
    };
    let user = quoted(name);
    let own = connection(&format!(" -and $_.UserPrincipalName -eq {user}"));
    let other = connection(&format!(" -and $_.UserPrincipalName -ne {user}"));
    let guard = format!("if ({other}) {{\n    {ELSEWHERE}\n}}");
    // The prompt lets somebody else sign in than whom it is filled with: looked at again.
    step.with_check(format!("[bool]({own}) -and -not ({other})"))
        .with_change(format!(
            "{guard}\n{connect} -UserPrincipalName {user}\n{guard}"
        ))
        .with_undo_script(format!(
            "foreach ($connection in @({own})) {{\n    Disconnect-ExchangeOnline -ErrorAction Stop -ConnectionId $connection.ConnectionId -Confirm:$false\n}}\n"
        ))
}

fn connection(more: &str) -> String {
    format!("Get-ConnectionInformation | Where-Object {{ $_.State -eq 'Connected'{more} }}")
}

/// <https://learn.microsoft.com/powershell/exchange/connect-to-exchange-servers-using-remote-powershell>
fn on_premises(server: &str) -> ProvisioningStep {
    let uri = quoted(&format!("http://{server}/PowerShell/"));
    let server = quoted(server);
    let own = session(&format!("$_.ComputerName -eq {server}"));
    let other = session(&format!("$_.ComputerName -ne {server}"));
    let made = session(&format!(
        "$_.ComputerName -eq {server} -and $_.Name -eq '{SESSION}'"
    ));
    ProvisioningStep::new(
        "connect",
        "Connect to Exchange",
        "The steps need a session with Exchange, opened by a member of Organization Management; Kerberos encrypts it. Undoing ends only a session that the plan opened.",
    )
    .with_check(format!("[bool]({own}) -and -not ({other})"))
    .with_change(format!(
        "if ({other}) {{\n    {ELSEWHERE}\n}}\n\
         $session = New-PSSession -ErrorAction Stop -Name '{SESSION}' -ConfigurationName Microsoft.Exchange -ConnectionUri {uri} -Authentication Kerberos\n\
         Import-PSSession -ErrorAction Stop -Session $session -DisableNameChecking | Out-Null"
    ))
    .with_undo(&made, &format!("{made} | Remove-PSSession -ErrorAction Stop"))
}

fn session(more: &str) -> String {
    format!(
        "Get-PSSession | Where-Object {{ $_.ConfigurationName -eq 'Microsoft.Exchange' -and $_.State -eq 'Opened' -and {more} }}"
    )
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
