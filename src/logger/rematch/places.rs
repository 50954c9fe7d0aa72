//! Where the mails of a page lie: looked for together, with one question for each folder.

use std::collections::BTreeMap;

use crate::decision::Disposition;
use crate::logger::moves::{can_locate, sought};
use crate::logger::parts::check_count;
use crate::logger::pipeline::StepError;
use crate::source::{Folder, ItemRef, SightingKey, Sought};
use crate::store::ReviewItem;

use super::{Rematch, rematching};

/// Where a mail lies.
pub(super) struct Place {
    pub(super) folder: Folder,
    pub(super) item: ItemRef,
    pub(super) at: Disposition,
    pub(super) in_queue: bool,
}

/// What is known of a mail's place.
pub(super) struct Whereabouts {
    /// Where the ledger saw it last.
    pub(super) last: ItemRef,
    /// Where it lies; `None` where it was not found or cannot be looked for.
    pub(super) place: Option<Place>,
}

/// The places of a page's mails. A mail that a run has still to move has none.
#[derive(Default)]
pub(super) struct Places(BTreeMap<SightingKey, Whereabouts>);

impl Places {
    /// Takes one out.
    pub(super) fn take(&mut self, item: &ReviewItem) -> Option<Whereabouts> {
        self.0.remove(&item.decision.sighting)
    }
}

impl Rematch<'_> {
    /// Looks for mails: in the folders that mail is moved to, and in the queue folder, where what is set aside may stay.
    pub(super) async fn places<'i>(
        &self,
        items: impl IntoIterator<Item = &'i ReviewItem>,
    ) -> Result<Places, StepError> {
        let keys = items.into_iter().map(|item| item.decision.sighting.clone());
        let mut places = self.settled(keys.collect()).await?;
        let targets = self.folders.targets().into_iter();
        let targets = targets.map(|(at, folder)| (at, folder, false));
        let queue = (Disposition::Storage, &self.folders.queue, true);
        for (at, folder, in_queue) in targets.chain([queue]) {
            self.look_in(folder, (at, in_queue), &mut places).await?;
        }
        Ok(places)
    }

    /// The last known places of mails that no run has still to move.
    async fn settled(&self, keys: Vec<SightingKey>) -> Result<Places, StepError> {
        if keys.is_empty() {
            return Ok(Places::default());
        }
        let parts = self.parts;
        let known = parts
            .ledger
            .known(&parts.scope, &parts.mailbox, &keys)
            .await;
        let known = known.map_err(rematching)?;
        check_count("known", keys.len(), known.len()).map_err(rematching)?;
        let settled = keys.into_iter().zip(known).filter_map(|(key, known)| {
            let known = known.filter(|known| known.waiting.is_empty())?;
            let last = known.item;
            Some((key, Whereabouts { last, place: None }))
        });
        Ok(Places(settled.collect()))
    }

    /// Looks in one folder for those that were found in none before.
    async fn look_in(
        &self,
        folder: &Folder,
        (at, in_queue): (Disposition, bool),
        places: &mut Places,
    ) -> Result<(), StepError> {
        let parts = self.parts;
        let open = places.0.iter_mut();
        let open = open.filter(|(key, it)| it.place.is_none() && can_locate(parts, key));
        let (asked, open): (Vec<Sought>, Vec<&mut Whereabouts>) = open
            .map(|(key, it)| (sought(parts, key, &it.last), it))
            .unzip();
        if asked.is_empty() {
            return Ok(());
        }
        let found = parts.source.locate(folder, &asked).await;
        let found = found.map_err(rematching)?;
        check_count("locate", asked.len(), found.len()).map_err(rematching)?;
        for (it, copies) in open.into_iter().zip(found) {
            it.place = copies.into_iter().next().map(|item| Place {
                folder: folder.clone(),
                item,
                at,
                in_queue,
            });
        }
        Ok(())
    }
}
