//! Which contacts in memory are near an unknown person.

use async_trait::async_trait;

use super::{ContactRecord, MemoryDirectory};
use crate::directory::suggestions::is_shared;
use crate::directory::{ContactSuggestions, SuggestedBecause, Suggestion};
use crate::error::Result;
use crate::message::Address;
use crate::parties::NewContact;
use crate::scope::Scope;

#[async_trait]
impl ContactSuggestions for MemoryDirectory {
    /// By name, whatever its case, then by the domain of an e-mail; of equals the lowest number first.
    async fn suggest(
        &self,
        _scope: &Scope,
        people: &[NewContact],
        limit: u32,
    ) -> Result<Vec<Suggestion>> {
        let state = self.read();
        let mut near: Vec<Suggestion> = state
            .contacts
            .values()
            .filter_map(|record| nearest(record, people))
            .collect();
        near.sort_by(|one, other| {
            (one.because, &one.contact).cmp(&(other.because, &other.contact))
        });
        near.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(near)
    }
}

fn nearest(record: &ContactRecord, people: &[NewContact]) -> Option<Suggestion> {
    let because = people
        .iter()
        .filter_map(|person| near(record, person))
        .min()?;
    let mut found = Suggestion::new(record.no.clone(), &record.name, record.kind, because);
    found.company.clone_from(&record.company);
    Some(found)
}

fn near(record: &ContactRecord, person: &NewContact) -> Option<SuggestedBecause> {
    let same_name = person.name.as_ref().is_some_and(|name| {
        !name.trim().is_empty() && name.trim().to_lowercase() == record.name.trim().to_lowercase()
    });
    if same_name {
        return Some(SuggestedBecause::SameName);
    }
    let domain = person.address.domain();
    let fields = [Some(&record.email), record.email2.as_ref()];
    let addresses = fields
        .into_iter()
        .flatten()
        .flat_map(|field| field.split(';'));
    let mut addresses = addresses.filter_map(|text| Address::parse(text.trim()).ok());
    let same_domain = !is_shared(domain) && addresses.any(|one| one.domain() == domain);
    same_domain.then_some(SuggestedBecause::SameDomain)
}
