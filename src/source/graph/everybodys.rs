//! What the answer to one part of a batch says of all of them.

use super::batch::Answered;
use super::codes::Class;
use crate::error::{Error, Result, codes};

/// What says something of every item is the answer of the whole call; so is a class that each of several has, where it is one
/// `of_the_way` and not of the item.
pub(super) fn everybodys(
    answers: Vec<Answered>,
    of_the_way: fn(Class) -> bool,
) -> Result<Vec<Answered>> {
    let refused = |answer: &Answered, is: fn(Class) -> bool| matches!(answer, Answered::Refused(class, _) if is(*class));
    let all = answers.len() > 1 && answers.iter().all(|answer| refused(answer, of_the_way));
    let decides = |answer: &Answered| all || refused(answer, Class::is_everybodys);
    if !answers.iter().any(decides) {
        return Ok(answers);
    }
    match answers.into_iter().find(decides) {
        Some(Answered::Refused(_, error) | Answered::Missing(error)) => Err(error),
        _ => Err(Error::new(&codes::INTERNAL, "GraphSource")),
    }
}
