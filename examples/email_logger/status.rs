//! `status` and `clear`.

use std::io::IsTerminal as _;
use std::path::Path;

use email_logging::setup::{AuthenticationType, SignInState};
use jiff::Timestamp;
use serde_json::json;

use crate::cli::setup::{ClearArgs, ReachArgs};
use crate::exit::{Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::{Output, mails, safe};
use crate::runs::{RunBook, Runs};
use crate::setup::{show, tell};
use crate::words;

/// `status`.
pub(crate) async fn status(
    args: &ReachArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = Installation::open(file, &args.settings()).await?;
    let administration = installation.administration(false, None)?;
    let status = administration.status(&installation.scope).await?;
    let stored = installation.load().await?;
    let missing = missing(&installation, &stored.setup).await?;
    if output.json() {
        let runs = RunBook::beside(installation.config.store_path()?).read();
        output.value(&json!({ "status": status, "missing": missing, "runs": runs }))?;
        return Ok(Exit::Done);
    }
    let state = if status.enabled { "on" } else { "off" };
    let style = output.style();
    output.line(style.strong(&format!("Email logging is {state}.")))?;
    output.line(format!(
        "  set-up     version {}, in {}",
        status.version,
        installation.config.store_path()?.display()
    ))?;
    let kind = status.authentication_type;
    let basic = stored.setup.authentication_type == AuthenticationType::Basic;
    let signed_in = match status.signed_in {
        SignInState::SignedIn if basic => "user name and password are stored",
        SignInState::SignedIn => "an administrator has consented",
        SignInState::SignedOut if basic => "no password is stored",
        SignInState::SignedOut => "no administrator has consented yet",
        _ => "with credentials from outside the set-up",
    };
    output.line(format!("  sign-in    {kind}: {signed_in}"))?;
    tell_runs(installation.config.store_path()?, output)?;
    show::tell_next(&stored, &missing, output)?;
    Ok(Exit::Done)
}

/// How the runs of each mailbox went.
fn tell_runs(store: &Path, output: &Output) -> Result<(), Failure> {
    let all = RunBook::beside(store).read();
    if all.is_empty() {
        return output.line("  last run   never");
    }
    let single = all.len() == 1;
    for (mailbox, runs) in &all {
        let name = if single {
            String::new()
        } else {
            format!("{}: ", safe::text(mailbox))
        };
        output.line(format!("  last run   {name}{}", last_run(runs)))?;
        for (title, since) in [("lag", runs.oldest_mail), ("to move", runs.oldest_move)] {
            if let Some(since) = since {
                output.line(format!("  {title:<10} {name}since {}", at(since)))?;
            }
        }
    }
    Ok(())
}

fn last_run(runs: &Runs) -> String {
    let last = runs.last_run.map_or_else(|| "never".into(), at);
    let Some(code) = &runs.failure else {
        return format!("{last}, ended well");
    };
    let times = words::count(u64::from(runs.failed_in_a_row), "time", "times in a row");
    let success = runs.last_success.map_or_else(|| "never".into(), at);
    let wait = runs
        .backs_off_until
        .map_or_else(String::new, |until| format!("; tried again {}", at(until)));
    format!(
        "{last}, failed {times} [{}]; last success {success}{wait}",
        safe::text(code)
    )
}

fn at(time: Timestamp) -> String {
    format!("{} UTC", mails::minute(time))
}

/// `clear`.
pub(crate) async fn clear(
    args: &ClearArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let installation = Installation::open(file, &args.reach.settings()).await?;
    if !args.yes && !confirmed(output)? {
        output.note("Nothing was cleared.");
        return Ok(Exit::Failed);
    }
    let administration = installation.administration(false, None)?;
    let before = installation.stored_secrets().await?;
    let consequences = administration.clear(&installation.scope).await?;
    tell(&installation, &before, &consequences, output).await?;
    if !output.json() {
        output.line("The set-up is empty but for the interaction template, and every secret is erased. The log and the mail stay as they are.")?;
        if installation.key_file.exists() {
            output.line(format!(
                "The key in {} opens nothing any more, unless other set-ups use it.",
                installation.key_file.display()
            ))?;
        }
        output.line("Begin again with:")?;
        let command = format!("  {}", words::command("setup"));
        output.line(output.style().command(&command))?;
    }
    Ok(Exit::Done)
}

/// Asks on a terminal; elsewhere nobody could answer.
fn confirmed(output: &Output) -> Result<bool, Failure> {
    let terminal = console::Term::stderr();
    if output.json() || !terminal.is_term() || !std::io::stdin().is_terminal() {
        return Err(Failure::usage(
            "clearing empties the set-up and erases every secret, and there is no terminal to ask at",
            "Add --yes if that is what you want.",
        ));
    }
    let failed = |error| Failure::input("the terminal cannot be read", &error);
    let question = "This empties the set-up and erases every secret. The log and the mail stay. Type yes to go on: ";
    terminal.write_str(question).map_err(failed)?;
    let answer = terminal.read_line().map_err(failed)?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}
