//! Whose word about a sender counts: from the headers of a mail to the decision.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "decision/common.rs"]
#[allow(dead_code)]
mod common;

use std::sync::Arc;

use common::{decided, default_policy, words, world};
use email_logging::decision::{Boundary, LoggingPolicy, Stage, TrustPolicy};
use email_logging::directory::MemoryDirectory;
use email_logging::message::Authenticity::{Failed, Internal, Passed, Unknown};
use email_logging::message::{Authenticity, MailFacts, Message, MessageLimits};
use email_logging::source::{FolderPath, MemorySource};
use email_logging::store::MemoryStore;
use email_logging::{EmailLogger, Error};

const SOURCE: &str = "X-MS-Exchange-Organization-AuthSource";
const AUTH_AS: &str = "X-MS-Exchange-Organization-AuthAs";
const ONLINE: &str = "VI1EUR04FT046.eop-eur04.prod.protection.outlook.com";

/// A salesperson's mail to a contact with these headers above its own.
fn mail(headers: &str) -> Message {
    let own = "From: s1@own.example\r\nTo: c1@customer.example\r\nDate: Mon, 27 Apr 2026 10:00:00 +0000\r\nMessage-ID: <a@b>\r\nSubject: s\r\n\r\nx";
    let original = format!("{headers}{own}");
    Message::read(
        original.as_bytes(),
        &MailFacts::default(),
        &MessageLimits::default(),
    )
    .unwrap()
}

fn policy(boundary: Option<Boundary>, internal: &[&str]) -> LoggingPolicy {
    let mut trust = TrustPolicy::default();
    trust.boundary = boundary;
    trust.internal_sources = internal.iter().map(|host| (*host).to_owned()).collect();
    let mut policy = default_policy();
    policy.trust = trust;
    policy
}

fn nobody() -> LoggingPolicy {
    policy(None, &[])
}

fn edge() -> LoggingPolicy {
    policy(
        Some(Boundary::AuthservId("MX.own.example".to_owned())),
        &["ex01.own.example"],
    )
}

fn online() -> LoggingPolicy {
    policy(Some(Boundary::ExchangeOnline), &[".prod.outlook.com"])
}

fn stamped(auth_as: &str, source: &str) -> String {
    format!("{SOURCE}: {source}\r\n{AUTH_AS}: {auth_as}\r\n")
}

fn results(value: &str) -> String {
    format!("Authentication-Results: {value}\r\n")
}

type Row = (&'static str, LoggingPolicy, String, Authenticity);

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let from_online = || stamped("Anonymous", ONLINE);
    let fail = "mx.own.example; dmarc=fail header.from=own.example";
    let pass = "mx.own.example; dmarc=pass header.from=own.example";
    vec![
        ("no boundary, no header", nobody(), String::new(), Unknown),
        ("no boundary, a failure", nobody(), results(fail), Unknown),
        ("no boundary, internal", nobody(), stamped("Internal", "ex01.own.example"), Unknown),
        ("on premises without a header", edge(), String::new(), Unknown),
        ("on premises, internal", edge(), stamped("Internal", "EX01.own.example"), Internal),
        ("on premises, internal of another server", edge(), stamped("Internal", "ex01.evil.example"), Unknown),
        ("on premises, internal without a source", edge(), format!("{AUTH_AS}: Internal\r\n"), Unknown),
        ("on premises, anonymous", edge(), stamped("Anonymous", "ex01.own.example"), Unknown),
        ("two sources, one of them forged", edge(), stamped("Internal", "ex01.own.example") + SOURCE + ": x.example\r\n", Unknown),
        ("two claims, one of them forged", edge(), stamped("Anonymous", "ex01.own.example") + AUTH_AS + ": Internal\r\n", Unknown),
        ("a name that ends like the server", edge(), stamped("Internal", "evil-ex01.own.example"), Unknown),
        ("with authserv-id, passed", edge(), results(pass), Passed),
        ("with authserv-id, failed", edge(), results(fail), Failed),
        ("SPF and DKIM alone failed", edge(), results("mx.own.example; spf=fail; dkim=fail"), Unknown),
        ("SPF and DKIM alone passed", edge(), results("mx.own.example; spf=pass; dkim=pass"), Unknown),
        ("DMARC found no policy", edge(), results("mx.own.example; dmarc=none"), Unknown),
        ("a forged pass below the failure", edge(), results(fail) + &results(pass), Failed),
        ("a forged failure below the pass", edge(), results(pass) + &results(fail), Passed),
        ("a stranger's field above", edge(), results("mx.evil.example; dmarc=pass") + &results(fail), Failed),
        ("a stranger's field alone", edge(), results("mx.evil.example; dmarc=fail"), Unknown),
        ("the id within a stranger's id", edge(), results("mx.own.example.evil.example; dmarc=fail"), Unknown),
        ("a failure in a comment", edge(), results("mx.own.example; dmarc=pass (dmarc=fail; dmarc=fail)"), Passed),
        ("a failure in a quoted string", edge(), results("mx.own.example; dmarc=pass reason=\"; dmarc=fail\""), Passed),
        ("folded", edge(), results("\r\n mx.own.example\r\n (edge) 1;\r\n\tdmarc\r\n = fail\r\n (p=reject)"), Failed),
        ("an id that is not the boundary's, first field a result", edge(), results("dmarc=fail"), Unknown),
        ("online, passed", online(), from_online() + &results("spf=pass; dkim=pass; dmarc=pass action=none;compauth=pass reason=100"), Passed),
        ("online, DMARC failed", online(), from_online() + &results("spf=fail; dmarc=fail action=oreject;compauth=pass"), Failed),
        ("online, composite failed", online(), from_online() + &results("spf=none; dmarc=none;compauth=fail reason=001"), Failed),
        ("online, composite passed", online(), from_online() + &results("dmarc=none;compauth=pass reason=100"), Passed),
        ("online, composite soft", online(), from_online() + &results("dmarc=none;compauth=softpass"), Unknown),
        ("online, a field with an id above", online(), results("mx.evil.example; dmarc=pass") + &from_online() + &results("dmarc=fail"), Failed),
        ("online, a forged field below", online(), from_online() + &results("dmarc=fail") + &results("dmarc=pass"), Failed),
        ("online, but Exchange Online never saw it", online(), results("dmarc=fail"), Unknown),
        ("online, a source of somebody else", online(), stamped("Anonymous", "x.outlook.com.evil.example") + &results("dmarc=fail"), Unknown),
        ("online, internal", online(), stamped("Internal", "AM6PR04MB1.eurprd04.prod.outlook.com"), Internal),
        ("online, internal though DMARC failed", online(), stamped("Internal", "AM6PR04MB1.eurprd04.prod.outlook.com") + &results("dmarc=fail"), Internal),
        ("online, named by an id", policy(Some(Boundary::AuthservId("own.onmicrosoft.example".to_owned())), &[]), from_online() + &results("own.onmicrosoft.example; dmarc=fail"), Failed),
    ]
}

#[test]
fn only_what_the_boundary_stamped_counts() {
    for (name, policy, headers, expected) in rows() {
        let message = mail(&headers);
        let verdict = policy.trust_verdict(&message);
        assert_eq!(verdict.authenticity, expected, "{name}");
        let outbound = words(&decided(&message, &world(), &policy));
        let wanted = if expected == Failed {
            "not-matched sender-not-authentic"
        } else {
            "out C1/S1"
        };
        assert_eq!(outbound, wanted, "{name}");
    }
}

#[test]
fn an_unknown_sender_is_logged_and_flagged() {
    let decision = decided(&mail(""), &world(), &edge());
    assert_eq!(words(&decision), "out C1/S1");
    let flags: Vec<_> = decision.entries.iter().flat_map(|e| &e.flags).collect();
    assert_eq!(flags, ["authenticity-unknown"]);
}

#[test]
fn the_trace_names_the_field_and_the_verdict_without_content() {
    let headers = format!(
        "Received: x\r\n{}{}",
        results("mx.evil.example; dmarc=pass"),
        results("mx.own.example; dmarc=fail header.from=secret.example")
    );
    let decision = decided(&mail(&headers), &world(), &edge());
    let step = decision
        .steps
        .iter()
        .find(|step| step.stage == Stage::Authenticity)
        .unwrap();
    assert_eq!(step.rule, "authenticity.failed");
    assert!(
        step.detail.ends_with("Header field 2 says dmarc=fail."),
        "{}",
        step.detail
    );
    assert!(!step.detail.contains("secret"));
}

#[test]
fn a_verdict_of_the_host_stands() {
    let mut message = mail(&results("mx.own.example; dmarc=fail"));
    message.authenticity = Passed;
    assert_eq!(edge().trust_verdict(&message).authenticity, Passed);
}

#[test]
fn the_fingerprint_tells_trust_apart() {
    let mut all: Vec<String> = [
        nobody(),
        edge(),
        online(),
        policy(Some(Boundary::ExchangeOnline), &[]),
    ]
    .iter()
    .map(LoggingPolicy::fingerprint)
    .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 4);
}

#[test]
fn stamps_beyond_the_limit_are_not_kept() {
    let message = mail(&results("mx.own.example; dmarc=fail").repeat(500));
    assert_eq!(message.stamps.len(), 64);
}

fn built(policy: &LoggingPolicy) -> Result<EmailLogger, Error> {
    EmailLogger::builder()
        .with_source(Arc::new(MemorySource::new()))
        .with_directory(Arc::new(MemoryDirectory::new()))
        .with_store(Arc::new(MemoryStore::new()))
        .with_queue_folder(r"\Queue\".parse::<FolderPath>().unwrap())
        .with_storage_folder(r"\Storage\".parse::<FolderPath>().unwrap())
        .with_policy(policy.clone())
        .build()
}

#[test]
fn a_boundary_that_cannot_be_one_is_refused_and_the_mistake_is_named() {
    let id = "the authserv-id of the trusted boundary is empty or holds white space";
    let source = "a trusted internal source is no host name in lower case";
    let refused = [
        (policy(Some(Boundary::AuthservId(String::new())), &[]), id),
        (
            policy(Some(Boundary::AuthservId("mx own".to_owned())), &[]),
            id,
        ),
        (policy(None, &["EX01.own.example"]), source),
        (policy(None, &["ex01.own.example", "."]), source),
        (policy(None, &["ex01 own"]), source),
    ];
    for (policy, mistake) in refused {
        let error = built(&policy).unwrap_err();
        assert_eq!(error.code(), "config.invalid", "{:?}", policy.trust);
        assert_eq!(error.detail(), Some(mistake), "{:?}", policy.trust);
    }
}

#[test]
fn a_boundary_that_can_be_one_is_taken() {
    for policy in [nobody(), edge(), online()] {
        built(&policy).unwrap();
    }
}

#[cfg(feature = "serde")]
#[test]
fn the_boundary_is_read_from_settings() {
    let rows = [
        ("{}", nobody()),
        (
            r#"{"boundary": "exchange-online"}"#,
            policy(Some(Boundary::ExchangeOnline), &[]),
        ),
        (
            r#"{"boundary": {"authserv-id": "mx.own.example"}, "internal-sources": ["ex01.own.example"]}"#,
            policy(
                Some(Boundary::AuthservId("mx.own.example".to_owned())),
                &["ex01.own.example"],
            ),
        ),
    ];
    for (text, expected) in rows {
        let read: TrustPolicy = serde_json::from_str(text).unwrap();
        assert_eq!(read, expected.trust, "{text}");
    }
    serde_json::from_str::<TrustPolicy>(r#"{"boundry": null}"#).unwrap_err();
}
