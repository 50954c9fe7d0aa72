//! The cache against acquisitions that are answered by hand.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::VecDeque;

use futures_util::FutureExt;
use tokio::sync::oneshot;

use super::*;

type Answer = oneshot::Receiver<Result<Acquired>>;

/// Answers with what it is given, in that order.
#[derive(Debug, Default)]
struct ByHand {
    answers: std::sync::Mutex<VecDeque<Answer>>,
    asked: AtomicU64,
    forgot: AtomicU64,
}

#[async_trait]
impl Acquire for ByHand {
    async fn acquire(&self) -> Result<Acquired> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let answer = self.answers.lock().unwrap().pop_front();
        answer.expect("asked too often").await.unwrap()
    }

    fn forget_refusals(&self) {
        self.forgot.fetch_add(1, Ordering::SeqCst);
    }
}

/// A clock that is set.
#[derive(Debug, Default)]
struct SetClock(std::sync::Mutex<i64>);

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(*self.0.lock().unwrap()).unwrap()
    }

    async fn sleep(&self, _: Duration) {}
}

struct Bench {
    by_hand: Arc<ByHand>,
    clock: Arc<SetClock>,
    cache: TokenCache,
}

fn bench() -> Bench {
    let (by_hand, clock) = (Arc::new(ByHand::default()), Arc::new(SetClock::default()));
    let cache = TokenCache::new(
        Arc::<ByHand>::clone(&by_hand),
        Arc::<SetClock>::clone(&clock),
    );
    Bench {
        by_hand,
        clock,
        cache,
    }
}

impl Bench {
    /// One more acquisition, which ends when it is answered.
    fn next(&self) -> oneshot::Sender<Result<Acquired>> {
        let (answer, waits) = oneshot::channel();
        self.by_hand.answers.lock().unwrap().push_back(waits);
        answer
    }

    fn give(&self, outcome: Result<Acquired>) {
        self.next().send(outcome).unwrap();
    }

    async fn token(&self) -> Result<String, &'static str> {
        let token = self.cache.token().await;
        let token = token.map_err(|error| error.code())?;
        Ok(token.token.expose_secret().to_owned())
    }

    fn at(&self, second: i64) {
        *self.clock.0.lock().unwrap() = second;
    }

    fn asked(&self) -> u64 {
        self.by_hand.asked.load(Ordering::SeqCst)
    }
}

fn acquired(text: &str, ends: Option<i64>) -> Acquired {
    let ends = ends.map(|ends| Timestamp::from_second(ends).unwrap());
    Acquired {
        token: AccessToken::new(text, ends),
        permissions: None,
        application: false,
        credential_ends: None,
    }
}

fn down(wait: Option<u64>) -> Error {
    let error = Error::new(&codes::HTTP_UNAVAILABLE, "test");
    match wait {
        Some(wait) => error.with_retry_after(Duration::from_secs(wait)),
        None => error,
    }
}

#[tokio::test]
async fn while_one_caller_renews_early_the_others_go_on_with_the_kept_token() {
    let bench = bench();
    bench.give(Ok(acquired("first", Some(1000))));
    assert_eq!(bench.token().await.unwrap(), "first");
    bench.at(950);
    let answer = bench.next();
    let mut renewing = Box::pin(bench.token());
    assert!(renewing.as_mut().now_or_never().is_none());
    let other = bench.token().now_or_never();
    assert_eq!(other.unwrap().unwrap(), "first");
    answer.send(Ok(acquired("second", Some(2000)))).unwrap();
    assert_eq!(renewing.await.unwrap(), "second");
    assert_eq!(
        (bench.token().await.unwrap().as_str(), bench.asked()),
        ("second", 2)
    );
}

#[tokio::test]
async fn after_its_end_a_token_serves_nobody() {
    let bench = bench();
    bench.give(Ok(acquired("first", Some(1000))));
    bench.token().await.unwrap();
    bench.at(1000);
    let answer = bench.next();
    let mut renewing = Box::pin(bench.token());
    assert!(renewing.as_mut().now_or_never().is_none());
    let mut other = Box::pin(bench.token());
    assert!(other.as_mut().now_or_never().is_none());
    answer.send(Ok(acquired("second", Some(2000)))).unwrap();
    assert_eq!(renewing.await.unwrap(), "second");
    assert_eq!(other.await.unwrap(), "second");
    assert_eq!(bench.asked(), 2);
}

#[tokio::test]
async fn a_sign_in_that_is_dropped_leaves_the_kept_token() {
    let bench = bench();
    bench.give(Ok(acquired("first", Some(1000))));
    bench.token().await.unwrap();
    let _never = bench.next();
    assert!(bench.cache.renew().now_or_never().is_none());
    assert_eq!(bench.token().now_or_never().unwrap().unwrap(), "first");
    assert_eq!(bench.by_hand.forgot.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_token_without_an_end_serves_for_a_while_and_until_it_is_refused() {
    let bench = bench();
    for text in ["first", "second", "third"] {
        bench.give(Ok(acquired(text, None)));
    }
    for (second, expected) in [
        (0, "first"),
        (269, "first"),
        (270, "second"),
        (271, "second"),
    ] {
        bench.at(second);
        assert_eq!(bench.token().await.unwrap(), expected, "{second}");
    }
    bench.cache.invalidate("first").await;
    assert_eq!(bench.token().await.unwrap(), "second");
    bench.cache.invalidate("second").await;
    assert_eq!(bench.token().await.unwrap(), "third");
}

#[tokio::test]
async fn a_service_that_names_a_time_is_not_asked_before_it() {
    for (wait, next) in [(None, 30), (Some(10), 30), (Some(40), 40)] {
        let bench = bench();
        bench.give(Ok(acquired("first", Some(1000))));
        bench.token().await.unwrap();
        bench.at(950);
        bench.give(Err(down(wait)));
        assert_eq!(bench.token().await.unwrap(), "first");
        bench.at(950 + next - 1);
        assert_eq!(
            (bench.token().await.unwrap().as_str(), bench.asked()),
            ("first", 2)
        );
        bench.give(Ok(acquired("second", Some(2000))));
        bench.at(950 + next);
        assert_eq!(bench.token().await.unwrap(), "second");
    }
}

#[tokio::test]
async fn a_refusal_at_a_sign_in_ends_the_kept_token_and_trouble_that_passes_does_not() {
    let bench = bench();
    bench.give(Ok(acquired("first", Some(1000))));
    bench.token().await.unwrap();
    bench.give(Err(down(None)));
    assert_eq!(
        bench.cache.renew().await.unwrap_err().code(),
        "http.unavailable"
    );
    assert_eq!(bench.token().await.unwrap(), "first");
    bench.give(Err(Error::new(&codes::OAUTH_REAUTH, "test")));
    assert_eq!(
        bench.cache.renew().await.unwrap_err().code(),
        "oauth.reauth"
    );
    bench.give(Ok(acquired("second", Some(1000))));
    assert_eq!(bench.token().await.unwrap(), "second");
}

#[tokio::test]
async fn a_token_without_an_end_serves_everybody_while_somebody_signs_in() {
    let bench = bench();
    bench.give(Ok(acquired("first", None)));
    bench.token().await.unwrap();
    let _answer = bench.next();
    let mut signing_in = Box::pin(bench.cache.renew());
    assert!(signing_in.as_mut().now_or_never().is_none());
    assert_eq!(bench.token().now_or_never().unwrap().unwrap(), "first");
}

#[tokio::test]
async fn whoever_waited_takes_the_token_that_came_though_it_ends_at_once() {
    let bench = bench();
    let answer = bench.next();
    let mut asking = Box::pin(bench.token());
    let mut waiting = Box::pin(bench.token());
    assert!(asking.as_mut().now_or_never().is_none());
    assert!(waiting.as_mut().now_or_never().is_none());
    answer.send(Ok(acquired("short", Some(0)))).unwrap();
    assert_eq!(asking.await.unwrap(), "short");
    assert_eq!(waiting.await.unwrap(), "short");
    assert_eq!(bench.asked(), 1);
}

#[test]
fn a_cache_shows_no_token() {
    assert_eq!(format!("{:?}", bench().cache), "TokenCache { .. }");
}
