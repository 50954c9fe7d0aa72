//! Autodiscover for one mailbox, at the one service that may have the account's credentials.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::header::AUTHORIZATION;

use super::super::EwsSource;
use super::super::autodiscover::settings::{self, GET_USER_SETTINGS, PATH, Told};
use super::{ANCHOR, Automatic};
use crate::error::{Error, Result, codes};
use crate::http::{Outgoing, Reply, ServiceUrl, new_guid, retry_after};

/// How often one look-up goes on to another address.
const ADDRESSES: usize = 3;
/// Bytes of one answer.
const ANSWER: usize = 1 << 20;
/// The longest time for one look-up: it is best effort, and calls wait for it.
const TIME: Duration = Duration::from_secs(30);

/// The SOAP autodiscover service beside an EWS service: same scheme, host and port.
pub(in crate::source::ews) fn beside(url: &ServiceUrl, plain: bool) -> Result<ServiceUrl> {
    ServiceUrl::parse(&format!("{}{PATH}", url.origin()), plain)
}

impl EwsSource {
    /// The settings of a mailbox; an empty list where the server does not know it.
    pub(super) async fn settings_of(
        &self,
        automatic: &Automatic,
        mailbox: &str,
        names: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let settings = self.look_settings_up(automatic, mailbox, names);
        let settings = tokio::time::timeout(TIME, settings).await;
        settings.unwrap_or_else(|_| Err(Error::new(&codes::HTTP_TIMEOUT, GET_USER_SETTINGS)))
    }

    async fn look_settings_up(
        &self,
        automatic: &Automatic,
        mailbox: &str,
        names: &[&str],
    ) -> Result<BTreeMap<String, String>> {
        let url = &automatic.autodiscover;
        let mut mailbox = mailbox.to_owned();
        for _ in 0..ADDRESSES {
            let body = settings::request(url.as_url().as_str(), &mailbox, names);
            let reply = self.ask_autodiscover(url, body).await?;
            if reply.status != 200 {
                self.heed_wish(&reply);
                return Err(refused(&reply));
            }
            match settings::read(whole(reply).await?).await? {
                Told::Settings(settings) => return Ok(settings),
                // Only whom to ask about changes, never where: the credentials stay with the host.
                Told::Address(address) => mailbox = address,
                Told::Url(_) | Told::Refused(_) => break,
            }
        }
        Ok(BTreeMap::new())
    }

    /// A server that wants to be left alone is, by every call: it is the one that the mail is on.
    fn heed_wish(&self, reply: &Reply) {
        let session = self.session();
        let cannot_now = matches!(reply.status, 429 | 500 | 502..=504);
        let wish = retry_after(&reply.headers, session.clock.now());
        if let Some(wait) = wish.filter(|wait| cannot_now && !wait.is_zero()) {
            session.gate.hold(wait);
        }
    }

    /// Asks once, and once more with new credentials after a 401.
    async fn ask_autodiscover(&self, url: &ServiceUrl, body: String) -> Result<Reply> {
        let session = self.session();
        let mut signed_in_again = false;
        loop {
            let _pass = session.gate.pass(GET_USER_SETTINGS).await?;
            let authorization = session.auth.authorize().await?;
            if session.gate.is_held() {
                continue;
            }
            let mut headers = settings::headers();
            // Exchange lets an application in where it names a mailbox, as in every other call.
            let anchor = session.routing.get(ANCHOR);
            headers.extend(anchor.map(|anchor| (ANCHOR, anchor.clone())));
            if let Some(authorization) = &authorization {
                headers.insert(AUTHORIZATION, authorization.clone());
            }
            let id = new_guid(&*session.entropy);
            let reply = session.deliver(Outgoing {
                operation: GET_USER_SETTINGS,
                url,
                request_id: &id,
                headers,
                body: body.clone().into(),
                within: None,
            });
            let reply = reply.await?;
            let again = reply.status == 401
                && !signed_in_again
                && session.auth.challenge(authorization.as_ref()).await;
            if !again {
                return Ok(reply);
            }
            signed_in_again = true;
        }
    }
}

async fn whole(mut reply: Reply) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    while let Some(piece) = reply.body.next().await {
        bytes.extend_from_slice(&piece?);
        if bytes.len() > ANSWER {
            let error = Error::new(&codes::HTTP_RESPONSE_TOO_LARGE, GET_USER_SETTINGS);
            return Err(error.with_server(reply.server));
        }
    }
    Ok(bytes)
}

fn refused(reply: &Reply) -> Error {
    Error::new(&codes::HTTP_STATUS, GET_USER_SETTINGS)
        .with_detail(format!("status {}", reply.status))
        .with_server(reply.server.clone())
}
