//! Which kinds of item are logged at all.

use std::ops::ControlFlow;

use crate::decision::case::Case;
use crate::decision::trace::Trace;
use crate::decision::{ClassAction, Exclusion, Outcome, Stage, Verdict};
use crate::message::ItemClass;

/// Ends the decision for a kind of item that the policy leaves out.
pub(in crate::decision) fn check(case: &Case<'_>, trace: &mut Trace) -> ControlFlow<Outcome> {
    let class = case.message.class;
    let seen = format!("It is {}.", words(class));
    match action(case) {
        ClassAction::Log => trace.plain(Stage::Class, "class.logged", Verdict::Pass, seen),
        ClassAction::Flag => trace.plain(Stage::Class, "class.flagged", Verdict::Note, seen),
        ClassAction::Exclude => {
            let detail = format!("{seen} The policy leaves those out.");
            trace.plain(Stage::Class, "class.excluded", Verdict::Stop, detail);
            return ControlFlow::Break(Outcome::Excluded(exclusion(class)));
        }
    }
    ControlFlow::Continue(())
}

/// The class's code, where the policy wants it flagged.
pub(in crate::decision) fn flag(case: &Case<'_>) -> Option<&'static str> {
    (action(case) == ClassAction::Flag).then(|| case.message.class.code())
}

fn action(case: &Case<'_>) -> ClassAction {
    let named = case.policy.classes.get(&case.message.class);
    named.copied().unwrap_or(ClassAction::Log)
}

fn exclusion(class: ItemClass) -> Exclusion {
    match class {
        ItemClass::DeliveryReport => Exclusion::DeliveryReport,
        ItemClass::ReadReceipt => Exclusion::ReadReceipt,
        _ => Exclusion::ItemClass,
    }
}

fn words(class: ItemClass) -> &'static str {
    match class {
        ItemClass::Mail => "an ordinary mail",
        ItemClass::SmimeOpaque => "a mail that is encrypted or signed as a whole",
        ItemClass::SmimeSigned => "a signed mail",
        ItemClass::MeetingRequest => "a meeting request",
        ItemClass::MeetingResponse => "an answer to a meeting request",
        ItemClass::MeetingCancellation => "a cancelled meeting",
        ItemClass::DeliveryReport => "a delivery report",
        ItemClass::ReadReceipt => "a read receipt",
        ItemClass::Recall => "a request to take a mail back",
        ItemClass::RecallReport => "a report about a mail that was taken back",
        ItemClass::OutOfOffice => "an out-of-office answer",
        ItemClass::Sharing => "an invitation to share",
        ItemClass::Post => "a post",
        ItemClass::Other => "another kind of item",
    }
}
