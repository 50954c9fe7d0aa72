//! A small ERP that embeds email logging: contacts, their history, the original mails, and the pages of an administrator.
//!
//! One binary, one SQLite file, server-rendered pages that work without scripts. With `--demo` it brings its own company:
//! a simulated Exchange and identity service on loopback, and sample mails.
//!
//! `cargo run --example erp_host -- --demo`
#![allow(clippy::print_stdout)]

mod args;
mod company;
mod connectors;
mod erp;
mod job;
mod passwords;
mod people;
#[path = "../email_logger/samples.rs"]
#[allow(dead_code)]
mod samples;
#[path = "../support/subject.rs"]
mod subject_records;
mod web;
mod words;
mod zone;

use std::error::Error;
use std::sync::Arc;

use clap::Parser as _;
use tokio::net::TcpListener;

use args::Args;
use company::Company;
use erp::Erp;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let args = Args::parse();
    let passwords = passwords::Passwords::read(args.password_file.as_deref())?;
    args.check(&passwords)?;
    zone::set(args.time_zone.clone());
    let listener = TcpListener::bind(args.listen).await?;
    let listening = listener.local_addr()?;
    let origin = match &args.base_url {
        Some(url) => url.trim_end_matches('/').to_owned(),
        None => format!("http://{listening}"),
    };
    let company = if args.demo {
        let landing = format!("{origin}{}", web::LANDING);
        Some(Company::start(&landing, args.mails.as_deref()).await?)
    } else {
        None
    };
    let erp = Arc::new(Erp::open(&args, passwords, origin.clone(), company).await?);
    let job = tokio::spawn(job::keep_logging(Arc::clone(&erp)));
    println!("The ERP is at {origin}/  (Ctrl-C stops it)");
    println!("It listens on {listening}");
    println!("Its file is {}", erp.file.display());
    let stop = async {
        // Without a handler for the signal the program ends all the same.
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, web::router(Arc::clone(&erp)))
        .with_graceful_shutdown(stop)
        .await?;
    // A run that is cut off is healed by the next one; this one is given the time to end.
    erp.stop();
    job.await?;
    Ok(())
}
