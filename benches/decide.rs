//! Decisions per second, with 10,000 contacts in a directory in memory.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use email_logging::decision::{LoggingPolicy, decide};
use email_logging::directory::{ContactRecord, MemoryDirectory, SalespersonRecord};
use email_logging::message::{Address, ContentIdentity, FastKey, Mailbox, Message, OriginalDigest};
use email_logging::parties::{ContactKind, Parties};

const CONTACTS: usize = 10_000;

fn directory() -> MemoryDirectory {
    let directory = MemoryDirectory::new();
    for number in 0..20 {
        let email = format!("s{number}@own.example");
        directory.upsert_salesperson(SalespersonRecord::new(
            &*format!("S{number}"),
            "Seller",
            email,
        ));
    }
    for number in 0..CONTACTS {
        let record = ContactRecord::new(&*format!("C{number:05}"), "Contact", ContactKind::Person)
            .with_email(format!("c{number}@customer{}.example", number % 500))
            .with_email2(format!("second{number}@customer.example"));
        directory.upsert_contact(record);
    }
    directory
}

fn mailbox(text: &str) -> Mailbox {
    Mailbox::smtp(Address::parse(text).unwrap())
}

/// A mail of a salesperson to contacts that lie apart in the directory.
fn mail(number: usize, recipients: usize) -> Message {
    let mut message = Message::new(ContentIdentity {
        fast_key: FastKey::from_bytes([1; 32]),
        original_digest: OriginalDigest::from_bytes([2; 32]),
        size: 30_000,
    });
    message.from = vec![mailbox(&format!("s{}@own.example", number % 20))];
    for recipient in 0..recipients {
        let contact = (number * 7919 + recipient * 104_729) % CONTACTS;
        let text = format!("c{contact}@customer{}.example", contact % 500);
        message.to.push(mailbox(&text));
    }
    message
}

fn answers(directory: &MemoryDirectory, message: &Message) -> Parties {
    let addresses = message.addresses();
    let answers = addresses
        .iter()
        .map(|address| directory.parties(address))
        .collect();
    Parties::from_answers(&addresses, answers)
}

fn bench(criterion: &mut Criterion) {
    let (directory, mut policy) = (directory(), LoggingPolicy::default());
    policy.own_domains.insert("own.example".into());
    let mut group = criterion.benchmark_group("decide");
    group.throughput(Throughput::Elements(1));
    for recipients in [1, 3, 50] {
        let message = mail(17, recipients);
        let parties = answers(&directory, &message);
        group.bench_function(format!("{recipients} recipients"), |bencher| {
            bencher.iter(|| decide(black_box(&message), black_box(&parties), &policy, &[]));
        });
        group.bench_function(
            format!("resolve and decide {recipients} recipients"),
            |bencher| {
                bencher.iter(|| {
                    let parties = answers(&directory, black_box(&message));
                    decide(&message, &parties, &policy, &[])
                });
            },
        );
    }
    group.finish();
    criterion.bench_function("fingerprint of the policy", |bencher| {
        bencher.iter(|| black_box(&policy).fingerprint());
    });
}

criterion_group!(benches, bench);
criterion_main!(benches);
