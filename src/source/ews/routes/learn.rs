//! Finding out where a folder is, and what to do when it does not show what it should.

use std::collections::VecDeque;

use jiff::Timestamp;
use reqwest::header::HeaderMap;

use super::super::EwsSource;
use super::super::answer::{FolderRow, read_folders};
use super::super::codes::Class;
use super::super::request::{FindFolder, FolderRef, GetFolder, Named, Routed};
use super::super::soap::Tree;
use super::{Automatic, DETOURS, Key, Place, Route, TreeMailbox, headers, may_be_misrouted};
use crate::source::{Folder, FolderPath, FolderRoot, ListRequest};

/// Folders whose children are looked through for one that is known by its id only.
const LOOKED_THROUGH: usize = 200;
/// Folders of one page; Exchange allows 1000.
const PAGE: u32 = 1000;

impl EwsSource {
    fn now_for_routes(&self) -> Timestamp {
        self.session().clock.now()
    }

    /// The routing of calls about a place; the connection's own where there is none.
    pub(in crate::source::ews) async fn way(&self, place: Place<'_>) -> Option<HeaderMap> {
        let routes = &self.inner.routes;
        let automatic = routes.automatic.as_ref()?;
        let key = place.key()?;
        if let Some(way) = routes.current(&key) {
            return Some(way);
        }
        let _learning = routes.learning.lock().await;
        if let Some(way) = routes.current(&key) {
            return Some(way);
        }
        let ways = self.learn(automatic, place).await;
        let route = Route::new(ways, self.now_for_routes());
        let way = route.way();
        routes.known().routes.insert(key, route);
        Some(way)
    }

    /// What has shown nothing on this way may show itself on another one: says whether to ask again.
    pub(in crate::source::ews) async fn reroute(
        &self,
        place: Place<'_>,
        used: Option<&HeaderMap>,
    ) -> bool {
        let routes = &self.inner.routes;
        let (Some(automatic), Some(key), Some(used)) =
            (routes.automatic.as_ref(), place.key(), used)
        else {
            return false;
        };
        let _learning = routes.learning.lock().await;
        let now = self.now_for_routes();
        let may_look = {
            let known = routes.known();
            let Some(route) = known.routes.get(&key) else {
                return false;
            };
            if route.way() != *used {
                return true;
            }
            route.may_look(now)
        };
        let anew = if may_look {
            self.forget(place);
            Some(self.learn(automatic, place).await)
        } else {
            None
        };
        let mut known = routes.known();
        let Some(route) = known.routes.get_mut(&key) else {
            return false;
        };
        let other = anew.is_some_and(|ways| route.renew(ways, now));
        (other && route.way() != *used) || route.step()
    }

    /// Forgets what was found out about a place, but not where in the tree it is.
    fn forget(&self, place: Place<'_>) {
        let mut known = self.inner.routes.known();
        match place {
            Place::Tree => known.tree = TreeMailbox::default(),
            Place::Content(folder) => {
                let id = folder.id.as_str();
                let replica = known.rows.get_mut(id).and_then(|seen| seen.replica.take());
                if let Some(replica) = replica {
                    known.mailboxes.remove(&replica);
                }
            }
            Place::Elsewhere => {}
        }
    }

    async fn learn(&self, automatic: &Automatic, place: Place<'_>) -> Vec<HeaderMap> {
        let mut ways = match place {
            Place::Tree => self.ways_to_tree(automatic).await,
            Place::Content(folder) => self.ways_to_content(automatic, folder).await,
            Place::Elsewhere => Vec::new(),
        };
        if ways.is_empty() {
            ways.push(self.session().routing.clone());
        }
        let mut distinct: Vec<HeaderMap> = Vec::with_capacity(ways.len());
        for way in ways {
            if !distinct.contains(&way) {
                distinct.push(way);
            }
        }
        distinct
    }

    /// Both headers, the anchor alone, and what the connection has without them.
    async fn ways_to_tree(&self, automatic: &Automatic) -> Vec<HeaderMap> {
        if let Some(by_hand) = &automatic.by_hand.tree {
            return vec![by_hand.clone()];
        }
        let names = ["PublicFolderInformation", "InternalRpcClientServer"];
        let told = self
            .settings_of(automatic, &automatic.address, &names)
            .await;
        let told = told.unwrap_or_default();
        let [information, mailbox] = names.map(|name| told.get(name).cloned());
        let information = automatic.by_hand.anchor.clone().or(information);
        let both = information.as_deref().zip(mailbox.as_deref());
        let both = both.and_then(|(anchor, mailbox)| headers(Some(anchor), Some(mailbox)));
        let anchor = information
            .as_deref()
            .and_then(|anchor| headers(Some(anchor), None));
        self.inner.routes.known().tree = TreeMailbox {
            information,
            mailbox,
        };
        let own = self.session().routing.clone();
        both.into_iter().chain(anchor).chain([own]).collect()
    }

    /// The content mailbox by its address, by its GUID, the anchor of the tree, and what the connection has.
    async fn ways_to_content(&self, automatic: &Automatic, folder: &Folder) -> Vec<HeaderMap> {
        if let Some(by_hand) = &automatic.by_hand.content {
            return vec![by_hand.clone()];
        }
        let own = self.session().routing.clone();
        let Some(replica) = self.replica_of(automatic, folder).await else {
            let tree = self.tree_anchor();
            let anchor = tree.filter(|_| folder.public);
            return anchor.into_iter().chain([own]).collect();
        };
        let domain = self.public_domain(automatic);
        let by_guid = format!("{replica}@{domain}");
        let address = self.address_of(automatic, &replica, &by_guid).await;
        let both = |address: &str| headers(Some(address), Some(address));
        let ways = [
            address.as_deref().and_then(both),
            both(&by_guid),
            self.tree_anchor(),
            Some(own),
        ];
        ways.into_iter().flatten().collect()
    }

    fn tree_anchor(&self) -> Option<HeaderMap> {
        let known = self.inner.routes.known();
        headers(Some(known.tree.information.as_deref()?), None)
    }

    /// The domain that stands behind a GUID: that of the tree's mailbox, else the account's.
    fn public_domain(&self, automatic: &Automatic) -> String {
        let known = self.inner.routes.known();
        let mailbox = known.tree.mailbox.as_deref().unwrap_or(&automatic.address);
        let (_, domain) = mailbox.rsplit_once('@').unwrap_or_default();
        domain.to_owned()
    }

    async fn address_of(
        &self,
        automatic: &Automatic,
        replica: &str,
        by_guid: &str,
    ) -> Option<String> {
        let routes = &self.inner.routes;
        if let Some(known) = routes.known().mailboxes.get(replica) {
            return known.clone();
        }
        let name = "AutoDiscoverSMTPAddress";
        // A failure is not kept: only an answer is.
        let told = self.settings_of(automatic, by_guid, &[name]).await.ok()?;
        let address = told.get(name).cloned();
        let mut known = routes.known();
        known.mailboxes.insert(replica.to_owned(), address.clone());
        address
    }

    /// The GUID of the mailbox that holds the content of a folder.
    async fn replica_of(&self, automatic: &Automatic, folder: &Folder) -> Option<String> {
        let id = folder.id.as_str();
        // The mailbox of the tree comes first: its domain and its anchor are needed for what follows.
        self.way_to_tree(automatic).await;
        if let Some(replica) = self.seen_replica(id) {
            return Some(replica);
        }
        let known = self.inner.routes.known().rows.get(id).cloned();
        if let Some(seen) = known {
            let which = match folder.path.as_ref().and_then(|path| path.segments().last()) {
                Some(name) => Named::Exactly(name),
                None => Named::Any(ListRequest::new(0, PAGE)),
            };
            self.look_below(automatic, &seen.parent, which).await;
        } else {
            self.walk_path(automatic, folder).await;
        }
        if self.seen_replica(id).is_none()
            && !folder.public
            && let Some(replica) = self.ask_folder(automatic, folder).await
        {
            return replica;
        }
        if self.seen_replica(id).is_none() {
            self.look_through(automatic, id).await;
        }
        self.seen_replica(id)
    }

    fn seen_replica(&self, id: &str) -> Option<String> {
        self.inner.routes.known().rows.get(id)?.replica.clone()
    }

    /// The way to the tree while the lock is held.
    async fn way_to_tree(&self, automatic: &Automatic) -> HeaderMap {
        let routes = &self.inner.routes;
        if let Some(way) = routes.current(&Key::Tree) {
            return way;
        }
        let ways = Box::pin(self.learn(automatic, Place::Tree)).await;
        let route = Route::new(ways, self.now_for_routes());
        let way = route.way();
        routes.known().routes.insert(Key::Tree, route);
        way
    }

    async fn walk_path(&self, automatic: &Automatic, folder: &Folder) {
        let path = folder.path.as_ref();
        let path = path.filter(|path| path.root() == &FolderRoot::PublicFolders);
        let mut at = public_root();
        for name in path.into_iter().flat_map(FolderPath::segments) {
            let rows = self.look_below(automatic, &at, Named::Exactly(name)).await;
            let same = |row: &&FolderRow| row.name.to_lowercase() == name.to_lowercase();
            let Some(row) = rows.iter().find(same) else {
                return;
            };
            at = FolderRef::Id(row.folder.id.as_str().to_owned());
        }
    }

    /// Asks for a folder of which nothing but the id is known. The outer nothing: it was not shown; the inner: it has no
    /// replica list, so it is a mailbox's.
    async fn ask_folder(&self, automatic: &Automatic, folder: &Folder) -> Option<Option<String>> {
        let tree = self.way_to_tree(automatic).await;
        let reference = FolderRef::Id(folder.id.as_str().to_owned());
        let request = GetFolder { folder: &reference };
        for way in [None, Some(&tree)] {
            let mut answer = Tree::default();
            let routed = Routed::new(&request, way);
            let Ok(message) = self.session().ask(&routed, &mut answer).await else {
                continue;
            };
            if message.class() == Class::Fine {
                let row = read_folders(&answer).0.into_iter().next();
                return row.map(|row| row.replica);
            }
        }
        None
    }

    /// Looks through the tree, level by level and within bounds, for a folder known by its id.
    async fn look_through(&self, automatic: &Automatic, id: &str) {
        let mut open = VecDeque::from([public_root()]);
        for _ in 0..LOOKED_THROUGH {
            let Some(parent) = open.pop_front() else {
                return;
            };
            let page = Named::Any(ListRequest::new(0, PAGE));
            let rows = self.look_below(automatic, &parent, page).await;
            if rows.iter().any(|row| row.folder.id.as_str() == id) {
                return;
            }
            let with_children = rows
                .iter()
                .filter(|row| row.folder.child_folders != Some(0));
            open.extend(with_children.map(|row| FolderRef::Id(row.folder.id.as_str().to_owned())));
        }
    }

    /// The folders right below another one; none where they cannot be had.
    async fn look_below(
        &self,
        automatic: &Automatic,
        parent: &FolderRef,
        which: Named<'_>,
    ) -> Vec<FolderRow> {
        let request = FindFolder { parent, which };
        let mut answer = Tree::default();
        for _ in 0..DETOURS {
            let way = self.way_to_tree(automatic).await;
            let routed = Routed::new(&request, Some(&way));
            match self.session().ask(&routed, &mut answer).await {
                Ok(message) if message.class() == Class::Fine => {
                    let (rows, _) = read_folders(&answer);
                    self.inner.routes.note_answer(Place::Tree, Some(&way), true);
                    self.inner.routes.note(parent, &rows);
                    return rows;
                }
                Err(error) if !may_be_misrouted(&error) => break,
                _ if self.step_in_tree() => {}
                _ => break,
            }
        }
        Vec::new()
    }

    /// Takes the next way to the tree while the lock is held.
    fn step_in_tree(&self) -> bool {
        let mut known = self.inner.routes.known();
        known.routes.get_mut(&Key::Tree).is_some_and(Route::step)
    }
}

fn public_root() -> FolderRef {
    FolderRef::Distinguished("publicfoldersroot", None)
}
