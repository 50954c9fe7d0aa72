//! One mailbox at a simulated Graph, with the host's address for notifications before the crate's receiver, and a clock that
//! stands still.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Response, StatusCode};
use email_logging::clock::Clock as _;
use email_logging::credential::{AccessToken, StaticCredentials};
use email_logging::logger::{RunError, RunReport, Schedule};
use email_logging::notifications::{
    NotificationReceiver, NotificationRequest, SubscriptionKeeper, SubscriptionKeeperBuilder,
};
use email_logging::source::FolderPath;
use email_logging::source::graph::GraphSource;
use email_logging::store::{InteractionLog as _, LogFilter, MemoryStore};
use email_logging::testkit::clock::{ManualClock, SeededEntropy};
use email_logging::testkit::graph::{SimulatedGraph, SimulatedSubscription};
use email_logging::{EmailLogger, Scope};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::office::{mail, people, small_batches};

const MAILBOX: &str = "log@corp.example";
const TOKEN: &str = "token-of-an-application";
pub(crate) const INBOX: &str = r"log@corp.example\Inbox";
const ARCHIVE: &str = r"log@corp.example\Archive";
/// How long the schedule leaves between two runs: what comes sooner came by a hint.
const EVERY: Duration = Duration::from_hours(10);
/// Seconds of the clock in which something has to happen that a hint brings about.
const SOON: u32 = 20_000;

/// What the host's address was sent, without validations.
type Posted = Arc<Mutex<Vec<Bytes>>>;

#[derive(Clone)]
struct Door {
    receiver: NotificationReceiver,
    posted: Posted,
    /// Notifications are lost on their way, and answered all the same.
    shut: Arc<Mutex<bool>>,
}

pub(crate) struct Place {
    pub(crate) graph: SimulatedGraph,
    pub(crate) clock: ManualClock,
    pub(crate) source: GraphSource,
    pub(crate) receiver: NotificationReceiver,
    pub(crate) url: String,
    store: Arc<MemoryStore>,
    posted: Posted,
    shut: Arc<Mutex<bool>>,
    /// What each run logged.
    runs: Arc<Mutex<Vec<u64>>>,
    delivered: Mutex<Vec<String>>,
    running: Mutex<Option<(oneshot::Sender<()>, JoinHandle<()>)>>,
}

impl Place {
    pub(crate) async fn new() -> Self {
        let clock = ManualClock::default();
        let graph = SimulatedGraph::builder()
            .with_plain_http()
            .with_mailbox(MAILBOX)
            .with_app_token(TOKEN)
            .with_clock(Arc::new(clock.clone()))
            .start()
            .await
            .unwrap();
        let (receiver, posted, shut) = (
            NotificationReceiver::new(),
            Posted::default(),
            Arc::<Mutex<bool>>::default(),
        );
        let door = Door {
            receiver: receiver.clone(),
            posted: Arc::clone(&posted),
            shut: Arc::clone(&shut),
        };
        let token = StaticCredentials::new().with_access_token(AccessToken::new(TOKEN, None));
        let source = GraphSource::builder()
            .with_service_url(graph.url())
            .with_mailbox(MAILBOX)
            .with_access_token(Arc::new(token))
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(5)))
            .dangerously_allow_plain_http_on_loopback()
            .build()
            .unwrap();
        let store = MemoryStore::new()
            .with_clock(Arc::new(clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(7)));
        Self {
            graph,
            clock,
            source,
            receiver,
            url: mounted(door).await,
            store: Arc::new(store),
            posted,
            shut,
            runs: Arc::default(),
            delivered: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// A keeper of the subscription to the inbox, at the host's address.
    pub(crate) fn keeper(
        &self,
        change: impl FnOnce(SubscriptionKeeperBuilder) -> SubscriptionKeeperBuilder,
    ) -> Arc<SubscriptionKeeper> {
        let folder: FolderPath = "inbox:".parse().unwrap();
        let builder = SubscriptionKeeper::builder()
            .with_service(Arc::new(self.source.subscriptions(folder)))
            .with_receiver(&self.receiver)
            .with_notification_url(&self.url)
            .with_clock(Arc::new(self.clock.clone()));
        Arc::new(change(builder).build().unwrap())
    }

    /// Starts a logger on a schedule that hints alone hasten, waits for its first run and for the subscription.
    pub(crate) async fn begin(&self, keeper: &Arc<SubscriptionKeeper>) {
        let mut schedule = Schedule::default();
        schedule.every = EVERY;
        let logger = EmailLogger::builder()
            .with_source(Arc::new(self.source.clone()))
            .with_directory(Arc::new(people()))
            .with_store(Arc::clone(&self.store))
            .with_clock(Arc::new(self.clock.clone()))
            .with_entropy(Arc::new(SeededEntropy::new(8)))
            .with_settings(small_batches())
            .with_queue_folder("inbox:".parse::<FolderPath>().unwrap())
            .with_storage_folder("archive:".parse::<FolderPath>().unwrap())
            .with_wakeup(Arc::clone(keeper) as _)
            .build()
            .unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let runs = Arc::clone(&self.runs);
        let note = move |result: &Result<RunReport, RunError>| {
            runs.lock().unwrap().push(result.as_ref().unwrap().logged);
        };
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            logger.run(&schedule, stopped, note).await.unwrap();
        });
        *self.running.lock().unwrap() = Some((stop, task));
        self.until("the first run", || !self.runs().is_empty())
            .await;
        let subscribed = || self.graph.subscriptions().len() == 1;
        self.until("a subscription", subscribed).await;
        self.rest().await;
        self.take_runs();
    }

    /// Stops the logger.
    pub(crate) async fn end(&self) {
        let running = self.running.lock().unwrap().take();
        if let Some((stop, task)) = running {
            stop.send(()).unwrap();
            task.await.unwrap();
        }
    }

    /// Lets time pass until something is so, or fails.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        for _ in 0..SOON {
            if is_so() {
                return;
            }
            self.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        panic!("{what} does not come");
    }

    /// Lets so much time pass that what was hinted at is done; the schedule has no run in it.
    pub(crate) async fn rest(&self) {
        for _ in 0..80 {
            self.clock.advance(Duration::from_secs(2));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Lets the time of the schedule pass.
    pub(crate) async fn wait_for_the_schedule(&self) {
        let before = self.runs().len();
        self.clock.advance(EVERY);
        let run = || self.runs().len() > before;
        self.until("the run of the schedule", run).await;
        self.rest().await;
    }

    pub(crate) fn deliver(&self, mails: u32) {
        for _ in 0..mails {
            let mut delivered = self.delivered.lock().unwrap();
            let subject = format!("Offer {:03}", delivered.len());
            let id = format!("{}@graph.example", delivered.len());
            let mime = mail("ada@contacts.example", &subject, &id, "");
            self.graph.deliver(INBOX, mime).unwrap();
            delivered.push(subject);
        }
    }

    /// What was logged by each run since the last time.
    pub(crate) fn take_runs(&self) -> Vec<u64> {
        std::mem::take(&mut self.runs.lock().unwrap())
    }

    pub(crate) fn runs(&self) -> Vec<u64> {
        self.runs.lock().unwrap().clone()
    }

    /// Notifications get lost on their way from now on, or no more.
    pub(crate) fn lose(&self, lose: bool) {
        *self.shut.lock().unwrap() = lose;
    }

    /// What came to the host's address since the last time.
    pub(crate) fn take_posted(&self) -> Vec<Bytes> {
        std::mem::take(&mut self.posted.lock().unwrap())
    }

    /// Sends a notification to the host's address, as whoever knows it can.
    pub(crate) async fn post(&self, body: impl Into<reqwest::Body>) -> u16 {
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.post(&self.url).body(body);
        let request = request.header("content-type", "application/json");
        request.send().await.unwrap().status().as_u16()
    }

    pub(crate) fn subscription(&self) -> SimulatedSubscription {
        let all = self.graph.subscriptions();
        assert_eq!(all.len(), 1, "{all:?}");
        all[0].clone()
    }

    /// Everything that was delivered is logged once, and lies in the storage folder.
    pub(crate) async fn assert_all_logged_once(&self) {
        let (scope, filter) = (Scope::default(), LogFilter::default());
        let page = self.store.entries(&scope, &filter, None, 1000).await;
        let rows = page.unwrap().rows.into_iter();
        let mut logged: Vec<_> = rows.map(|row| row.entry.description).collect();
        logged.sort();
        let delivered = self.delivered.lock().unwrap().clone();
        assert_eq!(logged, delivered);
        let places = [INBOX, ARCHIVE].map(|path| self.graph.count(path).unwrap());
        assert_eq!(places, [0, delivered.len()]);
    }
}

/// The receiver behind a web framework, as a host mounts it.
async fn mounted(door: Door) -> String {
    let router = axum::Router::new()
        .route("/graph", axum::routing::post(receive))
        .with_state(door);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/graph", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

async fn receive(
    State(door): State<Door>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response<axum::body::Body> {
    if query.is_none() {
        door.posted.lock().unwrap().push(body.clone());
        if *door.shut.lock().unwrap() {
            let lost = Response::builder().status(StatusCode::ACCEPTED);
            return lost.body(axum::body::Body::empty()).unwrap();
        }
    }
    let mut request = NotificationRequest::new("POST").with_body(&body);
    if let Some(query) = &query {
        request = request.with_query(query);
    }
    let content_type = headers.get("content-type").map(|it| it.to_str().unwrap());
    if let Some(content_type) = content_type {
        request = request.with_header("content-type", content_type);
    }
    let answer = door.receiver.receive(&request);
    let mut response = Response::builder().status(answer.status);
    for (name, value) in answer.headers {
        response = response.header(name, value);
    }
    response.body(axum::body::Body::from(answer.body)).unwrap()
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Place at {}", self.clock.now())
    }
}
