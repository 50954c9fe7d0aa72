//! Which domains are Exchange Online's, and until when it has EWS: the one list. Knows no URL and no protocol.

use jiff::Timestamp;

/// From when EWS is blocked there unless the tenant allows an application, 2026-10-01 (Exchange Team Blog, February 2026).
pub(crate) const EWS_BLOCKED_FROM: Timestamp = Timestamp::constant(1_790_812_800, 0);

/// When EWS ends there, 2027-04-01 (the same).
pub(crate) const EWS_ENDS: Timestamp = Timestamp::constant(1_806_537_600, 0);

/// Domains of its services: worldwide, US government and its Department of Defense, operated by 21Vianet, and the former
/// German cloud.
const SERVICES: &[&str] = &[
    "outlook.com",
    "office.com",
    "office365.com",
    "office365.us",
    "office.us",
    "outlook.us",
    "outlook.cn",
    "office365.cn",
    "office.de",
    "outlook.de",
    "outlook.cloud.microsoft",
    "apps.mil",
];

/// Domains that Microsoft gives to its tenants, which no server on premises answers for.
const TENANTS: &[&str] = &["onmicrosoft.com", "onmicrosoft.us", "onmschina.cn"];

/// Whether a host is one of its servers, in any of its clouds.
#[cfg_attr(not(feature = "ews"), allow(dead_code))]
pub(crate) fn is_service(host: &str) -> bool {
    is_within(host, SERVICES)
}

/// Whether a host or a mail domain belongs to it: a server's, or one that it gives to tenants.
pub(crate) fn is_domain(host: &str) -> bool {
    is_service(host) || is_within(host, TENANTS)
}

fn is_within(host: &str, domains: &[&str]) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    domains.iter().any(|domain| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_tenants_are_no_servers() {
        for (host, service, domain) in [
            ("outlook.office365.com", true, true),
            ("Outlook.Office365.com.", true, true),
            ("corp.onmicrosoft.com", false, true),
            ("notonmicrosoft.com", false, false),
            ("mail.example.com", false, false),
        ] {
            assert_eq!(
                (is_service(host), is_domain(host)),
                (service, domain),
                "{host}"
            );
        }
    }
}
