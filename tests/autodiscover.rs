//! Where a mail address's service is: who is asked, what they get, and what is believed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::Scope;
use email_logging::credential::{AccessToken, CredentialProvider, StaticCredentials};
use email_logging::error::Result;
use email_logging::setup::ServiceAddress;
use email_logging::source::MailSource as _;
use email_logging::source::ews::{
    AddressPolicy, Autodiscover, AutodiscoverBuilder, AutodiscoverCloud, AutodiscoverProtocol,
    EwsSource, PublicFolderRouting,
};
use email_logging::testkit::exchange::{
    AutodiscoverFault, SimulatedExchange, SimulatedExchangeBuilder, TlsCertificate,
};

#[path = "support/skipped.rs"]
mod skipped;

const USER: &str = "svc@corp.example";
const SECRET: &str = "canary-secret-7f3a";
const SERVICE: &str = "autodiscover.corp.example";
const WEB_SITE: &str = "corp.example";

/// An Exchange server with the certificate of these hosts.
fn exchange(hosts: &[&str]) -> SimulatedExchangeBuilder {
    let builder = SimulatedExchange::builder()
        .with_user(USER, SECRET)
        .with_tls(TlsCertificate::Trusted)
        .with_public_folder(r"\Email Logging\Queue\");
    let hosts = hosts.iter();
    hosts.fold(builder, |builder, host| builder.with_host_name(*host))
}

/// A look-up for the user in which no host has an address but those of the server.
fn lookup(exchange: &SimulatedExchange, hosts: &[&str]) -> AutodiscoverBuilder {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, exchange.port()));
    let builder = nowhere(USER).with_trusted_roots(exchange.ca_pem().unwrap());
    let hosts = hosts.iter();
    hosts.fold(builder, |builder, host| {
        builder.with_host_address(*host, address)
    })
}

/// A look-up in which every host that may be asked leads to a closed port.
fn nowhere(address: &str) -> AutodiscoverBuilder {
    let closed = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
    let domain = address.rsplit('@').next().unwrap();
    let hosts = [
        domain,
        &format!("autodiscover.{domain}"),
        "autodiscover-s.outlook.com",
        "outlook.office365.com",
    ];
    let builder = Autodiscover::builder(address)
        .with_address_policy(this_machine())
        .with_timeout(Duration::from_secs(5));
    let hosts = hosts.iter();
    hosts.fold(builder, |builder, host| {
        builder.with_host_address(*host, closed)
    })
}

/// The servers of these tests are on this machine.
fn this_machine() -> AddressPolicy {
    AddressPolicy::on_premises(["127.0.0.1"]).unwrap()
}

/// Makes tokens, and notes for whom.
#[derive(Debug, Default)]
struct Tokens(Mutex<Vec<String>>);

#[async_trait]
impl CredentialProvider for Tokens {
    async fn access_token(&self, _: &Scope, resource: &str) -> Result<Option<AccessToken>> {
        self.0.lock().unwrap().push(resource.to_owned());
        Ok(Some(AccessToken::new(SECRET, None)))
    }
}

/// A socket that answers nothing and counts the bytes that come.
struct Trap {
    address: SocketAddr,
    bytes: Arc<Mutex<Vec<u8>>>,
}

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let caught = Arc::clone(&bytes);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { return };
                let mut buffer = [0; 4096];
                let _set = stream.set_read_timeout(Some(Duration::from_millis(200)));
                while let Ok(read) = stream.read(&mut buffer) {
                    if read == 0 {
                        break;
                    }
                    caught.lock().unwrap().extend_from_slice(&buffer[..read]);
                }
            }
        });
        Self { address, bytes }
    }

    fn caught(&self) -> Vec<u8> {
        self.bytes.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn the_service_is_found_without_credentials() {
    let server = exchange(&[SERVICE]).start().await.unwrap();
    let answer = lookup(&server, &[SERVICE])
        .build()
        .unwrap()
        .discover()
        .await
        .unwrap();
    assert_eq!(
        answer.ews_url,
        "https://autodiscover.corp.example/EWS/Exchange.asmx"
    );
    assert_eq!(answer.public_folder_information, None);
    let tried: Vec<_> = answer.tried.iter().map(ToString::to_string).collect();
    assert_eq!(tried, ["autodiscover.corp.example (JSON): found"]);
    let calls = server.autodiscover_calls();
    assert_eq!(calls.len(), 1);
    assert_eq!(
        (calls[0].host.as_str(), calls[0].with_credentials),
        (SERVICE, false)
    );
    assert_eq!(calls[0].mailbox.as_deref(), Some(USER));
    let shown = format!("{answer:?}");
    assert!(shown.starts_with("AutodiscoverAnswer { public_folders: false, tried: ["));
    assert!(!shown.contains("svc@"));
}

#[tokio::test]
async fn the_domain_itself_is_asked_after_autodiscover_below_it() {
    let server = exchange(&[WEB_SITE]).start().await.unwrap();
    let answer = lookup(&server, &[WEB_SITE])
        .build()
        .unwrap()
        .discover()
        .await
        .unwrap();
    let tried: Vec<_> = answer.tried.iter().map(ToString::to_string).collect();
    assert_eq!(
        tried,
        [
            "autodiscover.corp.example (JSON): http.connect",
            "corp.example (JSON): found"
        ]
    );
}

#[tokio::test]
async fn a_full_url_is_used_as_it_is_and_a_bare_domain_asks_that_domain_only() {
    let full = "https://mail.corp.example/EWS/Exchange.asmx";
    let given =
        Autodiscover::builder("").with_service_address(ServiceAddress::parse(full).unwrap());
    let answer = given.build().unwrap().discover().await.unwrap();
    assert_eq!((answer.ews_url.as_str(), answer.tried.len()), (full, 0));

    let domain = nowhere("svc@else.example")
        .with_service_address(ServiceAddress::parse("corp.example").unwrap())
        .with_host_address(SERVICE, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)))
        .with_host_address(WEB_SITE, SocketAddr::from((Ipv4Addr::LOCALHOST, 9)));
    let error = domain.build().unwrap().discover().await.unwrap_err();
    assert_eq!(error.code(), "autodiscover.not_found");
    let detail = error.detail().unwrap();
    assert_eq!(
        detail,
        "autodiscover.corp.example (JSON): http.connect; corp.example (JSON): http.connect"
    );
}

#[tokio::test]
async fn a_token_goes_to_microsoft_and_brings_the_public_folders() {
    let microsoft = ["outlook.office365.com", "autodiscover-s.outlook.com"];
    let server = exchange(&microsoft)
        .with_mailbox(USER)
        .start()
        .await
        .unwrap();
    let tokens = Arc::new(Tokens::default());
    let lookup = lookup(&server, &microsoft)
        .with_access_token(Arc::<Tokens>::clone(&tokens), Scope::default())
        .with_cloud(AutodiscoverCloud::Worldwide);
    let answer = lookup.build().unwrap().discover().await.unwrap();
    assert_eq!(
        answer.ews_url,
        "https://outlook.office365.com/EWS/Exchange.asmx"
    );
    // The simulated server knows no such token: who is asked is what counts here.
    let soap: Vec<_> = answer
        .tried
        .iter()
        .filter(|tried| tried.protocol == AutodiscoverProtocol::Soap)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        soap,
        [
            "autodiscover.corp.example (SOAP): not asked: the host gets no token",
            "corp.example (SOAP): not asked: the host gets no token",
            "outlook.office365.com (SOAP): status 401",
            "autodiscover-s.outlook.com (SOAP): status 401",
        ]
    );
    let asked = tokens.0.lock().unwrap().clone();
    assert_eq!(
        asked,
        [
            "https://outlook.office365.com",
            "https://autodiscover-s.outlook.com"
        ]
    );
}

#[tokio::test]
async fn the_settings_say_where_the_public_folders_are() {
    let microsoft = ["outlook.office365.com", "autodiscover-s.outlook.com"];
    let server = exchange(&microsoft).with_autodiscover_token(SECRET);
    let server = server
        .with_routing_enforced("corp.example")
        .start()
        .await
        .unwrap();
    let lookup = || {
        let tokens = Arc::new(Tokens::default());
        lookup(&server, &microsoft).with_access_token(tokens, Scope::default())
    };
    let answer = lookup().build().unwrap().discover().await.unwrap();
    assert_eq!(
        answer.public_folder_information,
        Some(server.information_address())
    );
    assert_eq!(
        answer.internal_rpc_client_server,
        Some(server.hierarchy_address())
    );
    assert_eq!(answer.smtp_address.as_deref(), Some(USER));
    assert!(!format!("{answer:?}").contains('@'));

    let target = "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc";
    let fault = AutodiscoverFault::RedirectUrl(target.to_owned());
    server.set_autodiscover_fault(Some(fault));
    let answer = lookup().build().unwrap().discover().await.unwrap();
    assert_eq!(answer.public_folder_information, None);
    let soap = answer.tried.iter().map(ToString::to_string);
    let soap: Vec<_> = soap.filter(|text| text.contains("outlook")).collect();
    assert_eq!(
        soap,
        [
            "outlook.office365.com (JSON): found",
            "outlook.office365.com (SOAP): redirect",
            "autodiscover-s.outlook.com (SOAP): redirect",
            "autodiscover-s.outlook.com (SOAP): asked before",
            "autodiscover-s.outlook.com (SOAP): asked before",
        ]
    );
}

#[tokio::test]
async fn an_address_is_followed_to_the_tenant_and_not_to_strangers() {
    let microsoft = ["outlook.office365.com"];
    for (target, followed) in [
        ("svc@corp.mail.onmicrosoft.com", true),
        ("svc@sub.corp.example", true),
        ("svc@evil.example", false),
        ("svc@example", false),
        ("nonsense", false),
    ] {
        let server = exchange(&microsoft)
            .with_autodiscover_token(SECRET)
            .with_mailbox(USER)
            .with_mailbox(target)
            .with_autodiscover_fault(AutodiscoverFault::RedirectAddress(target.to_owned()));
        let server = server.start().await.unwrap();
        let lookup = lookup(&server, &microsoft)
            .with_access_token(Arc::new(Tokens::default()), Scope::default());
        let answer = lookup.build().unwrap().discover().await.unwrap();
        let expected = followed.then_some(target);
        assert_eq!(answer.smtp_address.as_deref(), expected, "{target}");
    }
}

#[tokio::test]
async fn what_goes_wrong_with_one_host_is_said_and_the_next_is_asked() {
    for (fault, outcome) in [
        (AutodiscoverFault::HtmlPage, "no service in the answer"),
        (AutodiscoverFault::OtherContent, "no service in the answer"),
        (AutodiscoverFault::Unauthorized, "status 401"),
        (AutodiscoverFault::Status(503), "status 503"),
        (AutodiscoverFault::Status(404), "status 404"),
    ] {
        let server = exchange(&[SERVICE]).with_autodiscover_fault(fault.clone());
        let server = server.start().await.unwrap();
        let error = lookup(&server, &[SERVICE])
            .build()
            .unwrap()
            .discover()
            .await
            .unwrap_err();
        assert_eq!(error.code(), "autodiscover.not_found", "{fault:?}");
        let expected = format!(
            "autodiscover.corp.example (JSON): {outcome}; corp.example (JSON): http.connect; \
             outlook.office365.com (JSON): http.connect; \
             autodiscover-s.outlook.com (JSON): http.connect"
        );
        assert_eq!(error.detail(), Some(&*expected), "{fault:?}");
    }
}

#[tokio::test]
async fn a_host_without_its_own_certificate_is_not_believed() {
    for (kind, code) in [
        (TlsCertificate::WrongHost, "http.tls_host"),
        (TlsCertificate::Expired, "http.tls_expired"),
        (TlsCertificate::SelfSigned, "http.tls_untrusted"),
    ] {
        let server = exchange(&[SERVICE]).with_tls(kind).start().await.unwrap();
        let error = lookup(&server, &[SERVICE])
            .build()
            .unwrap()
            .discover()
            .await
            .unwrap_err();
        let detail = error.detail().unwrap();
        assert!(
            detail.starts_with(&format!("autodiscover.corp.example (JSON): {code};")),
            "{kind:?} {detail}"
        );
        assert_eq!(server.autodiscover_calls(), []);
    }
}

#[tokio::test]
async fn redirects_are_judged_and_end() {
    let server = exchange(&[SERVICE, WEB_SITE]).start().await.unwrap();
    for (target, code, calls) in [
        // To itself, and between the two hosts of the domain: each question is asked once.
        (
            "https://autodiscover.corp.example/autodiscover/autodiscover.json",
            "autodiscover.not_found",
            3,
        ),
        (
            "https://corp.example/autodiscover/autodiscover.json?x=1",
            "autodiscover.not_found",
            3,
        ),
        ("http://autodiscover.corp.example/", "autodiscover.host", 2),
        (
            "https://evil.example/autodiscover/autodiscover.json",
            "autodiscover.host",
            2,
        ),
        ("https://autodiscover.example/", "autodiscover.host", 2),
        ("https://user:secret@corp.example/", "autodiscover.host", 2),
        ("https://corp.example:8443/", "autodiscover.host", 2),
        ("https://10.0.0.1/", "autodiscover.host", 2),
        ("file:///etc/passwd", "autodiscover.host", 2),
    ] {
        server.set_autodiscover_fault(Some(AutodiscoverFault::Redirect(target.to_owned())));
        let before = server.autodiscover_calls().len();
        let lookup = lookup(&server, &[SERVICE, WEB_SITE]).with_cloud(AutodiscoverCloud::None);
        let error = lookup.build().unwrap().discover().await.unwrap_err();
        assert_eq!(error.code(), code, "{target}");
        assert_eq!(
            server.autodiscover_calls().len() - before,
            calls,
            "{target}"
        );
    }
}

#[tokio::test]
async fn a_service_elsewhere_is_refused_until_a_person_accepts_its_host() {
    let elsewhere = "https://mail.hosting.example/EWS/Exchange.asmx";
    let server = exchange(&[SERVICE]).with_autodiscover_url(elsewhere);
    let server = server.start().await.unwrap();
    let lookup = || lookup(&server, &[SERVICE]);
    let error = lookup().build().unwrap().discover().await.unwrap_err();
    assert_eq!(error.code(), "autodiscover.host");
    assert!(
        error
            .detail()
            .unwrap()
            .starts_with("mail.hosting.example was named")
    );
    let accepted = lookup()
        .with_accepted_host("mail.hosting.example")
        .build()
        .unwrap();
    assert_eq!(accepted.discover().await.unwrap().ews_url, elsewhere);
    let within = exchange(&[SERVICE]).with_autodiscover_url("https://mail.corp.example/ews");
    let within = within.start().await.unwrap();
    let lookup = self::lookup(&within, &[SERVICE]).build().unwrap();
    assert_eq!(
        lookup.discover().await.unwrap().ews_url,
        "https://mail.corp.example/ews"
    );
    for host in ["", "a b", "10.0.0.1"] {
        let error = nowhere(USER).with_accepted_host(host).build().unwrap_err();
        assert_eq!(error.code(), "config.invalid", "{host}");
    }
}

/// The names that Guardicore bought in 2021 to which clients went up, with a domain below each.
const HARVESTERS: &[(&str, &str)] = &[
    ("acme-handel.com.br", "autodiscover.com.br"),
    ("acme-handel.com.cn", "autodiscover.com.cn"),
    ("acme-handel.com.co", "autodiscover.com.co"),
    ("acme-handel.es", "autodiscover.es"),
    ("acme-handel.fr", "autodiscover.fr"),
    ("acme-handel.in", "autodiscover.in"),
    ("acme-handel.it", "autodiscover.it"),
    ("acme-handel.sg", "autodiscover.sg"),
    ("acme-handel.uk", "autodiscover.uk"),
    ("acme-handel.xyz", "autodiscover.xyz"),
    ("acme-handel.online", "autodiscover.online"),
    ("acme-handel.com", "autodiscover.com"),
    ("mail.acme-handel.co.uk", "autodiscover.acme-handel.co.uk"),
    ("mail.acme-handel.co.uk", "autodiscover.co.uk"),
];

#[tokio::test]
async fn check_05_no_byte_goes_above_the_domain_or_to_a_host_that_is_not_allowed() {
    let control = Trap::set();
    let own = nowhere(USER).with_host_address(SERVICE, control.address);
    own.build().unwrap().discover().await.unwrap_err();
    assert_ne!(control.caught(), b"", "the trap sees who comes");
    for (domain, harvester) in HARVESTERS {
        let trap = Trap::set();
        let builder = nowhere(&format!("svc@{domain}"))
            .with_access_token(Arc::new(Tokens::default()), Scope::default())
            .with_host_address(*harvester, trap.address);
        let error = builder.build().unwrap().discover().await.unwrap_err();
        assert_eq!(error.code(), "autodiscover.not_found", "{domain}");
        assert!(!error.detail().unwrap().contains(harvester), "{domain}");
        assert_eq!(trap.caught(), b"", "{harvester}");
    }
    for domain in ["com.br", "co.uk", "com", "localhost", "127.0.0.1"] {
        let error = nowhere(&format!("svc@{domain}"));
        let error = error.build().unwrap().discover().await.unwrap_err();
        assert_eq!(error.code(), "autodiscover.domain", "{domain}");
    }
}

#[tokio::test]
async fn check_05_a_redirect_to_a_foreign_host_brings_it_no_byte() {
    let trap = Trap::set();
    let hosts = [SERVICE, "outlook.office365.com"];
    let foreign = "https://evil.example/autodiscover/autodiscover.svc";
    let server = exchange(&hosts).start().await.unwrap();
    for fault in [
        AutodiscoverFault::Redirect(foreign.to_owned()),
        AutodiscoverFault::RedirectUrl(foreign.to_owned()),
        AutodiscoverFault::RedirectAddress("svc@evil.example".to_owned()),
    ] {
        server.set_autodiscover_fault(Some(fault));
        let lookup = lookup(&server, &hosts)
            .with_access_token(Arc::new(Tokens::default()), Scope::default())
            .with_host_address("evil.example", trap.address)
            .with_host_address("autodiscover.evil.example", trap.address);
        let _either_way = lookup.build().unwrap().discover().await;
    }
    assert_eq!(trap.caught(), b"");
}

#[tokio::test]
async fn check_04_an_address_that_is_given_for_a_host_is_checked() {
    let trap = Trap::set();
    let builder = Autodiscover::builder(USER)
        .with_cloud(AutodiscoverCloud::None)
        .with_host_address(SERVICE, trap.address)
        .with_host_address(WEB_SITE, trap.address);
    let error = builder.build().unwrap().discover().await.unwrap_err();
    assert!(error.detail().unwrap().contains("http.address_refused"));
    for account in [false, true] {
        let given = Arc::new(StaticCredentials::new().with_password(USER, SECRET));
        let builder = EwsSource::builder("https://mail.corp.example/EWS/Exchange.asmx")
            .with_host_address("mail.corp.example", trap.address);
        let builder = if account {
            builder.with_account(given)
        } else {
            builder.with_basic(given)
        };
        let source = builder.build().unwrap();
        let queue = r"\Queue\".parse::<email_logging::source::FolderPath>();
        let error = source
            .open_folder(&queue.unwrap().into())
            .await
            .unwrap_err();
        assert_eq!(error.code(), "http.address_refused");
    }
    assert_eq!(trap.caught(), b"");
}

#[tokio::test]
async fn check_05_the_password_never_goes_to_another_host_for_public_folder_routing() {
    let trap = Trap::set();
    let foreign = format!("https://localhost:{}/autodiscover.svc", trap.address.port());
    for (url, code) in [
        (foreign.as_str(), "config.invalid"),
        (
            "https://mail.corp.example:444/autodiscover/autodiscover.svc",
            "config.invalid",
        ),
        (
            "https://outlook.office365.com/autodiscover/autodiscover.svc",
            "ews.basic_online",
        ),
        (
            "https://mail.corp.example/autodiscover/autodiscover.svc",
            "built",
        ),
    ] {
        for account in [false, true] {
            let given = Arc::new(StaticCredentials::new().with_password(USER, SECRET));
            let routing = PublicFolderRouting::automatic(USER).with_autodiscover_url(url);
            let builder = EwsSource::builder("https://mail.corp.example/EWS/Exchange.asmx")
                .with_host_address("localhost", trap.address)
                .with_address_policy(this_machine())
                .with_public_folder_routing(routing);
            let builder = if account {
                builder.with_account(given)
            } else {
                builder.with_basic(given)
            };
            let built = builder.build();
            assert_eq!(
                built.map_or_else(|error| error.code(), |_| "built"),
                code,
                "{url}"
            );
        }
    }
    let refused = PublicFolderRouting::automatic(USER)
        .with_autodiscover_url("https://10.0.0.1/autodiscover/autodiscover.svc");
    let built = EwsSource::builder("https://mail.corp.example/EWS/Exchange.asmx")
        .with_access_token(Arc::new(Tokens::default()))
        .with_public_folder_routing(refused)
        .build();
    assert_eq!(built.unwrap_err().code(), "http.address_refused");
    assert_eq!(trap.caught(), b"");
}

#[tokio::test]
async fn check_05_on_premises_nothing_leads_to_microsofts_hosts() {
    let trap = Trap::set();
    let microsoft = "https://outlook.office365.com/autodiscover/autodiscover.svc";
    let server = exchange(&[SERVICE]).start().await.unwrap();
    for fault in [
        AutodiscoverFault::Redirect(microsoft.to_owned()),
        AutodiscoverFault::RedirectUrl(microsoft.to_owned()),
    ] {
        server.set_autodiscover_fault(Some(fault));
        let own = || {
            lookup(&server, &[SERVICE])
                .with_access_token(Arc::new(Tokens::default()), Scope::default())
                .with_accepted_host(SERVICE)
                .with_host_address("outlook.office365.com", trap.address)
        };
        for lookup in [
            own().with_cloud(AutodiscoverCloud::None),
            own().with_cloud(AutodiscoverCloud::China),
            own().with_service_address(ServiceAddress::parse("corp.example").unwrap()),
        ] {
            let _either_way = lookup.build().unwrap().discover().await;
        }
    }
    assert_eq!(trap.caught(), b"");
}

#[tokio::test]
async fn a_look_up_has_a_time_limit_as_a_whole() {
    // It takes connections and says nothing.
    let silent = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = silent.local_addr().unwrap();
    let hosts = [
        SERVICE,
        WEB_SITE,
        "autodiscover-s.outlook.com",
        "outlook.office365.com",
    ];
    let builder = hosts.iter().fold(nowhere(USER), |builder, host| {
        builder.with_host_address(*host, address)
    });
    let lookup = builder
        .with_timeout(Duration::from_mins(10))
        .with_time_limit(Duration::from_millis(100));
    let error = lookup.build().unwrap().discover().await.unwrap_err();
    assert_eq!(error.code(), "autodiscover.not_found");
}

#[tokio::test]
async fn check_05_a_token_never_reaches_the_web_site_of_the_domain() {
    let server = exchange(&[SERVICE, WEB_SITE]).start().await.unwrap();
    let lookup = lookup(&server, &[SERVICE, WEB_SITE])
        .with_access_token(Arc::new(Tokens::default()), Scope::default())
        .with_cloud(AutodiscoverCloud::None);
    lookup.build().unwrap().discover().await.unwrap();
    let calls = server.autodiscover_calls();
    assert!(
        calls
            .iter()
            .all(|call| !call.with_credentials && !call.is_soap),
        "{calls:?}"
    );
}

#[tokio::test]
async fn check_05_the_password_of_public_folder_routing_stays_at_the_host_of_the_service() {
    let trap = Trap::set();
    let hosts = ["mail.corp.example"];
    let foreign = "https://evil.example/autodiscover/autodiscover.svc".to_owned();
    let server = exchange(&hosts).start().await.unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
    for fault in [
        AutodiscoverFault::Redirect(foreign.clone()),
        AutodiscoverFault::RedirectUrl(foreign),
    ] {
        server.set_autodiscover_fault(Some(fault));
        let credentials = StaticCredentials::new().with_password(USER, SECRET);
        let source = EwsSource::builder("https://mail.corp.example/EWS/Exchange.asmx")
            .with_basic(Arc::new(credentials))
            .with_trusted_roots(server.ca_pem().unwrap())
            .with_address_policy(this_machine())
            .with_public_folder_routing(PublicFolderRouting::automatic(USER))
            .with_host_address("mail.corp.example", address)
            .with_host_address("evil.example", trap.address)
            .build()
            .unwrap();
        let queue = r"\Email Logging\Queue\".parse::<email_logging::source::FolderPath>();
        source.open_folder(&queue.unwrap().into()).await.unwrap();
    }
    assert_eq!(trap.caught(), b"");
    assert!(
        server
            .autodiscover_calls()
            .iter()
            .all(|call| call.host == "mail.corp.example")
    );
}

#[tokio::test]
async fn from_a_mail_address_alone_to_routed_public_folders() {
    let hosts = [SERVICE, "mail.corp.example"];
    let server = exchange(&hosts)
        .with_routing_enforced("corp.example")
        .with_autodiscover_url("https://mail.corp.example/EWS/Exchange.asmx");
    let server = server.start().await.unwrap();
    let found = lookup(&server, &[SERVICE])
        .build()
        .unwrap()
        .discover()
        .await
        .unwrap();
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, server.port()));
    let credentials = StaticCredentials::new().with_password(USER, SECRET);
    let source = EwsSource::builder(found.ews_url)
        .with_basic(Arc::new(credentials))
        .with_trusted_roots(server.ca_pem().unwrap())
        .with_address_policy(this_machine())
        .with_public_folder_routing(PublicFolderRouting::automatic(USER))
        .with_host_address("mail.corp.example", address)
        .build()
        .unwrap();
    let queue = r"\Email Logging\Queue\".parse::<email_logging::source::FolderPath>();
    let queue = source.open_folder(&queue.unwrap().into()).await.unwrap();
    assert!(queue.public);
}

#[test]
fn published_answers_are_understood() {
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/ews/responses");
    if !vectors.is_dir() {
        return skipped::skipped("the published autodiscover answers");
    }
    let read = |name: &str| {
        let text = std::fs::read(vectors.join(name)).unwrap();
        email_logging::source::ews::testing::read_user_settings(text)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let told = runtime.block_on(read(
        "ms-docs/getusersettings-operation-soap--01--GetUserSettingsResponseMessage.xml",
    ));
    let told = told.unwrap();
    assert_eq!(
        told.get("CasVersion").map(String::as_str),
        Some("14.00.0478.000")
    );
    let told = runtime.block_on(read(
        "ms-docs/handling-autodiscover-error-messages--00--GetUserSettingsResponseMessage.xml",
    ));
    let told = told.unwrap();
    assert_eq!(
        told.get("RedirectAddress").map(String::as_str),
        Some("elvin@mail.contoso.com")
    );
    for (name, code) in [("0", "InvalidSetting"), ("1", "InternalServerError")] {
        let name = format!("exchangelib/test_autodiscover__test_get_user_settings__{name}.xml");
        let told = runtime.block_on(read(&name)).unwrap();
        assert_eq!(told.get("ErrorCode").map(String::as_str), Some(code));
    }
}

/// The elements of a document in their order, each with its depth and without its prefix.
fn elements(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut depth = 0;
    for piece in document.split('<').skip(1) {
        let tag = piece.split('>').next().unwrap();
        match tag.chars().next().unwrap() {
            '?' | '!' => {}
            '/' => depth -= 1,
            _ => {
                let name = tag.split([' ', '/', '\n', '\r']).next().unwrap();
                let name = name.rsplit(':').next().unwrap();
                found.push((depth, name.to_owned()));
                depth += usize::from(!tag.ends_with('/'));
            }
        }
    }
    found
}

#[test]
fn the_request_has_the_elements_of_the_published_one() {
    let name =
        "how-to-route-public-folder-hierarchy-requests--01--GetUserSettingsRequestMessage.xml";
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/vectors/ews/requests");
    let Ok(published) = std::fs::read_to_string(vectors.join("ms-docs").join(name)) else {
        return skipped::skipped("the published autodiscover request");
    };
    let ours = email_logging::source::ews::testing::user_settings_request(
        "https://autodiscover-s.outlook.com/autodiscover/autodiscover.svc",
        "sonyaf@contoso.com",
        &["PublicFolderInformation", "InternalRpcClientServer"],
    );
    assert_eq!(elements(&ours), elements(&published));
}
