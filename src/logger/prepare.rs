//! From fetched mail to rows: resolve all addresses of a batch in one call, decide, and shape what is written.

use std::sync::Arc;

use crate::caught::{caught, caught_async, is_panic};
use crate::decision::{Decision, Disposition, Keep, LoggingPolicy, Outcome, Quarantine, Unmatched};
use crate::error::{Error, ErrorKind};
use crate::ids::MessageUid;
use crate::interaction::NewEntry;
use crate::message::{FastKey, Message};
use crate::parties::Parties;
use crate::source::SightingKey;
use crate::store::{CommitRow, DecidedRow, FailedAttempt, Original, RowContent, Sighting};

use super::fetch::{FetchedContent, FetchedMail};
use super::folders::Folders;
use super::listing::{WorkItem, lookup_key};
use super::parts::Parts;
use super::record;
use super::report::RunStep;
use super::resolve::{resolve, resolve_one};

/// One sighting on its way into the store.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) work: WorkItem,
    pub(super) row: CommitRow,
    /// The message, for the hooks and for another look at its identity.
    pub(super) message: Option<Box<Message>>,
    /// Bytes that are not stored, for another look at its identity.
    pub(super) spare: Original,
}

impl Prepared {
    /// The Message-ID of a mail that is kept.
    pub(super) fn message_id(&self) -> Option<&str> {
        let RowContent::Decided(row) = &self.row.content else {
            return None;
        };
        row.record.as_ref()?.message_id.as_deref()
    }

    /// Bytes of its original that are in memory.
    fn held_bytes(&self) -> u64 {
        let original = match &self.row.content {
            RowContent::Decided(row) => &row.original,
            RowContent::Again { .. } | RowContent::Failed(_) => &Original::NotKept,
        };
        let held = |original: &Original| match original {
            Original::Inline(bytes) => bytes.len() as u64,
            Original::Staged(_) | Original::NotKept => 0,
        };
        held(original) + held(&self.spare)
    }
}

/// A batch on its way into the store.
#[derive(Debug, Default)]
pub(super) struct PreparedBatch {
    pub(super) rows: Vec<Prepared>,
    pub(super) gone: Vec<WorkItem>,
}

impl PreparedBatch {
    /// The bytes of its mails: as the list told them, and at least what is held of them, whatever it told.
    pub(super) fn bytes(&self) -> u64 {
        let size = |row: &Prepared| row.work.listed.size.unwrap_or(0).max(row.held_bytes());
        self.rows.iter().map(size).fold(0, u64::saturating_add)
    }
}

/// What mail is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    ForReal,
    /// Nothing is changed in the host.
    DryRun,
    /// A walk over the folders, which counts no attempts.
    Walk {
        dry_run: bool,
    },
}

impl Mode {
    /// Whether a decision may change anything in the host.
    fn is_for_real(self) -> bool {
        matches!(self, Self::ForReal | Self::Walk { dry_run: false })
    }

    /// Whether a mail that fails as often as it may is set aside.
    fn counts_attempts(self) -> bool {
        !matches!(self, Self::Walk { .. })
    }
}

type StepResult<T> = Result<T, (RunStep, Error)>;

/// Decides a fetched batch.
pub(super) async fn prepare(
    parts: &Parts,
    folders: &Folders,
    mode: Mode,
    fetched: Vec<FetchedMail>,
) -> StepResult<PreparedBatch> {
    let resolved = resolve(parts, &fetched).await?;
    let mut batch = PreparedBatch::default();
    for (FetchedMail { work, content }, parties) in fetched.into_iter().zip(resolved) {
        match content {
            FetchedContent::Gone => batch.gone.push(work),
            FetchedContent::Read(message, original) => {
                let decision = match parties {
                    Ok(parties) => decide_one(parts, mode, &message, parties).await?,
                    Err(error) => Err(error),
                };
                let prepared = match decision {
                    Ok((decision, parties)) => {
                        let mail = (message, original);
                        decided(parts, folders, work, mail, &parties, decision)
                    }
                    Err(error) => attempt(parts, folders, mode, work, &error),
                };
                batch.rows.push(prepared);
            }
            FetchedContent::Unreadable(error) => {
                let reason = unreadable(&error);
                batch.rows.push(set_aside(parts, folders, work, reason));
            }
            FetchedContent::Failed(error) => {
                let failed = failed(parts, folders, mode, work, &error);
                batch.rows.push(failed);
            }
        }
    }
    Ok(batch)
}

/// Decides one mail, and once more after the host created the contacts that the policy asks for. The inner error is this
/// mail's alone: it waits for another attempt.
async fn decide_one(
    parts: &Parts,
    mode: Mode,
    message: &Message,
    parties: Arc<Parties>,
) -> StepResult<Result<(Decision, Arc<Parties>), Error>> {
    let decision = parts.decide(message, &parties, &parts.policy);
    let editor = parts.editor.as_ref().filter(|_| mode.is_for_real());
    let (Some(editor), false) = (editor, decision.create_contacts.is_empty()) else {
        return Ok(Ok((decision, parties)));
    };
    for contact in &decision.create_contacts {
        let created = editor.create_contact(&parts.scope, contact);
        match caught_async("create_contact", created).await {
            Ok(_) => {}
            Err(error) if error.is_transient() || is_panic(&error) => return Ok(Err(error)),
            // The host will not have this contact: the mail stays one that matches nobody.
            Err(_) => return Ok(Ok((decision, parties))),
        }
    }
    let found = match resolve_one(parts, &message.addresses()).await? {
        Ok(found) => found,
        Err(error) => return Ok(Err(error)),
    };
    let policy = LoggingPolicy {
        unmatched: Unmatched::Keep,
        ..parts.policy.clone()
    };
    Ok(Ok((parts.decide(message, &found, &policy), parties)))
}

fn decided(
    parts: &Parts,
    folders: &Folders,
    work: WorkItem,
    (message, original): (Box<Message>, Original),
    parties: &Parties,
    mut decision: Decision,
) -> Prepared {
    let uid = MessageUid::derive(&parts.scope, &message.identity.fast_key);
    let entries = match entries(parts, uid, &message, &decision) {
        Ok(entries) => entries,
        Err(reason) => {
            decision = quarantine(parts, reason);
            Vec::new()
        }
    };
    decision.disposition = folders.effective(decision.disposition);
    let mut row = DecidedRow::new(uid, decision);
    row.deliver = parts.sink.is_some() && !entries.is_empty();
    row.entries = entries;
    if row.decision.keep != Keep::Reason {
        let mut record = record::of(&message, &parts.policy, parties);
        if row.decision.disposition != Disposition::Leave {
            // A mail that moves gets another id: the link of the place where it lay leads nowhere.
            record.web_link = None;
        }
        row.record = Some(Box::new(record));
    }
    let mut spare = Original::NotKept;
    match row.decision.keep {
        Keep::Everything => row.original = original,
        Keep::Metadata => spare = original,
        Keep::Reason => {}
    }
    let sighting = sighting(&work, || {
        SightingKey::Digest(*message.identity.original_digest.as_bytes())
    });
    let row = CommitRow::new(sighting, RowContent::Decided(Arc::new(row)));
    Prepared {
        work,
        row,
        message: Some(message),
        spare,
    }
}

/// The entries of a decision, after the host's hooks.
pub(super) fn entries(
    parts: &Parts,
    uid: MessageUid,
    message: &Message,
    decision: &Decision,
) -> Result<Vec<NewEntry>, Quarantine> {
    let now = parts.clock.now();
    decision
        .entries
        .iter()
        .map(|entry| {
            let scope = &parts.scope;
            let template = &parts.template;
            let mut entry = NewEntry::from_decided(scope, uid, message, entry, template, now);
            for hook in &parts.hooks {
                caught(|| hook.before_entry(message, &mut entry))
                    .and_then(Result::ok)
                    .ok_or(Quarantine::HookFailed)?;
            }
            Ok(entry)
        })
        .collect()
}

fn unreadable(error: &Error) -> Quarantine {
    match error.kind() {
        ErrorKind::LimitExceeded => Quarantine::LimitExceeded,
        _ => Quarantine::Unreadable,
    }
}

/// A fetch that failed: an attempt, where another may do.
fn failed(parts: &Parts, folders: &Folders, mode: Mode, work: WorkItem, error: &Error) -> Prepared {
    // What is wrong with the item itself will not get better; anything else may.
    if matches!(error.kind(), ErrorKind::Protocol | ErrorKind::LimitExceeded) {
        return set_aside(parts, folders, work, unreadable(error));
    }
    attempt(parts, folders, mode, work, error)
}

/// Counts an attempt, whatever it failed of, and sets the mail aside at the last.
fn attempt(
    parts: &Parts,
    folders: &Folders,
    mode: Mode,
    work: WorkItem,
    error: &Error,
) -> Prepared {
    let attempts = work.known.as_ref().map_or(0, |known| known.attempts) + 1;
    if mode.counts_attempts() && attempts >= parts.settings.attempts {
        return set_aside(parts, folders, work, Quarantine::AttemptsExhausted);
    }
    let attempt = FailedAttempt::new(error.code(), parts.next_try(attempts, error));
    let row = CommitRow::new(keyless_sighting(&work), RowContent::Failed(attempt));
    Prepared {
        work,
        row,
        message: None,
        spare: Original::NotKept,
    }
}

/// A mail that is set aside for a person, with nothing kept but its reason.
pub(super) fn set_aside(
    parts: &Parts,
    folders: &Folders,
    work: WorkItem,
    reason: Quarantine,
) -> Prepared {
    unkept(parts, folders, work, quarantine(parts, reason))
}

/// A mail that the store's tombstones bar, with nothing kept but its reason.
pub(super) fn erased(parts: &Parts, folders: &Folders, work: WorkItem) -> Prepared {
    let decision = Decision::erased(&parts.stamp, parts.policy.delete_not_logged);
    unkept(parts, folders, work, decision)
}

/// A decision of which nothing is kept but the reason.
fn unkept(parts: &Parts, folders: &Folders, work: WorkItem, mut decision: Decision) -> Prepared {
    decision.disposition = folders.effective(decision.disposition);
    let sighting = keyless_sighting(&work);
    let key = blake3::hash(sighting.key.to_string().as_bytes());
    let uid = MessageUid::derive(&parts.scope, &FastKey::from_bytes(*key.as_bytes()));
    let content = RowContent::Decided(Arc::new(DecidedRow::new(uid, decision)));
    Prepared {
        work,
        row: CommitRow::new(sighting, content),
        message: None,
        spare: Original::NotKept,
    }
}

fn quarantine(parts: &Parts, reason: Quarantine) -> Decision {
    Decision::quarantined(&parts.stamp, reason)
}

/// Another item under a key that is decided: it gets a move of its own and nothing else.
pub(super) fn again(folders: &Folders, work: WorkItem) -> Prepared {
    let decided = work.known.as_ref().and_then(|known| known.disposition);
    let target = folders.effective(decided.unwrap_or(Disposition::Storage));
    let row = CommitRow::new(keyless_sighting(&work), RowContent::Again { target });
    Prepared {
        work,
        row,
        message: None,
        spare: Original::NotKept,
    }
}

fn keyless_sighting(work: &WorkItem) -> Sighting {
    sighting(work, || lookup_key(&work.listed))
}

fn sighting(work: &WorkItem, digest: impl FnOnce() -> SightingKey) -> Sighting {
    let key = work.listed.key.clone().unwrap_or_else(digest);
    let mut sighting = Sighting::new(key, work.listed.item.clone());
    sighting.received = work.listed.received;
    sighting.size = work.listed.size;
    sighting
}

/// The outcome and reason that a row counts as.
pub(super) fn outcome_of(row: &CommitRow) -> Option<&Outcome> {
    match &row.content {
        RowContent::Decided(row) => Some(&row.decision.outcome),
        RowContent::Again { .. } | RowContent::Failed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{ItemRef, ListedItem};

    fn row(listed: Option<u64>, held: usize) -> Prepared {
        let mut item = ListedItem::new(ItemRef::new("an-item"));
        item.size = listed;
        let work = WorkItem {
            listed: item,
            known: None,
        };
        let content = RowContent::Again {
            target: Disposition::Storage,
        };
        Prepared {
            row: CommitRow::new(keyless_sighting(&work), content),
            work,
            message: None,
            spare: Original::Inline(vec![0; held]),
        }
    }

    #[test]
    fn a_batch_has_the_bytes_that_are_held_whatever_the_list_told() {
        let bytes = |rows: Vec<Prepared>| {
            let gone = Vec::new();
            PreparedBatch { rows, gone }.bytes()
        };
        assert_eq!(
            bytes(vec![row(None, 7), row(Some(1), 30), row(Some(50), 3)]),
            87
        );
        assert_eq!(
            bytes(vec![row(Some(u64::MAX), 0), row(Some(2), 0)]),
            u64::MAX
        );
        assert_eq!(bytes(Vec::new()), 0);
    }
}
