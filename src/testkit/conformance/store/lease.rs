//! Who may write.

use std::time::Duration;

use futures_util::future::join_all;

use super::bench::{ALMOST, Bench, TTL};
use super::sample;
use crate::error::ErrorKind;
use crate::ids::{StageId, WorkerId};
use crate::store::{Acquired, CommitBatch, Lease, MoveOutcome, SightingState};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal, fails};

pub(super) async fn a_lease_is_exclusive(bench: &Bench) -> Checked {
    let lease = bench.lease_of(&bench.mailbox, "first").await?;
    match bench.acquire(&bench.mailbox, "second").await? {
        Acquired::Busy { holder, until } => {
            equal("the holder", holder, lease.holder)?;
            equal("until when", until, lease.until)?;
        }
        _ => check!(false, "two workers hold one mailbox"),
    }
    bench.lease_of(&"other".into(), "second").await?;
    Ok(())
}

pub(super) async fn one_of_many_who_ask_at_once_gets_the_lease(bench: &Bench) -> Checked {
    let workers = ["a", "b", "c", "d", "e", "f"];
    let asked = workers.map(|worker| bench.acquire(&bench.mailbox, worker));
    let mut held = 0;
    for answer in join_all(asked).await {
        held += usize::from(matches!(answer?, Acquired::Held(_)));
    }
    equal("holders", held, 1)
}

pub(super) async fn taking_a_lease_raises_its_epoch(bench: &Bench) -> Checked {
    let first = bench.lease_of(&bench.mailbox, "same").await?;
    let second = bench.lease_of(&bench.mailbox, "same").await?;
    check!(
        second.epoch > first.epoch,
        "the same worker's takeover does not raise the epoch"
    );
    bench.store.release(&bench.scope, &second).await?;
    let third = bench.lease_of(&bench.mailbox, "other").await?;
    check!(
        third.epoch > second.epoch,
        "the epoch does not rise after a release"
    );
    Ok(())
}

pub(super) async fn a_released_lease_is_free(bench: &Bench) -> Checked {
    let lease = bench.lease_of(&bench.mailbox, "first").await?;
    bench.store.release(&bench.scope, &lease).await?;
    bench.store.release(&bench.scope, &lease).await?;
    bench.lease_of(&bench.mailbox, "second").await?;
    Ok(())
}

pub(super) async fn an_expired_lease_can_be_taken(bench: &Bench) -> Checked {
    let stale = bench.lease_of(&bench.mailbox, "first").await?;
    equal("its end", stale.until, bench.clock()?.now_plus(TTL))?;
    bench.wait(ALMOST)?;
    let early = bench.acquire(&bench.mailbox, "second").await?;
    check!(
        matches!(early, Acquired::Busy { .. }),
        "it was taken before it expired"
    );
    bench.wait(Duration::from_secs(1))?;
    let lease = bench.lease_of(&bench.mailbox, "second").await?;
    check!(
        lease.epoch > stale.epoch,
        "the epoch does not rise after expiry"
    );
    refused_commit(bench, &stale).await
}

pub(super) async fn a_renewed_lease_lasts_longer(bench: &Bench) -> Checked {
    let lease = bench.lease_of(&bench.mailbox, "first").await?;
    bench.wait(ALMOST)?;
    let renewed = bench.store.renew(&bench.scope, &lease, TTL).await?;
    equal("the epoch", renewed.epoch, lease.epoch)?;
    equal("the new end", renewed.until, bench.clock()?.now_plus(TTL))?;
    bench.wait(ALMOST)?;
    let other = bench.acquire(&bench.mailbox, "second").await?;
    check!(
        matches!(other, Acquired::Busy { .. }),
        "a renewed lease was taken"
    );
    Ok(())
}

pub(super) async fn a_clock_that_is_set_back_makes_no_lease_longer(bench: &Bench) -> Checked {
    bench.lease_of(&bench.mailbox, "dead").await?;
    bench.set_back(Duration::from_hours(24))?;
    // From here on it lasts its length, and no longer.
    held_for(bench, TTL).await?;
    bench.wait(ALMOST)?;
    held_for(bench, Duration::from_secs(1)).await?;
    bench.wait(Duration::from_secs(1))?;
    let lease = bench.lease_of(&bench.mailbox, "second").await?;
    let renewed = bench.store.renew(&bench.scope, &lease, TTL * 2).await?;
    bench.set_back(Duration::from_secs(1))?;
    equal(
        "the end",
        renewed.until,
        bench.clock()?.now_plus(TTL * 2 + Duration::from_secs(1)),
    )?;
    held_for(bench, TTL * 2).await
}

pub(super) async fn a_lease_may_have_no_end(bench: &Bench) -> Checked {
    let worker = WorkerId::new("first");
    let asked = bench
        .store
        .acquire(&bench.scope, &bench.mailbox, &worker, Duration::MAX);
    let Acquired::Held(lease) = asked.await? else {
        return Err(Stop::Failed("the lease is not given".into()));
    };
    bench
        .store
        .renew(&bench.scope, &lease, Duration::MAX)
        .await?;
    let other = bench.acquire(&bench.mailbox, "second").await?;
    check!(matches!(other, Acquired::Busy { .. }), "it was taken");
    Ok(())
}

/// Fails unless somebody else holds the mailbox for exactly so much longer.
async fn held_for(bench: &Bench, left: Duration) -> Checked {
    let end = bench.clock()?.now_plus(left);
    match bench.acquire(&bench.mailbox, "asks").await? {
        Acquired::Busy { until, .. } => equal("until when it is held", until, end),
        _ => Err(Stop::Failed("a lease that lasts was taken".into())),
    }
}

pub(super) async fn a_stale_lease_commits_nothing(bench: &Bench) -> Checked {
    let stale = bench.lease().await?;
    let lease = bench.lease().await?;
    refused_commit(bench, &stale).await?;
    bench
        .commit(&lease, vec![sample::logged(1, &["C1"]).row()])
        .await?;
    equal(
        "what the newer lease wrote",
        bench.counts().await?,
        [1, 1, 1, 1],
    )
}

async fn refused_commit(bench: &Bench, stale: &Lease) -> Checked {
    let sample = sample::logged(1, &["C1"]);
    for row in [
        sample.row(),
        sample.failed("http.timeout", sample::minute(9)),
    ] {
        let batch = CommitBatch::of_rows(vec![row]);
        let answer = bench.store.commit(&bench.scope, stale, batch).await;
        fails("a commit with a stale lease", answer, ErrorKind::LeaseLost)?;
    }
    equal("what it wrote", bench.counts().await?, [0; 4])?;
    equal("the sighting", bench.known(&sample.key).await?, None)?;
    let mail = bench.store.mail(&bench.scope, &sample.uid()).await;
    fails("the message", mail, ErrorKind::NotFound)?;
    Ok(())
}

pub(super) async fn a_stale_lease_settles_and_delivers_nothing(bench: &Bench) -> Checked {
    let mut sample = sample::logged(1, &["C1"]);
    sample.row.deliver = true;
    let plain = sample::logged(2, &["C1"]);
    bench.put_all(&[sample.clone(), plain.clone()]).await?;
    let stale = bench.lease().await?;
    bench.lease().await?;
    let settling = CommitBatch {
        moves: vec![plain.moved(MoveOutcome::Done(None))],
        ..CommitBatch::default()
    };
    let delivering = CommitBatch {
        deliveries: sample.delivered(0),
        ..CommitBatch::default()
    };
    for batch in [settling, delivering] {
        let answer = bench.store.commit(&bench.scope, &stale, batch).await;
        fails("a commit with a stale lease", answer, ErrorKind::LeaseLost)?;
    }
    let waiting = bench
        .store
        .undelivered(&bench.scope, &bench.mailbox, 9)
        .await?;
    equal("undelivered mails", waiting.len(), 1)?;
    equal("pending moves", bench.moves().await?.len(), 1)
}

pub(super) async fn a_stale_lease_gives_nothing_another_try(bench: &Bench) -> Checked {
    let aside = sample::quarantined(1);
    bench.put(aside.row()).await?;
    let stale = bench.lease().await?;
    let lease = bench.lease().await?;
    let keys = std::slice::from_ref(&aside.key);
    let answer = bench.store.requeue_held(&bench.scope, &stale, keys).await;
    fails(
        "another try with a stale lease",
        answer,
        ErrorKind::LeaseLost,
    )?;
    let known = bench.known_item(&aside.key).await?;
    equal("the state", known.state, SightingState::Quarantined)?;
    let requeued = bench.store.requeue_held(&bench.scope, &lease, keys).await?;
    equal("requeued by the holder", requeued, 1)?;
    let known = bench.known_item(&aside.key).await?;
    equal("the state after", known.state, SightingState::Pending)
}

pub(super) async fn a_stale_lease_neither_stages_nor_renews_nor_releases(bench: &Bench) -> Checked {
    let stale = bench.lease().await?;
    let lease = bench.lease().await?;
    let pieces = StageId::from_bytes([1; 16]);
    let staged = bench
        .store
        .stage(&bench.scope, &stale, pieces, 0, vec![1])
        .await;
    fails("a piece with a stale lease", staged, ErrorKind::LeaseLost)?;
    let renewed = bench.store.renew(&bench.scope, &stale, TTL).await;
    fails("renewing a stale lease", renewed, ErrorKind::LeaseLost)?;
    bench.store.release(&bench.scope, &stale).await?;
    let other = bench.acquire(&bench.mailbox, "other").await?;
    check!(
        matches!(other, Acquired::Busy { .. }),
        "a stale release freed the newer lease"
    );
    bench.store.renew(&bench.scope, &lease, TTL).await?;
    Ok(())
}
