//! The contract of the review queue, of links that change, of never-log lists and of words about health.

use std::fmt;
use std::sync::Arc;

use super::StoreBackend;
use super::bench::Bench;
use super::sample::{self, Sample};
use crate::decision::{NeverLog, NeverRule};
use crate::error::ErrorKind;
use crate::ids::{EntryId, SalespersonCode};
use crate::interaction::InformationFlow;
use crate::store::{
    Annotation, Assignment, EventKind, InteractionStore, LinkChange, LogFilter, Resolution,
    ReviewCount, ReviewFilter, ReviewItem, ReviewState, ReviewStore, StoredNeverLog, WORKING,
};
use crate::testkit::conformance::Report;
use crate::testkit::conformance::harness::{self, Case, Checked, Stop, cases, check, equal, fails};

/// A fresh and empty store with every role of reviewing.
pub struct ReviewBackend {
    store: StoreBackend,
    review: Arc<dyn ReviewStore>,
}

impl ReviewBackend {
    /// A store that was just made and migrated.
    pub fn new<S: InteractionStore + ReviewStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            review: Arc::<S>::clone(&store),
            store: StoreBackend::new(store),
        }
    }
}

impl fmt::Debug for ReviewBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReviewBackend")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Checks a store. `make` answers a fresh and empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = ReviewBackend>,
{
    let make = || async {
        let backend = make().await;
        Desk {
            bench: Bench::new(backend.store),
            review: backend.review,
        }
    };
    harness::run("review store", list(), make).await
}

fn list() -> Vec<Case<Desk>> {
    use self as desk;
    cases! {
        desk::{
            what_was_not_logged_is_in_the_queue,
            items_are_filtered_counted_and_paged,
            of_two_resolutions_at_once_one_is_refused,
            an_item_is_ignored_and_opened_again,
            an_assigned_item_is_told_and_leaves_the_queue_once_it_is_logged,
            what_is_logged_or_unknown_cannot_be_resolved,
            mails_are_found_by_the_addresses_they_name,
            links_are_added_withdrawn_and_restored,
            what_a_person_cancelled_stays_cancelled,
            what_a_person_took_back_is_not_withdrawn,
            what_a_person_worked_with_is_not_withdrawn,
            a_stale_lease_changes_no_link,
            never_log_lists_are_stored_over_the_version_that_was_read,
            a_word_about_health_is_told_once,
            another_scope_sees_nothing,
        }
    }
}

struct Desk {
    bench: Bench,
    review: Arc<dyn ReviewStore>,
}

impl Desk {
    async fn items(&self, filter: &ReviewFilter) -> Checked<Vec<ReviewItem>> {
        let page = self
            .review
            .review_items(&self.bench.scope, filter, None, 1000);
        Ok(page.await?.rows)
    }

    async fn open(&self) -> Checked<Vec<ReviewItem>> {
        self.items(&ReviewFilter::default()).await
    }

    async fn item(&self, sample: &Sample) -> Checked<ReviewItem> {
        let filter = ReviewFilter {
            sighting: Some((self.bench.mailbox.clone(), sample.key.clone())),
            ..ReviewFilter::default()
        };
        let item = self.items(&filter).await?.pop();
        item.ok_or_else(|| Stop::Failed("the item is not there".into()))
    }

    async fn say(&self, sample: &Sample, said: &Resolution, version: u64) -> crate::Result<u64> {
        let (scope, mailbox) = (&self.bench.scope, &self.bench.mailbox);
        let review = &self.review;
        review
            .resolve(scope, mailbox, &sample.key, said, version)
            .await
    }

    async fn relink(
        &self,
        sample: &Sample,
        add: &[&str],
        withdraw: &[EntryId],
    ) -> Checked<[usize; 3]> {
        let lease = self.bench.lease().await?;
        let mut change = LinkChange::new(sample.uid(), "contact-changed");
        let new = |no: &&str| sample::entry(sample.uid(), 1, no);
        change.add = add.iter().map(new).collect();
        change.withdraw = withdraw.to_vec();
        let done = self
            .review
            .relink(&self.bench.scope, &lease, &change)
            .await?;
        Ok([done.added.len(), done.restored.len(), done.withdrawn.len()])
    }

    async fn standing(&self) -> Checked<Vec<String>> {
        let entries = self.bench.all_entries().await?;
        let mut numbers: Vec<String> = entries
            .iter()
            .map(|row| row.entry.contact_no.to_string())
            .collect();
        numbers.sort();
        Ok(numbers)
    }

    async fn kinds(&self) -> Checked<Vec<EventKind>> {
        let events = self.bench.events().await?;
        Ok(events.iter().map(|event| event.kind).collect())
    }
}

fn assignment() -> Resolution {
    let link = Assignment::new("C1", "AH", InformationFlow::Outbound);
    Resolution::assign("Ines", link).with_note("she changed her address")
}

async fn what_was_not_logged_is_in_the_queue(desk: &Desk) -> Checked {
    let (logged, open) = (sample::logged(1, &["C1"]), sample::not_matched(2));
    let (private, aside) = (sample::private(3), sample::quarantined(4));
    let all = [logged, open.clone(), private.clone(), aside.clone()];
    desk.bench.put_all(&all).await?;
    let items = desk.open().await?;
    let keys: Vec<_> = items.iter().map(|item| &item.decision.sighting).collect();
    equal(
        "open items, newest first",
        keys,
        vec![&aside.key, &open.key],
    )?;
    let item = desk.item(&open).await?;
    let record = open.row.record.as_ref();
    let named = record.map(|record| record.participants.clone());
    equal(
        "who it names",
        item.participants.clone(),
        named.unwrap_or_default(),
    )?;
    equal("its state", item.state, ReviewState::Open)?;
    equal("its version", item.version, 0)?;
    check!(item.resolution.is_none(), "a resolution of nobody");
    equal(
        "its reason",
        item.decision.reason.as_str(),
        "unknown-sender",
    )?;
    let hidden = desk.item(&private).await?;
    check!(
        hidden.participants.is_empty(),
        "a private mail names somebody"
    );
    Ok(())
}

async fn items_are_filtered_counted_and_paged(desk: &Desk) -> Checked {
    let samples = [
        sample::not_matched(1),
        sample::not_matched(2),
        sample::private(3),
        sample::quarantined(4),
    ];
    desk.bench.put_all(&samples).await?;
    let said = Resolution::ignore("Ines");
    desk.say(&samples[0], &said, 0).await?;
    let count =
        |filter: ReviewFilter| async move { Ok::<_, Stop>(desk.items(&filter).await?.len()) };
    let outcome = ReviewFilter {
        outcome: Some("not-matched".into()),
        ..ReviewFilter::default()
    };
    equal("by outcome", count(outcome).await?, 1)?;
    let reason = ReviewFilter {
        reason: Some("private".into()),
        excluded: true,
        ..ReviewFilter::default()
    };
    equal("by reason", count(reason.clone()).await?, 1)?;
    let not_asked = ReviewFilter {
        excluded: false,
        ..reason
    };
    equal("excluded ones unasked", count(not_asked).await?, 0)?;
    let ignored = ReviewFilter {
        state: ReviewState::Ignored,
        ..ReviewFilter::default()
    };
    equal("by state", count(ignored).await?, 1)?;
    let record = samples[1].row.record.as_ref();
    let address = record.and_then(|record| record.participants.first());
    let address = address.map(|one| one.address.clone());
    let named = ReviewFilter {
        address,
        ..ReviewFilter::default()
    };
    check!(count(named).await? >= 1, "nobody is found by an address");
    let nobody = ReviewFilter {
        address: Some("nobody@nowhere.example".into()),
        ..ReviewFilter::default()
    };
    equal("by an address of nobody", count(nobody).await?, 0)?;
    let counts = desk.review.review_counts(&desk.bench.scope).await?;
    let one = |state, outcome, reason| ReviewCount::new(state, outcome, reason, 1);
    let expected = vec![
        one(ReviewState::Open, "excluded", "private"),
        one(ReviewState::Open, "not-matched", "unknown-sender"),
        one(ReviewState::Open, "quarantined", "attempts-exhausted"),
        one(ReviewState::Ignored, "not-matched", "unknown-sender"),
    ];
    equal("the counts", counts, expected)?;
    paged(desk).await
}

async fn paged(desk: &Desk) -> Checked {
    let (review, scope) = (&desk.review, &desk.bench.scope);
    let filter = ReviewFilter::default();
    let first = review.review_items(scope, &filter, None, 1).await?;
    equal("a page of one", first.rows.len(), 1)?;
    let next = first.next.as_ref();
    let second = review.review_items(scope, &filter, next, 1).await?;
    equal("the last page", (second.rows.len(), second.next), (1, None))?;
    check!(first.rows != second.rows, "the same page twice");
    let other = ReviewFilter {
        excluded: true,
        ..ReviewFilter::default()
    };
    let refused = review.review_items(scope, &other, next, 1).await;
    fails("a cursor of another filter", refused, ErrorKind::Protocol)?;
    Ok(())
}

async fn of_two_resolutions_at_once_one_is_refused(desk: &Desk) -> Checked {
    let mail = sample::not_matched(1);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let (one, other) = (assignment(), Resolution::ignore("Otto"));
    let both = futures_util::join!(desk.say(&mail, &one, 0), desk.say(&mail, &other, 0));
    let won = [&both.0, &both.1]
        .iter()
        .filter(|said| said.is_ok())
        .count();
    equal("how many succeeded", won, 1)?;
    let lost = if both.0.is_ok() { both.1 } else { both.0 };
    let error = fails("the other", lost, ErrorKind::Conflict)?;
    equal("the code", error.code(), "review.version")?;
    equal("the version", desk.item(&mail).await?.version, 1)
}

async fn an_item_is_ignored_and_opened_again(desk: &Desk) -> Checked {
    let mail = sample::not_matched(1);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let ignored = Resolution::ignore("Ines").with_note("an advertisement\0");
    equal("the version", desk.say(&mail, &ignored, 0).await?, 1)?;
    equal("open items", desk.open().await?.len(), 0)?;
    let item = desk.item(&mail).await?;
    equal("its state", item.state, ReviewState::Ignored)?;
    let said = item.resolution.map(|(_, said)| said.by);
    equal("who said it", said.as_deref(), Some("Ines"))?;
    let reopened = Resolution::reopen("Otto");
    equal("the next", desk.say(&mail, &reopened, 1).await?, 2)?;
    equal("open items again", desk.open().await?.len(), 1)?;
    equal("events", desk.kinds().await?, vec![EventKind::NotMatched])
}

async fn an_assigned_item_is_told_and_leaves_the_queue_once_it_is_logged(desk: &Desk) -> Checked {
    let mail = sample::not_matched(1);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    desk.say(&mail, &assignment(), 0).await?;
    let item = desk.item(&mail).await?;
    equal("its state", item.state, ReviewState::Assigned)?;
    let said = item.resolution.map(|(_, said)| said);
    equal("the assignment", said, Some(assignment()))?;
    let events = desk.bench.events().await?;
    let last = events.last().map(|event| (event.kind, event.message));
    let told = Some((EventKind::Assigned, Some(mail.uid())));
    equal("the event", last, told)?;
    desk.bench.put(sample::logged(1, &["C1"]).row()).await?;
    let all = ReviewFilter {
        state: ReviewState::Assigned,
        ..ReviewFilter::default()
    };
    equal("items", desk.items(&all).await?.len(), 0)
}

async fn what_is_logged_or_unknown_cannot_be_resolved(desk: &Desk) -> Checked {
    let mail = sample::logged(1, &["C1"]);
    let ignore = Resolution::ignore("Ines");
    let unknown = desk.say(&mail, &ignore, 0).await;
    fails("an unknown sighting", unknown, ErrorKind::NotFound)?;
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let logged = desk.say(&mail, &ignore, 0).await;
    let error = fails("a logged mail", logged, ErrorKind::Conflict)?;
    equal("the code", error.code(), "review.logged")
}

async fn mails_are_found_by_the_addresses_they_name(desk: &Desk) -> Checked {
    let mine = sample::logged(1, &["C1"]).change_record(|record| {
        if let Some(one) = record.participants.first_mut() {
            one.address = "one@only.example".into();
        }
    });
    let all = [mine.clone(), sample::not_matched(2), sample::private(3)];
    desk.bench.put_all(&all).await?;
    let (review, scope) = (&desk.review, &desk.bench.scope);
    let every = review.mails_naming(scope, None, None, 1).await?;
    equal("a page", every.rows.len(), 1)?;
    let rest = review
        .mails_naming(scope, None, every.next.as_ref(), 9)
        .await?;
    equal("the rest", (rest.rows.len(), rest.next), (1, None))?;
    let asked = ["one@only.example".to_owned(), "x@y.example".to_owned()];
    let named = review.mails_naming(scope, Some(&asked), None, 9).await?;
    let found: Vec<_> = named.rows.iter().map(|mail| mail.message).collect();
    equal("by address", found, vec![mine.uid()])?;
    let entries = named.rows.first().map(|mail| mail.entries.len());
    equal("its entries", entries, Some(1))?;
    let nobody = review.mails_naming(scope, Some(&[]), None, 9).await?;
    equal("by no address", nobody.rows.len(), 0)
}

async fn links_are_added_withdrawn_and_restored(desk: &Desk) -> Checked {
    let mail = sample::logged(1, &["C1"]);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let first = mail.entry_ids();
    equal(
        "the change",
        desk.relink(&mail, &["C2"], &first).await?,
        [1, 0, 1],
    )?;
    equal("what stands", desk.standing().await?, vec!["C2".to_owned()])?;
    let all = LogFilter {
        canceled: true,
        ..LogFilter::default()
    };
    equal(
        "nothing is deleted",
        desk.bench.entries(&all).await?.len(),
        2,
    )?;
    let events = desk.bench.events().await?;
    let told = events.last();
    let told = told.map(|event| (event.kind, event.entries.len(), event.reason.as_str()));
    equal(
        "the event",
        told,
        Some((EventKind::Rematched, 2, "contact-changed")),
    )?;
    equal(
        "again",
        desk.relink(&mail, &["C2"], &first).await?,
        [0, 0, 0],
    )?;
    equal(
        "no event of nothing",
        desk.bench.events().await?.len(),
        events.len(),
    )?;
    equal(
        "restored",
        desk.relink(&mail, &["C1"], &[]).await?,
        [0, 1, 0],
    )?;
    equal("both stand", desk.standing().await?.len(), 2)?;
    let mut numbers: Vec<_> = desk.bench.entries(&all).await?;
    numbers.sort_by_key(|row| row.entry_no);
    let numbers: Vec<_> = numbers.iter().map(|row| row.entry_no).collect();
    check!(
        numbers.windows(2).all(|pair| pair[0] < pair[1]),
        "a number twice"
    );
    desk.bench.put(sample::logged(2, &["C3"]).row()).await?;
    equal("a later commit", desk.standing().await?.len(), 3)
}

async fn what_a_person_cancelled_stays_cancelled(desk: &Desk) -> Checked {
    let mail = sample::logged(1, &["C1"]);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let [id] = mail.entry_ids()[..] else {
        return Err(Stop::Failed("one entry is expected".into()));
    };
    let (store, scope) = (&desk.bench.store, &desk.bench.scope);
    store.cancel(scope, &id, true).await?;
    equal(
        "restored",
        desk.relink(&mail, &["C1"], &[]).await?,
        [0, 0, 0],
    )?;
    equal("what stands", desk.standing().await?.len(), 0)
}

async fn what_a_person_took_back_is_not_withdrawn(desk: &Desk) -> Checked {
    let mail = sample::logged(1, &["C1"]);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let ids = mail.entry_ids();
    equal("withdrawn", desk.relink(&mail, &[], &ids).await?, [0, 0, 1])?;
    let (store, scope) = (&desk.bench.store, &desk.bench.scope);
    for id in &ids {
        store.cancel(scope, id, false).await?;
    }
    equal("again", desk.relink(&mail, &[], &ids).await?, [0, 0, 0])?;
    equal("what stands", desk.standing().await?.len(), 1)
}

async fn what_a_person_worked_with_is_not_withdrawn(desk: &Desk) -> Checked {
    let (store, scope) = (&desk.bench.store, &desk.bench.scope);
    let comment = Annotation::Comment {
        author: "Ines".into(),
        text: "she asked for a discount".into(),
    };
    let deal = Annotation::Opportunity(Some("OP001".into()));
    let works = [comment, Annotation::Evaluation(Some(4)), deal];
    for (number, work) in (1..).zip(works) {
        let mail = sample::logged(number, &["C1", "C2"]);
        desk.bench.put_all(std::slice::from_ref(&mail)).await?;
        let ids = mail.entry_ids();
        let worked = ids.first().copied();
        let worked = worked.ok_or_else(|| Stop::Failed("no entry".into()))?;
        let what = format!("what stays with {work:?}");
        store.annotate(scope, &worked, work).await?;
        equal(&what, desk.relink(&mail, &[], &ids).await?, [0, 0, 1])?;
        let entry = store.entry(scope, &worked).await?;
        check!(!entry.canceled, "{what}: it is cancelled");
    }
    Ok(())
}

async fn a_stale_lease_changes_no_link(desk: &Desk) -> Checked {
    let mail = sample::logged(1, &["C1"]);
    desk.bench.put_all(std::slice::from_ref(&mail)).await?;
    let stale = desk.bench.lease().await?;
    desk.bench.lease().await?;
    let mut change = LinkChange::new(mail.uid(), "contact-changed");
    change.withdraw = mail.entry_ids();
    let answer = desk.review.relink(&desk.bench.scope, &stale, &change).await;
    fails("a stale lease", answer, ErrorKind::LeaseLost)?;
    equal("what stands", desk.standing().await?.len(), 1)
}

async fn never_log_lists_are_stored_over_the_version_that_was_read(desk: &Desk) -> Checked {
    let (review, scope) = (&desk.review, &desk.bench.scope);
    let none = review.load_never_log(scope).await?;
    equal("no lists", none, StoredNeverLog::default())?;
    let mut lists = NeverLog::default();
    let rule = |text: &str| text.parse::<NeverRule>();
    lists.add(None, rule("spam.example")?);
    lists.add(Some(&SalespersonCode::new("AH")), rule("mum@home.example")?);
    lists.add(None, rule("no*reply@*.example")?);
    equal(
        "the first version",
        review.save_never_log(scope, &lists, 0).await?,
        1,
    )?;
    let stored = review.load_never_log(scope).await?;
    equal("the lists", stored, StoredNeverLog::new(lists.clone(), 1))?;
    let again = review.save_never_log(scope, &NeverLog::default(), 0).await;
    let error = fails("over an old version", again, ErrorKind::Conflict)?;
    equal("the code", error.code(), "review.version")?;
    lists.remove(None, &rule("spam.example")?);
    equal(
        "the second",
        review.save_never_log(scope, &lists, 1).await?,
        2,
    )?;
    let stored = review.load_never_log(scope).await?;
    equal("the lists", stored, StoredNeverLog::new(lists, 2))
}

async fn a_word_about_health_is_told_once(desk: &Desk) -> Checked {
    let (store, bench) = (&desk.bench.store, &desk.bench);
    let say = async |kind, reason| -> Checked<bool> {
        Ok(store
            .announce(&bench.scope, &bench.mailbox, kind, reason)
            .await?)
    };
    let (health, sign_in) = (EventKind::HealthChanged, EventKind::SignInNeeded);
    let words = [
        (health, WORKING, false),
        (sign_in, "oauth.reauth", true),
        (sign_in, "oauth.reauth", false),
        (health, "http.timeout", true),
        (health, WORKING, true),
        (health, WORKING, false),
        (sign_in, "oauth.reauth", true),
    ];
    for (at, (kind, reason, news)) in words.into_iter().enumerate() {
        equal(&format!("word {at}"), say(kind, reason).await?, news)?;
    }
    equal(
        "events",
        desk.kinds().await?,
        vec![sign_in, health, health, sign_in],
    )
}

async fn another_scope_sees_nothing(desk: &Desk) -> Checked {
    desk.bench.put_all(&[sample::not_matched(1)]).await?;
    let mut lists = NeverLog::default();
    lists.add(None, "spam.example".parse()?);
    desk.review
        .save_never_log(&desk.bench.scope, &lists, 0)
        .await?;
    let other = crate::Scope::new("other", "other")?;
    let review = &desk.review;
    let filter = ReviewFilter::default();
    let items = review.review_items(&other, &filter, None, 9).await?;
    equal("items", items.rows.len(), 0)?;
    equal("counts", review.review_counts(&other).await?.len(), 0)?;
    let mails = review.mails_naming(&other, None, None, 9).await?;
    equal("mails", mails.rows.len(), 0)?;
    equal("lists", review.load_never_log(&other).await?.version, 0)
}
