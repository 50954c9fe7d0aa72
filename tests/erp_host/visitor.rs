//! A browser without eyes: cookies, a language, forms; one connection for every request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::erp::{Erp, PASSWORD};

/// Somebody who visits the ERP.
#[derive(Debug)]
pub(crate) struct Visitor {
    address: String,
    host: String,
    pub(crate) language: &'static str,
    pub(crate) cookies: BTreeMap<String, String>,
    pub(crate) origin: Option<String>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) bytes: Vec<u8>,
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
            cookies: BTreeMap::new(),
            origin: None,
        }
    }

    /// Somebody who has signed in under a code.
    pub(crate) fn signed_in(erp: &Erp, code: &str) -> Self {
        let mut visitor = Self::of(erp);
        let answer = visitor.sign_in(code, PASSWORD);
        assert_eq!(answer.status, 303, "{}", answer.body);
        visitor
    }

    pub(crate) fn sign_in(&mut self, code: &str, password: &str) -> Answer {
        let token = self.token("/sign-in");
        let fields = [
            ("token", token.as_str()),
            ("person", code),
            ("password", password),
        ];
        self.post("/sign-in", &fields)
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

    /// Sends a form with the token of its page.
    pub(crate) fn send(&mut self, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token(page);
        let mut all = vec![("token", token.as_str())];
        all.extend(fields);
        self.post(to, &all)
    }

    /// The token of the forms of a page.
    pub(crate) fn token(&mut self, path: &str) -> String {
        self.get(path).value("token")
    }

    /// Asks for a page as many different strangers, so many at once on each connection.
    pub(crate) fn crowd(&self, path: &str, connections: usize, each: usize) {
        for _ in 0..connections {
            let mut stream = TcpStream::connect(&self.address).unwrap();
            let mut all = String::new();
            for index in 0..each {
                let close = if index + 1 == each {
                    "close"
                } else {
                    "keep-alive"
                };
                write!(
                    all,
                    "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: {close}\r\n\r\n",
                    self.host
                )
                .unwrap();
            }
            stream.write_all(all.as_bytes()).unwrap();
            let mut answers = Vec::new();
            stream.read_to_end(&mut answers).unwrap();
            let begun = answers.windows(13).filter(|at| *at == b"HTTP/1.1 200 ");
            assert_eq!(begun.count(), each);
        }
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAccept-Language: {}\r\n",
            self.host, self.language
        );
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        if !cookies.is_empty() {
            write!(request, "Cookie: {cookies}\r\n").unwrap();
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
        for (name, cookie) in &answer.headers {
            let pair = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='));
            if let ("set-cookie", Some((name, value))) = (name.as_str(), pair) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
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
            bytes: Vec::new(),
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
        answer.bytes = body;
        answer
    }

    /// The names of the files of a .zip.
    pub(crate) fn files(&self) -> Vec<String> {
        let archive = zip::ZipArchive::new(std::io::Cursor::new(&self.bytes)).unwrap();
        let names = archive.file_names();
        names.map(|name| name.unwrap().into_owned()).collect()
    }

    /// A file of a .zip, as text.
    pub(crate) fn file(&self, name: &str) -> String {
        let mut archive = zip::ZipArchive::new(std::io::Cursor::new(&self.bytes)).unwrap();
        let mut bytes = Vec::new();
        let mut file = archive.by_name(name).unwrap();
        file.read_to_end(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
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
