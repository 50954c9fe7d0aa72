//! What the command line says, and what may not be combined.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use email_logging::decision::{Boundary, TrustPolicy};
use email_logging::privacy::Visibility;
use jiff::tz::TimeZone;

use crate::company;
use crate::passwords::Passwords;

/// A small ERP that embeds email logging.
///
/// People sign in with the password in `ERP_PASSWORD` or in the file of `--password-file`.
#[derive(Debug, Parser)]
pub(crate) struct Args {
    /// The SQLite file of the ERP; without it a new one in the temporary directory.
    #[arg(long)]
    pub(crate) store: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The address under which browsers reach it, behind a proxy that speaks TLS: https://erp.corp.example
    #[arg(long)]
    pub(crate) base_url: Option<String>,
    /// Passwords, a line each: `AH: …` of a salesperson, `ADMIN: …` of the administration, or one alone of everybody else.
    #[arg(long)]
    pub(crate) password_file: Option<PathBuf>,
    /// Minutes after which somebody has to sign in again.
    #[arg(long, default_value_t = 720)]
    pub(crate) session_minutes: u64,
    /// How much a salesperson sees of the mail of others: nothing, metadata, subject or full.
    #[arg(long, default_value = "full", value_parser = visibility)]
    pub(crate) colleagues: Visibility,
    /// The company's time zone: a name such as Europe/Paris, or a POSIX rule.
    #[arg(long, default_value = "UTC", value_parser = crate::zone::parse)]
    pub(crate) time_zone: TimeZone,
    /// A TOML file with the company's contacts and salespeople, instead of the samples.
    #[arg(long)]
    pub(crate) people: Option<PathBuf>,
    /// Brings a simulated Exchange, an identity service and sample mails.
    #[arg(long)]
    pub(crate) demo: bool,
    /// With --demo: the mails of this folder, in the order of their names, instead of the sample mails; each received when its
    /// file was changed last.
    #[arg(long, requires = "demo")]
    pub(crate) mails: Option<PathBuf>,
    /// Whose word about a sender counts: the name that the company's mail gateway stamps, or exchange-online. Name only one
    /// that all mail from outside passes and that takes off what others stamp in its name.
    #[arg(long, value_parser = boundary)]
    pub(crate) boundary: Option<Boundary>,
    /// A server whose word `internal` about a sender counts, in lower case; a leading dot: what ends with it.
    #[arg(long, value_parser = server)]
    pub(crate) internal_source: Vec<String>,
    /// Seconds between two runs of the job.
    #[arg(long, default_value_t = 600)]
    pub(crate) every: u64,
}

fn visibility(text: &str) -> Result<Visibility, String> {
    let known = Visibility::from_code(text);
    known.ok_or_else(|| "one of: nothing, metadata, subject, full".to_owned())
}

fn boundary(text: &str) -> Result<Boundary, String> {
    match text {
        "exchange-online" => Ok(Boundary::ExchangeOnline),
        _ if text.is_empty() || text.contains(char::is_whitespace) => {
            Err("the name that the gateway stamps, or exchange-online".to_owned())
        }
        _ => Ok(Boundary::AuthservId(text.to_owned())),
    }
}

fn server(text: &str) -> Result<String, String> {
    let name = text.trim_start_matches('.');
    if name.is_empty() || text.contains(|c: char| c.is_whitespace() || c.is_ascii_uppercase()) {
        return Err("a host name in lower case".to_owned());
    }
    Ok(text.to_owned())
}

impl Args {
    /// Whose word about a sender counts. The demo's company has a gateway and a server of its own.
    pub(crate) fn trust(&self) -> TrustPolicy {
        let mut trust = TrustPolicy::default();
        trust.boundary.clone_from(&self.boundary);
        trust.internal_sources = self.internal_source.iter().cloned().collect();
        if self.demo && trust == TrustPolicy::default() {
            trust.boundary = Some(Boundary::AuthservId(company::GATEWAY.to_owned()));
            trust.internal_sources = [company::SERVER.to_owned()].into();
        }
        trust
    }

    /// Refuses what would show mail to strangers.
    pub(crate) fn check(&self, passwords: &Passwords) -> Result<(), String> {
        let public = !self.listen.ip().is_loopback() || self.base_url.is_some();
        if public && !passwords.are_needed() {
            return Err(
                "others can reach this address: set ERP_PASSWORD or --password-file, or listen on \
                 127.0.0.1"
                    .into(),
            );
        }
        let usable = |url: &str| url.starts_with("https://") && url.matches('/').count() <= 3;
        if self.base_url.as_deref().is_some_and(|url| !usable(url)) {
            return Err(
                "--base-url is an https address without a path: https://erp.corp.example".into(),
            );
        }
        Ok(())
    }
}
