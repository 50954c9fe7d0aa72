//! Check 2: no credential over plain HTTP, and no Basic towards Exchange Online, whatever is tried.

use std::sync::Arc;

use email_logging::credential::AppSignIn;
use email_logging::source::ews::{AddressPolicy, EwsSource, EwsSourceBuilder};

use crate::signing::{Answers, EVERY, SignIn, credentials, this_machine};

/// The code of building a client for this address, in this way.
fn code(sign_in: SignIn, url: &str, plain: bool) -> &'static str {
    let ews = |url: &str, plain: bool| {
        let builder = EwsSource::builder(url).with_impersonation("queue@corp.example");
        if plain {
            builder.dangerously_allow_plain_http_on_loopback()
        } else {
            builder
        }
    };
    let built = match sign_in {
        SignIn::Basic => ews(url, plain).with_basic(credentials()).build(),
        SignIn::AccessToken => ews(url, plain).with_access_token(credentials()).build(),
        SignIn::App => {
            let app = AppSignIn::builder(url, credentials());
            let app = if plain {
                app.dangerously_allow_plain_http_on_loopback()
            } else {
                app
            };
            let online = ews("https://outlook.office365.com/EWS/Exchange.asmx", false);
            app.build()
                .and_then(|app| online.with_app_sign_in(app).build())
        }
    };
    built.map_or_else(|error| error.code(), |_| "built")
}

#[test]
fn check_02_plain_http_is_refused_at_construction_by_every_builder() {
    for (url, plain, expected) in [
        (
            "http://mail.example.com/EWS/Exchange.asmx",
            false,
            "config.insecure",
        ),
        (
            "HTTP://mail.example.com/EWS/Exchange.asmx",
            false,
            "config.insecure",
        ),
        (" http://mail.example.com/", false, "config.insecure"),
        ("ht\ntp://mail.example.com/", false, "config.insecure"),
        ("http://127.0.0.1/", false, "config.insecure"),
        // The switch for tests opens this machine and nothing else.
        ("http://mail.example.com/", true, "config.insecure"),
        ("http://localhost/", true, "config.insecure"),
        ("http://10.0.0.1/", true, "config.insecure"),
        ("http://127.0.0.1.example.com/", true, "config.insecure"),
        ("http://[fe80::1]/", true, "config.insecure"),
        ("http://127.0.0.1:18081/", true, "built"),
        ("ws://mail.example.com/", false, "config.invalid"),
        ("file:///etc/passwd", false, "config.invalid"),
        ("//mail.example.com/", false, "config.invalid"),
        (
            "https://user:secret@mail.example.com/",
            false,
            "config.invalid",
        ),
        ("https://user@mail.example.com/", false, "config.invalid"),
        (
            "https://outlook.office365.com@mail.example.com/",
            false,
            "config.invalid",
        ),
        (
            "https://mail.example.com/#fragment",
            false,
            "config.invalid",
        ),
        ("https://mail.example.com/EWS/Exchange.asmx", false, "built"),
    ] {
        for sign_in in EVERY {
            assert_eq!(code(sign_in, url, plain), expected, "{sign_in:?} {url:?}");
        }
    }
}

#[test]
fn check_02_basic_towards_exchange_online_is_refused_before_anything_is_looked_up() {
    for host in [
        "outlook.office365.com",
        "OUTLOOK.Office365.COM",
        "outlook.office365.com.",
        "outlook.office365.com:8443",
        "outlook%2Eoffice365%2Ecom",
        "outlook\u{3002}office365\u{3002}com",
        "\u{ff4f}utlook.office365.com",
        "outlook.office365.us",
        "webmail.apps.mil",
        "partner.outlook.cn",
        "outlook.cloud.microsoft",
        "eur01.prod.outlook.com",
    ] {
        let resolver = this_machine();
        let url = format!("https://{host}/EWS/Exchange.asmx");
        let builder =
            || EwsSource::builder(&url).with_name_resolver(Arc::<Answers>::clone(&resolver));
        let every = |builder: EwsSourceBuilder| {
            let open = AddressPolicy::on_premises(["0.0.0.0/0", "::/0"]).unwrap();
            builder.with_address_policy(open)
        };
        for builder in [builder(), every(builder())] {
            let error = builder.with_basic(credentials()).build().unwrap_err();
            assert_eq!(error.code(), "ews.basic_online", "{host}");
        }
        assert!(resolver.asked().is_empty(), "{host}");
    }
}
