//! Microsoft's clouds, and where Graph is in each of them.

/// A cloud of Microsoft's.
///
/// Addresses: Microsoft, "National cloud deployments of Microsoft Graph".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum GraphCloud {
    /// The worldwide service, US Government GCC included.
    #[default]
    Global,
    /// US Government L4 (GCC High).
    UsGovernmentL4,
    /// US Government L5 (Department of Defense).
    UsGovernmentL5,
    /// China, operated by 21Vianet.
    China,
}

impl GraphCloud {
    /// Scheme and host of Graph there, such as `https://graph.microsoft.com`; it is also what a token is asked for.
    pub fn origin(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGovernmentL4 => "https://graph.microsoft.us",
            Self::UsGovernmentL5 => "https://dod-graph.microsoft.us",
            Self::China => "https://microsoftgraph.chinacloudapi.cn",
        }
    }
}
