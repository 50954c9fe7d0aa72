//! The EWS source against the simulated Exchange: the whole way, TLS, and faults at every step.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ews/support.rs"]
mod support;

use std::time::Duration;

use email_logging::source::ews::{AddressPolicy, EwsSource, EwsSourceBuilder};
use email_logging::source::{
    Folder, FolderPath, ItemRef, ListRequest, ListedItem, MailFolders, MailSource, Sought,
};
use email_logging::testkit::exchange::{
    Delivery, Fault, FaultKind, Operation, SimulatedExchange, SimulatedExchangeBuilder,
    TlsCertificate,
};
use support::{Collect, Got, account, code_of, moves, source_at};

const QUEUE: &str = r"\Email Logging\Queue\";
const STORAGE: &str = r"\Email Logging\Storage\";

fn exchange() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user("svc@example.com", "canary-secret")
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
}

fn source(exchange: &SimulatedExchange) -> EwsSource {
    source_at(&exchange.url(), |builder| builder).0
}

async fn open(source: &EwsSource, path: &str) -> Folder {
    source
        .open_folder(&path.parse::<FolderPath>().unwrap().into())
        .await
        .unwrap()
}

async fn all(source: &EwsSource, folder: &Folder) -> Vec<ListedItem> {
    source
        .list(folder, ListRequest::new(0, 1000))
        .await
        .unwrap()
        .items
}

fn mail(number: usize, size: usize) -> Vec<u8> {
    let head = format!(
        "From: a@example.com\r\nTo: b@example.com\r\nSubject: Mail {number}\r\n\
         Message-ID: <{number}@example.com>\r\n\r\n"
    );
    let mut mail = head.into_bytes();
    mail.extend((0..size).map(|at| u8::try_from(at * 31 % 251).unwrap()));
    mail
}

fn ids(items: &[ListedItem]) -> Vec<ItemRef> {
    items.iter().map(|row| row.item.clone()).collect()
}

#[tokio::test]
async fn mail_goes_the_whole_way_with_every_byte() {
    let exchange = exchange().with_chunk_size(1000).start().await.unwrap();
    let sizes = [0, 1, 2, 3, 5_000, 3_000_000];
    for (number, size) in sizes.into_iter().enumerate() {
        exchange.deliver(QUEUE, mail(number, size)).unwrap();
    }
    let source = source(&exchange);
    let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
    assert!(queue.public && queue.rights.unwrap().delete);
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    for (number, size) in sizes.into_iter().enumerate() {
        let text = String::from_utf8_lossy(&mail(number, size)).into_owned();
        let expected = (number, Got::Complete(text, Some(format!("Mail {number}"))));
        assert!(sink.got[number] == expected, "mail {number}");
        let id = format!("<{number}@example.com>");
        assert_eq!(sink.facts[number].message_id.as_deref(), Some(&*id));
    }
    let moved = source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    let sought: Vec<Sought> = items
        .iter()
        .map(|row| row.key.clone().unwrap().into())
        .collect();
    let found = source.locate(&storage, &sought).await.unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|copies| format!("done {}", copies[0].id))
        .collect();
    assert_eq!(moves(&moved), found);
    assert_eq!(
        (
            exchange.count(QUEUE).unwrap(),
            exchange.count(STORAGE).unwrap()
        ),
        (0, 6)
    );
}

#[tokio::test]
async fn a_thousand_mails_take_41_requests_at_50_and_21_at_100() {
    for (batch, requests) in [(50, 41), (100, 21)] {
        let exchange = exchange().start().await.unwrap();
        for number in 0..1000 {
            exchange.deliver(QUEUE, mail(number, 100)).unwrap();
        }
        let source = source(&exchange);
        let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
        let before = exchange.statistics();
        let items = all(&source, &queue).await;
        for items in items.chunks(batch) {
            source
                .fetch(&queue, items, &mut Collect::default())
                .await
                .unwrap();
            source.move_to(&queue, &ids(items), &storage).await.unwrap();
        }
        let after = exchange.statistics();
        assert_eq!(after.requests - before.requests, requests);
        assert_eq!((after.connections, after.unauthorized), (1, 0));
    }
}

#[tokio::test]
async fn only_a_trusted_certificate_gets_a_byte() {
    let trust = |pem: String| move |builder: EwsSourceBuilder| builder.with_trusted_roots(pem);
    for (certificate, expected) in [
        (TlsCertificate::Trusted, "opened"),
        (TlsCertificate::WrongHost, "http.tls_host"),
        (TlsCertificate::Expired, "http.tls_expired"),
        (TlsCertificate::SelfSigned, "http.tls_untrusted"),
    ] {
        let trusted = certificate == TlsCertificate::Trusted;
        let exchange = exchange().with_tls(certificate).start().await.unwrap();
        let pem = exchange.ca_pem().unwrap().to_owned();
        let (source, clock) = source_at(&exchange.url(), trust(pem));
        let opened = source
            .open_folder(&QUEUE.parse::<FolderPath>().unwrap().into())
            .await;
        let code = opened.as_ref().map_or_else(code_of, |_| "opened");
        assert_eq!(code, expected, "{certificate:?}");
        assert_eq!(exchange.statistics().requests > 0, trusted);
        assert!(clock.waits().is_empty());
    }
    let other = exchange()
        .with_tls(TlsCertificate::Trusted)
        .start()
        .await
        .unwrap();
    let exchange = exchange()
        .with_tls(TlsCertificate::Trusted)
        .start()
        .await
        .unwrap();
    let platform = EwsSource::builder(exchange.url())
        .with_basic(account())
        .with_address_policy(AddressPolicy::on_premises(["127.0.0.1"]).unwrap())
        .build()
        .unwrap();
    let (wrong, _) = source_at(&exchange.url(), trust(other.ca_pem().unwrap().to_owned()));
    for source in [platform, wrong] {
        let error = source
            .open_folder(&QUEUE.parse::<FolderPath>().unwrap().into())
            .await;
        assert_eq!(code_of(&error.unwrap_err()), "http.tls_untrusted");
    }
    assert_eq!(exchange.statistics().requests, 0);
}

async fn fetched_under(kind: FaultKind) -> Result<Vec<&'static str>, &'static str> {
    let exchange = exchange().start().await.unwrap();
    for number in 0..3 {
        exchange.deliver(QUEUE, mail(number, 100)).unwrap();
    }
    let source = source(&exchange);
    let queue = open(&source, QUEUE).await;
    let items = all(&source, &queue).await;
    exchange.inject(Fault::new(kind).on(Operation::GetItem).at_call(1));
    let mut sink = Collect::default();
    let result = source.fetch(&queue, &items, &mut sink).await;
    assert_eq!(exchange.faults_pending(), 0);
    assert_eq!(exchange.statistics().calls(Operation::MoveItem), 0);
    let text = |got: &(usize, Got)| match &got.1 {
        Got::Complete(..) => "complete",
        Got::WithoutOriginal(code, _) | Got::Failed(code) => code,
        Got::Gone => "gone",
    };
    let order: Vec<_> = sink.got.iter().map(|(index, _)| *index).collect();
    assert!(order.iter().copied().eq(0..order.len()), "{order:?}");
    result
        .map(|()| sink.got.iter().map(text).collect())
        .map_err(|error| code_of(&error))
}

#[tokio::test]
async fn reading_survives_what_passes_and_types_what_does_not() {
    let busy = Duration::from_millis(10);
    let good = || Ok(vec!["complete"; 3]);
    let item = |code: &str| FaultKind::ItemError {
        index: 1,
        code: code.into(),
    };
    for (kind, expected) in [
        (FaultKind::ServerBusyInside { back_off: busy }, good()),
        (
            FaultKind::SoapFault {
                code: "ErrorMailboxMoveInProgress".into(),
            },
            good(),
        ),
        (FaultKind::LoseReply, good()),
        (FaultKind::DropBefore, good()),
        (FaultKind::TruncateBody(300), good()),
        (FaultKind::WrongNamespace, Err("ews.not_soap")),
        (FaultKind::DoctypeBody, Err("ews.xml_forbidden")),
        (FaultKind::NestedElements(100_000), Err("ews.not_soap")),
        (FaultKind::HtmlPage, Err("ews.not_soap")),
        (
            FaultKind::RedirectTo("https://elsewhere.example.com/".into()),
            Err("http.redirect"),
        ),
        (FaultKind::Unauthorized, Err("http.unauthorized")),
        (
            item("ErrorItemNotFound"),
            Ok(vec!["complete", "gone", "complete"]),
        ),
        (item("ErrorServerBusy"), good()),
        (
            item("ErrorOfTomorrow"),
            Ok(vec!["complete", "ews.unknown_code", "complete"]),
        ),
        (
            item("ErrorMimeContentConversionFailed"),
            Ok(vec!["complete", "ews.item_damaged", "complete"]),
        ),
        (FaultKind::BatchStopped { after: 1 }, good()),
        (FaultKind::MissingAnswers(2), good()),
        (FaultKind::MissingAnswers(3), good()),
        (FaultKind::IllegalCharacterReference, good()),
        (FaultKind::TextAfterEnvelope, good()),
        (FaultKind::InvalidUtf8, good()),
        (FaultKind::UnknownElements, good()),
        (FaultKind::MissingHeader, good()),
        (FaultKind::OtherPrefixes, good()),
        (FaultKind::Status(500), good()),
        (FaultKind::OversizeBody(1 << 20), good()),
    ] {
        let name = format!("{kind:?}");
        assert_eq!(fetched_under(kind).await, expected, "{name}");
    }
}

async fn moved_under(kind: FaultKind) -> (Result<Vec<String>, &'static str>, u64, (usize, usize)) {
    let exchange = exchange().start().await.unwrap();
    exchange.deliver(QUEUE, mail(0, 100)).unwrap();
    exchange.deliver(QUEUE, mail(1, 100)).unwrap();
    let source = source(&exchange);
    let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
    let items = all(&source, &queue).await;
    exchange.inject(Fault::new(kind).on(Operation::MoveItem).at_call(1));
    let result = source.move_to(&queue, &ids(&items), &storage).await;
    let result = result.map(|moved| {
        let texts = moves(&moved).into_iter();
        texts
            .map(|text| {
                if text.starts_with("done ") {
                    "done id".into()
                } else {
                    text
                }
            })
            .collect()
    });
    let sought: Vec<Sought> = items
        .iter()
        .map(|row| row.key.clone().unwrap().into())
        .collect();
    let found = source.locate(&storage, &sought).await.unwrap();
    let found = found.iter().filter(|copies| !copies.is_empty()).count();
    let calls = exchange.statistics().calls(Operation::MoveItem);
    (
        result.map_err(|error| code_of(&error)),
        calls,
        (exchange.count(QUEUE).unwrap(), found),
    )
}

#[tokio::test]
async fn a_move_is_asked_for_once_unless_it_was_refused() {
    let both = || Ok(vec!["done id".to_owned(); 2]);
    let item = |code: &str| FaultKind::ItemError {
        index: 1,
        code: code.into(),
    };
    let one = |text: &str| Ok(vec!["done id".to_owned(), text.to_owned()]);
    for (kind, expected, calls, places) in [
        (FaultKind::LoseReply, Err("http.closed"), 1, (0, 2)),
        (FaultKind::DropBefore, Err("http.closed"), 1, (2, 0)),
        (FaultKind::TruncateBody(200), Err("http.closed"), 1, (0, 2)),
        (
            FaultKind::Http {
                status: 502,
                retry_after: None,
            },
            Err("http.unavailable"),
            1,
            (2, 0),
        ),
        (
            FaultKind::Http {
                status: 429,
                retry_after: Some(Duration::ZERO),
            },
            both(),
            2,
            (0, 2),
        ),
        (
            FaultKind::MissingAnswers(1),
            Err("ews.answers_missing"),
            1,
            (1, 1),
        ),
        (
            FaultKind::MoveWithoutNewId,
            Ok(vec!["done".to_owned(); 2]),
            1,
            (0, 2),
        ),
        (FaultKind::MoveLeavesOriginal, both(), 1, (2, 2)),
        (FaultKind::BatchStopped { after: 1 }, both(), 2, (0, 2)),
        (
            item("ErrorMoveCopyFailed"),
            one("ews.move_failed"),
            1,
            (1, 1),
        ),
        (item("ErrorItemNotFound"), one("gone"), 1, (1, 1)),
        (item("ErrorCrossMailboxMoveCopy"), both(), 1, (0, 2)),
        (FaultKind::TextAfterEnvelope, both(), 1, (0, 2)),
        (FaultKind::Status(500), both(), 1, (0, 2)),
    ] {
        let name = format!("{kind:?}");
        assert_eq!(moved_under(kind).await, (expected, calls, places), "{name}");
    }
}

#[tokio::test]
async fn a_busy_server_is_left_alone_as_long_as_it_wants() {
    let exchange = exchange().start().await.unwrap();
    exchange.deliver(QUEUE, mail(0, 100)).unwrap();
    let source = EwsSource::builder(exchange.url())
        .with_basic(account())
        .dangerously_allow_plain_http_on_loopback()
        .build()
        .unwrap();
    let queue = open(&source, QUEUE).await;
    let back_off = Duration::from_millis(300);
    exchange.inject(
        Fault::new(FaultKind::ServerBusy { back_off })
            .on(Operation::FindItem)
            .at_call(1),
    );
    let items = all(&source, &queue).await;
    source
        .fetch(&queue, &items, &mut Collect::default())
        .await
        .unwrap();
    let statistics = exchange.statistics();
    assert_eq!((items.len(), statistics.calls(Operation::FindItem)), (1, 2));
    assert_eq!(statistics.back_off_violations, 0);
}

#[tokio::test]
async fn listing_faults_come_to_an_end() {
    for (kind, count) in [
        (FaultKind::DuplicateItems, 2),
        (FaultKind::EndlessPaging, 2),
    ] {
        let exchange = exchange().start().await.unwrap();
        exchange.deliver(QUEUE, mail(0, 1)).unwrap();
        exchange.deliver(QUEUE, mail(1, 1)).unwrap();
        let source = source(&exchange);
        let queue = open(&source, QUEUE).await;
        exchange.inject(Fault::new(kind).on(Operation::FindItem).always());
        assert_eq!(all(&source, &queue).await.len(), count);
        let past = source.list(&queue, ListRequest::new(2, 10)).await.unwrap();
        assert!(past.items.is_empty() && past.complete);
    }
}

#[tokio::test]
async fn exchange_addresses_are_resolved_through_the_directory() {
    let exchange = exchange().start().await.unwrap();
    let dn = "/o=Corp/ou=Group/cn=Recipients/cn=b";
    exchange.add_directory_entry(Some(dn), "b.real@example.com", "B");
    let delivery = Delivery::new(mail(0, 1)).with_ex_address("b@example.com", dn);
    exchange.deliver_with(QUEUE, delivery).unwrap();
    let source = source(&exchange);
    let queue = open(&source, QUEUE).await;
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    let to = &sink.facts[0].to[0];
    assert_eq!(
        (to.address.as_deref(), to.exchange),
        (Some("b.real@example.com"), false)
    );
}

#[tokio::test]
async fn folders_are_created_and_listed() {
    let exchange = exchange().start().await.unwrap();
    let source = source(&exchange);
    let path: FolderPath = r"\Email Logging\Done\2026\".parse().unwrap();
    let created = source.create(&path).await.unwrap();
    assert_eq!(
        open(&source, r"\Email Logging\Done\2026\").await.id,
        created.id
    );
    assert_eq!(source.create(&path).await.unwrap().id, created.id);
    let parent: FolderPath = r"\Email Logging\".parse().unwrap();
    let page = source
        .children(&parent.into(), ListRequest::new(0, 100))
        .await
        .unwrap();
    let mut names: Vec<_> = page.folders.iter().filter_map(|f| f.name.clone()).collect();
    names.sort();
    assert_eq!(names, ["Done", "Queue", "Storage"]);
    assert!(page.complete);
}

#[tokio::test]
async fn calls_about_public_folders_are_routed_to_where_their_data_is() {
    let exchange = exchange()
        .with_routing_enforced("example.com")
        .start()
        .await
        .unwrap();
    exchange.deliver(QUEUE, mail(0, 10)).unwrap();
    let (tree, content) = (
        exchange.hierarchy_address(),
        exchange.content_address(QUEUE).unwrap(),
    );
    assert_ne!(tree, content);
    let (source, _) = source_at(&exchange.url(), |builder| {
        builder
            .with_anchor_mailbox("svc@example.com")
            .with_public_folder_mailbox(tree)
            .with_public_folder_content_mailbox(content)
    });
    let (queue, storage) = (open(&source, QUEUE).await, open(&source, STORAGE).await);
    let items = all(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    assert!(matches!(sink.got[..], [(0, Got::Complete(..))]));
    let moved = source
        .move_to(&queue, &ids(&items), &storage)
        .await
        .unwrap();
    assert!(moves(&moved)[0].starts_with("done "));
    assert_eq!(exchange.count(STORAGE).unwrap(), 1);
}
