//! The policy's fingerprint, and the trace as a whole.

use crate::common::{decided, default_policy, mail, rules, world};
use email_logging::decision::{
    Boundary, ClassAction, InternalMail, LoggingPolicy, MoveFallback, Ranking, RepeatedRecipients,
    Stage, Unmatched,
};
use email_logging::message::{ItemClass, Sensitivity};
use email_logging::parties::MatchedBy;

type Change = Box<dyn Fn(&mut LoggingPolicy)>;

#[test]
fn the_fingerprint_is_stable() {
    assert_eq!(LoggingPolicy::default().fingerprint(), "deb49bd80524362e");
    assert_eq!(
        LoggingPolicy::business_central().fingerprint(),
        "b68eadf9a776e770"
    );
    let mut renamed = LoggingPolicy::default();
    renamed.name = "ours".into();
    assert_eq!(
        renamed.fingerprint(),
        LoggingPolicy::default().fingerprint()
    );
}

fn never(policy: &mut LoggingPolicy, of: Option<&str>, rule: &str) {
    let of = of.map(Into::into);
    policy.never_log.add(of.as_ref(), rule.parse().unwrap());
}

#[test]
fn a_list_without_rules_changes_no_fingerprint() {
    let mut policy = LoggingPolicy::default();
    policy.never_log.salespeople.insert("S1".into(), [].into());
    assert_eq!(policy.fingerprint(), LoggingPolicy::default().fingerprint());
}

#[test]
fn the_fingerprint_changes_with_every_rule() {
    let log_against = |contact: &str| Unmatched::LogAgainst {
        contact: Some(contact.into()),
        salesperson: None,
    };
    let changes: Vec<Change> = vec![
        Box::new(|_| {}),
        Box::new(|p| p.cc = false),
        Box::new(|p| p.bcc = false),
        Box::new(|p| p.repeated_recipients = RepeatedRecipients::EachTime),
        Box::new(|p| p.own_copies = true),
        Box::new(|p| p.match_fields = [MatchedBy::Email].into()),
        Box::new(|p| p.ranking = Ranking::LowestNumber),
        Box::new(|p| p.longest_address = 80),
        Box::new(|p| p.inactive_salespeople = false),
        Box::new(|p| p.privacy_blocked_contacts = false),
        Box::new(|p| p.own_domains = ["a.example".into()].into()),
        Box::new(|p| p.own_domains = ["b.example".into()].into()),
        Box::new(|p| p.internal = InternalMail::Match),
        Box::new(|p| p.excluded_sensitivities = [Sensitivity::Private].into()),
        Box::new(|p| p.classes.clear()),
        Box::new(|p| {
            p.classes.insert(ItemClass::Post, ClassAction::Flag);
        }),
        Box::new(|p| p.automatic = ClassAction::Exclude),
        Box::new(|p| p.bulk = ClassAction::Exclude),
        Box::new(move |p| p.unmatched = log_against("C1")),
        Box::new(move |p| p.unmatched = log_against("C2")),
        Box::new(|p| p.unmatched = Unmatched::CreateContact),
        Box::new(|p| p.keep_unmatched_original = true),
        Box::new(|p| p.ambiguous_sender_quarantined = false),
        Box::new(|p| p.failed_senders_count = true),
        Box::new(|p| p.trust.boundary = Some(Boundary::ExchangeOnline)),
        Box::new(|p| {
            p.trust.boundary = Some(Boundary::AuthservId("mx.own.example".into()));
        }),
        Box::new(|p| p.trust.internal_sources = ["ex01.own.example".into()].into()),
        Box::new(|p| p.move_fallback = MoveFallback::Delete),
        Box::new(|p| p.delete_not_logged = true),
        Box::new(|p| never(p, None, "a.example")),
        Box::new(|p| never(p, None, "b.example")),
        Box::new(|p| never(p, Some("S1"), "a.example")),
        Box::new(|p| never(p, Some("S2"), "a.example")),
    ];
    let mut fingerprints: Vec<String> = changes
        .iter()
        .map(|change| {
            let mut policy = LoggingPolicy::default();
            change(&mut policy);
            policy.fingerprint()
        })
        .collect();
    fingerprints.sort();
    fingerprints.dedup();
    assert_eq!(fingerprints.len(), changes.len());
}

#[test]
fn a_decision_names_its_policy() {
    let policy = default_policy();
    let decision = decided(
        &mail("s1@own.example", &["c1@customer.example"]),
        &world(),
        &policy,
    );
    assert_eq!(decision.policy, format!("default@{}", policy.fingerprint()));
}

#[test]
fn the_trace_tells_every_rule_in_order() {
    let message = mail(
        "s1@own.example",
        &["c1@customer.example", "nobody@else.example"],
    );
    let decision = decided(&message, &world(), &default_policy());
    let expected = [
        "class.logged",
        "sensitivity.logged",
        "sender.salesperson",
        "recipients.counted",
        "internal.no",
        "authenticity.unknown",
        "direction.outbound",
        "match.contact",
        "signals.none",
        "disposition.storage",
    ];
    assert_eq!(rules(&decision), expected);
    let stages: Vec<Stage> = decision.steps.iter().map(|step| step.stage).collect();
    assert!(stages.is_sorted());
    let words: Vec<&str> = decision.steps.iter().map(|step| &*step.detail).collect();
    assert_eq!(
        words[2],
        "The author, s1@own.example, belongs to a salesperson."
    );
    assert_eq!(words[6], "Outbound: salesperson S1 wrote it.");
    assert_eq!(
        words[7],
        "c1@customer.example is contact C1 (Name of C1), found by e-mail."
    );
}

#[test]
fn a_mail_to_thousands_makes_few_steps() {
    let mut message = mail("s1@own.example", &[]);
    let mut parties = world();
    for number in 0..2000 {
        let text = format!("x{number}@customer.example");
        parties = parties.with(
            crate::common::address(&text),
            crate::common::contact(&format!("X{number}")),
        );
        message.to.push(crate::common::mailbox(&text));
    }
    let decision = decided(&message, &parties, &default_policy());
    assert_eq!(decision.entries.len(), 2000);
    assert!(decision.steps.len() < 70);
    assert!(rules(&decision).contains(&"match.more"));
}

#[test]
fn a_policy_is_read_from_toml_and_unknown_rules_are_refused() {
    let text = r#"
        name = "ours"
        own-copies = true
        failed-senders-count = true
        ranking = "lowest-number"
        own-domains = ["own.example"]
        [classes]
        meeting-request = "flag"
        [unmatched.log-against]
        contact = "C1"
    "#;
    let policy: LoggingPolicy = toml::from_str(text).unwrap();
    let mut expected = default_policy();
    expected.name = "ours".into();
    expected.own_copies = true;
    expected.failed_senders_count = true;
    expected.ranking = Ranking::LowestNumber;
    expected.classes = [(ItemClass::MeetingRequest, ClassAction::Flag)].into();
    expected.unmatched = Unmatched::LogAgainst {
        contact: Some("C1".into()),
        salesperson: None,
    };
    assert_eq!(policy, expected);
    assert!(toml::from_str::<LoggingPolicy>("own-copy = true").is_err());
}
