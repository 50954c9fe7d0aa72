//! Autodiscover for one mailbox, at the one service that may have the account's credentials.

use std::collections::BTreeMap;

use reqwest::header::AUTHORIZATION;

use super::super::EwsSource;
use super::super::autodiscover::settings::{self, GET_USER_SETTINGS, PATH, Told};
use super::Automatic;
use crate::error::{Error, Result, codes};
use crate::http::{Reply, ServiceUrl, new_guid};

/// How often one look-up goes on to another address.
const ADDRESSES: usize = 3;

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
        let url = &automatic.autodiscover;
        let mut mailbox = mailbox.to_owned();
        for _ in 0..ADDRESSES {
            let body = settings::request(url.as_url().as_str(), &mailbox, names);
            let reply = self.ask_autodiscover(url, body).await?;
            if reply.status != 200 {
                return Err(refused(&reply));
            }
            match settings::read(reply.read_all().await?).await? {
                Told::Settings(settings) => return Ok(settings),
                // Only whom to ask about changes, never where: the credentials stay with the host.
                Told::Address(address) => mailbox = address,
                Told::Url(_) | Told::Refused(_) => break,
            }
        }
        Ok(BTreeMap::new())
    }

    /// Asks once, and once more with new credentials after a 401.
    async fn ask_autodiscover(&self, url: &ServiceUrl, body: String) -> Result<Reply> {
        let session = self.session();
        let mut signed_in_again = false;
        loop {
            session.gate.pass(GET_USER_SETTINGS).await?;
            let authorization = session.auth.authorize().await?;
            let mut headers = settings::headers();
            headers.insert(AUTHORIZATION, authorization.clone());
            let id = new_guid(&*session.entropy);
            let sent = session
                .http
                .post(GET_USER_SETTINGS, url, &id, headers, body.clone().into());
            let reply = sent.await?;
            let again = reply.status == 401
                && !signed_in_again
                && session.auth.challenge(&authorization).await;
            if !again {
                return Ok(reply);
            }
            signed_in_again = true;
        }
    }
}

fn refused(reply: &Reply) -> Error {
    Error::new(&codes::HTTP_STATUS, GET_USER_SETTINGS)
        .with_detail(format!("status {}", reply.status))
        .with_server(reply.server.clone())
}
