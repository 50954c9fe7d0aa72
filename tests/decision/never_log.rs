//! Those who are never logged: left out of each mail, and named by no trace.

use crate::common::{address, decided, default_policy, mail, rules, words, world};
use email_logging::decision::{Keep, LoggingPolicy, NeverLog, NeverRule};

fn rule(text: &str) -> NeverRule {
    text.parse().unwrap()
}

/// Rules, each of a salesperson's list or of everybody's.
type Listed<'a> = &'a [(Option<&'a str>, &'a str)];

fn policy(rules: Listed<'_>) -> LoggingPolicy {
    let mut policy = default_policy();
    for (of, text) in rules {
        let of = of.map(Into::into);
        assert!(policy.never_log.add(of.as_ref(), rule(text)), "{text}");
    }
    policy
}

#[test]
fn who_is_listed_is_left_out_and_the_others_are_logged() {
    let out = (
        "s1@own.example",
        ["c1@customer.example", "c2@customer.example"],
    );
    let inward = ("c1@customer.example", ["s1@own.example", "s2@own.example"]);
    let rows: [(_, Listed, _, _); 8] = [
        (
            out,
            &[(None, "c1@customer.example")],
            "out C2/S1",
            Some("never-log.organisation-address"),
        ),
        (
            out,
            &[(Some("S1"), "c1@customer.example")],
            "out C2/S1",
            Some("never-log.salesperson-address"),
        ),
        (
            out,
            &[(Some("S2"), "c1@customer.example")],
            "out C1/S1 C2/S1",
            None,
        ),
        (
            out,
            &[(None, "c1*@customer.example")],
            "out C2/S1",
            Some("never-log.organisation-pattern"),
        ),
        (
            out,
            &[(None, "customer.example")],
            "excluded never-listed",
            Some("never-log.organisation-domain"),
        ),
        (
            out,
            &[(Some("S1"), "customer.example")],
            "excluded never-listed",
            Some("never-log.salesperson-domain"),
        ),
        (
            inward,
            &[(Some("S1"), "c1@customer.example")],
            "in C1/S2",
            Some("never-log.salesperson-address"),
        ),
        (
            inward,
            &[(None, "c1@customer.example")],
            "excluded never-listed",
            Some("never-log.organisation-address"),
        ),
    ];
    for ((from, to), listed, expected, told) in rows {
        let decision = decided(&mail(from, &to), &world(), &policy(listed));
        assert_eq!(words(&decision), expected, "{listed:?}");
        let named = rules(&decision);
        let mut told_of = named.iter().filter(|rule| rule.starts_with("never-log."));
        assert_eq!(told_of.next().copied(), told, "{listed:?}");
        if decision.entries.is_empty() {
            assert_eq!(decision.keep, Keep::Reason);
            assert!(named.contains(&"never-log.nobody-left"));
        }
    }
}

#[test]
fn mail_of_which_nobody_else_is_left_is_excluded_though_it_would_match_nobody() {
    let rows: [(&str, &[&str], &str); 5] = [
        (
            "s1@own.example",
            &["x@listed.example"],
            "excluded never-listed",
        ),
        (
            "s1@own.example",
            &["x@listed.example", "y@else.example"],
            "not-matched no-contact",
        ),
        (
            "s1@own.example",
            &["y@else.example"],
            "not-matched no-contact",
        ),
        (
            "x@listed.example",
            &["s1@own.example"],
            "excluded never-listed",
        ),
        (
            "y@else.example",
            &["s1@own.example"],
            "not-matched unknown-sender",
        ),
    ];
    let policy = policy(&[(None, "listed.example")]);
    for (from, to, expected) in rows {
        let decision = decided(&mail(from, to), &world(), &policy);
        assert_eq!(words(&decision), expected, "{from} to {to:?}");
    }
}

#[test]
fn a_rule_is_added_and_taken_away_once() {
    let (anna, code) = (rule("anna@customer.example"), "S1".into());
    for of in [None, Some(&code)] {
        let mut lists = NeverLog::default();
        assert!(lists.is_empty());
        assert!(!lists.remove(of, &anna), "it was never there");
        assert!(lists.add(of, anna.clone()));
        assert!(!lists.add(of, anna.clone()), "it is there already");
        assert!(!lists.is_empty());
        let listed = address("anna@customer.example");
        let found = (
            lists.for_everybody(&listed),
            lists.for_salesperson(&code, &listed),
        );
        let expected = if of.is_none() {
            (Some("address"), None)
        } else {
            (None, Some("address"))
        };
        assert_eq!(found, expected);
        assert!(!lists.remove(of, &rule("bob@customer.example")));
        assert!(lists.remove(of, &anna));
        assert!(!lists.remove(of, &anna));
        assert_eq!(lists, NeverLog::default(), "no empty list stays");
    }
}

#[test]
fn a_list_without_rules_lists_nobody() {
    let mut lists = NeverLog::default();
    lists.salespeople.insert("S1".into(), [].into());
    assert!(lists.is_empty());
    lists
        .salespeople
        .insert("S2".into(), [rule("a.example")].into());
    assert!(!lists.is_empty());
    lists.salespeople.clear();
    lists.organisation.insert(rule("a.example"));
    assert!(!lists.is_empty());
}

#[test]
fn a_rule_fits_what_it_says_and_no_more() {
    let rows = [
        ("Anna@Example.com", "address", "anna@example.com", true),
        ("anna@example.com", "address", "bob@example.com", false),
        ("example.com", "domain", "anna@example.com", true),
        ("@example.com", "domain", "anna@mail.example.com", true),
        ("example.com", "domain", "anna@notexample.com", false),
        ("bücher.example", "domain", "a@xn--bcher-kva.example", true),
        ("news*@example.com", "pattern", "news@example.com", true),
        (
            "news*@example.com",
            "pattern",
            "newsletter@example.com",
            true,
        ),
        ("news*@example.com", "pattern", "anna@example.com", false),
        ("*.example.com", "pattern", "a@mail.example.com", true),
        ("*.example.com", "pattern", "a@example.com", false),
        (
            "*.BÜCHER.example",
            "pattern",
            "a@m.xn--bcher-kva.example",
            true,
        ),
        ("N*@*.Example", "pattern", "no@some.example", true),
        ("*a*b*@x.example", "pattern", "aab-ab@x.example", true),
        ("*a*b@x.example", "pattern", "aabc@x.example", false),
        ("*aab@x.example", "pattern", "aaab@x.example", true),
        ("*ab*cd@x.example", "pattern", "abcabccd@x.example", true),
        ("a*@x.example", "pattern", "ba@x.example", false),
        ("ab*@x.example", "pattern", "a@x.example", false),
        ("a*@x.example*", "pattern", "ab@x.example", true),
        ("a*@x.examples", "pattern", "ab@x.example", false),
    ];
    for (text, kind, of, listed) in rows {
        let parsed = rule(text);
        assert_eq!(parsed.kind(), kind, "{text}");
        assert_eq!(parsed.matches(&address(of)), listed, "{text} and {of}");
        assert_eq!(rule(&parsed.to_string()), parsed, "{text}");
        let written = String::from(parsed.clone());
        assert_eq!(NeverRule::try_from(written).unwrap(), parsed, "{text}");
        let shown = format!("{parsed:?}");
        assert_eq!(shown, format!("NeverRule({kind} [redacted])"));
    }
}

#[test]
fn texts_that_list_everybody_or_nobody_are_refused() {
    let longest = |characters: usize| {
        let end = "@example.com";
        format!("*{}{end}", "ü".repeat(characters - 1 - end.len()))
    };
    assert!(longest(320).parse::<NeverRule>().is_ok());
    let longer = longest(321);
    let texts = [
        "",
        " ",
        "*",
        "*@*",
        "*.*",
        "@",
        "a b@",
        "x@@",
        "a\n@b.example",
        "*\n@b.example",
        "*.ü*",
        &longer,
    ];
    for text in texts {
        let refused = text.parse::<NeverRule>().unwrap_err();
        assert_eq!(refused.code(), "never_log.rule", "{text:?}");
    }
}
