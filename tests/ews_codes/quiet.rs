//! Back-off as the server sees it: by the injected clock, no request comes in a time that it asked to be left alone.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::logger::{LoggerPool, PoolSettings};
use email_logging::source::MailSource;
use email_logging::source::ews::{EwsSource, ThrottlingGate};
use futures_util::future::join_all;
use jiff::Timestamp;
use tokio::sync::Notify;
use wiremock::{MockServer, ResponseTemplate};

use super::scripted::Script;
use super::support::*;

/// A clock that stands until everybody waits, and then goes to the next end of a wait.
#[derive(Debug, Default)]
struct Bell {
    state: Mutex<(Duration, Vec<Duration>)>,
    rung: Notify,
}

impl Bell {
    fn elapsed(&self) -> Duration {
        self.state.lock().unwrap().0
    }

    fn ring(&self) {
        let mut state = self.state.lock().unwrap();
        if let Some(next) = state.1.iter().copied().min() {
            state.0 = next;
            state.1.retain(|end| *end > next);
        }
        drop(state);
        self.rung.notify_waiters();
    }
}

#[async_trait::async_trait]
impl Clock for Bell {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-01T10:00:00Z".parse().unwrap();
        start + self.elapsed()
    }

    async fn sleep(&self, wait: Duration) {
        let end = {
            let mut state = self.state.lock().unwrap();
            let end = state.0 + wait;
            state.1.push(end);
            end
        };
        while self.elapsed() < end {
            self.rung.notified().await;
        }
    }
}

/// When requests came, by the clock, and the wishes that were answered.
#[derive(Debug, Default)]
struct Diary {
    came: Vec<Duration>,
    quiet_until: Duration,
    disturbed: usize,
}

struct Scene {
    _server: MockServer,
    bell: Arc<Bell>,
    diary: Arc<Mutex<Diary>>,
    sources: Vec<EwsSource>,
}

/// Sources with one gate and a server that answers the first requests with these seconds of back-off, one by one.
async fn scene(sources: usize, wishes: Vec<u64>, gate: Option<ThrottlingGate>) -> Scene {
    scene_of(vec![gate; sources], wishes).await
}

async fn scene_of(gates: Vec<Option<ThrottlingGate>>, mut wishes: Vec<u64>) -> Scene {
    wishes.reverse();
    let (server, script) = Script::start().await;
    let (bell, diary) = (
        Arc::new(Bell::default()),
        Arc::new(Mutex::new(Diary::default())),
    );
    let (wishes, noted, clock) = (Mutex::new(wishes), Arc::clone(&diary), Arc::clone(&bell));
    script.say(move |_, _| {
        let now = clock.elapsed();
        let mut diary = noted.lock().unwrap();
        diary.came.push(now);
        diary.disturbed += usize::from(now < diary.quiet_until);
        match wishes.lock().unwrap().pop() {
            Some(seconds) => {
                diary.quiet_until = diary.quiet_until.max(now + Duration::from_secs(seconds));
                ResponseTemplate::new(503).insert_header("retry-after", seconds.to_string())
            }
            None => ok(response("FindItem", &[page("", 0, true)])),
        }
    });
    let build = |gate: Option<ThrottlingGate>| {
        let clock: Arc<dyn Clock> = Arc::<Bell>::clone(&bell);
        let source = source_with(&server, |builder| {
            let builder = builder.with_clock(clock);
            match gate {
                Some(gate) => builder.with_gate(gate),
                None => builder,
            }
        });
        source.0
    };
    Scene {
        sources: gates.into_iter().map(build).collect(),
        _server: server,
        bell,
        diary,
    }
}

impl Scene {
    /// Lists with every source so many times at once, while the clock goes on whenever nothing else does.
    async fn list_with_all(&self, each: usize) {
        let calls = self.sources.iter().flat_map(|source| {
            (0..each).map(async |_| source.list(&folder("Q"), all()).await.map(drop))
        });
        tokio::select! {
            listed = join_all(calls) => assert!(listed.iter().all(Result::is_ok), "{listed:?}"),
            () = self.ringing() => {}
        }
    }

    async fn list_once(&self) {
        let queue = folder("Q");
        let listed = self.sources[0].list(&queue, all());
        tokio::select! {
            listed = listed => drop(listed.unwrap()),
            () = self.ringing() => {}
        }
    }

    async fn ringing(&self) {
        loop {
            tokio::time::sleep(Duration::from_millis(20)).await;
            self.bell.ring();
        }
    }
}

#[tokio::test]
async fn no_request_comes_in_a_back_off_from_any_source_of_the_gate() {
    let scene = scene(3, vec![30, 20, 40], Some(ThrottlingGate::new())).await;
    // The first call is told to wait three times; the others come while it waits and share its waits.
    let first = scene.list_once();
    let others = async {
        while scene.diary.lock().unwrap().came.is_empty() {
            tokio::task::yield_now().await;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
        scene.list_with_all(4).await;
    };
    tokio::join!(first, others);
    let diary = scene.diary.lock().unwrap();
    assert_eq!(diary.disturbed, 0, "{:?}", diary.came);
    assert_eq!(diary.came.len(), 3 + 13);
    // One probe for each wish, and never two.
    let early: Vec<_> = diary
        .came
        .iter()
        .filter(|came| came.as_secs() < 90)
        .collect();
    assert_eq!(
        early,
        [
            &Duration::ZERO,
            &Duration::from_secs(30),
            &Duration::from_secs(50)
        ]
    );
}

#[tokio::test]
async fn sources_with_gates_of_their_own_do_not_hear_of_each_other() {
    let scene = scene(2, vec![30], None).await;
    scene.list_once().await;
    let now = scene.bell.elapsed();
    assert_eq!(now, Duration::from_secs(30));
    scene.list_with_all(1).await;
    assert_eq!(scene.diary.lock().unwrap().came.len(), 4);
    assert_eq!(scene.bell.elapsed(), now);
}

#[tokio::test]
async fn a_wish_that_one_source_heard_is_kept_by_another() {
    let scene = scene(2, vec![300], Some(ThrottlingGate::new())).await;
    let first = scene.sources[0]
        .list(&folder("Q"), all())
        .await
        .unwrap_err();
    let second = scene.sources[1]
        .list(&folder("Q"), all())
        .await
        .unwrap_err();
    for error in [first, second] {
        assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
        assert_eq!(error.kind(), email_logging::ErrorKind::Throttled);
    }
    assert_eq!(scene.diary.lock().unwrap().came.len(), 1);
}

#[tokio::test]
async fn a_pool_has_one_gate_for_each_mailbox_with_each_credential() {
    let pool = LoggerPool::new(PoolSettings::default());
    let of = |mailbox, credential| Some(pool.gate(mailbox, credential));
    let gates = vec![
        of("queue@corp.example", "job"),
        of("Queue@corp.example", "job"),
        of("queue@corp.example", "another"),
        of("other@corp.example", "job"),
    ];
    let scene = scene_of(gates, vec![300]).await;
    let queue = folder("Q");
    for held in &scene.sources[..2] {
        let error = held.list(&queue, all()).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_mins(5)));
    }
    for free in &scene.sources[2..] {
        free.list(&queue, all()).await.unwrap();
    }
    assert_eq!(scene.diary.lock().unwrap().came.len(), 3);
}
