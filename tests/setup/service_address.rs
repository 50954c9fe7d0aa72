//! The service URL is blank, a domain or a URL, each by its rule.

use email_logging::setup::ServiceAddress;

#[test]
fn blank_is_autodiscovery() {
    for text in ["", "   "] {
        assert_eq!(
            ServiceAddress::parse(text).unwrap(),
            ServiceAddress::Autodiscover
        );
    }
}

#[test]
fn a_bare_domain_is_autodiscovery_at_this_domain() {
    for (text, domain) in [
        ("corp.example", "corp.example"),
        (" Corp.Example ", "corp.example"),
        ("bücher.example", "xn--bcher-kva.example"),
    ] {
        let read = ServiceAddress::parse(text).unwrap();
        assert_eq!(read, ServiceAddress::Domain(domain.into()));
    }
}

#[test]
fn a_full_https_url_is_the_service() {
    for text in [
        "https://mail.corp.example/EWS/Exchange.asmx",
        "HTTPS://mail.corp.example:8443/EWS/Exchange.asmx",
        "https://10.1.2.3/EWS/Exchange.asmx",
        "https://[2001:db8::1]:444/EWS/Exchange.asmx",
    ] {
        let read = ServiceAddress::parse(text).unwrap();
        assert_eq!(read, ServiceAddress::Url(text.into()));
    }
}

#[test]
fn anything_else_is_refused_with_what_to_do() {
    for (text, code) in [
        (
            "http://mail.corp.example/EWS/Exchange.asmx",
            "config.insecure",
        ),
        ("http://127.0.0.1/EWS/Exchange.asmx", "config.insecure"),
        ("ftp://mail.corp.example/", "setup.service_url"),
        ("https://", "setup.service_url"),
        ("https:///EWS", "setup.service_url"),
        (
            "https://user:secret@mail.corp.example/",
            "setup.service_url",
        ),
        (
            "https://mail.corp.example@evil.example/",
            "setup.service_url",
        ),
        ("https://mail.corp.example/?a=b", "setup.service_url"),
        ("https://mail.corp.example/#a", "setup.service_url"),
        ("https://mail corp.example/", "setup.service_url"),
        (
            "https://mail.corp.example/EWS Exchange",
            "setup.service_url",
        ),
        (
            r"https://mail.corp.example/EWS\Exchange",
            "setup.service_url",
        ),
        ("https://mail.corp.example/EWS\u{7f}", "setup.service_url"),
        ("https://[2001:db8::1]:0/", "setup.service_url"),
        ("https://[mail.corp.example]:444/", "setup.service_url"),
        ("https://mail.corp.example:0/", "setup.service_url"),
        ("https://mail.corp.example:65536/", "setup.service_url"),
        ("https://2130706433/", "setup.service_url"),
        ("https://0x7f.1/", "setup.service_url"),
        (r"https:\\mail.corp.example\", "setup.service_url"),
        ("corp", "setup.service_url"),
        ("10.1.2.3", "setup.service_url"),
        ("corp.example/EWS", "setup.service_url"),
        ("corp.example:443", "setup.service_url"),
        ("logging@corp.example", "setup.service_url"),
        ("corp..example", "setup.service_url"),
    ] {
        let error = ServiceAddress::parse(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
    }
    let remedy = ServiceAddress::parse("corp").unwrap_err().remedy();
    assert!(
        remedy.starts_with("Leave it blank for autodiscovery"),
        "{remedy}"
    );
}

#[test]
fn exchange_online_is_recognised_by_whole_labels() {
    let online = |text| ServiceAddress::parse(text).unwrap().is_exchange_online();
    assert!(online("https://outlook.office365.com/EWS/Exchange.asmx"));
    assert!(online("https://partner.outlook.cn/EWS/Exchange.asmx"));
    assert!(online("contoso.onmicrosoft.com"));
    for text in [
        "",
        "corp.example",
        "https://notoffice365.com/",
        "https://office365.com.evil.example/",
    ] {
        assert!(!online(text), "{text}");
    }
}
