//! What the EWS tests share: answers written by hand, a sink, a clock that waits in no time.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use email_logging::clock::{Clock, Entropy};
use email_logging::credential::{CredentialProvider, StaticCredentials};
use email_logging::message::MailFacts;
use email_logging::source::ews::{EwsSource, EwsSourceBuilder};
use email_logging::source::{
    FetchSink, Fetched, Folder, FolderId, ItemRef, ListRequest, ListedItem, Moved, Removed,
};
use email_logging::{Error, Result};
use jiff::{SignedDuration, Timestamp};
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate};

/// Matches requests of one operation.
pub struct Operation(pub &'static str);

impl Match for Operation {
    fn matches(&self, request: &Request) -> bool {
        let body = String::from_utf8_lossy(&request.body);
        let open = format!("<m:{}", self.0);
        body.split(&open)
            .nth(1)
            .is_some_and(|rest| rest.starts_with([' ', '>']))
    }
}

/// An envelope around a body.
pub fn soap(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Header>\
         <h:ServerVersionInfo MajorVersion=\"15\" MinorVersion=\"2\" \
         xmlns:h=\"http://schemas.microsoft.com/exchange/services/2006/types\"/></s:Header>\
         <s:Body>{body}</s:Body></s:Envelope>"
    )
}

/// A response of an operation with these response messages.
pub fn response(operation: &str, messages: &[String]) -> String {
    let mut body = format!(
        "<m:{operation}Response \
         xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
         xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
         <m:ResponseMessages>"
    );
    for message in messages {
        let inner = message.replace("%op%", operation);
        body.push_str(&inner);
    }
    write!(body, "</m:ResponseMessages></m:{operation}Response>").unwrap();
    soap(&body)
}

/// A response message that went well.
pub fn fine(content: &str) -> String {
    format!(
        "<m:%op%ResponseMessage ResponseClass=\"Success\">\
         <m:ResponseCode>NoError</m:ResponseCode>{content}</m:%op%ResponseMessage>"
    )
}

/// A response message that failed.
pub fn failed(code: &str) -> String {
    failed_with(code, "")
}

/// A response message that failed, with its MessageXml.
pub fn failed_with(code: &str, xml: &str) -> String {
    format!(
        "<m:%op%ResponseMessage ResponseClass=\"Error\"><m:MessageText>no</m:MessageText>\
         <m:ResponseCode>{code}</m:ResponseCode>\
         <m:DescriptiveLinkKey>0</m:DescriptiveLinkKey>{xml}</m:%op%ResponseMessage>"
    )
}

/// The rest of a batch that the server did not reach.
pub fn stopped() -> String {
    failed("ErrorBatchProcessingStopped").replace("\"Error\"", "\"Warning\"")
}

/// A SOAP fault.
pub fn fault(code: &str, back_off: Option<u64>) -> String {
    let wait = back_off.map_or(String::new(), |milliseconds| {
        format!(
            "<t:MessageXml xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
             <t:Value Name=\"BackOffMilliseconds\">{milliseconds}</t:Value></t:MessageXml>"
        )
    });
    soap(&format!(
        "<s:Fault><faultcode xmlns:a=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
         a:{code}</faultcode><faultstring>no</faultstring><detail>\
         <e:ResponseCode xmlns:e=\"http://schemas.microsoft.com/exchange/services/2006/errors\">\
         {code}</e:ResponseCode>{wait}</detail></s:Fault>"
    ))
}

/// The content of a GetItem response message for a message.
pub fn item(id: &str, mime: Option<&str>, facts: &str) -> String {
    let mime = mime.map_or(String::new(), |text| {
        let text = base64_simd::STANDARD.encode_to_string(text);
        format!("<t:MimeContent CharacterSet=\"UTF-8\">{text}</t:MimeContent>")
    });
    fine(&format!(
        "<m:Items><t:Message>{mime}<t:ItemId Id=\"{id}\" ChangeKey=\"CQ\"/>{facts}</t:Message>\
         </m:Items>"
    ))
}

/// A FindItem response message.
pub fn page(rows: &str, total: usize, last: bool) -> String {
    fine(&format!(
        "<m:RootFolder TotalItemsInView=\"{total}\" IncludesLastItemInRange=\"{last}\">\
         <t:Items>{rows}</t:Items></m:RootFolder>"
    ))
}

/// A row of a FindItem answer.
pub fn row(id: &str, key: &[u8]) -> String {
    let key = base64_simd::STANDARD.encode_to_string(key);
    format!(
        "<t:Message><t:ItemId Id=\"{id}\" ChangeKey=\"CQ\"/><t:ItemClass>IPM.Note</t:ItemClass>\
         <t:DateTimeReceived>2026-11-01T10:00:00Z</t:DateTimeReceived><t:Size>1234</t:Size>\
         <t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"0x300b\" PropertyType=\"Binary\"/>\
         <t:Value>{key}</t:Value></t:ExtendedProperty></t:Message>"
    )
}

/// A FindFolder response message.
pub fn folders(rows: &[(&str, &str)]) -> String {
    let rows: String = rows
        .iter()
        .map(|(id, name)| folder_row(id, name, "IPF.Note"))
        .collect();
    fine(&format!(
        "<m:RootFolder TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\">\
         <t:Folders>{rows}</t:Folders></m:RootFolder>"
    ))
}

/// One folder of an answer.
pub fn folder_row(id: &str, name: &str, class: &str) -> String {
    format!(
        "<t:Folder><t:FolderId Id=\"{id}\"/><t:FolderClass>{class}</t:FolderClass>\
         <t:DisplayName>{name}</t:DisplayName><t:ChildFolderCount>2</t:ChildFolderCount>\
         <t:EffectiveRights><t:CreateAssociated>true</t:CreateAssociated>\
         <t:CreateContents>true</t:CreateContents><t:CreateHierarchy>false</t:CreateHierarchy>\
         <t:Delete>true</t:Delete><t:Modify>true</t:Modify><t:Read>true</t:Read>\
         </t:EffectiveRights></t:Folder>"
    )
}

/// Answers an operation with XML, exactly so many times.
pub async fn answer(server: &MockServer, operation: &'static str, xml: String, times: u64) {
    answer_with(server, operation, ok(xml), times).await;
}

/// Answers an operation, exactly so many times; later answers come after earlier ones are used up.
pub async fn answer_with(
    server: &MockServer,
    operation: &'static str,
    template: ResponseTemplate,
    times: u64,
) {
    let mock = Mock::given(Operation(operation)).respond_with(template);
    let mock = if times == 0 {
        mock
    } else {
        mock.up_to_n_times(times)
    };
    mock.expect(times).mount(server).await;
}

/// 200 with XML.
pub fn ok(xml: String) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(xml.into_bytes(), "text/xml; charset=utf-8")
}

/// A status with XML.
pub fn status(status: u16, xml: String) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(xml.into_bytes(), "text/xml; charset=utf-8")
}

/// Credentials for Basic.
pub fn account() -> Arc<dyn CredentialProvider> {
    Arc::new(StaticCredentials::new().with_password("svc@example.com", "canary-secret"))
}

/// A source for this server with a clock that does not really wait.
pub fn source_with(
    server: &MockServer,
    change: impl FnOnce(EwsSourceBuilder) -> EwsSourceBuilder,
) -> (EwsSource, Arc<TestClock>) {
    source_at(&format!("{}/EWS/Exchange.asmx", server.uri()), change)
}

/// A source for this address with a clock that does not really wait.
pub fn source_at(
    url: &str,
    change: impl FnOnce(EwsSourceBuilder) -> EwsSourceBuilder,
) -> (EwsSource, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let shared: Arc<dyn Clock> = Arc::<TestClock>::clone(&clock);
    let builder = EwsSource::builder(url)
        .with_basic(account())
        .with_clock(shared)
        .with_entropy(Arc::new(Counter::default()))
        .dangerously_allow_plain_http_on_loopback();
    (change(builder).build().unwrap(), clock)
}

/// A source for this server.
pub fn source(server: &MockServer) -> (EwsSource, Arc<TestClock>) {
    source_with(server, |builder| builder)
}

/// The first ten items.
pub fn all() -> ListRequest {
    ListRequest::new(0, 10)
}

/// A folder of which the id is known.
pub fn folder(id: &str) -> Folder {
    Folder::new(FolderId::new(id))
}

/// Listed items with these ids.
pub fn listed(ids: &[&str]) -> Vec<ListedItem> {
    ids.iter()
        .map(|id| ListedItem::new(ItemRef::new(*id)))
        .collect()
}

/// Items with these ids.
pub fn refs(ids: &[&str]) -> Vec<ItemRef> {
    ids.iter().map(|id| ItemRef::new(*id)).collect()
}

/// A clock that moves by waiting only, and writes the waits down.
#[derive(Debug, Default)]
pub struct TestClock(Mutex<(Duration, Vec<Duration>)>);

impl TestClock {
    /// The waits so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let elapsed = self.0.lock().unwrap().0;
        "2026-11-01T10:00:00Z".parse::<Timestamp>().unwrap()
            + SignedDuration::try_from(elapsed).unwrap()
    }

    async fn sleep(&self, wait: Duration) {
        let mut state = self.0.lock().unwrap();
        state.0 += wait;
        state.1.push(wait);
    }
}

/// Randomness that counts for ids, and gives no jitter.
#[derive(Debug, Default)]
pub struct Counter(Mutex<u8>);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
        if bytes.len() == 16 {
            let mut count = self.0.lock().unwrap();
            *count += 1;
            bytes[15] = *count;
        }
    }
}

/// How one item was fetched.
#[derive(Debug, PartialEq, Eq)]
pub enum Got {
    /// Complete, with its original and subject.
    Complete(String, Option<String>),
    /// Without an original: the code and the subject.
    WithoutOriginal(&'static str, Option<String>),
    /// Gone.
    Gone,
    /// Failed with this code.
    Failed(&'static str),
}

/// A sink that keeps everything.
#[derive(Debug, Default)]
pub struct Collect {
    /// Each item that ended, with its index.
    pub got: Vec<(usize, Got)>,
    /// The facts of each item that has them.
    pub facts: Vec<MailFacts>,
    /// The largest chunk.
    pub largest: usize,
    open: Option<(usize, Vec<u8>)>,
}

#[async_trait]
impl FetchSink for Collect {
    fn begin(&mut self, index: usize, _: Option<u64>) {
        let again = self.open.as_ref().is_none_or(|open| open.0 == index);
        assert!(again, "begin before end");
        self.open = Some((index, Vec::new()));
    }

    async fn chunk(&mut self, bytes: &[u8]) -> Result<()> {
        self.largest = self.largest.max(bytes.len());
        self.open
            .as_mut()
            .expect("begun")
            .1
            .extend_from_slice(bytes);
        Ok(())
    }

    async fn end(&mut self, fetched: Fetched) -> Result<()> {
        let (index, bytes) = self.open.take().expect("begun");
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let got = match fetched {
            Fetched::Complete(facts) => {
                let subject = facts.subject.clone();
                self.facts.push(*facts);
                Got::Complete(text, subject)
            }
            Fetched::WithoutOriginal(facts, error) => {
                let subject = facts.subject.clone();
                self.facts.push(*facts);
                Got::WithoutOriginal(error.code(), subject)
            }
            Fetched::Gone => Got::Gone,
            Fetched::Failed(error) => Got::Failed(error.code()),
            other => panic!("{other:?}"),
        };
        self.got.push((index, got));
        Ok(())
    }
}

/// A short text for each answer of a move.
pub fn moves(moved: &[Moved]) -> Vec<String> {
    let text = |moved: &Moved| match moved {
        Moved::Done(Some(item)) => format!("done {}", item.id),
        Moved::Done(None) => "done".to_owned(),
        Moved::Gone => "gone".to_owned(),
        Moved::Failed(error) => error.code().to_owned(),
        other => panic!("{other:?}"),
    };
    moved.iter().map(text).collect()
}

/// A short text for each answer of a removal.
pub fn removals(removed: &[Removed]) -> Vec<String> {
    let text = |removed: &Removed| match removed {
        Removed::Done => "done".to_owned(),
        Removed::Gone => "gone".to_owned(),
        Removed::Failed(error) => error.code().to_owned(),
        other => panic!("{other:?}"),
    };
    removed.iter().map(text).collect()
}

/// The code of an error, and that it shows no secret.
pub fn code_of(error: &Error) -> &'static str {
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains("canary-secret"), "{shown}");
    assert!(!shown.contains("svc@example.com"), "{shown}");
    error.code()
}
