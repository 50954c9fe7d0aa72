//! `validate`, `enable`, `disable`: every check as it ends, and the switch.

use std::path::Path;

use email_logging::setup::{Check, CheckResult, Enabling, NotChecked, ValidationReport, Verdict};
use serde_json::json;

use crate::cli::setup::{ReachArgs, ValidateArgs};
use crate::exit::{self, Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::{Output, safe};
use crate::words;

/// `validate`.
pub(crate) async fn validate(
    args: &ValidateArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = open(args, file).await?;
    let administration = installation.administration(true, args.other_mailbox.as_ref())?;
    let mut teller = Teller::new(output);
    let mut on_result = |result: &CheckResult| teller.tell(result);
    let report = administration
        .validate(&installation.scope, &mut on_result)
        .await?;
    teller.end()?;
    conclude(&report, output)?;
    if !report.is_green() {
        tell_mending(&installation, &report, output).await?;
        return Ok(Exit::Access);
    }
    if !output.json() {
        let enabled = installation.load().await?.setup.enabled;
        let next = if enabled { "run" } else { "enable" };
        tell_next(next, output)?;
    }
    Ok(Exit::Done)
}

/// `enable`.
pub(crate) async fn enable(
    args: &ValidateArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = open(args, file).await?;
    let administration = installation.administration(true, args.other_mailbox.as_ref())?;
    let mut teller = Teller::new(output);
    let mut on_result = |result: &CheckResult| teller.tell(result);
    let enabling = administration
        .enable(&installation.scope, &mut on_result)
        .await?;
    teller.end()?;
    match enabling {
        Enabling::Enabled(report) => {
            conclude(&report, output)?;
            told("enabled", "Email logging is on.", output)?;
            next_of_json(output, "run")?;
            Ok(Exit::Done)
        }
        Enabling::AlreadyEnabled => {
            told(
                "enabled",
                "Email logging was on already; nothing was done.",
                output,
            )?;
            Ok(Exit::Done)
        }
        Enabling::Invalid(report) => {
            conclude(&report, output)?;
            told("disabled", "Email logging stays off.", output)?;
            tell_mending(&installation, &report, output).await?;
            Ok(Exit::Access)
        }
        Enabling::ConsentNeeded(needed) => {
            output.note(
                "Email logging stays off: an administrator has to sign in first, with `sign-in`.",
            );
            Err(needed.reason.into())
        }
        _ => Ok(Exit::Failed),
    }
}

/// `disable`.
pub(crate) async fn disable(
    args: &ReachArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = Installation::open(file, &args.settings()).await?;
    let administration = installation.administration(false, None)?;
    let text = if administration.disable(&installation.scope).await? {
        "Email logging is off. A run that is under way finishes what it began; settings and secrets stay."
    } else {
        "Email logging was off already; nothing was done."
    };
    told("disabled", text, output)?;
    Ok(Exit::Done)
}

async fn open(args: &ValidateArgs, file: Option<&Path>) -> Result<Installation, Failure> {
    let mut flags = args.reach.settings();
    flags.directory.clone_from(&args.directory);
    Installation::open(file, &flags).await
}

fn told(state: &str, text: &str, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "logging": state, "text": text }));
    }
    output.line(text)
}

fn next_of_json(output: &Output, next: &str) -> Result<(), Failure> {
    if output.json() {
        return Ok(());
    }
    tell_next(next, output)
}

/// After a validation that failed: the command that supplies what is missing, or the one for the first check that failed.
async fn tell_mending(
    installation: &Installation,
    report: &ValidationReport,
    output: &Output,
) -> Result<(), Failure> {
    if output.json() {
        return Ok(());
    }
    let stored = installation.load().await?;
    let missing = missing(installation, &stored.setup).await?;
    let next = match missing.first() {
        Some(missing) => missing.command,
        None => report
            .failures()
            .next()
            .map_or("validate", |one| mending(one.check)),
    };
    tell_next(next, output)
}

/// The command for a check that failed although nothing is missing.
fn mending(check: Check) -> &'static str {
    match check {
        Check::RootFolder | Check::QueueFolder | Check::StorageFolder | Check::FoldersDistinct => {
            "folders --pick"
        }
        Check::InteractionTemplate | Check::InteractionTemplateExists => {
            "setup interaction-template-code=EMAIL"
        }
        Check::Credentials | Check::CredentialExpiry => "sign-in",
        Check::QueueRights | Check::StorageRights => "provision",
        _ => "setup",
    }
}

fn tell_next(next: &str, output: &Output) -> Result<(), Failure> {
    output.line("Next:")?;
    let command = format!("  {}", words::command(next));
    output.line(output.style().command(&command))
}

/// Tells results as they come. Writing may fail, which ends the command only after the checks.
struct Teller<'a> {
    output: &'a Output,
    failed: Option<Failure>,
}

impl<'a> Teller<'a> {
    fn new(output: &'a Output) -> Self {
        let failed = None;
        Self { output, failed }
    }

    fn tell(&mut self, result: &CheckResult) {
        if self.failed.is_none() {
            self.failed = told_check(result, self.output).err();
        }
    }

    fn end(self) -> Result<(), Failure> {
        self.failed.map_or(Ok(()), Err)
    }
}

fn told_check(result: &CheckResult, output: &Output) -> Result<(), Failure> {
    if output.json() {
        let mut value = serde_json::to_value(result).unwrap_or_default();
        if let Some(map) = value.as_object_mut() {
            map.insert("title".into(), result.check.to_string().into());
        }
        return output.value(&json!({ "check": value }));
    }
    let style = output.style();
    let title = result.check.to_string();
    let line = match result.verdict {
        Verdict::Passed => {
            let found = result
                .found
                .as_deref()
                .map(|found| format!(": {}", safe::text(found)));
            format!("{} {title}{}", style.good("✓"), found.unwrap_or_default())
        }
        Verdict::NotChecked { because } => {
            style.dim(&format!("· {title}: {}", why(result.check, because)))
        }
        Verdict::Warning => format!("{} {title}", style.attention("!")),
        _ => format!("{} {title}", style.attention("×")),
    };
    output.line(line)?;
    if matches!(result.verdict, Verdict::Warning | Verdict::Failed) {
        explain(result, output)?;
    }
    Ok(())
}

/// What was found, what to do, and the code to look it up by.
fn explain(result: &CheckResult, output: &Output) -> Result<(), Failure> {
    let room = output.columns().saturating_sub(4).max(20);
    let code = result.code.unwrap_or_default();
    let found = result.found.as_deref().unwrap_or_default();
    let found = found.strip_suffix(&format!(" [{code}]")).unwrap_or(found);
    for line in safe::lines(&format!("{} [{code}]", exit::found(found)), room) {
        output.line(format!("    {line}"))?;
    }
    if let Some(remedy) = result.remedy {
        let remedy = exit::remedy_of(code, remedy);
        for line in safe::lines(&format!("→ {remedy}"), room) {
            output.line(format!("    {line}"))?;
        }
    }
    for problem in result.records.iter().take(10) {
        let record = format!("    record {}: {}", problem.record, problem.field);
        output.line(safe::text(&record))?;
    }
    let more = result.records.len().saturating_sub(10);
    if more > 0 {
        output.line(format!("    and {more} more, which --json lists"))?;
    }
    Ok(())
}

/// Why nobody can tell, and what would change that, where the library speaks of hosts.
fn why(check: Check, because: NotChecked) -> String {
    let text = match (check, because) {
        (Check::LeastAccess, NotChecked::NoRole) => "name any other mailbox with --other-mailbox",
        (Check::DirectoryAddresses, NotChecked::NoRole) => "name the file with --directory",
        (Check::Job, NotChecked::NoRole) => "the schedule is `watch`, or one of your own",
        (_, NotChecked::NotTold) => "the server does not tell",
        (_, NotChecked::NotEnabled) => "email logging is off",
        (_, because) => return format!("not checked: {because}"),
    };
    format!("not checked: {text}")
}

fn conclude(report: &ValidationReport, output: &Output) -> Result<(), Failure> {
    let failed = report.failures().count();
    let warnings = report.warnings().count();
    let green = report.is_green();
    if output.json() {
        return output.value(&json!({ "validation": {
            "green": green, "failed": failed, "warnings": warnings,
        } }));
    }
    output.line("")?;
    let style = output.style();
    let warned = match warnings {
        0 => String::new(),
        warnings => format!(
            ", with {}",
            words::count(warnings as u64, "warning", "warnings")
        ),
    };
    if green {
        return output.line(style.good(&format!("The set-up works{warned}.")));
    }
    let failed = match failed {
        0 => "a required check could not be made".to_owned(),
        failed => format!("{} failed", words::count(failed as u64, "check", "checks")),
    };
    output.line(style.attention(&format!("The set-up does not work yet: {failed}{warned}.")))
}
