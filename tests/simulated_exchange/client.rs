//! A client so small that it hides nothing: requests are text, answers are text.

use std::fmt::Display;

use email_logging::testkit::exchange::{SimulatedExchange, SimulatedExchangeBuilder};

pub(crate) const USER: &str = "logger@corp.example";
pub(crate) const PASSWORD: &str = "s3cret";
pub(crate) const QUEUE: &str = r"\Email Logging\Queue\";
pub(crate) const STORAGE: &str = r"\Email Logging\Storage\";
pub(crate) const ELSEWHERE: &str = r"\Email Logging\Elsewhere\";

const SOAP: &str = "http://schemas.xmlsoap.org/soap/envelope/";
const MESSAGES: &str = "http://schemas.microsoft.com/exchange/services/2006/messages";
const TYPES: &str = "http://schemas.microsoft.com/exchange/services/2006/types";

/// A server with the usual folders; the last lives in another content mailbox.
pub(crate) fn builder() -> SimulatedExchangeBuilder {
    SimulatedExchange::builder()
        .with_user(USER, PASSWORD)
        .with_mailbox(USER)
        .with_public_folder(QUEUE)
        .with_public_folder(STORAGE)
        .with_public_folder_in(ELSEWHERE, 2)
        .with_directory_entry(
            Some("/o=Corp/cn=Recipients/cn=anna"),
            "anna@corp.example",
            "Anna Berg",
        )
        .with_directory_entry(None, "arne@corp.example", "Arne Bergmann")
}

/// A message of two lines.
pub(crate) fn mail(number: usize) -> String {
    format!(
        "From: Ann <ann@customer.example>\r\nTo: Sam <sam@corp.example>\r\n\
         Subject: Offer {number}\r\nMessage-ID: <{number}@customer.example>\r\n\r\n\
         Hello {number}\r\n"
    )
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    /// The response codes in their order.
    pub(crate) fn codes(&self) -> Vec<&str> {
        let fault = format!("<faultcode xmlns:a=\"{TYPES}\">a:");
        let mut codes = all(&self.text, &fault, "</");
        codes.extend(all(&self.text, "<m:ResponseCode>", "</"));
        codes
    }

    /// The item ids in their order.
    pub(crate) fn item_ids(&self) -> Vec<&str> {
        all(&self.text, "<t:ItemId Id=\"", "\"")
    }

    pub(crate) fn subjects(&self) -> Vec<&str> {
        all(&self.text, "<t:Subject>", "</")
    }
}

/// All texts between two marks.
pub(crate) fn all<'t>(text: &'t str, start: &str, end: &str) -> Vec<&'t str> {
    let pieces = text.split(start).skip(1);
    pieces
        .filter_map(|piece| piece.split_once(end))
        .map(|(found, _)| found)
        .filter(|f| !f.is_empty())
        .collect()
}

pub(crate) struct Client {
    http: reqwest::Client,
    url: String,
    password: &'static str,
    version: &'static str,
    route: Option<(String, String)>,
}

impl Client {
    pub(crate) fn of(exchange: &SimulatedExchange) -> Self {
        // Only the first of many tests can install it, and all install the same.
        let _installed = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            url: exchange.url(),
            password: PASSWORD,
            version: "Exchange2013_SP1",
            route: None,
        }
    }

    pub(crate) fn with_password(mut self, password: &'static str) -> Self {
        self.password = password;
        self
    }

    pub(crate) fn with_version(mut self, version: &'static str) -> Self {
        self.version = version;
        self
    }

    /// Sends X-AnchorMailbox and X-PublicFolderMailbox from now on.
    pub(crate) fn led_to(mut self, anchor: &str, mailbox: &str) -> Self {
        self.route = Some((anchor.to_owned(), mailbox.to_owned()));
        self
    }

    /// Sends any document; an error means that no whole answer came.
    pub(crate) async fn send(&self, document: String) -> reqwest::Result<Answer> {
        let request = self
            .http
            .post(&self.url)
            .basic_auth(USER, Some(self.password));
        let request = request.header("content-type", "text/xml; charset=utf-8");
        let request = request.header("client-request-id", "11111111-2222-4333-8444-555555555555");
        let request = request.header("return-client-request-id", "true");
        let request = match &self.route {
            Some((anchor, mailbox)) => request
                .header("X-AnchorMailbox", anchor)
                .header("X-PublicFolderMailbox", mailbox),
            None => request,
        };
        let response = request.body(document).send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer {
            status,
            headers,
            text: response.text().await?,
        })
    }

    /// Sends an operation in an envelope.
    pub(crate) async fn try_call(&self, operation: impl Display) -> reqwest::Result<Answer> {
        self.send(envelope(self.version, operation)).await
    }

    pub(crate) async fn call(&self, operation: impl Display) -> Answer {
        self.try_call(operation).await.unwrap()
    }

    /// The id of a public folder, found segment by segment.
    pub(crate) async fn folder(&self, path: &str) -> String {
        let mut at = distinguished("publicfoldersroot");
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            let answer = self.call(find_folder("Shallow", &at, &named(name))).await;
            let found = all(&answer.text, "<t:FolderId Id=\"", "\"");
            assert_eq!(found.len(), 1, "{}", answer.text);
            at = folder_id(found[0]);
        }
        at
    }
}

pub(crate) fn envelope(version: &str, operation: impl Display) -> String {
    format!(
        "<s:Envelope xmlns:s=\"{SOAP}\" xmlns:m=\"{MESSAGES}\" xmlns:t=\"{TYPES}\"><s:Header>\
         <t:RequestServerVersion Version=\"{version}\"/></s:Header><s:Body>{operation}</s:Body>\
         </s:Envelope>"
    )
}

pub(crate) fn folder_id(id: &str) -> String {
    format!("<t:FolderId Id=\"{id}\"/>")
}

pub(crate) fn distinguished(id: &str) -> String {
    format!("<t:DistinguishedFolderId Id=\"{id}\"/>")
}

pub(crate) fn named(name: &str) -> String {
    let equal = compare(
        "IsEqualTo",
        "<t:FieldURI FieldURI=\"folder:DisplayName\"/>",
        name,
    );
    format!("<m:Restriction>{equal}</m:Restriction>")
}

pub(crate) fn compare(relation: &str, path: &str, value: &str) -> String {
    format!(
        "<t:{relation}>{path}<t:FieldURIOrConstant><t:Constant Value=\"{value}\"/>\
         </t:FieldURIOrConstant></t:{relation}>"
    )
}

pub(crate) const SEARCH_KEY: &str =
    "<t:ExtendedFieldURI PropertyTag=\"0x300B\" PropertyType=\"Binary\"/>";

pub(crate) fn find_folder(traversal: &str, parent: &str, restriction: &str) -> String {
    format!(
        "<m:FindFolder Traversal=\"{traversal}\"><m:FolderShape>\
         <t:BaseShape>AllProperties</t:BaseShape>\
         <t:AdditionalProperties><t:FieldURI FieldURI=\"folder:EffectiveRights\"/>\
         <t:ExtendedFieldURI PropertyTag=\"0x6698\" PropertyType=\"Binary\"/>\
         </t:AdditionalProperties>\
         </m:FolderShape><m:IndexedPageFolderView MaxEntriesReturned=\"100\" Offset=\"0\" \
         BasePoint=\"Beginning\"/>\
         {restriction}<m:ParentFolderIds>{parent}</m:ParentFolderIds></m:FindFolder>"
    )
}

/// FindItem with subjects, sorted by arrival.
pub(crate) fn find_item(folder: &str, page: (usize, usize), restriction: &str) -> String {
    let (offset, max) = page;
    format!(
        "<m:FindItem Traversal=\"Shallow\"><m:ItemShape><t:BaseShape>IdOnly</t:BaseShape>\
         <t:AdditionalProperties><t:FieldURI FieldURI=\"item:Subject\"/><t:FieldURI \
         FieldURI=\"message:From\"/>\
         {SEARCH_KEY}</t:AdditionalProperties></m:ItemShape>\
         <m:IndexedPageItemView MaxEntriesReturned=\"{max}\" Offset=\"{offset}\" \
         BasePoint=\"Beginning\"/>\
         {restriction}<m:SortOrder><t:FieldOrder Order=\"Ascending\"><t:FieldURI \
         FieldURI=\"item:DateTimeReceived\"/>\
         </t:FieldOrder></m:SortOrder><m:ParentFolderIds>{folder}</m:ParentFolderIds></m:FindItem>"
    )
}

pub(crate) fn item_ids<I: AsRef<str>>(ids: &[I]) -> String {
    let ids = ids
        .iter()
        .map(|id| format!("<t:ItemId Id=\"{}\"/>", id.as_ref()));
    let ids = ids.collect::<Vec<_>>().concat();
    format!("<m:ItemIds>{ids}</m:ItemIds>")
}

pub(crate) fn get_item<I: AsRef<str>>(ids: &[I], base: &str, mime: bool) -> String {
    format!(
        "<m:GetItem><m:ItemShape><t:BaseShape>{base}</t:BaseShape>\
         <t:IncludeMimeContent>{mime}</t:IncludeMimeContent><t:AdditionalProperties>\
         <t:FieldURI FieldURI=\"item:Subject\"/><t:FieldURI FieldURI=\"item:ItemClass\"/>\
         <t:FieldURI FieldURI=\"item:Sensitivity\"/>{SEARCH_KEY}</t:AdditionalProperties>\
         </m:ItemShape>{}</m:GetItem>",
        item_ids(ids)
    )
}

pub(crate) fn move_item<I: AsRef<str>>(folder: &str, ids: &[I], new_ids: bool) -> String {
    format!(
        "<m:MoveItem><m:ToFolderId>{folder}</m:ToFolderId>{}\
         <m:ReturnNewItemIds>{new_ids}</m:ReturnNewItemIds></m:MoveItem>",
        item_ids(ids)
    )
}

pub(crate) fn copy_item<I: AsRef<str>>(folder: &str, ids: &[I]) -> String {
    format!(
        "<m:CopyItem><m:ToFolderId>{folder}</m:ToFolderId>{}</m:CopyItem>",
        item_ids(ids)
    )
}

pub(crate) fn delete_item<I: AsRef<str>>(how: &str, ids: &[I]) -> String {
    format!(
        "<m:DeleteItem DeleteType=\"{how}\">{}</m:DeleteItem>",
        item_ids(ids)
    )
}

pub(crate) const STAMP: &str = "<t:ExtendedFieldURI \
    PropertySetId=\"0EF17B83-6F1B-4D09-8C2C-9B3D6F0F51A7\" \
                         PropertyName=\"stamp\" PropertyType=\"String\"/>";

/// UpdateItem that stamps an item, with or without its change key.
pub(crate) fn stamp(id: &str, change_key: Option<&str>, conflict: &str, value: &str) -> String {
    let change_key = change_key.map_or_else(String::new, |key| format!(" ChangeKey=\"{key}\""));
    format!(
        "<m:UpdateItem ConflictResolution=\"{conflict}\" MessageDisposition=\"SaveOnly\">\
         <m:ItemChanges>\
         <t:ItemChange><t:ItemId Id=\"{id}\"{change_key}/><t:Updates>\
         <t:SetItemField>{STAMP}<t:Message>\
         <t:ExtendedProperty>{STAMP}<t:Value>{value}</t:Value></t:ExtendedProperty></t:Message>\
         </t:SetItemField></t:Updates></t:ItemChange></m:ItemChanges></m:UpdateItem>"
    )
}

pub(crate) fn create_item(folder: &str, mime_base64: &str) -> String {
    format!(
        "<m:CreateItem MessageDisposition=\"SaveOnly\">\
         <m:SavedItemFolderId>{folder}</m:SavedItemFolderId>\
         <m:Items><t:Message><t:MimeContent>{mime_base64}</t:MimeContent></t:Message></m:Items>\
         </m:CreateItem>"
    )
}

pub(crate) fn create_folder(parent: &str, name: &str) -> String {
    format!(
        "<m:CreateFolder><m:ParentFolderId>{parent}</m:ParentFolderId><m:Folders><t:Folder>\
         <t:DisplayName>{name}</t:DisplayName></t:Folder></m:Folders></m:CreateFolder>"
    )
}

pub(crate) fn get_folder(folder: &str) -> String {
    format!(
        "<m:GetFolder><m:FolderShape><t:BaseShape>AllProperties</t:BaseShape></m:FolderShape>\
         <m:FolderIds>{folder}</m:FolderIds></m:GetFolder>"
    )
}

pub(crate) fn resolve_names(entry: &str, full: bool) -> String {
    format!(
        "<m:ResolveNames ReturnFullContactData=\"{full}\"><m:UnresolvedEntry>{entry}\
         </m:UnresolvedEntry></m:ResolveNames>"
    )
}
