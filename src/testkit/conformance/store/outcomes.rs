//! What is kept of each outcome, and mail that fails.

use super::bench::Bench;
use super::sample::{self, Sample, minute};
use crate::decision::Disposition;
use crate::error::ErrorKind;
use crate::source::SightingKey;
use crate::store::{DecisionFilter, EventKind, RowResult, SightingState};
use crate::testkit::conformance::harness::{Checked, check, equal, fails};

pub(super) fn of_sighting(bench: &Bench, sample: &Sample) -> DecisionFilter {
    DecisionFilter {
        sighting: Some((bench.mailbox.clone(), sample.key.clone())),
        ..DecisionFilter::default()
    }
}

pub(super) async fn a_decision_is_read_back(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put(sample.row()).await?;
    let decisions = bench.decisions(&of_sighting(bench, &sample)).await?;
    equal("decisions", decisions.len(), 1)?;
    let (found, written) = (&decisions[0], &sample.row.decision);
    equal("the mailbox", &found.mailbox, &bench.mailbox)?;
    equal("the message", found.message, Some(sample.uid()))?;
    equal("the outcome", found.outcome.as_str(), "logged")?;
    equal("the reason", found.reason.as_str(), "")?;
    equal("the disposition", found.disposition, written.disposition)?;
    equal("the steps", &found.steps, &written.steps)?;
    equal("the flags", &found.flags, &written.flags)?;
    equal("the policy", &found.policy, &written.policy)?;
    equal("the subject", found.subject.as_deref(), Some("Offer 1"))?;
    let sender = Some("anna.hall@cronus.example");
    equal("the sender", found.sender.as_deref(), sender)?;
    if let Ok(clock) = bench.clock() {
        equal(
            "when it was decided",
            found.decided_at,
            crate::clock::Clock::now(clock),
        )?;
    }
    Ok(())
}

pub(super) async fn a_private_mail_leaves_only_its_reason(bench: &Bench) -> Checked {
    let sample = sample::private(1);
    let result = bench.put(sample.row()).await?;
    super::commit::added_nothing(&result)?;
    let known = bench.known_item(&sample.key).await?;
    equal("the state", known.state, SightingState::Decided)?;
    equal("the sighting's message", known.message, None)?;
    let decisions = bench.decisions(&of_sighting(bench, &sample)).await?;
    let decision = &decisions[0];
    equal("the reason", decision.reason.as_str(), "private")?;
    equal("the decision's message", decision.message, None)?;
    equal("the subject", &decision.subject, &None::<String>)?;
    equal("the sender", &decision.sender, &None::<String>)?;
    let event = &bench.events().await?[0];
    equal("the event's message", event.message, None)?;
    equal(
        "the event",
        (event.kind, event.reason.as_str()),
        (EventKind::Excluded, "private"),
    )?;
    let mail = bench.store.mail(&bench.scope, &sample.uid()).await;
    fails("the message", mail, ErrorKind::NotFound)?;
    let original = bench
        .store
        .original(&bench.scope, &sample.uid(), 0..9)
        .await;
    fails("the original", original, ErrorKind::NotFound)?;
    equal("pending moves", bench.moves().await?.len(), 1)
}

pub(super) async fn a_mail_that_is_not_logged_keeps_its_record_and_no_entry(
    bench: &Bench,
) -> Checked {
    let sample = sample::not_matched(1);
    let result = bench.put(sample.row()).await?;
    let written = matches!(&result, RowResult::Written { entries } if entries.is_empty());
    check!(written, "a mail that matched nobody: {result:?}");
    let mail = bench.store.mail(&bench.scope, &sample.uid()).await?;
    equal(
        "the record",
        Some(&mail.record),
        sample.row.record.as_deref(),
    )?;
    equal("entries", mail.entries.len(), 0)?;
    equal("rows", bench.counts().await?, [0, 1, 1, 1])?;
    let event = &bench.events().await?[0];
    equal("the event", event.kind, EventKind::NotMatched)?;
    equal("its reason", event.reason.as_str(), "unknown-sender")?;
    equal("its message", event.message, Some(sample.uid()))
}

pub(super) async fn failed_attempts_are_counted_and_wait(bench: &Bench) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    for attempts in 1..=3 {
        let failed = sample.failed("http.timeout", minute(attempts));
        let result = bench.put(failed).await?;
        let counted = matches!(result, RowResult::Counted { attempts: found } if found == attempts);
        check!(counted, "attempt {attempts}: {result:?}");
        let known = bench.known_item(&sample.key).await?;
        equal("the state", known.state, SightingState::Pending)?;
        equal("attempts", known.attempts, attempts)?;
        equal("the next try", known.next_try, Some(minute(attempts)))?;
    }
    equal("rows of an attempt", bench.counts().await?, [0; 4])?;
    bench.put_all(std::slice::from_ref(&sample)).await?;
    let known = bench.known_item(&sample.key).await?;
    equal(
        "the state after success",
        known.state,
        SightingState::Decided,
    )?;
    let count = (known.attempts, known.next_try);
    equal("attempts after success", count, (0, None))?;
    equal("rows", bench.counts().await?, [1, 1, 1, 1])
}

pub(super) async fn a_quarantined_mail_is_requeued(bench: &Bench) -> Checked {
    let quarantined = sample::quarantined(1);
    let decided = sample::logged(2, &["C1"]);
    bench
        .put_all(&[quarantined.clone(), decided.clone()])
        .await?;
    let known = bench.known_item(&quarantined.key).await?;
    equal("the state", known.state, SightingState::Quarantined)?;
    let event = &bench.events().await?[0];
    let told = (event.kind, event.reason.as_str());
    equal(
        "the event",
        told,
        (EventKind::Quarantined, "attempts-exhausted"),
    )?;
    let unknown = sample::logged(3, &[]).key;
    let keys = [
        unknown.clone(),
        quarantined.key.clone(),
        decided.key.clone(),
    ];
    equal("requeued", requeue(bench, &keys).await?, 1)?;
    let known = bench.known_item(&quarantined.key).await?;
    equal("the state after", known.state, SightingState::Pending)?;
    equal(
        "attempts after",
        (known.attempts, known.next_try),
        (0, None),
    )?;
    equal("an unknown sighting", bench.known(&unknown).await?, None)?;
    equal("requeued again", requeue(bench, &keys).await?, 0)?;
    let result = bench.put(sample::logged(1, &["C1"]).row()).await?;
    check!(
        matches!(result, RowResult::Written { .. }),
        "decided again: {result:?}"
    );
    let known = bench.known_item(&quarantined.key).await?;
    equal("the state at last", known.state, SightingState::Decided)?;
    let decisions = bench.decisions(&of_sighting(bench, &quarantined)).await?;
    let newest = decisions.first().map(|row| row.outcome.as_str());
    equal("the newest decision", newest, Some("logged"))
}

async fn requeue(bench: &Bench, keys: &[SightingKey]) -> Checked<u64> {
    let store = &bench.store;
    Ok(store.requeue(&bench.scope, &bench.mailbox, keys).await?)
}

pub(super) async fn decisions_are_filtered(bench: &Bench) -> Checked {
    let logged = sample::logged(1, &["C1"]);
    let unmatched = sample::not_matched(2);
    let copy = logged.other_copy(1);
    bench
        .put_all(&[logged.clone(), unmatched.clone(), sample::private(3)])
        .await?;
    bench.put(copy.row()).await?;
    let by = |change: fn(&mut DecisionFilter)| {
        let mut filter = DecisionFilter::default();
        change(&mut filter);
        filter
    };
    let of_message = DecisionFilter {
        message: Some(logged.uid()),
        ..DecisionFilter::default()
    };
    let tables: [(&str, DecisionFilter, &[&SightingKey]); 5] = [
        (
            "all",
            DecisionFilter::default(),
            &[
                &logged.key,
                &unmatched.key,
                &sample::private(3).key,
                &copy.key,
            ],
        ),
        ("by sighting", of_sighting(bench, &copy), &[&copy.key]),
        ("by message", of_message, &[&logged.key, &copy.key]),
        (
            "by outcome",
            by(|filter| filter.outcome = Some("not-matched".into())),
            &[&unmatched.key],
        ),
        (
            "not logged",
            by(|filter| filter.not_logged = true),
            &[&unmatched.key, &sample::private(3).key],
        ),
    ];
    for (what, filter, expected) in tables {
        let found = bench.decisions(&filter).await?;
        let mut found: Vec<_> = found.into_iter().map(|row| row.sighting).collect();
        let mut expected: Vec<_> = expected.iter().copied().cloned().collect();
        found.sort();
        expected.sort();
        equal(what, found, expected)?;
    }
    Ok(())
}

pub(super) async fn a_mail_that_is_set_aside_again_has_its_outcome_again(bench: &Bench) -> Checked {
    let sample = sample::quarantined(1).going_to(Disposition::Leave);
    bench.put_all(std::slice::from_ref(&sample)).await?;
    equal(
        "requeued",
        requeue(bench, std::slice::from_ref(&sample.key)).await?,
        1,
    )?;
    bench.put_all(std::slice::from_ref(&sample)).await?;
    let known = bench.known_item(&sample.key).await?;
    equal("the state", known.state, SightingState::Quarantined)
}

pub(super) async fn what_is_not_set_aside_keeps_its_move_when_it_is_requeued(
    bench: &Bench,
) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    bench.put_all(std::slice::from_ref(&sample)).await?;
    equal(
        "requeued",
        requeue(bench, std::slice::from_ref(&sample.key)).await?,
        0,
    )?;
    equal("pending moves", bench.moves().await?.len(), 1)
}
