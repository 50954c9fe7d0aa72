//! Whether the interaction template that the set-up names exists.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::error::Result;
use crate::forward::forward;
use crate::scope::Scope;

/// The host's interaction templates. Optional.
#[async_trait]
pub trait InteractionTemplates: Debug + Send + Sync + 'static {
    /// Whether there is a template with this code.
    ///
    /// # Errors
    ///
    /// What the host's tables raise.
    async fn exists(&self, scope: &Scope, code: &str) -> Result<bool>;
}

forward! {
    InteractionTemplates {
        async fn exists(&self, scope: &Scope, code: &str) -> Result<bool>;
    }
}

/// A fixed list of templates, the same for every scope. Codes are compared without regard to case.
#[derive(Debug, Clone, Default)]
pub struct TemplateList(BTreeSet<String>);

impl TemplateList {
    /// The templates with these codes.
    pub fn new<S: AsRef<str>>(codes: impl IntoIterator<Item = S>) -> Self {
        let upper = |code: S| code.as_ref().trim().to_uppercase();
        Self(codes.into_iter().map(upper).collect())
    }
}

#[async_trait]
impl InteractionTemplates for TemplateList {
    async fn exists(&self, _scope: &Scope, code: &str) -> Result<bool> {
        Ok(self.0.contains(&code.trim().to_uppercase()))
    }
}
