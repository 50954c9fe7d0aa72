//! Asking the contact directory, and telling its outage from one mail's own trouble.

use std::collections::BTreeSet;
use std::sync::{Arc, PoisonError};

use crate::caught::caught_async;
use crate::error::{Error, Result, codes};
use crate::message::Address;
use crate::parties::Parties;

use super::fetch::{FetchedContent, FetchedMail};
use super::parts::Parts;
use super::pipeline::StepError;
use super::recovery::may_be_one_items;
use super::report::RunStep;

/// Mails in a row whose addresses are not answered, before it is asked whether anything is.
const UNANSWERED: usize = 8;

/// What the directory says of each mail of a batch. An inner error is that mail's alone; the outer one is an outage.
///
/// All are asked for at once. Where that fails, they are asked for mail by mail: a directory that answers another question is
/// there, and who it gives no answer for holds up nobody else. Where none of them has an answer, the directory is there if it
/// still answers for an address that it answered for before; if not, or if there is no such address, it is out of order, and
/// no mail has failed. That costs at most a call for each mail and two more, and in an outage ten.
pub(super) async fn resolve(
    parts: &Parts,
    fetched: &[FetchedMail],
) -> Result<Vec<Result<Arc<Parties>>>, StepError> {
    let each: Vec<Vec<Address>> = fetched.iter().map(addresses).collect();
    let all: BTreeSet<Address> = each.iter().flatten().cloned().collect();
    let all: Vec<Address> = all.into_iter().collect();
    match ask(parts, &all).await {
        Ok(parties) => {
            let parties = Arc::new(parties);
            Ok(each.iter().map(|_| Ok(Arc::clone(&parties))).collect())
        }
        Err(error) if may_be_one_items(&error) => resolve_singly(parts, &each).await,
        Err(error) => Err(outage(error)),
    }
}

async fn resolve_singly(
    parts: &Parts,
    each: &[Vec<Address>],
) -> Result<Vec<Result<Arc<Parties>>>, StepError> {
    let mut answers = Vec::with_capacity(each.len());
    let (mut is_there, mut unanswered) = (false, 0);
    let asked = each.iter().filter(|it| !it.is_empty()).count();
    for addresses in each {
        let answer = ask(parts, addresses).await;
        match &answer {
            Ok(_) => is_there |= !addresses.is_empty(),
            Err(_) => unanswered += 1,
        }
        match answer {
            Err(error) if !may_be_one_items(&error) => return Err(outage(error)),
            Err(error) if !is_there && unanswered == asked.min(UNANSWERED) => {
                is_there = still_answers(parts).await;
                if !is_there {
                    return Err(outage(error));
                }
                answers.push(Err(error));
            }
            answer => answers.push(answer.map(Arc::new)),
        }
    }
    Ok(answers)
}

/// What the directory says of one mail's addresses. As in [`resolve`] the inner error is the mail's alone.
pub(super) async fn resolve_one(
    parts: &Parts,
    addresses: &[Address],
) -> Result<Result<Parties>, StepError> {
    match ask(parts, addresses).await {
        Err(error) if may_be_one_items(&error) && still_answers(parts).await => Ok(Err(error)),
        answer => answer.map(Ok).map_err(outage),
    }
}

/// Asks the directory. A wrong number of answers is an outage, never "no match".
pub(super) async fn resolve_addresses(
    parts: &Parts,
    addresses: &[Address],
) -> Result<Parties, StepError> {
    ask(parts, addresses).await.map_err(outage)
}

fn outage(error: Error) -> StepError {
    (RunStep::ResolvingAddresses, error)
}

fn addresses(mail: &FetchedMail) -> Vec<Address> {
    match &mail.content {
        FetchedContent::Read(message, _) => message.addresses(),
        _ => Vec::new(),
    }
}

async fn ask(parts: &Parts, addresses: &[Address]) -> Result<Parties> {
    let Some(first) = addresses.first() else {
        return Ok(Parties::default());
    };
    let asked = parts.directory.resolve(&parts.scope, addresses);
    let answers = caught_async("resolve", asked).await?;
    if answers.len() != addresses.len() {
        let detail = "it answered another number of addresses than it was asked";
        return Err(Error::new(&codes::DIRECTORY_INVALID, "resolve").with_detail(detail));
    }
    let answered = parts.answered.lock();
    *answered.unwrap_or_else(PoisonError::into_inner) = Some(first.clone());
    Ok(Parties::from_answers(addresses, answers))
}

/// Whether the directory answers a question that it has answered before.
async fn still_answers(parts: &Parts) -> bool {
    let answered = parts.answered.lock();
    let answered = answered.unwrap_or_else(PoisonError::into_inner).clone();
    match answered {
        Some(address) => ask(parts, &[address]).await.is_ok(),
        None => false,
    }
}
