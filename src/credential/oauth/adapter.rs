//! The crate's own HTTP client in the place of the one that the OAuth2 library would bring.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use oauth2::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::OPERATION;
use crate::clock::{Clock, Entropy};
use crate::error::{Error, Result, codes};
use crate::http::{HttpClient, Reply, ServiceUrl, new_guid, retry_after};

/// Sends to the token endpoint, whatever address the library names.
pub(super) struct TokenClient {
    pub(super) token_url: ServiceUrl,
    pub(super) http: HttpClient,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
}

impl TokenClient {
    /// Sends what the library wants sent. A redirect is an error; so is a server that is out of order.
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse> {
        let (parts, body) = request.into_parts();
        let request_id = new_guid(&*self.entropy);
        let sent = self.http.post(
            OPERATION,
            &self.token_url,
            &request_id,
            parts.headers,
            body.into(),
        );
        let reply = sent.await?;
        self.check(&reply)?;
        let (status, headers) = (reply.status, reply.headers.clone());
        let mut response = HttpResponse::new(reply.read_all().await?);
        *response.status_mut() = oauth2::http::StatusCode::from_u16(status).unwrap_or_default();
        *response.headers_mut() = headers;
        Ok(response)
    }

    fn check(&self, reply: &Reply) -> Result<()> {
        let code = match reply.status {
            300..=399 => &codes::HTTP_REDIRECT,
            429 => &codes::HTTP_THROTTLED,
            500.. => &codes::HTTP_UNAVAILABLE,
            _ => return Ok(()),
        };
        let error = Error::new(code, OPERATION).with_server(reply.server.clone());
        match retry_after(&reply.headers, self.clock.now()) {
            Some(wait) => Err(error.with_retry_after(wait)),
            None => Err(error),
        }
    }
}

impl<'c> AsyncHttpClient<'c> for TokenClient {
    type Error = Error;
    type Future = BoxFuture<'c, Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.send(request))
    }
}
