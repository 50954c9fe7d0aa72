//! Listing a folder.

use super::EwsSource;
use super::answer::read_listing;
use super::codes::Class;
use super::folders::{folder_ref, refusal, unreadable};
use super::request::{FindItem, Request, Selection};
use super::soap::Tree;
use crate::error::{Result, ServerContext};
use crate::source::{Folder, ListRequest, Listing};

impl EwsSource {
    pub(super) async fn list_items(&self, folder: &Folder, page: ListRequest) -> Result<Listing> {
        if page.limit == 0 {
            return Ok(Listing::default());
        }
        let (listing, _) = self.find_items(folder, page, Selection::All).await?;
        Ok(listing)
    }

    /// One FindItem; pages larger than Exchange allows are cut.
    pub(super) async fn find_items(
        &self,
        folder: &Folder,
        mut page: ListRequest,
        which: Selection<'_>,
    ) -> Result<(Listing, ServerContext)> {
        page.limit = page.limit.min(self.inner.capabilities.list_page);
        let folder = folder_ref(folder);
        let by_key = matches!(which, Selection::SearchKeys(_));
        let request = FindItem {
            folder: &folder,
            page,
            which,
        };
        let mut tree = Tree::default();
        let message = self.session().ask(&request, &mut tree).await?;
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
            Class::Gone => Err(refusal(Class::FolderGone, request.name(), &message)),
            class => Err(refusal(class, request.name(), &message)),
        }
    }
}
