//! Whole requests of privacy, in bounded steps: retention, erasing a person, removing a mail.

use super::{
    AffectedMail, Forgotten, MarkKind, PrivacyStore, Removal, RemovalReason, RemovedMails, subject,
};
use crate::directory::ContactDirectory;
use crate::error::{Error, Result, codes};
use crate::ids::MessageUid;
use crate::privacy::{Person, RetentionRule, Selection};
use crate::scope::Scope;
use crate::store::{Cursor, Deletion, InteractionLog, Page};

/// Mails that one transaction removes.
const BATCH: u32 = 100;

/// Does requests of privacy with a [`PrivacyStore`], for one scope.
///
/// Each request goes in steps of bounded size and can be called again after it was interrupted: what is gone is passed over.
/// A preview writes nothing. At the end the store [shreds](PrivacyStore::shred).
///
/// Mail lies in its folder of the mail system as before; only what this store keeps is removed. The host's own log and
/// back-ups are the host's.
#[derive(Debug)]
pub struct PrivacyDesk<'a> {
    store: &'a dyn PrivacyStore,
    scope: &'a Scope,
    by: String,
    known_by: Option<(&'a dyn InteractionLog, &'a dyn ContactDirectory)>,
}

/// How a person is erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Erasure {
    /// No mail that names one of the addresses is logged from now on. It needs an address: that of a contact is found by the
    /// [directory](PrivacyDesk::with_directory).
    pub never_again: bool,
    /// Nothing is erased while an opportunity of the person, or one that was made of a mail of the person, is open. Without
    /// it such an opportunity is kept, without what names the person.
    pub refuse_open_opportunities: bool,
}

impl Erasure {
    /// Never logs the addresses again.
    #[must_use]
    pub fn with_never_again(mut self, never_again: bool) -> Self {
        self.never_again = never_again;
        self
    }

    /// Refuses while an opportunity is open.
    #[must_use]
    pub fn with_refuse_open_opportunities(mut self, refuse: bool) -> Self {
        self.refuse_open_opportunities = refuse;
        self
    }
}

/// What was removed, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Removed {
    /// Mails.
    pub mails: u64,
    /// Their entries.
    pub entries: u64,
    /// Their originals.
    pub originals: u64,
    /// The ids of the mails, newest first; of a preview the first 1,000 alone.
    pub messages: Vec<MessageUid>,
    /// What the host's own log answered for entries that are gone here.
    pub host_references: Vec<String>,
}

/// What retention removed and what it kept, or would.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Retained {
    /// What is removed.
    pub removed: Removed,
    /// Mails that are kept for an open opportunity.
    pub kept_for_opportunity: u64,
    /// Mails that are kept because a person holds them.
    pub kept_on_hold: u64,
    /// Mails that are kept until the host's own log has their entries.
    pub kept_waiting: u64,
}

/// What is erased of a person, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Erased {
    /// What is removed.
    pub removed: Removed,
    /// What is forgotten beside mails.
    pub forgotten: Forgotten,
    /// Mails whose opportunity is open: it is kept and loses the link.
    pub open_opportunities: u64,
    /// The addresses under which the person was erased: those that were named and those that the directory knows.
    pub addresses: Vec<String>,
    /// Addresses of the contact that others have as well. Nothing was erased by them, and they are not barred.
    pub shared_addresses: Vec<String>,
}

/// Ids that a report names.
const NAMED: usize = 1000;

impl<'a> PrivacyDesk<'a> {
    /// Requests of somebody, in the host's terms.
    pub fn new(store: &'a dyn PrivacyStore, scope: &'a Scope, by: impl Into<String>) -> Self {
        Self {
            store,
            scope,
            by: by.into(),
            known_by: None,
        }
    }

    /// Finds the addresses of a contact who is erased: those that the contact's mail in this log names and that this
    /// directory knows as the contact's. One that a salesperson or another contact has too is left out.
    ///
    /// Erase before the contact goes from the directory: what it does not know any more is not found.
    #[must_use]
    pub fn with_directory(
        mut self,
        log: &'a dyn InteractionLog,
        directory: &'a dyn ContactDirectory,
    ) -> Self {
        self.known_by = Some((log, directory));
        self
    }

    /// Removes what is old enough. Mail that an open opportunity was made of, that a person holds, or that waits for the
    /// host's own log is kept.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: call it again.
    pub async fn retain(&self, rule: &RetentionRule, deletion: Deletion) -> Result<Retained> {
        let selection = Selection::Retention(rule.clone());
        let mut told = Retained::default();
        let mut after = None;
        loop {
            let page = self.page(&selection, after.as_ref()).await?;
            let (kept, old): (Vec<_>, Vec<_>) =
                page.rows.into_iter().partition(AffectedMail::is_kept);
            for mail in kept {
                told.kept_for_opportunity += u64::from(mail.open_opportunity);
                told.kept_on_hold += u64::from(mail.held && !mail.open_opportunity);
                let others = mail.open_opportunity || mail.held;
                told.kept_waiting += u64::from(mail.waiting && !others);
            }
            let reason = RemovalReason::Expired;
            let spared = self
                .remove_batch(&mut told.removed, &old, reason, deletion)
                .await?;
            told.kept_on_hold += spared;
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        self.end(deletion).await?;
        Ok(told)
    }

    /// Erases a person: every mail that names one of the addresses or was logged for the contact is removed, for all whom it
    /// names, and what else is known is forgotten. Mail on hold is removed as well. Where an opportunity was made of it, that
    /// stays and loses its link, and what it took from the mail. Mail that is logged meanwhile is removed as well.
    ///
    /// The opportunities of a contact are made nobody's where the contact is named. By addresses alone they stay the
    /// contact's, without what they took from the mail: name the contact too.
    ///
    /// Nothing here follows a host that merges contacts: entries that a person assigned or worked with, and opportunities that
    /// the host does not change, keep the number of the contact that is gone. Erase each number that the person ever had.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`) where nobody is named, or where the person is never to be logged again and no address is
    /// known; `Conflict` (`privacy.open_opportunity`) where an open opportunity forbids it; `Unavailable` where the directory
    /// does not answer; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: call it again.
    pub async fn erase(
        &self,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Erased> {
        let (person, shared_addresses) = self.known_as(person).await?;
        if person.is_empty() {
            return Err(invalid("name an address or a contact"));
        }
        if erasure.never_again && person.addresses.is_empty() {
            return Err(invalid(
                "nobody is barred without an address: name one, or give the directory that knows it",
            ));
        }
        // First what bars the door: no mail comes in behind the back of what follows.
        let forgotten = self.forget(&person, erasure, deletion).await?;
        let mut told = Erased {
            forgotten,
            addresses: person.addresses.clone(),
            shared_addresses,
            ..Erased::default()
        };
        self.remove_mail_of(&person, deletion, &mut told).await?;
        if deletion == Deletion::Delete {
            // What somebody said while the mail went.
            let open = Erasure::default().with_never_again(erasure.never_again);
            let later = self.forget(&person, open, deletion).await?;
            told.forgotten.add_all(&later);
        }
        self.end(deletion).await?;
        Ok(told)
    }

    /// The person with the addresses that the directory knows, and those that others have too.
    async fn known_as(&self, person: &Person) -> Result<(Person, Vec<String>)> {
        let mut person = person.clone();
        let (Some((log, directory)), Some(contact)) = (self.known_by, person.contact.clone())
        else {
            return Ok((person, Vec::new()));
        };
        let known = subject::addresses_of(log, directory, self.scope, &contact).await?;
        for address in &known.own {
            person = person.with_address(address)?;
        }
        let mut shared = known.shared;
        shared.retain(|address| !person.addresses.contains(address));
        Ok((person, shared))
    }

    async fn forget(
        &self,
        person: &Person,
        erasure: Erasure,
        deletion: Deletion,
    ) -> Result<Forgotten> {
        self.store
            .forget_person(self.scope, person, erasure, deletion)
            .await
    }

    /// Removes page after page. What is removed is not on the next first page, so that a mail that comes meanwhile is.
    async fn remove_mail_of(
        &self,
        person: &Person,
        deletion: Deletion,
        told: &mut Erased,
    ) -> Result<()> {
        let selection = Selection::Person(person.clone());
        let mut after = None;
        loop {
            let page = self.page(&selection, after.as_ref()).await?;
            let open = page.rows.iter().filter(|mail| mail.open_opportunity);
            told.open_opportunities += open.count() as u64;
            let before = told.removed.mails;
            self.remove_batch(
                &mut told.removed,
                &page.rows,
                RemovalReason::Erased,
                deletion,
            )
            .await?;
            let starts_anew = deletion == Deletion::Delete && told.removed.mails > before;
            after = if starts_anew { None } else { page.next };
            if after.is_none() && !starts_anew {
                return Ok(());
            }
        }
    }

    /// Removes one mail: its content is gone for everybody, and it is not logged again. A mail on hold stays until the mark is
    /// taken away, whoever asks.
    ///
    /// # Errors
    ///
    /// `NotFound` where it is not there; `Conflict` (`privacy.held`) where a person holds it; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: call it again.
    pub async fn remove(&self, message: &MessageUid) -> Result<Removed> {
        let removal = Removal::new(RemovalReason::Removed, &*self.by);
        let gone = self
            .store
            .remove_mails(self.scope, &[*message], &removal)
            .await?;
        if !gone.held.is_empty() {
            return Err(Error::new(&codes::PRIVACY_HELD, "remove"));
        }
        if gone.mails == 0 {
            let error = Error::new(&codes::STORE_NOT_FOUND, "remove");
            return Err(error.with_item(format!("{message:?}")));
        }
        let mut told = Removed::default();
        told.add(gone);
        told.messages.push(*message);
        self.end(Deletion::Delete).await?;
        Ok(told)
    }

    /// Marks a mail private: from now on it is shown to its own salespeople alone.
    ///
    /// # Errors
    ///
    /// `NotFound`, `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Safe: call it again.
    pub async fn mark_private(&self, message: &MessageUid, reason: &str) -> Result<()> {
        let mark = super::Mark::new(&*self.by, reason);
        let kind = MarkKind::Private;
        self.store.mark_mail(self.scope, message, kind, &mark).await
    }

    async fn page(
        &self,
        selection: &Selection,
        after: Option<&Cursor>,
    ) -> Result<Page<AffectedMail>> {
        self.store
            .affected(self.scope, selection, after, BATCH)
            .await
    }

    /// Removes these mails, and answers how many of them somebody holds by now.
    async fn remove_batch(
        &self,
        told: &mut Removed,
        mails: &[AffectedMail],
        reason: RemovalReason,
        deletion: Deletion,
    ) -> Result<u64> {
        let mut messages: Vec<MessageUid> = mails.iter().map(|mail| mail.message).collect();
        let mut held = Vec::new();
        let room = NAMED.saturating_sub(told.messages.len());
        if deletion == Deletion::Preview {
            told.mails += mails.len() as u64;
            told.entries += mails.iter().map(|mail| mail.entries).sum::<u64>();
            told.originals += mails.iter().filter(|m| m.original.is_some()).count() as u64;
        } else if !messages.is_empty() {
            let removal = Removal::new(reason, &*self.by);
            let gone = self
                .store
                .remove_mails(self.scope, &messages, &removal)
                .await?;
            held.clone_from(&gone.held);
            told.add(gone);
        }
        messages.retain(|message| !held.contains(message));
        told.messages.extend(messages.into_iter().take(room));
        Ok(held.len() as u64)
    }

    /// Shreds, also where nothing was removed now: an earlier call may have been interrupted before it did.
    async fn end(&self, deletion: Deletion) -> Result<()> {
        match deletion {
            Deletion::Preview => Ok(()),
            Deletion::Delete => self.store.shred().await,
        }
    }
}

fn invalid(detail: &'static str) -> Error {
    Error::new(&codes::CONFIG_INVALID, "erase").with_detail(detail)
}

impl Forgotten {
    fn add_all(&mut self, later: &Self) {
        self.never_log_rules += later.never_log_rules;
        self.decisions += later.decisions;
        self.reviews += later.reviews;
        self.comments += later.comments;
        self.opportunities += later.opportunities;
        self.open_opportunities += later.open_opportunities;
    }
}

impl Removed {
    fn add(&mut self, gone: RemovedMails) {
        self.mails += gone.mails;
        self.entries += gone.entries;
        self.originals += gone.originals;
        self.host_references.extend(gone.host_references);
    }
}
