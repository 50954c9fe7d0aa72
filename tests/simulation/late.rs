//! Effects that come late: the caller was told that no answer came, and what it sent is done at a later step.
//!
//! Owns what is under way. Knows nothing of mail and stores.

use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex};

use crate::stage::{Op, link};

/// What is done when it arrives.
pub(crate) type Effect = Box<dyn FnOnce() + Send>;

struct UnderWay {
    op: Op,
    /// Tells it from others.
    digest: u64,
    effect: Effect,
}

/// What is under way. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Late(Arc<Mutex<Vec<UnderWay>>>);

impl Debug for Late {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Late")
    }
}

impl Late {
    pub(crate) fn put(&self, op: Op, what: &dyn Debug, effect: Effect) {
        let digest = link(0, &(op, what));
        self.0.lock().unwrap().push(UnderWay { op, digest, effect });
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// It arrives.
    pub(crate) fn come(&self, which: usize) -> Option<Op> {
        let mut all = self.0.lock().unwrap();
        if which >= all.len() {
            return None;
        }
        let coming = all.remove(which);
        drop(all);
        (coming.effect)();
        Some(coming.op)
    }

    /// What is under way never arrives.
    pub(crate) fn forget(&self) {
        self.0.lock().unwrap().clear();
    }

    pub(crate) fn digest(&self, hasher: &mut impl Hasher) {
        let all = self.0.lock().unwrap();
        let digests: Vec<u64> = all.iter().map(|it| it.digest).collect();
        digests.hash(hasher);
    }
}
