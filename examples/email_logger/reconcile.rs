//! `reconcile`: the log made to fit the folders again, after a backup was restored or the log was lost.

use std::path::Path;

use email_logging::logger::{ReconcileOptions, ReconcileReport};
use serde_json::json;

use crate::cli::ReconcileArgs;
use crate::config::Config;
use crate::exit::{Exit, Failure};
use crate::output::Output;
use crate::run::{disabled, logger, skipped, summary};
use crate::signals::Signals;
use crate::words;

/// `reconcile`.
pub(crate) async fn reconcile(
    args: &ReconcileArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let config = Config::load(file, &args.settings)?;
    let mut options = ReconcileOptions::default().with_most(args.most);
    options.dry_run = args.dry_run;
    let Some(logger) = logger(config, &args.settings, output).await? else {
        return disabled(output);
    };
    let signals = Signals::listen();
    let report = logger.reconcile_until(&options, signals.received()).await?;
    tell(&report, output)?;
    let exit = if report.skipped.is_some() {
        Exit::Failed
    } else {
        Exit::Done
    };
    Ok(signals.exit(exit))
}

fn tell(report: &ReconcileReport, output: &Output) -> Result<(), Failure> {
    if output.json() {
        return output.value(&json!({ "reconcile": report }));
    }
    if let Some(why) = report.skipped {
        return output.line(skipped(why));
    }
    let found = words::count(report.listed, "mail", "mails");
    output.line(format!(
        "{found} in the folders, {} known to the log as they are.",
        report.known
    ))?;
    if report.settled > 0 {
        let moves = words::count(report.settled, "move", "moves");
        output.line(format!("{moves} had been made, and the log knows it now."))?;
    }
    if report.decided.listed > 0 {
        output.line("Missing in the log:")?;
        for line in summary(&report.decided) {
            output.line(line)?;
        }
    }
    output.line(closing(report))
}

fn closing(report: &ReconcileReport) -> &'static str {
    match (report.dry_run, report.complete) {
        (true, true) => "Nothing was written, and nothing was moved.",
        (true, false) => "There may be more. Nothing was written, and nothing was moved.",
        (false, true) => "Nothing was moved. The log fits the folders.",
        (false, false) => {
            "There may be more: call it again, it goes on from here. Nothing was moved."
        }
    }
}
