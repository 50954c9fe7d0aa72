//! What can go wrong inside the SQLite core, before it becomes the public error.
//!
//! Knows SQLite's result codes. The text of a fault never holds a value of a row.

use rusqlite::ErrorCode;

use crate::error::{Code, Error, codes};
use crate::store::rows::Flaw;

/// The result of the core's functions.
pub(crate) type Done<T> = std::result::Result<T, Fault>;

/// Why the core did not do it.
#[derive(Debug)]
pub(crate) enum Fault {
    /// SQLite said no.
    Sql(rusqlite::Error),
    /// The data of one row contradicts what is stored.
    Data(&'static str),
    /// A stored value cannot be read.
    Damaged(&'static str),
    /// A code of the table, as it is.
    Coded(&'static Code),
    /// A file could not be made or closed to others.
    File(std::io::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<Flaw> for Fault {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Data(what) => Self::Data(what),
            Flaw::Damaged(what) => Self::Damaged(what),
        }
    }
}

impl From<&'static Code> for Fault {
    fn from(code: &'static Code) -> Self {
        Self::Coded(code)
    }
}

impl Fault {
    /// Whether one row is to blame, so that the others can be written without it.
    pub(crate) fn is_data(&self) -> bool {
        match self {
            Self::Data(_) => true,
            Self::Sql(error) => sql_code(error) == &codes::STORE_DATA,
            _ => false,
        }
    }

    /// Whether another process stood in the way of a statement, so that the whole job may be done again.
    pub(crate) fn is_busy(&self) -> bool {
        let Self::Sql(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
        )
    }

    /// The public error.
    pub(crate) fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Sql(error) => Error::new(sql_code(&error), operation).with_source(error),
            Self::Data(what) => Error::new(&codes::STORE_DATA, operation).with_detail(what),
            Self::Damaged(what) => Error::new(&codes::STORE_CORRUPT, operation).with_detail(what),
            Self::Coded(code) => Error::new(code, operation),
            Self::File(error) => Error::new(file_code(&error), operation).with_source(error),
        }
    }
}

fn file_code(error: &std::io::Error) -> &'static Code {
    match error.kind() {
        std::io::ErrorKind::StorageFull => &codes::STORE_FULL,
        _ => &codes::STORE_UNAVAILABLE,
    }
}

fn sql_code(error: &rusqlite::Error) -> &'static Code {
    use rusqlite::Error as Sql;
    match error {
        Sql::SqliteFailure(failure, _) => match failure.code {
            ErrorCode::DiskFull => &codes::STORE_FULL,
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => &codes::STORE_CORRUPT,
            ErrorCode::ConstraintViolation
            | ErrorCode::TooBig
            | ErrorCode::TypeMismatch
            | ErrorCode::ParameterOutOfRange => &codes::STORE_DATA,
            _ => &codes::STORE_UNAVAILABLE,
        },
        Sql::ToSqlConversionFailure(_) => &codes::STORE_DATA,
        Sql::FromSqlConversionFailure(..)
        | Sql::IntegralValueOutOfRange(..)
        | Sql::InvalidColumnType(..)
        | Sql::Utf8Error(..) => &codes::STORE_CORRUPT,
        _ => &codes::STORE_UNAVAILABLE,
    }
}
