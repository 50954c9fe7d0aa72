//! Loss of power: what a disk may hold when it kept what was synced, and of the rest whatever it liked.
//!
//! A whole run is recorded, operation by operation, together with the moves that it asked for. Then the disk is put
//! together as it may be at any moment: each write since the last sync of its file is there, is not, or is there in some of
//! its sectors. On every such disk the database must be whole and hold every mail whose move was asked for until then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::company::{Profile, Service, mails};
use crate::dice::Dice;
use crate::disk_shim::shim;
use crate::kills::{LONG, THOROUGH, number, say};
use crate::world::{Base, End, World};

const SECTOR: usize = 512;

/// What was done to a file, by its ending, or asked of the mail system.
#[derive(Debug)]
enum Record {
    Write {
        file: String,
        at: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    Sync {
        file: String,
    },
    Remove {
        file: String,
    },
    /// These items are about to leave the queue.
    Moves(Vec<String>),
}

fn parse(mut trace: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    while !trace.is_empty() {
        let end = trace.iter().position(|byte| *byte == b'\n').unwrap();
        let head = std::str::from_utf8(&trace[..end]).unwrap();
        let words: Vec<&str> = head.split(' ').collect();
        let [kind, file, at, count] = words[..] else {
            panic!("{head}");
        };
        let file = file.strip_prefix("disk").unwrap().to_owned();
        let (at, count): (usize, usize) = (at.parse().unwrap(), count.parse().unwrap());
        let bytes = trace[end + 1..=end + count].to_vec();
        trace = &trace[end + 1 + count..];
        let record = match kind {
            "w" => Record::Write { file, at, bytes },
            "t" => Record::Truncate { file, size: at },
            "s" => Record::Sync { file },
            "u" => Record::Remove { file },
            "m" => Record::Moves(
                String::from_utf8(bytes)
                    .unwrap()
                    .lines()
                    .map(str::to_owned)
                    .collect(),
            ),
            other => panic!("{other}"),
        };
        records.push(record);
    }
    records
}

/// An operation that no sync has made sure of.
#[derive(Debug, Clone)]
enum Open {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// What is sure of a file, and what is not.
#[derive(Debug, Clone, Default)]
struct File {
    sure: Vec<u8>,
    open: Vec<Open>,
}

/// The files, by ending, and those whose removal may not have reached the disk.
#[derive(Debug, Clone, Default)]
struct Disk {
    files: BTreeMap<String, File>,
    removed: BTreeMap<String, File>,
    moved: BTreeSet<String>,
}

/// How much of what was not synced is there.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Nothing,
    Everything,
    Some,
    Sectors,
    Prefix,
}

const LUCKS: [Luck; 5] = [
    Luck::Nothing,
    Luck::Everything,
    Luck::Some,
    Luck::Sectors,
    Luck::Prefix,
];

fn write(content: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[at..end].copy_from_slice(bytes);
}

impl Open {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => write(content, *at, bytes),
            Self::Truncate(size) => content.resize(*size, 0),
        }
    }

    /// Of a write, some sectors.
    fn apply_torn(&self, content: &mut Vec<u8>, dice: &mut Dice) {
        let Self::Write(at, bytes) = self else {
            return self.apply(content);
        };
        let mut at = *at;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let (sector, other) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
            if dice.percent(50) {
                write(content, at, sector);
            }
            (at, rest) = (at + sector.len(), other);
        }
    }
}

impl File {
    fn sync(&mut self) {
        for operation in std::mem::take(&mut self.open) {
            operation.apply(&mut self.sure);
        }
    }

    fn content(&self, luck: Luck, dice: &mut Dice) -> Vec<u8> {
        let mut content = self.sure.clone();
        let prefix = dice.below(self.open.len() as u64 + 1);
        for (number, operation) in (0..).zip(&self.open) {
            let whole = match luck {
                Luck::Everything => true,
                Luck::Nothing | Luck::Sectors => false,
                Luck::Some => dice.percent(50),
                Luck::Prefix => number < prefix,
            };
            let torn = match luck {
                Luck::Sectors => true,
                Luck::Prefix => number == prefix,
                Luck::Nothing | Luck::Everything | Luck::Some => false,
            };
            if whole {
                operation.apply(&mut content);
            } else if torn {
                operation.apply_torn(&mut content, dice);
            }
        }
        content
    }
}

impl Disk {
    fn take(&mut self, record: &Record) {
        match record {
            Record::Write { file, at, bytes } => {
                let file = self.files.entry(file.clone()).or_default();
                file.open.push(Open::Write(*at, bytes.clone()));
            }
            Record::Truncate { file, size } => {
                let file = self.files.entry(file.clone()).or_default();
                file.open.push(Open::Truncate(*size));
            }
            Record::Sync { file } => {
                self.files.entry(file.clone()).or_default().sync();
                // SQLite syncs the folder with the first sync of a journal that it made.
                if !file.is_empty() {
                    self.removed.clear();
                }
            }
            Record::Remove { file } => {
                let gone = self.files.remove(file).unwrap_or_default();
                self.removed.insert(file.clone(), gone);
            }
            Record::Moves(ids) => self.moved.extend(ids.iter().cloned()),
        }
    }

    /// Puts a disk that may be found after a loss of power into a folder.
    fn write_image(&self, folder: &Path, name: &str, dice: &mut Dice) {
        let luck = *dice.one_of(&LUCKS);
        let mut all = self.files.clone();
        for (ending, file) in &self.removed {
            if dice.percent(50) {
                all.entry(ending.clone()).or_insert_with(|| file.clone());
            }
        }
        for ending in ["", "-wal", "-journal", "-shm"] {
            let path = folder.join(format!("{name}{ending}"));
            // The index of the log is made anew after a loss of power.
            let file = all.get(ending).filter(|_| ending != "-shm");
            match file {
                Some(file) => fs::write(path, file.content(luck, dice)).unwrap(),
                None => drop(fs::remove_file(path)),
            }
        }
    }
}

/// Records runs on one new file: five processes with mail each.
fn recorded(profile: Profile, library: &Path, dice: &mut Dice) -> (World, Vec<Record>) {
    let mut world = World::new(Service::Ews, profile, library, Base::File);
    world.traced = true;
    for round in 0..5 {
        world.deliver(mails(profile, round, dice));
        world.run(&End::Itself, 0);
        world.let_time_pass();
    }
    world.check_at_end();
    let trace = fs::read(world.trace()).unwrap();
    (world, parse(&trace))
}

#[test]
fn after_a_loss_of_power_at_any_moment_every_mail_that_was_moved_is_in_the_log() {
    let root = tempfile::tempdir().unwrap();
    let Some(library) = shim(root.path()) else {
        return;
    };
    let usual = match number("KILLS", 60) {
        LONG.. => 20_000,
        THOROUGH.. => 2_000,
        _ => 200,
    };
    let images = number("IMAGES", usual);
    let seed = number("SEED", 1);
    let mut dice = Dice::new(seed);
    let image = tempfile::tempdir().unwrap();
    for profile in [Profile::Plain, Profile::Deleting] {
        let (world, records) = recorded(profile, &library, &mut dice);
        let count = records.len() as u64;
        let mut moments: Vec<u64> = (0..images / 2).map(|_| dice.below(count + 1)).collect();
        moments.sort_unstable();
        let mut disk = Disk::default();
        let mut taken = 0;
        for moment in moments {
            while taken < moment {
                disk.take(&records[usize::try_from(taken).unwrap()]);
                taken += 1;
            }
            disk.write_image(image.path(), "log.sqlite", &mut dice);
            let told = format!("after {moment} of {count} operations, SEED={seed}");
            world.check_image(image.path(), &disk.moved, &told);
        }
        let name = profile.name();
        say(&format!(
            "{name}: {} losses of power in {count} operations, SEED={seed}",
            images / 2
        ));
    }
}
