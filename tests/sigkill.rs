//! Real crashes: a logger's process that ends by SIGKILL, or whose disk fails, and is started again.
//!
//! `KILLS` says how many times a process is killed (60 by itself), `SEED` where the choices begin. About half of the processes reach
//! the mailbox over EWS, the others over Microsoft Graph. From 500 kills on every fail point must have been hit for both.
//!
//! `POSTGRES_KILLS` says how many of workers on PostgreSQL are killed, a tenth of `KILLS` by itself; from 300 on every fail
//! point must have been hit there too.
//!
//! A disk fails from the n-th operation on: for every n from 5,000 kills on, else for every so many. Which of them is the
//! first is `SEED` modulo their distance, so that runs with different seeds come to every n; CI takes its seed from the commit.

#![cfg(all(
    feature = "sqlite",
    feature = "postgres",
    feature = "ews",
    feature = "graph",
    target_os = "linux"
))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/disk_shim.rs"]
mod disk_shim;
#[path = "support/postgres.rs"]
mod postgres;
#[path = "support/skipped.rs"]
mod skipped;

#[path = "sigkill/book.rs"]
mod book;
#[path = "sigkill/child.rs"]
mod child;
#[path = "sigkill/company.rs"]
mod company;
#[path = "sigkill/crm.rs"]
mod crm;
#[path = "sigkill/database.rs"]
mod database;
#[path = "sigkill/dice.rs"]
mod dice;
#[path = "sigkill/disk.rs"]
mod disk;
#[path = "sigkill/kills.rs"]
mod kills;
#[path = "sigkill/points.rs"]
mod points;
#[path = "sigkill/power.rs"]
mod power;
#[path = "sigkill/world.rs"]
mod world;
#[path = "sigkill/wrapped.rs"]
mod wrapped;
