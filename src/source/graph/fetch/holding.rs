//! Keeps back what cannot be judged before the others are known: a page in the place of one mail is that mail's trouble, one
//! in the place of each of several is an outage, which uses up no mail's attempts.

use std::sync::{Mutex, PoisonError};

use super::Fetch;
use crate::error::{Error, Result};
use crate::source::Fetched;

/// The failure of an item that is kept back.
pub(super) struct HeldBack {
    index: usize,
    size: Option<u64>,
    error: Error,
}

/// Items that came to nothing since the last original, whichever fetch asked for them: two tell as much as more.
#[derive(Debug, Default)]
pub(in crate::source::graph) struct ForeignItems(Mutex<Vec<String>>);

impl ForeignItems {
    fn note(&self, id: &str) {
        let mut ids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ids.len() < 2 && ids.iter().all(|known| known != id) {
            ids.push(id.to_owned());
        }
    }

    fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    fn are_several(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len() > 1
    }
}

impl Fetch<'_> {
    /// Keeps the failure of an item back.
    pub(super) fn hold(&mut self, index: usize, (id, size): (&str, Option<u64>), error: Error) {
        self.source.inner.foreign.note(id);
        self.held.push(HeldBack { index, size, error });
    }

    /// Whether something is kept back.
    pub(super) fn has_held(&self) -> bool {
        !self.held.is_empty()
    }

    /// Begins an item whose original has come.
    pub(super) async fn begin_original(&mut self, index: usize, size: Option<u64>) -> Result<()> {
        self.source.inner.foreign.clear();
        self.begin(index, size).await
    }

    /// Begins an item behind what was kept back.
    pub(super) async fn begin(&mut self, index: usize, size: Option<u64>) -> Result<()> {
        self.release().await?;
        self.sink.begin(index, size);
        Ok(())
    }

    /// Hands on what was kept back, unless it is what became of every item, and of several in a row.
    pub(super) async fn finish(mut self, items: usize) -> Result<()> {
        if self.held.len() == items && self.source.inner.foreign.are_several() {
            let first = self.held.into_iter().next();
            return first.map_or(Ok(()), |held| Err(held.error));
        }
        self.release().await
    }

    async fn release(&mut self) -> Result<()> {
        for HeldBack { index, size, error } in std::mem::take(&mut self.held) {
            self.sink.begin(index, size);
            self.sink.end(Fetched::Failed(error)).await?;
        }
        Ok(())
    }
}
