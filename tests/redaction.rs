//! What values show in a log line and say to a person: the whole text, so that it neither falls silent nor tells a secret, an
//! address, or where a person's mail lies.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/canary.rs"]
mod canary;

use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;

use canary::Canary;
use email_logging::clock::SystemClock;
use email_logging::credential::{
    AdminConsent, AppSignIn, ClosureCredentials, CredentialResolver, DelegatedSignIn,
    EnvironmentCredentials, FileCredentials, IdentityService, MemoryKeys, MemoryRefreshTokens,
    MicrosoftCloud, RecordKey, SealedCredentials, SealedSecrets, StaticCredentials, UserPassword,
};
use email_logging::decision::NeverRule;
use email_logging::directory::{CachedDirectory, MemoryDirectory, ProblemKind, RecordProblem};
use email_logging::error::{Error, ServerContext, codes};
use email_logging::message::{Address, MessageLimits, MessageReader};
use email_logging::notifications::{KeptSubscription, NotificationRequest, SubscriptionKeeper};
use email_logging::opportunity::DateFormula;
use email_logging::privacy::{Viewer, Visibility};
use email_logging::setup::{
    Check, ConsentRequest, ConsentSignIn, Consequence, EmailLoggingAdministration,
    EmailLoggingSetup, EwsConnector, EwsRetirement, GraphConnector, GuideReason, MailConnector,
    MailService, MemoryJobQueue, MigrationIssue, NotChecked, SetupChange, SetupField,
    SetupValidator, Verdict,
};
use email_logging::source::ews::{Autodiscover, EwsSource, PublicFolderRouting};
use email_logging::source::graph::{GraphDelta, GraphSource};
use email_logging::source::{
    FileSource, Folder, FolderBrowser, FolderId, FolderPath, FolderRoot, ItemRef, MemorySource,
    ThrottlingGate,
};
use email_logging::store::{MemoryStore, PostgresOptions, PostgresStore, SealedSecret, SecretName};
use email_logging::testkit::clock::ManualClock;
use email_logging::{ErrorKind, Scope};
use jiff::Timestamp;

/// Is in the values wherever they hold what nobody may read in a log.
const SECRET: &str = "c4n4ry-secret";
const MAILBOX: &str = "c4n4ry-secret@corp.example";
const KEY: &[u8; 32] = b"c4n4ry-secret that has 32 bytes.";

/// The `Debug` of each value is this text, and the secret is not in it.
macro_rules! assert_shows {
    ($($value:expr => $text:expr;)*) => {
        let canary = Canary::new(SECRET);
        $({
            let value = $value;
            assert_eq!(format!("{value:?}"), $text);
            canary.assert_debug(&value);
        })*
    };
}

/// The `Display` of each value is this text.
macro_rules! assert_says {
    ($($value:expr => $text:expr;)*) => {
        $(assert_eq!($value.to_string(), $text);)*
    };
}

fn given() -> Arc<StaticCredentials> {
    let given = StaticCredentials::new().with_client_id("id");
    let given = given.with_client_secret(SECRET);
    Arc::new(given.with_redirect_url("https://erp.example/callback"))
}

fn service() -> IdentityService {
    IdentityService::microsoft(MicrosoftCloud::Worldwide, "corp.example")
}

fn tokens() -> Arc<MemoryRefreshTokens> {
    Arc::new(MemoryRefreshTokens::new().with_refresh_token(Scope::default(), SECRET))
}

fn time() -> Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// The options of a connection with these limits.
fn http(times: [u32; 4], body_limit: u64) -> String {
    let [connect, first, idle, total] = times;
    format!(
        "HttpOptions {{ connect_timeout: {connect}s, first_byte_timeout: {first}s, idle_timeout: {idle}s, \
         total_timeout: {total}s, change_timeout: 120s, body_limit: {body_limit}, own_roots: false, pinned_keys: 0, \
         own_proxy: false, plain_loopback: false, .. }}"
    )
}

fn http_of_mail() -> String {
    http([30, 120, 60, 600], 256 << 20)
}

fn ews() -> EwsSource {
    let source = EwsSource::builder("https://c4n4ry-secret.example/EWS/Exchange.asmx");
    source.with_access_token(given()).build().unwrap()
}

fn graph() -> GraphSource {
    let source = GraphSource::builder().with_mailbox(MAILBOX);
    source.with_access_token(given()).build().unwrap()
}

fn ews_connector() -> EwsConnector {
    let connector = EwsConnector::builder().with_credentials(given());
    connector.build().unwrap()
}

fn graph_connector() -> GraphConnector {
    let connector = GraphConnector::builder().with_credentials(given());
    connector.build().unwrap()
}

/// A set-up for a mailbox whose service is named.
fn setup(service: MailService, url: &str) -> EmailLoggingSetup {
    let mut setup = EmailLoggingSetup::default();
    let changes = [
        SetupChange::MailService(service),
        SetupChange::AutodiscoveryEmailAddress(MAILBOX.into()),
        SetupChange::ExchangeServiceUrl(url.into()),
        SetupChange::ExchangeTenantId("corp.example".into()),
    ];
    setup.apply(&changes).unwrap();
    setup
}

#[test]
fn credentials_and_secrets_show_which_there_are_and_none_of_them() {
    let (store, keys) = (
        Arc::new(MemoryStore::new()),
        Arc::new(MemoryKeys::new().with_key(KEY)),
    );
    let secrets = SealedSecrets::new(
        Arc::<MemoryStore>::clone(&store),
        Arc::<MemoryKeys>::clone(&keys),
    );
    let sealed = vec![SECRET.as_bytes().to_vec(); 3];
    let [wrapped, nonce, text] = sealed.try_into().unwrap();
    assert_shows! {
        UserPassword::new(SECRET, SECRET) => "UserPassword { .. }";
        ClosureCredentials::new().with_client_id(|_| async { Ok(None) }) =>
            "ClosureCredentials { client_id: true, client_secret: false, redirect_url: false, certificate: false, \
             password: false, access_token: false }";
        CredentialResolver::new().with_explicit_client("id", SECRET) =>
            "CredentialResolver { explicit_client: true, explicit_redirect_url: false, \
             providers: CredentialChain { providers: [] }, stored: CredentialChain { providers: [] }, \
             default_redirect_url: None }";
        EnvironmentCredentials::new().with_password("USER", "PASSWORD") =>
            "EnvironmentCredentials { client_id: None, client_secret: None, redirect_url: None, \
             user_name: Some(\"USER\"), password: Some(\"PASSWORD\") }";
        FileCredentials::new().with_client_secret("/run/secret") =>
            "FileCredentials { client_id: None, client_secret: Some(\"/run/secret\"), password: None, .. }";
        RecordKey::new(KEY) => "RecordKey([redacted])";
        &keys => "MemoryKeys { ids: [\"0302529b5d298c77\"] }";
        &secrets => format!("SealedSecrets {{ store: MemoryStore {{ .. }}, keys: {keys:?} }}");
        SealedCredentials::new(store, secrets.clone()) =>
            format!("SealedCredentials {{ secrets: {secrets:?}, .. }}");
        SealedSecret::new("key-1", wrapped, nonce, text) => "SealedSecret { key_id: \"key-1\", .. }";
        tokens() => "MemoryRefreshTokens { .. }";
    }
}

#[tokio::test]
async fn sign_ins_show_how_they_connect_and_nothing_of_the_service() {
    let transport = http([30, 120, 60, 60], 1 << 20);
    let of_transport = format!("permissions: [], transport: {transport}, ..");
    let clock = Arc::new(ManualClock::at(time()));
    let consent = AdminConsent::at(service(), given()).with_clock(clock);
    let consent = consent.build().unwrap();
    let (_, pending) = consent.begin().await.unwrap();
    let state = Canary::new(secrecy::ExposeSecret::expose_secret(pending.state()));
    state.assert_debug(&pending);
    assert_shows! {
        AppSignIn::at(service(), given()) => format!("AppSignInBuilder {{ {of_transport} }}");
        AppSignIn::at(service(), given()).build().unwrap() => "AppSignIn { .. }";
        DelegatedSignIn::at(service(), given(), tokens()) =>
            format!("DelegatedSignInBuilder {{ {of_transport} }}");
        DelegatedSignIn::at(service(), given(), tokens()).build().unwrap() => "DelegatedSignIn { .. }";
        AdminConsent::at(service(), given()) =>
            format!("AdminConsentBuilder {{ offline: false, life: 900s, {of_transport} }}");
        consent => "AdminConsent { offline: false, life: 900s, .. }";
        pending => "PendingConsent { expires_at: 2026-01-02T03:19:05Z, .. }";
        ConsentRequest::new("https://login.example/?state=c4n4ry-secret", SECRET, time()) =>
            "ConsentRequest { expires_at: 2026-01-02T03:04:05Z, .. }";
    }
}

#[test]
fn sources_show_what_they_can_and_no_server_mailbox_or_folder() {
    let can = |list_page: u32, batch: u32, connections: u32, longest: &str| {
        format!(
            "SourceCapabilities {{ stable_keys: true, locate: true, stamps: false, remove: true, moves: true, \
             list_page: {list_page}, fetch_batch: {batch}, move_batch: {batch}, connections: {connections}, \
             longest_change: {longest} }}"
        )
    };
    let (of_ews, of_graph) = (
        can(1000, 100, 4, "Some(120s)"),
        can(1000, 20, 4, "Some(120s)"),
    );
    let of_memory = can(1000, 100, 1, "None");
    let limits = "connections: 4, repeats: 4, largest_item: 157286400, longest_wait: 240s, ..";
    let http = http_of_mail();
    let directory = tempfile::Builder::new().prefix(SECRET).tempdir().unwrap();
    let files = FileSource::builder(directory.path());
    assert_shows! {
        ews() => format!(
            "EwsSource {{ session: Session {{ version: Negotiated(0), repeats: 4, .. }}, capabilities: {of_ews} }}"
        );
        EwsSource::builder("https://c4n4ry-secret.example/") =>
            format!("EwsSourceBuilder {{ sign_in: None, http: {http}, {limits} }}");
        graph() => format!("GraphSource {{ session: Session {{ repeats: 4, .. }}, capabilities: {of_graph} }}");
        GraphSource::builder().with_mailbox(MAILBOX) =>
            format!("GraphSourceBuilder {{ cloud: Global, sign_in: None, http: {http}, {limits} }}");
        graph().subscriptions("inbox:c4n4ry-secret".parse::<FolderPath>().unwrap()) =>
            format!("GraphSubscriptions {{ source: {:?}, .. }}", graph());
        GraphDelta::new(graph(), Folder::new(FolderId::new(SECRET)), Duration::from_mins(1)) =>
            format!("GraphDelta {{ source: {:?}, every: 60s, .. }}", graph());
        &files => "FileSourceBuilder { format: None, .. }";
        files.clone().build().unwrap() => "FileSource { format: Eml, moves: false, .. }";
        MemorySource::new() => format!("MemorySource {{ capabilities: {of_memory}, .. }}");
        FolderBrowser::new(Arc::new(MemorySource::new()), FolderRoot::Mailbox) =>
            "FolderBrowser { root: Mailbox, levels: 0, .. }";
        ThrottlingGate::new() =>
            "ThrottlingGate { hold: None, probing: false, crowd: Crowd { open: 0, limit: None } }";
    }
}

#[test]
fn what_finds_and_hears_of_mail_shows_no_address_and_no_client_state() {
    let http = http([10, 20, 10, 30], 1 << 20);
    let lookup = || Autodiscover::builder(MAILBOX);
    let signed_in = lookup().with_access_token(given(), Scope::default());
    let service = Arc::new(graph().subscriptions("inbox:".parse::<FolderPath>().unwrap()));
    let keeper = SubscriptionKeeper::builder()
        .with_service(service)
        .with_receiver(&email_logging::notifications::NotificationReceiver::new())
        .with_notification_url("https://c4n4ry-secret.example/")
        .with_clock(Arc::new(ManualClock::at(time())));
    let state = "KeeperState { until: None, next: 2026-01-02T03:04:05Z, failed_in_a_row: 0, last_failure: None }";
    assert_shows! {
        PublicFolderRouting::automatic(MAILBOX) => "PublicFolderRouting { own_url: false, .. }";
        lookup() => format!("AutodiscoverBuilder {{ sign_in: none, cloud: Worldwide, http: {http}, .. }}");
        signed_in.build().unwrap() => "Autodiscover { sign_in: access token, cloud: Worldwide, .. }";
        NotificationRequest::new("POST").with_query(SECRET).with_body(SECRET.as_bytes()) =>
            "NotificationRequest { method: \"POST\", body: 13, .. }";
        KeptSubscription::new(SECRET, SECRET.into(), time()) =>
            "KeptSubscription { until: 2026-01-02T03:04:05Z, .. }";
        keeper.build().unwrap() => format!(
            "SubscriptionKeeper {{ service: GraphSubscriptions {{ source: {:?}, .. }}, state: {state}, .. }}",
            graph()
        );
    }
}

#[tokio::test]
async fn a_set_up_shows_how_it_connects_and_no_account() {
    let shared = format!(
        "Options {{ credentials: {:?}, http: {}, .. }}",
        given(),
        http_of_mail()
    );
    let options = format!("options: Options {{ shared: {shared}, connections: 4, .. }}, ..");
    let builder = format!(
        "credentials: None, http: {}, connections: 4, ..",
        http_of_mail()
    );
    let (ews_made, graph_made) = (
        setup(MailService::Ews, "https://c4n4ry-secret.example/EWS"),
        setup(MailService::Graph, ""),
    );
    let scope = Scope::default();
    let ews_made = ews_connector().connect(&scope, &ews_made).await.unwrap();
    let graph_made = graph_connector()
        .connect(&scope, &graph_made)
        .await
        .unwrap();
    let validator = || SetupValidator::new(Arc::new(graph_connector()));
    let administration = EmailLoggingAdministration::builder()
        .with_setup_store(Arc::new(MemoryStore::new()))
        .with_connector(Arc::new(graph_connector()));
    assert_shows! {
        EwsConnector::builder() => format!("EwsConnectorBuilder {{ {builder} }}");
        ews_connector() => format!("EwsConnector {{ {options} }}");
        ews_made.probe => format!("EwsProbe {{ source: {:?}, .. }}", ews());
        GraphConnector::builder() => format!("GraphConnectorBuilder {{ {builder} }}");
        graph_connector() => format!("GraphConnector {{ {options} }}");
        graph_made.probe => format!("GraphProbe {{ source: {:?}, .. }}", graph());
        ConsentSignIn::for_graph(&graph_connector()) => format!("ConsentSignIn {{ options: {shared}, .. }}");
        validator() => format!("SetupValidator {{ connector: {:?}, .. }}", graph_connector());
        validator().validate(&scope, &EmailLoggingSetup::default()) => "Validation { results: [], .. }";
        administration.build().unwrap() => format!(
            "EmailLoggingAdministration {{ store: MemoryStore {{ .. }}, connector: {:?}, .. }}",
            graph_connector()
        );
        MemoryJobQueue::default() => "MemoryJobQueue { jobs: 0 }";
    }
}

#[tokio::test]
async fn stores_show_their_size_and_no_login() {
    let url = || "postgres://c4n4ry-secret@db.example/log?sslmode=require".into();
    assert_shows! {
        MemoryStore::new() => "MemoryStore { .. }";
        PostgresOptions::new(url()) =>
            "PostgresOptions { pool_size: 8, statement_timeout: 30s, connect_timeout: 10s, \
             application_name: \"email-logging\", schema: \"email_logging\", own_roots: false, pinned_keys: 0, \
             plain: false, search: true, clock: None, .. }";
        PostgresStore::open(url()).unwrap() =>
            "PostgresStore { schema: \"email_logging\", \
             pool: Pool { status: Status { max_size: 8, size: 0, available: 0, waiting: 0 }, .. }, .. }";
    }
}

#[test]
fn people_and_mail_show_no_address() {
    let directory = || Arc::new(MemoryDirectory::new());
    let limits = MessageLimits::default();
    assert_shows! {
        MAILBOX.parse::<Address>().unwrap() => "Address([redacted])";
        "*@c4n4ry-secret.example".parse::<NeverRule>().unwrap() => "NeverRule(pattern [redacted])";
        Viewer::at(Visibility::Full).with_address(MAILBOX) => "Viewer { .. }";
        directory() => "MemoryDirectory { salespeople: 0, contacts: 0, .. }";
        CachedDirectory::new(directory(), Arc::new(SystemClock)) =>
            format!("CachedDirectory {{ inner: {:?}, memory_time: 300s, .. }}", directory());
        MessageReader::new(limits.clone()) =>
            format!("MessageReader {{ limits: {limits:?}, watch: Undecided, .. }}");
        ItemRef::new("AAMk").with_change_key("CQ") => "ItemRef(AAMk)";
    }
}

#[test]
fn an_error_tells_all_that_it_was_given() {
    let error = Error::new(&codes::HTTP_UNAVAILABLE, "GetItem")
        .with_detail("detail")
        .with_item("AAMk")
        .with_retry_after(Duration::from_secs(3))
        .with_server(ServerContext::default())
        .with_source(std::io::Error::other("cause"));
    assert_eq!(
        (error.kind(), error.operation(), error.item()),
        (ErrorKind::Unavailable, "GetItem", Some("AAMk"))
    );
    assert_eq!(
        error.source().map(ToString::to_string).as_deref(),
        Some("cause")
    );
    let server = ServerContext::default();
    assert_shows! {
        error => format!(
            "Error {{ kind: Unavailable, code: \"http.unavailable\", operation: \"GetItem\", \
             detail: Some(\"detail\"), item: Some(\"AAMk\"), retry_after: Some(3s), server: Some({server:?}), \
             source: Some(Custom {{ kind: Other, error: \"cause\" }}) }}"
        );
    }
}

#[test]
fn what_a_person_is_told_is_a_sentence_or_the_word_that_they_wrote() {
    let because = NotChecked::DependsOn(Check::Tls);
    assert_says! {
        "*@corp.example".parse::<NeverRule>().unwrap() => "*@corp.example";
        "1M+2D".parse::<DateFormula>().unwrap() => "1M+2D";
        RecordProblem::new("C1", "e_mail", ProblemKind::NoAddress) => "C1: e_mail is missing";
        SetupField::ExchangeServiceUrl => "Exchange service URL";
        Consequence::Changed(SetupField::ExchangeClientId) => "The client id was changed.";
        Consequence::Cleared(SetupField::QueueFolder) => "The queue folder was cleared.";
        Consequence::EraseSecret(SecretName::RefreshToken) => "The refresh token is erased.";
        Consequence::Reconnect => "The connection to Exchange is made anew.";
        Consequence::SignInAgain => "An administrator has to sign in again.";
        EwsRetirement::Ended => EwsRetirement::Ended.warning();
        GuideReason::Closed => "The assisted set-up is closed.";
        MigrationIssue::NoMailbox => "The set-up names no mailbox. Give its address.";
        Check::Tls => "TLS certificate";
        Verdict::Passed => "passed";
        Verdict::Warning => "warning";
        Verdict::Failed => "failed";
        Verdict::NotChecked { because: NotChecked::NoRole } =>
            "not checked, because the host gave nothing that could answer";
        because => "the check \"TLS certificate\" did not pass";
    }
}
