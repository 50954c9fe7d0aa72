//! All calls of a job over NTLM, and how few sign-ins they take.

use email_logging::source::{ItemRef, MailSource};
use email_logging::testkit::exchange::{AuthScheme, Fault, FaultKind, Operation};

use crate::parts::{
    Counted, PASSWORD, QUEUE, STORAGE, USER, exchange, list, mail, open, protected, source,
};
use crate::support::{Collect, Got, code_of};

#[tokio::test]
async fn a_job_runs_over_one_connection_that_was_signed_in_once() {
    let exchange = protected().with_chunk_size(700).start().await.unwrap();
    for number in 0..5 {
        exchange.deliver(QUEUE, mail(number)).unwrap();
    }
    let account = Counted::new(USER, PASSWORD);
    let source = source(&exchange, &account);
    let queue = open(&source, QUEUE).await.unwrap();
    let storage = open(&source, STORAGE).await.unwrap();
    let items = list(&source, &queue).await;
    let mut sink = Collect::default();
    source.fetch(&queue, &items, &mut sink).await.unwrap();
    for (number, got) in sink.got.iter().enumerate() {
        let expected = Got::Complete(mail(number), Some(format!("Mail {number}")));
        assert_eq!(*got, (number, expected));
    }
    let ids: Vec<ItemRef> = items.iter().map(|row| row.item.clone()).collect();
    source.move_to(&queue, &ids, &storage).await.unwrap();
    assert_eq!(exchange.count(QUEUE).unwrap(), 0);
    assert_eq!(exchange.count(STORAGE).unwrap(), 5);
    let seen = exchange.statistics();
    // The request that reads the offer, and the first message of the only sign-in.
    assert_eq!((seen.connections, seen.unauthorized), (2, 2));
    assert_eq!(account.asked(), 1);
    exchange.shutdown().await;
}

#[tokio::test]
async fn every_form_of_a_user_name_and_any_password_signs_in() {
    for (name, password) in [
        (r"CORP\svc", "secret"),
        (r"corp\Jürgen", "pässwörd €😀"),
        ("svc@corp.example", "secret"),
        ("svc", ""),
    ] {
        for scheme in [AuthScheme::Ntlm, AuthScheme::Negotiate] {
            let exchange = protected()
                .with_user(name, password)
                .with_auth_schemes([scheme])
                .start()
                .await
                .unwrap();
            let source = source(&exchange, &Counted::new(name, password));
            assert!(open(&source, QUEUE).await.is_ok(), "{name} {scheme:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once() {
    let exchange = protected().start().await.unwrap();
    for (user, password) in [(USER, "canary-secret2"), ("nobody@example.com", PASSWORD)] {
        let before = exchange.statistics();
        let account = Counted::new(user, password);
        let error = open(&source(&exchange, &account), QUEUE).await.unwrap_err();
        assert_eq!(code_of(&error), "http.unauthorized");
        let detail = Some("the server offers Negotiate, NTLM");
        assert_eq!(error.detail(), detail);
        let after = exchange.statistics();
        assert_eq!(after.unauthorized - before.unauthorized, 3);
        assert_eq!(after.requests - before.requests, 3);
        assert_eq!(account.asked(), 1);
    }
}

#[tokio::test]
async fn calls_at_the_same_time_have_a_connection_each_and_keep_it() {
    let exchange = protected().start().await.unwrap();
    let account = Counted::new(USER, PASSWORD);
    let source = source(&exchange, &account);
    let queue = open(&source, QUEUE).await.unwrap();
    for _ in 0..3 {
        let lists = [(); 4].map(|()| list(&source, &queue));
        futures_util::future::join_all(lists).await;
    }
    let seen = exchange.statistics();
    assert_eq!(seen.unauthorized, seen.connections);
    assert!(seen.connections <= 5, "{}", seen.connections);
    assert_eq!(account.asked() as u64, seen.connections - 1);
}

#[tokio::test]
async fn a_sign_in_that_the_server_ended_is_made_again() {
    let exchange = protected().start().await.unwrap();
    let account = Counted::new(USER, PASSWORD);
    let source = source(&exchange, &account);
    let queue = open(&source, QUEUE).await.unwrap();
    exchange.inject(
        Fault::new(FaultKind::Unauthorized)
            .on(Operation::FindItem)
            .at_call(1),
    );
    assert_eq!(list(&source, &queue).await.len(), 0);
    let seen = exchange.statistics();
    assert_eq!((seen.connections, seen.unauthorized), (3, 4));
    assert_eq!(account.asked(), 2);
}

#[tokio::test]
async fn a_lost_answer_ends_its_connection() {
    let exchange = exchange().start().await.unwrap();
    let source = source(&exchange, &Counted::new(USER, PASSWORD));
    let queue = open(&source, QUEUE).await.unwrap();
    exchange.inject(
        Fault::new(FaultKind::LoseReply)
            .on(Operation::FindItem)
            .at_call(1),
    );
    let request = email_logging::source::ListRequest::new(0, 10);
    let error = source.list(&queue, request).await.unwrap_err();
    assert_eq!(code_of(&error), "http.closed");
    list(&source, &queue).await;
    assert_eq!(exchange.statistics().connections, 3);
}
