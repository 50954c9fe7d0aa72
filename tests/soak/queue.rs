//! The simulated Exchange of the soak: its queues are fed bit by bit, and it fails now and then.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use email_logging::testkit::exchange::{Fault, FaultKind, SimulatedExchange};

use super::mail;

pub(crate) const USER: &str = "svc@ours.example";
pub(crate) const PASSWORD: &str = "correct horse";

/// Mails that lie in the queues at a time, so that listing them stays quick.
const WAITING: u64 = 4_000;

/// The queue of a mailbox.
pub(crate) fn queue_of(mailbox: u64) -> String {
    format!(r"\Email Logging {mailbox}\Queue\")
}

/// Where its mails go.
pub(crate) fn storage_of(mailbox: u64) -> String {
    format!(r"\Email Logging {mailbox}\Storage\")
}

/// The queues of so many mailboxes, numbered from 0; mail `n` lies in that of mailbox `n` modulo their number.
pub(crate) struct Queues {
    exchange: SimulatedExchange,
    mailboxes: u64,
    messages: u64,
    delivered: AtomicU64,
}

impl Queues {
    pub(crate) async fn start(mailboxes: u64, messages: u64, faults: u64, seed: u64) -> Self {
        let mut exchange = SimulatedExchange::builder().with_user(USER, PASSWORD);
        for mailbox in 0..mailboxes {
            exchange = exchange
                .with_public_folder(queue_of(mailbox))
                .with_public_folder(storage_of(mailbox));
        }
        let exchange = exchange.start().await.unwrap();
        order_faults(&exchange, messages, faults, seed);
        let queues = Self {
            exchange,
            mailboxes,
            messages,
            delivered: AtomicU64::new(0),
        };
        queues.feed();
        queues
    }

    pub(crate) fn url(&self) -> String {
        self.exchange.url()
    }

    /// Mails of a mailbox that lie in its queue.
    pub(crate) fn queued_in(&self, mailbox: u64) -> u64 {
        self.exchange.count(&queue_of(mailbox)).unwrap() as u64
    }

    /// Mails of a mailbox that are stored.
    pub(crate) fn stored_in(&self, mailbox: u64) -> u64 {
        self.exchange.count(&storage_of(mailbox)).unwrap() as u64
    }

    pub(crate) fn queued(&self) -> u64 {
        (0..self.mailboxes).map(|it| self.queued_in(it)).sum()
    }

    pub(crate) fn stored(&self) -> u64 {
        (0..self.mailboxes).map(|it| self.stored_in(it)).sum()
    }

    /// What went wrong, by kind.
    pub(crate) fn fired(&self) -> BTreeMap<&'static str, usize> {
        let mut kinds = BTreeMap::new();
        for fault in self.exchange.faults_fired() {
            *kinds.entry(fault.kind.name()).or_default() += 1;
        }
        kinds
    }

    /// Delivers until the queues are full or everything is delivered.
    fn feed(&self) {
        for _ in self.queued()..WAITING {
            let number = self.delivered.load(Ordering::Acquire);
            if number == self.messages {
                return;
            }
            let queue = queue_of(number % self.mailboxes);
            self.exchange.deliver(&queue, mail::bytes(number)).unwrap();
            self.delivered.store(number + 1, Ordering::Release);
        }
    }

    /// Feeds the queues until they are empty and everything is stored, and tells now and then how much is. Answers whether
    /// it came to that: not where nothing happens for minutes.
    pub(crate) async fn feed_until_stored(&self, mut tell: impl AsyncFnMut(u64)) -> bool {
        let (mut last, mut still) = (0, 0);
        while self.queued() > 0 || self.stored() < self.messages {
            self.feed();
            tokio::time::sleep(Duration::from_millis(200)).await;
            let stored = self.stored();
            tell(stored).await;
            still = if stored == last { still + 1 } else { 0 };
            last = stored;
            if still == 1_500 {
                return false;
            }
        }
        true
    }
}

/// Faults at every n-th call on the average, at calls that the seed picks. What makes a second copy of a mail is left out, and
/// what lasts, which sets a mail aside: a storage folder with as many mails as were delivered tells most then.
fn order_faults(exchange: &SimulatedExchange, messages: u64, every: u64, seed: u64) {
    if every == 0 {
        return;
    }
    let back_off = Duration::from_millis(20);
    let kinds = [
        FaultKind::LoseReply,
        FaultKind::DropBefore,
        FaultKind::TruncateBody(300),
        FaultKind::ServerBusy { back_off },
        FaultKind::ServerBusyInside { back_off },
        FaultKind::Http {
            status: 503,
            retry_after: None,
        },
        FaultKind::SoapFault {
            code: "ErrorInternalServerTransientError".into(),
        },
        FaultKind::ItemError {
            index: 1,
            code: "ErrorMailboxStoreUnavailable".into(),
        },
        FaultKind::ItemError {
            index: 2,
            code: "ErrorItemNotFound".into(),
        },
        FaultKind::BatchStopped { after: 3 },
        FaultKind::MissingAnswers(2),
        FaultKind::MoveWithoutNewId,
        FaultKind::DuplicateItems,
        FaultKind::InvalidUtf8,
        FaultKind::HtmlPage,
        FaultKind::Unauthorized,
    ];
    let mut state = seed;
    let mut random = |bound: u64| {
        // splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators).
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % bound
    };
    let (mut call, end) = (0, messages * 2);
    while call < end {
        call += 1 + random(2 * every);
        let kind = kinds[usize::try_from(random(kinds.len() as u64)).unwrap()].clone();
        exchange.inject(Fault::new(kind).at_call(call));
    }
}
