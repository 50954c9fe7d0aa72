//! Who sits in front of a browser: a random cookie, its language, and what a sign-in keeps until it comes back.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use axum::http::HeaderMap;
use axum::http::header;
use secrecy::SecretString;

use super::assistant::Assistant;
use crate::words::{Language, Words};

/// What an action did, in the words of a language.
pub(crate) type Flash = fn(&Words) -> &'static str;

/// Sessions that are kept; the oldest go.
const MOST: usize = 10_000;

/// One browser.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// What a form of this browser has to carry.
    pub(crate) token: String,
    pub(crate) language: Language,
    pub(crate) signed_in: bool,
    /// What an administrator's consent keeps until the callback.
    pub(crate) pending: Option<SecretString>,
    /// What the next page says about the last action.
    pub(crate) flash: Option<Flash>,
    /// The assisted set-up, while it is open.
    pub(crate) assistant: Option<Box<Assistant>>,
    born: u64,
}

/// The browsers of this run of the program.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    all: BTreeMap<String, Session>,
    born: u64,
}

impl Session {
    /// The cookie. `Lax`, as the identity service sends the browser back by a link.
    pub(crate) fn cookie(&self, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!("erp={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.id)
    }
}

impl Sessions {
    /// The session of a request, and whether it is a new one.
    pub(crate) fn of(&self, headers: &HeaderMap) -> (Session, bool) {
        let mut kept = self.lock();
        let known = id_of(headers).and_then(|id| kept.all.get(&id).cloned());
        if let Some(session) = known {
            return (session, false);
        }
        let accepted = headers.get(header::ACCEPT_LANGUAGE);
        let accepted = accepted.and_then(|value| value.to_str().ok());
        kept.born += 1;
        let session = Session {
            id: random(),
            token: random(),
            language: Language::of_browser(accepted.unwrap_or_default()),
            signed_in: false,
            pending: None,
            flash: None,
            assistant: None,
            born: kept.born,
        };
        if kept.all.len() >= MOST {
            let oldest = kept.all.values().min_by_key(|session| session.born);
            let oldest = oldest.map(|session| session.id.clone());
            oldest.and_then(|id| kept.all.remove(&id));
        }
        kept.all.insert(session.id.clone(), session.clone());
        (session, true)
    }

    /// The session of a request that shows a page: what it says about the last action is said once.
    pub(crate) fn of_page(&self, headers: &HeaderMap) -> (Session, bool) {
        let (session, new) = self.of(headers);
        if session.flash.is_some() {
            self.change(&session.id, |kept| kept.flash = None);
        }
        (session, new)
    }

    /// Forgets a session: its browser is a stranger from now on.
    pub(crate) fn end(&self, id: &str) {
        self.lock().all.remove(id);
    }

    /// A session of another id, once its browser has signed in: an id that somebody else planted is worth nothing.
    pub(crate) fn renewed(&self, id: &str) -> Option<Session> {
        let mut kept = self.lock();
        let mut session = kept.all.remove(id)?;
        session.id = random();
        session.token = random();
        session.signed_in = true;
        kept.all.insert(session.id.clone(), session.clone());
        Some(session)
    }

    /// Changes a session.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.lock().all.get_mut(id) {
            change(session);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn id_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == "erp")
        .map(|(_, value)| value.to_owned())
}

/// 128 bits that nobody guesses.
#[allow(clippy::expect_used, reason = "without randomness there is no session")]
fn random() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    format!("{:032x}", u128::from_be_bytes(bytes))
}
