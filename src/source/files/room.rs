//! What a folder is on the disk, and the files in it. Links are not followed, and pipes and devices are not opened.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{DirEntry, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The place of a folder's mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Room {
    /// A directory with a file per mail.
    Eml {
        dir: PathBuf,
        /// The one file that is meant.
        only: Option<PathBuf>,
        recursive: bool,
        /// A directory below that is another folder.
        except: Option<PathBuf>,
    },
    /// One file with all mails.
    Mbox(PathBuf),
    /// A Maildir: `cur` and `new`; `tmp` is its writers' own.
    Maildir { dir: PathBuf, recursive: bool },
    /// A folder without a place, where nothing is moved to.
    Nowhere,
}

/// The order of files: by time, then by name. The time is in nanoseconds from the epoch.
pub(super) type Ordered = (i128, PathBuf);

/// The files of a room.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) files: BTreeSet<Ordered>,
    /// Files that are no mail by their name, links, pipes and devices.
    pub(super) passed_over: u64,
}

impl Room {
    /// The directory that paths are relative to.
    pub(super) fn dir(&self) -> Option<&Path> {
        match self {
            Self::Eml { dir, .. } | Self::Maildir { dir, .. } => Some(dir),
            Self::Mbox(_) | Self::Nowhere => None,
        }
    }

    /// Looks for its files. A directory below that cannot be read is among them, so that somebody hears of it.
    pub(super) fn walk(&self) -> io::Result<Walked> {
        let mut walked = Walked::default();
        match self {
            Self::Eml {
                dir,
                only: Some(only),
                ..
            } => match dir.join(only).symlink_metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                metadata => {
                    let time = self.time(only, &metadata?);
                    walked.files.insert((time, only.clone()));
                }
            },
            Self::Eml {
                dir,
                recursive,
                except,
                ..
            } => {
                self.walk_tree(dir, *recursive, except.as_deref(), &mut walked)?;
            }
            Self::Maildir { dir, recursive } => {
                dir.read_dir()?;
                self.walk_boxes(dir, *recursive, &mut walked)?;
            }
            Self::Mbox(_) | Self::Nowhere => {}
        }
        Ok(walked)
    }

    fn walk_tree(
        &self,
        root: &Path,
        recursive: bool,
        except: Option<&Path>,
        walked: &mut Walked,
    ) -> io::Result<()> {
        let mut below = vec![PathBuf::new()];
        while let Some(dir) = below.pop() {
            let whole = root.join(&dir);
            let entries = match whole.read_dir() {
                Ok(entries) => entries,
                Err(error) if dir.as_os_str().is_empty() => return Err(error),
                Err(_) => {
                    walked.files.insert((0, dir));
                    continue;
                }
            };
            for entry in entries {
                let entry = entry?;
                let kind = entry.file_type()?;
                let path = dir.join(entry.file_name());
                if kind.is_dir() {
                    if recursive && except != Some(&entry.path()) {
                        below.push(path);
                    }
                } else if kind.is_file() && is_eml(&path) {
                    self.add(&entry, path, walked);
                } else {
                    walked.passed_over += 1;
                }
            }
        }
        Ok(())
    }

    fn walk_boxes(&self, root: &Path, recursive: bool, walked: &mut Walked) -> io::Result<()> {
        let mut boxes = vec![PathBuf::new()];
        if recursive {
            for entry in root.read_dir()? {
                let entry = entry?;
                let is_box = entry.file_name().as_encoded_bytes().starts_with(b".")
                    && entry.file_type()?.is_dir()
                    && entry.path().join("cur").is_dir();
                boxes.extend(is_box.then(|| PathBuf::from(entry.file_name())));
            }
        }
        for place in boxes.iter().flat_map(|it| [it.join("new"), it.join("cur")]) {
            let entries = match root.join(&place).read_dir() {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) => {
                    walked.files.insert((0, place));
                    continue;
                }
            };
            for entry in entries {
                let entry = entry?;
                let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if entry.file_type()?.is_file() && !hidden {
                    self.add(&entry, place.join(entry.file_name()), walked);
                } else {
                    walked.passed_over += 1;
                }
            }
        }
        Ok(())
    }

    /// A file that vanished meanwhile is none.
    fn add(&self, entry: &DirEntry, path: PathBuf, walked: &mut Walked) {
        if let Ok(metadata) = entry.metadata() {
            walked.files.insert((self.time(&path, &metadata), path));
        }
    }

    /// The time that a file is ordered by: when it was delivered, as its name in a Maildir tells, else when it was written.
    pub(super) fn time(&self, path: &Path, metadata: &Metadata) -> i128 {
        let delivered = match self {
            Self::Maildir { .. } => path.file_name().and_then(delivered),
            _ => None,
        };
        delivered.unwrap_or_else(|| modified(metadata))
    }
}

/// Whether a name is that of a mail's file.
fn is_eml(path: &Path) -> bool {
    path.extension()
        .is_some_and(|it| it.eq_ignore_ascii_case("eml"))
}

/// The time at the beginning of a Maildir name: seconds from the epoch.
fn delivered(name: &OsStr) -> Option<i128> {
    let name = name.to_string_lossy();
    let (seconds, _) = name.split_once('.')?;
    let seconds: u32 = seconds.parse().ok()?;
    Some(i128::from(seconds) * 1_000_000_000)
}

/// When a file was written, in nanoseconds from the epoch.
pub(super) fn modified(metadata: &Metadata) -> i128 {
    let nanos = |span: std::time::Duration| i128::try_from(span.as_nanos()).unwrap_or(i128::MAX);
    match metadata.modified().map(|at| at.duration_since(UNIX_EPOCH)) {
        Ok(Ok(after)) => nanos(after),
        Ok(Err(before)) => -nanos(before.duration()),
        Err(_) => 0,
    }
}

/// What tells one state of a file from another, without reading it.
pub(super) fn version(metadata: &Metadata) -> String {
    format!("{}.{}", metadata.len(), modified(metadata))
}
