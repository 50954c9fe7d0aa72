//! Server versions: what a request may ask for and what the server says that it is.
//!
//! Names and order are those of `ExchangeVersionType` in types.xsd.

/// The Exchange Server that is simulated: the newest schema that it accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
#[non_exhaustive]
pub enum ServerVersion {
    /// Exchange Server 2010 Service Pack 1.
    Exchange2010Sp1,
    /// Exchange Server 2010 Service Pack 2 or later.
    Exchange2010Sp2,
    /// Exchange Server 2013.
    Exchange2013,
    /// Exchange Server 2013 Service Pack 1 or later.
    Exchange2013Sp1,
    /// Exchange Server 2016, 2019 or Subscription Edition.
    #[default]
    Exchange2016,
}

/// All names of the schema, oldest first.
const NAMES: [&str; 19] = [
    "Exchange2007",
    "Exchange2007_SP1",
    "Exchange2009",
    "Exchange2010",
    "Exchange2010_SP1",
    "Exchange2010_SP2",
    "Exchange2012",
    "Exchange2013",
    "Exchange2013_SP1",
    "Exchange2015",
    "Exchange2016",
    "V2015_10_05",
    "V2016_01_06",
    "V2016_04_13",
    "V2016_07_13",
    "V2016_10_10",
    "V2017_01_07",
    "V2017_04_14",
    "V2017_07_11",
];

/// A version that a request named, comparable with others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RequestVersion(usize);

impl RequestVersion {
    /// The version that the server assumes for a request that names none.
    pub(crate) const UNSTATED: Self = Self(0);

    /// Finds a version by its name in the schema.
    pub(crate) fn by_name(name: &str) -> Option<Self> {
        NAMES.iter().position(|known| *known == name).map(Self)
    }

    /// Whether MoveItem may hold `ReturnNewItemIds` (from Exchange 2010 SP1).
    pub(crate) fn knows_return_new_item_ids(self) -> bool {
        self.0 >= 4
    }
}

impl ServerVersion {
    /// Whether a request of this version is understood.
    pub(crate) fn accepts(self, request: RequestVersion) -> bool {
        request.0 <= self.newest()
    }

    fn newest(self) -> usize {
        match self {
            Self::Exchange2010Sp1 => 4,
            Self::Exchange2010Sp2 => 5,
            Self::Exchange2013 => 7,
            Self::Exchange2013Sp1 => 8,
            Self::Exchange2016 => 10,
        }
    }

    /// The attributes of ServerVersionInfo: major, minor, build, revision and version text.
    pub(crate) fn info(self) -> [&'static str; 5] {
        match self {
            Self::Exchange2010Sp1 => ["14", "1", "218", "15", "Exchange2010_SP1"],
            Self::Exchange2010Sp2 => ["14", "3", "513", "0", "Exchange2010_SP2"],
            Self::Exchange2013 => ["15", "0", "775", "38", "V2_6"],
            Self::Exchange2013Sp1 => ["15", "0", "1497", "48", "V2_23"],
            Self::Exchange2016 => ["15", "2", "1748", "10", "V2017_07_11"],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn newer_requests_than_the_server_are_not_accepted() {
        let accepts =
            |name| ServerVersion::Exchange2013Sp1.accepts(RequestVersion::by_name(name).unwrap());
        assert!(accepts("Exchange2013_SP1"));
        assert!(accepts("Exchange2007"));
        assert!(!accepts("Exchange2015"));
        assert!(!accepts("V2017_07_11"));
        assert!(RequestVersion::by_name("Exchange2099").is_none());
    }
}
