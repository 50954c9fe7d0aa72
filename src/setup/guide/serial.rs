//! How the types of other rooms are written in a stored guide. Only under `serde`.

/// How the job signs in, by its code.
pub(super) mod authentication {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::setup::AuthenticationType;

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it with a reference
    pub(in crate::setup::guide) fn serialize<S: Serializer>(
        value: &AuthenticationType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.code())
    }

    pub(in crate::setup::guide) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<AuthenticationType, D::Error> {
        let code = String::deserialize(deserializer)?;
        let known = AuthenticationType::from_code(&code);
        known.ok_or_else(|| D::Error::custom("no such authentication type"))
    }
}

/// How the mailbox is reached, by its code.
pub(super) mod service {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use crate::setup::MailService;

    #[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it with a reference
    pub(in crate::setup::guide) fn serialize<S: Serializer>(
        value: &MailService,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(value.code())
    }

    pub(in crate::setup::guide) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<MailService, D::Error> {
        let code = String::deserialize(deserializer)?;
        MailService::from_code(&code).ok_or_else(|| D::Error::custom("no such service"))
    }
}

/// A folder's path by its root and its segments, which may hold backslashes.
pub(super) mod path {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    use crate::source::{FolderPath, FolderRoot};

    const ROOTS: [FolderRoot; 4] = [
        FolderRoot::PublicFolders,
        FolderRoot::Mailbox,
        FolderRoot::Inbox,
        FolderRoot::Archive,
    ];

    pub(in crate::setup::guide) fn serialize<S: Serializer>(
        value: &FolderPath,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (value.root().code(), value.segments()).serialize(serializer)
    }

    pub(in crate::setup::guide) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FolderPath, D::Error> {
        let (code, segments) = <(String, Vec<String>)>::deserialize(deserializer)?;
        let root = ROOTS.into_iter().find(|root| root.code() == code);
        let root = root.ok_or_else(|| D::Error::custom("no such root of folders"))?;
        Ok(FolderPath::new(root, segments))
    }
}

/// A folder's id by its text.
pub(super) mod id {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::source::FolderId;

    #[allow(clippy::ref_option)] // serde calls it with a reference
    pub(in crate::setup::guide) fn serialize<S: Serializer>(
        value: &Option<FolderId>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(FolderId::as_str).serialize(serializer)
    }

    pub(in crate::setup::guide) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<FolderId>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.map(FolderId::new))
    }
}
