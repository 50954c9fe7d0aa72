//! Checks 13 and 14: what a server says reaches no log as it came, and no error holds a body or a token.

use std::error::Error as _;
use std::io::Write;
use std::sync::{Arc, Mutex};

use email_logging::Error;
use email_logging::source::MailSource as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::certificates::{HOST, Shown, identity};
use crate::listener::{Listener, Manner};
use crate::signing::{CANARY, EVERY, SignIn, Trust, refused, source};
use crate::support::{all, folder};

/// In every text of the server that must not be repeated.
const BODY: &str = "body-5d21";

/// What ends a line, colours a terminal, cuts a text short, or turns its direction.
const HOSTILE: &str = "\u{1b}[31mRED\r\nFORGED line\u{7}\u{9b}2J\u{202e}\u{2028}";

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// An answer with this body; the length is right.
fn answer(head: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {head}Content-Type: text/xml; charset=utf-8\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn fault(code: &str) -> String {
    format!(
        "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body><s:Fault>\
         <faultcode>{code}</faultcode><faultstring>{BODY}</faultstring><detail>\
         <e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">\
         {code}</e:ResponseCode><e:Message xmlns:e=\
         \"http://schemas.microsoft.com/exchange/services/2006/errors\">{BODY}</e:Message></detail>\
         </s:Fault></s:Body></s:Envelope>"
    )
}

/// Answers that an attacker would give: in the body, in the headers, in the status line.
fn answers() -> Vec<(&'static str, String)> {
    let references = "&#27;[31mRED&#13;&#10;FORGED line&#0;&#7;&#155;2J&#8238;&#8232;";
    let json = "\\u001b[31mRED\\r\\nFORGED line\\u0000\\u0007\\u009b2J\\u202e\\u2028";
    let token_error = format!("{{\"error\":\"{json}\",\"error_description\":\"{BODY} {json}\"}}");
    let headers = format!(
        "401 Unauthorized\r\nrequest-id: \t[31mRED\u{9b}2J\u{202e}\r\nx-feserver: \u{85}FORGED\r\n\
         x-ms-diagnostics: 1;reason=\"{BODY}\";error_category=\"\tRED\u{9b}\"\r\n\
         WWW-Authenticate: \u{9b}2J\tRED realm=\"{BODY}\"\r\n"
    );
    let tabs = format!(
        "401 Unauthorized\r\nrequest-id: a\tRED\r\nx-feserver: b\tRED\r\n\
         x-ms-diagnostics: 1;reason=\"{BODY}\";error_category=\"c\tRED\"\r\n\
         WWW-Authenticate: NTLM\tRED\r\nWWW-Authenticate: Basic realm=\"{BODY}\"\r\n"
    );
    vec![
        ("raw fault", answer("500 x\r\n", &fault(HOSTILE))),
        ("raw fault with 200", answer("200 x\r\n", &fault(HOSTILE))),
        (
            "fault of references",
            answer("500 x\r\n", &fault(references)),
        ),
        (
            "long code",
            answer("500 x\r\n", &fault(&"FORGED\n".repeat(5000))),
        ),
        (
            "login page",
            answer("200 x\r\n", &format!("<html>{BODY}{HOSTILE}</html>")),
        ),
        ("no XML", answer("200 x\r\n", &format!("{BODY}{HOSTILE}\0"))),
        ("token error", answer("400 x\r\n", &token_error)),
        (
            "no token",
            answer(
                "200 x\r\n",
                &format!("{{\"access_token\":7,\"{BODY}\":\"{json}\"}}"),
            ),
        ),
        ("headers", answer(&headers, BODY)),
        ("headers with tabs", answer(&tabs, BODY)),
        (
            "status line",
            answer(&format!("500 {BODY}\u{9b}2J\t\r\n"), BODY),
        ),
        (
            "echo",
            answer(
                "403 x\r\n",
                &format!("{CANARY}-password {CANARY}-token {CANARY}-secret"),
            ),
        ),
        ("no HTTP", format!("{BODY}{HOSTILE}\r\n\r\n")),
        (
            "broken header",
            format!("HTTP/1.1 200 x\r\n{BODY}\u{1b}[31m\r\n\r\n"),
        ),
        (
            "redirect",
            answer(
                &format!("302 x\r\nLocation: https://x/?{BODY}={CANARY}\r\n"),
                BODY,
            ),
        ),
    ]
}

/// Everything that can be seen of an error, with all its causes.
fn shown(error: &Error) -> Vec<String> {
    let mut texts = vec![
        error.to_string(),
        format!("{error:?}"),
        format!("{error:#?}").replace('\n', " "),
        error.detail().unwrap_or_default().to_owned(),
        format!("{:?}", error.server()),
    ];
    let mut cause = error.source();
    while let Some(error) = cause {
        texts.push(error.to_string());
        texts.push(format!("{error:?}"));
        cause = error.source();
    }
    texts
}

/// Characters that a log or a terminal must never get from a server.
fn is_hostile(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}')
}

fn secrets(trust: &Trust) -> Vec<String> {
    let basic = format!("svc@corp.example:{CANARY}-password");
    let basic = base64_simd::STANDARD.encode_to_string(basic);
    vec![
        CANARY.into(),
        BODY.into(),
        basic,
        trust.roots.clone().unwrap(),
    ]
}

async fn error_of(sign_in: SignIn, answer: String) -> (Error, Trust) {
    let identity = identity(Shown::Good);
    let listener = Listener::start(Manner {
        tls: Some(identity.acceptor.clone()),
        answer: Some(answer),
        closes: true,
    });
    let listener = listener.await;
    let trust = Trust {
        roots: Some(identity.roots),
        ..Trust::default()
    };
    let url = format!(
        "https://{HOST}:{}/EWS/Exchange.asmx?{CANARY}",
        listener.port()
    );
    let source = source(sign_in, &url, &trust).unwrap();
    let error = source.list(&folder("Q"), all()).await.unwrap_err();
    drop(source);
    listener.finish().await;
    (error, trust)
}

#[tokio::test]
async fn check_14_no_error_holds_a_body_or_a_token() {
    for (name, answer) in answers() {
        for sign_in in EVERY {
            let (error, trust) = error_of(sign_in, answer.clone()).await;
            for text in shown(&error) {
                for secret in secrets(&trust) {
                    assert!(
                        !text.contains(&secret),
                        "{name} {sign_in:?}: {secret} in {text}"
                    );
                }
            }
        }
    }
}

#[tokio::test]
async fn check_13_no_error_holds_a_character_that_ends_a_line_or_steers_a_terminal() {
    for (name, answer) in answers() {
        for sign_in in EVERY {
            let (error, _) = error_of(sign_in, answer.clone()).await;
            for text in shown(&error) {
                assert!(!text.contains(is_hostile), "{name} {sign_in:?}: {text:?}");
                assert!(
                    text.len() < 4000,
                    "{name} {sign_in:?}: {} bytes",
                    text.len()
                );
            }
        }
    }
}

#[tokio::test]
async fn check_13_names_in_a_certificate_are_not_repeated_as_they_are() {
    let identity = identity(Shown::HostileNames);
    let listener = Listener::start(Manner {
        tls: Some(identity.acceptor.clone()),
        ..Manner::default()
    });
    let listener = listener.await;
    let trust = Trust {
        roots: Some(identity.roots),
        ..Trust::default()
    };
    let url = format!("https://{HOST}:{}/", listener.port());
    let error = refused(SignIn::Basic, &url, &trust).await;
    assert_eq!(error.code(), "http.tls_host");
    let detail = error.detail().unwrap();
    assert!(
        detail.ends_with(" and 47 more") && detail.contains("0??31m??FORGED?line"),
        "{detail}"
    );
    for text in shown(&error) {
        assert!(!text.contains(is_hostile), "{text:?}");
        assert!(text.len() < 4000, "{} bytes", text.len());
    }
}

#[test]
fn check_13_log_lines_hold_no_line_of_a_server_and_no_secret() {
    let captured = Captured::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_ansi(false)
        .with_writer(captured.clone())
        .finish();
    let mut all_secrets = Vec::new();
    tracing::subscriber::with_default(subscriber, || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.unwrap().block_on(async {
            for (_, answer) in answers() {
                for sign_in in EVERY {
                    let (error, trust) = error_of(sign_in, answer.clone()).await;
                    // As hosts log errors.
                    tracing::error!(%error, debug = ?error, "logging failed");
                    all_secrets.extend(secrets(&trust));
                }
            }
        });
    });
    let text = String::from_utf8_lossy(&captured.0.lock().unwrap()).into_owned();
    let count = text.matches("logging failed").count();
    assert_eq!(count, answers().len() * EVERY.len(), "the log was captured");
    for line in text.lines() {
        assert!(
            line.starts_with("20"),
            "a line of one's own begins with its time: {line:?}"
        );
        assert!(!line.contains(is_hostile), "{line:?}");
    }
    for secret in all_secrets {
        assert!(!text.contains(&secret), "{secret} is in the log");
    }
}
