//! Finding copies by the key that a move does not change.

use super::EwsSource;
use super::request::Selection;
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::{Folder, ItemRef, ListRequest, ListedItem, SightingKey, Sought};

/// Keys of one restriction; larger ones are refused as too complex.
const KEYS: usize = 20;
/// Exchange answers at most 250 items to a restriction.
const PAGE: u32 = 250;
/// Pages of one restriction; beyond that somebody copies faster than one can look.
const PAGES: usize = 40;

impl EwsSource {
    pub(super) async fn locate_sought(
        &self,
        folder: &Folder,
        sought: &[Sought],
    ) -> Result<Vec<Vec<ItemRef>>> {
        let wanted: Vec<Wanted<'_>> = sought
            .iter()
            .map(|it| wanted(&it.key))
            .collect::<Result<_>>()?;
        let mut found = vec![Vec::new(); sought.len()];
        for stamps in [false, true] {
            let of_kind: Vec<(usize, &[u8])> = wanted
                .iter()
                .enumerate()
                .filter(|(_, wanted)| wanted.is_stamp == stamps)
                .map(|(at, wanted)| (at, wanted.bytes))
                .collect();
            for some in of_kind.chunks(KEYS) {
                let bytes: Vec<&[u8]> = some.iter().map(|(_, bytes)| *bytes).collect();
                let which = if stamps {
                    Selection::Stamps(&bytes)
                } else {
                    Selection::SearchKeys(&bytes)
                };
                let rows = self.rows_of(folder, which).await?;
                for (at, bytes) in some {
                    if let Some(slot) = found.get_mut(*at) {
                        *slot = copies(&rows, stamps, bytes);
                    }
                }
            }
        }
        Ok(found)
    }

    async fn rows_of(&self, folder: &Folder, which: Selection<'_>) -> Result<Vec<ListedItem>> {
        let mut rows: Vec<ListedItem> = Vec::new();
        let mut server = ServerContext::default();
        for _ in 0..PAGES {
            let offset = u32::try_from(rows.len()).unwrap_or(u32::MAX);
            let page = ListRequest::new(offset, PAGE);
            let (listing, said) = self.find_items(folder, page, which).await?;
            rows.extend(listing.items);
            server = said;
            if listing.complete {
                return Ok(rows);
            }
        }
        Err(Error::new(&codes::EWS_ANSWERS_MISSING, "FindItem").with_server(server))
    }
}

/// The bytes of a key, and which property they stand in.
struct Wanted<'a> {
    is_stamp: bool,
    bytes: &'a [u8],
}

fn wanted(key: &SightingKey) -> Result<Wanted<'_>> {
    let (is_stamp, bytes) = match key {
        SightingKey::SearchKey(bytes) => (false, bytes.as_slice()),
        SightingKey::Stamp(bytes) => (true, bytes.as_slice()),
        _ => {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "locate")
                .with_detail("Exchange finds items by their search key or a stamp only"));
        }
    };
    Ok(Wanted { is_stamp, bytes })
}

fn copies(rows: &[ListedItem], stamps: bool, key: &[u8]) -> Vec<ItemRef> {
    let is_copy = |row: &&ListedItem| match &row.key {
        Some(SightingKey::SearchKey(bytes)) => !stamps && bytes == key,
        Some(SightingKey::Stamp(bytes)) => stamps && bytes == key,
        _ => false,
    };
    rows.iter()
        .filter(is_copy)
        .map(|row| row.item.clone())
        .collect()
}
