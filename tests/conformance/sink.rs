//! The suite of sinks on a table with a key, and on one without: it must tell them apart.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use email_logging::store::{HostReference, InteractionSink, SinkDelivery};
use email_logging::testkit::conformance::sink::{SinkBackend, run};
use email_logging::{EntryId, Result, Scope};

/// A host's table. Without its key every put adds rows.
#[derive(Debug, Clone, Default)]
struct Table {
    keyed: bool,
    rows: Arc<Mutex<Vec<EntryId>>>,
}

#[async_trait]
impl InteractionSink for Table {
    async fn put(&self, _: &Scope, delivery: SinkDelivery<'_>) -> Result<Vec<HostReference>> {
        let mut rows = self.rows.lock().unwrap();
        let mut references = Vec::new();
        for entry in delivery.entries {
            let id = entry.entry.id;
            let known = rows
                .iter()
                .position(|row| *row == id)
                .filter(|_| self.keyed);
            let place = known.unwrap_or_else(|| {
                rows.push(id);
                rows.len() - 1
            });
            references.push(HostReference::new(id, place.to_string()));
        }
        Ok(references)
    }
}

fn backend(keyed: bool) -> SinkBackend {
    let table = Table {
        keyed,
        ..Table::default()
    };
    let rows = Arc::clone(&table.rows);
    SinkBackend::new(table, move || rows.lock().unwrap().len() as u64)
}

#[tokio::test]
async fn a_table_with_a_key_keeps_the_contract() {
    let report = run(|| async { backend(true) }).await;
    report.assert_passed();
    assert_eq!(report.passed(), 5);
}

#[tokio::test]
async fn a_table_without_a_key_does_not() {
    let report = run(|| async { backend(false) }).await;
    let expected = [
        "entries_that_are_put_again_add_nothing_and_keep_their_reference",
        "a_delivery_that_is_known_in_part_adds_the_rest",
    ];
    assert_eq!(report.failures(), expected);
}
