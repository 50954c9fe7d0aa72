//! What files are read, and how.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use super::desk::Desk;
use super::fault::error;
use super::inner::Inner;
use super::mbox::MboxQuoting;
use super::room::Room;
use super::{FileSource, from_line};
use crate::error::{Error, Result, codes};
use crate::message::MessageLimits;

/// How mails are kept in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileFormat {
    /// A directory of `.eml` files, or one file of any name that is a mail.
    Eml,
    /// One mbox file (RFC 4155).
    Mbox,
    /// A Maildir: a directory with `cur` and `new`.
    Maildir,
}

/// Builds a [`FileSource`].
#[derive(Clone)]
pub struct FileSourceBuilder {
    path: PathBuf,
    format: Option<FileFormat>,
    recursive: bool,
    quoting: MboxQuoting,
    move_to: Option<PathBuf>,
    most_bytes: u64,
}

impl FileSource {
    /// Begins with the directory or file that holds the mail.
    pub fn builder(path: impl Into<PathBuf>) -> FileSourceBuilder {
        FileSourceBuilder {
            path: path.into(),
            format: None,
            recursive: false,
            quoting: MboxQuoting::default(),
            move_to: None,
            most_bytes: MessageLimits::default().message_bytes,
        }
    }
}

impl FileSourceBuilder {
    /// The format; by itself it is found out: a directory with `cur` and `new` is a Maildir, any other one holds `.eml`
    /// files; a file that begins with a separator is an mbox file, any other one a mail.
    #[must_use]
    pub fn with_format(mut self, format: FileFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Whether directories below count as well; of a Maildir, its folders (Maildir++). Default false.
    #[must_use]
    pub fn with_recursive(mut self, recursive: bool) -> Self {
        self.recursive = recursive;
        self
    }

    /// How an mbox file is quoted; default [`MboxQuoting::Rd`].
    #[must_use]
    pub fn with_mbox_quoting(mut self, quoting: MboxQuoting) -> Self {
        self.quoting = quoting;
        self
    }

    /// Moves each file to this directory, of a Maildir to this Maildir, once its mail is in the store. It is made where it
    /// does not exist. A name that is taken gets a number; nothing is overwritten.
    ///
    /// On one file system a file gets its new name in one step; to another one it is copied, the copy is made lasting, and
    /// the original goes then.
    #[must_use]
    pub fn with_move_to(mut self, directory: impl Into<PathBuf>) -> Self {
        self.move_to = Some(directory.into());
        self
    }

    /// Bytes of the largest file that is read as one mail; a larger one is set aside unread. Default 150 MiB, as
    /// [`MessageLimits::message_bytes`]. Mails of an mbox file are bounded by the logger's limit alone.
    #[must_use]
    pub fn with_message_bytes(mut self, most: u64) -> Self {
        self.most_bytes = most;
        self
    }

    /// Looks at the place and starts the thread that reads it.
    ///
    /// # Errors
    ///
    /// `NotFound` (`source.folder_not_found`) or `PermissionDenied` (`files.permission`) for the place; `Config`: the place
    /// is not in the format (`files.format`), mails of an mbox file cannot be moved, or the place to move to is no
    /// directory (`config.invalid`), or files would be moved to where they are (`setup.queue_equals_storage`).
    pub fn build(self) -> Result<FileSource> {
        let failed = |cause| error("FileSourceBuilder::build", cause);
        let path = self.path.canonicalize().map_err(failed)?;
        let format = match self.format {
            Some(format) => format,
            None => found_out(&path).map_err(failed)?,
        };
        let move_to = self
            .move_to
            .as_deref()
            .map(settled)
            .transpose()
            .map_err(failed)?;
        if move_to.as_ref() == Some(&path) {
            return Err(Error::new(
                &codes::SETUP_QUEUE_EQUALS_STORAGE,
                "FileSourceBuilder::build",
            ));
        }
        if format == FileFormat::Mbox && move_to.is_some() {
            return Err(
                Error::new(&codes::CONFIG_INVALID, "FileSourceBuilder::build")
                    .with_detail("mails of an mbox file cannot be moved one by one"),
            );
        }
        if move_to
            .as_ref()
            .is_some_and(|place| place.exists() && !place.is_dir())
        {
            return Err(
                Error::new(&codes::CONFIG_INVALID, "FileSourceBuilder::build")
                    .with_detail("the place to move to is no directory"),
            );
        }
        let queue = room(path, format, self.recursive, move_to.as_ref())?;
        let inner = Inner {
            queue,
            move_to,
            most_bytes: self.most_bytes,
            quoting: self.quoting,
            passed_over: AtomicU64::new(0),
            known: Mutex::new(BTreeMap::new()),
        };
        Ok(FileSource {
            inner: Arc::new(inner),
            desk: Arc::new(Desk::start().map_err(failed)?),
        })
    }
}

impl fmt::Debug for FileSourceBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileSourceBuilder")
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

fn room(
    path: PathBuf,
    format: FileFormat,
    recursive: bool,
    move_to: Option<&PathBuf>,
) -> Result<Room> {
    let wrong = || Error::new(&codes::FILES_FORMAT, "FileSourceBuilder::build");
    let failed = |cause| error("FileSourceBuilder::build", cause);
    match format {
        FileFormat::Eml if path.is_dir() => Ok(Room::Eml {
            dir: path,
            only: None,
            recursive,
            except: move_to.cloned(),
        }),
        FileFormat::Eml => {
            let (Some(dir), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(wrong());
            };
            Ok(Room::Eml {
                dir: dir.to_owned(),
                only: Some(name.into()),
                recursive: false,
                except: None,
            })
        }
        FileFormat::Maildir if is_maildir(&path) => Ok(Room::Maildir {
            dir: path,
            recursive,
        }),
        FileFormat::Mbox if path.is_file() && is_mbox(&path).map_err(failed)? => {
            Ok(Room::Mbox(path))
        }
        FileFormat::Mbox | FileFormat::Maildir => Err(wrong()),
    }
}

fn found_out(path: &Path) -> std::io::Result<FileFormat> {
    if path.is_dir() {
        return Ok(if is_maildir(path) {
            FileFormat::Maildir
        } else {
            FileFormat::Eml
        });
    }
    let is_mbox = path.is_file() && begins_with_separator(path)?;
    Ok(if is_mbox {
        FileFormat::Mbox
    } else {
        FileFormat::Eml
    })
}

fn is_maildir(path: &Path) -> bool {
    path.join("cur").is_dir() && path.join("new").is_dir()
}

/// Whether a file is one of mails, or an empty one.
fn is_mbox(path: &Path) -> std::io::Result<bool> {
    Ok(path.metadata()?.len() == 0 || begins_with_separator(path)?)
}

/// Mail before the first separator would be nobody's.
fn begins_with_separator(path: &Path) -> std::io::Result<bool> {
    let mut line = Vec::new();
    BufReader::new(File::open(path)?)
        .take(4096)
        .read_until(b'\n', &mut line)?;
    Ok(from_line::date(&line).is_some())
}

/// The path of a directory that need not be there.
fn settled(path: &Path) -> std::io::Result<PathBuf> {
    match path.canonicalize() {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => std::path::absolute(path),
        settled => settled,
    }
}
