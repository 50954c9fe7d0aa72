//! Fetching originals and facts; what goes wrong with one item stays with it.
//!
//! Small items come 20 in a batch, whose answer is held in memory and therefore bounded by bytes; larger ones come alone and
//! are handed on while they arrive.

mod alone;

use super::GraphSource;
use super::batch::{Answered, Asked, Held, PARTS};
use super::codes::Class;
use super::facts::{FIELDS, facts};
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
        Ok(())
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
        let facts = self
            .source
            .facts_of(self.from, std::slice::from_ref(row))
            .await?
            .pop();
        self.alone(index, row, facts.unwrap_or(Facts::Gone)).await
    }

    /// A batch.
    async fn run(&mut self, start: usize, run: &[ListedItem]) -> Result<()> {
        let facts = self.source.facts_of(self.from, run).await?;
        let parts = run.iter().map(|row| {
            let address = self.source.item_in_batch(self.from, &row.item.id);
            Asked::get(format!("{address}/$value"))
        });
        let answers = match self.source.batch(OPERATION, parts.collect(), false).await {
            Ok(answers) => answers.into_iter().map(Some).collect(),
            // One of them may be what makes the answer too large or unreadable.
            Err(error) if is_of_the_answer(&error) => run.iter().map(|_| None).collect(),
            Err(error) => return Err(error),
        };
        let answers: Vec<Option<Answered>> = answers;
        let answers = everybodys(answers)?;
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
        let (size, bytes) = original.unwrap_or((row.size, &[]));
        self.sink.begin(index, size);
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
        let parts: Vec<Asked> = parts.collect();
        let answers = self.batch(OPERATION, parts, false).await?;
        let answers: Vec<Option<Answered>> = answers.into_iter().map(Some).collect();
        let mut answers = everybodys(answers)?.into_iter().flatten();
        let mut all = Vec::with_capacity(run.len());
        for (row, known) in run.iter().zip(known) {
            all.push(match known {
                Some(facts) => Facts::Known(Box::new(facts)),
                None => match answers.next() {
                    Some(Answered::Fine(Held::Message(message))) => {
                        Facts::Known(Box::new(facts(*message)))
                    }
                    Some(Answered::Refused(Class::Gone, _)) => Facts::Gone,
                    Some(Answered::Refused(_, error) | Answered::Missing(error)) => {
                        Facts::Failed(error.with_item(&*row.item.id))
                    }
                    Some(Answered::Fine(_)) | None => Facts::Failed(
                        Error::new(&codes::GRAPH_ANSWER_INVALID, OPERATION)
                            .with_item(&*row.item.id),
                    ),
                },
            });
        }
        Ok(all)
    }
}

/// What says something of every item is the answer of the whole call; so is a right that is missing for each of several.
fn everybodys(answers: Vec<Option<Answered>>) -> Result<Vec<Option<Answered>>> {
    let refused = |answer: &Option<Answered>, is: fn(Class) -> bool| matches!(answer, Some(Answered::Refused(class, _)) if is(*class));
    let of_the_way = |class| matches!(class, Class::Denied | Class::Refused);
    let all = answers.len() > 1 && answers.iter().all(|answer| refused(answer, of_the_way));
    let decides = |answer: &Option<Answered>| all || refused(answer, Class::is_everybodys);
    if !answers.iter().any(decides) {
        return Ok(answers);
    }
    let mut deciding = answers.into_iter().filter(decides).flatten();
    match deciding.next() {
        Some(Answered::Refused(_, error) | Answered::Missing(error)) => Err(error),
        _ => Err(Error::new(&codes::INTERNAL, OPERATION)),
    }
}

fn is_of_the_answer(error: &Error) -> bool {
    error.code() == codes::GRAPH_ANSWER_INVALID.code
        || error.code() == codes::HTTP_RESPONSE_TOO_LARGE.code
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
