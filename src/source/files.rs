//! Mail from files: a directory of .eml files, an mbox file, a Maildir.
//!
//! The files are its queue folder. They are never changed; a file is moved only where the host says where to. Reading and
//! moving is done by a thread of its own. It must not know the logger, a store or any other source.

mod builder;
mod desk;
mod fault;
mod folders;
mod from_line;
mod header;
mod inner;
mod mbox;
mod moving;
mod name;
mod operations;
mod reading;
mod room;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use self::desk::Desk;
use self::inner::Inner;
use self::room::Room;
use super::{FolderPath, FolderRoot};

pub use builder::{FileFormat, FileSourceBuilder};
pub use mbox::MboxQuoting;

/// The id of the folder that the files are.
const INBOX: &str = "inbox";

/// The id of the folder that files are moved to.
const ARCHIVE: &str = "archive";

/// Mail from files. Clones share what is known of the files.
///
/// Build it with [`FileSource::builder`]. Its queue folder is [`queue_folder`](Self::queue_folder), its storage folder
/// [`storage_folder`](Self::storage_folder). Without a place to move to it says so in its capabilities: a mail is done
/// with its commit, stays where it lies, and is passed over from then on.
///
/// * **Key.** A mail's key is the digest of its bytes ([`SightingKey::Content`](super::SightingKey::Content)): a file that
///   was renamed, moved or copied, or whose mail comes again in an mbox file, is known. Two files with the same bytes are
///   two items under one key, as a copy in Exchange is. Listing reads each file once; so does fetching, which compares.
/// * **Order.** Files by the time at which they were written, Maildir files by the time in their name, mails of an mbox
///   file as they stand.
/// * **Received.** As the topmost `Received` of the mail says; else as the separator in the mbox file; else when the file
///   was written, unless the mail was sent more than a day later. When it was sent, its `Date` says.
/// * **What is not read.** Links below the given place, pipes and devices; files without the extension `.eml`; in a Maildir
///   `tmp` and hidden files. [`passed_over`](Self::passed_over) counts them. A file that cannot be read is one failed item.
/// * **mbox.** One level of quoting is taken off ([`MboxQuoting`]). A mail that did not end with an end of line has one: the
///   format cannot tell. Separators without a date are text.
/// * **Names.** An item's id is its path with all but plain characters escaped. Errors name no file.
#[derive(Clone)]
pub struct FileSource {
    inner: Arc<Inner>,
    desk: Arc<Desk>,
}

impl FileSource {
    /// The folder that the files are: `inbox:`.
    pub fn queue_folder() -> FolderPath {
        FolderPath::new(FolderRoot::Inbox, [""; 0])
    }

    /// The folder that files are moved to: `archive:`. Folders below it are directories below that place.
    pub fn storage_folder() -> FolderPath {
        FolderPath::new(FolderRoot::Archive, [""; 0])
    }

    /// In which format the files are.
    pub fn format(&self) -> FileFormat {
        match self.inner.queue {
            Room::Mbox(_) => FileFormat::Mbox,
            Room::Maildir { .. } => FileFormat::Maildir,
            Room::Eml { .. } | Room::Nowhere => FileFormat::Eml,
        }
    }

    /// How many files the last listing passed over because they are no mail by their name, links, pipes or devices.
    pub fn passed_over(&self) -> u64 {
        self.inner.passed_over.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for FileSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSource")
            .field("format", &self.format())
            .field("moves", &self.inner.move_to.is_some())
            .finish_non_exhaustive()
    }
}
