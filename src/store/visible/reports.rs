//! Counts, statistics and conversations of what one person sees.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;

use super::{VisibleLog, not_found};
use crate::error::{ErrorKind, Result};
use crate::ids::MessageUid;
use crate::interaction::{
    Conversation, ConversationMail, InteractionLogEntry, InteractionStatistics, StatisticsOptions,
    TalliedEntry, Tally,
};
use crate::privacy::Visibility;
use crate::scope::Scope;
use crate::store::{Conversations, InteractionLog, InteractionReports, LogCount, LogFilter};

/// Entries that are read at a time.
const PAGE: u32 = 500;

/// Counted are the entries that the person sees, as the pages of the log show them. Each of them is read, so that this takes
/// longer than on the log itself.
#[async_trait]
impl<L: InteractionLog> InteractionReports for VisibleLog<L> {
    async fn count(&self, scope: &Scope, filter: &LogFilter) -> Result<LogCount> {
        let mut mails = BTreeSet::new();
        let mut entries = 0;
        self.each(scope, filter, |entry| {
            entries += 1;
            mails.insert(entry.entry.message);
        })
        .await?;
        Ok(LogCount::new(entries, mails.len() as u64))
    }

    async fn statistics(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        options: &StatisticsOptions,
    ) -> Result<InteractionStatistics> {
        let mut seen = Vec::new();
        self.each(scope, filter, |entry| seen.push(entry)).await?;
        let mut tally = Tally::new(options);
        // The log is read from its end.
        for entry in seen.iter().rev() {
            tally.add(&tallied(entry), entry.entry.message);
        }
        Ok(tally.finish())
    }
}

impl<L: InteractionLog> VisibleLog<L> {
    async fn each(
        &self,
        scope: &Scope,
        filter: &LogFilter,
        mut take: impl FnMut(InteractionLogEntry) + Send,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.entries(scope, filter, after.as_ref(), PAGE).await?;
            page.rows.into_iter().for_each(&mut take);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }
}

fn tallied(row: &InteractionLogEntry) -> TalliedEntry<'_> {
    let entry = &row.entry;
    TalliedEntry {
        contact_no: entry.contact_no.as_str(),
        contact_name: &entry.contact_name,
        salesperson_code: entry.salesperson_code.as_str(),
        salesperson_name: &entry.salesperson_name,
        flow: entry.information_flow,
        date: entry.date,
    }
}

/// What a mail refers to is shown with [`Visibility::Full`] alone, so that a conversation begins with such a mail and consists
/// of such mails. One below a mail that is hidden stands below the next that is seen.
#[async_trait]
impl<L: InteractionLog + Conversations> Conversations for VisibleLog<L> {
    async fn conversation(&self, scope: &Scope, message: &MessageUid) -> Result<Conversation> {
        if !self.sees_all_of(scope, message).await? {
            return Err(not_found("conversation", message));
        }
        let found = self.log.conversation(scope, message).await?;
        let mut seen = BTreeSet::new();
        for mail in &found.mails {
            if self.sees_all_of(scope, &mail.message).await? {
                seen.insert(mail.message);
            }
        }
        Ok(without_hidden(found, &seen))
    }
}

impl<L: InteractionLog> VisibleLog<L> {
    /// Whether a mail is there and shown in full.
    pub(super) async fn sees_all_of(&self, scope: &Scope, message: &MessageUid) -> Result<bool> {
        match self.log.mail(scope, message).await {
            Ok(mail) => Ok(self.viewer.level_of_mail(&mail) == Visibility::Full),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
}

fn without_hidden(mut found: Conversation, seen: &BTreeSet<MessageUid>) -> Conversation {
    let above: BTreeMap<MessageUid, MessageUid> = found
        .mails
        .iter()
        .filter_map(|mail| mail.parent.map(|parent| (mail.message, parent)))
        .collect();
    let seen_above = |of: MessageUid| {
        let mut parents = std::iter::successors(above.get(&of), |at| above.get(at));
        parents.find(|parent| seen.contains(parent)).copied()
    };
    let place = |mail: &mut ConversationMail| {
        mail.parent = seen_above(mail.message);
        let parents = std::iter::successors(mail.parent, |at| seen_above(*at));
        mail.depth = u32::try_from(parents.count()).unwrap_or(u32::MAX);
    };
    found.mails.retain(|mail| seen.contains(&mail.message));
    found.mails.iter_mut().for_each(place);
    found
}
