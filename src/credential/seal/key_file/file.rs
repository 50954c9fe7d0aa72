//! Opening a key file: made exclusively with mode 0600, and refused where it is a link or open to others.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Seek as _};
use std::path::Path;

use secrecy::zeroize::Zeroizing;

use super::content::{self, Content};
use super::{foreign, unavailable};
use crate::error::{Error, Result, codes};

/// Bytes of a key file: some thousand keys.
pub(super) const LIMIT: u64 = 1 << 20;

/// The file; `None` where there is none.
pub(super) fn open(path: &Path, operation: &'static str) -> Result<Option<File>> {
    let failed = |error| unavailable(error, operation);
    // Looked at before it is opened: opening a pipe would wait for its other end.
    let named = match fs::symlink_metadata(path) {
        Ok(named) => named,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(error)),
    };
    if !named.is_file() {
        return Err(foreign("it is a link or no regular file", operation));
    }
    refuse_open_to_others(&named, operation)?;
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = match file {
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path),
        other => other,
    };
    let file = file.map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    refuse_open_to_others(&opened, operation)?;
    if !is_same(&named, &opened) {
        return Err(foreign("it was exchanged while it was opened", operation));
    }
    Ok(Some(file))
}

/// The file, made if it is not there. Whoever makes it makes it alone; no link is followed.
pub(super) fn open_or_make(path: &Path, operation: &'static str) -> Result<File> {
    match make(path) {
        Ok(file) => Ok(file),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let gone = || unavailable(ErrorKind::NotFound.into(), operation);
            open(path, operation)?.ok_or_else(gone)
        }
        Err(error) => Err(unavailable(error, operation)),
    }
}

/// The keys of a file.
pub(super) fn read(file: &mut File, operation: &'static str) -> Result<Content> {
    let failed = |error| unavailable(error, operation);
    let length = file.metadata().map_err(failed)?.len();
    if length > LIMIT {
        return Err(foreign("it is larger than 1 MiB", operation));
    }
    // Room for all of it, so that the buffer never moves and leaves keys behind.
    let room = usize::try_from(length).unwrap_or_default();
    let mut text = Zeroizing::new(Vec::with_capacity(room));
    file.rewind().map_err(failed)?;
    file.take(length).read_to_end(&mut text).map_err(failed)?;
    content::parse(&text).ok_or_else(|| foreign("its text is not that of a key file", operation))
}

fn refuse_open_to_others(found: &Metadata, operation: &'static str) -> Result<()> {
    if is_open_to_others(found) {
        return Err(Error::new(&codes::CREDENTIAL_FILE_MODE, operation));
    }
    Ok(())
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(0o600);
    options.open(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    options.open(path)
}

#[cfg(unix)]
fn is_open_to_others(found: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    found.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Metadata) -> bool {
    false
}

#[cfg(unix)]
fn is_same(named: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (named.dev(), named.ino()) == (opened.dev(), opened.ino())
}

#[cfg(not(unix))]
fn is_same(_: &Metadata, opened: &Metadata) -> bool {
    opened.is_file()
}

/// Makes the name of a new file last. Only Unix lets a folder be synchronised.
#[cfg(unix)]
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
