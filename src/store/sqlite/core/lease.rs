//! Leases: who works on a mailbox, and the fence that every write passes.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::original::sweep;
use super::{Core, find_mailbox, make_mailbox};
use crate::error::codes;
use crate::ids::{MailboxKey, WorkerId};
use crate::scope::Scope;
use crate::store::rows::{of_wish, wish};
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{micros, signed, timestamp, unsigned};
use crate::store::{Acquired, Lease};
use crate::wish::Wish;

impl Core {
    pub(crate) fn acquire(
        &mut self,
        scope: &Scope,
        mailbox: &MailboxKey,
        worker: &WorkerId,
        ttl: Duration,
    ) -> Done<Acquired> {
        let now = self.clock.now();
        let until = end(now, ttl);
        let (tx, scope) = self.write(scope)?;
        let mailbox_id = make_mailbox(&tx, scope, mailbox)?;
        let held = current(&tx, mailbox_id)?;
        if let Some(Row { holder, until, .. }) = &held
            && !holder.is_empty()
            && holder != worker.as_str()
            && *until > micros(now)
        {
            return Ok(Acquired::Busy {
                holder: WorkerId::new(holder.as_str()),
                until: timestamp(*until)?,
            });
        }
        let quiet = held.as_ref().and_then(|row| row.quiet.at(now));
        if let Some(quiet) = quiet {
            keep_quiet(&tx, mailbox_id, quiet)?;
            tx.commit()?;
            let left = quiet.left(now);
            return Ok(Acquired::Quiet { left });
        }
        let epoch = held.map_or(0, |row| row.epoch) + 1;
        tx.prepare_cached(
            "INSERT INTO lease (scope, mailbox, holder, epoch, until) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (mailbox) DO UPDATE
             SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until,
                 quiet_until = 0, quiet_length = 0",
        )?
        .execute(params![
            scope,
            mailbox_id,
            worker.as_str(),
            epoch,
            micros(until)
        ])?;
        let swept = sweep(&tx, mailbox_id)?;
        tx.commit()?;
        self.scrub(swept);
        let epoch = unsigned(epoch)?;
        Ok(Acquired::Held(Lease::new(
            mailbox.clone(),
            worker.clone(),
            epoch,
            until,
        )))
    }

    pub(crate) fn renew(&mut self, scope: &Scope, lease: &Lease, ttl: Duration) -> Done<Lease> {
        let until = end(self.clock.now(), ttl);
        let (tx, scope) = self.write(scope)?;
        fence_until(&tx, scope, lease, Some(until))?;
        tx.commit()?;
        Ok(Lease {
            until,
            ..lease.clone()
        })
    }

    pub(crate) fn release(&mut self, scope: &Scope, lease: &Lease, quiet: Duration) -> Done<()> {
        let quiet = Wish::new(quiet, self.clock.now());
        let (tx, scope) = self.write(scope)?;
        let mailbox = match fence(&tx, scope, lease) {
            Err(Fault::Coded(code)) if code == &codes::LEASE_LOST => return Ok(()),
            other => other?,
        };
        let (until, length) = of_wish(quiet);
        tx.prepare_cached(
            "UPDATE lease SET holder = '', until = 0, quiet_until = ?2, quiet_length = ?3
             WHERE mailbox = ?1",
        )?
        .execute(params![mailbox, until, length])?;
        let swept = sweep(&tx, mailbox)?;
        tx.commit()?;
        self.scrub(swept);
        Ok(())
    }
}

/// The first write of every transaction with a lease: a stale one finds no row. Answers the id of the mailbox.
pub(super) fn fence(conn: &Connection, scope: i64, lease: &Lease) -> Done<i64> {
    fence_until(conn, scope, lease, None)
}

fn fence_until(
    conn: &Connection,
    scope: i64,
    lease: &Lease,
    until: Option<Timestamp>,
) -> Done<i64> {
    let mailbox = find_mailbox(conn, scope, &lease.mailbox)?;
    let held = conn
        .prepare_cached(
            "UPDATE lease SET until = coalesce(?4, until)
             WHERE mailbox = ?1 AND holder = ?2 AND epoch = ?3 AND holder <> ''",
        )?
        .execute(params![
            mailbox,
            lease.holder.as_str(),
            signed(lease.epoch)?,
            until.map(micros)
        ])?;
    match held {
        0 => Err((&codes::LEASE_LOST).into()),
        _ => Ok(mailbox),
    }
}

/// A lease as it is stored.
struct Row {
    holder: String,
    until: i64,
    epoch: i64,
    quiet: Wish,
}

fn current(conn: &Connection, mailbox: i64) -> Done<Option<Row>> {
    let mut find = conn.prepare_cached(
        "SELECT holder, until, epoch, quiet_until, quiet_length FROM lease WHERE mailbox = ?1",
    )?;
    let mut rows = find.query([mailbox])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Row {
        holder: row.get(0)?,
        until: row.get(1)?,
        epoch: row.get(2)?,
        quiet: wish((row.get(3)?, row.get(4)?))?,
    }))
}

fn keep_quiet(conn: &Connection, mailbox: i64, quiet: Wish) -> Done<()> {
    let (until, length) = of_wish(quiet);
    conn.prepare_cached("UPDATE lease SET quiet_until = ?2, quiet_length = ?3 WHERE mailbox = ?1")?
        .execute(params![mailbox, until, length])?;
    Ok(())
}

/// The end of a lease, at a whole microsecond as the column keeps it.
fn end(now: Timestamp, ttl: Duration) -> Timestamp {
    let until = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
    Timestamp::from_microsecond(micros(until)).unwrap_or(until)
}
