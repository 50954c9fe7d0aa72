//! `migrate`: what becomes of the stored set-up with Microsoft Graph, what to do in Exchange, and the change itself.

use std::path::Path;

use email_logging::setup::{
    AuthenticationType, MigrationIssue, MigrationOptions, MigrationPlan, MigrationRow,
    MigrationStep, ProvisioningPlan,
};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::setup::{GraphSignIn, MigrateArgs};
use crate::exit::{Exit, Failure};
use crate::installation::Installation;
use crate::output::{Output, safe};
use crate::setup;
use crate::words;

/// `migrate`.
pub(crate) async fn migrate(
    args: &MigrateArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = Installation::open(file, &args.reach.settings()).await?;
    let stored = installation.load().await?;
    let plan = MigrationPlan::to_graph(&stored.setup, &options(args), Timestamp::now())?;
    if let (Some(path), Some(provisioning)) = (&args.script, plan.provisioning()) {
        write_script(path, provisioning)?;
    }
    if output.json() {
        output.value(&value(&plan, args.apply))?;
    } else {
        tell(&plan, args, output)?;
    }
    if !plan.is_possible() {
        return Ok(Exit::Access);
    }
    if !args.apply {
        return Ok(Exit::Done);
    }
    let before = installation.stored_secrets().await?;
    let administration = installation.administration(false, None)?;
    let version = Some(stored.version);
    let changed = administration
        .change(&installation.scope, version, plan.changes())
        .await?;
    setup::tell(&installation, &before, &changed.consequences, output).await?;
    if !output.json() {
        output.line("The set-up is for Microsoft Graph now. Next:")?;
        output.line(
            output
                .style()
                .command(&format!("  {}", words::command("validate"))),
        )?;
    }
    Ok(Exit::Done)
}

fn options(args: &MigrateArgs) -> MigrationOptions {
    let mut options = MigrationOptions::new();
    options.mailbox.clone_from(&args.mailbox);
    options.queue.clone_from(&args.queue);
    options.storage.clone_from(&args.storage);
    options.client_id.clone_from(&args.client_id);
    options.object_id.clone_from(&args.object_id);
    options.administrator.clone_from(&args.administrator);
    options.mailbox_is_online = args.mailbox_is_online;
    options.authentication = args.sign_in.map(|sign_in| match sign_in {
        GraphSignIn::Oauth2 => AuthenticationType::OAuth2,
        GraphSignIn::Oauth2Delegated => AuthenticationType::OAuth2Delegated,
    });
    options
}

fn write_script(path: &Path, plan: &ProvisioningPlan) -> Result<(), Failure> {
    use std::io::Write as _;
    let failed = |error| Failure::input(format!("{} cannot be written", path.display()), &error);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(&ProvisioningPlan::file(&plan.script()))
        .map_err(failed)
}

fn value(plan: &MigrationPlan, apply: bool) -> serde_json::Value {
    json!({ "migration": {
        "possible": plan.is_possible(),
        "warnings": warnings(plan),
        "dry-run": !apply,
        "retirement": plan.retirement().map(|it| json!({ "code": it.code(), "text": it.warning() })),
        "fields": plan.rows(),
        "issues": plan.issues(),
        "steps": plan.steps(),
    } })
}

fn tell(plan: &MigrationPlan, args: &MigrateArgs, output: &Output) -> Result<(), Failure> {
    let style = output.style();
    if let Some(retirement) = plan.retirement() {
        output.line(format!("! {retirement}"))?;
        output.line("")?;
    }
    output.line(style.strong("From Exchange Web Services to Microsoft Graph"))?;
    for row in plan.rows() {
        output.line(shown(row))?;
    }
    output.line("")?;
    for issue in plan.issues() {
        output.line(format!("{} {issue}", sign(*issue)))?;
    }
    for (number, step) in plan.steps().iter().enumerate() {
        output.line("")?;
        tell_step(number + 1, step, args, output)?;
    }
    output.line("")?;
    let noted = match warnings(plan) {
        0 => String::new(),
        count => format!(
            " Mind {}, marked with !.",
            words::count(count, "warning", "warnings")
        ),
    };
    if plan.is_possible() && args.apply && !noted.is_empty() {
        output.line(style.attention(noted.trim_start()))?;
    } else if plan.is_possible() && !args.apply {
        output.line(format!(
            "Nothing was changed. `migrate --apply` changes the set-up.{noted}"
        ))?;
    } else if !plan.is_possible() {
        output.line("Nothing was changed: what is marked with × has to be decided first.")?;
    }
    Ok(())
}

/// What stops nothing, and a person has to know.
fn warnings(plan: &MigrationPlan) -> u64 {
    let issues = plan.issues().iter();
    issues.filter(|issue| !issue.stops()).count() as u64
}

fn sign(issue: MigrationIssue) -> &'static str {
    if issue.stops() { "×" } else { "!" }
}

fn shown(row: &MigrationRow) -> String {
    let text = |value: &Option<String>| value.as_deref().map_or("(blank)".to_owned(), safe::text);
    let name = row.field.code();
    if row.is_same() {
        format!("  {name:29}{}", text(&row.ews))
    } else {
        format!("  {name:29}{} → {}", text(&row.ews), text(&row.graph))
    }
}

fn tell_step(
    number: usize,
    step: &MigrationStep,
    args: &MigrateArgs,
    output: &Output,
) -> Result<(), Failure> {
    let style = output.style();
    output.line(style.strong(&format!("{number}. {}", step.title)))?;
    output.line(format!("   {}", step.text))?;
    let Some(script) = &step.script else {
        return Ok(());
    };
    if let Some(path) = &args.script {
        return output.line(format!("   The script is in {}.", path.display()));
    }
    output.line("")?;
    for line in script.lines() {
        output.line(style.command(&format!("   {line}")))?;
    }
    Ok(())
}
