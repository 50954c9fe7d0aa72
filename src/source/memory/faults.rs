//! What can go wrong in a call.

use crate::error::Error;

/// A fault of one call. A fault of an item names it by its index in the question.
#[derive(Debug)]
#[non_exhaustive]
pub enum SourceFault {
    /// The call fails and has no effect.
    Error(Error),
    /// The call has its effect and then fails.
    LostReply(Error),
    /// One item fails; the others do not.
    ItemFailed(usize, Error),
    /// One item is said to be gone, though it is still there.
    ItemGone(usize),
    /// The call has its effect on the items before this one and then fails.
    Partial(usize, Error),
    /// A move copies the item and fails before it deletes the original; to the caller the item failed.
    HalfMove(usize, Error),
    /// A fetch ends in the middle of this item's original.
    CutOff(usize, Error),
}

impl SourceFault {
    /// The error of this item, if the fault is about it.
    pub(super) fn of_item(fault: &mut Option<Self>, index: usize) -> Option<ItemFault> {
        let concerned = match fault {
            Some(
                Self::ItemFailed(at, _)
                | Self::ItemGone(at)
                | Self::Partial(at, _)
                | Self::HalfMove(at, _)
                | Self::CutOff(at, _),
            ) => *at == index,
            _ => false,
        };
        let fault = if concerned {
            fault.take()?
        } else {
            return None;
        };
        Some(match fault {
            Self::ItemGone(_) => ItemFault::Gone,
            Self::ItemFailed(_, error) => ItemFault::Failed(error),
            Self::HalfMove(_, error) => ItemFault::Half(error),
            Self::Partial(_, error) | Self::Error(error) | Self::LostReply(error) => {
                ItemFault::Ends(error)
            }
            Self::CutOff(_, error) => ItemFault::CutOff(error),
        })
    }

    /// The error that a call ends with after its effect.
    pub(super) fn lost_reply(fault: Option<Self>) -> Result<(), Error> {
        match fault {
            Some(Self::LostReply(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

/// A fault of one item.
pub(super) enum ItemFault {
    Gone,
    Failed(Error),
    Half(Error),
    Ends(Error),
    CutOff(Error),
}
