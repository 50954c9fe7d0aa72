//! Listing a folder.

use std::collections::BTreeSet;

use super::GraphSource;
use super::address::encoded;
use super::facts::{FIELDS, row};
use super::folders::of_folder;
use super::json::{Message, Page};
use super::session::Question;
use crate::error::{Error, Result, codes};
use crate::source::{Folder, ListRequest, Listing};

const OPERATION: &str = "list";

/// Pages that one question is followed through. Graph may cut pages as it likes, but not without end.
const PAGES: usize = 200;

impl GraphSource {
    pub(super) async fn list_items(&self, folder: &Folder, page: ListRequest) -> Result<Listing> {
        let limit = page.limit.min(self.inner.capabilities.list_page);
        if limit == 0 {
            return Ok(Listing::default());
        }
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut url = self.session().addresses.of(&format!(
            "/mailFolders/{}/messages?$top={limit}&$skip={}&$count=true&$orderby=receivedDateTime&{FIELDS}",
            encoded(folder.id.as_str()),
            page.offset,
        ))?;
        let (mut items, mut seen, mut total) = (Vec::new(), BTreeSet::new(), None);
        for _ in 0..PAGES {
            let question = Question::of(OPERATION, url);
            let told = self.session().document::<Page<Message>>(&question).await;
            let found = told.map_err(of_folder)?.content;
            total = found.count.or(total);
            for message in found.value {
                let spoiled = message.spoiled;
                let Some((item, facts)) = row(message) else {
                    continue;
                };
                // While the folder changes, a page may show again what the one before has shown.
                if !seen.insert(item.item.id.clone()) {
                    continue;
                }
                // What could not be read here is asked for again, and fails by itself.
                if !spoiled {
                    self.inner.known.keep(&item.item.id, facts);
                }
                items.push(item);
            }
            let Some(next) = found.next else {
                let complete = items.len() <= most;
                items.truncate(most);
                return Ok(Listing::new(items, total, complete));
            };
            if items.len() >= most {
                items.truncate(most);
                return Ok(Listing::new(items, total, false));
            }
            url = self.session().addresses.follow(OPERATION, &next)?;
        }
        Err(Error::new(&codes::GRAPH_ANSWERS_MISSING, OPERATION))
    }
}
