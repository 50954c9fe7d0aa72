//! Stand-ins on loopback for the example of credentials: a vault, an identity service and Exchange, behind one port.
//!
//! They know nothing of the library: what they are asked is what left the process.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the vault holds, and what the identity service accepts.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) vault_secret: &'static str,
    pub(crate) accepted_secret: &'static str,
    pub(crate) vault_is_sealed: bool,
}

/// The services; they end with the process.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl Services {
    pub(crate) async fn start(state: State) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let services = Self {
            url: format!("http://{}", listener.local_addr()?),
            state: Arc::new(Mutex::new(state)),
        };
        let serving = services.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let serving = serving.clone();
                // A caller that hangs up is its own affair.
                tokio::spawn(async move { serving.serve(stream).await.ok() });
            }
        });
        Ok(services)
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn state(&self) -> State {
        let state = self.state.lock();
        state.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn serve(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let request = read(&mut stream).await?;
        let (status, body) = answer(&request, &self.state());
        let length = body.len();
        let head =
            format!("HTTP/1.1 {status} -\r\nContent-Length: {length}\r\nConnection: close\r\n");
        stream
            .write_all(format!("{head}Content-Type: {}\r\n\r\n{body}", kind(&body)).as_bytes())
            .await
    }
}

fn kind(body: &str) -> &'static str {
    match body.get(..1) {
        Some("<") => "text/xml; charset=utf-8",
        Some("{") => "application/json",
        _ => "text/plain",
    }
}

async fn read(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut request = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length:"));
            let length = length.map_or(Ok(0), |length| length.trim().parse());
            if body.len() >= length.unwrap_or(usize::MAX) {
                return Ok(String::from_utf8_lossy(&request).into_owned());
            }
        }
        if request.len() > 64 << 10 || stream.read_buf(&mut request).await? == 0 {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
    }
}

fn answer(request: &str, state: &State) -> (u16, String) {
    let has = |text: &str| request.contains(text);
    let path = request.split(' ').nth(1).unwrap_or_default();
    match path {
        "/vault/corp/client-id" | "/vault/corp/client-secret"
            if !has("vault-token: of-the-host") =>
        {
            (403, String::new())
        }
        path if path.starts_with("/vault/") && state.vault_is_sealed => (503, String::new()),
        "/vault/corp/client-id" => (200, "erp-logging".into()),
        "/vault/corp/client-secret" => (200, state.vault_secret.into()),
        "/token" if has(&format!("client_secret={}", state.accepted_secret)) => {
            let token = r#"{"access_token":"a-token","token_type":"Bearer","expires_in":3600}"#;
            (200, token.into())
        }
        "/token" => (401, r#"{"error":"invalid_client"}"#.into()),
        "/EWS/Exchange.asmx" if has("uthorization: Bearer a-token") => (200, EMPTY_QUEUE.into()),
        "/EWS/Exchange.asmx" => (401, String::new()),
        _ => (404, String::new()),
    }
}

/// The answer to FindItem for a folder without mails.
const EMPTY_QUEUE: &str = r#"<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>
<m:FindItemResponse xmlns:m="http://schemas.microsoft.com/exchange/services/2006/messages"
 xmlns:t="http://schemas.microsoft.com/exchange/services/2006/types"><m:ResponseMessages>
<m:FindItemResponseMessage ResponseClass="Success"><m:ResponseCode>NoError</m:ResponseCode>
<m:RootFolder TotalItemsInView="0" IncludesLastItemInRange="true"><t:Items/></m:RootFolder>
</m:FindItemResponseMessage></m:ResponseMessages></m:FindItemResponse></s:Body></s:Envelope>"#;
