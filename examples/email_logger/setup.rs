//! `setup`: the stored set-up field by field, its changes with what follows from each, and its secrets.

mod secret;
pub(crate) mod show;

use std::ffi::OsString;
use std::path::Path;

use email_logging::setup::{AuthenticationType, Consequence, SetupChange, SetupField};
use email_logging::store::SecretName;
use serde_json::json;

use crate::cli::setup::SetupArgs;
use crate::config::{Config, ConfigError};
use crate::exit::{Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::Output;

/// `setup`.
pub(crate) async fn setup(
    args: &SetupArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let flags = args.reach.settings();
    let given = secret::given(args);
    let typed = typed(args)?;
    if typed.is_empty() && given.is_none() && !args.from_config {
        let installation = Installation::open(file, &flags).await?;
        show::show(&installation, output).await?;
        return Ok(Exit::Done);
    }
    let config = Config::load(file, &flags)?;
    let mut changes = if args.from_config {
        of_config(&config)?
    } else {
        Vec::new()
    };
    // What is typed wins over the configuration.
    changes.retain(|change| !typed.iter().any(|typed| typed.field() == change.field()));
    changes.extend(typed);
    let value = given.as_ref().map(secret::read).transpose()?;
    let installation = Installation::of(config).await?;
    change(&installation, &changes, output).await?;
    if let (Some(given), Some(value)) = (given, value) {
        secret::store(&installation, &given, value, output).await?;
    }
    after(&installation, output).await
}

async fn change(
    installation: &Installation,
    changes: &[SetupChange],
    output: &Output,
) -> Result<(), Failure> {
    if changes.is_empty() {
        return Ok(());
    }
    let administration = installation.administration(false, None)?;
    let before = installation.stored_secrets().await?;
    let done = administration
        .change(&installation.scope, None, changes)
        .await?;
    tell(installation, &before, &done.consequences, output).await
}

/// Each consequence in words, but the erasure of a secret that was not there `before`.
pub(crate) async fn tell(
    installation: &Installation,
    before: &[SecretName],
    consequences: &[Consequence],
    output: &Output,
) -> Result<(), Failure> {
    let mut said = 0;
    for consequence in consequences {
        if output.json() {
            output
                .value(&json!({ "consequence": consequence, "text": consequence.to_string() }))?;
        } else if !is_idle(*consequence, before) {
            output.line(consequence)?;
            said += 1;
        }
    }
    if said == 0 && !output.json() {
        let stored = installation.load().await?;
        output.line(format!(
            "Nothing changed; it is version {} as before.",
            stored.version
        ))?;
    }
    Ok(())
}

/// Erasing is repeated whenever it might be needed, and each command connects anew anyway.
fn is_idle(consequence: Consequence, before: &[SecretName]) -> bool {
    match consequence {
        Consequence::EraseSecret(name) => !before.contains(&name),
        consequence => consequence == Consequence::Reconnect,
    }
}

/// What is still missing and what to do next.
async fn after(installation: &Installation, output: &Output) -> Result<Exit, Failure> {
    let stored = installation.load().await?;
    let missing = missing(installation, &stored.setup).await?;
    if output.json() {
        output.value(&json!({ "version": stored.version, "missing": missing }))?;
    } else {
        show::tell_next(&stored, &missing, output)?;
    }
    Ok(Exit::Done)
}

fn typed(args: &SetupArgs) -> Result<Vec<SetupChange>, Failure> {
    let mut changes = Vec::new();
    for text in &args.changes {
        let change = one(text)?;
        if changes
            .iter()
            .any(|other: &SetupChange| other.field() == change.field())
        {
            let what = format!("{} is given twice", change.field().code());
            return Err(Failure::usage(what, "Give each field once."));
        }
        changes.push(change);
    }
    let folders = [
        args.queue
            .clone()
            .map(|path| SetupChange::QueueFolder(Some(path.into()))),
        args.storage
            .clone()
            .map(|path| SetupChange::StorageFolder(Some(path.into()))),
    ];
    changes.extend(folders.into_iter().flatten());
    Ok(changes)
}

/// A switch that asks for a secret, and has one written behind it: the command line's own error would repeat it.
pub(crate) fn secret_as_argument(words: impl IntoIterator<Item = OsString>) -> Option<Failure> {
    let switches = ["--client-secret=", "--password="];
    let is_one = |word: OsString| {
        switches
            .iter()
            .any(|switch| word.to_string_lossy().starts_with(switch))
    };
    words.into_iter().any(is_one).then(secret_was_seen)
}

fn secret_was_seen() -> Failure {
    Failure::usage(
        "a secret is never an argument, because others could see it",
        "Change the secret, as it may have been seen; then give the new one with --client-secret, \
         --client-secret-file or --client-secret-stdin (a password: --password and so on).",
    )
}

/// `FIELD=VALUE`. What may be a secret is not repeated.
fn one(text: &str) -> Result<SetupChange, Failure> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Failure::usage(
            "a word on the command line is no change",
            "Write FIELD=VALUE; `setup --help` lists the fields. If the word is a secret, change it, as others may have \
             seen it.",
        ));
    };
    let name = name.trim().to_lowercase().replace('_', "-");
    if ["secret", "password", "token"]
        .iter()
        .any(|word| name.contains(word))
    {
        return Err(secret_was_seen());
    }
    let field = SetupField::ALL.iter().find(|field| field.code() == name);
    let Some(field) = field else {
        let names: Vec<_> = SetupField::ALL.iter().map(|field| field.code()).collect();
        let letters = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        let plain = name.len() <= LONGEST_NAME && name.chars().all(letters);
        let shown = if plain {
            &name
        } else {
            "what stands before `=`"
        };
        let what = format!("{shown} is no field; the fields are {}", names.join(", "));
        return Err(Failure::usage(what, "Name a field of the list."));
    };
    Ok(SetupChange::from_text(*field, value)?)
}

/// Letters of a name that may be a field's; a longer one may be anything.
const LONGEST_NAME: usize = 40;

/// What the configuration says, as changes: its own sections first, and `[setup]` over them.
fn of_config(config: &Config) -> Result<Vec<SetupChange>, Failure> {
    let mut changes = of_sections(config);
    for (name, value) in &config.setup {
        let field = SetupField::ALL.iter().find(|field| field.code() == name);
        let field = field.ok_or_else(|| {
            let what = format!("[setup]: `{name}` is no field of the set-up");
            ConfigError::invalid(what, "Look at `setup --help` for the fields.")
        })?;
        let text = match value {
            toml::Value::String(text) => text.clone(),
            toml::Value::Integer(number) => number.to_string(),
            _ => {
                let what = format!("[setup]: `{name}` is neither text nor a number");
                return Err(ConfigError::invalid(what, "Write it in quotes.").into());
            }
        };
        let change = SetupChange::from_text(*field, &text)?;
        changes.retain(|other| other.field() != *field);
        changes.push(change);
    }
    if changes.is_empty() {
        let what = "the configuration holds nothing for the set-up";
        let remedy = "Name the file with --config, and write the fields into its section [setup].";
        return Err(ConfigError::invalid(what, remedy).into());
    }
    Ok(changes)
}

fn of_sections(config: &Config) -> Vec<SetupChange> {
    let exchange = &config.exchange;
    let folders = &config.folders;
    let mailbox = exchange.mailbox.as_ref().or(exchange.impersonate.as_ref());
    // A user name that is the mailbox's address is how most accounts on premises are.
    let address = mailbox.or(exchange
        .user_name
        .as_ref()
        .filter(|name| name.contains('@')));
    let basic = exchange.user_name.as_ref();
    [
        basic.map(|_| SetupChange::AuthenticationType(AuthenticationType::Basic)),
        basic.cloned().map(SetupChange::ExchangeAccountUserName),
        address.cloned().map(SetupChange::AutodiscoveryEmailAddress),
        exchange.url.clone().map(SetupChange::ExchangeServiceUrl),
        exchange
            .service
            .map(|service| SetupChange::MailService(service.mail_service())),
        exchange.tenant.clone().map(SetupChange::ExchangeTenantId),
        folders
            .queue
            .clone()
            .map(|folder| SetupChange::QueueFolder(Some(folder.0.into()))),
        folders
            .storage
            .clone()
            .map(|folder| SetupChange::StorageFolder(Some(folder.0.into()))),
        config.run.batch_size.map(SetupChange::EmailBatchSize),
    ]
    .into_iter()
    .flatten()
    .collect()
}
