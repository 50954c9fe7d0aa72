//! A browser without eyes: a cookie, a language, forms; one connection for every request.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::erp::Erp;

/// Somebody who visits the ERP.
#[derive(Debug)]
pub(crate) struct Visitor {
    address: String,
    host: String,
    pub(crate) language: &'static str,
    pub(crate) cookie: Option<String>,
    pub(crate) origin: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
    /// Parts in which it came.
    pub(crate) chunks: usize,
}

impl Visitor {
    pub(crate) fn of(erp: &Erp) -> Self {
        let address = erp.listen();
        Self::named(&address.clone(), &address)
    }

    /// Who connects to an address and asks for a host.
    pub(crate) fn named(address: &str, host: &str) -> Self {
        Self {
            address: address.to_owned(),
            host: host.to_owned(),
            language: "en",
            cookie: None,
            origin: None,
        }
    }

    /// The answer to a link that leads elsewhere.
    pub(crate) fn follow(url: &str) -> Answer {
        let rest = url.strip_prefix("http://").unwrap();
        let (address, path) = rest.split_once('/').unwrap();
        Self::named(address, address).get(&format!("/{path}"))
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    pub(crate) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body = form_urlencoded(fields);
        if body.is_empty() {
            body.push('&');
        }
        self.ask("POST", path, Some(&body))
    }

    /// The token of the forms of a page.
    pub(crate) fn token(&mut self, path: &str) -> String {
        self.get(path).value("token")
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept-Language: {}\r\n",
            self.host, self.language
        );
        if let Some(cookie) = &self.cookie {
            write!(request, "Cookie: {cookie}\r\n").unwrap();
        }
        if let Some(origin) = &self.origin {
            write!(request, "Origin: {origin}\r\n").unwrap();
        }
        if let Some(body) = body {
            let kind = "application/x-www-form-urlencoded";
            write!(
                request,
                "Content-Type: {kind}\r\nContent-Length: {}\r\n",
                body.len()
            )
            .unwrap();
        }
        write!(request, "\r\n{}", body.unwrap_or_default()).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let answer = Answer::read(&bytes);
        if let Some(cookie) = answer.header("set-cookie") {
            self.cookie = cookie.split(';').next().map(str::to_owned);
        }
        answer
    }
}

impl Answer {
    fn read(bytes: &[u8]) -> Self {
        let at = bytes
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .unwrap();
        let head = String::from_utf8(bytes[..at].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_lowercase(), value.to_owned())
        });
        let mut answer = Self {
            status: status.parse().unwrap(),
            headers: headers.collect(),
            body: String::new(),
            chunks: 0,
        };
        let mut rest = &bytes[at + 4..];
        let mut body = Vec::new();
        if answer.header("transfer-encoding") == Some("chunked") {
            while let Some(end) = rest.windows(2).position(|two| two == b"\r\n") {
                let size = std::str::from_utf8(&rest[..end]).unwrap();
                let size = usize::from_str_radix(size, 16).unwrap();
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&rest[end + 2..end + 2 + size]);
                rest = &rest[end + 4 + size..];
                answer.chunks += 1;
            }
        } else {
            body.extend_from_slice(rest);
        }
        answer.body = String::from_utf8_lossy(&body).into_owned();
        answer
    }

    pub(crate) fn header(&self, wanted: &str) -> Option<&str> {
        let mut all = self.headers.iter();
        let (_, value) = all.find(|(name, _)| name == wanted)?;
        Some(value)
    }

    /// What stands between two texts, the first time.
    pub(crate) fn between(&self, before: &str, after: &str) -> String {
        let rest = self.body.split_once(before);
        let (_, rest) = rest.unwrap_or_else(|| panic!("no {before} in {}", self.body));
        rest.split(after).next().unwrap().to_owned()
    }

    /// The value of a hidden field.
    pub(crate) fn value(&self, name: &str) -> String {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
    }
}

fn form_urlencoded(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        text.bytes().fold(String::new(), |made, byte| {
            if byte.is_ascii_alphanumeric() {
                made + char::from(byte).encode_utf8(&mut [0; 4])
            } else {
                made + &format!("%{byte:02X}")
            }
        })
    };
    let pairs = fields.iter();
    let pairs = pairs.map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}
