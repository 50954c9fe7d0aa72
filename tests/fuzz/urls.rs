//! Addresses of services: what may be called, where autodiscover may lead, how long to wait, where a consent comes back.

use std::net::IpAddr;

use email_logging::credential::testing::read_callback;
use email_logging::source::ews::AddressPolicy;
use email_logging::source::ews::testing;
use jiff::Timestamp;

use super::engine::{Target, run};

const WORDS: &[&str] = &[
    "https://",
    "http://",
    "HTTPS:\\\\",
    "//",
    "\\",
    "@",
    ":",
    "#",
    "?",
    "%00",
    "%2e",
    "%40",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "127.0.0.1",
    "127.1",
    "0x7f000001",
    "2130706433",
    "0177.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "192.168.0.1",
    "100.64.0.1",
    "[fe80::1]",
    "[64:ff9b::7f00:1]",
    "localhost",
    "outlook.office365.com",
    ".outlook.com",
    "example.com",
    "\u{ff0e}",
    "\u{3002}",
    "\u{1}",
    " ",
    "\t",
    "\n",
    "xn--",
    ".",
    "..",
    "/EWS/Exchange.asmx",
    ":443",
    ":0",
    "user:pass@",
];

/// An address that passed is https or loopback, holds no credentials, and passes again as it is written.
fn check_url(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for plain in [false, true] {
        let Ok(checked) = testing::service_url(&text, plain) else {
            continue;
        };
        assert_eq!(
            testing::service_url(&checked.url, plain).ok().as_ref(),
            Some(&checked)
        );
        let https = checked.url.starts_with("https://");
        let bare = checked.host.trim_start_matches('[').trim_end_matches(']');
        let address: Option<IpAddr> = bare.parse().ok();
        assert!(
            https || plain && address.is_some_and(|ip| ip.is_loopback()),
            "{checked:?}"
        );
        assert!(!checked.host.is_empty() && checked.url.starts_with(&checked.origin));
        let authority = checked.url.split('/').nth(2).unwrap();
        assert!(
            !authority.contains('@') && !checked.url.contains('#'),
            "{checked:?}"
        );
        assert!(!checked.shown.contains('?'), "the query is shown");
        check_policy(&checked.url, address, https);
    }
}

/// By the default policy no address of a network that is not public is called.
fn check_policy(url: &str, address: Option<IpAddr>, https: bool) {
    let policy = AddressPolicy::default();
    let own = match address {
        Some(IpAddr::V4(v4)) => {
            let first = v4.octets()[0];
            v4.is_private() || v4.is_loopback() || v4.is_link_local() || first == 0 || first >= 224
        }
        Some(IpAddr::V6(v6)) => {
            let inner = v6
                .to_ipv4_mapped()
                .is_some_and(|v4| v4.is_private() || v4.is_loopback());
            inner
                || v6.is_loopback()
                || v6.is_unspecified()
                || (v6.segments()[0] & 0xfe00) == 0xfc00
        }
        None => return,
    };
    let Some(address) = address else { return };
    if own {
        assert!(
            !testing::policy_allows_address(&policy, address),
            "{address}"
        );
        let allowed = https && testing::policy_allows(&policy, url).unwrap();
        assert!(!allowed, "{address}");
    }
}

#[test]
fn url_policy() {
    run(Target {
        name: "url_policy",
        words: WORDS,
        made: Vec::new,
        check: check_url,
    });
}

/// The first line is a domain, the second a host.
fn check_rules(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let (domain, host) = text.split_once('\n').unwrap_or((&text, "autodiscover.com"));
    let Some(rules) = testing::autodiscover_rules(domain, host) else {
        return;
    };
    let host = host.to_ascii_lowercase();
    let microsoft = testing::autodiscover_rules("nobody.example", &host).unwrap();
    assert_eq!(
        rules.trusted, microsoft.trusted,
        "a token for a host that is not Microsoft's"
    );
    assert!(rules.serve || !rules.ask);
    assert!(rules.ask || !rules.trusted);
    if microsoft.trusted || !rules.serve {
        return;
    }
    let own = idna::domain_to_ascii(domain.trim()).unwrap();
    let own = psl::domain_str(own.trim_end_matches('.'))
        .unwrap()
        .to_owned();
    let below = host.strip_suffix(own.as_str());
    assert!(
        below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.')),
        "{host} for {own}"
    );
    assert!(own.contains('.'), "{own} is a suffix");
}

#[test]
fn autodiscover_hosts() {
    run(Target {
        name: "autodiscover_hosts",
        words: &[
            "autodiscover.",
            "autodiscover-s.outlook.com",
            "outlook.office365.com",
            "example",
            "example.com",
            "co.uk",
            "com.br",
            ".",
            "\n",
            "onmicrosoft.com",
            "b\u{fc}cher",
            "xn--bcher-kva",
            "\u{3002}",
            "-",
            "_",
            "127.0.0.1",
            "[::1]",
            " ",
            "\0",
            "github.io",
        ],
        made: Vec::new,
        check: check_rules,
    });
}

/// A time is a number or a date, and the longer number is never the shorter wait.
fn check_wait(input: &[u8]) {
    let now: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
    let Some(wait) = testing::retry_after(input, now) else {
        return;
    };
    let text = String::from_utf8_lossy(input);
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        assert_eq!(wait.as_secs(), text.parse().unwrap_or(u64::MAX));
    } else {
        assert!(text.contains(':'), "neither digits nor a time of day");
    }
}

#[test]
fn retry_after() {
    run(Target {
        name: "retry_after",
        words: &[
            "Sun, ",
            "Sunday, ",
            " GMT",
            "Nov",
            "2026",
            "9999",
            "10:00:08",
            "-",
            "+",
            "99999999999999999999",
            " ",
            "(",
            ")",
            "+2400",
        ],
        made: Vec::new,
        check: check_wait,
    });
}

const REDIRECT: &str = "https://erp.example.com/callback?tenant=1";

/// A code comes only from a callback to the redirect URL, and stands in it.
fn check_callback(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for redirect in ["https://erp.example.com/callback", REDIRECT] {
        match read_callback(&text, redirect) {
            Ok(code) => {
                assert!(!code.is_empty() && code.len() <= 3 * text.len());
                // The URL Standard, "basic URL parser": controls and spaces at both ends are no part of a URL, nor are tabs
                // and line breaks anywhere.
                let bare = text.trim_matches(|c: char| c <= ' ' || c.is_whitespace());
                let bare = bare.replace(['\t', '\n', '\r'], "").to_ascii_lowercase();
                assert!(bare.starts_with("https:"), "{text}");
                assert!(text.contains("code") || text.contains('%'), "{text}");
            }
            Err(error) => assert!(error.detail().unwrap_or_default().len() <= 120),
        }
    }
}

#[test]
fn consent_callbacks() {
    run(Target {
        name: "consent_callbacks",
        words: &[
            "https://erp.example.com/callback",
            "?",
            "&",
            "=",
            "code=",
            "state=",
            "iss=https%3A%2F%2Flogin.example.com%2F",
            "error=access_denied",
            "error_description=AADSTS65004",
            "#",
            "%00",
            "%zz",
            "@",
            "//",
            "\\",
            ":443",
            "/../",
        ],
        made: Vec::new,
        check: check_callback,
    });
}
