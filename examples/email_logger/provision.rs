//! `provision`: what an administrator of Exchange has to prepare. Nothing is asked of Exchange, and nothing is run.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use email_logging::credential::MicrosoftCloud;
use email_logging::setup::{
    AppAccess, AppRegistration, AuthenticationType, Destination, EmailLoggingSetup, MailApi,
    MailService, Narrowing, ProvisioningPlan,
};
use serde_json::json;

use crate::cli::setup::{Narrow, ProvisionArgs};
use crate::config::{Config, ConfigError};
use crate::exit::{Exit, Failure};
use crate::installation::Installation;
use crate::output::{Output, safe};
use crate::words;

/// A redirect URL on the administrator's own machine that the portal takes as it is.
const REDIRECT: &str = "http://localhost/OAuthLanding.htm";

/// `provision`.
pub(crate) async fn provision(
    args: &ProvisionArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let flags = args.reach.settings();
    let config = Config::load(file, &flags)?;
    // Without a log yet there is no set-up to take values from, and none is made.
    let is_there = config
        .store
        .path
        .as_ref()
        .is_some_and(|path| path.is_file());
    let setup = if is_there {
        Installation::of(config).await?.load().await?.setup
    } else {
        EmailLoggingSetup::default()
    };
    if args.app_registration || args.manifest {
        registration(args, &setup, &Config::load(file, &flags)?, output)?;
        return Ok(Exit::Done);
    }
    let plan = plan(args, &setup)?;
    let files = [
        (&args.script, plan.script(), "does whatever is not done yet"),
        (
            &args.check,
            plan.check_script(),
            "says which steps are done, and changes nothing",
        ),
        (
            &args.undo,
            plan.undo_script(),
            "undoes the plan, and deletes no mail",
        ),
    ];
    let mut written = 0;
    for (file, script, what) in &files {
        if let Some(file) = file {
            write(file, script)?;
            written += 1;
            if output.json() {
                output.value(&json!({ "written": file, "what": what }))?;
            } else {
                output.line(format!("{} {what}.", file.display()))?;
            }
        }
    }
    if written == 0 {
        tell(&plan, output)?;
    }
    Ok(Exit::Done)
}

fn plan(args: &ProvisionArgs, setup: &EmailLoggingSetup) -> Result<ProvisioningPlan, Failure> {
    typed_address("--shared-mailbox", args.shared_mailbox.as_ref())?;
    let account = typed_address("--account", args.account.as_ref())?
        .or(setup.autodiscovery_email_address.as_ref());
    let account = account.or(args.shared_mailbox.as_ref()).ok_or_else(|| {
        ConfigError::invalid(
            "the account that the job acts for is not known",
            "Name it with --account ADDRESS, or put it into the set-up: setup autodiscovery-email-address=ADDRESS.",
        )
    })?;
    let destination = destination(args, setup);
    let mut builder = match &args.server {
        Some(server) => ProvisioningPlan::on_premises(server, account, destination),
        None => ProvisioningPlan::online(account, destination),
    };
    if let Some(administrator) = &args.administrator {
        builder = builder.with_administrator(administrator);
    }
    if let Some(way) = args.narrow {
        builder = builder.with_narrowing(narrowing(way, args, setup)?);
    }
    if args.allow_ews {
        builder = builder.with_ews_allowed(client_id(args, setup)?);
    }
    Ok(builder.build()?)
}

/// An address that was typed, named by its flag where it is none.
fn typed_address<'a>(flag: &str, text: Option<&'a String>) -> Result<Option<&'a String>, Failure> {
    let Some(address) = text else { return Ok(None) };
    if address.parse::<email_logging::message::Address>().is_ok() {
        return Ok(text);
    }
    Err(ConfigError::invalid(
        format!("{flag}: this is no mail address"),
        format!("Write it as in {flag} queue@example.com."),
    )
    .into())
}

fn destination(args: &ProvisionArgs, setup: &EmailLoggingSetup) -> Destination {
    if let Some(address) = &args.shared_mailbox {
        return Destination::shared_mailbox(address);
    }
    if let (MailService::Graph, Some(mailbox)) =
        (setup.mail_service, &setup.autodiscovery_email_address)
    {
        return Destination::shared_mailbox(mailbox);
    }
    match (&setup.queue_folder, &setup.storage_folder) {
        (Some(queue), Some(storage)) => Destination::PublicFolders {
            queue: queue.clone(),
            storage: storage.clone(),
        },
        _ => Destination::default_public_folders(),
    }
}

fn narrowing(
    way: Narrow,
    args: &ProvisionArgs,
    setup: &EmailLoggingSetup,
) -> Result<Narrowing, Failure> {
    Ok(match way {
        Narrow::Impersonation => Narrowing::Impersonation,
        Narrow::AccessPolicy => Narrowing::AccessPolicy {
            client_id: client_id(args, setup)?,
        },
        Narrow::ApplicationRole => Narrowing::ApplicationRole {
            client_id: client_id(args, setup)?,
            object_id: args.object_id.clone().ok_or_else(|| {
                Failure::usage(
                    "the object id of the enterprise application is not known",
                    "Name it with --object-id GUID; Entra shows it under Enterprise applications, not under App registrations.",
                )
            })?,
            api: api(setup),
        },
    })
}

/// The interface that the set-up names.
fn api(setup: &EmailLoggingSetup) -> MailApi {
    match setup.mail_service {
        MailService::Graph => MailApi::Graph,
        _ => MailApi::Ews,
    }
}

fn client_id(args: &ProvisionArgs, setup: &EmailLoggingSetup) -> Result<String, Failure> {
    let id = args
        .client_id
        .as_ref()
        .or(setup.exchange_client_id.as_ref());
    id.cloned().ok_or_else(|| {
        Failure::usage(
            "the client id of the app registration is not known",
            "Name it with --client-id GUID, or put it into the set-up: setup exchange-client-id=GUID.",
        )
    })
}

/// The checklist of the app registration, or its manifest.
fn registration(
    args: &ProvisionArgs,
    setup: &EmailLoggingSetup,
    config: &Config,
    output: &Output,
) -> Result<(), Failure> {
    let redirect = args
        .redirect_url
        .as_ref()
        .or(setup.exchange_redirect_url.as_ref());
    let redirect = redirect.map_or(REDIRECT, String::as_str);
    let delegated = setup.authentication_type == AuthenticationType::OAuth2Delegated;
    let access = if delegated {
        AppAccess::Delegated
    } else {
        AppAccess::Both
    };
    let mut registration = AppRegistration::new(&args.app_name, redirect)?
        .with_authority(authority(config))
        .with_api(api(setup))
        .with_access(access);
    if let Ok(id) = client_id(args, setup) {
        registration = registration.with_client_id(id)?;
    }
    if let Some(tenant) = &setup.exchange_tenant_id {
        registration = registration.with_tenant(tenant);
    }
    if args.manifest {
        let manifest = registration.manifest();
        return match serde_json::from_str::<serde_json::Value>(&manifest) {
            Ok(value) if output.json() => output.value(&json!({ "manifest": value })),
            _ => output.line(manifest.trim_end()),
        };
    }
    if output.json() {
        for item in registration.checklist() {
            output.value(&json!({ "item": {
                "code": item.code, "title": item.title, "text": item.text, "value": item.value,
            } }))?;
        }
        return Ok(());
    }
    let text = if args.markdown {
        registration.to_markdown()
    } else {
        registration.to_text()
    };
    output.line(text.trim_end())?;
    if setup.exchange_redirect_url.as_deref() != Some(redirect) {
        output.note("");
        output.note("Put the same redirect URL into the set-up:");
        let change = format!("setup exchange-redirect-url={redirect}");
        output.note(format!("  {}", words::command(&change)));
    }
    Ok(())
}

fn authority(config: &Config) -> String {
    if let Some(authority) = &config.identity.authority {
        return authority.clone();
    }
    match config.identity.cloud() {
        MicrosoftCloud::UsGovernmentGccHigh | MicrosoftCloud::UsGovernmentDod => {
            "https://login.microsoftonline.us"
        }
        MicrosoftCloud::China => "https://login.partner.microsoftonline.cn",
        _ => "https://login.microsoftonline.com",
    }
    .into()
}

fn tell(plan: &ProvisioningPlan, output: &Output) -> Result<(), Failure> {
    if output.json() {
        for step in plan.steps() {
            output.value(&json!({ "step": {
                "id": step.id(), "title": step.title(), "why": step.why(), "delay": step.delay(),
                "check": step.check(), "script": step.apply(), "undo": step.undo(),
            } }))?;
        }
        return Ok(());
    }
    let style = output.style();
    let room = output.columns().saturating_sub(4).max(20);
    for line in safe::lines(plan.summary(), output.columns()) {
        output.line(line)?;
    }
    output.line("")?;
    for (row, step) in plan.steps().iter().enumerate() {
        output.line(format!(
            "{:>2}. {}  {}",
            row + 1,
            style.strong(step.title()),
            style.dim(step.id())
        ))?;
        for text in [Some(step.why()), step.delay()].into_iter().flatten() {
            for line in safe::lines(text, room) {
                output.line(format!("    {line}"))?;
            }
        }
    }
    output.line("")?;
    output.line("As PowerShell, to read, to run and to take back: the same command with")?;
    output.line(style.command("  --script do.ps1 --check check.ps1 --undo undo.ps1"))
}

/// A new file; one that is there may have been changed by hand.
fn write(path: &Path, script: &str) -> Result<(), Failure> {
    let failed = |error| Failure::input(format!("{} cannot be written", path.display()), &error);
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.map_err(failed)?;
    file.write_all(&ProvisioningPlan::file(script))
        .map_err(failed)
}
