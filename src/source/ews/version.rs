//! The schema version that is asked for, stepped down for servers that refuse it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// A schema version, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    /// Exchange 2013 SP1: understood by every later server too.
    Exchange2013Sp1,
    /// Exchange 2013.
    Exchange2013,
    /// Exchange 2010 SP2.
    Exchange2010Sp2,
    /// Exchange 2010 SP1: the first that tells the new id of a moved item.
    Exchange2010Sp1,
}

const LADDER: [Version; 4] = [
    Version::Exchange2013Sp1,
    Version::Exchange2013,
    Version::Exchange2010Sp2,
    Version::Exchange2010Sp1,
];

impl Version {
    /// The name in the request's header.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Exchange2013Sp1 => "Exchange2013_SP1",
            Self::Exchange2013 => "Exchange2013",
            Self::Exchange2010Sp2 => "Exchange2010_SP2",
            Self::Exchange2010Sp1 => "Exchange2010_SP1",
        }
    }
}

/// The version that the mailbox's server accepts, as far as it is known.
#[derive(Debug, Default)]
pub(super) struct Negotiated(AtomicUsize);

impl Negotiated {
    /// The version to ask for.
    pub(super) fn current(&self) -> Version {
        let step = self.0.load(Ordering::Relaxed);
        LADDER
            .get(step)
            .copied()
            .unwrap_or(Version::Exchange2010Sp1)
    }

    /// Steps below a version that was refused; says no where there is none below.
    pub(super) fn step_down(&self, refused: Version) -> bool {
        let Some(step) = LADDER.iter().position(|version| *version == refused) else {
            return false;
        };
        let below = step + 1;
        if below < LADDER.len() {
            self.0.fetch_max(below, Ordering::Relaxed);
        }
        below < LADDER.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_that_was_refused_is_not_asked_for_again() {
        let negotiated = Negotiated::default();
        assert!(negotiated.step_down(Version::Exchange2013Sp1));
        assert!(negotiated.step_down(Version::Exchange2013Sp1));
        assert_eq!(negotiated.current(), Version::Exchange2013);
        assert!(negotiated.step_down(Version::Exchange2013));
        assert!(negotiated.step_down(Version::Exchange2010Sp2));
        assert!(!negotiated.step_down(Version::Exchange2010Sp1));
        assert_eq!(negotiated.current(), Version::Exchange2010Sp1);
    }
}
