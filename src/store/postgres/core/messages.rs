//! Messages that are there, found by their Message-ID.

use std::collections::BTreeMap;

use super::find_scope;
use crate::ids::MessageUid;
use crate::message::{CanonicalDigest, FastKey};
use crate::scope::Scope;
use crate::store::KnownMessage;
use crate::store::postgres::fault::Done;
use crate::store::postgres::pool::Tx;
use crate::store::postgres::values::{column, digest, id, maybe_digest};
use crate::store::rows::{message_id_hash, text};

/// The messages that carry these Message-IDs: one list per id, in order.
pub(crate) async fn with_message_ids(
    tx: &Tx,
    scope: &Scope,
    message_ids: &[String],
) -> Done<Vec<Vec<KnownMessage>>> {
    let scope = find_scope(tx, scope).await?;
    let ids: Vec<_> = message_ids.iter().map(|id| text(id)).collect();
    let hashes: Vec<i64> = ids.iter().map(|id| message_id_hash(id)).collect();
    let list = "SELECT m.uid, m.message_id, m.fast_key, m.canonical, o.no IS NOT NULL AS kept
        FROM message m LEFT JOIN original o ON o.scope = m.scope AND o.message_no = m.no
        WHERE m.scope = $1 AND m.message_id_hash = ANY($2) AND m.message_id = ANY($3)
        ORDER BY m.no";
    let mut by_id: BTreeMap<String, Vec<KnownMessage>> = BTreeMap::new();
    for row in &tx.rows(list, &[&scope, &hashes, &ids]).await? {
        let known = KnownMessage::new(
            MessageUid::from_bytes(id(row, "uid")?),
            FastKey::from_bytes(digest(row, "fast_key")?),
            maybe_digest(row, "canonical")?.map(CanonicalDigest::from_bytes),
            column(row, "kept")?,
        );
        let same = by_id.entry(column(row, "message_id")?);
        same.or_default().push(known);
    }
    let known = ids.iter().map(|id| by_id.get(&**id).cloned());
    Ok(known.map(Option::unwrap_or_default).collect())
}
