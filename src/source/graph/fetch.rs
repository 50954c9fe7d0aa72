//! Fetching originals and facts; what goes wrong with one item stays with it.
//!
//! Small items come 20 in a batch, whose answer is held in memory and therefore bounded by bytes; larger ones come alone and
//! are handed on while they arrive.

mod alone;
mod holding;

use alone::is_of_the_item;
use holding::HeldBack;

pub(super) use holding::ForeignItems;

use super::GraphSource;
use super::batch::{Answered, Asked, Held, PARTS};
use super::codes::Class;
use super::content::is_foreign;
use super::everybodys::everybodys;
use super::facts::{FIELDS, facts};
use super::json::Message;
use super::session::Question;
use super::transfer::item_path;
use crate::error::{Error, Result, codes};
use crate::message::MailFacts;
use crate::source::{FetchSink, Fetched, Folder, ListedItem};

const OPERATION: &str = "fetch";

/// Bytes of an item that still comes in a batch.
const ALONE: u64 = 1 << 20;

/// Bytes of one piece of an original.
const PIECE: usize = 256 << 10;

impl GraphSource {
    pub(super) async fn fetch_items(
        &self,
        from: &Folder,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let mut fetch = Fetch {
            source: self,
            from,
            sink,
            held: Vec::new(),
        };
        let mut done = 0;
        while let Some(rest) = items.get(done..).filter(|rest| !rest.is_empty()) {
            let run = self.next_run(rest);
            match rest.first() {
                Some(row) if run == 0 => {
                    fetch.single(done, row).await?;
                    done += 1;
                }
                _ => {
                    fetch.run(done, rest.get(..run).unwrap_or(rest)).await?;
                    done += run;
                }
            }
        }
        fetch.finish(items.len()).await
    }

    /// How many items from here on make one batch; none where the first one is asked for alone.
    fn next_run(&self, items: &[ListedItem]) -> usize {
        let mut bytes = 0_u64;
        let fits = |row: &&ListedItem| {
            // Of an item without a size nothing is known: it may be large.
            let Some(size) = row.size.filter(|size| *size <= ALONE) else {
                return false;
            };
            let first = bytes == 0;
            bytes = bytes.saturating_add(size.max(1));
            first || bytes <= self.inner.run_bytes
        };
        items.iter().take(PARTS).take_while(fits).count()
    }
}

/// One question of the caller.
struct Fetch<'a> {
    source: &'a GraphSource,
    from: &'a Folder,
    sink: &'a mut dyn FetchSink,
    /// Items that something else than Graph answered for, until another one is Graph's.
    held: Vec<HeldBack>,
}

/// What was asked about the facts of an item.
enum Facts {
    Known(Box<MailFacts>),
    Gone,
    Failed(Error),
}

impl Fetch<'_> {
    /// An item that does not come in a batch.
    async fn single(&mut self, index: usize, row: &ListedItem) -> Result<()> {
        let largest = self.source.inner.largest_item;
        if let Some(size) = row.size.filter(|size| *size > largest) {
            let error = Error::new(&codes::GRAPH_ITEM_TOO_LARGE, OPERATION)
                .with_detail(format!("{size} bytes"))
                .with_item(&*row.item.id);
            return self.end(index, row, None, Fetched::Failed(error)).await;
        }
        let facts = match self.source.inner.known.take(&row.item.id) {
            Some(facts) => Facts::Known(Box::new(facts)),
            None => self.source.facts_alone(self.from, row).await?,
        };
        self.alone(index, row, facts).await
    }

    /// A batch.
    async fn run(&mut self, start: usize, run: &[ListedItem]) -> Result<()> {
        let facts = self.source.facts_of(self.from, run).await?;
        let parts = run.iter().map(|row| {
            let address = self.source.item_in_batch(self.from, &row.item.id);
            Asked::get(format!("{address}/$value"))
        });
        let answers = match self.source.batch(OPERATION, parts.collect(), false).await {
            Ok(answers) => everybodys(answers, is_of_the_way)?,
            // One of them may be what makes the answer too large or unreadable.
            Err(error) if is_of_the_answer(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let answers = answers.into_iter().map(Some);
        let answers = answers.chain(std::iter::repeat_with(|| None));
        for (at, ((row, facts), answer)) in run.iter().zip(facts).zip(answers).enumerate() {
            let index = start + at;
            match answer {
                Some(Answered::Fine(Held::Bytes(bytes))) => {
                    self.hand_on(index, row, facts, &bytes).await?;
                }
                // No original in this form; a single answer has no form.
                Some(Answered::Fine(_)) | None => self.alone(index, row, facts).await?,
                Some(Answered::Refused(class, error)) => {
                    let fetched = refused(class, error.with_item(&*row.item.id), facts);
                    self.end(index, row, None, fetched).await?;
                }
                Some(Answered::Missing(error)) => {
                    let fetched = Fetched::Failed(error.with_item(&*row.item.id));
                    self.end(index, row, None, fetched).await?;
                }
            }
        }
        Ok(())
    }

    async fn hand_on(
        &mut self,
        index: usize,
        row: &ListedItem,
        facts: Facts,
        bytes: &[u8],
    ) -> Result<()> {
        let facts = match facts {
            Facts::Known(facts) => facts,
            Facts::Gone => return self.end(index, row, None, Fetched::Gone).await,
            Facts::Failed(error) => {
                return self.end(index, row, None, Fetched::Failed(error)).await;
            }
        };
        let size = u64::try_from(bytes.len()).ok();
        self.end(
            index,
            row,
            Some((size, bytes)),
            complete(facts, bytes.is_empty()),
        )
        .await
    }

    /// Hands on an item that ended.
    async fn end(
        &mut self,
        index: usize,
        row: &ListedItem,
        original: Option<(Option<u64>, &[u8])>,
        fetched: Fetched,
    ) -> Result<()> {
        let fetched = match fetched {
            Fetched::Failed(error) if is_foreign(&error) => {
                self.hold(index, (&row.item.id, row.size), error);
                return Ok(());
            }
            fetched => fetched,
        };
        let Some((size, bytes)) = original else {
            self.begin(index, row.size).await?;
            return self.sink.end(fetched).await;
        };
        self.begin_original(index, size).await?;
        for piece in bytes.chunks(PIECE) {
            self.sink.chunk(piece).await?;
        }
        self.sink.end(fetched).await
    }
}

impl GraphSource {
    /// The facts of each item: those that the listing told, and one batch for the others.
    async fn facts_of(&self, from: &Folder, run: &[ListedItem]) -> Result<Vec<Facts>> {
        let known = run.iter().map(|row| self.inner.known.take(&row.item.id));
        let known: Vec<Option<MailFacts>> = known.collect();
        let unknown = run.iter().zip(&known).filter(|(_, known)| known.is_none());
        let parts = unknown.map(|(row, _)| {
            let address = self.item_in_batch(from, &row.item.id);
            Asked::get(format!("{address}?{FIELDS}"))
        });
        let answers = match self.batch(OPERATION, parts.collect(), false).await {
            Ok(answers) => everybodys(answers, is_of_the_way)?,
            // One of them may be what makes the answer too large or unreadable.
            Err(error) if is_of_the_answer(&error) => Vec::new(),
            Err(error) => return Err(error),
        };
        let mut answers = answers.into_iter();
        let mut all = Vec::with_capacity(run.len());
        for (row, known) in run.iter().zip(known) {
            all.push(match known {
                Some(facts) => Facts::Known(Box::new(facts)),
                None => match answers.next() {
                    Some(answer) => facts_in(answer, row),
                    None => self.facts_alone(from, row).await?,
                },
            });
        }
        Ok(all)
    }

    /// The facts of one item.
    async fn facts_alone(&self, from: &Folder, row: &ListedItem) -> Result<Facts> {
        let path = item_path(from, &row.item.id);
        let url = self.session().addresses.of(&format!("{path}?{FIELDS}"))?;
        let question = Question::of(OPERATION, url);
        match self.session().document::<Message>(&question).await {
            Ok(told) => Ok(facts_of_message(told.content, row)),
            Err(error) if error.code() == codes::GRAPH_NOT_FOUND.code => Ok(Facts::Gone),
            Err(error) if is_of_the_item(&error) || is_of_the_answer(&error) => {
                Ok(Facts::Failed(error.with_item(&*row.item.id)))
            }
            Err(error) => Err(error),
        }
    }
}

fn facts_in(answer: Answered, row: &ListedItem) -> Facts {
    match answer {
        Answered::Fine(Held::Message(message)) => facts_of_message(*message, row),
        Answered::Refused(Class::Gone, _) => Facts::Gone,
        Answered::Refused(_, error) | Answered::Missing(error) => {
            Facts::Failed(error.with_item(&*row.item.id))
        }
        Answered::Fine(_) => Facts::Failed(unreadable(row)),
    }
}

/// What is missing of a message may be what decides, such as how private it is: a message that cannot be read fails.
fn facts_of_message(message: Message, row: &ListedItem) -> Facts {
    if message.spoiled {
        return Facts::Failed(unreadable(row));
    }
    Facts::Known(Box::new(facts(message)))
}

fn unreadable(row: &ListedItem) -> Error {
    Error::new(&codes::GRAPH_ANSWER_INVALID, OPERATION).with_item(&*row.item.id)
}

/// A right that is missing for each of several, or a request that is refused for each.
fn is_of_the_way(class: Class) -> bool {
    matches!(class, Class::Denied | Class::Refused)
}

fn is_of_the_answer(error: &Error) -> bool {
    error.code() == codes::GRAPH_ANSWER_INVALID.code
        || error.code() == codes::HTTP_RESPONSE_TOO_LARGE.code
        || is_foreign(error)
}

fn refused(class: Class, error: Error, facts: Facts) -> Fetched {
    match (class, facts) {
        (Class::Gone, _) => Fetched::Gone,
        (Class::Damaged, Facts::Known(facts)) => Fetched::WithoutOriginal(facts, error),
        _ => Fetched::Failed(error),
    }
}

fn complete(facts: Box<MailFacts>, empty: bool) -> Fetched {
    if empty {
        let error = Error::new(&codes::GRAPH_ITEM_DAMAGED, OPERATION)
            .with_detail("the answer holds no original");
        return Fetched::WithoutOriginal(facts, error);
    }
    Fetched::Complete(facts)
}
