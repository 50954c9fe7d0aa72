//! `review`, `never-log` and `events`: what waits for a person, who is never logged, and what happened.

use std::path::Path;

use email_logging::interaction::InformationFlow;
use email_logging::store::{
    Assignment, EventFeed as _, NeverLogStore as _, Resolution, ReviewFilter, ReviewItem,
    ReviewQueue as _, ReviewState,
};
use serde_json::json;

use crate::cli::review::{
    EventsArgs, ListItems, NeverLogAction, NeverLogArgs, NeverLogRule, OneItem, ReviewAction,
    ReviewArgs, SayItem, State, Way,
};
use crate::exit::{Exit, Failure};
use crate::explain::tell_steps;
use crate::find::{Reader, short_ids};
use crate::output::{Output, mails, safe};
use crate::words;

/// Items of one list.
const ITEMS: u32 = 200;

/// `review`.
pub(crate) async fn review(
    args: &ReviewArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match &args.action {
        None => {
            let store = args.file.store.as_deref();
            list(
                &ListItems::default(),
                &Reader::open(file, store).await?,
                output,
            )
            .await
        }
        Some(ReviewAction::List(items)) => {
            let reader = Reader::open(file, items.file.store.as_deref()).await?;
            list(items, &reader, output).await
        }
        Some(ReviewAction::Show(one)) => show(one, file, output).await,
        Some(ReviewAction::Assign(assign)) => {
            let flow = match assign.direction {
                Way::Inbound => InformationFlow::Inbound,
                Way::Outbound => InformationFlow::Outbound,
            };
            let (contact, salesperson) = (assign.contact.as_str(), assign.salesperson.as_str());
            let link = Assignment::new(contact, salesperson, flow);
            let said = Resolution::assign(&assign.say.by, link);
            say(&assign.say, said, file, output).await
        }
        Some(ReviewAction::Ignore(args)) => {
            say(args, Resolution::ignore(&args.by), file, output).await
        }
        Some(ReviewAction::Reopen(args)) => {
            say(args, Resolution::reopen(&args.by), file, output).await
        }
    }
}

async fn list(args: &ListItems, reader: &Reader, output: &Output) -> Result<Exit, Failure> {
    let mut filter = ReviewFilter::default();
    filter.state = match args.state {
        State::Open => ReviewState::Open,
        State::Assigned => ReviewState::Assigned,
        State::Ignored => ReviewState::Ignored,
    };
    filter.excluded = args.excluded;
    filter.reason.clone_from(&args.reason);
    let page = reader
        .store
        .review_items(&reader.scope, &filter, None, ITEMS);
    let page = page.await?;
    let records: Vec<_> = page.rows.iter().map(|item| item.decision.clone()).collect();
    if output.json() {
        for item in &page.rows {
            output.value(&json!({ "item": item }))?;
        }
        return Ok(Exit::Done);
    }
    for (item, id) in page.rows.iter().zip(short_ids(&records)) {
        output.line(line(item, &id))?;
    }
    let more = if page.next.is_some() {
        " There is more."
    } else {
        ""
    };
    let count = words::count(page.rows.len() as u64, "item", "items");
    output.line(format!("{count} {}.{more}", filter.state.code()))?;
    Ok(Exit::Done)
}

fn line(item: &ReviewItem, id: &str) -> String {
    let decision = &item.decision;
    let when = mails::minute(decision.decided_at);
    let why = words::reason(&decision.outcome, &decision.reason);
    let from = safe::text(decision.sender.as_deref().unwrap_or("not kept"));
    format!(
        "{id}  {when}  {from}  {}  ({why})",
        words::subject(decision)
    )
}

/// The item that is meant.
async fn find(one: &OneItem, reader: &Reader) -> Result<ReviewItem, Failure> {
    let found = reader.find(&one.id).await?;
    for decision in &found.decisions {
        let mut filter = ReviewFilter::default();
        filter.sighting = Some((decision.mailbox.clone(), decision.sighting.clone()));
        let page = reader.store.review_items(&reader.scope, &filter, None, 1);
        if let Some(item) = page.await?.rows.pop() {
            return Ok(item);
        }
    }
    Err(Failure::unknown(
        "the mail is logged, so there is nothing to review",
        "`review list` lists what waits for a person, with its id.",
    ))
}

async fn show(one: &OneItem, file: Option<&Path>, output: &Output) -> Result<Exit, Failure> {
    let reader = Reader::open(file, one.file.store.as_deref()).await?;
    let item = find(one, &reader).await?;
    if output.json() {
        output.value(&json!({ "item": item }))?;
        return Ok(Exit::Done);
    }
    output.line(line(&item, &one.id.to_string()))?;
    for named in &item.participants {
        let (role, address) = (named.role.code(), safe::text(&named.address));
        output.line(format!("  {role}: {address}"))?;
    }
    if let Some((at, said)) = &item.resolution {
        let (by, note) = (safe::text(&said.by), safe::text(&said.note));
        let when = mails::minute(*at);
        output.line(format!("  {} by {by} at {when}. {note}", said.state.code()))?;
    }
    tell_steps(&item.decision.steps, output)?;
    Ok(Exit::Done)
}

async fn say(
    args: &SayItem,
    said: Resolution,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.item.file.store.as_deref()).await?;
    let item = find(&args.item, &reader).await?;
    let said = said.with_note(&args.note);
    let (mailbox, key) = (&item.decision.mailbox, &item.decision.sighting);
    let store = &reader.store;
    let version = store.resolve(&reader.scope, mailbox, key, &said, item.version);
    let version = version.await?;
    let (id, state) = (args.item.id.to_string(), said.state.code());
    if output.json() {
        output.value(&json!({ "review": { "id": id, "state": state, "version": version } }))?;
        return Ok(Exit::Done);
    }
    output.line(match said.state {
        ReviewState::Assigned => format!("{id} is assigned. The next `run` or `rematch` logs it."),
        _ => format!("{id} is {state}."),
    })?;
    Ok(Exit::Done)
}

/// `never-log`.
pub(crate) async fn never_log(
    args: &NeverLogArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    match &args.action {
        NeverLogAction::List(place) => {
            let reader = Reader::open(file, place.store.as_deref()).await?;
            let stored = reader.store.load_never_log(&reader.scope).await?;
            if output.json() {
                output.value(&json!({ "never-log": stored.lists, "version": stored.version }))?;
                return Ok(Exit::Done);
            }
            for rule in &stored.lists.organisation {
                output.line(format!("everybody  {}", safe::text(&rule.to_string())))?;
            }
            for (code, rules) in &stored.lists.salespeople {
                for rule in rules {
                    let code = safe::text(code.as_str());
                    output.line(format!("{code}  {}", safe::text(&rule.to_string())))?;
                }
            }
            if stored.lists.is_empty() {
                output.line("Nobody is on a list.")?;
            }
            Ok(Exit::Done)
        }
        NeverLogAction::Add(rule) => change(rule, true, file, output).await,
        NeverLogAction::Remove(rule) => change(rule, false, file, output).await,
    }
}

async fn change(
    args: &NeverLogRule,
    add: bool,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.file.store.as_deref()).await?;
    let mut stored = reader.store.load_never_log(&reader.scope).await?;
    let of = args.salesperson.as_deref().map(Into::into);
    let changed = if add {
        stored.lists.add(of.as_ref(), args.rule.clone())
    } else {
        stored.lists.remove(of.as_ref(), &args.rule)
    };
    if !add && !changed {
        let hint = "`never-log list` lists every rule.";
        return Err(Failure::unknown("there is no such rule", hint));
    }
    if changed {
        let (scope, lists) = (&reader.scope, &stored.lists);
        stored.version = reader
            .store
            .save_never_log(scope, lists, stored.version)
            .await?;
    }
    if output.json() {
        output.value(&json!({ "never-log": stored.lists, "version": stored.version }))?;
    } else {
        let done = if add {
            "is on the list"
        } else {
            "is off the list"
        };
        output.line(format!(
            "{} {done} from the next run on.",
            safe::text(&args.rule.to_string())
        ))?;
    }
    Ok(Exit::Done)
}

/// `events`.
pub(crate) async fn events(
    args: &EventsArgs,
    file: Option<&Path>,
    output: &Output,
) -> Result<Exit, Failure> {
    let reader = Reader::open(file, args.file.store.as_deref()).await?;
    let (store, scope) = (&reader.store, &reader.scope);
    if let Some(number) = args.ack {
        store.acknowledge(scope, &args.consumer, number).await?;
    }
    for event in store.read_events(scope, &args.consumer, args.limit).await? {
        if output.json() {
            output.value(&json!({ "event": event }))?;
            continue;
        }
        let when = mails::minute(event.at);
        let (number, kind) = (event.number, event.kind.code());
        output.line(format!(
            "{number}  {when}  {kind}  {}",
            safe::text(&event.reason)
        ))?;
    }
    Ok(Exit::Done)
}
