//! Email logging from the command line: the whole job to try, to run and to look at.
//!
//! Owns nothing but the way in and the way out: the command line is read, a command runs, its end becomes an exit code.

mod cancel;
mod cli;
mod config;
mod connect;
mod demo;
mod exit;
mod explain;
mod export;
mod find;
mod flags;
mod folders;
mod import;
mod installation;
mod log;
mod migrate;
mod opportunity;
mod output;
mod privacy;
mod provision;
mod reconcile;
mod rematch;
mod requeue;
mod review;
mod run;
mod runs;
mod samples;
mod setup;
mod show;
mod sign_in;
mod signals;
mod simulate;
mod stats;
mod status;
#[path = "../support/subject.rs"]
mod subject_records;
mod validate;
mod view;
mod wake;
mod words;

use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use cli::reports::ReportCommand;
use cli::review::ReviewCommand;
use cli::setup::SetupCommand;
use cli::{Cli, Command};
use exit::{Exit, Failure};
use output::Output;

fn main() -> ExitCode {
    if let Some(failure) = setup::secret_as_argument(std::env::args_os()) {
        let json = std::env::args_os().any(|word| word == "--json");
        return Output::new(&cli::Global::bare(json))
            .failure(&failure)
            .into();
    }
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let exit = if error.use_stderr() {
                output::usage(&error.to_string());
                Exit::Usage
            } else {
                Exit::Done
            };
            return error.print().map_or(Exit::Failed, |()| exit).into();
        }
    };
    let output = Output::new(&cli.global);
    trace(cli.global.verbose);
    std::panic::set_hook(Box::new(|panic| output::broken(panic.location())));
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| start(&cli, &output)));
    match result {
        Ok(result) => result.unwrap_or_else(|failure| output.failure(&failure)),
        Err(_) => Exit::Failed,
    }
    .into()
}

fn start(cli: &Cli, output: &Output) -> Result<Exit, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::input("the program cannot start", &error))?;
    runtime.block_on(command(cli, output))
}

async fn command(cli: &Cli, output: &Output) -> Result<Exit, Failure> {
    let file = cli.global.config.as_deref();
    match &cli.command {
        Command::Demo(args) => Box::pin(demo::demo(args, output)).await,
        Command::Run(args) => Box::pin(run::run(args, file, output)).await,
        Command::Watch(args) => Box::pin(run::watch(args, file, output)).await,
        Command::Explain(args) => explain::explain(args, file, output).await,
        Command::Log(args) => log::log(args, file, output).await,
        Command::Show(args) => show::show(args, file, output).await,
        Command::Opportunity(args) => Box::pin(opportunity::opportunity(args, file, output)).await,
        Command::Reconcile(args) => Box::pin(reconcile::reconcile(args, file, output)).await,
        Command::Requeue(args) => requeue::requeue(args, file, output).await,
        Command::Import(args) => Box::pin(import::import(args, file, output)).await,
        Command::Folders(args) => folders::folders(args, file, output).await,
        Command::Report(command) => report(command, file, output).await,
        Command::Review(command) => Box::pin(reviewing(command, file, output)).await,
        Command::Privacy(command) => Box::pin(privacy::command(command, file, output)).await,
        Command::Administer(command) => Box::pin(administer(command, file, output)).await,
        Command::Simulate(args) => simulate::simulate(args, output).await,
    }
}

/// The commands that read and tidy the log.
async fn report(
    command: &ReportCommand,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        ReportCommand::Stats(args) => stats::stats(args, file, output).await,
        ReportCommand::Export(args) => export::export(args, file, output).await,
        ReportCommand::Cancel(args) => cancel::cancel(args, file, output).await,
        ReportCommand::DeleteCanceled(args) => cancel::delete_canceled(args, file, output).await,
    }
}

/// The commands of the review queue.
async fn reviewing(
    command: &ReviewCommand,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        ReviewCommand::Review(args) => review::review(args, file, output).await,
        ReviewCommand::Rematch(args) => rematch::rematch(args, file, output).await,
        ReviewCommand::NeverLog(args) => review::never_log(args, file, output).await,
        ReviewCommand::Events(args) => review::events(args, file, output).await,
    }
}

/// The commands of the set-up.
async fn administer(
    command: &SetupCommand,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match command {
        SetupCommand::Setup(args) => setup::setup(args, file, output).await,
        SetupCommand::SignIn(args) => sign_in::sign_in(args, file, output).await,
        SetupCommand::Validate(args) => validate::validate(args, file, output).await,
        SetupCommand::Enable(args) => validate::enable(args, file, output).await,
        SetupCommand::Disable(args) => validate::disable(args, file, output).await,
        SetupCommand::Clear(args) => status::clear(args, file, output).await,
        SetupCommand::Status(args) => status::status(args, file, output).await,
        SetupCommand::Provision(args) => provision::provision(args, file, output).await,
        SetupCommand::Migrate(args) => migrate::migrate(args, file, output).await,
    }
}

/// Spans and events go to stderr; `RUST_LOG` wins over `--verbose`.
fn trace(verbose: u8) {
    let level = match verbose {
        0 => "off",
        1 => "email_logging=info",
        2 => "email_logging=debug",
        _ => "email_logging=trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
}
