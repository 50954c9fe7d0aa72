//! JSON batches: up to twenty requests in one (Microsoft, "Combine multiple HTTP requests using JSON batching").

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::access::Visitor;
use super::answer::Answer;
use super::fault::{GraphFaultKind, spoil_parts};
use super::mailbox::Outcome;
use super::operation::{GraphOperation, Route};
use super::problem::Problem;
use super::request::GraphRequest;
use super::server::Hangup;
use super::service::{Open, Performed, Service};

const MOST_PARTS: usize = 20;

/// Outlook works on so many requests of a batch at once.
const AT_ONCE: usize = 4;

/// The statuses of the parts that have run, by id.
type Statuses = BTreeMap<String, u16>;

/// The parts of a batch that may be run.
struct Batch {
    parts: Vec<(String, Value)>,
}

impl Batch {
    fn parse(body: &Value) -> Result<Self, Problem> {
        let requests = body.get("requests").and_then(Value::as_array);
        let requests = requests
            .filter(|requests| !requests.is_empty())
            .ok_or_else(|| Problem::bad_request("Invalid batch payload format."))?;
        if requests.len() > MOST_PARTS {
            let text =
                format!("Number of batch request steps exceeds the max value of {MOST_PARTS}.");
            return Err(Problem::bad_request(text));
        }
        let mut parts: Vec<(String, Value)> = Vec::new();
        for request in requests {
            let id = request.get("id").and_then(Value::as_str);
            let id = id.filter(|id| !id.is_empty());
            let id = id.ok_or_else(|| Problem::bad_request("A request of the batch has no id."))?;
            if parts.iter().any(|(known, _)| known == id) {
                let text = "The ids of the requests of a batch must differ.";
                return Err(Problem::bad_request(text));
            }
            parts.push((id.to_owned(), request.clone()));
        }
        let batch = Self { parts };
        batch.check_order()?;
        Ok(batch)
    }

    /// The parts with their places, in groups that run at once: none depends on another of its group.
    fn groups(&self) -> Vec<Vec<(usize, &(String, Value))>> {
        let mut groups: Vec<Vec<(usize, &(String, Value))>> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let fits = groups.last().is_some_and(|group| {
                let waits = |needed: &str| group.iter().any(|(_, (id, _))| id == needed);
                group.len() < AT_ONCE && !depends_on(&part.1).any(waits)
            });
            match groups.last_mut().filter(|_| fits) {
                Some(group) => group.push((index, part)),
                None => groups.push(vec![(index, part)]),
            }
        }
        groups
    }

    /// A request may depend on those before it alone.
    fn check_order(&self) -> Result<(), Problem> {
        let mut before: Vec<&str> = Vec::new();
        for (id, part) in &self.parts {
            if depends_on(part).any(|needed| !before.contains(&needed)) {
                let text = "A request depends on one that is not before it.";
                return Err(Problem::bad_request(text));
            }
            before.push(id);
        }
        Ok(())
    }
}

fn depends_on(part: &Value) -> impl Iterator<Item = &str> {
    let list = part.get("dependsOn").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str)
}

impl Service {
    /// Runs all parts and answers them together.
    pub(super) async fn batch(
        &self,
        request: &GraphRequest,
        visitor: &Visitor,
        kinds: &[GraphFaultKind],
    ) -> Result<Performed, Hangup> {
        let batch = match request.json().and_then(|body| Batch::parse(&body)) {
            Ok(batch) => batch,
            Err(problem) => return Ok(Performed::plain(Err(problem))),
        };
        self.note_batch(batch.parts.len());
        let mut statuses = Statuses::new();
        let mut answers = Vec::new();
        let mut met = Vec::new();
        for group in batch.groups() {
            // All of a group are counted before the first of them is worked on.
            let open = group
                .iter()
                .map(|(_, (_, part))| self.enter_part(part, visitor));
            let open: Vec<Open<'_>> = open.collect();
            tokio::task::yield_now().await;
            let mut steps = group.iter().zip(&open);
            let mut next = || {
                let ((index, (id, part)), open) = steps.next()?;
                let fails = failure(kinds, *index, part, &statuses);
                let fails = fails.or_else(|| open.refusal(self));
                Some((id, Box::pin(self.step(part, visitor, fails))))
            };
            let (a, b, c, d) = (next(), next(), next(), next());
            let done = tokio::join!(biased; run(a), run(b), run(c), run(d));
            for (id, performed) in [done.0, done.1, done.2, done.3].into_iter().flatten() {
                let performed = performed?;
                met.extend(performed.faults);
                let answer = self.answer_of(performed.outcome);
                statuses.insert(id.clone(), answer.status);
                answers.push(answer.into_part(id));
            }
        }
        for kind in kinds.iter().chain(&met) {
            spoil_parts(&mut answers, kind);
        }
        Ok(Performed {
            outcome: Ok(Answer::json(200, json!({"responses": answers}))),
            faults: met,
        })
    }

    fn enter_part(&self, part: &Value, visitor: &Visitor) -> Open<'_> {
        let route = GraphRequest::of_part(part).and_then(|request| Route::of(&request));
        let mailbox = route
            .ok()
            .and_then(|route| self.mailbox_key(&route, visitor));
        self.enter(mailbox, true)
    }

    /// One part, unless it has failed before.
    async fn step(
        &self,
        part: &Value,
        visitor: &Visitor,
        fails: Option<Problem>,
    ) -> Result<Performed, Hangup> {
        match fails {
            Some(problem) => Ok(Performed::plain(Err(problem))),
            None => self.part(part, visitor).await,
        }
    }

    /// One part; a fault of the wire strikes the whole batch.
    async fn part(&self, part: &Value, visitor: &Visitor) -> Result<Performed, Hangup> {
        let request = GraphRequest::of_part(part);
        let found = request.and_then(|request| Ok((Route::of(&request)?, request)));
        let (route, request) = match found {
            Ok(found) => found,
            Err(problem) => return Ok(Performed::plain(Err(problem))),
        };
        if route.operation == GraphOperation::Batch {
            let text = "A batch must not be within a batch.";
            return Ok(Performed::plain(Err(Problem::bad_request(text))));
        }
        if !request.body.is_empty() && request.content_type.is_empty() {
            let text = "A request of the batch with a body needs a Content-Type.";
            return Ok(Performed::plain(Err(Problem::bad_request(text))));
        }
        self.perform(&route, &request, visitor, true).await
    }
}

/// Runs what there is.
async fn run<Step: Future>(step: Option<(&String, Step)>) -> Option<(&String, Step::Output)> {
    let (id, step) = step?;
    Some((id, step.await))
}

/// Why a part is not run at all.
fn failure(
    kinds: &[GraphFaultKind],
    index: usize,
    part: &Value,
    statuses: &Statuses,
) -> Option<Problem> {
    let failed = |needed: &str| statuses.get(needed).is_none_or(|status| *status >= 400);
    if depends_on(part).any(failed) {
        return Some(failed_dependency());
    }
    part_error(kinds, index)
}

fn failed_dependency() -> Problem {
    Problem::new(
        424,
        "FailedDependency",
        "A request on which this one depends has failed.",
    )
}

fn part_error(kinds: &[GraphFaultKind], place: usize) -> Option<Problem> {
    kinds.iter().find_map(|kind| match kind {
        GraphFaultKind::PartError {
            index,
            status,
            code,
            retry_after,
        } if *index == place => Some(
            Problem::new(*status, code.clone(), "The request could not be completed.")
                .with_retry_after(*retry_after),
        ),
        _ => None,
    })
}

/// The longest wait that an outcome announces.
pub(super) fn announced(outcome: &Outcome) -> Option<Duration> {
    match outcome {
        Ok(answer) => answer.retry_after,
        Err(problem) => problem.retry_after,
    }
}
