//! What keeps a decision sound, whatever a hook makes of it.

use crate::common::{address, default_policy, mail, person, rules, salesperson, words, world};
use email_logging::decision::{
    DecidedEntry, Decision, Disposition, HookError, Keep, LoggingHooks, Outcome, Stage, Step,
    Verdict, decide,
};
use email_logging::interaction::InformationFlow;
use email_logging::message::{Message, Sensitivity};
use email_logging::parties::NewContact;

/// Changes what the rules decided.
#[derive(Debug)]
struct Changing(fn(&mut Decision));

impl LoggingHooks for Changing {
    fn after_decision(&self, _: &Message, decision: &mut Decision) -> Result<(), HookError> {
        (self.0)(decision);
        Ok(())
    }
}

fn changed(message: &Message, change: fn(&mut Decision)) -> Decision {
    decide(message, &world(), &default_policy(), &[&Changing(change)])
}

fn logged() -> Message {
    mail("s1@own.example", &["c1@customer.example"])
}

fn unmatched() -> Message {
    mail("s1@own.example", &["x@else.example"])
}

fn private() -> Message {
    let mut message = logged();
    message.sensitivity = Sensitivity::Private;
    message
}

fn note(decision: &mut Decision, stage: Stage, rule: &'static str) {
    let step = Step::new(stage, rule, Verdict::Note, "a word of the host");
    decision.steps.push(step);
}

#[test]
fn logged_mail_may_stay_in_the_queue_and_else_goes_to_the_storage_folder() {
    let decision = changed(&logged(), |decision| {
        decision.disposition = Disposition::Leave;
    });
    assert_eq!(decision.disposition, Disposition::Leave);
    for change in [
        (|decision| decision.disposition = Disposition::Delete) as fn(&mut Decision),
        |decision| decision.disposition = Disposition::NotLogged,
        |decision| decision.disposition = Disposition::Quarantine,
    ] {
        assert_eq!(changed(&logged(), change).disposition, Disposition::Storage);
    }
    // What is not logged goes where the hook says.
    let decision = changed(&unmatched(), |decision| {
        decision.disposition = Disposition::Leave;
    });
    assert_eq!(decision.disposition, Disposition::Leave);
}

#[test]
fn a_contact_is_proposed_only_for_mail_that_is_not_logged_and_may_be_kept() {
    fn propose(decision: &mut Decision) {
        let new = NewContact::new(address("x@else.example"), None);
        decision.create_contacts.push(new);
    }
    assert_eq!(changed(&unmatched(), propose).create_contacts.len(), 1);
    assert_eq!(changed(&logged(), propose).create_contacts, []);
    let silent = changed(&unmatched(), |decision| {
        propose(decision);
        decision.keep = Keep::Reason;
    });
    assert_eq!(silent.create_contacts, []);
}

#[test]
fn a_hook_that_keeps_only_the_reason_keeps_its_own_steps() {
    let decision = changed(&unmatched(), |decision| {
        decision.keep = Keep::Reason;
        note(decision, Stage::Hook, "host.note");
    });
    assert_eq!(decision.keep, Keep::Reason);
    assert_eq!(rules(&decision).last(), Some(&"host.note"));
}

#[test]
fn of_private_mail_only_what_was_said_before_the_sender_is_kept() {
    let decision = changed(&private(), |decision| {
        decision.keep = Keep::Everything;
        for (stage, rule) in [
            (Stage::Hook, "host.hook"),
            (Stage::Class, "host.class"),
            (Stage::Sender, "host.sender"),
            (Stage::Match, "host.match"),
        ] {
            note(decision, stage, rule);
        }
    });
    assert_eq!(words(&decision), "excluded private");
    assert_eq!(decision.keep, Keep::Reason);
    let expected = [
        "class.logged",
        "sensitivity.excluded",
        "host.hook",
        "host.class",
    ];
    assert_eq!(rules(&decision), expected);
}

#[test]
fn a_host_that_logs_a_private_mail_keeps_it_whole() {
    let decision = changed(&private(), |decision| {
        decision.outcome = Outcome::Logged;
        let entry = DecidedEntry::new(InformationFlow::Outbound, person("C1"), salesperson("S1"));
        decision.entries.push(entry);
        decision.flags.push("of-the-host".into());
    });
    assert_eq!(words(&decision), "out C1/S1");
    assert_eq!(
        (decision.keep, decision.disposition),
        (Keep::Everything, Disposition::Storage)
    );
    assert_eq!(decision.flags, ["of-the-host"]);
}
