//! A mail system with the calls that every case makes.

use std::sync::Arc;

use super::SourceFixture;
use super::recorder::{Recorded, Recorder};
use crate::error::{ErrorKind, Result};
use crate::source::{
    Folder, FolderPath, FolderSelector, ItemRef, ListRequest, ListedItem, MailSource, Moved,
    SightingKey, Sought,
};
use crate::testkit::conformance::harness::{Checked, Stop, check, equal};

pub(super) struct Bench {
    pub(super) fixture: Box<dyn SourceFixture>,
    pub(super) source: Arc<dyn MailSource>,
}

impl Bench {
    pub(super) fn new(fixture: impl SourceFixture + 'static) -> Self {
        Self {
            source: fixture.source(),
            fixture: Box::new(fixture),
        }
    }

    pub(super) async fn open(&self, path: FolderPath) -> Checked<Folder> {
        let selector = FolderSelector::Path(path);
        Ok(self.source.open_folder(&selector).await?)
    }

    pub(super) async fn queue(&self) -> Checked<Folder> {
        self.open(self.fixture.queue()).await
    }

    pub(super) async fn storage(&self) -> Checked<Folder> {
        self.open(self.fixture.storage()).await
    }

    /// Delivers mails with these numbers.
    pub(super) async fn deliver(&self, numbers: impl IntoIterator<Item = u32>) -> Checked {
        for number in numbers {
            supported(self.fixture.deliver(mail(number)).await)?;
        }
        Ok(())
    }

    /// The queue with what is in it.
    pub(super) async fn listed(&self) -> Checked<(Folder, Vec<ListedItem>)> {
        let queue = self.queue().await?;
        let listing = self.source.list(&queue, ListRequest::new(0, 100)).await?;
        Ok((queue, listing.items))
    }

    /// Delivers mails with these numbers and lists the queue, which must hold nothing else.
    pub(super) async fn delivered(&self, numbers: &[u32]) -> Checked<(Folder, Vec<ListedItem>)> {
        self.deliver(numbers.iter().copied()).await?;
        let (queue, items) = self.listed().await?;
        equal("listed items", items.len(), numbers.len())?;
        Ok((queue, items))
    }

    /// Fetches with a sink that checks the order of what it is told.
    pub(super) async fn fetch(
        &self,
        from: &Folder,
        items: &[ListedItem],
    ) -> Checked<Vec<Recorded>> {
        let mut recorder = Recorder::default();
        self.source.fetch(from, items, &mut recorder).await?;
        recorder.all(items.len())
    }

    /// Moves items; one answer for each is checked here.
    pub(super) async fn move_to(
        &self,
        from: &Folder,
        items: &[ItemRef],
        to: &Folder,
    ) -> Checked<Vec<Moved>> {
        if !self.source.capabilities().moves {
            return Err(Stop::Skipped("the source cannot move".into()));
        }
        let answers = self.source.move_to(from, items, to).await?;
        equal("answers to a move", answers.len(), items.len())?;
        Ok(answers)
    }

    /// The copies of each key in a folder, or skips the case where the source cannot tell.
    pub(super) async fn locate(
        &self,
        folder: &Folder,
        keys: &[SightingKey],
    ) -> Checked<Vec<Vec<ItemRef>>> {
        let sought: Vec<Sought> = keys.iter().cloned().map(Sought::new).collect();
        self.locate_sought(folder, &sought).await
    }

    /// As [`locate`](Self::locate), with the ids under which the items were last seen.
    pub(super) async fn locate_sought(
        &self,
        folder: &Folder,
        sought: &[Sought],
    ) -> Checked<Vec<Vec<ItemRef>>> {
        if !self.source.capabilities().locate {
            return Err(Stop::Skipped("the source cannot locate".into()));
        }
        let found = self.source.locate(folder, sought).await?;
        equal("answers to locate", found.len(), sought.len())?;
        Ok(found)
    }

    /// Checks what a folder holds, seen without the source.
    pub(super) async fn holds(&self, what: &str, folder: FolderPath, numbers: &[u32]) -> Checked {
        let mut found = self.fixture.contents(&folder).await?;
        let mut expected: Vec<_> = numbers.iter().map(|number| mail(*number)).collect();
        found.sort();
        expected.sort();
        check!(
            found == expected,
            "{what}: {} mails, expected those with the numbers {numbers:?}",
            found.len()
        );
        Ok(())
    }
}

/// The key of an item, or skips the case where the source has none.
pub(super) fn key_of(item: &ListedItem) -> Checked<SightingKey> {
    let skipped = || Stop::Skipped("the source has no key that survives a move".into());
    item.key.clone().ok_or_else(skipped)
}

/// What the mail system cannot do is no failure of the source.
pub(super) fn supported<T>(answer: Result<T>) -> Checked<T> {
    answer.map_err(|error| match error.kind() {
        ErrorKind::Unsupported => Stop::Skipped("the mail system cannot do that".into()),
        _ => error.into(),
    })
}

/// The mail with this number: bytes that a careless reader would change.
pub(super) fn mail(number: u32) -> Vec<u8> {
    let mut mail = format!(
        "From: anna.hall@cronus.example\r\nTo: bob@contoso.example\r\n\
         Date: Mon, 5 Jan 2026 10:00:{:02} +0000\r\nMessage-ID: <mail-{number}@cronus.example>\r\n\
         Subject: Offer {number}\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n",
        number % 60
    )
    .into_bytes();
    mail.extend_from_slice(
        b"Gr\xfc\xdfe \t \r\n.\r\n..\r\nFrom here <&]]>\r\n =20=\r\nno end of line",
    );
    mail
}
