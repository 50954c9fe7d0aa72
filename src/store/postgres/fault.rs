//! What can go wrong between the core and the database, before it becomes the public error.
//!
//! Knows SQLSTATE (PostgreSQL manual, appendix A). The text of a fault never holds a value of a row, an address or a name of
//! a user: the server's own text may, so it is dropped.

use std::error::Error as _;
use std::fmt;

use tokio_postgres::error::DbError;

use crate::error::{Code, Error, codes};
use crate::store::rows::Flaw;

/// The result of the core's functions.
pub(super) type Done<T> = std::result::Result<T, Fault>;

/// Why the core did not do it.
#[derive(Debug)]
pub(super) enum Fault {
    /// The server said no.
    Refused(Refusal),
    /// The connection ended, or an answer did not come.
    Lost,
    /// No connection could be made, or none was free in time.
    NoConnection,
    /// No trusted TLS connection could be made.
    Tls,
    /// The data of one row contradicts what is stored.
    Data(&'static str),
    /// A stored value cannot be read.
    Damaged(&'static str),
    /// A code of the table, as it is.
    Coded(&'static Code),
}

/// What the server's error says, without its words.
#[derive(Debug)]
pub(super) struct Refusal {
    state: String,
    /// The constraint, table or column that it names.
    place: Option<String>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SQLSTATE {}", self.state)?;
        match &self.place {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<&DbError> for Refusal {
    fn from(error: &DbError) -> Self {
        let place = error.constraint().or(error.column()).or(error.table());
        Self {
            state: error.code().code().to_owned(),
            place: place.map(str::to_owned),
        }
    }
}

impl From<tokio_postgres::Error> for Fault {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(refused) = error.as_db_error() {
            return Self::Refused(refused.into());
        }
        // The driver tells its own errors apart in their text alone, which holds no value.
        let text = error.to_string();
        if text.starts_with("error serializing") {
            Self::Data("a value that its column cannot hold")
        } else if text.starts_with("error deserializing") || text.starts_with("invalid column") {
            Self::Damaged("a column")
        } else if text.contains("TLS") || is_tls(&error) {
            Self::Tls
        } else {
            Self::Lost
        }
    }
}

/// Whether TLS is the cause: it stands inside an I/O error, which does not call it its source.
fn is_tls(error: &tokio_postgres::Error) -> bool {
    let io = error
        .source()
        .and_then(|e| e.downcast_ref::<std::io::Error>());
    let inner = io.and_then(std::io::Error::get_ref);
    inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
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

/// In this state the transaction has failed before; the error that made it fail is the one to tell.
const IN_FAILED_TRANSACTION: &str = "25P02";

impl Fault {
    /// Whether one row is to blame, so that the others can be written without it.
    pub(super) fn is_data(&self) -> bool {
        match self {
            Self::Data(_) => true,
            Self::Refused(refusal) => refusal.code() == &codes::STORE_DATA,
            _ => false,
        }
    }

    /// Whether it is only the consequence of another one.
    pub(super) fn is_consequence(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.state == IN_FAILED_TRANSACTION)
    }

    /// Whether the transaction was undone for no fault of its own, so that the whole job may be done again.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_collision() || refusal.is_lost(),
            Self::Lost => true,
            _ => false,
        }
    }

    /// Whether nobody answered, which may have taken as long as an answer or a connection is waited for.
    pub(super) fn is_silence(&self) -> bool {
        matches!(self, Self::Lost | Self::NoConnection)
    }

    /// Whether a COMMIT that ends so may have been done all the same.
    pub(super) fn is_unknown(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.is_lost() || refusal.state == "40003",
            Self::Lost => true,
            _ => false,
        }
    }

    /// Whether two of these would collide who make the same thing.
    pub(super) fn is_there_already(&self) -> bool {
        let there = ["23505", "42710", "42P06", "42P07"];
        matches!(self, Self::Refused(refusal) if there.contains(&refusal.state.as_str()))
    }

    /// Whether the engine does not know what it was asked for: a feature, some syntax, a type or operator, a function.
    pub(super) fn is_not_known(&self) -> bool {
        let not_known = ["0A000", "42601", "42704", "42883"];
        matches!(self, Self::Refused(refusal) if not_known.contains(&refusal.state.as_str()))
    }

    /// The public error.
    pub(super) fn into_error(self, operation: &'static str) -> Error {
        match self {
            Self::Refused(refusal) => Error::new(refusal.code(), operation).with_source(refusal),
            Self::Lost => Error::new(&codes::STORE_UNAVAILABLE, operation)
                .with_detail("the connection to the database ended, or brought no answer in time"),
            Self::NoConnection => Error::new(&codes::STORE_CONNECTIONS, operation),
            Self::Tls => Error::new(&codes::STORE_TLS, operation),
            Self::Data(what) => Error::new(&codes::STORE_DATA, operation).with_detail(what),
            Self::Damaged(what) => Error::new(&codes::STORE_CORRUPT, operation).with_detail(what),
            Self::Coded(code) => Error::new(code, operation),
        }
    }
}

impl Refusal {
    /// Serialization failure and deadlock.
    fn is_collision(&self) -> bool {
        matches!(self.state.as_str(), "40001" | "40P01")
    }

    /// The server ends the connection or cannot be spoken to: connection exceptions, shutdown, crash, starting up.
    fn is_lost(&self) -> bool {
        let state = self.state.as_str();
        state.starts_with("08") || matches!(state, "57P01" | "57P02" | "57P03" | "25P03")
    }

    fn code(&self) -> &'static Code {
        match self.state.as_str() {
            "53100" => &codes::STORE_FULL,
            "53300" | "57P03" => &codes::STORE_CONNECTIONS,
            "25006" => &codes::STORE_READ_ONLY,
            "57014" | "55P03" => &codes::STORE_TIMEOUT,
            "XX001" | "XX002" => &codes::STORE_CORRUPT,
            state
                if ["22", "23", "54"]
                    .iter()
                    .any(|class| state.starts_with(class)) =>
            {
                &codes::STORE_DATA
            }
            _ => &codes::STORE_UNAVAILABLE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(state: &str) -> Fault {
        let state = state.to_owned();
        Fault::Refused(Refusal { state, place: None })
    }

    #[test]
    fn every_state_has_its_code_and_says_whether_it_passes() {
        let cases = [
            ("40001", "store.unavailable", true, false),
            ("40P01", "store.unavailable", true, false),
            ("40003", "store.unavailable", false, true),
            ("08006", "store.unavailable", true, true),
            ("57P01", "store.unavailable", true, true),
            ("57P02", "store.unavailable", true, true),
            ("57P03", "store.connections", true, true),
            ("25P03", "store.unavailable", true, true),
            ("53100", "store.full", false, false),
            ("53200", "store.unavailable", false, false),
            ("53300", "store.connections", false, false),
            ("25006", "store.read_only", false, false),
            ("57014", "store.timeout", false, false),
            ("55P03", "store.timeout", false, false),
            ("XX001", "store.corrupt", false, false),
            ("22021", "store.data", false, false),
            ("23505", "store.data", false, false),
            ("54000", "store.data", false, false),
            ("28P01", "store.unavailable", false, false),
        ];
        for (state, code, passing, unknown) in cases {
            let fault = refused(state);
            let seen = (fault.is_passing(), fault.is_unknown());
            assert_eq!(seen, (passing, unknown), "{state}");
            assert_eq!(fault.into_error("commit").code(), code, "{state}");
        }
    }

    #[test]
    fn only_a_refusal_of_the_words_themselves_says_that_the_engine_does_not_know_them() {
        for state in ["0A000", "42601", "42704", "42883"] {
            assert!(refused(state).is_not_known(), "{state}");
        }
        for state in [
            "42501", "57014", "53300", "08006", "57P01", "40001", "XX000",
        ] {
            assert!(!refused(state).is_not_known(), "{state}");
        }
        for fault in [Fault::Lost, Fault::NoConnection, Fault::Tls] {
            assert!(!fault.is_not_known(), "{fault:?}");
        }
    }

    #[test]
    fn a_refusal_says_its_state_and_the_place_that_the_server_names() {
        let refusal = |place: Option<&str>| Refusal {
            state: "23505".to_owned(),
            place: place.map(str::to_owned),
        };
        assert_eq!(refusal(None).to_string(), "SQLSTATE 23505");
        assert_eq!(
            refusal(Some("sightings_pkey")).to_string(),
            "SQLSTATE 23505 at sightings_pkey"
        );
    }
}
