//! Finding the service: as the field says.

use super::builder::Options;
use crate::error::{ErrorKind, Result};
use crate::scope::Scope;
use crate::setup::sign_in::SignIn;
use crate::setup::{AuthenticationType, EmailLoggingSetup, ServiceAddress};
use crate::source::ews::{Autodiscover, AutodiscoverBuilder, AutodiscoverCloud};

/// The URL of the service.
///
/// Autodiscovery asks without credentials first; only where nobody answers that, those who may have a token get one.
pub(super) async fn find(
    options: &Options,
    setup: &EmailLoggingSetup,
    address: &str,
    scope: &Scope,
    sign_in: &SignIn,
) -> Result<String> {
    let text = setup.exchange_service_url.as_deref().unwrap_or_default();
    let service = match plain(options, text) {
        Some(url) => return Ok(url),
        None => ServiceAddress::parse(text)?,
    };
    if let ServiceAddress::Url(url) = service {
        return Ok(url);
    }
    let describe = || look_up(options, setup, address, service.clone());
    let anonymous = describe().build()?.discover().await;
    let found = match anonymous {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            match sign_in.of_autodiscover(scope, describe()) {
                Some(builder) => builder.build()?.discover().await?,
                None => return Err(error),
            }
        }
        outcome => outcome?,
    };
    Ok(found.ews_url)
}

/// The one address that the rule of the field refuses and tests need: plain http in this machine.
fn plain(options: &Options, text: &str) -> Option<String> {
    let plain = options.shared.http.plain_loopback && text.trim().starts_with("http://");
    plain.then(|| text.trim().to_owned())
}

fn look_up(
    options: &Options,
    setup: &EmailLoggingSetup,
    address: &str,
    service: ServiceAddress,
) -> AutodiscoverBuilder {
    let on_premises = setup.authentication_type == AuthenticationType::Basic;
    let builder = Autodiscover::builder(address)
        .with_way(&options.shared.http)
        .with_service_address(service)
        .with_cloud(if on_premises {
            AutodiscoverCloud::None
        } else {
            options.cloud()
        })
        .with_entropy(options.shared.entropy());
    let accepted = options.accepted_hosts.iter();
    accepted.fold(builder, AutodiscoverBuilder::with_accepted_host)
}
