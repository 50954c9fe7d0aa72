//! What the identity service called back with.

use reqwest::Url;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::{OPERATION, PendingConsent};
use crate::credential::oauth::refusal::{Stage, refusal};
use crate::credential::oauth::service::IdentityService;
use crate::error::{Code, Error, Result, codes};

/// The parameters of a callback (RFC 6749, 4.1.2; RFC 9207). Each may be there once.
#[derive(Default)]
pub(super) struct Callback {
    state: Option<String>,
    code: Option<String>,
    issuer: Option<String>,
    error: Option<String>,
    description: Option<String>,
}

impl Callback {
    /// Reads a callback that came to exactly this redirect URL.
    pub(super) fn read(url: &str, redirect_url: &str) -> Result<Self> {
        let invalid = |detail: &'static str| refused(&codes::OAUTH_CALLBACK_INVALID, detail);
        let url = Url::parse(url.trim()).map_err(|_| invalid("it is no URL"))?;
        let redirect = Url::parse(redirect_url).map_err(|_| invalid("it is no URL"))?;
        let mut bare = url.clone();
        bare.set_query(None);
        bare.set_fragment(None);
        if bare != redirect {
            return Err(invalid("it came to another redirect URL"));
        }
        let mut callback = Self::default();
        for (name, value) in url.query_pairs() {
            let Some(place) = callback.place(&name) else {
                continue;
            };
            if place.replace(value.into_owned()).is_some() {
                return Err(invalid("a parameter stands twice"));
            }
        }
        Ok(callback)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<String>> {
        match name {
            "state" => Some(&mut self.state),
            "code" => Some(&mut self.code),
            "iss" => Some(&mut self.issuer),
            "error" => Some(&mut self.error),
            "error_description" => Some(&mut self.description),
            _ => None,
        }
    }

    /// Compares the state in constant time.
    pub(super) fn check_state(&self, pending: &PendingConsent) -> Result<()> {
        let came = self.state.as_deref().unwrap_or_default().as_bytes();
        let own = pending.state.expose_secret().as_bytes();
        if bool::from(came.ct_eq(own)) {
            Ok(())
        } else {
            Err(Error::new(&codes::OAUTH_STATE_MISMATCH, OPERATION))
        }
    }

    /// The code; or what the identity service said instead. An issuer, if it is named, has to be the one that was asked.
    pub(super) fn code(&self, service: &IdentityService) -> Result<String> {
        if service.issuer_in_callback && self.issuer.is_none() {
            let error = Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION);
            return Err(error.with_detail("the callback names no issuer"));
        }
        if let Some(issuer) = &self.issuer
            && !service.may_issue(issuer)
        {
            return Err(Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION));
        }
        if let Some(error) = &self.error {
            let description = self.description.as_deref();
            return Err(refusal(OPERATION, Stage::Person, error, description));
        }
        let code = self.code.clone().filter(|code| !code.is_empty());
        code.ok_or_else(|| refused(&codes::OAUTH_CALLBACK_INVALID, "it holds no code"))
    }

    /// The issuer that the callback named is the one of the identity token.
    pub(super) fn check_issuer(&self, of_token: &str) -> Result<()> {
        match &self.issuer {
            Some(issuer) if issuer != of_token => {
                Err(Error::new(&codes::OAUTH_ISSUER_MISMATCH, OPERATION))
            }
            _ => Ok(()),
        }
    }
}

fn refused(code: &'static Code, detail: &'static str) -> Error {
    Error::new(code, OPERATION).with_detail(detail)
}
