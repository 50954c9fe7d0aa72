//! `sign-in`: an administrator signs in with a browser, and the identity service sends the browser back to this machine.

mod page;
mod redirect;
mod served;

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use email_logging::credential::{AdminConsent, Consented, CredentialProvider as _, PendingConsent};
use email_logging::error::{Error, codes};
use email_logging::setup::{AuthenticationType, MailService, SetupChange};
use email_logging::source::ews::AddressPolicy;
use email_logging::store::{SecretName, StoredSetup};
use serde_json::json;

use crate::cli::setup::SignInArgs;
use crate::config::{self, ConfigError};
use crate::connect;
use crate::exit::{Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::{Output, safe};
use crate::setup::show;
use redirect::Redirect;
use served::Served;

/// `sign-in`.
pub(crate) async fn sign_in(
    args: &SignInArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let limit = config::span("--time-limit", &args.time_limit)?;
    let installation = Installation::open(file, &args.reach.settings()).await?;
    let stored = installation.load().await?;
    check(&stored)?;
    let configured = installation
        .credentials
        .redirect_url(&installation.scope)
        .await?;
    let way = if args.callback_url {
        Way::Pasted(Redirect::pasted(configured.as_deref())?)
    } else {
        Way::Served(Served::listen(configured.as_deref(), args.port).await?)
    };
    let consent = consent(&installation, &stored, way.redirect(), limit)?;
    let (url, pending) = consent.begin().await?;
    tell_begin(&url, &way, &args.time_limit, output)?;
    if args.open {
        open(&url, output);
    }
    let consented = way.end(&installation, &stored, &consent, pending).await?;
    tell_end(&installation, &consented, output).await
}

/// How the callback comes.
enum Way {
    Served(Served),
    Pasted(Redirect),
}

impl Way {
    fn redirect(&self) -> &str {
        match self {
            Self::Served(served) => served.redirect(),
            Self::Pasted(redirect) => &redirect.url,
        }
    }

    /// Waits for the callback, and answers the browser when all is done or nothing can be.
    async fn end(
        &self,
        installation: &Installation,
        stored: &StoredSetup,
        consent: &AdminConsent,
        pending: PendingConsent,
    ) -> Result<Consented, Failure> {
        let Self::Served(served) = self else {
            let callback = consent.wait_for(&pending, pasted()).await?;
            return Ok(finish(installation, stored, consent, pending, &callback).await?);
        };
        let callback = consent.wait_for(&pending, served.callback()).await?;
        let finished = finish(installation, stored, consent, pending, &callback).await;
        served.answer(finished.as_ref().map(drop)).await;
        Ok(finished?)
    }
}

/// Only a way of signing in with OAuth2 has something to consent to.
fn check(stored: &StoredSetup) -> Result<(), Failure> {
    let chosen = stored.setup.authentication_type;
    let by_consent = [
        AuthenticationType::OAuth2,
        AuthenticationType::OAuth2Delegated,
    ];
    if by_consent.contains(&chosen) {
        return Ok(());
    }
    let what = format!(
        "the authentication type is {}, which needs no sign-in of an administrator",
        chosen.code()
    );
    let remedy = "Go on with `validate`; or choose OAuth2 first: setup authentication-type=oauth2.";
    Err(ConfigError::invalid(what, remedy).into())
}

fn consent(
    installation: &Installation,
    stored: &StoredSetup,
    redirect: &str,
    limit: Duration,
) -> Result<AdminConsent, Failure> {
    let setup = &stored.setup;
    let exchange = &installation.config.exchange;
    let service = installation
        .config
        .identity
        .service(setup.exchange_tenant_id.as_deref());
    let service = match setup.mail_service {
        MailService::Graph => service.for_graph(),
        _ => service,
    };
    let mut builder = AdminConsent::at(service, Arc::clone(&installation.credentials) as _)
        .with_scope(installation.scope.clone())
        .with_redirect_url(redirect)
        .with_time_limit(limit)
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?);
    if setup.authentication_type == AuthenticationType::OAuth2Delegated {
        builder = builder.with_refresh_token();
    }
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(connect::text("the certificate authority", file)?);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    Ok(builder.build()?)
}

/// Redeems the callback and stores what came of it: the refresh token before anything else.
async fn finish(
    installation: &Installation,
    stored: &StoredSetup,
    consent: &AdminConsent,
    pending: PendingConsent,
    callback: &str,
) -> Result<Consented, Error> {
    let consented = consent.finish(pending, callback).await?;
    let scope = &installation.scope;
    if stored.setup.authentication_type == AuthenticationType::OAuth2Delegated {
        let token = consented.refresh_token.as_ref().ok_or_else(|| {
            Error::new(&codes::OAUTH_TOKEN_INVALID, "AdminConsent")
                .with_detail("no refresh token came with the consent")
        })?;
        // The newest sign-in counts, also over a token that cannot be opened any more.
        let name = SecretName::RefreshToken;
        installation.secrets.put(scope, name, token).await?;
    }
    let known = stored.setup.exchange_tenant_id.as_ref();
    match &consented.tenant_id {
        Some(tenant) if Some(tenant) != known => {
            let administration = installation.administration(false, None).map_err(inner)?;
            let change = SetupChange::ExchangeTenantId(tenant.clone());
            administration.change(scope, None, &[change]).await?;
        }
        _ => {}
    }
    Ok(consented)
}

/// Building an administration fails with an error of the library alone: no directory is read for it.
fn inner(failure: Failure) -> Error {
    match failure {
        Failure::Library(error) => error,
        _ => Error::new(&codes::CONFIG_INVALID, "setup"),
    }
}

/// The address is the result, alone on its line; what to do with it is for people.
fn tell_begin(url: &str, way: &Way, limit: &str, output: &Output) -> Result<(), Failure> {
    if output.json() {
        output.value(&json!({ "sign-in": { "url": url, "redirect-url": way.redirect() } }))?;
    } else {
        output.line(url)?;
    }
    output.note("");
    output.note(
        "Open this address in a browser and sign in as an administrator of the organization.",
    );
    match way {
        Way::Served(_) => output.note(format!(
            "This command waits for the browser to come back, at most {limit}. Ctrl-C gives up; nothing is changed then."
        )),
        Way::Pasted(redirect) => {
            output.note(format!("At the end the browser cannot show an address that begins with {}", redirect.url));
            output.note("Paste that whole address here, and press Enter:");
        }
    }
    Ok(())
}

async fn tell_end(
    installation: &Installation,
    consented: &Consented,
    output: &Output,
) -> Result<Exit, Failure> {
    if output.json() {
        output.value(&json!({ "signed-in": {
            "tenant-id": consented.tenant_id,
            "permissions": consented.permissions,
        } }))?;
        return Ok(Exit::Done);
    }
    let style = output.style();
    output.line(style.good("Signed in, and the organization has consented."))?;
    if let Some(tenant) = &consented.tenant_id {
        output.line(format!("  tenant       {}", safe::text(tenant)))?;
    }
    if let Some(permissions) = &consented.permissions {
        let names = permissions.join(", ");
        output.line(format!("  permissions  {}", safe::text(&names)))?;
    }
    let stored = installation.load().await?;
    show::tell_next(
        &stored,
        &missing(installation, &stored.setup).await?,
        output,
    )
    .map(|()| Exit::Done)
}

/// The line that a person pastes. Its thread ends with the program, which may give up waiting before.
async fn pasted() -> String {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        // What cannot be read is no URL, which is what is said then.
        let _ = std::io::stdin().read_line(&mut line);
        let _ = sender.send(line.trim().to_owned());
    });
    receiver.await.unwrap_or_default()
}

/// Has this machine's browser open the address; a person can do so as well.
fn open(url: &str, output: &Output) {
    let (program, before): (&str, &[&str]) = if cfg!(target_os = "macos") {
        ("open", &[])
    } else if cfg!(windows) {
        ("rundll32", &["url.dll,FileProtocolHandler"])
    } else {
        ("xdg-open", &[])
    };
    let mut command = Command::new(program);
    command.args(before).arg(url);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    if let Err(error) = command.spawn() {
        output.note(format!(
            "note: the browser cannot be opened with {program} ({error}); open the address yourself"
        ));
    }
}
