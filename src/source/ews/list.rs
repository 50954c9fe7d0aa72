//! Listing a folder.

use reqwest::header::HeaderMap;

use super::EwsSource;
use super::answer::read_listing;
use super::codes::Class;
use super::folders::{folder_ref, misrouted, refusal, unreadable};
use super::request::{FindItem, Request, Routed, Selection};
use super::routes::{DETOURS, Place, is_misrouted, may_be_misrouted};
use super::soap::Tree;
use crate::error::{Error, Result, ServerContext, codes};
use crate::source::{Folder, ListRequest, Listing};

impl EwsSource {
    pub(super) async fn list_items(&self, folder: &Folder, page: ListRequest) -> Result<Listing> {
        if page.limit == 0 {
            return Ok(Listing::default());
        }
        let (listing, _) = self.find_items(folder, page, Selection::All).await?;
        Ok(listing)
    }

    /// One FindItem on the way to the folder's content. A folder that shows nothing there may show something elsewhere:
    /// Exchange answers an empty page at the wrong mailbox.
    pub(super) async fn find_items(
        &self,
        folder: &Folder,
        page: ListRequest,
        which: Selection<'_>,
    ) -> Result<(Listing, ServerContext)> {
        let place = Place::Content(folder);
        let mut best = None;
        for _ in 0..=DETOURS {
            let way = self.way(place).await;
            let found = self
                .find_items_on((way.as_ref(), false), folder, page, which)
                .await;
            let nothing = match &found {
                Ok((listing, _)) => page.offset == 0 && listing.items.is_empty(),
                Err(error) => may_be_misrouted(error),
            };
            if let Ok((listing, _)) = &found {
                let shows = !listing.items.is_empty();
                self.inner.routes.note_answer(place, way.as_ref(), shows);
            }
            if !nothing {
                return found;
            }
            let trouble = found.as_ref().is_err_and(is_misrouted);
            if best.as_ref().is_none_or(Result::is_err) && (best.is_none() || found.is_ok()) {
                best = Some(found);
            }
            if self.reroute(place, way.as_ref()).await {
                continue;
            }
            if trouble && way.is_some() {
                let way = self.way(place).await;
                return self
                    .find_items_on((way.as_ref(), true), folder, page, which)
                    .await;
            }
            break;
        }
        best.unwrap_or_else(|| Err(Error::new(&codes::INTERNAL, "FindItem")))
    }

    /// One FindItem; pages larger than Exchange allows are cut.
    async fn find_items_on(
        &self,
        (way, patient): (Option<&HeaderMap>, bool),
        folder: &Folder,
        mut page: ListRequest,
        which: Selection<'_>,
    ) -> Result<(Listing, ServerContext)> {
        page.limit = page.limit.min(self.inner.capabilities.list_page);
        let folder = folder_ref(folder);
        let by_key = matches!(which, Selection::SearchKeys(_) | Selection::Stamps(_));
        let with_stamp = match which {
            Selection::Stamps(_) => true,
            Selection::SearchKeys(_) => false,
            Selection::All | Selection::Newest => self.inner.capabilities.stamps,
        };
        let request = FindItem {
            folder: &folder,
            page,
            which,
            with_stamp,
        };
        let routed = if patient {
            Routed::patient(&request, way)
        } else {
            Routed::new(&request, way)
        };
        let mut tree = Tree::default();
        let message = self.session().ask(&routed, &mut tree).await?;
        match message.class() {
            Class::Fine => {
                let listing = read_listing(&tree, page.offset)
                    .ok_or_else(|| unreadable(&message, "the answer holds no page"))?;
                if by_key && listing.items.iter().any(|row| row.key.is_none()) {
                    let detail = "an item comes without the key that it was found by";
                    return Err(unreadable(&message, detail));
                }
                Ok((listing, message.server))
            }
            _ if message.misrouted => Err(misrouted(request.name(), &message)),
            Class::Gone => Err(refusal(Class::FolderGone, request.name(), &message)),
            class => Err(refusal(class, request.name(), &message)),
        }
    }
}
