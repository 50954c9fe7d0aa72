//! The store as functions over one transaction: every call of the traits as statements.
//!
//! Nothing here knows connections, rounds or TLS. A function that writes can be done again as a whole: what it wrote before
//! was undone with its transaction, or is found by its keys.

pub(super) mod canceled;
pub(super) mod commit;
pub(super) mod content;
pub(super) mod conversation;
pub(super) mod decisions;
mod entries;
pub(super) mod events;
mod filter;
pub(super) mod lease;
pub(super) mod links;
pub(super) mod log;
mod many;
pub(super) mod messages;
pub(super) mod moves;
pub(super) mod opportunity;
pub(super) mod original;
pub(super) mod people;
pub(super) mod privacy;
mod record;
pub(super) mod reports;
pub(super) mod review;
pub(super) mod secret;
pub(super) mod setup;
pub(super) mod sightings;
mod words;

use super::fault::{Done, Fault};
use super::migrate::refuse_newer;
use super::pool::Tx;
use super::values::{NOW, column};
use crate::ids::MailboxKey;
use crate::scope::Scope;
use crate::store::rows::text;

/// The id that no scope and no mailbox has: whatever is asked for it is not there.
const NOBODY: i64 = 0;

/// The outcome of a mail that has its entries from this sighting.
const LOGGED: &str = "logged";

/// The outcome of a mail whose message and entries were there.
const ALREADY_LOGGED: &str = "already-logged";

/// The id of a scope; one that no scope has where it is unknown.
pub(super) async fn find_scope(tx: &Tx, scope: &Scope) -> Done<i64> {
    let find = "SELECT id FROM scope WHERE tenant = $1 AND company = $2";
    let row = tx.row(find, &[&scope.tenant(), &scope.company()]).await?;
    row.map_or(Ok(NOBODY), |row| column(&row, "id"))
}

/// The id of a scope, which is made if it is new. For who writes: a migration holds the scope's row, which is held from here
/// on, and a schema that a newer version has changed is refused.
pub(super) async fn make_scope(tx: &Tx, scope: &Scope) -> Done<i64> {
    let id = match hold_scope(tx, scope).await? {
        NOBODY => {
            let make = "INSERT INTO scope (tenant, company) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            tx.run(make, &[&scope.tenant(), &scope.company()]).await?;
            found(hold_scope(tx, scope).await?)?
        }
        id => id,
    };
    refuse_newer(tx).await?;
    Ok(id)
}

async fn hold_scope(tx: &Tx, scope: &Scope) -> Done<i64> {
    let hold = "SELECT id FROM scope WHERE tenant = $1 AND company = $2 FOR KEY SHARE";
    let row = tx.row(hold, &[&scope.tenant(), &scope.company()]).await?;
    row.map_or(Ok(NOBODY), |row| column(&row, "id"))
}

/// The id of a mailbox; one that no mailbox has where it is unknown.
async fn find_mailbox(tx: &Tx, scope: i64, mailbox: &MailboxKey) -> Done<i64> {
    let find = "SELECT id FROM mailbox WHERE scope = $1 AND key = $2";
    let row = tx.row(find, &[&scope, &text(mailbox.as_str())]).await?;
    row.map_or(Ok(NOBODY), |row| column(&row, "id"))
}

/// The id of a mailbox, which is made if it is new.
async fn make_mailbox(tx: &Tx, scope: i64, mailbox: &MailboxKey) -> Done<i64> {
    match find_mailbox(tx, scope, mailbox).await? {
        NOBODY => {
            let make = "INSERT INTO mailbox (scope, key) VALUES ($1, $2) ON CONFLICT DO NOTHING";
            tx.run(make, &[&scope, &text(mailbox.as_str())]).await?;
            found(find_mailbox(tx, scope, mailbox).await?)
        }
        id => Ok(id),
    }
}

/// What was made just now, by this one or by another one.
fn found(id: i64) -> Done<i64> {
    match id {
        NOBODY => Err(Fault::Damaged("a row that was just made")),
        id => Ok(id),
    }
}

/// Takes the turn of a scope: whoever numbers entries or events, or changes what a commit reads before it writes, holds the
/// lock of the scope's row until the end. A reader of events so never meets a number whose predecessor is not committed. Who
/// has no lease has the scope from [`make_scope`], which looks at the schema.
async fn take_turn(tx: &Tx, scope: i64) -> Done<()> {
    let lock = "SELECT id FROM scope WHERE id = $1 FOR NO KEY UPDATE";
    tx.row(lock, &[&scope]).await?;
    Ok(())
}

/// The time to write, by the injected clock or the database's.
async fn now(tx: &Tx, time: Option<i64>) -> Done<i64> {
    if let Some(time) = time {
        return Ok(time);
    }
    let rows = tx.rows(&format!("SELECT {NOW} AS now"), &[&time]).await?;
    let row = rows.first().ok_or(Fault::Damaged("the time"))?;
    column(row, "now")
}
