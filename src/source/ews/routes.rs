//! Ways to public folders: which routing headers lead to the tree and to the content of each folder.
//!
//! Owns what is known and what has proved itself. How it is found out is the business of `learn` and `lookup`.

mod learn;
mod lookup;

pub(super) use lookup::beside;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::answer::FolderRow;
use super::request::FolderRef;
use crate::error::{Error, codes};
use crate::http::ServiceUrl;
use crate::source::Folder;

/// The least time between two look-ups for one folder that has shown nothing in between.
const RECHECK: SignedDuration = SignedDuration::from_secs(60);

/// Folders of the tree that are remembered; what is forgotten is looked up again when it is needed.
const ROWS: usize = 10_000;

/// How often one call goes another way at most.
pub(super) const DETOURS: usize = 8;

/// Codes that Exchange answers where a request has come to a mailbox that does not hold the folder.
const MISROUTED: [&str; 5] = [
    "ErrorPublicFolderMailboxDiscoveryFailed",
    "ErrorPublicFolderServerNotFound",
    "ErrorNoPublicFolderServerAvailable",
    "ErrorPublicFolderOperationFailed",
    "ErrorPublicFolderSyncException",
];

/// Words of an answer for the same reason (ews-managed-api, issue 262).
const NO_SESSION: &str = "IMailboxSession";

/// Whether a code or the words of an answer say that the request has come to the wrong mailbox.
pub(super) fn says_misrouted(code: &str, words: &str) -> bool {
    MISROUTED.contains(&code) || words.contains(NO_SESSION)
}

/// The words that stand in an error for a refusal by its words.
pub(super) const WRONG_SESSION: &str = "session is not IMailboxSession";

/// Whether an error may come from the wrong routing.
pub(super) fn may_be_misrouted(error: &Error) -> bool {
    let gone = [codes::EWS_NOT_FOUND.code, codes::EWS_FOLDER_NOT_FOUND.code];
    gone.contains(&error.code()) || is_misrouted(error)
}

/// Whether an error says that the request has come to the wrong mailbox. Where it was the right one, it is trouble that
/// passes.
pub(super) fn is_misrouted(error: &Error) -> bool {
    let detail = error.detail().unwrap_or_default();
    says_misrouted(detail, detail)
}

/// What a call is about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place<'a> {
    /// The tree of public folders.
    Tree,
    /// The content of a folder, public or not.
    Content(&'a Folder),
    /// The folders of a mailbox, or something that is in no folder.
    Elsewhere,
}

impl Place<'_> {
    fn key(&self) -> Option<Key> {
        match self {
            Self::Tree => Some(Key::Tree),
            Self::Content(folder) if folder.public || folder.path.is_none() => {
                Some(Key::Folder(folder.id.as_str().to_owned()))
            }
            Self::Content(_) | Self::Elsewhere => None,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Tree,
    Folder(String),
}

/// Routing given by hand.
#[derive(Debug, Default)]
pub(super) struct ByHand {
    pub(super) anchor: Option<String>,
    pub(super) tree: Option<HeaderMap>,
    pub(super) content: Option<HeaderMap>,
}

/// Where routing is found out, and for whom.
#[derive(Debug)]
pub(super) struct Automatic {
    pub(super) address: String,
    pub(super) autodiscover: ServiceUrl,
    pub(super) by_hand: ByHand,
}

/// The ways of one connection; without anything automatic there are none, and the connection's own routing counts.
#[derive(Debug, Default)]
pub(super) struct Routes {
    automatic: Option<Automatic>,
    known: Mutex<Known>,
    /// Held while something is found out, so that others wait for the same answer.
    learning: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    routes: BTreeMap<Key, Route>,
    rows: BTreeMap<String, Seen>,
    /// The address of each content mailbox by its GUID; none where the server does not know it.
    mailboxes: BTreeMap<String, Option<String>>,
    tree: TreeMailbox,
}

/// What autodiscover said about the tree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct TreeMailbox {
    information: Option<String>,
    mailbox: Option<String>,
}

/// Where a folder was seen in the tree, and the mailbox that its replica list named then.
#[derive(Debug, Clone)]
struct Seen {
    parent: FolderRef,
    replica: Option<String>,
}

/// The ways to one place, the best first, and which of them is taken.
#[derive(Debug)]
struct Route {
    ways: Vec<HeaderMap>,
    at: usize,
    /// It has shown something this way.
    proved: bool,
    /// It has shown something since it was found out or looked up last.
    shown: bool,
    /// Which way answered at all, if only "nothing here".
    answered: Option<usize>,
    /// No other way is tried before it is looked up again.
    settled: bool,
    checked: Timestamp,
}

impl Route {
    fn new(ways: Vec<HeaderMap>, checked: Timestamp) -> Self {
        Self {
            ways,
            at: 0,
            proved: false,
            // What was found out once may be looked up again at the first doubt.
            shown: true,
            answered: None,
            settled: false,
            checked,
        }
    }

    fn way(&self) -> HeaderMap {
        self.ways.get(self.at).cloned().unwrap_or_default()
    }

    fn may_look(&self, now: Timestamp) -> bool {
        self.shown || now.duration_since(self.checked) >= RECHECK
    }

    /// Takes what was found out anew; says whether it is something else.
    fn renew(&mut self, ways: Vec<HeaderMap>, now: Timestamp) -> bool {
        if ways != self.ways {
            *self = Self::new(ways, now);
            return true;
        }
        (self.checked, self.shown, self.settled) = (now, false, false);
        false
    }

    /// Goes on to the next way; says whether there is one. After the last the best that answered is taken.
    fn step(&mut self) -> bool {
        if self.proved || self.settled {
            return false;
        }
        if self.at + 1 < self.ways.len() {
            self.at += 1;
            return true;
        }
        self.at = self.answered.unwrap_or(0);
        self.settled = true;
        false
    }
}

impl Routes {
    /// Routing that is found out.
    pub(super) fn automatic(automatic: Automatic) -> Self {
        Self {
            automatic: Some(automatic),
            ..Self::default()
        }
    }

    /// Whether anything is found out.
    pub(super) fn is_automatic(&self) -> bool {
        self.automatic.is_some()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self, key: &Key) -> Option<HeaderMap> {
        self.known().routes.get(key).map(Route::way)
    }

    /// Notes folders of the tree as they come along.
    pub(super) fn note(&self, parent: &FolderRef, rows: &[FolderRow]) {
        if !self.is_automatic() {
            return;
        }
        let mut known = self.known();
        for row in rows {
            let seen = Seen {
                parent: parent.clone(),
                replica: row.replica.clone(),
            };
            let id = row.folder.id.as_str();
            if known.rows.len() >= ROWS && !known.rows.contains_key(id) {
                known.rows.pop_first();
            }
            known.rows.insert(id.to_owned(), seen);
        }
    }

    /// Notes that a place has shown something on this way; an answer without content is less.
    pub(super) fn note_answer(&self, place: Place<'_>, way: Option<&HeaderMap>, shows: bool) {
        let (Some(key), Some(way)) = (place.key(), way) else {
            return;
        };
        let mut known = self.known();
        let Some(route) = known.routes.get_mut(&key) else {
            return;
        };
        let Some(at) = route.ways.iter().position(|known| known == way) else {
            return;
        };
        if shows {
            (route.at, route.proved, route.shown) = (at, true, true);
        } else {
            route.answered.get_or_insert(at);
        }
    }
}

/// The two headers, as far as they are text for one.
pub(super) fn headers(anchor: Option<&str>, public_folder: Option<&str>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in [(ANCHOR, anchor), (PUBLIC_FOLDER, public_folder)] {
        if let Some(value) = value {
            headers.insert(name, HeaderValue::from_str(value).ok()?);
        }
    }
    Some(headers)
}

const ANCHOR: HeaderName = HeaderName::from_static("x-anchormailbox");
const PUBLIC_FOLDER: HeaderName = HeaderName::from_static("x-publicfoldermailbox");

/// The mailbox of a replica list: the first 36 characters are its GUID, as text ("How to: Route public folder content
/// requests").
pub(super) fn replica(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes.get(..36)?).ok()?;
    let uuid = uuid::Uuid::try_parse(text).ok()?;
    Some(uuid.to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_list_is_text_and_not_the_bytes_of_a_guid() {
        let text = b"1EC2a236-ed93-4f88-b9c6-33e63fa4aa44\0";
        let found = replica(text).unwrap();
        assert_eq!(found, "1ec2a236-ed93-4f88-b9c6-33e63fa4aa44");
        let two = [&text[..], &text[..]].concat();
        assert_eq!(replica(&two).unwrap(), found);
        for bytes in [&text[..35], &[0x1e; 16], &[b'x'; 36], b""] {
            assert_eq!(replica(bytes), None);
        }
    }

    #[test]
    fn of_many_folders_a_limited_number_is_remembered() {
        let routes = Routes::automatic(Automatic {
            address: String::new(),
            autodiscover: ServiceUrl::parse("https://mail.example.com/", false).unwrap(),
            by_hand: ByHand::default(),
        });
        let row = |number: usize| FolderRow {
            folder: Folder::new(crate::source::FolderId::new(format!("{number:06}"))),
            name: String::new(),
            replica: None,
        };
        let parent = FolderRef::Distinguished("publicfoldersroot", None);
        for number in 0..ROWS + 5 {
            routes.note(&parent, &[row(number)]);
        }
        routes.note(&parent, &[row(ROWS + 4)]);
        let known = routes.known();
        assert_eq!(known.rows.len(), ROWS);
        assert!(known.rows.contains_key(&format!("{:06}", ROWS + 4)));
    }

    #[test]
    fn ways_are_tried_once_each_and_the_one_that_answered_stays() {
        let way = |text| headers(Some(text), None).unwrap();
        let mut route = Route::new(vec![way("a"), way("b"), way("c")], Timestamp::UNIX_EPOCH);
        assert!(route.step());
        route.answered = Some(1);
        assert!(route.step());
        assert!(!route.step());
        assert_eq!(route.way(), way("b"));
        assert!(!route.step());
        assert!(route.may_look(Timestamp::UNIX_EPOCH));
        assert!(!route.renew(vec![way("a"), way("b"), way("c")], Timestamp::UNIX_EPOCH));
        let later = Timestamp::UNIX_EPOCH + RECHECK;
        assert!(!route.may_look(Timestamp::UNIX_EPOCH) && route.may_look(later));
        assert!(!route.renew(vec![way("a"), way("b"), way("c")], later));
        assert!(route.renew(vec![way("d")], later));
        assert_eq!(route.way(), way("d"));
        route.proved = true;
        assert!(!route.step());
    }
}
