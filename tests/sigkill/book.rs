//! Which fail points there are, how often each was hit, and where the next process is killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use crate::company::{Profile, Service};
use crate::dice::Dice;
use crate::world::{End, Left, PARTS, World};

/// What a process finds when it starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// No file, or one that no process has finished yet.
    New,
    /// A file, and new mail.
    Fresh,
    /// What a process left that was killed.
    Recovery,
}

type Setting = (Profile, Phase);

/// The operations of the disk and what may be in the way of each.
const DISK: [(char, &str, &[&str]); 4] = [
    ('w', "write", &["before", "half", "after"]),
    ('s', "sync", &["before", "after"]),
    ('t', "truncate", &["before", "after"]),
    ('u', "unlink", &["before", "after"]),
];

const BY_TIME: &str = "time";

/// Where some processes end in the shortest of runs too: while a batch of moves is half done, and before its answer is
/// written down.
const FIRST: [&str; 2] = [PARTS, "move_to.after"];

#[derive(Debug, Default)]
pub(crate) struct Book {
    /// The most that each point was passed by a process that ended by itself.
    passed: BTreeMap<Setting, BTreeMap<String, u64>>,
    took: BTreeMap<Setting, Duration>,
    tried: BTreeMap<String, u64>,
    pub(crate) hits: BTreeMap<String, u64>,
    /// Kills that left moves that were done and not written down, and those that left others to be done besides.
    pub(crate) done: u64,
    pub(crate) half_done: u64,
}

/// A choice, with the point's name for the list.
#[derive(Debug, Clone)]
pub(crate) struct Choice {
    pub(crate) point: String,
    pub(crate) end: End,
}

impl Choice {
    pub(crate) fn none() -> Self {
        Self {
            point: "none".to_owned(),
            end: End::Itself,
        }
    }
}

/// What is known of each service, in their order.
#[derive(Debug, Default)]
pub(crate) struct Books(pub(crate) [Book; 2]);

impl Books {
    pub(crate) fn kills(&self) -> u64 {
        self.0.iter().map(Book::kills).sum()
    }

    /// Whether there are so many kills and, where `of_each` point one is wanted, that too: a point that few processes pass may
    /// take more, at most three times as many.
    pub(crate) fn are_full(&self, kills: u64, of_each: bool) -> bool {
        let made = self.kills();
        let mut hits = self.0.iter().flat_map(|book| book.hits.values());
        made >= kills && (!of_each || made >= 3 * kills || hits.all(|count| *count > 0))
    }

    /// The service with the fewer kills goes on.
    pub(crate) fn next_of<'a>(
        &'a mut self,
        worlds: &'a mut [World; 2],
    ) -> (&'a mut World, &'a mut Book) {
        let [ews, graph] = &self.0;
        let at = usize::from(graph.kills() < ews.kills());
        (&mut worlds[at], &mut self.0[at])
    }

    /// How many kills there were of each, and what they left.
    pub(crate) fn told(&self) -> String {
        let all = Service::ALL.iter().zip(&self.0).map(|(service, book)| {
            format!(
                "{} over {} ({} left moves done and not written down, {} of them half of the moves)",
                book.kills(),
                service.name(),
                book.done,
                book.half_done
            )
        });
        let all: Vec<_> = all.collect();
        format!("{} kills: {}", self.kills(), all.join(", "))
    }

    /// The list of the points with how often a process was killed at each, a column for each service.
    pub(crate) fn listed(&self) -> String {
        let points: BTreeSet<_> = self.0.iter().flat_map(|book| book.hits.keys()).collect();
        let mut text = String::new();
        for point in points {
            for book in &self.0 {
                let hits = book.hits.get(point).map(ToString::to_string);
                write!(text, "  {:>6}", hits.unwrap_or_else(|| "-".to_owned())).unwrap();
            }
            writeln!(text, "  {point}").unwrap();
        }
        text
    }
}

impl Book {
    /// Learns from a process that ended by itself.
    pub(crate) fn learn(
        &mut self,
        setting: Setting,
        passed: &BTreeMap<String, u64>,
        took: Duration,
    ) {
        let known = self.passed.entry(setting).or_default();
        for (point, count) in passed {
            for point in points_of(point) {
                self.hits.entry(point.clone()).or_default();
                let most = known.entry(point).or_default();
                *most = (*most).max(*count);
            }
        }
        self.hits.entry(BY_TIME.to_owned()).or_default();
        self.took.insert(setting, took);
    }

    pub(crate) fn hit(&mut self, choice: &Choice, left: Left) {
        *self.hits.entry(choice.point.clone()).or_default() += 1;
        self.done += u64::from(left.done > 0);
        self.half_done += u64::from(left.done > 0 && left.waiting > 0);
    }

    pub(crate) fn kills(&self) -> u64 {
        self.hits.values().sum()
    }

    /// Where the next process ends: at a random time, at any point, or where the fewest ended.
    pub(crate) fn choose(&mut self, setting: Setting, dice: &mut Dice) -> Choice {
        let (Some(points), Some(took)) = (self.passed.get(&setting), self.took.get(&setting))
        else {
            return Choice::none();
        };
        // A new file is rare, and some of its points are passed by no other process.
        if setting.1 != Phase::New && dice.percent(20) {
            let most = u64::try_from(took.as_micros()).unwrap();
            return Choice {
                point: BY_TIME.to_owned(),
                end: End::After(Duration::from_micros(dice.below(most))),
            };
        }
        let of = |map: &BTreeMap<String, u64>, point: &str| map.get(point).copied().unwrap_or(0);
        let rank = |point: &str| 8 * of(&self.hits, point) + of(&self.tried, point);
        let least = points.keys().map(|point| rank(point)).min().unwrap();
        let any = dice.percent(15);
        let is_due = |it: &&str| {
            let is_missed = of(&self.hits, it) == 0 || (**it == *PARTS && self.half_done == 0);
            is_missed && points.contains_key(*it)
        };
        let first = FIRST.iter().find(|it| is_due(it)).filter(|_| !any);
        let candidates: Vec<&String> = points
            .keys()
            .filter(|point| match first {
                Some(first) => first == point,
                None => any || rank(point) == least,
            })
            .collect();
        let point = (*dice.one_of(&candidates)).clone();
        // Each round has so many.
        let most = if first.is_some() { 2 } else { u64::MAX };
        let count = 1 + dice.below(points[&point].min(most));
        *self.tried.entry(point.clone()).or_default() += 1;
        let end = end_at(&point, count);
        Choice { point, end }
    }
}

/// The points of a line of counts: "w disk-wal" is three, all others are one.
fn points_of(line: &str) -> Vec<String> {
    let disk = line
        .split_once(" disk")
        .and_then(|(kind, file)| Some((DISK.iter().find(|it| kind.starts_with(it.0))?, file)));
    match disk {
        Some(((_, operation, moments), file)) => moments
            .iter()
            .map(|moment| format!("{operation} log.sqlite{file} {moment}"))
            .collect(),
        None => vec![line.to_owned()],
    }
}

fn end_at(point: &str, at: u64) -> End {
    if point == PARTS {
        return End::Parts(at);
    }
    let words: Vec<&str> = point.split(' ').collect();
    let [operation, file, moment] = words[..] else {
        return End::Point(point.to_owned(), at);
    };
    let (kind, _, moments) = DISK.iter().find(|it| it.1 == operation).unwrap();
    End::Disk {
        operation: *kind,
        file: file.strip_prefix("log.sqlite").map(str::to_owned),
        at,
        what: moments.iter().find(|it| **it == moment).unwrap(),
        once: true,
    }
}
