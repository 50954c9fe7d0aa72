//! What a host says about the routing of public folders.

use std::fmt;

/// How calls about public folders find the mailboxes that hold them.
///
/// Exchange keeps the tree of public folders in one mailbox and the content of each folder in one, which may be another for
/// queue and storage (Microsoft, "Public folder access with EWS in Exchange"). Both are found out: the mailbox of the tree
/// by autodiscover for the account, that of a folder by its replica list and autodiscover for what it names. What was found
/// is kept per folder, and found out anew when a folder is empty or not found against expectation. Each step is best
/// effort: without an answer the calls go with less routing, at last with none.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct PublicFolderRouting {
    pub(super) address: String,
    pub(super) autodiscover_url: Option<String>,
}

impl PublicFolderRouting {
    /// Finds the mailboxes out for this account, by its SMTP address.
    ///
    /// The SOAP autodiscover service is asked at the host of the service URL, with the same sign-in: no other host gets
    /// the credentials.
    pub fn automatic(smtp_address: impl Into<String>) -> Self {
        Self {
            address: smtp_address.into(),
            autodiscover_url: None,
        }
    }

    /// Asks the SOAP autodiscover service at this address instead, such as
    /// `https://autodiscover.example.com/autodiscover/autodiscover.svc`. It gets the access tokens of the connection; a user
    /// name and password go to the host of the service URL alone, so that with them it has to be at that host.
    pub fn with_autodiscover_url(mut self, url: impl Into<String>) -> Self {
        self.autodiscover_url = Some(url.into());
        self
    }
}

impl fmt::Debug for PublicFolderRouting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PublicFolderRouting")
            .field("own_url", &self.autodiscover_url.is_some())
            .finish_non_exhaustive()
    }
}
