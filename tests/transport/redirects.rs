//! Check 3: a redirect is an error, and its target gets nothing.

use crate::certificates::{HOST, Shown, identity};
use crate::listener::{Listener, Manner, Reached};
use crate::signing::{EVERY, Trust, refused};

#[tokio::test]
async fn check_03_a_redirect_is_never_followed() {
    let identity = identity(Shown::Good);
    let trust = Trust {
        roots: Some(identity.roots.clone()),
        ..Trust::default()
    };
    for status in [301, 302, 303, 307, 308] {
        for scheme in ["https", "http"] {
            let target = Listener::start(Manner {
                tls: (scheme == "https").then(|| identity.acceptor.clone()),
                answer: Some("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into()),
                closes: false,
            });
            let target = target.await;
            for sign_in in EVERY {
                let what = format!("{status} to {scheme}, {sign_in:?}");
                let answer = format!(
                    "HTTP/1.1 {status} Elsewhere\r\nLocation: {scheme}://{HOST}:{}/canary\r\n\
                     Content-Length: 0\r\n\r\n",
                    target.port()
                );
                let first = Listener::start(Manner {
                    tls: Some(identity.acceptor.clone()),
                    answer: Some(answer),
                    closes: false,
                });
                let first = first.await;
                let url = format!("https://{HOST}:{}/EWS/Exchange.asmx", first.port());
                let error = refused(sign_in, &url, &trust).await;
                assert_eq!(error.code(), "http.redirect", "{what}");
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("canary"), "{what}: {shown}");
                assert_eq!(first.finish().await.requests(), 1, "{what}");
            }
            assert_eq!(
                target.finish().await,
                Reached::default(),
                "{status} {scheme}"
            );
        }
    }
}
