//! `status` and `clear`.

use std::io::IsTerminal as _;
use std::path::Path;

use email_logging::setup::{AuthenticationType, SignInState};
use serde_json::json;

use crate::cli::setup::{ClearArgs, ReachArgs};
use crate::exit::{Exit, Failure};
use crate::installation::{Installation, missing};
use crate::output::Output;
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
        output.value(&json!({ "status": status, "missing": missing }))?;
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
    show::tell_next(&stored, &missing, output)?;
    Ok(Exit::Done)
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
