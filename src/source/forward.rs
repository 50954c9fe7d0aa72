//! The source's traits through `Arc` and `Box`.

use std::sync::Arc;
use std::time::Duration;

use super::{
    Disposal, FetchSink, Folder, FolderPage, FolderPath, FolderSelector, ItemRef, ListRequest,
    ListedItem, Listing, MailFolders, MailSource, Moved, Removed, Sought, SourceCapabilities,
    Stamped, Wakeup,
};
use crate::error::Result;
use crate::forward::forward;

forward! {
    MailSource {
        fn capabilities(&self) -> SourceCapabilities;
        fn is_own(&self, item: &ItemRef) -> bool;
        fn wait_at_most(&self, longest: Duration);
        fn wait_in_all_at_most(&self, sum: Duration);
        fn asked_to_wait(&self) -> Option<Duration>;
        async fn open_folder(&self, folder: &FolderSelector) -> Result<Folder>;
        async fn list(&self, folder: &Folder, request: ListRequest) -> Result<Listing>;
        async fn fetch(
            &self,
            from: &Folder,
            items: &[ListedItem],
            sink: &mut dyn FetchSink,
        ) -> Result<()>;
        async fn move_to(
            &self,
            from: &Folder,
            items: &[ItemRef],
            to: &Folder,
        ) -> Result<Vec<Moved>>;
        async fn locate(
            &self,
            folder: &Folder,
            sought: &[Sought],
        ) -> Result<Vec<Vec<ItemRef>>>;
        async fn remove(
            &self,
            from: &Folder,
            items: &[ItemRef],
            disposal: Disposal,
        ) -> Result<Vec<Removed>>;
        async fn stamp(&self, from: &Folder, items: &[ItemRef]) -> Result<Vec<Stamped>>;
    }
}

forward! {
    MailFolders {
        async fn children(
            &self,
            parent: &FolderSelector,
            request: ListRequest,
        ) -> Result<FolderPage>;
        async fn create(&self, path: &FolderPath) -> Result<Folder>;
    }
}

forward! {
    Wakeup {
        async fn wait(&self);
    }
}
