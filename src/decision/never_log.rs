//! Who is never logged: lists of the organisation and of each salesperson. Pure data.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::error::{Error, Result, codes};
use crate::ids::SalespersonCode;
use crate::message::Address;

/// The lists of those who are never logged.
///
/// A participant who is listed is left out, and the mail is still logged for the others. A salesperson's list concerns the
/// entries of that salesperson alone. Where nothing is left, the mail is not logged, and of it nothing is kept but the reason.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(default, rename_all = "kebab-case", deny_unknown_fields)
)]
#[non_exhaustive]
pub struct NeverLog {
    /// For everybody.
    pub organisation: BTreeSet<NeverRule>,
    /// For one salesperson alone.
    pub salespeople: BTreeMap<SalespersonCode, BTreeSet<NeverRule>>,
}

impl NeverLog {
    /// Whether nobody is listed.
    pub fn is_empty(&self) -> bool {
        self.organisation.is_empty() && self.salespeople.values().all(BTreeSet::is_empty)
    }

    /// Adds a rule for everybody, or for one salesperson. Answers whether it is new.
    pub fn add(&mut self, of: Option<&SalespersonCode>, rule: NeverRule) -> bool {
        match of {
            None => self.organisation.insert(rule),
            Some(code) => self
                .salespeople
                .entry(code.clone())
                .or_default()
                .insert(rule),
        }
    }

    /// Takes a rule away. Answers whether it was there.
    pub fn remove(&mut self, of: Option<&SalespersonCode>, rule: &NeverRule) -> bool {
        let Some(code) = of else {
            return self.organisation.remove(rule);
        };
        let Some(rules) = self.salespeople.get_mut(code) else {
            return false;
        };
        let removed = rules.remove(rule);
        if rules.is_empty() {
            self.salespeople.remove(code);
        }
        removed
    }

    /// Takes away every rule that lists exactly this address, for everybody and for each salesperson. Answers how many.
    pub(crate) fn forget(&mut self, address: &str) -> u64 {
        let Ok(rule) = address.parse::<NeverRule>() else {
            return 0;
        };
        let people: Vec<_> = self.salespeople.keys().cloned().collect();
        let of = std::iter::once(None).chain(people.iter().map(Some));
        of.filter(|of| self.remove(*of, &rule)).count() as u64
    }

    /// The kind of the organisation's rule that lists an address.
    pub fn for_everybody(&self, address: &Address) -> Option<&'static str> {
        first(&self.organisation, address)
    }

    /// The kind of the salesperson's rule that lists an address.
    pub fn for_salesperson(
        &self,
        code: &SalespersonCode,
        address: &Address,
    ) -> Option<&'static str> {
        first(self.salespeople.get(code)?, address)
    }
}

fn first(rules: &BTreeSet<NeverRule>, address: &Address) -> Option<&'static str> {
    let rule = rules.iter().find(|rule| rule.matches(address));
    rule.map(NeverRule::kind)
}

/// One rule of a never-log list.
///
/// Read from text: `anna@example.com` is an address, `example.com` or `@example.com` a domain with all below it, and a text
/// with `*` a pattern over the whole address, where `*` stands for any characters: `news*@example.com`, `*@*.example`.
/// Without an `@` a pattern is about the domain. Case does not count, and domains are compared in their ASCII form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(into = "String", try_from = "String")
)]
pub struct NeverRule(Kind);

#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Kind {
    Address(String),
    Domain(String),
    Pattern(String),
}

/// The characters of a rule, as of an address.
const LONGEST: usize = 320;

impl NeverRule {
    /// Whether it lists an address.
    pub fn matches(&self, address: &Address) -> bool {
        match &self.0 {
            Kind::Address(listed) => listed == address.as_str(),
            Kind::Domain(domain) => {
                let above = address.domain().strip_suffix(domain.as_str());
                above.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Kind::Pattern(pattern) => fits(pattern.as_bytes(), address.as_str().as_bytes()),
        }
    }

    /// Its kind by code: `address`, `domain` or `pattern`.
    pub fn kind(&self) -> &'static str {
        match self.0 {
            Kind::Address(_) => "address",
            Kind::Domain(_) => "domain",
            Kind::Pattern(_) => "pattern",
        }
    }
}

/// Whether a text fits a pattern in which `*` stands for any characters. Linear but for the last star, to which it goes back.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut seen) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(next) = text.get(seen) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, seen));
                at += 1;
            }
            Some(same) if same == next => (at, seen) = (at + 1, seen + 1),
            _ => match star {
                // Back to the star, which stands for one character more.
                Some((back, from)) => (at, seen) = (back, from + 1),
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|rest| *rest == b'*')
}

impl FromStr for NeverRule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let refused = || Error::new(&codes::NEVER_LOG_RULE, "NeverRule::from_str");
        if text.is_empty() || text.chars().count() > LONGEST || text.contains(char::is_control) {
            return Err(refused());
        }
        if text.contains('*') {
            return pattern(text).ok_or_else(refused);
        }
        match text.rsplit_once('@') {
            Some((local, _)) if !local.is_empty() => {
                let address = Address::parse(text).map_err(|_| refused())?;
                Ok(Self(Kind::Address(address.as_str().to_owned())))
            }
            other => {
                let domain = domain(other.map_or(text, |(_, domain)| domain));
                Ok(Self(Kind::Domain(domain.ok_or_else(refused)?)))
            }
        }
    }
}

/// A domain as it stands in a normalised address.
fn domain(text: &str) -> Option<String> {
    let address = Address::parse(&format!("x@{text}")).ok()?;
    Some(address.domain().to_owned())
}

fn pattern(text: &str) -> Option<NeverRule> {
    let (local, host) = text.rsplit_once('@').unwrap_or(("*", text));
    let host = if host.contains('*') {
        starred(host)?
    } else {
        domain(host)?
    };
    let whole = format!("{}@{host}", local.to_lowercase());
    // A rule that fits every address would end logging without a word.
    let says_something = whole.chars().any(char::is_alphanumeric);
    says_something.then_some(NeverRule(Kind::Pattern(whole)))
}

/// The labels of a domain with stars, those without one in ASCII.
fn starred(host: &str) -> Option<String> {
    let label = |label: &str| {
        if label.contains('*') {
            label.is_ascii().then(|| label.to_ascii_lowercase())
        } else {
            domain(&format!("{label}.example"))
                .and_then(|whole| Some(whole.strip_suffix(".example")?.to_owned()))
        }
    };
    let labels: Option<Vec<String>> = host.split('.').map(label).collect();
    Some(labels?.join("."))
}

impl fmt::Display for NeverRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Kind::Address(text) | Kind::Domain(text) | Kind::Pattern(text)) = &self.0;
        f.write_str(text)
    }
}

// A rule may be an address, which no trace may hold.
impl fmt::Debug for NeverRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NeverRule({} [redacted])", self.kind())
    }
}

impl From<NeverRule> for String {
    fn from(rule: NeverRule) -> Self {
        rule.to_string()
    }
}

impl TryFrom<String> for NeverRule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_address_is_forgotten_in_every_list_and_its_domain_in_none() {
        let (anna, domain) = ("anna@example.com", "example.com".parse().unwrap());
        let mut lists = NeverLog::default();
        for of in [None, Some("S1".into()), Some("S2".into())] {
            lists.add(of.as_ref(), anna.parse().unwrap());
        }
        lists.add(Some(&"S2".into()), domain);
        assert_eq!(lists.forget("bob@example.com"), 0);
        assert_eq!(lists.forget("no rule@"), 0);
        assert_eq!(lists.forget("Anna@example.com"), 3);
        assert_eq!(lists.forget(anna), 0);
        let address = Address::parse(anna).unwrap();
        assert_eq!(lists.for_everybody(&address), None);
        let left = lists.for_salesperson(&"S2".into(), &address);
        assert_eq!(left, Some("domain"));
    }
}
