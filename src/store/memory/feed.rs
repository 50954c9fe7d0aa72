//! Events, the second stage and the set-up of a memory store.

use async_trait::async_trait;

use super::{MemoryStore, StoreOperation};
use crate::error::{Error, Result, codes};
use crate::ids::{MailboxKey, MessageUid};
use crate::message::MessageContent;
use crate::scope::Scope;
use crate::setup::EmailLoggingSetup;
use crate::store::feed::is_news;
use crate::store::{ContentIndex, Event, EventFeed, EventKind, SetupStore, StoredSetup};

#[async_trait]
impl EventFeed for MemoryStore {
    async fn read_events(&self, scope: &Scope, consumer: &str, limit: u32) -> Result<Vec<Event>> {
        self.call(StoreOperation::ReadEvents, scope, |tables, _| {
            let read = tables.acknowledged.get(consumer).copied().unwrap_or(0);
            let unread = tables.events.iter().filter(|event| event.number > read);
            Ok(unread.take(limit as usize).cloned().collect())
        })
    }

    async fn acknowledge(&self, scope: &Scope, consumer: &str, number: u64) -> Result<()> {
        self.call(StoreOperation::Acknowledge, scope, |tables, _| {
            let read = tables.acknowledged.entry(consumer.to_owned()).or_default();
            *read = number.max(*read);
            Ok(())
        })
    }

    async fn announce(
        &self,
        scope: &Scope,
        mailbox: &MailboxKey,
        kind: EventKind,
        reason: &str,
    ) -> Result<bool> {
        self.call(StoreOperation::Announce, scope, |tables, stamp| {
            let of_health = |event: &&Event| {
                let kinds = [EventKind::SignInNeeded, EventKind::HealthChanged];
                event.mailbox == *mailbox && kinds.contains(&event.kind)
            };
            let last = tables.events.iter().rev().find(of_health);
            let last = last.map(|event| (event.kind.code(), event.reason.as_str()));
            let news = is_news(last, kind, reason);
            if news {
                tables.event(stamp, mailbox, kind, |event| {
                    reason.clone_into(&mut event.reason);
                });
            }
            Ok(news)
        })
    }
}

#[async_trait]
impl ContentIndex for MemoryStore {
    async fn unindexed(&self, scope: &Scope, limit: u32) -> Result<Vec<MessageUid>> {
        self.call(StoreOperation::Unindexed, scope, |tables, _| {
            let mut waiting: Vec<_> = tables
                .messages
                .iter()
                .filter(|(_, row)| row.is_unindexed())
                .map(|(uid, row)| (row.sequence, *uid))
                .collect();
            waiting.sort_unstable();
            let oldest = waiting.into_iter().take(limit as usize);
            Ok(oldest.map(|(_, uid)| uid).collect())
        })
    }

    async fn put_content(
        &self,
        scope: &Scope,
        contents: Vec<(MessageUid, MessageContent)>,
    ) -> Result<()> {
        self.call(StoreOperation::PutContent, scope, |tables, _| {
            for (uid, content) in contents {
                // What a deleted entry left is not filled again.
                let deleted = tables.deleted.values().any(|message| *message == uid);
                if let Some(row) = tables.messages.get_mut(&uid)
                    && !(deleted && row.original.is_none())
                {
                    row.content.get_or_insert(content);
                }
            }
            Ok(())
        })
    }
}

#[async_trait]
impl SetupStore for MemoryStore {
    async fn load_setup(&self, scope: &Scope) -> Result<Option<StoredSetup>> {
        self.call(StoreOperation::LoadSetup, scope, |tables, _| {
            Ok(tables.setup.clone())
        })
    }

    async fn save_setup(
        &self,
        scope: &Scope,
        setup: &EmailLoggingSetup,
        expected_version: u64,
    ) -> Result<u64> {
        self.call(StoreOperation::SaveSetup, scope, |tables, _| {
            let stored = tables.setup.as_ref().map_or(0, |stored| stored.version);
            if stored != expected_version {
                return Err(Error::new(&codes::SETUP_VERSION, "save_setup"));
            }
            tables.setup = Some(StoredSetup::new(setup.clone(), stored + 1));
            Ok(stored + 1)
        })
    }
}
