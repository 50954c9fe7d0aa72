//! One request for a token, and what came back.

use std::borrow::Cow;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse,
    BasicTokenType,
};
use oauth2::{
    AuthType, AuthorizationCode, ClientId, ClientSecret, EndpointNotSet, EndpointSet,
    ExtraTokenFields, PkceCodeVerifier, RedirectUrl, RefreshToken, StandardRevocableToken,
    StandardTokenResponse, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::cache::Acquired;
use super::client::{Client, Proof};
use super::facts::TokenFacts;
use super::pause::Attempts;
use super::refusal::{Stage, token_error};
use super::service::IdentityService;
use super::transport::Transport;
use crate::credential::AccessToken;
use crate::error::{Error, Result, codes};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The identity service with the way to it.
#[derive(Debug)]
pub(super) struct TokenEndpoint {
    pub(super) service: IdentityService,
    pub(super) transport: Transport,
    /// What a token must allow where it says what it allows.
    pub(super) permissions: Vec<String>,
}

/// What a token is asked with.
pub(super) enum Grant<'a> {
    /// The application itself (RFC 6749, 4.4).
    Application,
    /// A refresh token (RFC 6749, 6).
    Refresh(&'a SecretString),
    /// A code with its PKCE verifier (RFC 6749, 4.1.3; RFC 7636, 4.5).
    Code {
        code: String,
        verifier: &'a SecretString,
        redirect: &'a str,
    },
}

/// What was granted.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) token: AccessToken,
    pub(super) facts: Option<TokenFacts>,
    /// What the service says that was granted; it may leave out what was asked for.
    pub(super) scopes: Option<Vec<String>>,
    pub(super) refresh_token: Option<SecretString>,
    pub(super) id_token: Option<SecretString>,
}

/// The field that OpenID Connect adds (Core, 3.1.3.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
struct IdToken {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
}

impl ExtraTokenFields for IdToken {}

type Answer = StandardTokenResponse<IdToken, BasicTokenType>;

type Library = oauth2::Client<
    BasicErrorResponse,
    Answer,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Adds parameters to a request of the library, whose kinds share no trait.
macro_rules! with_parameters {
    ($request:expr, $parameters:expr) => {{
        let mut request = $request;
        for (name, value) in $parameters {
            request = request.add_extra_param(name, value);
        }
        request
    }};
}

impl TokenEndpoint {
    /// Asks for a token. What it says about itself is not [checked](Self::check) yet: a refresh token that came with it has
    /// to be stored first. A service that cannot answer for a moment is asked again a few times.
    pub(super) async fn ask(&self, client: &Client, grant: Grant<'_>) -> Result<Granted> {
        let stage = match grant {
            Grant::Application => Stage::Application,
            _ => Stage::Person,
        };
        let repeatable = matches!(grant, Grant::Application);
        let mut attempts = Attempts::new(self.transport.clock.now(), repeatable);
        loop {
            attempts.count();
            match self.send(client, &grant, stage).await {
                Ok(answer) => return Ok(self.granted(&answer)),
                Err(error) => {
                    if !self.transport.pause_before_next(&attempts, &error).await {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn send(&self, client: &Client, grant: &Grant<'_>, stage: Stage) -> Result<Answer> {
        let library = self.library(client);
        let parameters = self.parameters(client)?;
        let answer = match grant {
            Grant::Application => {
                let mut request = library.exchange_client_credentials();
                request = request.add_scopes(scopes_of(&self.service.scope));
                let request = with_parameters!(request, parameters);
                request.request_async(&self.transport).await
            }
            Grant::Refresh(token) => {
                let token = RefreshToken::new(token.expose_secret().to_owned());
                let mut request = library.exchange_refresh_token(&token);
                request = request.add_scopes(scopes_of(&self.service.refresh_scope()));
                let request = with_parameters!(request, parameters);
                request.request_async(&self.transport).await
            }
            Grant::Code {
                code,
                verifier,
                redirect,
            } => {
                let redirect = RedirectUrl::new((*redirect).to_owned()).map_err(|_| {
                    Error::new(&codes::OAUTH_CALLBACK_INVALID, self.transport.operation)
                })?;
                let verifier = PkceCodeVerifier::new(verifier.expose_secret().to_owned());
                let request = library
                    .exchange_code(AuthorizationCode::new(code.clone()))
                    .set_pkce_verifier(verifier)
                    .set_redirect_uri(Cow::Owned(redirect));
                let request = with_parameters!(request, parameters);
                request.request_async(&self.transport).await
            }
        };
        answer.map_err(|error| token_error(self.transport.operation, stage, error))
    }

    fn library(&self, client: &Client) -> Library {
        let endpoint = TokenUrl::from_url(self.transport.token_url.as_url().clone());
        let in_header = self.service.secret_in_header && matches!(client.proof, Proof::Secret(_));
        let library = oauth2::Client::new(ClientId::new(client.id.clone()))
            .set_auth_type(if in_header {
                AuthType::BasicAuth
            } else {
                AuthType::RequestBody
            })
            .set_token_uri(endpoint);
        match &client.proof {
            Proof::Secret(secret) => {
                library.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned()))
            }
            _ => library,
        }
    }

    /// The assertion and the resource, where there are such.
    fn parameters(&self, client: &Client) -> Result<Vec<(&'static str, String)>> {
        let (now, id) = (self.transport.clock.now(), self.transport.id());
        let mut parameters = Vec::new();
        if let Some(assertion) = client.assertion(&self.service, now, &id)? {
            parameters.push(("client_assertion_type", ASSERTION_TYPE.to_owned()));
            parameters.push(("client_assertion", assertion));
        }
        if let Some(resource) = &self.service.resource {
            parameters.push(("resource", resource.clone()));
        }
        Ok(parameters)
    }

    fn granted(&self, answer: &Answer) -> Granted {
        let text = answer.access_token().secret().as_str();
        let facts = TokenFacts::of_text(text);
        let said = answer.expires_in().map(|life| self.after(life));
        let named = facts.as_ref().and_then(|facts| facts.expires_at);
        let scopes = answer.scopes().map(|scopes| {
            let texts = scopes.iter().map(|scope| scope.as_str().to_owned());
            texts.filter(|scope| !scope.is_empty()).collect()
        });
        let secret = |text: &String| SecretString::from(text.as_str());
        Granted {
            token: AccessToken::new(text, said.or(named)),
            facts,
            scopes,
            refresh_token: answer
                .refresh_token()
                .map(|token| secret(token.secret()))
                .filter(|token| !token.expose_secret().is_empty()),
            id_token: answer.extra_fields().id_token.as_ref().map(secret),
        }
    }

    fn after(&self, life: Duration) -> Timestamp {
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
        let now = self.transport.clock.now();
        now.saturating_add(life).unwrap_or(Timestamp::MAX)
    }

    /// A token that names another tenant or audience, or lacks a permission, is never used. What a token does not say
    /// itself, the service may have said beside it (`scope`; RFC 6749, 5.1).
    pub(super) fn check(&self, granted: &Granted) -> Result<()> {
        let operation = self.transport.operation;
        if let Some(facts) = &granted.facts {
            self.service.check_token(operation, facts)?;
        }
        let Some(permissions) = granted.permissions() else {
            return Ok(());
        };
        let lacks = |needed: &&String| !permissions.contains(needed);
        let missing: Vec<_> = self.permissions.iter().filter(lacks).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        let error = Error::new(&codes::OAUTH_PERMISSION_MISSING, operation);
        Err(error.with_detail(missing.join(" ")))
    }
}

impl Granted {
    /// What the token allows, where it or the service says that. A scope may have the address of its resource before it.
    pub(super) fn permissions(&self) -> Option<Vec<String>> {
        if let Some(facts) = &self.facts {
            return Some(facts.permissions.clone());
        }
        let bare = |scope: &String| match scope.rsplit_once('/') {
            Some((resource, name)) if resource.contains("://") => name.to_owned(),
            _ => scope.clone(),
        };
        let scopes = self.scopes.as_ref()?;
        Some(scopes.iter().map(bare).collect())
    }

    /// The same for whom keeps the token.
    pub(super) fn acquired(self, credential_ends: Option<Timestamp>) -> Acquired {
        Acquired {
            permissions: self.permissions(),
            application: self.facts.is_some_and(|facts| facts.application),
            token: self.token,
            credential_ends,
        }
    }
}

fn scopes_of(text: &str) -> impl Iterator<Item = oauth2::Scope> + '_ {
    let scopes = text.split_whitespace();
    scopes.map(|scope| oauth2::Scope::new(scope.to_owned()))
}
