//! References to folders and items.

use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::xml::{Element, Ns};

/// A folder that a request means.
#[derive(Clone, Debug)]
pub(crate) enum FolderRef {
    Id(String),
    Distinguished { id: String, mailbox: Option<String> },
}

/// An item that a request means.
#[derive(Clone, Debug)]
pub(crate) struct ItemRef {
    pub(crate) id: String,
    pub(crate) change_key: Option<String>,
}

impl FolderRef {
    /// All folders inside a list; at least one.
    pub(crate) fn all(list: &Element) -> Result<Vec<Self>, Failure> {
        let all: Vec<_> = list
            .children
            .iter()
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(super::incomplete(&list.name, "FolderId"));
        }
        Ok(all)
    }

    /// The one folder inside a target such as ToFolderId.
    pub(crate) fn one(target: &Element) -> Result<Self, Failure> {
        match target.children.as_slice() {
            [only] => Self::parse(only),
            _ => Err(super::incomplete(&target.name, "FolderId")),
        }
    }

    fn parse(element: &Element) -> Result<Self, Failure> {
        let id = id_of(element)?;
        if element.is(Ns::Types, "FolderId") {
            return Ok(Self::Id(id));
        }
        if !element.is(Ns::Types, "DistinguishedFolderId") {
            return Err(unexpected(element));
        }
        let mailbox = element
            .types("Mailbox")
            .and_then(|m| m.types_text("EmailAddress"));
        Ok(Self::Distinguished {
            id,
            mailbox: mailbox.map(str::to_owned),
        })
    }
}

impl ItemRef {
    /// All items inside a list; at least one.
    pub(crate) fn all(list: &Element) -> Result<Vec<Self>, Failure> {
        let all: Vec<_> = list
            .children
            .iter()
            .map(Self::parse)
            .collect::<Result<_, _>>()?;
        if all.is_empty() {
            return Err(super::incomplete(&list.name, "ItemId"));
        }
        Ok(all)
    }

    pub(crate) fn parse(element: &Element) -> Result<Self, Failure> {
        if !element.is(Ns::Types, "ItemId") {
            return Err(unexpected(element));
        }
        let change_key = element.attribute("ChangeKey").map(str::to_owned);
        Ok(Self {
            id: id_of(element)?,
            change_key,
        })
    }
}

fn id_of(element: &Element) -> Result<String, Failure> {
    let id = element.attribute("Id");
    let id = id.ok_or_else(|| Failure::schema("The required attribute 'Id' is missing."))?;
    Ok(id.to_owned())
}

fn unexpected(element: &Element) -> Failure {
    Failure::schema(format!(
        "The element '{}' is not expected here.",
        element.name
    ))
}
