//! Who is never logged: the company's list and each salesperson's.

use std::sync::Arc;

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Response};
use email_logging::SalespersonCode;
use email_logging::decision::NeverRule;
use email_logging::error::Error;
use email_logging::store::NeverLogStore as _;
use serde::Deserialize;

use super::page::{Failed, Frame, Problem, done, render};
use super::session::{Person, Session};
use crate::erp::Erp;

struct Listed {
    rule: String,
    /// The salesperson's code and name, or nobody for the whole company.
    of: Option<(String, String)>,
}

#[derive(Template)]
#[template(path = "never_log.html", config = "examples/erp_host/askama.toml")]
struct NeverLog {
    f: Frame,
    rules: Vec<Listed>,
    salespeople: Vec<(String, String)>,
    typed: String,
    error: Option<Problem>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    rule: String,
}

pub(super) async fn show(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Query(typed): Query<Typed>,
) -> Result<Response, Failed> {
    page(&erp, &session, typed.rule, None).await
}

async fn page(
    erp: &Erp,
    session: &Session,
    typed: String,
    error: Option<&Error>,
) -> Result<Response, Failed> {
    let lists = erp.store.load_never_log(&erp.scope).await?.lists;
    let administration = session.is_administration();
    let mine_only = |(code, _): &(String, String)| {
        let own = session.person.as_ref().and_then(Person::salesperson);
        administration || own.is_some_and(|own| own.as_str() == code)
    };
    let mut rules: Vec<Listed> = lists
        .organisation
        .iter()
        .map(|rule| Listed {
            rule: rule.to_string(),
            of: None,
        })
        .collect();
    let mine = session.person.as_ref().and_then(Person::salesperson);
    for (code, own) in &lists.salespeople {
        if !session.is_administration() && mine != Some(code) {
            continue;
        }
        let name = erp.people.salesperson(code.as_str()).unwrap_or_default();
        rules.extend(own.iter().map(|rule| Listed {
            rule: rule.to_string(),
            of: Some((code.to_string(), name.to_owned())),
        }));
    }
    let f = Frame::new(session, "review", "/never-log");
    Ok(render(&NeverLog {
        rules,
        salespeople: erp.salespeople().into_iter().filter(mine_only).collect(),
        typed,
        error: error.map(|error| Problem::of(&f, error)),
        f,
    }))
}

#[derive(Debug, Deserialize)]
pub(super) struct Change {
    rule: String,
    #[serde(default)]
    salesperson: String,
    #[serde(default)]
    remove: bool,
}

pub(super) async fn change(
    State(erp): State<Arc<Erp>>,
    Extension(session): Extension<Session>,
    Form(change): Form<Change>,
) -> Result<Response, Failed> {
    let own = session.person.as_ref().and_then(Person::salesperson);
    let own = own.is_some_and(|code| code.as_str() == change.salesperson);
    if !own && !session.is_administration() {
        return Err(Failed::NotYours);
    }
    match apply(&erp, &change).await {
        Ok(()) => Ok(done(&erp, &session, "/never-log", |w| w.flash_listed).into_response()),
        Err(error) => page(&erp, &session, change.rule, Some(&error)).await,
    }
}

async fn apply(erp: &Erp, change: &Change) -> Result<(), Error> {
    let rule: NeverRule = change.rule.parse()?;
    let of = Some(change.salesperson.as_str()).filter(|code| !code.is_empty());
    let of = of.map(SalespersonCode::new);
    let mut stored = erp.store.load_never_log(&erp.scope).await?;
    let changed = if change.remove {
        stored.lists.remove(of.as_ref(), &rule)
    } else {
        stored.lists.add(of.as_ref(), rule)
    };
    if changed {
        erp.store
            .save_never_log(&erp.scope, &stored.lists, stored.version)
            .await?;
    }
    Ok(())
}
