//! The contract of privacy after logging: marks, removal, forgetting, tombstones.

use std::fmt;
use std::sync::Arc;

use super::StoreBackend;
use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::decision::{NeverLog, NeverRule, Outcome};
use crate::error::ErrorKind;
use crate::interaction::InteractionLogEntry;
use crate::message::MessageContent;
use crate::privacy::{MARKED_PRIVATE, Person, RetentionRule, Selection};
use crate::scope::Scope;
use crate::store::{
    AffectedMail, Annotation, CommitBatch, DecisionFilter, Deletion, Erasure, Forgotten,
    InteractionStore, LinkChange, LogFilter, Mark, MarkKind, MoveOutcome, PrivacyStore, Removal,
    RemovalReason, RemovedMails, Resolution, ReviewFilter, ReviewStore, RowResult,
};
use crate::testkit::conformance::Report;
use crate::testkit::conformance::harness::{self, Case, Checked, Stop, cases, check, equal};

/// A fresh and empty store with the roles of privacy and of reviewing.
pub struct PrivacyBackend {
    store: StoreBackend,
    review: Arc<dyn ReviewStore>,
    privacy: Arc<dyn PrivacyStore>,
}

impl PrivacyBackend {
    /// A store that was just made and migrated.
    pub fn new<S: InteractionStore + ReviewStore + PrivacyStore>(store: S) -> Self {
        let store = Arc::new(store);
        Self {
            review: Arc::<S>::clone(&store),
            privacy: Arc::<S>::clone(&store),
            store: StoreBackend::new(store),
        }
    }
}

impl fmt::Debug for PrivacyBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivacyBackend")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Checks a store. `make` answers a fresh and empty one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = PrivacyBackend>,
{
    let make = || async {
        let backend = make().await;
        Desk {
            bench: Bench::new(backend.store),
            review: backend.review,
            privacy: backend.privacy,
        }
    };
    harness::run("privacy of a store", list(), make).await
}

fn list() -> Vec<Case<Desk>> {
    use self as desk;
    cases! {
        desk::{
            a_removed_mail_leaves_its_key_and_nothing_else,
            a_removed_mail_is_barred,
            a_copy_that_was_written_otherwise_is_barred,
            another_mail_with_the_message_id_is_not_barred,
            a_removed_mail_is_still_moved,
            what_is_removed_again_is_passed_over,
            what_is_on_hold_is_spared_unless_a_person_is_erased,
            numbers_of_entries_are_not_given_again,
            a_mail_that_was_not_logged_is_removed_from_the_queue,
            the_second_stage_brings_nothing_back,
            mail_of_a_person_is_found_by_address_and_contact,
            old_mail_is_found_by_age_template_and_company,
            what_speaks_against_a_removal_is_told,
            affected_mail_is_paged_while_it_goes,
            a_private_mark_flags_entries_of_now_and_later,
            a_mark_says_who_and_why,
            a_person_is_forgotten_beside_mail,
            a_preview_of_forgetting_changes_nothing,
            who_is_never_logged_again_is_barred_by_address,
            another_scope_is_not_touched,
        }
    }
}

struct Desk {
    bench: Bench,
    review: Arc<dyn ReviewStore>,
    privacy: Arc<dyn PrivacyStore>,
}

impl Desk {
    async fn remove(&self, samples: &[&Sample]) -> Checked<RemovedMails> {
        let messages: Vec<_> = samples.iter().map(|sample| sample.uid()).collect();
        let removal = Removal::new(RemovalReason::Removed, "AH");
        let scope = &self.bench.scope;
        Ok(self
            .privacy
            .remove_mails(scope, &messages, &removal)
            .await?)
    }

    async fn affected(&self, selection: &Selection) -> Checked<Vec<AffectedMail>> {
        let scope = &self.bench.scope;
        Ok(self
            .privacy
            .affected(scope, selection, None, 1000)
            .await?
            .rows)
    }

    /// The samples that are found, by their place in the list, in its order.
    async fn found(&self, selection: &Selection, samples: &[Sample]) -> Checked<Vec<usize>> {
        let mails = self.affected(selection).await?;
        let mut places: Vec<usize> = mails
            .iter()
            .filter_map(|mail| samples.iter().position(|s| s.uid() == mail.message))
            .collect();
        places.sort_unstable();
        Ok(places)
    }

    async fn is_barred(&self, sample: &Sample) -> Checked<bool> {
        Ok(matches!(
            self.bench.put(sample.row()).await?,
            RowResult::Erased
        ))
    }

    async fn marked(&self) -> Checked<Vec<bool>> {
        let entries = self.bench.all_entries().await?;
        let marked =
            |row: &InteractionLogEntry| row.entry.flags.iter().any(|f| f == MARKED_PRIVATE);
        Ok(entries.iter().map(marked).collect())
    }

    async fn forget(&self, person: &Person, never: bool, how: Deletion) -> Checked<Forgotten> {
        let scope = &self.bench.scope;
        let erasure = Erasure::default().with_never_again(never);
        Ok(self
            .privacy
            .forget_person(scope, person, erasure, how)
            .await?)
    }
}

/// A mail that is logged for this contact and names this address alone.
fn addressed(number: u32, contact: &str, address: &str) -> Sample {
    sample::logged(number, &[contact]).change_record(|record| {
        for named in &mut record.participants {
            address.clone_into(&mut named.address);
        }
    })
}

async fn a_removed_mail_leaves_its_key_and_nothing_else(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let (gone, stays) = (
        sample::logged(1, &["CT1", "CT2"]),
        sample::logged(2, &["CT1"]),
    );
    let samples = [gone.clone(), gone.other_copy(7), stays.clone()];
    let lease = bench.lease().await?;
    for sample in &samples {
        bench.commit(&lease, vec![sample.row()]).await?;
    }
    let comment = Annotation::Comment {
        author: "AH".into(),
        text: "words".into(),
    };
    let entry = *gone.entry_ids().first().ok_or_else(missing)?;
    bench.store.annotate(&bench.scope, &entry, comment).await?;
    let told = desk.remove(&[&gone]).await?;
    equal(
        "mails, entries, originals",
        &[told.mails, told.entries, told.originals],
        &[1, 2, 1],
    )?;
    let original = bench.store.original(&bench.scope, &gone.uid(), 0..9).await;
    let mail = bench.store.mail(&bench.scope, &gone.uid()).await;
    let kinds = [original.map(drop), mail.map(drop)].map(|r| r.err().map(|e| e.kind()));
    equal("what is read", &kinds, &[Some(ErrorKind::NotFound); 2])?;
    equal(
        "entries",
        &bench.entry_ids(&LogFilter::default()).await?,
        &stays.entry_ids(),
    )?;
    for decision in bench.decisions(&DecisionFilter::default()).await? {
        let kept = decision.sighting == stays.key;
        holds(
            "a decision of a removed mail",
            decision.message.is_some() == kept,
        )?;
        if !kept {
            let codes = (decision.outcome.as_str(), decision.reason.as_str());
            equal("outcome and reason", &codes, &("excluded", "erased"))?;
            let bare = decision.steps.is_empty() && decision.flags.is_empty();
            holds(
                "no words, subject or sender",
                bare && decision.subject.is_none() && decision.sender.is_none(),
            )?;
        }
    }
    let events = bench.events().await?;
    equal("events", &events.len(), &2)?;
    let told: Vec<_> = events
        .iter()
        .map(|e| (e.message, e.entries.len()))
        .collect();
    equal(
        "what they tell",
        &told,
        &vec![(None, 0), (Some(stays.uid()), 1)],
    )?;
    holds(
        "the sightings are known",
        bench.known(&gone.key).await?.is_some(),
    )
}

fn holds(what: &str, condition: bool) -> Checked {
    check!(condition, "{what}: it does not hold");
    Ok(())
}

fn missing() -> Stop {
    Stop::Failed("a sample without entries".into())
}

async fn a_removed_mail_is_barred(desk: &Desk) -> Checked {
    let gone = sample::logged(1, &["CT1"]);
    desk.bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    let before = desk.bench.counts().await?;
    holds("the same sighting", desk.is_barred(&gone).await?)?;
    holds("another copy", desk.is_barred(&gone.other_copy(8)).await?)?;
    equal("nothing is written", &desk.bench.counts().await?, &before)?;
    holds(
        "another mail is logged",
        !desk.is_barred(&sample::logged(2, &["CT1"])).await?,
    )?;
    // What the logger writes in its place.
    let mut excluded = gone.other_copy(8);
    excluded.row.record = None;
    excluded.row.entries.clear();
    excluded.row.original = crate::store::Original::NotKept;
    excluded.row.decision.outcome = Outcome::Excluded(crate::decision::Exclusion::Erased);
    let result = desk.bench.put(excluded.row()).await?;
    holds(
        "its exclusion is written",
        matches!(result, RowResult::Written { .. }),
    )
}

async fn a_copy_that_was_written_otherwise_is_barred(desk: &Desk) -> Checked {
    let gone = sample::logged(1, &["CT1"]).with_message_id("one@example.com");
    desk.bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    let first = gone.row.record.clone().ok_or_else(missing)?;
    let copy = sample::logged(2, &["CT1"]).change_record(|record| {
        record.message_id.clone_from(&first.message_id);
        record.sent = first.sent;
        record.participants.clone_from(&first.participants);
    });
    holds("barred", desk.is_barred(&copy).await?)
}

async fn another_mail_with_the_message_id_is_not_barred(desk: &Desk) -> Checked {
    let gone = sample::logged(1, &["CT1"]).with_message_id("one@example.com");
    desk.bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    let later = sample::logged(2, &["CT1"])
        .with_message_id("one@example.com")
        .change_record(|record| record.sent = Some(minute(99)));
    holds("logged", !desk.is_barred(&later).await?)
}

async fn a_removed_mail_is_still_moved(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let gone = sample::logged(1, &["CT1"]);
    bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    let moves = bench.moves().await?;
    equal("moves to do", &moves.len(), &1)?;
    equal(
        "their items",
        &moves.first().map(|m| m.item.id.clone()),
        &Some(gone.item.id.clone()),
    )?;
    let lease = bench.lease().await?;
    let batch = CommitBatch {
        moves: vec![gone.moved(MoveOutcome::Done(None))],
        ..CommitBatch::default()
    };
    bench.commit_batch(&lease, batch).await?;
    equal("moves to do", &bench.moves().await?.len(), &0)
}

async fn what_is_on_hold_is_spared_unless_a_person_is_erased(desk: &Desk) -> Checked {
    let (held, other) = (sample::logged(1, &["C1"]), sample::logged(2, &["C1"]));
    desk.bench.put_all(&[held.clone(), other.clone()]).await?;
    let (scope, privacy) = (&desk.bench.scope, &desk.privacy);
    let mark = Mark::new("boss", "a law suit");
    let uid = held.uid();
    let kind = MarkKind::Hold;
    privacy.mark_mail(scope, &uid, kind, &mark).await?;
    let told = desk.remove(&[&held, &other]).await?;
    equal("removed", (told.mails, told.held), (1, vec![uid]))?;
    let original = desk.bench.store.original(scope, &uid, 0..999).await?;
    equal("its original", original.bytes, sample::original(1))?;
    let expired = Removal::new(RemovalReason::Expired, "boss");
    let told = privacy.remove_mails(scope, &[uid], &expired).await?;
    equal("when it is old", (told.mails, told.held), (0, vec![uid]))?;
    let erased = Removal::new(RemovalReason::Erased, "boss");
    let told = privacy.remove_mails(scope, &[uid], &erased).await?;
    equal("with a person", (told.mails, told.held), (1, vec![]))
}

async fn what_is_removed_again_is_passed_over(desk: &Desk) -> Checked {
    let gone = sample::logged(1, &["CT1"]);
    desk.bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    let again = desk.remove(&[&gone, &sample::logged(9, &["CT1"])]).await?;
    equal("removed again", &again, &RemovedMails::default())?;
    desk.privacy.shred().await?;
    Ok(())
}

async fn numbers_of_entries_are_not_given_again(desk: &Desk) -> Checked {
    let samples = [sample::logged(1, &["CT1"]), sample::logged(2, &["CT1"])];
    desk.bench.put_all(&samples).await?;
    desk.remove(&[&samples[1]]).await?;
    desk.bench.put_all(&[sample::logged(3, &["CT1"])]).await?;
    let entries = desk.bench.all_entries().await?;
    let mut numbers: Vec<u64> = entries.iter().map(|row| row.entry_no).collect();
    numbers.sort_unstable();
    equal("numbers", &numbers, &vec![1, 3])
}

async fn a_mail_that_was_not_logged_is_removed_from_the_queue(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let samples = [sample::not_matched(1), sample::quarantined(2)];
    bench.put_all(&samples).await?;
    let said = Resolution::ignore("AH").with_note("words of a person");
    let key = &samples[0].key;
    desk.review
        .resolve(&bench.scope, &bench.mailbox, key, &said, 0)
        .await?;
    desk.remove(&[&samples[0], &samples[1]]).await?;
    let items = desk
        .review
        .review_items(&bench.scope, &ReviewFilter::default(), None, 9)
        .await?;
    equal("items", &items.rows.len(), &0)?;
    let all = ReviewFilter {
        sighting: Some((bench.mailbox.clone(), key.clone())),
        ..ReviewFilter::default()
    };
    let mut items = desk
        .review
        .review_items(&bench.scope, &all, None, 9)
        .await?;
    let item = items.rows.pop().ok_or_else(missing)?;
    equal("its note", &item.resolution, &None)?;
    equal("its participants", &item.participants.len(), &0)?;
    equal("its reason", &item.decision.reason.as_str(), &"erased")
}

async fn the_second_stage_brings_nothing_back(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let gone = sample::logged(1, &["CT1"]);
    bench.put_all(std::slice::from_ref(&gone)).await?;
    desk.remove(&[&gone]).await?;
    equal(
        "to read",
        &bench.store.unindexed(&bench.scope, 9).await?.len(),
        &0,
    )?;
    let content = MessageContent {
        text: Some("hidden words".into()),
        ..MessageContent::default()
    };
    bench
        .store
        .put_content(&bench.scope, vec![(gone.uid(), content)])
        .await?;
    let filter = LogFilter {
        text: Some("hidden".into()),
        ..LogFilter::default()
    };
    equal("found", &bench.entries(&filter).await?.len(), &0)?;
    let lease = bench.lease().await?;
    let mut links = LinkChange::new(gone.uid(), "contact-changed");
    links.add = vec![sample::entry(gone.uid(), 1, "CT9")];
    let relinked = desk.review.relink(&bench.scope, &lease, &links).await;
    let kind = relinked.err().map(|error| error.kind());
    equal("a later match", &kind, &Some(ErrorKind::NotFound))
}

async fn mail_of_a_person_is_found_by_address_and_contact(desk: &Desk) -> Checked {
    let samples = [
        addressed(1, "CT1", "one@adatum.example"),
        addressed(2, "CT1", "two@adatum.example"),
        addressed(3, "CT3", "three@adatum.example"),
    ];
    desk.bench.put_all(&samples).await?;
    let one = Person::at("One@Adatum.example")?;
    let of = |person: &Person| Selection::Person(person.clone());
    equal(
        "by address",
        &desk.found(&of(&one), &samples).await?,
        &vec![0],
    )?;
    let third = Person::contact("CT3");
    equal(
        "by contact",
        &desk.found(&of(&third), &samples).await?,
        &vec![2],
    )?;
    let both = one.with_contact("CT3");
    equal(
        "by both",
        &desk.found(&of(&both), &samples).await?,
        &vec![0, 2],
    )?;
    let nobody = of(&Person::default());
    equal("nobody", desk.found(&nobody, &samples).await?.len(), 0)
}

async fn old_mail_is_found_by_age_template_and_company(desk: &Desk) -> Checked {
    let dated = |number: u32, template: &str, company: &str| {
        sample::logged(number, &["CT1"])
            .change_record(|record| {
                record.sent = Some(minute(number));
                record.received = Some(minute(number));
            })
            .change_entries(|entry| {
                entry.date = minute(number);
                template.clone_into(&mut entry.interaction_template_code);
                entry.contact_company_no = Some(company.into());
            })
    };
    let samples = [
        dated(1, "MAIL", "CO1"),
        dated(2, "OFFER", "CO2"),
        dated(3, "MAIL", "CO2"),
    ];
    desk.bench.put_all(&samples).await?;
    let rule = RetentionRule::before(minute(3));
    let of = |rule: &RetentionRule| Selection::Retention(rule.clone());
    equal(
        "by age",
        &desk.found(&of(&rule), &samples).await?,
        &vec![0, 1],
    )?;
    let offers = rule.clone().with_templates(["OFFER".to_owned()]);
    equal(
        "by template",
        &desk.found(&of(&offers), &samples).await?,
        &vec![1],
    )?;
    let company = rule.with_company("CO1");
    equal(
        "by company",
        &desk.found(&of(&company), &samples).await?,
        &vec![0],
    )
}

async fn what_speaks_against_a_removal_is_told(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let mut waits = sample::logged(1, &["CT1"]);
    waits.row.deliver = true;
    let samples = [waits, sample::logged(2, &["CT1"]), sample::not_matched(3)];
    bench.put_all(&samples).await?;
    let mark = Mark::new("AH", "a law suit");
    desk.privacy
        .mark_mail(&bench.scope, &samples[1].uid(), MarkKind::Hold, &mark)
        .await?;
    let rule = RetentionRule::before(jiff::Timestamp::MAX);
    let mut told = desk.affected(&Selection::Retention(rule)).await?;
    told.sort_by_key(|mail| samples.iter().position(|s| s.uid() == mail.message));
    let said: Vec<_> = told
        .iter()
        .map(|mail| {
            (
                mail.entries,
                mail.original.is_some(),
                mail.waiting,
                mail.held,
            )
        })
        .collect();
    let expected = vec![
        (1, true, true, false),
        (1, true, false, true),
        (0, false, false, false),
    ];
    equal("entries, original, waiting, held", &said, &expected)?;
    let kept: Vec<bool> = told.iter().map(AffectedMail::is_kept).collect();
    equal("kept", &kept, &vec![true, true, false])
}

async fn affected_mail_is_paged_while_it_goes(desk: &Desk) -> Checked {
    let samples: Vec<Sample> = (1..6).map(|n| sample::logged(n, &["CT1"])).collect();
    desk.bench.put_all(&samples).await?;
    let selection = Selection::Person(Person::contact("CT1"));
    let scope = &desk.bench.scope;
    let mut after = None;
    let mut pages = Vec::new();
    loop {
        let page = desk
            .privacy
            .affected(scope, &selection, after.as_ref(), 2)
            .await?;
        pages.push(page.rows.len());
        let removal = Removal::new(RemovalReason::Expired, "");
        let messages: Vec<_> = page.rows.iter().map(|mail| mail.message).collect();
        desk.privacy
            .remove_mails(scope, &messages, &removal)
            .await?;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    equal("pages", &pages, &vec![2, 2, 1])?;
    equal("left", &desk.bench.all_entries().await?.len(), &0)
}

async fn a_private_mark_flags_entries_of_now_and_later(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let first = sample::logged(1, &["CT1"]);
    bench
        .put_all(&[first.clone(), sample::logged(2, &["CT1"])])
        .await?;
    let (scope, uid) = (&bench.scope, first.uid());
    let mark = Mark::new("AH", "");
    let kind = MarkKind::Private;
    desk.privacy.mark_mail(scope, &uid, kind, &mark).await?;
    desk.privacy.mark_mail(scope, &uid, kind, &mark).await?;
    let filter = LogFilter {
        flag: Some(MARKED_PRIVATE.into()),
        ..LogFilter::default()
    };
    equal(
        "flagged",
        &bench.entry_ids(&filter).await?,
        &first.entry_ids(),
    )?;
    // Entries that a second copy and a later match add.
    let mut more = first.other_copy(5);
    more.row.entries = vec![sample::entry(uid, 1, "CT7")];
    bench.put(more.row()).await?;
    let lease = bench.lease().await?;
    let mut links = LinkChange::new(uid, "contact-changed");
    links.add = vec![sample::entry(uid, 1, "CT8")];
    desk.review.relink(scope, &lease, &links).await?;
    equal("flagged later", &bench.entries(&filter).await?.len(), &3)?;
    holds(
        "taken back",
        desk.privacy.unmark_mail(scope, &uid, kind).await?,
    )?;
    equal("still flagged", &desk.marked().await?, &vec![false; 4])?;
    holds(
        "taken back twice",
        !desk.privacy.unmark_mail(scope, &uid, kind).await?,
    )
}

async fn a_mark_says_who_and_why(desk: &Desk) -> Checked {
    let bench = &desk.bench;
    let first = sample::logged(1, &["CT1"]);
    bench.put_all(std::slice::from_ref(&first)).await?;
    let (scope, uid) = (&bench.scope, first.uid());
    for (kind, why) in [(MarkKind::Hold, "suit"), (MarkKind::Private, "health")] {
        let mark = Mark::new("AH", why);
        desk.privacy.mark_mail(scope, &uid, kind, &mark).await?;
    }
    let marks = desk.privacy.marks(scope, &uid).await?;
    let said: Vec<_> = marks
        .iter()
        .map(|(kind, mark)| (*kind, mark.by.as_str(), mark.reason.as_str()))
        .collect();
    let expected = vec![
        (MarkKind::Private, "AH", "health"),
        (MarkKind::Hold, "AH", "suit"),
    ];
    equal("marks", &said, &expected)?;
    let unknown = sample::logged(9, &["CT1"]).uid();
    equal(
        "marks of nothing",
        &desk.privacy.marks(scope, &unknown).await?.len(),
        &0,
    )?;
    let mark = Mark::new("AH", "");
    let refused = desk
        .privacy
        .mark_mail(scope, &unknown, MarkKind::Hold, &mark)
        .await;
    let kind = refused.err().map(|error| error.kind());
    equal("a mark of nothing", &kind, &Some(ErrorKind::NotFound))
}

/// A store in which an address stands in a list, in the words of a decision, in a note and in a comment.
async fn talkative(desk: &Desk) -> Checked<Person> {
    let bench = &desk.bench;
    let mut spoken = sample::not_matched(1);
    if let Some(step) = spoken.row.decision.steps.first_mut() {
        step.detail = "Anna_Holm@adatum.example is unknown".into();
    }
    let logged = sample::logged(2, &["CT1"]);
    bench.put_all(&[spoken.clone(), logged.clone()]).await?;
    let note = Resolution::ignore("AH").with_note("anna_holm@adatum.example again");
    desk.review
        .resolve(&bench.scope, &bench.mailbox, &spoken.key, &note, 0)
        .await?;
    for text in [
        "write to ANNA_HOLM@adatum.example",
        "annaXholm@adatum.example",
    ] {
        let comment = Annotation::Comment {
            author: "AH".into(),
            text: text.into(),
        };
        let entry = *logged.entry_ids().first().ok_or_else(missing)?;
        bench.store.annotate(&bench.scope, &entry, comment).await?;
    }
    let mut lists = NeverLog::default();
    lists.add(None, "anna_holm@adatum.example".parse::<NeverRule>()?);
    lists.add(None, "fabrikam.example".parse::<NeverRule>()?);
    desk.review.save_never_log(&bench.scope, &lists, 0).await?;
    Ok(Person::at("anna_holm@adatum.example")?)
}

fn expected() -> Forgotten {
    Forgotten {
        never_log_rules: 1,
        decisions: 1,
        reviews: 1,
        comments: 1,
        ..Forgotten::default()
    }
}

async fn a_person_is_forgotten_beside_mail(desk: &Desk) -> Checked {
    let person = talkative(desk).await?;
    let told = desk.forget(&person, false, Deletion::Delete).await?;
    equal("forgotten", &told, &expected())?;
    let again = desk.forget(&person, false, Deletion::Delete).await?;
    equal("forgotten again", &again, &Forgotten::default())?;
    let lists = desk.review.load_never_log(&desk.bench.scope).await?;
    equal("rules left", &lists.lists.organisation.len(), &1)?;
    let entries = desk.bench.all_entries().await?;
    let comments: Vec<_> = entries.iter().flat_map(|row| &row.comments).collect();
    equal("comments left", &comments.len(), &1)?;
    // The address was on a list, so it is still never logged.
    let mail = addressed(7, "CT1", "anna_holm@adatum.example");
    holds("barred", desk.is_barred(&mail).await?)
}

async fn a_preview_of_forgetting_changes_nothing(desk: &Desk) -> Checked {
    let person = talkative(desk).await?;
    let told = desk.forget(&person, true, Deletion::Preview).await?;
    equal("forgotten", &told, &expected())?;
    let told = desk.forget(&person, true, Deletion::Preview).await?;
    equal("forgotten", &told, &expected())?;
    let mail = addressed(7, "CT1", "anna_holm@adatum.example");
    holds("not barred", !desk.is_barred(&mail).await?)
}

async fn who_is_never_logged_again_is_barred_by_address(desk: &Desk) -> Checked {
    let person = Person::at("one@adatum.example")?;
    desk.forget(&person, false, Deletion::Delete).await?;
    holds(
        "not barred",
        !desk
            .is_barred(&addressed(1, "CT1", "one@adatum.example"))
            .await?,
    )?;
    desk.forget(&person, true, Deletion::Delete).await?;
    holds(
        "barred",
        desk.is_barred(&addressed(2, "CT1", "one@adatum.example"))
            .await?,
    )?;
    holds(
        "another",
        !desk
            .is_barred(&addressed(3, "CT1", "two@adatum.example"))
            .await?,
    )
}

async fn another_scope_is_not_touched(desk: &Desk) -> Checked {
    let sample = sample::logged(1, &["CT1"]);
    desk.bench.put_all(std::slice::from_ref(&sample)).await?;
    let (other, privacy) = (Scope::new("other", "other")?, &desk.privacy);
    let selection = Selection::Person(Person::contact("CT1"));
    let found = privacy.affected(&other, &selection, None, 9).await?;
    equal("found", found.rows.len(), 0)?;
    let removal = Removal::new(RemovalReason::Removed, "");
    let told = privacy
        .remove_mails(&other, &[sample.uid()], &removal)
        .await?;
    equal("removed", told, RemovedMails::default())?;
    let person = Person::at("anna.hall@cronus.example")?;
    let erasure = Erasure::default().with_never_again(true);
    privacy
        .forget_person(&other, &person, erasure, Deletion::Delete)
        .await?;
    let mark = Mark::new("AH", "");
    let kind = MarkKind::Private;
    let marked = privacy.mark_mail(&other, &sample.uid(), kind, &mark).await;
    holds("no mark", marked.is_err())?;
    equal("entries", desk.bench.all_entries().await?.len(), 1)?;
    holds(
        "not barred",
        !desk.is_barred(&sample::logged(2, &["CT1"])).await?,
    )
}
