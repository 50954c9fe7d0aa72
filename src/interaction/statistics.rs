//! What the entries of a log add up to: per contact, per salesperson, and over time.
//!
//! Pure: a store hands over the entries by rising date, [`Tally`] adds them up.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::{Date, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{Span, Timestamp};

use super::InformationFlow;
use crate::message::codes;

/// Buckets up to which those without a mail are listed as well.
const BUCKETS: usize = 4_000;

/// The length of a bucket of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Period {
    /// A day.
    Day,
    /// A week from Monday, as ISO 8601 counts.
    Week,
    /// A month of the calendar.
    #[default]
    Month,
}

codes!(Period { Day => "day", Week => "week", Month => "month", });

/// How statistics are made.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StatisticsOptions {
    /// The length of a bucket; default a month.
    pub period: Period,
    /// How far the days of the reader are ahead of UTC, in minutes; default 0. Beyond a day it counts as 0.
    pub utc_offset_min: i32,
    /// How many contacts and how many salespeople are listed, those with most entries first; default 100.
    pub parties: u32,
}

impl Default for StatisticsOptions {
    fn default() -> Self {
        Self {
            period: Period::default(),
            utc_offset_min: 0,
            parties: 100,
        }
    }
}

impl StatisticsOptions {
    /// With buckets of this length.
    #[must_use]
    pub fn with_period(mut self, period: Period) -> Self {
        self.period = period;
        self
    }

    /// With days that begin so many minutes before those of UTC.
    #[must_use]
    pub fn with_utc_offset_min(mut self, minutes: i32) -> Self {
        self.utc_offset_min = minutes;
        self
    }

    /// With at most so many contacts and salespeople.
    #[must_use]
    pub fn with_parties(mut self, parties: u32) -> Self {
        self.parties = parties;
        self
    }
}

/// What the entries that fit a filter add up to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct InteractionStatistics {
    /// All entries.
    pub total: Totals,
    /// The mails that they belong to.
    pub mails: u64,
    /// How many contacts have entries.
    pub contact_count: u64,
    /// Contacts, those with most entries first, then by number. Their answers are what contacts take to answer.
    pub contacts: Vec<PartyStatistics>,
    /// How many salespeople have entries.
    pub salesperson_count: u64,
    /// Salespeople, those with most entries first, then by code. Their answers are what salespeople take to answer.
    pub salespeople: Vec<PartyStatistics>,
    /// Entries over time, oldest first; empty buckets in between included, unless there are more than 4,000.
    pub activity: Vec<Activity>,
}

/// Entries of one party.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct PartyStatistics {
    /// The contact's number or the salesperson's code.
    pub no: String,
    /// The name on the newest entry.
    pub name: String,
    /// The entries.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub totals: Totals,
    /// How many times a mail of the other side was answered. Mails that came before the answer count once.
    pub answers: u64,
    /// The median of the times to an answer in seconds, from the oldest mail that was not answered yet; of an even number
    /// the lower of the two.
    pub median_answer_s: Option<u64>,
}

/// Counts of entries and their dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Totals {
    /// Entries.
    pub entries: u64,
    /// From a salesperson to a contact.
    pub outbound: u64,
    /// From a contact to a salesperson.
    pub inbound: u64,
    /// The oldest.
    pub first: Option<Timestamp>,
    /// The newest.
    pub last: Option<Timestamp>,
}

/// Entries of one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Activity {
    /// When the bucket begins.
    pub from: Timestamp,
    /// From a salesperson to a contact.
    pub outbound: u64,
    /// From a contact to a salesperson.
    pub inbound: u64,
}

/// An entry as far as statistics need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TalliedEntry<'a> {
    pub(crate) contact_no: &'a str,
    pub(crate) contact_name: &'a str,
    pub(crate) salesperson_code: &'a str,
    pub(crate) salesperson_name: &'a str,
    pub(crate) flow: InformationFlow,
    pub(crate) date: Timestamp,
}

/// Adds entries up.
#[derive(Debug)]
pub(crate) struct Tally<M> {
    options: StatisticsOptions,
    zone: TimeZone,
    total: Totals,
    mails: BTreeSet<M>,
    contacts: BTreeMap<String, Party>,
    salespeople: BTreeMap<String, Party>,
    /// Since when a side of a pair waits for an answer, and which way the mail went.
    waiting: BTreeMap<(u32, u32), (InformationFlow, Timestamp)>,
    buckets: BTreeMap<Date, [u64; 2]>,
}

#[derive(Debug, Default)]
struct Party {
    index: u32,
    name: String,
    totals: Totals,
    answers_s: Vec<u64>,
}

impl<M: Ord> Tally<M> {
    pub(crate) fn new(options: &StatisticsOptions) -> Self {
        let seconds = options.utc_offset_min.checked_mul(60).unwrap_or_default();
        let offset = Offset::from_seconds(seconds).unwrap_or(Offset::UTC);
        Self {
            options: options.clone(),
            zone: TimeZone::fixed(offset),
            total: Totals::default(),
            mails: BTreeSet::new(),
            contacts: BTreeMap::new(),
            salespeople: BTreeMap::new(),
            waiting: BTreeMap::new(),
            buckets: BTreeMap::new(),
        }
    }

    /// Adds an entry, which must not be older than those before.
    pub(crate) fn add(&mut self, entry: &TalliedEntry<'_>, mail: M) {
        self.total.add(entry);
        self.mails.insert(mail);
        let contact = party(&mut self.contacts, entry.contact_no, entry.contact_name);
        contact.totals.add(entry);
        let salesperson = party(
            &mut self.salespeople,
            entry.salesperson_code,
            entry.salesperson_name,
        );
        salesperson.totals.add(entry);
        let pair = (contact.index, salesperson.index);
        match self.waiting.get(&pair) {
            Some((flow, since)) if *flow != entry.flow => {
                let took = entry.date.as_second().saturating_sub(since.as_second());
                let answers = match entry.flow {
                    InformationFlow::Outbound => &mut salesperson.answers_s,
                    InformationFlow::Inbound => &mut contact.answers_s,
                };
                answers.push(u64::try_from(took).unwrap_or_default());
                self.waiting.insert(pair, (entry.flow, entry.date));
            }
            Some(_) => {}
            None => {
                self.waiting.insert(pair, (entry.flow, entry.date));
            }
        }
        let bucket = bucket(
            self.options.period,
            self.zone.to_datetime(entry.date).date(),
        );
        let counts = self.buckets.entry(bucket).or_default();
        match entry.flow {
            InformationFlow::Outbound => counts[0] += 1,
            InformationFlow::Inbound => counts[1] += 1,
        }
    }

    pub(crate) fn finish(self) -> InteractionStatistics {
        let most = usize::try_from(self.options.parties).unwrap_or(usize::MAX);
        InteractionStatistics {
            total: self.total,
            mails: self.mails.len() as u64,
            contact_count: self.contacts.len() as u64,
            contacts: listed(self.contacts, most),
            salesperson_count: self.salespeople.len() as u64,
            salespeople: listed(self.salespeople, most),
            activity: activity(self.options.period, &self.zone, &self.buckets),
        }
    }
}

impl Totals {
    fn add(&mut self, entry: &TalliedEntry<'_>) {
        self.entries += 1;
        match entry.flow {
            InformationFlow::Outbound => self.outbound += 1,
            InformationFlow::Inbound => self.inbound += 1,
        }
        self.first = self.first.or(Some(entry.date));
        self.last = Some(entry.date);
    }
}

fn party<'a>(parties: &'a mut BTreeMap<String, Party>, no: &str, name: &str) -> &'a mut Party {
    if !parties.contains_key(no) {
        let index = u32::try_from(parties.len()).unwrap_or(u32::MAX);
        let new = Party {
            index,
            ..Party::default()
        };
        parties.insert(no.to_owned(), new);
    }
    let party = parties.entry(no.to_owned()).or_default();
    if party.name != name {
        name.clone_into(&mut party.name);
    }
    party
}

fn listed(parties: BTreeMap<String, Party>, most: usize) -> Vec<PartyStatistics> {
    let mut list: Vec<_> = parties.into_iter().collect();
    list.sort_by_key(|(_, party)| std::cmp::Reverse(party.totals.entries));
    list.truncate(most);
    let told = |(no, mut party): (String, Party)| {
        let answers = party.answers_s.len();
        PartyStatistics {
            no,
            name: party.name,
            totals: party.totals,
            answers: answers as u64,
            median_answer_s: median(&mut party.answers_s),
        }
    };
    list.into_iter().map(told).collect()
}

fn median(values: &mut [u64]) -> Option<u64> {
    let middle = values.len().checked_sub(1)? / 2;
    Some(*values.select_nth_unstable(middle).1)
}

/// The first day of the bucket of a day.
fn bucket(period: Period, date: Date) -> Date {
    match period {
        Period::Day => date,
        Period::Week => {
            let days = i64::from(date.weekday().since(Weekday::Monday));
            date.saturating_sub(Span::new().days(days))
        }
        Period::Month => date.first_of_month(),
    }
}

fn next(period: Period, date: Date) -> Date {
    date.saturating_add(match period {
        Period::Day => Span::new().days(1),
        Period::Week => Span::new().days(7),
        Period::Month => Span::new().months(1),
    })
}

fn activity(period: Period, zone: &TimeZone, buckets: &BTreeMap<Date, [u64; 2]>) -> Vec<Activity> {
    let (Some(first), Some(last)) = (buckets.keys().next(), buckets.keys().next_back()) else {
        return Vec::new();
    };
    let every = std::iter::successors(Some(*first), |date| {
        let next = next(period, *date);
        (next > *date && next <= *last).then_some(next)
    });
    let every: Vec<Date> = every.take(BUCKETS + 1).collect();
    let dates = if every.len() > BUCKETS {
        buckets.keys().copied().collect()
    } else {
        every
    };
    let told = |date: Date| {
        let [outbound, inbound] = buckets.get(&date).copied().unwrap_or_default();
        let from = date.to_zoned(zone.clone()).ok()?.timestamp();
        Some(Activity {
            from,
            outbound,
            inbound,
        })
    };
    dates.into_iter().filter_map(told).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use InformationFlow::{Inbound, Outbound};

    fn tally(
        options: &StatisticsOptions,
        rows: &[(&str, &str, InformationFlow, &str)],
    ) -> InteractionStatistics {
        let mut tally = Tally::new(options);
        for (number, (contact, salesperson, flow, date)) in rows.iter().enumerate() {
            let entry = TalliedEntry {
                contact_no: contact,
                contact_name: "N",
                salesperson_code: salesperson,
                salesperson_name: "S",
                flow: *flow,
                date: date.parse().unwrap(),
            };
            tally.add(&entry, number / 2);
        }
        tally.finish()
    }

    #[test]
    fn entries_are_counted_by_party_and_direction() {
        let found = tally(
            &StatisticsOptions::default().with_parties(1),
            &[
                ("C1", "AH", Inbound, "2026-01-01T08:00:00Z"),
                ("C1", "AH", Inbound, "2026-01-01T09:00:00Z"),
                ("C1", "AH", Outbound, "2026-01-01T10:00:00Z"),
                ("C2", "BD", Outbound, "2026-01-01T10:00:00Z"),
                ("C1", "BD", Outbound, "2026-01-01T11:00:00Z"),
                ("C1", "AH", Inbound, "2026-01-01T11:00:00Z"),
                ("C1", "AH", Outbound, "2026-01-01T11:00:10Z"),
                ("C1", "AH", Inbound, "2026-01-01T11:00:30Z"),
            ],
        );
        assert_eq!((found.total.entries, found.mails), (8, 4));
        assert_eq!((found.contact_count, found.salesperson_count), (2, 2));
        let contact = &found.contacts[0];
        assert_eq!(
            (
                &*contact.no,
                contact.totals.outbound,
                contact.totals.inbound
            ),
            ("C1", 3, 4)
        );
        // An hour and 20 seconds.
        assert_eq!((contact.answers, contact.median_answer_s), (2, Some(20)));
        let salesperson = &found.salespeople[0];
        // Two hours from the first mail, though a second one followed, and 10 seconds.
        assert_eq!(
            (salesperson.answers, salesperson.median_answer_s),
            (2, Some(10))
        );
        assert_eq!(contact.totals.first, "2026-01-01T08:00:00Z".parse().ok());
        assert_eq!(contact.totals.last, "2026-01-01T11:00:30Z".parse().ok());
    }

    #[test]
    fn buckets_begin_where_the_readers_days_begin_and_none_is_left_out() {
        let rows = [
            ("C1", "AH", Inbound, "2025-12-31T23:30:00Z"),
            ("C1", "AH", Outbound, "2026-01-14T10:00:00Z"),
        ];
        let of = |period, minutes| {
            let options = StatisticsOptions::default().with_period(period);
            let found = tally(&options.with_utc_offset_min(minutes), &rows);
            let told = found.activity.iter();
            told.map(|row| (row.from.to_string(), row.outbound + row.inbound))
                .collect::<Vec<_>>()
        };
        let expected = |rows: &[(&str, u64)]| -> Vec<(String, u64)> {
            rows.iter()
                .map(|(from, n)| ((*from).to_owned(), *n))
                .collect()
        };
        assert_eq!(
            of(Period::Month, 0),
            expected(&[("2025-12-01T00:00:00Z", 1), ("2026-01-01T00:00:00Z", 1)])
        );
        assert_eq!(
            of(Period::Month, 60),
            expected(&[("2025-12-31T23:00:00Z", 2)])
        );
        assert_eq!(
            of(Period::Week, 0),
            expected(&[
                ("2025-12-29T00:00:00Z", 1),
                ("2026-01-05T00:00:00Z", 0),
                ("2026-01-12T00:00:00Z", 1)
            ])
        );
        assert_eq!(of(Period::Day, 0).len(), 15);
    }

    #[test]
    fn dates_far_apart_do_not_fill_the_time_between() {
        let rows = [
            ("C1", "AH", Inbound, "1970-01-01T00:00:00Z"),
            ("C1", "AH", Inbound, "9999-06-01T00:00:00Z"),
        ];
        let found = tally(
            &StatisticsOptions::default().with_period(Period::Day),
            &rows,
        );
        assert_eq!(found.activity.len(), 2);
        assert_eq!(
            tally(&StatisticsOptions::default(), &[]),
            InteractionStatistics::default()
        );
    }
}
