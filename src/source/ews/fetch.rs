//! Fetching originals and facts, handed on while they arrive.

use super::EwsSource;
use super::answer::{Answer, ResponseMessage, item_facts, item_ref};
use super::codes::Class;
use super::failure::{Failure, Remedy};
use super::folders::refusal;
use super::request::{GetItem, Request, Shape};
use super::soap::{ItemSink, MimeEnd, Ns, Tree};
use crate::error::{Error, Result, codes};
use crate::message::{ItemClass, MailFacts};
use crate::source::{FetchSink, Fetched, ItemRef, ListedItem};

/// What became of the item that was answered.
enum Verdict {
    /// It ended.
    Ended(Fetched),
    /// It was not reached, or the server is busy: the rest of the batch is asked again.
    Again(Failure),
    /// Its original cannot be rendered: its facts are asked for alone.
    FactsOnly(Error),
    /// It has no facts of a message: it is asked for alone, without them.
    ItemShape,
}

impl EwsSource {
    pub(super) async fn fetch_items(
        &self,
        items: &[ListedItem],
        sink: &mut dyn FetchSink,
    ) -> Result<()> {
        let mut waits = self.session().waits();
        let mut done = 0;
        while let Some(rest) = items.get(done..).filter(|rest| !rest.is_empty()) {
            let (shape, run) = self.next_run(rest);
            let (ended, stopped) = self.fetch_run(run, shape, done, sink).await?;
            done += ended;
            if ended > 0 {
                waits = self.session().waits();
            }
            if let Some(failure) = stopped {
                let request = GetItem {
                    items: &[],
                    shape,
                    with_mime: true,
                };
                let version = self.session().version.current();
                self.session()
                    .recover(&request, version, failure, &mut waits)?;
            }
        }
        Ok(())
    }

    /// The longest run of items with one shape that fits one request.
    fn next_run<'a>(&self, items: &'a [ListedItem]) -> (Shape, &'a [ListedItem]) {
        let most = usize::try_from(self.inner.capabilities.fetch_batch).unwrap_or(usize::MAX);
        let shape = items.first().map_or(Shape::Message, shape_of);
        let same = items
            .iter()
            .take(most.max(1))
            .take_while(|item| shape_of(item) == shape);
        let length = same.count();
        (shape, items.get(..length).unwrap_or(items))
    }

    /// Fetches one run; says how many items ended, and why it stopped before the last.
    async fn fetch_run(
        &self,
        run: &[ListedItem],
        shape: Shape,
        first: usize,
        sink: &mut dyn FetchSink,
    ) -> Result<(usize, Option<Failure>)> {
        let ids: Vec<ItemRef> = run.iter().map(|row| row.item.clone()).collect();
        let request = GetItem {
            items: &ids,
            shape,
            with_mime: true,
        };
        let mut answer = self.session().call(&request).await?;
        let mut tree = Tree::default();
        for (at, row) in run.iter().enumerate() {
            let mut item = ItemSink::new(&mut *sink, first + at, row.size);
            let message = match answer.next(&mut tree, Some(&mut item)).await {
                Ok(Some(message)) => message,
                Ok(None) => {
                    let failure = Failure {
                        error: answer.miscounted(),
                        remedy: Remedy::Repeat,
                    };
                    return Ok((at, Some(failure)));
                }
                // What the sink was not told of can be asked again.
                Err(error) if !item.begun() => {
                    return Ok((at, Some(Failure::of_transport(error))));
                }
                Err(error) => return Err(error),
            };
            let verdict = judge(&message, &answer, &tree, &ids, at);
            if let Verdict::Again(failure) = verdict {
                return Ok((at, Some(failure)));
            }
            let fetched = self.conclude(verdict, &row.item, &mut item).await?;
            item.end(fetched).await?;
        }
        if answer.next(&mut tree, None).await?.is_some() {
            return Err(answer.miscounted());
        }
        answer.drain().await;
        Ok((run.len(), None))
    }

    async fn conclude(
        &self,
        verdict: Verdict,
        id: &ItemRef,
        item: &mut ItemSink<'_>,
    ) -> Result<Fetched> {
        let fetched = match verdict {
            Verdict::Ended(fetched) => fetched,
            Verdict::Again(failure) => Fetched::Failed(failure.error),
            Verdict::FactsOnly(error) => self.fetch_facts(id, error).await?,
            Verdict::ItemShape => self.fetch_as_item(id, item).await?,
        };
        Ok(self.with_names(fetched).await)
    }

    /// Resolves the Exchange addresses. Where that fails now, the item is fetched again another time.
    async fn with_names(&self, fetched: Fetched) -> Fetched {
        match fetched {
            Fetched::Complete(mut facts) => match self.resolve_names(&mut facts).await {
                Ok(()) => Fetched::Complete(facts),
                Err(error) => Fetched::Failed(error),
            },
            Fetched::WithoutOriginal(mut facts, why) => {
                match self.resolve_names(&mut facts).await {
                    Ok(()) => Fetched::WithoutOriginal(facts, why),
                    Err(error) => Fetched::Failed(error),
                }
            }
            other => other,
        }
    }

    /// The facts of an item whose original cannot be had.
    async fn fetch_facts(&self, id: &ItemRef, why: Error) -> Result<Fetched> {
        let items = std::slice::from_ref(id);
        let mut tree = Tree::default();
        for shape in [Shape::Message, Shape::Item] {
            let request = GetItem {
                items,
                shape,
                with_mime: false,
            };
            let message = self.session().ask(&request, &mut tree).await?;
            match message.class() {
                Class::Fine => {
                    let facts = facts_of(&tree).unwrap_or_default();
                    return Ok(Fetched::WithoutOriginal(Box::new(facts), why));
                }
                Class::Gone => return Ok(Fetched::Gone),
                Class::Property if shape == Shape::Message => {}
                class => {
                    return Ok(Fetched::Failed(refusal(class, request.name(), &message)));
                }
            }
        }
        Ok(Fetched::Failed(why))
    }

    /// An item that is no message, with its original.
    async fn fetch_as_item(&self, id: &ItemRef, item: &mut ItemSink<'_>) -> Result<Fetched> {
        let items = std::slice::from_ref(id);
        let request = GetItem {
            items,
            shape: Shape::Item,
            with_mime: true,
        };
        let mut answer = self.session().call(&request).await?;
        let mut tree = Tree::default();
        let Some(message) = answer.next(&mut tree, Some(item)).await? else {
            return Err(answer.miscounted());
        };
        match judge(&message, &answer, &tree, items, 0) {
            Verdict::Ended(fetched) => Ok(fetched),
            Verdict::Again(failure) => Ok(Fetched::Failed(failure.error)),
            Verdict::FactsOnly(error) => self.fetch_facts(id, error).await,
            Verdict::ItemShape => Ok(Fetched::Failed(refusal(
                Class::Property,
                request.name(),
                &message,
            ))),
        }
    }
}

fn judge(
    message: &ResponseMessage,
    answer: &Answer,
    tree: &Tree,
    asked: &[ItemRef],
    at: usize,
) -> Verdict {
    let class = message.class();
    let error = || {
        let error = class.error("GetItem", message.decisive_code(), answer.server().clone());
        error.with_item(asked.get(at).map_or("", |item| &item.id))
    };
    match class {
        Class::Fine if mixed_up(tree, asked, at) => {
            Verdict::Ended(Fetched::Failed(answer.miscounted()))
        }
        Class::Fine => Verdict::Ended(complete(tree, answer.mime(), answer)),
        Class::Busy => Verdict::Again(Failure::busy(error(), message.back_off)),
        Class::Untouched => Verdict::Again(Failure {
            error: error(),
            remedy: Remedy::Repeat,
        }),
        Class::Gone => Verdict::Ended(Fetched::Gone),
        Class::NoOriginal => Verdict::FactsOnly(error()),
        Class::Property => Verdict::ItemShape,
        _ => Verdict::Ended(Fetched::Failed(error())),
    }
}

/// Whether the answer holds another one of the items that were asked for.
fn mixed_up(tree: &Tree, asked: &[ItemRef], at: usize) -> bool {
    let Some(found) = item_of(tree).and_then(item_ref) else {
        return false;
    };
    let position = asked.iter().position(|item| item.id == found.id);
    position.is_some_and(|position| position != at)
}

fn complete(tree: &Tree, mime: Option<MimeEnd>, answer: &Answer) -> Fetched {
    let mut facts = Box::new(facts_of(tree).unwrap_or_default());
    let damaged = |detail: &'static str| {
        Error::new(&codes::EWS_ITEM_DAMAGED, "GetItem")
            .with_detail(detail)
            .with_server(answer.server().clone())
    };
    match mime {
        Some(end) if end.bytes > 0 => {
            facts.damaged = end.damaged;
            Fetched::Complete(facts)
        }
        Some(end) if end.damaged => {
            Fetched::WithoutOriginal(facts, damaged("the original is no base64"))
        }
        _ => Fetched::WithoutOriginal(facts, damaged("the answer holds no original")),
    }
}

fn facts_of(tree: &Tree) -> Option<MailFacts> {
    item_of(tree).map(item_facts)
}

fn item_of(tree: &Tree) -> Option<super::soap::Node<'_>> {
    tree.root()?.child(Ns::Messages, "Items")?.children().next()
}

/// Meeting requests and the like are messages to Exchange; appointments, tasks and contacts are not.
fn shape_of(row: &ListedItem) -> Shape {
    match row.class {
        ItemClass::Other | ItemClass::Post => Shape::Item,
        _ => Shape::Message,
    }
}
