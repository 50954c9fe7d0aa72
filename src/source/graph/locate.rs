//! Finding items: by their ids, which a move does not change, and by the key where an id means nothing here.
//!
//! Ids are looked up 20 in a request. Graph filters extended properties that are strings, numbers or GUIDs; for binary ones, as
//! the search key is, no filter is documented (Microsoft Graph, "Get singleValueLegacyExtendedProperty"). An undocumented one
//! that answered nothing would be taken for "it is not there". So for a key the folder is read, the newest first, and the keys
//! are compared here: a request for each thousand messages, until every item that was named has its copy.

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
use crate::source::{Folder, ItemRef, MailSource, SightingKey, Sought};

const OPERATION: &str = "locate";

/// Pages of a folder that are read. A folder holds a million messages (Exchange Online, "Mailbox folder limits"); Graph may
/// make its pages smaller than they were asked for.
const PAGES: usize = 4000;

/// What is looked for under one key.
#[derive(Default)]
struct Wanted {
    /// Its places in the question.
    places: Vec<usize>,
    /// How many copies are enough; all of them without a number.
    enough: Option<usize>,
    found: Vec<ItemRef>,
}

impl Wanted {
    fn is_found(&self) -> bool {
        self.enough.is_some_and(|enough| self.found.len() >= enough)
    }

    fn add(&mut self, at: usize, sought: &Sought) {
        let is_first = self.places.is_empty();
        let so_far = if is_first { Some(0) } else { self.enough };
        // One that is named by its item wants one copy.
        let with_it = so_far.map(|enough| enough + 1);
        self.enough = with_it.filter(|_| sought.item.is_some());
        self.places.push(at);
    }
}

impl GraphSource {
    pub(super) async fn locate_sought(
        &self,
        folder: &Folder,
        sought: &[Sought],
    ) -> Result<Vec<Vec<ItemRef>>> {
        if sought.iter().any(|it| !is_findable(&it.key)) {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, OPERATION)
                .with_detail("Graph finds items by their search key or their id only"));
        }
        let mut found = vec![Vec::new(); sought.len()];
        let mut open: Vec<usize> = (0..sought.len()).collect();
        let named = sought.iter().enumerate();
        let named = named.filter_map(|(at, it)| Some((at, self.id_of(it)?)));
        let named: Vec<(usize, &str)> = named.collect();
        for some in named.chunks(PARTS) {
            for (at, place) in self.look_up(folder, some, sought).await? {
                open.retain(|it| *it != at);
                if let Some(slot) = found.get_mut(at) {
                    slot.extend(place);
                }
            }
        }
        let mut wanted: BTreeMap<&SightingKey, Wanted> = BTreeMap::new();
        for (at, it) in open
            .into_iter()
            .filter_map(|at| Some((at, sought.get(at)?)))
        {
            if matches!(it.key, SightingKey::SearchKey(_)) {
                wanted.entry(&it.key).or_default().add(at, it);
            }
        }
        if !wanted.is_empty() {
            self.scan(folder, &mut wanted).await?;
        }
        for wanted in wanted.into_values() {
            for at in &wanted.places {
                if let Some(slot) = found.get_mut(*at) {
                    slot.clone_from(&wanted.found);
                }
            }
        }
        Ok(found)
    }

    /// The id by which an item can be looked up. One of EWS is never sent.
    fn id_of<'s>(&self, sought: &'s Sought) -> Option<&'s str> {
        match (&sought.key, &sought.item) {
            (SightingKey::ImmutableId(id), _) => Some(id),
            (_, Some(item)) if self.is_own(item) => Some(&item.id),
            _ => None,
        }
    }

    /// Reads the folder until everything is found.
    async fn scan(
        &self,
        folder: &Folder,
        wanted: &mut BTreeMap<&SightingKey, Wanted>,
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
                let key = search_key(&message);
                let known = key.as_ref().and_then(|key| wanted.get_mut(key));
                let (Some(known), Some(id)) = (known, message.id) else {
                    continue;
                };
                let item = ItemRef::new(id);
                // While the folder changes, a page may show again what the one before has shown.
                if !known.found.contains(&item) {
                    known.found.push(item);
                }
            }
            let Some(next) = page.next else { return Ok(()) };
            if wanted.values().all(Wanted::is_found) {
                return Ok(());
            }
            url = self.session().addresses.follow(OPERATION, &next)?;
        }
        Err(Error::new(&codes::GRAPH_ANSWERS_MISSING, OPERATION))
    }

    /// Looks ids up. Each that means something here is answered with its item where that lies in the folder; it may be in
    /// another one by now.
    async fn look_up(
        &self,
        folder: &Folder,
        ids: &[(usize, &str)],
        sought: &[Sought],
    ) -> Result<Vec<(usize, Option<ItemRef>)>> {
        let parts = ids.iter().map(|(_, id)| {
            let path = format!("/messages/{}?$select=id,parentFolderId", encoded(id));
            Asked::get(self.session().addresses.in_batch(&path))
        });
        let answers = self.batch(OPERATION, parts.collect(), false).await?;
        let mut settled = Vec::with_capacity(ids.len());
        for ((at, _), answer) in ids.iter().zip(answers) {
            let has_key = |it: &Sought| matches!(it.key, SightingKey::SearchKey(_));
            let by_key = sought.get(*at).is_some_and(has_key);
            let message = match answer {
                Answered::Fine(Held::Message(message)) => message,
                Answered::Refused(Class::Gone, _) => continue,
                // An id that is none of Graph's; the key tells.
                Answered::Refused(Class::Refused, _) if by_key => continue,
                // It lies where this account may not read, which is not in this folder: that one could be opened.
                Answered::Refused(Class::Denied, _) => {
                    settled.push((*at, None));
                    continue;
                }
                Answered::Fine(_) => {
                    return Err(Error::new(&codes::GRAPH_ANSWER_INVALID, OPERATION));
                }
                Answered::Refused(_, error) | Answered::Missing(error) => return Err(error),
            };
            let parent = message.parent_folder_id.as_deref().unwrap_or_default();
            let id = message.id.filter(|_| is_same(parent, folder.id.as_str()));
            settled.push((*at, id.map(ItemRef::new)));
        }
        Ok(settled)
    }
}

/// Whether Graph can find an item by this key. A stamp is written and read by EWS alone: a plan that has one is of a ledger
/// from before Graph, and its item is found by the listing.
fn is_findable(key: &SightingKey) -> bool {
    !matches!(key, SightingKey::Digest(_) | SightingKey::Content(_))
}

/// Whether two ids of folders are one. EWS writes `/` and `+` where Graph writes `-` and `_`.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |byte: u8| match byte {
        b'-' => b'/',
        b'_' => b'+',
        byte => byte,
    };
    one.bytes().map(plain).eq(other.bytes().map(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_in_both_alphabets_of_base64() {
        assert!(is_same("AA-B_C=", "AA/B+C="));
        assert!(is_same("AA-B_C=", "AA-B_C="));
        assert!(!is_same("AA-B_C=", "AA_B-C="));
        assert!(!is_same("AAA", "AAa"));
        assert!(!is_same("", "AAA"));
    }

    #[test]
    fn as_many_copies_are_enough_as_items_are_named_and_all_are_wanted_for_a_key_alone() {
        let key = Sought::new(SightingKey::SearchKey(vec![1]));
        let item = key.clone().with_item(ItemRef::new("a"));
        for (all, enough) in [
            (vec![&item], Some(1)),
            (vec![&item, &item], Some(2)),
            (vec![&key], None),
            (vec![&key, &item], None),
            (vec![&item, &key], None),
        ] {
            let mut wanted = Wanted::default();
            for it in all {
                wanted.add(0, it);
            }
            assert_eq!(wanted.enough, enough);
        }
    }
}
