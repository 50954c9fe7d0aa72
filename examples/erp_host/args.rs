//! What the command line says, and what may not be combined.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use secrecy::SecretString;

/// A small ERP that embeds email logging.
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
    /// The password that people sign in with; needed as soon as others than this machine can connect.
    #[arg(long, env = "ERP_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// Brings a simulated Exchange, an identity service and sample mails.
    #[arg(long)]
    pub(crate) demo: bool,
    /// With --demo: the mails of this folder, in the order of their names, instead of the sample mails.
    #[arg(long, requires = "demo")]
    pub(crate) mails: Option<PathBuf>,
    /// Seconds between two runs of the job.
    #[arg(long, default_value_t = 600)]
    pub(crate) every: u64,
}

impl Args {
    /// Refuses what would show mail to strangers.
    pub(crate) fn check(&self) -> Result<(), String> {
        let public = !self.listen.ip().is_loopback() || self.base_url.is_some();
        if public && self.password.as_deref().is_none_or(|text| text.len() < 8) {
            return Err(
                "others can reach this address: set ERP_PASSWORD to at least 8 characters, or \
                 listen on 127.0.0.1"
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

    /// The password, if there is one.
    pub(crate) fn password(&self) -> Option<SecretString> {
        self.password.clone().map(SecretString::from)
    }
}
