//! Fetching originals and facts, handed on while they arrive; what goes wrong with one item stays with it.

mod detour;
mod holding;
mod nested;
mod verdict;

use super::EwsSource;
use super::codes::Class;
use super::failure::{Failure, Remedy};
use super::request::{GetItem, Shape};
use super::routes::may_be_misrouted;
use super::session::Waits;
use super::soap::{ItemSink, Tree};
use crate::error::{Error, Result, codes};
use crate::message::ItemClass;
use crate::source::{FetchSink, Fetched, Folder, ItemRef, ListedItem};
use detour::Detour;
use holding::Holding;
use nested::is_of_one_item;
use verdict::{Verdict, judge};

/// Items in a row that may break the connection; one more is taken for the server's trouble.
const BREAKS: usize = 1;

impl EwsSource {
    pub(super) async fn fetch_items(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let mut fetch = Fetch {
            source: self,
            detour: Detour::new(from),
            items,
            sink: Holding::new(sink),
            done: 0,
            alone_until: 0,
            breaks: 0,
            waits: self.session().waits(),
        };
        while let Some(rest) = items.get(fetch.done..).filter(|rest| !rest.is_empty()) {
            fetch.step(rest).await?;
        }
        fetch.finish().await
    }
}

/// One question of the caller.
struct Fetch<'a> {
    source: &'a EwsSource,
    detour: Detour<'a>,
    items: &'a [ListedItem],
    sink: Holding<'a>,
    /// Items that ended or are kept back.
    done: usize,
    /// Up to here every item is asked for alone, and once.
    alone_until: usize,
    /// Items in a row that broke the connection.
    breaks: usize,
    waits: Waits,
}

/// Why a run stopped before its last item.
enum Stop {
    /// The server wants to be asked again, later or otherwise.
    Again(Failure),
    /// The answer broke off, cannot be read or contradicts the question.
    Broken(Failure),
    /// Another way to the folder was found.
    Rerouted,
}

impl Fetch<'_> {
    async fn step(&mut self, rest: &[ListedItem]) -> Result<()> {
        if let Some(error) = rest.first().and_then(|row| self.too_large(row)) {
            let mut item = ItemSink::new(&mut self.sink, self.done, None);
            item.end(Fetched::Failed(error)).await?;
            self.done += 1;
            return Ok(());
        }
        let (before, version) = (self.done, self.source.session().version.current());
        let (shape, run) = self.next_run(rest);
        self.detour.start(self.source).await;
        let end = before + run.len();
        let stopped = self.run(run, shape).await?;
        if self.done > before {
            self.waits = self.source.session().waits();
        }
        let Some(stop) = stopped else { return Ok(()) };
        let request = GetItem {
            items: &[],
            shape,
            with_mime: true,
        };
        match stop {
            Stop::Again(failure) => {
                let session = self.source.session();
                session.recover(&request, version, failure, &mut self.waits)
            }
            Stop::Broken(failure) => self.mend(&request, failure, end).await,
            Stop::Rerouted => Ok(()),
        }
    }

    /// After a broken answer: again, then each item alone, then without the item that breaks it.
    async fn mend(&mut self, request: &GetItem<'_>, failure: Failure, end: usize) -> Result<()> {
        let session = self.source.session();
        let version = session.version.current();
        let mut error = failure.error;
        if self.done >= self.alone_until {
            let remedy = failure.remedy;
            let failure = Failure { error, remedy };
            let again = session.recover(request, version, failure, &mut self.waits);
            let Err(lasting) = again else { return Ok(()) };
            error = lasting;
            let never_repeated = remedy == Remedy::None && !is_beyond_limit(&error);
            if end - self.done > 1 || never_repeated {
                self.alone_until = end;
                self.waits = session.waits();
                return Ok(());
            }
        }
        if is_of_one_item(&error) {
            let mut item = ItemSink::new(&mut self.sink, self.done, None);
            item.end(Fetched::Failed(error)).await?;
        } else if self.breaks < BREAKS {
            self.breaks += 1;
            self.sink.hold(self.done, error);
        } else {
            return Err(error);
        }
        self.done += 1;
        Ok(())
    }

    fn too_large(&self, row: &ListedItem) -> Option<Error> {
        let size = row
            .size
            .filter(|size| *size > self.source.inner.largest_item)?;
        let error = Error::new(&codes::EWS_ITEM_TOO_LARGE, "GetItem").with_item(&*row.item.id);
        Some(error.with_detail(format!("{size} bytes")))
    }

    /// The longest run of items with one shape that fits one request and its answer.
    fn next_run<'a>(&self, items: &'a [ListedItem]) -> (Shape, &'a [ListedItem]) {
        let inner = &self.source.inner;
        let shape = items.first().map_or(Shape::Message, shape_of);
        if self.done < self.alone_until {
            return (shape, items.get(..1).unwrap_or(items));
        }
        let most = usize::try_from(inner.capabilities.fetch_batch).unwrap_or(usize::MAX);
        let mut bytes = 0_u64;
        let mut fits = |row: &ListedItem| {
            let first = bytes == 0;
            bytes = bytes.saturating_add(row.size.unwrap_or(0).max(1));
            first || bytes <= inner.run_bytes
        };
        let length = items
            .iter()
            .take(most.max(1))
            .take_while(|row| shape_of(row) == shape && self.too_large(row).is_none() && fits(row))
            .count();
        (shape, items.get(..length.max(1)).unwrap_or(items))
    }

    /// Fetches one run; says why it stopped before the last item, if it did.
    async fn run(&mut self, run: &[ListedItem], shape: Shape) -> Result<Option<Stop>> {
        let ids: Vec<ItemRef> = run.iter().map(|row| row.item.clone()).collect();
        let request = GetItem {
            items: &ids,
            shape,
            with_mime: true,
        };
        let source = self.source;
        let routed = self.detour.routed(&request);
        let mut answer = match source.session().call(&routed).await {
            Ok(answer) => answer,
            Err(error)
                if may_be_misrouted(&error) && self.detour.take_or_wait(source, &error).await =>
            {
                return Ok(Some(Stop::Rerouted));
            }
            Err(error) => return Err(error),
        };
        let mut tree = Tree::default();
        for (at, row) in run.iter().enumerate() {
            let mut item = ItemSink::new(&mut self.sink, self.done, row.size);
            let message = match answer.next(&mut tree, Some(&mut item)).await {
                Ok(Some(message)) => message,
                Ok(None) => return Ok(Some(Stop::Broken(repeatable(answer.miscounted())))),
                Err(error) if item.refused() => return Err(error),
                Err(error) => return Ok(Some(Stop::Broken(Failure::of_transport(error)))),
            };
            source.session().heed(&message);
            let lost = message.misrouted || message.class() == Class::Gone;
            if lost && self.detour.take(source).await {
                return Ok(Some(Stop::Rerouted));
            }
            if message.class() == Class::Fine {
                self.detour.note_shown(source);
            }
            match judge(&message, &answer, &tree, &ids, at) {
                Verdict::Again(failure) => return Ok(Some(Stop::Again(failure))),
                Verdict::MixedUp(error) => {
                    return Ok(Some(Stop::Broken(Failure::lasting(error))));
                }
                Verdict::Denied(error) => self.sink.hold(self.done, error),
                verdict => {
                    let fetched = source
                        .conclude(verdict, &row.item, &mut item, self.detour.way())
                        .await?;
                    item.end(fetched).await?;
                    self.breaks = 0;
                }
            }
            self.done += 1;
        }
        if answer.next(&mut tree, None).await?.is_some() {
            return Err(answer.miscounted());
        }
        answer.drain().await;
        Ok(None)
    }

    /// Hands on what was kept back, unless it is what became of every item.
    async fn finish(mut self) -> Result<()> {
        let held = self.sink.held();
        let everything = held > 0 && held == self.items.len();
        if everything && (held > 1 || self.breaks > 0) {
            return self.sink.into_first().map_or(Ok(()), Err);
        }
        self.sink.release().await
    }
}

fn repeatable(error: Error) -> Failure {
    Failure {
        error,
        remedy: Remedy::Repeat,
    }
}

fn is_beyond_limit(error: &Error) -> bool {
    error.kind() == crate::error::ErrorKind::LimitExceeded
}

/// Meeting requests and the like are messages to Exchange; appointments, tasks and contacts are not.
fn shape_of(row: &ListedItem) -> Shape {
    match row.class {
        ItemClass::Other | ItemClass::Post => Shape::Item,
        _ => Shape::Message,
    }
}
