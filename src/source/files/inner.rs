//! What the thread works on: folders as rooms, listings as snapshots, digests by file. All calls here block.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::fault::{Refusal, error, refusal};
use super::mbox::{CHUNK_BYTES, MboxQuoting, Splitter};
use super::moving::{Target, move_file, sync};
use super::name;
use super::reading::{Reading, Survey, open_regular, survey, survey_of};
use super::room::{Ordered, Room, version};
use super::{ARCHIVE, INBOX};
use crate::error::{Error, Result, codes};
use crate::source::{
    FolderId, ItemRef, ListRequest, ListedItem, Listing, Moved, SightingKey, Sought,
};

/// The folders and what is known of them.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) queue: Room,
    /// Where mail is moved to; a directory like the queue's.
    pub(super) move_to: Option<PathBuf>,
    pub(super) most_bytes: u64,
    pub(super) quoting: MboxQuoting,
    pub(super) passed_over: AtomicU64,
    pub(super) known: Mutex<BTreeMap<String, Known>>,
}

/// What is known of one folder.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Its files as they were listed from the beginning, without those that were moved since.
    files: Option<BTreeSet<Ordered>>,
    /// Its mails, where one file has them all, with the state of the file.
    mails: Option<(String, Vec<(u64, Survey)>)>,
    /// Files that were read, with their state then.
    surveys: BTreeMap<PathBuf, (String, Survey)>,
}

impl Inner {
    /// The room of a folder.
    pub(super) fn room(&self, folder: &FolderId) -> Option<Room> {
        if folder.as_str() == INBOX {
            return Some(self.queue.clone());
        }
        let below = folder.as_str().strip_prefix(ARCHIVE)?;
        let dir = match (&self.move_to, below.strip_prefix('/')) {
            (None, None) if below.is_empty() => return Some(Room::Nowhere),
            (Some(dir), None) if below.is_empty() => dir.clone(),
            (Some(dir), Some(below)) => dir.join(name::decode(below)?),
            _ => return None,
        };
        Some(match self.queue {
            Room::Maildir { .. } => Room::Maildir {
                dir,
                recursive: false,
            },
            _ => Room::Eml {
                dir,
                only: None,
                recursive: false,
                except: None,
            },
        })
    }

    fn existing(&self, folder: &FolderId, operation: &'static str) -> Result<Room> {
        let missing = || Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, operation);
        self.room(folder).ok_or_else(missing)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with_known<T>(&self, folder: &FolderId, work: impl FnOnce(&mut Known) -> T) -> T {
        let mut known = self.known();
        work(known.entry(folder.as_str().to_owned()).or_default())
    }

    pub(super) fn list(&self, folder: &FolderId, request: ListRequest) -> Result<Listing> {
        let room = self.existing(folder, "list")?;
        let (offset, limit) = (request.offset as usize, request.limit as usize);
        if let Room::Mbox(path) = &room {
            return self.list_mbox(folder, path, offset, limit);
        }
        let fresh = self.with_known(folder, |known| known.files.is_some()) && offset > 0;
        if !fresh {
            let files = self.walk(folder, &room, "list")?;
            self.with_known(folder, |known| known.files = Some(files));
        }
        let (page, total) = self.with_known(folder, |known| {
            let files = known.files.get_or_insert_default();
            let page: Vec<PathBuf> = files
                .iter()
                .skip(offset)
                .take(limit)
                .map(|(_, path)| path.clone())
                .collect();
            (page, files.len())
        });
        let complete = offset + page.len() >= total;
        let items = page.iter().map(|path| self.listed(folder, &room, path));
        Ok(Listing::new(items.collect(), Some(total as u64), complete))
    }

    /// The files of a room. A place for moved mail that is not there yet is empty.
    fn walk(
        &self,
        folder: &FolderId,
        room: &Room,
        operation: &'static str,
    ) -> Result<BTreeSet<Ordered>> {
        let walked = match room.walk() {
            Err(cause)
                if cause.kind() == std::io::ErrorKind::NotFound && folder.as_str() == ARCHIVE =>
            {
                return Ok(BTreeSet::new());
            }
            walked => walked.map_err(|cause| error(operation, cause))?,
        };
        if folder.as_str() == INBOX {
            self.passed_over
                .store(walked.passed_over, Ordering::Relaxed);
        }
        Ok(walked.files)
    }

    fn listed(&self, folder: &FolderId, room: &Room, path: &Path) -> ListedItem {
        let mut item = ListedItem::new(ItemRef::new(id_of(folder, path)));
        if let Ok((state, survey)) = self.survey(folder, room, path) {
            item.item = item.item.with_change_key(state);
            describe(&mut item, &survey);
        } else {
            let seen = room.dir().map(|dir| dir.join(path).symlink_metadata());
            let size = seen.and_then(std::result::Result::ok).map(|it| it.len());
            item.size = size.filter(|size| *size > 0);
        }
        item
    }

    /// What a file holds, read anew if it changed.
    fn survey(
        &self,
        folder: &FolderId,
        room: &Room,
        path: &Path,
    ) -> Result<(String, Survey), Refusal> {
        let whole = room.dir().ok_or(Refusal::Gone)?.join(path);
        let seen = whole
            .symlink_metadata()
            .map_err(|cause| refusal("list", cause))?;
        let state = version(&seen);
        let kept = self.with_known(folder, |known| known.surveys.get(path).cloned());
        if let Some(kept) = kept.filter(|(at, _)| *at == state && seen.is_file()) {
            return Ok(kept);
        }
        let (found, metadata) = survey(&whole, self.most_bytes)?;
        let found = (version(&metadata), found);
        self.with_known(folder, |known| {
            known.surveys.insert(path.to_owned(), found.clone())
        });
        Ok(found)
    }

    fn list_mbox(
        &self,
        folder: &FolderId,
        path: &Path,
        offset: usize,
        limit: usize,
    ) -> Result<Listing> {
        self.index(folder, path, "list")?;
        Ok(self.with_known(folder, |known| {
            let mails = known
                .mails
                .as_ref()
                .map_or(&[][..], |(_, mails)| mails.as_slice());
            let page = mails.iter().skip(offset).take(limit);
            let items: Vec<ListedItem> = page
                .map(|(at, survey)| {
                    let mut item = ListedItem::new(mail_ref(folder, *at));
                    describe(&mut item, survey);
                    item
                })
                .collect();
            let complete = offset + items.len() >= mails.len();
            Listing::new(items, Some(mails.len() as u64), complete)
        }))
    }

    /// Notes where each mail of an mbox file begins and what it holds, unless that is known.
    fn index(&self, folder: &FolderId, path: &Path, operation: &'static str) -> Result<()> {
        let failed = |cause| error(operation, cause);
        let (file, metadata) = open_regular(path).map_err(|refused| match refused {
            Refusal::Gone => Error::new(&codes::SOURCE_FOLDER_NOT_FOUND, operation),
            Refusal::Failed(error) => error,
        })?;
        let state = version(&metadata);
        let same = |known: &mut Known| known.mails.as_ref().is_some_and(|(at, _)| *at == state);
        if self.with_known(folder, same) {
            return Ok(());
        }
        let input = BufReader::with_capacity(CHUNK_BYTES, file);
        let mails = index(input, self.quoting).map_err(failed)?;
        self.with_known(folder, |known| known.mails = Some((state, mails)));
        Ok(())
    }

    /// Opens a mail to be fetched.
    pub(super) fn open(&self, folder: &FolderId, item: &ItemRef) -> Result<Reading, Refusal> {
        let room = self.room(folder).ok_or(Refusal::Gone)?;
        let place = place_of(folder, item).ok_or(Refusal::Gone)?;
        if let Room::Mbox(path) = &room {
            let offset = place.strip_prefix('@').and_then(|text| text.parse().ok());
            return Reading::of_mail(path, offset.ok_or(Refusal::Gone)?, self.quoting);
        }
        let dir = room.dir().ok_or(Refusal::Gone)?;
        let path = name::decode(place).ok_or(Refusal::Gone)?;
        Ok(Reading::of_file(&dir.join(path), self.most_bytes)?.0)
    }

    pub(super) fn locate(&self, folder: &FolderId, sought: &[Sought]) -> Result<Vec<Vec<ItemRef>>> {
        let room = self.existing(folder, "locate")?;
        let mut found: BTreeMap<[u8; 32], Vec<ItemRef>> = BTreeMap::new();
        if let Room::Mbox(path) = &room {
            self.index(folder, path, "locate")?;
            self.with_known(folder, |known| {
                for (at, survey) in known.mails.iter().flat_map(|(_, mails)| mails) {
                    found
                        .entry(survey.digest)
                        .or_default()
                        .push(mail_ref(folder, *at));
                }
            });
        } else {
            for (_, path) in self.walk(folder, &room, "locate")? {
                if let Ok((state, survey)) = self.survey(folder, &room, &path) {
                    let item = ItemRef::new(id_of(folder, &path)).with_change_key(state);
                    found.entry(survey.digest).or_default().push(item);
                }
            }
        }
        let of = |sought: &Sought| match &sought.key {
            SightingKey::Content(digest) => found.get(digest).cloned().unwrap_or_default(),
            _ => Vec::new(),
        };
        Ok(sought.iter().map(of).collect())
    }

    /// Moves files. The effect is lasting once it answers.
    pub(super) fn move_to(
        &self,
        from: &FolderId,
        items: &[ItemRef],
        to: &FolderId,
    ) -> Result<Vec<Moved>> {
        let (room, target) = (
            self.existing(from, "move_to")?,
            self.existing(to, "move_to")?,
        );
        let (Some(source), Some(dir)) = (room.dir(), target.dir()) else {
            return Err(Error::new(&codes::SOURCE_UNSUPPORTED, "move_to"));
        };
        let is_maildir = matches!(target, Room::Maildir { .. });
        prepare(&target).map_err(|cause| error("move_to", cause))?;
        let (cur, tmp) = (dir.join("cur"), dir.join("tmp"));
        let place = if is_maildir {
            Target {
                dir: &cur,
                temporary: &tmp,
                is_maildir,
            }
        } else {
            Target {
                dir,
                temporary: dir,
                is_maildir,
            }
        };
        let mut touched = BTreeSet::new();
        let mut answers = Vec::with_capacity(items.len());
        for item in items {
            let moved = self.move_one((from, &room, source), item, &place, &mut touched);
            answers.push(match moved {
                Ok(path) => Moved::Done(moved_to(to, dir, &path)),
                Err(Refusal::Gone) => Moved::Gone,
                Err(Refusal::Failed(error)) => Moved::Failed(error),
            });
        }
        for dir in &touched {
            sync(Some(dir)).map_err(|cause| error("move_to", cause))?;
        }
        Ok(answers)
    }

    fn move_one(
        &self,
        (from, room, dir): (&FolderId, &Room, &Path),
        item: &ItemRef,
        target: &Target<'_>,
        touched: &mut BTreeSet<PathBuf>,
    ) -> Result<PathBuf, Refusal> {
        let place = place_of(from, item).ok_or(Refusal::Gone)?;
        let path = name::decode(place).ok_or(Refusal::Gone)?;
        let whole = dir.join(&path);
        let seen = whole
            .symlink_metadata()
            .map_err(|cause| refusal("move_to", cause))?;
        // What lies there now is another mail, which no run has read: it stays.
        let changed = item
            .change_key
            .as_ref()
            .is_some_and(|at| *at != version(&seen));
        if changed || !seen.is_file() {
            return Err(Refusal::Gone);
        }
        let to = move_file(&whole, target, touched)?;
        self.with_known(from, |known| {
            known.surveys.remove(&path);
            if let Some(files) = &mut known.files {
                files.remove(&(room.time(&path, &seen), path));
            }
        });
        Ok(to)
    }
}

/// The item that a moved file is.
fn moved_to(to: &FolderId, dir: &Path, path: &Path) -> Option<ItemRef> {
    let item = ItemRef::new(id_of(to, path.strip_prefix(dir).ok()?));
    let state = path.symlink_metadata().map(|metadata| version(&metadata));
    Some(match state {
        Ok(state) => item.with_change_key(state),
        Err(_) => item,
    })
}

/// Makes the directories of a room.
pub(super) fn prepare(room: &Room) -> std::io::Result<()> {
    match room {
        Room::Eml { dir, .. } => fs::create_dir_all(dir),
        Room::Maildir { dir, .. } => ["tmp", "new", "cur"]
            .iter()
            .try_for_each(|name| fs::create_dir_all(dir.join(name))),
        Room::Mbox(_) | Room::Nowhere => Ok(()),
    }
}

fn index(input: BufReader<File>, quoting: MboxQuoting) -> std::io::Result<Vec<(u64, Survey)>> {
    let mut splitter = Splitter::new(input, 0, quoting);
    let mut mails = Vec::new();
    while let Some(separator) = splitter.next_mail()? {
        mails.push((separator.offset, survey_of(&mut splitter, separator.date)?));
    }
    Ok(mails)
}

fn describe(item: &mut ListedItem, survey: &Survey) {
    item.key = Some(SightingKey::Content(survey.digest));
    item.size = Some(survey.size).filter(|size| *size > 0);
    item.received = survey.received;
}

fn id_of(folder: &FolderId, path: &Path) -> String {
    format!("{}:{}", folder.as_str(), name::encode(path))
}

fn mail_ref(folder: &FolderId, offset: u64) -> ItemRef {
    ItemRef::new(format!("{}:@{offset}", folder.as_str()))
}

/// The place of an item in its folder.
fn place_of<'a>(folder: &FolderId, item: &'a ItemRef) -> Option<&'a str> {
    item.id.strip_prefix(folder.as_str())?.strip_prefix(':')
}
