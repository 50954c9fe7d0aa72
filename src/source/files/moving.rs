//! Moving one file, so that at every moment the mail is whole in one place at least, and nothing is overwritten.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::fault::{Refusal, refusal};
use super::reading::{is_same, open_regular};

/// Names that are tried where one is taken.
const NAMES: u32 = 10_000;

/// Where a file goes, and what has to reach the disk for it.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub(super) dir: &'a Path,
    /// Where a copy is written first.
    pub(super) temporary: &'a Path,
    /// Whether names have flags behind a colon.
    pub(super) is_maildir: bool,
}

/// Moves a file; answers its new path. The directories whose entries changed are noted.
pub(super) fn move_file(
    from: &Path,
    target: &Target<'_>,
    touched: &mut BTreeSet<PathBuf>,
) -> Result<PathBuf, Refusal> {
    let failed = |cause| refusal("move_to", cause);
    let seen = from.symlink_metadata().map_err(failed)?;
    let name = from.file_name().unwrap_or_default();
    for number in 0..NAMES {
        let to = target.dir.join(numbered(name, number, target.is_maildir));
        match place(from, &seen, &to, target.temporary) {
            Ok(()) => {
                touched.extend(from.parent().map(Path::to_owned));
                touched.insert(target.dir.to_owned());
                return Ok(to);
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound && from.exists() => {
                // It is the target that is missing, and that is no word about the mail.
                return Err(failed(io::Error::other(error)));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(failed(io::Error::other("every name is taken")))
}

/// Gives a file its new name, or puts a copy there. `AlreadyExists` where the name is another file's.
fn place(from: &Path, seen: &Metadata, to: &Path, temporary: &Path) -> io::Result<()> {
    match fs::hard_link(from, to) {
        Ok(()) => take_away(from, to),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            // The other half of a move that was cut off.
            let half = to
                .symlink_metadata()
                .is_ok_and(|there| is_same(seen, &there));
            if half {
                fs::remove_file(from)
            } else {
                Err(error)
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        Err(error) if error.kind() == io::ErrorKind::CrossesDevices => copy(from, to, temporary),
        // A file system without links, or one that forbids them.
        Err(_) => rename(from, to),
    }
}

/// The old name goes; where it cannot, the new one goes again.
fn take_away(from: &Path, to: &Path) -> io::Result<()> {
    fs::remove_file(from).inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

/// What stands in a name that is reserved, so that one that was left behind is known again.
const RESERVED: &[u8] = b"The name of a mail that email logging moves here.\n";

fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match rename_to_nothing(from, to) {
        Some(Err(error)) if error.kind() == io::ErrorKind::AlreadyExists && is_reserved(to) => {
            fs::rename(from, to)
        }
        Some(renamed) => renamed,
        None => rename_to_reserved(from, to),
    }
}

/// A rename that replaces nothing, where the system and the file system have it.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn rename_to_nothing(from: &Path, to: &Path) -> Option<io::Result<()>> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => None,
        renamed => Some(renamed.map_err(io::Error::from)),
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn rename_to_nothing(_: &Path, _: &Path) -> Option<io::Result<()>> {
    None
}

/// A name is reserved first: a plain rename replaces what is there. A reservation that a killed process left is taken over.
fn rename_to_reserved(from: &Path, to: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(to) {
        Ok(mut reserved) => reserved.write_all(RESERVED)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && is_reserved(to) => {}
        Err(error) => return Err(error),
    }
    let renamed = fs::rename(from, to);
    renamed.inspect_err(|_| {
        let _ = fs::remove_file(to);
    })
}

/// Whether a file is a reservation, and no mail.
fn is_reserved(path: &Path) -> bool {
    let Ok((file, metadata)) = open_regular(path) else {
        return false;
    };
    let mut read = Vec::new();
    let most = RESERVED.len() as u64;
    metadata.len() == most
        && file.take(most).read_to_end(&mut read).is_ok()
        && read.as_slice() == RESERVED
}

/// To another file system: a copy under a temporary name, on the disk before the original goes.
fn copy(from: &Path, to: &Path, temporary: &Path) -> io::Result<()> {
    if to.symlink_metadata().is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let mut name = OsString::from(".");
    name.push(to.file_name().unwrap_or_default());
    name.push(".part");
    let part = temporary.join(name);
    write_copy(from, &part).inspect_err(|_| {
        let _ = fs::remove_file(&part);
    })?;
    let placed = fs::hard_link(&part, to).or_else(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Err(error),
        _ => rename(&part, to),
    });
    let _ = fs::remove_file(&part);
    placed?;
    sync(to.parent())?;
    take_away(from, to)
}

fn write_copy(from: &Path, part: &Path) -> io::Result<()> {
    // The name is this program's own: what has it is left of a copy that was cut off.
    match fs::remove_file(part) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let (mut source, metadata) = open_regular(from).map_err(|_| io::Error::other("it changed"))?;
    let mut copy = OpenOptions::new().write(true).create_new(true).open(part)?;
    let copied = io::copy(&mut source, &mut copy)?;
    if copied != metadata.len() {
        return Err(io::Error::other("it changed while it was copied"));
    }
    if let Ok(at) = metadata.modified() {
        copy.set_times(FileTimes::new().set_modified(at))?;
    }
    copy.set_permissions(metadata.permissions())?;
    copy.sync_all()
}

/// Makes a directory's entries last.
pub(super) fn sync(dir: Option<&Path>) -> io::Result<()> {
    match dir {
        #[cfg(unix)]
        Some(dir) => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// The name with a number before its extension or, in a Maildir, before its flags. Mail that leaves `new` gets flags, if
/// none; those that it has stay.
fn numbered(name: &OsStr, number: u32, is_maildir: bool) -> OsString {
    let bytes = name.as_encoded_bytes();
    let flags = is_maildir && bytes.windows(3).any(|it| it == b":2,");
    let mut numbered = OsString::new();
    if !is_maildir {
        let path = Path::new(name);
        numbered.push(path.file_stem().unwrap_or(name));
        if number > 0 {
            numbered.push(format!("-{number}"));
        }
        if let Some(extension) = path.extension() {
            numbered.push(".");
            numbered.push(extension);
        }
        return numbered;
    }
    if number > 0 {
        // A Maildir name begins with its time: the number stands behind the unique part.
        numbered.push(with_number(name, number, flags));
    } else {
        numbered.push(name);
    }
    if !flags {
        numbered.push(":2,");
    }
    numbered
}

#[cfg(unix)]
fn with_number(name: &OsStr, number: u32, flags: bool) -> OsString {
    use std::os::unix::ffi::OsStrExt as _;
    let bytes = name.as_bytes();
    let end = bytes
        .windows(3)
        .position(|it| it == b":2,")
        .filter(|_| flags);
    let (unique, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let mut numbered = OsStr::from_bytes(unique).to_owned();
    numbered.push(format!("-{number}"));
    numbered.push(OsStr::from_bytes(rest));
    numbered
}

/// No Maildir has a colon in its names there.
#[cfg(not(unix))]
fn with_number(name: &OsStr, number: u32, _flags: bool) -> OsString {
    let mut numbered = name.to_owned();
    numbered.push(format!("-{number}"));
    numbered
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_before_the_extension_or_the_flags() {
        let name = |name: &str, number, is_maildir| {
            numbered(OsStr::new(name), number, is_maildir)
                .into_string()
                .unwrap()
        };
        assert_eq!(name("a.b.eml", 0, false), "a.b.eml");
        assert_eq!(name("a.b.eml", 2, false), "a.b-2.eml");
        assert_eq!(name("17.M1P2.host", 0, true), "17.M1P2.host:2,");
        assert_eq!(name("17.M1P2.host:2,FS", 0, true), "17.M1P2.host:2,FS");
        assert_eq!(name("17.M1P2.host:2,FS", 1, true), "17.M1P2.host-1:2,FS");
        assert_eq!(name("17.M1P2.host", 1, true), "17.M1P2.host-1:2,");
    }

    #[test]
    fn a_copy_to_another_file_system_is_whole_and_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a.eml"), dir.path().join("b.eml"));
        fs::write(&from, b"one").unwrap();
        fs::write(&to, b"two").unwrap();
        let taken = copy(&from, &to, dir.path()).unwrap_err();
        assert_eq!(taken.kind(), io::ErrorKind::AlreadyExists);
        fs::remove_file(&to).unwrap();
        fs::write(dir.path().join(".b.eml.part"), b"left of a copy").unwrap();
        let written = from.metadata().unwrap().modified().unwrap();
        copy(&from, &to, dir.path()).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"one");
        assert_eq!(to.metadata().unwrap().modified().unwrap(), written);
        assert_eq!(dir.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_rename_where_there_are_no_links_replaces_nothing() {
        for rename in [rename, rename_to_reserved] {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("a.eml"), dir.path().join("b.eml"));
            fs::write(&from, b"one").unwrap();
            for there in [&b"two"[..], b""] {
                fs::write(&to, there).unwrap();
                assert_eq!(
                    rename(&from, &to).unwrap_err().kind(),
                    io::ErrorKind::AlreadyExists
                );
                assert_eq!(fs::read(&to).unwrap(), there);
            }
            fs::remove_file(&to).unwrap();
            rename(&from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"one");
            assert!(!from.exists());
        }
    }

    #[test]
    fn a_name_that_a_killed_process_had_reserved_is_used() {
        for rename in [rename, rename_to_reserved] {
            let dir = tempfile::tempdir().unwrap();
            let (from, to) = (dir.path().join("a.eml"), dir.path().join("b.eml"));
            fs::write(&from, b"one").unwrap();
            fs::write(&to, RESERVED).unwrap();
            rename(&from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"one");
            assert_eq!(dir.path().read_dir().unwrap().count(), 1);
        }
    }

    #[test]
    fn a_move_that_was_cut_off_between_two_names_is_finished() {
        let dir = tempfile::tempdir().unwrap();
        let (from, below) = (dir.path().join("a.eml"), dir.path().join("done"));
        fs::create_dir(&below).unwrap();
        fs::write(&from, b"one").unwrap();
        fs::hard_link(&from, below.join("a.eml")).unwrap();
        let target = Target {
            dir: &below,
            temporary: &below,
            is_maildir: false,
        };
        let mut touched = BTreeSet::new();
        let Ok(to) = move_file(&from, &target, &mut touched) else {
            panic!("it failed")
        };
        assert_eq!((to, from.exists()), (below.join("a.eml"), false));
        assert_eq!(below.read_dir().unwrap().count(), 1);
    }
}
