//! A sink that records what it is told and notes what is out of order.

use async_trait::async_trait;

use crate::error::{Error, Result, codes};
use crate::source::{FetchSink, Fetched};
use crate::testkit::conformance::harness::{Checked, check, equal};

/// Where a sink refuses to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refuses {
    Chunk,
    End,
}

/// What the sink was told of one item.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) index: usize,
    pub(super) bytes: Vec<u8>,
    pub(super) chunks: usize,
    pub(super) ended: Option<Fetched>,
}

impl Recorded {
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.ended, Some(Fetched::Gone))
    }

    /// Whether it is complete and has these bytes.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        matches!(self.ended, Some(Fetched::Complete(_))) && self.bytes == bytes
    }
}

#[derive(Debug, Default)]
pub(super) struct Recorder {
    pub(super) items: Vec<Recorded>,
    pub(super) refuses: Option<Refuses>,
    pub(super) refused: bool,
    mistakes: Vec<&'static str>,
}

impl Recorder {
    pub(super) fn refusing(at: Refuses) -> Self {
        Self {
            refuses: Some(at),
            ..Self::default()
        }
    }

    /// The items, which must be all that were asked, in order, each with its end.
    pub(super) fn all(self, asked: usize) -> Checked<Vec<Recorded>> {
        self.in_order()?;
        equal("items that the sink saw", self.items.len(), asked)?;
        let ended = self.items.iter().all(|item| item.ended.is_some());
        check!(ended, "an item has no end");
        Ok(self.items)
    }

    pub(super) fn in_order(&self) -> Checked {
        check!(
            self.mistakes.is_empty(),
            "the sink was told out of order: {:?}",
            self.mistakes
        );
        let found: Vec<_> = self.items.iter().map(|item| item.index).collect();
        let expected: Vec<_> = (0..self.items.len()).collect();
        equal("the indexes", found, expected)
    }

    fn refuse(&mut self, at: Refuses) -> Result<()> {
        if self.refuses != Some(at) {
            return Ok(());
        }
        self.refused = true;
        Err(Error::new(&codes::SINK_FAILED, "conformance"))
    }

    fn open(&mut self, mistake: &'static str) -> Option<&mut Recorded> {
        if self.refused {
            self.mistakes.push("told after it refused");
        }
        let open = self.items.last_mut().filter(|item| item.ended.is_none());
        if open.is_none() {
            self.mistakes.push(mistake);
        }
        open
    }
}

#[async_trait]
impl FetchSink for Recorder {
    fn begin(&mut self, index: usize, _size_hint: Option<u64>) {
        if self.refused {
            self.mistakes.push("begun after it refused");
        }
        let again = |item: &mut Recorded| item.index == index && item.ended.is_none();
        self.items.pop_if(again);
        if self.items.last().is_some_and(|item| item.ended.is_none()) {
            self.mistakes.push("begun before the end of the last");
        }
        self.items.push(Recorded {
            index,
            bytes: Vec::new(),
            chunks: 0,
            ended: None,
        });
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        if let Some(item) = self.open("a chunk of no item") {
            item.bytes.extend_from_slice(bytes);
            item.chunks += 1;
        }
        self.refuse(Refuses::Chunk)
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        if let Some(item) = self.open("an end of no item") {
            item.ended = Some(fetched);
        }
        self.refuse(Refuses::End)
    }
}
