//! Leases: who works on a mailbox, and the fence that every write passes.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::original::sweep;
use super::{Core, find_mailbox, make_mailbox};
use crate::error::codes;
use crate::ids::{MailboxKey, WorkerId};
use crate::scope::Scope;
use crate::store::sqlite::fault::{Done, Fault};
use crate::store::sqlite::values::{micros, signed, timestamp, unsigned};
use crate::store::{Acquired, Lease};

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
        if let Some((holder, until, _)) = &held
            && !holder.is_empty()
            && holder != worker.as_str()
            && *until > micros(now)
        {
            return Ok(Acquired::Busy {
                holder: WorkerId::new(holder.as_str()),
                until: timestamp(*until)?,
            });
        }
        let epoch = held.map_or(0, |(_, _, epoch)| epoch) + 1;
        tx.prepare_cached(
            "INSERT INTO lease (scope, mailbox, holder, epoch, until) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (mailbox) DO UPDATE
             SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until",
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

    pub(crate) fn release(&mut self, scope: &Scope, lease: &Lease) -> Done<()> {
        let (tx, scope) = self.write(scope)?;
        let mailbox = match fence(&tx, scope, lease) {
            Err(Fault::Coded(code)) if code == &codes::LEASE_LOST => return Ok(()),
            other => other?,
        };
        tx.prepare_cached("UPDATE lease SET holder = '', until = 0 WHERE mailbox = ?1")?
            .execute([mailbox])?;
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

/// Holder, end and epoch of the lease.
fn current(conn: &Connection, mailbox: i64) -> Done<Option<(String, i64, i64)>> {
    let lease = conn
        .prepare_cached("SELECT holder, until, epoch FROM lease WHERE mailbox = ?1")?
        .query_row([mailbox], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    Ok(lease.optional()?)
}

/// The end of a lease, at a whole microsecond as the column keeps it.
fn end(now: Timestamp, ttl: Duration) -> Timestamp {
    let until = now.checked_add(ttl).unwrap_or(Timestamp::MAX);
    Timestamp::from_microsecond(micros(until)).unwrap_or(until)
}
