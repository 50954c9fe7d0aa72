//! How a sign-in is given to what asks Exchange Web Services.

use std::sync::Arc;

use crate::scope::Scope;
use crate::setup::sign_in::SignIn;
use crate::source::ews::{AutodiscoverBuilder, EwsSourceBuilder};

impl SignIn {
    /// Gives it to a source.
    pub(super) fn of_source(&self, builder: EwsSourceBuilder) -> EwsSourceBuilder {
        match self {
            Self::Account(provider) => builder.with_account(Arc::clone(provider)),
            Self::AccessToken(provider) => builder.with_access_token(Arc::clone(provider)),
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => builder.with_app_sign_in(sign_in.clone()),
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => builder.with_delegated_sign_in(sign_in.clone()),
        }
    }

    /// Gives it to a look-up; `None` for an account, whose password no look-up gets.
    pub(super) fn of_autodiscover(
        &self,
        scope: &Scope,
        builder: AutodiscoverBuilder,
    ) -> Option<AutodiscoverBuilder> {
        match self {
            Self::Account(_) => None,
            Self::AccessToken(provider) => {
                Some(builder.with_access_token(Arc::clone(provider), scope.clone()))
            }
            #[cfg(feature = "oauth2")]
            Self::App(sign_in) => Some(builder.with_app_sign_in(sign_in.clone())),
            #[cfg(feature = "oauth2")]
            Self::Delegated(sign_in) => Some(builder.with_delegated_sign_in(sign_in.clone())),
        }
    }
}
