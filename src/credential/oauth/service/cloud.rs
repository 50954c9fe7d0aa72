//! Microsoft's clouds: where each one signs in, and what Exchange and Graph are called there.
//!
//! Addresses: Microsoft, "National cloud deployments" (identity platform and Graph) and "Office 365 URLs and IP address
//! ranges" for Exchange.

/// A cloud of Microsoft.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MicrosoftCloud {
    /// The worldwide service, US Government GCC included.
    #[default]
    Worldwide,
    /// US Government, GCC High.
    UsGovernmentGccHigh,
    /// US Government, Department of Defense.
    UsGovernmentDod,
    /// China, operated by 21Vianet.
    China,
}

/// Application ids of Exchange and Graph, which some tokens name in the place of the address.
const EXCHANGE_ID: &str = "00000002-0000-0ff1-ce00-000000000000";
const GRAPH_ID: &str = "00000003-0000-0000-c000-000000000000";

impl MicrosoftCloud {
    pub(super) fn login_host(self) -> &'static str {
        match self {
            Self::Worldwide => "login.microsoftonline.com",
            Self::UsGovernmentGccHigh | Self::UsGovernmentDod => "login.microsoftonline.us",
            Self::China => "login.partner.microsoftonline.cn",
        }
    }

    pub(super) fn exchange(self) -> &'static str {
        match self {
            Self::Worldwide => "https://outlook.office365.com",
            Self::UsGovernmentGccHigh => "https://outlook.office365.us",
            Self::UsGovernmentDod => "https://outlook-dod.office365.us",
            Self::China => "https://partner.outlook.cn",
        }
    }

    pub(super) fn graph(self) -> &'static str {
        match self {
            Self::Worldwide => "https://graph.microsoft.com",
            Self::UsGovernmentGccHigh => "https://graph.microsoft.us",
            Self::UsGovernmentDod => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }

    const ALL: [Self; 4] = [
        Self::Worldwide,
        Self::UsGovernmentGccHigh,
        Self::UsGovernmentDod,
        Self::China,
    ];
}

/// Whom a token for this resource may name: in Microsoft's clouds also the application id of Exchange or Graph, and
/// Exchange Online has two addresses in the worldwide one.
pub(super) fn audiences_of(resource: &str) -> Vec<String> {
    let mut all = vec![resource.to_owned()];
    let of_any = |address: fn(MicrosoftCloud) -> &'static str| {
        MicrosoftCloud::ALL
            .iter()
            .any(|cloud| address(*cloud) == resource)
    };
    let exchange_second = "https://outlook.office.com";
    if of_any(MicrosoftCloud::exchange) || resource == exchange_second {
        all.push(EXCHANGE_ID.to_owned());
    }
    if of_any(MicrosoftCloud::graph) {
        all.push(GRAPH_ID.to_owned());
    }
    match resource {
        "https://outlook.office365.com" => all.push(exchange_second.to_owned()),
        "https://outlook.office.com" => all.push("https://outlook.office365.com".to_owned()),
        _ => {}
    }
    all
}

/// What asks for every permission that the application registration lists for a resource.
pub(super) fn scope_of(resource: &str) -> String {
    format!("{resource}/.default")
}
