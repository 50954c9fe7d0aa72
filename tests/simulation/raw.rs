//! A look past the store at its tables, where it has some: what a ledger never shows must be in order too.

use email_logging::source::ItemRef;

use crate::book::scope;

/// What must not be there when all is settled, and how the rows that are wrong are counted. Every table has a scope. An item
/// whose stamp was refused or not answered, and written all the same, may have failed under a digest before it was known by its
/// stamp: by their lengths these are told from other keys.
const WRONG: [(&str, &str); 7] = [
    (
        "I4: entries have no message",
        "SELECT count(*) FROM {s}entry e WHERE e.scope = {scope} AND NOT EXISTS
           (SELECT 1 FROM {s}message m WHERE m.no = e.message_no AND m.scope = e.scope)",
    ),
    (
        "I4: entries have no original",
        "SELECT count(*) FROM {s}entry e WHERE e.scope = {scope} AND NOT EXISTS
           (SELECT 1 FROM {s}original o WHERE o.message_no = e.message_no AND o.scope = e.scope)",
    ),
    (
        "I14: sightings have an outcome and no decision",
        "SELECT count(*) FROM {s}sighting g WHERE g.scope = {scope} AND g.state <> 'pending' AND NOT EXISTS
           (SELECT 1 FROM {s}decision d WHERE d.sighting_no = g.no AND d.scope = g.scope)",
    ),
    (
        "I14: decisions and moves have no sighting",
        "SELECT (SELECT count(*) FROM {s}decision d WHERE d.scope = {scope} AND NOT EXISTS
             (SELECT 1 FROM {s}sighting g WHERE g.no = d.sighting_no AND g.scope = d.scope))
           + (SELECT count(*) FROM {s}pending_move p WHERE p.scope = {scope} AND NOT EXISTS
             (SELECT 1 FROM {s}sighting g WHERE g.no = p.sighting_no AND g.scope = p.scope))",
    ),
    (
        "I14: items wait for an attempt and have an outcome",
        "SELECT count(*) FROM {s}sighting g JOIN {s}sighting o ON o.scope = g.scope AND o.item_id = g.item_id
           WHERE g.scope = {scope} AND g.state = 'pending' AND o.state <> 'pending'
             AND NOT (length(g.key) = 33 AND length(o.key) = 17 AND g.item_id IN ({stamped}))",
    ),
    (
        "I5: originals lack pieces, or have some too many",
        "SELECT count(*) FROM {s}original o WHERE o.scope = {scope} AND o.pieces <>
           (SELECT count(*) FROM {s}original_chunk c WHERE c.id >= o.no * 4096 AND c.id < (o.no + 1) * 4096)",
    ),
    (
        "I5: originals are staged still",
        "SELECT count(*) FROM {s}original o WHERE o.scope = {scope} AND o.stage IS NOT NULL",
    ),
];

/// What must be there as often as the store says.
const COUNTED: [&str; 3] = ["entry", "decision", "pending_move"];

/// What the tables have to agree with.
pub(crate) struct Told {
    /// What the store says of [`COUNTED`].
    pub(crate) counts: [usize; 3],
    /// Items that were stamped though their stamp was refused or not answered.
    pub(crate) stamped: Vec<ItemRef>,
}

/// The tables of a store.
pub(crate) struct Tables {
    /// What their names begin with.
    pub(crate) prefix: String,
    /// Asks for one number.
    pub(crate) ask: Box<dyn Fn(&str) -> i64 + Send + Sync>,
}

impl Tables {
    /// Looks at what belongs to this schedule.
    pub(crate) fn look(&self, told: &Told) -> Result<(), String> {
        let prefix = &self.prefix;
        let of_scope = format!(
            "(SELECT id FROM {prefix}scope WHERE tenant = '{}' AND company = '{}')",
            scope().tenant(),
            scope().company()
        );
        // No item has an empty id, and no list may be empty.
        let stamped = told.stamped.iter().map(|item| format!("'{}'", item.id));
        let stamped: Vec<_> = stamped.chain(["''".to_owned()]).collect();
        let stamped = stamped.join(", ");
        let ask = |sql: &str| {
            let sql = sql.replace("{scope}", &of_scope).replace("{s}", prefix);
            (self.ask)(&sql.replace("{stamped}", &stamped))
        };
        for (what, sql) in WRONG {
            let count = ask(sql);
            if count != 0 {
                return Err(format!("{what}: {count}"));
            }
        }
        for (table, told) in COUNTED.into_iter().zip(told.counts) {
            let sql = format!("SELECT count(*) FROM {{s}}{table} t WHERE t.scope = {{scope}}");
            let count = ask(&sql);
            if usize::try_from(count) != Ok(told) {
                return Err(format!(
                    "I14: {count} rows of {table}, the store tells of {told}"
                ));
            }
        }
        Ok(())
    }
}
