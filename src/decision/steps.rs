//! The trace of a decision: which rule saw what, and what it said.

use std::borrow::Cow;

use crate::message::codes;

/// The part of the decision that a step belongs to, in the order they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Stage {
    /// A hook of the host.
    Hook,
    /// What kind of item it is.
    Class,
    /// How private it is.
    Sensitivity,
    /// Who wrote it.
    Sender,
    /// Who it was sent to.
    Recipients,
    /// Inside the company or not.
    Internal,
    /// Whether the sender is who it says.
    Authenticity,
    /// Which way it went.
    Direction,
    /// Which contact and which salesperson.
    Match,
    /// Signs of a machine or a list.
    Signals,
    /// What the policy does with mail that matches nobody.
    Unmatched,
    /// Where the mail goes.
    Disposition,
}

/// What a rule said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub enum Verdict {
    /// Nothing against it; go on.
    Pass,
    /// Go on, and note it.
    Note,
    /// A pair was found.
    Match,
    /// This ends the decision.
    Stop,
}

codes!(Stage {
    Hook => "hook",
    Class => "class",
    Sensitivity => "sensitivity",
    Sender => "sender",
    Recipients => "recipients",
    Internal => "internal",
    Authenticity => "authenticity",
    Direction => "direction",
    Match => "match",
    Signals => "signals",
    Unmatched => "unmatched",
    Disposition => "disposition",
});
codes!(Verdict { Pass => "pass", Note => "note", Match => "match", Stop => "stop", });

/// One step of the trace.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "kebab-case")
)]
#[non_exhaustive]
pub struct Step {
    /// The part of the decision.
    pub stage: Stage,
    /// The rule's stable code, such as `sender.salesperson`.
    pub rule: Cow<'static, str>,
    /// What it said.
    pub verdict: Verdict,
    /// What it saw, in words. It may name addresses and is stored with the mail; for mail whose content may not be kept
    /// it names none.
    pub detail: String,
}

impl Step {
    /// A step.
    pub fn new(
        stage: Stage,
        rule: impl Into<Cow<'static, str>>,
        verdict: Verdict,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            stage,
            rule: rule.into(),
            verdict,
            detail: detail.into(),
        }
    }
}
