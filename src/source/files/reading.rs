//! One mail on its way from the disk: opened, read in chunks, hashed on the way.

use std::fs::{File, Metadata};
use std::io::{self, BufRead, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use blake3::Hasher;
use jiff::Timestamp;

use super::fault::{Refusal, refusal};
use super::header::Peek;
use super::mbox::{CHUNK_BYTES, MboxQuoting, Splitter};
use super::room::{modified, version};
use crate::error::{Error, codes};

/// What is known of a mail once it was read.
#[derive(Debug, Clone)]
pub(super) struct Survey {
    /// BLAKE3 of its bytes.
    pub(super) digest: [u8; 32],
    pub(super) size: u64,
    pub(super) received: Option<Timestamp>,
}

/// A mail that is being read.
#[derive(Debug)]
pub(super) struct Reading {
    bytes: Bytes,
    hasher: Hasher,
    size: u64,
    peek: Peek,
    /// When it was written or delivered, where the mail itself does not tell when it was received.
    otherwise: Option<Timestamp>,
    /// The state of the file when it was opened.
    version: Option<String>,
}

#[derive(Debug)]
enum Bytes {
    Whole(File),
    Between(Box<Splitter<BufReader<File>>>),
}

impl Reading {
    /// Opens a file that is one mail.
    pub(super) fn of_file(path: &Path, most: u64) -> Result<(Self, Metadata), Refusal> {
        let (file, metadata) = open_regular(path)?;
        if metadata.len() == 0 {
            return Err(Error::new(&codes::FILES_EMPTY, "fetch").into());
        }
        if metadata.len() > most {
            return Err(Error::new(&codes::MIME_TOO_LARGE, "fetch").into());
        }
        let written = Timestamp::from_nanosecond(modified(&metadata)).ok();
        let mut reading = Self::new(Bytes::Whole(file), written);
        reading.version = Some(version(&metadata));
        Ok((reading, metadata))
    }

    /// Opens a mail of an mbox file by the offset of its separator.
    pub(super) fn of_mail(path: &Path, offset: u64, quoting: MboxQuoting) -> Result<Self, Refusal> {
        let failed = |cause| refusal("fetch", cause);
        let (mut file, metadata) = open_regular(path)?;
        if offset >= metadata.len() {
            return Err(Refusal::Gone);
        }
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut splitter =
            Splitter::new(BufReader::with_capacity(CHUNK_BYTES, file), offset, quoting);
        match splitter.next_mail().map_err(failed)? {
            Some(separator) if separator.offset == offset => Ok(Self::new(
                Bytes::Between(Box::new(splitter)),
                separator.date,
            )),
            _ => Err(Refusal::Gone),
        }
    }

    fn new(bytes: Bytes, otherwise: Option<Timestamp>) -> Self {
        Self {
            bytes,
            hasher: Hasher::new(),
            size: 0,
            peek: Peek::default(),
            otherwise,
            version: None,
        }
    }

    /// The next chunk, and whether more may follow.
    pub(super) fn next(&mut self) -> io::Result<(Vec<u8>, bool)> {
        let mut chunk = Vec::new();
        let more = match &mut self.bytes {
            Bytes::Whole(file) => {
                let most = CHUNK_BYTES as u64;
                file.by_ref().take(most).read_to_end(&mut chunk)? as u64 == most
            }
            Bytes::Between(splitter) => splitter.read(&mut chunk)?,
        };
        self.hasher.update(&chunk);
        self.peek.push(&chunk);
        self.size += chunk.len() as u64;
        Ok((chunk, more))
    }

    /// What was read, once all was.
    pub(super) fn survey(&self) -> Result<Survey, Error> {
        if let (Bytes::Whole(file), Some(before)) = (&self.bytes, &self.version) {
            let now = file.metadata().map(|metadata| version(&metadata));
            if now.is_ok_and(|now| now != *before) {
                return Err(Error::new(&codes::FILES_CHANGED, "fetch"));
            }
        }
        Ok(Survey {
            digest: *self.hasher.finalize().as_bytes(),
            size: self.size,
            received: self.peek.received(self.otherwise),
        })
    }
}

/// Reads a file that is one mail to its end.
pub(super) fn survey(path: &Path, most: u64) -> Result<(Survey, Metadata), Refusal> {
    let (mut reading, metadata) = Reading::of_file(path, most)?;
    while reading.next().map_err(|cause| refusal("list", cause))?.1 {}
    Ok((reading.survey()?, metadata))
}

/// Reads the mail that a splitter stands at to its end.
pub(super) fn survey_of<R: BufRead>(
    splitter: &mut Splitter<R>,
    date: Option<Timestamp>,
) -> io::Result<Survey> {
    let (mut hasher, mut peek, mut size) = (Hasher::new(), Peek::default(), 0);
    let mut chunk = Vec::new();
    loop {
        chunk.clear();
        let more = splitter.read(&mut chunk)?;
        hasher.update(&chunk);
        peek.push(&chunk);
        size += chunk.len() as u64;
        if !more {
            break;
        }
    }
    Ok(Survey {
        digest: *hasher.finalize().as_bytes(),
        size,
        received: peek.received(date),
    })
}

/// Opens a file if it is a regular one, and the one that was looked at.
pub(super) fn open_regular(path: &Path) -> Result<(File, Metadata), Refusal> {
    let failed = |cause| refusal("fetch", cause);
    let seen = path.symlink_metadata().map_err(failed)?;
    if seen.is_dir() {
        // One that can be read holds no mail under this name; one that cannot says why.
        path.read_dir().map_err(failed)?;
    }
    let irregular = || Refusal::Failed(Error::new(&codes::FILES_NOT_REGULAR, "fetch"));
    if !seen.is_file() {
        return Err(irregular());
    }
    let file = open_without_waiting(path).map_err(failed)?;
    let opened = file.metadata().map_err(failed)?;
    if !opened.is_file() || !is_same(&seen, &opened) {
        return Err(irregular());
    }
    Ok((file, opened))
}

/// What was put in the place of the file meanwhile may be a pipe, of which a plain opening waits for a writer, or a link.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use rustix::fs::{Mode, OFlags};
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

#[cfg(unix)]
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// Without a file's number, nothing tells two equal files apart.
#[cfg(not(unix))]
pub(super) fn is_same(one: &Metadata, other: &Metadata) -> bool {
    version(one) == version(other)
}

#[cfg(all(test, unix))]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_in_the_place_of_a_file_is_not_waited_for_and_a_link_is_not_followed() {
        let home = tempfile::tempdir().unwrap();
        let (pipe, file) = (home.path().join("pipe.eml"), home.path().join("a.eml"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let opened = open_without_waiting(&pipe).unwrap();
        assert!(!opened.metadata().unwrap().is_file());
        assert!(open_regular(&pipe).is_err());
        std::fs::write(&file, "Subject: x\r\n\r\n").unwrap();
        let link = home.path().join("link.eml");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(open_without_waiting(&link).is_err());
        let (mut opened, _) = open_regular(&file).unwrap();
        let mut text = String::new();
        opened.read_to_string(&mut text).unwrap();
        assert_eq!(text, "Subject: x\r\n\r\n");
    }
}
