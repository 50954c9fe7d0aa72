//! Reading originals: one pass from the wire into a message, with at most a few MiB of it in memory.

use async_trait::async_trait;

use crate::caught::{caught, panicked};
use crate::error::{Error, Result, codes};
use crate::ids::StageId;
use crate::message::{MailFacts, Message, MessageReader};
use crate::source::{FetchSink, Fetched, Folder, ListedItem};
use crate::store::{Lease, Original};

use super::listing::WorkItem;
use super::parts::{Parts, check_count};

const PIECE_BYTES: usize = 1 << 20;

/// One item with what its fetch gave.
#[derive(Debug)]
pub(super) struct FetchedMail {
    pub(super) work: WorkItem,
    pub(super) content: FetchedContent,
}

#[derive(Debug)]
pub(super) enum FetchedContent {
    /// A message that could be read.
    Read(Box<Message>, Original),
    /// Its bytes are no mail, or beyond a limit.
    Unreadable(Error),
    /// Somebody took it away.
    Gone,
    /// The fetch failed.
    Failed(Error),
}

/// Fetches a batch. What ended before an error is answered with it.
pub(super) async fn fetch(
    parts: &Parts,
    lease: Option<&Lease>,
    queue: &Folder,
    batch: Vec<WorkItem>,
) -> (Vec<FetchedMail>, Vec<WorkItem>, Option<Error>) {
    let listed: Vec<_> = batch.iter().map(|work| work.listed.clone()).collect();
    let mut sink = MailSink {
        parts,
        lease,
        listed: &listed,
        current: None,
        contents: Vec::new(),
        is_astray: false,
    };
    let fetched = parts.source.fetch(queue, &listed, &mut sink).await;
    // Whatever the source made of the sink's refusal.
    let fetched = fetched.and(sink.in_step());
    let answered = sink.contents.len();
    let fetched = fetched.and_then(|()| check_count("fetch", listed.len(), answered));
    let error = fetched.err();
    let mut contents = sink.contents.into_iter();
    let (mut done, mut open) = (Vec::new(), Vec::new());
    for work in batch {
        match contents.next() {
            Some(content) => done.push(FetchedMail { work, content }),
            None => open.push(work),
        }
    }
    (done, open, error)
}

/// The last line of defence of reading: a mail that makes a reader panic is one that cannot be read.
fn read<T>(part: impl FnOnce() -> Result<T>) -> Result<T> {
    caught(part).unwrap_or_else(|| Err(panicked("read")))
}

/// Takes one item after the other. Without a lease (a dry run) nothing is staged and nothing is kept.
#[derive(Debug)]
struct MailSink<'a> {
    parts: &'a Parts,
    lease: Option<&'a Lease>,
    listed: &'a [ListedItem],
    current: Option<Current>,
    /// What has ended, from the first item on: each was begun under its own index.
    contents: Vec<FetchedContent>,
    /// Whether the source left an item out, or told of one out of its turn. What it tells from there on may belong to any
    /// item, and is taken for none.
    is_astray: bool,
}

#[derive(Debug)]
struct Current {
    /// The reader, until the mail turns out to be beyond a limit.
    reader: Result<MessageReader>,
    /// Bytes that are not staged; `None` where nothing of it is kept: in a dry run, of a private or an unreadable mail.
    bytes: Option<Vec<u8>>,
    stage: Option<(StageId, u32)>,
}

#[async_trait]
impl FetchSink for MailSink<'_> {
    fn begin(&mut self, index: usize, size_hint: Option<u64>) {
        self.is_astray |= index != self.contents.len();
        let limits = self.parts.settings.limits.clone();
        let expected = size_hint
            .and_then(|size| usize::try_from(size).ok())
            .unwrap_or(0);
        let expected = expected.min(self.parts.settings.inline_bytes);
        self.current = Some(Current {
            reader: Ok(MessageReader::new(limits)),
            bytes: self.lease.map(|_| Vec::with_capacity(expected)),
            stage: None,
        });
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.is_astray |= self.current.is_none();
        self.in_step()?;
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        let Ok(reader) = &mut current.reader else {
            return Ok(());
        };
        if let Err(error) = read(|| reader.push(bytes)) {
            *current = Current {
                reader: Err(error),
                bytes: None,
                stage: None,
            };
            return Ok(());
        }
        let Some(kept) = &mut current.bytes else {
            return Ok(());
        };
        kept.extend_from_slice(bytes);
        let inline = self.parts.settings.inline_bytes;
        let limit = current.stage.map_or(inline, |_| PIECE_BYTES);
        if kept.len() > limit {
            self.stage(false).await?;
        }
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        self.is_astray |= self.current.is_none();
        self.in_step()?;
        let content = match fetched {
            Fetched::Complete(facts) => self.complete(&facts).await?,
            Fetched::WithoutOriginal(facts, _) => self.described(&facts),
            Fetched::Gone => FetchedContent::Gone,
            Fetched::Failed(error) => FetchedContent::Failed(error),
        };
        self.current = None;
        self.contents.push(content);
        Ok(())
    }
}

impl MailSink<'_> {
    /// Refuses what comes from a source that has lost the order of the question.
    fn in_step(&self) -> Result<()> {
        if !self.is_astray {
            return Ok(());
        }
        let detail = "an item was told of out of its turn";
        Err(Error::new(&codes::CONTRACT_COUNT, "fetch").with_detail(detail))
    }

    /// Whether the header block or the server calls the present mail private. The decision comes when all bytes are here,
    /// but a large mail reaches the store before.
    fn is_private(&self) -> bool {
        let excluded = &self.parts.policy.excluded_sensitivities;
        let read = self
            .current
            .as_ref()
            .and_then(|current| current.reader.as_ref().ok());
        let by_header = read.map(MessageReader::sensitivity);
        let by_server = self
            .listed
            .get(self.contents.len())
            .and_then(|listed| listed.sensitivity);
        [by_header, by_server]
            .into_iter()
            .flatten()
            .any(|it| excluded.contains(&it))
    }

    /// A message that the server describes but cannot render.
    fn described(&self, facts: &MailFacts) -> FetchedContent {
        let listed = self.listed.get(self.contents.len());
        let key = listed.map(|listed| match &listed.key {
            Some(key) => key.to_string(),
            None => listed.item.id.clone(),
        });
        let message = Message::from_facts(facts, key.unwrap_or_default().as_bytes());
        FetchedContent::Read(Box::new(message), Original::NotKept)
    }

    /// Hands whole pieces, or at the end the rest, to the store; nothing of a private mail.
    async fn stage(&mut self, rest: bool) -> Result<()> {
        let private = self.is_private();
        let (Some(lease), Some(current)) = (self.lease, &mut self.current) else {
            return Ok(());
        };
        if private {
            (current.bytes, current.stage) = (None, None);
        }
        let Some(bytes) = &mut current.bytes else {
            return Ok(());
        };
        let (stage, index) = current
            .stage
            .get_or_insert_with(|| (self.parts.new_stage(), 0));
        while bytes.len() >= PIECE_BYTES || (rest && !bytes.is_empty()) {
            let tail = bytes.split_off(bytes.len().min(PIECE_BYTES));
            let piece = std::mem::replace(bytes, tail);
            let ledger = &self.parts.ledger;
            ledger
                .stage(&self.parts.scope, lease, *stage, *index, piece)
                .await?;
            *index += 1;
        }
        Ok(())
    }

    async fn complete(&mut self, facts: &MailFacts) -> Result<FetchedContent> {
        if self
            .current
            .as_ref()
            .is_some_and(|current| current.stage.is_some())
        {
            self.stage(true).await?;
        }
        let Some(current) = self.current.take() else {
            return Ok(self.described(facts));
        };
        let reader = current.reader;
        Ok(
            match reader.and_then(|reader| read(|| Ok(reader.finish(facts)))) {
                Ok(message) => {
                    let original = match (current.stage, current.bytes) {
                        (Some((stage, _)), _) => Original::Staged(stage),
                        (None, Some(bytes)) => Original::Inline(bytes),
                        (None, None) => Original::NotKept,
                    };
                    FetchedContent::Read(Box::new(message), original)
                }
                Err(error) => FetchedContent::Unreadable(error),
            },
        )
    }
}
