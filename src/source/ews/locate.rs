//! Finding copies by the key that a move does not change.

use super::EwsSource;
use super::request::Selection;
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::{Folder, ItemRef, ListRequest, ListedItem, SightingKey};

/// Keys of one restriction; larger ones are refused as too complex.
const KEYS: usize = 20;
/// Exchange answers at most 250 items to a restriction.
const PAGE: u32 = 250;
/// Pages of one restriction; beyond that somebody copies faster than one can look.
const PAGES: usize = 40;

impl EwsSource {
    pub(super) async fn locate_keys(
        &self,
        folder: &Folder,
        keys: &[SightingKey],
    ) -> Result<Vec<Vec<ItemRef>>> {
        let keys: Vec<&[u8]> = keys.iter().map(search_key).collect::<Result<_>>()?;
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(KEYS) {
            let rows = self.rows_of(folder, keys).await?;
            found.extend(keys.iter().map(|key| copies(&rows, key)));
        }
        Ok(found)
    }

    async fn rows_of(&self, folder: &Folder, keys: &[&[u8]]) -> Result<Vec<ListedItem>> {
        let mut rows: Vec<ListedItem> = Vec::new();
        let mut server = ServerContext::default();
        for _ in 0..PAGES {
            let offset = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let page = ListRequest::new(offset, PAGE);
            let (listing, said) = self
                .find_items(folder, page, Selection::SearchKeys(keys))
                .await?;
            rows.extend(listing.items);
            server = said;
            if listing.complete {
                return Ok(rows);
            }
        }
        Err(Error::new(&codes::EWS_ANSWERS_MISSING, "FindItem").with_server(server))
    }
}

fn search_key(key: &SightingKey) -> Result<&[u8]> {
    match key {
        SightingKey::SearchKey(bytes) => Ok(bytes),
        _ => Err(Error::new(&codes::SOURCE_UNSUPPORTED, "locate")
            .with_detail("Exchange finds items by their search key only")),
    }
}

fn copies(rows: &[ListedItem], key: &[u8]) -> Vec<ItemRef> {
    let is_copy =
        |row: &&ListedItem| matches!(&row.key, Some(SightingKey::SearchKey(bytes)) if bytes == key);
    rows.iter()
        .filter(is_copy)
        .map(|row| row.item.clone())
        .collect()
}
