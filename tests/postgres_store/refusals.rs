//! What the server refuses: each refusal has its code, and a row that is to blame stands alone.

use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::store::{
    CommitBatch, EventFeed, MailLedger, MoveOutcome, MoveResult, PostgresStore, RowContent,
    RowResult, SetupStore,
};

use crate::cluster::{Server, migrated, own_server, server};
use crate::store_rows::{commit, decided, lease, logged, logged_row};
use crate::{codes, entry_numbers, scope};

/// Makes the insert of an event fail with this SQLSTATE, this many times.
async fn failing(server: &Server, schema: &str, state: &str, times: u32) {
    failing_at(server, schema, "INSERT ON event", state, times).await;
}

/// Makes a write fail with this SQLSTATE, this many times.
async fn failing_at(server: &Server, schema: &str, write: &str, state: &str, times: u32) {
    let trigger = format!(
        "SET search_path TO {schema};
         CREATE SEQUENCE failures;
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             IF nextval('{schema}.failures') <= {times} THEN
                 RAISE EXCEPTION 'refused canary' USING ERRCODE = '{state}';
             END IF;
             RETURN NEW;
         END $$;
         CREATE TRIGGER fail BEFORE {write} FOR EACH ROW EXECUTE FUNCTION fail()"
    );
    server.raw().await.batch_execute(&trigger).await.unwrap();
}

async fn commit_of_one(store: &PostgresStore) -> email_logging::Result<Vec<RowResult>> {
    let lease = lease(store, &scope()).await;
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 100)]);
    Ok(store.commit(&scope(), &lease, batch).await?.rows)
}

#[tokio::test]
async fn a_serialization_failure_or_a_deadlock_is_done_again_whole() {
    let Some(server) = server() else { return };
    for state in ["40001", "40P01"] {
        let options = server.options();
        let store = migrated(options.clone()).await;
        failing(server, &options.schema, state, 3).await;
        let rows = commit_of_one(&store).await.unwrap();
        assert!(matches!(rows[..], [RowResult::Written { .. }]), "{rows:?}");
        assert_eq!(entry_numbers(&store).await, [1]);
        let events = store.read_events(&scope(), "erp", 10).await.unwrap();
        assert_eq!(events.len(), 1);
    }
}

/// Only silence ends the rounds early: who answers is asked as often as it takes.
#[tokio::test]
async fn what_the_server_undoes_after_a_while_is_done_again_too() {
    let Some(server) = server() else { return };
    let options = server.options();
    let options = options.with_statement_timeout(Duration::from_secs(2));
    let store = migrated(options.clone()).await;
    let slow = format!(
        "SET search_path TO {};
         CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
             PERFORM pg_sleep(1.2);
             RETURN NEW;
         END $$;
         CREATE TRIGGER before BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION before()",
        options.schema
    );
    server.raw().await.batch_execute(&slow).await.unwrap();
    // The last but one of the rounds ends beyond the eight seconds for which two answers are waited for.
    failing(server, &options.schema, "40001", 7).await;
    let rows = commit_of_one(&store).await.unwrap();
    assert!(matches!(rows[..], [RowResult::Written { .. }]), "{rows:?}");
    assert_eq!(entry_numbers(&store).await, [1]);
}

#[tokio::test]
async fn a_lease_and_a_result_that_collide_are_done_again_whole() {
    let Some(server) = server() else { return };
    for state in ["40001", "40P01"] {
        let options = server.options();
        let store = migrated(options.clone()).await;
        failing_at(server, &options.schema, "UPDATE ON lease", state, 3).await;
        let again = format!("SELECT setval('{}.failures', 1, false)", options.schema);
        let lease = lease(&store, &scope()).await;
        assert_eq!(lease.epoch, 1, "taken once");
        commit(&store, &scope(), &lease, vec![logged(&scope(), 1, 100)]).await;
        let mailbox = crate::store_rows::mailbox();
        let own = scope();
        let planned = || store.pending_moves(&own, &mailbox, jiff::Timestamp::MAX, 10);
        assert_eq!(planned().await.unwrap().len(), 1);
        let (key, item) = (crate::store_rows::key(1), crate::store_rows::item(1));
        let mut batch = CommitBatch::default();
        batch.moves = vec![MoveResult::new(key, item, MoveOutcome::Vanished)];
        server.raw().await.batch_execute(&again).await.unwrap();
        store.commit(&scope(), &lease, batch).await.unwrap();
        assert_eq!(planned().await.unwrap(), []);
        let events = store.read_events(&scope(), "erp", 10).await.unwrap();
        let numbers: Vec<u64> = events.iter().map(|event| event.number).collect();
        assert_eq!(numbers, [1, 2], "one of the mail, one of its move");
    }
}

#[tokio::test]
async fn a_failure_that_does_not_pass_has_its_code_and_writes_nothing() {
    let Some(server) = server() else { return };
    let cases = [
        ("40001", "store.unavailable"),
        ("53100", "store.full"),
        ("57014", "store.timeout"),
        ("XX001", "store.corrupt"),
        ("58030", "store.unavailable"),
    ];
    for (state, code) in cases {
        let options = server.options();
        let store = migrated(options.clone()).await;
        failing(server, &options.schema, state, 1_000).await;
        let error = commit_of_one(&store).await.unwrap_err();
        assert_eq!(
            codes(&error),
            (ErrorKind::StoreUnavailable, code),
            "{state}"
        );
        let text = format!("{error} {error:?}");
        assert!(!text.contains("canary"), "{text}");
        assert_eq!(entry_numbers(&store).await, Vec::<u64>::new());
        assert_eq!(rows_of(server, &options.schema).await, [0; 9]);
    }
}

/// How many rows a commit has left in each of its tables.
async fn rows_of(server: &Server, schema: &str) -> [i64; 9] {
    let tables = [
        "message",
        "participant",
        "original",
        "original_chunk",
        "sighting",
        "decision",
        "pending_move",
        "entry",
        "event",
    ];
    let client = server.raw().await;
    let mut rows = [0; 9];
    for (rows, table) in rows.iter_mut().zip(tables) {
        let count = format!("SELECT count(*) FROM {schema}.{table}");
        *rows = client.query_one(&count, &[]).await.unwrap().get(0);
    }
    rows
}

#[tokio::test]
async fn a_row_that_is_refused_leaves_no_trace_and_the_others_are_written() {
    let Some(server) = server() else { return };
    let store = server.store().await;
    let lease = lease(&store, &scope()).await;
    // A key that is longer than an index can hold, of letters that do not compress.
    let mut refused = logged_row(&scope(), 2, 100);
    let noise = crate::store_rows::bytes(9, 20_000);
    let long: String = noise
        .iter()
        .map(|byte| char::from(b'!' + byte % 90))
        .collect();
    refused.entries[0].contact_no = long.as_str().into();
    let rows = vec![
        logged(&scope(), 1, 100),
        decided(2, refused),
        logged(&scope(), 3, 100),
    ];
    let receipt = commit(&store, &scope(), &lease, rows).await;
    let RowResult::Rejected(error) = &receipt.rows[1] else {
        panic!("{receipt:?}");
    };
    assert_eq!(codes(error), (ErrorKind::Conflict, "store.data"));
    for result in [&receipt.rows[0], &receipt.rows[2]] {
        assert!(matches!(result, RowResult::Written { .. }), "{result:?}");
    }
    assert_eq!(entry_numbers(&store).await, [1, 2]);
    let known = store
        .known(
            &scope(),
            &crate::store_rows::mailbox(),
            &[crate::store_rows::key(2)],
        )
        .await
        .unwrap();
    assert_eq!(known, [None]);
    let events = store.read_events(&scope(), "erp", 10).await.unwrap();
    assert!(events.iter().map(|event| event.number).eq([1, 2]));
}

#[tokio::test]
async fn a_statement_that_runs_too_long_is_ended() {
    let Some(server) = server() else { return };
    let options = server.options();
    let patient = migrated(options.clone()).await;
    let hasty = options
        .clone()
        .with_statement_timeout(Duration::from_millis(300));
    let hasty = migrated(hasty).await;
    let lease = lease(&patient, &scope()).await;
    let mut raw = server.raw().await;
    let lock = raw.transaction().await.unwrap();
    let sql = format!("SELECT 1 FROM {}.scope FOR UPDATE", options.schema);
    lock.query(&sql, &[]).await.unwrap();
    let batch = CommitBatch::of_rows(vec![logged(&scope(), 1, 10)]);
    let error = hasty
        .commit(&scope(), &lease, batch.clone())
        .await
        .unwrap_err();
    assert_eq!(
        codes(&error),
        (ErrorKind::StoreUnavailable, "store.timeout")
    );
    lock.rollback().await.unwrap();
    hasty.commit(&scope(), &lease, batch).await.unwrap();
    assert_eq!(entry_numbers(&patient).await, [1]);
}

#[tokio::test]
async fn a_database_that_takes_no_writes_says_so_and_is_read() {
    let Some((server, _)) = own_server() else {
        return;
    };
    let mut options = server.options();
    migrated(options.clone()).await;
    let role = format!("reader_{}", options.schema);
    let make = format!(
        "CREATE ROLE {role} LOGIN SUPERUSER;
         ALTER ROLE {role} SET default_transaction_read_only = on"
    );
    server.raw().await.batch_execute(&make).await.unwrap();
    options.url = format!("{} user={role}", server.url).into();
    let store = migrated(options).await;
    assert_eq!(store.load_setup(&scope()).await.unwrap(), None);
    let error = store.acknowledge(&scope(), "erp", 1).await.unwrap_err();
    assert_eq!(
        codes(&error),
        (ErrorKind::StoreUnavailable, "store.read_only")
    );
}

#[tokio::test]
async fn a_mail_with_too_many_participants_is_refused_alone() {
    let Some(server) = server() else { return };
    let store = server.store().await;
    let lease = lease(&store, &scope()).await;
    let mut crowded = logged_row(&scope(), 1, 100);
    let record = crowded.record.as_mut().unwrap();
    let one = record.participants[0].clone();
    record.participants = vec![one; (1 << 16) + 1];
    let receipt = commit(
        &store,
        &scope(),
        &lease,
        vec![decided(1, crowded), logged(&scope(), 2, 100)],
    )
    .await;
    assert!(matches!(
        receipt.rows[..],
        [RowResult::Rejected(_), RowResult::Written { .. }]
    ));
    let content = match logged(&scope(), 2, 100).content {
        RowContent::Decided(row) => row.entries.len(),
        _ => 0,
    };
    assert_eq!(entry_numbers(&store).await.len(), content);
}
