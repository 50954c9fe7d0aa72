//! A mailbox whose mail system wants to be left alone.

use std::time::Duration;

use super::bench::Bench;
use crate::store::Lease;
use crate::testkit::conformance::harness::{Checked, check, equal};

const WISH: Duration = Duration::from_mins(10);

/// Gives the mailbox back, and nobody may have it for the wish.
async fn quiet(bench: &Bench) -> Checked<Lease> {
    bench.clock()?;
    let lease = bench.lease_of(&bench.mailbox, "first").await?;
    release(bench, &lease, WISH).await?;
    Ok(lease)
}

async fn release(bench: &Bench, lease: &Lease, wish: Duration) -> Checked {
    Ok(bench.store.release_quiet(&bench.scope, lease, wish).await?)
}

/// Puts the clock back, or forward.
pub(super) async fn a_quiet_mailbox_is_nobodys_until_the_wish_is_over(bench: &Bench) -> Checked {
    let lease = quiet(bench).await?;
    for worker in ["first", "second"] {
        bench.quiet_for(worker, 600).await?;
    }
    bench.lease_of(&"other".into(), "second").await?;
    bench.wait(Duration::from_secs(599))?;
    for worker in ["second", "first"] {
        bench.quiet_for(worker, 1).await?;
    }
    bench.wait(Duration::from_secs(1))?;
    let next = bench.lease_of(&bench.mailbox, "second").await?;
    check!(next.epoch > lease.epoch, "the epoch does not rise");
    bench.store.release(&bench.scope, &next).await?;
    bench.lease_of(&bench.mailbox, "first").await?;
    Ok(())
}

pub(super) async fn a_lease_that_is_stale_keeps_no_wish(bench: &Bench) -> Checked {
    let given_back = quiet(bench).await?;
    for wish in [WISH * 2, Duration::from_secs(1)] {
        release(bench, &given_back, wish).await?;
    }
    bench.store.release(&bench.scope, &given_back).await?;
    bench.quiet_for("second", 600).await?;
    bench.wait(WISH)?;
    let taken = bench.lease_of(&bench.mailbox, "second").await?;
    release(bench, &given_back, WISH).await?;
    bench.store.renew(&bench.scope, &taken, WISH).await?;
    bench.store.release(&bench.scope, &taken).await?;
    bench.lease_of(&bench.mailbox, "third").await?;
    Ok(())
}

pub(super) async fn a_wish_lasts_a_day_at_most(bench: &Bench) -> Checked {
    bench.clock()?;
    let lease = bench.lease_of(&bench.mailbox, "first").await?;
    release(bench, &lease, Duration::MAX).await?;
    bench.quiet_for("second", 24 * 60 * 60).await?;
    bench.wait(Duration::from_hours(24))?;
    let lease = bench.lease_of(&bench.mailbox, "second").await?;
    release(bench, &lease, Duration::ZERO).await?;
    bench.lease_of(&bench.mailbox, "first").await?;
    Ok(())
}

pub(super) async fn a_clock_that_is_set_back_makes_no_wish_longer_than_it_is(
    bench: &Bench,
) -> Checked {
    quiet(bench).await?;
    bench.wait(Duration::from_secs(100))?;
    bench.set_back(Duration::from_mins(1))?;
    bench.quiet_for("second", 560).await?;
    bench.set_back(Duration::from_hours(24))?;
    bench.quiet_for("second", 600).await?;
    bench.wait(Duration::from_secs(599))?;
    bench.quiet_for("second", 1).await?;
    bench.wait(Duration::from_secs(1))?;
    bench.lease_of(&bench.mailbox, "second").await?;
    Ok(())
}

pub(super) async fn a_wish_that_is_over_stays_so_under_a_clock_that_is_set_back(
    bench: &Bench,
) -> Checked {
    quiet(bench).await?;
    bench.wait(WISH)?;
    let lease = bench.lease_of(&bench.mailbox, "second").await?;
    bench.set_back(Duration::from_mins(5))?;
    let again = bench.lease_of(&bench.mailbox, "second").await?;
    equal("the epoch", again.epoch, lease.epoch + 1)
}
