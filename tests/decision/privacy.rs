//! A private mail leaves its reason and nothing else.

use crate::common::{address, default_policy, empty, mailbox, original_policy, world};
use email_logging::decision::{
    DecidedEntry, Decision, HookAnswer, HookError, Keep, LoggingHooks, LoggingPolicy, NotMatched,
    Outcome, Quarantine, Stage, Step, Unmatched, Verdict, decide,
};
use email_logging::interaction::InformationFlow;
use email_logging::message::{
    Authenticity, ItemClass, MailAddress, Mailbox, Message, MessageFlag, Sensitivity, Signal,
    UnusableAddress,
};
use email_logging::parties::{
    AddressParties, ContactKind, ContactMatch, Parties, SalespersonMatch,
};

/// No piece of a private mail or of the people it names may be met again.
const PLANTED: [&str; 8] = [
    "planted",
    "Plantedsubject",
    "Plantedname",
    "PC77",
    "PS77",
    "secret.example",
    "x500",
    "canary",
];

#[derive(Debug)]
struct Talkative(&'static str);

impl LoggingHooks for Talkative {
    fn before_decision(
        &self,
        message: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        match self.0 {
            "before" => Err(HookError(message.subject.clone())),
            _ => Ok(HookAnswer::Continue),
        }
    }

    fn after_decision(&self, message: &Message, decision: &mut Decision) -> Result<(), HookError> {
        let detail = message.subject.clone();
        decision
            .steps
            .push(Step::new(Stage::Hook, "host.note", Verdict::Note, detail));
        match self.0 {
            "after" => Err(HookError(message.subject.clone())),
            _ => Ok(()),
        }
    }
}

fn private(sensitivity: Sensitivity) -> Message {
    let named = |text: &str| Mailbox {
        name: Some("Plantedname".into()),
        ..mailbox(text)
    };
    let mut message = empty();
    message.from = vec![named("planted.from@secret.example")];
    message.sender = Some(named("planted.sender@secret.example"));
    message.to = vec![
        named("planted.to@secret.example"),
        Mailbox {
            name: Some("Plantedname".into()),
            address: MailAddress::Exchange("/o=x500/cn=planted".into()),
        },
        Mailbox {
            name: Some("Plantedname".into()),
            address: MailAddress::Unusable(UnusableAddress::NameOnly),
        },
    ];
    message.subject = "Plantedsubject canary".into();
    message.message_id = Some("planted@secret.example".into());
    message.sensitivity = sensitivity;
    message.flags = MessageFlag::ALL.to_vec();
    message.signals = Signal::ALL.to_vec();
    message
}

fn parties() -> Parties {
    let contact = ContactMatch::new("PC77", "Plantedname", ContactKind::Person);
    let seller = SalespersonMatch::new("PS77", "Plantedname");
    world()
        .with(
            address("planted.from@secret.example"),
            AddressParties::nobody().with_salesperson(seller),
        )
        .with(
            address("planted.to@secret.example"),
            AddressParties::nobody().with_contact(contact),
        )
}

fn policies() -> Vec<LoggingPolicy> {
    let mut creating = default_policy();
    creating.unmatched = Unmatched::CreateContact;
    creating.keep_unmatched_original = true;
    vec![default_policy(), original_policy(), creating]
}

fn assert_silent(decision: &Decision) {
    assert_eq!(decision.keep, Keep::Reason);
    assert_eq!(decision.entries, []);
    assert_eq!(decision.create_contacts, []);
    assert_eq!(decision.flags, Vec::<String>::new());
    let text = format!("{decision:?}");
    for planted in PLANTED {
        assert!(!text.contains(planted), "{planted} in {text}");
    }
}

#[test]
fn no_step_and_no_flag_of_a_private_mail_names_anything_of_it() {
    let levels = [
        Sensitivity::Personal,
        Sensitivity::Private,
        Sensitivity::Confidential,
    ];
    for policy in policies() {
        for level in levels {
            for class in ItemClass::ALL.iter().copied() {
                let mut message = private(level);
                message.class = class;
                message.authenticity = Authenticity::Failed;
                for silent in ["before", "after", "never"] {
                    let hook = Talkative(silent);
                    assert_silent(&decide(&message, &parties(), &policy, &[&hook]));
                }
                assert_silent(&decide(&message, &parties(), &policy, &[]));
            }
        }
    }
}

#[test]
fn a_mail_that_is_not_private_names_what_the_rules_saw() {
    let mut message = private(Sensitivity::Normal);
    message.flags.clear();
    let decision = decide(&message, &parties(), &default_policy(), &[]);
    let text = format!("{:?}", decision.steps);
    assert_eq!(decision.outcome.code(), "logged");
    assert!(
        text.contains("planted.to@secret.example is contact PC77 (Plantedname), found by e-mail")
    );
    assert!(!text.contains("Plantedsubject"));
}

#[test]
fn a_policy_that_logs_confidential_mail_says_so_in_the_trace() {
    let mut policy = default_policy();
    policy
        .excluded_sensitivities
        .remove(&Sensitivity::Confidential);
    let mut message = private(Sensitivity::Confidential);
    message.flags.clear();
    let decision = decide(&message, &parties(), &policy, &[]);
    assert_eq!(decision.outcome.code(), "logged");
    let step = decision
        .steps
        .iter()
        .find(|step| step.stage == Stage::Sensitivity)
        .unwrap();
    assert_eq!(
        (&*step.rule, step.verdict),
        ("sensitivity.logged", Verdict::Note)
    );
}

/// Decides every mail itself, and talks about it.
#[derive(Debug)]
struct Deciding(fn() -> Decision);

impl LoggingHooks for Deciding {
    fn before_decision(
        &self,
        message: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        let mut decision = (self.0)();
        let detail = message.subject.clone();
        decision
            .steps
            .push(Step::new(Stage::Hook, "host.note", Verdict::Note, detail));
        Ok(HookAnswer::Handled(decision))
    }
}

#[test]
fn a_hook_that_decides_a_private_mail_leaves_its_reason_or_logs_it_on_purpose() {
    let message = private(Sensitivity::Private);
    let not_matched = Deciding(|| Decision::ended(Outcome::NotMatched(NotMatched::NoContact)));
    assert_silent(&decide(
        &message,
        &parties(),
        &default_policy(),
        &[&not_matched],
    ));

    let logged = Deciding(|| {
        let contact = ContactMatch::new("C1", "One", ContactKind::Person);
        let entry = DecidedEntry::new(
            InformationFlow::Outbound,
            contact,
            SalespersonMatch::new("S1", "S"),
        );
        Decision::logged(vec![entry])
    });
    let decision = decide(&message, &parties(), &default_policy(), &[&logged]);
    assert_eq!(
        (decision.outcome, decision.keep),
        (Outcome::Logged, Keep::Everything)
    );
    assert_eq!(decision.steps.len(), 2);
}

#[test]
fn a_failing_hook_after_a_blocked_contact_still_leaves_the_reason_alone() {
    let mut message = private(Sensitivity::Normal);
    message.flags.clear();
    let blocked =
        ContactMatch::new("PC77", "Plantedname", ContactKind::Person).with_privacy_blocked(true);
    let parties = parties().with(
        address("planted.to@secret.example"),
        AddressParties::nobody().with_contact(blocked),
    );
    let mut policy = default_policy();
    policy.privacy_blocked_contacts = false;
    let decision = decide(&message, &parties, &policy, &[&Talkative("after")]);
    assert_eq!(
        decision.outcome,
        Outcome::Quarantined(Quarantine::HookFailed)
    );
    assert_silent(&decision);
}
