//! What is kept about a person, for the person to read (GDPR, article 15), and under which addresses a contact is known.
//!
//! It reads only. It must not know in which form a host hands it over.

use std::collections::BTreeSet;

use super::{Mark, MarkKind, PrivacyStore};
use crate::directory::ContactDirectory;
use crate::error::{Error, ErrorKind, Result, codes};
use crate::ids::{ContactNo, EntryId, OpportunityNo, SalespersonCode};
use crate::interaction::Comment;
use crate::message::Address;
use crate::opportunity::Opportunity;
use crate::privacy::naming::names;
use crate::privacy::{Person, Selection};
use crate::scope::Scope;
use crate::store::{
    Cursor, DecisionFilter, DecisionRecord, InteractionLog, LogFilter, LoggedMail,
    OpportunityFilter, OpportunityStore, Page, ReviewFilter, ReviewItem, ReviewState, ReviewStore,
};

/// Rows that are read at a time.
const PAGE: u32 = 200;

/// A store with every role in which a person can be known.
pub trait SubjectStore: PrivacyStore + InteractionLog + OpportunityStore + ReviewStore {}

impl<T: PrivacyStore + InteractionLog + OpportunityStore + ReviewStore> SubjectStore for T {}

/// Reads all that is kept about a person: the mails page by page, and the rest at once.
///
/// It finds what [`PrivacyDesk::erase`](super::PrivacyDesk::erase) would remove or change. A mail is given as it is, with what
/// it says of others, also where it is [private](SubjectMail::is_private): whoever hands it over has to weigh that, and to say
/// it to whoever may not read such mail otherwise. What the host keeps itself is the host's to add.
///
/// A contact that the host merged into another is found under the number that it had: export that number as a person of its
/// own, as it is [erased](super::PrivacyDesk::erase).
#[derive(Debug)]
pub struct SubjectExport<'a> {
    store: &'a dyn SubjectStore,
    scope: &'a Scope,
    person: Person,
}

/// A mail of the person.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SubjectMail {
    /// The mail with its entries and their comments.
    pub mail: LoggedMail,
    /// What was decided about each of its copies.
    pub decisions: Vec<DecisionRecord>,
    /// What people marked it as.
    pub marks: Vec<(MarkKind, Mark)>,
    /// The size of its original in bytes, if that is kept: [`InteractionLog::original`] reads it.
    pub original: Option<u64>,
}

/// What is kept about the person beside mails.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct SubjectRecords {
    /// Opportunities in which the contact stands, with their comments and tasks.
    pub opportunities: Vec<Opportunity>,
    /// Comments that name an address, on opportunities of others.
    pub opportunity_comments: Vec<(OpportunityNo, Comment)>,
    /// Comments that name an address, on entries of mail that is not the person's.
    pub entry_comments: Vec<(EntryId, Comment)>,
    /// Items of the review queue that name an address, or that were assigned to the contact, with what people said.
    pub review: Vec<ReviewItem>,
    /// Decisions that name an address and belong to no mail of the person.
    pub decisions: Vec<DecisionRecord>,
    /// The person's addresses on never-log lists, each with the salesperson whose list it is; none for everybody's.
    pub never_log: Vec<(Option<SalespersonCode>, String)>,
}

impl SubjectMail {
    /// Whether somebody marked it private: else nobody but its own salespeople reads it.
    pub fn is_private(&self) -> bool {
        self.marks
            .iter()
            .any(|(kind, _)| *kind == MarkKind::Private)
    }
}

impl<'a> SubjectExport<'a> {
    /// An export of what is kept about this person.
    ///
    /// # Errors
    ///
    /// `Config` (`config.invalid`) where nobody is named.
    pub fn new(store: &'a dyn SubjectStore, scope: &'a Scope, person: Person) -> Result<Self> {
        if person.is_empty() {
            let error = Error::new(&codes::CONFIG_INVALID, "export_subject");
            return Err(error.with_detail("name an address or a contact"));
        }
        Ok(Self {
            store,
            scope,
            person,
        })
    }

    /// A page of the person's mails, newest first. What is removed meanwhile is passed over.
    ///
    /// # Errors
    ///
    /// `Protocol` (`store.cursor`) for a cursor of something else; `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn mails(&self, after: Option<&Cursor>, limit: u32) -> Result<Page<SubjectMail>> {
        let (store, scope) = (self.store, self.scope);
        let selection = Selection::Person(self.person.clone());
        let found = store.affected(scope, &selection, after, limit).await?;
        let mut page = Page::new(Vec::with_capacity(found.rows.len()), found.next);
        for row in &found.rows {
            let mail = match store.mail(scope, &row.message).await {
                Ok(mail) => mail,
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let filter = DecisionFilter {
                message: Some(row.message),
                ..DecisionFilter::default()
            };
            let mut decisions = Vec::new();
            self.decisions(&filter, |decision| decisions.push(decision))
                .await?;
            page.rows.push(SubjectMail {
                mail,
                decisions,
                marks: store.marks(scope, &row.message).await?,
                original: row.original,
            });
        }
        Ok(page)
    }

    /// All that is kept beside mails. It looks at every decision, comment and opportunity of the scope, a page at a time.
    ///
    /// # Errors
    ///
    /// `StoreUnavailable`.
    ///
    /// # Cancel safety
    ///
    /// Reads only.
    pub async fn records(&self) -> Result<SubjectRecords> {
        let mut found = SubjectRecords::default();
        self.add_opportunities(&mut found).await?;
        self.add_reviews(&mut found).await?;
        self.add_never_log(&mut found).await?;
        if !self.person.addresses.is_empty() {
            self.add_comments(&mut found).await?;
            self.add_decisions(&mut found).await?;
        }
        Ok(found)
    }

    async fn add_opportunities(&self, found: &mut SubjectRecords) -> Result<()> {
        let all = OpportunityFilter::default();
        let mut after = None;
        loop {
            let page = self
                .store
                .opportunities(self.scope, &all, after.as_ref(), PAGE);
            let page = page.await?;
            for stored in page.rows {
                let one = stored.opportunity;
                if self.stands_in(&one) {
                    found.opportunities.push(one);
                    continue;
                }
                let said = one
                    .comments
                    .into_iter()
                    .filter(|said| self.is_named(&said.text));
                found
                    .opportunity_comments
                    .extend(said.map(|said| (one.no.clone(), said)));
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn add_reviews(&self, found: &mut SubjectRecords) -> Result<()> {
        for state in [
            ReviewState::Open,
            ReviewState::Assigned,
            ReviewState::Ignored,
        ] {
            let mut filter = ReviewFilter::default();
            (filter.state, filter.excluded) = (state, true);
            let mut after = None;
            loop {
                let page = self
                    .store
                    .review_items(self.scope, &filter, after.as_ref(), PAGE);
                let page = page.await?;
                let items = page.rows.into_iter().filter(|item| self.is_in(item));
                found.review.extend(items);
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    async fn add_never_log(&self, found: &mut SubjectRecords) -> Result<()> {
        let lists = self.store.load_never_log(self.scope).await?.lists;
        let of_all = lists.organisation.iter().map(|rule| (None, rule));
        let of_each = lists
            .salespeople
            .iter()
            .flat_map(|(code, rules)| rules.iter().map(move |rule| (Some(code), rule)));
        for (of, rule) in of_all.chain(of_each) {
            let listed = rule.to_string();
            if rule.kind() == "address" && self.person.addresses.contains(&listed) {
                found.never_log.push((of.cloned(), listed));
            }
        }
        Ok(())
    }

    async fn add_comments(&self, found: &mut SubjectRecords) -> Result<()> {
        let all = LogFilter {
            canceled: true,
            ..LogFilter::default()
        };
        let mut after = None;
        loop {
            let page = self.store.mails(self.scope, &all, after.as_ref(), PAGE);
            let page = page.await?;
            for mail in page.rows.into_iter().filter(|mail| !self.is_of(mail)) {
                for entry in mail.entries {
                    let id = entry.entry.id;
                    let said = entry.comments.into_iter();
                    let said = said.filter(|said| self.is_named(&said.text));
                    found.entry_comments.extend(said.map(|said| (id, said)));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    async fn add_decisions(&self, found: &mut SubjectRecords) -> Result<()> {
        let mut naming = Vec::new();
        self.decisions(&DecisionFilter::default(), |decision| {
            let sender = decision.sender.as_ref();
            let sent = sender.is_some_and(|sender| self.person.addresses.contains(sender));
            let mut steps = decision.steps.iter();
            if sent || steps.any(|step| self.is_named(&step.detail)) {
                naming.push(decision);
            }
        })
        .await?;
        for decision in naming {
            let of_theirs = match &decision.message {
                None => false,
                Some(message) => match self.store.mail(self.scope, message).await {
                    Ok(mail) => self.is_of(&mail),
                    Err(error) if error.kind() == ErrorKind::NotFound => false,
                    Err(error) => return Err(error),
                },
            };
            if !of_theirs {
                found.decisions.push(decision);
            }
        }
        Ok(())
    }

    async fn decisions(
        &self,
        filter: &DecisionFilter,
        mut each: impl FnMut(DecisionRecord) + Send,
    ) -> Result<()> {
        let mut after = None;
        loop {
            let page = self
                .store
                .decisions(self.scope, filter, after.as_ref(), PAGE);
            let page = page.await?;
            page.rows.into_iter().for_each(&mut each);
            after = page.next;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn is_named(&self, text: &str) -> bool {
        let mut addresses = self.person.addresses.iter();
        addresses.any(|address| names(text, address))
    }

    fn is_of(&self, mail: &LoggedMail) -> bool {
        let mut people = mail.record.participants.iter();
        let mut entries = mail.entries.iter();
        people.any(|named| self.person.addresses.contains(&named.address))
            || entries.any(|entry| self.person.contact.as_ref() == Some(&entry.entry.contact_no))
    }

    fn stands_in(&self, one: &Opportunity) -> bool {
        let Some(contact) = &self.person.contact else {
            return false;
        };
        one.contact_no == *contact
            || one.entries.iter().any(|entry| entry.contact_no == *contact)
            || one.tasks.iter().any(|task| task.contact_no == *contact)
    }

    fn is_in(&self, item: &ReviewItem) -> bool {
        let mut people = item.participants.iter();
        let said = item.resolution.as_ref().map(|(_, said)| said);
        let link = said.and_then(|said| said.assignment.as_ref());
        people.any(|named| self.person.addresses.contains(&named.address))
            || said.is_some_and(|said| self.is_named(&said.note) || self.is_named(&said.by))
            || link.is_some_and(|link| {
                self.person.contact.as_ref() == Some(&link.contact)
                    || self.is_named(&link.contact_name)
                    || self.is_named(&link.salesperson_name)
            })
    }
}

/// The addresses of a contact.
#[derive(Debug, Default)]
pub(super) struct Addresses {
    /// The contact's alone.
    pub(super) own: Vec<String>,
    /// Those that others have as well.
    pub(super) shared: Vec<String>,
}

/// The addresses that the contact's mail names and that the directory knows as the contact's.
pub(super) async fn addresses_of(
    log: &dyn InteractionLog,
    directory: &dyn ContactDirectory,
    scope: &Scope,
    contact: &ContactNo,
) -> Result<Addresses> {
    let mut filter = LogFilter::default();
    (filter.contact, filter.canceled) = (Some(contact.clone()), true);
    let mut named: BTreeSet<Address> = BTreeSet::new();
    let mut after = None;
    loop {
        let page = log.mails(scope, &filter, after.as_ref(), PAGE).await?;
        let people = page.rows.iter().flat_map(|mail| &mail.record.participants);
        named.extend(people.filter_map(|named| Address::parse(&named.address).ok()));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let named: Vec<Address> = named.into_iter().collect();
    let mut known = Addresses::default();
    for some in named.chunks(PAGE as usize) {
        let answers = directory.resolve(scope, some).await?;
        for (address, parties) in some.iter().zip(answers) {
            let theirs = |found: &crate::parties::ContactMatch| found.no == *contact;
            let address = address.as_str().to_owned();
            if !parties.contacts.iter().any(theirs) {
                continue;
            }
            if parties.salespeople.is_empty() && parties.contacts.iter().all(theirs) {
                known.own.push(address);
            } else {
                known.shared.push(address);
            }
        }
    }
    Ok(known)
}
