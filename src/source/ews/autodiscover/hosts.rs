//! Which hosts may be asked where a mailbox is, and which may be the answer.
//!
//! The rule is narrow on purpose: clients that went up from `example.com.br` to `autodiscover.com.br` handed the passwords
//! of strangers to whoever owned that name (Guardicore, 2021).

use std::collections::BTreeSet;

use crate::error::{Error, Result, codes};

use super::{AutodiscoverCloud, OPERATION};

/// Hosts of Microsoft's own autodiscover and Exchange Online in a cloud.
fn microsoft(cloud: AutodiscoverCloud) -> &'static [&'static str] {
    match cloud {
        AutodiscoverCloud::Worldwide => &[
            "autodiscover-s.outlook.com",
            "outlook.office365.com",
            "outlook.office.com",
        ],
        AutodiscoverCloud::UsGovernment => &["autodiscover-s.office365.us", "outlook.office365.us"],
        AutodiscoverCloud::UsDefense => &[
            "autodiscover-s-dod.office365.us",
            "outlook-dod.office365.us",
            "webmail.apps.mil",
        ],
        AutodiscoverCloud::China => &["autodiscover-s.partner.outlook.cn", "partner.outlook.cn"],
        AutodiscoverCloud::None => &[],
    }
}

/// The domain that Microsoft gives to tenants of a cloud, to which an address in a hybrid organisation is redirected.
fn tenants(cloud: AutodiscoverCloud) -> Option<&'static str> {
    match cloud {
        AutodiscoverCloud::Worldwide => Some("onmicrosoft.com"),
        AutodiscoverCloud::UsGovernment | AutodiscoverCloud::UsDefense => Some("onmicrosoft.us"),
        AutodiscoverCloud::China => Some("partner.onmschina.cn"),
        AutodiscoverCloud::None => None,
    }
}

/// The hosts of one look-up.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    own: BTreeSet<String>,
    accepted: BTreeSet<String>,
    registrable: String,
    cloud: AutodiscoverCloud,
}

impl Hosts {
    /// The hosts for a domain, Microsoft's of one cloud, and those that a person accepted by name.
    ///
    /// # Errors
    ///
    /// `Config` (`autodiscover.domain`) where the domain is no host name, or a suffix under which anybody can register.
    pub(super) fn new(
        domain: &str,
        cloud: AutodiscoverCloud,
        accepted: &BTreeSet<String>,
    ) -> Result<Self> {
        let domain = ascii(domain).ok_or_else(refused)?;
        let registrable = registrable(&domain).ok_or_else(refused)?;
        Ok(Self {
            own: own(&domain),
            accepted: accepted.clone(),
            registrable,
            cloud,
        })
    }

    /// Whether this host may be asked.
    pub(super) fn may_ask(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.own.contains(&host) || self.is_trusted(&host)
    }

    /// Whether this host may get an access token: Microsoft's, and what a person accepted by name. The host of a bare
    /// domain is often a web site that somebody else runs.
    pub(super) fn is_trusted(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.accepted.contains(&host) || microsoft(self.cloud).contains(&&*host)
    }

    /// Whether the service may be at this host: in the organisation's own domain, at Microsoft's, or accepted by name.
    pub(super) fn may_serve(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.may_ask(&host) || is_below(&host, &self.registrable)
    }

    /// Takes a domain to which the address was redirected, and answers whether it may be followed there.
    pub(super) fn admit(&mut self, domain: &str) -> bool {
        let Some(domain) = ascii(domain) else {
            return false;
        };
        if tenants(self.cloud).is_some_and(|tenants| is_below(&domain, tenants)) {
            return true;
        }
        let same = registrable(&domain).is_some_and(|found| found == self.registrable);
        if same {
            self.own.extend(own(&domain));
        }
        same
    }
}

/// A domain and the name below it that Exchange's set-up asks for.
pub(super) fn own(domain: &str) -> BTreeSet<String> {
    BTreeSet::from([domain.to_owned(), format!("autodiscover.{domain}")])
}

/// A domain as it is asked for, or nothing where it is no host name.
pub(super) fn ascii(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_end_matches('.');
    let domain = idna::domain_to_ascii(domain).ok()?.to_ascii_lowercase();
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let is_name = domain.len() <= 253
        && domain.split('.').all(|label| {
            (1..=63).contains(&label.len()) && label.chars().all(fits) && !label.starts_with('-')
        });
    let is_number = domain
        .rsplit('.')
        .next()
        .is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    (is_name && !is_number).then_some(domain)
}

/// The part of a domain that somebody registered, by the list of public suffixes.
fn registrable(domain: &str) -> Option<String> {
    psl::domain_str(domain).map(str::to_owned)
}

fn is_below(host: &str, domain: &str) -> bool {
    host.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn refused() -> Error {
    Error::new(&codes::AUTODISCOVER_DOMAIN, OPERATION)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn hosts_of(domain: &str, cloud: AutodiscoverCloud) -> Result<Hosts> {
        Hosts::new(domain, cloud, &BTreeSet::new())
    }

    #[test]
    fn microsofts_hosts_are_those_of_the_chosen_cloud_and_none_on_premises() {
        for (cloud, host, tenant) in [
            (
                AutodiscoverCloud::Worldwide,
                "outlook.office.com",
                "x.onmicrosoft.com",
            ),
            (
                AutodiscoverCloud::UsGovernment,
                "outlook.office365.us",
                "x.onmicrosoft.us",
            ),
            (
                AutodiscoverCloud::UsDefense,
                "webmail.apps.mil",
                "x.onmicrosoft.us",
            ),
            (
                AutodiscoverCloud::China,
                "partner.outlook.cn",
                "x.partner.onmschina.cn",
            ),
        ] {
            for other in [
                AutodiscoverCloud::Worldwide,
                AutodiscoverCloud::UsGovernment,
                AutodiscoverCloud::UsDefense,
                AutodiscoverCloud::China,
                AutodiscoverCloud::None,
            ] {
                let mut hosts = hosts_of("example.com", other).unwrap();
                let same = other == cloud;
                assert_eq!(hosts.may_ask(host), same, "{host} {other:?}");
                assert_eq!(hosts.is_trusted(host), same, "{host} {other:?}");
                assert_eq!(hosts.may_serve(host), same, "{host} {other:?}");
                let us = |cloud| {
                    matches!(
                        cloud,
                        AutodiscoverCloud::UsGovernment | AutodiscoverCloud::UsDefense
                    )
                };
                let admitted = same || us(cloud) && us(other);
                assert_eq!(hosts.admit(tenant), admitted, "{tenant} {other:?}");
            }
        }
    }

    #[test]
    fn only_the_domain_itself_and_autodiscover_below_it_are_asked() {
        let hosts = hosts_of("Mail.Example.co.uk.", AutodiscoverCloud::Worldwide).unwrap();
        for (host, ask, serve) in [
            ("mail.example.co.uk", true, true),
            ("autodiscover.mail.example.co.uk", true, true),
            ("autodiscover-s.outlook.com", true, true),
            ("webmail.apps.mil", false, false),
            ("autodiscover.example.co.uk", false, true),
            ("example.co.uk", false, true),
            ("autodiscover.co.uk", false, false),
            ("autodiscover.uk", false, false),
            ("notexample.co.uk", false, false),
            ("evil.outlook.com", false, false),
            ("outlook.office365.com.evil.example", false, false),
        ] {
            assert_eq!(hosts.may_ask(host), ask, "{host}");
            assert_eq!(hosts.may_serve(host), serve, "{host}");
        }
    }

    #[test]
    fn what_anybody_could_register_below_is_no_domain() {
        for domain in [
            "com",
            "com.br",
            "co.uk",
            "localhost",
            "",
            "a b.com",
            "127.0.0.1",
            "[::1]",
            "x..com",
        ] {
            let error = hosts_of(domain, AutodiscoverCloud::Worldwide).unwrap_err();
            assert_eq!(error.code(), "autodiscover.domain", "{domain}");
        }
        assert!(hosts_of("bücher.example", AutodiscoverCloud::None).is_ok());
    }

    #[test]
    fn an_address_is_followed_to_its_own_organisation_and_to_microsofts_tenants_only() {
        let mut hosts = hosts_of("example.com", AutodiscoverCloud::Worldwide).unwrap();
        assert!(hosts.admit("example.mail.onmicrosoft.com"));
        assert!(hosts.admit("sub.example.com"));
        assert!(hosts.may_ask("autodiscover.sub.example.com"));
        assert!(!hosts.admit("evil.example"));
        assert!(!hosts.may_ask("autodiscover.evil.example"));
    }
}
