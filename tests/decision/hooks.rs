//! A host's part in the decision.

use crate::common::{
    address, contact, default_policy, mail, person, rules, salesperson, seller, words, world,
};
use email_logging::decision::{
    DecidedEntry, Decision, Disposition, Exclusion, HookAnswer, HookError, Keep, LoggingHooks,
    Outcome, PartyRole, decide,
};
use email_logging::interaction::InformationFlow;
use email_logging::message::{Address, Message};
use email_logging::parties::{AddressParties, Parties};

type Before = fn(&Message) -> Result<HookAnswer<Decision>, HookError>;
type Identify = fn(PartyRole, &Address) -> Result<HookAnswer<AddressParties>, HookError>;
type After = fn(&mut Decision) -> Result<(), HookError>;

#[derive(Debug)]
struct Host {
    before: Before,
    identify: Identify,
    after: After,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            before: |_| Ok(HookAnswer::Continue),
            identify: |_, _| Ok(HookAnswer::Continue),
            after: |_| Ok(()),
        }
    }
}

impl LoggingHooks for Host {
    fn before_decision(
        &self,
        message: &Message,
        _: &Parties,
    ) -> Result<HookAnswer<Decision>, HookError> {
        (self.before)(message)
    }

    fn identify(
        &self,
        role: PartyRole,
        address: &Address,
        _: &AddressParties,
    ) -> Result<HookAnswer<AddressParties>, HookError> {
        (self.identify)(role, address)
    }

    fn after_decision(&self, _: &Message, decision: &mut Decision) -> Result<(), HookError> {
        (self.after)(decision)
    }
}

fn outbound() -> Message {
    mail("s1@own.example", &["c1@customer.example"])
}

fn with_hooks(message: &Message, hooks: &[&dyn LoggingHooks]) -> Decision {
    decide(message, &world(), &default_policy(), hooks)
}

fn failure<T>() -> Result<T, HookError> {
    Err(HookError("the host's table is locked".into()))
}

#[test]
fn hooks_that_change_nothing_change_nothing() {
    let host = Host::default();
    assert_eq!(
        with_hooks(&outbound(), &[&host]),
        with_hooks(&outbound(), &[])
    );
}

#[test]
fn before_the_decision_a_hook_may_decide_everything() {
    let leave_out = Host {
        before: |_| {
            let reason = Exclusion::Host("host-says-no".into());
            let mut decision = Decision::ended(Outcome::Excluded(reason));
            decision.disposition = Disposition::Leave;
            Ok(HookAnswer::Handled(decision))
        },
        ..Host::default()
    };
    let log = Host {
        before: |_| {
            let entry =
                DecidedEntry::new(InformationFlow::Inbound, person("CH"), salesperson("SH"));
            Ok(HookAnswer::Handled(Decision::logged(vec![entry])))
        },
        ..Host::default()
    };
    let decision = with_hooks(&outbound(), &[&leave_out, &log]);
    assert_eq!(words(&decision), "excluded host-says-no");
    assert_eq!(decision.disposition, Disposition::Leave);
    assert_eq!(rules(&decision), ["hook.decided"]);
    assert!(decision.policy.starts_with("default@"));

    let decision = with_hooks(&outbound(), &[&log, &leave_out]);
    assert_eq!(words(&decision), "in CH/SH");
    assert_eq!(
        (decision.keep, decision.disposition),
        (Keep::Everything, Disposition::Storage)
    );
}

#[test]
fn a_hook_may_say_who_an_address_is() {
    let host = Host {
        identify: |role, address| {
            Ok(match (role, address.as_str()) {
                (PartyRole::Sender, "alias@own.example") => HookAnswer::Handled(seller("SH")),
                (PartyRole::Recipient, "c1@customer.example") => HookAnswer::Handled(contact("CH")),
                (PartyRole::Recipient, "c2@customer.example") => {
                    HookAnswer::Handled(AddressParties::nobody())
                }
                _ => HookAnswer::Continue,
            })
        },
        ..Host::default()
    };
    let message = mail(
        "alias@own.example",
        &[
            "c1@customer.example",
            "c2@customer.example",
            "c9@customer.example",
        ],
    );
    let decision = with_hooks(&message, &[&host]);
    assert_eq!(words(&decision), "out CH/SH C9/SH");
    assert_eq!(
        rules(&decision)
            .iter()
            .filter(|rule| **rule == "hook.identified")
            .count(),
        3
    );
}

#[test]
fn the_hosts_own_answer_is_not_measured_by_the_policys_fields() {
    let host = Host {
        identify: |_, address| {
            Ok(match address.as_str() {
                "x@else.example" => HookAnswer::Handled(crate::common::by(
                    "CH",
                    email_logging::parties::MatchedBy::Alias,
                )),
                _ => HookAnswer::Continue,
            })
        },
        ..Host::default()
    };
    let mut policy = default_policy();
    policy.match_fields = [email_logging::parties::MatchedBy::Email].into();
    let message = mail("s1@own.example", &["x@else.example"]);
    assert_eq!(
        words(&decide(&message, &world(), &policy, &[&host])),
        "out CH/S1"
    );
}

#[test]
fn after_the_decision_hooks_may_add_and_change() {
    let fields = Host {
        after: |decision| {
            for entry in &mut decision.entries {
                entry.fields.insert("ticket".into(), "4711".into());
                entry.flags.push("z-host".into());
                entry.flags.push("a-host".into());
            }
            decision.flags.push("host".into());
            Ok(())
        },
        ..Host::default()
    };
    let decision = with_hooks(&outbound(), &[&fields]);
    assert_eq!(decision.entries[0].fields["ticket"], "4711");
    assert_eq!(
        decision.entries[0].flags,
        ["a-host", "authenticity-unknown", "z-host"]
    );
    assert_eq!(decision.flags, ["host"]);

    let drop = Host {
        after: |decision| {
            decision.outcome = Outcome::Excluded(Exclusion::Host("vip".into()));
            Ok(())
        },
        ..Host::default()
    };
    assert_eq!(
        words(&with_hooks(&outbound(), &[&fields, &drop])),
        "excluded vip"
    );
}

#[test]
fn a_hook_cannot_make_an_unsound_decision() {
    let empty = Host {
        after: |decision| {
            decision.entries.clear();
            Ok(())
        },
        ..Host::default()
    };
    let decision = with_hooks(&outbound(), &[&empty]);
    assert_eq!(words(&decision), "quarantined hook-failed");
    assert_eq!(
        (decision.disposition, decision.keep),
        (Disposition::Quarantine, Keep::Metadata)
    );

    let twice = Host {
        after: |decision| {
            decision.entries.extend(decision.entries.clone());
            Ok(())
        },
        ..Host::default()
    };
    assert_eq!(words(&with_hooks(&outbound(), &[&twice])), "out C1/S1");
}

#[test]
fn a_failing_hook_quarantines_the_mail_and_says_why() {
    let hosts = [
        Host {
            before: |_| failure(),
            ..Host::default()
        },
        Host {
            identify: |_, _| failure(),
            ..Host::default()
        },
        Host {
            identify: |role, _| match role {
                PartyRole::Recipient => failure(),
                _ => Ok(HookAnswer::Continue),
            },
            ..Host::default()
        },
        Host {
            after: |_| failure(),
            ..Host::default()
        },
    ];
    for host in hosts {
        let mut policy = default_policy();
        policy.delete_not_logged = true;
        let decision = decide(&outbound(), &world(), &policy, &[&host]);
        assert_eq!(words(&decision), "quarantined hook-failed");
        assert_eq!(
            (decision.disposition, decision.keep),
            (Disposition::Quarantine, Keep::Metadata)
        );
        let step = decision
            .steps
            .iter()
            .find(|step| step.rule == "hook.failed")
            .unwrap();
        assert_eq!(
            step.detail,
            "A hook of the host failed: the host's table is locked."
        );
    }
}

#[test]
fn a_hook_sees_each_recipient_once() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    #[derive(Debug, Default)]
    struct Counting(AtomicUsize);
    impl LoggingHooks for Counting {
        fn identify(
            &self,
            _: PartyRole,
            _: &Address,
            _: &AddressParties,
        ) -> Result<HookAnswer<AddressParties>, HookError> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Ok(HookAnswer::Continue)
        }
    }
    let counting = Counting::default();
    let message = mail(
        "s1@own.example",
        &[
            "c1@customer.example",
            "c2@customer.example",
            "c1@customer.example",
        ],
    );
    with_hooks(&message, &[&counting]);
    assert_eq!(counting.0.load(Ordering::Relaxed), 3);
    assert_eq!(
        address("C1@customer.example"),
        address("c1@customer.example")
    );
}
