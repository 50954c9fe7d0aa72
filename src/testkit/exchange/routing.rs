//! The header fields that lead a request to the right public folder mailbox.
//!
//! Facts from Microsoft, "How to: Route public folder hierarchy requests" and "How to: Route public
//! folder content requests": calls about the hierarchy go to the hierarchy mailbox, calls about the
//! content of a folder to the mailbox that holds it, and both are named in `X-AnchorMailbox` and
//! `X-PublicFolderMailbox`.

use hyper::HeaderMap;

use super::operation::Operation;
use super::store::folder::Home;
use super::store::ids::mailbox_guid;

const ANCHOR: &str = "x-anchormailbox";
const MAILBOX: &str = "x-publicfoldermailbox";

/// The number of the mailbox that holds the hierarchy, and the public root with it.
const HIERARCHY: u32 = 0;

/// The public folder mailboxes of one organisation; more than any test has.
const MAILBOXES: u32 = 1000;

/// Which header fields lead to public folders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RoutingRule {
    /// Both, as Microsoft describes it.
    Both,
    /// `X-AnchorMailbox` with the `PublicFolderInformation` of autodiscover, and no other.
    AnchorOnly,
    /// None: a request with any is lost.
    NoHeaders,
}

/// The addresses of the public folder mailboxes of one organisation.
pub(crate) struct Routing {
    domain: String,
    enforced: Option<RoutingRule>,
}

impl Routing {
    pub(crate) fn new(domain: String, enforced: Option<RoutingRule>) -> Self {
        Self { domain, enforced }
    }

    /// The address of a public folder mailbox.
    pub(crate) fn address(&self, content_mailbox: u32) -> String {
        format!("{}@{}", mailbox_guid(content_mailbox), self.domain)
    }

    pub(crate) fn hierarchy_address(&self) -> String {
        self.address(HIERARCHY)
    }

    /// The address under which autodiscover knows a public folder mailbox.
    pub(crate) fn smtp_address(&self, content_mailbox: u32) -> String {
        format!("public-mailbox-{content_mailbox}@{}", self.domain)
    }

    /// The mailbox that autodiscover names for the public folders of everybody.
    pub(crate) fn information_address(&self) -> String {
        format!("public-folders@{}", self.domain)
    }

    /// The SMTP address that belongs to a `GUID@domain`.
    pub(crate) fn smtp_of_guid(&self, address: &str) -> Option<String> {
        let known = |number: &u32| self.address(*number).eq_ignore_ascii_case(address);
        (0..MAILBOXES)
            .find(known)
            .map(|number| self.smtp_address(number))
    }

    /// The mailbox to which a request is led; `None` where nothing is enforced.
    pub(crate) fn route<'a>(
        &'a self,
        operation: Operation,
        headers: &'a HeaderMap,
    ) -> Option<Route<'a>> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        self.enforced.map(|rule| Route {
            rule,
            routing: self,
            is_about_hierarchy: matches!(
                operation,
                Operation::FindFolder | Operation::CreateFolder
            ),
            anchor: header(ANCHOR),
            mailbox: header(MAILBOX),
        })
    }
}

/// Where the header fields of one request lead.
#[derive(Clone, Copy)]
pub(crate) struct Route<'a> {
    rule: RoutingRule,
    routing: &'a Routing,
    is_about_hierarchy: bool,
    anchor: Option<&'a str>,
    mailbox: Option<&'a str>,
}

impl Route<'_> {
    /// Whether a folder is seen from where the request has come to.
    pub(crate) fn reaches(&self, home: &Home) -> bool {
        match (home, self.rule) {
            (Home::Mailbox(_), _) => true,
            (Home::Public { .. }, RoutingRule::NoHeaders) => {
                self.anchor.is_none() && self.mailbox.is_none()
            }
            (Home::Public { .. }, RoutingRule::AnchorOnly) => {
                let information = self.routing.information_address();
                self.mailbox.is_none() && self.anchor == Some(&*information)
            }
            (Home::Public { .. }, _) if self.is_about_hierarchy => {
                self.anchor.is_some() && self.leads_to(self.mailbox, HIERARCHY)
            }
            (Home::Public { content_mailbox }, _) => {
                self.leads_to(self.anchor, *content_mailbox)
                    && self.leads_to(self.mailbox, *content_mailbox)
            }
        }
    }

    fn leads_to(&self, header: Option<&str>, mailbox: u32) -> bool {
        let addresses = [
            self.routing.address(mailbox),
            self.routing.smtp_address(mailbox),
        ];
        header.is_some_and(|given| addresses.iter().any(|one| given.eq_ignore_ascii_case(one)))
    }
}
