//! Leases: who works on a mailbox, and the fence that every write passes.

use std::time::Duration;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::original::sweep;
use super::{make_mailbox, make_scope};
use crate::error::codes;
use crate::ids::{MailboxKey, WorkerId};
use crate::scope::Scope;
use crate::store::postgres::fault::{Done, Fault};
use crate::store::postgres::migrate::{LAST, check_newer, refuse_newer};
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{NOW, column};
use crate::store::rows::{of_wish, signed, text, timestamp, unsigned, wish};
use crate::store::{Acquired, Lease};
use crate::wish::Wish;

/// What the fence answers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fenced {
    pub(super) scope: i64,
    pub(super) mailbox: i64,
    /// The time to write.
    pub(super) now: i64,
}

pub(crate) async fn acquire(
    tx: &Tx,
    scope: &Scope,
    mailbox: &MailboxKey,
    worker: &WorkerId,
    ttl: Duration,
    time: Option<i64>,
) -> Done<Acquired> {
    let scope = make_scope(tx, scope).await?;
    let id = make_mailbox(tx, scope, mailbox).await?;
    let now = super::now(tx, time).await?;
    // Who finds the mailbox taken does not wait for its holder's commits, and the holder not for who asks.
    let find = format!("SELECT {COLUMNS} FROM lease WHERE mailbox = $1");
    if let Some(held) = tx.row(&find, &[&id]).await? {
        let now = timestamp(now)?;
        if let Some((holder, kept)) = busy(&held, worker, now)?
            && kept == term(&held)?
        {
            let until = kept.until;
            return Ok(Acquired::Busy { holder, until });
        }
        let kept = quiet(&held)?;
        if let Some(quiet) = kept.at(now).filter(|quiet| *quiet == kept) {
            let left = quiet.left(now);
            return Ok(Acquired::Quiet { left });
        }
    }
    let make = "INSERT INTO lease (mailbox, scope, holder, epoch, until) VALUES ($1, $2, '', 0, 0)
        ON CONFLICT (mailbox) DO NOTHING";
    tx.run(make, &[&id, &scope]).await?;
    let held = tx.row(&format!("{find} FOR UPDATE"), &[&id]).await?;
    let held = held.ok_or(Fault::Damaged("a lease"))?;
    let now = timestamp(super::now(tx, time).await?)?;
    if let Some((holder, kept)) = busy(&held, worker, now)? {
        keep_term(tx, id, kept).await?;
        let until = kept.until;
        return Ok(Acquired::Busy { holder, until });
    }
    if let Some(quiet) = quiet(&held)?.at(now) {
        keep_quiet(tx, id, quiet).await?;
        let left = quiet.left(now);
        return Ok(Acquired::Quiet { left });
    }
    let epoch = column::<i64>(&held, "epoch")? + 1;
    let (until, length) = of_wish(Wish::of_host(ttl, now));
    let take = format!(
        "UPDATE lease SET holder = $2, epoch = $3, until = $4, length = $5, quiet_until = 0,
             quiet_length = 0
         WHERE mailbox = $1 RETURNING {LAST}"
    );
    let holder = text(worker.as_str());
    let taken = tx
        .row(&take, &[&id, &holder, &epoch, &until, &length])
        .await?;
    check_newer(&taken.ok_or(Fault::Damaged("a lease"))?)?;
    sweep(tx, id).await?;
    Ok(Acquired::Held(Lease::new(
        mailbox.clone(),
        worker.clone(),
        unsigned(epoch)?,
        timestamp(until)?,
    )))
}

/// What is asked of a lease.
const COLUMNS: &str = "holder, epoch, until, length, quiet_until, quiet_length";

fn quiet(held: &Row) -> Done<Wish> {
    let stored = (column(held, "quiet_until")?, column(held, "quiet_length")?);
    Ok(wish(stored)?)
}

async fn keep_quiet(tx: &Tx, mailbox: i64, quiet: Wish) -> Done<()> {
    let (until, length) = of_wish(quiet);
    let keep = "UPDATE lease SET quiet_until = $2, quiet_length = $3 WHERE mailbox = $1";
    tx.run(keep, &[&mailbox, &until, &length]).await?;
    Ok(())
}

/// How long its holder has a lease.
fn term(held: &Row) -> Done<Wish> {
    Ok(wish((column(held, "until")?, column(held, "length")?))?)
}

async fn keep_term(tx: &Tx, mailbox: i64, term: Wish) -> Done<()> {
    let (until, length) = of_wish(term);
    let keep = "UPDATE lease SET until = $2, length = $3 WHERE mailbox = $1";
    tx.run(keep, &[&mailbox, &until, &length]).await?;
    Ok(())
}

/// Who else holds the mailbox, and for how long as it stands now: a clock that was set back is noticed here.
fn busy(held: &Row, worker: &WorkerId, now: Timestamp) -> Done<Option<(WorkerId, Wish)>> {
    let holder: String = column(held, "holder")?;
    if holder.is_empty() || holder == text(worker.as_str()) {
        return Ok(None);
    }
    let kept = term(held)?.at(now);
    Ok(kept.map(|term| (WorkerId::new(holder), term)))
}

pub(crate) async fn renew(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    ttl: Duration,
    time: Option<i64>,
) -> Done<Lease> {
    let fenced = fence(tx, scope, lease, time).await?;
    let term = Wish::of_host(ttl, timestamp(fenced.now)?);
    keep_term(tx, fenced.mailbox, term).await?;
    Ok(Lease {
        until: timestamp(of_wish(term).0)?,
        ..lease.clone()
    })
}

pub(crate) async fn release(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    quiet: Duration,
    time: Option<i64>,
) -> Done<()> {
    let fenced = match fence(tx, scope, lease, time).await {
        Err(Fault::Coded(code)) if code == &codes::LEASE_LOST => return Ok(()),
        other => other?,
    };
    let (until, length) = of_wish(Wish::new(quiet, timestamp(fenced.now)?));
    let free = "UPDATE lease SET holder = '', until = 0, quiet_until = $2, quiet_length = $3
        WHERE mailbox = $1";
    tx.run(free, &[&fenced.mailbox, &until, &length]).await?;
    sweep(tx, fenced.mailbox).await
}

/// The first statement of every transaction with a lease: a stale one finds no row. It holds the lease's row until the end,
/// so nobody takes the mailbox while the transaction writes.
pub(super) async fn fence(
    tx: &Tx,
    scope: &Scope,
    lease: &Lease,
    time: Option<i64>,
) -> Done<Fenced> {
    let fence = format!(
        "UPDATE lease SET until = until
         WHERE mailbox = (SELECT b.id FROM mailbox b JOIN scope s ON s.id = b.scope
             WHERE s.tenant = $2 AND s.company = $3 AND b.key = $4)
         AND holder = $5 AND epoch = $6 AND holder <> ''
         RETURNING scope, mailbox, {NOW} AS now, {LAST}"
    );
    let (mailbox, holder) = (text(lease.mailbox.as_str()), text(lease.holder.as_str()));
    let epoch = signed(lease.epoch)?;
    let (tenant, company) = (scope.tenant(), scope.company());
    let held = tx
        .row(
            &fence,
            &[&time, &tenant, &company, &mailbox, &holder, &epoch],
        )
        .await?;
    let Some(row) = held else {
        // A migration gives every lease another epoch.
        refuse_newer(tx).await?;
        return Err((&codes::LEASE_LOST).into());
    };
    check_newer(&row)?;
    Ok(Fenced {
        scope: column(&row, "scope")?,
        mailbox: column(&row, "mailbox")?,
        now: column(&row, "now")?,
    })
}
