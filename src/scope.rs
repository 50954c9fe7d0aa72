//! Whose data it is: the tenant and the company, first part of every key.

use crate::error::{Error, Result, codes};

/// The tenant and company that rows, settings and secrets belong to.
///
/// Each part has 1 to 64 characters; both are `default` where a host has only one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Scope {
    tenant: String,
    company: String,
}

impl Scope {
    /// A scope of one tenant and one of its companies.
    ///
    /// # Errors
    ///
    /// `Config` when a part is empty, longer than 64 characters, or holds a control character.
    pub fn new(tenant: impl Into<String>, company: impl Into<String>) -> Result<Self> {
        let scope = Self {
            tenant: tenant.into(),
            company: company.into(),
        };
        let valid = |part: &str| {
            (1..=64).contains(&part.chars().count()) && !part.chars().any(char::is_control)
        };
        if valid(&scope.tenant) && valid(&scope.company) {
            Ok(scope)
        } else {
            Err(Error::new(&codes::SCOPE_INVALID, "Scope::new"))
        }
    }

    /// The tenant.
    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// The company within the tenant.
    pub fn company(&self) -> &str {
        &self.company
    }
}

impl Default for Scope {
    fn default() -> Self {
        Self {
            tenant: "default".into(),
            company: "default".into(),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Scope;

    #[test]
    fn a_part_has_1_to_64_characters() {
        assert!(Scope::new("a".repeat(64), "é".repeat(64)).is_ok());
        for (tenant, company) in [("", "c"), ("t", ""), (&*"a".repeat(65), "c"), ("a\0", "c")] {
            assert_eq!(
                Scope::new(tenant, company).unwrap_err().code(),
                "scope.invalid"
            );
        }
    }
}
