//! Finding copies by the key that a move does not change.
//!
//! Graph filters extended properties that are strings, numbers or GUIDs; for binary ones, as the search key is, no filter is
//! documented (Microsoft Graph, "Get singleValueLegacyExtendedProperty"). An undocumented one that answered nothing would be
//! taken for "it is not there". So the folder is read, the newest first, and the keys are compared here: a request for each
//! thousand messages, whichever keys are looked for.

use std::collections::BTreeMap;

use super::GraphSource;
use super::address::encoded;
use super::batch::{Answered, Asked, Held, PARTS};
use super::codes::Class;
use super::facts::{KEY, search_key};
use super::folders::of_folder;
use super::json::{Message, Page};
use super::session::Question;
use crate::error::{Error, Result, codes};
use crate::source::{Folder, ItemRef, SightingKey};

const OPERATION: &str = "locate";

/// Pages of a folder that are read; beyond a million messages somebody moves faster than one can look.
const PAGES: usize = 1000;

impl GraphSource {
    pub(super) async fn locate_keys(
        &self,
        folder: &Folder,
        keys: &[SightingKey],
    ) -> Result<Vec<Vec<ItemRef>>> {
        let mut by_key: BTreeMap<&SightingKey, Vec<usize>> = BTreeMap::new();
        let mut by_id = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            match key {
                SightingKey::SearchKey(_) => by_key.entry(key).or_default().push(at),
                SightingKey::ImmutableId(id) => by_id.push((at, id.as_str())),
                // A stamp is written and read by EWS alone. A plan that has one is of a ledger from before Graph: its item
                // is found by the listing.
                SightingKey::Stamp(_) => {}
                SightingKey::Digest(_) | SightingKey::Content(_) => {
                    return Err(Error::new(&codes::SOURCE_UNSUPPORTED, OPERATION)
                        .with_detail("Graph finds items by their search key or their id only"));
                }
            }
        }
        let mut found = vec![Vec::new(); keys.len()];
        if !by_key.is_empty() {
            self.scan(folder, &by_key, &mut found).await?;
        }
        for some in by_id.chunks(PARTS) {
            self.look_up(folder, some, &mut found).await?;
        }
        Ok(found)
    }

    async fn scan(
        &self,
        folder: &Folder,
        wanted: &BTreeMap<&SightingKey, Vec<usize>>,
        found: &mut [Vec<ItemRef>],
    ) -> Result<()> {
        let mut url = self.session().addresses.of(&format!(
            "/mailFolders/{}/messages?$top=1000&$orderby=receivedDateTime%20desc&{KEY}",
            encoded(folder.id.as_str()),
        ))?;
        for _ in 0..PAGES {
            let question = Question::of(OPERATION, url);
            let told = self.session().document::<Page<Message>>(&question).await;
            let page = told.map_err(of_folder)?.content;
            for message in page.value {
                let places = search_key(&message).and_then(|key| wanted.get(&key));
                let (Some(places), Some(id)) = (places, message.id) else {
                    continue;
                };
                for at in places {
                    if let Some(slot) = found.get_mut(*at) {
                        let item = ItemRef::new(id.clone());
                        if !slot.contains(&item) {
                            slot.push(item);
                        }
                    }
                }
            }
            let Some(next) = page.next else { return Ok(()) };
            url = self.session().addresses.follow(OPERATION, &next)?;
        }
        Err(Error::new(&codes::GRAPH_ANSWERS_MISSING, OPERATION))
    }

    /// An immutable id is looked up; it may be in another folder by now.
    async fn look_up(
        &self,
        folder: &Folder,
        ids: &[(usize, &str)],
        found: &mut [Vec<ItemRef>],
    ) -> Result<()> {
        let parts = ids.iter().map(|(_, id)| {
            let path = format!("/messages/{}?$select=id,parentFolderId", encoded(id));
            Asked::get(self.session().addresses.in_batch(&path))
        });
        let answers = self.batch(OPERATION, parts.collect(), false).await?;
        for ((at, _), answer) in ids.iter().zip(answers) {
            let message = match answer {
                Answered::Fine(Held::Message(message)) => message,
                Answered::Refused(Class::Gone, _) => continue,
                Answered::Fine(_) => {
                    return Err(Error::new(&codes::GRAPH_ANSWER_INVALID, OPERATION));
                }
                Answered::Refused(_, error) | Answered::Missing(error) => return Err(error),
            };
            let here = message.parent_folder_id.as_deref() == Some(folder.id.as_str());
            if let (true, Some(id), Some(slot)) = (here, message.id, found.get_mut(*at)) {
                slot.push(ItemRef::new(id));
            }
        }
        Ok(())
    }
}
