//! Leases: who works on a mailbox, and the fence that every write passes.

use std::sync::Arc;
use std::time::Duration;

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
        let clock = Arc::clone(&self.clock);
        let (tx, scope) = self.write(scope)?;
        // After the wait for the file: by an earlier time a lease that was renewed meanwhile seems to be longer than it is.
        let now = clock.now();
        let mailbox_id = make_mailbox(&tx, scope, mailbox)?;
        let held = current(&tx, mailbox_id)?;
        if let Some(Row { holder, term, .. }) = &held
            && !holder.is_empty()
            && holder != worker.as_str()
            && let Some(kept) = term.at(now)
        {
            if kept != *term {
                keep_term(&tx, mailbox_id, kept)?;
                tx.commit()?;
            }
            return Ok(Acquired::Busy {
                holder: WorkerId::new(holder.as_str()),
                until: kept.until,
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
        let (until, length) = of_wish(Wish::of_host(ttl, now));
        tx.prepare_cached(
            "INSERT INTO lease (scope, mailbox, holder, epoch, until, length)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (mailbox) DO UPDATE
             SET holder = excluded.holder, epoch = excluded.epoch, until = excluded.until,
                 length = excluded.length, quiet_until = 0, quiet_length = 0",
        )?
        .execute(params![
            scope,
            mailbox_id,
            worker.as_str(),
            epoch,
            until,
            length
        ])?;
        let swept = sweep(&tx, mailbox_id)?;
        tx.commit()?;
        self.scrub(swept);
        let epoch = unsigned(epoch)?;
        Ok(Acquired::Held(Lease::new(
            mailbox.clone(),
            worker.clone(),
            epoch,
            timestamp(until)?,
        )))
    }

    pub(crate) fn renew(&mut self, scope: &Scope, lease: &Lease, ttl: Duration) -> Done<Lease> {
        let term = Wish::of_host(ttl, self.clock.now());
        let (tx, scope) = self.write(scope)?;
        let mailbox = fence(&tx, scope, lease)?;
        keep_term(&tx, mailbox, term)?;
        tx.commit()?;
        Ok(Lease {
            until: timestamp(micros(term.until))?,
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
    let mailbox = find_mailbox(conn, scope, &lease.mailbox)?;
    let held = conn
        .prepare_cached(
            "UPDATE lease SET until = until
             WHERE mailbox = ?1 AND holder = ?2 AND epoch = ?3 AND holder <> ''",
        )?
        .execute(params![
            mailbox,
            lease.holder.as_str(),
            signed(lease.epoch)?
        ])?;
    match held {
        0 => Err((&codes::LEASE_LOST).into()),
        _ => Ok(mailbox),
    }
}

/// A lease as it is stored.
struct Row {
    holder: String,
    epoch: i64,
    term: Wish,
    quiet: Wish,
}

fn current(conn: &Connection, mailbox: i64) -> Done<Option<Row>> {
    let mut find = conn.prepare_cached(
        "SELECT holder, epoch, until, length, quiet_until, quiet_length FROM lease WHERE mailbox = ?1",
    )?;
    let mut rows = find.query([mailbox])?;
    let Some(row) = rows.next()? else {
        return Ok(None);
    };
    Ok(Some(Row {
        holder: row.get(0)?,
        epoch: row.get(1)?,
        term: wish((row.get(2)?, row.get(3)?))?,
        quiet: wish((row.get(4)?, row.get(5)?))?,
    }))
}

fn keep_term(conn: &Connection, mailbox: i64, term: Wish) -> Done<()> {
    let (until, length) = of_wish(term);
    conn.prepare_cached("UPDATE lease SET until = ?2, length = ?3 WHERE mailbox = ?1")?
        .execute(params![mailbox, until, length])?;
    Ok(())
}

fn keep_quiet(conn: &Connection, mailbox: i64, quiet: Wish) -> Done<()> {
    let (until, length) = of_wish(quiet);
    conn.prepare_cached("UPDATE lease SET quiet_until = ?2, quiet_length = ?3 WHERE mailbox = ?1")?
        .execute(params![mailbox, until, length])?;
    Ok(())
}
