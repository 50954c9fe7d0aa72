//! The address list that ResolveNames searches.

/// One entry: a person with an SMTP address and, in an organisation, a legacyExchangeDN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DirectoryEntry {
    pub(crate) legacy_dn: Option<String>,
    pub(crate) smtp: String,
    pub(crate) name: String,
}

/// All entries in the order in which they were added.
#[derive(Default)]
pub(crate) struct Directory {
    entries: Vec<DirectoryEntry>,
}

impl Directory {
    pub(crate) fn add(&mut self, entry: DirectoryEntry) {
        self.entries.push(entry);
    }

    /// The entries that an unresolved entry may mean.
    ///
    /// An address or a distinguished name must be equal; other text must begin a word of the name
    /// or the address.
    pub(crate) fn resolve(&self, unresolved: &str) -> Vec<&DirectoryEntry> {
        let wanted = without_routing_prefix(unresolved.trim()).to_lowercase();
        let exact = |entry: &&DirectoryEntry| {
            let is_dn = entry
                .legacy_dn
                .as_deref()
                .is_some_and(|dn| dn.to_lowercase() == wanted);
            is_dn || entry.smtp.to_lowercase() == wanted
        };
        let found: Vec<_> = self.entries.iter().filter(exact).collect();
        if !found.is_empty() || wanted.starts_with('/') || wanted.contains('@') {
            return found;
        }
        self.entries
            .iter()
            .filter(|entry| begins(entry, &wanted))
            .collect()
    }
}

fn begins(entry: &DirectoryEntry, wanted: &str) -> bool {
    let name = entry.name.to_lowercase();
    !wanted.is_empty()
        && (name.starts_with(wanted)
            || name.split_whitespace().any(|word| word.starts_with(wanted))
            || entry.smtp.to_lowercase().starts_with(wanted))
}

fn without_routing_prefix(entry: &str) -> &str {
    match entry.split_once(':') {
        Some((kind, rest)) if ["smtp", "ex"].contains(&kind.to_lowercase().as_str()) => rest,
        _ => entry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let mut directory = Directory::default();
        for (dn, smtp, name) in [
            (
                Some("/o=First/cn=Recipients/cn=anna"),
                "anna@corp.example",
                "Anna Berg",
            ),
            (None, "arne@corp.example", "Arne Bergmann"),
        ] {
            let legacy_dn = dn.map(str::to_owned);
            directory.add(DirectoryEntry {
                legacy_dn,
                smtp: smtp.into(),
                name: name.into(),
            });
        }
        directory
    }

    #[test]
    fn entries_are_found_by_dn_address_and_beginning() {
        let directory = directory();
        let count = |entry: &str| directory.resolve(entry).len();
        assert_eq!(count("EX:/O=FIRST/CN=RECIPIENTS/CN=ANNA"), 1);
        assert_eq!(count("/o=First/cn=Recipients/cn=anna"), 1);
        assert_eq!(count("smtp:ARNE@corp.example"), 1);
        assert_eq!(count("berg"), 2);
        assert_eq!(count("nobody@corp.example"), 0);
        assert_eq!(count("/o=First"), 0);
    }
}
