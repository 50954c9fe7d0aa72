//! Check 4: which hosts may be called and which addresses are connected to, however they are written or resolved.

use std::net::SocketAddr;
use std::sync::Arc;

use email_logging::credential::AppSignIn;
use email_logging::source::MailSource as _;
use email_logging::source::ews::{AddressPolicy, EwsSource, NameResolver};
use email_logging::{Error, ErrorKind, Result};

use crate::certificates::{HOST, Identity, Shown, identity};
use crate::listener::{Listener, Manner, Reached};
use crate::signing::{Answers, credentials, loopback, needles, this_machine};
use crate::support::{all, folder};

const REFUSED: &str = "http.address_refused";

fn code<T>(result: Result<T>) -> &'static str {
    result.map_or_else(|error| error.code(), |_| "built")
}

/// The codes of building a source and a sign-in for this address under this policy.
fn codes(url: &str, policy: &AddressPolicy) -> [&'static str; 2] {
    let source = EwsSource::builder(url).with_basic(credentials());
    let app = AppSignIn::builder(url, credentials());
    [
        code(source.with_address_policy(policy.clone()).build()),
        code(app.with_address_policy(policy.clone()).build()),
    ]
}

/// Addresses in the place of a host, and whether a range opens them.
const SPELLINGS: &[(&str, bool)] = &[
    ("127.0.0.1", true),
    ("127.1", true),
    ("127.0.0.1.", true),
    ("2130706433", true),
    ("0x7f000001", true),
    ("0x7f.1", true),
    ("017700000001", true),
    ("0177.0.0.0x1", true),
    ("127%2E0%2E0%2E1", true),
    ("\u{ff11}27.0.0.1", true),
    ("127\u{3002}0\u{ff0e}0\u{ff61}1", true),
    ("\u{2460}\u{2461}7.0.0.1", true),
    ("[::1]", true),
    ("[0:0:0:0:0:0:0:1]", true),
    ("[::ffff:127.0.0.1]", true),
    ("[::ffff:7f00:1]", true),
    ("[::127.0.0.1]", true),
    ("[64:ff9b::10.0.0.1]", true),
    ("[2002:a00:1::]", true),
    ("10.0.0.1", true),
    ("172.16.0.1", true),
    ("192.168.1.1", true),
    ("100.64.0.1", true),
    ("192.0.2.1", true),
    ("198.18.0.1", true),
    ("[fd12:3456::1]", true),
    ("[fec0::1]", true),
    ("[2001:db8::1]", true),
    // Nothing opens these.
    ("0", false),
    ("0.0.0.0", false),
    ("[::]", false),
    ("169.254.169.254", false),
    ("2852039166", false),
    ("0xa9fea9fe", false),
    ("[::ffff:169.254.169.254]", false),
    ("[64:ff9b::a9fe:a9fe]", false),
    ("[2002:a9fe:a9fe::]", false),
    ("[fd00:ec2::254]", false),
    ("100.100.100.200", false),
    ("168.63.129.16", false),
    ("169.254.1.1", false),
    ("[fe80::1]", false),
    ("224.0.0.1", false),
    ("[ff02::1]", false),
    ("255.255.255.255", false),
];

#[test]
fn check_04_an_address_in_the_place_of_a_host_is_refused_in_every_spelling() {
    let everything = AddressPolicy::on_premises(["0.0.0.0/0", "::/0"]).unwrap();
    for (host, opened) in SPELLINGS {
        let url = format!("https://{host}/EWS/Exchange.asmx");
        assert_eq!(
            codes(&url, &AddressPolicy::default()),
            [REFUSED; 2],
            "{host}"
        );
        let with_ranges = if *opened { "built" } else { REFUSED };
        assert_eq!(codes(&url, &everything), [with_ranges; 2], "{host}");
    }
    for no_host in [
        "[fe80::1%25eth0]",
        "[::1",
        "256.256.256.256",
        "1.2.3.4.5",
        "a b",
    ] {
        let url = format!("https://{no_host}/EWS/Exchange.asmx");
        assert_eq!(codes(&url, &everything), ["config.invalid"; 2], "{no_host}");
    }
    let public = codes("https://8.8.8.8/", &AddressPolicy::default());
    assert_eq!(public, ["built"; 2]);
}

#[test]
fn check_04_a_range_opens_what_lies_in_it_and_nothing_beside() {
    let policy = AddressPolicy::on_premises(["10.1.0.0/16", "192.168.7.9", " fd12:3456::/32 "]);
    let policy = policy.unwrap();
    for (host, expected) in [
        ("10.1.255.255", "built"),
        ("10.2.0.0", REFUSED),
        ("192.168.7.9", "built"),
        ("192.168.7.10", REFUSED),
        ("[fd12:3456:ffff::1]", "built"),
        ("[fd12:3457::1]", REFUSED),
        ("[::ffff:10.1.2.3]", "built"),
        ("[::ffff:10.2.2.3]", REFUSED),
        ("127.0.0.1", REFUSED),
        ("8.8.8.8", "built"),
    ] {
        assert_eq!(
            codes(&format!("https://{host}/"), &policy),
            [expected; 2],
            "{host}"
        );
    }
    for range in [
        "",
        "10.0.0.0/33",
        "10.0.0/8",
        "corp.example",
        "10.0.0.0/8,10.1.0.0/16",
    ] {
        assert_eq!(
            code(AddressPolicy::on_premises([range])),
            "config.invalid",
            "{range}"
        );
    }
}

#[test]
fn check_04_only_listed_hosts_are_called_once_one_is_listed() {
    let policy = AddressPolicy::default()
        .with_exchange_online()
        .with_host("Mail.Corp.example")
        .and_then(|policy| policy.with_host("other.example:8443"))
        .and_then(|policy| policy.with_host("b\u{fc}ro.example"))
        .and_then(|policy| policy.with_host("8.8.8.8"))
        .and_then(|policy| policy.with_domain("hosted.example"))
        .unwrap();
    let not_listed = "http.host_refused";
    for (url, expected) in [
        ("https://outlook.office365.com/", "built"),
        ("https://outlook.office365.us/", "built"),
        ("https://outlook.office365.com:8443/", not_listed),
        ("https://outlook.office365.com.evil.example/", not_listed),
        ("https://evil-office365.com/", not_listed),
        // Letters that look like others are other letters.
        ("https://outl\u{43e}\u{43e}k.office365.com/", "built"),
        ("https://outlook.offi\u{441}e365.com/", not_listed),
        ("https://mail.corp.example/", "built"),
        ("https://MAIL.CORP.EXAMPLE./", "built"),
        ("https://mail.corp.example:443/", "built"),
        ("https://mail.corp.example:444/", not_listed),
        ("https://m\u{430}il.corp.example/", not_listed),
        ("https://a.mail.corp.example/", not_listed),
        ("https://mail.corp.example.evil.example/", not_listed),
        ("https://other.example:8443/", "built"),
        ("https://other.example/", not_listed),
        ("https://xn--bro-hoa.example/", "built"),
        ("https://B\u{dc}RO.example/", "built"),
        ("https://8.8.8.8/", "built"),
        ("https://134744072/", "built"),
        ("https://8.8.4.4/", not_listed),
        ("https://hosted.example/", "built"),
        ("https://a.b.hosted.example/", "built"),
        ("https://nothosted.example/", not_listed),
    ] {
        assert_eq!(code_of_token(url, &policy), expected, "{url}");
    }
    for text in [
        "",
        "https://mail.example",
        "*.example",
        "user@mail.example",
        "a/b",
        "a:b:c",
        "a b",
    ] {
        let refused = AddressPolicy::default().with_host(text);
        assert_eq!(code(refused), "config.invalid", "{text}");
    }
    for text in ["com", "10.0.0.1", "[::1]", "*.example.com"] {
        let refused = AddressPolicy::default().with_domain(text);
        assert_eq!(code(refused), "config.invalid", "{text}");
    }
}

/// The code of a source with tokens, which Exchange Online takes.
fn code_of_token(url: &str, policy: &AddressPolicy) -> &'static str {
    let source = EwsSource::builder(url).with_access_token(credentials());
    let built = source.with_address_policy(policy.clone()).build();
    built.map_or_else(|error| error.code(), |_| "built")
}

fn manner(identity: &Identity) -> Manner {
    Manner {
        tls: Some(identity.acceptor.clone()),
        answer: Some("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n".into()),
        closes: true,
    }
}

fn source(
    identity: &Identity,
    port: u16,
    policy: AddressPolicy,
    resolver: Arc<dyn NameResolver>,
) -> EwsSource {
    EwsSource::builder(format!("https://{HOST}:{port}/EWS/Exchange.asmx"))
        .with_basic(credentials())
        .with_trusted_roots(&identity.roots)
        .with_address_policy(policy)
        .with_name_resolver(resolver)
        .with_repeats(0)
        .build()
        .unwrap()
}

async fn call(source: &EwsSource) -> Error {
    source.list(&folder("Q"), all()).await.unwrap_err()
}

#[tokio::test]
async fn check_04_a_name_that_resolves_into_a_closed_network_is_not_connected_to() {
    let identity = identity(Shown::Good);
    let listener = Listener::start(manner(&identity)).await;
    for (answers, word) in [
        (&["127.0.0.1"][..], "loopback"),
        (&["::ffff:127.0.0.1"], "loopback"),
        (&["64:ff9b::7f00:1"], "loopback"),
        (&["10.0.0.1"], "private"),
        (&["fd12::1"], "private"),
        (&["169.254.169.254"], "metadata"),
        (&["0.0.0.0"], "unspecified"),
        (&["127.0.0.1", "10.0.0.1", "169.254.169.254"], "loopback"),
    ] {
        let resolver = Answers::new(&[answers]);
        let policy = AddressPolicy::default();
        let source = source(
            &identity,
            listener.port(),
            policy,
            Arc::<Answers>::clone(&resolver),
        );
        let error = call(&source).await;
        assert_eq!(error.code(), REFUSED, "{answers:?}");
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(
            error.remedy().contains("AddressPolicy::on_premises"),
            "{}",
            error.remedy()
        );
        assert_eq!(error.detail(), Some(format!("a {word} address").as_str()));
        assert_eq!(resolver.asked(), [HOST]);
    }
    assert_eq!(listener.finish().await, Reached::default());
}

#[tokio::test]
async fn check_04_a_token_endpoint_in_a_closed_network_is_not_connected_to() {
    let identity = identity(Shown::Good);
    let listener = Listener::start(manner(&identity)).await;
    let app = AppSignIn::builder(
        format!("https://{HOST}:{}/token", listener.port()),
        credentials(),
    )
    .with_trusted_roots(&identity.roots)
    .with_name_resolver(this_machine())
    .build()
    .unwrap();
    let source = EwsSource::builder("https://outlook.office365.com/EWS/Exchange.asmx")
        .with_app_sign_in(app)
        .with_impersonation("queue@corp.example")
        .with_repeats(0)
        .build()
        .unwrap();
    assert_eq!(call(&source).await.code(), REFUSED);
    assert_eq!(listener.finish().await, Reached::default());
}

/// A server that may be called and one that may not, on the same port.
async fn open_and_closed(identity: &Identity) -> (Listener, Listener) {
    loop {
        let open = Listener::at("127.0.0.2:0".parse().unwrap(), manner(identity)).await;
        let closed = SocketAddr::from(([127, 0, 0, 1], open.port()));
        // Somebody else may have the port there.
        if std::net::TcpListener::bind(closed).is_ok() {
            return (open, Listener::at(closed, manner(identity)).await);
        }
    }
}

#[tokio::test]
async fn check_04_a_name_that_moves_between_two_calls_gains_nothing() {
    let identity = identity(Shown::Good);
    let (open, closed) = open_and_closed(&identity).await;
    let policy = AddressPolicy::on_premises(["127.0.0.2"]).unwrap();
    let resolver = Answers::new(&[&["127.0.0.2"], &["127.0.0.1"], &["127.0.0.2"]]);
    let source = source(
        &identity,
        open.port(),
        policy,
        Arc::<Answers>::clone(&resolver),
    );
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(call(&source).await.code());
    }
    drop(source);
    assert_eq!(codes, ["http.unauthorized", REFUSED, "http.unauthorized"]);
    assert_eq!(resolver.asked().len(), 3, "one look-up for each connection");
    assert_eq!(open.finish().await.requests(), 2);
    assert_eq!(closed.finish().await, Reached::default());
}

#[tokio::test]
async fn check_04_of_several_addresses_only_the_open_ones_are_connected_to() {
    let identity = identity(Shown::Good);
    let (open, closed) = open_and_closed(&identity).await;
    let policy = AddressPolicy::on_premises(["127.0.0.2"]).unwrap();
    let resolver = Answers::new(&[&["127.0.0.1", "169.254.169.254", "127.0.0.2", "127.0.0.1"]]);
    let source = source(&identity, open.port(), policy, resolver);
    assert_eq!(call(&source).await.code(), "http.unauthorized");
    drop(source);
    assert_eq!(open.finish().await.requests(), 1);
    assert_eq!(closed.finish().await, Reached::default());
}

#[tokio::test]
async fn check_04_behind_a_proxy_only_the_proxy_is_looked_up_and_connected_to() {
    let proxy = Listener::start(Manner {
        tls: None,
        answer: Some("HTTP/1.1 502 Bad Gateway\r\n\r\n".into()),
        closes: true,
    });
    let proxy = proxy.await;
    let resolver = this_machine();
    let builder = |url: &str, policy: AddressPolicy| {
        EwsSource::builder(url)
            .with_basic(credentials())
            .with_address_policy(policy)
            .with_name_resolver(Arc::<Answers>::clone(&resolver))
            .with_proxy(format!("http://Proxy.corp.example:{}", proxy.port()))
            .with_repeats(0)
            .build()
    };
    let source = builder(&format!("https://{HOST}/"), AddressPolicy::default()).unwrap();
    let error = call(&source).await;
    assert_eq!(error.code(), "http.connect");
    drop(source);
    assert_eq!(resolver.asked(), ["proxy.corp.example"]);
    // Without a look-up of one's own the text of the address is what can be checked.
    let literal = builder("https://10.0.0.1/", AddressPolicy::default());
    assert_eq!(code(literal), REFUSED);
    let listed = AddressPolicy::default().with_exchange_online();
    assert_eq!(
        code(builder(&format!("https://{HOST}/"), listed)),
        "http.host_refused"
    );
    let reached = proxy.finish().await;
    assert!(
        reached.text().starts_with(&format!("CONNECT {HOST}:443 ")),
        "{}",
        reached.text()
    );
    for needle in needles() {
        assert!(!reached.text().contains(&needle), "{needle}");
    }
}

#[tokio::test]
async fn check_04_the_systems_resolver_is_checked_as_well() {
    let identity = identity(Shown::Good);
    let listener = Listener::start(manner(&identity)).await;
    let builder = |policy: AddressPolicy| {
        EwsSource::builder(format!("https://localhost:{}/", listener.port()))
            .with_basic(credentials())
            .with_trusted_roots(&identity.roots)
            .with_address_policy(policy)
            .with_repeats(0)
            .build()
            .unwrap()
    };
    let (closed, open) = (builder(AddressPolicy::default()), builder(loopback()));
    assert_eq!(call(&closed).await.code(), REFUSED);
    assert_eq!(
        call(&open).await.code(),
        "http.tls_host",
        "it was connected to"
    );
    drop((closed, open));
    assert_eq!(listener.finish().await.connections, 1);
}
