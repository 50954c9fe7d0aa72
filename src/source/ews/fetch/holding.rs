//! Between the source and the caller's sink: keeps back what cannot be judged before the others are known.
//!
//! A right that is missing for every item is missing for the folder; one that is missing for one item is that item's
//! trouble. The same holds for a connection that breaks.

use async_trait::async_trait;

use crate::error::{Error, Result};
use crate::source::{FetchSink, Fetched};

/// A sink that holds failures until another item ends, so that order is kept.
pub(super) struct Holding<'a> {
    sink: &'a mut dyn FetchSink,
    held: Vec<(usize, Error)>,
    opening: Option<(usize, Option<u64>)>,
}

impl<'a> Holding<'a> {
    /// Holds nothing yet.
    pub(super) fn new(sink: &'a mut dyn FetchSink) -> Self {
        Self {
            sink,
            held: Vec::new(),
            opening: None,
        }
    }

    /// Keeps the failure of an item back.
    pub(super) fn hold(&mut self, index: usize, error: Error) {
        self.opening = None;
        self.held.push((index, error));
    }

    /// How many failures are kept back.
    pub(super) fn held(&self) -> usize {
        self.held.len()
    }

    /// The first failure that was kept back, which is everybody's then.
    pub(super) fn into_first(self) -> Option<Error> {
        self.held.into_iter().map(|(_, error)| error).next()
    }

    /// Hands on what was kept back.
    pub(super) async fn release(&mut self) -> Result<()> {
        for (index, error) in std::mem::take(&mut self.held) {
            self.sink.begin(index, None);
            self.sink.end(Fetched::Failed(error)).await?;
        }
        if let Some((index, hint)) = self.opening.take() {
            self.sink.begin(index, hint);
        }
        Ok(())
    }
}

#[async_trait]
impl FetchSink for Holding<'_> {
    fn begin(&mut self, index: usize, size_hint: Option<u64>) {
        self.opening = Some((index, size_hint));
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.release().await?;
        self.sink.chunk(bytes).await
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        self.release().await?;
        self.sink.end(fetched).await
    }
}
