//! From what a disk says to what a mail source says. File names stay out: they are often subjects.

use std::io;

use crate::error::{Error, codes};

/// Why a file is not read or moved.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not there.
    Gone,
    /// It is there, and this is wrong with it.
    Failed(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What went wrong with one file.
pub(super) fn refusal(operation: &'static str, cause: io::Error) -> Refusal {
    match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Refusal::Gone,
        _ => Refusal::Failed(error(operation, cause)),
    }
}

/// What went wrong with a directory or a whole file of mails.
pub(super) fn error(operation: &'static str, cause: io::Error) -> Error {
    let code = match cause.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => &codes::SOURCE_FOLDER_NOT_FOUND,
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            &codes::FILES_PERMISSION
        }
        _ => &codes::FILES_IO,
    };
    Error::new(code, operation).with_source(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(kind: io::ErrorKind) -> &'static str {
        match refusal("fetch", kind.into()) {
            Refusal::Gone => "gone",
            Refusal::Failed(error) => error.code(),
        }
    }

    #[test]
    fn a_file_is_gone_or_says_what_a_person_can_do() {
        assert_eq!(code(io::ErrorKind::NotFound), "gone");
        assert_eq!(code(io::ErrorKind::PermissionDenied), "files.permission");
        assert_eq!(code(io::ErrorKind::Interrupted), "files.io");
        let missing = error("list", io::ErrorKind::NotFound.into());
        assert_eq!(missing.code(), "source.folder_not_found");
    }
}
