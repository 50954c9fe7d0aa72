//! Which of several candidates for one address is taken.

use std::cmp::Reverse;

use crate::decision::{LoggingPolicy, Ranking};
use crate::parties::{ContactKind, ContactMatch, MatchedBy, SalespersonMatch};

/// The candidate that was taken, and out of how many different ones.
#[derive(Debug, Clone)]
pub(in crate::decision) struct Chosen<T> {
    /// The candidate.
    pub(in crate::decision) found: T,
    /// The number of different candidates.
    candidates: usize,
}

impl<T> Chosen<T> {
    /// Whether there was a choice.
    pub(in crate::decision) fn is_ambiguous(&self) -> bool {
        self.candidates > 1
    }

    /// The words that tell of the choice; none if there was none.
    pub(in crate::decision) fn among(&self) -> String {
        match self.candidates {
            0 | 1 => String::new(),
            several => format!(", chosen among {several} with this address"),
        }
    }
}

/// The contact to take. The last parts of the key make the order total, so that the directory's order never decides.
pub(super) fn choose_contact(
    policy: &LoggingPolicy,
    candidates: &[ContactMatch],
) -> Option<Chosen<ContactMatch>> {
    let best = |found: &&ContactMatch| {
        let company = found.kind == ContactKind::Company;
        (
            company,
            found.matched_by,
            found.no.clone(),
            found.alt_address_code.clone(),
        )
    };
    let lowest = |found: &&ContactMatch| {
        let alternative = found.matched_by == MatchedBy::AlternativeAddress;
        (
            alternative,
            found.no.clone(),
            found.matched_by,
            found.alt_address_code.clone(),
        )
    };
    let found = match policy.ranking {
        Ranking::BestField => candidates.iter().min_by_key(best),
        Ranking::LowestNumber => candidates.iter().min_by_key(lowest),
    };
    chosen(found, candidates, |found| found.no.as_str())
}

/// The salesperson to take.
pub(super) fn choose_salesperson(
    policy: &LoggingPolicy,
    candidates: &[SalespersonMatch],
) -> Option<Chosen<SalespersonMatch>> {
    let best =
        |found: &&SalespersonMatch| (Reverse(found.active), found.matched_by, found.code.clone());
    let lowest = |found: &&SalespersonMatch| (found.code.clone(), found.matched_by);
    let found = match policy.ranking {
        Ranking::BestField => candidates.iter().min_by_key(best),
        Ranking::LowestNumber => candidates.iter().min_by_key(lowest),
    };
    chosen(found, candidates, |found| found.code.as_str())
}

fn chosen<T: Clone>(
    found: Option<&T>,
    candidates: &[T],
    key: impl Fn(&T) -> &str,
) -> Option<Chosen<T>> {
    let found = found?;
    let others = candidates
        .iter()
        .map(&key)
        .filter(|other| *other != key(found));
    let others: std::collections::BTreeSet<&str> = others.collect();
    Some(Chosen {
        found: found.clone(),
        candidates: 1 + others.len(),
    })
}
