//! Which service reaches the mailbox, and until when Exchange Online has both.
//!
//! Owns the dates of the end of EWS and the choice between two connectors. Knows no protocol.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{EmailLoggingSetup, MailConnection, MailConnector};
use crate::error::{Error, Result, codes};
use crate::exchange_online;
use crate::scope::Scope;

/// How a mailbox is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MailService {
    /// Exchange Web Services: Exchange on premises, and Exchange Online until 2027-04-01.
    #[default]
    Ews,
    /// Microsoft Graph: Exchange Online. It has no public folders.
    Graph,
}

impl MailService {
    /// The stable code, as it is stored and written in TOML.
    pub fn code(self) -> &'static str {
        match self {
            Self::Ews => "ews",
            Self::Graph => "graph",
        }
    }

    /// The service with this code.
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Ews, Self::Graph];
        all.into_iter().find(|one| one.code() == code)
    }
}

/// How far the end of EWS in Exchange Online has come (Exchange Team Blog, February 2026). It concerns no server on premises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum EwsRetirement {
    /// Before 2026-10-01: everybody may use it.
    Announced,
    /// From 2026-10-01: blocked, but for applications on the tenant's list (`EwsAllowedAppIDs`).
    BlockedByDefault,
    /// From 2027-04-01: off for everybody.
    Ended,
}

impl EwsRetirement {
    /// How far it is at this time.
    pub fn at(now: Timestamp) -> Self {
        if now >= exchange_online::EWS_ENDS {
            Self::Ended
        } else if now >= exchange_online::EWS_BLOCKED_FROM {
            Self::BlockedByDefault
        } else {
            Self::Announced
        }
    }

    /// The stable code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Announced => "announced",
            Self::BlockedByDefault => "blocked-by-default",
            Self::Ended => "ended",
        }
    }

    /// What it means for a set-up that still uses EWS with Exchange Online, and what to do.
    pub fn warning(self) -> &'static str {
        match self {
            Self::Announced => {
                "Exchange Online blocks EWS from 2026-10-01 on, but for applications that the tenant allows (EwsAllowedAppIDs), and ends it on 2027-04-01. Change to Microsoft Graph before."
            }
            Self::BlockedByDefault => {
                "Exchange Online blocks EWS since 2026-10-01, but for applications that the tenant allows (EwsEnabled with EwsAllowedAppIDs), and ends it on 2027-04-01. Change to Microsoft Graph before."
            }
            Self::Ended => {
                "Exchange Online has no EWS since 2027-04-01. Change to Microsoft Graph; nothing is logged until then."
            }
        }
    }

    /// The whole days that are left until EWS ends; 0 afterwards.
    pub fn days_left(now: Timestamp) -> i64 {
        let left = exchange_online::EWS_ENDS.duration_since(now);
        left.as_hours().div_euclid(24).max(0)
    }
}

impl fmt::Display for EwsRetirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.warning())
    }
}

impl EmailLoggingSetup {
    /// How far the end of EWS concerns this set-up, where its fields name EWS of Exchange Online; `None` for a server on
    /// premises, for Graph, and where the service is only found by autodiscovery.
    pub fn ews_retirement(&self, now: Timestamp) -> Option<EwsRetirement> {
        let online = self
            .service_address()
            .is_ok_and(|it| it.is_exchange_online());
        (online && self.mail_service == MailService::Ews).then(|| EwsRetirement::at(now))
    }
}

/// Connects by the connector of the service that the set-up names. Cloning is cheap.
#[derive(Debug, Clone, Default)]
pub struct ServiceConnector {
    ews: Option<Arc<dyn MailConnector>>,
    graph: Option<Arc<dyn MailConnector>>,
}

impl ServiceConnector {
    /// Connects to nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The connector of set-ups for EWS.
    #[must_use]
    pub fn with_ews(mut self, connector: Arc<dyn MailConnector>) -> Self {
        self.ews = Some(connector);
        self
    }

    /// The connector of set-ups for Graph.
    #[must_use]
    pub fn with_graph(mut self, connector: Arc<dyn MailConnector>) -> Self {
        self.graph = Some(connector);
        self
    }
}

#[async_trait]
impl MailConnector for ServiceConnector {
    async fn connect(&self, scope: &Scope, setup: &EmailLoggingSetup) -> Result<MailConnection> {
        let connector = match setup.mail_service {
            MailService::Ews => &self.ews,
            MailService::Graph => &self.graph,
        };
        let missing = || {
            let detail = format!("no connector for {}", setup.mail_service.code());
            Error::new(&codes::CONFIG_MISSING, "ServiceConnector").with_detail(detail)
        };
        connector
            .as_ref()
            .ok_or_else(missing)?
            .connect(scope, setup)
            .await
    }

    fn forget(&self, scope: &Scope) {
        for connector in [&self.ews, &self.graph].into_iter().flatten() {
            connector.forget(scope);
        }
    }
}
