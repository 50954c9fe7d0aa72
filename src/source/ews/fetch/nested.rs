//! The look-ups for one item in the middle of a fetch: its facts alone, its original as no message, its addresses.

use reqwest::header::HeaderMap;

use super::super::EwsSource;
use super::super::codes::Class;
use super::super::failure::{Failure, Remedy};
use super::super::folders::refusal;
use super::super::request::{GetItem, Request, Routed, Shape};
use super::super::soap::{ItemSink, Tree};
use super::verdict::{Verdict, facts_of, judge};
use crate::error::{Error, ErrorKind, Result, codes};
use crate::source::{Fetched, ItemRef};

impl EwsSource {
    /// What an item ends with, after the look-ups that its verdict asks for.
    pub(super) async fn conclude(
        &self,
        verdict: Verdict,
        id: &ItemRef,
        item: &mut ItemSink<'_>,
        way: Option<&HeaderMap>,
    ) -> Result<Fetched> {
        let fetched = match verdict {
            Verdict::Ended(fetched) => fetched,
            Verdict::FactsOnly(error) => {
                let _beside = self.beside().await?;
                self.fetch_facts(id, error, way).await?
            }
            Verdict::ItemShape => {
                let _beside = self.beside().await?;
                self.fetch_as_item(id, item, way).await?
            }
            Verdict::Again(failure) => Fetched::Failed(failure.error),
            Verdict::MixedUp(error) | Verdict::Denied(error) => Fetched::Failed(error),
            Verdict::Everything(error) => return Err(error),
        };
        self.with_names(fetched).await
    }

    /// Resolves the Exchange addresses.
    async fn with_names(&self, mut fetched: Fetched) -> Result<Fetched> {
        match &mut fetched {
            Fetched::Complete(facts) | Fetched::WithoutOriginal(facts, _) => {
                self.resolve_names(facts).await?;
            }
            _ => {}
        }
        Ok(fetched)
    }

    /// The facts of an item whose original cannot be had.
    async fn fetch_facts(
        &self,
        id: &ItemRef,
        why: Error,
        way: Option<&HeaderMap>,
    ) -> Result<Fetched> {
        let items = std::slice::from_ref(id);
        let mut tree = Tree::default();
        for shape in [Shape::Message, Shape::Item] {
            let request = GetItem {
                items,
                shape,
                with_mime: false,
            };
            let routed = Routed::patient(&request, way);
            let message = match self.session().ask(&routed, &mut tree).await {
                Ok(message) => message,
                Err(error) => return failed_alone(error),
            };
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
    async fn fetch_as_item(
        &self,
        id: &ItemRef,
        item: &mut ItemSink<'_>,
        way: Option<&HeaderMap>,
    ) -> Result<Fetched> {
        let items = std::slice::from_ref(id);
        let request = GetItem {
            items,
            shape: Shape::Item,
            with_mime: true,
        };
        let mut waits = self.session().waits();
        loop {
            let version = self.session().version.current();
            let failure = match self.item_once(&request, item, way).await? {
                Verdict::Ended(fetched) => return Ok(fetched),
                Verdict::FactsOnly(error) => return self.fetch_facts(id, error, way).await,
                Verdict::Again(failure) => failure,
                Verdict::ItemShape => {
                    let error = Error::new(&codes::EWS_REQUEST, request.name());
                    return Ok(Fetched::Failed(error.with_item(&*id.id)));
                }
                Verdict::MixedUp(error) | Verdict::Denied(error) => {
                    return Ok(Fetched::Failed(error));
                }
                Verdict::Everything(error) => return Err(error),
            };
            let again = self
                .session()
                .recover(&request, version, failure, &mut waits);
            if let Err(error) = again {
                return failed_alone(error);
            }
            item.start_again();
        }
    }

    async fn item_once(
        &self,
        request: &GetItem<'_>,
        item: &mut ItemSink<'_>,
        way: Option<&HeaderMap>,
    ) -> Result<Verdict> {
        let mut answer = match self.session().call(&Routed::patient(request, way)).await {
            Ok(answer) => answer,
            Err(error) => return failed_alone(error).map(Verdict::Ended),
        };
        let mut tree = Tree::default();
        match answer.next(&mut tree, Some(item)).await {
            Ok(Some(message)) => {
                self.session().heed(&message);
                Ok(judge(&message, &answer, &tree, request.items, 0))
            }
            Ok(None) => Ok(Verdict::Again(Failure {
                error: answer.miscounted(),
                remedy: Remedy::Repeat,
            })),
            Err(error) if item.refused() => Err(error),
            Err(error) => Ok(Verdict::Again(Failure::of_transport(error))),
        }
    }
}

/// An answer about one item that cannot be read is that item's trouble; anything else is everybody's.
pub(super) fn failed_alone(error: Error) -> Result<Fetched> {
    if is_of_one_item(&error) {
        Ok(Fetched::Failed(error))
    } else {
        Err(error)
    }
}

/// Whether an error of a question about one item says something about that item only.
pub(super) fn is_of_one_item(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Protocol | ErrorKind::LimitExceeded)
        || error.code() == codes::EWS_ANSWERS_MISSING.code
}
