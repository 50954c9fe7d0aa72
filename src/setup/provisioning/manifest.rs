//! The permissions of the app registration, as people name them and as its manifest writes them.
//!
//! Ids: Microsoft Graph permissions reference <https://learn.microsoft.com/graph/permissions-reference>; those of Exchange
//! are the ones that Business Central documents for its manifest.

use super::MailApi;

/// Who holds a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PermissionKind {
    /// A person who signed in (delegated).
    Scope,
    /// The application itself.
    Role,
}

impl PermissionKind {
    /// The manifest's word.
    pub fn code(self) -> &'static str {
        match self {
            Self::Scope => "Scope",
            Self::Role => "Role",
        }
    }
}

/// One permission of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct AppPermission {
    /// The name in the portal.
    pub name: &'static str,
    /// The id in the manifest.
    pub id: &'static str,
    /// Who holds it.
    pub kind: PermissionKind,
}

const EWS: [AppPermission; 2] = [
    AppPermission {
        name: "EWS.AccessAsUser.All",
        id: "3b5f3d61-589b-4a3c-a359-5dd4b5ee5bd5",
        kind: PermissionKind::Scope,
    },
    AppPermission {
        name: "full_access_as_app",
        id: "dc890d15-9560-4a4c-9b7f-a736ec74ec40",
        kind: PermissionKind::Role,
    },
];

const GRAPH: [AppPermission; 3] = [
    AppPermission {
        name: "Mail.ReadWrite",
        id: "024d486e-b451-40bb-833d-3e66d98c5c73",
        kind: PermissionKind::Scope,
    },
    AppPermission {
        name: "Mail.ReadWrite.Shared",
        id: "5df07973-7d5d-46ed-9847-1271055cbd51",
        kind: PermissionKind::Scope,
    },
    AppPermission {
        name: "Mail.ReadWrite",
        id: "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
        kind: PermissionKind::Role,
    },
];

impl MailApi {
    /// The API's name in the portal.
    pub fn resource_name(self) -> &'static str {
        match self {
            Self::Ews => "Office 365 Exchange Online",
            Self::Graph => "Microsoft Graph",
        }
    }

    /// The API's application id.
    pub fn resource_app_id(self) -> &'static str {
        match self {
            Self::Ews => "00000002-0000-0ff1-ce00-000000000000",
            Self::Graph => "00000003-0000-0000-c000-000000000000",
        }
    }

    /// The permissions that email logging may need, delegated ones first.
    pub fn permissions(self) -> &'static [AppPermission] {
        match self {
            Self::Ews => &EWS,
            Self::Graph => &GRAPH,
        }
    }

    /// The manifest's `requiredResourceAccess` as JSON, of the permissions of these kinds.
    pub(super) fn manifest(self, kinds: &[PermissionKind]) -> String {
        let rows: Vec<String> = self
            .permissions()
            .iter()
            .filter(|permission| kinds.contains(&permission.kind))
            .map(|permission| {
                format!(
                    "        {{\n          \"id\": \"{}\",\n          \"type\": \"{}\"\n        }}",
                    permission.id,
                    permission.kind.code()
                )
            })
            .collect();
        format!(
            "{{\n  \"requiredResourceAccess\": [\n    {{\n      \"resourceAppId\": \"{}\",\n      \"resourceAccess\": [\n{}\n      ]\n    }}\n  ]\n}}\n",
            self.resource_app_id(),
            rows.join(",\n")
        )
    }
}
