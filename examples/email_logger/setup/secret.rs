//! Secrets on their way into the set-up: from a file, from standard input, or typed without being shown.

use std::fs::File;
use std::io::{IsTerminal as _, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use email_logging::credential::{ClientCertificate, SealedCredentials};
use email_logging::error::{Error, codes};
use email_logging::setup::AuthenticationType;
use email_logging::store::SecretName;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::cli::setup::SetupArgs;
use crate::connect;
use crate::exit::Failure;
use crate::installation::Installation;
use crate::output::Output;

/// Bytes of a secret; more is none.
const LONGEST: u64 = 64 * 1024;

/// Which secret is given, and from where.
#[derive(Debug)]
pub(super) struct Given {
    name: SecretName,
    from: From,
}

#[derive(Debug)]
enum From {
    File(PathBuf),
    Stdin,
    Prompt,
}

/// The secret that the command line announces; clap lets one through at most.
pub(super) fn given(args: &SetupArgs) -> Option<Given> {
    let file = |file: &Option<PathBuf>| file.clone().map(From::File);
    let flag = |flag: bool, from| flag.then_some(from);
    let all = [
        (SecretName::ClientSecret, file(&args.client_secret_file)),
        (
            SecretName::ClientSecret,
            flag(args.client_secret_stdin, From::Stdin),
        ),
        (
            SecretName::ClientSecret,
            flag(args.client_secret, From::Prompt),
        ),
        (SecretName::CertificateKey, file(&args.certificate_file)),
        (SecretName::AccountPassword, file(&args.password_file)),
        (
            SecretName::AccountPassword,
            flag(args.password_stdin, From::Stdin),
        ),
        (
            SecretName::AccountPassword,
            flag(args.password, From::Prompt),
        ),
    ];
    let mut all = all.into_iter();
    all.find_map(|(name, from)| Some(Given { name, from: from? }))
}

/// Reads the secret; the line's end at its end does not count.
pub(super) fn read(given: &Given) -> Result<SecretString, Failure> {
    let text = match &given.from {
        From::File(path) => of_file(path)?,
        From::Stdin => of_reader(std::io::stdin().lock(), "standard input")?,
        From::Prompt => of_prompt(given.name)?,
    };
    let trimmed = text.expose_secret().trim_end_matches(['\r', '\n']);
    if trimmed.is_empty() {
        return Err(Failure::usage(
            format!("the {} is empty, and nothing was stored", words(given.name)),
            "Give the secret itself. `clear` erases every secret.",
        ));
    }
    Ok(SecretString::from(trimmed))
}

fn of_file(path: &Path) -> Result<SecretString, Failure> {
    let name = path.display().to_string();
    let unreadable = |error| Failure::input(format!("{name} cannot be read"), &error);
    let file = File::open(path).map_err(unreadable)?;
    let shared = connect::refuse_shared(&file.metadata().map_err(unreadable)?);
    shared.map_err(|error| error.with_detail(name.clone()))?;
    of_reader(file, &name)
}

fn of_reader(reader: impl Read, name: &str) -> Result<SecretString, Failure> {
    let mut text = String::new();
    let read = reader.take(LONGEST + 1).read_to_string(&mut text);
    read.map_err(|error| Failure::input(format!("{name} cannot be read"), &error))?;
    Ok(SecretString::from(text))
}

fn of_prompt(name: SecretName) -> Result<SecretString, Failure> {
    let terminal = console::Term::stderr();
    if !terminal.is_term() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            format!("there is no terminal to type the {} at", words(name)),
            "Use --client-secret-file or --client-secret-stdin (a password: --password-file or --password-stdin).",
        ));
    }
    let failed = |error| Failure::input("the terminal cannot be read", &error);
    let prompt = format!(
        "{}{}, which is not shown: ",
        words(name)[..1].to_uppercase(),
        &words(name)[1..]
    );
    terminal.write_str(&prompt).map_err(failed)?;
    Ok(SecretString::from(
        terminal.read_secure_line().map_err(failed)?,
    ))
}

/// Seals the secret into the store.
pub(super) async fn store(
    installation: &Installation,
    given: &Given,
    value: SecretString,
    output: &Output,
) -> Result<(), Failure> {
    let setup = installation.load().await?.setup;
    check_belongs(given.name, setup.authentication_type)?;
    let new_key = !installation.key_file.exists();
    if given.name == SecretName::CertificateKey {
        let certificate = certificate(&value);
        let sealed = SealedCredentials::new(
            Arc::clone(&installation.store) as _,
            installation.secrets.clone(),
        );
        sealed
            .put_certificate(&installation.scope, &certificate)
            .await?;
    } else {
        installation
            .secrets
            .put(&installation.scope, given.name, &value)
            .await?;
    }
    if output.json() {
        return output.value(&json!({ "secret": given.name.code(), "stored": true }));
    }
    output.line(format!("The {} is stored, sealed.", words(given.name)))?;
    if new_key {
        let file = installation.key_file.display();
        output.line(format!(
            "Its key is new, in {file}. Keep a copy of that file, apart from copies of the log:"
        ))?;
        output.line("who loses it has to enter the secrets again; who has both can read them.")?;
    }
    Ok(())
}

/// The certificates and the key of a PEM text that holds both (RFC 7468).
fn certificate(pem: &SecretString) -> ClientCertificate {
    let (mut chain, mut key, mut in_chain) = (String::new(), String::new(), false);
    for line in pem.expose_secret().lines().map(str::trim_end) {
        in_chain |= line == "-----BEGIN CERTIFICATE-----";
        let to = if in_chain { &mut chain } else { &mut key };
        to.push_str(line);
        to.push('\n');
        in_chain &= line != "-----END CERTIFICATE-----";
    }
    ClientCertificate::new(chain, SecretString::from(key))
}

/// A secret of another way of signing in would be erased by the next choice, and be good for nothing until then.
fn check_belongs(name: SecretName, chosen: AuthenticationType) -> Result<(), Failure> {
    let basic = chosen == AuthenticationType::Basic;
    if basic == (name == SecretName::AccountPassword) {
        return Ok(());
    }
    let error = Error::new(&codes::SETUP_AUTHENTICATION_TYPE, "setup");
    Err(error.with_detail(words(name)).into())
}

/// A secret in words.
pub(super) fn words(name: SecretName) -> &'static str {
    match name {
        SecretName::ClientSecret => "client secret",
        SecretName::CertificateKey => "client certificate with its key",
        SecretName::AccountPassword => "password of the account",
        SecretName::RefreshToken => "refresh token",
        _ => "secret",
    }
}
