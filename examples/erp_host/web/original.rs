//! Originals, read once: parsed beside the pages, few at a time, and the last ones kept.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use email_logging::MessageUid;
use email_logging::Scope;
use email_logging::error::ErrorKind;
use email_logging::store::InteractionLog as _;
use email_logging::view::{
    Invitation, OriginalView, RemoteContent, SegmentKind, TextView, ViewLimits, split_quoted,
};
use tokio::sync::Semaphore;

use super::page::Failed;
use super::sight::Log;

/// Bytes of the largest original that is shown; a larger one is downloaded.
pub(super) const SHOWN: u64 = 32 << 20;
/// Originals that are kept parsed.
const KEPT: usize = 16;
/// Originals that are parsed at once: a costly one must not hold up everything.
const AT_ONCE: usize = 2;

/// An original for the pages.
#[derive(Debug)]
pub(super) enum Shown {
    /// It is not kept, or not for this person.
    Missing,
    /// It is larger than what is shown, by so many bytes in all.
    TooLarge(u64),
    Here(Arc<Parsed>),
}

/// What the pages show of an original.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The sanitised markup with its quotes folded away.
    pub(super) html: Option<String>,
    pub(super) remote: RemoteContent,
    pub(super) text: Vec<Passage>,
    pub(super) attachments: Vec<(String, u64)>,
    /// What wraps it, by code.
    pub(super) wrappers: Vec<&'static str>,
    pub(super) invitation: Option<Invitation>,
    /// Whether something was left out.
    pub(super) cut: bool,
}

/// A stretch of the text.
#[derive(Debug)]
pub(super) struct Passage {
    pub(super) folded: bool,
    pub(super) text: String,
}

/// The originals of this run of the program.
#[derive(Debug)]
pub(crate) struct Originals {
    kept: Mutex<VecDeque<(MessageUid, Arc<Parsed>)>>,
    /// How often all was forgotten.
    forgotten: AtomicU64,
    at_work: Semaphore,
}

impl Default for Originals {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            forgotten: AtomicU64::new(0),
            at_work: Semaphore::new(AT_ONCE),
        }
    }
}

impl Originals {
    /// The original of a mail, as far as this log shows it.
    pub(super) async fn of(
        &self,
        log: &Log,
        scope: &Scope,
        message: &MessageUid,
    ) -> Result<Shown, Failed> {
        // Asked each time: whether it is shown depends on who asks.
        let Some(total) = size(log, scope, message).await? else {
            return Ok(Shown::Missing);
        };
        if total > SHOWN {
            return Ok(Shown::TooLarge(total));
        }
        if let Some(parsed) = self.find(message) {
            return Ok(Shown::Here(parsed));
        }
        let _turn = self.at_work.acquire().await.map_err(Failed::broken)?;
        if let Some(parsed) = self.find(message) {
            return Ok(Shown::Here(parsed));
        }
        let begun = self.forgotten.load(Ordering::Acquire);
        let bytes = log.original(scope, message, 0..total).await?.bytes;
        let parsed = tokio::task::spawn_blocking(move || Parsed::of(&bytes)).await;
        let parsed = Arc::new(parsed.map_err(Failed::broken)?);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // A mail that was removed while it was parsed is not kept.
        if self.forgotten.load(Ordering::Acquire) == begun {
            kept.truncate(KEPT - 1);
            kept.push_front((*message, Arc::clone(&parsed)));
        }
        Ok(Shown::Here(parsed))
    }

    /// One attachment: its name and its bytes.
    pub(super) async fn attachment(
        &self,
        log: &Log,
        scope: &Scope,
        message: &MessageUid,
        index: usize,
    ) -> Result<Option<(String, Vec<u8>)>, Failed> {
        let total = size(log, scope, message).await?;
        let Some(total) = total.filter(|total| *total <= SHOWN) else {
            return Ok(None);
        };
        let _turn = self.at_work.acquire().await.map_err(Failed::broken)?;
        let bytes = log.original(scope, message, 0..total).await?.bytes;
        let found = tokio::task::spawn_blocking(move || {
            let view = OriginalView::of(&bytes, &ViewLimits::default());
            let name = view.attachments().nth(index).map(|one| one.name.clone());
            let content = view.attachment(index)?.into_owned();
            Some((name.unwrap_or_default(), content))
        });
        found.await.map_err(Failed::broken)
    }

    /// Forgets what was parsed: a mail was removed.
    pub(super) fn forget(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        self.forgotten.fetch_add(1, Ordering::AcqRel);
        kept.clear();
    }

    fn find(&self, message: &MessageUid) -> Option<Arc<Parsed>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().find(|(uid, _)| uid == message);
        found.map(|(_, parsed)| Arc::clone(parsed))
    }
}

/// The size of an original; none where it is not kept, or not shown.
pub(super) async fn size(
    log: &Log,
    scope: &Scope,
    message: &MessageUid,
) -> Result<Option<u64>, Failed> {
    match log.original(scope, message, 0..1).await {
        Ok(part) => Ok(Some(part.total)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

impl Parsed {
    fn of(bytes: &[u8]) -> Self {
        let view = OriginalView::of(bytes, &ViewLimits::default());
        let html = view.html();
        let text = view.text();
        let cut = view.is_incomplete() || text.cut || html.as_ref().is_some_and(|html| html.cut);
        let attachments = view.attachments();
        Self {
            attachments: attachments
                .map(|one| (one.name.clone(), one.size))
                .collect(),
            wrappers: view.wrappers().iter().map(|one| one.code()).collect(),
            invitation: view.invitation(),
            text: passages(&text),
            cut,
            remote: html
                .as_ref()
                .map(|html| html.remote.clone())
                .unwrap_or_default(),
            html: html.map(|html| html.folded()),
        }
    }
}

/// The text with what is quoted, and signatures, apart. A mail that is nothing else is shown as it is.
fn passages(view: &TextView) -> Vec<Passage> {
    let segments = split_quoted(&view.text);
    let all = segments.iter().map(|segment| Passage {
        folded: segment.kind != SegmentKind::Own,
        text: format!("{}{}", segment.header, segment.text),
    });
    let mut joined: Vec<Passage> = Vec::new();
    for passage in all {
        match joined.last_mut() {
            Some(last) if last.folded == passage.folded => last.text.push_str(&passage.text),
            _ => joined.push(passage),
        }
    }
    let own = |one: &Passage| !one.folded && !one.text.trim().is_empty();
    if !joined.iter().any(own) {
        for one in &mut joined {
            one.folded = false;
        }
    }
    joined
}
