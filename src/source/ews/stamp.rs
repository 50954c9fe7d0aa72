//! Giving items a key of our own, where Exchange has none for them.

use std::sync::atomic::{AtomicBool, Ordering};

use super::EwsSource;
use super::answer::{ResponseMessage, item_ref};
use super::codes::Class;
use super::request::{Routed, StampItem};
use super::routes::Place;
use super::soap::{Ns, Tree};
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::{Folder, ItemRef, SightingKey, Stamped};

/// Items of one request.
const BATCH: usize = 100;

/// Whether the server refused a stamp for want of a right. Said once, and never asked for again.
#[derive(Debug, Default)]
pub(super) struct Refused(AtomicBool);

impl Refused {
    fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        if !self.0.swap(true, Ordering::Relaxed) {
            #[cfg(feature = "tracing")]
            tracing::warn!(
                code = codes::EWS_ACCESS_DENIED.code,
                "items cannot be stamped; those without a search key are known by their content"
            );
        }
    }
}

impl EwsSource {
    pub(super) async fn stamp_items(
        &self,
        from: &Folder,
        items: &[ItemRef],
    ) -> Result<Vec<Stamped>> {
        if !self.inner.capabilities.stamps {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "stamp"));
        }
        let mut stamped = Vec::with_capacity(items.len());
        for batch in items.chunks(BATCH) {
            if self.inner.stamps_refused.is_set() {
                stamped.extend(batch.iter().map(|_| Stamped::Failed(refused())));
            } else {
                stamped.extend(self.stamp_batch(from, batch).await?);
            }
        }
        Ok(stamped)
    }

    async fn stamp_batch(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>> {
        let keyed: Vec<_> = items
            .iter()
            .map(|item| (item.clone(), self.new_key()))
            .collect();
        let way = self.way(Place::Content(from)).await;
        let request = StampItem { items: &keyed };
        let routed = Routed::patient(&request, way.as_ref());
        let mut answer = self.session().call(&routed).await?;
        let (mut tree, mut stamped) = (Tree::default(), Vec::with_capacity(items.len()));
        let mut at = keyed.into_iter();
        while let Some(message) = answer.next(&mut tree, None).await? {
            self.session().heed(&message);
            let Some((item, key)) = at.next() else {
                return Err(answer.miscounted());
            };
            let new_id = changed(&tree).unwrap_or_else(|| ItemRef::new(&*item.id));
            stamped.push(match message.class() {
                Class::Fine => Stamped::Done(SightingKey::Stamp(key), new_id),
                Class::Gone => Stamped::Gone,
                class => {
                    let server = answer.server().clone();
                    Stamped::Failed(self.not_stamped(class, &message, server))
                }
            });
        }
        if stamped.len() != items.len() {
            return Err(answer.miscounted());
        }
        answer.drain().await;
        Ok(stamped)
    }

    fn not_stamped(&self, class: Class, message: &ResponseMessage, server: ServerContext) -> Error {
        if class == Class::Denied {
            self.inner.stamps_refused.set();
        }
        class.error("UpdateItem", message.decisive_code(), server)
    }

    fn new_key(&self) -> [u8; 16] {
        let mut key = [0; 16];
        self.session().entropy.fill(&mut key);
        key
    }
}

fn refused() -> Error {
    Error::new(&codes::EWS_ACCESS_DENIED, "UpdateItem")
}

fn changed(tree: &Tree) -> Option<ItemRef> {
    let items = tree.root()?.child(Ns::Messages, "Items")?;
    item_ref(items.children().next()?)
}
