//! The gates of a process: one for each mailbox with each credential.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::ThrottlingGate;

/// Gives out one [`ThrottlingGate`] for each mailbox with each credential. Clones share it.
///
/// Whatever is built for the same pair then holds together when the server wants to be left alone; other pairs do not hear
/// of it. A gate is kept as long as this value or one of its clones.
#[derive(Clone, Default)]
pub struct ThrottlingGates {
    gates: Arc<Mutex<BTreeMap<(String, String), ThrottlingGate>>>,
}

impl ThrottlingGates {
    /// No gates yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The gate of a mailbox, by its address, with a credential, by a name that is no secret, such as the user name or the
    /// client id. Upper and lower case are the same.
    pub fn of(&self, mailbox: &str, credential: &str) -> ThrottlingGate {
        let key = (
            mailbox.trim().to_lowercase(),
            credential.trim().to_lowercase(),
        );
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        gates.entry(key).or_default().clone()
    }
}

impl fmt::Debug for ThrottlingGates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("ThrottlingGates")
            .field("gates", &gates.len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_pair_has_one_gate_and_another_pair_another() {
        let gates = ThrottlingGates::new();
        let same = |a: &ThrottlingGate, b: &ThrottlingGate| Arc::ptr_eq(&a.shared, &b.shared);
        let first = gates.of("Queue@corp.example", "job");
        assert!(same(
            &first,
            &gates.clone().of(" queue@CORP.example", "JOB")
        ));
        assert!(!same(&first, &gates.of("queue@corp.example", "other")));
        assert!(!same(&first, &gates.of("other@corp.example", "job")));
        assert_eq!(format!("{gates:?}"), "ThrottlingGates { gates: 3 }");
    }
}
