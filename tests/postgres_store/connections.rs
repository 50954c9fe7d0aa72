//! Making connections: TLS, limits, and what is told of a server that is not there.

use std::time::Duration;

use email_logging::ErrorKind;
use email_logging::store::{CommitBatch, MailLedger, PostgresOptions, PostgresStore, SetupStore};

use crate::cluster::{Own, migrated, own_server, server};
use crate::store_rows::{lease, logged};
use crate::{codes, scope};

fn over_tcp(options: PostgresOptions, own: &Own, more: &str) -> PostgresOptions {
    let port = own.port;
    let mut options = options;
    let place = format!("host=127.0.0.1 port={port} user=postgres dbname=postgres");
    options.url = format!("{place} {more}").into();
    options
}

async fn failure(options: PostgresOptions) -> (ErrorKind, &'static str) {
    let store = PostgresStore::open_with(options).unwrap();
    let error = store.load_setup(&scope()).await.unwrap_err();
    let text = format!("{error} {error:?}");
    assert!(
        !text.contains("127.0.0.1") && !text.contains("canary"),
        "{text}"
    );
    codes(&error)
}

#[tokio::test]
async fn a_certificate_of_a_given_root_is_trusted_and_no_other() {
    let Some((server, own)) = own_server() else {
        return;
    };
    let options = over_tcp(server.options(), own, "sslmode=require");
    let name = options.schema.clone();
    let trusting = options.clone().with_roots(own.root.as_str());
    let store = migrated(trusting.with_application_name(&*name)).await;
    assert_eq!(store.load_setup(&scope()).await.unwrap(), None);
    let find = "SELECT version FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
        WHERE application_name = $1 AND ssl";
    let row = server.raw().await.query_one(find, &[&name]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "TLSv1.3");
    let params = rcgen::CertificateParams::default();
    let stranger = rcgen::KeyPair::generate().unwrap();
    let stranger = params.self_signed(&stranger).unwrap().pem();
    let untrusted = (ErrorKind::StoreUnavailable, "store.tls");
    assert_eq!(
        failure(options.clone().with_roots(stranger)).await,
        untrusted
    );
    // The platform does not know the root either.
    assert_eq!(failure(options.clone()).await, untrusted);
    let pin = format!("sha256/{}=", "A".repeat(43));
    let pinned = options.with_roots(own.root.as_str()).with_pinned_key(pin);
    assert_eq!(failure(pinned).await, untrusted);
}

#[tokio::test]
async fn a_server_without_tls_is_not_spoken_to_where_tls_is_asked_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut client, _)) = listener.accept().await {
            let mut asked = [0; 8];
            client.read_exact(&mut asked).await.unwrap();
            client.write_all(b"N").await.unwrap();
            let mut rest = Vec::new();
            client.read_to_end(&mut rest).await.unwrap();
            assert_eq!(rest, b"");
        }
    });
    let url = format!("host=127.0.0.1 port={port} user=u password=canary sslmode=require");
    let options = PostgresOptions::new(url.into());
    assert_eq!(
        failure(options).await,
        (ErrorKind::StoreUnavailable, "store.tls")
    );
}

#[tokio::test]
async fn a_server_that_is_not_there_or_is_full_gives_no_connection() {
    let none = (ErrorKind::StoreUnavailable, "store.connections");
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let url = format!("host=127.0.0.1 port={port} user=u password=canary");
    assert_eq!(failure(PostgresOptions::new(url.into())).await, none);
    let Some((server, _)) = own_server() else {
        return;
    };
    let mut options = server.options();
    migrated(options.clone()).await;
    let role = format!("crowd_{}", options.schema);
    let make = format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 0");
    server.raw().await.batch_execute(&make).await.unwrap();
    options.url = format!("{} user={role}", server.url).into();
    assert_eq!(failure(options).await, none);
}

#[tokio::test]
async fn a_call_waits_for_a_free_connection_and_not_for_ever() {
    let Some(server) = server() else { return };
    let options = server.options();
    let narrow = options
        .clone()
        .with_pool_size(1)
        .with_connect_timeout(Duration::from_secs(1));
    let store = migrated(narrow).await;
    let lease = lease(&store, &scope()).await;
    let mut raw = server.raw().await;
    let lock = raw.transaction().await.unwrap();
    let sql = format!("SELECT 1 FROM {}.scope FOR UPDATE", options.schema);
    lock.query(&sql, &[]).await.unwrap();
    let scope = scope();
    let batch = CommitBatch::of_rows(vec![logged(&scope, 1, 10)]);
    let (committed, refused) = tokio::join!(store.commit(&scope, &lease, batch), async {
        let refused = store.load_setup(&scope).await.unwrap_err();
        lock.rollback().await.unwrap();
        refused
    });
    assert_eq!(
        codes(&refused),
        (ErrorKind::StoreUnavailable, "store.connections")
    );
    committed.unwrap();
    assert_eq!(store.load_setup(&scope).await.unwrap(), None);
}

#[tokio::test]
async fn a_closed_store_says_so() {
    let Some(server) = server() else { return };
    let store = server.store().await;
    store.close();
    let error = store.load_setup(&scope()).await.unwrap_err();
    assert_eq!(codes(&error), (ErrorKind::StoreUnavailable, "store.closed"));
}

#[test]
fn a_connection_without_tls_does_not_leave_this_machine() {
    let url = "postgresql://u:canary@db.example/log?sslmode=disable".to_owned();
    let options = PostgresOptions::new(url.into());
    let error = PostgresStore::open_with(options.clone()).unwrap_err();
    assert_eq!(codes(&error), (ErrorKind::Config, "config.insecure"));
    let store = PostgresStore::open_with(options.clone().with_plain(true)).unwrap();
    let text = format!("{error} {error:?} {options:?} {store:?}");
    assert!(
        !text.contains("canary") && !text.contains("db.example"),
        "{text}"
    );
}
