//! Pull notifications of Exchange.

use std::sync::Arc;
use std::time::Duration;

use email_logging::source::ews::{EwsSource, EwsWakeup};
use email_logging::source::{FolderId, FolderPath, FolderSelector, MailSource as _, Wakeup as _};
use email_logging::testkit::exchange::{Fault, FaultKind, Operation, SimulatedExchange};
use tokio::time::timeout;
use wiremock::MockServer;

use crate::support::{TestClock, answer, failed, fine, response, source_at, source_with};

const INBOX: &str = r"q@example.com\Inbox";

async fn exchange() -> SimulatedExchange {
    SimulatedExchange::builder()
        .with_user("svc@example.com", "canary-secret")
        .with_mailbox("q@example.com")
        .with_public_folder(r"\Queue\")
        .with_recording(true)
        .start()
        .await
        .unwrap()
}

fn path(text: &str) -> FolderPath {
    text.parse().unwrap()
}

fn wakeup(exchange: &SimulatedExchange) -> (EwsSource, EwsWakeup, Arc<TestClock>) {
    let (source, clock) = source_at(&exchange.url(), |builder| {
        builder.with_mailbox("q@example.com").with_repeats(0)
    });
    let wakeup = source.wakeup(path("inbox:")).unwrap();
    (source, wakeup, clock)
}

const MAIL: &str = "From: a@example.com\r\nTo: b@example.com\r\nSubject: S\r\n\r\nHello.\r\n";

/// Waits for a hint that has to come.
async fn hint(wakeup: &EwsWakeup) {
    timeout(Duration::from_mins(1), wakeup.wait())
        .await
        .expect("a hint");
}

/// Polls until the operation was called so often; no hint may come before.
async fn no_hint(exchange: &SimulatedExchange, wakeup: &EwsWakeup, calls: usize) {
    let called = async {
        while count(exchange, Operation::GetEvents) < calls {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        () = called => {}
        () = wakeup.wait() => panic!("a hint that nobody gave"),
    }
}

fn count(exchange: &SimulatedExchange, operation: Operation) -> usize {
    let calls = exchange.recorded();
    calls
        .iter()
        .filter(|call| call.operation == Some(operation))
        .count()
}

#[tokio::test]
async fn mail_that_arrives_is_a_hint_and_silence_is_none() {
    let exchange = exchange().await;
    let (_, wakeup, clock) = wakeup(&exchange);
    hint(&wakeup).await;
    assert_eq!(exchange.subscriptions(), 1);
    no_hint(&exchange, &wakeup, 3).await;
    let own = Duration::from_secs(20);
    assert!(
        clock
            .waits()
            .iter()
            .all(|wait| [Duration::ZERO, own].contains(wait))
    );
    exchange.deliver(INBOX, MAIL).unwrap();
    hint(&wakeup).await;
    let seen = count(&exchange, Operation::GetEvents);
    no_hint(&exchange, &wakeup, seen + 3).await;
    // Nobody but the folder counts, and what moves into it does.
    let elsewhere = exchange.deliver(r"\Queue\", MAIL).unwrap();
    let seen = count(&exchange, Operation::GetEvents);
    no_hint(&exchange, &wakeup, seen + 3).await;
    exchange.move_item(&elsewhere, INBOX).unwrap();
    hint(&wakeup).await;
    assert_eq!(count(&exchange, Operation::Subscribe), 1);
}

#[tokio::test]
async fn a_subscription_that_is_lost_is_made_again_and_that_is_a_hint() {
    let exchange = exchange().await;
    let (_, wakeup, _) = wakeup(&exchange);
    hint(&wakeup).await;
    exchange.lose_subscriptions();
    hint(&wakeup).await;
    let mut made = 2;
    for code in [
        "ErrorExpiredSubscription",
        "ErrorInvalidWatermark",
        "ErrorSubscriptionNotFound",
        "ErrorMissedNotificationEvents",
        "ErrorSubscriptionUnsubscribed",
        "ErrorInvalidPullSubscriptionId",
        "ErrorProxiedSubscriptionCallFailure",
    ] {
        let code = code.to_owned();
        let fault = FaultKind::ItemError { index: 0, code };
        exchange.inject(Fault::new(fault).on(Operation::GetEvents));
        hint(&wakeup).await;
        made += 1;
        assert_eq!(count(&exchange, Operation::Subscribe), made);
    }
}

#[tokio::test]
async fn failures_are_waited_out_longer_each_time_and_as_long_as_the_server_asks() {
    let exchange = exchange().await;
    let (_, wakeup, clock) = wakeup(&exchange);
    hint(&wakeup).await;
    let before = clock.waits().len();
    let faults = [
        FaultKind::LoseReply,
        FaultKind::TruncateBody(200),
        FaultKind::HtmlPage,
        FaultKind::ItemError {
            index: 0,
            code: "ErrorInternalServerError".into(),
        },
        FaultKind::ItemError {
            index: 0,
            code: "ErrorSomethingNew".into(),
        },
        FaultKind::MissingAnswers(1),
    ];
    for (at, fault) in faults.into_iter().enumerate() {
        let fault = Fault::new(fault).on(Operation::GetEvents);
        exchange.inject(fault.at_call(at as u64 + 1));
    }
    exchange.deliver(INBOX, MAIL).unwrap();
    hint(&wakeup).await;
    assert_eq!(exchange.faults_pending(), 0);
    assert_eq!(count(&exchange, Operation::Subscribe), 1);
    let waits = clock.waits().split_off(before);
    let longer: Vec<_> = waits
        .iter()
        .map(Duration::as_secs)
        .filter(|wait| *wait > 20)
        .collect();
    assert!(longer.is_sorted() && !longer.is_empty(), "{waits:?}");
    assert!(waits.iter().all(|wait| wait.as_secs() <= 600), "{waits:?}");
}

#[tokio::test]
async fn a_public_folder_is_refused_before_anything_is_sent() {
    let exchange = exchange().await;
    let (source, ..) = wakeup(&exchange);
    let error = source.wakeup(path(r"\Queue\")).unwrap_err();
    assert_eq!(error.code(), "source.unsupported");
    assert_eq!(exchange.recorded().len(), 0);
}

#[tokio::test]
async fn a_server_that_has_no_notifications_gives_no_hints_and_says_why() {
    for code in [
        "ErrorInvalidSubscription",
        "ErrorInvalidSubscriptionRequest",
        "ErrorSubscriptionAccessDenied",
        "ErrorSubscriptionDelegateAccessNotSupported",
        "ErrorSubscriptionsDisabledForGroup",
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "Subscribe",
            response("Subscribe", &[failed(code)]),
            1,
        )
        .await;
        let (source, _) = source_with(&server, |builder| builder);
        let id = FolderSelector::Id(FolderId::new("F"), None);
        let wakeup = source.wakeup(id).unwrap();
        assert!(wakeup.refusal().is_none());
        let refused = async {
            while wakeup.refusal().is_none() {
                tokio::task::yield_now().await;
            }
            // It is not asked again.
            for _ in 0..50 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = refused => {}
            () = wakeup.wait() => panic!("a hint"),
        }
        assert_eq!(
            wakeup.refusal().unwrap().code(),
            "source.unsupported",
            "{code}"
        );
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn an_answer_without_a_subscription_is_a_failure_and_not_a_hint() {
    let server = MockServer::start().await;
    let empty = response(
        "Subscribe",
        &[fine("<m:SubscriptionId></m:SubscriptionId>")],
    );
    answer(&server, "Subscribe", empty, 1).await;
    let full = fine("<m:SubscriptionId>S</m:SubscriptionId><m:Watermark>W</m:Watermark>");
    answer(&server, "Subscribe", response("Subscribe", &[full]), 1).await;
    let (source, clock) = source_with(&server, |builder| builder);
    let id = FolderSelector::Id(FolderId::new("F"), None);
    let wakeup = source.wakeup(id).unwrap();
    hint(&wakeup).await;
    assert!(clock.waits().contains(&Duration::from_secs(20)));
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_wait_that_is_dropped_costs_no_second_subscription() {
    let exchange = exchange().await;
    let (_, wakeup, _) = wakeup(&exchange);
    hint(&wakeup).await;
    for calls in 1..4 {
        no_hint(&exchange, &wakeup, calls).await;
    }
    assert_eq!(exchange.subscriptions(), 1);
    wakeup.unsubscribe().await.unwrap();
    assert_eq!(exchange.subscriptions(), 0);
    wakeup.unsubscribe().await.unwrap();
    assert_eq!(count(&exchange, Operation::Unsubscribe), 1);
}

#[tokio::test]
async fn a_folder_by_its_id_gives_hints_too() {
    let exchange = exchange().await;
    let (source, ..) = wakeup(&exchange);
    let folder = source.open_folder(&path("inbox:").into()).await.unwrap();
    let id = FolderSelector::Id(folder.id, None);
    let wakeup = source.wakeup(id).unwrap();
    hint(&wakeup).await;
    exchange.deliver(INBOX, MAIL).unwrap();
    hint(&wakeup).await;
}
