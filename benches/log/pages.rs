//! The same log over HTTP, as the web ERP of the examples answers it: a process of its own over the file, a connection for
//! each page, and the whole page read.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use email_logging::Scope;
use email_logging::store::{Mark, MarkKind, PrivacyStore as _};

use super::{CONTACTS, measure, store_rows};

/// The pages that are asked for, and how they are called.
const PAGES: [(&str, &str); 9] = [
    ("http: contact's card", "/contacts/C7"),
    ("http: contact's entries", "/contacts/C7/entries"),
    ("http: company's card", "/contacts/COMPANY7"),
    ("http: all mail", "/mails"),
    ("http: search, rare word", "/mails?q=quotation"),
    ("http: search, frequent word", "/mails?q=word0"),
    ("http: search, widest beginning", "/mails?q=w"),
    (
        "http: search of a contact",
        "/contacts/C0/entries?q=quotation",
    ),
    ("http: first page", "/"),
];

/// The ERP, as long as it is asked.
struct Erp {
    child: Child,
    address: String,
    cookie: String,
    /// Somebody has to hold the other end of its standard output.
    _output: BufReader<ChildStdout>,
}

impl Drop for Erp {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks for every page: as whoever sees all, as a salesperson who sees of others only that there is mail, and as the first
/// again once one mail is private. Without the program there is nothing to measure, which is said.
pub(crate) async fn ask(directory: &Path, store: &Path) {
    let program = program();
    if !program.is_file() {
        println!("http: not measured; build it with: cargo build --release --example erp_host");
        return;
    }
    let people = directory.join("people.toml");
    std::fs::write(&people, records()).unwrap();
    let erp = Erp::start(&program, store, &people, &[]);
    ask_all(&erp).await;
    drop(erp);
    println!("http: a salesperson, who sees of the mail of others that it is there");
    let mut erp = Erp::start(&program, store, &people, &["--colleagues", "metadata"]);
    erp.sign_in("S7");
    ask_all(&erp).await;
    drop(erp);
    println!("http: one mail of the contact that is asked for is private");
    let log = store_rows::open(store).await;
    let scope = Scope::default();
    let mark = Mark::new("S7", "");
    let private = store_rows::uid(&scope, 70);
    log.mark_mail(&scope, &private, MarkKind::Private, &mark)
        .await
        .unwrap();
    log.close();
    ask_all(&Erp::start(&program, store, &people, &[])).await;
}

async fn ask_all(erp: &Erp) {
    for (name, path) in PAGES {
        let get = || async { erp.get(path) };
        measure(name, get, |page| {
            assert!(page.starts_with("HTTP/1.1 200 "), "{path}: {page}");
            page.matches("href=\"/entries/").count() as u64
        })
        .await;
    }
}

/// The example, which lies beside the benches.
fn program() -> PathBuf {
    let bench = std::env::current_exe().unwrap();
    let built = bench.parent().and_then(Path::parent).unwrap();
    built
        .join("examples")
        .join(format!("erp_host{}", std::env::consts::EXE_SUFFIX))
}

/// The contacts, companies and salespeople of the log.
fn records() -> String {
    let mut text = "own-domains = [\"ours.example\"]\n".to_owned();
    for n in 0..10 {
        let one = format!("code = \"S{n}\"\nname = \"Seller {n}\"\nemail = \"s{n}@ours.example\"");
        writeln!(text, "[[salesperson]]\n{one}").unwrap();
    }
    for n in 0..20 {
        let one = format!("no = \"COMPANY{n}\"\nname = \"Company {n}\"\nkind = \"company\"");
        writeln!(text, "[[contact]]\n{one}").unwrap();
    }
    for n in 0..CONTACTS {
        let one = format!("no = \"C{n}\"\nname = \"Contact {n}\"\nkind = \"person\"");
        let of = format!(
            "company = \"COMPANY{}\"\nemail = \"c{n}@x.example\"",
            n % 20
        );
        writeln!(text, "[[contact]]\n{one}\n{of}").unwrap();
    }
    text
}

impl Erp {
    fn start(program: &Path, store: &Path, people: &Path, more: &[&str]) -> Self {
        let mut command = Command::new(program);
        command
            .args(["--listen", "127.0.0.1:0", "--store"])
            .arg(store)
            .arg("--people")
            .arg(people)
            .args(more)
            .env_remove("ERP_PASSWORD")
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        while !said.contains("It listens on ") {
            assert!(output.read_line(&mut said).unwrap() > 0, "it ended: {said}");
        }
        let address = said.rsplit("It listens on ").next().unwrap();
        let mut erp = Self {
            address: address.trim().to_owned(),
            cookie: String::new(),
            child,
            _output: output,
        };
        let first = erp.get("/contacts");
        let (_, rest) = first.split_once("set-cookie: ").unwrap();
        rest.split(';').next().unwrap().clone_into(&mut erp.cookie);
        erp
    }

    /// Says who sits in front of the browser; where nobody needs a password, that is enough.
    fn sign_in(&mut self, code: &str) {
        let page = self.get("/sign-in");
        let (_, rest) = page.split_once("name=\"token\" value=\"").unwrap();
        let token = rest.split('"').next().unwrap();
        let form = format!("token={token}&person={code}");
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let length = form.len();
        let head = format!("{kind}\r\nContent-Length: {length}\r\n");
        let answer = self.send("POST", "/sign-in", &head, &form);
        assert!(answer.starts_with("HTTP/1.1 303 "), "{answer}");
        if let Some((_, rest)) = answer.split_once("set-cookie: ") {
            rest.split(';').next().unwrap().clone_into(&mut self.cookie);
        }
    }

    fn get(&self, path: &str) -> String {
        self.send("GET", path, "", "")
    }

    fn send(&self, method: &str, path: &str, head: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let (host, cookie) = (&self.address, &self.cookie);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{head}Connection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut page = String::new();
        stream.read_to_string(&mut page).unwrap();
        page
    }
}
