//! Microsoft Graph out of the configuration, without a stored set-up: an application, whose secret the environment supplies.

use std::sync::Arc;

use email_logging::credential::{AppSignIn, EnvironmentCredentials};
use email_logging::source::graph::{AddressPolicy, GraphSource, GraphSourceBuilder};

use super::text;
use crate::config::{CLIENT_ID, CLIENT_SECRET, Config, ConfigError};
use crate::exit::Failure;

/// The mailbox of the configuration, by Graph.
pub(super) fn builder(config: &Config) -> Result<GraphSourceBuilder, Failure> {
    let exchange = &config.exchange;
    let mailbox = exchange.mailbox.as_deref().ok_or_else(|| {
        let what = "[exchange]: `mailbox` is missing, the address of the mailbox that Graph reads";
        ConfigError::invalid(what, "Write it into the file, or set up by `setup`.")
    })?;
    let mut builder = GraphSource::builder()
        .with_mailbox(mailbox)
        .with_app_sign_in(sign_in(config)?)
        .with_scope(config.scope()?)
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?)
        .with_connections(config.run_settings().connections.clamp(1, 4))
        .with_gate(super::gate(config));
    if let Some(url) = &exchange.url {
        builder = builder.with_service_url(url);
    }
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(text("the certificate authority", file)?);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    if exchange.allow_plain_http_on_loopback.unwrap_or(false) {
        builder = builder.dangerously_allow_plain_http_on_loopback();
    }
    Ok(builder)
}

fn sign_in(config: &Config) -> Result<AppSignIn, Failure> {
    let exchange = &config.exchange;
    let tenant = exchange.tenant.as_deref().ok_or_else(|| {
        let what = "[exchange]: `tenant` is missing, the id of the tenant at which the application signs in";
        let remedy = format!(
            "Write it into the file; client id and secret come from {CLIENT_ID} and {CLIENT_SECRET}. Or set up by `setup`."
        );
        ConfigError::invalid(what, remedy)
    })?;
    let credentials = EnvironmentCredentials::new()
        .with_client_id(CLIENT_ID)
        .with_client_secret(CLIENT_SECRET);
    let service = config.identity.service(Some(tenant)).for_graph();
    let mut builder = AppSignIn::at(service, Arc::new(credentials))
        .with_scope(config.scope()?)
        .with_address_policy(AddressPolicy::on_premises(exchange.ranges())?);
    if let Some(file) = &exchange.ca_file {
        builder = builder.with_trusted_roots(text("the certificate authority", file)?);
    }
    if let Some(proxy) = &exchange.proxy {
        builder = builder.with_proxy(proxy);
    }
    Ok(builder.build()?)
}
