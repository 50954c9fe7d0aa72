//! Check 1: a server that does not prove who it is gets no byte of a credential.

use email_logging::ErrorKind;
use email_logging::source::MailSource as _;
use email_logging::source::ews::EwsSource;

use crate::certificates::{HOST, Identity, Shown, identity};
use crate::listener::{Listener, Manner, Reached};
use crate::signing::{EVERY, SignIn, Trust, credentials, loopback, needles, refused};
use crate::support::{all, folder};

/// An answer that ends every way of signing in at once.
const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";

/// The code of a request to a server with this identity, and what reached the server.
async fn code_and_bytes(
    identity: &Identity,
    sign_in: SignIn,
    trust: &Trust,
) -> (&'static str, Reached) {
    let listener = Listener::start(Manner {
        tls: Some(identity.acceptor.clone()),
        answer: Some(UNAUTHORIZED.into()),
        closes: false,
    });
    let listener = listener.await;
    let url = format!("https://{HOST}:{}/EWS/Exchange.asmx", listener.port());
    let error = refused(sign_in, &url, trust).await;
    (error.code(), listener.finish().await)
}

fn assert_no_credential(reached: &Reached, what: &str) {
    assert_eq!(reached.text(), "", "{what}: nothing was sent within TLS");
    let raw = String::from_utf8_lossy(&reached.raw);
    for needle in needles() {
        assert!(
            !raw.contains(&needle),
            "{what}: {needle} went over the wire"
        );
    }
}

fn roots(pem: &str) -> Trust {
    Trust {
        roots: Some(pem.to_owned()),
        ..Trust::default()
    }
}

#[tokio::test]
async fn check_01_a_bad_certificate_gets_no_credential_by_any_sign_in() {
    for (shown, code) in [
        (Shown::WrongHost, "http.tls_host"),
        (Shown::Expired, "http.tls_expired"),
        (Shown::NotYetValid, "http.tls_not_yet_valid"),
        (Shown::SelfSigned, "http.tls_untrusted"),
        (Shown::OtherAuthority, "http.tls_untrusted"),
    ] {
        let identity = identity(shown);
        for sign_in in EVERY {
            let what = format!("{shown:?} {sign_in:?}");
            let trust = roots(&identity.roots);
            let (got, reached) = code_and_bytes(&identity, sign_in, &trust).await;
            assert_eq!(got, code, "{what}");
            assert_eq!(reached.connections, 1, "{what}: not tried again");
            assert!(!reached.raw.is_empty(), "{what}: a handshake began");
            assert_no_credential(&reached, &what);
        }
    }
}

#[tokio::test]
async fn check_01_a_good_certificate_gets_the_credential_so_that_the_others_prove_something() {
    let identity = identity(Shown::Good);
    for sign_in in EVERY {
        let (_, reached) = code_and_bytes(&identity, sign_in, &roots(&identity.roots)).await;
        let [canary, basic, header] = needles();
        let text = reached.text();
        let secret = if sign_in == SignIn::Basic {
            basic
        } else {
            canary
        };
        assert!(text.contains(&secret), "{sign_in:?}: {text}");
        assert!(
            sign_in == SignIn::App || text.contains(&header),
            "{sign_in:?}"
        );
        let raw = String::from_utf8_lossy(&reached.raw);
        assert!(!raw.contains(&secret), "{sign_in:?}: only within TLS");
    }
}

#[tokio::test]
async fn check_01_the_platforms_roots_trust_no_private_authority() {
    let identity = identity(Shown::Good);
    for sign_in in EVERY {
        let (code, reached) = code_and_bytes(&identity, sign_in, &Trust::default()).await;
        assert_eq!(code, "http.tls_untrusted", "{sign_in:?}");
        assert_no_credential(&reached, "platform");
    }
}

#[tokio::test]
async fn check_01_a_pinned_key_is_the_only_one_that_is_accepted() {
    let unauthorized = "http.unauthorized";
    let other = identity(Shown::Good).pin;
    for (shown, with_roots, pin, code) in [
        // The key stands instead of an authority.
        (Shown::Good, false, "own", unauthorized),
        (Shown::SelfSigned, false, "own", unauthorized),
        (Shown::OtherAuthority, false, "own", unauthorized),
        (Shown::SelfSigned, false, "other and own", unauthorized),
        // It excuses nothing else.
        (Shown::WrongHost, false, "own", "http.tls_host"),
        (Shown::Expired, false, "own", "http.tls_expired"),
        (Shown::NotYetValid, false, "own", "http.tls_not_yet_valid"),
        (Shown::Good, false, "other", "http.tls_pin"),
        (Shown::SelfSigned, false, "other", "http.tls_pin"),
        // Beside roots both have to hold.
        (Shown::Good, true, "own", unauthorized),
        (Shown::Good, true, "other", "http.tls_pin"),
        (Shown::OtherAuthority, true, "own", "http.tls_untrusted"),
    ] {
        let identity = identity(shown);
        let pins = match pin {
            "own" => vec![format!("sha256/{}", identity.pin)],
            "other" => vec![other.clone()],
            _ => vec![other.clone(), format!("sha256//{}", identity.pin)],
        };
        let roots = with_roots.then(|| identity.roots.clone());
        let what = format!("{shown:?}, roots {with_roots}, pin {pin}");
        let trust = Trust { roots, pins };
        let (got, reached) = code_and_bytes(&identity, SignIn::Basic, &trust).await;
        assert_eq!(got, code, "{what}");
        if code != unauthorized {
            assert_no_credential(&reached, &what);
        }
    }
}

#[tokio::test]
async fn check_01_a_certificate_that_signs_for_itself_is_trusted_as_its_own_root() {
    let identity = identity(Shown::SelfSigned);
    let (code, _) = code_and_bytes(&identity, SignIn::Basic, &roots(&identity.leaf)).await;
    assert_eq!(code, "http.unauthorized");
}

#[tokio::test]
async fn check_01_a_certificate_error_is_no_setting_and_says_what_to_do() {
    let identity = identity(Shown::Expired);
    let listener = Listener::start(Manner {
        tls: Some(identity.acceptor.clone()),
        answer: None,
        closes: false,
    });
    let listener = listener.await;
    let url = format!("https://{HOST}:{}/", listener.port());
    let error = refused(SignIn::Basic, &url, &roots(&identity.roots)).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(
        error.detail(),
        Some("it was valid until 2001-01-01T00:00:00Z")
    );
    assert!(error.remedy().contains("Renew"), "{}", error.remedy());
}

#[tokio::test]
async fn check_01_no_version_below_tls_1_2_is_offered() {
    let listener = Listener::start(Manner {
        tls: None,
        answer: Some("HTTP/1.1 400 This is no TLS\r\n\r\n".into()),
        closes: false,
    });
    let listener = listener.await;
    let url = format!("https://{HOST}:{}/", listener.port());
    let source = EwsSource::builder(url)
        .with_address_policy(loopback())
        .with_name_resolver(crate::signing::this_machine())
        .with_basic(credentials())
        .with_repeats(0)
        .with_first_byte_timeout(std::time::Duration::from_millis(300))
        .build()
        .unwrap();
    source.list(&folder("Q"), all()).await.unwrap_err();
    drop(source);
    let reached = listener.finish().await;
    assert_eq!(offered_versions(&reached.raw), [0x0304, 0x0303]);
}

/// The versions in the `supported_versions` of a ClientHello (RFC 8446, 4.1.2 and 4.2.1).
fn offered_versions(record: &[u8]) -> Vec<u16> {
    assert_eq!(
        (record[0], record[5]),
        (22, 1),
        "a handshake with a ClientHello"
    );
    assert_eq!(record[9..11], [3, 3], "TLS 1.2 in the old place");
    let two = |at: usize| usize::from(u16::from_be_bytes([record[at], record[at + 1]]));
    let session = 11 + 32;
    let suites = session + 1 + usize::from(record[session]);
    let compression = suites + 2 + two(suites);
    let mut at = compression + 1 + usize::from(record[compression]) + 2;
    while two(at) != 43 {
        at += 4 + two(at + 2);
    }
    let list = &record[at + 5..at + 4 + two(at + 2)];
    let versions = list
        .chunks(2)
        .map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    versions.collect()
}
