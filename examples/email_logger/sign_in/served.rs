//! The page on the loopback address that the browser is sent back to. It takes one callback, and lets the browser wait
//! until it is known what came of it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use email_logging::error::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::page;
use super::redirect::{Place, Redirect};
use crate::exit::Failure;

/// Bytes of a request's head; a callback is far shorter.
const LONGEST: usize = 32 * 1024;

/// How long a browser may take to send a request, or to take an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The page, as long as it is served.
pub(super) struct Served {
    redirect: Redirect,
    came: Mutex<mpsc::Receiver<Came>>,
    waiting: Mutex<Option<TcpStream>>,
}

/// A callback, and the browser that waits for its answer.
struct Came {
    url: String,
    browser: TcpStream,
}

impl Served {
    /// Begins to listen at the place of the redirect URL.
    pub(super) async fn listen(configured: Option<&str>, port: u16) -> Result<Self, Failure> {
        let place = Place::of(configured, port)?;
        let (first, others) = place
            .addresses()
            .split_first()
            .unwrap_or((&"127.0.0.1", &[]));
        let failed = |error| Failure::input("the page for the browser cannot be served", &error);
        let listener = TcpListener::bind((*first, place.port))
            .await
            .map_err(failed)?;
        let port = listener.local_addr().map_err(failed)?.port();
        let mut listeners = vec![listener];
        for address in others {
            // A machine without IPv6 is called back over IPv4.
            listeners.extend(TcpListener::bind((*address, port)).await.ok());
        }
        let redirect = place.redirect(port);
        let (sender, came) = mpsc::channel(1);
        for listener in listeners {
            tokio::spawn(serve(listener, Arc::new(redirect.clone()), sender.clone()));
        }
        Ok(Self {
            redirect,
            came: Mutex::new(came),
            waiting: Mutex::default(),
        })
    }

    /// The redirect URL, with its port.
    pub(super) fn redirect(&self) -> &str {
        &self.redirect.url
    }

    /// The URL of the callback, once it comes.
    pub(super) async fn callback(&self) -> String {
        let Some(came) = self.came.lock().await.recv().await else {
            return std::future::pending().await;
        };
        *self.waiting.lock().await = Some(came.browser);
        came.url
    }

    /// Tells the person in front of the browser how it ended. A browser that is gone does not matter.
    pub(super) async fn answer(&self, outcome: Result<(), &Error>) {
        if let Some(browser) = self.waiting.lock().await.take() {
            let page = page::of(outcome);
            let _ = timeout(PATIENCE, reply(browser, "200 OK", &page)).await;
        }
    }
}

/// Browsers open connections that they may never use, so that each has a task of its own.
async fn serve(listener: TcpListener, redirect: Arc<Redirect>, sender: mpsc::Sender<Came>) {
    while let Ok((browser, _)) = listener.accept().await {
        let (redirect, sender) = (Arc::clone(&redirect), sender.clone());
        tokio::spawn(async move {
            let _ = timeout(PATIENCE, connection(browser, &redirect, &sender)).await;
        });
    }
}

async fn connection(
    mut browser: TcpStream,
    redirect: &Redirect,
    sender: &mpsc::Sender<Came>,
) -> io::Result<()> {
    let target = target(&mut browser).await?;
    let path = target.as_deref().map(|target| target.split('?').next());
    match target {
        Some(target) if path == Some(Some(&redirect.path)) => {
            let origin = redirect
                .url
                .strip_suffix(&redirect.path)
                .unwrap_or_default();
            let url = format!("{origin}{target}");
            // Only the first callback is waited for; another browser is told nothing.
            let _ = sender.send(Came { url, browser }).await;
            Ok(())
        }
        _ => reply(browser, "404 Not Found", &page::elsewhere()).await,
    }
}

/// What a GET asks for; `None` for anything else.
async fn target(browser: &mut TcpStream) -> io::Result<Option<String>> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() > LONGEST || browser.read_buf(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let head = String::from_utf8_lossy(&head);
    let mut words = head.lines().next().unwrap_or_default().split(' ');
    let is_get = words.next() == Some("GET");
    let target = words
        .next()
        .filter(|target| is_get && target.starts_with('/'));
    Ok(target.map(str::to_owned))
}

/// The address of the page holds a code that is used up; it is neither kept nor told to other sites all the same.
async fn reply(mut browser: TcpStream, status: &str, page: &str) -> io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nCache-Control: no-store\r\n\
         Referrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'; \
         style-src 'unsafe-inline'\r\nConnection: close\r\n\r\n",
        page.len()
    );
    browser.write_all(head.as_bytes()).await?;
    browser.write_all(page.as_bytes()).await?;
    browser.shutdown().await
}
