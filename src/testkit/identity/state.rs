//! What changes while the provider runs: applications, codes, refresh tokens, keys, orders of the test.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::application::Application;
use super::failure::Failure;
use super::fault::FaultPlan;
use super::jwt::SigningKey;
use super::recording::{IdentityStatistics, RecordedRequest};
use super::user::UserBehaviour;

/// What is wrong with the tokens that are issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenFlaw {
    /// The signature fits neither the key nor the content.
    WrongSignature,
    /// For another resource; an identity token for another application.
    WrongAudience,
    /// `tid` names another tenant.
    WrongTenant,
    /// `tid` is missing.
    WithoutTenant,
    /// `iss` names another provider.
    WrongIssuer,
    /// `nonce` is not the one that was sent.
    WrongNonce,
    /// `exp` lies an hour back, though the answer promises the usual lifetime.
    Expired,
    /// Neither `roles` nor `scp`.
    WithoutPermissions,
    /// A text that is no JSON Web Token.
    Opaque,
}

/// What a user or an administrator has granted to an application.
#[derive(Clone)]
pub(super) struct Grant {
    pub(super) client_id: String,
    /// `false` for an application that calls as itself.
    pub(super) has_user: bool,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
    pub(super) wants_id_token: bool,
    pub(super) wants_refresh_token: bool,
    pub(super) nonce: Option<String>,
}

/// An authorization request that was found good.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) grant: Grant,
    pub(super) redirect_url: String,
    pub(super) state: Option<String>,
    pub(super) challenge: Option<String>,
}

/// An authorization code that was given out.
pub(super) struct Code {
    pub(super) request: Request,
    pub(super) issued_at: Timestamp,
    pub(super) family: u64,
    pub(super) is_redeemed: bool,
}

/// A refresh token that was given out.
pub(super) struct Refresh {
    pub(super) grant: Grant,
    /// All tokens that come from one consent.
    pub(super) family: u64,
    pub(super) uses: u32,
}

pub(super) struct State {
    pub(super) applications: Vec<Application>,
    pub(super) behaviour: UserBehaviour,
    pub(super) lifetime: Duration,
    pub(super) flaw: Option<TokenFlaw>,
    /// The newest signs; all are published.
    pub(super) keys: Vec<SigningKey>,
    /// Makes texts of this provider differ from those of another.
    seed: String,
    pub(super) waiting: BTreeMap<String, Request>,
    pub(super) codes: BTreeMap<String, Code>,
    pub(super) refreshes: BTreeMap<String, Refresh>,
    pub(super) dead_families: BTreeSet<u64>,
    pub(super) revoked: BTreeSet<String>,
    pub(super) issued: Vec<String>,
    /// Every access token as it was handed out.
    pub(super) access_tokens: Vec<String>,
    pub(super) faults: FaultPlan,
    pub(super) statistics: IdentityStatistics,
    pub(super) recorded: Vec<RecordedRequest>,
    counter: u64,
}

impl State {
    pub(super) fn new(applications: Vec<Application>, lifetime: Duration, key: SigningKey) -> Self {
        Self {
            applications,
            behaviour: UserBehaviour::default(),
            lifetime,
            flaw: None,
            seed: key.public().jwk().to_string(),
            keys: vec![key],
            waiting: BTreeMap::new(),
            codes: BTreeMap::new(),
            refreshes: BTreeMap::new(),
            dead_families: BTreeSet::new(),
            revoked: BTreeSet::new(),
            issued: Vec::new(),
            access_tokens: Vec::new(),
            faults: FaultPlan::default(),
            statistics: IdentityStatistics::default(),
            recorded: Vec::new(),
            counter: 0,
        }
    }

    pub(super) fn application(&self, client_id: &str) -> Result<&Application, Failure> {
        let mut all = self.applications.iter();
        all.find(|one| one.client_id == client_id)
            .ok_or_else(|| Failure::unknown_application(client_id))
    }

    /// A number that was not used before.
    pub(super) fn next_number(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    /// A text that nobody guesses and that no other provider has given out.
    pub(super) fn next_text(&mut self, kind: &str) -> String {
        let number = self.next_number();
        let digest = blake3::hash(format!("{kind} {number} {}", self.seed).as_bytes());
        format!("0.{kind}.{}", digest.to_hex())
    }

    /// Ends every refresh token that exists.
    pub(super) fn end_families(&mut self) {
        let families: Vec<_> = self.refreshes.values().map(|one| one.family).collect();
        self.dead_families.extend(families);
    }
}
