//! The cases: which layouts are compared, and how one is spelled. Knows no database.

use std::collections::BTreeMap;

pub(crate) const GROUPS: &[(&str, &[&str])] = &[
    (
        "journal",
        &[
            "mode=wal page=4096",
            "mode=wal page=8192",
            "mode=wal page=16384",
            "mode=wal page=32768",
            "mode=wal page=65536",
            "mode=truncate page=4096",
            "mode=truncate page=8192",
            "mode=truncate page=16384",
            "mode=truncate page=32768",
            "mode=truncate page=65536",
            "mode=persist page=4096",
            "mode=persist page=8192",
            "mode=persist page=16384",
            "mode=persist page=32768",
            "mode=persist page=65536",
            "place=segment page=4096",
            "place=attached page=4096 blob_page=4096",
            "place=attached page=4096 blob_page=65536",
        ],
    ),
    (
        "grown",
        &[
            "mode=wal page=4096 grown=200000",
            "mode=wal page=8192 grown=200000",
            "mode=wal page=16384 grown=200000",
            "mode=wal page=32768 grown=200000",
            "mode=wal page=65536 grown=200000",
            "mode=persist page=8192 grown=200000",
            "mode=persist page=32768 grown=200000",
            "place=segment page=4096 grown=200000",
            "place=attached page=4096 blob_page=65536 grown=200000",
        ],
    ),
    (
        "knobs",
        &[
            "page=16384",
            "batch=100",
            "size=256",
            "wal_mib=4",
            "wal_mib=16",
            "wal_mib=64",
            "wal_mib=256",
            "cache_mib=2",
            "cache_mib=64",
            "mmap_mib=1024",
            "write=blob",
            "cached=no",
            "keys=rowid",
            "keys=without",
            "keys=without grown=200000",
            "vacuum=none",
            "secure=off",
            "place=row",
            "place=chunk",
            "place=packed",
            "exclusive=yes",
        ],
    ),
    (
        "erase",
        &[
            "erase=yes secure=off vacuum=none",
            "erase=yes secure=fast vacuum=none",
            "erase=yes secure=on vacuum=none",
            "erase=yes secure=on vacuum=incremental",
            "erase=yes secure=on vacuum=full",
        ],
    ),
    (
        "readers",
        &[
            "mode=wal reader=yes",
            "mode=truncate reader=yes",
            "mode=persist reader=yes",
            "place=segment page=4096 reader=yes",
        ],
    ),
    (
        "large",
        &[
            "page=4096 large=150",
            "page=8192 large=150",
            "page=16384 large=150",
            "page=65536 large=150",
            "mode=persist page=32768 large=150",
        ],
    ),
];

/// One layout, spelled as `key=value` words; what is missing has the default its reader states.
pub(crate) struct Case(pub(crate) BTreeMap<String, String>);

impl Case {
    pub(crate) fn parse(words: &str) -> Self {
        let pairs = words
            .split_whitespace()
            .filter_map(|word| word.split_once('='));
        Self(
            pairs
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .collect(),
        )
    }

    pub(crate) fn number(&self, key: &str, default: i64) -> i64 {
        self.0
            .get(key)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    }

    pub(crate) fn text<'a>(&'a self, key: &str, default: &'a str) -> &'a str {
        self.0.get(key).map_or(default, String::as_str)
    }

    pub(crate) fn is(&self, key: &str, value: &str) -> bool {
        self.0.get(key).is_some_and(|found| found == value)
    }

    pub(crate) fn words(&self) -> String {
        let words: Vec<_> = self
            .0
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        words.join(" ")
    }
}
