//! The contract of a directory: one answer per address, in order, the same each time, and never a guess in an outage.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures_util::future::join_all;

use super::Report;
use super::harness::{self, Case, Checked, Stop, cases, check, equal, fails};
use crate::directory::{ContactDirectory, ContactEditor};
use crate::error::ErrorKind;
use crate::message::Address;
use crate::parties::{AddressParties, NewContact};
use crate::scope::Scope;

/// A directory and what it must answer.
pub struct DirectoryBackend {
    directory: Arc<dyn ContactDirectory>,
    scope: Scope,
    other_scope: Option<Scope>,
    known: Vec<(String, AddressParties)>,
    unknown: Vec<String>,
    outage: Option<Arc<dyn ContactDirectory>>,
    editor: Option<Arc<dyn ContactEditor>>,
    guard: Option<Box<dyn Any + Send + Sync>>,
}

impl DirectoryBackend {
    /// A directory. At least one known address must follow.
    pub fn new(directory: impl ContactDirectory) -> Self {
        Self {
            directory: Arc::new(directory),
            scope: Scope::default(),
            other_scope: None,
            known: Vec::new(),
            unknown: vec!["nobody.at.all@conformance.example".into()],
            outage: None,
            editor: None,
            guard: None,
        }
    }

    /// The scope to ask for; the default one where none is given.
    #[must_use]
    pub fn with_scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// A scope in which nobody has the known addresses.
    #[must_use]
    pub fn with_other_scope(mut self, scope: Scope) -> Self {
        self.other_scope = Some(scope);
        self
    }

    /// An address with everybody whom it belongs to, in the directory's order.
    #[must_use]
    pub fn with_known(mut self, address: impl Into<String>, parties: AddressParties) -> Self {
        self.known.push((address.into(), parties));
        self
    }

    /// An address that nobody has.
    #[must_use]
    pub fn with_unknown(mut self, address: impl Into<String>) -> Self {
        self.unknown.push(address.into());
        self
    }

    /// A directory of the same kind that cannot answer, such as one whose table or server is away.
    #[must_use]
    pub fn with_outage(mut self, directory: impl ContactDirectory) -> Self {
        self.outage = Some(Arc::new(directory));
        self
    }

    /// The editor of the directory, where it can take up contacts.
    #[must_use]
    pub fn with_editor(mut self, editor: impl ContactEditor) -> Self {
        self.editor = Some(Arc::new(editor));
        self
    }

    /// Something to keep until the case ends, such as a temporary directory.
    #[must_use]
    pub fn with_guard(mut self, guard: impl Any + Send + Sync) -> Self {
        self.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for DirectoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DirectoryBackend")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

/// Checks a directory. `make` answers a fresh one for every case.
#[allow(clippy::future_not_send)] // whether it is Send is the maker's to say
pub async fn run<Make, Making>(make: Make) -> Report
where
    Make: Fn() -> Making,
    Making: Future<Output = DirectoryBackend>,
{
    harness::run("contact directory", list(), make).await
}

fn list() -> Vec<Case<DirectoryBackend>> {
    cases! {
        self::{
            every_known_address_has_its_parties,
            an_unknown_address_has_nobody,
            answers_come_in_the_order_of_the_question,
            an_address_that_is_asked_twice_is_answered_twice,
            an_empty_question_has_no_answer,
            a_large_question_is_answered_whole,
            upper_and_lower_case_are_the_same,
            the_same_question_has_the_same_answer,
            many_may_ask_at_once,
            another_scope_knows_nobody,
            an_outage_is_an_error,
            a_created_contact_is_found_and_created_once,
        }
    }
}

type Known = Vec<(Address, AddressParties)>;

impl DirectoryBackend {
    /// The known addresses, and one that nobody has between each two.
    fn mixed(&self) -> Checked<Known> {
        check!(!self.known.is_empty(), "no known address was given");
        let mut mixed = Vec::new();
        let mut unknown = self.unknown.iter().cycle();
        for (text, parties) in &self.known {
            mixed.push((address(text)?, parties.clone()));
            if let Some(text) = unknown.next() {
                mixed.push((address(text)?, AddressParties::nobody()));
            }
        }
        Ok(mixed)
    }

    async fn ask(&self, addresses: &[Address]) -> Checked<Vec<AddressParties>> {
        let answers = self.directory.resolve(&self.scope, addresses).await?;
        equal("answers", answers.len(), addresses.len())?;
        Ok(answers)
    }

    /// Asks for all at once and compares answer by answer.
    async fn asked(&self, what: &str, expected: &Known) -> Checked {
        let addresses: Vec<_> = expected
            .iter()
            .map(|(address, _)| address.clone())
            .collect();
        let answers = self.ask(&addresses).await?;
        for (place, (answer, (_, expected))) in answers.iter().zip(expected).enumerate() {
            equal(&format!("{what}, answer {place}"), answer, expected)?;
        }
        Ok(())
    }
}

fn address(text: &str) -> Checked<Address> {
    let unusable = |reason| Stop::Failed(format!("a given address cannot be used: {reason:?}"));
    Address::parse(text).map_err(unusable)
}

async fn every_known_address_has_its_parties(backend: &DirectoryBackend) -> Checked {
    check!(!backend.known.is_empty(), "no known address was given");
    for (text, parties) in &backend.known {
        let one = vec![(address(text)?, parties.clone())];
        backend.asked("a known address", &one).await?;
    }
    Ok(())
}

async fn an_unknown_address_has_nobody(backend: &DirectoryBackend) -> Checked {
    for text in &backend.unknown {
        let answers = backend.ask(&[address(text)?]).await?;
        check!(answers[0].is_empty(), "somebody has it: {:?}", answers[0]);
    }
    Ok(())
}

async fn answers_come_in_the_order_of_the_question(backend: &DirectoryBackend) -> Checked {
    let mut mixed = backend.mixed()?;
    backend.asked("in order", &mixed).await?;
    mixed.reverse();
    backend.asked("reversed", &mixed).await?;
    mixed.rotate_left(1);
    backend.asked("rotated", &mixed).await
}

async fn an_address_that_is_asked_twice_is_answered_twice(backend: &DirectoryBackend) -> Checked {
    let mixed = backend.mixed()?;
    let twice = [mixed.clone(), mixed].concat();
    backend.asked("each twice", &twice).await
}

async fn an_empty_question_has_no_answer(backend: &DirectoryBackend) -> Checked {
    backend.ask(&[]).await?;
    Ok(())
}

async fn a_large_question_is_answered_whole(backend: &DirectoryBackend) -> Checked {
    let mut large = backend.mixed()?;
    for number in 0..2000 {
        let text = format!("nobody.{number}@conformance.example");
        large.insert(number / 2, (address(&text)?, AddressParties::nobody()));
    }
    backend.asked("of more than 2,000", &large).await
}

async fn upper_and_lower_case_are_the_same(backend: &DirectoryBackend) -> Checked {
    let upper = backend.known.iter();
    let upper: Checked<Known> = upper
        .map(|(text, parties)| Ok((address(&text.to_ascii_uppercase())?, parties.clone())))
        .collect();
    backend.asked("in capitals", &upper?).await
}

async fn the_same_question_has_the_same_answer(backend: &DirectoryBackend) -> Checked {
    let mixed = backend.mixed()?;
    for time in 1..=5 {
        backend.asked(&format!("time {time}"), &mixed).await?;
    }
    Ok(())
}

async fn many_may_ask_at_once(backend: &DirectoryBackend) -> Checked {
    let mixed = backend.mixed()?;
    let asked = (0..8).map(|_| backend.asked("at once", &mixed));
    join_all(asked).await.into_iter().collect()
}

async fn another_scope_knows_nobody(backend: &DirectoryBackend) -> Checked {
    let skipped = || Stop::Skipped("no other scope was given".into());
    let scope = backend.other_scope.as_ref().ok_or_else(skipped)?;
    let mixed = backend.mixed()?;
    let addresses: Vec<_> = mixed.into_iter().map(|(address, _)| address).collect();
    let answers = backend.directory.resolve(scope, &addresses).await?;
    equal("answers", answers.len(), addresses.len())?;
    check!(
        answers.iter().all(AddressParties::is_empty),
        "another scope has them"
    );
    Ok(())
}

async fn an_outage_is_an_error(backend: &DirectoryBackend) -> Checked {
    let skipped = || Stop::Skipped("no directory in an outage was given".into());
    let directory = backend.outage.as_ref().ok_or_else(skipped)?;
    let mixed = backend.mixed()?;
    for (address, _) in mixed {
        let answer = directory.resolve(&backend.scope, &[address]).await;
        fails("a question in an outage", answer, ErrorKind::Unavailable)?;
    }
    Ok(())
}

async fn a_created_contact_is_found_and_created_once(backend: &DirectoryBackend) -> Checked {
    let skipped = || Stop::Skipped("the directory takes up no contacts".into());
    let editor = backend.editor.as_ref().ok_or_else(skipped)?;
    let address = address("new.contact@conformance.example")?;
    let contact = NewContact::new(address.clone(), Some("New Contact".into()));
    let number = editor.create_contact(&backend.scope, &contact).await?;
    let again = editor.create_contact(&backend.scope, &contact).await?;
    equal("created again", &again, &number)?;
    let answers = backend.ask(&[address]).await?;
    let found: Vec<_> = answers[0]
        .contacts
        .iter()
        .map(|contact| &contact.no)
        .collect();
    equal("found", found, [&number])
}
