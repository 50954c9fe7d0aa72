//! A server that answers each request with the next text of a script, or closes.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Shared = Arc<Mutex<(Vec<Option<String>>, Vec<String>)>>;

pub(crate) struct Scripted {
    port: u16,
    shared: Shared,
}

impl Scripted {
    /// Starts; `None` in the script closes the connection instead of an answer. After the script it closes, too.
    pub(crate) async fn start(mut script: Vec<Option<String>>) -> Self {
        script.reverse();
        let shared: Shared = Arc::new(Mutex::new((script, Vec::new())));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::clone(&shared);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&state)));
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/EWS/Exchange.asmx", self.port)
    }

    /// The requests so far, in the order of their arrival.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.shared.lock().unwrap().1.clone()
    }
}

async fn serve(mut stream: TcpStream, shared: Shared) {
    while let Some(request) = read(&mut stream).await {
        let answer = {
            let mut state = shared.lock().unwrap();
            state.1.push(request);
            state.0.pop().flatten()
        };
        let Some(answer) = answer else { return };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// A request with its body.
async fn read(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.split_once("content-length: ");
            let length = length.and_then(|(_, rest)| rest.split("\r\n").next());
            let length: usize = length.map_or(0, |length| length.parse().unwrap());
            if body.len() >= length {
                return Some(text);
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
