//! A browser that follows the redirects of a consent, and the page of the host that is called back: both over HTTP.

use reqwest::redirect::Policy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The host's page at the redirect URL.
pub(crate) struct Landing {
    listener: TcpListener,
    pub(crate) url: String,
}

impl Landing {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/OAuthLanding.htm", listener.local_addr().unwrap());
        Self { listener, url }
    }

    /// Lets a browser open an address, and answers the whole URL by which it called back.
    pub(crate) async fn visit(&self, address: &str, trusted: &str) -> String {
        let ((), called) = tokio::join!(browse(address, trusted), self.called());
        called
    }

    async fn called(&self) -> String {
        let (mut stream, _) = self.listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        let page = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK";
        stream.write_all(page.as_bytes()).await.unwrap();
        let request = String::from_utf8(request).unwrap();
        let target = request.split(' ').nth(1).unwrap();
        let origin = self.url.strip_suffix("/OAuthLanding.htm").unwrap();
        format!("{origin}{target}")
    }
}

/// A client that trusts these roots and follows redirects.
pub(crate) fn client(trusted: &str) -> reqwest::Client {
    // Only the first of many tests can install it, and all install the same.
    let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let root = reqwest::Certificate::from_pem_bundle(trusted.as_bytes()).unwrap();
    reqwest::Client::builder()
        .redirect(Policy::limited(5))
        .tls_certs_only(root)
        .no_proxy()
        .build()
        .unwrap()
}

async fn browse(address: &str, trusted: &str) {
    let page = client(trusted).get(address).send().await.unwrap();
    assert_eq!(page.status(), 200);
}
