//! What the validation of a set-up asks: whether and as what the server answers, and what an account may do and has room for.

use jiff::Timestamp;

use super::EwsSource;
use super::answer::read_room;
use super::codes::Class;
use super::folders::{folder_ref, refusal};
use super::request::{ActingFor, FolderRef, GetFolder, GetRoom, Request, Selection};
use super::routes::Place;
use super::soap::Tree;
use crate::error::{ErrorKind, Result};
use crate::source::{Folder, FolderRights, ListRequest};

/// What a server says of itself in an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// Its clock (`Date`, RFC 9110, 6.6.1).
    pub(crate) date: Option<Timestamp>,
    /// Its version, as four numbers (Microsoft reference, `ServerVersionInfo`).
    pub(crate) version: Option<String>,
    /// Whether it is Exchange Online.
    pub(crate) online: bool,
}

impl EwsSource {
    /// Reads the top of the mailbox's folders, and what the server says of itself along with it.
    pub(crate) async fn greet(&self) -> Result<Greeting> {
        let _slot = self.slot().await?;
        let folder = self.top("msgfolderroot");
        let request = GetFolder { folder: &folder };
        let mut tree = Tree::default();
        let (message, mut greeting) = self.session().greeted(&request, &mut tree).await?;
        greeting.online = self.session().url.is_exchange_online();
        match message.class() {
            Class::Fine => Ok(greeting),
            Class::Gone => Err(refusal(Class::FolderGone, request.name(), &message)),
            class => Err(refusal(class, request.name(), &message)),
        }
    }

    /// Whether the inbox of another mailbox can be read; `None` where there is no such mailbox. Nothing in it is looked at.
    pub(crate) async fn reads_inbox(&self, smtp: &str, as_owner: bool) -> Result<Option<bool>> {
        let _slot = self.slot().await?;
        let of = (!as_owner).then(|| smtp.to_owned());
        let folder = FolderRef::Distinguished("inbox", of);
        let request = GetFolder { folder: &folder };
        let acting = ActingFor::new(&request, smtp, as_owner)?;
        let mut tree = Tree::default();
        let asked = self.session().ask(&acting, &mut tree).await;
        let message = match asked {
            Ok(message) => message,
            // Whom one may act for is refused in a fault, too.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(Some(false)),
            Err(error) => return Err(error),
        };
        Ok(match message.class() {
            Class::Fine => Some(true),
            Class::Denied | Class::Impersonation | Class::Gone | Class::FolderGone => Some(false),
            Class::Mailbox | Class::Unlicensed => None,
            class => return Err(refusal(class, request.name(), &message)),
        })
    }

    /// What the account may do in a folder.
    pub(crate) async fn rights_in(&self, folder: &Folder) -> Result<Option<FolderRights>> {
        let _slot = self.slot().await?;
        let id = folder_ref(folder);
        let request = GetFolder { folder: &id };
        let answered = self.folders(&request, Place::Content(folder)).await?;
        Ok(answered.into_folder().and_then(|folder| folder.rights))
    }

    /// Bytes that are taken and that may be, where the server tells them: of a public folder itself, else of the mailbox.
    pub(crate) async fn room_of(&self, folder: &Folder) -> Result<Option<(u64, Option<u64>)>> {
        let _slot = self.slot().await?;
        let id = if folder.public {
            folder_ref(folder)
        } else {
            self.top("root")
        };
        let request = GetRoom { folder: &id };
        let mut tree = Tree::default();
        let asked = self.ask_at(&request, Place::Content(folder), &mut tree);
        let message = asked.await?;
        Ok(match message.class() {
            Class::Fine => read_room(&tree),
            // Not everybody may see the root of a mailbox, and not every server keeps the numbers there.
            _ => None,
        })
    }

    /// When the newest item of a folder was received.
    pub(crate) async fn newest_in(&self, folder: &Folder) -> Result<Option<Timestamp>> {
        let _slot = self.slot().await?;
        let page = ListRequest::new(0, 1);
        let (listing, _) = self.find_items(folder, page, Selection::Newest).await?;
        Ok(listing.items.first().and_then(|item| item.received))
    }

    fn top(&self, name: &'static str) -> FolderRef {
        FolderRef::Distinguished(name, self.inner.mailbox.clone())
    }
}
