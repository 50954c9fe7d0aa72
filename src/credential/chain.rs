//! Several providers, asked in order.

/// Providers in order; the first that handles a question answers it.
#[derive(Debug, Default)]
pub struct CredentialChain {}
