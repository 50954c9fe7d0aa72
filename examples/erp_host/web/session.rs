//! Who sits in front of a browser: a random cookie, its language, and what a sign-in keeps until it comes back.
//!
//! A browser whose person has not signed in has no session here: its form's token is made of its cookie. However many
//! strangers ask, they push nobody out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header;
use email_logging::SalespersonCode;
use secrecy::SecretString;

use super::assistant::Assistant;
use crate::passwords::ADMINISTRATION;
use crate::words::{Language, Words};

/// What an action did, in the words of a language.
pub(crate) type Flash = fn(&Words) -> &'static str;

/// Sessions that are kept; the one that was not used for longest goes.
const MOST: usize = 10_000;

/// Who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Person {
    /// Whoever looks after the set-up, the lists of the company, and privacy.
    Administration,
    /// A salesperson, with the name.
    Salesperson(SalespersonCode, String),
}

impl Person {
    /// The code that a person signs in with.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Administration => ADMINISTRATION,
            Self::Salesperson(code, _) => code.as_str(),
        }
    }

    /// The salesperson's code.
    pub(crate) fn salesperson(&self) -> Option<&SalespersonCode> {
        match self {
            Self::Administration => None,
            Self::Salesperson(code, _) => Some(code),
        }
    }

    /// Who it is, as comments and decisions keep it.
    pub(crate) fn who(&self) -> String {
        match self {
            Self::Administration => ADMINISTRATION.to_owned(),
            Self::Salesperson(code, name) => format!("{name} ({code})"),
        }
    }
}

/// One browser.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) id: String,
    /// What a form of this browser has to carry.
    pub(crate) token: String,
    pub(crate) language: Language,
    /// Who signed in; nobody yet.
    pub(crate) person: Option<Person>,
    /// What an administrator's consent keeps until the callback.
    pub(crate) pending: Option<SecretString>,
    /// What the next page says about the last action: its words, and a number or name behind them.
    pub(crate) flash: Option<(Flash, String)>,
    /// The assisted set-up, while it is open.
    pub(crate) assistant: Option<Box<Assistant>>,
    since: Instant,
    used: Instant,
}

/// The browsers of this run of the program.
#[derive(Debug)]
pub(crate) struct Sessions {
    all: Mutex<BTreeMap<String, Session>>,
    /// Where no password is needed, everybody is the administration until they say who they are.
    open: bool,
    /// After which time somebody signs in again.
    life: Duration,
    /// What tokens of strangers are made with.
    key: [u8; 32],
}

impl Session {
    fn new(id: String, token: String, language: Language, person: Option<Person>) -> Self {
        let now = Instant::now();
        Self {
            id,
            token,
            language,
            person,
            pending: None,
            flash: None,
            assistant: None,
            since: now,
            used: now,
        }
    }

    /// The cookie. `Lax`, as the identity service sends the browser back by a link.
    pub(crate) fn cookie(&self, secure: bool) -> String {
        let secure = if secure { "; Secure" } else { "" };
        format!("erp={}; Path=/; HttpOnly; SameSite=Lax{secure}", self.id)
    }

    /// Whether the administration signed in.
    pub(crate) fn is_administration(&self) -> bool {
        self.person == Some(Person::Administration)
    }

    /// Who acts, as comments and decisions keep it.
    pub(crate) fn who(&self) -> String {
        self.person.as_ref().map_or_else(String::new, Person::who)
    }
}

impl Sessions {
    /// No browser yet.
    pub(crate) fn new(open: bool, life: Duration) -> Self {
        let mut key = [0; 32];
        key[..16].copy_from_slice(&random_bytes());
        key[16..].copy_from_slice(&random_bytes());
        Self {
            all: Mutex::default(),
            open,
            life,
            key,
        }
    }

    /// The session of a request, and whether its browser has to be told a new cookie.
    pub(crate) fn of(&self, headers: &HeaderMap) -> (Session, bool) {
        let language = language_of(headers);
        let id = cookie(headers, "erp").filter(|id| is_id(id));
        let mut all = self.lock();
        if let Some(session) = id.and_then(|id| all.get_mut(id)) {
            if session.since.elapsed() < self.life {
                session.used = Instant::now();
                session.language = language;
                return (session.clone(), false);
            }
            let over = session.id.clone();
            all.remove(&over);
        }
        if self.open {
            let person = Some(Person::Administration);
            let session = Session::new(random(), random(), language, person);
            keep(&mut all, session.clone());
            return (session, true);
        }
        let known = id.map(str::to_owned);
        let new = known.is_none();
        let id = known.unwrap_or_else(random);
        let token = blake3::keyed_hash(&self.key, id.as_bytes());
        let token = token.to_hex().to_string();
        (Session::new(id, token, language, None), new)
    }

    /// Forgets a session: its browser is a stranger from now on.
    pub(crate) fn end(&self, id: &str) {
        self.lock().remove(id);
    }

    /// A session for whom has signed in, under another id: an id that somebody else planted is worth nothing.
    pub(crate) fn begin(&self, before: &Session, person: Person) -> Session {
        let mut all = self.lock();
        all.remove(&before.id);
        let session = Session::new(random(), random(), before.language, Some(person));
        keep(&mut all, session.clone());
        session
    }

    /// Changes a session.
    pub(crate) fn change(&self, id: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.lock().get_mut(id) {
            change(session);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Session>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn keep(all: &mut BTreeMap<String, Session>, session: Session) {
    if all.len() >= MOST {
        let idle = all.values().min_by_key(|session| session.used);
        let idle = idle.map(|session| session.id.clone());
        idle.and_then(|id| all.remove(&id));
    }
    all.insert(session.id.clone(), session);
}

/// The language that was chosen, or else the browser's.
fn language_of(headers: &HeaderMap) -> Language {
    let chosen = cookie(headers, "erp-language").and_then(Language::from_code);
    let accepted = headers.get(header::ACCEPT_LANGUAGE);
    let accepted = accepted.and_then(|value| value.to_str().ok());
    chosen.unwrap_or_else(|| Language::of_browser(accepted.unwrap_or_default()))
}

fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let mut pairs = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == wanted)
        .map(|(_, value)| value)
}

fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// 128 bits that nobody guesses.
#[allow(clippy::expect_used, reason = "without randomness there is no session")]
fn random_bytes() -> [u8; 16] {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).expect("the system gives randomness");
    bytes
}

/// The same as text.
pub(super) fn random() -> String {
    format!("{:032x}", u128::from_be_bytes(random_bytes()))
}
