//! Folders: how a person names one, how a server identifies one.

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, codes};

/// A server's id of a folder. Opaque; it does not change when the folder is renamed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderId(String);

impl FolderId {
    /// The id with this text, taken as it is.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text of the id.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum FolderRoot {
    /// The public folders.
    PublicFolders,
    /// The top of the mailbox's own folders (`msgfolderroot`).
    Mailbox,
    /// The Inbox.
    Inbox,
    /// The folder named Archive that Exchange Online makes for a mailbox; not the archive mailbox.
    Archive,
}

impl FolderRoot {
    /// The word before the colon of a path.
    pub fn code(&self) -> &'static str {
        match self {
            Self::PublicFolders => "public",
            Self::Mailbox => "mailbox",
            Self::Inbox => "inbox",
            Self::Archive => "archive",
        }
    }
}

/// The path of a folder, from its root, segment by segment.
///
/// As text: `\Email Logging\Queue\` is a public folder, as Business Central writes it; `mailbox:\Logging`, `inbox:` and
/// `inbox:\Queue` are folders of a mailbox. A segment that holds a backslash is given with [`FolderPath::new`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FolderPath {
    root: FolderRoot,
    segments: Vec<String>,
}

impl FolderPath {
    /// A path of whole segments. Empty segments are left out.
    pub fn new<S: Into<String>>(root: FolderRoot, segments: impl IntoIterator<Item = S>) -> Self {
        let segments = segments.into_iter().map(Into::into);
        Self {
            root,
            segments: segments
                .filter(|segment: &String| !segment.is_empty())
                .collect(),
        }
    }

    /// Where it begins.
    pub fn root(&self) -> &FolderRoot {
        &self.root
    }

    /// Its segments, outermost first.
    pub fn segments(&self) -> &[String] {
        &self.segments
    }
}

impl FromStr for FolderPath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::new(&codes::CONFIG_INVALID, "FolderPath::from_str");
        if text.chars().count() > 250 {
            return Err(invalid().with_detail("a folder path has at most 250 characters"));
        }
        let (root, rest) = match text.split_once(':') {
            Some(("public", rest)) => (FolderRoot::PublicFolders, rest),
            Some(("mailbox", rest)) => (FolderRoot::Mailbox, rest),
            Some(("inbox", rest)) => (FolderRoot::Inbox, rest),
            Some(("archive", rest)) => (FolderRoot::Archive, rest),
            _ if text.starts_with('\\') => (FolderRoot::PublicFolders, text),
            _ => return Err(invalid().with_detail("a folder path starts with \\ or with its root")),
        };
        let path = Self::new(root, rest.split('\\').map(str::trim));
        if path.segments.is_empty() && path.root == FolderRoot::PublicFolders {
            return Err(invalid().with_detail("the root of the public folders holds no mail"));
        }
        Ok(path)
    }
}

impl fmt::Display for FolderPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.root != FolderRoot::PublicFolders {
            write!(f, "{}:", self.root.code())?;
        }
        for segment in &self.segments {
            write!(f, "\\{segment}")?;
        }
        if self.segments.is_empty() {
            Ok(())
        } else {
            f.write_str("\\")
        }
    }
}

/// How a folder is chosen.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FolderSelector {
    /// By its path, which is walked segment by segment.
    Path(FolderPath),
    /// By the id that the server gave it, with the path for people.
    Id(FolderId, Option<FolderPath>),
}

impl From<FolderPath> for FolderSelector {
    fn from(path: FolderPath) -> Self {
        Self::Path(path)
    }
}

/// An open folder.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Folder {
    /// The server's id.
    pub id: FolderId,
    /// The path, where it is known.
    pub path: Option<FolderPath>,
    /// The display name, where it is known.
    pub name: Option<String>,
    /// Whether it lies in the public folders, where known: deletion and routing differ there.
    pub public: bool,
    /// What the account may do there, where it is known.
    pub rights: Option<FolderRights>,
    /// How many folders are right below, where it is known.
    pub child_folders: Option<u32>,
    /// The folder class, such as `IPF.Note`; empty for mail.
    pub class: Option<String>,
}

impl Folder {
    /// A folder of which only the id is known.
    pub fn new(id: FolderId) -> Self {
        Self {
            id,
            path: None,
            name: None,
            public: false,
            rights: None,
            child_folders: None,
            class: None,
        }
    }
}

/// What the account may do in a folder (EWS `EffectiveRights`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // the protocol's own list of yes and no
pub struct FolderRights {
    /// Create items.
    pub create_contents: bool,
    /// Create folders.
    pub create_hierarchy: bool,
    /// Delete.
    pub delete: bool,
    /// Change.
    pub modify: bool,
    /// Read.
    pub read: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_written_as_business_central_writes_it() {
        let path: FolderPath = r"\Email Logging\Queue\".parse().unwrap();
        assert_eq!(path.root(), &FolderRoot::PublicFolders);
        assert_eq!(path.segments(), ["Email Logging", "Queue"]);
        assert_eq!(path.to_string(), r"\Email Logging\Queue\");
        for text in ["inbox:", r"mailbox:\Logging\Done\", r"archive:\2026\"] {
            assert_eq!(text.parse::<FolderPath>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_names_no_folder_is_refused() {
        for text in [
            "",
            "\\",
            "public:",
            "Queue",
            "C:\\Queue",
            &format!("\\{}", "a".repeat(250)),
        ] {
            assert_eq!(
                text.parse::<FolderPath>().unwrap_err().code(),
                "config.invalid",
                "{text}"
            );
        }
    }
}
